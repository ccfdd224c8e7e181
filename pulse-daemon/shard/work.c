/* SPDX-License-Identifier: MIT */
/* Counting work. */
#include "pulse-daemon/shard/work.h"

static int64_t overlap(int64_t from_a, int64_t to_a, int64_t from_b, int64_t to_b)
{
    int64_t from = from_a > from_b ? from_a : from_b;
    int64_t to = to_a < to_b ? to_a : to_b;
    return to > from ? to - from : 0;
}

static double region_frames(const struct graph *graph, const struct graph_node *node, const struct graph_span *span)
{
    double frames = 0;
    for (uint32_t i = 0; i < node->count; i++) {
        const struct graph_region *region = &graph->regions[node->first + i];
        int64_t stop = span->silence < span->stop ? span->silence : span->stop;
        frames += (double)overlap(region->start, region->start + region->length, span->begin, stop);
    }
    return frames;
}

double pulse_work_mix(const struct graph *graph, uint32_t n, const struct graph_span *span)
{
    const struct graph_node *node = &graph->nodes[n];
    double frames = (double)(span->stop - span->begin);
    switch (node->kind) {
    case GRAPH_NODE_CLIPS:
        return region_frames(graph, node, span) * node->channels;
    case GRAPH_NODE_GAIN:
    case GRAPH_NODE_BUS:
    case GRAPH_NODE_PARTIAL:
        return frames * node->channels * node->count;
    case GRAPH_NODE_PLUGIN:
    case GRAPH_NODE_STORED:
        break;
    }
    return 0;
}

double pulse_work_samples(const struct graph *graph, uint32_t n, const struct graph_span *span)
{
    return (double)(span->stop - span->begin) * graph->nodes[n].channels;
}

double pulse_work_conform(const struct graph_media *media)
{
    return media->conform == GRAPH_CONFORM_IN_PLACE ? 0 : (double)media->length * media->channels;
}

double pulse_work_delivered(const struct graph *graph, const struct graph_deliverable *deliverable)
{
    int64_t frames = deliverable->end - deliverable->start + graph_deliverable_tail(deliverable);
    return (double)frames * graph->nodes[deliverable->node].channels;
}

double pulse_work_stored(const struct graph *graph, uint32_t node, const struct graph_span *span)
{
    return (double)(span->stop - span->begin) * (double)graph_node_frame_bytes(graph, node);
}
