/* Orders that come, change and go without trading: what a mirror of another book needs. */

#include "orders.h"

clob_status clob_add(clob_book *book, uint64_t order_id, bool is_ask, int64_t price, int64_t size)
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

clob_status clob_reduce(clob_book *book, uint64_t order_id, int64_t by, int64_t *left)
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

clob_status clob_execute(clob_book *book, uint64_t order_id, int64_t size, int64_t *left)
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

clob_status clob_cancel(clob_book *book, uint64_t order_id, int64_t *open_size)
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

clob_status clob_replace(clob_book *book, uint64_t order_id, int64_t price, int64_t size, bool *kept_place)
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
