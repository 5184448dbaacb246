/* Events come in: one at a time. */

#include "apply.h"

/* A trade or a book event, the other NULL, of a symbol by its index or, without one, by its names. */
static int32_t ingest(of_engine_t *engine, const uint32_t *symbol_id, const of_trade_t *trade, const of_book_t *book,
                      uint32_t quality_flags)
{
    instrument_t *instrument = NULL;
    deliveries_t deliveries;
    pthread_mutex_lock(&engine->lock);
    int32_t code = need_started(engine, trade ? "ingest_trade" : "ingest_book");
    code = code ? code : trade ? check_trade(trade) : check_book(book);
    if (code == OF_OK) {
        code = symbol_id ? instrument_by_id(engine, *symbol_id, &instrument)
                         : instrument_intern(engine, trade ? &trade->symbol : &book->symbol, &instrument);
    }
    if (code == OF_OK && trade != NULL) {
        code = check_volume(instrument, trade->size);
    }
    code = code ? code : deliveries_reserve(&deliveries, engine);
    if (code) {
        pthread_mutex_unlock(&engine->lock);
        return code;
    }
    bool dropped = false;
    code = trade ? apply_trade(engine, instrument, trade, quality_flags, wall_ns(), &dropped)
                 : apply_book(engine, instrument, book, quality_flags, wall_ns(), &dropped);
    if (engine->persistence && code == OF_OK) {
        persist_flush(engine, instrument);
    }
    if (code == OF_OK && !dropped) {
        code = deliveries_collect(&deliveries, engine, instrument, trade, book, true);
    }
    deliveries_send(&deliveries, engine);
    return code;
}

int32_t of_ingest_trade(of_engine_t *engine, const of_trade_t *trade, uint32_t quality_flags)
{
    return ingest(engine, NULL, trade, NULL, quality_flags);
}

int32_t of_ingest_book(of_engine_t *engine, const of_book_t *book, uint32_t quality_flags)
{
    return ingest(engine, NULL, NULL, book, quality_flags);
}

int32_t ofx_ingest_trade(of_engine_t *engine, uint32_t symbol_id, const of_trade_t *trade, uint32_t quality_flags)
{
    return ingest(engine, &symbol_id, trade, NULL, quality_flags);
}

int32_t ofx_ingest_book(of_engine_t *engine, uint32_t symbol_id, const of_book_t *book, uint32_t quality_flags)
{
    return ingest(engine, &symbol_id, NULL, book, quality_flags);
}
