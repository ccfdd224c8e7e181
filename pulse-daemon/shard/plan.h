/* SPDX-License-Identifier: MIT */
/* From a render graph to shards: where it is cut, what each piece needs and makes. The plan is a function of the graph,
   the keys and the costs alone; what is already there is not looked at, so that two jobs that share tracks cut them
   alike and meet at the same keys. Whoever admits the plan walks it from its deliverables backwards and takes only the
   shards whose outputs are neither present nor promised.

   A cut runs along nodes: a shard stores a node's frames (graph/graph.h: GRAPH_FORMAT_STORED) over a span, another
   reads them (GRAPH_NODE_STORED). What is stored reaches far enough past the range's end for every plugin downstream
   that looks ahead. Any thread. */
#ifndef PULSE_SHARD_PLAN_H
#define PULSE_SHARD_PLAN_H

#include "graph/keys.h"
#include "pulse-daemon/farm/rows.h"
#include "pulse-daemon/shard/cost.h"

enum pulse_input_kind {
    PULSE_INPUT_MEDIUM = 0, /* the medium itself: a blob of the media store, by its digest */
    PULSE_INPUT_CONFORMED,  /* an output: the medium at the project's rate */
    PULSE_INPUT_STORED,     /* an output: what a STORED node plays */
};

struct pulse_shard_input {
    enum pulse_input_kind kind;
    uint32_t index;       /* MEDIUM, CONFORMED: into graph->media; STORED: into graph->stored */
    struct lh_digest key; /* MEDIUM: its digest; else: the output's key */
};

struct pulse_shard_output {
    enum pulse_output_kind kind;
    uint32_t index;       /* FILE, STORED, SUM: a deliverable of the shard's graph; CONFORMED: a medium of it */
    struct lh_digest key;
};

struct pulse_shard {
    enum pulse_shard_kind kind;
    const struct graph *graph; /* of its own: what this piece renders */
    const struct pulse_shard_input *inputs;
    size_t input_count;
    const struct pulse_shard_output *outputs;
    size_t output_count;
    double cost_seconds; /* on one thread */
    bool cpu_class;      /* its bits hang on the class of the CPU */
};

/* One deliverable of the whole graph: the output that holds it. */
struct pulse_plan {
    const struct pulse_shard *shards; /* inputs are made by shards that stand before */
    size_t shard_count;
    const struct lh_digest *deliverables; /* key of each, by graph->deliverables of the whole */
    double cost_seconds;                  /* of all shards */
    double critical_seconds;              /* of the longest chain */
    struct lh_arena arena;
};

struct pulse_plan_options {
    const struct graph_key_context *context;
    const struct lh_digest *media;  /* digests, graph->media_count */
    const struct pulse_costs *costs;
    const uint32_t *latencies; /* by insert, frames, as measured; GRAPH_NONE: not known, nothing is cut upstream of it */
    uint32_t slots;            /* how many shards may run at once; 1: cut only for reuse */
    const bool *wanted;        /* by deliverable; false: measured only, for another's gain */
};

/* LH_ERR_LIMIT, LH_ERR_NO_MEMORY. */
LH_NODISCARD enum lh_status pulse_plan_new(const struct graph *graph, const struct pulse_plan_options *options,
                                           struct pulse_plan **plan, struct lh_error *error);
void pulse_plan_free(struct pulse_plan *plan); /* accepts NULL */

#endif
