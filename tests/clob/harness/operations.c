/* Operations of a book: drawn at random, valid and not, carried out, and held against what clob.h promises. */

#include "harness.h"
#include "ids.h" /* hash_of, to find ids that share a hash */

static const int64_t extremes[] = {INT64_MIN, INT64_MIN + 1, -1, 0, 1, INT64_MAX - 1, INT64_MAX};
static const int64_t bad_sizes[] = {0, -1, INT64_MIN};
static const int64_t large_sizes[] = {INT64_MAX, INT64_MAX / 2, INT64_MAX / 2 + 1, INT64_MAX / 3};

#define ANY_OF(state, values) ((values)[below(state, sizeof(values) / sizeof *(values))])

/* ---------------------------------------------------------------- life */

static int by_hash(const void *a, const void *b)
{
    uint32_t left = hash_of(*(const uint64_t *)a), right = hash_of(*(const uint64_t *)b);
    return left < right ? -1 : left > right;
}

/* Fills `ids` with pairs that share all 32 bits of the hash that a slot holds; returns how many. */
static size_t find_twins(uint64_t *ids, size_t wanted)
{
    enum { SEARCHED = 200000 };
    uint64_t random = 1, *searched = malloc(SEARCHED * sizeof *searched);
    EXPECT(searched != NULL);
    for (size_t i = 0; i < SEARCHED; i++) {
        searched[i] = draw(&random) | 1; /* at random, about five pairs of as many share their 32 bits */
    }
    qsort(searched, SEARCHED, sizeof *searched, by_hash);
    size_t found = 0;
    for (size_t i = 1; i < SEARCHED && found + 2 <= wanted; i++) {
        if (by_hash(&searched[i - 1], &searched[i]) == 0) {
            ids[found++] = searched[i - 1];
            ids[found++] = searched[i];
        }
    }
    free(searched);
    return found;
}

void open_subject(subject *tested, const plan *planned, uint64_t seed, unsigned long fail_at)
{
    static uint64_t twins[4];
    static size_t twin_count;
    if (twin_count == 0) {
        twin_count = find_twins(twins, 4);
        EXPECT(twin_count > 0);
    }
    *tested = (subject){.planned = *planned, .random = seed, .memory = {.fail_at = fail_at}};
    tested->id_count = 2 * (size_t)planned->orders_max + 4;
    tested->ids = malloc(tested->id_count * sizeof *tested->ids);
    tested->before = malloc((planned->orders_max + 1) * sizeof *tested->before);
    EXPECT(tested->ids != NULL && tested->before != NULL);
    for (size_t i = 0; i < tested->id_count; i++) {
        tested->ids[i] = i % 2 == 0 ? i + 1 : draw(&tested->random) | 1;
    }
    memcpy(tested->ids, twins, twin_count * sizeof *twins);
    tested->ids[tested->id_count - 1] = UINT64_MAX;
    clob_allocator allocator = counting(&tested->memory);
    tested->book = clob_new(planned->orders_max, &allocator);
    if (tested->book == NULL) {
        EXPECT(fail_at == 1);
        tested->book = clob_new(planned->orders_max, &allocator);
    }
    EXPECT(tested->book != NULL && clob_orders_max(tested->book) == planned->orders_max);
    EXPECT(clob_last_error(tested->book)->status == CLOB_OK);
}

void close_subject(subject *tested)
{
    clob_free(tested->book);
    EXPECT(tested->memory.bytes == 0);
    free(tested->ids);
    free(tested->before);
}

/* ---------------------------------------------------------------- drawing */

static int64_t drawn_price(subject *tested, bool is_ask, bool aggressive, bool moved)
{
    uint64_t *random = &tested->random;
    if (tested->planned.extreme && one_in(random, 3)) {
        return ANY_OF(random, extremes);
    }
    if (tested->planned.extreme && one_in(random, 8)) {
        return (int64_t)draw(random);
    }
    int64_t away = (int64_t)below(random, tested->planned.width);
    away = tested->planned.by_all && !moved ? away % 4 : away;
    /* A quarter of the orders stand near the middle, whatever the width. */
    away = one_in(random, 4) ? away % 8 : away;
    away = aggressive ? -away : away;
    return is_ask ? tested->middle + 1 + away : tested->middle - away;
}

