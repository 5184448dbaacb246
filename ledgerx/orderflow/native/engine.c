/* An engine's life: made, started, stopped, destroyed; and what is told to it beside events. */

#include "internal.h"

#define API_VERSION 65536u /* 1.0, as the reference package counts */
#define ROWS_MAX (1ull << 40)

uint32_t of_api_version(void)
{
    return API_VERSION;
}

const char *of_build_info(void)
{
    return "of_ffi_c/ledgerx-1.0";
}

static uint64_t or_default(uint64_t value, uint64_t otherwise)
{
    return value ? value : otherwise;
}

static int32_t check_count(const char *field, uint64_t value)
{
    return value > ROWS_MAX ? fail(OF_ERR_ARG, "%s %llu is more than %llu", field, (unsigned long long)value, ROWS_MAX)
                            : OF_OK;
}

static int32_t set_options(of_engine_t *engine, const ofx_engine_options_t *given)
{
    ofx_engine_options_t *options = &engine->options;
    if (given != NULL) {
        memcpy(options, given, given->struct_bytes < sizeof *options ? given->struct_bytes : sizeof *options);
    }
    if (options->signal_module > OFX_SIGNAL_PRICE_MOMENTUM) {
        return fail(OF_ERR_ARG, "signal_module %u is unknown: use 0 or 1", options->signal_module);
    }
    if (options->signal_threshold < 0) {
        return fail(OF_ERR_ARG, "signal_threshold %lld is negative: give lots of delta, 1 or more",
                    (long long)options->signal_threshold);
    }
    if (options->vpin_bucket_lots < 0) {
        return fail(OF_ERR_ARG, "vpin_bucket_lots %lld is negative: 0 switches VPIN off",
                    (long long)options->vpin_bucket_lots);
    }
    options->signal_threshold = options->signal_threshold ? options->signal_threshold : 100;
    options->momentum_fast_trades = or_default(options->momentum_fast_trades, 20);
    options->momentum_slow_trades = or_default(options->momentum_slow_trades, 100);
    options->momentum_threshold_bps = or_default(options->momentum_threshold_bps, 10000);
    options->candles_kept_max = or_default(options->candles_kept_max, 1440);
    options->vpin_buckets = or_default(options->vpin_buckets, 50);
    options->vpin_buckets_kept_max = or_default(options->vpin_buckets_kept_max, 10000);
    int32_t code = check_count("trades_kept_max", options->trades_kept_max);
    code = code ? code : check_count("candles_kept_max", options->candles_kept_max);
    code = code ? code : check_count("vpin_buckets", options->vpin_buckets);
    code = code ? code : check_count("absorption_trades", options->absorption_trades);
    if (options->vpin_buckets_kept_max < options->vpin_buckets) {
        options->vpin_buckets_kept_max = options->vpin_buckets;
    }
    return code;
}

static int32_t set_config(of_engine_t *engine, const of_engine_config_t *config)
{
    if (config->config_path != NULL && *config->config_path != 0) {
        return fail(OF_ERR_ARG, "config_path is read by the caller: pass what the file says");
    }
    bool named = config->instance_id != NULL && *config->instance_id != 0;
    engine->instance_id = strdup(named ? config->instance_id : "default");
    const char *root = engine->options.data_root;
    engine->data_root = strdup(root != NULL && *root != 0 ? root : "data");
    engine->options.data_root = NULL;
    if (engine->instance_id == NULL || engine->data_root == NULL) {
        return fail_memory();
    }
    engine->persistence = config->enable_persistence != 0;
    engine->retention_bytes_max = config->data_retention_max_bytes;
    engine->retention_age_max_s = config->data_retention_max_age_secs;
    engine->policy = (ofx_feed_policy_t){.enforce_sequence = 1, .stale_after_ms = 15000};
    const char *audit_path = engine->options.audit_path;
    engine->options.audit_path = NULL;
    return audit_path != NULL && *audit_path != 0 ? audit_open(&engine->audit, audit_path, config) : OF_OK;
}

