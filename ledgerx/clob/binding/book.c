/* The type Book: its life, and the methods that change it. The rules are in ledgerx/clob/_reference.py. */

#include "binding.h"

#define ORDERS_MAX 16777216 /* ledgerx/clob/_types.py */

/* ---------------------------------------------------------------- life */

static void *raw_realloc(void *context, void *memory, size_t bytes)
{
    (void)context;
    return PyMem_RawRealloc(memory, bytes); /* raw: `apply` allocates without the GIL */
}

static void raw_free(void *context, void *memory)
{
    (void)context;
    PyMem_RawFree(memory);
}

static const clob_allocator raw_memory = {.realloc = raw_realloc, .free = raw_free, .context = NULL};

static PyObject *book_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"orders_max", NULL};
    PyObject *wanted = NULL;
    int64_t orders_max = ORDERS_MAX;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O:Book", names, &wanted)) {
        return NULL;
    }
    conversion converted = wanted == NULL ? CONVERTED : to_int64(wanted, "orders_max", &orders_max);
    if (converted == NOT_CONVERTED) {
        return NULL;
    }
    binding_state *state = book_state_of(type);
    if (state == NULL) {
        return NULL;
    }
    if (converted == OUT_OF_RANGE || orders_max < 1 || orders_max > CLOB_ORDERS_MAX_MAX) {
        char format[64];
        unsigned long max = CLOB_ORDERS_MAX_MAX;
        (void)PyOS_snprintf(format, sizeof format, "orders_max %%U is not in 1 to %lu", max);
        return raise_naming(state->errors[CLOB_BAD_SIZE], format, wanted, NULL); /* no Book yet for its code to find */
    }
    book_object *self = (book_object *)((allocfunc)PyType_GetSlot(type, Py_tp_alloc))(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->state = state;
    self->book = clob_new((uint32_t)orders_max, &raw_memory);
    if (self->book == NULL) {
        Py_DECREF(self);
        return PyErr_NoMemory();
    }
    return (PyObject *)self;
}

static int book_traverse(book_object *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->best);
    return 0;
}

static int book_clear_references(book_object *self)
{
    Py_CLEAR(self->best);
    return 0;
}

static void book_dealloc(book_object *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    (void)book_clear_references(self);
    clob_free(self->book);
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(self);
    Py_DECREF(type);
}

/* ---------------------------------------------------------------- orders in */

static const signature add_signature = {"add", 4, 4, {"order_id", "is_ask", "price", "size"}};

static PyObject *book_add(book_object *self, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    PyObject *storage[PARAMETERS_MAX];
    args = arranged(&add_signature, args, &count, names, storage);
    if (UNLIKELY(args == NULL)) {
        return NULL;
    }
    uint64_t order_id;
    int64_t price, size;
    conversion id_converted = to_order_id(args[0], "order_id", &order_id);
    int is_ask = to_bool(args[1]);
    conversion price_converted = to_int64(args[2], "price", &price);
    conversion size_converted = to_int64(args[3], "size", &size);
    if (UNLIKELY(is_ask < 0 || id_converted == NOT_CONVERTED || price_converted == NOT_CONVERTED ||
                 size_converted == NOT_CONVERTED)) {
        return NULL;
    }
    if (UNLIKELY(id_converted | price_converted | size_converted)) {
        return raise_out_of_range(self, id_converted, args[0], price_converted, args[2], args[3]);
    }
    if (UNLIKELY(self->busy)) {
        return raise_busy(self);
    }
    if (UNLIKELY(clob_add(self->book, order_id, is_ask, price, size) != CLOB_OK)) {
        return raise_refusal(self);
    }
    Py_RETURN_NONE;
}

static const signature submit_signature = {
    "submit", 4, 6, {"order_id", "is_ask", "price", "size", "time_in_force", "post_only"}};

