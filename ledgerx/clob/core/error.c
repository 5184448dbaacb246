/* What a refused call was refused for, kept until the next one is, and put into words when asked. */

#include <inttypes.h>
#include <stdio.h>

#include "internal.h"

#if defined(__GNUC__)
__attribute__((cold, noinline))
#endif
clob_status refuse(clob_book *book, clob_status status, uint64_t order_id, int64_t price, int64_t size, int64_t other)
{
    if (book->error.status != CLOB_BROKEN) {
        book->error = (clob_error){
            .status = status, .order_id = order_id, .price = price, .size = size, .other = other};
    }
    return book->error.status;
}

clob_refusal refusal_of(clob_status status)
{
    switch (status) {
    case CLOB_OK:
        return CLOB_NOT_REFUSED;
    case CLOB_UNKNOWN_ORDER:
        return CLOB_REFUSED_UNKNOWN;
    case CLOB_DUPLICATE_ORDER:
        return CLOB_REFUSED_DUPLICATE;
    case CLOB_WOULD_CROSS:
        return CLOB_REFUSED_WOULD_CROSS;
    case CLOB_NOT_FILLABLE:
        return CLOB_REFUSED_NOT_FILLABLE;
    case CLOB_BOOK_FULL:
        return CLOB_REFUSED_BOOK_FULL;
    case CLOB_NO_MEMORY:
        return CLOB_REFUSED_NO_MEMORY;
    case CLOB_BROKEN:
        return CLOB_REFUSED_BROKEN;
    default:
        return CLOB_REFUSED_INVALID;
    }
}

const clob_error *clob_last_error(const clob_book *book) { return &book->error; }

#define SAY(...) (void)snprintf(text, text_bytes, __VA_ARGS__)

void clob_error_text(const clob_error *error, char *text, size_t text_bytes)
{
    uint64_t id = error->order_id;
    int64_t price = error->price, size = error->size, other = error->other;
    switch (error->status) {
    case CLOB_UNKNOWN_ORDER:
        SAY("no order %" PRIu64, id);
        return;
    case CLOB_DUPLICATE_ORDER:
        SAY("order %" PRIu64 " is in the book", id);
        return;
    case CLOB_BAD_ID:
        SAY("order id %" PRIu64 " is not in 1 to %" PRIu64, id, UINT64_MAX);
        return;
    case CLOB_BAD_SIZE:
        SAY("order %" PRIu64 ": size %" PRId64 " is not in 1 to %" PRId64, id, size, INT64_MAX);
        return;
    case CLOB_BAD_TIME_IN_FORCE:
        SAY("order %" PRIu64 ": unknown time in force %" PRId64, id, other);
        return;
    case CLOB_BAD_KIND:
        SAY("event kind %" PRId64 " is not in 1 to %d", other, CLOB_CLEAR);
        return;
    case CLOB_ABOVE_OPEN:
        SAY("order %" PRIu64 " has %" PRId64 " open, not %" PRId64, id, other, size);
        return;
    case CLOB_NOT_AT_BEST:
        SAY("order %" PRIu64 " at %" PRId64 " is not at the best price, %" PRId64, id, price, other);
        return;
    case CLOB_SIDE_FULL:
        SAY("order %" PRIu64 ": size %" PRId64 " brings the side above %" PRId64, id, size, INT64_MAX);
        return;
    case CLOB_BOOK_FULL:
        SAY("order %" PRIu64 ": the book holds %" PRId64 " orders, as many as it may", id, other);
        return;
    case CLOB_WOULD_CROSS:
        SAY("order %" PRIu64 " at %" PRId64 " would trade: the other side's best is %" PRId64, id, price, other);
        return;
    case CLOB_NOT_FILLABLE:
        if (other) {
            SAY("order %" PRIu64 " cannot fill %" PRId64 " at any price", id, size);
        } else {
            SAY("order %" PRIu64 " cannot fill %" PRId64 " at %" PRId64, id, size, price);
        }
        break;
    case CLOB_NO_MEMORY:
        SAY("order %" PRIu64 ": no memory", id);
        return;
    case CLOB_BROKEN:
        SAY("the book is inconsistent after order %" PRIu64 " and of no further use", id);
        return;
    case CLOB_OK:
        SAY("nothing was refused");
        return;
    }
}
