/* What stands in a book: nothing here changes it, but that links that are owed are written before they are read. */

#include "orders.h"

size_t clob_count(const clob_book *book) { return count_orders(book); }

uint32_t clob_orders_max(const clob_book *book) { return book->orders_max; }

int64_t clob_total(const clob_book *book, bool is_ask) { return book->sides[is_ask].size; }

bool clob_has(const clob_book *book, bool is_ask) { return book->sides[is_ask].best != NONE; }

clob_best clob_best_prices(const clob_book *book) { return book->best; }

/* ---------------------------------------------------------------- levels and orders by handle */

uint32_t clob_best_level(const clob_book *book, bool is_ask) { return book->sides[is_ask].best; }

uint32_t clob_next_level(const clob_book *book, uint32_t level_index) { return book->levels[level_index].worse; }

uint32_t clob_level_at(const clob_book *book, bool is_ask, int64_t price)
{
    return find_level(book, is_ask ? ASK : BID, price);
}

clob_level clob_get_level(const clob_book *book, uint32_t level_index)
{
    const level *at = &book->levels[level_index];
    return (clob_level){.price = at->price, .size = at->size, .orders = at->orders};
}

uint32_t clob_first_order(clob_book *book, uint32_t level_index)
{
    settle(book);
    return book->levels[level_index].head;
}

uint32_t clob_next_order(const clob_book *book, uint32_t index) { return book->orders[index].next; }

clob_order clob_get_order(const clob_book *book, uint32_t index)
{
    const order *found = &book->orders[index];
    const level *at = &book->levels[found->level];
    return (clob_order){
        .order_id = found->id, .price = at->price, .size = found->size, .is_ask = at->side == ASK};
}

/* ---------------------------------------------------------------- orders by id */

bool clob_contains(const clob_book *book, uint64_t order_id) { return find_order(book, order_id) != NONE; }

clob_status clob_find(clob_book *book, uint64_t order_id, clob_order *found)
{
    uint32_t index = find_order(book, order_id);
    if (index == NONE) {
        return refuse(book, CLOB_UNKNOWN_ORDER, order_id, 0, 0, 0);
    }
    *found = clob_get_order(book, index);
    return CLOB_OK;
}

clob_status clob_queue_position(clob_book *book, uint64_t order_id, size_t *orders_ahead, int64_t *size_ahead)
{
    uint32_t index = find_order(book, order_id);
    if (index == NONE) {
        return refuse(book, CLOB_UNKNOWN_ORDER, order_id, 0, 0, 0);
    }
    settle(book);
    *orders_ahead = 0;
    *size_ahead = 0;
    for (uint32_t i = book->orders[index].prev; i != NONE; i = book->orders[i].prev) {
        ++*orders_ahead;
        *size_ahead += book->orders[i].size;
    }
    return CLOB_OK;
}

/* ---------------------------------------------------------------- the whole book */

/* The next order in priority order, bids first; `index` NONE asks for the first one. */
static uint32_t next_in_book(const clob_book *book, uint32_t index)
{
    uint32_t at = NONE;
    if (index == NONE) {
        at = book->sides[BID].best != NONE ? book->sides[BID].best : book->sides[ASK].best;
    } else {
        const order *last = &book->orders[index];
        if (last->next != NONE) {
            return last->next;
        }
        const level *of = &book->levels[last->level];
        at = of->worse == NONE && of->side == BID ? book->sides[ASK].best : of->worse;
    }
    return at == NONE ? NONE : book->levels[at].head;
}

void clob_records(clob_book *book, clob_event *records)
{
    settle(book);
    for (uint32_t i = next_in_book(book, NONE); i != NONE; i = next_in_book(book, i)) {
        clob_order found = clob_get_order(book, i);
        *records++ = (clob_event){.order_id = found.order_id,
                                  .price = found.price,
                                  .size = found.size,
                                  .kind = CLOB_ADD,
                                  .is_ask = found.is_ask};
    }
}

/* splitmix64's output function over each word, as ledgerx/clob/_checksum.py defines. */
static inline uint64_t mixed(uint64_t digest, uint64_t word)
{
    uint64_t z = (digest ^ word) + UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

uint64_t clob_checksum(clob_book *book)
{
    settle(book);
    uint64_t digest = 0;
    for (uint32_t i = next_in_book(book, NONE); i != NONE; i = next_in_book(book, i)) {
        clob_order found = clob_get_order(book, i);
        digest = mixed(digest, found.order_id);
        digest = mixed(digest, (uint64_t)found.price);
        digest = mixed(digest, (uint64_t)found.size << 1 | found.is_ask);
    }
    return digest;
}
