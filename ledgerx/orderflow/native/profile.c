/* Volume by price: its point of control, and the value area around it, at a cost that hardly grows with prices.

   A trade costs one probe of a hash table: volumes only grow, so only the price just traded can overtake the point
   of control. What changed is remembered, and brought into the ordered part when somebody asks for the area.

   The ordered part is a list of blocks of up to 64 prices, with each block's volume and least volume in a directory,
   and those of each 16 blocks beside it.
   The area grows from the point of control by one price at a time, the side whose next price has more volume first.
   That is a merge of two sequences, and in a merge an element is taken when the least volume from the control to it
   is the largest left. So the area is: on each side the prices before the first volume under a threshold, for the
   largest threshold that covers the target, with ties taken in order. Whole groups and blocks are passed by their
   least volume, and the threshold of the last answer is where the search begins: most answers take one such pass. */

#include "internal.h"

#define BLOCK_PRICES 64
#define GROUP_ENTRIES 16

struct profile_block {
    size_t count;
    int64_t price[BLOCK_PRICES];
    int64_t volume[BLOCK_PRICES];
};

/* The next price to be taken in a direction; `edge` is the last one taken. */
typedef struct cursor {
    ptrdiff_t entry, slot;
    int64_t edge;
} cursor_t;

bool profile_reserve(profile_t *profile)
{
    return price_table_reserve(&profile->table) &&
           grow(&profile->dirty, &profile->dirty_capacity, profile->table.capacity, sizeof *profile->dirty);
}

void profile_trade(profile_t *profile, int64_t price, int64_t size, bool bought)
{
    uint32_t index = price_table_find_or_add(&profile->table, price);
    price_node_t *node = &profile->table.nodes[index];
    if (bought) {
        node->buy_volume += size;
    } else {
        node->sell_volume += size;
    }
    if (!node->dirty) {
        node->dirty = 1;
        profile->dirty[profile->dirty_count++] = index;
    }
    profile->volume += size;
    int64_t volume = node->buy_volume + node->sell_volume;
    if (volume > profile->control_volume || (volume == profile->control_volume && price > profile->control_price)) {
        profile->control_volume = volume;
        profile->control_price = price;
    }
}