static int64_t drawn_size(subject *tested)
{
    uint64_t *random = &tested->random;
    if (one_in(random, 25)) {
        return ANY_OF(random, bad_sizes);
    }
    if (tested->planned.extreme && one_in(random, 6)) {
        return ANY_OF(random, large_sizes);
    }
    return 1 + (int64_t)below(random, 50);
}

/* An order at the best price, else any id that a run uses, or 0. */
static uint64_t drawn_id(subject *tested, unsigned at_best_of_10)
{
    uint64_t *random = &tested->random;
    uint32_t best = clob_best_level(tested->book, one_in(random, 2));
    if (best != CLOB_NONE && below(random, 10) < at_best_of_10) {
        uint32_t order = clob_first_order(tested->book, best);
        for (uint64_t i = below(random, 3); i > 0 && clob_next_order(tested->book, order) != CLOB_NONE; i--) {
            order = clob_next_order(tested->book, order);
        }
        return clob_get_order(tested->book, order).order_id;
    }
    return one_in(random, 40) ? 0 : tested->ids[below(random, tested->id_count)];
}

static clob_event drawn_event(subject *tested, bool may_be_bad)
{
    uint64_t *random = &tested->random;
    clob_event event = {.kind = (uint8_t)(1 + below(random, CLOB_REPLACE)), .is_ask = one_in(random, 2)};
    event.kind = tested->planned.by_all && one_in(random, 2) ? CLOB_ADD : event.kind;
    event.order_id = drawn_id(tested, event.kind == CLOB_EXECUTE ? 9 : 4);
    event.price = drawn_price(tested, event.is_ask, false, one_in(random, 2));
    event.size = drawn_size(tested);
    if (one_in(random, 60)) {
        event.kind = CLOB_CLEAR;
    } else if (may_be_bad && one_in(random, 12)) {
        event.kind = one_in(random, 2) ? 0 : (uint8_t)(CLOB_CLEAR + 1 + below(random, 249));
    }
    return event;
}

static call drawn_call(subject *tested, unsigned growth)
{
    static const call others[] = {SUBMIT, SUBMIT, SUBMIT, PREVIEW, REDUCE, REDUCE, EXECUTE,
                                  REPLACE, REPLACE, REPLACE, APPLY, MATCH, LOOK};
    static const call bringing[] = {ADD, SUBMIT, REPLACE, APPLY, MATCH};
    uint64_t *random = &tested->random;
    if (one_in(random, 150)) {
        return RESTORE;
    }
    if (one_in(random, 1500)) {
        return CLEAR;
    }
    uint64_t chosen = below(random, 100);
    if (chosen < growth && tested->planned.by_all) {
        return ANY_OF(random, bringing);
    }
    return chosen < growth ? ADD : chosen < 70 ? CANCEL : ANY_OF(random, others);
}

operation drawn_operation(subject *tested, unsigned growth)
{
    uint64_t *random = &tested->random;
    operation made = {.what = drawn_call(tested, growth)};
    tested->middle += tested->planned.drift;
    made.in.is_ask = one_in(random, 2);
    made.in.order_id = drawn_id(tested, made.what == EXECUTE ? 8 : made.what == ADD || made.what == SUBMIT ? 0 : 3);
    made.in.price = drawn_price(tested, made.in.is_ask, made.what == SUBMIT && one_in(random, 2),
                                made.what == REPLACE);
    made.in.size = drawn_size(tested);
    made.in.is_market = one_in(random, 6);
    made.in.post_only = one_in(random, 6);
    made.in.time_in_force = (clob_time_in_force)below(random, one_in(random, 8) ? 5 : 3);
    if (made.what == SUBMIT && one_in(random, 10)) {
        made.in.size = 1 + (int64_t)below(random, 2000); /* sweeps levels */
    }
    if (made.what == APPLY || made.what == MATCH || made.what == RESTORE) {
        made.batch_count = below(random, BATCH_MAX + 1);
        for (size_t i = 0; i < made.batch_count; i++) {
            made.batch[i] = drawn_event(tested, made.what != RESTORE);
            made.batch[i].is_market = one_in(random, 8);
            made.batch[i].post_only = one_in(random, 8);
            made.batch[i].time_in_force = (uint8_t)below(random, one_in(random, 8) ? 5 : 3);
        }
    }
    return made;
}

