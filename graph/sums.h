/* SPDX-License-Identifier: MIT */
/* What a sum adds in the end, when its partial sums are looked through. Private to graph/. */
#ifndef GRAPH_SUMS_H
#define GRAPH_SUMS_H

#include "graph/graph.h"

/* Contributions of every node, in counts[node_count]: 1 where a node's output is one contribution, for a BUS or PARTIAL
   the number of those it adds up. Past GRAPH_INPUTS_MAX it is GRAPH_INPUTS_MAX + 1. */
void graph_sum_contributions(const struct graph *graph, uint32_t *counts);

/* The nodes (none of them PARTIAL) that a BUS or PARTIAL of at most GRAPH_INPUTS_MAX contributions adds up, each as
   often as it is added, in no particular order. `flat` and `pending` have room for GRAPH_INPUTS_MAX each. Returns how
   many. */
uint32_t graph_sum_flatten(const struct graph *graph, const uint32_t *counts, uint32_t node, uint32_t *flat,
                           uint32_t *pending);

#endif