/* The incoming order of any arguments; false and an exception if they are none. */
OUT_OF_LINE static bool any_incoming(book_object *self, PyObject *const *args, Py_ssize_t count, PyObject *names,
                                     clob_incoming *in)
{
    PyObject *storage[PARAMETERS_MAX];
    args = arranged(&submit_signature, args, &count, names, storage);
    if (args == NULL) {
        return false;
    }
    *in = (clob_incoming){.is_market = args[2] == Py_None};
    int64_t time_in_force = CLOB_GTC;
    conversion id_converted = to_order_id(args[0], "order_id", &in->order_id);
    int is_ask = to_bool(args[1]);
    conversion price_converted = in->is_market ? CONVERTED : to_int64(args[2], "price", &in->price);
    conversion size_converted = to_int64(args[3], "size", &in->size);
    PyObject *time_given = optional(args, count, 4), *post_only_given = optional(args, count, 5);
    conversion time_converted =
        time_given == NULL ? CONVERTED : to_member(time_given, "time_in_force", &time_in_force);
    int post_only = post_only_given == NULL ? 0 : to_bool(post_only_given);
    if (is_ask < 0 || post_only < 0 || id_converted == NOT_CONVERTED || price_converted == NOT_CONVERTED ||
        size_converted == NOT_CONVERTED || time_converted == NOT_CONVERTED) {
        return false;
    }
    if (id_converted | price_converted | size_converted) {
        (void)raise_out_of_range(self, id_converted, args[0], price_converted, args[2], args[3]);
        return false;
    }
    in->is_ask = is_ask;
    in->post_only = post_only;
    in->time_in_force = (clob_time_in_force)time_in_force;
    bool is_known = time_converted == CONVERTED && time_in_force >= CLOB_GTC && time_in_force <= CLOB_FOK;
    if (!is_known && in->size > 0 && !self->busy) {
        (void)raise_naming(self->state->errors[CLOB_BAD_TIME_IN_FORCE], "order %U: unknown time in force %U", args[0],
                           time_given);
        return false;
    }
    return true;
}

/* The same of what nearly all calls give: ints of few digits and bools, by place. False, without an exception, for
   all else. */
static inline bool plain_incoming(PyObject *const *args, Py_ssize_t count, PyObject *names, clob_incoming *in)
{
    int64_t order_id, price = 0, size, time_in_force = CLOB_GTC;
    if (names != NULL || count < 4 || count > 6) {
        return false;
    }
    bool is_market = args[2] == Py_None;
    if (!small_int(args[0], &order_id) || order_id < 1 || !is_bool(args[1]) ||
        (!is_market && !small_int(args[2], &price)) || !small_int(args[3], &size)) {
        return false;
    }
    if (count > 4 && (!small_member(args[4], &time_in_force) || (uint64_t)time_in_force > CLOB_FOK)) {
        return false;
    }
    if (count > 5 && !is_bool(args[5])) {
        return false;
    }
    *in = (clob_incoming){.order_id = (uint64_t)order_id,
                          .price = price,
                          .size = size,
                          .is_ask = args[1] == Py_True,
                          .is_market = is_market,
                          .post_only = count > 5 && args[5] == Py_True,
                          .time_in_force = (clob_time_in_force)time_in_force};
    return true;
}

static PyObject *book_submit(book_object *self, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    clob_incoming in, of_any;
    if (UNLIKELY(!plain_incoming(args, count, names, &in))) {
        if (!any_incoming(self, args, count, names, &of_any)) {
            return NULL;
        }
        in = of_any; /* which has an address, and is in memory therefore */
    }
    if (UNLIKELY(self->busy)) {
        return raise_busy(self);
    }
    const clob_fill *fills;
    size_t fill_count;
    if (UNLIKELY(!fills_ready(self->state))) {
        return NULL;
    }
    if (UNLIKELY(clob_submit(self->book, &in, &fills, &fill_count) != CLOB_OK)) {
        return raise_refusal(self);
    }
    return matched_fills(self->state, self->book, fills, fill_count);
}

static const signature preview_signature = {"preview", 3, 3, {"is_ask", "price", "size"}};

