/* What the runtime's files share: the parts of an engine and what each file offers the others.

   Nothing here knows Python. Every function but those of error.c, text.c and paths.c wants the engine's lock held,
   and none waits for anything but a disk. A `reserve` makes room, may fail and changes nothing that can be read; the
   `apply` after it cannot fail: so an event that is refused has left no trace. */

#ifndef LEDGERX_ORDERFLOW_INTERNAL_H
#define LEDGERX_ORDERFLOW_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "orderflow.h"

#define BLOCKING_FLAGS                                                                                             \
    (OF_QUALITY_STALE_FEED | OF_QUALITY_SEQUENCE_GAP | OF_QUALITY_OUT_OF_ORDER | OF_QUALITY_ADAPTER_DEGRADED)
#define NAME_BYTES_MAX 1024
#define NS_PER_MS 1000000ull
#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

typedef __int128 int128;

/* error.c: the thread's latest refusal. `fail` returns its code. */
int32_t fail(int32_t code, const char *format, ...) __attribute__((format(printf, 2, 3)));
int32_t fail_memory(void);

/* memory.c */
bool grow(void *array, size_t *capacity, size_t wanted, size_t item_bytes); /* `array` points at the pointer */

/* A queue of equal items of which the oldest falls out when `max` are in it. */
typedef struct ring {
    unsigned char *data;
    size_t item_bytes, capacity, max, count, head;
} ring_t;
void ring_init(ring_t *ring, size_t item_bytes, size_t max);
bool ring_reserve(ring_t *ring, size_t more); /* room for that many pushes */
void *ring_push(ring_t *ring); /* after ring_reserve; NULL when max is 0 */
void *ring_at(const ring_t *ring, size_t index); /* 0 is the oldest */
void ring_clear(ring_t *ring);
void ring_free(ring_t *ring);

