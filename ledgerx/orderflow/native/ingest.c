/* Events come in: one at a time. */

#include "apply.h"

/* Locked when called, unlocked when it returns. */
static int32_t ingest_trade(of_engine_t *engine, instrument_t *instrument, const of_trade_t *trade,
                            uint32_t quality_flags)
{
    deliveries_t deliveries;
    bool dropped = false;
    int32_t code = deliveries_reserve(&deliveries, engine);
    if (code == OF_OK) {
        code = apply_trade(engine, instrument, trade, quality_flags, wall_ns(), &dropped);
        if (engine->persistence && code == OF_OK) {
            persist_flush(engine, instrument);
        }
        if (code == OF_OK && !dropped) {
            code = deliveries_collect(&deliveries, engine, instrument, trade, NULL, true);
        }
        deliveries_send(&deliveries, engine);
        return code;
    }
    pthread_mutex_unlock(&engine->lock);
    return code;
}

static int32_t ingest_book(of_engine_t *engine, instrument_t *instrument, const of_book_t *book,
                           uint32_t quality_flags)
{
    deliveries_t deliveries;
    bool dropped = false;
    int32_t code = deliveries_reserve(&deliveries, engine);
    if (code == OF_OK) {
        code = apply_book(engine, instrument, book, quality_flags, wall_ns(), &dropped);
        if (engine->persistence && code == OF_OK) {
            persist_flush(engine, instrument);
        }
        if (code == OF_OK && !dropped) {
            code = deliveries_collect(&deliveries, engine, instrument, NULL, book, true);
        }
        deliveries_send(&deliveries, engine);
        return code;
    }
    pthread_mutex_unlock(&engine->lock);
    return code;
}

int32_t of_ingest_trade(of_engine_t *engine, const of_trade_t *trade, uint32_t quality_flags)
{
    instrument_t *instrument = NULL;
    pthread_mutex_lock(&engine->lock);
    int32_t code = need_started(engine, "ingest_trade");
    code = code ? code : check_trade(trade);
    code = code ? code : instrument_intern(engine, &trade->symbol, &instrument);
    code = code ? code : check_volume(instrument, trade->size);
    if (code == OF_OK) {
        return ingest_trade(engine, instrument, trade, quality_flags);
    }
    pthread_mutex_unlock(&engine->lock);
    return code;
}

int32_t of_ingest_book(of_engine_t *engine, const of_book_t *book, uint32_t quality_flags)
{
    instrument_t *instrument = NULL;
    pthread_mutex_lock(&engine->lock);
    int32_t code = need_started(engine, "ingest_book");
    code = code ? code : check_book(book);
    code = code ? code : instrument_intern(engine, &book->symbol, &instrument);
    if (code == OF_OK) {
        return ingest_book(engine, instrument, book, quality_flags);
    }
    pthread_mutex_unlock(&engine->lock);
    return code;
}

int32_t ofx_ingest_trade(of_engine_t *engine, uint32_t symbol_id, const of_trade_t *trade, uint32_t quality_flags)
{
    instrument_t *instrument = NULL;
    pthread_mutex_lock(&engine->lock);
    int32_t code = need_started(engine, "ingest_trade");
    code = code ? code : check_trade(trade);
    code = code ? code : instrument_by_id(engine, symbol_id, &instrument);
    code = code ? code : check_volume(instrument, trade->size);
    if (code == OF_OK) {
        return ingest_trade(engine, instrument, trade, quality_flags);
    }
    pthread_mutex_unlock(&engine->lock);
    return code;
}

int32_t ofx_ingest_book(of_engine_t *engine, uint32_t symbol_id, const of_book_t *book, uint32_t quality_flags)
{
    instrument_t *instrument = NULL;
    pthread_mutex_lock(&engine->lock);
    int32_t code = need_started(engine, "ingest_book");
    code = code ? code : check_book(book);
    code = code ? code : instrument_by_id(engine, symbol_id, &instrument);
    if (code == OF_OK) {
        return ingest_book(engine, instrument, book, quality_flags);
    }
    pthread_mutex_unlock(&engine->lock);
    return code;
}
