/* SPDX-License-Identifier: MIT */
/* Renders a graph as the farm would, in one process: planned into shards, each encoded, decoded and rendered by itself
   from the blobs of those before it; or as one command does with a cache, in one render that reads what it has. */
#ifndef TESTS_IDENTITY_PLANNER_H
#define TESTS_IDENTITY_PLANNER_H

#include "engine/run/render.h"
#include "pulse-daemon/shard/plan.h"

struct planner; /* with the costs and latencies that it has learned, and the blobs of one graph */

/* `graph` is whole; `media` and `host` are borrowed. Everything is dear, so that small graphs are cut. */
struct planner *planner_new(const struct graph *graph, const int *media, struct engine_host *host);
void planner_free(struct planner *planner);

struct planner_tally {
    unsigned shards, converts, stored, sums, asked; /* asked: latencies that had to be found out */
    unsigned read, kept;                            /* by the local way */
};

/* Files and what is told of them, by deliverable; `outputs` are memory files, the caller's, also when it fails: the
   status of the first shard that did. */
enum lh_status planner_render(struct planner *planner, uint32_t slots, int *outputs, struct engine_delivered *delivered,
                              struct planner_tally *tally, struct lh_error *error);
/* The same by one render. Keeps what is worth it; `forget` (of 256) of what was kept before is lost first. */
enum lh_status planner_render_local(struct planner *planner, uint64_t seed, unsigned forget, int *outputs,
                                    struct engine_delivered *delivered, struct planner_tally *tally,
                                    struct lh_error *error);

#endif
