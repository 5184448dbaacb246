/* Volumes by price in an open-addressed hash table: one probe a trade, however many prices there are. */

#include "internal.h"

static size_t slot_of(const price_table_t *table, int64_t price)
{
    uint64_t mixed = (uint64_t)price * 0x9E3779B97F4A7C15ull;
    return (size_t)(mixed >> 32) & table->slot_mask;
}

static void link_node(price_table_t *table, uint32_t index)
{
    size_t slot = slot_of(table, table->nodes[index].price);
    while (table->slots[slot] != 0) {
        slot = (slot + 1) & table->slot_mask;
    }
    table->slots[slot] = index + 1;
}

static bool enlarge_slots(price_table_t *table, size_t nodes)
{
    size_t slots = 16;
    while (slots < nodes * 4) {
        slots *= 2;
    }
    uint32_t *larger = calloc(slots, sizeof *larger);
    if (larger == NULL) {
        return false;
    }
    free(table->slots);
    table->slots = larger;
    table->slot_mask = slots - 1;
    for (size_t index = 0; index < table->count; index++) {
        link_node(table, (uint32_t)index);
    }
    return true;
}

bool price_table_reserve(price_table_t *table)
{
    if (LIKELY(table->count < table->capacity)) {
        return true;
    }
    if (table->count >= UINT32_MAX / 8) {
        return false;
    }
    size_t capacity = table->capacity;
    if (!enlarge_slots(table, capacity ? capacity * 2 : 8)) {
        return false;
    }
    return grow(&table->nodes, &table->capacity, table->count + 1, sizeof *table->nodes);
}

uint32_t price_table_find_or_add(price_table_t *table, int64_t price)
{
    size_t slot = slot_of(table, price);
    for (uint32_t found; (found = table->slots[slot]) != 0; slot = (slot + 1) & table->slot_mask) {
        if (table->nodes[found - 1].price == price) {
            return found - 1;
        }
    }
    uint32_t index = (uint32_t)table->count++;
    table->nodes[index] = (price_node_t){.price = price};
    table->slots[slot] = index + 1;
    return index;
}

void price_table_clear(price_table_t *table)
{
    table->count = 0;
    if (table->slots != NULL) {
        memset(table->slots, 0, (table->slot_mask + 1) * sizeof *table->slots);
    }
}

void price_table_free(price_table_t *table)
{
    free(table->nodes);
    free(table->slots);
    memset(table, 0, sizeof *table);
}
