/* The instruments of an engine, found by their two names. An index, once given, never changes. */

#include "internal.h"

static uint64_t hash_names(const char *venue, const char *symbol)
{
    uint64_t hash = 0xCBF29CE484222325ull; /* FNV-1a; the NUL between the names counts */
    const unsigned char *at = (const unsigned char *)venue;
    do {
        hash = (hash ^ *at) * 0x100000001B3ull;
    } while (*at++ != 0);
    for (at = (const unsigned char *)symbol; *at != 0; at++) {
        hash = (hash ^ *at) * 0x100000001B3ull;
    }
    return hash ^ hash >> 32;
}

static int32_t check_name(const char *field, const char *value)
{
    if (value == NULL || *value == 0) {
        return fail(OF_ERR_ARG, "%s is empty: give the instrument's name", field);
    }
    size_t bytes = strnlen(value, NAME_BYTES_MAX + 1);
    if (bytes > NAME_BYTES_MAX) {
        return fail(OF_ERR_ARG, "%s has more than %d bytes", field, NAME_BYTES_MAX);
    }
    return OF_OK;
}

int32_t instrument_find(const of_engine_t *engine, const of_symbol_t *symbol, instrument_t **out)
{
    int32_t code = check_name("venue", symbol->venue);
    code = code ? code : check_name("symbol", symbol->symbol);
    *out = NULL;
    if (code || engine->instrument_slots == NULL) {
        return code;
    }
    size_t slot = (size_t)hash_names(symbol->venue, symbol->symbol) & engine->instrument_mask;
    for (uint32_t found; (found = engine->instrument_slots[slot]) != 0; slot = (slot + 1) & engine->instrument_mask) {
        instrument_t *instrument = engine->instruments[found - 1];
        if (strcmp(instrument->symbol, symbol->symbol) == 0 && strcmp(instrument->venue, symbol->venue) == 0) {
            *out = instrument;
            return OF_OK;
        }
    }
    return OF_OK;
}

static void link_instrument(of_engine_t *engine, uint32_t index)
{
    const instrument_t *instrument = engine->instruments[index];
    size_t slot = (size_t)hash_names(instrument->venue, instrument->symbol) & engine->instrument_mask;
    while (engine->instrument_slots[slot] != 0) {
        slot = (slot + 1) & engine->instrument_mask;
    }
    engine->instrument_slots[slot] = index + 1;
}

static bool reserve(of_engine_t *engine)
{
    if (!grow(&engine->instruments, &engine->instrument_capacity, engine->instrument_count + 1,
              sizeof *engine->instruments)) {
        return false;
    }
    if (engine->instrument_slots != NULL && (engine->instrument_count + 1) * 2 <= engine->instrument_mask) {
        return true;
    }
    size_t slots = engine->instrument_slots ? (engine->instrument_mask + 1) * 2 : 16;
    uint32_t *larger = calloc(slots, sizeof *larger);
    if (larger == NULL) {
        return false;
    }
    free(engine->instrument_slots);
    engine->instrument_slots = larger;
    engine->instrument_mask = slots - 1;
    for (size_t index = 0; index < engine->instrument_count; index++) {
        link_instrument(engine, (uint32_t)index);
    }
    return true;
}

static void instrument_free(instrument_t *instrument)
{
    persist_close(instrument);
    profile_clear(&instrument->profile);
    depth_free(&instrument->depth);
    ring_free(&instrument->trades);
    candles_free(&instrument->candles);
    flow_free(&instrument->flow);
    free(instrument->venue);
    free(instrument->symbol);
    free(instrument);
}

static instrument_t *instrument_new(const ofx_engine_options_t *options, const of_symbol_t *symbol)
{
    instrument_t *instrument = calloc(1, sizeof *instrument);
    if (instrument == NULL) {
        return NULL;
    }
    instrument->venue = strdup(symbol->venue);
    instrument->symbol = strdup(symbol->symbol);
    instrument->depth_levels = symbol->depth_levels;
    ring_init(&instrument->trades, sizeof(ofx_trade_row_t), options->trades_kept_max);
    flow_init(&instrument->flow, options);
    instrument->candles.width_ns = options->candle_ns;
    instrument->candles.max = options->candles_kept_max;
    signal_init(&instrument->signal, options->signal_module);
    if (instrument->venue == NULL || instrument->symbol == NULL) {
        instrument_free(instrument);
        return NULL;
    }
    return instrument;
}

int32_t instrument_intern(of_engine_t *engine, const of_symbol_t *symbol, instrument_t **out)
{
    int32_t code = instrument_find(engine, symbol, out);
    if (code || *out != NULL) {
        return code;
    }
    if (engine->instrument_count >= UINT32_MAX / 2 || !reserve(engine)) {
        return fail_memory();
    }
    instrument_t *instrument = instrument_new(&engine->options, symbol);
    if (instrument == NULL) {
        return fail_memory();
    }
    instrument->id = (uint32_t)engine->instrument_count;
    engine->instruments[engine->instrument_count++] = instrument;
    link_instrument(engine, instrument->id);
    *out = instrument;
    return OF_OK;
}

int32_t instrument_by_id(of_engine_t *engine, uint32_t id, instrument_t **out)
{
    if (id >= engine->instrument_count) {
        return fail(OF_ERR_ARG, "symbol_id %u is unknown: ofx_symbol_id gives one", id);
    }
    *out = engine->instruments[id];
    return OF_OK;
}

void instruments_free(of_engine_t *engine)
{
    for (size_t index = 0; index < engine->instrument_count; index++) {
        instrument_free(engine->instruments[index]);
    }
    free(engine->instruments);
    free(engine->instrument_slots);
}
