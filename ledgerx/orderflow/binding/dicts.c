/* Records of the library as dicts, with the reference package's keys in its order. */

#include "binding.h"

static const char *const KEY_TEXTS[KEYS] = {
    "venue", "symbol", "price", "size", "aggressor", "sequence", "ts_exchange_ns", "ts_recv_ns", "side", "level",
    "action", "delta", "cumulative_delta", "buy_volume", "sell_volume", "last_price", "point_of_control",
    "value_area_low", "value_area_high", "module", "state", "confidence_bps", "quality_flags", "reason", "bids", "asks",
    "last_sequence", "depth_levels"};
static const char *const WORD_TEXTS[WORDS] = {"Bid", "Ask", "Upsert", "Delete"};

bool make_words(module_state_t *state)
{
    for (int at = 0; at < KEYS; at++) {
        if ((state->keys[at] = PyUnicode_InternFromString(KEY_TEXTS[at])) == NULL) {
            return false;
        }
    }
    for (int at = 0; at < WORDS; at++) {
        if ((state->words[at] = PyUnicode_InternFromString(WORD_TEXTS[at])) == NULL) {
            return false;
        }
    }
    return true;
}

/* A dict that is being filled; `dict` is NULL once something failed. */
typedef struct filling {
    PyObject *dict;
    PyObject *const *keys;
} filling_t;

static filling_t begin(const module_state_t *state)
{
    return (filling_t){PyDict_New(), state->keys};
}

static void put_new(filling_t *filling, int key, PyObject *value)
{
    if (value == NULL || filling->dict == NULL || PyDict_SetItem(filling->dict, filling->keys[key], value) < 0) {
        Py_CLEAR(filling->dict);
    }
    Py_XDECREF(value);
}

static void put(filling_t *filling, int key, PyObject *value)
{
    put_new(filling, key, Py_XNewRef(value));
}

static void put_signed(filling_t *filling, int key, int64_t value)
{
    put_new(filling, key, PyLong_FromLongLong(value));
}

static void put_unsigned(filling_t *filling, int key, uint64_t value)
{
    put_new(filling, key, PyLong_FromUnsignedLongLong(value));
}

static void put_text(filling_t *filling, int key, const char *value)
{
    put_new(filling, key, PyUnicode_FromString(value));
}

PyObject *dict_of_analytics(const module_state_t *state, const ofx_analytics_t *analytics)
{
    filling_t filling = begin(state);
    put_signed(&filling, KEY_DELTA, analytics->delta);
    put_signed(&filling, KEY_CUMULATIVE_DELTA, analytics->cumulative_delta);
    put_signed(&filling, KEY_BUY_VOLUME, analytics->buy_volume);
    put_signed(&filling, KEY_SELL_VOLUME, analytics->sell_volume);
    put_signed(&filling, KEY_LAST_PRICE, analytics->last_price);
    put_signed(&filling, KEY_POINT_OF_CONTROL, analytics->point_of_control);
    put_signed(&filling, KEY_VALUE_AREA_LOW, analytics->value_area_low);
    put_signed(&filling, KEY_VALUE_AREA_HIGH, analytics->value_area_high);
    return filling.dict;
}

PyObject *dict_of_signal(const module_state_t *state, const ofx_signal_t *signal)
{
    filling_t filling = begin(state);
    put_text(&filling, KEY_MODULE, signal->module);
    put_text(&filling, KEY_STATE, signal->state);
    put_unsigned(&filling, KEY_CONFIDENCE_BPS, signal->confidence_bps);
    put_unsigned(&filling, KEY_QUALITY_FLAGS, signal->quality_flags);
    put_text(&filling, KEY_REASON, signal->reason);
    return filling.dict;
}

static PyObject *dict_of_trade(const subscriber_t *subscriber, const of_trade_t *trade)
{
    const module_state_t *state = subscriber->runtime->state;
    filling_t filling = begin(state);
    put(&filling, KEY_VENUE, subscriber->venue);
    put(&filling, KEY_SYMBOL, subscriber->symbol);
    put_signed(&filling, KEY_PRICE, trade->price);
    put_signed(&filling, KEY_SIZE, trade->size);
    put(&filling, KEY_AGGRESSOR, state->words[trade->aggressor_side == OF_SIDE_ASK ? WORD_ASK : WORD_BID]);
    put_unsigned(&filling, KEY_SEQUENCE, trade->sequence);
    put_unsigned(&filling, KEY_TS_EXCHANGE_NS, trade->ts_exchange_ns);
    put_unsigned(&filling, KEY_TS_RECV_NS, trade->ts_recv_ns);
    return filling.dict;
}