/* ---------------------------------------------------------------- what stands, asked in every way */

static void check_order(subject *tested, uint32_t order, uint32_t place, int64_t ahead)
{
    clob_book *book = tested->book;
    clob_order by_handle = clob_get_order(book, order), by_id;
    size_t orders_ahead;
    int64_t size_ahead;
    EXPECT(clob_contains(book, by_handle.order_id));
    EXPECT(clob_find(book, by_handle.order_id, &by_id) == CLOB_OK);
    EXPECT(by_id.order_id == by_handle.order_id && by_id.price == by_handle.price);
    EXPECT(by_id.size == by_handle.size && by_id.is_ask == by_handle.is_ask);
    if (place < 20) { /* takes time in proportion to the place */
        EXPECT(clob_queue_position(book, by_handle.order_id, &orders_ahead, &size_ahead) == CLOB_OK);
        EXPECT(orders_ahead == place && size_ahead == ahead);
    }
}

static void look_at_side(subject *tested, bool is_ask, size_t *orders)
{
    clob_book *book = tested->book;
    int64_t total = 0;
    uint32_t level = clob_best_level(book, is_ask);
    EXPECT((level != CLOB_NONE) == clob_has(book, is_ask));
    clob_best best = clob_best_prices(book);
    int64_t first = is_ask ? best.ask : best.bid;
    EXPECT(first == (level == CLOB_NONE ? is_ask ? INT64_MAX : INT64_MIN : clob_get_level(book, level).price));
    for (; level != CLOB_NONE; level = clob_next_level(book, level)) {
        clob_level at = clob_get_level(book, level);
        EXPECT(clob_level_at(book, is_ask, at.price) == level);
        EXPECT(clob_level_at(book, !is_ask, at.price) == CLOB_NONE);
        int64_t size = 0;
        uint32_t count = 0;
        for (uint32_t i = clob_first_order(book, level); i != CLOB_NONE; i = clob_next_order(book, i)) {
            check_order(tested, i, count, size);
            size += clob_get_order(book, i).size;
            count++;
        }
        EXPECT(size == at.size && count == at.orders && count > 0);
        total += size;
        *orders += count;
    }
    EXPECT(total == clob_total(book, is_ask));
}

static clob_status look(subject *tested, const operation *wanted)
{
    size_t orders = 0;
    look_at_side(tested, false, &orders);
    look_at_side(tested, true, &orders);
    EXPECT(orders == clob_count(tested->book));
    (void)clob_level_at(tested->book, wanted->in.is_ask, wanted->in.price);
    bool known = clob_contains(tested->book, wanted->in.order_id);
    clob_order found;
    size_t orders_ahead;
    int64_t size_ahead;
    clob_status status = clob_find(tested->book, wanted->in.order_id, &found);
    EXPECT(status == (known ? CLOB_OK : CLOB_UNKNOWN_ORDER));
    EXPECT(clob_queue_position(tested->book, wanted->in.order_id, &orders_ahead, &size_ahead) == status);
    return status;
}

/* ---------------------------------------------------------------- calls */

static void note_before(subject *tested)
{
    tested->before_count = clob_count(tested->book);
    tested->before_checksum = clob_checksum(tested->book);
    clob_records(tested->book, tested->before);
}

static void check_unchanged(const subject *tested, const clob_event *since, size_t count)
{
    EXPECT(clob_count(tested->book) == count);
    clob_event *now = malloc((count + 1) * sizeof *now);
    EXPECT(now != NULL);
    clob_records(tested->book, now);
    EXPECT(memcmp(now, since, count * sizeof *now) == 0);
    free(now);
    EXPECT(clob_check(tested->book) == NULL);
}

static void *copied(const void *from, size_t bytes)
{
    void *to = malloc(bytes + 1);
    EXPECT(to != NULL);
    return bytes == 0 ? to : memcpy(to, from, bytes);
}

