/* An allocator that counts, fails where it is told to, and moves a block each time that it grows, so that a
   pointer kept over a call is one that the sanitizer knows to be bad. */

#include "harness.h"

#define HEADER_BYTES 32 /* keeps the alignment of malloc */

static void give(void *context, void *memory)
{
    counter *counted = context;
    char *block = (char *)memory - HEADER_BYTES;
    size_t bytes;
    memcpy(&bytes, block, sizeof bytes);
    EXPECT(counted->bytes >= bytes);
    counted->bytes -= bytes;
    free(block);
}

static void *take(void *context, void *memory, size_t bytes)
{
    counter *counted = context;
    if (++counted->allocations == counted->fail_at) {
        counted->failed++;
        return NULL;
    }
    char *block = malloc(HEADER_BYTES + bytes);
    EXPECT(block != NULL && bytes > 0);
    memcpy(block, &bytes, sizeof bytes);
    memset(block + HEADER_BYTES, 0xA5, bytes); /* nothing may count on zeros */
    counted->bytes += bytes;
    if (memory != NULL) {
        size_t had;
        memcpy(&had, (char *)memory - HEADER_BYTES, sizeof had);
        memcpy(block + HEADER_BYTES, memory, had < bytes ? had : bytes);
        give(context, memory);
    }
    return block + HEADER_BYTES;
}

clob_allocator counting(counter *counted)
{
    return (clob_allocator){.realloc = take, .free = give, .context = counted};
}
