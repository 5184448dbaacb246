/* Batches: columns of numbers go in without a Python loop, and without the GIL in our library. */

#include "binding.h"

#define COLUMNS_MAX 8

/* A column an array may be given for; None is all zeros. */
typedef struct column {
    const char *name;
    Py_ssize_t item_bytes;
} column_t;

typedef struct columns {
    Py_buffer views[COLUMNS_MAX];
    ofx_column_t columns[COLUMNS_MAX];
    int taken;
    Py_ssize_t rows;
} columns_t;

static const column_t TRADE_COLUMNS[] = {{"price", 8},    {"size", 8},           {"aggressor_side", 1},
                                         {"sequence", 8}, {"ts_exchange_ns", 8}, {"ts_recv_ns", 8}};
static const column_t BOOK_COLUMNS[] = {{"side", 1}, {"level", 2},    {"price", 8},          {"size", 8},
                                        {"action", 1}, {"sequence", 8}, {"ts_exchange_ns", 8}, {"ts_recv_ns", 8}};

static void drop_columns(columns_t *columns)
{
    for (int at = 0; at < columns->taken; at++) {
        if (columns->views[at].obj != NULL) {
            PyBuffer_Release(&columns->views[at]);
        }
    }
}

static bool take_column(const module_state_t *state, columns_t *columns, const column_t *wanted, PyObject *value)
{
    int at = columns->taken;
    memset(&columns->views[at], 0, sizeof columns->views[at]);
    columns->columns[at] = (ofx_column_t){NULL, 0};
    if (value == Py_None) {
        columns->taken++;
        return true;
    }
    Py_buffer *view = &columns->views[at];
    if (PyObject_GetBuffer(value, view, PyBUF_STRIDES) < 0) {
        return false;
    }
    columns->taken++;
    if (view->ndim != 1 || view->itemsize != wanted->item_bytes) {
        PyErr_Format(state->arg_error, "%s must be a column of %zd-byte integers", wanted->name, wanted->item_bytes);
        return false;
    }
    if (columns->rows >= 0 && view->shape[0] != columns->rows) {
        PyErr_Format(state->arg_error, "%s has %zd rows, a column before it %zd", wanted->name, view->shape[0],
                     columns->rows);
        return false;
    }
    columns->rows = view->shape[0];
    columns->columns[at] = (ofx_column_t){view->buf, view->strides[0]};
    return true;
}

/* symbol, the columns, quality_flags */
static bool take_columns(const module_state_t *state, PyObject *const *arguments, Py_ssize_t count,
                         const column_t *wanted, int wanted_count, columns_t *columns, uint64_t *flags)
{
    columns->taken = 0;
    columns->rows = -1;
    if (count != wanted_count + 2) {
        PyErr_Format(PyExc_TypeError, "a symbol, %d columns and quality flags are wanted", wanted_count);
        return false;
    }
    for (int at = 0; at < wanted_count; at++) {
        if (!take_column(state, columns, &wanted[at], arguments[at + 1])) {
            return false;
        }
    }
    columns->rows = columns->rows < 0 ? 0 : columns->rows;
    return take_within(state, "quality_flags", arguments[wanted_count + 1], UINT32_MAX, flags);
}

static int64_t value_at(const ofx_column_t *column, size_t row, size_t bytes)
{
    int64_t value = 0;
    if (column->data != NULL) {
        memcpy(&value, (const char *)column->data + (ptrdiff_t)row * column->stride_bytes, bytes);
    }
    return value;
}

static int32_t foreign_trades(runtime_t *runtime, const instrument_name_t *name, const ofx_trade_columns_t *trades,
                              uint32_t flags, size_t *bad_row)
{
    int32_t code = OF_OK;
    for (*bad_row = 0; *bad_row < trades->rows; ++*bad_row) {
        of_trade_t trade = {.symbol = name->names,
                            .price = value_at(&trades->price, *bad_row, 8),
                            .size = value_at(&trades->size, *bad_row, 8),
                            .aggressor_side = (uint32_t)value_at(&trades->aggressor, *bad_row, 1),
                            .sequence = (uint64_t)value_at(&trades->sequence, *bad_row, 8),
                            .ts_exchange_ns = (uint64_t)value_at(&trades->ts_exchange_ns, *bad_row, 8),
                            .ts_recv_ns = (uint64_t)value_at(&trades->ts_recv_ns, *bad_row, 8)};
        code = runtime->library.of_ingest_trade(runtime->engine, &trade, flags);
        if (code != OF_OK || runtime->engine == NULL) {
            break;
        }
    }
    return code;
}

