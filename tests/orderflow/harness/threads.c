/* Eight threads bring trades and books into one engine while others read, subscribe and unsubscribe. Built with
   ThreadSanitizer, and with AddressSanitizer; the totals must be exact. Takes a number of trades a thread. */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "orderflow.h"

#define THREADS 8

static of_engine_t *engine;
static const of_symbol_t SYMBOL = {"CME", "ESM6", 10};
static uint32_t symbol_id;
static long trades_of_a_thread;
static atomic_long told;
static atomic_bool over;

static void expect(int32_t code, const char *what)
{
    if (code != OF_OK) {
        fprintf(stderr, "%s: code %d: %s\n", what, code, ofx_last_error());
        exit(1);
    }
}

static void on_event(const of_event_t *event, void *user_data)
{
    (void)user_data;
    atomic_fetch_add(&told, 1);
    if (event->payload_len == 0) {
        return;
    }
    if (event->kind == OF_STREAM_TRADES && event->schema_id == 1 && ((const char *)event->payload)[0] != '{') {
        fprintf(stderr, "a payload is no JSON\n");
        exit(1);
    }
}

static void *bring(void *argument)
{
    long number = (long)argument;
    for (long at = 0; at < trades_of_a_thread; at++) {
        of_trade_t trade = {
            .symbol = SYMBOL, .price = (at * 7 + number) % 50, .size = 1 + number, .aggressor_side = at % 2};
        of_book_t book = {.symbol = SYMBOL, .side = at % 2, .level = (uint16_t)(at % 20), .price = at, .size = 1};
        expect(at % 2 ? of_ingest_trade(engine, &trade, 0) : ofx_ingest_trade(engine, symbol_id, &trade, 0), "trade");
        expect(of_ingest_book(engine, &book, 0), "book");
        if (at % 64 == 0) {
            expect(of_engine_poll_once(engine, 0), "poll");
            expect(of_external_health_tick(engine), "tick");
        }
    }
    return NULL;
}

static void *bring_batches(void *argument)
{
    long number = (long)argument, rows = trades_of_a_thread;
    int64_t *price = malloc((size_t)rows * 8), *size = malloc((size_t)rows * 8);
    uint8_t *side = malloc((size_t)rows);
    for (long at = 0; at < rows; at++) {
        price[at] = at % 100, size[at] = 1 + number, side[at] = (uint8_t)(at % 2);
    }
    ofx_trade_columns_t columns = {
        .rows = (size_t)rows, .price = {price, 8}, .size = {size, 8}, .aggressor = {side, 1}};
    size_t bad_row;
    expect(ofx_ingest_trades(engine, symbol_id, &columns, 0, &bad_row), "batch");
    free(price), free(size), free(side);
    return NULL;
}

static void *look(void *argument)
{
    (void)argument;
    while (!atomic_load(&over)) {
        ofx_analytics_t analytics;
        ofx_signal_t signal;
        ofx_flow_t flow;
        int32_t known;
        const char *text;
        uint32_t length;
        size_t bytes;
        char out[65536];
        expect(ofx_read_analytics(engine, symbol_id, &analytics, &known), "analytics");
        expect(ofx_read_signal(engine, symbol_id, &signal, &known), "signal");
        expect(ofx_read_flow(engine, symbol_id, &flow, &known), "flow");
        length = sizeof out;
        expect(of_get_book_snapshot(engine, &SYMBOL, out, &length), "book snapshot");
        expect(of_get_metrics_json(engine, &text, &length), "metrics");
        of_string_free(text);
        for (uint32_t series = 0; series <= OFX_SERIES_VPIN; series++) {
            expect(ofx_series_copy(engine, symbol_id, series, &text, &bytes), "series");
            of_string_free(text);
        }
    }
    return NULL;
}

static void *come_and_go(void *argument)
{
    (void)argument;
    while (!atomic_load(&over)) {
        of_subscription_t *subscriptions[5];
        for (uint32_t kind = OF_STREAM_BOOK; kind <= OF_STREAM_HEALTH; kind++) {
            int32_t code = kind % 2 ? of_subscribe(engine, &SYMBOL, kind, on_event, NULL, &subscriptions[kind - 1])
                                    : ofx_subscribe(engine, symbol_id, kind, on_event, NULL, &subscriptions[kind - 1]);
            expect(code, "subscribe");
        }
        expect(of_unsubscribe_symbol(engine, &SYMBOL), "unsubscribe symbol");
        for (int at = 0; at < 5; at++) {
            expect(of_unsubscribe(subscriptions[at]), "unsubscribe");
        }
    }
    return NULL;
}

int main(int count, char **arguments)
{
    trades_of_a_thread = count > 1 ? atol(arguments[1]) : 2000;
    of_engine_config_t config = {.instance_id = "threads"};
    ofx_engine_options_t options = {.struct_bytes = sizeof options, .trades_kept_max = 1000, .candle_ns = 1000,
                                    .vpin_bucket_lots = 100, .absorption_trades = 100};
    expect(ofx_engine_create(&config, &options, &engine), "create");
    expect(of_engine_start(engine), "start");
    expect(ofx_symbol_id(engine, &SYMBOL, &symbol_id), "symbol");
    pthread_t threads[THREADS], readers[2];
    pthread_create(&readers[0], NULL, look, NULL);
    pthread_create(&readers[1], NULL, come_and_go, NULL);
    for (long at = 0; at < THREADS; at++) {
        pthread_create(&threads[at], NULL, at < THREADS - 1 ? bring : bring_batches, (void *)at);
    }
    int64_t lots = 0;
    for (long at = 0; at < THREADS; at++) {
        pthread_join(threads[at], NULL);
        lots += (1 + at) * trades_of_a_thread;
    }
    atomic_store(&over, true);
    pthread_join(readers[0], NULL);
    pthread_join(readers[1], NULL);
    ofx_analytics_t analytics;
    int32_t known;
    expect(ofx_read_analytics(engine, symbol_id, &analytics, &known), "analytics");
    printf("lots %lld of %lld, told %ld\n", (long long)(analytics.buy_volume + analytics.sell_volume), (long long)lots,
           atomic_load(&told));
    of_engine_destroy(engine);
    return analytics.buy_volume + analytics.sell_volume == lots ? 0 : 1;
}
