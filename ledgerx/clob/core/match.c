/* Matching: an incoming order meets the other side, best price first and of one price who came first. */

#include "orders.h"

/* The lowest key of the other side that an incoming order meets. */
static inline int64_t limit_key_of(uint32_t other_index, bool is_market, int64_t price)
{
    return is_market ? INT64_MIN : key_of(other_index, price);
}

/* Whether side `side_index` has a level down to `limit_key`. */
static inline bool reaches(const clob_book *book, uint32_t side_index, int64_t limit_key)
{
    /* A side without orders has the best price that only a limit at the end of the range reaches. */
    int64_t best = side_index == ASK ? book->best.ask : book->best.bid;
    return key_of(side_index, best) >= limit_key && LIKELY(book->sides[side_index].best != NONE);
}

/* Whether side `side_index` holds `size` down to `limit_key`, as a fill-or-kill order asks. */
static bool holds(const clob_book *book, uint32_t side_index, int64_t limit_key, int64_t size)
{
    const side *of = &book->sides[side_index];
    if (size > of->size) {
        return false;
    }
    for (uint32_t i = of->best; i != NONE && size > 0; i = book->levels[i].worse) {
        const level *met = &book->levels[i];
        if (key_of(side_index, met->price) < limit_key) {
            return false;
        }
        size = met->size < size ? size - met->size : 0;
    }
    return size == 0;
}

static inline void note_fill(clob_book *book, const order *met, int64_t price, int64_t size)
{
    book->fills[book->fill_count++] =
        (clob_fill){.order_id = met->id, .price = price, .size = size, .left = met->size - size};
}

/* Removes the head of a level's queue, but not a level that becomes empty. */
static inline void fill_head(clob_book *book, level *at)
{
    uint32_t index = at->head;
    const order *filled = &book->orders[index];
    at->head = filled->next;
    book->orders[at->head].prev = NONE;
    at->tail = at->head == NONE ? NONE : at->tail;
    at->orders--;
    empty_slot(book, slot_of(book, filled->id, hash_of(filled->id)));
    free_order(book, index);
}

/* Fills up to `size` from one level; returns what is left of `size`. */
static int64_t match_level(clob_book *book, side *other, uint32_t level_index, int64_t size)
{
    level *at = &book->levels[level_index];
    int64_t before = size;
    uint32_t orders_before = at->orders;
    while (size > 0 && at->head != NONE) {
        order *met = &book->orders[at->head];
        if (met->size > size) {
            note_fill(book, met, at->price, size);
            met->size -= size;
            size = 0;
        } else {
            note_fill(book, met, at->price, met->size);
            size -= met->size;
            fill_head(book, at);
        }
    }
    at->size -= before - size;
    other->size -= before - size;
    other->orders -= orders_before - at->orders;
    if (at->orders == 0) {
        drop_level(book, level_index);
    }
    return size;
}

static int64_t match(clob_book *book, uint32_t other_index, int64_t limit_key, int64_t size)
{
    side *other = &book->sides[other_index];
    while (size > 0 && reaches(book, other_index, limit_key)) {
        size = match_level(book, other, other->best, size);
    }
    return size;
}

/* What may be wrong with an incoming order, in the order that _reference.py gives. */
static clob_status check_incoming(clob_book *book, const clob_incoming *in, bool rests, uint32_t slot)
{
    clob_status status = CLOB_OK;
    int64_t other = 0;
    if (in->order_id == 0) {
        status = CLOB_BAD_ID;
    } else if (in->size < 1) {
        status = CLOB_BAD_SIZE;
    } else if ((unsigned)in->time_in_force > CLOB_FOK) {
        status = CLOB_BAD_TIME_IN_FORCE;
        other = in->time_in_force;
    } else if (book->slots[slot] != 0) {
        status = CLOB_DUPLICATE_ORDER;
    } else if (rests && in->size > INT64_MAX - book->sides[in->is_ask].size) {
        status = CLOB_SIDE_FULL;
    } else if (rests && count_orders(book) == book->orders_max) {
        status = CLOB_BOOK_FULL;
        other = book->orders_max;
    } else {
        return CLOB_OK;
    }
    return refuse(book, status, in->order_id, in->price, in->size, other);
}

/* So that what is left of an order can rest, whatever it fills before. */
static inline bool make_room_to_rest(clob_book *book)
{
    return (LIKELY(has_room_for_order(book)) || grow_orders(book) == CLOB_OK) &&
           (LIKELY(has_room_for_level(book)) || grow_for_level(book) == CLOB_OK);
}

