/* SPDX-License-Identifier: MIT */
/* The executable plan of one pass: which nodes get a buffer, which are computed inside their consumer, and which chains
   of work there are for every block. A pass (graph/span.h) is one run over the timeline that feeds all its
   deliverables, from where the earliest begins to the end of the longest tail. A plan is immutable once made.

   A chain is what one task does for one block:
       MIX      computes one native node and everything that was fused into it, into the node's buffer
       PLUGIN   runs one PLUGIN node's plugin on its inputs, into the node's buffer
       DELAY    hands a node on, later than it was computed
       METER    measures a node (loudness, peaks); serves every deliverable that wants the same measurement
       DELIVER  converts, spills or encodes a node for one deliverable
   Chains with state (a decoder, a plugin, a meter, an encoder) are ordered: block k after block k - 1. All others may
   run several blocks at once. A chain's block waits for the same block of what it reads.

   Latency is removed by looking ahead. A chain with shift s does in block k the frames [k x block + s, (k + 1) x block
   + s) of the timeline, so that a plugin of latency l with shift s finds what it needs in an input of shift s + l.
   Every shift is a multiple of the quantum, so that the quantum's grid stays where it is; what the rounding brings too
   early waits in the chain. Meters and deliverables have shift 0. A node that is read at several shifts is computed at
   the largest, and a DELAY hands it on at each of the others: the dry path beside a latent one. Nothing that is
   computed depends on shifts; they say when. */
#ifndef ENGINE_PLAN_PLAN_H
#define ENGINE_PLAN_PLAN_H

#include "graph/graph.h"
#include "graph/span.h"

/* Samples that one inner loop handles at a time: raw bytes, floats and sums of a stride stay in the L2 cache, and one
   positioned read is long enough to be cheap. */
#define ENGINE_STRIDE_SAMPLES 32768

enum engine_chain_kind {
    ENGINE_CHAIN_MIX = 0,
    ENGINE_CHAIN_PLUGIN,
    ENGINE_CHAIN_DELAY,
    ENGINE_CHAIN_METER,
    ENGINE_CHAIN_DELIVER,
};

struct engine_chain {
    enum engine_chain_kind kind;
    uint32_t node;        /* MIX, PLUGIN: computed here; else: read */
    uint32_t deliverable; /* METER: the first it serves; DELIVER: the one; into graph->deliverables */
    bool ordered;
    bool judged;        /* a GAIN, PLUGIN or STORED that is delivered to be heard, whose faults no sum will see */
    uint32_t depth;     /* chains between this one and the sources: the scheduler prefers the deep, they free buffers */
    uint32_t producers; /* chains that this one waits for */
    uint32_t first_consumer, consumer_count; /* into plan->consumers: chains that wait for this one */
    size_t buffer_offset; /* MIX, PLUGIN, DELAY: of the node's samples inside a block's slot, bytes */
    int64_t shift;        /* frames that it is ahead */
    int64_t reads;        /* the shift at which it reads: PLUGIN, DELAY: not smaller than its own; else: its own */
    int64_t stop;         /* timeline frame from which on nobody wants anything of it */
    int64_t reads_stop;   /* timeline frame up to which it reads: PLUGIN: to the end of a chunk; else: its stop */
    uint32_t latency;     /* PLUGIN: frames, removed here */
    int64_t held;         /* PLUGIN, DELAY: the most frames that wait in it from block to block */
    uint32_t next_delay;  /* MIX, PLUGIN, DELAY: hands the same node on at the next smaller shift; GRAPH_NONE */
};

/* A GAIN node with gains that never move is applied by one kernel. */
struct engine_gain {
    bool constant;
    bool keeps_silence; /* no gain is negative: silence in, +0 out */
    float gains[GRAPH_CHANNELS_MAX];
};

struct engine_plan {
    const struct graph *graph; /* borrowed */
    int64_t begin, start;      /* the first frame that is played, and the first that is delivered */
    int64_t silence;           /* sources fall silent here */
    int64_t stop;              /* where the longest tail ends */
    uint32_t block;            /* frames; a chain's part of block k is cut to [begin, the chain's stop) */
    uint32_t slots;            /* blocks in flight */
    uint32_t widest;           /* channels of the widest node of the pass or medium of its regions */
    uint32_t stride;           /* frames that a task handles at a time: ENGINE_STRIDE_SAMPLES of the widest */
    int64_t first_block, block_count;
    struct engine_chain *chains;
    uint32_t chain_count;
    uint32_t *consumers;
    uint32_t consumer_count;
    uint32_t *chain_of_node;   /* MIX or PLUGIN chain of a node; GRAPH_NONE: fused into its consumer, or not needed */
    uint32_t *meter_of;        /* deliverable -> METER chain, or GRAPH_NONE */
    struct engine_gain *gains; /* by node; meaningful for GAIN */
    size_t slot_bytes;         /* buffers of all chains for one block */
    uint32_t plugin_count;     /* PLUGIN chains */
};

struct engine_plan_options {
    const bool *media_streams; /* by medium: read through a decoder with a position */
    const bool *meter_in_pass; /* by deliverable: wants a METER chain */
    const uint32_t *latency;   /* by insert, frames; NULL: none has any */
    uint32_t threads;
    uint32_t block; /* 0: the planner chooses */
};

/* By node: how many read it in the pass of the deliverable `first`, deliverables included. */
void engine_plan_count_uses(const struct graph *graph, uint32_t first, uint32_t *uses);

/* `first` is one deliverable of the pass. LH_ERR_LIMIT: the nodes' buffers would take more memory than any render
   should. */
LH_NODISCARD enum lh_status engine_plan_new(const struct graph *graph, uint32_t first,
                                            const struct engine_plan_options *options, struct engine_plan **plan,
                                            struct lh_error *error);
void engine_plan_free(struct engine_plan *plan); /* accepts NULL */

/* The chain that hands on a node that has a buffer, at a shift that somebody reads it at. */
uint32_t engine_plan_source(const struct engine_plan *plan, uint32_t node, int64_t shift);

/* The frames of the timeline that a chain of this shift and stop has in a block, counted from plan->first_block:
   [*from, *to), empty where *from == *to. In buffers the first of them comes first. */
void engine_plan_frames(const struct engine_plan *plan, int64_t shift, int64_t stop, int64_t block, int64_t *from,
                        int64_t *to);

#endif
