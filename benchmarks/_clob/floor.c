/* Python's way to the floor: whole runs in C, and a bare book with one call an event. It trusts its caller. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <time.h>

#include "floor.h"

#define FILLS_MAX 4096 /* more than any order of a generated file gets */

typedef struct {
    PyObject_HEAD
    book book;
} BareObject;

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* run(events, prefill, best, base, width, ids): seconds for the events after the first `prefill`. */
static PyObject *run(PyObject *module, PyObject *args)
{
    Py_buffer events, best;
    Py_ssize_t prefill;
    long long base, width, ids;
    book self;
    if (!PyArg_ParseTuple(args, "y*nw*LLL", &events, &prefill, &best, &base, &width, &ids))
        return NULL;
    if (book_open(&self, base, width, (uint64_t)ids) < 0) {
        book_close(&self);
        return PyErr_NoMemory();
    }
    const record *all = events.buf;
    Py_ssize_t count = events.len / (Py_ssize_t)sizeof(record);
    int64_t *out = best.buf;
    double begun = 0;
    for (Py_ssize_t index = 0; index < count; index++) {
        const record *one = &all[index];
        if (index == prefill)
            begun = now();
        book_event(&self, one->kind, one->order_id, one->is_ask, one->price, one->size);
        out[2 * index] = best_bid(&self);
        out[2 * index + 1] = best_ask(&self);
    }
    double taken = now() - begun;
    book_close(&self);
    PyBuffer_Release(&events);
    PyBuffer_Release(&best);
    return PyFloat_FromDouble(taken);
}

/* match(orders, prefill, base, width, ids): seconds after the first `prefill`, fills and their size at all. */
static PyObject *match(PyObject *module, PyObject *args)
{
    Py_buffer orders;
    Py_ssize_t prefill;
    long long base, width, ids;
    book self;
    static fill fills[FILLS_MAX];
    if (!PyArg_ParseTuple(args, "y*nLLL", &orders, &prefill, &base, &width, &ids))
        return NULL;
    if (book_open(&self, base, width, (uint64_t)ids) < 0) {
        book_close(&self);
        return PyErr_NoMemory();
    }
    const record *all = orders.buf;
    Py_ssize_t count = orders.len / (Py_ssize_t)sizeof(record);
    long long filled = 0, size = 0;
    double begun = 0;
    for (Py_ssize_t index = 0; index < count; index++) {
        const record *one = &all[index];
        if (index == prefill)
            begun = now();
        if (one->kind == IN_CANCEL) {
            book_remove(&self, one->order_id);
            continue;
        }
        int64_t limit = one->kind == IN_MARKET ? (one->is_ask ? 0 : width - 1) : one->price - base;
        int got = book_submit(&self, one->order_id, one->is_ask, limit, one->size, one->kind == IN_GTC, fills);
        filled += got;
        for (int each = 0; each < got; each++)
            size += fills[each].size;
    }
    double taken = now() - begun;
    book_close(&self);
    PyBuffer_Release(&orders);
    return Py_BuildValue("dLL", taken, filled, size);
}

static PyObject *nothing(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    Py_RETURN_NONE;
}

static PyObject *price_object(int64_t price)
{
    return price == INT64_MIN || price == INT64_MAX ? Py_NewRef(Py_None) : PyLong_FromLongLong(price);
}

/* event(kind, order_id, is_ask, price, size) -> (bid, ask) */
static PyObject *bare_event(BareObject *self, PyObject *const *args, Py_ssize_t count)
{
    long long given[5];
    for (int each = 0; each < 5; each++)
        given[each] = PyLong_AsLongLong(args[each]);
    if (PyErr_Occurred())
        return NULL;
    book_event(&self->book, (int)given[0], (uint64_t)given[1], (int)given[2], given[3], given[4]);
    PyObject *pair = PyTuple_New(2);
    if (!pair)
        return NULL;
    PyTuple_SET_ITEM(pair, 0, price_object(best_bid(&self->book)));
    PyTuple_SET_ITEM(pair, 1, price_object(best_ask(&self->book)));
    return pair;
}

