/* Subscriptions and the one callback the library is given for all of them. */

#include "binding.h"

static bool live(const subscriber_t *subscriber)
{
    return !subscriber->gone && subscriber->callback != NULL && subscriber->runtime->engine != NULL;
}

static void tell(const of_event_t *event, void *user_data)
{
    PyGILState_STATE gil = PyGILState_Ensure();
    subscriber_t *subscriber = user_data;
    if (live(subscriber)) {
        PyObject *callback = Py_NewRef(subscriber->callback);
        PyObject *payload = dict_of_event(subscriber, event);
        PyObject *result = payload == NULL ? NULL : PyObject_CallOneArg(callback, payload);
        if (result == NULL) {
            call_caught(call_current());
        }
        Py_XDECREF(result);
        Py_XDECREF(payload);
        Py_DECREF(callback);
    }
    PyGILState_Release(gil);
}

void subscribers_free(subscriber_t **list)
{
    subscriber_t *subscriber = *list;
    *list = NULL;
    while (subscriber != NULL) {
        subscriber_t *next = subscriber->next;
        Py_CLEAR(subscriber->callback);
        Py_CLEAR(subscriber->venue);
        Py_CLEAR(subscriber->symbol);
        PyMem_Free(subscriber);
        subscriber = next;
    }
}

void runtime_shut(runtime_t *runtime)
{
    of_engine_t *engine = runtime->engine;
    if (engine == NULL) {
        return;
    }
    runtime->engine = NULL;
    if (runtime->calls > 0) { /* the last of them destroys it */
        runtime->dying = engine;
        if (runtime->library.own) {
            runtime->library.of_engine_stop(engine); /* no further row of a batch goes in */
        }
        return;
    }
    runtime->library.of_engine_destroy(engine);
    subscribers_free(&runtime->subscribers);
}

/* _subscribe(symbol, stream_kind, callback) */
static PyObject *subscribe(runtime_t *runtime, PyObject *const *arguments, Py_ssize_t count)
{
    const module_state_t *state = runtime->state;
    uint64_t kind;
    instrument_name_t name;
    call_t call;
    if (count != 3) {
        PyErr_SetString(PyExc_TypeError, "_subscribe() takes a symbol, a stream kind and a callback");
        return NULL;
    }
    if (!take_within(state, "stream_kind", arguments[1], UINT32_MAX, &kind)) {
        return NULL;
    }
    if (arguments[2] != Py_None && !PyCallable_Check(arguments[2])) {
        PyErr_Format(state->arg_error, "callback %R cannot be called: give a function of one dict",
                     arguments[2]);
        return NULL;
    }
    if (!call_begin(runtime, &call)) {
        return NULL;
    }
    int32_t code = OF_OK;
    subscriber_t *subscriber = NULL;
    if (take_symbol(runtime, arguments[0], &name)) {
        subscriber = PyMem_Calloc(1, sizeof *subscriber);
        if (subscriber == NULL) {
            PyErr_NoMemory();
        } else {
            of_event_callback_t callback = arguments[2] == Py_None ? NULL : tell;
            subscriber->runtime = runtime;
            subscriber->callback = callback ? Py_NewRef(arguments[2]) : NULL;
            subscriber->venue = PyUnicode_FromString(name.names.venue);
            subscriber->symbol = PyUnicode_FromString(name.names.symbol);
            code = runtime->library.own
                       ? runtime->library.ofx_subscribe(runtime->engine, name.id, (uint32_t)kind, callback, subscriber,
                                                        &subscriber->handle)
                       : runtime->library.of_subscribe(runtime->engine, &name.names, (uint32_t)kind, callback,
                                                       subscriber, &subscriber->handle);
            subscriber_t **list = code == OF_OK ? &runtime->subscribers : &runtime->doomed;
            subscriber->next = *list;
            *list = subscriber;
        }
        drop_symbol(&name);
    }
    if (subscriber == NULL) {
        call_caught(&call);
    }
    return call_end(runtime, &call, code, "of_subscribe") ? Py_NewRef(Py_None) : NULL;
}

static bool same_symbol(const subscriber_t *subscriber, const instrument_name_t *name)
{
    return PyUnicode_Compare(subscriber->symbol, name->symbol) == 0 &&
           PyUnicode_Compare(subscriber->venue, name->venue) == 0;
}

/* All subscriptions of the symbol: what one of them may still be told meanwhile is not delivered. */
static void drop_subscribers(runtime_t *runtime, const instrument_name_t *name)
{
    for (subscriber_t **link = &runtime->subscribers; *link != NULL;) {
        subscriber_t *subscriber = *link;
        if (!same_symbol(subscriber, name)) {
            link = &subscriber->next;
            continue;
        }
        *link = subscriber->next;
        subscriber->gone = true; /* freed when no call is under way */
        if (runtime->library.own) {
            runtime->library.of_unsubscribe(subscriber->handle);
        }
        subscriber->next = runtime->doomed;
        runtime->doomed = subscriber;
    }
}

static PyObject *unsubscribe(runtime_t *runtime, PyObject *symbol)
{
    instrument_name_t name = {0};
    call_t call;
    if (!call_begin(runtime, &call)) {
        return NULL;
    }
    int32_t code = OF_OK;
    if (take_symbol(runtime, symbol, &name)) {
        code = runtime->library.of_unsubscribe_symbol(runtime->engine, &name.names);
        if (name.venue == NULL) { /* the names of a cached symbol are only text */
            name.venue = PyUnicode_FromString(name.names.venue);
            name.symbol = PyUnicode_FromString(name.names.symbol);
        }
        if (code == OF_OK && name.venue != NULL && name.symbol != NULL) {
            drop_subscribers(runtime, &name);
        }
        drop_symbol(&name);
    } else {
        call_caught(&call);
    }
    return call_end(runtime, &call, code, "of_unsubscribe_symbol") ? Py_NewRef(Py_None) : NULL;
}

PyMethodDef subscribe_methods[] = {
    {"_subscribe", (PyCFunction)(void (*)(void))subscribe, METH_FASTCALL, NULL},
    {"unsubscribe", (PyCFunction)unsubscribe, METH_O,
     PyDoc_STR("unsubscribe($self, symbol)\n--\n\nEnd all subscriptions of `symbol`.")},
    {NULL, NULL, 0, NULL},
};
