/* Snapshots: as values, and as JSON into the caller's buffer. */

#include "internal.h"

bool read_analytics(instrument_t *instrument, ofx_analytics_t *out)
{
    memset(out, 0, sizeof *out);
    profile_t *profile = &instrument->profile;
    if (profile->volume == 0) {
        return true;
    }
    out->buy_volume = instrument->buy_volume;
    out->sell_volume = instrument->sell_volume;
    out->delta = out->cumulative_delta = instrument->buy_volume - instrument->sell_volume;
    out->last_price = instrument->last_price;
    out->point_of_control = profile->control_price;
    return profile_value_area(profile, &out->value_area_low, &out->value_area_high);
}

int32_t ofx_symbol_id(of_engine_t *engine, const of_symbol_t *symbol, uint32_t *out)
{
    instrument_t *instrument = NULL;
    pthread_mutex_lock(&engine->lock);
    int32_t code = instrument_intern(engine, symbol, &instrument);
    if (code == OF_OK) {
        *out = instrument->id;
    }
    pthread_mutex_unlock(&engine->lock);
    return code;
}

int32_t ofx_read_analytics(of_engine_t *engine, uint32_t symbol_id, ofx_analytics_t *out, int32_t *known)
{
    instrument_t *instrument = NULL;
    pthread_mutex_lock(&engine->lock);
    int32_t code = instrument_by_id(engine, symbol_id, &instrument);
    if (code == OF_OK) {
        *known = instrument->traded;
        if (!read_analytics(instrument, out)) {
            code = fail_memory();
        }
    }
    pthread_mutex_unlock(&engine->lock);
    return code;
}

int32_t ofx_read_signal(of_engine_t *engine, uint32_t symbol_id, ofx_signal_t *out, int32_t *known)
{
    instrument_t *instrument = NULL;
    pthread_mutex_lock(&engine->lock);
    int32_t code = instrument_by_id(engine, symbol_id, &instrument);
    if (code == OF_OK) {
        *known = instrument->traded;
        *out = instrument->signal;
    }
    pthread_mutex_unlock(&engine->lock);
    return code;
}

int32_t ofx_read_book(of_engine_t *engine, uint32_t symbol_id, ofx_book_head_t *out, ofx_level_t *rows,
                      size_t rows_max, int32_t *known)
{
    instrument_t *instrument = NULL;
    pthread_mutex_lock(&engine->lock);
    int32_t code = instrument_by_id(engine, symbol_id, &instrument);
    if (code == OF_OK) {
        const depth_t *depth = &instrument->depth;
        size_t bids = depth->count[OF_SIDE_BID], asks = depth->count[OF_SIDE_ASK];
        *known = depth->known;
        *out = (ofx_book_head_t){depth->last_sequence, depth->ts_exchange_ns, depth->ts_recv_ns, bids, asks};
        size_t bids_fit = bids < rows_max ? bids : rows_max;
        size_t asks_fit = asks < rows_max - bids_fit ? asks : rows_max - bids_fit;
        if (bids_fit > 0) {
            memcpy(rows, depth->rows[OF_SIDE_BID], bids_fit * sizeof *rows);
        }
        if (asks_fit > 0) {
            memcpy(rows + bids_fit, depth->rows[OF_SIDE_ASK], asks_fit * sizeof *rows);
        }
    }
    pthread_mutex_unlock(&engine->lock);
    return code;
}

int32_t ofx_read_flow(of_engine_t *engine, uint32_t symbol_id, ofx_flow_t *out, int32_t *known)
{
    instrument_t *instrument = NULL;
    pthread_mutex_lock(&engine->lock);
    int32_t code = instrument_by_id(engine, symbol_id, &instrument);
    if (code == OF_OK) {
        *known = instrument->traded || instrument->depth.known;
        memset(out, 0, sizeof *out);
        flow_read(&instrument->flow, instrument->profile.volume, out);
        depth_top(&instrument->depth, &out->top_imbalance, &out->microprice);
        out->crossed = depth_crossed(&instrument->depth);
    }
    pthread_mutex_unlock(&engine->lock);
    return code;
}

typedef bool (*add_json_t)(text_t *text, instrument_t *instrument);

static bool add_depth(text_t *text, instrument_t *instrument)
{
    if (instrument->depth.known) {
        json_depth(text, instrument);
    }
    return true;
}

static bool add_analytics(text_t *text, instrument_t *instrument)
{
    ofx_analytics_t analytics;
    if (!instrument->traded) {
        return true;
    }
    if (!read_analytics(instrument, &analytics)) {
        return false;
    }
    json_analytics(text, &analytics);
    return true;
}

static bool add_signal(text_t *text, instrument_t *instrument)
{
    if (instrument->traded) {
        json_signal(text, &instrument->signal);
    }
    return true;
}

static int32_t snapshot(of_engine_t *engine, const of_symbol_t *symbol, add_json_t add, void *out, uint32_t *len)
{
    instrument_t *instrument = NULL;
    text_t text = {0};
    pthread_mutex_lock(&engine->lock);
    int32_t code = instrument_find(engine, symbol, &instrument);
    if (code == OF_OK && instrument != NULL && !add(&text, instrument)) {
        text.failed = true;
    }
    pthread_mutex_unlock(&engine->lock);
    if (text.length == 0) {
        text_put(&text, "{}", 2);
    }
    if (code == OF_OK && text.failed) {
        code = fail_memory();
    }
    if (code == OF_OK) {
        if (text.length > *len) {
            code = fail(OF_ERR_ARG, "len %u is too small for a snapshot of %zu bytes", *len, text.length);
        } else {
            memcpy(out, text.data, text.length);
        }
        *len = (uint32_t)text.length;
    }
    text_free(&text);
    return code;
}

int32_t of_get_book_snapshot(of_engine_t *engine, const of_symbol_t *symbol, void *out, uint32_t *len)
{
    return snapshot(engine, symbol, add_depth, out, len);
}

int32_t of_get_analytics_snapshot(of_engine_t *engine, const of_symbol_t *symbol, void *out, uint32_t *len)
{
    return snapshot(engine, symbol, add_analytics, out, len);
}

int32_t of_get_signal_snapshot(of_engine_t *engine, const of_symbol_t *symbol, void *out, uint32_t *len)
{
    return snapshot(engine, symbol, add_signal, out, len);
}

int32_t of_get_metrics_json(of_engine_t *engine, const char **out, uint32_t *len)
{
    text_t text = {0};
    pthread_mutex_lock(&engine->lock);
    report_metrics(engine, &text);
    pthread_mutex_unlock(&engine->lock);
    if (text.failed) {
        text_free(&text);
        return fail_memory();
    }
    *out = text.data;
    *len = (uint32_t)text.length;
    return OF_OK;
}

void of_string_free(const char *text)
{
    free((void *)(uintptr_t)text);
}