/* The last entry whose first price is not above `price`; 0 when all are. */
static size_t find_entry(const profile_t *profile, int64_t price)
{
    size_t low = 0, high = profile->entry_count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (profile->entries[middle].first_price <= price) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

/* Where in a block `price` stands or belongs. */
static size_t find_slot(const profile_block_t *block, int64_t price)
{
    size_t low = 0, high = block->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (block->price[middle] < price) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static void sum_up(profile_entry_t *entry)
{
    const profile_block_t *block = entry->block;
    int64_t volume = 0, least = INT64_MAX;
    for (size_t slot = 0; slot < block->count; slot++) {
        volume += block->volume[slot];
        least = block->volume[slot] < least ? block->volume[slot] : least;
    }
    entry->volume = volume;
    entry->least = least;
    entry->first_price = block->price[0];
}

static void sum_up_group(profile_t *profile, size_t group)
{
    size_t begin = group * GROUP_ENTRIES, end = begin + GROUP_ENTRIES;
    profile_group_t sums = {0, INT64_MAX};
    for (size_t at = begin; at < end && at < profile->entry_count; at++) {
        sums.volume += profile->entries[at].volume;
        sums.least = profile->entries[at].least < sums.least ? profile->entries[at].least : sums.least;
    }
    profile->groups[group] = sums;
}

static bool add_entry(profile_t *profile, size_t at)
{
    size_t groups = profile->entry_count / GROUP_ENTRIES + 1;
    if (!grow(&profile->entries, &profile->entry_capacity, profile->entry_count + 1, sizeof *profile->entries) ||
        !grow(&profile->groups, &profile->group_capacity, groups, sizeof *profile->groups)) {
        return false;
    }
    profile_block_t *block = malloc(sizeof *block);
    if (block == NULL) {
        return false;
    }
    block->count = 0;
    memmove(profile->entries + at + 1, profile->entries + at, (profile->entry_count - at) * sizeof *profile->entries);
    profile->entry_count++;
    profile->entries[at] = (profile_entry_t){.block = block};
    return true;
}

static bool split(profile_t *profile, size_t at)
{
    if (!add_entry(profile, at + 1)) {
        return false;
    }
    profile_block_t *full = profile->entries[at].block, *upper = profile->entries[at + 1].block;
    size_t kept = BLOCK_PRICES / 2;
    upper->count = full->count - kept;
    memcpy(upper->price, full->price + kept, upper->count * sizeof *full->price);
    memcpy(upper->volume, full->volume + kept, upper->count * sizeof *full->volume);
    full->count = kept;
    sum_up(&profile->entries[at]);
    sum_up(&profile->entries[at + 1]);
    for (size_t group = at / GROUP_ENTRIES; group * GROUP_ENTRIES < profile->entry_count; group++) {
        sum_up_group(profile, group);
    }
    return true;
}

static bool place(profile_t *profile, int64_t price, int64_t volume)
{
    if (profile->entry_count == 0 && !add_entry(profile, 0)) {
        return false;
    }
    size_t at = find_entry(profile, price);
    if (profile->entries[at].block->count == BLOCK_PRICES) {
        if (!split(profile, at)) {
            return false;
        }
        at = find_entry(profile, price);
    }
    profile_block_t *block = profile->entries[at].block;
    size_t slot = find_slot(block, price), above = block->count - slot;
    memmove(block->price + slot + 1, block->price + slot, above * sizeof *block->price);
    memmove(block->volume + slot + 1, block->volume + slot, above * sizeof *block->volume);
    block->price[slot] = price;
    block->volume[slot] = volume;
    block->count++;
    sum_up(&profile->entries[at]);
    sum_up_group(profile, at / GROUP_ENTRIES);
    return true;
}

static void update(profile_t *profile, int64_t price, int64_t volume)
{
    size_t at = find_entry(profile, price);
    profile_entry_t *entry = &profile->entries[at];
    profile_block_t *block = entry->block;
    size_t slot = find_slot(block, price);
    int64_t before = block->volume[slot];
    block->volume[slot] = volume;
    if (before == entry->least) {
        sum_up(entry);
    } else {
        entry->volume += volume - before;
    }
    sum_up_group(profile, at / GROUP_ENTRIES);
}

bool profile_settle(profile_t *profile)
{
    while (profile->dirty_count > 0) {
        price_node_t *node = &profile->table.nodes[profile->dirty[profile->dirty_count - 1]];
        int64_t volume = node->buy_volume + node->sell_volume;
        if (node->placed) {
            update(profile, node->price, volume);
        } else if (!place(profile, node->price, volume)) {
            return false;
        }
        node->placed = 1;
        node->dirty = 0;
        profile->dirty_count--;
    }
    return true;
}

/* Takes prices downwards while each has at least `threshold`, until `limit` is covered. Returns the volume taken. */
static int64_t take_down(const profile_t *profile, cursor_t *cursor, int64_t threshold, int64_t limit)
{
    int64_t taken = 0;
    while (cursor->entry >= 0) {
        const profile_entry_t *entry = &profile->entries[cursor->entry];
        const profile_block_t *block = entry->block;
        const profile_group_t *group = &profile->groups[cursor->entry / GROUP_ENTRIES];
        if (cursor->entry % GROUP_ENTRIES == GROUP_ENTRIES - 1 && cursor->slot == (ptrdiff_t)block->count - 1 &&
            group->least >= threshold && group->volume < limit - taken) {
            taken += group->volume;
            cursor->entry -= GROUP_ENTRIES;
            cursor->edge = profile->entries[cursor->entry + 1].first_price;
            cursor->slot = cursor->entry >= 0 ? (ptrdiff_t)profile->entries[cursor->entry].block->count - 1 : 0;
            continue;
        }
        if (cursor->slot == (ptrdiff_t)block->count - 1 && entry->least >= threshold && entry->volume < limit - taken) {
            taken += entry->volume;
            cursor->slot = -1;
        } else {
            for (; cursor->slot >= 0; cursor->slot--) {
                if (taken >= limit || block->volume[cursor->slot] < threshold) {
                    cursor->edge = cursor->slot + 1 < (ptrdiff_t)block->count ? block->price[cursor->slot + 1]
                                                                              : cursor->edge;
                    return taken;
                }
                taken += block->volume[cursor->slot];
            }
        }
        cursor->edge = block->price[0];
        cursor->entry--;
        cursor->slot = cursor->entry >= 0 ? (ptrdiff_t)profile->entries[cursor->entry].block->count - 1 : 0;
    }
    return taken;
}

static int64_t take_up(const profile_t *profile, cursor_t *cursor, int64_t threshold, int64_t limit)
{
    int64_t taken = 0;
    while (cursor->entry < (ptrdiff_t)profile->entry_count) {
        const profile_entry_t *entry = &profile->entries[cursor->entry];
        const profile_block_t *block = entry->block;
        ptrdiff_t count = (ptrdiff_t)block->count;
        const profile_group_t *group = &profile->groups[cursor->entry / GROUP_ENTRIES];
        if (cursor->entry % GROUP_ENTRIES == 0 && cursor->slot == 0 && group->least >= threshold &&
            group->volume < limit - taken) {
            ptrdiff_t left = (ptrdiff_t)profile->entry_count - cursor->entry;
            taken += group->volume;
            cursor->entry += left < GROUP_ENTRIES ? left : GROUP_ENTRIES;
            const profile_block_t *last = profile->entries[cursor->entry - 1].block;
            cursor->edge = last->price[last->count - 1];
            continue;
        }
        if (cursor->slot == 0 && entry->least >= threshold && entry->volume < limit - taken) {
            taken += entry->volume;
        } else {
            for (; cursor->slot < count; cursor->slot++) {
                if (taken >= limit || block->volume[cursor->slot] < threshold) {
                    cursor->edge = cursor->slot > 0 ? block->price[cursor->slot - 1] : cursor->edge;
                    return taken;
                }
                taken += block->volume[cursor->slot];
            }
        }
        cursor->edge = block->price[count - 1];
        cursor->entry++;
        cursor->slot = 0;
    }
    return taken;
}

/* The two cursors beside the point of control. */
static void begin(const profile_t *profile, cursor_t *down, cursor_t *up)
{
    ptrdiff_t entry = (ptrdiff_t)find_entry(profile, profile->control_price);
    ptrdiff_t slot = (ptrdiff_t)find_slot(profile->entries[entry].block, profile->control_price);
    *down = (cursor_t){entry, slot - 1, profile->control_price};
    *up = (cursor_t){entry, slot + 1, profile->control_price};
    if (slot == 0) {
        down->entry--;
        down->slot = entry > 0 ? (ptrdiff_t)profile->entries[entry - 1].block->count - 1 : 0;
    }
    if (slot + 1 == (ptrdiff_t)profile->entries[entry].block->count) {
        up->entry++;
        up->slot = 0;
    }
}

/* The largest threshold whose prices cover the target: in [1, control_volume]. Leaves the cursors, and what they
   took, before the prices whose key is that threshold. */
static int64_t search(profile_t *profile, int64_t target, cursor_t *down, cursor_t *up, int64_t *covered)
{
    cursor_t first_down, first_up;
    begin(profile, &first_down, &first_up);
    int64_t low = 1, high = profile->control_volume + 1; /* covers; does not */
    int64_t threshold = profile->threshold, step = 1;
    for (;;) {
        threshold = threshold < low ? low : threshold >= high ? high - 1 : threshold;
        *down = first_down, *up = first_up;
        *covered = profile->control_volume + take_down(profile, down, threshold + 1, INT64_MAX);
        *covered += take_up(profile, up, threshold + 1, INT64_MAX);
        cursor_t more_down = *down, more_up = *up;
        if (*covered >= target) {
            low = threshold + 1;
            threshold = high - low > step ? threshold + step : low + (high - low) / 2;
        } else if (*covered + take_down(profile, &more_down, threshold, INT64_MAX) +
                       take_up(profile, &more_up, threshold, INT64_MAX) <
                   target) {
            high = threshold;
            threshold = high - low > step ? threshold - step : low + (high - low) / 2;
        } else {
            return threshold;
        }
        step *= 4;
    }
}

bool profile_value_area(profile_t *profile, int64_t *low, int64_t *high)
{
    if (!profile_settle(profile)) {
        return false;
    }
    *low = *high = profile->control_price;
    int64_t target = (int64_t)(((int128)profile->volume * 7 + 9) / 10);
    if (profile->control_volume >= target) {
        return true;
    }
    cursor_t down, up;
    int64_t covered;
    int64_t threshold = profile->threshold = search(profile, target, &down, &up, &covered);
    covered += take_down(profile, &down, threshold, target - covered);
    if (covered < target) {
        take_up(profile, &up, threshold, target - covered);
    }
    *low = down.edge;
    *high = up.edge;
    return true;
}

static int by_price(const void *left, const void *right)
{
    const ofx_profile_row_t *a = left, *b = right;
    return (a->price > b->price) - (a->price < b->price);
}

size_t profile_rows(const profile_t *profile, ofx_profile_row_t *rows)
{
    for (size_t index = 0; index < profile->table.count; index++) {
        const price_node_t *node = &profile->table.nodes[index];
        rows[index] = (ofx_profile_row_t){node->price, node->buy_volume, node->sell_volume};
    }
    qsort(rows, profile->table.count, sizeof *rows, by_price);
    return profile->table.count;
}

void profile_clear(profile_t *profile)
{
    for (size_t at = 0; at < profile->entry_count; at++) {
        free(profile->entries[at].block);
    }
    free(profile->entries);
    free(profile->groups);
    free(profile->dirty);
    price_table_free(&profile->table);
    memset(profile, 0, sizeof *profile);
}
