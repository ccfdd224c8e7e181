/* SPDX-License-Identifier: MIT */
/* Planning a pass: need, shift, fuse, chain, link, size. Branches live here; the run only follows the plan. */
#include "engine/plan/plan.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/plan/draft.h"

#define FUSE_DEPTH_MAX 4u /* gains on gains that one consumer computes on the fly: bounds the recursion */

static bool in_pass(const struct engine_draft *draft, uint32_t deliverable)
{
    const struct graph *graph = draft->plan->graph;
    return graph_pass_is_same(graph, draft->pass, &graph->deliverables[deliverable]);
}

/* From the deliverables down. Nodes are in topological order, so one sweep does. */
void engine_plan_count_uses(const struct graph *graph, uint32_t first, uint32_t *uses)
{
    memset(uses, 0, graph->node_count * sizeof *uses);
    for (uint32_t d = 0; d < graph->deliverable_count; d++) {
        if (graph_pass_is_same(graph, &graph->deliverables[first], &graph->deliverables[d])) {
            uses[graph->deliverables[d].node]++;
        }
    }
    for (uint32_t n = graph->node_count; n-- > 0;) {
        const struct graph_node *node = &graph->nodes[n];
        if (uses[n] == 0 || graph_node_is_source(node)) {
            continue;
        }
        for (uint32_t i = 0; i < node->count; i++) {
            uses[graph->inputs[node->first + i]]++;
        }
    }
}

static bool clips_stream(const struct engine_draft *draft, const struct graph_node *node)
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
   pipeline), or when a decoder or a plugin makes it ordered (so that it runs beside its siblings). The rest is fused.
 */
static bool wants_buffer(const struct engine_draft *draft, uint32_t n)
{
    const struct graph_node *node = &draft->plan->graph->nodes[n];
    switch (node->kind) {
    case GRAPH_NODE_BUS:
    case GRAPH_NODE_PARTIAL:
    case GRAPH_NODE_PLUGIN:
        return true;
    case GRAPH_NODE_CLIPS:
    case GRAPH_NODE_GAIN:
    case GRAPH_NODE_STORED:
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

static struct engine_chain *add_chain(struct engine_plan *plan, enum engine_chain_kind kind, uint32_t node)
{
    struct engine_chain *chain = &plan->chains[plan->chain_count++];
    *chain = (struct engine_chain){.kind = kind, .node = node, .deliverable = GRAPH_NONE, .next_delay = GRAPH_NONE};
    return chain;
}

/* The chain that computes a node at the largest shift that is wanted, and one that hands it on at each other. */
static void make_node_chains(struct engine_draft *draft, uint32_t n)
{
    struct engine_plan *plan = draft->plan;
    const struct graph_node *node = &plan->graph->nodes[n];
    const struct engine_demand *wanted = &draft->demands[draft->wanted[n]];
    bool plugin = node->kind == GRAPH_NODE_PLUGIN;
    struct engine_chain *chain = add_chain(plan, plugin ? ENGINE_CHAIN_PLUGIN : ENGINE_CHAIN_MIX, n);
    chain->ordered = plugin || draft->streams[n];
    chain->judged = draft->heard[n] && (plugin || node->kind == GRAPH_NODE_GAIN || node->kind == GRAPH_NODE_STORED);
    chain->shift = wanted->shift;
    chain->reads = engine_draft_reads(draft, n, wanted->shift);
    chain->stop = draft->stop[n];
    chain->reads_stop = engine_draft_reads_stop(draft, n, chain->stop);
    if (plugin) {
        plan->plugin_count++;
        chain->latency = draft->options->latency != NULL ? draft->options->latency[node->insert] : 0;
        chain->held = chain->reads - chain->shift - chain->latency;
    }
    plan->chain_of_node[n] = plan->chain_count - 1;
    int64_t largest = chain->shift;
    while (wanted->next != GRAPH_NONE) {
        wanted = &draft->demands[wanted->next];
        chain->next_delay = plan->chain_count;
        chain = add_chain(plan, ENGINE_CHAIN_DELAY, n);
        chain->ordered = true;
        chain->shift = wanted->shift;
        chain->reads = largest;
        chain->stop = wanted->stop;
        chain->reads_stop = wanted->stop;
        chain->held = chain->reads - chain->shift;
    }
}

static void make_mix_chains(struct engine_draft *draft)
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
            make_node_chains(draft, n);
            draft->fused[n] = 0;
        }
    }
}

