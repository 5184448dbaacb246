/* The queue of a level: orders linked in order of time. */

#ifndef LEDGERX_CLOB_ORDERS_H
#define LEDGERX_CLOB_ORDERS_H

#include "ids.h"

/* Rests a new order at the back of its price's queue; `slot` is where its id's search ended. */
static inline void rest(clob_book *book, uint32_t slot, uint32_t hash, uint64_t id, uint32_t side_index, int64_t price,
                        int64_t size)
{
    uint32_t level_index = find_or_make_level(book, side_index, price);
    level *at = &book->levels[level_index];
    uint32_t index = TAKE(book->order_pool, book->orders, next);
    order *made = &book->orders[index];
    made->id = id;
    made->size = size;
    made->prev = at->tail;
    made->next = NONE;
    made->level = level_index;
    if (at->tail == NONE) {
        at->head = index;
    } else {
        book->orders[at->tail].next = index;
    }
    at->tail = index;
    at->size += size;
    at->orders++;
    book->sides[side_index].size += size;
    book->sides[side_index].orders++;
    fill_slot(book, slot, hash, index);
}

/* Takes an order out of its queue, and its level if it was the last there. Its id's slot is the caller's. */
static inline void unrest(clob_book *book, uint32_t index)
{
    order *gone = &book->orders[index];
    level *at = &book->levels[gone->level];
    side *of = &book->sides[at->side];
    if (gone->prev == NONE) {
        at->head = gone->next;
    } else {
        book->orders[gone->prev].next = gone->next;
    }
    if (gone->next == NONE) {
        at->tail = gone->prev;
    } else {
        book->orders[gone->next].prev = gone->prev;
    }
    at->size -= gone->size;
    of->size -= gone->size;
    of->orders--;
    if (--at->orders == 0) {
        drop_level(book, gone->level);
    }
    GIVE(book->order_pool, book->orders, next, index);
}

static inline void shrink(clob_book *book, uint32_t index, int64_t by)
{
    order *shrunk = &book->orders[index];
    level *at = &book->levels[shrunk->level];
    shrunk->size -= by;
    at->size -= by;
    book->sides[at->side].size -= by;
}

/* Whether an order for side `side_index` at `price` would trade with the other side's best level. */
static inline bool crosses(const clob_book *book, uint32_t side_index, int64_t price)
{
    const side *other = &book->sides[!side_index];
    return other->best != NONE &&
           (side_index == ASK ? book->levels[other->best].price >= price : book->levels[other->best].price <= price);
}

#endif
