/* Events come in: many at a time, in columns. The lock is given up now and then: others get their turn. */

#include "apply.h"

#define ROWS_OF_A_TURN 4096

static inline int64_t signed_at(const ofx_column_t *column, size_t row)
{
    int64_t value = 0;
    if (column->data != NULL) {
        memcpy(&value, (const char *)column->data + (ptrdiff_t)row * column->stride_bytes, sizeof value);
    }
    return value;
}

static inline uint64_t unsigned_at(const ofx_column_t *column, size_t row)
{
    return (uint64_t)signed_at(column, row);
}

static inline uint8_t byte_at(const ofx_column_t *column, size_t row)
{
    return column->data ? *((const uint8_t *)column->data + (ptrdiff_t)row * column->stride_bytes) : 0;
}

static inline uint16_t short_at(const ofx_column_t *column, size_t row)
{
    uint16_t value = 0;
    if (column->data != NULL) {
        memcpy(&value, (const char *)column->data + (ptrdiff_t)row * column->stride_bytes, sizeof value);
    }
    return value;
}

static inline of_trade_t trade_at(const ofx_trade_columns_t *trades, size_t row)
{
    return (of_trade_t){.price = signed_at(&trades->price, row),
                        .size = signed_at(&trades->size, row),
                        .aggressor_side = byte_at(&trades->aggressor, row),
                        .sequence = unsigned_at(&trades->sequence, row),
                        .ts_exchange_ns = unsigned_at(&trades->ts_exchange_ns, row),
                        .ts_recv_ns = unsigned_at(&trades->ts_recv_ns, row)};
}

static inline of_book_t book_at(const ofx_book_columns_t *books, size_t row)
{
    return (of_book_t){.side = byte_at(&books->side, row),
                       .level = short_at(&books->level, row),
                       .price = signed_at(&books->price, row),
                       .size = signed_at(&books->size, row),
                       .action = byte_at(&books->action, row),
                       .sequence = unsigned_at(&books->sequence, row),
                       .ts_exchange_ns = unsigned_at(&books->ts_exchange_ns, row),
                       .ts_recv_ns = unsigned_at(&books->ts_recv_ns, row)};
}

static int32_t check_trades(const instrument_t *instrument, const ofx_trade_columns_t *trades, size_t *bad_row)
{
    int64_t volume = instrument->profile.volume;
    for (size_t row = 0; row < trades->rows; row++) {
        int64_t size = signed_at(&trades->size, row);
        if (UNLIKELY(size <= 0 || byte_at(&trades->aggressor, row) > OF_SIDE_ASK ||
                     __builtin_add_overflow(volume, size, &volume))) {
            of_trade_t trade = trade_at(trades, row);
            int32_t code = check_trade(&trade);
            *bad_row = row;
            return code ? code : fail(OF_ERR_ARG, "size: with this row the session's volume passes 2^63-1");
        }
    }
    return OF_OK;
}

static int32_t check_books(const ofx_book_columns_t *books, size_t *bad_row)
{
    for (size_t row = 0; row < books->rows; row++) {
        of_book_t book = book_at(books, row);
        int32_t code = check_book(&book);
        if (UNLIKELY(code)) {
            *bad_row = row;
            return code;
        }
    }
    return OF_OK;
}

/* What a batch of either kind does with one row; `columns` are its own. */
typedef int32_t (*apply_row_t)(of_engine_t *engine, instrument_t *instrument, const void *columns, size_t row,
                               uint32_t quality_flags, uint64_t now_ns, deliveries_t *deliveries);

static int32_t apply_trade_row(of_engine_t *engine, instrument_t *instrument, const void *columns, size_t row,
                               uint32_t quality_flags, uint64_t now_ns, deliveries_t *deliveries)
{
    of_trade_t trade = trade_at(columns, row);
    bool dropped;
    int32_t code = check_volume(instrument, trade.size); /* another thread may have added to it */
    code = code ? code : apply_trade(engine, instrument, &trade, quality_flags, now_ns, &dropped);
    if (code == OF_OK && deliveries != NULL && !dropped) {
        code = deliveries_collect(deliveries, engine, instrument, &trade, NULL, true);
    }
    return code;
}

