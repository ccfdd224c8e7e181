/* SPDX-License-Identifier: MIT */
/* What planning needs beside the plan itself. Private to engine/plan. */
#ifndef ENGINE_PLAN_DRAFT_H
#define ENGINE_PLAN_DRAFT_H

#include "engine/plan/plan.h"

/* What is wanted of a node: its frames up to `stop`, at a shift. */
struct engine_demand {
    int64_t shift, stop;
    uint32_t next; /* of the same node, at the next smaller shift; GRAPH_NONE */
};

struct engine_draft {
    struct engine_plan *plan;
    const struct engine_plan_options *options;
    const struct graph_deliverable *pass; /* any deliverable of the pass */
    uint32_t *uses;                       /* by node: consumers inside the pass */
    bool *delivered;                      /* by node */
    bool *heard;                          /* by node: delivered, and not only to be stored */
    bool *streams;                        /* by node: it reads a decoder */
    uint8_t *fused;                       /* by node: gains fused on top of each other, this one included */
    uint32_t *wanted;                     /* by node: its demand at the largest shift, GRAPH_NONE: none */
    int64_t *stop;                        /* by node: of all its demands, the largest */
    struct engine_demand *demands;
    uint32_t demand_count;
};

/* Settles at which shifts every node is read and up to where, from the deliverables down. */
void engine_draft_shift(struct engine_draft *draft);
/* The shift at which a node reads its inputs when it is computed at `shift`, and up to where when it stops at `stop`.
 */
int64_t engine_draft_reads(const struct engine_draft *draft, uint32_t node, int64_t shift);
int64_t engine_draft_reads_stop(const struct engine_draft *draft, uint32_t node, int64_t stop);

/* Sets widest and stride. What the pass does not use must not make its strides short. */
void engine_draft_size_stride(const struct engine_draft *draft);
/* Sets what depends on the block: the largest that keeps the buffers inside the budget, unless one is asked for. */
LH_NODISCARD enum lh_status engine_draft_size_blocks(struct engine_draft *draft, struct lh_error *error);

#endif
