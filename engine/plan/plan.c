/* SPDX-License-Identifier: MIT */
/* Planning a pass: need, fuse, chain, link, size. Branches live here; the run only follows the plan. */
#include "engine/plan/plan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_DEFAULT 16384u
#define BLOCK_MIN 1024u
#define BUFFER_BUDGET ((size_t)10 << 20) /* bytes of node buffers for all blocks in flight: more is not faster */
#define BUFFER_LIMIT ((size_t)16 << 30)  /* past this it is a mistake */
#define SLOTS_LEAST 2u                   /* blocks in flight beside one for each thread ... */
#define SLOTS_MOST 14u                   /* ... and where the budget allows */
#define BUFFER_ALIGNMENT 64u
#define FUSE_DEPTH_MAX 4u /* gains on gains that one consumer computes on the fly: bounds the recursion */

bool engine_plan_same_pass(const struct graph_deliverable *a, const struct graph_deliverable *b)
{
    return a->start == b->start && a->end == b->end;
}

int64_t engine_plan_tail(const struct graph_deliverable *deliverable)
{
    return deliverable->tail == GRAPH_TAIL_NONE ? 0 : deliverable->tail_frames;
}

/* What planning needs beside the plan itself. */
struct draft {
    struct engine_plan *plan;
    const struct engine_plan_options *options;
    const struct graph_deliverable *pass; /* any deliverable of the pass */
    uint32_t *uses;                       /* by node: consumers inside the pass */
    bool *delivered;                      /* by node */
    bool *streams;                        /* by node: it reads a decoder */
    uint8_t *fused;                       /* by node: gains fused on top of each other, this one included */
};

static bool in_pass(const struct draft *draft, uint32_t deliverable)
{
    return engine_plan_same_pass(draft->pass, &draft->plan->graph->deliverables[deliverable]);
}

/* Counts who reads each node, from the deliverables down. Nodes are in topological order, so one sweep does. */
static void count_uses(struct draft *draft)
{
    const struct graph *graph = draft->plan->graph;
    for (uint32_t d = 0; d < graph->deliverable_count; d++) {
        if (in_pass(draft, d)) {
            draft->uses[graph->deliverables[d].node]++;
            draft->delivered[graph->deliverables[d].node] = true;
        }
    }
    for (uint32_t n = graph->node_count; n-- > 0;) {
        const struct graph_node *node = &graph->nodes[n];
        if (draft->uses[n] == 0 || node->kind == GRAPH_NODE_CLIPS) {
            continue;
        }
        for (uint32_t i = 0; i < node->count; i++) {
            draft->uses[graph->inputs[node->first + i]]++;
        }
    }
}

static bool clips_stream(const struct draft *draft, const struct graph_node *node)
{
    const struct graph *graph = draft->plan->graph;
    for (uint32_t i = 0; i < node->count; i++) {
        if (draft->options->media_streams[graph->regions[node->first + i].media]) {
            return true;
        }
    }
    return false;
}

/* A node gets a buffer of its own when more than one reads it, when it is delivered, when it is a sum (so that chains
   pipeline), or when a decoder makes it ordered (so that it runs beside its siblings). The rest is fused. */
static bool wants_buffer(const struct draft *draft, uint32_t n)
{
    const struct graph_node *node = &draft->plan->graph->nodes[n];
    switch (node->kind) {
    case GRAPH_NODE_BUS:
    case GRAPH_NODE_PARTIAL:
        return true;
    case GRAPH_NODE_CLIPS:
    case GRAPH_NODE_GAIN:
        return draft->uses[n] > 1 || draft->delivered[n] || draft->streams[n] || draft->fused[n] > FUSE_DEPTH_MAX;
    }
    return true;
}

static void describe_gain(const struct graph *graph, const struct graph_node *node, struct engine_gain *gain)
{
    gain->constant = true;
    gain->keeps_silence = true;
    for (uint32_t c = 0; c < node->channels; c++) {
        uint32_t ref = graph->curve_refs[node->curves + c];
        const struct graph_curve *curve = &graph->curves[ref];
        gain->constant = graph_curve_is_constant(graph, ref, &gain->gains[c]) && gain->constant;
        for (uint32_t p = 0; p < curve->count; p++) {
            gain->keeps_silence = gain->keeps_silence && !signbit(graph->points[curve->first + p].value);
        }
    }
}

