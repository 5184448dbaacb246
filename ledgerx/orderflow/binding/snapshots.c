/* Snapshots: records of our library made into dicts, JSON of any other. */

#include "binding.h"

#define JSON_BYTES_FIRST 4096
#define ROWS_FIRST 64

typedef int32_t (*json_snapshot_t)(of_engine_t *engine, const of_symbol_t *symbol, void *out, uint32_t *len);

static PyObject *json_snapshot(runtime_t *runtime, const instrument_name_t *name, json_snapshot_t function,
                               int32_t *code)
{
    uint32_t room = JSON_BYTES_FIRST;
    for (int tries = 0; tries < 8; tries++) {
        uint32_t length = room;
        char *text = PyMem_Malloc(room);
        if (text == NULL) {
            return PyErr_NoMemory();
        }
        *code = function(runtime->engine, &name->names, text, &length);
        if (*code == OF_OK) {
            PyObject *parsed = parse_json(runtime->state, text, (Py_ssize_t)length);
            PyMem_Free(text);
            return parsed;
        }
        PyMem_Free(text);
        if (*code != OF_ERR_ARG || length <= room) {
            return NULL;
        }
        room = length + length / 2; /* another thread may add to it */
    }
    return NULL;
}

static PyObject *own_analytics(runtime_t *runtime, const instrument_name_t *name, int32_t *code)
{
    ofx_analytics_t analytics;
    int32_t known = 0;
    *code = runtime->library.ofx_read_analytics(runtime->engine, name->id, &analytics, &known);
    return *code ? NULL : known ? dict_of_analytics(runtime->state, &analytics) : PyDict_New();
}

static PyObject *own_signal(runtime_t *runtime, const instrument_name_t *name, int32_t *code)
{
    ofx_signal_t signal;
    int32_t known = 0;
    *code = runtime->library.ofx_read_signal(runtime->engine, name->id, &signal, &known);
    return *code ? NULL : known ? dict_of_signal(runtime->state, &signal) : PyDict_New();
}

static PyObject *own_book(runtime_t *runtime, const instrument_name_t *name, int32_t *code)
{
    ofx_book_head_t head;
    ofx_level_t few[ROWS_FIRST], *rows = few;
    int32_t known = 0;
    size_t room = ROWS_FIRST;
    while ((*code = runtime->library.ofx_read_book(runtime->engine, name->id, &head, rows, room, &known)) == OF_OK &&
           head.bids + head.asks > room) {
        room = (head.bids + head.asks) * 2;
        if (rows != few) {
            PyMem_Free(rows);
        }
        rows = PyMem_Malloc(room * sizeof *rows);
        if (rows == NULL) {
            return PyErr_NoMemory();
        }
    }
    PyObject *dict = *code ? NULL : known ? dict_of_book(runtime->state, name, &head, rows) : PyDict_New();
    if (rows != few) {
        PyMem_Free(rows);
    }
    return dict;
}

typedef PyObject *(*own_snapshot_t)(runtime_t *runtime, const instrument_name_t *name, int32_t *code);

static PyObject *snapshot(runtime_t *runtime, PyObject *symbol, own_snapshot_t own, json_snapshot_t foreign,
                          const char *function)
{
    instrument_name_t name;
    call_t call;
    if (!call_begin(runtime, &call)) {
        return NULL;
    }
    int32_t code = OF_OK;
    PyObject *result = NULL;
    if (take_symbol(runtime, symbol, &name)) {
        result = runtime->library.own ? own(runtime, &name, &code) : json_snapshot(runtime, &name, foreign, &code);
        drop_symbol(&name);
    }
    if (result == NULL && code == OF_OK) {
        call_caught(&call);
    }
    if (!call_end(runtime, &call, code, function)) {
        Py_CLEAR(result);
    }
    return result;
}

static PyObject *analytics_snapshot(runtime_t *runtime, PyObject *symbol)
{
    return snapshot(runtime, symbol, own_analytics, runtime->library.of_get_analytics_snapshot,
                    "of_get_analytics_snapshot");
}

