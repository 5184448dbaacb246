/* The methods of Book that tell what stands; none changes it. */

#include "binding.h"

#define REQUIRE_IDLE(self)                                                                                             \
    do {                                                                                                               \
        if (UNLIKELY((self)->busy)) {                                                                                  \
            return raise_busy(self);                                                                                   \
        }                                                                                                              \
    } while (0)

/* Before 3.12 any new container may start a collection, in which a finalizer may change the very book that is
   being told: while handles of the core are in use, the collector waits. */
#if PY_VERSION_HEX < 0x030C0000
static inline int hold_collector(void) { return PyGC_Disable(); }
static inline void release_collector(int was_enabled)
{
    if (was_enabled) {
        (void)PyGC_Enable();
    }
}
#else
static inline int hold_collector(void) { return 0; }
static inline void release_collector(int was_enabled) { (void)was_enabled; }
#endif

/* ---------------------------------------------------------------- properties */

static PyObject *best_price(book_object *self, bool is_ask)
{
    REQUIRE_IDLE(self);
    if (!clob_has(self->book, is_ask)) {
        Py_RETURN_NONE;
    }
    clob_best best = clob_best_prices(self->book);
    return PyLong_FromLongLong(is_ask ? best.ask : best.bid);
}

static PyObject *get_best_bid(book_object *self, void *ignored)
{
    (void)ignored;
    return best_price(self, false);
}

static PyObject *get_best_ask(book_object *self, void *ignored)
{
    (void)ignored;
    return best_price(self, true);
}

static PyObject *get_orders_max(book_object *self, void *ignored)
{
    (void)ignored;
    return PyLong_FromUnsignedLong(clob_orders_max(self->book));
}

