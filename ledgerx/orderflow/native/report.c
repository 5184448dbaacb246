/* Health and metrics as JSON: every key the reference package has, with what is true of this engine. */

#include <inttypes.h>

#include "internal.h"

static const char *const FLAG_NAMES[] = {"STALE_FEED",      "SEQUENCE_GAP", "CLOCK_SKEW",
                                         "DEPTH_TRUNCATED", "OUT_OF_ORDER", "ADAPTER_DEGRADED"};

static const char *truth(bool value)
{
    return value ? "true" : "false";
}

static const char *runtime_status(const of_engine_t *engine)
{
    const health_t *health = &engine->health;
    return !health->started ? "disconnected" : health->flags || health->reconnecting ? "degraded" : "healthy";
}

static const char *reconnect_state(const of_engine_t *engine)
{
    const health_t *health = &engine->health;
    return !health->started || !health->connected ? "disconnected" : health->reconnecting ? "degraded" : "streaming";
}

static void add_flags(text_t *out, uint32_t flags)
{
    text_add(out, "\"quality_flags\":%u,\"quality_flags_detail\":[", flags);
    const char *comma = "";
    for (uint32_t bit = 0; bit < sizeof FLAG_NAMES / sizeof *FLAG_NAMES; bit++) {
        if (flags & 1u << bit) {
            text_add(out, "%s\"%s\"", comma, FLAG_NAMES[bit]);
            comma = ",";
        }
    }
    text_put(out, "],", 2);
}

static void add_fault(text_t *out, const char *key, const of_engine_t *engine)
{
    text_add(out, "\"%s\":", key);
    if (engine->fault[0] != 0) {
        text_json_string(out, engine->fault);
    } else {
        text_put(out, "null", 4);
    }
}

/* The reference package's write-ahead log, which this runtime has not: its keys, switched off. */
static void add_write_ahead_log(text_t *out)
{
    text_add(out, "\"market_data_persistence\":{\"schema_version\":1,\"mode\":\"disabled\",\"enabled\":false,"
                  "\"degraded\":false,\"memory_only\":false,\"failure_action\":\"mark_degraded\","
                  "\"blocks_trading\":false,\"accepted_records\":0,\"written_records\":0,\"abandoned_records\":0,"
                  "\"records_lag\":0,\"event_time_lag_ns\":0,\"latest_accepted_ts_recv_ns\":0,"
                  "\"latest_written_ts_recv_ns\":0,\"queue_depth\":0,\"queue_capacity\":0,"
                  "\"queue_high_watermark\":0,\"queued_payload_bytes\":0,\"queued_payload_capacity\":0,"
                  "\"queued_payload_high_watermark\":0,\"rejected_records\":0,\"write_failures\":0,"
                  "\"sync_failures\":0,");
    text_add(out, "\"last_written_sequence\":null,\"last_durable_sequence\":null,\"last_error\":null}");
}

static void add_pressure(text_t *out)
{
    text_add(out, "\"max_events_per_poll\":null,\"backpressure_dropped_events\":0,\"circuit_breaker_enabled\":false,"
                  "\"circuit_breaker_open\":false,\"circuit_breaker_consecutive_failures\":0,"
                  "\"circuit_breaker_opened_count\":0,\"circuit_breaker_cooldown_ms\":1000");
}

static void add_external(text_t *out, const of_engine_t *engine)
{
    text_add(out,
             "\"external_feed_enabled\":%s,\"external_feed_reconnecting\":%s,\"external_sequence_enforced\":%s,",
             truth(engine->feed_enabled), truth(engine->health.reconnecting), truth(engine->policy.enforce_sequence));
}

static void add_last_ingest(text_t *out, const of_engine_t *engine)
{
    if (engine->last_ingest_ns == 0) {
        text_add(out, "\"external_last_ingest_ns\":null,");
    } else {
        text_add(out, "\"external_last_ingest_ns\":%" PRIu64 ",", engine->last_ingest_ns);
    }
}

typedef struct totals {
    size_t tracked, books, traded, trade_sequences, book_sequences;
    uint64_t late_trades;
} totals_t;

static totals_t count(const of_engine_t *engine)
{
    totals_t totals = {0};
    for (size_t at = 0; at < engine->instrument_count; at++) {
        const instrument_t *instrument = engine->instruments[at];
        totals.tracked += instrument->traded || instrument->depth.known;
        totals.books += instrument->depth.known;
        totals.traded += instrument->traded;
        totals.trade_sequences += instrument->trade_sequence != 0;
        totals.book_sequences += instrument->book_sequence != 0;
        totals.late_trades += instrument->candles.late_trades;
    }
    return totals;
}

void report_health(const of_engine_t *engine, text_t *out)
{
    text_add(out, "{\"health_seq\":%" PRIu64 ",\"started\":%s,\"connected\":%s,\"degraded\":false,", engine->health_seq,
             truth(engine->health.started), truth(engine->health.connected));
    text_add(out, "\"reconnect_state\":\"%s\",", reconnect_state(engine));
    add_flags(out, engine->health.flags);
    add_fault(out, "last_error", engine);
    text_add(out,
             ",\"protocol_info\":\"external_ingest\",\"tracked_symbols\":%zu,\"processed_events\":%" PRIu64
             ",\"adapter_total_count\":1,\"adapter_healthy_count\":%d,\"runtime_health_status\":\"%s\",",
             count(engine).tracked, engine->counters.processed_events, engine->health.started, runtime_status(engine));
    add_external(out, engine);
    add_last_ingest(out, engine);
    add_pressure(out);
    text_add(out, ",\"disk_faults\":%" PRIu64 ",", engine->counters.disk_faults);
    add_write_ahead_log(out);
    text_put(out, "}", 1);
}

