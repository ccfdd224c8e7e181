/* SPDX-License-Identifier: MIT */
/* Packing: longest first into the emptiest, ties by key, so that the order of the graph decides over nothing. */
#include "pulse-daemon/shard/pack.h"

#include <stdlib.h>
#include <string.h>

/* By level, then the longest first. */
static int compare_items(const void *a, const void *b)
{
    const struct pulse_item *left = *(const struct pulse_item *const *)a;
    const struct pulse_item *right = *(const struct pulse_item *const *)b;
    if (left->level != right->level) {
        return left->level < right->level ? -1 : 1;
    }
    if (left->seconds != right->seconds) {
        return left->seconds > right->seconds ? -1 : 1;
    }
    return memcmp(left->key.bytes, right->key.bytes, sizeof left->key.bytes);
}

/* A shard under way: within a level they are as many as what is left after the long ones fills. */
struct bin {
    double seconds;
    uint32_t index;
};

static bool is_emptier(const struct bin *a, const struct bin *b)
{
    return a->seconds < b->seconds || (a->seconds == b->seconds && a->index < b->index);
}

/* The emptiest has got more: it sinks to where it belongs. bins[0] is the emptiest, as in a heap. */
static void sink(struct bin *bins, size_t count)
{
    size_t at = 0;
    for (;;) {
        size_t least = at, left = 2 * at + 1, right = 2 * at + 2;
        least = left < count && is_emptier(&bins[left], &bins[least]) ? left : least;
        least = right < count && is_emptier(&bins[right], &bins[least]) ? right : least;
        if (least == at) {
            return;
        }
        struct bin swap = bins[at];
        bins[at] = bins[least];
        bins[least] = swap;
        at = least;
    }
}

/* One level: items[0..count), the longest first. */
static void pack_level(struct pulse_item **items, size_t count, double target, struct bin *bins, uint32_t *shards)
{
    size_t alone = 0;
    while (alone < count && items[alone]->seconds >= target) {
        items[alone++]->shard = (*shards)++;
    }
    double left = 0;
    for (size_t i = alone; i < count; i++) {
        left += items[i]->seconds;
    }
    if (alone == count) {
        return;
    }
    double wanted = left / target;
    size_t most = count - alone;
    size_t room = wanted < (double)most ? (size_t)wanted : most;
    room = room > 0 ? room : 1;
    for (size_t b = 0; b < room; b++) {
        bins[b] = (struct bin){.index = *shards + (uint32_t)b};
    }
    for (size_t i = alone; i < count; i++) {
        items[i]->shard = bins[0].index;
        bins[0].seconds += items[i]->seconds;
        sink(bins, room);
    }
    *shards += (uint32_t)room;
}

enum lh_status pulse_items_pack(const struct pulse_draft *draft, struct pulse_items *items, double target)
{
    struct pulse_item **order = lh_arena_array(draft->arena, items->count, sizeof *order);
    struct bin *bins = lh_arena_array(draft->arena, items->count, sizeof *bins);
    if (order == NULL || bins == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    for (uint32_t i = 0; i < items->count; i++) {
        order[i] = &items->items[i];
    }
    if (items->count > 1) {
        qsort(order, items->count, sizeof(struct pulse_item *), compare_items);
    }
    items->shards = 0;
    for (uint32_t from = 0, to = 0; from < items->count; from = to) {
        while (to < items->count && order[to]->level == order[from]->level) {
            to++;
        }
        pack_level(order + from, to - from, target, bins, &items->shards);
    }
    return LH_OK;
}
