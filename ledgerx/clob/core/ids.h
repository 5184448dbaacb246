/* From order ids to orders: open addressing with linear probing, at most half full.

   A slot holds 32 bits of the id's hash beside the order's index, so that the table grows and closes its gaps
   without a look at the orders: removal shifts what follows back, and there are no tombstones. */

#ifndef LEDGERX_CLOB_IDS_H
#define LEDGERX_CLOB_IDS_H

#include "internal.h"

/* Fibonacci hashing (Knuth, The Art of Computer Programming, 6.4): ids that a venue counts up fall evenly apart. */
static inline uint32_t hash_of(uint64_t id) { return (uint32_t)(id * UINT64_C(0x9E3779B97F4A7C15) >> 32); }

static inline uint32_t home_of(const clob_book *book, uint32_t hash) { return hash >> book->slot_shift; }

/* The slot of an id, or the empty slot where its search ends. An empty slot names order 0, which has no id: so one
   test, nearly always true, ends the search either way. */
static inline uint32_t slot_of(const clob_book *book, uint64_t id, uint32_t hash)
{
    uint32_t slot = home_of(book, hash);
    for (;;) {
        uint64_t content = book->slots[slot];
        uint64_t taken = -(uint64_t)(content != 0); /* all ones, or none */
        if (LIKELY((taken & (book->orders[(uint32_t)content].id ^ id)) == 0)) {
            return slot;
        }
        slot = (slot + 1) & book->slot_mask;
    }
}

/* How many events before its own the slot of an event's order is fetched. */
#define SLOT_AHEAD 8

static inline uint64_t *likely_slot(const clob_book *book, uint64_t order_id)
{
    return &book->slots[home_of(book, hash_of(order_id))];
}

static inline uint32_t order_in(const clob_book *book, uint32_t slot)
{
    return (uint32_t)book->slots[slot]; /* NONE where the slot is empty */
}

static inline uint32_t find_order(const clob_book *book, uint64_t id)
{
    return order_in(book, slot_of(book, id, hash_of(id)));
}

static inline void fill_slot(clob_book *book, uint32_t slot, uint32_t hash, uint32_t index)
{
    book->slots[slot] = (uint64_t)hash << 32 | index;
}

static inline void empty_slot(clob_book *book, uint32_t slot)
{
    uint32_t mask = book->slot_mask;
    uint32_t next = slot;
    for (;;) {
        next = (next + 1) & mask;
        uint64_t content = book->slots[next];
        if (content == 0) {
            break;
        }
        uint32_t home = home_of(book, (uint32_t)(content >> 32));
        if (((next - home) & mask) >= ((next - slot) & mask)) {
            book->slots[slot] = content;
            slot = next;
        }
    }
    book->slots[slot] = 0;
}

#endif
