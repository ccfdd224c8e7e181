/* SPDX-License-Identifier: MIT */
/* Where a pass is worth a cut: one sweep from the sources up. Whether a node is stored hangs on what is upstream of it
   and on the length of the pass alone, so that every job that has the node decides alike (docs/decisions/0015). */
#include <math.h>

#include "pulse-daemon/shard/draft.h"
#include "pulse-daemon/shard/work.h"

/* How many times what storing and reading it costs a node has to be worth. */
#define FACTOR_PLUGGED 4.0 /* the end of a chain of plugins, or what adds such up */
#define FACTOR_NATIVE 16.0 /* no plugin in it: reading it back is hardly less than making it */
#define FACTOR_INNER 32.0  /* inside of a chain: only what is very dear, since its end is stored as well */

enum lh_status pulse_sweep_init(struct pulse_sweep *sweep, const struct pulse_draft *draft)
{
    size_t nodes = draft->graph->node_count, inserts = draft->graph->insert_count;
    struct lh_arena *arena = draft->arena;
    *sweep = (struct pulse_sweep){
        .spans = lh_arena_array(arena, nodes, sizeof *sweep->spans),
        .latencies = lh_arena_array(arena, inserts, sizeof *sweep->latencies),
        .unknown = lh_arena_array(arena, inserts, sizeof *sweep->unknown),
        .uses = lh_arena_array(arena, nodes, sizeof *sweep->uses),
        .reader = lh_arena_array(arena, nodes, sizeof *sweep->reader),
        .wanted = lh_arena_array(arena, nodes, sizeof *sweep->wanted),
        .open = lh_arena_array(arena, nodes, sizeof *sweep->open),
        .own = lh_arena_array(arena, nodes, sizeof *sweep->own),
        .cone = lh_arena_array(arena, nodes, sizeof *sweep->cone),
        .plugged = lh_arena_array(arena, nodes, sizeof *sweep->plugged),
        .loose = lh_arena_array(arena, nodes, sizeof *sweep->loose),
        .unproven = lh_arena_array(arena, nodes, sizeof *sweep->unproven),
        .cut = lh_arena_array(arena, nodes, sizeof *sweep->cut),
    };
    bool whole = sweep->spans != NULL && sweep->latencies != NULL && sweep->unknown != NULL && sweep->uses != NULL &&
                 sweep->reader != NULL && sweep->wanted != NULL && sweep->open != NULL && sweep->own != NULL &&
                 sweep->cone != NULL && sweep->plugged != NULL && sweep->loose != NULL && sweep->unproven != NULL &&
                 sweep->cut != NULL;
    return whole ? LH_OK : LH_ERR_NO_MEMORY;
}

static enum lh_status find_latencies(struct pulse_sweep *sweep, const struct pulse_draft *draft)
{
    const struct graph *graph = draft->graph;
    int64_t begin = graph_pass_begin(graph, &graph->deliverables[draft->passes[sweep->pass].first]);
    const struct pulse_latencies *known = draft->options->latencies;
    for (uint32_t n = 0; n < graph->node_count; n++) {
        const struct graph_node *node = &graph->nodes[n];
        if (node->kind != GRAPH_NODE_PLUGIN) {
            continue;
        }
        uint32_t frames = GRAPH_NONE;
        if (known != NULL &&
            pulse_latencies_has_none(known, &graph->plugins[graph->inserts[node->insert].plugin].digest)) {
            frames = 0;
        } else if (known != NULL) {
            struct lh_digest key;
            if (pulse_latency_key(graph, n, begin, draft->options->context, &key) != LH_OK) {
                return LH_ERR_NO_MEMORY;
            }
            frames = pulse_latencies_find(known, &key);
        }
        sweep->unknown[node->insert] = frames == GRAPH_NONE;
        sweep->latencies[node->insert] = frames == GRAPH_NONE ? 0 : frames;
    }
    return LH_OK;
}

static void read_by(struct pulse_sweep *sweep, uint32_t node, uint32_t reader, bool wanted, bool open)
{
    sweep->uses[node]++;
    sweep->wanted[node] = sweep->wanted[node] || wanted;
    sweep->open[node] = sweep->open[node] || open;
    if (reader != GRAPH_NONE) {
        sweep->reader[node] = reader;
    }
}

/* From the deliverables down: who reads what. */
static void count_uses(struct pulse_sweep *sweep, const struct pulse_draft *draft)
{
    const struct graph *graph = draft->graph;
    for (uint32_t n = 0; n < graph->node_count; n++) {
        sweep->uses[n] = 0;
        sweep->reader[n] = GRAPH_NONE;
        sweep->wanted[n] = sweep->open[n] = false;
    }
    for (uint32_t d = 0; d < graph->deliverable_count; d++) {
        if (draft->pass_of[d] == sweep->pass) {
            read_by(sweep, graph->deliverables[d].node, GRAPH_NONE, draft->needed[d], false);
        }
    }
    for (uint32_t n = graph->node_count; n-- > 0;) {
        const struct graph_node *node = &graph->nodes[n];
        if (sweep->uses[n] == 0 || graph_node_is_source(node)) {
            continue;
        }
        bool open = sweep->open[n] || (node->kind == GRAPH_NODE_PLUGIN && sweep->unknown[node->insert]);
        for (uint32_t i = 0; i < node->count; i++) {
            read_by(sweep, graph->inputs[node->first + i], n, sweep->wanted[n], open);
        }
    }
}

