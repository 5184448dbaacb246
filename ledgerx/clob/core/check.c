/* Walks a whole book and names the first rule that does not hold. */

#include "orders.h"

#define REQUIRE(condition, rule)                                                                                       \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            return rule;                                                                                               \
        }                                                                                                              \
    } while (0)

static const char *check_queue(const clob_book *book, uint32_t level_index)
{
    const level *at = &book->levels[level_index];
    uint32_t count = 0, last = NONE;
    int64_t size = 0;
    for (uint32_t i = at->head; i != NONE; last = i, i = book->orders[i].next) {
        const order *in = &book->orders[i];
        REQUIRE(i <= book->order_pool.capacity, "an order in a queue is in the pool");
        REQUIRE(in->prev == last, "a queue is linked both ways");
        REQUIRE(in->level == level_index, "an order knows its level");
        REQUIRE(in->size > 0, "an open size is above 0");
        REQUIRE(find_order(book, in->id) == i, "an order is found by its id");
        REQUIRE(++count <= at->orders, "a queue ends");
        size += in->size;
    }
    REQUIRE(at->tail == last, "a level knows its last order");
    REQUIRE(count > 0 && at->orders == count, "a level counts its orders and has some");
    REQUIRE(at->size == size, "a level's size is the sum of its orders'");
    return NULL;
}

static const char *check_side(const clob_book *book, uint32_t side_index, uint32_t *levels)
{
    const side *of = &book->sides[side_index];
    uint32_t better = NONE, orders = 0;
    int64_t size = 0;
    *levels = 0;
    for (uint32_t i = of->best; i != NONE; better = i, i = book->levels[i].worse) {
        const level *at = &book->levels[i];
        REQUIRE(i <= book->level_pool.capacity, "a level is in the pool");
        REQUIRE(at->side == side_index, "a level knows its side");
        REQUIRE(at->better == better, "levels are linked both ways");
        REQUIRE(better == NONE || key_of(side_index, at->price) < key_of(side_index, book->levels[better].price),
                "levels are in the order of their prices");
        REQUIRE(find_level(book, side_index, at->price) == i, "a level is found by its price");
        REQUIRE(++*levels <= book->level_pool.live, "a side ends");
        const char *wrong = check_queue(book, i);
        if (wrong != NULL) {
            return wrong;
        }
        orders += at->orders;
        size += at->size;
    }
    REQUIRE(of->orders == orders, "a side counts its orders");
    REQUIRE(of->size == size, "a side's size is the sum of its orders'");
    return NULL;
}

/* Walks the tree below a node, from its worst level on; `expected` is the level that must come next. */
static const char *check_node(const clob_book *book, uint32_t side_index, uint32_t index, uint32_t height,
                              uint32_t *expected, uint32_t *nodes)
{
    REQUIRE(index != NONE && index <= book->node_pool.capacity, "a node is in the pool");
    const node *in = &book->nodes[index];
    REQUIRE(in->count >= 1 && in->count <= NODE_KEYS, "a node has 1 to 32 keys");
    ++*nodes;
    for (uint32_t i = in->count; i < NODE_KEYS; i++) {
        REQUIRE(in->keys[i] == INT64_MAX, "a key that is not in use is the greatest");
    }
    for (uint32_t i = 0; i < in->count; i++) {
        REQUIRE(i == 0 || in->keys[i - 1] < in->keys[i], "a node's keys grow");
        if (height > 1) {
            REQUIRE(i > 0 || in->keys[0] == INT64_MIN, "the first bound is the least");
            REQUIRE(i == 0 || (*expected != NONE &&
                               key_of(side_index, book->levels[*expected].price) >= in->keys[i]),
                    "a bound is not above what it bounds");
            const char *wrong = check_node(book, side_index, in->child[i], height - 1, expected, nodes);
            if (wrong != NULL) {
                return wrong;
            }
            continue;
        }
        REQUIRE(in->child[i] == *expected, "the tree has the levels of the list");
        REQUIRE(in->keys[i] == key_of(side_index, book->levels[*expected].price), "a leaf's keys are its levels'");
        *expected = book->levels[*expected].better;
    }
    return NULL;
}

static const char *check_tree(const clob_book *book, uint32_t side_index, uint32_t *nodes)
{
    const side *of = &book->sides[side_index];
    if (of->height == 0) {
        REQUIRE(of->best == NONE, "a side with a level has a tree");
        return NULL;
    }
    REQUIRE(of->best != NONE, "a tree has a level");
    uint32_t worst = of->best;
    while (book->levels[worst].worse != NONE) {
        worst = book->levels[worst].worse;
    }
    const char *wrong = check_node(book, side_index, of->root, of->height, &worst, nodes);
    if (wrong != NULL) {
        return wrong;
    }
    REQUIRE(worst == NONE, "the list has the levels of the tree");
    const node *last = &book->nodes[of->last_leaf];
    REQUIRE(last->child[last->count - 1] == of->best, "the last leaf ends with the best level");
    return NULL;
}

static uint32_t count_free_orders(const clob_book *book)
{
    uint32_t count = 0;
    uint32_t i = book->order_pool.free;
    for (; i != NONE && count <= book->order_pool.capacity; i = book->orders[i].next) {
        count++;
    }
    return count;
}

const char *clob_check(clob_book *book)
{
    settle(book);
    uint32_t levels = 0, nodes = 0;
    for (uint32_t i = BID; i <= ASK; i++) {
        uint32_t of_side;
        const char *wrong = check_side(book, i, &of_side);
        if (wrong == NULL) {
            wrong = check_tree(book, i, &nodes);
        }
        if (wrong != NULL) {
            return wrong;
        }
        levels += of_side;
    }
    REQUIRE(levels == book->level_pool.live, "every level in use is on a side");
    REQUIRE(nodes == book->node_pool.live, "every node in use is in a tree");
    REQUIRE(count_free_orders(book) + count_orders(book) == book->order_pool.capacity,
            "every order is on a side or free");
    REQUIRE(count_orders(book) <= book->orders_max, "no more orders than the cap");
    int64_t bid = clob_has(book, false) ? book->levels[book->sides[BID].best].price : INT64_MIN;
    int64_t ask = clob_has(book, true) ? book->levels[book->sides[ASK].best].price : INT64_MAX;
    REQUIRE(book->best.bid == bid && book->best.ask == ask, "the best prices are those of the best levels");
    REQUIRE(!clob_has(book, false) || !clob_has(book, true) || bid < ask, "the book is not crossed");
    size_t filled = 0;
    for (size_t i = 0; i <= book->slot_mask; i++) {
        filled += book->slots[i] != 0;
    }
    REQUIRE(filled == count_orders(book), "every slot in use is an order's");
    return NULL;
}

#ifdef CLOB_DEBUG
clob_status checked(clob_book *book, clob_status status)
{
    if (book->error.status == CLOB_BROKEN || clob_check(book) != NULL) {
        return refuse(book, CLOB_BROKEN, 0, 0, 0, 0);
    }
    return status;
}
#endif
