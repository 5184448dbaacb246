/* Fills: what a match returns, a sequence that holds its fills as they came from the core.

   A Fill is made where one is looked at; a caller that only counts them, or takes them as a buffer, pays for
   none. Matching without a fill returns one empty object that all share. */

#include <string.h>

#include "binding.h"

#define SMALL 4               /* so many fills are in the object itself */
#define COPIED_MAX 4096       /* up to so many are copied; more are taken from the book with their array */
#define FREE_OBJECTS_MAX 64

struct fills_object {
    PyObject_HEAD
    binding_state *state;       /* lives as long as the type, which the object keeps */
    fills_object *next;         /* in the list of objects to use again */
    Py_ssize_t count;
    clob_fill *fills;           /* `own`, or memory of this object's */
    clob_fill own[SMALL];
};

fills_object *take_fills_shell(binding_state *state)
{
    fills_object *shell = state->free_fills;
    state->free_fills = shell->next;
    state->free_fills_count--;
    return shell;
}

void give_fills_shell(binding_state *state, fills_object *shell)
{
    if (LIKELY(state->free_fills_count < FREE_OBJECTS_MAX)) {
        shell->next = state->free_fills;
        state->free_fills = shell;
        state->free_fills_count++;
    } else {
        PyObject_Free(shell);
    }
}

bool make_fills_ready(binding_state *state)
{
    fills_object *shell = PyObject_Malloc(sizeof *shell);
    if (shell == NULL) {
        (void)PyErr_NoMemory();
        return false;
    }
    shell->next = state->free_fills;
    state->free_fills = shell;
    state->free_fills_count++;
    return true;
}

/* The book's fills in memory of their own; where there is none for a copy, their own array. */
static clob_fill *kept_fills(clob_book *book, const clob_fill *fills, size_t count)
{
    size_t bytes = count * sizeof *fills;
    clob_fill *copy = count > COPIED_MAX ? NULL : PyMem_RawMalloc(bytes);
    if (copy != NULL) {
        return memcpy(copy, fills, bytes);
    }
    clob_fill *taken = clob_take_fills(book), *fitted = PyMem_RawRealloc(taken, bytes);
    return fitted == NULL ? taken : fitted;
}

PyObject *new_fills(binding_state *state, clob_book *book, const clob_fill *fills, size_t count)
{
    fills_object *shell = take_fills_shell(state);
    /* Not by hand: since Python 3.12 a count that looks immortal, as memory not cleared may, is never set. */
    (void)PyObject_Init((PyObject *)shell, state->fills_type);
    shell->state = state;
    shell->count = (Py_ssize_t)count;
    if (UNLIKELY(count > SMALL)) {
        shell->fills = kept_fills(book, fills, count);
        return (PyObject *)shell;
    }
    shell->fills = shell->own;
    for (size_t i = 0; i < count; i++) {
        shell->own[i] = fills[i];
    }
    return (PyObject *)shell;
}

static void fills_dealloc(fills_object *self)
{
    PyTypeObject *type = Py_TYPE(self);
    if (UNLIKELY(self->fills != self->own)) {
        PyMem_RawFree(self->fills);
    }
    give_fills_shell(self->state, self);
    Py_DECREF(type);
}

void drop_free_fills(binding_state *state)
{
    while (state->free_fills != NULL) {
        fills_object *first = state->free_fills;
        state->free_fills = first->next;
        PyObject_Free(first);
    }
    state->free_fills_count = FREE_OBJECTS_MAX; /* what is still alive is not kept any more */
}

/* ---------------------------------------------------------------- a sequence */

static Py_ssize_t fills_length(fills_object *self) { return self->count; }

static PyObject *fills_item(fills_object *self, Py_ssize_t place)
{
    if (place < 0 || place >= self->count) {
        PyErr_SetString(PyExc_IndexError, "no such fill");
        return NULL;
    }
    return fill_tuple(self->state, &self->fills[place]);
}

static PyObject *fills_list(fills_object *self)
{
    PyObject *list = PyList_New(self->count);
    for (Py_ssize_t i = 0; list != NULL && i < self->count; i++) {
        PyObject *fill = fill_tuple(self->state, &self->fills[i]);
        if (fill == NULL) {
            Py_CLEAR(list);
        } else {
            PyList_SetItem(list, i, fill);
        }
    }
    return list;
}