static double own_seconds(const struct pulse_sweep *sweep, const struct pulse_draft *draft, uint32_t n)
{
    const struct graph *graph = draft->graph;
    const struct graph_node *node = &graph->nodes[n];
    const struct graph_span *span = &sweep->spans[n];
    double ns = node->kind == GRAPH_NODE_PLUGIN
                    ? draft->prices.plugins[graph->inserts[node->insert].plugin] * pulse_work_samples(graph, n, span)
                    : draft->prices.mix * pulse_work_mix(graph, n, span);
    return ns * 1e-9;
}

double pulse_sweep_storing(const struct pulse_sweep *sweep, const struct pulse_draft *draft, uint32_t node)
{
    return pulse_work_stored(draft->graph, node, &sweep->spans[node]) * draft->prices.store * 1e-9;
}

double pulse_sweep_loading(const struct pulse_sweep *sweep, const struct pulse_draft *draft, uint32_t node)
{
    return pulse_work_stored(draft->graph, node, &sweep->spans[node]) * draft->prices.load * 1e-9;
}

double pulse_sweep_input(const struct pulse_sweep *sweep, const struct pulse_draft *draft, uint32_t node)
{
    return sweep->cut[node] ? pulse_sweep_loading(sweep, draft, node) : sweep->cone[node];
}

/* What only one plugin reads is inside of a chain. */
static bool is_inner(const struct pulse_sweep *sweep, const struct graph *graph, uint32_t n)
{
    return sweep->uses[n] == 1 && sweep->reader[n] != GRAPH_NONE &&
           graph->nodes[sweep->reader[n]].kind == GRAPH_NODE_PLUGIN;
}

static bool is_worth_a_cut(const struct pulse_sweep *sweep, const struct pulse_draft *draft, uint32_t n)
{
    const struct graph *graph = draft->graph;
    const struct graph_node *node = &graph->nodes[n];
    const struct graph_span *span = &sweep->spans[n];
    if (node->kind == GRAPH_NODE_GAIN || span->stop <= span->begin || (sweep->open[n] && !draft->limits.blind)) {
        return false;
    }
    bool inner = is_inner(sweep, graph, n);
    if (sweep->loose[n] && node->kind == GRAPH_NODE_PLUGIN && !inner) {
        return true; /* two shards that each ran it would disagree */
    }
    double factor = inner ? FACTOR_INNER : FACTOR_NATIVE;
    if (!inner && sweep->plugged[n]) {
        factor = FACTOR_PLUGGED;
    } else if (node->kind == GRAPH_NODE_PARTIAL) {
        factor = PULSE_PART_FACTOR;
    }
    double storing = pulse_sweep_storing(sweep, draft, n) + pulse_sweep_loading(sweep, draft, n);
    return sweep->cone[n] >= draft->limits.least_seconds && sweep->cone[n] >= factor * storing;
}

static void look_at(struct pulse_sweep *sweep, const struct pulse_draft *draft, uint32_t n)
{
    const struct graph *graph = draft->graph;
    const struct graph_node *node = &graph->nodes[n];
    bool plugin = node->kind == GRAPH_NODE_PLUGIN;
    bool proven = !plugin || graph->inserts[node->insert].identity[0] == '\0';
    sweep->own[n] = own_seconds(sweep, draft, n);
    sweep->cone[n] = sweep->own[n];
    sweep->plugged[n] = plugin;
    sweep->loose[n] = sweep->unproven[n] = !proven;
    for (uint32_t i = 0; !graph_node_is_source(node) && i < node->count; i++) {
        uint32_t input = graph->inputs[node->first + i];
        sweep->cone[n] += pulse_sweep_input(sweep, draft, input);
        /* What was stored after plugins is as dear to those who add it up as plugins are. */
        sweep->plugged[n] = sweep->plugged[n] || sweep->plugged[input];
        sweep->loose[n] = sweep->loose[n] || (sweep->loose[input] && !sweep->cut[input]);
        sweep->unproven[n] = sweep->unproven[n] || sweep->unproven[input];
    }
    sweep->cut[n] = !draft->whole && is_worth_a_cut(sweep, draft, n);
}

enum lh_status pulse_sweep_pass(struct pulse_sweep *sweep, const struct pulse_draft *draft, uint32_t pass)
{
    const struct graph *graph = draft->graph;
    sweep->pass = pass;
    if (find_latencies(sweep, draft) != LH_OK) {
        return LH_ERR_NO_MEMORY;
    }
    graph_spans(graph, draft->passes[pass].first, sweep->latencies, sweep->spans);
    count_uses(sweep, draft);
    for (uint32_t n = 0; n < graph->node_count; n++) {
        sweep->own[n] = sweep->cone[n] = 0;
        sweep->plugged[n] = sweep->loose[n] = sweep->unproven[n] = sweep->cut[n] = false;
        if (sweep->uses[n] > 0) {
            look_at(sweep, draft, n);
        }
    }
    return LH_OK;
}
