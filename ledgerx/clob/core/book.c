/* Orders that come, change and go without trading, one by one or many in one call: what a mirror of another
   book needs. Each operation is inlined into its own call and into clob_apply. */

#include "orders.h"

/* Where the search for an order's id ended. It is made before it is known what is to be done with the order, so
   that memory is on its way while the processor finds out. */
typedef struct place {
    uint64_t order_id;
    uint32_t hash;
    uint32_t slot;
    uint32_t index; /* the order's, or NONE */
} place;

static inline place place_of(const clob_book *book, uint64_t order_id)
{
    uint32_t hash = hash_of(order_id);
    uint32_t slot = slot_of(book, order_id, hash);
    return (place){.order_id = order_id, .hash = hash, .slot = slot, .index = order_in(book, slot)};
}

INLINED clob_status add_order(clob_book *book, place at, bool is_ask, int64_t price, int64_t size, linking when)
{
    uint32_t side_index = is_ask ? ASK : BID;
    if (UNLIKELY(at.order_id == 0)) {
        return refuse(book, CLOB_BAD_ID, at.order_id, price, size, 0);
    }
    if (UNLIKELY(size < 1)) {
        return refuse(book, CLOB_BAD_SIZE, at.order_id, price, size, 0);
    }
    if (UNLIKELY(at.index != NONE)) {
        return refuse(book, CLOB_DUPLICATE_ORDER, at.order_id, price, size, 0);
    }
    if (UNLIKELY(size > INT64_MAX - book->sides[side_index].size)) {
        return refuse(book, CLOB_SIDE_FULL, at.order_id, price, size, 0);
    }
    bool has_room = has_room_for_order(book);
    if (UNLIKELY(!has_room && book->order_pool.capacity == book->orders_max)) {
        return refuse(book, CLOB_BOOK_FULL, at.order_id, price, size, book->orders_max);
    }
    if (UNLIKELY(crosses(book, side_index, price))) {
        return refuse(book, CLOB_WOULD_CROSS, at.order_id, price, size, is_ask ? book->best.bid : book->best.ask);
    }
    if (UNLIKELY(!has_room)) {
        if (grow_orders(book) != CLOB_OK) {
            return refuse(book, CLOB_NO_MEMORY, at.order_id, price, size, 0);
        }
        at = place_of(book, at.order_id);
    }
    uint32_t level_index = level_for(book, side_index, price);
    if (UNLIKELY(level_index == NONE)) {
        return refuse(book, CLOB_NO_MEMORY, at.order_id, price, size, 0);
    }
    rest(book, at.slot, at.hash, at.order_id, level_index, size, when);
    if (when == OWED) {
        prefetch(likely_slot(book, at.order_id + 1)); /* venues count ids up: where the next new order's will go */
    }
    return checked(book, CLOB_OK);
}

/* Takes `by` off an order, at least its open size. */
INLINED clob_status take(clob_book *book, place at, int64_t by, int64_t *left, linking when)
{
    *left = book->orders[at.index].size - by;
    if (*left == 0) {
        empty_slot(book, at.slot);
        unrest(book, at.index, when);
    } else {
        shrink(book, at.index, by);
    }
    return checked(book, CLOB_OK);
}

INLINED clob_status reduce_order(clob_book *book, place at, int64_t by, int64_t *left, linking when)
{
    if (UNLIKELY(by < 1)) {
        return refuse(book, CLOB_BAD_SIZE, at.order_id, 0, by, 0);
    }
    if (UNLIKELY(at.index == NONE)) {
        return refuse(book, CLOB_UNKNOWN_ORDER, at.order_id, 0, by, 0);
    }
    int64_t open_size = book->orders[at.index].size;
    if (UNLIKELY(by > open_size)) {
        return refuse(book, CLOB_ABOVE_OPEN, at.order_id, 0, by, open_size);
    }
    return take(book, at, by, left, when);
}

INLINED clob_status execute_order(clob_book *book, place at, int64_t size, int64_t *left, linking when)
{
    if (UNLIKELY(size < 1)) {
        return refuse(book, CLOB_BAD_SIZE, at.order_id, 0, size, 0);
    }
    if (UNLIKELY(at.index == NONE)) {
        return refuse(book, CLOB_UNKNOWN_ORDER, at.order_id, 0, size, 0);
    }
    const order *executed = &book->orders[at.index];
    if (UNLIKELY(size > executed->size)) {
        return refuse(book, CLOB_ABOVE_OPEN, at.order_id, 0, size, executed->size);
    }
    const level *of = &book->levels[executed->level];
    if (UNLIKELY(of->better != NONE)) {
        int64_t best = of->side == ASK ? book->best.ask : book->best.bid;
        return refuse(book, CLOB_NOT_AT_BEST, at.order_id, of->price, size, best);
    }
    return take(book, at, size, left, when);
}

INLINED clob_status cancel_order(clob_book *book, place at, int64_t *open_size, linking when)
{
    if (UNLIKELY(at.index == NONE)) {
        return refuse(book, CLOB_UNKNOWN_ORDER, at.order_id, 0, 0, 0);
    }
    *open_size = book->orders[at.index].size;
    empty_slot(book, at.slot);
    unrest(book, at.index, when);
    return checked(book, CLOB_OK);
}

