/* SPDX-License-Identifier: MIT */
/* Latencies that a plan would be better for, and the shard that finds them out: each plugin alone, fed with silence,
   with the parameters that it has where its pass begins. */
#include <stdio.h>

#include "graph/builder.h"
#include "pulse-daemon/shard/draft.h"
#include "pulse-daemon/shard/plan_made.h"

#define SECONDS_PER_ASK 5e-3
#define SECONDS_PER_SHARD 0.1
#define IDENTITY_SIZE 24

/* A cut is worth while somewhere upstream of it, if only it were known how far it is read. */
struct upstream {
    bool *worth; /* by node: it or something upstream would be cut */
    struct pulse_keyed seen;
    struct pulse_latency_ask *asks;
    size_t count;
};

static enum lh_status look_at(struct upstream *upstream, const struct pulse_draft *draft,
                              const struct pulse_sweep *sweep, uint32_t n, int64_t begin)
{
    const struct graph *graph = draft->graph;
    const struct graph_node *node = &graph->nodes[n];
    bool worth = false;
    for (uint32_t i = 0; !graph_node_is_source(node) && i < node->count; i++) {
        worth = worth || upstream->worth[graph->inputs[node->first + i]];
    }
    upstream->worth[n] = worth || (sweep->wanted[n] && sweep->cut[n]);
    if (!worth || node->kind != GRAPH_NODE_PLUGIN || !sweep->unknown[node->insert]) {
        return LH_OK;
    }
    struct pulse_latency_ask ask = {.node = n, .begin = begin};
    enum lh_status status = pulse_latency_key(graph, n, begin, draft->options->context, &ask.key);
    if (status == LH_OK && pulse_keyed_find(&upstream->seen, &ask.key) == NULL) {
        status = pulse_keyed_add(&upstream->seen, &ask.key, 0);
        upstream->asks[upstream->count++] = ask;
    }
    return status;
}

static enum lh_status look_at_passes(struct upstream *upstream, const struct pulse_draft *draft)
{
    const struct graph *graph = draft->graph;
    struct pulse_sweep sweep;
    enum lh_status status = pulse_sweep_init(&sweep, draft);
    for (uint32_t p = 0; status == LH_OK && p < draft->pass_count; p++) {
        int64_t begin = graph_pass_begin(graph, &graph->deliverables[draft->passes[p].first]);
        status = pulse_sweep_pass(&sweep, draft, p);
        for (uint32_t n = 0; status == LH_OK && n < graph->node_count; n++) {
            upstream->worth[n] = false;
            status = sweep.wanted[n] ? look_at(upstream, draft, &sweep, n, begin) : LH_OK;
        }
    }
    return status;
}

/* The plan's nodes as the caller's graph has them: cutting buses may have moved them, their keys stay. */
static enum lh_status place_asks(struct upstream *upstream, const struct graph *graph, const struct pulse_draft *draft)
{
    if (graph == draft->graph) {
        return LH_OK;
    }
    struct lh_digest *keys = lh_arena_array(draft->arena, graph->node_count, sizeof *keys);
    if (keys == NULL || graph_keys(graph, draft->options->media, draft->options->context, keys, NULL) != LH_OK) {
        return LH_ERR_NO_MEMORY;
    }
    struct pulse_keyed places = {.entries = NULL};
    enum lh_status status = LH_OK;
    for (uint32_t n = 0; status == LH_OK && n < graph->node_count; n++) {
        status = pulse_keyed_add(&places, &keys[n], n);
    }
    for (size_t i = 0; status == LH_OK && i < upstream->count; i++) {
        const uint32_t *place = pulse_keyed_find(&places, &draft->node_keys[upstream->asks[i].node]);
        status = place != NULL ? LH_OK : LH_ERR_INTERNAL;
        upstream->asks[i].node = place != NULL ? *place : 0;
    }
    pulse_keyed_fini(&places);
    return status;
}

static enum lh_status find_asks(struct pulse_draft *draft, const struct graph *graph, struct lh_arena *arena,
                                struct upstream *upstream, struct lh_error *error)
{
    enum lh_status status = pulse_draft_init(draft, graph, error);
    if (status != LH_OK) {
        return status;
    }
    upstream->worth = lh_arena_array(draft->arena, draft->graph->node_count, sizeof *upstream->worth);
    upstream->asks =
        lh_arena_array(arena, (size_t)draft->graph->insert_count * draft->pass_count, sizeof *upstream->asks);
    if (upstream->worth == NULL || upstream->asks == NULL) {
        return lh_error_no_memory(error);
    }
    status = draft->whole ? LH_OK : look_at_passes(upstream, draft);
    status = status == LH_OK ? place_asks(upstream, graph, draft) : status;
    return status == LH_OK ? LH_OK : lh_error_set(error, status, NULL, "%s", lh_status_text(status));
}

