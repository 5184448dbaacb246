/* One engine through everything it can do, again and again, each time with another allocation failing: a call says
   OF_OK or OF_ERR_MEMORY, and what it says is what happened. Takes a folder for its files. Linked with --wrap for
   malloc, calloc, realloc and strdup. */

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "orderflow.h"

static long until_failure = -1, failed;

static bool fails(void)
{
    if (until_failure < 0 || until_failure-- > 0) {
        return false;
    }
    failed++;
    return true;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *data, size_t size);
char *__real_strdup(const char *text);

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *data, size_t size)
{
    return fails() ? NULL : __real_realloc(data, size);
}

char *__wrap_strdup(const char *text)
{
    return fails() ? NULL : __real_strdup(text);
}

static const of_symbol_t SYMBOL = {"CME", "ES/M6", 10}, OTHER = {"CME", "NQM6", 2};
static long lots;

static bool went_well(int32_t code, const char *what)
{
    if (code != OF_OK && code != OF_ERR_MEMORY) {
        fprintf(stderr, "%s: code %d: %s\n", what, code, ofx_last_error());
        exit(1);
    }
    return code == OF_OK;
}

static void on_event(const of_event_t *event, void *user_data)
{
    (void)event;
    ++*(long *)user_data;
}

static void bring(of_engine_t *engine)
{
    for (int at = 0; at < 120; at++) {
        of_trade_t trade = {.symbol = at % 9 ? SYMBOL : OTHER, .price = at % 40, .size = 3, .aggressor_side = at % 2,
                            .sequence = (uint64_t)at + 1, .ts_exchange_ns = (uint64_t)at * 10};
        int32_t code = of_ingest_trade(engine, &trade, 0);
        /* Out of memory after the event: it is applied, and the text says so. */
        bool applied = code == OF_OK || strstr(ofx_last_error(), "is applied") != NULL;
        went_well(code, "trade");
        lots += applied && at % 9 ? 3 : 0;
        of_book_t book = {.symbol = SYMBOL, .side = at % 2, .level = (uint16_t)(at % 30), .price = at, .size = 1};
        went_well(of_ingest_book(engine, &book, 0), "book");
    }
    int64_t values[6] = {1, 2, 3, 1, 1, 1};
    uint8_t sides[3] = {0, 1, 0};
    ofx_trade_columns_t trades = {.rows = 3, .price = {values, 8}, .size = {values + 3, 8}, .aggressor = {sides, 1}};
    size_t bad_row;
    uint32_t id;
    if (went_well(ofx_symbol_id(engine, &SYMBOL, &id), "symbol")) {
        int32_t code = ofx_ingest_trades(engine, id, &trades, 0, &bad_row);
        went_well(code, "batch");
        lots += code == OF_OK ? 3 : (long)bad_row + (strstr(ofx_last_error(), "is applied") != NULL);
    }
}

static void look(of_engine_t *engine)
{
    char out[32768];
    uint32_t length = sizeof out, id;
    const char *text;
    size_t bytes;
    went_well(of_get_book_snapshot(engine, &SYMBOL, out, &length), "book snapshot");
    length = sizeof out;
    went_well(of_get_analytics_snapshot(engine, &SYMBOL, out, &length), "analytics snapshot");
    length = sizeof out;
    went_well(of_get_signal_snapshot(engine, &SYMBOL, out, &length), "signal snapshot");
    if (went_well(of_get_metrics_json(engine, &text, &length), "metrics")) {
        of_string_free(text);
    }
    if (!went_well(ofx_symbol_id(engine, &SYMBOL, &id), "symbol")) {
        return;
    }
    for (uint32_t series = 0; series <= OFX_SERIES_VPIN; series++) {
        if (went_well(ofx_series_copy(engine, id, series, &text, &bytes), "series")) {
            of_string_free(text);
        }
    }
}

/* True when an allocation failed. */
static bool run(const char *folder, long failing)
{
    char audit[512];
    long told = 0;
    snprintf(audit, sizeof audit, "%s/audit.log", folder);
    of_engine_config_t config = {.instance_id = "faults", .enable_persistence = 1, .audit_max_bytes = 4000,
                                 .audit_max_files = 2, .audit_redact_tokens_csv = "secret, es",
                                 .data_retention_max_bytes = 20000};
    ofx_engine_options_t options = {.struct_bytes = sizeof options, .data_root = folder, .audit_path = audit,
                                    .trades_kept_max = 100, .candle_ns = 100, .candles_kept_max = 4,
                                    .vpin_bucket_lots = 10, .vpin_buckets = 3, .absorption_trades = 10};
    of_engine_t *engine;
    of_subscription_t *subscription;
    lots = failed = 0;
    until_failure = failing;
    if (!went_well(ofx_engine_create(&config, &options, &engine), "create")) {
        return true;
    }
    went_well(of_engine_start(engine), "start");
    for (uint32_t kind = OF_STREAM_BOOK; kind <= OF_STREAM_HEALTH; kind++) {
        went_well(of_subscribe(engine, kind % 2 ? &SYMBOL : &OTHER, kind, on_event, &told, &subscription), "subscribe");
    }
    bring(engine);
    look(engine);
    went_well(of_engine_poll_once(engine, 0), "poll");
    until_failure = -1;
    ofx_analytics_t analytics;
    uint32_t id;
    int32_t known;
    went_well(ofx_symbol_id(engine, &SYMBOL, &id), "symbol");
    went_well(ofx_read_analytics(engine, id, &analytics, &known), "analytics");
    if (analytics.buy_volume + analytics.sell_volume != lots) {
        fprintf(stderr, "allocation %ld: %lld lots are there, %ld went well\n", failing,
                (long long)(analytics.buy_volume + analytics.sell_volume), lots);
        exit(1);
    }
    went_well(of_reset_symbol_session(engine, &SYMBOL), "reset");
    of_engine_destroy(engine);
    return failed > 0;
}

int main(int count, char **arguments)
{
    long failing = 0;
    if (count != 2) {
        return 2;
    }
    while (run(arguments[1], failing)) {
        failing++;
    }
    printf("%ld allocations failed in turn\n", failing);
    return 0;
}
