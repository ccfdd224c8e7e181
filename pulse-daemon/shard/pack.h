/* SPDX-License-Identifier: MIT */
/* Which of the things to be made go together in one shard. Private to pulse-daemon/shard. */
#ifndef PULSE_SHARD_PACK_H
#define PULSE_SHARD_PACK_H

#include "pulse-daemon/shard/draft.h"

/* Something that a shard makes as a whole: a cut, or deliverables that hang together. */
struct pulse_item {
    uint32_t cut;                    /* GRAPH_NONE: deliverables */
    uint32_t file_first, file_count; /* into the files */
    struct lh_digest key;            /* of the first that it makes: for an order that does not hang on the graph's */
    double seconds;
    uint32_t level; /* of what is read others of a lower level */
    uint32_t shard; /* that it goes to */
};

struct pulse_items {
    struct pulse_item *items;
    uint32_t count;
    uint32_t *files; /* deliverables of the whole that are to be made, by item */
    uint32_t shards;
};

/* Every cut and every deliverable that is wanted, each key once. Deliverables hang together where one's gain comes from
   the other, and where they share a node that is dear to make twice. */
LH_NODISCARD enum lh_status pulse_items_list(const struct pulse_draft *draft, struct pulse_items *items);
/* Sets the shard of each: what takes `target` seconds goes alone, the rest of a level together, longest first, into
   shards of about that much. Shards are counted by level, and within by falling seconds. */
LH_NODISCARD enum lh_status pulse_items_pack(const struct pulse_draft *draft, struct pulse_items *items, double target);

#endif