/* text.c: a text that grows, JSON in it. `failed` is set when memory ran out, and stays. */
typedef struct text {
    char *data;
    size_t length, capacity;
    bool failed;
} text_t;
void text_add(text_t *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_put(text_t *text, const char *bytes, size_t length);
void text_json_string(text_t *text, const char *value); /* quoted, escaped; invalid UTF-8 becomes U+FFFD */
void text_free(text_t *text);

/* price_table.c: volumes by price, found in one step. Indices of nodes never change. */
typedef struct price_node {
    int64_t price, buy_volume, sell_volume;
    uint32_t dirty, placed; /* the profile's: not settled yet; stands in a block */
} price_node_t;
typedef struct price_table {
    price_node_t *nodes;
    uint32_t *slots; /* node index + 1 */
    size_t count, capacity, slot_mask;
} price_table_t;
bool price_table_reserve(price_table_t *table); /* room for one more price */
uint32_t price_table_find_or_add(price_table_t *table, int64_t price);
void price_table_clear(price_table_t *table);
void price_table_free(price_table_t *table);

/* profile.c: volume by price of a session, its point of control and value area. */
typedef struct profile_block profile_block_t;
typedef struct profile_entry {
    int64_t first_price, volume, least; /* of its block */
    profile_block_t *block;
} profile_entry_t;
typedef struct profile_group {
    int64_t volume, least; /* of 16 entries */
} profile_group_t;
typedef struct profile {
    price_table_t table;
    uint32_t *dirty;
    size_t dirty_count, dirty_capacity;
    profile_entry_t *entries;
    size_t entry_count, entry_capacity;
    profile_group_t *groups;
    size_t group_capacity;
    int64_t volume, control_price, control_volume;
    int64_t threshold; /* where the latest value area stood: the next is near */
} profile_t;
bool profile_reserve(profile_t *profile);
void profile_trade(profile_t *profile, int64_t price, int64_t size, bool bought);
bool profile_value_area(profile_t *profile, int64_t *low, int64_t *high); /* false: no memory */
bool profile_settle(profile_t *profile);
size_t profile_rows(const profile_t *profile, ofx_profile_row_t *rows); /* by price; settled before */
void profile_clear(profile_t *profile);

/* depth.c: the two sides of a book, by level. */
typedef struct depth {
    ofx_level_t *rows[2];
    size_t count[2], capacity[2];
    uint64_t last_sequence, ts_exchange_ns, ts_recv_ns;
    bool known;
} depth_t;
bool depth_reserve(depth_t *depth, uint32_t side);
void depth_apply(depth_t *depth, const of_book_t *book, bool stored);
void depth_free(depth_t *depth);
bool depth_crossed(const depth_t *depth);
void depth_top(const depth_t *depth, double *imbalance, double *microprice);

/* candles.c: candles of a session and the volume at each of their prices. */
typedef struct candle {
    ofx_candle_row_t row;
    price_table_t prices;
} candle_t;
typedef struct candles {
    candle_t **items; /* by start */
    size_t count, capacity, max;
    uint64_t width_ns, late_trades;
    candle_t *spare;
} candles_t;
bool candles_reserve(candles_t *candles, uint64_t ts_ns, candle_t **out); /* *out NULL: too late for any */
void candle_trade(candle_t *candle, const of_trade_t *trade, int64_t cumulative_delta);
void candles_clear(candles_t *candles);
void candles_free(candles_t *candles);
size_t candles_footprint(const candles_t *candles, ofx_footprint_row_t *rows); /* NULL: only counts */

/* flow.c: running figures of a session's trades. */
typedef struct flow {
    uint64_t trades;
    int64_t first_price;
    int128 moved, moved_squared; /* sums of size x (price - first_price), and of its square */
    bool moved_overflow;
    double fast, slow, variance, fast_weight, slow_weight;
    int64_t bucket_buy, bucket_sell, bucket_lots;
    uint64_t buckets_filled, buckets_of_estimate;
    int128 imbalance; /* of the latest buckets_of_estimate full buckets */
    ring_t buckets;   /* ofx_vpin_row_t */
    ring_t window;    /* flow_print_t, the latest of the absorption */
} flow_t;
typedef struct flow_print {
    int64_t price, size;
    uint32_t side;
} flow_print_t;
void flow_init(flow_t *flow, const ofx_engine_options_t *options);
bool flow_reserve(flow_t *flow, int64_t size);
void flow_trade(flow_t *flow, const of_trade_t *trade);
void flow_read(const flow_t *flow, int64_t volume, ofx_flow_t *out);
void flow_clear(flow_t *flow);
void flow_free(flow_t *flow);

/* One instrument. */
typedef struct instrument {
    char *venue, *symbol;
    uint32_t id;
    uint32_t depth_levels;
    uint64_t trade_sequence, book_sequence; /* remembered; 0: none */
    bool traded;                            /* since the engine was made: a reset does not take it back */
    int64_t buy_volume, sell_volume, last_price;
    profile_t profile;
    ofx_signal_t signal;
    depth_t depth;
    ring_t trades; /* ofx_trade_row_t */
    candles_t candles;
    flow_t flow;
    struct recorder *recorders[2]; /* persistence of trades and of books */
} instrument_t;

/* subscribe.c */
struct of_subscription {
    of_engine_t *engine;
    uint32_t instrument_id, kind;
    of_event_callback_t callback;
    void *user_data;
    bool as_records;
    uint64_t told_health_seq;
    uint32_t pins;       /* deliveries under way */
    atomic_bool active;  /* in the engine's list */
    bool released;       /* its handle was given back */
};

typedef struct counters {
    uint64_t processed_events, gaps, duplicates, late, stale, dropped, disk_faults;
} counters_t;

typedef struct audit {
    char *path;
    char *tokens; /* separated by commas */
    uint64_t bytes, bytes_max;
    uint32_t files_max;
    FILE *file;
} audit_t;

typedef struct health {
    bool started, connected, reconnecting;
    uint32_t flags;
} health_t;

struct of_engine {
    pthread_mutex_t lock;
    uint32_t pins; /* dispatches under way */
    bool doomed;   /* destroyed while one was */
    char *instance_id, *data_root;
    ofx_engine_options_t options;
    bool persistence, ever_started;
    uint64_t retention_bytes_max, retention_age_max_s, retention_checked_s;
    health_t health, told; /* as it is; as of health_seq */
    uint64_t health_seq;
    ofx_feed_policy_t policy;
    bool feed_enabled;
    uint64_t last_ingest_ns, last_event_ns;
    counters_t counters;
    char fault[256]; /* the latest disk fault; "" before one */
    instrument_t **instruments;
    size_t instrument_count, instrument_capacity;
    uint32_t *instrument_slots;
    size_t instrument_mask;
    of_subscription_t **subscriptions; /* in order */
    size_t subscription_count, subscription_capacity;
    of_subscription_t **retired; /* unsubscribed by symbol, the handle still out */
    size_t retired_count, retired_capacity;
    audit_t audit;
};

/* instruments.c */
int32_t instrument_find(const of_engine_t *engine, const of_symbol_t *symbol, instrument_t **out); /* NULL: unknown */
int32_t instrument_intern(of_engine_t *engine, const of_symbol_t *symbol, instrument_t **out);
int32_t instrument_by_id(of_engine_t *engine, uint32_t id, instrument_t **out);
void instruments_free(of_engine_t *engine);

/* signals.c */
void signal_init(ofx_signal_t *signal, uint32_t module);
bool signal_trade(const of_engine_t *engine, instrument_t *instrument, uint32_t flags); /* true: newly blocked */
void signal_reset(const of_engine_t *engine, instrument_t *instrument);

/* quality.c */
uint64_t wall_ns(void);
uint32_t quality_external(const of_engine_t *engine, uint64_t now_ns, uint64_t event_ns);
uint32_t quality_event(of_engine_t *engine, uint32_t external, uint32_t caller_flags, uint64_t ts_exchange_ns,
                       uint64_t ts_recv_ns);
bool quality_drops(of_engine_t *engine, instrument_t *instrument, bool trade, uint64_t sequence);
uint32_t quality_sequence(of_engine_t *engine, instrument_t *instrument, bool trade, uint64_t sequence);
void quality_ingested(of_engine_t *engine, uint64_t now_ns, uint64_t event_ns);
void health_settle(of_engine_t *engine); /* counts a change of what HEALTH tells */

/* report.c */
void report_health(const of_engine_t *engine, text_t *out);
void report_metrics(const of_engine_t *engine, text_t *out);

/* json.c: payloads and snapshots. */
void json_trade(text_t *out, const of_trade_t *trade);
void json_book(text_t *out, const of_book_t *book);
void json_analytics(text_t *out, const ofx_analytics_t *analytics);
void json_signal(text_t *out, const ofx_signal_t *signal);
void json_depth(text_t *out, const instrument_t *instrument);

/* read.c */
bool read_analytics(instrument_t *instrument, ofx_analytics_t *out); /* false: no memory */

/* engine.c */
int32_t need_started(const of_engine_t *engine, const char *call);
void engine_free(of_engine_t *engine);

/* dispatch.c: who is told of an event. Collect with the lock held, deliver without it. */
typedef struct delivery {
    of_subscription_t *subscription;
    of_event_t event;
    bool empty;
    union {
        of_trade_t trade;
        of_book_t book;
        ofx_analytics_t analytics;
        ofx_signal_t signal;
    } payload;
    char *health;
} delivery_t;
typedef struct deliveries {
    delivery_t own[4];
    delivery_t *items;
    size_t count, capacity;
} deliveries_t;
int32_t deliveries_reserve(deliveries_t *deliveries, const of_engine_t *engine);
int32_t deliveries_collect(deliveries_t *deliveries, of_engine_t *engine, const instrument_t *instrument,
                           const of_trade_t *trade, const of_book_t *book, bool snapshots);
void deliveries_send(deliveries_t *deliveries, of_engine_t *engine); /* unlocks; calls; frees */
void engine_unpin(of_engine_t *engine); /* not locked; frees it when it is destroyed and nobody else holds it */

/* paths.c */
void path_name(text_t *out, const char *name); /* one folder or file name that leads nowhere else */
bool make_folders(const char *path); /* those above the last '/' */

/* persist.c, retention.c, audit.c. A fault of the disk is counted and told in health; nothing else stops. */
void disk_fault(of_engine_t *engine, const char *path, int error);
void persist_trade(of_engine_t *engine, instrument_t *instrument, const of_trade_t *trade);
void persist_book(of_engine_t *engine, instrument_t *instrument, const of_book_t *book);
void persist_flush(of_engine_t *engine, instrument_t *instrument);
void persist_flush_all(of_engine_t *engine);
void persist_close(instrument_t *instrument);
void retention_run(of_engine_t *engine, uint64_t now_s);
typedef struct audit_field {
    const char *name;
    const char *text; /* NULL: the number stands */
    uint64_t number;
    bool is_truth; /* the number is 0 or 1 and stands for false or true */
} audit_field_t;
int32_t audit_open(audit_t *audit, const char *path, const of_engine_config_t *config);
void audit_write(of_engine_t *engine, const char *event, const audit_field_t *fields, size_t count);
void audit_symbol(of_engine_t *engine, const char *event, const instrument_t *instrument, const char *more_name,
                  uint64_t more);
void audit_close(audit_t *audit);

#endif
