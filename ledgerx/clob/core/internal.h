/* The book's memory: pools of orders, levels and tree nodes, found by index so that a pool may move.

   Only files of this folder include this one. Entry 0 of a pool is nobody's: an index of 0 (NONE) means none, and
   what is written to "none's" links lands there and is never read. So lists are kept without branches, and what
   comes and goes at random is not mispredicted. */

#ifndef LEDGERX_CLOB_INTERNAL_H
#define LEDGERX_CLOB_INTERNAL_H

#include <string.h>

#include "clob.h"

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the records of ledgerx.clob are little-endian"
#endif

#if defined(__GNUC__)
#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)
#define INLINED static inline __attribute__((always_inline))
#else
#define LIKELY(x) (x)
#define UNLIKELY(x) (x)
#define INLINED static inline
#endif

/* What comes at random, so that to choose costs less than to predict. */
#if defined(__has_builtin)
#if __has_builtin(__builtin_expect_with_probability)
#define UNPREDICTABLE(x) __builtin_expect_with_probability(!!(x), 1, 0.5)
#endif
#endif
#if !defined(UNPREDICTABLE)
#define UNPREDICTABLE(x) (x)
#endif

/* Has the memory at an address fetched into the cache. GCC drops calls of a function that does nothing else it
   knows of: so the empty assembly. */
static inline void prefetch(const void *address)
{
#if defined(__GNUC__)
    __builtin_prefetch(address, 1);
    __asm__ volatile("");
#else
    (void)address;
#endif
}

#define NONE CLOB_NONE
#define NODE_KEYS 32    /* a multiple of 8 */
#define NODE_KEYS_MIN 8 /* below this a node but the last leaf is merged with a neighbour if both fit into one */
#define NODES_SPARE 12  /* what one insertion may take: one a level of the tree and a new root */
#define NODE_DEPTH_MAX 12

enum { BID = 0, ASK = 1, SIDE_FREE = 2 };

typedef struct order {
    uint64_t id;
    int64_t size;
    uint32_t prev; /* in the queue of its level */
    uint32_t next; /* in the queue, or on the free list */
    uint32_t level;
    uint32_t unused;
} order;

typedef struct level {
    int64_t price;
    int64_t size;
    uint32_t head;
    uint32_t tail;
    uint32_t orders;
    uint32_t better; /* the next level towards the spread, or the next one in the free list */
    uint32_t worse;
    uint32_t side; /* BID, ASK, SIDE_FREE */
} level;

/* A node of a side's B+ tree, from keys that grow towards the spread to levels (a leaf) or nodes. Of an inner
   node, keys[i] is a lower bound of what is below child[i], and keys[0] is INT64_MIN. Keys from `count` on are
   INT64_MAX, which is below nothing. */
typedef struct node {
    int64_t keys[NODE_KEYS];
    uint32_t child[NODE_KEYS];
    uint32_t count;
    uint32_t unused;
} node;

typedef struct side {
    int64_t size;       /* the sum over its orders */
    uint32_t orders;
    uint32_t best;      /* level or NONE */
    uint32_t root;      /* node, if height > 0 */
    uint32_t last_leaf; /* the leaf with the best level */
    uint32_t height;    /* 0: no level, 1: the root is a leaf */
} side;

/* Entries 1 to `capacity` are on the free list, which runs through one of their fields, or in use. */
typedef struct pool {
    uint32_t capacity;
    uint32_t free; /* the first free entry, or NONE */
    uint32_t live; /* entries in use; of orders the sides count them */
} pool;

/* Two neighbours in a queue; NONE ahead of its head and behind its tail. */
typedef struct link {
    uint32_t ahead;
    uint32_t behind;
} link;

struct clob_book {
    order *orders;
    uint64_t *slots; /* ids: hash << 32 | order, or 0 */
    level *levels;
    uint32_t *hints; /* price -> level: a guess that the level itself confirms */
    node *nodes;
    uint32_t slot_mask;
    uint32_t slot_shift; /* from a hash to its slot, of 2 at least */
    uint32_t hint_shift;
    link owed[2]; /* what the last call left to the next one to write, see orders.h */
    pool order_pool;
    pool level_pool;
    pool node_pool;
    side sides[2];
    clob_best best; /* follows the sides' best levels */
    uint32_t orders_max;
    clob_fill *fills;
    size_t fills_capacity;
    size_t fill_count;
    clob_error error;
    clob_allocator allocator;
};

static inline uint32_t either(bool condition, uint32_t a, uint32_t b) { return UNPREDICTABLE(condition) ? a : b; }

/* Keys grow towards the spread: ~price turns the order of asks round and cannot overflow. Without a branch, for
   sides come at random. */
static inline int64_t key_of(uint32_t side_index, int64_t price) { return price ^ -(int64_t)side_index; }

static inline uint32_t count_orders(const clob_book *book) { return book->sides[BID].orders + book->sides[ASK].orders; }

/* ---- memory.c ---- */

/* Make room for one more order, or for one more level and its nodes, or return CLOB_NO_MEMORY. What they grow may
   move: slots and orders, or levels and nodes. */
clob_status grow_orders(clob_book *book);
clob_status grow_for_level(clob_book *book);

static inline bool has_room_for_order(const clob_book *book) { return book->order_pool.free != NONE; }

static inline bool has_room_for_level(const clob_book *book)
{
    return book->level_pool.free != NONE && book->node_pool.live + NODES_SPARE <= book->node_pool.capacity;
}

/* Room for the fills of an order that meets side `side_index` down to `limit_key`, behind those there are. */
clob_status reserve_fills(clob_book *book, uint32_t side_index, int64_t limit_key, int64_t size);

/* ---- levels.c ---- */

uint32_t find_level(const clob_book *book, uint32_t side_index, int64_t price);
uint32_t find_or_make_level(clob_book *book, uint32_t side_index, int64_t price); /* NONE: no memory */
void drop_level(clob_book *book, uint32_t level_index);

static inline uint32_t *hint_for(const clob_book *book, int64_t price)
{
    return &book->hints[(uint64_t)price * UINT64_C(0x9E3779B97F4A7C15) >> book->hint_shift];
}

/* Whether level `index` (a guess) is the one of that price. */
static inline bool is_level(const clob_book *book, uint32_t index, uint32_t side_index, int64_t price)
{
    return book->levels[index].price == price && book->levels[index].side == side_index;
}

/* The level of a price, made if there is none; NONE if there is no memory for it. */
static inline uint32_t level_for(clob_book *book, uint32_t side_index, int64_t price)
{
    uint32_t index = *hint_for(book, price);
    return LIKELY(is_level(book, index, side_index, price)) ? index : find_or_make_level(book, side_index, price);
}

/* ---- error.c ---- */

clob_refusal refusal_of(clob_status status);
clob_status refuse(clob_book *book, clob_status status, uint64_t order_id, int64_t price, int64_t size, int64_t other);

#ifdef CLOB_DEBUG
clob_status checked(clob_book *book, clob_status status);
#else
static inline clob_status checked(clob_book *book, clob_status status)
{
    (void)book;
    return status;
}
#endif

#endif
