/* SPDX-License-Identifier: MIT */
/* Life of a graph, and the reference evaluation of its curves. */
#include "graph/graph.h"

#include <stdlib.h>

#include "graph/owner.h"

struct graph_owner *graph_owner_new(void)
{
    struct graph_owner *owner = calloc(1, sizeof *owner);
    if (owner != NULL) {
        lh_arena_init(&owner->arena);
        atomic_init(&owner->references, 1);
    }
    return owner;
}

/* Every graph that a caller can hold lies in an owner, which was never const itself. */
static struct graph_owner *owner_of(const struct graph *graph)
{
    return (struct graph_owner *)(uintptr_t)graph;
}

void graph_ref(const struct graph *graph)
{
    atomic_fetch_add_explicit(&owner_of(graph)->references, 1, memory_order_relaxed);
}

void graph_unref(const struct graph *graph)
{
    if (graph == NULL) {
        return;
    }
    struct graph_owner *owner = owner_of(graph);
    /* acq_rel: whoever frees has seen the last use of everyone else. */
    if (atomic_fetch_sub_explicit(&owner->references, 1, memory_order_acq_rel) == 1) {
        lh_arena_fini(&owner->arena);
        free(owner);
    }
}

/* The formula of struct graph_curve; a frame is a position that is whole, and exact as a double. */
static float value_at(const struct graph *graph, uint32_t curve, double position)
{
    const struct graph_point *points = graph->points + graph->curves[curve].first;
    uint32_t count = graph->curves[curve].count;
    /* The number of points at or before `position`, by bisection: of two at one frame the later one counts. */
    uint32_t low = 0;
    uint32_t high = count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if ((double)points[middle].frame <= position) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == 0) {
        return points[0].value;
    }
    if (low == count) {
        return points[count - 1].value;
    }
    const struct graph_point *a = &points[low - 1];
    const struct graph_point *b = &points[low];
    double slope = ((double)b->value - a->value) / (double)(b->frame - a->frame);
    return (float)((double)a->value + slope * (position - (double)a->frame));
}

float graph_curve_at(const struct graph *graph, uint32_t curve, int64_t frame)
{
    return value_at(graph, curve, (double)frame);
}

float graph_fade_at(const struct graph *graph, uint32_t curve, int64_t length, int64_t distance)
{
    return value_at(graph, curve, (double)distance * ((double)GRAPH_FADE_SPAN / (double)length));
}

bool graph_curve_is_constant(const struct graph *graph, uint32_t curve, float *value)
{
    const struct graph_point *points = graph->points + graph->curves[curve].first;
    for (uint32_t i = 1; i < graph->curves[curve].count; i++) {
        if (points[i].value != points[0].value) {
            return false;
        }
    }
    *value = points[0].value;
    return true;
}

uint64_t graph_converted_length(uint64_t frames, uint32_t from, uint32_t to)
{
    uint64_t product = frames * to;
    uint64_t quotient = product / from;
    uint64_t twice = 2 * (product % from);
    bool up = twice > from || (twice == from && quotient % 2 == 1);
    return quotient + (up ? 1 : 0);
}

bool graph_node_is_source(const struct graph_node *node)
{
    return node->kind == GRAPH_NODE_CLIPS || node->kind == GRAPH_NODE_STORED;
}

bool graph_node_is_sum(const struct graph *graph, uint32_t node)
{
    const struct graph_node *entry = &graph->nodes[node];
    return entry->kind == GRAPH_NODE_PARTIAL || (entry->kind == GRAPH_NODE_STORED && graph->stored[entry->first].sum);
}

size_t graph_node_frame_bytes(const struct graph *graph, uint32_t node)
{
    return graph->nodes[node].channels * (graph_node_is_sum(graph, node) ? sizeof(int64_t) : sizeof(float));
}
