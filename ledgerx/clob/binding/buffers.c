/* Many orders or events at once: in and out as buffers of the records of ledgerx/clob/_records.py. */

#include <string.h>

#include "binding.h"

#define EVENTS_WITH_GIL 64 /* fewer are done before the GIL could be handed over */

/* ---------------------------------------------------------------- the form of a buffer */

/* How the fields of a record are called, and of which dtype that is. */
typedef struct record_form {
    const char *fields;
    const char *dtype;
} record_form;

#define EVENT_FIELDS "T{Q:order_id:q:price:q:size:B:kind:B:is_ask:"

static const record_form event_form = {EVENT_FIELDS, "EVENT_DTYPE"};
static const record_form incoming_form = {EVENT_FIELDS "B:time_in_force:B:post_only:B:is_market:", "INCOMING_DTYPE"};

/* Whether a struct format names a record's fields; byte orders and what 64-bit ints are called differ. */
static bool has_fields(const char *format, const char *fields)
{
    const char *at = fields;
    for (; format != NULL && *format != '\0' && *at != '\0'; format++) {
        char letter = *format == 'L' ? 'Q' : *format == 'l' ? 'q' : *format;
        if (letter == '<' || letter == '=' || letter == '@') {
            continue;
        }
        if (*at == ':') { /* a name: to the letter */
            size_t length = strcspn(at + 1, ":") + 2;
            if (strncmp(format, at, length) != 0) {
                return false;
            }
            at += length;
            format += length - 1;
        } else if (letter == *at) {
            at++;
        } else {
            return false;
        }
    }
    return *at == '\0';
}

static bool is_records(const Py_buffer *view, const record_form *form)
{
    bool is_bytes = view->itemsize == 1 && (view->format == NULL || strchr("Bbc", view->format[0]) != NULL);
    bool is_struct = view->itemsize == sizeof(clob_event) && has_fields(view->format, form->fields);
    return (is_bytes || is_struct) && view->len % (Py_ssize_t)sizeof(clob_event) == 0;
}

/* Fills `view` with the records of a buffer; -1 and a TypeError if it does not hold any. */
static int get_records(PyObject *events, Py_buffer *view, const record_form *form)
{
    if (PyObject_GetBuffer(events, view, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT) < 0) {
        PyErr_Clear();
        PyErr_SetString(PyExc_TypeError, "events: not a contiguous buffer of 32-byte records");
        return -1;
    }
    if (!is_records(view, form)) {
        PyErr_Format(PyExc_TypeError, "events: %zd bytes of format %s are no 32-byte records: use numpy.dtype(%s)",
                     view->len, view->format == NULL ? "B" : view->format, form->dtype);
        PyBuffer_Release(view);
        return -1;
    }
    return 0;
}

/* Whether a format is of Python objects, in which raw bytes must not be put; names of fields stand in colons. */
static bool has_objects(const char *format)
{
    bool in_name = false;
    for (; format != NULL && *format != '\0'; format++) {
        if (*format == ':') {
            in_name = !in_name;
        } else if (*format == 'O' && !in_name) {
            return true;
        }
    }
    return false;
}

/* Whether two buffers share memory: what is written to one would change the other while it is read. */
static bool overlap(const Py_buffer *one, const Py_buffer *other)
{
    const char *start = one->buf, *other_start = other->buf;
    return start < other_start + other->len && other_start < start + one->len;
}

/* Fills `view` with a writable buffer of `bytes` for each of `events`; -1 and a TypeError if it is none, or has
   memory of the events. */