static clob_status submit(subject *tested, const clob_incoming *in)
{
    const clob_fill *fills;
    size_t count, previewed_count = 0;
    clob_fill *previewed = NULL;
    clob_status status = CLOB_OK;
    if ((in->order_id & 2) != 0) { /* else `submit` itself makes room for the fills */
        status = clob_preview(tested->book, in->is_ask, in->is_market, in->price, in->size, &fills, &previewed_count);
        if (status == CLOB_NO_MEMORY) {
            return status;
        }
        previewed = status == CLOB_OK ? copied(fills, previewed_count * sizeof *fills) : NULL;
    }
    status = clob_submit(tested->book, in, &fills, &count);
    if (status == CLOB_OK) {
        if (previewed != NULL) {
            EXPECT(count == previewed_count);
            EXPECT(count == 0 || memcmp(previewed, fills, count * sizeof *fills) == 0);
        }
        int64_t left = in->size;
        for (size_t i = 0; i < count; i++) {
            left -= fills[i].size;
            EXPECT(fills[i].size > 0 && clob_contains(tested->book, fills[i].order_id) == (fills[i].left > 0));
        }
        bool rests = left > 0 && !in->is_market && in->time_in_force == CLOB_GTC;
        EXPECT(left >= 0 && clob_contains(tested->book, in->order_id) == rests);
        EXPECT(in->time_in_force != CLOB_FOK || left == 0);
        tested->fills += count;
    }
    free(previewed);
    return status;
}

/* Holds a batch against its events one by one on a copy: the same status, the same place, the same book. */
static clob_status apply(subject *tested, const operation *wanted)
{
    clob_best best[BATCH_MAX];
    size_t done = SIZE_MAX, copied = SIZE_MAX;
    bool told = wanted->in.is_ask; /* any random bit */
    clob_status status =
        clob_apply(tested->book, wanted->batch, wanted->batch_count, told ? best : NULL, &done);
    EXPECT(done <= wanted->batch_count && (status == CLOB_OK) == (done == wanted->batch_count));
    counter memory = {0};
    clob_allocator allocator = counting(&memory);
    clob_book *copy = clob_new(tested->planned.orders_max, &allocator);
    EXPECT(clob_restore(copy, tested->before, tested->before_count, &copied) == CLOB_OK);
    EXPECT(copied == tested->before_count && clob_checksum(copy) == tested->before_checksum);
    for (size_t i = 0; i < done; i++) {
        size_t one;
        EXPECT(clob_apply(copy, &wanted->batch[i], 1, NULL, &one) == CLOB_OK && one == 1);
        clob_best after = clob_best_prices(copy);
        EXPECT(!told || (after.bid == best[i].bid && after.ask == best[i].ask));
    }
    EXPECT(clob_checksum(copy) == clob_checksum(tested->book));
    if (status != CLOB_OK && status != CLOB_NO_MEMORY) {
        size_t one;
        EXPECT(clob_apply(copy, &wanted->batch[done], 1, NULL, &one) == status && one == 0);
    }
    clob_free(copy);
    EXPECT(memory.bytes == 0);
    return status;
}

/* One event of a match by the call of its kind; `fills` get its own. */
static clob_status match_singly(clob_book *book, const clob_event *event, const clob_fill **fills, size_t *count)
{
    *count = 0;
    if (event->kind != CLOB_ADD) {
        return clob_apply_event(book, event);
    }
    clob_incoming in = {.order_id = event->order_id, .price = event->price, .size = event->size,
                        .is_ask = event->is_ask, .is_market = event->is_market, .post_only = event->post_only,
                        .time_in_force = (clob_time_in_force)event->time_in_force};
    clob_status status = clob_submit(book, &in, fills, count);
    EXPECT(status == CLOB_OK || *count == 0);
    return status;
}

/* Holds a match against its events one by one on a copy: the same fills and refusals, the same book. The status is
   NO_MEMORY if an event was refused for it, which the copy is spared. */