static uint32_t add_chain(struct engine_plan *plan, enum engine_chain_kind kind, uint32_t node, uint32_t deliverable,
                          bool ordered)
{
    plan->chains[plan->chain_count] =
        (struct engine_chain){.kind = kind, .node = node, .deliverable = deliverable, .ordered = ordered};
    return plan->chain_count++;
}

static void make_mix_chains(struct draft *draft)
{
    struct engine_plan *plan = draft->plan;
    for (uint32_t n = 0; n < plan->graph->node_count; n++) {
        const struct graph_node *node = &plan->graph->nodes[n];
        plan->chain_of_node[n] = GRAPH_NONE;
        if (draft->uses[n] == 0) {
            continue;
        }
        if (node->kind == GRAPH_NODE_GAIN) {
            describe_gain(plan->graph, node, &plan->gains[n]);
            draft->fused[n] = (uint8_t)(1 + draft->fused[plan->graph->inputs[node->first]]);
        }
        draft->streams[n] = node->kind == GRAPH_NODE_CLIPS && clips_stream(draft, node);
        if (wants_buffer(draft, n)) {
            plan->chain_of_node[n] = add_chain(plan, ENGINE_CHAIN_MIX, n, GRAPH_NONE, draft->streams[n]);
            plan->chains[plan->chain_of_node[n]].judged = node->kind == GRAPH_NODE_GAIN && draft->delivered[n];
            draft->fused[n] = 0;
        }
    }
}

/* Equal measurements are made once: same node and same length. */
static uint32_t find_meter(const struct engine_plan *plan, uint32_t deliverable)
{
    const struct graph_deliverable *wanted = &plan->graph->deliverables[deliverable];
    for (uint32_t c = 0; c < plan->chain_count; c++) {
        const struct engine_chain *chain = &plan->chains[c];
        if (chain->kind == ENGINE_CHAIN_METER && chain->node == wanted->node &&
            engine_plan_tail(&plan->graph->deliverables[chain->deliverable]) == engine_plan_tail(wanted)) {
            return c;
        }
    }
    return GRAPH_NONE;
}

static void make_end_chains(struct draft *draft)
{
    struct engine_plan *plan = draft->plan;
    for (uint32_t d = 0; d < plan->graph->deliverable_count; d++) {
        plan->meter_of[d] = GRAPH_NONE;
        if (!in_pass(draft, d)) {
            continue;
        }
        uint32_t node = plan->graph->deliverables[d].node;
        if (draft->options->meter_in_pass[d]) {
            uint32_t meter = find_meter(plan, d);
            plan->meter_of[d] = meter != GRAPH_NONE ? meter : add_chain(plan, ENGINE_CHAIN_METER, node, d, true);
        }
        add_chain(plan, ENGINE_CHAIN_DELIVER, node, d, true);
    }
}

/* Calls `visit` for each chain that `chain` reads, looking through fused nodes. A chain may be named twice. */
static void visit_producers(const struct engine_plan *plan, uint32_t chain, uint32_t node,
                            void (*visit)(void *, uint32_t, uint32_t), void *context)
{
    const struct graph_node *reader = &plan->graph->nodes[node];
    if (reader->kind == GRAPH_NODE_CLIPS) {
        return;
    }
    for (uint32_t i = 0; i < reader->count; i++) {
        uint32_t input = plan->graph->inputs[reader->first + i];
        if (plan->chain_of_node[input] != GRAPH_NONE) {
            visit(context, plan->chain_of_node[input], chain);
        } else {
            visit_producers(plan, chain, input, visit, context);
        }
    }
}

static void count_link(void *context, uint32_t producer, uint32_t consumer)
{
    struct engine_plan *plan = context;
    plan->chains[producer].consumer_count++;
    plan->chains[consumer].producers++;
    plan->consumer_count++;
}

