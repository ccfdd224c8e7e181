/* SPDX-License-Identifier: MIT */
/* Looking through partial sums. */
#include "graph/sums.h"

/* What one input adds to the sum that reads it. */
static uint32_t contribution(const struct graph *graph, const uint32_t *counts, uint32_t input)
{
    return graph->nodes[input].kind == GRAPH_NODE_PARTIAL ? counts[input] : 1;
}

void graph_sum_contributions(const struct graph *graph, uint32_t *counts)
{
    for (uint32_t i = 0; i < graph->node_count; i++) {
        const struct graph_node *node = &graph->nodes[i];
        if (node->kind != GRAPH_NODE_BUS && node->kind != GRAPH_NODE_PARTIAL) {
            counts[i] = 1;
            continue;
        }
        uint32_t total = 0;
        for (uint32_t j = 0; j < node->count && total <= GRAPH_INPUTS_MAX; j++) {
            total += contribution(graph, counts, graph->inputs[node->first + j]);
        }
        counts[i] = total <= GRAPH_INPUTS_MAX ? total : GRAPH_INPUTS_MAX + 1;
    }
}

uint32_t graph_sum_flatten(const struct graph *graph, const uint32_t *counts, uint32_t node, uint32_t *flat,
                           uint32_t *pending)
{
    /* A partial sum that waits stands for one contribution at least (empty ones are skipped), so those waiting and
       those found are together never more than the sum has: both lists stay in their bounds, and no recursion is
       needed. */
    uint32_t found = 0;
    uint32_t waiting = 0;
    uint32_t sum = node;
    for (;;) {
        const struct graph_node *entry = &graph->nodes[sum];
        for (uint32_t i = 0; i < entry->count; i++) {
            uint32_t input = graph->inputs[entry->first + i];
            if (graph->nodes[input].kind != GRAPH_NODE_PARTIAL) {
                flat[found++] = input;
            } else if (counts[input] > 0) {
                pending[waiting++] = input;
            }
        }
        if (waiting == 0) {
            return found;
        }
        sum = pending[--waiting];
    }
}
