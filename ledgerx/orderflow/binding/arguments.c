/* Arguments: bound to names, checked, made into C values. Every refusal names the field and the value. */

#include "binding.h"

static bool bind_name(const parameters_t *parameters, PyObject *name, PyObject *value, PyObject **out)
{
    for (Py_ssize_t at = 0; at < parameters->count; at++) {
        if (PyUnicode_CompareWithASCIIString(name, parameters->names[at]) == 0) {
            if (out[at] != NULL) {
                PyErr_Format(PyExc_TypeError, "%s() got %U twice", parameters->method, name);
                return false;
            }
            out[at] = value;
            return true;
        }
    }
    PyErr_Format(PyExc_TypeError, "%s() has no argument %U", parameters->method, name);
    return false;
}

bool bind_arguments(const parameters_t *parameters, PyObject *const *arguments, Py_ssize_t positional, PyObject *names,
                    PyObject **out)
{
    if (positional > parameters->count) {
        PyErr_Format(PyExc_TypeError, "%s() takes at most %zd arguments, %zd were given", parameters->method,
                     parameters->count, positional);
        return false;
    }
    for (Py_ssize_t at = 0; at < parameters->count; at++) {
        out[at] = at < positional ? arguments[at] : NULL;
    }
    Py_ssize_t named = names == NULL ? 0 : PyTuple_GET_SIZE(names);
    for (Py_ssize_t at = 0; at < named; at++) {
        if (!bind_name(parameters, PyTuple_GET_ITEM(names, at), arguments[positional + at], out)) {
            return false;
        }
    }
    for (Py_ssize_t at = 0; at < parameters->required; at++) {
        if (out[at] == NULL) {
            PyErr_Format(PyExc_TypeError, "%s() needs the argument %s", parameters->method, parameters->names[at]);
            return false;
        }
    }
    return true;
}

static bool refuse_int(const module_state_t *state, const char *field, PyObject *value, const char *range)
{
    PyErr_Clear();
    PyErr_Format(state->arg_error, "%s %R is out of range: it takes %s", field, value, range);
    return false;
}

/* A new reference to an int, or NULL and TypeError. */
static PyObject *as_int(const char *field, PyObject *value)
{
    if (PyLong_Check(value)) {
        return Py_NewRef(value);
    }
    if (!PyIndex_Check(value)) {
        PyErr_Format(PyExc_TypeError, "%s must be an int, not %.100s", field, Py_TYPE(value)->tp_name);
        return NULL;
    }
    return PyNumber_Index(value);
}

bool take_int64(const module_state_t *state, const char *field, PyObject *value, int64_t *out)
{
    int overflow = 0;
    if (LIKELY(PyLong_Check(value))) {
        *out = PyLong_AsLongLongAndOverflow(value, &overflow);
        return LIKELY(!overflow) || refuse_int(state, field, value, "-2**63 to 2**63-1");
    }
    PyObject *number = as_int(field, value);
    if (number == NULL) {
        return false;
    }
    *out = PyLong_AsLongLongAndOverflow(number, &overflow);
    Py_DECREF(number);
    return !overflow || refuse_int(state, field, value, "-2**63 to 2**63-1");
}

bool take_uint64(const module_state_t *state, const char *field, PyObject *value, uint64_t *out)
{
    *out = 0;
    if (value == NULL) {
        return true;
    }
    int overflow = 0;
    if (LIKELY(PyLong_Check(value))) {
        long long small = PyLong_AsLongLongAndOverflow(value, &overflow);
        if (LIKELY(!overflow && small >= 0)) {
            *out = (uint64_t)small;
            return true;
        }
    }
    PyObject *number = as_int(field, value);
    if (number == NULL) {
        return false;
    }
    *out = PyLong_AsUnsignedLongLong(number);
    Py_DECREF(number);
    return !PyErr_Occurred() || refuse_int(state, field, value, "0 to 2**64-1");
}

bool take_within(const module_state_t *state, const char *field, PyObject *value, uint64_t max, uint64_t *out)
{
    if (!take_uint64(state, field, value, out)) {
        return false;
    }
    if (*out > max) {
        char range[32];
        snprintf(range, sizeof range, "0 to %llu", (unsigned long long)max);
        return refuse_int(state, field, value, range);
    }
    return true;
}

/* A symbol's text: a new reference in *held, its UTF-8 in *out. */
static bool take_name(const module_state_t *state, PyObject *symbol, int key, PyObject **held, const char **out)
{
    PyObject *text = PyObject_GetAttr(symbol, state->keys[key]);
    if (text == NULL) {
        return false;
    }
    *held = text;
    if (!PyUnicode_Check(text)) {
        PyErr_Format(PyExc_TypeError, "%U of a symbol must be a str, not %.100s", state->keys[key],
                     Py_TYPE(text)->tp_name);
        return false;
    }
    Py_ssize_t bytes;
    *out = PyUnicode_AsUTF8AndSize(text, &bytes);
    if (*out == NULL) {
        PyErr_Clear();
        PyErr_Format(state->arg_error, "%U %R is not text that UTF-8 can hold", state->keys[key], text);
        return false;
    }
    if (bytes == 0 || strlen(*out) != (size_t)bytes) {
        PyErr_Format(state->arg_error, "%U %R must not be empty nor hold a NUL", state->keys[key], text);
        return false;
    }
    return true;
}

static bool read_symbol(runtime_t *runtime, PyObject *value, instrument_name_t *out)
{
    const module_state_t *state = runtime->state;
    uint64_t levels;
    if (!take_name(state, value, KEY_VENUE, &out->venue, &out->names.venue) ||
        !take_name(state, value, KEY_SYMBOL, &out->symbol, &out->names.symbol)) {
        return false;
    }
    PyObject *depth = PyObject_GetAttr(value, state->keys[KEY_DEPTH_LEVELS]);
    bool taken = depth != NULL && take_within(state, "depth_levels", depth, UINT16_MAX, &levels);
    Py_XDECREF(depth);
    if (!taken) {
        return false;
    }
    out->names.depth_levels = (uint16_t)levels;
    if (UNLIKELY(runtime->engine == NULL)) { /* an attribute of the symbol ran code that closed it */
        PyErr_SetString(state->state_error, "engine is closed");
        return false;
    }
    if (runtime->library.own) {
        int32_t code = runtime->library.ofx_symbol_id(runtime->engine, &out->names, &out->id);
        if (code != OF_OK) {
            set_failure(runtime, code, "symbol", "");
            return false;
        }
    }
    return true;
}

bool take_symbol(runtime_t *runtime, PyObject *value, instrument_name_t *out)
{
    cached_symbol_t *cached = &runtime->symbols[((uintptr_t)value >> 5) % CACHED_SYMBOLS];
    out->venue = out->symbol = NULL;
    if (LIKELY(cached->object == value)) {
        out->names = cached->names;
        out->id = cached->id;
        return true;
    }
    if (!read_symbol(runtime, value, out)) {
        drop_symbol(out);
        return false;
    }
    if (Py_IS_TYPE(value, runtime->state->symbol_type)) { /* frozen: it keeps its names */
        Py_XSETREF(cached->object, Py_NewRef(value));
        cached->names = out->names;
        cached->id = out->id;
    }
    return true;
}

void drop_symbol(instrument_name_t *name)
{
    Py_CLEAR(name->venue);
    Py_CLEAR(name->symbol);
}
