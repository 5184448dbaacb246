/* A book's life and its memory. Everything that may fail for want of memory is here, and runs before a call
   changes the book. */

#include "ids.h"

#define ORDERS_FIRST 64
#define LEVELS_FIRST 32
#define NODES_FIRST 16
#define FILLS_AT_ONCE 4096 /* room for as many as a book has orders, up to so many, spares counting them ahead */
#define HINTS_A_LEVEL 4
#define HINTS_MAX 65536 /* more would leave the cache that they are for */

/* What an empty book's tables and pools point at. Nothing writes here: the first order grows them. */
static const uint64_t no_slots[2] = {0, 0};
static const uint32_t no_hints[2] = {0, 0};
static const order no_orders[1] = {{.id = 0}};
static const level no_levels[1] = {{.side = SIDE_FREE}};
static const node no_nodes[1] = {{.count = 0}};

static void *take_memory(clob_book *book, void *memory, size_t bytes)
{
    return book->allocator.realloc(book->allocator.context, memory, bytes);
}

/* Gives `memory` back, unless it is what an empty book has in its place. */
static void give_memory(clob_book *book, void *memory, const void *none)
{
    if (memory != none) {
        book->allocator.free(book->allocator.context, memory);
    }
}

/* Moves a pool of entries of `entry_bytes` to room for `capacity` of them and entry 0, which is cleared if the
   pool had none; NULL if there is no memory. */
static void *moved_pool(clob_book *book, void *entries, const void *none, size_t entry_bytes, uint32_t capacity)
{
    void *moved = take_memory(book, entries == none ? NULL : entries, entry_bytes * ((size_t)capacity + 1));
    if (moved != NULL && entries == none) {
        memcpy(moved, none, entry_bytes);
    }
    return moved;
}

/* ---------------------------------------------------------------- life */

/* Put the entries of a pool above `used` in front of its free list, the lowest first. */
static void free_orders_above(clob_book *book, uint32_t used)
{
    for (uint32_t i = book->order_pool.capacity; i > used; i--) {
        book->orders[i].next = book->order_pool.free;
        book->order_pool.free = i;
    }
}

static void free_levels_above(clob_book *book, uint32_t used)
{
    for (uint32_t i = book->level_pool.capacity; i > used; i--) {
        book->levels[i].side = SIDE_FREE;
        book->levels[i].better = book->level_pool.free;
        book->level_pool.free = i;
    }
}

static void free_nodes_above(clob_book *book, uint32_t used)
{
    for (uint32_t i = book->node_pool.capacity; i > used; i--) {
        book->nodes[i].child[0] = book->node_pool.free;
        book->node_pool.free = i;
    }
}

static void empty_content(clob_book *book)
{
    book->owed[0] = book->owed[1] = (link){NONE, NONE};
    book->order_pool.free = book->level_pool.free = book->node_pool.free = NONE;
    book->level_pool.live = book->node_pool.live = 0;
    free_orders_above(book, 0);
    free_levels_above(book, 0);
    free_nodes_above(book, 0);
    for (int i = 0; i < 2; i++) {
        book->sides[i] = (side){.best = NONE, .root = NONE, .last_leaf = NONE};
    }
    book->best = (clob_best){.bid = INT64_MIN, .ask = INT64_MAX};
}

clob_book *clob_new(uint32_t orders_max, const clob_allocator *allocator)
{
    if (orders_max < 1 || orders_max > CLOB_ORDERS_MAX_MAX) {
        return NULL;
    }
    clob_book *book = allocator->realloc(allocator->context, NULL, sizeof *book);
    if (book == NULL) {
        return NULL;
    }
    memset(book, 0, sizeof *book);
    book->allocator = *allocator;
    book->orders_max = orders_max;
    book->slots = (uint64_t *)no_slots;
    book->slot_mask = 1;
    book->slot_shift = 31;
    book->hints = (uint32_t *)no_hints;
    book->hint_shift = 63;
    book->orders = (order *)no_orders;
    book->levels = (level *)no_levels;
    book->nodes = (node *)no_nodes;
    empty_content(book);
    return book;
}

