/* What a book returns: fills, levels and orders as the named tuples of ledgerx/clob/_types.py. */

#include "binding.h"

/* A new named tuple with `count` empty places. */
static inline PyObject *empty_tuple(PyTypeObject *type, Py_ssize_t count)
{
#if defined(Py_LIMITED_API)
    return ((allocfunc)PyType_GetSlot(type, Py_tp_alloc))(type, count);
#else
    return type->tp_alloc(type, count);
#endif
}

#if defined(Py_LIMITED_API)
#define SET(tuple, place, value) PyTuple_SetItem(tuple, place, value)
#else
#define SET(tuple, place, value) PyTuple_SET_ITEM(tuple, place, value)
#endif

/* Puts the values, which it takes over, into a new tuple; NULL if one is NULL. */
static inline PyObject *filled_tuple(PyTypeObject *type, Py_ssize_t count, PyObject **values)
{
    PyObject *tuple = empty_tuple(type, count);
    bool complete = tuple != NULL;
    for (Py_ssize_t i = 0; i < count; i++) {
        complete = complete && values[i] != NULL;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        if (tuple != NULL) {
            SET(tuple, i, values[i]);
        } else {
            Py_XDECREF(values[i]);
        }
    }
    if (!complete) {
        Py_CLEAR(tuple);
    }
    return tuple;
}

PyObject *fill_tuple(const binding_state *state, const clob_fill *fill)
{
    PyObject *values[] = {PyLong_FromUnsignedLongLong(fill->order_id), PyLong_FromLongLong(fill->price),
                          PyLong_FromLongLong(fill->size), PyLong_FromLongLong(fill->left)};
    return filled_tuple(state->fill_type, 4, values);
}

PyObject *level_tuple(const binding_state *state, clob_level level)
{
    PyObject *values[] = {PyLong_FromLongLong(level.price), PyLong_FromLongLong(level.size),
                          PyLong_FromUnsignedLong(level.orders)};
    return filled_tuple(state->level_type, 3, values);
}

PyObject *order_tuple(const binding_state *state, clob_order order)
{
    PyObject *values[] = {PyLong_FromUnsignedLongLong(order.order_id), PyBool_FromLong(order.is_ask),
                          PyLong_FromLongLong(order.price), PyLong_FromLongLong(order.size)};
    return filled_tuple(state->order_type, 4, values);
}
