/* Series: what a session kept, copied out as rows of one type. */

#include "internal.h"

static void *copy_ring(const ring_t *ring, size_t *bytes)
{
    unsigned char *rows = malloc(ring->count * ring->item_bytes + 1);
    for (size_t at = 0; rows != NULL && at < ring->count; at++) {
        memcpy(rows + at * ring->item_bytes, ring_at(ring, at), ring->item_bytes);
    }
    *bytes = ring->count * ring->item_bytes;
    return rows;
}

static void *copy_candles(const candles_t *candles, size_t *bytes)
{
    ofx_candle_row_t *rows = malloc((candles->count + 1) * sizeof *rows);
    for (size_t at = 0; rows != NULL && at < candles->count; at++) {
        rows[at] = candles->items[at]->row;
    }
    *bytes = candles->count * sizeof *rows;
    return rows;
}

static void *copy_footprint(const candles_t *candles, size_t *bytes)
{
    size_t count = candles_footprint(candles, NULL);
    ofx_footprint_row_t *rows = malloc((count + 1) * sizeof *rows);
    if (rows != NULL) {
        candles_footprint(candles, rows);
    }
    *bytes = count * sizeof *rows;
    return rows;
}

static void *copy_profile(const profile_t *profile, size_t *bytes)
{
    ofx_profile_row_t *rows = malloc((profile->table.count + 1) * sizeof *rows);
    *bytes = rows == NULL ? 0 : profile_rows(profile, rows) * sizeof *rows;
    return rows;
}

static void *copy_series(const instrument_t *instrument, uint32_t series, size_t *bytes)
{
    switch (series) {
    case OFX_SERIES_TRADES:
        return copy_ring(&instrument->trades, bytes);
    case OFX_SERIES_CANDLES:
        return copy_candles(&instrument->candles, bytes);
    case OFX_SERIES_FOOTPRINT:
        return copy_footprint(&instrument->candles, bytes);
    case OFX_SERIES_PROFILE:
        return copy_profile(&instrument->profile, bytes);
    default:
        return copy_ring(&instrument->flow.buckets, bytes);
    }
}

int32_t ofx_series_copy(of_engine_t *engine, uint32_t symbol_id, uint32_t series, const char **rows, size_t *bytes)
{
    instrument_t *instrument = NULL;
    if (series > OFX_SERIES_VPIN) {
        return fail(OF_ERR_ARG, "series %u is unknown: use 0 (trades) to 4 (vpin)", series);
    }
    pthread_mutex_lock(&engine->lock);
    int32_t code = instrument_by_id(engine, symbol_id, &instrument);
    if (code == OF_OK) {
        *rows = copy_series(instrument, series, bytes);
        code = *rows == NULL ? fail_memory() : OF_OK;
    }
    pthread_mutex_unlock(&engine->lock);
    return code;
}