void clob_free(clob_book *book)
{
    if (book == NULL) {
        return;
    }
    give_memory(book, book->orders, no_orders);
    give_memory(book, book->levels, no_levels);
    give_memory(book, book->nodes, no_nodes);
    give_memory(book, book->fills, NULL);
    give_memory(book, book->slots, no_slots);
    give_memory(book, book->hints, no_hints);
    book->allocator.free(book->allocator.context, book);
}

void clob_clear(clob_book *book)
{
    empty_content(book);
    if (book->slots != no_slots) {
        memset(book->slots, 0, ((size_t)book->slot_mask + 1) * sizeof *book->slots);
    }
    (void)checked(book, CLOB_OK); /* hints are guesses: what they name is no level now */
}

size_t clob_memory_bytes(const clob_book *book)
{
    size_t bytes = sizeof *book;
    bytes += book->orders == no_orders ? 0 : ((size_t)book->order_pool.capacity + 1) * sizeof *book->orders;
    bytes += book->levels == no_levels ? 0 : ((size_t)book->level_pool.capacity + 1) * sizeof *book->levels;
    bytes += book->nodes == no_nodes ? 0 : ((size_t)book->node_pool.capacity + 1) * sizeof *book->nodes;
    bytes += book->fills_capacity * sizeof *book->fills;
    bytes += book->slots == no_slots ? 0 : ((size_t)book->slot_mask + 1) * sizeof *book->slots;
    bytes += book->hints == no_hints ? 0 : ((size_t)1 << (64 - book->hint_shift)) * sizeof *book->hints;
    return bytes;
}

/* ---------------------------------------------------------------- growth */

static uint32_t doubled(uint32_t capacity, uint32_t first, uint32_t cap)
{
    uint32_t wanted = capacity == 0 ? first : capacity > cap / 2 ? cap : capacity * 2;
    return wanted < cap ? wanted : cap;
}

/* The least n with 2**n at or above `wanted`. */
static uint32_t bits_for(size_t wanted)
{
    uint32_t bits = 1;
    while (((size_t)1 << bits) < wanted) {
        bits++;
    }
    return bits;
}

/* Moves the ids to a table of 2**bits slots. */
static clob_status grow_slots(clob_book *book, uint32_t bits)
{
    size_t count = (size_t)1 << bits;
    size_t before = book->slots == no_slots ? 0 : (size_t)book->slot_mask + 1;
    if (before >= count) {
        return CLOB_OK;
    }
    uint64_t *slots = take_memory(book, NULL, count * sizeof *slots);
    if (slots == NULL) {
        return CLOB_NO_MEMORY;
    }
    memset(slots, 0, count * sizeof *slots);
    uint32_t mask = (uint32_t)(count - 1);
    for (size_t i = 0; i < before; i++) {
        uint64_t content = book->slots[i];
        if (content != 0) {
            uint32_t slot = (uint32_t)(content >> (64 - bits));
            while (slots[slot] != 0) {
                slot = (slot + 1) & mask;
            }
            slots[slot] = content;
        }
    }
    give_memory(book, book->slots, no_slots);
    book->slots = slots;
    book->slot_mask = mask;
    book->slot_shift = 32 - bits;
    return CLOB_OK;
}

/* How many slots the ids of so many orders get: a small book's table may be nearly empty, so that a search seldom
   goes on to a second slot. */
static size_t slots_for(uint32_t capacity)
{
    return (size_t)capacity * (capacity <= 16384 ? 8 : capacity <= 65536 ? 4 : 2);
}

