/* SPDX-License-Identifier: MIT */
/* A plan in the making: the graph with its wide buses shared out into partial sums, its passes, and where each of them
   is cut. Private to pulse-daemon/shard. */
#ifndef PULSE_SHARD_DRAFT_H
#define PULSE_SHARD_DRAFT_H

#include "graph/span.h"
#include "pulse-daemon/shard/keyed.h"
#include "pulse-daemon/shard/plan.h"

/* Frames of a node that are stored: one output, whoever reads it. */
struct pulse_cut {
    struct lh_digest key;
    uint32_t pass; /* in which it is made; others may read it too */
    uint32_t node; /* of draft->graph */
    struct graph_span span;
    bool sum;
    bool unproven;  /* a plugin that is not proven repeatable is upstream of it */
    double seconds; /* to make it from what is cut before it */
    double bytes;
    uint32_t level; /* cuts upstream of it have lower ones */
};

/* Where a pass is cut. */
struct pulse_place {
    uint32_t node, cut;
};

struct pulse_pass {
    uint32_t first;                    /* one of its deliverables */
    uint32_t place_first, place_count; /* into draft->places, nodes ascending */
};

/* What is worth a cut. */
struct pulse_limits {
    double least_seconds; /* what takes less is not worth one */
    double whole_seconds; /* a job that takes less is not cut at all */
    bool blind;           /* latencies that are not known are taken for none: to see which would matter */
};

/* Nanoseconds for each unit, looked up once. */
struct pulse_prices {
    double mix, conform, meter, store, load, shard;
    double encode[GRAPH_FORMAT_COUNT]; /* STORED: a byte */
    double *plugins;                   /* by graph->plugins */
};

struct pulse_draft {
    struct lh_arena *arena;
    const struct pulse_plan_options *options;
    struct pulse_limits limits;
    const struct graph *graph; /* one reference */
    struct pulse_prices prices;
    struct lh_digest *node_keys, *deliverable_keys;
    bool *wanted;         /* by deliverable */
    bool *needed;         /* by deliverable: wanted, or another's gain comes from it */
    uint32_t *pass_of;    /* by deliverable */
    double *cone_seconds; /* by deliverable: to make its node from what is cut */
    uint32_t *cone_level; /* by deliverable: one above all that it reads */
    struct pulse_pass *passes;
    uint32_t pass_count;
    bool whole;     /* nothing is cut */
    double seconds; /* of the whole, on one thread */
    struct pulse_place *places;
    uint32_t place_count, place_room;
    struct pulse_cut *cuts;
    uint32_t cut_count, cut_room;
    struct pulse_keyed cut_of_key;
};

/* One pass under a magnifying glass: arrays by node, but the latencies. Filled by pulse_sweep_pass(). */
struct pulse_sweep {
    uint32_t pass;
    struct graph_span *spans;
    uint32_t *latencies; /* by insert */
    bool *unknown;       /* by insert: its latency is not known and taken for none */
    uint32_t *uses;      /* readers and deliverables of the pass */
    uint32_t *reader;    /* one of the readers; GRAPH_NONE: a deliverable only */
    bool *wanted;        /* a needed deliverable hangs on it */
    bool *open;          /* an unknown latency downstream: nobody knows how far it is read */
    double *own;         /* seconds: the node alone */
    double *cone;        /* seconds: with all upstream of it up to the next cuts; shared nodes count for each reader */
    bool *plugged;       /* a plugin is upstream of it */
    bool *loose;         /* one that is not proven repeatable is in there */
    bool *unproven;      /* one is anywhere upstream */
    bool *cut;           /* it is stored */
};

/* Everything but the cuts: keys, prices, passes, and the graph itself with its wide buses in parts. `draft` is zeroed
   but for arena, options and limits; ended by pulse_draft_fini() in any case. LH_ERR_LIMIT, LH_ERR_NO_MEMORY. */
LH_NODISCARD enum lh_status pulse_draft_init(struct pulse_draft *draft, const struct graph *graph,
                                             struct lh_error *error);
void pulse_draft_fini(struct pulse_draft *draft);
/* Finds the cuts of all passes, what each costs, and what is left to do for the deliverables. */
LH_NODISCARD enum lh_status pulse_draft_cut(struct pulse_draft *draft);

LH_NODISCARD enum lh_status pulse_sweep_init(struct pulse_sweep *sweep, const struct pulse_draft *draft);
/* Looks at one pass: what its nodes cost and which of them are worth a cut. LH_ERR_NO_MEMORY. */
LH_NODISCARD enum lh_status pulse_sweep_pass(struct pulse_sweep *sweep, const struct pulse_draft *draft, uint32_t pass);
/* Seconds that storing the node costs, and reading it once. */
double pulse_sweep_storing(const struct pulse_sweep *sweep, const struct pulse_draft *draft, uint32_t node);
double pulse_sweep_loading(const struct pulse_sweep *sweep, const struct pulse_draft *draft, uint32_t node);
/* What an input costs whoever reads it: its cone, or loading it. */
double pulse_sweep_input(const struct pulse_sweep *sweep, const struct pulse_draft *draft, uint32_t node);
/* Seconds to measure and encode a deliverable. */
double pulse_draft_delivering(const struct pulse_draft *draft, uint32_t deliverable);

#define PULSE_PART_FACTOR 4.0 /* a part has to be worth that many times what storing and reading it costs */
/* The graph with its wide buses in parts, one reference: what many inputs add up to is made and kept in pieces. Looks
   at the passes of `draft`, whose graph is still whole. LH_ERR_LIMIT, LH_ERR_NO_MEMORY. */
LH_NODISCARD enum lh_status pulse_parts_make(const struct pulse_draft *draft, struct pulse_sweep *sweep,
                                             const struct graph **parted, struct lh_error *error);

#endif