/* submit(order_id, is_ask, price or None, size, time_in_force) -> [(order_id, price, size, left)] */
static PyObject *bare_submit(BareObject *self, PyObject *const *args, Py_ssize_t count)
{
    static fill fills[FILLS_MAX];
    long long order_id = PyLong_AsLongLong(args[0]), is_ask = PyLong_AsLongLong(args[1]);
    long long size = PyLong_AsLongLong(args[3]), tif = PyLong_AsLongLong(args[4]);
    long long limit = args[2] == Py_None ? (is_ask ? 0 : self->book.width - 1)
                                         : PyLong_AsLongLong(args[2]) - self->book.base;
    if (PyErr_Occurred())
        return NULL;
    int got = book_submit(&self->book, (uint64_t)order_id, (int)is_ask, limit, size, tif == IN_GTC, fills);
    PyObject *list = PyList_New(got);
    for (int each = 0; list && each < got; each++) {
        PyObject *one = PyTuple_New(4);
        if (!one) {
            Py_CLEAR(list);
            break;
        }
        PyTuple_SET_ITEM(one, 0, PyLong_FromUnsignedLongLong(fills[each].order_id));
        PyTuple_SET_ITEM(one, 1, PyLong_FromLongLong(fills[each].price));
        PyTuple_SET_ITEM(one, 2, PyLong_FromLongLong(fills[each].size));
        PyTuple_SET_ITEM(one, 3, PyLong_FromLongLong(fills[each].left));
        PyList_SET_ITEM(list, each, one);
    }
    return list;
}

static PyObject *bare_cancel(BareObject *self, PyObject *order_id)
{
    book_remove(&self->book, PyLong_AsUnsignedLongLong(order_id));
    Py_RETURN_NONE;
}

/* depth(is_ask, levels) -> [(price, size, orders)] */
static PyObject *bare_depth(BareObject *self, PyObject *const *args, Py_ssize_t count)
{
    long is_ask = PyLong_AsLong(args[0]), left = PyLong_AsLong(args[1]);
    book *b = &self->book;
    int64_t step = is_ask ? 1 : -1;
    PyObject *list = PyList_New(0);
    for (int64_t at = is_ask ? b->ask : b->bid; list && left && at >= 0 && at < b->width; at += step) {
        if (!b->levels[at].count)
            continue;
        PyObject *one = Py_BuildValue("LLI", (long long)(b->base + at), (long long)b->levels[at].size,
                                      b->levels[at].count);
        if (!one || PyList_Append(list, one) < 0)
            Py_CLEAR(list);
        Py_XDECREF(one);
        left--;
    }
    return list;
}

static int bare_init(BareObject *self, PyObject *args, PyObject *kwargs)
{
    long long base, width, ids;
    if (!PyArg_ParseTuple(args, "LLL", &base, &width, &ids))
        return -1;
    if (book_open(&self->book, base, width, (uint64_t)ids) < 0) {
        PyErr_NoMemory();
        return -1;
    }
    return 0;
}

static void bare_dealloc(BareObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    book_close(&self->book);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef bare_methods[] = {
    {"apply_event", (PyCFunction)(void (*)(void))bare_event, METH_FASTCALL, NULL},
    {"submit", (PyCFunction)(void (*)(void))bare_submit, METH_FASTCALL, NULL},
    {"depth", (PyCFunction)(void (*)(void))bare_depth, METH_FASTCALL, NULL},
    {"cancel", (PyCFunction)bare_cancel, METH_O, NULL},
    {NULL},
};

static PyType_Slot bare_slots[] = {
    {Py_tp_init, bare_init}, {Py_tp_dealloc, bare_dealloc}, {Py_tp_methods, bare_methods}, {0, NULL}};

static PyType_Spec bare_spec = {"clob_floor.Bare", sizeof(BareObject), 0, Py_TPFLAGS_DEFAULT, bare_slots};

static PyMethodDef functions[] = {
    {"run", run, METH_VARARGS, NULL},
    {"match", match, METH_VARARGS, NULL},
    {"nothing", (PyCFunction)(void (*)(void))nothing, METH_FASTCALL, NULL},
    {NULL},
};

static int execute(PyObject *module)
{
    PyObject *type = PyType_FromSpec(&bare_spec);
    if (!type || PyModule_AddObject(module, "Bare", type) < 0) {
        Py_XDECREF(type);
        return -1;
    }
    return 0;
}

static PyModuleDef_Slot slots[] = {{Py_mod_exec, execute}, {0, NULL}};
static PyModuleDef definition = {PyModuleDef_HEAD_INIT, "clob_floor", NULL, 0, functions, slots};

PyMODINIT_FUNC PyInit_clob_floor(void)
{
    return PyModuleDef_Init(&definition);
}
