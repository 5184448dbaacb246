/* The two calls that matter for speed: one trade, one level of a book. */

#include "binding.h"

static const parameters_t TRADE = {
    "ingest_trade",
    4,
    8,
    {"symbol", "price", "size", "aggressor_side", "sequence", "ts_exchange_ns", "ts_recv_ns", "quality_flags"},
};

static const parameters_t BOOK = {
    "ingest_book",
    5,
    10,
    {"symbol", "side", "level", "price", "size", "action", "sequence", "ts_exchange_ns", "ts_recv_ns",
     "quality_flags"},
};

static int32_t bring_own(const runtime_t *runtime, uint32_t id, const of_trade_t *trade, const of_book_t *book,
                         uint32_t flags)
{
    return trade ? runtime->library.ofx_ingest_trade(runtime->engine, id, trade, flags)
                 : runtime->library.ofx_ingest_book(runtime->engine, id, book, flags);
}

static int32_t bring_foreign(const runtime_t *runtime, const of_symbol_t *names, of_trade_t *trade, of_book_t *book,
                             uint32_t flags)
{
    if (trade != NULL) {
        trade->symbol = *names;
        return runtime->library.of_ingest_trade(runtime->engine, trade, flags);
    }
    book->symbol = *names;
    return runtime->library.of_ingest_book(runtime->engine, book, flags);
}

/* A trade or a book event, the other NULL. */
static PyObject *bring(runtime_t *runtime, PyObject *symbol, of_trade_t *trade, of_book_t *book, uint32_t flags)
{
    call_t call;
    instrument_name_t name;
    if (UNLIKELY(!call_begin(runtime, &call))) {
        return NULL;
    }
    int32_t code = OF_OK;
    if (LIKELY(take_symbol(runtime, symbol, &name))) {
        code = LIKELY(runtime->library.own) ? bring_own(runtime, name.id, trade, book, flags)
                                            : bring_foreign(runtime, &name.names, trade, book, flags);
        drop_symbol(&name);
    } else {
        call_caught(&call);
    }
    return LIKELY(call_end(runtime, &call, code, trade ? "of_ingest_trade" : "of_ingest_book")) ? Py_NewRef(Py_None)
                                                                                              : NULL;
}

static PyObject *ingest_trade(runtime_t *runtime, PyObject *const *arguments, Py_ssize_t count, PyObject *names)
{
    const module_state_t *state = runtime->state;
    PyObject *given[PARAMETERS_MAX];
    of_trade_t trade;
    uint64_t side, flags;
    if (UNLIKELY(!bind_arguments(&TRADE, arguments, count, names, given) ||
                 !take_int64(state, "price", given[1], &trade.price) ||
                 !take_int64(state, "size", given[2], &trade.size) ||
                 !take_within(state, "aggressor_side", given[3], UINT32_MAX, &side) ||
                 !take_uint64(state, "sequence", given[4], &trade.sequence) ||
                 !take_uint64(state, "ts_exchange_ns", given[5], &trade.ts_exchange_ns) ||
                 !take_uint64(state, "ts_recv_ns", given[6], &trade.ts_recv_ns) ||
                 !take_within(state, "quality_flags", given[7], UINT32_MAX, &flags))) {
        return NULL;
    }
    trade.aggressor_side = (uint32_t)side;
    return bring(runtime, given[0], &trade, NULL, (uint32_t)flags);
}

static PyObject *ingest_book(runtime_t *runtime, PyObject *const *arguments, Py_ssize_t count, PyObject *names)
{
    const module_state_t *state = runtime->state;
    PyObject *given[PARAMETERS_MAX];
    of_book_t book;
    uint64_t side, level, action, flags;
    if (UNLIKELY(!bind_arguments(&BOOK, arguments, count, names, given) ||
                 !take_within(state, "side", given[1], UINT32_MAX, &side) ||
                 !take_within(state, "level", given[2], UINT16_MAX, &level) ||
                 !take_int64(state, "price", given[3], &book.price) ||
                 !take_int64(state, "size", given[4], &book.size) ||
                 !take_within(state, "action", given[5], UINT32_MAX, &action) ||
                 !take_uint64(state, "sequence", given[6], &book.sequence) ||
                 !take_uint64(state, "ts_exchange_ns", given[7], &book.ts_exchange_ns) ||
                 !take_uint64(state, "ts_recv_ns", given[8], &book.ts_recv_ns) ||
                 !take_within(state, "quality_flags", given[9], UINT32_MAX, &flags))) {
        return NULL;
    }
    book.side = (uint32_t)side;
    book.level = (uint16_t)level;
    book.action = (uint32_t)action;
    return bring(runtime, given[0], NULL, &book, (uint32_t)flags);
}

PyMethodDef ingest_methods[] = {
    {"ingest_trade", (PyCFunction)(void (*)(void))ingest_trade, METH_FASTCALL | METH_KEYWORDS,
     PyDoc_STR("ingest_trade($self, symbol, price, size, aggressor_side, sequence=0, ts_exchange_ns=0, ts_recv_ns=0,\n"
               "             quality_flags=0)\n--\n\n"
               "One trade: price in ticks, size in lots above 0, Side.ASK when its aggressor bought.\n\n"
               "Raises OrderflowArgError naming the field and the value, OrderflowStateError unless started, and\n"
               "what a callback raised, once the trade is applied and every callback was run.")},
    {"ingest_book", (PyCFunction)(void (*)(void))ingest_book, METH_FASTCALL | METH_KEYWORDS,
     PyDoc_STR("ingest_book($self, symbol, side, level, price, size, action=0, sequence=0, ts_exchange_ns=0,\n"
               "            ts_recv_ns=0, quality_flags=0)\n--\n\n"
               "One level of a book, 0 to 65535: BookAction.UPSERT stores price and size, DELETE drops it.\n\n"
               "Raises as ingest_trade does.")},
    {NULL, NULL, 0, NULL},
};