enum lh_status pulse_draft_asks(const struct graph *graph, const struct pulse_plan_options *options,
                                const struct pulse_limits *limits, struct lh_arena *arena,
                                struct pulse_latency_ask **asks, size_t *count, struct lh_error *error)
{
    struct lh_arena scratch;
    lh_arena_init(&scratch);
    struct pulse_draft draft = {.arena = &scratch, .options = options, .limits = *limits};
    struct upstream upstream = {.count = 0};
    draft.limits.blind = true;
    enum lh_status status = find_asks(&draft, graph, arena, &upstream, error);
    pulse_keyed_fini(&upstream.seen);
    pulse_draft_fini(&draft);
    lh_arena_fini(&scratch);
    if (status == LH_OK) {
        *asks = upstream.asks;
        *count = upstream.count;
    }
    return status;
}

enum lh_status pulse_plan_asks(const struct graph *graph, const struct pulse_plan_options *options,
                               struct lh_arena *arena, struct pulse_latency_ask **asks, size_t *count,
                               struct lh_error *error)
{
    struct pulse_limits limits = pulse_plan_limits(options->costs);
    return pulse_draft_asks(graph, options, &limits, arena, asks, count, error);
}

/* ---- finding them out ---- */

static enum lh_status add_silence(struct graph_builder *builder, uint32_t channels, uint32_t *node)
{
    return graph_builder_add_sum(builder, GRAPH_NODE_BUS, channels, false, NULL, 0, "silence", node);
}

/* The plugin with constants for curves. */
static enum lh_status add_plugin(struct graph_builder *builder, const struct graph *graph, struct lh_arena *arena,
                                 const struct pulse_latency_ask *ask, const char *identity, uint32_t *added)
{
    const struct graph_node *node = &graph->nodes[ask->node];
    const struct graph_insert *insert = &graph->inserts[node->insert];
    struct graph_parameter *parameters = lh_arena_array(arena, insert->parameter_count, sizeof *parameters);
    struct graph_plugin_node description = {
        .channels = node->channels,
        .input = GRAPH_NONE,
        .sidechain = GRAPH_NONE,
        .parameters = parameters,
        .parameter_count = insert->parameter_count,
        .preset = insert->preset,
        .preset_bundle = insert->preset_bundle,
        .state = insert->state,
        .folder = insert->folder,
        .identity = identity,
    };
    enum lh_status status = parameters != NULL ? LH_OK : LH_ERR_NO_MEMORY;
    for (uint32_t i = 0; status == LH_OK && i < insert->parameter_count; i++) {
        const struct graph_parameter *parameter = &graph->parameters[insert->parameter_first + i];
        struct graph_point point = {.frame = 0, .value = graph_curve_at(graph, parameter->curve, ask->begin)};
        parameters[i].symbol = parameter->symbol;
        status = graph_builder_add_curve(builder, &point, 1, &parameters[i].curve);
    }
    if (status == LH_OK && insert->has_input) {
        status = add_silence(builder, node->channels, &description.input);
    }
    if (status == LH_OK && insert->has_sidechain) {
        const struct graph_node *side = &graph->nodes[graph->inputs[node->first + node->count - 1]];
        status = add_silence(builder, side->channels, &description.sidechain);
    }
    status = status == LH_OK ? graph_builder_add_plugin(builder, &graph->plugins[insert->plugin], &description.plugin)
                             : status;
    return status == LH_OK ? graph_builder_add_plugin_node(builder, &description, node->label, added) : status;
}

