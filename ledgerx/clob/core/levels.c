/* The price levels of a side: a B+ tree that orders them, a list from the best outwards, and hints.

   Most calls find their level without the tree: an order knows its level, and a table of hints guesses the level
   of a price. Most levels come and go near the spread, in the tree's last leaf, without a descent. Only what is
   far out descends. Splits and merges keep the tree low and its nodes in use, however the prices drift. */

#include "internal.h"

typedef struct path {
    uint32_t node[NODE_DEPTH_MAX];
    uint32_t place[NODE_DEPTH_MAX]; /* of the child taken in the node above; [0] is not read */
} path;

/* How many keys are below `key`: eight at a time, then one at a time. Without branches, for where a key falls is not
   predictable; keys that are not in use are below none. */
static inline uint32_t count_below(const node *in, int64_t key)
{
    uint32_t before = 0, within = 0;
    for (uint32_t i = 7; i + 1 < NODE_KEYS; i += 8) {
        before += 8 * (in->keys[i] < key);
    }
    for (uint32_t i = 0; i < 8; i++) {
        within += in->keys[before + i] < key;
    }
    return before + within;
}

static inline uint32_t count_up_to(const node *in, int64_t key)
{
    return key == INT64_MAX ? in->count : count_below(in, key + 1);
}

/* The leaf where `key` is or would be; fills `taken` from the root (0) to the leaf. */
static uint32_t descend(const clob_book *book, const side *of, int64_t key, path *taken)
{
    uint32_t index = of->root;
    taken->node[0] = index;
    for (uint32_t depth = 1; depth < of->height; depth++) {
        const node *inner = &book->nodes[index];
        uint32_t place = count_up_to(inner, key) - 1; /* the last child whose bound is not above the key */
        index = inner->child[place];
        taken->node[depth] = index;
        taken->place[depth] = place;
    }
    return index;
}

static void find_last_leaf(const clob_book *book, side *of)
{
    uint32_t index = of->root;
    for (uint32_t depth = 1; depth < of->height; depth++) {
        index = book->nodes[index].child[book->nodes[index].count - 1];
    }
    of->last_leaf = index;
}

/* Keeps a loop of mostly few rounds from being made a call of memmove, the many cases of which are mispredicted. */
static inline void keep_loop(void)
{
#if defined(__GNUC__)
    __asm__ volatile("");
#endif
}

static void put(node *into, uint32_t place, int64_t key, uint32_t child)
{
    for (uint32_t i = into->count; i > place; i--) {
        into->keys[i] = into->keys[i - 1];
        into->child[i] = into->child[i - 1];
        keep_loop();
    }
    into->keys[place] = key;
    into->child[place] = child;
    into->count++;
}

/* Leaves a node its first `count` keys. */
static void shorten(node *at, uint32_t count)
{
    for (uint32_t i = count; i < at->count; i++) {
        at->keys[i] = INT64_MAX;
    }
    at->count = count;
}

static void cut(node *from, uint32_t place)
{
    for (uint32_t i = place + 1; i < from->count; i++) {
        from->keys[i - 1] = from->keys[i];
        from->child[i - 1] = from->child[i];
        keep_loop();
    }
    from->keys[--from->count] = INT64_MAX;
}

static void append(node *into, const node *from, uint32_t first, uint32_t count)
{
    memcpy(into->keys + into->count, from->keys + first, count * sizeof *from->keys);
    memcpy(into->child + into->count, from->child + first, count * sizeof *from->child);
    into->count += count;
}

static uint32_t new_node(clob_book *book)
{
    uint32_t index = book->node_pool.free;
    book->node_pool.free = book->nodes[index].child[0];
    book->node_pool.live++;
    book->nodes[index].count = NODE_KEYS;
    shorten(&book->nodes[index], 0);
    return index;
}

static void give_node(clob_book *book, uint32_t index)
{
    book->nodes[index].child[0] = book->node_pool.free;
    book->node_pool.free = index;
    book->node_pool.live--;
}

/* ---------------------------------------------------------------- insertion */

