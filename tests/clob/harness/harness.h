/* What the parts of the harness share. They test ledgerx/clob/core under sanitizers and know no Python. */

#ifndef LEDGERX_CLOB_HARNESS_H
#define LEDGERX_CLOB_HARNESS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clob.h"

/* Ends the run where a condition does not hold. */
#define EXPECT(condition)                                                                                              \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                                    \
            exit(1);                                                                                                   \
        }                                                                                                              \
    } while (0)

/* ---- allocator.c ---- */

/* Counts what one book holds. `fail_at` is the allocation, from 1, that gets no memory; 0: none. */
typedef struct counter {
    unsigned long allocations;
    unsigned long fail_at;
    unsigned long failed;
    size_t bytes;
} counter;

clob_allocator counting(counter *counted);

/* ---- randomness: splitmix64, the same on every machine ---- */

static inline uint64_t draw(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

static inline uint64_t below(uint64_t *state, uint64_t limit) { return draw(state) % limit; }
static inline bool one_in(uint64_t *state, uint64_t count) { return below(state, count) == 0; }

/* ---- operations.c ---- */

typedef enum call {
    ADD, SUBMIT, PREVIEW, REDUCE, EXECUTE, CANCEL, REPLACE, CLEAR, APPLY, MATCH, RESTORE, LOOK, CALLS
} call;

#define BATCH_MAX 24

/* One call with all its arguments, so that it can be made again. */
typedef struct operation {
    call what;
    clob_incoming in; /* also the arguments of the calls that take fewer */
    clob_event batch[BATCH_MAX];
    size_t batch_count;
} operation;

/* How a run draws its operations. */
typedef struct plan {
    uint32_t orders_max;
    uint64_t width; /* how far from the middle prices go */
    int64_t drift;  /* by how much the middle moves a step */
    bool extreme;   /* prices, sizes at the ends of int64 */
    bool by_all;    /* what comes, comes by any call that can bring it, and stands close until it is replaced */
    unsigned steps;
} plan;

/* A book under test, with what is known of it from outside. */
typedef struct subject {
    clob_book *book;
    counter memory;
    uint64_t random;
    plan planned;
    int64_t middle;
    uint64_t *ids; /* twice as many as fit in */
    size_t id_count;
    clob_event *before; /* the records before the call at work */
    size_t before_count;
    uint64_t before_checksum;
    unsigned long calls[CALLS];
    unsigned long statuses[CLOB_BROKEN + 1];
    unsigned long fills;
} subject;

void open_subject(subject *tested, const plan *planned, uint64_t seed, unsigned long fail_at);
void close_subject(subject *tested);
/* The weight of additions over removals, of 100. */
operation drawn_operation(subject *tested, unsigned growth);
/* Makes the call, holds what it did against what clob.h says, and returns its status. */
clob_status carry_out(subject *tested, const operation *wanted);

/* ---- corruptions.c ---- */

void test_corruptions(void);

#endif
