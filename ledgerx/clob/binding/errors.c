/* From the core's statuses to the error tree of ledgerx/errors.py. */

#include "binding.h"

#define TEXT_BYTES 200

/* By clob_status; NULL where the status is no exception of the tree. */
static const char *const error_names[CLOB_BROKEN + 1] = {
    [CLOB_UNKNOWN_ORDER] = "UnknownOrder",     [CLOB_DUPLICATE_ORDER] = "DuplicateOrder",
    [CLOB_BAD_ID] = "InvalidOrder",            [CLOB_BAD_SIZE] = "InvalidOrder",
    [CLOB_BAD_TIME_IN_FORCE] = "InvalidOrder", [CLOB_BAD_KIND] = "InvalidOrder",
    [CLOB_ABOVE_OPEN] = "InvalidOrder",        [CLOB_NOT_AT_BEST] = "InvalidOrder",
    [CLOB_SIDE_FULL] = "InvalidOrder",         [CLOB_BOOK_FULL] = "BookFull",
    [CLOB_WOULD_CROSS] = "WouldCross",         [CLOB_NOT_FILLABLE] = "NotFillable",
    [CLOB_BROKEN] = "InvalidState",
};

bool init_errors(binding_state *state)
{
    PyObject *module = PyImport_ImportModule("ledgerx.errors");
    if (module == NULL) {
        return false;
    }
    for (int status = 0; status <= CLOB_BROKEN; status++) {
        if (error_names[status] == NULL) {
            continue;
        }
        state->errors[status] = PyObject_GetAttrString(module, error_names[status]);
        if (state->errors[status] == NULL) {
            Py_DECREF(module);
            return false;
        }
    }
    state->invalid_state = Py_NewRef(state->errors[CLOB_BROKEN]);
    state->event_index = PyUnicode_InternFromString("event_index");
    Py_DECREF(module);
    return state->event_index != NULL;
}

PyObject *raise_refusal(const book_object *self)
{
    const clob_error *error = clob_last_error(self->book);
    if (self->state->errors[error->status] == NULL) {
        return PyErr_NoMemory();
    }
    char text[TEXT_BYTES];
    clob_error_text(error, text, sizeof text);
    PyErr_SetString(self->state->errors[error->status], text);
    return NULL;
}

PyObject *raise_refusal_at(const book_object *self, size_t event_index)
{
    (void)raise_refusal(self);
    set_event_index(self, event_index);
    return NULL;
}

void set_event_index(const book_object *self, size_t event_index)
{
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    PyErr_NormalizeException(&type, &value, &traceback);
    PyObject *index = PyLong_FromSize_t(event_index);
    if (index == NULL || PyObject_SetAttr(value, self->state->event_index, index) < 0) {
        PyErr_Clear(); /* a MemoryError has no such attribute in its class, but takes it; nothing else fails */
    }
    Py_XDECREF(index);
    PyErr_Restore(type, value, traceback);
}

/* A value as text: Python itself shows no int of more than 4,300 digits. */
static PyObject *shown(PyObject *value)
{
    PyObject *text = PyObject_Str(value);
    if (text == NULL && PyErr_ExceptionMatches(PyExc_ValueError)) {
        PyErr_Clear();
        text = PyUnicode_FromString("(a number of thousands of digits)");
    }
    return text;
}

PyObject *raise_naming(PyObject *type, const char *format, PyObject *first, PyObject *second)
{
    PyObject *one = shown(first);
    PyObject *other = one == NULL || second == NULL ? NULL : shown(second);
    if (one != NULL && (second == NULL || other != NULL)) {
        PyErr_Format(type, format, one, other);
    }
    Py_XDECREF(one);
    Py_XDECREF(other);
    return NULL;
}

PyObject *raise_out_of_range(const book_object *self, conversion id_conversion, PyObject *order_id,
                             conversion price_conversion, PyObject *price, PyObject *size)
{
    PyObject *invalid_order = self->state->errors[CLOB_BAD_SIZE];
    if (id_conversion == OUT_OF_RANGE) {
        return raise_naming(invalid_order, "order id %U is not in 1 to 18446744073709551615", order_id, NULL);
    }
    if (order_id == NULL) { /* of no order */
        return price_conversion == OUT_OF_RANGE
                   ? raise_naming(invalid_order, "price %U is no 64-bit integer", price, NULL)
                   : raise_naming(invalid_order, "size %U is not in 1 to 9223372036854775807", size, NULL);
    }
    if (price_conversion == OUT_OF_RANGE) {
        return raise_naming(invalid_order, "order %U: price %U is no 64-bit integer", order_id, price);
    }
    return raise_naming(invalid_order, "order %U: size %U is not in 1 to 9223372036854775807", order_id, size);
}

PyObject *raise_busy(const book_object *self)
{
    PyErr_SetString(self->state->invalid_state,
                    "the book is applying events in another thread: it has one owner at a time");
    return NULL;
}