static int32_t foreign_books(runtime_t *runtime, const instrument_name_t *name, const ofx_book_columns_t *books,
                             uint32_t flags, size_t *bad_row)
{
    int32_t code = OF_OK;
    for (*bad_row = 0; *bad_row < books->rows; ++*bad_row) {
        of_book_t book = {.symbol = name->names,
                          .side = (uint32_t)value_at(&books->side, *bad_row, 1),
                          .level = (uint16_t)value_at(&books->level, *bad_row, 2),
                          .price = value_at(&books->price, *bad_row, 8),
                          .size = value_at(&books->size, *bad_row, 8),
                          .action = (uint32_t)value_at(&books->action, *bad_row, 1),
                          .sequence = (uint64_t)value_at(&books->sequence, *bad_row, 8),
                          .ts_exchange_ns = (uint64_t)value_at(&books->ts_exchange_ns, *bad_row, 8),
                          .ts_recv_ns = (uint64_t)value_at(&books->ts_recv_ns, *bad_row, 8)};
        code = runtime->library.of_ingest_book(runtime->engine, &book, flags);
        if (code != OF_OK || runtime->engine == NULL) {
            break;
        }
    }
    return code;
}

static PyObject *finish(runtime_t *runtime, call_t *call, int32_t code, size_t bad_row, const char *function)
{
    char prefix[48] = "";
    if (code != OF_OK && call->exception == NULL) {
        if (bad_row != SIZE_MAX) {
            snprintf(prefix, sizeof prefix, "row %zu: ", bad_row);
        }
        set_failure(runtime, code, function, prefix);
        call_caught(call);
    }
    return call_end(runtime, call, code, function) ? Py_NewRef(Py_None) : NULL;
}

static PyObject *ingest_trades(runtime_t *runtime, PyObject *const *arguments, Py_ssize_t count)
{
    columns_t columns;
    uint64_t flags;
    instrument_name_t name;
    call_t call;
    PyObject *result = NULL;
    if (take_columns(runtime->state, arguments, count, TRADE_COLUMNS, 6, &columns, &flags) &&
        call_begin(runtime, &call)) {
        int32_t code = OF_OK;
        size_t bad_row = SIZE_MAX;
        if (take_symbol(runtime, arguments[0], &name)) {
            const ofx_column_t *column = columns.columns;
            ofx_trade_columns_t trades = {(size_t)columns.rows, column[0], column[1], column[2],
                                          column[3],            column[4], column[5]};
            if (runtime->library.own) {
                of_engine_t *engine = runtime->engine;
                Py_BEGIN_ALLOW_THREADS
                code = runtime->library.ofx_ingest_trades(engine, name.id, &trades, (uint32_t)flags, &bad_row);
                Py_END_ALLOW_THREADS
            } else {
                code = foreign_trades(runtime, &name, &trades, (uint32_t)flags, &bad_row);
            }
            drop_symbol(&name);
        } else {
            call_caught(&call);
        }
        result = finish(runtime, &call, code, bad_row, "of_ingest_trade");
    }
    drop_columns(&columns);
    return result;
}

static PyObject *ingest_books(runtime_t *runtime, PyObject *const *arguments, Py_ssize_t count)
{
    columns_t columns;
    uint64_t flags;
    instrument_name_t name;
    call_t call;
    PyObject *result = NULL;
    if (take_columns(runtime->state, arguments, count, BOOK_COLUMNS, 8, &columns, &flags) &&
        call_begin(runtime, &call)) {
        int32_t code = OF_OK;
        size_t bad_row = SIZE_MAX;
        if (take_symbol(runtime, arguments[0], &name)) {
            const ofx_column_t *column = columns.columns;
            ofx_book_columns_t books = {(size_t)columns.rows, column[0], column[4], column[1], column[2],
                                        column[3],            column[5], column[6], column[7]};
            if (runtime->library.own) {
                of_engine_t *engine = runtime->engine;
                Py_BEGIN_ALLOW_THREADS
                code = runtime->library.ofx_ingest_books(engine, name.id, &books, (uint32_t)flags, &bad_row);
                Py_END_ALLOW_THREADS
            } else {
                code = foreign_books(runtime, &name, &books, (uint32_t)flags, &bad_row);
            }
            drop_symbol(&name);
        } else {
            call_caught(&call);
        }
        result = finish(runtime, &call, code, bad_row, "of_ingest_book");
    }
    drop_columns(&columns);
    return result;
}

PyMethodDef batch_methods[] = {
    {"_ingest_trades", (PyCFunction)(void (*)(void))ingest_trades, METH_FASTCALL, NULL},
    {"_ingest_books", (PyCFunction)(void (*)(void))ingest_books, METH_FASTCALL, NULL},
    {NULL, NULL, 0, NULL},
};
