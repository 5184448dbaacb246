/* Payloads and snapshots as JSON, with the keys of the reference package in its order. */

#include <inttypes.h>

#include "internal.h"

static void add_names(text_t *out, const of_symbol_t *symbol)
{
    text_put(out, "{\"venue\":", 9);
    text_json_string(out, symbol->venue);
    text_put(out, ",\"symbol\":", 10);
    text_json_string(out, symbol->symbol);
}

void json_trade(text_t *out, const of_trade_t *trade)
{
    add_names(out, &trade->symbol);
    text_add(out,
             ",\"price\":%" PRId64 ",\"size\":%" PRId64 ",\"aggressor\":\"%s\",\"sequence\":%" PRIu64
             ",\"ts_exchange_ns\":%" PRIu64 ",\"ts_recv_ns\":%" PRIu64 "}",
             trade->price, trade->size, trade->aggressor_side == OF_SIDE_ASK ? "Ask" : "Bid", trade->sequence,
             trade->ts_exchange_ns, trade->ts_recv_ns);
}

void json_book(text_t *out, const of_book_t *book)
{
    add_names(out, &book->symbol);
    text_add(out,
             ",\"side\":\"%s\",\"level\":%u,\"price\":%" PRId64 ",\"size\":%" PRId64
             ",\"action\":\"%s\",\"sequence\":%" PRIu64 ",\"ts_exchange_ns\":%" PRIu64 ",\"ts_recv_ns\":%" PRIu64 "}",
             book->side == OF_SIDE_ASK ? "Ask" : "Bid", book->level, book->price, book->size,
             book->action == OF_BOOK_DELETE ? "Delete" : "Upsert", book->sequence, book->ts_exchange_ns,
             book->ts_recv_ns);
}

void json_analytics(text_t *out, const ofx_analytics_t *analytics)
{
    text_add(out,
             "{\"delta\":%" PRId64 ",\"cumulative_delta\":%" PRId64 ",\"buy_volume\":%" PRId64
             ",\"sell_volume\":%" PRId64 ",\"last_price\":%" PRId64 ",\"point_of_control\":%" PRId64
             ",\"value_area_low\":%" PRId64 ",\"value_area_high\":%" PRId64 "}",
             analytics->delta, analytics->cumulative_delta, analytics->buy_volume, analytics->sell_volume,
             analytics->last_price, analytics->point_of_control, analytics->value_area_low,
             analytics->value_area_high);
}

void json_signal(text_t *out, const ofx_signal_t *signal)
{
    text_add(out,
             "{\"module\":\"%s\",\"state\":\"%s\",\"confidence_bps\":%u,\"quality_flags\":%u,\"reason\":\"%s\"}",
             signal->module, signal->state, signal->confidence_bps, signal->quality_flags, signal->reason);
}

static void add_side(text_t *out, const char *name, const ofx_level_t *rows, size_t count)
{
    text_add(out, ",\"%s\":[", name);
    for (size_t at = 0; at < count; at++) {
        text_add(out, "%s{\"level\":%u,\"price\":%" PRId64 ",\"size\":%" PRId64 "}", at ? "," : "", rows[at].level,
                 rows[at].price, rows[at].size);
    }
    text_put(out, "]", 1);
}

void json_depth(text_t *out, const instrument_t *instrument)
{
    const depth_t *depth = &instrument->depth;
    of_symbol_t names = {.venue = instrument->venue, .symbol = instrument->symbol};
    add_names(out, &names);
    add_side(out, "bids", depth->rows[OF_SIDE_BID], depth->count[OF_SIDE_BID]);
    add_side(out, "asks", depth->rows[OF_SIDE_ASK], depth->count[OF_SIDE_ASK]);
    text_add(out, ",\"last_sequence\":%" PRIu64 ",\"ts_exchange_ns\":%" PRIu64 ",\"ts_recv_ns\":%" PRIu64 "}",
             depth->last_sequence, depth->ts_exchange_ns, depth->ts_recv_ns);
}