void engine_free(of_engine_t *engine)
{
    for (size_t at = 0; at < engine->subscription_count; at++) {
        free(engine->subscriptions[at]);
    }
    for (size_t at = 0; at < engine->retired_count; at++) {
        free(engine->retired[at]);
    }
    free(engine->subscriptions);
    free(engine->retired);
    instruments_free(engine);
    audit_close(&engine->audit);
    free(engine->instance_id);
    free(engine->data_root);
    pthread_mutex_destroy(&engine->lock);
    free(engine);
}

int32_t ofx_engine_create(const of_engine_config_t *config, const ofx_engine_options_t *options, of_engine_t **out)
{
    of_engine_t *engine = calloc(1, sizeof *engine);
    if (engine == NULL) {
        return fail_memory();
    }
    pthread_mutex_init(&engine->lock, NULL);
    engine->told.flags = UINT32_MAX; /* nothing was told: whatever is first counts as a change */
    int32_t code = set_options(engine, options);
    code = code ? code : set_config(engine, config);
    if (code) {
        engine_free(engine);
        return code;
    }
    *out = engine;
    return OF_OK;
}

int32_t of_engine_create(const of_engine_config_t *config, of_engine_t **out)
{
    return ofx_engine_create(config, NULL, out);
}

int32_t of_engine_start(of_engine_t *engine)
{
    pthread_mutex_lock(&engine->lock);
    if (!engine->health.started) {
        engine->health.started = engine->health.connected = engine->ever_started = true;
        health_settle(engine);
        audit_write(engine, "engine_started", &(audit_field_t){"instance_id", engine->instance_id, 0, false}, 1);
        if (engine->persistence) {
            retention_run(engine, wall_ns() / 1000000000ull);
        }
    }
    pthread_mutex_unlock(&engine->lock);
    return OF_OK;
}

int32_t of_engine_stop(of_engine_t *engine)
{
    pthread_mutex_lock(&engine->lock);
    if (engine->health.started) {
        engine->health.started = false;
        engine->health.flags = 0;
        health_settle(engine);
        persist_flush_all(engine);
        audit_write(engine, "engine_stopped",
                    &(audit_field_t){"processed_events", NULL, engine->counters.processed_events, false}, 1);
    }
    pthread_mutex_unlock(&engine->lock);
    return OF_OK;
}

void of_engine_destroy(of_engine_t *engine)
{
    if (engine == NULL) {
        return;
    }
    of_engine_stop(engine);
    pthread_mutex_lock(&engine->lock);
    for (size_t at = 0; at < engine->subscription_count; at++) {
        atomic_store(&engine->subscriptions[at]->active, false);
    }
    engine->doomed = true;
    bool busy = engine->pins > 0; /* whoever delivers last frees it */
    pthread_mutex_unlock(&engine->lock);
    if (!busy) {
        engine_free(engine);
    }
}

int32_t need_started(const of_engine_t *engine, const char *call)
{
    return engine->health.started ? OF_OK
                                  : fail(OF_ERR_STATE, "%s needs a started engine: call start() before", call);
}

/* Settles health and tells it; unlocks. */
static int32_t tell_health(of_engine_t *engine, uint32_t flags, bool snapshots)
{
    deliveries_t deliveries;
    int32_t code = deliveries_reserve(&deliveries, engine);
    engine->health.flags = flags;
    health_settle(engine);
    if (code) {
        pthread_mutex_unlock(&engine->lock);
        return code;
    }
    code = deliveries_collect(&deliveries, engine, NULL, NULL, NULL, snapshots);
    deliveries_send(&deliveries, engine);
    return code;
}

int32_t of_engine_poll_once(of_engine_t *engine, uint32_t quality_flags)
{
    pthread_mutex_lock(&engine->lock);
    int32_t code = need_started(engine, "poll_once");
    if (code) {
        pthread_mutex_unlock(&engine->lock);
        return code;
    }
    persist_flush_all(engine);
    return tell_health(engine, quality_flags, true);
}

