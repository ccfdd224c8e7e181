/* SPDX-License-Identifier: MIT */
/* The same cuts in one process: a single graph that reads what a cache has and, beside what is asked for, delivers what
   is worth keeping for the next time. Any thread. */
#ifndef PULSE_SHARD_LOCAL_H
#define PULSE_SHARD_LOCAL_H

#include "pulse-daemon/shard/plan.h"

struct pulse_local_options {
    struct pulse_plan_options plan; /* `wanted`: what there is no finished file of; `slots` does not matter */
    double least_seconds;           /* what takes less to make is not kept */
    /* The cache has the output, whose file has that many bytes. Asked once for each that could be of use. */
    bool (*has)(void *context, const struct lh_digest *key, uint64_t bytes);
    void *context;
    uint64_t keep_bytes; /* the most that is kept: what saves most for its bytes comes first */
};

struct pulse_local_output {
    struct lh_digest key;
    uint64_t bytes;
    double seconds;       /* what it takes to make */
    uint32_t deliverable; /* kept: of the graph */
};

struct pulse_local {
    const struct graph *graph;
    const uint32_t *media;                   /* by its media: the whole's */
    const struct pulse_local_output *stored; /* by its stored: what the cache has */
    const struct pulse_local_output *kept;
    uint32_t kept_count;
    const uint32_t *deliverables; /* by the whole's: its own; GRAPH_NONE */
    const uint32_t *plugins;      /* by the whole's nodes: where its PLUGIN nodes are; GRAPH_NONE: not rendered */
    double saved_seconds;         /* what need not be made */
    struct lh_arena arena;
};

/* LH_ERR_LIMIT, LH_ERR_NO_MEMORY. */
LH_NODISCARD enum lh_status pulse_local_new(const struct graph *graph, const struct pulse_local_options *options,
                                            struct pulse_local **local, struct lh_error *error);
void pulse_local_free(struct pulse_local *local); /* accepts NULL */
/* As pulse_plan_asks(). */
LH_NODISCARD enum lh_status pulse_local_asks(const struct graph *graph, const struct pulse_local_options *options,
                                             struct lh_arena *arena, struct pulse_latency_ask **asks, size_t *count,
                                             struct lh_error *error);

#endif
