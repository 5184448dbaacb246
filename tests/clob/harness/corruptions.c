/* Breaks a sound book, one rule at a time, where no call of clob.h could: clob_check must name that rule, and
   in the debug build the next change must return CLOB_BROKEN, as must every later one. */

#include "harness.h"
#include "internal.h"

/* A book of 40 bids on levels of their own (two leaves below a root), the best of which has a second order, and
   three asks. Asks are added last, so that the hints know them whatever the tree says. */
enum { BIDS = 40, ASKS = 3, ASK_PRICE = 100 };

static clob_book *sound_book(counter *memory)
{
    clob_allocator allocator = counting(memory);
    clob_book *book = clob_new(200, &allocator);
    uint64_t id = 1;
    EXPECT(book != NULL);
    for (int64_t price = BIDS; price >= 1; price--) {
        EXPECT(clob_add(book, id++, false, price, 10) == CLOB_OK);
    }
    EXPECT(clob_add(book, id++, false, BIDS, 5) == CLOB_OK);
    for (int64_t i = 0; i < ASKS; i++) {
        EXPECT(clob_add(book, id++, true, ASK_PRICE + i, 7) == CLOB_OK);
    }
    EXPECT(book->sides[BID].height == 2 && book->sides[ASK].height == 1 && clob_check(book) == NULL);
    return book;
}

static level *best_level(clob_book *book, int side_index) { return &book->levels[book->sides[side_index].best]; }
static order *best_order(clob_book *book, int side_index) { return &book->orders[best_level(book, side_index)->head]; }
static node *root(clob_book *book, int side_index) { return &book->nodes[book->sides[side_index].root]; }

/* ---------------------------------------------------------------- queues */

static void head_outside(clob_book *book) { best_level(book, BID)->head = book->order_pool.capacity + 1; }
static void one_way_queue(clob_book *book) { book->orders[best_level(book, BID)->tail].prev = NONE; }
static void wrong_level(clob_book *book) { best_order(book, BID)->level = book->sides[ASK].best; }
static void no_size(clob_book *book) { best_order(book, BID)->size = 0; }
static void other_id(clob_book *book) { best_order(book, BID)->id = 999; }
static void endless_queue(clob_book *book) { best_level(book, BID)->orders = 1; }
static void wrong_tail(clob_book *book) { best_level(book, BID)->tail = best_level(book, BID)->head; }
static void miscounted_queue(clob_book *book) { best_level(book, BID)->orders++; }
static void wrong_level_size(clob_book *book) { best_level(book, BID)->size++; }

/* ---------------------------------------------------------------- sides */

static void best_outside(clob_book *book) { book->sides[BID].best = book->level_pool.capacity + 1; }
static void wrong_side(clob_book *book) { best_level(book, BID)->side = ASK; }
static void one_way_list(clob_book *book) { book->levels[best_level(book, BID)->worse].better = NONE; }
static void wrong_order(clob_book *book) { book->levels[best_level(book, BID)->worse].price = BIDS; }
static void lost_level(clob_book *book) { best_level(book, ASK)->price--; }
static void endless_side(clob_book *book) { book->level_pool.live = 0; }
static void miscounted_side(clob_book *book) { book->sides[BID].orders++; }
static void wrong_side_size(clob_book *book) { book->sides[BID].size++; }


/* ---------------------------------------------------------------- trees */

static void root_outside(clob_book *book) { book->sides[ASK].root = book->node_pool.capacity + 1; }
static void empty_node(clob_book *book) { root(book, ASK)->count = 0; }
static void equal_keys(clob_book *book) { root(book, ASK)->keys[2] = root(book, ASK)->keys[1]; }
static void wrong_key(clob_book *book) { root(book, ASK)->keys[0]--; }
static void no_tree(clob_book *book) { book->sides[ASK].height = 0; }
static void wrong_last_leaf(clob_book *book) { book->sides[ASK].last_leaf = book->sides[BID].last_leaf; }
static void tree_without_best(clob_book *book) { root(book, ASK)->keys[--root(book, ASK)->count] = INT64_MAX; }
static void used_key(clob_book *book) { root(book, ASK)->keys[NODE_KEYS - 1]--; }
static void bounded_below(clob_book *book) { root(book, BID)->keys[0] = 0; }

/* The second leaf of the bids, the first level of which is added anew, so that the hints know it. */
static node *known_leaf(clob_book *book)
{
    node *leaf = &book->nodes[root(book, BID)->child[1]];
    const level *first = &book->levels[leaf->child[0]];
    uint64_t id = book->orders[first->head].id;
    int64_t price = first->price, open_size;
    EXPECT(clob_cancel(book, id, &open_size) == CLOB_OK);
    EXPECT(clob_add(book, id, false, price, open_size) == CLOB_OK && leaf->keys[0] == price);
    return leaf;
}

static void high_bound(clob_book *book) { root(book, BID)->keys[1] = known_leaf(book)->keys[0] + 1; }
static void wrong_key_further_down(clob_book *book) { known_leaf(book)->keys[0]--; }

static void swapped_levels(clob_book *book)
{
    node *leaf = root(book, ASK);
    uint32_t moved = leaf->child[0];
    leaf->child[0] = leaf->child[1];
    leaf->child[1] = moved;
}

static void tree_of_nothing(clob_book *book)
{
    side *asks = &book->sides[ASK];
    asks->best = NONE;
    asks->orders = 0;
    asks->size = 0;
}

/* ---------------------------------------------------------------- the whole */

