/* Subscriptions: in the order they were made, each until its handle is given back or its symbol unsubscribed. */

#include "internal.h"

static int32_t add(of_engine_t *engine, instrument_t *instrument, const of_subscription_t *wanted,
                   of_subscription_t **out)
{
    if (wanted->kind < OF_STREAM_BOOK || wanted->kind > OF_STREAM_HEALTH) {
        return fail(OF_ERR_ARG, "stream_kind %u is unknown: use 1 (BOOK) to 5 (HEALTH)", wanted->kind);
    }
    if (!engine->ever_started) {
        return fail(OF_ERR_STATE, "subscribe needs a started engine: call start() before");
    }
    of_subscription_t *subscription = malloc(sizeof *subscription);
    if (subscription == NULL ||
        !grow(&engine->subscriptions, &engine->subscription_capacity, engine->subscription_count + 1,
              sizeof *engine->subscriptions) ||
        !grow(&engine->retired, &engine->retired_capacity, engine->retired_count + engine->subscription_count + 1,
              sizeof *engine->retired)) {
        free(subscription);
        return fail_memory();
    }
    memcpy(subscription, wanted, sizeof *subscription);
    subscription->engine = engine;
    subscription->instrument_id = instrument->id;
    subscription->told_health_seq = UINT64_MAX; /* told at the first chance */
    atomic_init(&subscription->active, true);
    engine->subscriptions[engine->subscription_count++] = subscription;
    audit_symbol(engine, "subscription_added", instrument, "depth_levels", instrument->depth_levels);
    *out = subscription;
    return OF_OK;
}

int32_t of_subscribe(of_engine_t *engine, const of_symbol_t *symbol, uint32_t kind, of_event_callback_t callback,
                     void *user_data, of_subscription_t **out)
{
    of_subscription_t wanted = {.kind = kind, .callback = callback, .user_data = user_data};
    instrument_t *instrument = NULL;
    pthread_mutex_lock(&engine->lock);
    int32_t code = instrument_intern(engine, symbol, &instrument);
    if (code == OF_OK) {
        code = add(engine, instrument, &wanted, out);
    }
    if (code == OF_OK) {
        instrument->depth_levels = symbol->depth_levels;
    }
    pthread_mutex_unlock(&engine->lock);
    return code;
}

int32_t ofx_subscribe(of_engine_t *engine, uint32_t symbol_id, uint32_t kind, of_event_callback_t callback,
                      void *user_data, of_subscription_t **out)
{
    of_subscription_t wanted = {.kind = kind, .callback = callback, .user_data = user_data, .as_records = true};
    instrument_t *instrument = NULL;
    pthread_mutex_lock(&engine->lock);
    int32_t code = instrument_by_id(engine, symbol_id, &instrument);
    if (code == OF_OK) {
        code = add(engine, instrument, &wanted, out);
    }
    pthread_mutex_unlock(&engine->lock);
    return code;
}

/* A delivery under way frees what was released meanwhile. */
static void release(of_engine_t *engine, of_subscription_t *subscription)
{
    subscription->released = true;
    for (size_t at = 0; at < engine->retired_count; at++) {
        if (engine->retired[at] == subscription) {
            engine->retired[at] = engine->retired[--engine->retired_count];
            break;
        }
    }
    if (subscription->pins == 0) {
        free(subscription);
    }
}

int32_t of_unsubscribe(of_subscription_t *subscription)
{
    of_engine_t *engine = subscription->engine;
    pthread_mutex_lock(&engine->lock);
    for (size_t at = 0; at < engine->subscription_count; at++) {
        if (engine->subscriptions[at] == subscription) {
            memmove(engine->subscriptions + at, engine->subscriptions + at + 1,
                    (--engine->subscription_count - at) * sizeof *engine->subscriptions);
            atomic_store(&subscription->active, false);
            audit_symbol(engine, "subscription_removed", engine->instruments[subscription->instrument_id], NULL, 0);
            break;
        }
    }
    release(engine, subscription);
    pthread_mutex_unlock(&engine->lock);
    return OF_OK;
}

int32_t of_unsubscribe_symbol(of_engine_t *engine, const of_symbol_t *symbol)
{
    instrument_t *instrument = NULL;
    pthread_mutex_lock(&engine->lock);
    int32_t code = instrument_find(engine, symbol, &instrument);
    if (code == OF_OK && !engine->ever_started) {
        code = fail(OF_ERR_STATE, "unsubscribe needs a started engine: call start() before");
    }
    size_t kept = 0;
    for (size_t at = 0; code == OF_OK && at < engine->subscription_count; at++) {
        of_subscription_t *subscription = engine->subscriptions[at];
        if (instrument != NULL && subscription->instrument_id == instrument->id) {
            atomic_store(&subscription->active, false);
            engine->retired[engine->retired_count++] = subscription; /* room was made when it was added */
        } else {
            engine->subscriptions[kept++] = subscription;
        }
    }
    if (code == OF_OK) {
        if (instrument != NULL && kept < engine->subscription_count) {
            audit_symbol(engine, "subscription_removed", instrument, NULL, 0);
        }
        engine->subscription_count = kept;
    }
    pthread_mutex_unlock(&engine->lock);
    return code;
}