static PyObject *signal_snapshot(runtime_t *runtime, PyObject *symbol)
{
    return snapshot(runtime, symbol, own_signal, runtime->library.of_get_signal_snapshot, "of_get_signal_snapshot");
}

static PyObject *book_snapshot(runtime_t *runtime, PyObject *symbol)
{
    return snapshot(runtime, symbol, own_book, runtime->library.of_get_book_snapshot, "of_get_book_snapshot");
}

static PyObject *metrics(runtime_t *runtime, PyObject *unused)
{
    (void)unused;
    const char *text = NULL;
    uint32_t length = 0;
    call_t call;
    if (!call_begin(runtime, &call)) {
        return NULL;
    }
    PyObject *result = NULL;
    int32_t code = runtime->library.of_get_metrics_json(runtime->engine, &text, &length);
    if (code == OF_OK) {
        result = parse_json(runtime->state, text, (Py_ssize_t)length);
        runtime->library.of_string_free(text);
        if (result == NULL) {
            call_caught(&call);
        }
    }
    if (!call_end(runtime, &call, code, "of_get_metrics_json")) {
        Py_CLEAR(result);
    }
    return result;
}

/* _flow(symbol): the bytes of an ofx_flow_t, or None before anything came in. */
static PyObject *flow(runtime_t *runtime, PyObject *symbol)
{
    instrument_name_t name;
    ofx_flow_t figures;
    int32_t code = OF_OK, known = 0;
    call_t call;
    if (!call_begin(runtime, &call)) {
        return NULL;
    }
    if (take_symbol(runtime, symbol, &name)) {
        code = runtime->library.ofx_read_flow(runtime->engine, name.id, &figures, &known);
        drop_symbol(&name);
    } else {
        call_caught(&call);
    }
    if (!call_end(runtime, &call, code, "ofx_read_flow")) {
        return NULL;
    }
    return known ? PyBytes_FromStringAndSize((const char *)&figures, sizeof figures) : Py_NewRef(Py_None);
}

/* _series(symbol, number): rows of one type, as bytes. */
static PyObject *series(runtime_t *runtime, PyObject *const *arguments, Py_ssize_t count)
{
    instrument_name_t name;
    uint64_t number;
    const char *rows = NULL;
    size_t bytes = 0;
    int32_t code = OF_OK;
    call_t call;
    if (count != 2 || !take_within(runtime->state, "series", arguments[1], UINT32_MAX, &number) ||
        !call_begin(runtime, &call)) {
        return NULL;
    }
    PyObject *result = NULL;
    if (take_symbol(runtime, arguments[0], &name)) {
        code = runtime->library.ofx_series_copy(runtime->engine, name.id, (uint32_t)number, &rows, &bytes);
        drop_symbol(&name);
        if (code == OF_OK) {
            result = PyBytes_FromStringAndSize(rows, (Py_ssize_t)bytes);
            runtime->library.of_string_free(rows);
        }
    }
    if (result == NULL && code == OF_OK) {
        call_caught(&call);
    }
    if (!call_end(runtime, &call, code, "ofx_series_copy")) {
        Py_CLEAR(result);
    }
    return result;
}

PyMethodDef snapshot_methods[] = {
    {"analytics_snapshot", (PyCFunction)analytics_snapshot, METH_O,
     PyDoc_STR("analytics_snapshot($self, symbol)\n--\n\nEight ints of the session; {} before its first trade.")},
    {"signal_snapshot", (PyCFunction)signal_snapshot, METH_O,
     PyDoc_STR("signal_snapshot($self, symbol)\n--\n\nThe signal as of the latest trade; {} before the first.")},
    {"book_snapshot", (PyCFunction)book_snapshot, METH_O,
     PyDoc_STR("book_snapshot($self, symbol)\n--\n\nBoth sides by level; {} before the first book event.")},
    {"metrics", (PyCFunction)metrics, METH_NOARGS,
     PyDoc_STR("metrics($self)\n--\n\nCounters and state of the engine.")},
    {"_flow", (PyCFunction)flow, METH_O, NULL},
    {"_series", (PyCFunction)(void (*)(void))series, METH_FASTCALL, NULL},
    {NULL, NULL, 0, NULL},
};