static PyObject *book_preview(book_object *self, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    PyObject *storage[PARAMETERS_MAX];
    args = arranged(&preview_signature, args, &count, names, storage);
    if (UNLIKELY(args == NULL)) {
        return NULL;
    }
    bool is_market = args[1] == Py_None;
    int64_t price = 0, size;
    int is_ask = to_bool(args[0]);
    conversion price_converted = is_market ? CONVERTED : to_int64(args[1], "price", &price);
    conversion size_converted = to_int64(args[2], "size", &size);
    if (UNLIKELY(is_ask < 0 || price_converted == NOT_CONVERTED || size_converted == NOT_CONVERTED)) {
        return NULL;
    }
    if (UNLIKELY(price_converted | size_converted)) {
        return raise_out_of_range(self, CONVERTED, NULL, price_converted, args[1], args[2]);
    }
    if (UNLIKELY(self->busy)) {
        return raise_busy(self);
    }
    const clob_fill *fills;
    size_t fill_count;
    if (UNLIKELY(!fills_ready(self->state))) {
        return NULL;
    }
    if (UNLIKELY(clob_preview(self->book, is_ask, is_market, price, size, &fills, &fill_count) != CLOB_OK)) {
        return raise_refusal(self);
    }
    return matched_fills(self->state, self->book, fills, fill_count);
}

/* ---------------------------------------------------------------- orders changed */

/* An id that no order can have is no order's; a size beyond int64 is above any order's. */
static PyObject *refuse_amount(const book_object *self, uint64_t order_id, PyObject *id, PyObject *amount,
                               bool is_negative)
{
    if (is_negative) {
        return raise_naming(self->state->errors[CLOB_BAD_SIZE], "order %U: size %U is not in 1 to 9223372036854775807",
                            id, amount);
    }
    if (!clob_contains(self->book, order_id)) {
        return raise_naming(self->state->errors[CLOB_UNKNOWN_ORDER], "no order %U", id, NULL);
    }
    return raise_naming(self->state->errors[CLOB_ABOVE_OPEN], "order %U has less than %U open", id, amount);
}

/* A status for a lookup by id: says which id where the core, given 0, could not. */
static PyObject *raise_for_id(const book_object *self, conversion id_converted, PyObject *order_id)
{
    if (id_converted == OUT_OF_RANGE && clob_last_error(self->book)->status == CLOB_UNKNOWN_ORDER) {
        return raise_naming(self->state->errors[CLOB_UNKNOWN_ORDER], "no order %U", order_id, NULL);
    }
    return raise_refusal(self);
}

typedef clob_status (*taking)(clob_book *, uint64_t, int64_t, int64_t *);

static inline PyObject *take_from(book_object *self, const signature *expected, taking take, PyObject *const *args,
                                  Py_ssize_t count, PyObject *names)
{
    PyObject *storage[PARAMETERS_MAX];
    args = arranged(expected, args, &count, names, storage);
    if (UNLIKELY(args == NULL)) {
        return NULL;
    }
    uint64_t order_id;
    int64_t amount, left;
    conversion id_converted = to_order_id(args[0], "order_id", &order_id);
    conversion amount_converted = to_int64(args[1], expected->names[1], &amount);
    if (UNLIKELY(id_converted == NOT_CONVERTED || amount_converted == NOT_CONVERTED)) {
        return NULL;
    }
    if (UNLIKELY(self->busy)) {
        return raise_busy(self);
    }
    if (UNLIKELY(amount_converted == OUT_OF_RANGE)) {
        return refuse_amount(self, order_id, args[0], args[1], amount < 0);
    }
    if (UNLIKELY(take(self->book, order_id, amount, &left) != CLOB_OK)) {
        return raise_for_id(self, id_converted, args[0]);
    }
    return PyLong_FromLongLong(left);
}

static const signature reduce_signature = {"reduce", 2, 2, {"order_id", "by"}};

static PyObject *book_reduce(book_object *self, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    return take_from(self, &reduce_signature, clob_reduce, args, count, names);
}

static const signature execute_signature = {"execute", 2, 2, {"order_id", "size"}};

static PyObject *book_execute(book_object *self, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    return take_from(self, &execute_signature, clob_execute, args, count, names);
}

static const signature cancel_signature = {"cancel", 1, 1, {"order_id"}};

static PyObject *book_cancel(book_object *self, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    PyObject *storage[PARAMETERS_MAX];
    args = arranged(&cancel_signature, args, &count, names, storage);
    if (UNLIKELY(args == NULL)) {
        return NULL;
    }
    uint64_t order_id;
    int64_t open_size;
    conversion id_converted = to_order_id(args[0], "order_id", &order_id);
    if (UNLIKELY(id_converted == NOT_CONVERTED)) {
        return NULL;
    }
    if (UNLIKELY(self->busy)) {
        return raise_busy(self);
    }
    if (UNLIKELY(clob_cancel(self->book, order_id, &open_size) != CLOB_OK)) {
        return raise_for_id(self, id_converted, args[0]);
    }
    return PyLong_FromLongLong(open_size);
}

