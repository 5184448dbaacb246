/* The core of ledgerx.clob, driven without Python: `harness [SEED]` prints what it did and returns 0, or says
   what did not hold and returns 1. Meant for a build with sanitizers and CLOB_DEBUG (test_sanitizers.py). */

#include <inttypes.h>

#include "harness.h"

static const char *const call_names[CALLS] = {"add",     "submit", "preview", "reduce",  "execute", "cancel",
                                              "replace", "clear",  "apply",   "match",   "restore", "look"};

/* ---------------------------------------------------------------- random books */

/* Books that stay small, see every edge, drift, and grow trees of several nodes and heights. */
static const plan plans[] = {
    {.orders_max = 1, .width = 3, .steps = 1500},
    {.orders_max = 3, .width = 4, .steps = 3000},
    {.orders_max = 40, .width = 12, .drift = 1, .steps = 6000},
    {.orders_max = 60, .width = 9, .extreme = true, .steps = 12000},
    {.orders_max = 400, .width = 5, .steps = 3000},
    {.orders_max = 400, .width = 9000, .extreme = true, .steps = 3000},
    {.orders_max = 500, .width = 1000, .drift = -2, .steps = 5000},
    {.orders_max = 1500, .width = UINT64_C(1) << 50, .steps = 5000},
    {.orders_max = 2000, .width = 1500, .drift = 1, .steps = 5000},
};

static void add_totals(subject *into, const subject *from)
{
    for (int i = 0; i < CALLS; i++) {
        into->calls[i] += from->calls[i];
    }
    for (int i = 0; i <= CLOB_BROKEN; i++) {
        into->statuses[i] += from->statuses[i];
    }
    into->fills += from->fills;
}

static void test_random_books(uint64_t seed, subject *totals)
{
    for (size_t i = 0; i < sizeof plans / sizeof *plans; i++) {
        subject tested;
        open_subject(&tested, &plans[i], seed + i, 0);
        for (unsigned step = 0; step < plans[i].steps; step++) {
            /* Twice up and down: 65 of 100 calls add, later 10. */
            bool growing = step * 4 / plans[i].steps % 2 == 0;
            operation wanted = drawn_operation(&tested, growing ? 65 : 10);
            (void)carry_out(&tested, &wanted);
        }
        add_totals(totals, &tested);
        close_subject(&tested);
    }
    for (int i = 0; i < CALLS; i++) {
        EXPECT(totals->calls[i] > 0);
    }
    for (int i = CLOB_OK; i < CLOB_NO_MEMORY; i++) {
        EXPECT(totals->statuses[i] > 0);
    }
}

/* ---------------------------------------------------------------- tall trees */

static uint64_t place_in(unsigned order, uint64_t i, uint64_t count)
{
    static const uint64_t stride = 7919; /* a prime that divides no count in use */
    return order == 0 ? i : order == 1 ? count - 1 - i : i * stride % count;
}

/* Adds `count` levels in one order and removes them in another: from the best out, from the worst in, or
   all over. The walk after each call sees every split and merge. */
static void test_tall_tree(unsigned coming, unsigned going, bool is_ask, uint64_t count)
{
    counter memory = {0};
    clob_allocator allocator = counting(&memory);
    clob_book *book = clob_new((uint32_t)count, &allocator);
    EXPECT(book != NULL);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t place = place_in(coming, i, count);
        int64_t away = (int64_t)place * 1000;
        EXPECT(clob_add(book, place + 1, is_ask, is_ask ? away : -away, 1) == CLOB_OK);
    }
    EXPECT(clob_add(book, count + 1, is_ask, 0, 1) == CLOB_BOOK_FULL);
    for (uint64_t i = 0; i < count; i++) {
        int64_t open_size;
        EXPECT(clob_cancel(book, place_in(going, i, count) + 1, &open_size) == CLOB_OK && open_size == 1);
    }
    EXPECT(clob_count(book) == 0 && !clob_has(book, is_ask));
    clob_free(book);
    EXPECT(memory.bytes == 0);
}

