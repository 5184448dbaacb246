/* The order-flow runtime's C ABI: what libof_ffi_c offers to any language.

   The first part is the reference package's ABI, for the calls that package and this one share; a program built
   for either library runs on the other. The second part, `ofx_`, is this library's own: a caller looks each of
   its functions up and does without it where it is missing.

   * Every function may be called from any thread at any time. One engine has one lock; it is never held while a
     callback runs, so a callback may call anything, of_engine_destroy too.
   * Strings are UTF-8 and end in NUL; NULL is "". Prices, sizes and times are integers: price ticks, lots, ns.
   * A call that does not return OF_OK has changed nothing; of_last_error says what was wrong with which value.
     (A disk fault is no refusal: the event is applied, the fault is told in health and in the metrics.)
   * Callbacks run in the calling thread, in the order of subscription, after the event's whole state is
     updated. The event, with its payload, is the callback's only until it returns. */

#ifndef LEDGERX_ORDERFLOW_H
#define LEDGERX_ORDERFLOW_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define OF_API __attribute__((visibility("default")))
#else
#define OF_API
#endif

typedef struct of_engine of_engine_t;
typedef struct of_subscription of_subscription_t;

enum { OF_OK = 0, OF_ERR_ARG = 1, OF_ERR_STATE = 2, OF_ERR_IO = 3, OF_ERR_MEMORY = 4, OF_ERR_INTERNAL = 255 };
enum { OF_STREAM_BOOK = 1, OF_STREAM_TRADES = 2, OF_STREAM_ANALYTICS = 3, OF_STREAM_SIGNALS = 4, OF_STREAM_HEALTH = 5 };
enum { OF_SIDE_BID = 0, OF_SIDE_ASK = 1 };
enum { OF_BOOK_UPSERT = 0, OF_BOOK_DELETE = 1 };
enum {
    OF_QUALITY_STALE_FEED = 1 << 0,
    OF_QUALITY_SEQUENCE_GAP = 1 << 1,
    OF_QUALITY_CLOCK_SKEW = 1 << 2,
    OF_QUALITY_DEPTH_TRUNCATED = 1 << 3,
    OF_QUALITY_OUT_OF_ORDER = 1 << 4,
    OF_QUALITY_ADAPTER_DEGRADED = 1 << 5
};

/* ---- The reference package's part ---- */

typedef struct of_engine_config {
    const char *instance_id;
    const char *config_path; /* must be empty here: the caller reads the file and passes what it says */
    uint32_t log_level;      /* no effect */
    uint8_t enable_persistence;
    uint64_t audit_max_bytes;
    uint32_t audit_max_files;
    const char *audit_redact_tokens_csv;
    uint64_t data_retention_max_bytes;
    uint64_t data_retention_max_age_secs;
} of_engine_config_t;

typedef struct of_symbol {
    const char *venue;
    const char *symbol;
    uint16_t depth_levels;
} of_symbol_t;

typedef struct of_trade {
    of_symbol_t symbol;
    int64_t price;
    int64_t size;
    uint32_t aggressor_side;
    uint64_t sequence;
    uint64_t ts_exchange_ns;
    uint64_t ts_recv_ns;
} of_trade_t;

typedef struct of_book {
    of_symbol_t symbol;
    uint32_t side;
    uint16_t level;
    int64_t price;
    int64_t size;
    uint32_t action;
    uint64_t sequence;
    uint64_t ts_exchange_ns;
    uint64_t ts_recv_ns;
} of_book_t;

typedef struct of_external_feed_policy {
    uint64_t stale_after_ms;
    uint8_t enforce_sequence;
} of_external_feed_policy_t;

typedef struct of_event {
    uint64_t ts_exchange_ns;
    uint64_t ts_recv_ns;
    uint32_t kind;
    const void *payload; /* schema_id 1: JSON, payload_len bytes; others: ofx_record_callback_t's */
    uint32_t payload_len;
    uint32_t schema_id;
    uint32_t quality_flags;
} of_event_t;

typedef void (*of_event_callback_t)(const of_event_t *event, void *user_data);

OF_API uint32_t of_api_version(void);
OF_API const char *of_build_info(void);
OF_API int32_t of_engine_create(const of_engine_config_t *config, of_engine_t **out);
OF_API int32_t of_engine_start(of_engine_t *engine);
OF_API int32_t of_engine_stop(of_engine_t *engine);
OF_API void of_engine_destroy(of_engine_t *engine);
OF_API int32_t of_subscribe(of_engine_t *engine, const of_symbol_t *symbol, uint32_t kind, of_event_callback_t callback,
                            void *user_data, of_subscription_t **out);