/* Puts a key into node `depth` of the path, splitting upwards as long as nodes are full. */
static void insert_at(clob_book *book, side *of, const path *taken, uint32_t place, int64_t key, uint32_t child)
{
    uint32_t depth = of->height - 1;
    for (;;) {
        node *full = &book->nodes[taken->node[depth]];
        if (full->count < NODE_KEYS) {
            put(full, place, key, child);
            return;
        }
        uint32_t right_index = new_node(book);
        node *right = &book->nodes[right_index];
        /* At the end of the last leaf prices drift: leave what is behind them full. */
        uint32_t kept = place == NODE_KEYS && taken->node[depth] == of->last_leaf ? NODE_KEYS : NODE_KEYS / 2;
        append(right, full, kept, NODE_KEYS - kept);
        shorten(full, kept);
        if (place > kept || kept == NODE_KEYS) {
            put(right, place - kept, key, child);
        } else {
            put(full, place, key, child);
        }
        key = right->keys[0];
        if (depth + 1 < of->height) {
            right->keys[0] = INT64_MIN;
        }
        if (depth == 0) {
            uint32_t root_index = new_node(book);
            node *root = &book->nodes[root_index];
            put(root, 0, INT64_MIN, of->root);
            put(root, 1, key, right_index);
            of->root = root_index;
            of->height++;
            return;
        }
        child = right_index;
        place = taken->place[depth] + 1;
        depth--;
    }
}

/* Notes the best level of a side, `index` NONE for none. */
static void set_best(clob_book *book, side *of, uint32_t index)
{
    of->best = index;
    if (of == &book->sides[ASK]) {
        book->best.ask = index == NONE ? INT64_MAX : book->levels[index].price;
    } else {
        book->best.bid = index == NONE ? INT64_MIN : book->levels[index].price;
    }
}

static void link_level(clob_book *book, side *of, uint32_t index, uint32_t worse, uint32_t better)
{
    book->levels[index].worse = worse;
    book->levels[index].better = better;
    book->levels[worse].better = index;
    book->levels[better].worse = index;
    if (better == NONE) {
        set_best(book, of, index);
    }
}

static uint32_t new_level(clob_book *book, uint32_t side_index, int64_t price)
{
    uint32_t index = book->level_pool.free;
    level *made = &book->levels[index];
    book->level_pool.free = made->better;
    book->level_pool.live++;
    made->price = price;
    made->size = 0;
    made->head = made->tail = NONE;
    made->orders = 0;
    made->side = side_index;
    return index;
}

static uint32_t first_level(clob_book *book, uint32_t side_index, int64_t price)
{
    side *of = &book->sides[side_index];
    uint32_t index = new_level(book, side_index, price);
    of->root = of->last_leaf = new_node(book);
    of->height = 1;
    put(&book->nodes[of->root], 0, key_of(side_index, price), index);
    link_level(book, of, index, NONE, NONE);
    return index;
}

/* Puts a new level into the leaf to which `taken` leads (not read while the leaf has room), at `place`. */
static uint32_t insert_level(clob_book *book, uint32_t side_index, int64_t price, const path *taken,
                             uint32_t leaf_index, uint32_t place)
{
    side *of = &book->sides[side_index];
    int64_t key = key_of(side_index, price);
    uint32_t index = new_level(book, side_index, price);
    node *leaf = &book->nodes[leaf_index];
    if (place > 0) {
        uint32_t worse = leaf->child[place - 1];
        link_level(book, of, index, worse, book->levels[worse].better);
    } else {
        uint32_t better = leaf->child[0];
        link_level(book, of, index, book->levels[better].worse, better);
    }
    if (leaf->count < NODE_KEYS) {
        put(leaf, place, key, index);
    } else {
        insert_at(book, of, taken, place, key, index);
        find_last_leaf(book, of);
    }
    return index;
}

static uint32_t find_or_insert(clob_book *book, uint32_t side_index, int64_t price)
{
    side *of = &book->sides[side_index];
    if (of->height == 0) {
        bool room = has_room_for_level(book) || grow_for_level(book) == CLOB_OK;
        return room ? first_level(book, side_index, price) : NONE;
    }
    int64_t key = key_of(side_index, price);
    path taken;
    uint32_t leaf_index = of->last_leaf;
    const node *leaf = &book->nodes[leaf_index];
    if (leaf->count == NODE_KEYS || key < leaf->keys[0]) {
        leaf_index = descend(book, of, key, &taken);
        leaf = &book->nodes[leaf_index];
    }
    uint32_t place = count_below(leaf, key);
    if (place < leaf->count && leaf->keys[place] == key) {
        return leaf->child[place];
    }
    if (UNLIKELY(!has_room_for_level(book)) && grow_for_level(book) != CLOB_OK) {
        return NONE;
    }
    return insert_level(book, side_index, price, &taken, leaf_index, place);
}