static void test_tall_trees(void)
{
    for (unsigned coming = 0; coming < 3; coming++) {
        for (unsigned going = 0; going < 3; going++) {
            test_tall_tree(coming, going, (coming + going) % 2 == 0, 1200);
        }
    }
    test_tall_tree(0, 2, true, 4400); /* each leaf left half full: four nodes high */
}

/* ---------------------------------------------------------------- long matches */

#define LONG_MATCH 8200

/* Two orders sweep a side one after the other; the room that the first had made does for a part of the second. */
static void test_a_match_makes_room_for_all_its_fills(void)
{
    counter memory = {0};
    clob_allocator allocator = counting(&memory);
    clob_book *book = clob_new(LONG_MATCH, &allocator);
    clob_event *events = calloc(LONG_MATCH + 2, sizeof *events);
    clob_outcome *outcomes = calloc(LONG_MATCH + 2, sizeof *outcomes);
    EXPECT(book != NULL && events != NULL && outcomes != NULL);
    for (uint64_t i = 0; i < LONG_MATCH; i++) {
        events[i] = (clob_event){.order_id = i + 1, .price = 1, .size = 1, .kind = CLOB_ADD, .is_ask = 1};
    }
    events[LONG_MATCH] = (clob_event){.order_id = 9000, .size = 4000, .kind = CLOB_ADD, .is_market = 1};
    events[LONG_MATCH + 1] = (clob_event){.order_id = 9001, .size = 4200, .kind = CLOB_ADD, .is_market = 1};
    const clob_fill *fills;
    size_t count;
    clob_match(book, events, LONG_MATCH + 2, outcomes, &fills, &count);
    EXPECT(count == LONG_MATCH && outcomes[LONG_MATCH].fills == 4000 && outcomes[LONG_MATCH + 1].fills == 4200);
    for (uint64_t i = 0; i < LONG_MATCH; i++) {
        EXPECT(fills[i].order_id == i + 1 && fills[i].left == 0);
    }
    clob_fill *taken = clob_take_fills(book);
    EXPECT(taken == fills && memory.bytes > clob_memory_bytes(book));
    allocator.free(allocator.context, taken);
    EXPECT(memory.bytes == clob_memory_bytes(book));
    clob_free(book);
    free(events);
    free(outcomes);
    EXPECT(memory.bytes == 0);
}

/* Pairs that trade, one fill each: many more in all than orders rest at a time. */
static void test_a_match_of_pairs(void)
{
    enum { PAIRS = 500 };
    counter memory = {0};
    clob_allocator allocator = counting(&memory);
    clob_book *book = clob_new(2, &allocator);
    clob_event events[2 * PAIRS];
    clob_outcome outcomes[2 * PAIRS];
    for (uint64_t i = 0; i < 2 * PAIRS; i++) {
        events[i] = (clob_event){.order_id = i + 1, .price = 1, .size = 1, .kind = CLOB_ADD, .is_ask = i % 2};
    }
    const clob_fill *fills;
    size_t count;
    clob_match(book, events, 2 * PAIRS, outcomes, &fills, &count);
    EXPECT(count == PAIRS && clob_count(book) == 0);
    for (uint64_t i = 0; i < PAIRS; i++) {
        EXPECT(fills[i].order_id == 2 * i + 1 && outcomes[2 * i + 1].fills == 1);
    }
    clob_free(book);
    EXPECT(memory.bytes == 0);
}

/* ---------------------------------------------------------------- want of memory */

static const plan scarce[] = {
    {.orders_max = 600, .width = 400, .drift = 1, .steps = 1000},
    {.orders_max = 600, .width = 400, .by_all = true, .steps = 800},
};