/* One plugin node for each ask, and what delivers it, in this order of the asks. */
static enum lh_status add_asks(struct graph_builder *builder, const struct graph *graph, struct lh_arena *arena,
                               const struct pulse_latency_ask *asks, const uint32_t *order, size_t count)
{
    static const struct graph_span nothing = {.begin = 0, .silence = INT64_MAX, .stop = 0};
    enum lh_status status = LH_OK;
    for (size_t i = 0; status == LH_OK && i < count; i++) {
        char identity[IDENTITY_SIZE]; /* equal ones are not to merge */
        snprintf(identity, sizeof identity, "ask %u", order[i]);
        struct graph_deliverable deliverable = {.name = identity};
        uint32_t index;
        status = add_plugin(builder, graph, arena, &asks[order[i]], identity, &deliverable.node);
        graph_span_deliver(&nothing, graph->sample_rate, &deliverable);
        status = status == LH_OK ? graph_builder_add_deliverable(builder, &deliverable, NULL, 0, &index) : status;
    }
    return status;
}

static enum lh_status build(const struct graph *graph, struct lh_arena *arena, const struct pulse_latency_ask *asks,
                            const uint32_t *order, size_t count, const struct graph **made, struct lh_error *error)
{
    struct graph_builder *builder = NULL;
    if (graph_builder_new(graph->sample_rate, graph->quantum, &builder) != LH_OK) {
        return lh_error_no_memory(error);
    }
    enum lh_status status = add_asks(builder, graph, arena, asks, order, count);
    status = status == LH_OK ? graph_builder_finish(builder, made, error)
                             : lh_error_set(error, status, NULL, "%s", lh_status_text(status));
    graph_builder_free(builder);
    return status;
}

/* A graph orders its nodes by their content: the asks are told in that order, so it is built once to see it. */
static enum lh_status find_order(const struct graph *graph, struct lh_arena *arena,
                                 const struct pulse_latency_ask *asks, size_t count, uint32_t *order,
                                 struct lh_error *error)
{
    const struct graph *made = NULL;
    uint32_t *found = lh_arena_array(arena, count, sizeof *found);
    if (found == NULL) {
        return lh_error_no_memory(error);
    }
    for (size_t i = 0; i < count; i++) {
        order[i] = (uint32_t)i;
    }
    enum lh_status status = build(graph, arena, asks, order, count, &made, error);
    if (status != LH_OK) {
        return status;
    }
    for (size_t i = 0; i < count; i++) {
        found[made->nodes[made->deliverables[i].node].insert] = (uint32_t)i;
    }
    for (size_t i = 0; i < count; i++) {
        order[i] = found[i];
    }
    graph_unref(made);
    return LH_OK;
}

static enum lh_status make_shard(struct pulse_plan *plan, const struct graph *graph,
                                 const struct pulse_latency_ask *asks, size_t count, struct pulse_shard *shard,
                                 struct lh_error *error)
{
    const struct graph *made = NULL;
    struct graph_shard_output *outputs = lh_arena_array(&plan->arena, count, sizeof *outputs);
    uint32_t *order = lh_arena_array(&plan->arena, count, sizeof *order);
    if (outputs == NULL || order == NULL) {
        return lh_error_no_memory(error);
    }
    enum lh_status status = find_order(graph, &plan->arena, asks, count, order, error);
    status = status == LH_OK ? build(graph, &plan->arena, asks, order, count, &made, error) : status;
    if (status != LH_OK) {
        return status;
    }
    for (size_t i = 0; i < count; i++) {
        outputs[i] = (struct graph_shard_output){GRAPH_SHARD_OUT_STORED, (uint32_t)i, asks[order[i]].key};
    }
    *shard = (struct pulse_shard){
        .work = {.kind = GRAPH_SHARD_RENDER, .graph = made, .outputs = outputs, .output_count = count},
        .cost_seconds = SECONDS_PER_SHARD + SECONDS_PER_ASK * (double)count,
        .cpu_class = true,
    };
    plan->shards = shard;
    plan->shard_count = 1;
    plan->cost_seconds = plan->critical_seconds = shard->cost_seconds;
    return pulse_shard_list_plugins(&plan->arena, shard) == LH_OK ? LH_OK : lh_error_no_memory(error);
}

enum lh_status pulse_plan_latencies(const struct graph *graph, const struct pulse_latency_ask *asks, size_t count,
                                    struct pulse_plan **plan, struct lh_error *error)
{
    struct pulse_plan *made = pulse_plan_empty();
    struct pulse_shard *shard = made != NULL ? lh_arena_array(&made->arena, 1, sizeof *shard) : NULL;
    enum lh_status status =
        shard != NULL ? make_shard(made, graph, asks, count, shard, error) : lh_error_no_memory(error);
    if (status != LH_OK) {
        pulse_plan_free(made);
        return status;
    }
    *plan = made;
    return LH_OK;
}
