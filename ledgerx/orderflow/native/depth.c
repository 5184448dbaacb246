/* The two sides of a book, each a list of levels sorted by their index. */

#include "internal.h"

bool depth_reserve(depth_t *depth, uint32_t side)
{
    return grow(&depth->rows[side], &depth->capacity[side], depth->count[side] + 1, sizeof *depth->rows[side]);
}

static size_t find_level(const ofx_level_t *rows, size_t count, uint32_t level)
{
    if (level < count && rows[level].level == level) { /* no level is missing below it: the usual case */
        return level;
    }
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (rows[middle].level < level) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

void depth_apply(depth_t *depth, const of_book_t *book, bool stored)
{
    depth->known = true;
    depth->last_sequence = book->sequence;
    depth->ts_exchange_ns = book->ts_exchange_ns;
    depth->ts_recv_ns = book->ts_recv_ns;
    if (!stored) {
        return;
    }
    ofx_level_t *rows = depth->rows[book->side];
    size_t *count = &depth->count[book->side];
    size_t at = find_level(rows, *count, book->level);
    bool there = at < *count && rows[at].level == book->level;
    if (book->action == OF_BOOK_DELETE) {
        if (there) {
            memmove(rows + at, rows + at + 1, (*count - at - 1) * sizeof *rows);
            --*count;
        }
        return;
    }
    if (!there) {
        memmove(rows + at + 1, rows + at, (*count - at) * sizeof *rows);
        ++*count;
    }
    rows[at] = (ofx_level_t){book->price, book->size, book->level};
}

bool depth_crossed(const depth_t *depth)
{
    int64_t bid = INT64_MIN, ask = INT64_MAX;
    bool bids = false, asks = false;
    for (size_t at = 0; at < depth->count[OF_SIDE_BID]; at++) {
        const ofx_level_t *row = &depth->rows[OF_SIDE_BID][at];
        if (row->size > 0) {
            bids = true;
            bid = row->price > bid ? row->price : bid;
        }
    }
    for (size_t at = 0; at < depth->count[OF_SIDE_ASK]; at++) {
        const ofx_level_t *row = &depth->rows[OF_SIDE_ASK][at];
        if (row->size > 0) {
            asks = true;
            ask = row->price < ask ? row->price : ask;
        }
    }
    return bids && asks && bid >= ask;
}

void depth_top(const depth_t *depth, double *imbalance, double *microprice)
{
    *imbalance = *microprice = __builtin_nan("");
    if (depth->count[OF_SIDE_BID] == 0 || depth->count[OF_SIDE_ASK] == 0) {
        return;
    }
    const ofx_level_t *bid = depth->rows[OF_SIDE_BID], *ask = depth->rows[OF_SIDE_ASK];
    double bid_size = (double)bid->size, ask_size = (double)ask->size, both = bid_size + ask_size;
    if (bid->level != 0 || ask->level != 0 || both <= 0) {
        return;
    }
    *imbalance = (bid_size - ask_size) / both;
    *microprice = ((double)ask->price * bid_size + (double)bid->price * ask_size) / both;
}

void depth_free(depth_t *depth)
{
    free(depth->rows[OF_SIDE_BID]);
    free(depth->rows[OF_SIDE_ASK]);
}
