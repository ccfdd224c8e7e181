/* SPDX-License-Identifier: MIT */
/* Numbers by digests: a hash table that only grows. One thread at a time. */
#ifndef PULSE_SHARD_KEYED_H
#define PULSE_SHARD_KEYED_H

#include "common/digest/digest.h"

struct pulse_keyed_entry {
    struct lh_digest key;
    uint32_t value;
    bool used;
};

struct pulse_keyed { /* zeroed: empty */
    struct pulse_keyed_entry *entries;
    size_t room, count; /* room: a power of two */
};

void pulse_keyed_fini(struct pulse_keyed *keyed);
/* NULL: it is not there. */
const uint32_t *pulse_keyed_find(const struct pulse_keyed *keyed, const struct lh_digest *key);
/* Leaves a value that is there already. LH_ERR_NO_MEMORY. */
LH_NODISCARD enum lh_status pulse_keyed_add(struct pulse_keyed *keyed, const struct lh_digest *key, uint32_t value);

#endif
