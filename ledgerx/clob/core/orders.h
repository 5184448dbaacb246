/* The queue of a level: orders linked in order of time. */

#ifndef LEDGERX_CLOB_ORDERS_H
#define LEDGERX_CLOB_ORDERS_H

#include "ids.h"

/* Rests a new order at the back of a level's queue; `slot` is where its id's search ended. The caller has made
   sure of an entry for it. */
static inline void rest(clob_book *book, uint32_t slot, uint32_t hash, uint64_t id, uint32_t level_index, int64_t size)
{
    level *at = &book->levels[level_index];
    side *of = &book->sides[at->side];
    uint32_t index = book->order_pool.free;
    order *made = &book->orders[index];
    book->order_pool.free = made->next;
    made->id = id;
    made->size = size;
    made->prev = at->tail;
    made->next = NONE;
    made->level = level_index;
    book->orders[at->tail].next = index;
    at->head = either(at->tail == NONE, index, at->head);
    at->tail = index;
    at->size += size;
    at->orders++;
    of->size += size;
    of->orders++;
    fill_slot(book, slot, hash, index);
}

static inline void free_order(clob_book *book, uint32_t index)
{
    book->orders[index].next = book->order_pool.free;
    book->order_pool.free = index;
}

/* Takes an order out of its queue, and its level if it was the last there. Its id's slot is the caller's. */
static inline void unrest(clob_book *book, uint32_t index)
{
    order *gone = &book->orders[index];
    level *at = &book->levels[gone->level];
    side *of = &book->sides[at->side];
    uint32_t prev = gone->prev, next = gone->next;
    book->orders[prev].next = next;
    book->orders[next].prev = prev;
    at->head = either(prev == NONE, next, at->head);
    at->tail = either(next == NONE, prev, at->tail);
    at->size -= gone->size;
    of->size -= gone->size;
    of->orders--;
    if (--at->orders == 0) {
        drop_level(book, gone->level);
    }
    free_order(book, index);
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
    /* A side without orders has the best price that nothing reaches but the end of the range itself. */
    int64_t best = side_index == ASK ? book->best.bid : book->best.ask;
    return UNLIKELY(key_of(!side_index, best) >= key_of(!side_index, price)) && book->sides[!side_index].best != NONE;
}

#endif