static void place_link(void *context, uint32_t producer, uint32_t consumer)
{
    struct engine_plan *plan = context;
    struct engine_chain *chain = &plan->chains[producer];
    plan->consumers[chain->first_consumer + chain->consumer_count++] = consumer;
}

static void visit_links(struct engine_plan *plan, void (*visit)(void *, uint32_t, uint32_t))
{
    for (uint32_t c = 0; c < plan->chain_count; c++) {
        const struct engine_chain *chain = &plan->chains[c];
        if (chain->kind == ENGINE_CHAIN_MIX) {
            visit_producers(plan, c, chain->node, visit, plan);
        } else {
            visit(plan, plan->chain_of_node[chain->node], c);
        }
    }
}

static enum lh_status link_chains(struct engine_plan *plan)
{
    visit_links(plan, count_link);
    plan->consumers = calloc(plan->consumer_count > 0 ? plan->consumer_count : 1, sizeof *plan->consumers);
    if (plan->consumers == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    uint32_t first = 0;
    for (uint32_t c = 0; c < plan->chain_count; c++) {
        plan->chains[c].first_consumer = first;
        first += plan->chains[c].consumer_count;
        plan->chains[c].consumer_count = 0;
    }
    visit_links(plan, place_link);
    /* MIX chains stand in topological order before all others, so one sweep settles the depth. */
    for (uint32_t c = 0; c < plan->chain_count; c++) {
        const struct engine_chain *chain = &plan->chains[c];
        for (uint32_t i = 0; i < chain->consumer_count; i++) {
            struct engine_chain *consumer = &plan->chains[plan->consumers[chain->first_consumer + i]];
            if (consumer->depth <= chain->depth) {
                consumer->depth = chain->depth + 1;
            }
        }
    }
    return LH_OK;
}

static size_t sample_bytes(const struct graph_node *node)
{
    return node->kind == GRAPH_NODE_PARTIAL ? sizeof(int64_t) : sizeof(float);
}

/* Bytes of every MIX chain's buffer for one block of `block` frames; sets the offsets. */
static size_t lay_out_slot(struct engine_plan *plan, uint32_t block)
{
    size_t offset = 0;
    for (uint32_t c = 0; c < plan->chain_count; c++) {
        struct engine_chain *chain = &plan->chains[c];
        if (chain->kind == ENGINE_CHAIN_MIX) {
            const struct graph_node *node = &plan->graph->nodes[chain->node];
            chain->buffer_offset = offset;
            offset += (size_t)block * node->channels * sample_bytes(node);
            offset = (offset + BUFFER_ALIGNMENT - 1) & ~(size_t)(BUFFER_ALIGNMENT - 1);
        }
    }
    return offset;
}

/* The largest block that keeps the buffers inside the budget; more blocks in flight than threads, so that an ordered
   chain at the end never waits for the mix. */
static enum lh_status size_blocks(struct engine_plan *plan, const struct engine_plan_options *options,
                                  struct lh_error *error)
{
    uint32_t quantum = plan->graph->quantum;
    plan->slots = options->threads + SLOTS_LEAST;
    if (options->block != 0) {
        if (options->block % quantum != 0) {
            return lh_error_set(error, LH_ERR_USAGE, NULL,
                                "the block of %u frames is not a multiple of the project's quantum, %u", options->block,
                                quantum);
        }
        plan->block = options->block;
    } else {
        uint32_t least = quantum > BLOCK_MIN ? quantum : BLOCK_MIN;
        plan->block = BLOCK_DEFAULT;
        while (plan->block > least && lay_out_slot(plan, plan->block) * plan->slots > BUFFER_BUDGET) {
            plan->block /= 2;
        }
    }
    plan->slot_bytes = lay_out_slot(plan, plan->block);
    while (plan->slots < options->threads + SLOTS_MOST && (plan->slots + 1) * plan->slot_bytes <= BUFFER_BUDGET) {
        plan->slots++; /* room to run ahead of an encoder whose blocks take turns being slow */
    }
    if (plan->slot_bytes > BUFFER_LIMIT / plan->slots) {
        return lh_error_set(error, LH_ERR_LIMIT, NULL,
                            "blocks of %u frames on %u threads would take more than %zu GiB: ask for smaller blocks or "
                            "fewer threads",
                            plan->block, options->threads, BUFFER_LIMIT >> 30);
    }
    plan->first_block = plan->start / plan->block;
    int64_t past = (plan->stop + plan->block - 1) / plan->block;
    plan->block_count = plan->stop > plan->start ? past - plan->first_block : 0;
    return LH_OK;
}

static uint32_t wider(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

/* What the pass does not use must not make its strides short. */
static void size_stride(const struct draft *draft)
{
    struct engine_plan *plan = draft->plan;
    const struct graph *graph = plan->graph;
    plan->widest = 1;
    for (uint32_t n = 0; n < graph->node_count; n++) {
        const struct graph_node *node = &graph->nodes[n];
        if (draft->uses[n] == 0) {
            continue;
        }
        plan->widest = wider(plan->widest, node->channels);
        for (uint32_t i = 0; node->kind == GRAPH_NODE_CLIPS && i < node->count; i++) {
            plan->widest = wider(plan->widest, graph->media[graph->regions[node->first + i].media].channels);
        }
    }
    plan->stride = ENGINE_STRIDE_SAMPLES / plan->widest;
}

static enum lh_status allocate(struct draft *draft)
{
    struct engine_plan *plan = draft->plan;
    const struct graph *graph = plan->graph;
    size_t nodes = graph->node_count;
    plan->chains = calloc(nodes + 2 * (size_t)graph->deliverable_count + 1, sizeof *plan->chains);
    plan->chain_of_node = calloc(nodes + 1, sizeof *plan->chain_of_node);
    plan->meter_of = calloc((size_t)graph->deliverable_count + 1, sizeof *plan->meter_of);
    plan->gains = calloc(nodes + 1, sizeof *plan->gains);
    draft->uses = calloc(nodes + 1, sizeof *draft->uses);
    draft->delivered = calloc(nodes + 1, sizeof *draft->delivered);
    draft->streams = calloc(nodes + 1, sizeof *draft->streams);
    draft->fused = calloc(nodes + 1, sizeof *draft->fused);
    bool whole = plan->chains != NULL && plan->chain_of_node != NULL && plan->meter_of != NULL && plan->gains != NULL &&
                 draft->uses != NULL && draft->delivered != NULL && draft->streams != NULL && draft->fused != NULL;
    return whole ? LH_OK : LH_ERR_NO_MEMORY;
}

static void set_range(struct draft *draft)
{
    struct engine_plan *plan = draft->plan;
    plan->start = draft->pass->start;
    plan->end = draft->pass->end;
    plan->stop = plan->end;
    for (uint32_t d = 0; d < plan->graph->deliverable_count; d++) {
        int64_t stop = plan->end + engine_plan_tail(&plan->graph->deliverables[d]);
        if (in_pass(draft, d) && stop > plan->stop) {
            plan->stop = stop;
        }
    }
}

enum lh_status engine_plan_new(const struct graph *graph, uint32_t first, const struct engine_plan_options *options,
                               struct engine_plan **plan, struct lh_error *error)
{
    struct engine_plan *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return lh_error_no_memory(error);
    }
    made->graph = graph;
    struct draft draft = {.plan = made, .options = options, .pass = &graph->deliverables[first]};
    enum lh_status status = allocate(&draft);
    if (status == LH_OK) {
        set_range(&draft);
        count_uses(&draft);
        size_stride(&draft);
        make_mix_chains(&draft);
        make_end_chains(&draft);
        status = link_chains(made);
    }
    if (status == LH_ERR_NO_MEMORY) {
        lh_error_no_memory(error);
    }
    if (status == LH_OK) {
        status = size_blocks(made, options, error);
    }
    free(draft.uses);
    free(draft.delivered);
    free(draft.streams);
    free(draft.fused);
    if (status != LH_OK) {
        engine_plan_free(made);
        return status;
    }
    *plan = made;
    return LH_OK;
}

void engine_plan_free(struct engine_plan *plan)
{
    if (plan == NULL) {
        return;
    }
    free(plan->chains);
    free(plan->consumers);
    free(plan->chain_of_node);
    free(plan->meter_of);
    free(plan->gains);
    free(plan);
}