/* What level_for does where the hint is no help. */
uint32_t find_or_make_level(clob_book *book, uint32_t side_index, int64_t price)
{
    uint32_t index = find_or_insert(book, side_index, price);
    if (index != NONE) {
        *hint_for(book, price) = index; /* only now: growth makes new hints */
    }
    return index;
}

/* The level of a price, or NONE. */
uint32_t find_level(const clob_book *book, uint32_t side_index, int64_t price)
{
    uint32_t index = *hint_for(book, price);
    if (is_level(book, index, side_index, price)) {
        return index;
    }
    const side *of = &book->sides[side_index];
    if (of->height == 0) {
        return NONE;
    }
    path taken;
    int64_t key = key_of(side_index, price);
    const node *leaf = &book->nodes[descend(book, of, key, &taken)];
    uint32_t place = count_below(leaf, key);
    return place < leaf->count && leaf->keys[place] == key ? leaf->child[place] : NONE;
}

/* ---------------------------------------------------------------- removal */

/* Moves all of the node at `place` of `parent` to the node before it, if both fit with room to spare. */
static bool merge_left(clob_book *book, node *parent, uint32_t place, bool leaves)
{
    node *left = &book->nodes[parent->child[place - 1]];
    node *right = &book->nodes[parent->child[place]];
    if (left->count + right->count > NODE_KEYS - NODE_KEYS_MIN) {
        return false;
    }
    if (!leaves) {
        right->keys[0] = parent->keys[place]; /* it stops being a first key */
    }
    append(left, right, 0, right->count);
    if (!leaves) {
        left->keys[0] = INT64_MIN; /* it may have been empty */
    }
    give_node(book, parent->child[place]);
    cut(parent, place);
    return true;
}

/* Takes the nearly empty node at `place` out of `parent`, if a neighbour has room for it or it is empty. */
static bool dissolve(clob_book *book, node *parent, uint32_t place, bool leaves)
{
    if (place > 0 && merge_left(book, parent, place, leaves)) {
        return true;
    }
    if (place + 1 < parent->count && merge_left(book, parent, place + 1, leaves)) {
        return true;
    }
    if (book->nodes[parent->child[place]].count == 0) {
        give_node(book, parent->child[place]);
        cut(parent, place);
        parent->keys[0] = INT64_MIN;
        return true;
    }
    return false;
}

static void remove_at(clob_book *book, side *of, const path *taken, uint32_t place)
{
    uint32_t depth = of->height - 1;
    bool leaves = true;
    cut(&book->nodes[taken->node[depth]], place);
    while (depth > 0 && book->nodes[taken->node[depth]].count < NODE_KEYS_MIN) {
        if (!dissolve(book, &book->nodes[taken->node[depth - 1]], taken->place[depth], leaves)) {
            break;
        }
        leaves = false;
        depth--;
    }
    if (leaves) {
        return; /* all nodes are where they were */
    }
    while (of->height > 1 && book->nodes[of->root].count == 1) {
        uint32_t root = of->root;
        of->root = book->nodes[root].child[0];
        of->height--;
        give_node(book, root);
    }
    find_last_leaf(book, of);
}

static void unlink_level(clob_book *book, side *of, const level *gone)
{
    book->levels[gone->worse].better = gone->better;
    book->levels[gone->better].worse = gone->worse;
    if (gone->better == NONE) {
        set_best(book, of, gone->worse);
    }
}

/* Forgets a level whose queue has become empty. */
void drop_level(clob_book *book, uint32_t level_index)
{
    level *gone = &book->levels[level_index];
    side *of = &book->sides[gone->side];
    int64_t key = key_of(gone->side, gone->price);
    unlink_level(book, of, gone);
    node *leaf = &book->nodes[of->last_leaf];
    if (key >= leaf->keys[0] && (of->height == 1 || leaf->count > 1)) {
        cut(leaf, count_below(leaf, key));
        if (leaf->count == 0) {
            give_node(book, of->root);
            of->root = of->last_leaf = NONE;
            of->height = 0;
        }
    } else {
        path taken;
        leaf = &book->nodes[descend(book, of, key, &taken)];
        remove_at(book, of, &taken, count_below(leaf, key));
    }
    gone->side = SIDE_FREE;
    gone->better = book->level_pool.free;
    book->level_pool.free = level_index;
    book->level_pool.live--;
}
