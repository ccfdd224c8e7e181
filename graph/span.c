/* SPDX-License-Identifier: MIT */
/* How far every node of a pass is read. */
#include "graph/span.h"

bool graph_pass_is_same(const struct graph *graph, const struct graph_deliverable *a, const struct graph_deliverable *b)
{
    if (graph->insert_count == 0) {
        return a->start == b->start && a->end == b->end;
    }
    return graph_pass_begin(graph, a) == graph_pass_begin(graph, b) &&
           graph_pass_silence(graph, a) == graph_pass_silence(graph, b);
}

int64_t graph_pass_begin(const struct graph *graph, const struct graph_deliverable *deliverable)
{
    return graph->insert_count == 0 ? deliverable->start : deliverable->start - deliverable->preroll;
}

int64_t graph_pass_silence(const struct graph *graph, const struct graph_deliverable *deliverable)
{
    bool looks_ahead = graph->insert_count > 0 && graph_deliverable_tail(deliverable) == 0;
    return looks_ahead ? INT64_MAX : deliverable->end;
}

int64_t graph_deliverable_tail(const struct graph_deliverable *deliverable)
{
    return deliverable->tail == GRAPH_TAIL_NONE ? 0 : deliverable->tail_frames;
}

int64_t graph_plugin_reads(int64_t stop, uint32_t latency, uint32_t quantum)
{
    return (stop + latency + quantum - 1) / quantum * quantum;
}

/* Up to where a node that is wanted up to `stop` reads its inputs. */
static int64_t reads(const struct graph *graph, const struct graph_node *node, const uint32_t *latencies, int64_t stop)
{
    if (node->kind != GRAPH_NODE_PLUGIN || stop == INT64_MAX) {
        return stop;
    }
    uint32_t latency = latencies != NULL ? latencies[node->insert] : 0;
    return latency == GRAPH_NONE ? INT64_MAX : graph_plugin_reads(stop, latency, graph->quantum);
}

static void read_to(struct graph_span *span, int64_t begin, int64_t silence, int64_t stop)
{
    span->begin = begin;
    span->stop = stop > span->stop ? stop : span->stop;
    span->silence = silence < span->stop ? silence : INT64_MAX;
}

void graph_spans(const struct graph *graph, uint32_t first, const uint32_t *latencies, struct graph_span *spans)
{
    const struct graph_deliverable *pass = &graph->deliverables[first];
    int64_t begin = graph_pass_begin(graph, pass);
    int64_t silence = graph_pass_silence(graph, pass);
    for (uint32_t n = 0; n < graph->node_count; n++) {
        spans[n] = (struct graph_span){.silence = INT64_MAX};
    }
    for (uint32_t d = 0; d < graph->deliverable_count; d++) {
        const struct graph_deliverable *deliverable = &graph->deliverables[d];
        if (graph_pass_is_same(graph, pass, deliverable)) {
            read_to(&spans[deliverable->node], begin, silence, deliverable->end + graph_deliverable_tail(deliverable));
        }
    }
    /* Nodes are in topological order: when the sweep comes to one, all that read it have spoken. */
    for (uint32_t n = graph->node_count; n-- > 0;) {
        const struct graph_node *node = &graph->nodes[n];
        if (spans[n].stop == 0 || graph_node_is_source(node)) {
            continue;
        }
        int64_t stop = reads(graph, node, latencies, spans[n].stop);
        for (uint32_t i = 0; i < node->count; i++) {
            read_to(&spans[graph->inputs[node->first + i]], begin, silence, stop);
        }
    }
}

void graph_span_deliver(const struct graph_span *span, uint32_t project_rate, struct graph_deliverable *deliverable)
{
    bool tail = span->silence < span->stop;
    *deliverable = (struct graph_deliverable){
        .name = deliverable->name,
        .node = deliverable->node,
        .start = span->begin,
        .end = tail ? span->silence : span->stop,
        .tail = tail ? GRAPH_TAIL_FRAMES : GRAPH_TAIL_NONE,
        .tail_frames = tail ? span->stop - span->silence : 0,
        .format = GRAPH_FORMAT_STORED,
        .bit_depth = 32,
        .rate = project_rate,
        .gain_from = GRAPH_NONE,
    };
}

struct graph_stored graph_span_stored(const struct graph_span *span, uint32_t channels, bool sum)
{
    return (struct graph_stored){
        .channels = channels, .sum = sum, .begin = span->begin, .frames = span->stop - span->begin};
}

struct graph_span graph_span_of(const struct graph_deliverable *deliverable)
{
    int64_t tail = graph_deliverable_tail(deliverable);
    return (struct graph_span){.begin = deliverable->start,
                               .silence = tail > 0 ? deliverable->end : INT64_MAX,
                               .stop = deliverable->end + tail};
}
