/* Orders that come, change and go without trading, one by one or many in one call: what a mirror of another
   book needs. Each operation is inlined into its own call and into clob_apply. */

#include "orders.h"

#define SLOT_AHEAD 8 /* how many events ahead of the one at work its memory is fetched, in three steps */
#define ORDER_AHEAD 5
#define QUEUE_AHEAD 2

static inline clob_status add_order(clob_book *book, uint64_t order_id, bool is_ask, int64_t price, int64_t size)
{
    uint32_t side_index = is_ask ? ASK : BID;
    if (UNLIKELY(order_id == 0)) {
        return refuse(book, CLOB_BAD_ID, order_id, price, size, 0);
    }
    if (UNLIKELY(size < 1)) {
        return refuse(book, CLOB_BAD_SIZE, order_id, price, size, 0);
    }
    uint32_t hash = hash_of(order_id);
    uint32_t slot = slot_of(book, order_id, hash);
    if (UNLIKELY(book->slots[slot] != 0)) {
        return refuse(book, CLOB_DUPLICATE_ORDER, order_id, price, size, 0);
    }
    if (UNLIKELY(size > INT64_MAX - book->sides[side_index].size)) {
        return refuse(book, CLOB_SIDE_FULL, order_id, price, size, 0);
    }
    if (UNLIKELY(book->order_pool.live == book->orders_max)) {
        return refuse(book, CLOB_BOOK_FULL, order_id, price, size, book->orders_max);
    }
    if (UNLIKELY(crosses(book, side_index, price))) {
        return refuse(book, CLOB_WOULD_CROSS, order_id, price, size, book->levels[book->sides[!is_ask].best].price);
    }
    if (UNLIKELY(!has_room_to_rest(book))) {
        if (grow_to_rest(book) != CLOB_OK) {
            return refuse(book, CLOB_NO_MEMORY, order_id, price, size, 0);
        }
        slot = slot_of(book, order_id, hash);
    }
    rest(book, slot, hash, order_id, side_index, price, size);
    return checked(book, CLOB_OK);
}

/* Takes `by` off the order in `slot`. */
static inline int64_t take(clob_book *book, uint32_t slot, int64_t by)
{
    uint32_t index = order_in(book, slot);
    int64_t left = book->orders[index].size - by;
    if (left == 0) {
        empty_slot(book, slot);
        unrest(book, index);
    } else {
        shrink(book, index, by);
    }
    return left;
}

static inline clob_status reduce_order(clob_book *book, uint64_t order_id, int64_t by, int64_t *left)
{
    if (UNLIKELY(by < 1)) {
        return refuse(book, CLOB_BAD_SIZE, order_id, 0, by, 0);
    }
    uint32_t slot = slot_of(book, order_id, hash_of(order_id));
    if (UNLIKELY(book->slots[slot] == 0)) {
        return refuse(book, CLOB_UNKNOWN_ORDER, order_id, 0, by, 0);
    }
    int64_t open_size = book->orders[order_in(book, slot)].size;
    if (UNLIKELY(by > open_size)) {
        return refuse(book, CLOB_ABOVE_OPEN, order_id, 0, by, open_size);
    }
    *left = take(book, slot, by);
    return checked(book, CLOB_OK);
}

static inline clob_status execute_order(clob_book *book, uint64_t order_id, int64_t size, int64_t *left)
{
    if (UNLIKELY(size < 1)) {
        return refuse(book, CLOB_BAD_SIZE, order_id, 0, size, 0);
    }
    uint32_t slot = slot_of(book, order_id, hash_of(order_id));
    if (UNLIKELY(book->slots[slot] == 0)) {
        return refuse(book, CLOB_UNKNOWN_ORDER, order_id, 0, size, 0);
    }
    const order *executed = &book->orders[order_in(book, slot)];
    if (UNLIKELY(size > executed->size)) {
        return refuse(book, CLOB_ABOVE_OPEN, order_id, 0, size, executed->size);
    }
    const level *at = &book->levels[executed->level];
    if (UNLIKELY(at->better != NONE)) {
        const level *best = &book->levels[book->sides[at->side].best];
        return refuse(book, CLOB_NOT_AT_BEST, order_id, at->price, size, best->price);
    }
    *left = take(book, slot, size);
    return checked(book, CLOB_OK);
}

static inline clob_status cancel_order(clob_book *book, uint64_t order_id, int64_t *open_size)
{
    uint32_t slot = slot_of(book, order_id, hash_of(order_id));
    if (UNLIKELY(book->slots[slot] == 0)) {
        return refuse(book, CLOB_UNKNOWN_ORDER, order_id, 0, 0, 0);
    }
    uint32_t index = order_in(book, slot);
    *open_size = book->orders[index].size;
    empty_slot(book, slot);
    unrest(book, index);
    return checked(book, CLOB_OK);
}

