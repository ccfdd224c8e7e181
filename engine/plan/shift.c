/* SPDX-License-Identifier: MIT */
/* How far ahead every node is computed so that latency can be taken out where it arises. */
#include "engine/plan/draft.h"

static uint32_t latency_of(const struct engine_draft *draft, const struct graph_node *node)
{
    bool plugin = node->kind == GRAPH_NODE_PLUGIN && draft->options->latency != NULL;
    return plugin ? draft->options->latency[node->insert] : 0;
}

int64_t engine_draft_reads(const struct engine_draft *draft, uint32_t n, int64_t shift)
{
    const struct graph *graph = draft->plan->graph;
    return graph_plugin_reads(shift, latency_of(draft, &graph->nodes[n]), graph->quantum);
}

/* A plugin's chunks are whole: what it is fed ends on the grid whatever is wanted of it. */
int64_t engine_draft_reads_stop(const struct engine_draft *draft, uint32_t n, int64_t stop)
{
    const struct graph_node *node = &draft->plan->graph->nodes[n];
    return node->kind == GRAPH_NODE_PLUGIN
               ? graph_plugin_reads(stop, latency_of(draft, node), draft->plan->graph->quantum)
               : stop;
}

static void demand(struct engine_draft *draft, uint32_t n, int64_t shift, int64_t stop)
{
    draft->stop[n] = stop > draft->stop[n] ? stop : draft->stop[n];
    uint32_t *at = &draft->wanted[n];
    while (*at != GRAPH_NONE && draft->demands[*at].shift > shift) {
        at = &draft->demands[*at].next;
    }
    if (*at != GRAPH_NONE && draft->demands[*at].shift == shift) {
        struct engine_demand *equal = &draft->demands[*at];
        equal->stop = stop > equal->stop ? stop : equal->stop;
        return;
    }
    draft->demands[draft->demand_count] = (struct engine_demand){.shift = shift, .stop = stop, .next = *at};
    *at = draft->demand_count++;
}

void engine_draft_shift(struct engine_draft *draft)
{
    const struct graph *graph = draft->plan->graph;
    for (uint32_t n = 0; n < graph->node_count; n++) {
        draft->wanted[n] = GRAPH_NONE;
    }
    for (uint32_t d = 0; d < graph->deliverable_count; d++) {
        const struct graph_deliverable *deliverable = &graph->deliverables[d];
        if (graph_pass_is_same(graph, draft->pass, deliverable)) {
            demand(draft, deliverable->node, 0, deliverable->end + graph_deliverable_tail(deliverable));
        }
    }
    /* Nodes are in topological order: when the sweep comes to one, all that read it have spoken. */
    for (uint32_t n = graph->node_count; n-- > 0;) {
        const struct graph_node *node = &graph->nodes[n];
        if (draft->wanted[n] == GRAPH_NONE || graph_node_is_source(node)) {
            continue;
        }
        int64_t shift = engine_draft_reads(draft, n, draft->demands[draft->wanted[n]].shift);
        int64_t stop = engine_draft_reads_stop(draft, n, draft->stop[n]);
        for (uint32_t i = 0; i < node->count; i++) {
            demand(draft, graph->inputs[node->first + i], shift, stop);
        }
    }
}
