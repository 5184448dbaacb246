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

const clob_error *clob_last_error(const clob_book *book) { return &book->error; }

void clob_error_text(const clob_error *error, char *text, size_t text_bytes)
{
    uint64_t id = error->order_id;
    int64_t price = error->price, size = error->size, other = error->other;
    switch (error->status) {
    case CLOB_UNKNOWN_ORDER:
        snprintf(text, text_bytes, "no order %" PRIu64, id);
        break;
    case CLOB_DUPLICATE_ORDER:
        snprintf(text, text_bytes, "order %" PRIu64 " is in the book", id);
        break;
    case CLOB_BAD_ID:
        snprintf(text, text_bytes, "order id %" PRIu64 " is not in 1 to %" PRIu64, id, UINT64_MAX);
        break;
    case CLOB_BAD_SIZE:
        snprintf(text, text_bytes, "order %" PRIu64 ": size %" PRId64 " is not in 1 to %" PRId64, id, size, INT64_MAX);
        break;
    case CLOB_BAD_TIME_IN_FORCE:
        snprintf(text, text_bytes, "order %" PRIu64 ": unknown time in force %" PRId64, id, other);
        break;
    case CLOB_BAD_KIND:
        snprintf(text, text_bytes, "event kind %" PRId64 " is not in 1 to %d", other, CLOB_CLEAR);
        break;
    case CLOB_ABOVE_OPEN:
        snprintf(text, text_bytes, "order %" PRIu64 " has %" PRId64 " open, not %" PRId64, id, other, size);
        break;
    case CLOB_NOT_AT_BEST:
        snprintf(text, text_bytes, "order %" PRIu64 " at %" PRId64 " is not at the best price, %" PRId64, id, price,
                 other);
        break;
    case CLOB_SIDE_FULL:
        snprintf(text, text_bytes, "order %" PRIu64 ": size %" PRId64 " brings the side above %" PRId64, id, size,
                 INT64_MAX);
        break;
    case CLOB_BOOK_FULL:
        snprintf(text, text_bytes, "order %" PRIu64 ": the book holds %" PRId64 " orders, as many as it may", id,
                 other);
        break;
    case CLOB_WOULD_CROSS:
        snprintf(text, text_bytes, "order %" PRIu64 " at %" PRId64 " would trade: the other side's best is %" PRId64, id,
                 price, other);
        break;
    case CLOB_NOT_FILLABLE:
        if (other) {
            snprintf(text, text_bytes, "order %" PRIu64 " cannot fill %" PRId64 " at any price", id, size);
        } else {
            snprintf(text, text_bytes, "order %" PRIu64 " cannot fill %" PRId64 " at %" PRId64, id, size, price);
        }
        break;
    case CLOB_NO_MEMORY:
        snprintf(text, text_bytes, "order %" PRIu64 ": no memory", id);
        break;
    case CLOB_BROKEN:
        snprintf(text, text_bytes, "the book is inconsistent after order %" PRIu64 " and of no further use", id);
        break;
    case CLOB_OK:
        snprintf(text, text_bytes, "nothing was refused");
        break;
    }
}