static bool subscribed_before(const of_engine_t *engine, size_t at)
{
    for (size_t earlier = 0; earlier < at; earlier++) {
        if (engine->subscriptions[earlier]->instrument_id == engine->subscriptions[at]->instrument_id) {
            return true;
        }
    }
    return false;
}

/* Returns how many instruments are subscribed. */
static size_t add_subscribed(text_t *out, const of_engine_t *engine)
{
    size_t found = 0;
    text_add(out, "\"subscribed_symbols\":[");
    for (size_t at = 0; at < engine->subscription_count; at++) {
        if (!subscribed_before(engine, at)) {
            const instrument_t *instrument = engine->instruments[engine->subscriptions[at]->instrument_id];
            text_add(out, "%s{\"venue\":", found++ ? "," : "");
            text_json_string(out, instrument->venue);
            text_put(out, ",\"symbol\":", 10);
            text_json_string(out, instrument->symbol);
            text_put(out, "}", 1);
        }
    }
    text_put(out, "],", 2);
    return found;
}

/* The one adapter is whoever calls the ingest functions. */
static void add_adapters(text_t *out, const of_engine_t *engine)
{
    const char *started = truth(engine->health.started), *connected = truth(engine->health.connected);
    text_add(out,
             "\"adapters\":[{\"schema_version\":1,\"provider\":\"external\",\"provider_id\":\"external\","
             "\"display_name\":\"External feed\",\"feature\":null,\"compiled\":true,\"quality\":\"external\","
             "\"started\":%s,\"connected\":%s,\"degraded\":false,\"healthy\":%s,",
             started, connected, started);
    add_fault(out, "last_error", engine);
    text_add(out,
             ",\"protocol_info\":\"external_ingest\",\"health_seq\":%" PRIu64
             ",\"circuit_breaker_open\":false,\"mode\":\"external\",\"connection_state\":\"%s\","
             "\"endpoint_redacted\":null,\"app_name\":null,\"reconnect_attempt\":0,",
             engine->health_seq, reconnect_state(engine));
    size_t subscribed = add_subscribed(out, engine);
    text_add(out,
             "\"subscription_count\":%zu,\"queue_depth\":0,\"queue_capacity\":null,\"dropped_events\":0,"
             "\"gap_count\":%" PRIu64 ",\"stale\":%s,\"raw_capture_enabled\":false,\"raw_capture_depth\":0,"
             "\"raw_capture_capacity\":0,\"last_message_age_ms\":null,\"last_market_data_age_ms\":null,",
             subscribed, engine->counters.gaps, truth(engine->health.flags & OF_QUALITY_STALE_FEED));
    text_add(out, "\"capabilities\":{\"provider\":\"external\",\"provider_id\":\"external\","
                  "\"display_name\":\"External feed\",\"feature\":null,\"compiled\":true,\"quality\":\"external\","
                  "\"supports_live\":true,\"supports_replay\":true,\"supports_trades\":true,"
                  "\"supports_order_book\":true,\"supports_level2\":true,\"supports_reconnect\":true,"
                  "\"supports_gap_recovery\":false,\"supports_backpressure\":false,");
    text_add(out, "\"supports_raw_capture\":false,\"supports_fixture_replay\":true,"
                  "\"supports_stale_detection\":true,\"supports_latency_metrics\":false,\"supports_polling\":true,"
                  "\"active\":true,\"notes\":\"what ingest calls and attached feeds bring in\"}}]");
}

void report_metrics(const of_engine_t *engine, text_t *out)
{
    totals_t totals = count(engine);
    const counters_t *counters = &engine->counters;
    text_add(out, "{\"instance_id\":");
    text_json_string(out, engine->instance_id);
    text_add(out,
             ",\"started\":%s,\"processed_events\":%" PRIu64 ",\"symbols\":%zu,\"book_symbols\":%zu,"
             "\"analytics_symbols\":%zu,\"signal_symbols\":%zu,\"persistence\":%s,",
             truth(engine->health.started), counters->processed_events, totals.tracked, totals.books, totals.traded,
             totals.traded, truth(engine->persistence));
    add_write_ahead_log(out);
    text_add(out, ",\"health_seq\":%" PRIu64 ",", engine->health_seq);
    add_flags(out, engine->health.flags);
    text_add(out, "\"adapter_connected\":%s,\"adapter_degraded\":false,", truth(engine->health.connected));
    add_fault(out, "adapter_last_error", engine);
    text_add(out,
             ",\"adapter_protocol_info\":\"external_ingest\",\"adapter_total_count\":1,\"adapter_healthy_count\":%d,"
             "\"runtime_health_status\":\"%s\",",
             engine->health.started, runtime_status(engine));
    add_external(out, engine);
    text_add(out,
             "\"external_stale_after_ms\":%" PRIu64
             ",\"external_trade_sequence_symbols\":%zu,\"external_book_sequence_symbols\":%zu,",
             engine->policy.stale_after_ms, totals.trade_sequences, totals.book_sequences);
    add_last_ingest(out, engine);
    text_add(out,
             "\"sequence_gaps\":%" PRIu64 ",\"duplicate_events\":%" PRIu64 ",\"late_events\":%" PRIu64
             ",\"stale_events\":%" PRIu64 ",\"dropped_events\":%" PRIu64 ",\"disk_faults\":%" PRIu64
             ",\"late_candle_trades\":%" PRIu64 ",",
             counters->gaps, counters->duplicates, counters->late, counters->stale, counters->dropped,
             counters->disk_faults, totals.late_trades);
    add_pressure(out);
    text_put(out, ",", 1);
    add_adapters(out, engine);
    text_put(out, "}", 1);
}