static int32_t apply_book_row(of_engine_t *engine, instrument_t *instrument, const void *columns, size_t row,
                              uint32_t quality_flags, uint64_t now_ns, deliveries_t *deliveries)
{
    of_book_t book = book_at(columns, row);
    bool dropped;
    int32_t code = apply_book(engine, instrument, &book, quality_flags, now_ns, &dropped);
    if (code == OF_OK && deliveries != NULL && !dropped) {
        code = deliveries_collect(deliveries, engine, instrument, NULL, &book, true);
    }
    return code;
}

/* One row with subscribers: unlocks to tell them and locks again. */
static int32_t told_row(of_engine_t *engine, instrument_t *instrument, const void *columns, size_t row,
                        uint32_t quality_flags, apply_row_t apply)
{
    deliveries_t deliveries;
    int32_t code = need_started(engine, "ingest"); /* a callback may have stopped it */
    code = code ? code : deliveries_reserve(&deliveries, engine);
    if (code) {
        return code;
    }
    code = apply(engine, instrument, columns, row, quality_flags, wall_ns(), &deliveries);
    deliveries_send(&deliveries, engine);
    pthread_mutex_lock(&engine->lock);
    return code;
}

/* Locked when called and when it returns. */
static int32_t apply_rows(of_engine_t *engine, instrument_t *instrument, const void *columns, size_t rows,
                          uint32_t quality_flags, apply_row_t apply, size_t *bad_row)
{
    size_t row = 0;
    int32_t code = OF_OK;
    while (row < rows && code == OF_OK) {
        if (engine->subscription_count > 0) {
            code = told_row(engine, instrument, columns, row, quality_flags, apply);
            row += code == OF_OK;
            continue;
        }
        size_t end = rows - row > ROWS_OF_A_TURN ? row + ROWS_OF_A_TURN : rows;
        uint64_t now_ns = wall_ns();
        code = need_started(engine, "ingest");
        while (row < end && code == OF_OK) {
            code = apply(engine, instrument, columns, row, quality_flags, now_ns, NULL);
            row += code == OF_OK;
        }
        if (row < rows && code == OF_OK) {
            pthread_mutex_unlock(&engine->lock);
            pthread_mutex_lock(&engine->lock);
        }
    }
    if (engine->persistence) {
        persist_flush(engine, instrument);
    }
    *bad_row = row;
    return code;
}

static int32_t begin(of_engine_t *engine, uint32_t symbol_id, const char *call, instrument_t **instrument)
{
    pthread_mutex_lock(&engine->lock);
    engine->pins++; /* a callback may destroy the engine */
    int32_t code = need_started(engine, call);
    return code ? code : instrument_by_id(engine, symbol_id, instrument);
}

static int32_t end(of_engine_t *engine, int32_t code)
{
    pthread_mutex_unlock(&engine->lock);
    engine_unpin(engine);
    return code;
}

int32_t ofx_ingest_trades(of_engine_t *engine, uint32_t symbol_id, const ofx_trade_columns_t *trades,
                          uint32_t quality_flags, size_t *bad_row)
{
    instrument_t *instrument = NULL;
    *bad_row = SIZE_MAX;
    int32_t code = begin(engine, symbol_id, "ingest_trades", &instrument);
    code = code ? code : check_trades(instrument, trades, bad_row);
    code = code ? code
                : apply_rows(engine, instrument, trades, trades->rows, quality_flags, apply_trade_row, bad_row);
    return end(engine, code);
}

int32_t ofx_ingest_books(of_engine_t *engine, uint32_t symbol_id, const ofx_book_columns_t *books,
                         uint32_t quality_flags, size_t *bad_row)
{
    instrument_t *instrument = NULL;
    *bad_row = SIZE_MAX;
    int32_t code = begin(engine, symbol_id, "ingest_books", &instrument);
    code = code ? code : check_books(books, bad_row);
    code = code ? code : apply_rows(engine, instrument, books, books->rows, quality_flags, apply_book_row, bad_row);
    return end(engine, code);
}