/* Matches an order; its fills go behind those that the book has noted. */
INLINED clob_status submit(clob_book *book, const clob_incoming *in)
{
    uint32_t side_index = in->is_ask ? ASK : BID, other_index = !side_index;
    bool rests = !in->is_market && in->time_in_force == CLOB_GTC;
    uint32_t hash = hash_of(in->order_id);
    uint32_t slot = slot_of(book, in->order_id, hash);
    clob_status status = check_incoming(book, in, rests, slot);
    if (UNLIKELY(status != CLOB_OK)) {
        return status;
    }
    int64_t limit_key = limit_key_of(other_index, in->is_market, in->price);
    bool trades = reaches(book, other_index, limit_key);
    if (UNLIKELY(trades && in->post_only)) {
        return refuse(book, CLOB_WOULD_CROSS, in->order_id, in->price, in->size,
                      book->levels[book->sides[other_index].best].price);
    }
    if (in->time_in_force == CLOB_FOK && (!trades || !holds(book, other_index, limit_key, in->size))) {
        return refuse(book, CLOB_NOT_FILLABLE, in->order_id, in->price, in->size, in->is_market);
    }
    if (rests && !make_room_to_rest(book)) {
        return refuse(book, CLOB_NO_MEMORY, in->order_id, in->price, in->size, 0);
    }
    settle(book);
    int64_t left = in->size;
    if (trades) {
        if (UNLIKELY(book->fill_count + book->sides[other_index].orders > book->fills_capacity) &&
            reserve_fills(book, other_index, limit_key, in->size) != CLOB_OK) {
            return refuse(book, CLOB_NO_MEMORY, in->order_id, in->price, in->size, 0);
        }
        left = match(book, other_index, limit_key, in->size);
    }
    if (rests && left > 0) {
        uint32_t level_index = level_for(book, side_index, in->price);
        rest(book, slot_of(book, in->order_id, hash), hash, in->order_id, level_index, left, AT_ONCE);
    }
    return checked(book, CLOB_OK);
}

clob_status clob_submit(clob_book *book, const clob_incoming *in, const clob_fill **fills, size_t *count)
{
    book->fill_count = 0;
    clob_status status = submit(book, in);
    prefetch(likely_slot(book, in->order_id + 1)); /* as where an order is added */
    *fills = book->fills;
    *count = book->fill_count;
    return status;
}

static inline clob_status match_one(clob_book *book, const clob_event *event)
{
    if (event->kind != CLOB_ADD) {
        return clob_apply_event(book, event);
    }
    return submit(book, &(clob_incoming){.order_id = event->order_id,
                                         .price = event->price,
                                         .size = event->size,
                                         .is_ask = event->is_ask != 0,
                                         .is_market = event->is_market != 0,
                                         .post_only = event->post_only != 0,
                                         .time_in_force = (clob_time_in_force)event->time_in_force});
}

void clob_match(clob_book *book, const clob_event *events, size_t count, clob_outcome *outcomes,
                const clob_fill **fills, size_t *fill_count)
{
    book->fill_count = 0;
    for (size_t i = 0; i < count; i++) {
        if (i + SLOT_AHEAD < count) {
            prefetch(likely_slot(book, events[i + SLOT_AHEAD].order_id));
        }
        size_t before = book->fill_count;
        clob_status status = match_one(book, &events[i]);
        outcomes[i] = (clob_outcome){.refusal = refusal_of(status), .fills = (uint32_t)(book->fill_count - before)};
    }
    *fills = book->fills;
    *fill_count = book->fill_count;
}

clob_status clob_preview(clob_book *book, bool is_ask, bool is_market, int64_t price, int64_t size,
                         const clob_fill **fills, size_t *count)
{
    uint32_t other_index = is_ask ? BID : ASK;
    int64_t limit_key = limit_key_of(other_index, is_market, price);
    if (size < 1) {
        return refuse(book, CLOB_BAD_SIZE, 1, price, size, 0);
    }
    book->fill_count = 0;
    if (reserve_fills(book, other_index, limit_key, size) != CLOB_OK) {
        return refuse(book, CLOB_NO_MEMORY, 1, price, size, 0);
    }
    settle(book);
    for (uint32_t i = book->sides[other_index].best; i != NONE && size > 0; i = book->levels[i].worse) {
        const level *at = &book->levels[i];
        if (key_of(other_index, at->price) < limit_key) {
            break;
        }
        for (uint32_t j = at->head; j != NONE && size > 0; j = book->orders[j].next) {
            int64_t traded = book->orders[j].size < size ? book->orders[j].size : size;
            note_fill(book, &book->orders[j], at->price, traded);
            size -= traded;
        }
    }
    *fills = book->fills;
    *count = book->fill_count;
    return CLOB_OK;
}
