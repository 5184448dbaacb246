/* Arrays that grow, and rings that forget their oldest item. */

#include "internal.h"

bool grow(void *array, size_t *capacity, size_t wanted, size_t item_bytes)
{
    if (LIKELY(wanted <= *capacity)) {
        return true;
    }
    size_t larger = *capacity ? *capacity : 8;
    while (larger < wanted) {
        if (larger > SIZE_MAX / 2 / item_bytes) {
            return false;
        }
        larger *= 2;
    }
    void **data = array;
    void *moved = realloc(*data, larger * item_bytes);
    if (moved == NULL) {
        return false;
    }
    *data = moved;
    *capacity = larger;
    return true;
}

void ring_init(ring_t *ring, size_t item_bytes, size_t max)
{
    memset(ring, 0, sizeof *ring);
    ring->item_bytes = item_bytes;
    ring->max = max;
}

bool ring_reserve(ring_t *ring, size_t more)
{
    size_t wanted = more > ring->max - ring->count ? ring->max : ring->count + more;
    if (LIKELY(wanted <= ring->capacity)) {
        return true;
    }
    size_t larger = ring->capacity ? ring->capacity : 64;
    while (larger < wanted) {
        larger *= 2;
    }
    larger = larger > ring->max ? ring->max : larger;
    if (larger > SIZE_MAX / ring->item_bytes) {
        return false;
    }
    /* The oldest item is at the front: a ring turns only at its largest. */
    unsigned char *data = realloc(ring->data, larger * ring->item_bytes);
    if (data == NULL) {
        return false;
    }
    ring->data = data;
    ring->capacity = larger;
    return true;
}

void *ring_push(ring_t *ring)
{
    if (ring->max == 0) {
        return NULL;
    }
    size_t index;
    if (ring->count < ring->capacity) {
        index = ring->head + ring->count++;
        if (index >= ring->capacity) {
            index -= ring->capacity;
        }
    } else {
        index = ring->head;
        ring->head = ring->head + 1 == ring->capacity ? 0 : ring->head + 1;
    }
    return ring->data + index * ring->item_bytes;
}

void *ring_at(const ring_t *ring, size_t index)
{
    index += ring->head;
    if (index >= ring->capacity) {
        index -= ring->capacity;
    }
    return ring->data + index * ring->item_bytes;
}

void ring_clear(ring_t *ring)
{
    ring->count = ring->head = 0;
}

void ring_free(ring_t *ring)
{
    free(ring->data);
    ring->data = NULL;
    ring->capacity = ring->count = ring->head = 0;
}