INLINED clob_status replace_order(clob_book *book, place at, int64_t price, int64_t size, bool *kept_place,
                                  linking when)
{
    if (UNLIKELY(size < 1)) {
        return refuse(book, CLOB_BAD_SIZE, at.order_id, price, size, 0);
    }
    if (UNLIKELY(at.index == NONE)) {
        return refuse(book, CLOB_UNKNOWN_ORDER, at.order_id, price, size, 0);
    }
    order *replaced = &book->orders[at.index];
    const level *of = &book->levels[replaced->level];
    uint32_t side_index = of->side;
    /* The other orders of the side and this one as it would be: neither sum leaves int64. */
    if (UNLIKELY(size > INT64_MAX - (book->sides[side_index].size - replaced->size))) {
        return refuse(book, CLOB_SIDE_FULL, at.order_id, price, size, 0);
    }
    if (price == of->price && size <= replaced->size) {
        shrink(book, at.index, replaced->size - size);
        *kept_place = true;
        return checked(book, CLOB_OK);
    }
    if (UNLIKELY(crosses(book, side_index, price))) {
        int64_t best = side_index == ASK ? book->best.bid : book->best.ask;
        return refuse(book, CLOB_WOULD_CROSS, at.order_id, price, size, best);
    }
    /* The order's own entry comes free, but a level of its own may want one, and the tree nodes. */
    if (UNLIKELY(!has_room_for_level(book)) && grow_for_level(book) != CLOB_OK) {
        return refuse(book, CLOB_NO_MEMORY, at.order_id, price, size, 0);
    }
    unrest(book, at.index, when);
    rest(book, at.slot, at.hash, at.order_id, level_for(book, side_index, price), size, when);
    *kept_place = false;
    return checked(book, CLOB_OK);
}

/* ---------------------------------------------------------------- one call each */

clob_status clob_add(clob_book *book, uint64_t order_id, bool is_ask, int64_t price, int64_t size)
{
    settle(book);
    return add_order(book, place_of(book, order_id), is_ask, price, size, OWED);
}

clob_status clob_reduce(clob_book *book, uint64_t order_id, int64_t by, int64_t *left)
{
    settle(book);
    return reduce_order(book, place_of(book, order_id), by, left, OWED);
}

clob_status clob_execute(clob_book *book, uint64_t order_id, int64_t size, int64_t *left)
{
    settle(book);
    return execute_order(book, place_of(book, order_id), size, left, OWED);
}

clob_status clob_cancel(clob_book *book, uint64_t order_id, int64_t *open_size)
{
    settle(book);
    return cancel_order(book, place_of(book, order_id), open_size, OWED);
}

clob_status clob_replace(clob_book *book, uint64_t order_id, int64_t price, int64_t size, bool *kept_place)
{
    settle(book);
    return replace_order(book, place_of(book, order_id), price, size, kept_place, OWED);
}

/* ---------------------------------------------------------------- events */

INLINED clob_status apply_one(clob_book *book, const clob_event *event, linking when)
{
    place at = place_of(book, event->order_id);
    int64_t ignored;
    bool kept_place;
    switch (event->kind) {
    case CLOB_ADD:
        return add_order(book, at, event->is_ask != 0, event->price, event->size, when);
    case CLOB_REDUCE:
        return reduce_order(book, at, event->size, &ignored, when);
    case CLOB_EXECUTE:
        return execute_order(book, at, event->size, &ignored, when);
    case CLOB_CANCEL:
        return cancel_order(book, at, &ignored, when);
    case CLOB_REPLACE:
        return replace_order(book, at, event->price, event->size, &kept_place, when);
    case CLOB_CLEAR:
        clob_clear(book);
        return checked(book, CLOB_OK);
    default:
        return refuse(book, CLOB_BAD_KIND, event->order_id, event->price, event->size, event->kind);
    }
}

/* How many events before its own an event's order is fetched, whose slot was at SLOT_AHEAD. The last few go without. */
#define ORDER_AHEAD 3

void clob_expect(const clob_book *book, uint64_t order_id) { prefetch(likely_slot(book, order_id)); }

static inline void expect_next(const clob_book *book, const clob_event *event, size_t left)
{
    if (left > SLOT_AHEAD) {
        prefetch(likely_slot(book, event[SLOT_AHEAD].order_id));
        prefetch(&book->orders[(uint32_t)*likely_slot(book, event[ORDER_AHEAD].order_id)]);
    }
}

clob_status clob_apply_event(clob_book *book, const clob_event *event)
{
    settle(book);
    return apply_one(book, event, OWED);
}

clob_status clob_apply(clob_book *book, const clob_event *events, size_t count, clob_best *best, size_t *done)
{
    clob_status status = CLOB_OK;
    size_t i = 0;
    settle(book);
    for (; i < count; i++) {
        expect_next(book, &events[i], count - i);
        status = apply_one(book, &events[i], AT_ONCE);
        if (UNLIKELY(status != CLOB_OK)) {
            break;
        }
        if (best != NULL) {
            memcpy(&best[i], &book->best, sizeof *best); /* it may begin anywhere */
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
    if (status == CLOB_OK && book->error.status != CLOB_BROKEN) {
        clob_book content = *book;
        *book = *fresh;
        *fresh = content;
        book->error = content.error; /* the last refusal stays readable */
    } else {
        const clob_error *wrong = &fresh->error;
        status = refuse(book, status, wrong->order_id, wrong->price, wrong->size, wrong->other);
    }
    clob_free(fresh);
    return status;
}