static void level_on_no_side(clob_book *book) { book->level_pool.live++; }
static void node_in_no_tree(clob_book *book) { book->node_pool.live++; }
static void lost_order(clob_book *book) { book->order_pool.free = book->orders[book->order_pool.free].next; }
static void above_the_cap(clob_book *book) { book->orders_max = 1; }

static void other_best_price(clob_book *book) { book->best.ask--; }

static void crossed(clob_book *book)
{
    node *leaf = root(book, ASK);
    level *best = best_level(book, ASK);
    best->price = book->best.ask = 1;
    leaf->keys[leaf->count - 1] = ~best->price;
}

static void stray_slot(clob_book *book)
{
    uint32_t slot = 0;
    while (book->slots[slot] != 0) {
        slot++;
    }
    book->slots[slot] = UINT64_MAX;
}

static const struct {
    const char *rule;
    void (*breaks)(clob_book *book);
} corruptions[] = {
    {"an order in a queue is in the pool", head_outside},
    {"a queue is linked both ways", one_way_queue},
    {"an order knows its level", wrong_level},
    {"an open size is above 0", no_size},
    {"an order is found by its id", other_id},
    {"a queue ends", endless_queue},
    {"a level knows its last order", wrong_tail},
    {"a level counts its orders and has some", miscounted_queue},
    {"a level's size is the sum of its orders'", wrong_level_size},
    {"a level is in the pool", best_outside},
    {"a level knows its side", wrong_side},
    {"levels are linked both ways", one_way_list},
    {"levels are in the order of their prices", wrong_order},
    {"a level is found by its price", lost_level},
    {"a side ends", endless_side},
    {"a side counts its orders", miscounted_side},
    {"a side's size is the sum of its orders'", wrong_side_size},
    {"a node is in the pool", root_outside},
    {"a node has 1 to 32 keys", empty_node},
    {"a key that is not in use is the greatest", used_key},
    {"a node's keys grow", equal_keys},
    {"the first bound is the least", bounded_below},
    {"a bound is not above what it bounds", high_bound},
    {"the tree has the levels of the list", swapped_levels},
    {"a leaf's keys are its levels'", wrong_key},
    {"a leaf's keys are its levels'", wrong_key_further_down},
    {"a side with a level has a tree", no_tree},
    {"a tree has a level", tree_of_nothing},
    {"the list has the levels of the tree", tree_without_best},
    {"the last leaf ends with the best level", wrong_last_leaf},
    {"every level in use is on a side", level_on_no_side},
    {"every node in use is in a tree", node_in_no_tree},
    {"every order is on a side or free", lost_order},
    {"no more orders than the cap", above_the_cap},
    {"the best prices are those of the best levels", other_best_price},
    {"the book is not crossed", crossed},
    {"every slot in use is an order's", stray_slot},
};

static void test_each_rule_is_checked(void)
{
    for (size_t i = 0; i < sizeof corruptions / sizeof *corruptions; i++) {
        counter memory = {0};
        clob_book *book = sound_book(&memory);
        corruptions[i].breaks(book);
        const char *found = clob_check(book);
        if (found == NULL || strcmp(found, corruptions[i].rule) != 0) {
            fprintf(stderr, "broken: %s; found: %s\n", corruptions[i].rule, found == NULL ? "nothing" : found);
            exit(1);
        }
        clob_free(book);
        EXPECT(memory.bytes == 0);
    }
}

/* What is broken stays refused, even where the corruption itself is gone. */
static void test_a_broken_book_is_of_no_further_use(void)
{
    counter memory = {0};
    clob_book *book = sound_book(&memory);
    const clob_event add = {.order_id = 503, .price = 1, .size = 1, .kind = CLOB_ADD}, clear = {.kind = CLOB_CLEAR};
    const clob_incoming in = {.order_id = 502, .price = 1, .size = 1};
    const clob_fill *fills;
    size_t count;
    int64_t left;
    bool kept_place;
    wrong_level_size(book);
    EXPECT(clob_add(book, 500, false, 1, 1) == CLOB_BROKEN);
    best_level(book, BID)->size--;
    EXPECT(clob_check(book) == NULL);
    EXPECT(clob_add(book, 501, false, 1, 1) == CLOB_BROKEN);
    EXPECT(clob_add(book, 0, false, 1, 1) == CLOB_BROKEN);
    EXPECT(clob_submit(book, &in, &fills, &count) == CLOB_BROKEN);
    EXPECT(clob_reduce(book, 1, 1, &left) == CLOB_BROKEN);
    EXPECT(clob_execute(book, 1, 1, &left) == CLOB_BROKEN);
    EXPECT(clob_replace(book, 2, 3, 20, &kept_place) == CLOB_BROKEN);
    EXPECT(clob_replace(book, 3, 38, 1, &kept_place) == CLOB_BROKEN);
    EXPECT(clob_cancel(book, 4, &left) == CLOB_BROKEN);
    EXPECT(clob_cancel(book, 9999, &left) == CLOB_BROKEN);
    EXPECT(clob_apply(book, &add, 1, NULL, &count) == CLOB_BROKEN && count == 0);
    EXPECT(clob_restore(book, &add, 1, &count) == CLOB_BROKEN);
    EXPECT(clob_restore(book, &clear, 1, &count) == CLOB_BROKEN);
    EXPECT(clob_last_error(book)->status == CLOB_BROKEN);
    clob_clear(book);
    EXPECT(clob_apply(book, &clear, 1, NULL, &count) == CLOB_BROKEN && count == 0);
    EXPECT(clob_last_error(book)->status == CLOB_BROKEN);
    clob_free(book);
    EXPECT(memory.bytes == 0);
}

void test_corruptions(void)
{
    test_each_rule_is_checked();
    test_a_broken_book_is_of_no_further_use();
}