static const signature replace_signature = {"replace", 3, 3, {"order_id", "price", "size"}};

static PyObject *book_replace(book_object *self, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    PyObject *storage[PARAMETERS_MAX];
    args = arranged(&replace_signature, args, &count, names, storage);
    if (UNLIKELY(args == NULL)) {
        return NULL;
    }
    uint64_t order_id;
    int64_t price, size;
    bool kept_place;
    conversion id_converted = to_order_id(args[0], "order_id", &order_id);
    conversion price_converted = to_int64(args[1], "price", &price);
    conversion size_converted = to_int64(args[2], "size", &size);
    if (UNLIKELY(id_converted == NOT_CONVERTED || price_converted == NOT_CONVERTED ||
                 size_converted == NOT_CONVERTED)) {
        return NULL;
    }
    if (UNLIKELY(price_converted | size_converted)) {
        return raise_out_of_range(self, CONVERTED, args[0], price_converted, args[1], args[2]);
    }
    if (UNLIKELY(self->busy)) {
        return raise_busy(self);
    }
    if (UNLIKELY(clob_replace(self->book, order_id, price, size, &kept_place) != CLOB_OK)) {
        return raise_for_id(self, id_converted, args[0]);
    }
    return PyBool_FromLong(kept_place);
}

static PyObject *book_clear(book_object *self, PyObject *ignored)
{
    (void)ignored;
    if (UNLIKELY(self->busy)) {
        return raise_busy(self);
    }
    clob_clear(self->book);
    Py_RETURN_NONE;
}

/* ---------------------------------------------------------------- one event */

/* The tuple of the best prices, the last one again where they are the same. */
static PyObject *best_tuple(book_object *self)
{
    clob_best best = clob_best_prices(self->book);
    bool has_bid = clob_has(self->book, false), has_ask = clob_has(self->book, true);
    if (LIKELY(self->best != NULL && best.bid == self->best_prices.bid && best.ask == self->best_prices.ask &&
               has_bid == self->best_has[0] && has_ask == self->best_has[1])) {
        return Py_NewRef(self->best);
    }
    PyObject *bid = has_bid ? PyLong_FromLongLong(best.bid) : Py_NewRef(Py_None);
    PyObject *ask = has_ask ? PyLong_FromLongLong(best.ask) : Py_NewRef(Py_None);
    PyObject *made = bid == NULL || ask == NULL ? NULL : PyTuple_Pack(2, bid, ask);
    Py_XDECREF(bid);
    Py_XDECREF(ask);
    if (made == NULL) {
        return NULL;
    }
    Py_XSETREF(self->best, Py_NewRef(made));
    self->best_prices = best;
    self->best_has[0] = has_bid;
    self->best_has[1] = has_ask;
    return made;
}

/* Carries out an event some argument of which fits no record, by the method of its kind: that one knows which
   arguments it reads. */
static PyObject *apply_by_method(book_object *self, int64_t kind, PyObject *const *args)
{
    PyObject *const of_order[] = {args[1], args[3], args[4]};
    PyObject *const amount[] = {args[1], args[4]};
    PyObject *result;
    switch (kind) {
    case CLOB_ADD:
        result = book_add(self, args + 1, 4, NULL);
        break;
    case CLOB_REDUCE:
        result = book_reduce(self, amount, 2, NULL);
        break;
    case CLOB_EXECUTE:
        result = book_execute(self, amount, 2, NULL);
        break;
    case CLOB_CANCEL:
        result = book_cancel(self, args + 1, 1, NULL);
        break;
    case CLOB_REPLACE:
        result = book_replace(self, of_order, 3, NULL);
        break;
    default:
        result = book_clear(self, NULL);
        break;
    }
    if (result == NULL) {
        return NULL;
    }
    Py_DECREF(result);
    return best_tuple(self);
}

static const signature apply_event_signature = {"apply_event", 5, 5, {"kind", "order_id", "is_ask", "price", "size"}};

