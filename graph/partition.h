/* SPDX-License-Identifier: MIT */
/* Cuts the buses of a render graph into partial sums: how a farm shares a sum out, and how the tests show that no cut
   changes a bit. The cut graph delivers the same samples, and its deliverables and buses keep their keys: a key counts
   a partial sum's contributions one by one (graph/keys.h). */
#ifndef GRAPH_PARTITION_H
#define GRAPH_PARTITION_H

#include "graph/graph.h"

#define GRAPH_PARTITION_LEVELS_MAX 8

/* Which contributions go together. At level 0 the positions are those of the bus' inputs; what lies in one part becomes
   one PARTIAL. The partial sums and what was left alone are the positions of level 1, and so on, so that partial sums
   nest. `bus` is the node's index in the graph that is cut. Must be a function of its arguments. */
struct graph_partition {
    uint32_t levels; /* 0..GRAPH_PARTITION_LEVELS_MAX */
    /* 0..count-1, or GRAPH_NONE: stays alone. `count` is the number of positions. */
    uint32_t (*part)(void *context, uint32_t bus, uint32_t level, uint32_t position, uint32_t count);
    void *context;
};

/* `out` gets one reference; deliverables keep their indices, nodes do not. LH_ERR_USAGE: a level or a part is out
   of range. */
LH_NODISCARD enum lh_status graph_partition(const struct graph *graph, const struct graph_partition *partition,
                                            const struct graph **out, struct lh_error *error);
/* A random cut into random parts over up to three levels: a function of the graph and the seed. */
LH_NODISCARD enum lh_status graph_partition_seeded(const struct graph *graph, uint64_t seed, const struct graph **out,
                                                   struct lh_error *error);

#endif
