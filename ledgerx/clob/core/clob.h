/* The order book: one contract's resting orders, by price and then by time.

   This core knows no Python, does no I/O, reads no clock and keeps no global state. The rules are those of
   ledgerx/clob/_reference.py, whose answers it must give to the bit.

   * Prices are any int64, sizes 1 to INT64_MAX, ids 1 to UINT64_MAX. One side's sizes sum to at most INT64_MAX.
   * A call that does not return CLOB_OK has changed nothing. What was wrong stays readable in clob_error until
     the next refused call. CLOB_BROKEN (only the debug build finds it) is final: every later change returns it.
   * Memory comes from pools that double up to `orders_max` and are kept, so that a book in a steady state
     allocates nothing. Where memory is wanting a call returns CLOB_NO_MEMORY before it has changed anything.
   * A book has one owner at a time: there are no locks here. */

#ifndef LEDGERX_CLOB_H
#define LEDGERX_CLOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLOB_ORDERS_MAX_MAX UINT32_C(2147483648) /* the largest cap: the ids' table is at most half full */
#define CLOB_NONE 0 /* the handle of no level and no order */

typedef struct clob_book clob_book;

typedef enum clob_status {
    CLOB_OK = 0,
    CLOB_UNKNOWN_ORDER,     /* no order of that id */
    CLOB_DUPLICATE_ORDER,   /* the id is in use */
    CLOB_BAD_ID,            /* id 0 */
    CLOB_BAD_SIZE,          /* a size below 1 */
    CLOB_BAD_TIME_IN_FORCE, /* not one of clob_time_in_force */
    CLOB_BAD_KIND,          /* not one of clob_kind */
    CLOB_ABOVE_OPEN,        /* more than the order has open */
    CLOB_NOT_AT_BEST,       /* an execution away from the best price */
    CLOB_SIDE_FULL,         /* the side's sum would leave int64 */
    CLOB_BOOK_FULL,         /* orders_max orders rest */
    CLOB_WOULD_CROSS,       /* a mirrored or post-only order would trade */
    CLOB_NOT_FILLABLE,      /* a fill-or-kill order that cannot fill whole */
    CLOB_NO_MEMORY,
    CLOB_BROKEN /* the debug build found the book inconsistent */
} clob_status;

typedef enum clob_time_in_force { CLOB_GTC = 0, CLOB_IOC = 1, CLOB_FOK = 2 } clob_time_in_force;

typedef enum clob_kind {
    CLOB_ADD = 1,
    CLOB_REDUCE = 2,
    CLOB_EXECUTE = 3,
    CLOB_CANCEL = 4,
    CLOB_REPLACE = 5,
    CLOB_CLEAR = 6
} clob_kind;

/* The records of ledgerx/clob/_records.py: what clob_apply and clob_match read and clob_records writes, at any
   address, since a caller's buffer may begin anywhere. */
#if defined(__GNUC__)
#define CLOB_ANYWHERE __attribute__((packed))
#else
#define CLOB_ANYWHERE
#endif

typedef struct CLOB_ANYWHERE clob_event {
    uint64_t order_id;
    int64_t price;
    int64_t size;
    uint8_t kind;
    uint8_t is_ask;
    uint8_t time_in_force; /* this and the next two are read by clob_match alone, of an ADD */
    uint8_t post_only;
    uint8_t is_market;
    uint8_t padding[3];
} clob_event;

/* Why clob_match passed an event over, from statuses that are one exception in Python. */
typedef enum clob_refusal {
    CLOB_NOT_REFUSED = 0,
    CLOB_REFUSED_UNKNOWN = 1,
    CLOB_REFUSED_DUPLICATE = 2,
    CLOB_REFUSED_INVALID = 3,
    CLOB_REFUSED_WOULD_CROSS = 4,
    CLOB_REFUSED_NOT_FILLABLE = 5,
    CLOB_REFUSED_BOOK_FULL = 6,
    CLOB_REFUSED_NO_MEMORY = 7,
    CLOB_REFUSED_BROKEN = 8
} clob_refusal;

/* What became of one event of clob_match; written at any address. */
typedef struct CLOB_ANYWHERE clob_outcome {
    uint32_t refusal; /* a clob_refusal */
    uint32_t fills;   /* how many are this event's */
} clob_outcome;

/* One match, told of the resting order. */
typedef struct clob_fill {
    uint64_t order_id;
    int64_t price;
    int64_t size;
    int64_t left;
} clob_fill;

typedef struct clob_order {
    uint64_t order_id;
    int64_t price;
    int64_t size;
    bool is_ask;
} clob_order;

typedef struct clob_level {
    int64_t price;
    int64_t size;
    uint32_t orders;
} clob_level;

/* The best prices after an event: INT64_MIN where there is no bid, INT64_MAX where there is no ask. */
typedef struct clob_best {
    int64_t bid;
    int64_t ask;
} clob_best;