static PyObject *book_apply_event(book_object *self, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    PyObject *storage[PARAMETERS_MAX];
    args = arranged(&apply_event_signature, args, &count, names, storage);
    if (UNLIKELY(args == NULL)) {
        return NULL;
    }
    int64_t kind, price, size;
    uint64_t order_id;
    conversion id_converted = to_order_id(args[1], "order_id", &order_id);
    if (LIKELY(!self->busy)) {
        clob_expect(self->book, order_id);
    }
    conversion kind_converted = to_member(args[0], "kind", &kind);
    int is_ask = to_bool(args[2]);
    conversion price_converted = to_int64(args[3], "price", &price);
    conversion size_converted = to_int64(args[4], "size", &size);
    if (UNLIKELY(is_ask < 0 || kind_converted == NOT_CONVERTED || id_converted == NOT_CONVERTED ||
                 price_converted == NOT_CONVERTED || size_converted == NOT_CONVERTED)) {
        return NULL;
    }
    if (UNLIKELY(self->busy)) {
        return raise_busy(self);
    }
    if (UNLIKELY(kind_converted == OUT_OF_RANGE || kind < CLOB_ADD || kind > CLOB_CLEAR)) {
        return raise_naming(self->state->errors[CLOB_BAD_KIND], "event kind %U is not in 1 to 6", args[0], NULL);
    }
    if (UNLIKELY(id_converted | price_converted | size_converted)) {
        return apply_by_method(self, kind, args);
    }
    clob_event event = {.order_id = order_id, .price = price, .size = size, .kind = kind, .is_ask = is_ask};
    if (UNLIKELY(clob_apply_event(self->book, &event) != CLOB_OK)) {
        return raise_refusal(self);
    }
    return best_tuple(self);
}

/* ---------------------------------------------------------------- the type */

#define METHOD(name, function, signature_text, text)                                                                   \
    {name, (PyCFunction)(void (*)(void))(function), METH_FASTCALL | METH_KEYWORDS,                                     \
     name "($self, " signature_text ")\n--\n\n" text}
#define METHOD_NO_ARGUMENTS(name, function, text)                                                                      \
    {name, (PyCFunction)(void (*)(void))(function), METH_NOARGS, name "($self)\n--\n\n" text}