static PyObject *dict_of_book_event(const subscriber_t *subscriber, const of_book_t *book)
{
    const module_state_t *state = subscriber->runtime->state;
    filling_t filling = begin(state);
    put(&filling, KEY_VENUE, subscriber->venue);
    put(&filling, KEY_SYMBOL, subscriber->symbol);
    put(&filling, KEY_SIDE, state->words[book->side == OF_SIDE_ASK ? WORD_ASK : WORD_BID]);
    put_unsigned(&filling, KEY_LEVEL, book->level);
    put_signed(&filling, KEY_PRICE, book->price);
    put_signed(&filling, KEY_SIZE, book->size);
    put(&filling, KEY_ACTION, state->words[book->action == OF_BOOK_DELETE ? WORD_DELETE : WORD_UPSERT]);
    put_unsigned(&filling, KEY_SEQUENCE, book->sequence);
    put_unsigned(&filling, KEY_TS_EXCHANGE_NS, book->ts_exchange_ns);
    put_unsigned(&filling, KEY_TS_RECV_NS, book->ts_recv_ns);
    return filling.dict;
}

PyObject *dict_of_event(const subscriber_t *subscriber, const of_event_t *event)
{
    const module_state_t *state = subscriber->runtime->state;
    if (event->schema_id == 1) {
        return parse_json(state, event->payload, (Py_ssize_t)event->payload_len);
    }
    if (event->payload == NULL) {
        return PyDict_New();
    }
    switch (event->kind) {
    case OF_STREAM_TRADES:
        return dict_of_trade(subscriber, event->payload);
    case OF_STREAM_BOOK:
        return dict_of_book_event(subscriber, event->payload);
    case OF_STREAM_ANALYTICS:
        return dict_of_analytics(state, event->payload);
    default:
        return dict_of_signal(state, event->payload);
    }
}

static PyObject *list_of_levels(const module_state_t *state, const ofx_level_t *rows, size_t count)
{
    PyObject *list = PyList_New((Py_ssize_t)count);
    for (size_t at = 0; list != NULL && at < count; at++) {
        filling_t filling = begin(state);
        put_unsigned(&filling, KEY_LEVEL, rows[at].level);
        put_signed(&filling, KEY_PRICE, rows[at].price);
        put_signed(&filling, KEY_SIZE, rows[at].size);
        if (filling.dict == NULL) {
            Py_CLEAR(list);
        } else {
            PyList_SET_ITEM(list, (Py_ssize_t)at, filling.dict);
        }
    }
    return list;
}

PyObject *dict_of_book(const module_state_t *state, const instrument_name_t *name, const ofx_book_head_t *head,
                       const ofx_level_t *rows)
{
    filling_t filling = begin(state);
    put_text(&filling, KEY_VENUE, name->names.venue);
    put_text(&filling, KEY_SYMBOL, name->names.symbol);
    put_new(&filling, KEY_BIDS, list_of_levels(state, rows, head->bids));
    put_new(&filling, KEY_ASKS, list_of_levels(state, rows + head->bids, head->asks));
    put_unsigned(&filling, KEY_LAST_SEQUENCE, head->last_sequence);
    put_unsigned(&filling, KEY_TS_EXCHANGE_NS, head->ts_exchange_ns);
    put_unsigned(&filling, KEY_TS_RECV_NS, head->ts_recv_ns);
    return filling.dict;
}

PyObject *parse_json(const module_state_t *state, const char *text, Py_ssize_t length)
{
    PyObject *string = PyUnicode_DecodeUTF8(text, length, "replace");
    if (string == NULL) {
        return NULL;
    }
    PyObject *parsed = PyObject_CallOneArg(state->loads, string);
    Py_DECREF(string);
    return parsed;
}
