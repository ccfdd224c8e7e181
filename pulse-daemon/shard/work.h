/* SPDX-License-Identifier: MIT */
/* How much work a graph is, in the units of the cost model: what costs are learned from and plans are made by. Private
   to pulse-daemon/shard. */
#ifndef PULSE_SHARD_WORK_H
#define PULSE_SHARD_WORK_H

#include "graph/span.h"

/* Samples of contributions that a native node takes in over its span; 0 for a PLUGIN or STORED node. */
double pulse_work_mix(const struct graph *graph, uint32_t node, const struct graph_span *span);
/* Samples that the node gives over its span. */
double pulse_work_samples(const struct graph *graph, uint32_t node, const struct graph_span *span);
/* Of a medium that is conformed; 0 for one that is read in place. */
double pulse_work_conform(const struct graph_media *media);
/* Of a deliverable, its tail included. */
double pulse_work_delivered(const struct graph *graph, const struct graph_deliverable *deliverable);
/* Bytes that the node takes where it is stored. */
double pulse_work_stored(const struct graph *graph, uint32_t node, const struct graph_span *span);

#endif
