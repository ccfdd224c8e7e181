/* SPDX-License-Identifier: MIT */
/* From a render graph to shards: where it is cut, what each piece needs and makes. The plan is a function of the graph,
   the keys and the costs alone; what is already there is not looked at, so that two jobs that share tracks cut them
   alike and meet at the same keys. Whoever admits the plan walks it from its deliverables backwards and takes only the
   shards whose outputs are neither present nor promised. Why it cuts as it does: docs/decisions/0015.

   A cut runs along nodes: a shard stores a node's frames (graph/graph.h: GRAPH_FORMAT_STORED) over a span
   (graph/span.h), another reads them (GRAPH_NODE_STORED). What is stored reaches far enough past the range's end for
   every plugin downstream that looks ahead. Any thread. */
#ifndef PULSE_SHARD_PLAN_H
#define PULSE_SHARD_PLAN_H

#include "common/base/arena.h"
#include "graph/keys.h"
#include "graph/shard.h"
#include "pulse-daemon/shard/cost.h"
#include "pulse-daemon/shard/latency.h"

struct pulse_shard {
    struct graph_shard work;         /* graph_shard_encode() makes its spec */
    double cost_seconds;             /* on one thread */
    bool cpu_class;                  /* its bits hang on the class of the CPU */
    const struct lh_digest *plugins; /* that its worker must have: graph_plugin.digest, ascending, each once */
    size_t plugin_count;
};

/* One deliverable of the whole graph: the output that holds it. */
struct pulse_plan {
    const struct pulse_shard *shards; /* what a shard needs is made by shards that stand before it */
    size_t shard_count;
    const struct lh_digest *deliverables; /* key of each, by graph->deliverables of the whole; no shard makes those that
                                             are not wanted */
    double cost_seconds;                  /* of all shards */
    double critical_seconds;              /* of the longest chain */
    struct lh_arena arena;
};

struct pulse_plan_options {
    const struct graph_key_context *context;
    const struct lh_digest *media; /* digests, graph->media_count */
    const struct pulse_costs *costs;
    const struct pulse_latencies *latencies; /* that are known; nothing is cut upstream of an insert whose is not */
    uint32_t slots;                          /* how many shards may run at once; 1: cut only for reuse */
    const bool *wanted; /* by deliverable; false: measured only, for another's gain. NULL: all are */
};

/* LH_ERR_LIMIT, LH_ERR_NO_MEMORY. */
LH_NODISCARD enum lh_status pulse_plan_new(const struct graph *graph, const struct pulse_plan_options *options,
                                           struct pulse_plan **plan, struct lh_error *error);
void pulse_plan_free(struct pulse_plan *plan); /* accepts NULL */

/* A plan to find out what `asks` (pulse_plan_asks) want to know: one RENDER shard of no frames. Its i-th insert and
   its i-th output are one plugin, in an order of its own: what the instance tells of the insert is for
   pulse_latencies_add() under the output's key, which is the ask's. */
LH_NODISCARD enum lh_status pulse_plan_latencies(const struct graph *graph, const struct pulse_latency_ask *asks,
                                                 size_t count, struct pulse_plan **plan, struct lh_error *error);
/* The latencies that the plan would be better for and that are not known; in the arena. Usually none. LH_ERR_LIMIT,
   LH_ERR_NO_MEMORY. */
LH_NODISCARD enum lh_status pulse_plan_asks(const struct graph *graph, const struct pulse_plan_options *options,
                                            struct lh_arena *arena, struct pulse_latency_ask **asks, size_t *count,
                                            struct lh_error *error);

/* A file whose facts are not known. */
struct pulse_unknown_file {
    struct lh_digest digest;
    uint64_t size; /* bytes, for the cost */
    bool is_midi;
};
/* PROBE shards for these files, each of a digest of its own. The key of a file's FACTS is graph_key_facts(). */
LH_NODISCARD enum lh_status pulse_plan_probes(const struct pulse_unknown_file *files, size_t count,
                                              const struct graph_key_context *context, struct pulse_plan **plan,
                                              struct lh_error *error);

#endif
