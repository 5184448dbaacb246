/* Running figures of a session's trades: VWAP and its deviation, VPIN, moving averages, absorption.

   Sums are of exact integers, taken about the session's first price so that 128 bits are enough for any market;
   averages are in doubles, in one fixed order of operations, so that every runtime gets the same ones. */

#include <math.h>

#include "internal.h"

static int128 magnitude(int128 value)
{
    return value < 0 ? -value : value;
}

bool flow_reserve(flow_t *flow, int64_t size)
{
    if (!ring_reserve(&flow->window, 1)) {
        return false;
    }
    if (flow->bucket_lots == 0) {
        return true;
    }
    int128 filled = ((int128)flow->bucket_buy + flow->bucket_sell + size) / flow->bucket_lots;
    return ring_reserve(&flow->buckets, filled > SIZE_MAX / 2 ? SIZE_MAX / 2 : (size_t)filled);
}

static void fill_bucket(flow_t *flow, uint64_t ts_ns)
{
    int64_t imbalance = flow->bucket_buy - flow->bucket_sell;
    flow->imbalance += imbalance < 0 ? -imbalance : imbalance;
    uint64_t in_estimate = flow->buckets.count + 1;
    if (in_estimate > flow->buckets_of_estimate) {
        in_estimate = flow->buckets_of_estimate;
        const ofx_vpin_row_t *leaving = ring_at(&flow->buckets, flow->buckets.count - flow->buckets_of_estimate);
        flow->imbalance -= magnitude((int128)leaving->buy_volume - leaving->sell_volume);
    }
    flow->buckets_filled++;
    double vpin = (double)flow->imbalance / ((double)in_estimate * (double)flow->bucket_lots);
    ofx_vpin_row_t *row = ring_push(&flow->buckets);
    *row = (ofx_vpin_row_t){ts_ns, flow->bucket_buy, flow->bucket_sell, vpin};
    flow->bucket_buy = flow->bucket_sell = 0;
}

/* A trade larger than what its bucket still takes is split. Of a trade of more buckets than are kept, the first
   ones would fall out again, all alike: they are counted and not made. */
static void fill_buckets(flow_t *flow, const of_trade_t *trade)
{
    int64_t left = trade->size;
    while (left > 0) {
        int64_t room = flow->bucket_lots - flow->bucket_buy - flow->bucket_sell;
        int64_t part = left < room ? left : room;
        *(trade->aggressor_side == OF_SIDE_ASK ? &flow->bucket_buy : &flow->bucket_sell) += part;
        left -= part;
        if (part == room) {
            fill_bucket(flow, trade->ts_exchange_ns);
            uint64_t whole = (uint64_t)(left / flow->bucket_lots), made = flow->buckets.max + flow->buckets_of_estimate;
            if (whole > made) {
                flow->buckets_filled += whole - made;
                left -= (int64_t)(whole - made) * flow->bucket_lots;
            }
        }
    }
}

void flow_init(flow_t *flow, const ofx_engine_options_t *options)
{
    flow->fast_weight = 2.0 / ((double)options->momentum_fast_trades + 1.0);
    flow->slow_weight = 2.0 / ((double)options->momentum_slow_trades + 1.0);
    flow->bucket_lots = options->vpin_bucket_lots;
    flow->buckets_of_estimate = options->vpin_buckets;
    ring_init(&flow->window, sizeof(flow_print_t), options->absorption_trades);
    ring_init(&flow->buckets, sizeof(ofx_vpin_row_t), options->vpin_buckets_kept_max);
}

static void move_averages(flow_t *flow, double price)
{
    if (flow->trades == 0) {
        flow->fast = flow->slow = price;
        flow->variance = 0;
        return;
    }
    double away = price - flow->slow;
    flow->variance += flow->slow_weight * (away * away - flow->variance);
    flow->fast += flow->fast_weight * (price - flow->fast);
    flow->slow += flow->slow_weight * away;
}

static void sum_moves(flow_t *flow, const of_trade_t *trade)
{
    int128 move = (int128)trade->price - flow->first_price, times, squared;
    if (__builtin_mul_overflow(move, (int128)trade->size, &times) ||
        __builtin_mul_overflow(times, move, &squared) ||
        __builtin_add_overflow(flow->moved, times, &flow->moved) ||
        __builtin_add_overflow(flow->moved_squared, squared, &flow->moved_squared)) {
        flow->moved_overflow = true;
    }
}

void flow_trade(flow_t *flow, const of_trade_t *trade)
{
    if (flow->trades == 0) {
        flow->first_price = trade->price;
    }
    sum_moves(flow, trade);
    move_averages(flow, (double)trade->price);
    flow->trades++;
    if (flow->window.max > 0) {
        flow_print_t *print = ring_push(&flow->window);
        *print = (flow_print_t){trade->price, trade->size, trade->aggressor_side};
    }
    if (flow->bucket_lots > 0) {
        fill_buckets(flow, trade);
    }
}

/* Lots traded into a side, over the ticks by which the price gave way on it, and one. */
static void read_absorption(const flow_t *flow, ofx_flow_t *out)
{
    out->absorption_bid = out->absorption_ask = NAN;
    if (flow->window.max == 0 || flow->window.count < flow->window.max) {
        return;
    }
    const flow_print_t *first = ring_at(&flow->window, 0);
    int64_t lowest = first->price, highest = first->price;
    double sold = 0, bought = 0;
    for (size_t at = 0; at < flow->window.count; at++) {
        const flow_print_t *print = ring_at(&flow->window, at);
        lowest = print->price < lowest ? print->price : lowest;
        highest = print->price > highest ? print->price : highest;
        *(print->side == OF_SIDE_ASK ? &bought : &sold) += (double)print->size;
    }
    out->absorption_bid = sold / (1.0 + (double)((int128)first->price - lowest));
    out->absorption_ask = bought / (1.0 + (double)((int128)highest - first->price));
}

void flow_read(const flow_t *flow, int64_t volume, ofx_flow_t *out)
{
    out->trades = flow->trades;
    out->vwap = out->vwap_deviation = out->vpin = NAN;
    out->momentum_fast = out->momentum_slow = out->momentum_deviation = NAN;
    out->vpin_buckets_filled = flow->buckets_filled;
    if (flow->trades > 0) {
        out->momentum_fast = flow->fast;
        out->momentum_slow = flow->slow;
        out->momentum_deviation = sqrt(flow->variance);
    }
    if (flow->trades > 0 && !flow->moved_overflow) {
        double mean = (double)flow->moved / (double)volume;
        double variance = (double)flow->moved_squared / (double)volume - mean * mean;
        out->vwap = (double)flow->first_price + mean;
        out->vwap_deviation = variance > 0 ? sqrt(variance) : 0;
    }
    if (flow->buckets.count > 0) {
        const ofx_vpin_row_t *latest = ring_at(&flow->buckets, flow->buckets.count - 1);
        out->vpin = latest->vpin;
    }
    read_absorption(flow, out);
}

void flow_clear(flow_t *flow)
{
    flow->trades = flow->buckets_filled = 0;
    flow->moved = flow->moved_squared = flow->imbalance = 0;
    flow->moved_overflow = false;
    flow->bucket_buy = flow->bucket_sell = 0;
    ring_clear(&flow->buckets);
    ring_clear(&flow->window);
}

void flow_free(flow_t *flow)
{
    ring_free(&flow->buckets);
    ring_free(&flow->window);
}