/* Equal measurements are made once: same node and same frames. */
static uint32_t find_meter(const struct engine_plan *plan, uint32_t deliverable)
{
    const struct graph_deliverable *wanted = &plan->graph->deliverables[deliverable];
    for (uint32_t c = 0; c < plan->chain_count; c++) {
        const struct engine_chain *chain = &plan->chains[c];
        const struct graph_deliverable *served =
            chain->kind == ENGINE_CHAIN_METER ? &plan->graph->deliverables[chain->deliverable] : NULL;
        if (served != NULL && served->node == wanted->node && served->start == wanted->start &&
            served->end == wanted->end && graph_deliverable_tail(served) == graph_deliverable_tail(wanted)) {
            return c;
        }
    }
    return GRAPH_NONE;
}

static uint32_t add_end_chain(struct engine_plan *plan, enum engine_chain_kind kind, uint32_t deliverable)
{
    const struct graph_deliverable *served = &plan->graph->deliverables[deliverable];
    struct engine_chain *chain = add_chain(plan, kind, served->node);
    chain->deliverable = deliverable;
    chain->ordered = true;
    chain->stop = served->end + graph_deliverable_tail(served);
    chain->reads_stop = chain->stop;
    return plan->chain_count - 1;
}

static void make_end_chains(struct engine_draft *draft)
{
    struct engine_plan *plan = draft->plan;
    for (uint32_t d = 0; d < plan->graph->deliverable_count; d++) {
        plan->meter_of[d] = GRAPH_NONE;
        if (!in_pass(draft, d)) {
            continue;
        }
        if (draft->options->meter_in_pass[d]) {
            uint32_t meter = find_meter(plan, d);
            plan->meter_of[d] = meter != GRAPH_NONE ? meter : add_end_chain(plan, ENGINE_CHAIN_METER, d);
        }
        add_end_chain(plan, ENGINE_CHAIN_DELIVER, d);
    }
}

uint32_t engine_plan_source(const struct engine_plan *plan, uint32_t node, int64_t shift)
{
    uint32_t chain = plan->chain_of_node[node];
    while (plan->chains[chain].shift != shift) {
        chain = plan->chains[chain].next_delay;
        assert(chain != GRAPH_NONE);
    }
    return chain;
}

void engine_plan_frames(const struct engine_plan *plan, int64_t shift, int64_t stop, int64_t block, int64_t *from,
                        int64_t *to)
{
    int64_t first = (plan->first_block + block) * plan->block + shift;
    int64_t last = first + plan->block < stop ? first + plan->block : stop;
    first = first > plan->begin ? first : plan->begin;
    *from = first;
    *to = last > first ? last : first;
}

