/* Between Python and the core of ledgerx.clob: values in, values out, errors. No rule of the book is here. */

#ifndef LEDGERX_CLOB_BINDING_H
#define LEDGERX_CLOB_BINDING_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "../core/clob.h"

#if defined(__GNUC__)
#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)
#define OUT_OF_LINE __attribute__((noinline))
#else
#define LIKELY(x) (x)
#define UNLIKELY(x) (x)
#define OUT_OF_LINE
#endif

typedef struct fills_object fills_object;

/* What the module holds: the types of what a book returns, and an exception a status. */
typedef struct binding_state {
    PyTypeObject *book_type;
    PyTypeObject *fills_type;
    PyObject *no_fills;           /* the empty Fills */
    fills_object *free_fills;     /* to use again */
    int free_fills_count;
    PyTypeObject *fill_type;
    PyTypeObject *level_type;
    PyTypeObject *order_type;
    PyObject *errors[CLOB_BROKEN + 1]; /* NULL: MemoryError */
    PyObject *invalid_state;
    PyObject *event_index;             /* the name of the attribute */
} binding_state;

typedef struct book_object {
    PyObject_HEAD
    clob_book *book;
    binding_state *state; /* lives as long as the type, which the object keeps */
    PyObject *best;       /* the tuple last returned by apply_event, or NULL */
    clob_best best_prices; /* what it holds */
    bool best_has[2];
    bool busy;            /* `apply` works on it without the GIL */
} book_object;

extern PyType_Spec book_spec; /* book.c */

/* The state of the module that made Book, for it or a subclass; NULL and an exception if there is none. */
binding_state *book_state_of(PyTypeObject *type); /* module.c */

/* ---- arguments.c ---- */

#define PARAMETERS_MAX 6

/* A method's parameters by name; those behind `required` may be left out. */
typedef struct signature {
    const char *method;
    Py_ssize_t required;
    Py_ssize_t count;
    const char *names[PARAMETERS_MAX];
} signature;

/* The arguments in the order of the signature; NULL and an exception if they do not fit. `arranged` makes `count` how
   many they are; of these, what was left out is NULL. `storage` has room for PARAMETERS_MAX. */
PyObject *const *arranged_slowly(const signature *expected, PyObject *const *args, Py_ssize_t count, PyObject *names,
                                 PyObject **storage);

static inline PyObject *const *arranged(const signature *expected, PyObject *const *args, Py_ssize_t *count,
                                        PyObject *names, PyObject **storage)
{
    if (LIKELY(names == NULL && *count >= expected->required && *count <= expected->count)) {
        return args;
    }
    Py_ssize_t given = *count;
    *count = expected->count;
    return arranged_slowly(expected, args, given, names, storage);
}

/* An argument that may be left out, or NULL. */
static inline PyObject *optional(PyObject *const *args, Py_ssize_t count, Py_ssize_t place)
{
    return place < count ? args[place] : NULL;
}

typedef enum conversion { CONVERTED, OUT_OF_RANGE, NOT_CONVERTED /* an exception is set */ } conversion;

/* What is out of range becomes the nearest end of it. */
conversion to_int64_slowly(PyObject *value, const char *name, int64_t *converted);
conversion to_order_id_slowly(PyObject *value, const char *name, uint64_t *converted);
int to_bool_slowly(PyObject *value);

/* The value of an int, or of a subclass's, without a call for the shortest; false where that has no way to tell it. */
static inline bool short_long(PyObject *value, int64_t *converted)
{
#if defined(Py_LIMITED_API)
    (void)value;
    (void)converted;
    return false;
#elif PY_VERSION_HEX >= 0x030C0000
    if (LIKELY(PyUnstable_Long_IsCompact((PyLongObject *)value))) {
        *converted = PyUnstable_Long_CompactValue((PyLongObject *)value);
        return true;
    }
    int overflow;
    *converted = PyLong_AsLongLongAndOverflow(value, &overflow);
    return overflow == 0;
#else
    const digit *digits = ((PyLongObject *)value)->ob_digit;
    Py_ssize_t signed_count = Py_SIZE(value);
    if (LIKELY((size_t)signed_count + 1 < 3)) { /* none or one, which zero has too: not told apart by a branch */
        *converted = signed_count * (int64_t)digits[0];
        return true;
    }
    if (signed_count == 2) {
        *converted = (int64_t)digits[0] | (int64_t)digits[1] << PyLong_SHIFT;
        return true;
    }
    return false;
#endif
}

/* The same of any object, false for what is no int. */
static inline bool small_int(PyObject *value, int64_t *converted)
{
    return LIKELY(PyLong_CheckExact(value)) && short_long(value, converted);
}

/* The same where an enumeration's member is likely too. */
static inline bool small_member(PyObject *value, int64_t *converted)
{
    return LIKELY(PyLong_Check(value)) && short_long(value, converted);
}

static inline conversion to_int64(PyObject *value, const char *name, int64_t *converted)
{
    return LIKELY(small_int(value, converted)) ? CONVERTED : to_int64_slowly(value, name, converted);
}