OF_API int32_t of_unsubscribe(of_subscription_t *subscription);
OF_API int32_t of_unsubscribe_symbol(of_engine_t *engine, const of_symbol_t *symbol);
OF_API int32_t of_engine_poll_once(of_engine_t *engine, uint32_t quality_flags);
OF_API int32_t of_reset_symbol_session(of_engine_t *engine, const of_symbol_t *symbol);
OF_API int32_t of_configure_external_feed(of_engine_t *engine, const of_external_feed_policy_t *policy);
OF_API int32_t of_external_set_reconnecting(of_engine_t *engine, uint8_t reconnecting);
OF_API int32_t of_external_health_tick(of_engine_t *engine);
OF_API int32_t of_ingest_trade(of_engine_t *engine, const of_trade_t *trade, uint32_t quality_flags);
OF_API int32_t of_ingest_book(of_engine_t *engine, const of_book_t *book, uint32_t quality_flags);

/* Snapshots as JSON into `out` of *len bytes; *len becomes the text's length. OF_ERR_ARG with *len above what was
   given means: again with that much. */
OF_API int32_t of_get_book_snapshot(of_engine_t *engine, const of_symbol_t *symbol, void *out, uint32_t *len);
OF_API int32_t of_get_analytics_snapshot(of_engine_t *engine, const of_symbol_t *symbol, void *out, uint32_t *len);
OF_API int32_t of_get_signal_snapshot(of_engine_t *engine, const of_symbol_t *symbol, void *out, uint32_t *len);
OF_API int32_t of_get_metrics_json(of_engine_t *engine, const char **out, uint32_t *len); /* of_string_free it */
OF_API void of_string_free(const char *text);

/* ---- This library's own part ---- */

enum { OFX_SIGNAL_DELTA_MOMENTUM = 0, OFX_SIGNAL_PRICE_MOMENTUM = 1 };
enum { OFX_CLOCK_WALL = 0, OFX_CLOCK_EVENT = 1 };

/* What ofx_engine_create takes beside the configuration; `struct_bytes` is sizeof of the caller's own. Zero is the
   default of each. */
typedef struct ofx_engine_options {
    uint32_t struct_bytes;
    uint32_t signal_module;
    int64_t signal_threshold;     /* 0: 100 */
    const char *data_root;        /* NULL: "data" */
    const char *audit_path;       /* NULL or "": no audit log */
    uint64_t momentum_fast_trades, momentum_slow_trades; /* spans of the price momentum's averages; 0: 20, 100 */
    uint64_t momentum_threshold_bps;                     /* 0: 10,000, one deviation */
    uint64_t trades_kept_max;     /* trades of a symbol kept for ofx_series_copy, the oldest fall out; 0: none */
    uint64_t candle_ns;           /* width of a footprint's candles; 0: no footprint */
    uint64_t candles_kept_max;    /* 0: 1,440 */
    int64_t vpin_bucket_lots;     /* 0: no VPIN */
    uint64_t vpin_buckets;        /* of one estimate; 0: 50 */
    uint64_t vpin_buckets_kept_max; /* for ofx_series_copy; 0: 10,000 */
    uint64_t absorption_trades;   /* window of the absorption; 0: none */
} ofx_engine_options_t;

typedef struct ofx_feed_policy {
    uint32_t struct_bytes;
    uint8_t enforce_sequence;
    uint8_t one_numbering;         /* books and trades of a symbol share a sequence */
    uint8_t drop_duplicates;       /* an event with the remembered sequence or one before is counted and not applied */
    uint8_t reset_after_reconnect; /* the sequence memory is forgotten when reconnecting ends */
    uint64_t stale_after_ms;
    uint32_t clock;                /* OFX_CLOCK_EVENT: silence is measured in ts_exchange_ns */
    uint64_t clock_skew_max_ms;    /* 0: CLOCK_SKEW is never raised here */
    uint8_t flag_truncated_depth;  /* a level at or above the symbol's depth_levels: DEPTH_TRUNCATED */
    uint8_t limit_depth;           /* such a level is not stored */
} ofx_feed_policy_t;

typedef struct ofx_analytics {
    int64_t delta, cumulative_delta, buy_volume, sell_volume;
    int64_t last_price, point_of_control, value_area_low, value_area_high;
} ofx_analytics_t;

typedef struct ofx_signal {
    const char *module, *state, *reason; /* static texts */
    uint32_t confidence_bps;
    uint32_t quality_flags;
} ofx_signal_t;

typedef struct ofx_level {
    int64_t price;
    int64_t size;
    uint32_t level;
} ofx_level_t;

/* A payload without JSON. TRADES: of_trade_t. BOOK: of_book_t. ANALYTICS: ofx_analytics_t. SIGNALS: ofx_signal_t.
   HEALTH: JSON, as a const char * that ends in NUL. `kind` in the event says which; schema_id is 2, and 1 for JSON. */

/* The index of a symbol in this engine, which never changes; interned when first seen. */
OF_API int32_t ofx_symbol_id(of_engine_t *engine, const of_symbol_t *symbol, uint32_t *out);
OF_API const char *ofx_last_error(void); /* of this thread's latest refused call; "" before one */
OF_API int32_t ofx_engine_create(const of_engine_config_t *config, const ofx_engine_options_t *options,
                                 of_engine_t **out);
OF_API int32_t ofx_configure_feed(of_engine_t *engine, const ofx_feed_policy_t *policy);
OF_API int32_t ofx_subscribe(of_engine_t *engine, uint32_t symbol_id, uint32_t kind, of_event_callback_t callback,
                             void *user_data, of_subscription_t **out); /* payloads without JSON */

