/* Candles by exchange time, each with the volume bought and sold at each of its prices: a footprint.

   A late trade goes into the candle of its time while that is kept; one before the oldest kept is only counted. */

#include "internal.h"

/* Index of the first candle that starts after `start_ns`. */
static size_t find_after(const candles_t *candles, uint64_t start_ns)
{
    size_t low = 0, high = candles->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (candles->items[middle]->row.start_ns <= start_ns) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static candle_t *take_spare(candles_t *candles, uint64_t start_ns)
{
    candle_t *candle = candles->spare ? candles->spare : calloc(1, sizeof *candle);
    if (candle != NULL) {
        candles->spare = NULL;
        candle->row = (ofx_candle_row_t){.start_ns = start_ns};
        price_table_clear(&candle->prices);
    }
    return candle;
}

static void drop_oldest(candles_t *candles)
{
    if (candles->spare != NULL) {
        price_table_free(&candles->spare->prices);
        free(candles->spare);
    }
    candles->spare = candles->items[0];
    memmove(candles->items, candles->items + 1, --candles->count * sizeof *candles->items);
}

bool candles_reserve(candles_t *candles, uint64_t ts_ns, candle_t **out)
{
    *out = NULL;
    if (candles->width_ns == 0) {
        return true;
    }
    size_t at = candles->count;
    if (LIKELY(at > 0 && ts_ns - candles->items[at - 1]->row.start_ns < candles->width_ns)) {
        *out = candles->items[at - 1];
        return price_table_reserve(&(*out)->prices);
    }
    uint64_t start_ns = ts_ns - ts_ns % candles->width_ns;
    if (at > 0 && start_ns < candles->items[0]->row.start_ns) {
        return true;
    }
    at = find_after(candles, start_ns);
    if (at > 0 && candles->items[at - 1]->row.start_ns == start_ns) {
        *out = candles->items[at - 1];
        return price_table_reserve(&(*out)->prices);
    }
    if (!grow(&candles->items, &candles->capacity, candles->count + 1, sizeof *candles->items)) {
        return false;
    }
    candle_t *candle = take_spare(candles, start_ns);
    if (candle == NULL || !price_table_reserve(&candle->prices)) {
        candles->spare = candle;
        return false;
    }
    memmove(candles->items + at + 1, candles->items + at, (candles->count - at) * sizeof *candles->items);
    candles->items[at] = candle;
    if (++candles->count > candles->max) {
        drop_oldest(candles); /* never the new one, which is not the oldest */
    }
    *out = candle;
    return true;
}

void candle_trade(candle_t *candle, const of_trade_t *trade, int64_t cumulative_delta)
{
    ofx_candle_row_t *row = &candle->row;
    if (row->trades++ == 0) {
        row->open = row->high = row->low = trade->price;
    }
    row->high = trade->price > row->high ? trade->price : row->high;
    row->low = trade->price < row->low ? trade->price : row->low;
    row->close = trade->price;
    row->cumulative_delta = cumulative_delta;
    price_node_t *node = &candle->prices.nodes[price_table_find_or_add(&candle->prices, trade->price)];
    if (trade->aggressor_side == OF_SIDE_ASK) {
        row->buy_volume += trade->size;
        node->buy_volume += trade->size;
    } else {
        row->sell_volume += trade->size;
        node->sell_volume += trade->size;
    }
}

static int by_price(const void *left, const void *right)
{
    const ofx_footprint_row_t *a = left, *b = right;
    return (a->price > b->price) - (a->price < b->price);
}

size_t candles_footprint(const candles_t *candles, ofx_footprint_row_t *rows)
{
    size_t count = 0;
    for (size_t at = 0; at < candles->count; at++) {
        const candle_t *candle = candles->items[at];
        for (size_t index = 0; rows != NULL && index < candle->prices.count; index++) {
            const price_node_t *node = &candle->prices.nodes[index];
            rows[count + index] =
                (ofx_footprint_row_t){candle->row.start_ns, node->price, node->buy_volume, node->sell_volume};
        }
        if (rows != NULL) {
            qsort(rows + count, candle->prices.count, sizeof *rows, by_price);
        }
        count += candle->prices.count;
    }
    return count;
}

void candles_clear(candles_t *candles)
{
    while (candles->count > 0) {
        drop_oldest(candles);
    }
    candles->late_trades = 0;
}

void candles_free(candles_t *candles)
{
    candles_clear(candles);
    if (candles->spare != NULL) {
        price_table_free(&candles->spare->prices);
        free(candles->spare);
    }
    free(candles->items);
}