/* Calls `visit` for each chain that `chain` reads, looking through fused nodes. A chain may be named twice. */
static void visit_producers(const struct engine_plan *plan, uint32_t chain, uint32_t node,
                            void (*visit)(void *, uint32_t, uint32_t), void *context)
{
    const struct graph_node *reader = &plan->graph->nodes[node];
    if (graph_node_is_source(reader)) {
        return;
    }
    for (uint32_t i = 0; i < reader->count; i++) {
        uint32_t input = plan->graph->inputs[reader->first + i];
        if (plan->chain_of_node[input] != GRAPH_NONE) {
            visit(context, engine_plan_source(plan, input, plan->chains[chain].reads), chain);
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
        if (chain->kind == ENGINE_CHAIN_MIX || chain->kind == ENGINE_CHAIN_PLUGIN) {
            visit_producers(plan, c, chain->node, visit, plan);
        } else {
            visit(plan, engine_plan_source(plan, chain->node, chain->reads), c);
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
    /* A chain stands behind all that it reads, so one sweep settles the depth. */
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

static enum lh_status allocate(struct engine_draft *draft)
{
    struct engine_plan *plan = draft->plan;
    const struct graph *graph = plan->graph;
    size_t nodes = graph->node_count;
    size_t ends = graph->deliverable_count;
    size_t demands = (size_t)graph->input_count + ends;
    plan->chains = calloc(demands + 2 * ends + 1, sizeof *plan->chains);
    plan->chain_of_node = calloc(nodes + 1, sizeof *plan->chain_of_node);
    plan->meter_of = calloc((size_t)graph->deliverable_count + 1, sizeof *plan->meter_of);
    plan->gains = calloc(nodes + 1, sizeof *plan->gains);
    draft->uses = calloc(nodes + 1, sizeof *draft->uses);
    draft->delivered = calloc(nodes + 1, sizeof *draft->delivered);
    draft->heard = calloc(nodes + 1, sizeof *draft->heard);
    draft->streams = calloc(nodes + 1, sizeof *draft->streams);
    draft->fused = calloc(nodes + 1, sizeof *draft->fused);
    draft->wanted = calloc(nodes + 1, sizeof *draft->wanted);
    draft->stop = calloc(nodes + 1, sizeof *draft->stop);
    draft->demands = calloc(demands + 1, sizeof *draft->demands);
    bool whole = plan->chains != NULL && plan->chain_of_node != NULL && plan->meter_of != NULL && plan->gains != NULL &&
                 draft->uses != NULL && draft->delivered != NULL && draft->heard != NULL && draft->streams != NULL &&
                 draft->fused != NULL && draft->wanted != NULL && draft->stop != NULL && draft->demands != NULL;
    return whole ? LH_OK : LH_ERR_NO_MEMORY;
}

static void set_range(struct engine_draft *draft)
{
    struct engine_plan *plan = draft->plan;
    const struct graph_deliverable *pass = draft->pass;
    plan->begin = graph_pass_begin(plan->graph, pass);
    plan->start = pass->start;
    plan->silence = graph_pass_silence(plan->graph, pass);
    plan->stop = 0;
    for (uint32_t d = 0; d < plan->graph->deliverable_count; d++) {
        const struct graph_deliverable *deliverable = &plan->graph->deliverables[d];
        int64_t stop = deliverable->end + graph_deliverable_tail(deliverable);
        if (in_pass(draft, d)) {
            plan->start = deliverable->start < plan->start ? deliverable->start : plan->start;
            draft->delivered[deliverable->node] = true;
            draft->heard[deliverable->node] =
                draft->heard[deliverable->node] || deliverable->format != GRAPH_FORMAT_STORED;
            plan->stop = stop > plan->stop ? stop : plan->stop;
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
    struct engine_draft draft = {.plan = made, .options = options, .pass = &graph->deliverables[first]};
    enum lh_status status = allocate(&draft);
    if (status == LH_OK) {
        set_range(&draft);
        engine_plan_count_uses(graph, first, draft.uses);
        engine_draft_shift(&draft);
        engine_draft_size_stride(&draft);
        make_mix_chains(&draft);
        make_end_chains(&draft);
        status = link_chains(made);
    }
    if (status == LH_ERR_NO_MEMORY) {
        lh_error_no_memory(error);
    }
    if (status == LH_OK) {
        status = engine_draft_size_blocks(&draft, error);
    }
    free(draft.uses);
    free(draft.delivered);
    free(draft.heard);
    free(draft.streams);
    free(draft.fused);
    free(draft.wanted);
    free(draft.stop);
    free(draft.demands);
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