PyGetSetDef book_properties[] = {
    {"best_bid", (getter)get_best_bid, NULL, "The highest bid's price, None without one.", NULL},
    {"best_ask", (getter)get_best_ask, NULL, "The lowest ask's price, None without one.", NULL},
    {"orders_max", (getter)get_orders_max, NULL, "How many orders the book may hold.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

/* ---------------------------------------------------------------- the whole book */

Py_ssize_t book_length(book_object *self)
{
    if (UNLIKELY(self->busy)) {
        (void)raise_busy(self);
        return -1;
    }
    return (Py_ssize_t)clob_count(self->book);
}

int book_contains(book_object *self, PyObject *order_id)
{
    uint64_t id;
    conversion converted = to_order_id(order_id, "order_id", &id);
    if (UNLIKELY(self->busy)) { /* only now: to convert may run Python code, in which a batch may begin */
        (void)raise_busy(self);
        return -1;
    }
    if (converted == NOT_CONVERTED) {
        if (!PyErr_ExceptionMatches(PyExc_TypeError)) {
            return -1;
        }
        PyErr_Clear(); /* as of any container: what is no id is not in it */
        return 0;
    }
    return converted == CONVERTED && clob_contains(self->book, id);
}

static PyObject *side_best(const book_object *self, bool is_ask)
{
    uint32_t level = clob_best_level(self->book, is_ask);
    if (level == CLOB_NONE) {
        Py_RETURN_NONE;
    }
    return level_tuple(self->state, clob_get_level(self->book, level));
}

PyObject *book_repr(book_object *self)
{
    REQUIRE_IDLE(self);
    PyObject *bid = side_best(self, false), *ask = side_best(self, true), *text = NULL;
    if (bid != NULL && ask != NULL) {
        text = PyUnicode_FromFormat("<Book orders=%zu bid=%R ask=%R>", clob_count(self->book), bid, ask);
    }
    Py_XDECREF(bid);
    Py_XDECREF(ask);
    return text;
}

PyObject *book_checksum(book_object *self, PyObject *ignored)
{
    (void)ignored;
    REQUIRE_IDLE(self);
    return PyLong_FromUnsignedLongLong(clob_checksum(self->book));
}

PyObject *book_check(book_object *self, PyObject *ignored)
{
    (void)ignored;
    REQUIRE_IDLE(self);
    const char *wrong = clob_check(self->book);
    if (wrong == NULL) {
        Py_RETURN_NONE;
    }
    return PyUnicode_FromString(wrong);
}

PyObject *book_sizeof(book_object *self, PyObject *ignored)
{
    (void)ignored;
    REQUIRE_IDLE(self);
    return PyLong_FromSize_t(sizeof *self + clob_memory_bytes(self->book));
}

/* Appends the orders of a level; false and an exception if that fails. */
static bool append_orders(const book_object *self, PyObject *list, uint32_t level)
{
    for (uint32_t i = clob_first_order(self->book, level); i != CLOB_NONE; i = clob_next_order(self->book, i)) {
        PyObject *order = order_tuple(self->state, clob_get_order(self->book, i));
        if (order == NULL || PyList_Append(list, order) < 0) {
            Py_XDECREF(order);
            return false;
        }
        Py_DECREF(order);
    }
    return true;
}

PyObject *book_snapshot(book_object *self, PyObject *ignored)
{
    (void)ignored;
    REQUIRE_IDLE(self);
    int was_enabled = hold_collector();
    PyObject *list = PyList_New(0);
    for (int is_ask = 0; list != NULL && is_ask < 2; is_ask++) {
        uint32_t level = clob_best_level(self->book, is_ask);
        for (; list != NULL && level != CLOB_NONE; level = clob_next_level(self->book, level)) {
            if (!append_orders(self, list, level)) {
                Py_CLEAR(list);
            }
        }
    }
    release_collector(was_enabled);
    return list;
}

/* ---------------------------------------------------------------- a side */

/* The one argument `is_ask`: 1, 0, or -1 and an exception. */
static int side_argument(book_object *self, const signature *expected, PyObject *const *args, Py_ssize_t count,
                         PyObject *names)
{
    PyObject *storage[PARAMETERS_MAX];
    args = arranged(expected, args, &count, names, storage);
    int is_ask = args == NULL ? -1 : to_bool(args[0]);
    if (is_ask >= 0 && UNLIKELY(self->busy)) { /* only now: to convert may run Python code */
        (void)raise_busy(self);
        return -1;
    }
    return is_ask;
}

PyObject *book_best(book_object *self, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    static const signature expected = {"best", 1, 1, {"is_ask"}};
    int is_ask = side_argument(self, &expected, args, count, names);
    return is_ask < 0 ? NULL : side_best(self, is_ask);
}

PyObject *book_total(book_object *self, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    static const signature expected = {"total", 1, 1, {"is_ask"}};
    int is_ask = side_argument(self, &expected, args, count, names);
    return is_ask < 0 ? NULL : PyLong_FromLongLong(clob_total(self->book, is_ask));
}

PyObject *book_depth(book_object *self, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    static const signature expected = {"depth", 2, 2, {"is_ask", "levels"}};
    PyObject *storage[PARAMETERS_MAX];
    int64_t wanted;
    args = arranged(&expected, args, &count, names, storage);
    int is_ask = args == NULL ? -1 : to_bool(args[0]);
    conversion converted = is_ask < 0 ? NOT_CONVERTED : to_int64(args[1], "levels", &wanted);
    if (converted == NOT_CONVERTED) {
        return NULL;
    }
    REQUIRE_IDLE(self);
    int was_enabled = hold_collector();
    PyObject *list = PyList_New(0);
    uint32_t level = clob_best_level(self->book, is_ask);
    for (; list != NULL && wanted > 0 && level != CLOB_NONE; wanted--, level = clob_next_level(self->book, level)) {
        PyObject *made = level_tuple(self->state, clob_get_level(self->book, level));
        if (made == NULL || PyList_Append(list, made) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(made);
    }
    release_collector(was_enabled);
    return list;
}

/* ---------------------------------------------------------------- a price */

/* Finds the level that the arguments `is_ask` and `price` name, CLOB_NONE for none, and makes an int of the
   price; -1 and an exception. */
static int price_arguments(book_object *self, const signature *expected, PyObject *const *args, Py_ssize_t count,
                           PyObject *names, uint32_t *level, PyObject **price_object)
{
    PyObject *storage[PARAMETERS_MAX];
    int64_t price;
    args = arranged(expected, args, &count, names, storage);
    int is_ask = args == NULL ? -1 : to_bool(args[0]);
    conversion converted = is_ask < 0 ? NOT_CONVERTED : to_int64(args[1], "price", &price);
    if (converted == NOT_CONVERTED) {
        return -1;
    }
    if (UNLIKELY(self->busy)) {
        (void)raise_busy(self);
        return -1;
    }
    *level = converted == OUT_OF_RANGE ? CLOB_NONE : clob_level_at(self->book, is_ask, price);
    /* A plain int also of True and of what can only be made one. */
    *price_object = converted == OUT_OF_RANGE ? PyNumber_Index(args[1]) : PyLong_FromLongLong(price);
    return *price_object == NULL ? -1 : 0;
}

PyObject *book_level(book_object *self, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    static const signature expected = {"level", 2, 2, {"is_ask", "price"}};
    uint32_t level;
    PyObject *price;
    if (price_arguments(self, &expected, args, count, names, &level, &price) < 0) {
        return NULL;
    }
    if (level != CLOB_NONE) {
        Py_DECREF(price);
        return level_tuple(self->state, clob_get_level(self->book, level));
    }
    PyObject *empty = PyObject_CallFunction((PyObject *)self->state->level_type, "Oii", price, 0, 0);
    Py_DECREF(price);
    return empty;
}

PyObject *book_orders(book_object *self, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    static const signature expected = {"orders", 2, 2, {"is_ask", "price"}};
    uint32_t level;
    PyObject *price;
    if (price_arguments(self, &expected, args, count, names, &level, &price) < 0) {
        return NULL;
    }
    Py_DECREF(price);
    int was_enabled = hold_collector();
    PyObject *list = PyList_New(0);
    if (list != NULL && level != CLOB_NONE && !append_orders(self, list, level)) {
        Py_CLEAR(list);
    }
    release_collector(was_enabled);
    return list;
}

/* ---------------------------------------------------------------- an order */

/* The one argument `order_id` as it was given, and its value (0, no order's, if it is none); NULL and an
   exception if it is no int. */
static PyObject *id_argument(book_object *self, const signature *expected, PyObject *const *args, Py_ssize_t count,
                             PyObject *names, uint64_t *order_id)
{
    PyObject *storage[PARAMETERS_MAX];
    args = arranged(expected, args, &count, names, storage);
    if (args == NULL || to_order_id(args[0], "order_id", order_id) == NOT_CONVERTED) {
        return NULL;
    }
    if (UNLIKELY(self->busy)) {
        return raise_busy(self);
    }
    return args[0];
}

static PyObject *raise_unknown(const book_object *self, PyObject *order_id)
{
    return raise_naming(self->state->errors[CLOB_UNKNOWN_ORDER], "no order %U", order_id, NULL);
}

PyObject *book_order(book_object *self, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    static const signature expected = {"order", 1, 1, {"order_id"}};
    uint64_t order_id;
    clob_order found;
    PyObject *given = id_argument(self, &expected, args, count, names, &order_id);
    if (given == NULL) {
        return NULL;
    }
    if (clob_find(self->book, order_id, &found) != CLOB_OK) {
        return raise_unknown(self, given);
    }
    return order_tuple(self->state, found);
}

PyObject *book_queue_position(book_object *self, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    static const signature expected = {"queue_position", 1, 1, {"order_id"}};
    uint64_t order_id;
    size_t orders_ahead;
    int64_t size_ahead;
    PyObject *given = id_argument(self, &expected, args, count, names, &order_id);
    if (given == NULL) {
        return NULL;
    }
    if (clob_queue_position(self->book, order_id, &orders_ahead, &size_ahead) != CLOB_OK) {
        return raise_unknown(self, given);
    }
    return Py_BuildValue("(nL)", (Py_ssize_t)orders_ahead, (long long)size_ahead);
}