static PyMethodDef book_methods[] = {
    METHOD("add", book_add, "order_id, is_ask, price, size",
           "Rests an order at the back of its price's queue; never trades (for a mirror of another book).\n\n"
           "Raises InvalidOrder, DuplicateOrder, BookFull, and WouldCross if the other side's best price\n"
           "reaches it."),
    METHOD("submit", book_submit, "order_id, is_ask, price, size, time_in_force=0, post_only=False",
           "Matches an incoming order and returns its fills in the order they happened.\n\n"
           "`price` None is a market order, which meets every price. What remains rests at the back of its\n"
           "price's queue if the order is GTC and has a price, and is dropped otherwise.\n\n"
           "Raises InvalidOrder, DuplicateOrder, BookFull, WouldCross if `post_only` and it would trade,\n"
           "NotFillable if FOK and the other side holds less than `size` at `price` or better."),
    METHOD("preview", book_preview, "is_ask, price, size",
           "What `submit` would fill, without a change. Raises InvalidOrder for a bad size or price."),
    METHOD("reduce", book_reduce, "order_id, by",
           "Takes `by` off an order, which keeps its place; returns what is left, and at 0 it is gone.\n\n"
           "Raises InvalidOrder if `by` is below 1 or above the open size, UnknownOrder."),
    METHOD("execute", book_execute, "order_id, size",
           "As `reduce`, for a trade that happened: the order must be at its side's best price.\n\n"
           "It may stand anywhere in that price's queue. Raises InvalidOrder also if the price is not the best."),
    METHOD("cancel", book_cancel, "order_id",
           "Removes an order and returns the size that was open. Raises UnknownOrder."),
    METHOD("replace", book_replace, "order_id, price, size",
           "Gives an order another price and open size; returns whether it kept its place.\n\n"
           "It keeps it at the same price with a size not above the present one; otherwise it goes to the\n"
           "back of the queue at `price`. Never trades. Raises InvalidOrder, UnknownOrder, and WouldCross if\n"
           "the other side's best price reaches `price`."),
    METHOD_NO_ARGUMENTS("clear", book_clear, "Removes every order."),
    METHOD("apply_event", book_apply_event, "kind, order_id, is_ask, price, size",
           "Carries out one event and returns the best prices after it: bid and ask, None where none.\n\n"
           "Arguments that the kind does not need may be 0. Raises what the method of that kind raises, and\n"
           "InvalidOrder for an unknown kind."),
    METHOD("apply", book_apply, "events, best=None",
           "Carries out events in order and returns how many there were. Releases the GIL.\n\n"
           "`events` is a contiguous buffer of 32-byte records: a NumPy array of EVENT_DTYPE, or bytes.\n"
           "`best`, a writable buffer of 16 bytes an event (an array of int64 and shape (events, 2)), gets the\n"
           "best bid and ask after each: PRICE_MIN, PRICE_MAX where there is none.\n\n"
           "Raises TypeError for buffers of another form, and what the events raise, with `event_index` set;\n"
           "the events before that one stay applied."),
    METHOD("match", book_match, "events, outcomes",
           "Carries out events in order, an ADD as an order that comes in: it is matched as `submit` does it.\n\n"
           "Returns the fills of all. Releases the GIL. `events` is a contiguous buffer of 32-byte records: a NumPy\n"
           "array of INCOMING_DTYPE, or bytes. `outcomes`, a writable buffer of 8 bytes an event (an array of\n"
           "OUTCOME_DTYPE), gets what became of each: the place in REFUSALS of the exception that the event's\n"
           "method would have raised, 0 where it was carried out, and how many of the fills are its own. What is\n"
           "refused is passed over. The two buffers must not overlap. Raises TypeError for buffers of another form."),
    METHOD("best", book_best, "is_ask", "The best level of a side, None if it has no order."),
    METHOD("level", book_level, "is_ask, price",
           "The level of a price, with size and orders 0 if none rests there."),
    METHOD("depth", book_depth, "is_ask, levels",
           "The best `levels` levels of a side or as many as there are, the best first."),
    METHOD("orders", book_orders, "is_ask, price", "The orders at a price, first come first; empty if none."),
    METHOD("order", book_order, "order_id", "The order of that id. Raises UnknownOrder."),
    METHOD("queue_position", book_queue_position, "order_id",
           "How many orders stand before this one at its price, and the sum of their sizes.\n\n"
           "Takes time in proportion to their number. Raises UnknownOrder."),
    METHOD("total", book_total, "is_ask", "The sum of the open sizes of a side."),
    METHOD_NO_ARGUMENTS("checksum", book_checksum,
                        "64 bits that two books share if and, but for chance, only if their snapshots are equal."),
    METHOD_NO_ARGUMENTS("snapshot", book_snapshot,
                        "All orders: bids from the highest price down, then asks from the lowest up, in time."),
    METHOD_NO_ARGUMENTS("records", book_records, "The snapshot as 32-byte records, each an ADD."),
    METHOD("restore", book_restore, "orders",
           "Replaces the whole content by `orders`, added in the order given; bytes are records.\n\n"
           "`restore(snapshot())` and `restore(records())` give the same book. Raises what `add` and `apply`\n"
           "raise; then nothing has changed."),
    METHOD_NO_ARGUMENTS("_check", book_check,
                        "Walks the whole book: None, or the first rule of its structure that does not hold."),
    METHOD_NO_ARGUMENTS("__sizeof__", book_sizeof, "All memory that the book holds, in bytes."),
    {NULL, NULL, 0, NULL},
};

static PyType_Slot book_slots[] = {
    {Py_tp_doc, "Book(orders_max=16777216)\n--\n\n"
                "One contract's resting orders, empty at first, at most `orders_max` of them.\n\n"
                "Not thread-safe: one owner at a time. Raises InvalidOrder if `orders_max` is not in 1 to 2**31."},
    {Py_tp_new, book_new},
    {Py_tp_dealloc, book_dealloc},
    {Py_tp_traverse, book_traverse},
    {Py_tp_clear, book_clear_references},
    {Py_tp_methods, book_methods},
    {Py_tp_getset, book_properties},
    {Py_tp_repr, book_repr},
    {Py_sq_length, book_length},
    {Py_sq_contains, book_contains},
    {0, NULL},
};

PyType_Spec book_spec = {
    .name = "ledgerx.clob._clob.Book",
    .basicsize = sizeof(book_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .slots = book_slots,
};
