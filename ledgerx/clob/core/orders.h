/* The queue of a level: orders linked in order of time.

   Of a big book the neighbours of an order that goes, and the tail that a new one stands behind, are seldom in the
   cache, and a write to them holds up the writes after it. So a call that changes one order asks for their memory and
   owes their links; `settle`, with which every call that reads or writes a link begins, writes them, and by then the
   memory is there. A call that changes many has its own next order to go on with, and owes nothing. */

#ifndef LEDGERX_CLOB_ORDERS_H
#define LEDGERX_CLOB_ORDERS_H

#include "ids.h"

typedef enum linking { AT_ONCE, OWED } linking;

/* The links that a call may owe, in the order that they are written: over the gap that an order left, and from the
   tail of a queue to one that came. */
enum { OVER_GAP = 0, AT_TAIL = 1 };

static inline void write_link(clob_book *book, link between)
{
    book->orders[between.ahead].next = between.behind;
    book->orders[between.behind].prev = between.ahead;
}

/* Writes the links that are owed, if there are any. */
static inline void settle(clob_book *book)
{
    const link *owed = book->owed;
    if ((owed[0].ahead | owed[0].behind | owed[1].ahead | owed[1].behind) != NONE) {
        write_link(book, owed[0]);
        write_link(book, owed[1]);
        book->owed[0] = book->owed[1] = (link){NONE, NONE};
    }
}

/* Makes two orders neighbours, or owes it as link `number`. */
static inline void join(clob_book *book, uint32_t ahead, uint32_t behind, linking when, int number)
{
    link between = {.ahead = ahead, .behind = behind};
    if (when == AT_ONCE) {
        write_link(book, between);
        return;
    }
    prefetch(&book->orders[ahead]);
    prefetch(&book->orders[behind]);
    book->owed[number] = between;
}

/* Rests a new order at the back of a level's queue; `slot` is where its id's search ended. The caller has made
   sure of an entry for it. */
static inline void rest(clob_book *book, uint32_t slot, uint32_t hash, uint64_t id, uint32_t level_index, int64_t size,
                        linking when)
{
    level *at = &book->levels[level_index];
    side *of = &book->sides[at->side];
    uint32_t index = book->order_pool.free;
    order *made = &book->orders[index];
    book->order_pool.free = made->next;
    made->id = id;
    made->size = size;
    made->next = NONE;
    made->level = level_index;
    join(book, at->tail, index, when, AT_TAIL);
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
static inline void unrest(clob_book *book, uint32_t index, linking when)
{
    order *gone = &book->orders[index];
    level *at = &book->levels[gone->level];
    side *of = &book->sides[at->side];
    uint32_t prev = gone->prev, next = gone->next;
    join(book, prev, next, when, OVER_GAP);
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