static clob_status match(subject *tested, const operation *wanted)
{
    clob_outcome outcomes[BATCH_MAX];
    const clob_fill *fills, *own;
    size_t count, own_count, done = 0;
    clob_match(tested->book, wanted->batch, wanted->batch_count, outcomes, &fills, &count);
    clob_fill *all = copied(fills, count * sizeof *fills), *next = all;
    counter memory = {0};
    clob_allocator allocator = counting(&memory);
    clob_book *copy = clob_new(tested->planned.orders_max, &allocator);
    EXPECT(clob_restore(copy, tested->before, tested->before_count, &done) == CLOB_OK);
    clob_status worst = CLOB_OK;
    for (size_t i = 0; i < wanted->batch_count; i++) {
        if (outcomes[i].refusal == CLOB_REFUSED_NO_MEMORY) {
            EXPECT(outcomes[i].fills == 0);
            worst = CLOB_NO_MEMORY;
            continue;
        }
        clob_status status = match_singly(copy, &wanted->batch[i], &own, &own_count);
        EXPECT((status == CLOB_OK) == (outcomes[i].refusal == CLOB_NOT_REFUSED));
        EXPECT(own_count == outcomes[i].fills);
        EXPECT(own_count == 0 || memcmp(own, next, own_count * sizeof *own) == 0);
        next += own_count;
    }
    EXPECT(next == all + count && clob_checksum(copy) == clob_checksum(tested->book));
    free(all);
    clob_free(copy);
    EXPECT(memory.bytes == 0);
    tested->fills += count;
    return worst;
}

/* Half of the time the book's own records, which must bring it back; else a batch, which may be refused. */
static clob_status restore(subject *tested, const operation *wanted)
{
    size_t done;
    if (wanted->in.is_ask) {
        clob_status wrong = clob_last_error(tested->book)->status;
        clob_status status = clob_restore(tested->book, tested->before, tested->before_count, &done);
        EXPECT(clob_last_error(tested->book)->status == (status == CLOB_OK ? wrong : status));
        EXPECT(status == CLOB_NO_MEMORY || (status == CLOB_OK && done == tested->before_count));
        EXPECT(clob_checksum(tested->book) == tested->before_checksum);
        return status;
    }
    return clob_restore(tested->book, wanted->batch, wanted->batch_count, &done);
}

static clob_status make_call(subject *tested, const operation *wanted)
{
    clob_book *book = tested->book;
    const clob_incoming *in = &wanted->in;
    const clob_fill *fills;
    size_t count;
    int64_t left;
    bool kept_place;
    switch (wanted->what) {
    case ADD:
        return clob_add(book, in->order_id, in->is_ask, in->price, in->size);
    case SUBMIT:
        return submit(tested, in);
    case PREVIEW:
        return clob_preview(book, in->is_ask, in->is_market, in->price, in->size, &fills, &count);
    case REDUCE:
        return clob_reduce(book, in->order_id, in->size, &left);
    case EXECUTE:
        return clob_execute(book, in->order_id, in->size, &left);
    case CANCEL:
        return clob_cancel(book, in->order_id, &left);
    case REPLACE:
        return clob_replace(book, in->order_id, in->price, in->size, &kept_place);
    case CLEAR:
        clob_clear(book);
        return CLOB_OK;
    case APPLY:
        return apply(tested, wanted);
    case MATCH:
        return match(tested, wanted);
    case RESTORE:
        return restore(tested, wanted);
    default:
        return look(tested, wanted);
    }
}

clob_status carry_out(subject *tested, const operation *wanted)
{
    char text[200];
    note_before(tested);
    clob_status status = make_call(tested, wanted);
    tested->calls[wanted->what]++;
    tested->statuses[status]++;
    EXPECT(status != CLOB_BROKEN);
    if (status != CLOB_OK) {
        const clob_error *error = clob_last_error(tested->book);
        EXPECT(error->status == status || wanted->what == MATCH); /* of which a later event may be refused too */
        clob_error_text(error, text, sizeof text);
        EXPECT(strlen(text) >= 10 && strlen(text) < sizeof text - 1);
        if (wanted->what != APPLY && wanted->what != MATCH) { /* of which the events that were not refused stay */
            check_unchanged(tested, tested->before, tested->before_count);
            EXPECT(clob_checksum(tested->book) == tested->before_checksum);
        }
    }
    EXPECT(clob_check(tested->book) == NULL);
    EXPECT(tested->memory.failed > 0 || tested->memory.bytes == clob_memory_bytes(tested->book));
    return status;
}
