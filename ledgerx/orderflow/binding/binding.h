/* Between Python and a runtime's library: values in, values out, errors. No rule of order flow is here.

   The library is loaded by path. Ours offers `ofx_` functions, which take interned symbols and give records; any other
   library with the reference package's ABI works through names and JSON. A call into ours holds the GIL, but for
   batches: its lock is never held for long and never while Python runs. */

#ifndef LEDGERX_ORDERFLOW_BINDING_H
#define LEDGERX_ORDERFLOW_BINDING_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdbool.h>

#include "../native/orderflow.h"

#if PY_VERSION_HEX < 0x030C0000
static inline PyObject *PyErr_GetRaisedException(void)
{
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    PyErr_NormalizeException(&type, &value, &traceback);
    if (value != NULL && traceback != NULL) {
        PyException_SetTraceback(value, traceback);
    }
    Py_XDECREF(type);
    Py_XDECREF(traceback);
    return value;
}
static inline void PyErr_SetRaisedException(PyObject *value)
{
    PyErr_Restore(value ? Py_NewRef((PyObject *)Py_TYPE(value)) : NULL, value,
                  value ? PyException_GetTraceback(value) : NULL);
}
#endif

#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)
#define PARAMETERS_MAX 10
#define CACHED_SYMBOLS 16

/* The functions of a library; those from ofx_ on are NULL in a foreign one. */
typedef struct library {
    void *handle;
#define FUNCTION(name) __typeof__(&name) name;
#include "functions.h"
#undef FUNCTION
    bool own;
} library_t;

enum {
    KEY_VENUE, KEY_SYMBOL, KEY_PRICE, KEY_SIZE, KEY_AGGRESSOR, KEY_SEQUENCE, KEY_TS_EXCHANGE_NS, KEY_TS_RECV_NS,
    KEY_SIDE, KEY_LEVEL, KEY_ACTION, KEY_DELTA, KEY_CUMULATIVE_DELTA, KEY_BUY_VOLUME, KEY_SELL_VOLUME, KEY_LAST_PRICE,
    KEY_POINT_OF_CONTROL, KEY_VALUE_AREA_LOW, KEY_VALUE_AREA_HIGH, KEY_MODULE, KEY_STATE, KEY_CONFIDENCE_BPS,
    KEY_QUALITY_FLAGS, KEY_REASON, KEY_BIDS, KEY_ASKS, KEY_LAST_SEQUENCE, KEY_DEPTH_LEVELS, KEYS
};
enum { WORD_BID, WORD_ASK, WORD_UPSERT, WORD_DELETE, WORDS };

typedef struct module_state {
    PyTypeObject *runtime_type;
    PyObject *error, *state_error, *arg_error; /* OrderflowError and the two below it */
    PyTypeObject *symbol_type;                 /* ledgerx.orderflow.types.Symbol: its instances never change */
    PyObject *loads;                           /* json.loads */
    PyObject *keys[KEYS], *words[WORDS];
} module_state_t;

struct runtime_object;

/* A subscription's Python half, which the library's callback gets; freed when no call is under way. */
typedef struct subscriber {
    struct runtime_object *runtime;
    of_subscription_t *handle;
    PyObject *callback, *venue, *symbol; /* callback NULL: none is told */
    bool gone;                           /* unsubscribed */
    struct subscriber *next;
} subscriber_t;

typedef struct cached_symbol {
    PyObject *object;
    of_symbol_t names;
    uint32_t id;
} cached_symbol_t;

typedef struct runtime_object {
    PyObject_HEAD
    module_state_t *state; /* lives as long as the type */
    library_t library;
    of_engine_t *engine; /* NULL: closed */
    of_engine_t *dying;  /* closed while calls were under way */
    Py_ssize_t calls;
    subscriber_t *subscribers, *doomed;
    cached_symbol_t symbols[CACHED_SYMBOLS];
} runtime_t;

/* A call into the library, from `call_begin` to `call_end`; what its callbacks raised is kept here. */
typedef struct call {
    PyObject *exception;
    struct call *outer;
} call_t;

/* ---- calls.c ---- */
bool call_begin(runtime_t *runtime, call_t *call);
/* True when all went well; otherwise an exception is set: a callback's, or what `code` of `function` means. */
bool call_end(runtime_t *runtime, call_t *call, int32_t code, const char *function);
void call_caught(call_t *call); /* takes the exception that a callback raised */
call_t *call_current(void);
void set_failure(const runtime_t *runtime, int32_t code, const char *function, const char *prefix);

/* ---- arguments.c ---- */
typedef struct parameters {
    const char *method;
    Py_ssize_t required, count;
    const char *names[PARAMETERS_MAX];
} parameters_t;
bool bind_arguments(const parameters_t *parameters, PyObject *const *arguments, Py_ssize_t positional, PyObject *names,
                    PyObject **out);
bool take_int64(const module_state_t *state, const char *field, PyObject *value, int64_t *out);
bool take_uint64(const module_state_t *state, const char *field, PyObject *value, uint64_t *out); /* NULL: 0 */
bool take_within(const module_state_t *state, const char *field, PyObject *value, uint64_t max, uint64_t *out);

/* A symbol's names and, in our library, its index. `venue` and `symbol` are held where they must be. */
typedef struct instrument_name {
    of_symbol_t names;
    uint32_t id;
    PyObject *venue, *symbol;
} instrument_name_t;
bool take_symbol(runtime_t *runtime, PyObject *value, instrument_name_t *out);
void drop_symbol(instrument_name_t *name);

/* ---- library.c ---- */
bool library_load(library_t *library, const module_state_t *state, const char *path);
void library_unload(library_t *library);

/* ---- dicts.c ---- */
PyObject *dict_of_event(const subscriber_t *subscriber, const of_event_t *event);
PyObject *dict_of_analytics(const module_state_t *state, const ofx_analytics_t *analytics);
PyObject *dict_of_signal(const module_state_t *state, const ofx_signal_t *signal);
PyObject *dict_of_book(const module_state_t *state, const instrument_name_t *name, const ofx_book_head_t *head,
                       const ofx_level_t *rows);
PyObject *parse_json(const module_state_t *state, const char *text, Py_ssize_t length);
bool make_words(module_state_t *state);

/* ---- subscribe.c ---- */
extern PyMethodDef subscribe_methods[];
void subscribers_free(subscriber_t **list);
void runtime_shut(runtime_t *runtime); /* the engine is gone, or will be when the calls under way are */

/* ---- ingest.c, batches.c, snapshots.c, runtime.c ---- */
extern PyMethodDef ingest_methods[], batch_methods[], snapshot_methods[];
extern PyType_Spec runtime_spec;
module_state_t *state_of_type(PyTypeObject *type);

#endif
