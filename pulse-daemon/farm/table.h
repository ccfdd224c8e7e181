/* SPDX-License-Identifier: MIT */
/* A hash table of things that carry their own key. Open addressing; the order of a walk hangs on the calls alone, never
   on addresses, so that the core stays repeatable. */
#ifndef PULSE_FARM_TABLE_H
#define PULSE_FARM_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pulse_table_slot {
    void *item; /* NULL: free */
    uint32_t hash;
};

/* Zeroed: empty. */
struct pulse_table {
    struct pulse_table_slot *slots;
    size_t count;
    size_t capacity; /* 0 or a power of two */
};

typedef bool pulse_table_match(const void *item, const void *key);

void pulse_table_fini(struct pulse_table *table); /* the items stay the caller's */
void *pulse_table_find(const struct pulse_table *table, uint32_t hash, pulse_table_match *match, const void *key);
/* `item` is not in it. False: no memory. */
bool pulse_table_add(struct pulse_table *table, uint32_t hash, void *item);
void pulse_table_remove(struct pulse_table *table, uint32_t hash, const void *item);
/* Gives back room that is hardly used, if it can. Walks end here. */
void pulse_table_trim(struct pulse_table *table);
/* The next item from *at (0 at first) on, NULL past the last. Not across an add or a remove. */
void *pulse_table_next(const struct pulse_table *table, size_t *at);

uint32_t pulse_hash_u64(uint64_t value);
uint32_t pulse_hash_bytes(uint32_t seed, const void *data, size_t size);

#endif
