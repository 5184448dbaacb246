/* The book's memory: pools of orders, levels and tree nodes, found by index so that a pool may move.

   Only files of this folder include this one. A pool's free entries form a list through one of their fields;
   `live` counts those in use. */

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
#define PREFETCH(p) __builtin_prefetch(p)
#else
#define LIKELY(x) (x)
#define UNLIKELY(x) (x)
#define PREFETCH(p) ((void)(p))
#endif

#define NONE CLOB_NONE
#define NODE_KEYS 32
#define NODE_KEYS_MIN 8 /* below this a node is merged with a neighbour if both fit into one */
#define NODES_SPARE 12  /* what one insertion may take: one a level of the tree and a new root */
#define NODE_DEPTH_MAX 12

enum { BID = 0, ASK = 1, SIDE_FREE = 2 };

typedef struct order {
    uint64_t id;
    int64_t size;
    uint32_t prev; /* in the queue of its level */
    uint32_t next; /* in the queue, or in the free list */
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
   node, keys[i] is a lower bound of what is below child[i]; keys[0] is not read. */
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

typedef struct pool {
    uint32_t capacity;
    uint32_t used; /* entries from here on were never used */
    uint32_t free; /* the first free one below `used`, or NONE */
    uint32_t live;
} pool;

struct clob_book {
    order *orders;
    uint64_t *slots; /* ids: hash << 32 | order + 1, or 0 */
    level *levels;
    uint32_t *hints; /* price -> level + 1: a guess that the level itself confirms */
    node *nodes;
    uint32_t slot_mask;
    uint32_t slot_shift; /* from a hash to its slot, of 2 at least */
    uint32_t hint_shift;
    pool order_pool;
    pool level_pool;
    pool node_pool;
    side sides[2];
    uint32_t orders_max;
    clob_fill *fills;
    size_t fills_capacity;
    size_t fill_count;
    clob_error error;
    clob_allocator allocator;
};

/* Keys grow towards the spread: ~price turns the order of asks round and cannot overflow. */
static inline int64_t key_of(uint32_t side_index, int64_t price) { return side_index == ASK ? ~price : price; }

static inline int64_t best_key(const clob_book *book, uint32_t side_index)
{
    return key_of(side_index, book->levels[book->sides[side_index].best].price);
}

static inline clob_best best_prices(const clob_book *book)
{
    uint32_t bid = book->sides[BID].best, ask = book->sides[ASK].best;
    return (clob_best){.bid = bid == NONE ? INT64_MIN : book->levels[bid].price,
                       .ask = ask == NONE ? INT64_MAX : book->levels[ask].price};
}

/* Takes an entry of a pool whose free entries are linked through `field`, or gives it back. */
#define TAKE(pool_, entries, field)                                                                                    \
    ((pool_).live++, (pool_).free == NONE ? (pool_).used++ : take_free(&(pool_).free, (entries)[(pool_).free].field))
#define GIVE(pool_, entries, field, index)                                                                             \
    ((void)((entries)[index].field = (pool_).free, (pool_).free = (index), (pool_).live--))

static inline uint32_t take_free(uint32_t *head, uint32_t next)
{
    uint32_t index = *head;
    *head = next;
    return index;
}

/* ---- memory.c ---- */

/* Makes room for one more order and all that comes with it, or for a level alone, or returns CLOB_NO_MEMORY.
   Slots, orders and levels may move. */
clob_status grow_to_rest(clob_book *book);
clob_status grow_for_level(clob_book *book);

static inline bool has_room_for_level(const clob_book *book)
{
    return book->level_pool.live < book->level_pool.capacity &&
           book->node_pool.live + NODES_SPARE <= book->node_pool.capacity;
}

static inline bool has_room_to_rest(const clob_book *book)
{
    return book->order_pool.live < book->order_pool.capacity && has_room_for_level(book);
}

clob_status reserve_fills(clob_book *book, uint32_t side_index, int64_t limit_key, int64_t size);

/* ---- levels.c ---- */

uint32_t find_level(const clob_book *book, uint32_t side_index, int64_t price);
uint32_t find_or_make_level(clob_book *book, uint32_t side_index, int64_t price);
void drop_level(clob_book *book, uint32_t level_index);

/* ---- error.c ---- */

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