clob_status grow_orders(clob_book *book)
{
    uint32_t before = book->order_pool.capacity;
    uint32_t capacity = doubled(before, ORDERS_FIRST, book->orders_max);
    if (grow_slots(book, bits_for(slots_for(capacity))) != CLOB_OK) {
        return CLOB_NO_MEMORY;
    }
    order *orders = moved_pool(book, book->orders, no_orders, sizeof *orders, capacity);
    if (orders == NULL) {
        return CLOB_NO_MEMORY;
    }
    book->orders = orders;
    book->order_pool.capacity = capacity;
    free_orders_above(book, before);
    return CLOB_OK;
}

static clob_status grow_levels(clob_book *book)
{
    uint32_t before = book->level_pool.capacity;
    uint32_t capacity = doubled(before, LEVELS_FIRST, book->orders_max);
    uint32_t hint_bits = bits_for(capacity < HINTS_MAX / HINTS_A_LEVEL ? capacity * HINTS_A_LEVEL : HINTS_MAX);
    size_t hint_count = (size_t)1 << hint_bits;
    level *levels = moved_pool(book, book->levels, no_levels, sizeof *levels, capacity);
    if (levels == NULL) {
        return CLOB_NO_MEMORY;
    }
    book->levels = levels; /* the pool may move even if the hints then cannot grow */
    uint32_t *hints = take_memory(book, NULL, hint_count * sizeof *hints);
    if (hints == NULL) {
        return CLOB_NO_MEMORY;
    }
    memset(hints, 0, hint_count * sizeof *hints);
    give_memory(book, book->hints, no_hints);
    book->hints = hints;
    book->hint_shift = 64 - hint_bits;
    book->level_pool.capacity = capacity;
    free_levels_above(book, before);
    return CLOB_OK;
}

static clob_status grow_nodes(clob_book *book)
{
    uint32_t before = book->node_pool.capacity;
    uint32_t capacity = doubled(before, NODES_FIRST, UINT32_MAX);
    node *nodes = moved_pool(book, book->nodes, no_nodes, sizeof *nodes, capacity);
    if (nodes == NULL) {
        return CLOB_NO_MEMORY;
    }
    book->nodes = nodes;
    book->node_pool.capacity = capacity;
    free_nodes_above(book, before);
    return CLOB_OK;
}

clob_status grow_for_level(clob_book *book)
{
    clob_status status = CLOB_OK;
    if (book->level_pool.free == NONE && book->level_pool.capacity < book->orders_max) {
        status = grow_levels(book);
    }
    if (status == CLOB_OK && book->node_pool.live + NODES_SPARE > book->node_pool.capacity) {
        status = grow_nodes(book);
    }
    return status;
}

clob_status reserve_fills(clob_book *book, uint32_t side_index, int64_t limit_key, int64_t size)
{
    size_t bound = book->fill_count;
    for (uint32_t i = book->sides[side_index].best; i != NONE && size > 0; i = book->levels[i].worse) {
        const level *met = &book->levels[i];
        if (key_of(side_index, met->price) < limit_key) {
            break;
        }
        bound += (uint64_t)size < met->orders ? (uint64_t)size : met->orders; /* a fill is of 1 at least */
        size = met->size < size ? size - met->size : 0;
    }
    size_t orders = book->order_pool.capacity;
    size_t least = book->fill_count + (orders < FILLS_AT_ONCE ? orders : FILLS_AT_ONCE);
    size_t wanted = bound < least ? least : bound;
    if (wanted <= book->fills_capacity) {
        return CLOB_OK;
    }
    size_t capacity = (size_t)1 << bits_for(wanted);
    clob_fill *fills = take_memory(book, book->fills, capacity * sizeof *fills);
    if (fills == NULL) {
        return CLOB_NO_MEMORY;
    }
    book->fills = fills;
    book->fills_capacity = capacity;
    return CLOB_OK;
}

clob_fill *clob_take_fills(clob_book *book)
{
    clob_fill *taken = book->fills;
    book->fills = NULL;
    book->fills_capacity = book->fill_count = 0;
    return taken;
}
