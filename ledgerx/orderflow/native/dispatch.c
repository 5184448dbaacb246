/* Who is told of an event, and the telling: what each is told is copied with the lock held, the calls are made
   without it, so that a callback may call anything. */

#include "internal.h"

int32_t deliveries_reserve(deliveries_t *deliveries, const of_engine_t *engine)
{
    deliveries->count = 0;
    deliveries->items = deliveries->own;
    deliveries->capacity = sizeof deliveries->own / sizeof *deliveries->own;
    if (engine->subscription_count > deliveries->capacity) {
        deliveries->capacity = engine->subscription_count;
        deliveries->items = malloc(deliveries->capacity * sizeof *deliveries->items);
        if (deliveries->items == NULL) {
            return fail_memory();
        }
    }
    return OF_OK;
}

static bool fill_snapshot(delivery_t *delivery, const of_engine_t *engine, const of_subscription_t *subscription)
{
    instrument_t *own = engine->instruments[subscription->instrument_id];
    delivery->empty = !own->traded;
    if (subscription->kind == OF_STREAM_SIGNALS) {
        delivery->payload.signal = own->signal;
        return true;
    }
    return delivery->empty || read_analytics(own, &delivery->payload.analytics);
}

static bool fill_health(delivery_t *delivery, const of_engine_t *engine)
{
    text_t text = {0};
    report_health(engine, &text);
    if (text.failed) {
        text_free(&text);
        return false;
    }
    delivery->health = text.data;
    delivery->event.payload_len = (uint32_t)text.length;
    return true;
}

/* Whether `subscription` is told of this; its payload then stands in `delivery`. Sets *code when memory ran out. */
static bool fill(delivery_t *delivery, of_engine_t *engine, of_subscription_t *subscription,
                 const instrument_t *instrument, const of_trade_t *trade, const of_book_t *book, bool snapshots,
                 int32_t *code)
{
    bool own = instrument != NULL && subscription->instrument_id == instrument->id;
    bool filled = true;
    delivery->empty = false;
    delivery->health = NULL;
    switch (subscription->kind) {
    case OF_STREAM_TRADES:
        if (!own || trade == NULL) {
            return false;
        }
        delivery->payload.trade = *trade;
        delivery->payload.trade.symbol = (of_symbol_t){instrument->venue, instrument->symbol, 0};
        break;
    case OF_STREAM_BOOK:
        if (!own || book == NULL) {
            return false;
        }
        delivery->payload.book = *book;
        delivery->payload.book.symbol = (of_symbol_t){instrument->venue, instrument->symbol, 0};
        break;
    case OF_STREAM_HEALTH:
        if (subscription->told_health_seq == engine->health_seq) {
            return false;
        }
        filled = fill_health(delivery, engine);
        if (filled) {
            subscription->told_health_seq = engine->health_seq;
        }
        break;
    default:
        if (!snapshots) {
            return false;
        }
        filled = fill_snapshot(delivery, engine, subscription);
    }
    if (!filled) {
        *code = fail(OF_ERR_MEMORY, "out of memory: the event is applied, a subscriber was not told");
    }
    return filled;
}

int32_t deliveries_collect(deliveries_t *deliveries, of_engine_t *engine, const instrument_t *instrument,
                           const of_trade_t *trade, const of_book_t *book, bool snapshots)
{
    int32_t code = OF_OK;
    of_event_t event = {.quality_flags = engine->health.flags};
    if (trade != NULL || book != NULL) {
        event.ts_exchange_ns = trade ? trade->ts_exchange_ns : book->ts_exchange_ns;
        event.ts_recv_ns = trade ? trade->ts_recv_ns : book->ts_recv_ns;
    }
    for (size_t at = 0; at < engine->subscription_count; at++) {
        of_subscription_t *subscription = engine->subscriptions[at];
        delivery_t *delivery = &deliveries->items[deliveries->count];
        if (subscription->callback == NULL) {
            continue;
        }
        delivery->event = event;
        delivery->event.kind = subscription->kind;
        if (fill(delivery, engine, subscription, instrument, trade, book, snapshots, &code)) {
            delivery->subscription = subscription;
            subscription->pins++;
            deliveries->count++;
        }
    }
    if (deliveries->count > 0) {
        engine->pins++;
    }
    return code;
}

static bool add_json(text_t *out, const delivery_t *delivery)
{
    if (delivery->empty) {
        text_put(out, "{}", 2);
        return !out->failed;
    }
    switch (delivery->event.kind) {
    case OF_STREAM_TRADES:
        json_trade(out, &delivery->payload.trade);
        break;
    case OF_STREAM_BOOK:
        json_book(out, &delivery->payload.book);
        break;
    case OF_STREAM_ANALYTICS:
        json_analytics(out, &delivery->payload.analytics);
        break;
    default:
        json_signal(out, &delivery->payload.signal);
    }
    return !out->failed;
}

static uint32_t record_bytes(uint32_t kind)
{
    return kind == OF_STREAM_TRADES      ? sizeof(of_trade_t)
           : kind == OF_STREAM_BOOK      ? sizeof(of_book_t)
           : kind == OF_STREAM_ANALYTICS ? sizeof(ofx_analytics_t)
                                         : sizeof(ofx_signal_t);
}

static void call(delivery_t *delivery, text_t *text)
{
    of_subscription_t *subscription = delivery->subscription;
    of_event_t *event = &delivery->event;
    event->schema_id = 1;
    if (delivery->health != NULL) {
        event->payload = delivery->health;
    } else if (subscription->as_records) {
        event->schema_id = 2;
        event->payload = delivery->empty ? NULL : &delivery->payload;
        event->payload_len = delivery->empty ? 0 : record_bytes(event->kind);
    } else {
        text->length = 0;
        if (!add_json(text, delivery)) {
            return;
        }
        event->payload = text->data;
        event->payload_len = (uint32_t)text->length;
    }
    subscription->callback(event, subscription->user_data);
}

void engine_unpin(of_engine_t *engine)
{
    pthread_mutex_lock(&engine->lock);
    bool last = --engine->pins == 0 && engine->doomed;
    pthread_mutex_unlock(&engine->lock);
    if (last) {
        engine_free(engine);
    }
}

void deliveries_send(deliveries_t *deliveries, of_engine_t *engine)
{
    pthread_mutex_unlock(&engine->lock);
    if (deliveries->count > 0) {
        text_t text = {0};
        for (size_t at = 0; at < deliveries->count; at++) {
            if (atomic_load(&deliveries->items[at].subscription->active)) {
                call(&deliveries->items[at], &text);
            }
            free(deliveries->items[at].health);
        }
        text_free(&text);
        pthread_mutex_lock(&engine->lock);
        for (size_t at = 0; at < deliveries->count; at++) {
            of_subscription_t *subscription = deliveries->items[at].subscription;
            if (--subscription->pins == 0 && subscription->released) {
                free(subscription);
            }
        }
        pthread_mutex_unlock(&engine->lock);
        engine_unpin(engine);
    }
    if (deliveries->items != deliveries->own) {
        free(deliveries->items);
    }
}
