/* SPDX-License-Identifier: MIT */
/* The table of digests: open addressing. A digest is random enough to be its own hash. */
#include "pulse-daemon/shard/keyed.h"

#include <stdlib.h>
#include <string.h>

#define ROOM_FIRST 64u

void pulse_keyed_fini(struct pulse_keyed *keyed)
{
    free(keyed->entries);
    *keyed = (struct pulse_keyed){.entries = NULL};
}

/* Where the key is, or the free place where it belongs. */
static struct pulse_keyed_entry *place_of(struct pulse_keyed_entry *entries, size_t room, const struct lh_digest *key)
{
    uint64_t hash;
    memcpy(&hash, key->bytes, sizeof hash);
    size_t at = (size_t)hash & (room - 1);
    while (entries[at].used && !lh_digest_equal(&entries[at].key, key)) {
        at = (at + 1) & (room - 1);
    }
    return &entries[at];
}

const uint32_t *pulse_keyed_find(const struct pulse_keyed *keyed, const struct lh_digest *key)
{
    if (keyed->room == 0) {
        return NULL;
    }
    const struct pulse_keyed_entry *entry = place_of(keyed->entries, keyed->room, key);
    return entry->used ? &entry->value : NULL;
}

static enum lh_status grow(struct pulse_keyed *keyed)
{
    size_t room = keyed->room > 0 ? 2 * keyed->room : ROOM_FIRST;
    struct pulse_keyed_entry *entries = calloc(room, sizeof *entries);
    if (entries == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < keyed->room; i++) {
        if (keyed->entries[i].used) {
            *place_of(entries, room, &keyed->entries[i].key) = keyed->entries[i];
        }
    }
    free(keyed->entries);
    keyed->entries = entries;
    keyed->room = room;
    return LH_OK;
}

enum lh_status pulse_keyed_add(struct pulse_keyed *keyed, const struct lh_digest *key, uint32_t value)
{
    if (2 * (keyed->count + 1) > keyed->room && grow(keyed) != LH_OK) {
        return LH_ERR_NO_MEMORY;
    }
    struct pulse_keyed_entry *entry = place_of(keyed->entries, keyed->room, key);
    if (!entry->used) {
        *entry = (struct pulse_keyed_entry){.key = *key, .value = value, .used = true};
        keyed->count++;
    }
    return LH_OK;
}