static inline clob_status replace_order(clob_book *book, uint64_t order_id, int64_t price, int64_t size, bool *kept_place)
{
    if (UNLIKELY(size < 1)) {
        return refuse(book, CLOB_BAD_SIZE, order_id, price, size, 0);
    }
    uint32_t hash = hash_of(order_id);
    uint32_t slot = slot_of(book, order_id, hash);
    if (UNLIKELY(book->slots[slot] == 0)) {
        return refuse(book, CLOB_UNKNOWN_ORDER, order_id, price, size, 0);
    }
    uint32_t index = order_in(book, slot);
    order *replaced = &book->orders[index];
    const level *at = &book->levels[replaced->level];
    uint32_t side_index = at->side;
    /* The other orders of the side and this one as it would be: neither sum leaves int64. */
    if (UNLIKELY(size > INT64_MAX - (book->sides[side_index].size - replaced->size))) {
        return refuse(book, CLOB_SIDE_FULL, order_id, price, size, 0);
    }
    if (price == at->price && size <= replaced->size) {
        shrink(book, index, replaced->size - size);
        *kept_place = true;
        return checked(book, CLOB_OK);
    }
    if (UNLIKELY(crosses(book, side_index, price))) {
        const level *best = &book->levels[book->sides[!side_index].best];
        return refuse(book, CLOB_WOULD_CROSS, order_id, price, size, best->price);
    }
    /* The order's own entry comes free, but a level of its own may want one, and the tree nodes. */
    if (UNLIKELY(!has_room_for_level(book)) && grow_for_level(book) != CLOB_OK) {
        return refuse(book, CLOB_NO_MEMORY, order_id, price, size, 0);
    }
    empty_slot(book, slot);
    unrest(book, index);
    rest(book, slot_of(book, order_id, hash), hash, order_id, side_index, price, size);
    *kept_place = false;
    return checked(book, CLOB_OK);
}

/* ---------------------------------------------------------------- one call each */

clob_status clob_add(clob_book *book, uint64_t order_id, bool is_ask, int64_t price, int64_t size)
{
    return add_order(book, order_id, is_ask, price, size);
}

clob_status clob_reduce(clob_book *book, uint64_t order_id, int64_t by, int64_t *left)
{
    return reduce_order(book, order_id, by, left);
}

clob_status clob_execute(clob_book *book, uint64_t order_id, int64_t size, int64_t *left)
{
    return execute_order(book, order_id, size, left);
}

clob_status clob_cancel(clob_book *book, uint64_t order_id, int64_t *open_size)
{
    return cancel_order(book, order_id, open_size);
}

clob_status clob_replace(clob_book *book, uint64_t order_id, int64_t price, int64_t size, bool *kept_place)
{
    return replace_order(book, order_id, price, size, kept_place);
}

/* ---------------------------------------------------------------- many in one call */

static inline clob_status apply_one(clob_book *book, const clob_event *event)
{
    int64_t ignored;
    bool kept_place;
    switch (event->kind) {
    case CLOB_ADD:
        return add_order(book, event->order_id, event->is_ask != 0, event->price, event->size);
    case CLOB_REDUCE:
        return reduce_order(book, event->order_id, event->size, &ignored);
    case CLOB_EXECUTE:
        return execute_order(book, event->order_id, event->size, &ignored);
    case CLOB_CANCEL:
        return cancel_order(book, event->order_id, &ignored);
    case CLOB_REPLACE:
        return replace_order(book, event->order_id, event->price, event->size, &kept_place);
    case CLOB_CLEAR:
        clob_clear(book);
        return CLOB_OK;
    default:
        return refuse(book, CLOB_BAD_KIND, event->order_id, event->price, event->size, event->kind);
    }
}

/* Fetches what a later event will touch: the slot of its id, then the order there, then its neighbours. What an
   event in between changes only makes the guess useless. */
static inline void fetch_ahead(const clob_book *book, const clob_event *events)
{
    PREFETCH(&book->slots[home_of(book, hash_of(events[SLOT_AHEAD].order_id))]);
    uint32_t content = (uint32_t)book->slots[home_of(book, hash_of(events[ORDER_AHEAD].order_id))];
    if (content != 0) {
        PREFETCH(&book->orders[content - 1]);
    }
    content = (uint32_t)book->slots[home_of(book, hash_of(events[QUEUE_AHEAD].order_id))];
    if (content != 0) {
        const order *at = &book->orders[content - 1];
        PREFETCH(&book->orders[at->prev == NONE ? 0 : at->prev]);
        PREFETCH(&book->orders[at->next == NONE ? 0 : at->next]);
    }
}

clob_status clob_apply(clob_book *book, const clob_event *events, size_t count, clob_best *best, size_t *done)
{
    clob_status status = CLOB_OK;
    size_t i = 0;
    for (; i < count; i++) {
        if (i + SLOT_AHEAD < count) {
            fetch_ahead(book, events + i);
        }
        status = apply_one(book, &events[i]);
        if (UNLIKELY(status != CLOB_OK)) {
            break;
        }
        if (best != NULL) {
            best[i] = best_prices(book);
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