/* As of_ingest_trade and of_ingest_book, with an interned symbol: the event's `symbol` is not looked at. */
OF_API int32_t ofx_ingest_trade(of_engine_t *engine, uint32_t symbol_id, const of_trade_t *trade,
                                uint32_t quality_flags);
OF_API int32_t ofx_ingest_book(of_engine_t *engine, uint32_t symbol_id, const of_book_t *book, uint32_t quality_flags);

/* A column: `stride_bytes` from one value to the next, at any alignment. NULL data: every value is 0. */
typedef struct ofx_column {
    const void *data;
    ptrdiff_t stride_bytes;
} ofx_column_t;

typedef struct ofx_trade_columns {
    size_t rows;
    ofx_column_t price, size;                          /* int64 */
    ofx_column_t aggressor;                            /* uint8 */
    ofx_column_t sequence, ts_exchange_ns, ts_recv_ns; /* uint64 */
} ofx_trade_columns_t;

typedef struct ofx_book_columns {
    size_t rows;
    ofx_column_t side, action;                         /* uint8 */
    ofx_column_t level;                                /* uint16 */
    ofx_column_t price, size;                          /* int64 */
    ofx_column_t sequence, ts_exchange_ns, ts_recv_ns; /* uint64 */
} ofx_book_columns_t;

/* The rows one after the other, as that many single calls. All rows are looked at first: one that is refused
   refuses all, and *bad_row names it. Subscribers are called for every row. */
OF_API int32_t ofx_ingest_trades(of_engine_t *engine, uint32_t symbol_id, const ofx_trade_columns_t *trades,
                                 uint32_t quality_flags, size_t *bad_row);
OF_API int32_t ofx_ingest_books(of_engine_t *engine, uint32_t symbol_id, const ofx_book_columns_t *books,
                                uint32_t quality_flags, size_t *bad_row);

/* Snapshots as values; *known is 0 where the JSON one is {}. */
OF_API int32_t ofx_read_analytics(of_engine_t *engine, uint32_t symbol_id, ofx_analytics_t *out, int32_t *known);
OF_API int32_t ofx_read_signal(of_engine_t *engine, uint32_t symbol_id, ofx_signal_t *out, int32_t *known);

typedef struct ofx_book_head {
    uint64_t last_sequence, ts_exchange_ns, ts_recv_ns;
    size_t bids, asks; /* levels that there are */
} ofx_book_head_t;

/* Bids and then asks, each by level, into `rows`, at most `rows_max`; again with more room where there are more. */
OF_API int32_t ofx_read_book(of_engine_t *engine, uint32_t symbol_id, ofx_book_head_t *out, ofx_level_t *rows,
                             size_t rows_max, int32_t *known);

/* Derived figures and series; the formulas are in docs/orderflow.rst. A figure without a value is NaN. */
typedef struct ofx_flow {
    uint64_t trades;
    double vwap, vwap_deviation;       /* volume-weighted mean and standard deviation of the price */
    double vpin;                       /* 0 to 1 */
    uint64_t vpin_buckets_filled;
    double momentum_fast, momentum_slow, momentum_deviation;
    double absorption_bid, absorption_ask; /* lots traded into a side per tick that its price gave way */
    double top_imbalance, microprice;  /* of level 0 of the book */
    uint8_t crossed;                   /* the best bid is at or above the best ask */
} ofx_flow_t;
OF_API int32_t ofx_read_flow(of_engine_t *engine, uint32_t symbol_id, ofx_flow_t *out, int32_t *known);

enum {
    OFX_SERIES_TRADES = 0,
    OFX_SERIES_CANDLES = 1,
    OFX_SERIES_FOOTPRINT = 2,
    OFX_SERIES_PROFILE = 3,
    OFX_SERIES_VPIN = 4
};

typedef struct ofx_trade_row {
    uint64_t ts_exchange_ns, ts_recv_ns, sequence;
    int64_t price, size, cumulative_delta;
    uint32_t aggressor, quality_flags;
} ofx_trade_row_t;

typedef struct ofx_candle_row {
    uint64_t start_ns;
    int64_t open, high, low, close, buy_volume, sell_volume, cumulative_delta;
    uint64_t trades;
} ofx_candle_row_t;

typedef struct ofx_footprint_row {
    uint64_t start_ns;
    int64_t price, buy_volume, sell_volume;
} ofx_footprint_row_t;

typedef struct ofx_profile_row {
    int64_t price, buy_volume, sell_volume;
} ofx_profile_row_t;

typedef struct ofx_vpin_row {
    uint64_t end_ns; /* of the trade that filled the bucket */
    int64_t buy_volume, sell_volume;
    double vpin;
} ofx_vpin_row_t;

/* A series as rows of its type, oldest first, in memory that of_string_free frees; *bytes is their size. */
OF_API int32_t ofx_series_copy(of_engine_t *engine, uint32_t symbol_id, uint32_t series, const char **rows,
                               size_t *bytes);

#endif