/* Where memory comes from; `realloc` gets NULL for new memory. */
typedef struct clob_allocator {
    void *(*realloc)(void *context, void *memory, size_t bytes);
    void (*free)(void *context, void *memory);
    void *context;
} clob_allocator;

/* What the last refused call was refused for. */
typedef struct clob_error {
    clob_status status;
    uint64_t order_id;
    int64_t price;
    int64_t size;
    int64_t other; /* the open size, the best price or the limit that the call met */
} clob_error;

/* ---- life ---- */

clob_book *clob_new(uint32_t orders_max, const clob_allocator *allocator); /* NULL: no memory or a bad cap */
void clob_free(clob_book *book);
size_t clob_memory_bytes(const clob_book *book);

/* ---- orders in and out: each as the method of that name in _reference.py ---- */

clob_status clob_add(clob_book *book, uint64_t order_id, bool is_ask, int64_t price, int64_t size);
clob_status clob_reduce(clob_book *book, uint64_t order_id, int64_t by, int64_t *left);
clob_status clob_execute(clob_book *book, uint64_t order_id, int64_t size, int64_t *left);
clob_status clob_cancel(clob_book *book, uint64_t order_id, int64_t *open_size);
clob_status clob_replace(clob_book *book, uint64_t order_id, int64_t price, int64_t size, bool *kept_place);
void clob_clear(clob_book *book);

typedef struct clob_incoming {
    uint64_t order_id;
    int64_t price; /* not read where is_market */
    int64_t size;
    bool is_ask;
    bool is_market;
    bool post_only;
    clob_time_in_force time_in_force;
} clob_incoming;

/* Matches. `fills` points at `count` fills that stay readable until the next submit, match, preview or restore. */
clob_status clob_submit(clob_book *book, const clob_incoming *incoming, const clob_fill **fills, size_t *count);

/* Carries out all events in order, an ADD as an order that comes in and trades. What is refused is passed over:
   `outcomes`, with room for `count`, tells what became of each, and `fills` has those of all. */
void clob_match(clob_book *book, const clob_event *events, size_t count, clob_outcome *outcomes,
                const clob_fill **fills, size_t *fill_count);

clob_status clob_preview(clob_book *book, bool is_ask, bool is_market, int64_t price, int64_t size,
                         const clob_fill **fills, size_t *count);

/* Gives the array that `fills` of the last submit, match or preview points at to the caller, who frees it by the book's
   allocator. */
clob_fill *clob_take_fills(clob_book *book);

/* Carries out one event as its method would. `clob_expect` before it, as soon as the id is known, has its memory
   fetched while the caller finds out the rest. */
void clob_expect(const clob_book *book, uint64_t order_id);
clob_status clob_apply_event(clob_book *book, const clob_event *event);

/* Carries out events in order up to the first that is refused; `done` is how many were carried out. `best`
   is NULL or has room for `count`, at any address. */
clob_status clob_apply(clob_book *book, const clob_event *events, size_t count, clob_best *best, size_t *done);

/* ---- what stands ---- */

size_t clob_count(const clob_book *book);
uint32_t clob_orders_max(const clob_book *book);
int64_t clob_total(const clob_book *book, bool is_ask);
clob_best clob_best_prices(const clob_book *book);
bool clob_has(const clob_book *book, bool is_ask); /* whether the side has an order */
bool clob_contains(const clob_book *book, uint64_t order_id);
clob_status clob_find(clob_book *book, uint64_t order_id, clob_order *found);
clob_status clob_queue_position(clob_book *book, uint64_t order_id, size_t *orders_ahead, int64_t *size_ahead);
uint64_t clob_checksum(clob_book *book);

/* Levels and orders by handle, CLOB_NONE at the end. A handle is good until the book changes. */
uint32_t clob_best_level(const clob_book *book, bool is_ask);
uint32_t clob_next_level(const clob_book *book, uint32_t level); /* the next worse one */
uint32_t clob_level_at(const clob_book *book, bool is_ask, int64_t price);
clob_level clob_get_level(const clob_book *book, uint32_t level);
uint32_t clob_first_order(clob_book *book, uint32_t level);
uint32_t clob_next_order(const clob_book *book, uint32_t order);
clob_order clob_get_order(const clob_book *book, uint32_t order);

/* The snapshot as clob_count(book) records, each an ADD; and back. */
void clob_records(clob_book *book, clob_event *records);
clob_status clob_restore(clob_book *book, const clob_event *records, size_t count, size_t *done);

/* ---- what is wrong ---- */

const clob_error *clob_last_error(const clob_book *book);
void clob_error_text(const clob_error *error, char *text, size_t text_bytes);

/* Walks the whole book: NULL, or the first rule that does not hold. The debug build (CLOB_DEBUG) does so
   after each call that changed something. */
const char *clob_check(clob_book *book);

#endif