static int get_output(PyObject *output, const char *name, const Py_buffer *events, size_t bytes, Py_buffer *view)
{
    size_t count = (size_t)events->len / sizeof(clob_event);
    if (PyObject_GetBuffer(output, view, PyBUF_C_CONTIGUOUS | PyBUF_WRITABLE | PyBUF_FORMAT) < 0) {
        PyErr_Clear();
    } else if ((size_t)view->len == count * bytes && !has_objects(view->format)) {
        if (!overlap(events, view)) {
            return 0;
        }
        PyBuffer_Release(view);
        PyErr_Format(PyExc_TypeError, "%s: has memory of the events: give a buffer of its own", name);
        return -1;
    } else {
        PyBuffer_Release(view);
    }
    PyErr_Format(PyExc_TypeError, "%s: %zu events need a writable buffer of %zu bytes", name, count, count * bytes);
    return -1;
}

/* ---------------------------------------------------------------- events in */

static clob_status apply_records(book_object *self, const Py_buffer *view, clob_best *best, size_t *done)
{
    size_t count = (size_t)view->len / sizeof(clob_event);
    if (count < EVENTS_WITH_GIL) {
        return clob_apply(self->book, view->buf, count, best, done);
    }
    clob_status status;
    self->busy = true;
    Py_BEGIN_ALLOW_THREADS
    status = clob_apply(self->book, view->buf, count, best, done);
    Py_END_ALLOW_THREADS
    self->busy = false;
    return status;
}

PyObject *book_apply(book_object *self, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    static const signature expected = {"apply", 1, 2, {"events", "best"}};
    PyObject *storage[PARAMETERS_MAX];
    args = arranged(&expected, args, &count, names, storage);
    if (args == NULL) {
        return NULL;
    }
    Py_buffer events, best = {.buf = NULL};
    if (get_records(args[0], &events, &event_form) < 0) {
        return NULL;
    }
    PyObject *result = NULL;
    size_t done = 0;
    PyObject *best_given = optional(args, count, 1);
    bool has_best = best_given != NULL && best_given != Py_None;
    if (has_best && get_output(best_given, "best", &events, sizeof(clob_best), &best) < 0) {
        goto cleanup;
    }
    if (self->busy) {
        (void)raise_busy(self);
    } else if (apply_records(self, &events, best.buf, &done) == CLOB_OK) {
        result = PyLong_FromSize_t(done);
    } else {
        (void)raise_refusal_at(self, done);
    }
    if (has_best) {
        PyBuffer_Release(&best);
    }
cleanup:
    PyBuffer_Release(&events);
    return result;
}

/* The fills of all records as one Fills. */
static PyObject *match_records(book_object *self, const Py_buffer *view, clob_outcome *outcomes)
{
    size_t count = (size_t)view->len / sizeof(clob_event), fill_count;
    const clob_fill *fills;
    if (!fills_ready(self->state)) {
        return NULL;
    }
    fills_object *shell = take_fills_shell(self->state);
    if (count < EVENTS_WITH_GIL) {
        clob_match(self->book, view->buf, count, outcomes, &fills, &fill_count);
    } else {
        self->busy = true;
        Py_BEGIN_ALLOW_THREADS
        clob_match(self->book, view->buf, count, outcomes, &fills, &fill_count);
        Py_END_ALLOW_THREADS
        self->busy = false;
    }
    give_fills_shell(self->state, shell);
    return matched_fills(self->state, self->book, fills, fill_count);
}

PyObject *book_match(book_object *self, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    static const signature expected = {"match", 2, 2, {"events", "outcomes"}};
    PyObject *storage[PARAMETERS_MAX];
    args = arranged(&expected, args, &count, names, storage);
    if (args == NULL) {
        return NULL;
    }
    Py_buffer events, outcomes;
    if (get_records(args[0], &events, &incoming_form) < 0) {
        return NULL;
    }
    PyObject *result = NULL;
    if (get_output(args[1], "outcomes", &events, sizeof(clob_outcome), &outcomes) == 0) {
        result = self->busy ? raise_busy(self) : match_records(self, &events, outcomes.buf);
        PyBuffer_Release(&outcomes);
    }
    PyBuffer_Release(&events);
    return result;
}

