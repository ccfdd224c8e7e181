/* SPDX-License-Identifier: MIT */
/* The executable plan of one pass: which nodes get a buffer, which are computed inside their consumer, and which chains
   of work there are for every block. A pass is one range [start, end) of the timeline with its longest tail; all its
   deliverables are fed from one run over it. A plan is immutable once made.

   A chain is what one task does for one block:
       MIX      computes one node and everything that was fused into it, into the node's buffer
       METER    measures a node (loudness, peaks); serves every deliverable that wants the same measurement
       DELIVER  converts, spills or encodes a node for one deliverable
   Chains with state (a decoder, a meter, an encoder) are ordered: block k after block k - 1. All others may run several
   blocks at once. A chain's block waits for the same block of what it reads. */
#ifndef ENGINE_PLAN_PLAN_H
#define ENGINE_PLAN_PLAN_H

#include "graph/graph.h"

/* Samples that one inner loop handles at a time: raw bytes, floats and sums of a stride stay in the L2 cache, and one
   positioned read is long enough to be cheap. */
#define ENGINE_STRIDE_SAMPLES 32768

enum engine_chain_kind { ENGINE_CHAIN_MIX = 0, ENGINE_CHAIN_METER, ENGINE_CHAIN_DELIVER };

struct engine_chain {
    enum engine_chain_kind kind;
    uint32_t node;        /* MIX: computed here; else: read */
    uint32_t deliverable; /* METER: the first it serves; DELIVER: the one; into graph->deliverables */
    bool ordered;
    bool judged;        /* MIX: a GAIN that is delivered, whose faults no sum will see */
    uint32_t depth;     /* chains between this one and the sources: the scheduler prefers the deep, they free buffers */
    uint32_t producers; /* chains that this one waits for */
    uint32_t first_consumer, consumer_count; /* into plan->consumers: chains that wait for this one */
    size_t buffer_offset;                    /* MIX: of the node's samples inside a block's slot, bytes */
};

/* A GAIN node with gains that never move is applied by one kernel. */
struct engine_gain {
    bool constant;
    bool keeps_silence; /* no gain is negative: silence in, +0 out */
    float gains[GRAPH_CHANNELS_MAX];
};

struct engine_plan {
    const struct graph *graph; /* borrowed */
    int64_t start, end, stop;  /* sources fall silent at end; the longest tail ends at stop */
    uint32_t block;            /* frames; block k is [k x block, (k + 1) x block) cut to [start, stop) */
    uint32_t slots;            /* blocks in flight */
    uint32_t widest;           /* channels of the widest node of the pass or medium of its regions */
    uint32_t stride;           /* frames that a task handles at a time: ENGINE_STRIDE_SAMPLES of the widest */
    int64_t first_block, block_count;
    struct engine_chain *chains;
    uint32_t chain_count;
    uint32_t *consumers;
    uint32_t consumer_count;
    uint32_t *chain_of_node;   /* MIX chain of a node; GRAPH_NONE: fused into its consumer, or not needed */
    uint32_t *meter_of;        /* deliverable -> METER chain, or GRAPH_NONE */
    struct engine_gain *gains; /* by node; meaningful for GAIN */
    size_t slot_bytes;         /* buffers of all MIX chains for one block */
};

struct engine_plan_options {
    const bool *media_streams; /* by medium: read through a decoder with a position */
    const bool *meter_in_pass; /* by deliverable: wants a METER chain */
    uint32_t threads;
    uint32_t block; /* 0: the planner chooses */
};

/* Deliverables belong to one pass when they share start and end. `first` is one of the pass. */
bool engine_plan_same_pass(const struct graph_deliverable *a, const struct graph_deliverable *b);

/* LH_ERR_LIMIT: the nodes' buffers would take more memory than any render should. */
LH_NODISCARD enum lh_status engine_plan_new(const struct graph *graph, uint32_t first,
                                            const struct engine_plan_options *options, struct engine_plan **plan,
                                            struct lh_error *error);
void engine_plan_free(struct engine_plan *plan); /* accepts NULL */

/* The most frames past its end that a deliverable may need. */
int64_t engine_plan_tail(const struct graph_deliverable *deliverable);

#endif
