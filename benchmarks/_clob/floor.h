/* The floor: the smallest honest order-by-order book for one generated file. No check of anything, orders in
 * an array by their id, levels in an array by price, a linear walk to the next best one. */
#ifndef FLOOR_H
#define FLOOR_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    uint64_t order_id;
    int64_t price, size;
    uint8_t kind, is_ask, padding[6];
} record;

enum { ADD = 1, REDUCE, EXECUTE, CANCEL, REPLACE };
enum { IN_GTC, IN_IOC, IN_MARKET, IN_CANCEL };

typedef struct {
    int64_t size;
    uint32_t level, next, previous, is_ask;
} order;

typedef struct {
    int64_t size;
    uint32_t first, last, count;
} level;

typedef struct {
    order *orders;
    level *levels;
    int64_t base; /* the price of levels[0] */
    int64_t width, bid, ask; /* how many levels; the best ones, -1 and width where there is none */
} book;

typedef struct {
    uint64_t order_id;
    int64_t price, size, left;
} fill;

static int book_open(book *self, int64_t base, int64_t width, uint64_t ids)
{
    self->orders = malloc((ids + 1) * sizeof(order));
    self->levels = malloc((size_t)width * sizeof(level));
    if (self->orders) /* written, so that no page is fetched inside a run */
        memset(self->orders, 0, (ids + 1) * sizeof(order));
    if (self->levels)
        memset(self->levels, 0, (size_t)width * sizeof(level));
    self->base = base;
    self->width = width;
    self->bid = -1;
    self->ask = width;
    return self->orders && self->levels ? 0 : -1;
}

static void book_close(book *self)
{
    free(self->orders);
    free(self->levels);
}

static inline void worse_bid(book *self)
{
    while (self->bid >= 0 && !self->levels[self->bid].count)
        self->bid--;
}

static inline void worse_ask(book *self)
{
    while (self->ask < self->width && !self->levels[self->ask].count)
        self->ask++;
}

static inline void book_add(book *self, uint64_t order_id, int is_ask, int64_t place, int64_t size)
{
    order *added = &self->orders[order_id];
    level *at = &self->levels[place];
    *added = (order){size, (uint32_t)place, 0, at->last, (uint32_t)is_ask};
    if (at->count++)
        self->orders[at->last].next = (uint32_t)order_id;
    else
        at->first = (uint32_t)order_id;
    at->last = (uint32_t)order_id;
    at->size += size;
    if (is_ask) {
        if (place < self->ask)
            self->ask = place;
    } else if (place > self->bid)
        self->bid = place;
}

static inline void book_remove(book *self, uint64_t order_id)
{
    order *gone = &self->orders[order_id];
    level *at = &self->levels[gone->level];
    at->size -= gone->size;
    if (at->first == order_id)
        at->first = gone->next;
    else
        self->orders[gone->previous].next = gone->next;
    if (at->last == order_id)
        at->last = gone->previous;
    else
        self->orders[gone->next].previous = gone->previous;
    if (!--at->count) {
        if (gone->is_ask)
            worse_ask(self);
        else
            worse_bid(self);
    }
}

static inline void book_reduce(book *self, uint64_t order_id, int64_t by)
{
    order *one = &self->orders[order_id];
    if (by == one->size) {
        book_remove(self, order_id);
        return;
    }
    one->size -= by;
    self->levels[one->level].size -= by;
}

static inline void book_event(book *self, int kind, uint64_t order_id, int is_ask, int64_t price, int64_t size)
{
    order *one = &self->orders[order_id];
    switch (kind) {
    case ADD:
        book_add(self, order_id, is_ask, price - self->base, size);
        break;
    case REDUCE:
    case EXECUTE:
        book_reduce(self, order_id, size);
        break;
    case CANCEL:
        book_remove(self, order_id);
        break;
    case REPLACE:
        if (price - self->base == one->level && size <= one->size) {
            self->levels[one->level].size -= one->size - size;
            one->size = size;
        } else {
            is_ask = (int)one->is_ask;
            book_remove(self, order_id);
            book_add(self, order_id, is_ask, price - self->base, size);
        }
        break;
    }
}

static inline int64_t best_bid(const book *self)
{
    return self->bid < 0 ? INT64_MIN : self->base + self->bid;
}

static inline int64_t best_ask(const book *self)
{
    return self->ask == self->width ? INT64_MAX : self->base + self->ask;
}

/* Matches an order; `limit` is a place among the levels. Returns the number of fills. */
static inline int book_submit(book *self, uint64_t order_id, int is_ask, int64_t limit, int64_t size, int rests,
                              fill *fills)
{
    int count = 0;
    while (size && (is_ask ? self->bid >= 0 && self->bid >= limit : self->ask < self->width && self->ask <= limit)) {
        level *at = &self->levels[is_ask ? self->bid : self->ask];
        uint64_t first = at->first;
        order *resting = &self->orders[first];
        int64_t by = size < resting->size ? size : resting->size;
        fills[count++] = (fill){first, self->base + resting->level, by, resting->size - by};
        book_reduce(self, first, by);
        size -= by;
    }
    if (size && rests)
        book_add(self, order_id, is_ask, limit, size);
    return count;
}

#endif
