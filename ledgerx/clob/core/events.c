/* Many events in one call. */

#include "orders.h"

#define EVENTS_AHEAD 8 /* how far ahead of the event at work memory is fetched */

static inline clob_status apply_one(clob_book *book, const clob_event *event)
{
    int64_t ignored;
    bool kept_place;
    switch (event->kind) {
    case CLOB_ADD:
        return clob_add(book, event->order_id, event->is_ask != 0, event->price, event->size);
    case CLOB_REDUCE:
        return clob_reduce(book, event->order_id, event->size, &ignored);
    case CLOB_EXECUTE:
        return clob_execute(book, event->order_id, event->size, &ignored);
    case CLOB_CANCEL:
        return clob_cancel(book, event->order_id, &ignored);
    case CLOB_REPLACE:
        return clob_replace(book, event->order_id, event->price, event->size, &kept_place);
    case CLOB_CLEAR:
        clob_clear(book);
        return CLOB_OK;
    default:
        return refuse(book, CLOB_BAD_KIND, event->order_id, event->price, event->size, event->kind);
    }
}

clob_status clob_apply(clob_book *book, const clob_event *events, size_t count, clob_best *best, size_t *done)
{
    clob_status status = CLOB_OK;
    size_t i = 0;
    for (; i < count; i++) {
        if (i + EVENTS_AHEAD < count) {
            PREFETCH(&book->slots[hash_of(events[i + EVENTS_AHEAD].order_id) & book->slot_mask]);
        }
        status = apply_one(book, &events[i]);
        if (UNLIKELY(status != CLOB_OK)) {
            break;
        }
        if (best != NULL) {
            best[i] = clob_best_prices(book);
        }
    }
    *done = i;
    return status;
}

clob_status clob_restore(clob_book *book, const clob_event *records, size_t count, size_t *done)
{
    *done = 0;
    clob_book *fresh = clob_new(book->orders_max, &book->allocator);
    if (fresh == NULL) {
        return refuse(book, CLOB_NO_MEMORY, 0, 0, 0, 0);
    }
    clob_status status = clob_apply(fresh, records, count, NULL, done);
    if (status == CLOB_OK) {
        clob_book content = *book;
        *book = *fresh;
        *fresh = content;
    } else {
        book->error = fresh->error;
    }
    clob_free(fresh);
    return status;
}