static PyObject *fills_subscript(fills_object *self, PyObject *key)
{
    if (!PySlice_Check(key)) {
        Py_ssize_t place = PyNumber_AsSsize_t(key, PyExc_IndexError);
        if (place == -1 && PyErr_Occurred()) {
            return NULL;
        }
        return fills_item(self, place < 0 ? place + self->count : place);
    }
    PyObject *list = fills_list(self);
    PyObject *part = list == NULL ? NULL : PyObject_GetItem(list, key);
    Py_XDECREF(list);
    return part;
}

static PyObject *fills_iter(fills_object *self)
{
    PyObject *list = fills_list(self);
    PyObject *iterator = list == NULL ? NULL : PyObject_GetIter(list);
    Py_XDECREF(list);
    return iterator;
}

/* Equal to any list, tuple or Fills of equal fills. */
static PyObject *fills_compare(fills_object *self, PyObject *other, int operation)
{
    bool comparable = PyList_Check(other) || PyTuple_Check(other) || Py_IS_TYPE(other, Py_TYPE(self));
    if (!comparable || (operation != Py_EQ && operation != Py_NE)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    PyObject *ours = fills_list(self), *theirs = PySequence_List(other), *result = NULL;
    if (ours != NULL && theirs != NULL) {
        result = PyObject_RichCompare(ours, theirs, operation);
    }
    Py_XDECREF(ours);
    Py_XDECREF(theirs);
    return result;
}

static PyObject *fills_repr(fills_object *self)
{
    PyObject *list = fills_list(self);
    PyObject *text = list == NULL ? NULL : PyUnicode_FromFormat("Fills(%R)", list);
    Py_XDECREF(list);
    return text;
}

/* Calls a method of the list of the fills with one argument. */
static PyObject *by_list(fills_object *self, const char *method, PyObject *value)
{
    PyObject *list = fills_list(self);
    PyObject *result = list == NULL ? NULL : PyObject_CallMethod(list, method, "(O)", value);
    Py_XDECREF(list);
    return result;
}

static PyObject *fills_count(fills_object *self, PyObject *value) { return by_list(self, "count", value); }

static PyObject *fills_index(fills_object *self, PyObject *value) { return by_list(self, "index", value); }

static PyObject *fills_sizeof(fills_object *self, PyObject *ignored)
{
    (void)ignored;
    size_t outside = self->fills == self->own ? 0 : (size_t)self->count * sizeof *self->fills;
    return PyLong_FromSize_t(sizeof *self + outside);
}

static PyObject *fills_reduce(fills_object *self, PyObject *ignored)
{
    (void)ignored;
    PyObject *list = fills_list(self);
    return list == NULL ? NULL : Py_BuildValue("(O(N))", (PyObject *)&PyList_Type, list);
}

/* ---------------------------------------------------------------- a buffer, and the type */

static int fills_buffer(fills_object *self, Py_buffer *view, int flags)
{
    Py_ssize_t bytes = self->count * (Py_ssize_t)sizeof(clob_fill);
    return PyBuffer_FillInfo(view, (PyObject *)self, self->fills, bytes, 1, flags);
}

static PyMethodDef fills_methods[] = {
    {"count", (PyCFunction)(void (*)(void))fills_count, METH_O,
     "count($self, fill, /)\n--\n\nHow many fills equal one."},
    {"index", (PyCFunction)(void (*)(void))fills_index, METH_O,
     "index($self, fill, /)\n--\n\nThe place of the first fill that equals one. Raises ValueError."},
    {"__sizeof__", (PyCFunction)(void (*)(void))fills_sizeof, METH_NOARGS, "Its memory, in bytes."},
    {"__reduce__", (PyCFunction)(void (*)(void))fills_reduce, METH_NOARGS, "A copy is a list."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot fills_slots[] = {
    {Py_tp_doc, "The fills of an order, or of many, as they happened: a sequence of Fill, equal to a list of them.\n\n"
                "Also a buffer of 32-byte records: numpy.frombuffer(fills, FILL_DTYPE)."},
    {Py_tp_dealloc, fills_dealloc},
    {Py_tp_iter, fills_iter},
    {Py_tp_richcompare, fills_compare},
    {Py_tp_hash, PyObject_HashNotImplemented},
    {Py_tp_repr, fills_repr},
    {Py_tp_methods, fills_methods},
    {Py_sq_length, fills_length},
    {Py_sq_item, fills_item},
    {Py_mp_length, fills_length},
    {Py_mp_subscript, fills_subscript},
    {Py_bf_getbuffer, fills_buffer},
    {0, NULL},
};

PyType_Spec fills_spec = {
    .name = "ledgerx.clob._clob.Fills",
    .basicsize = sizeof(fills_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_SEQUENCE,
    .slots = fills_slots,
};
