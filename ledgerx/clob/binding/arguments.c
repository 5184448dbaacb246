/* Arguments that are given by keyword, left out, or no small ints: what the inline paths leave over. */

#include <string.h>

#include "binding.h"

static Py_ssize_t place_of(const signature *expected, PyObject *name)
{
    for (Py_ssize_t i = 0; i < expected->count; i++) {
        if (PyUnicode_CompareWithASCIIString(name, expected->names[i]) == 0) {
            return i;
        }
    }
    return -1;
}

PyObject *const *arranged_slowly(const signature *expected, PyObject *const *args, Py_ssize_t count, PyObject *names,
                                 PyObject **storage)
{
    if (count > expected->count) {
        PyErr_Format(PyExc_TypeError, "%s() takes %zd arguments, %zd were given", expected->method, expected->count,
                     count);
        return NULL;
    }
    memset(storage, 0, PARAMETERS_MAX * sizeof *storage);
    for (Py_ssize_t i = 0; i < count; i++) {
        storage[i] = args[i];
    }
    Py_ssize_t named = names == NULL ? 0 : PyTuple_Size(names);
    for (Py_ssize_t i = 0; i < named; i++) {
        PyObject *name = PyTuple_GetItem(names, i);
        Py_ssize_t place = place_of(expected, name);
        if (place < 0) {
            PyErr_Format(PyExc_TypeError, "%s() has no argument %R", expected->method, name);
            return NULL;
        }
        if (storage[place] != NULL) {
            PyErr_Format(PyExc_TypeError, "%s() got %R twice", expected->method, name);
            return NULL;
        }
        storage[place] = args[count + i];
    }
    for (Py_ssize_t i = 0; i < expected->required; i++) {
        if (storage[i] == NULL) {
            PyErr_Format(PyExc_TypeError, "%s() lacks the argument '%s'", expected->method, expected->names[i]);
            return NULL;
        }
    }
    return storage;
}

/* A new reference to the int that a value is, or NULL and a TypeError that names the argument. Where an exception is
   set already, another argument's, that one stays, and no code of the value's runs with it. */
static PyObject *as_int(PyObject *value, const char *name)
{
    if (PyErr_Occurred()) {
        return NULL;
    }
    if (PyLong_Check(value)) {
        return Py_NewRef(value);
    }
    if (!PyIndex_Check(value)) {
        PyObject *type = PyType_GetName(Py_TYPE(value));
        if (type != NULL) {
            PyErr_Format(PyExc_TypeError, "%s must be an int, not %U", name, type);
            Py_DECREF(type);
        }
        return NULL;
    }
    return PyNumber_Index(value);
}

conversion to_int64_slowly(PyObject *value, const char *name, int64_t *converted)
{
    PyObject *number = as_int(value, name);
    if (number == NULL) {
        return NOT_CONVERTED;
    }
    int overflow;
    *converted = PyLong_AsLongLongAndOverflow(number, &overflow);
    Py_DECREF(number);
    if (overflow != 0) {
        *converted = overflow > 0 ? INT64_MAX : INT64_MIN;
        return OUT_OF_RANGE;
    }
    return CONVERTED;
}

conversion to_order_id_slowly(PyObject *value, const char *name, uint64_t *converted)
{
    *converted = 0; /* the id of no order */
    PyObject *number = as_int(value, name);
    if (number == NULL) {
        return NOT_CONVERTED;
    }
    uint64_t id = PyLong_AsUnsignedLongLong(number);
    Py_DECREF(number);
    if (id == UINT64_MAX && PyErr_Occurred()) {
        PyErr_Clear(); /* negative or above 64 bits */
        return OUT_OF_RANGE;
    }
    *converted = id;
    return id == 0 ? OUT_OF_RANGE : CONVERTED;
}

int to_bool_slowly(PyObject *value) { return PyErr_Occurred() ? -1 : PyObject_IsTrue(value); }