/* One run in which allocation `fail_at` fails. The call is refused, changes nothing, and is made again. */
static uint64_t scarce_run(const plan *planned, uint64_t seed, unsigned long fail_at, unsigned long *allocations,
                           subject *totals)
{
    subject tested;
    open_subject(&tested, planned, seed, fail_at);
    unsigned long refused = tested.memory.failed; /* clob_new may have been */
    for (unsigned step = 0; step < planned->steps; step++) {
        operation wanted = drawn_operation(&tested, 65);
        unsigned long failed = tested.memory.failed;
        clob_status status = carry_out(&tested, &wanted);
        EXPECT((status == CLOB_NO_MEMORY) == (tested.memory.failed > failed));
        if (status == CLOB_NO_MEMORY) {
            refused++;
            if (wanted.what == APPLY || wanted.what == MATCH) { /* other events of it were carried out */
                size_t done;
                EXPECT(clob_restore(tested.book, tested.before, tested.before_count, &done) == CLOB_OK);
            }
            EXPECT(carry_out(&tested, &wanted) != CLOB_NO_MEMORY);
        }
    }
    EXPECT(refused == tested.memory.failed);
    *allocations = tested.memory.allocations;
    uint64_t checksum = clob_checksum(tested.book);
    add_totals(totals, &tested);
    close_subject(&tested);
    return checksum;
}

/* Every allocation of a run fails once, and the run must still end in the same book. */
static unsigned long test_each_allocation_failing(const plan *planned, uint64_t seed, subject *totals)
{
    unsigned long allocations, fail_at = 0, refused = totals->statuses[CLOB_NO_MEMORY];
    uint64_t undisturbed = scarce_run(planned, seed, 0, &allocations, totals);
    do {
        fail_at++;
        EXPECT(scarce_run(planned, seed, fail_at, &allocations, totals) == undisturbed);
    } while (fail_at < allocations);
    /* The last run had none left to fail, and in the first it was clob_new that got none. */
    EXPECT(totals->statuses[CLOB_NO_MEMORY] - refused == fail_at - 2);
    return fail_at - 1;
}

/* ---------------------------------------------------------------- edges */

static void test_errors_have_a_text(void)
{
    for (int status = CLOB_OK; status <= CLOB_BROKEN; status++) {
        for (int64_t other = 0; other < 2; other++) {
            clob_error error = {
                .status = (clob_status)status, .order_id = UINT64_MAX, .price = INT64_MIN, .size = INT64_MIN,
                .other = other == 0 ? 0 : INT64_MIN};
            char text[200], cut[9];
            clob_error_text(&error, text, sizeof text);
            clob_error_text(&error, cut, sizeof cut);
            EXPECT(strlen(text) > 12 && strlen(text) < sizeof text - 1 && strncmp(text, cut, 8) == 0);
            EXPECT(strlen(cut) == 8);
        }
    }
}

static void test_caps(void)
{
    counter memory = {0};
    clob_allocator allocator = counting(&memory);
    EXPECT(clob_new(0, &allocator) == NULL && clob_new(CLOB_ORDERS_MAX_MAX + 1, &allocator) == NULL);
    EXPECT(memory.allocations == 0);
    clob_free(NULL);
    clob_book *book = clob_new(CLOB_ORDERS_MAX_MAX, &allocator);
    clob_clear(book); /* an empty one has no memory to clear */
    EXPECT(book != NULL && memory.bytes == clob_memory_bytes(book) && memory.bytes < 1000);
    clob_free(book);
    EXPECT(memory.bytes == 0);
}

int main(int count, char **arguments)
{
    uint64_t seed = count > 1 ? strtoull(arguments[1], NULL, 10) : 1;
    subject totals = {0};
    test_errors_have_a_text();
    test_caps();
    test_corruptions();
    test_tall_trees();
    test_a_match_makes_room_for_all_its_fills();
    test_a_match_of_pairs();
    test_random_books(seed, &totals);
    unsigned long failed = test_each_allocation_failing(&scarce[0], seed, &totals);
    failed += test_each_allocation_failing(&scarce[1], seed, &totals);
    printf("seed %" PRIu64 ": %lu fills, %lu allocations failed in turn\n", seed, totals.fills, failed);
    for (int i = 0; i < CALLS; i++) {
        printf("%s %lu%s", call_names[i], totals.calls[i], i + 1 < CALLS ? ", " : "\nby status:");
    }
    for (int i = 0; i <= CLOB_BROKEN; i++) {
        printf(" %lu%s", totals.statuses[i], i < CLOB_BROKEN ? "" : "\n");
    }
    return 0;
}