/* ---------------------------------------------------------------- snapshots out and in */

PyObject *book_records(book_object *self, PyObject *ignored)
{
    (void)ignored;
    if (self->busy) {
        return raise_busy(self);
    }
    size_t bytes = clob_count(self->book) * sizeof(clob_event);
    PyObject *records = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)bytes);
    if (records != NULL) {
        clob_records(self->book, (clob_event *)PyBytes_AsString(records));
    }
    return records;
}

/* Turns one (order_id, is_ask, price, size) into a record; -1 and an exception. */
static int to_record(const book_object *self, PyObject *order, clob_event *record)
{
    PyObject *fields = PySequence_Tuple(order);
    if (fields == NULL || PyTuple_Size(fields) != 4) {
        if (fields != NULL) {
            PyErr_SetString(PyExc_TypeError, "an order has four fields: order_id, is_ask, price, size");
        }
        Py_XDECREF(fields);
        return -1;
    }
    PyObject *id = PyTuple_GetItem(fields, 0), *price = PyTuple_GetItem(fields, 2), *size = PyTuple_GetItem(fields, 3);
    uint64_t order_id;
    int64_t price_value, size_value;
    int is_ask = to_bool(PyTuple_GetItem(fields, 1));
    conversion id_converted = to_order_id(id, "order_id", &order_id);
    conversion price_converted = to_int64(price, "price", &price_value);
    conversion size_converted = to_int64(size, "size", &size_value);
    int result = -1;
    if (is_ask >= 0 && id_converted != NOT_CONVERTED && price_converted != NOT_CONVERTED &&
        size_converted != NOT_CONVERTED) {
        if (id_converted | price_converted | size_converted) {
            (void)raise_out_of_range(self, id_converted, id, price_converted, price, size);
        } else {
            *record = (clob_event){.order_id = order_id,
                                   .price = price_value,
                                   .size = size_value,
                                   .kind = CLOB_ADD,
                                   .is_ask = is_ask};
            result = 0;
        }
    }
    Py_DECREF(fields);
    return result;
}

static PyObject *restore_records(book_object *self, const clob_event *records, size_t count)
{
    size_t done;
    if (self->busy) {
        return raise_busy(self);
    }
    if (clob_restore(self->book, records, count, &done) != CLOB_OK) {
        return raise_refusal_at(self, done);
    }
    Py_RETURN_NONE;
}

static PyObject *restore_orders(book_object *self, PyObject *orders)
{
    PyObject *list = PySequence_List(orders);
    if (list == NULL) {
        return NULL;
    }
    PyObject *result = NULL;
    size_t count = (size_t)PyList_Size(list), i = 0;
    clob_event *records = PyMem_Malloc((count + 1) * sizeof *records);
    if (records == NULL) {
        PyErr_NoMemory();
        goto cleanup;
    }
    while (i < count && to_record(self, PyList_GetItem(list, (Py_ssize_t)i), &records[i]) == 0) {
        i++;
    }
    if (i == count) {
        result = restore_records(self, records, count);
    } else if (PyErr_ExceptionMatches(self->state->errors[CLOB_BAD_ID])) {
        set_event_index(self, i);
    }
cleanup:
    PyMem_Free(records);
    Py_DECREF(list);
    return result;
}

PyObject *book_restore(book_object *self, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    static const signature expected = {"restore", 1, 1, {"orders"}};
    PyObject *storage[PARAMETERS_MAX];
    args = arranged(&expected, args, &count, names, storage);
    if (args == NULL) {
        return NULL;
    }
    if (!PyBytes_Check(args[0])) {
        return restore_orders(self, args[0]);
    }
    Py_buffer view;
    if (get_records(args[0], &view, &event_form) < 0) {
        return NULL;
    }
    PyObject *result = restore_records(self, view.buf, (size_t)view.len / sizeof(clob_event));
    PyBuffer_Release(&view);
    return result;
}