/* As to_int64, for what may be an enumeration's member. */
static inline conversion to_member(PyObject *value, const char *name, int64_t *converted)
{
    return LIKELY(small_member(value, converted)) ? CONVERTED : to_int64_slowly(value, name, converted);
}

/* An order id; OUT_OF_RANGE for what no order can have. */
static inline conversion to_order_id(PyObject *value, const char *name, uint64_t *converted)
{
    int64_t small;
    if (LIKELY(small_int(value, &small) && small > 0)) {
        *converted = (uint64_t)small;
        return CONVERTED;
    }
    return to_order_id_slowly(value, name, converted);
}

/* Whether a value is True or False. The empty assembly keeps GCC from asking by two branches whether it is the one or
   the other: sides come at random. */
static inline bool is_bool(PyObject *value)
{
    int is_either = (value == Py_True) | (value == Py_False);
#if defined(__GNUC__)
    __asm__("" : "+r"(is_either));
#endif
    return is_either;
}

/* 1, 0, or -1 and an exception. */
static inline int to_bool(PyObject *value)
{
    return LIKELY(is_bool(value)) ? value == Py_True : to_bool_slowly(value);
}

/* ---- values.c ---- */

PyObject *fill_tuple(const binding_state *state, const clob_fill *fill);
PyObject *level_tuple(const binding_state *state, clob_level level);
PyObject *order_tuple(const binding_state *state, clob_order order);

/* ---- fills.c ---- */

extern PyType_Spec fills_spec;

bool make_fills_ready(binding_state *state);
/* Memory for a Fills out of what is ready, and back. */
fills_object *take_fills_shell(binding_state *state);
void give_fills_shell(binding_state *state, fills_object *shell);

/* Makes sure of memory for a Fills before the book changes, so that what was matched is told whatever memory is left;
   false and a MemoryError. It is good until the GIL is given away. */
static inline bool fills_ready(binding_state *state)
{
    return LIKELY(state->free_fills != NULL) || make_fills_ready(state);
}

/* A Fills of what the book matched last. Cannot fail where `fills_ready` was asked before. */
PyObject *new_fills(binding_state *state, clob_book *book, const clob_fill *fills, size_t count);

/* The same, or the empty one that all share. */
static inline PyObject *matched_fills(binding_state *state, clob_book *book, const clob_fill *fills, size_t count)
{
    return count == 0 ? Py_NewRef(state->no_fills) : new_fills(state, book, fills, count);
}

void drop_free_fills(binding_state *state);

/* ---- errors.c ---- */

bool init_errors(binding_state *state);
/* Raises what the book refused last; returns NULL. */
PyObject *raise_refusal(const book_object *self);
PyObject *raise_refusal_at(const book_object *self, size_t event_index);
/* Raises InvalidOrder for values that no int64 or order id can hold; returns NULL. */
/* Raises with a text that has one or two (second NULL: one) values in it, each as %U. */
PyObject *raise_naming(PyObject *type, const char *format, PyObject *first, PyObject *second);
/* Says of the exception that is set which event or order it is of, counted from 0. */
void set_event_index(const book_object *self, size_t event_index);
/* `order_id` NULL: what is asked is of no order. */
PyObject *raise_out_of_range(const book_object *self, conversion id_conversion, PyObject *order_id,
                             conversion price_conversion, PyObject *price, PyObject *size);
PyObject *raise_busy(const book_object *self);

/* ---- buffers.c ---- */

PyObject *book_apply(book_object *self, PyObject *const *args, Py_ssize_t count, PyObject *names);
PyObject *book_match(book_object *self, PyObject *const *args, Py_ssize_t count, PyObject *names);
PyObject *book_records(book_object *self, PyObject *ignored);
PyObject *book_restore(book_object *self, PyObject *const *args, Py_ssize_t count, PyObject *names);

/* ---- queries.c ---- */

extern PyGetSetDef book_properties[];
Py_ssize_t book_length(book_object *self);
int book_contains(book_object *self, PyObject *order_id);
PyObject *book_repr(book_object *self);
PyObject *book_best(book_object *self, PyObject *const *args, Py_ssize_t count, PyObject *names);
PyObject *book_level(book_object *self, PyObject *const *args, Py_ssize_t count, PyObject *names);
PyObject *book_depth(book_object *self, PyObject *const *args, Py_ssize_t count, PyObject *names);
PyObject *book_orders(book_object *self, PyObject *const *args, Py_ssize_t count, PyObject *names);
PyObject *book_order(book_object *self, PyObject *const *args, Py_ssize_t count, PyObject *names);
PyObject *book_queue_position(book_object *self, PyObject *const *args, Py_ssize_t count, PyObject *names);
PyObject *book_total(book_object *self, PyObject *const *args, Py_ssize_t count, PyObject *names);
PyObject *book_checksum(book_object *self, PyObject *ignored);
PyObject *book_snapshot(book_object *self, PyObject *ignored);
PyObject *book_check(book_object *self, PyObject *ignored);
PyObject *book_sizeof(book_object *self, PyObject *ignored);

#endif
