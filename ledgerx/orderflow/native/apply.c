/* One event, checked and applied to its instrument and to the engine's health. */

#include "apply.h"

int32_t check_trade(const of_trade_t *trade)
{
    if (trade->aggressor_side > OF_SIDE_ASK) {
        return fail(OF_ERR_ARG, "aggressor_side %u is unknown: use 0 (BID) or 1 (ASK)", trade->aggressor_side);
    }
    if (trade->size <= 0) {
        return fail(OF_ERR_ARG, "size %lld of a trade must be positive", (long long)trade->size);
    }
    return OF_OK;
}

int32_t check_book(const of_book_t *book)
{
    if (book->side > OF_SIDE_ASK) {
        return fail(OF_ERR_ARG, "side %u is unknown: use 0 (BID) or 1 (ASK)", book->side);
    }
    if (book->action > OF_BOOK_DELETE) {
        return fail(OF_ERR_ARG, "action %u is unknown: use 0 (UPSERT) or 1 (DELETE)", book->action);
    }
    if (book->size < 0) {
        return fail(OF_ERR_ARG, "size %lld of a level must not be negative", (long long)book->size);
    }
    return OF_OK;
}

int32_t check_volume(const instrument_t *instrument, int64_t size)
{
    int64_t sum;
    if (UNLIKELY(__builtin_add_overflow(instrument->profile.volume, size, &sum))) {
        return fail(OF_ERR_ARG, "size %lld takes the session's volume beyond 2^63-1: reset the session",
                    (long long)size);
    }
    return OF_OK;
}

static void keep_trade(instrument_t *instrument, const of_trade_t *trade, int64_t delta, uint32_t flags)
{
    ofx_trade_row_t *row = ring_push(&instrument->trades);
    if (row != NULL) {
        *row = (ofx_trade_row_t){.ts_exchange_ns = trade->ts_exchange_ns,
                                 .ts_recv_ns = trade->ts_recv_ns,
                                 .sequence = trade->sequence,
                                 .price = trade->price,
                                 .size = trade->size,
                                 .cumulative_delta = delta,
                                 .aggressor = trade->aggressor_side,
                                 .quality_flags = flags};
    }
}

static void count_event(of_engine_t *engine, uint32_t flags)
{
    engine->counters.processed_events++;
    engine->health.flags = flags;
    health_settle(engine);
}

/* Whether the policy has the event ignored; it is counted, and shows that the feed is alive. */
static bool drop(of_engine_t *engine, instrument_t *instrument, bool trade, uint64_t sequence, uint64_t now_ns,
                 uint64_t event_ns)
{
    if (LIKELY(!quality_drops(engine, instrument, trade, sequence))) {
        return false;
    }
    quality_sequence(engine, instrument, trade, sequence);
    quality_ingested(engine, now_ns, event_ns);
    return true;
}

int32_t apply_trade(of_engine_t *engine, instrument_t *instrument, const of_trade_t *trade, uint32_t quality_flags,
                    uint64_t now_ns, bool *dropped)
{
    candle_t *candle;
    if ((*dropped = drop(engine, instrument, true, trade->sequence, now_ns, trade->ts_exchange_ns))) {
        return OF_OK;
    }
    /* The candles come last: room for a new one may cost the oldest. */
    if (!profile_reserve(&instrument->profile) || !ring_reserve(&instrument->trades, 1) ||
        !flow_reserve(&instrument->flow, trade->size) ||
        !candles_reserve(&instrument->candles, trade->ts_exchange_ns, &candle)) {
        return fail_memory();
    }
    uint32_t external = quality_external(engine, now_ns, trade->ts_exchange_ns);
    uint32_t flags = quality_sequence(engine, instrument, true, trade->sequence);
    quality_ingested(engine, now_ns, trade->ts_exchange_ns);
    flags |= quality_event(engine, external, quality_flags, trade->ts_exchange_ns, trade->ts_recv_ns);
    bool bought = trade->aggressor_side == OF_SIDE_ASK;
    *(bought ? &instrument->buy_volume : &instrument->sell_volume) += trade->size;
    instrument->last_price = trade->price;
    instrument->traded = true;
    int64_t delta = instrument->buy_volume - instrument->sell_volume;
    profile_trade(&instrument->profile, trade->price, trade->size, bought);
    flow_trade(&instrument->flow, trade);
    if (candle != NULL) {
        candle_trade(candle, trade, delta);
    } else {
        instrument->candles.late_trades += instrument->candles.width_ns != 0;
    }
    keep_trade(instrument, trade, delta, flags);
    if (signal_trade(engine, instrument, flags)) {
        audit_symbol(engine, "signal_blocked", instrument, "quality_flags", flags);
    }
    count_event(engine, flags);
    if (engine->persistence) {
        persist_trade(engine, instrument, trade);
    }
    return OF_OK;
}

int32_t apply_book(of_engine_t *engine, instrument_t *instrument, const of_book_t *book, uint32_t quality_flags,
                   uint64_t now_ns, bool *dropped)
{
    if ((*dropped = drop(engine, instrument, false, book->sequence, now_ns, book->ts_exchange_ns))) {
        return OF_OK;
    }
    if (!depth_reserve(&instrument->depth, book->side)) {
        return fail_memory();
    }
    uint32_t external = quality_external(engine, now_ns, book->ts_exchange_ns);
    uint32_t flags = quality_sequence(engine, instrument, false, book->sequence);
    quality_ingested(engine, now_ns, book->ts_exchange_ns);
    flags |= quality_event(engine, external, quality_flags, book->ts_exchange_ns, book->ts_recv_ns);
    bool beyond = book->level >= instrument->depth_levels;
    if (beyond && engine->policy.flag_truncated_depth) {
        flags |= OF_QUALITY_DEPTH_TRUNCATED;
    }
    depth_apply(&instrument->depth, book, !(beyond && engine->policy.limit_depth));
    count_event(engine, flags);
    if (engine->persistence) {
        persist_book(engine, instrument, book);
    }
    return OF_OK;
}