int32_t ofx_configure_feed(of_engine_t *engine, const ofx_feed_policy_t *policy)
{
    pthread_mutex_lock(&engine->lock);
    int32_t code = need_started(engine, "configure_external_feed");
    if (code == OF_OK && policy->clock > OFX_CLOCK_EVENT) {
        code = fail(OF_ERR_ARG, "clock %u is unknown: use 0 (wall) or 1 (event)", policy->clock);
    }
    if (code) {
        pthread_mutex_unlock(&engine->lock);
        return code;
    }
    memset(&engine->policy, 0, sizeof engine->policy);
    memcpy(&engine->policy, policy,
           policy->struct_bytes < sizeof engine->policy ? policy->struct_bytes : sizeof engine->policy);
    engine->feed_enabled = true;
    audit_field_t fields[] = {{"stale_after_ms", NULL, policy->stale_after_ms, false},
                              {"enforce_sequence", NULL, policy->enforce_sequence != 0, true}};
    audit_write(engine, "external_feed_configured", fields, 2);
    return tell_health(engine, quality_external(engine, wall_ns(), 0), false);
}

int32_t of_configure_external_feed(of_engine_t *engine, const of_external_feed_policy_t *policy)
{
    ofx_feed_policy_t full = {.struct_bytes = sizeof full,
                              .enforce_sequence = policy->enforce_sequence != 0,
                              .stale_after_ms = policy->stale_after_ms};
    return ofx_configure_feed(engine, &full);
}

int32_t of_external_set_reconnecting(of_engine_t *engine, uint8_t reconnecting)
{
    pthread_mutex_lock(&engine->lock);
    int32_t code = need_started(engine, "set_external_reconnecting");
    if (code) {
        pthread_mutex_unlock(&engine->lock);
        return code;
    }
    bool ended = engine->health.reconnecting && !reconnecting;
    for (size_t at = 0; ended && engine->policy.reset_after_reconnect && at < engine->instrument_count; at++) {
        engine->instruments[at]->trade_sequence = engine->instruments[at]->book_sequence = 0;
    }
    engine->feed_enabled = true;
    engine->health.reconnecting = reconnecting != 0;
    audit_write(engine, "external_feed_reconnecting", &(audit_field_t){"reconnecting", NULL, reconnecting != 0, true},
                1);
    return tell_health(engine, quality_external(engine, wall_ns(), 0), false);
}

int32_t of_external_health_tick(of_engine_t *engine)
{
    pthread_mutex_lock(&engine->lock);
    int32_t code = need_started(engine, "external_health_tick");
    if (code) {
        pthread_mutex_unlock(&engine->lock);
        return code;
    }
    persist_flush_all(engine);
    return tell_health(engine, quality_external(engine, wall_ns(), 0), false);
}

static void clear_session(of_engine_t *engine, instrument_t *instrument)
{
    instrument->buy_volume = instrument->sell_volume = instrument->last_price = 0;
    profile_clear(&instrument->profile);
    flow_clear(&instrument->flow);
    candles_clear(&instrument->candles);
    ring_clear(&instrument->trades);
    signal_reset(engine, instrument);
}

int32_t of_reset_symbol_session(of_engine_t *engine, const of_symbol_t *symbol)
{
    instrument_t *instrument = NULL;
    pthread_mutex_lock(&engine->lock);
    int32_t code = instrument_find(engine, symbol, &instrument);
    if (code == OF_OK) {
        if (instrument != NULL && instrument->traded) {
            clear_session(engine, instrument);
            audit_symbol(engine, "session_reset", instrument, NULL, 0);
        }
        engine->health.flags = 0;
        health_settle(engine);
    }
    pthread_mutex_unlock(&engine->lock);
    return code;
}
