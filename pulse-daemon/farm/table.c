/* SPDX-License-Identifier: MIT */
/* Linear probing; a removal moves back what was pushed along, so that there are no tombstones. */
#include "pulse-daemon/farm/table.h"

#include <stdlib.h>

#define CAPACITY_FIRST 16
#define CAPACITY_KEPT 1024

void pulse_table_fini(struct pulse_table *table)
{
    free(table->slots);
    *table = (struct pulse_table){0};
}

void *pulse_table_find(const struct pulse_table *table, uint32_t hash, pulse_table_match *match, const void *key)
{
    if (table->count == 0) {
        return NULL;
    }
    for (size_t at = hash & (table->capacity - 1); table->slots[at].item != NULL;
         at = (at + 1) & (table->capacity - 1)) {
        if (table->slots[at].hash == hash && match(table->slots[at].item, key)) {
            return table->slots[at].item;
        }
    }
    return NULL;
}

static void put(struct pulse_table_slot *slots, size_t capacity, struct pulse_table_slot slot)
{
    size_t at = slot.hash & (capacity - 1);
    while (slots[at].item != NULL) {
        at = (at + 1) & (capacity - 1);
    }
    slots[at] = slot;
}

static bool resize(struct pulse_table *table, size_t capacity)
{
    struct pulse_table_slot *slots = calloc(capacity, sizeof *slots);
    if (slots == NULL) {
        return false;
    }
    for (size_t i = 0; i < table->capacity; i++) {
        if (table->slots[i].item != NULL) {
            put(slots, capacity, table->slots[i]);
        }
    }
    free(table->slots);
    table->slots = slots;
    table->capacity = capacity;
    return true;
}

bool pulse_table_add(struct pulse_table *table, uint32_t hash, void *item)
{
    size_t wider = table->capacity == 0 ? CAPACITY_FIRST : table->capacity * 2;
    if ((table->count + 1) * 4 > table->capacity * 3 && !resize(table, wider)) {
        return false;
    }
    put(table->slots, table->capacity, (struct pulse_table_slot){.item = item, .hash = hash});
    table->count++;
    return true;
}

void pulse_table_remove(struct pulse_table *table, uint32_t hash, const void *item)
{
    if (table->count == 0) {
        return;
    }
    size_t mask = table->capacity - 1, at = hash & mask;
    while (table->slots[at].item != item) {
        if (table->slots[at].item == NULL) {
            return;
        }
        at = (at + 1) & mask;
    }
    /* What stands behind the hole and could stand in it moves there, until a free slot ends the run. */
    for (size_t next = (at + 1) & mask; table->slots[next].item != NULL; next = (next + 1) & mask) {
        size_t home = table->slots[next].hash & mask;
        if (((next - home) & mask) >= ((next - at) & mask)) {
            table->slots[at] = table->slots[next];
            at = next;
        }
    }
    table->slots[at].item = NULL;
    table->count--;
}

void pulse_table_trim(struct pulse_table *table)
{
    if (table->capacity > CAPACITY_KEPT && table->count * 16 < table->capacity) {
        resize(table, table->capacity / 4); /* it stays as it is when that fails */
    }
}

void *pulse_table_next(const struct pulse_table *table, size_t *at)
{
    while (*at < table->capacity) {
        void *item = table->slots[(*at)++].item;
        if (item != NULL) {
            return item;
        }
    }
    return NULL;
}

uint32_t pulse_hash_u64(uint64_t value)
{
    /* The finaliser of MurmurHash3. */
    value ^= value >> 33;
    value *= UINT64_C(0xff51afd7ed558ccd);
    value ^= value >> 33;
    value *= UINT64_C(0xc4ceb9fe1a85ec53);
    value ^= value >> 33;
    return (uint32_t)value;
}

uint32_t pulse_hash_bytes(uint32_t seed, const void *data, size_t size)
{
    /* FNV-1a. */
    const uint8_t *bytes = data;
    uint32_t hash = UINT32_C(2166136261) ^ seed;
    for (size_t i = 0; i < size; i++) {
        hash = (hash ^ bytes[i]) * UINT32_C(16777619);
    }
    return hash;
}
