/* SPDX-License-Identifier: MIT */
/* Finishing a graph: what nothing delivers is dropped, and the rest is put into an order that follows from its content
   alone, not from the order in which it was added.

   The order: curves by their points; the nodes by their height above the sources, those of one height by their content,
   in which the inputs are named by their place in this very order (they stand lower, so it is known). Equal nodes were
   merged before, hence no two compare equal and the order is total. */
#include <stdlib.h>
#include <string.h>

#include "graph/finish.h"

static bool is_sum(const struct graph_node *node)
{
    return node->kind == GRAPH_NODE_BUS || node->kind == GRAPH_NODE_PARTIAL;
}

/* Marks what is delivered, then measures heights. Nodes stand in topological order as they were added. */
static void measure_heights(struct graph_finish *finish)
{
    const struct graph_builder *builder = finish->builder;
    const struct graph_node *nodes = builder->nodes.items;
    const struct graph_deliverable *deliverables = builder->deliverables.items;
    const uint32_t *inputs = builder->inputs.items;
    for (uint32_t i = 0; i < builder->deliverables.count; i++) {
        finish->heights[deliverables[i].node] = 1;
    }
    for (uint32_t i = builder->nodes.count; i-- > 0;) {
        if (finish->heights[i] == 0 || graph_node_is_source(&nodes[i])) {
            continue;
        }
        for (uint32_t j = 0; j < nodes[i].count; j++) {
            finish->heights[inputs[nodes[i].first + j]] = 1;
        }
    }
    for (uint32_t i = 0; i < builder->nodes.count; i++) {
        if (finish->heights[i] == 0) {
            continue;
        }
        finish->order[finish->node_count++] = i;
        for (uint32_t j = 0; !graph_node_is_source(&nodes[i]) && j < nodes[i].count; j++) {
            uint32_t above = finish->heights[inputs[nodes[i].first + j]] + 1;
            finish->heights[i] = above > finish->heights[i] ? above : finish->heights[i];
        }
    }
}

static int compare_curve_places(const void *a, const void *b, void *builder)
{
    return graph_curve_compare(builder, *(const uint32_t *)a, *(const uint32_t *)b);
}

void graph_finish_use_curve(struct graph_finish *finish, uint32_t curve)
{
    if (curve != GRAPH_NONE && finish->curve_ranks[curve] == GRAPH_NONE) {
        finish->curve_ranks[curve] = 0;
        finish->curve_order[finish->curve_count++] = curve;
    }
}

static void rank_curves(struct graph_finish *finish)
{
    struct graph_builder *builder = finish->builder;
    const struct graph_node *nodes = builder->nodes.items;
    const struct graph_region *regions = builder->regions.items;
    const uint32_t *refs = builder->curve_refs.items;
    for (uint32_t i = 0; i < builder->curves.count; i++) {
        finish->curve_ranks[i] = GRAPH_NONE;
    }
    for (uint32_t i = 0; i < finish->node_count; i++) {
        const struct graph_node *node = &nodes[finish->order[i]];
        for (uint32_t j = 0; node->kind == GRAPH_NODE_CLIPS && j < node->count; j++) {
            graph_finish_use_curve(finish, regions[node->first + j].fade_in);
            graph_finish_use_curve(finish, regions[node->first + j].fade_out);
        }
        for (uint32_t j = 0; node->kind == GRAPH_NODE_GAIN && j < node->channels; j++) {
            graph_finish_use_curve(finish, refs[node->curves + j]);
        }
    }
    graph_finish_use_inserts(finish);
    qsort_r(finish->curve_order, finish->curve_count, sizeof *finish->curve_order, compare_curve_places, builder);
    const struct graph_curve *curves = builder->curves.items;
    for (uint32_t i = 0; i < finish->curve_count; i++) {
        finish->curve_ranks[finish->curve_order[i]] = i;
        finish->point_count += curves[finish->curve_order[i]].count;
    }
}

/* Regions and gains name their curves by rank; regions are sorted anew, because the curves' names decide between
   regions that are otherwise equal. */
static void rename_curves(struct graph_finish *finish)
{
    struct graph_builder *builder = finish->builder;
    const struct graph_node *nodes = builder->nodes.items;
    struct graph_region *regions = builder->regions.items;
    uint32_t *refs = builder->curve_refs.items;
    for (uint32_t i = 0; i < finish->node_count; i++) {
        const struct graph_node *node = &nodes[finish->order[i]];
        if (node->kind == GRAPH_NODE_GAIN) {
            for (uint32_t j = 0; j < node->channels; j++) {
                refs[node->curves + j] = finish->curve_ranks[refs[node->curves + j]];
            }
            finish->ref_count += node->channels;
        }
        if (node->kind == GRAPH_NODE_CLIPS && node->count > 0) {
            struct graph_region *own = regions + node->first;
            for (uint32_t j = 0; j < node->count; j++) {
                own[j].fade_in = own[j].fade_in == GRAPH_NONE ? GRAPH_NONE : finish->curve_ranks[own[j].fade_in];
                own[j].fade_out = own[j].fade_out == GRAPH_NONE ? GRAPH_NONE : finish->curve_ranks[own[j].fade_out];
            }
            qsort(own, node->count, sizeof *own, graph_compare_regions);
            finish->region_count += node->count;
        } else if (!graph_node_is_source(node)) {
            finish->input_count += node->count;
        }
    }
}

static int compare_heights(const void *a, const void *b, void *context)
{
    const struct graph_finish *finish = context;
    uint32_t left = finish->heights[*(const uint32_t *)a];
    uint32_t right = finish->heights[*(const uint32_t *)b];
    return left != right ? (left > right) - (left < right) : graph_compare_indices(a, b);
}

static int compare_node_places(const void *a, const void *b, void *builder)
{
    return graph_node_compare(builder, *(const uint32_t *)a, *(const uint32_t *)b);
}

static void rank_nodes(struct graph_finish *finish)
{
    struct graph_builder *builder = finish->builder;
    const struct graph_node *nodes = builder->nodes.items;
    uint32_t *inputs = builder->inputs.items;
    uint32_t *order = finish->order;
    qsort_r(order, finish->node_count, sizeof *order, compare_heights, finish);
    uint32_t end;
    for (uint32_t begin = 0; begin < finish->node_count; begin = end) {
        end = begin;
        while (end < finish->node_count && finish->heights[order[end]] == finish->heights[order[begin]]) {
            const struct graph_node *node = &nodes[order[end++]];
            if (graph_node_is_source(node) || node->count == 0) {
                continue;
            }
            uint32_t *own = inputs + node->first;
            for (uint32_t j = 0; j < node->count; j++) {
                own[j] = finish->ranks[own[j]];
            }
            if (is_sum(node)) {
                qsort(own, node->count, sizeof *own, graph_compare_indices);
            }
        }
        qsort_r(order + begin, end - begin, sizeof *order, compare_node_places, builder);
        for (uint32_t i = begin; i < end; i++) {
            finish->ranks[order[i]] = i;
        }
    }
}

static int compare_markers(const void *a, const void *b)
{
    const struct graph_marker *left = a;
    const struct graph_marker *right = b;
    int order = (left->frame > right->frame) - (left->frame < right->frame);
    return order != 0 ? order : strcmp(left->name, right->name);
}

/* A copy of a whole table in the graph's arena. */
static bool copy_table(struct lh_arena *arena, const struct graph_table *table, size_t size, void *copy)
{
    void *items = lh_arena_array(arena, table->count, size);
    if (items != NULL && table->count > 0) {
        memcpy(items, table->items, table->count * size);
    }
    memcpy(copy, &items, sizeof items);
    return items != NULL;
}

static enum lh_status emit_curves(const struct graph_finish *finish, struct graph_owner *owner)
{
    const struct graph_builder *builder = finish->builder;
    struct graph_curve *curves = lh_arena_array(&owner->arena, finish->curve_count, sizeof *curves);
    struct graph_point *points = lh_arena_array(&owner->arena, finish->point_count, sizeof *points);
    if (curves == NULL || points == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    uint32_t at = 0;
    for (uint32_t i = 0; i < finish->curve_count; i++) {
        const struct graph_curve *old = (const struct graph_curve *)builder->curves.items + finish->curve_order[i];
        memcpy(points + at, (const struct graph_point *)builder->points.items + old->first,
               old->count * sizeof *points);
        curves[i] = (struct graph_curve){.first = at, .count = old->count};
        at += old->count;
    }
    owner->graph.curves = curves;
    owner->graph.curve_count = finish->curve_count;
    owner->graph.points = points;
    owner->graph.point_count = finish->point_count;
    return LH_OK;
}

static enum lh_status emit_nodes(const struct graph_finish *finish, struct graph_owner *owner)
{
    const struct graph_builder *builder = finish->builder;
    struct graph_node *nodes = lh_arena_array(&owner->arena, finish->node_count, sizeof *nodes);
    struct graph_region *regions = lh_arena_array(&owner->arena, finish->region_count, sizeof *regions);
    uint32_t *inputs = lh_arena_array(&owner->arena, finish->input_count, sizeof *inputs);
    uint32_t *refs = lh_arena_array(&owner->arena, finish->ref_count, sizeof *refs);
    if (nodes == NULL || regions == NULL || inputs == NULL || refs == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    struct graph *graph = &owner->graph;
    for (uint32_t i = 0; i < finish->node_count; i++) {
        const struct graph_node *old = (const struct graph_node *)builder->nodes.items + finish->order[i];
        nodes[i] = *old;
        if (old->kind == GRAPH_NODE_CLIPS) {
            nodes[i].first = graph->region_count;
            for (uint32_t j = 0; j < old->count; j++) {
                regions[graph->region_count++] = ((const struct graph_region *)builder->regions.items)[old->first + j];
            }
            continue;
        }
        if (old->kind == GRAPH_NODE_STORED) {
            continue; /* its entry stays where it is */
        }
        nodes[i].first = graph->input_count;
        for (uint32_t j = 0; j < old->count; j++) {
            inputs[graph->input_count++] = ((const uint32_t *)builder->inputs.items)[old->first + j];
        }
        if (old->kind == GRAPH_NODE_GAIN) {
            nodes[i].curves = graph->curve_ref_count;
            for (uint32_t j = 0; j < old->channels; j++) {
                refs[graph->curve_ref_count++] = ((const uint32_t *)builder->curve_refs.items)[old->curves + j];
            }
        }
    }
    graph->nodes = nodes;
    graph->node_count = finish->node_count;
    graph->regions = regions;
    graph->inputs = inputs;
    graph->curve_refs = refs;
    return graph_finish_emit_inserts(finish, owner, nodes);
}

static enum lh_status emit(const struct graph_finish *finish, struct graph_owner *owner)
{
    struct graph_builder *builder = finish->builder;
    struct graph *graph = &owner->graph;
    graph->sample_rate = builder->sample_rate;
    graph->quantum = builder->quantum;
    struct graph_deliverable *deliverables = builder->deliverables.items;
    for (uint32_t i = 0; i < builder->deliverables.count; i++) {
        deliverables[i].node = finish->ranks[deliverables[i].node];
    }
    if (builder->markers.count > 0) {
        qsort(builder->markers.items, builder->markers.count, sizeof(struct graph_marker), compare_markers);
    }
    if (!copy_table(&owner->arena, &builder->media, sizeof *graph->media, &graph->media) ||
        !copy_table(&owner->arena, &builder->stored, sizeof *graph->stored, &graph->stored) ||
        !copy_table(&owner->arena, &builder->deliverables, sizeof *graph->deliverables, &graph->deliverables) ||
        !copy_table(&owner->arena, &builder->tags, sizeof *graph->tags, &graph->tags) ||
        !copy_table(&owner->arena, &builder->markers, sizeof *graph->markers, &graph->markers)) {
        return LH_ERR_NO_MEMORY;
    }
    graph->media_count = builder->media.count;
    graph->stored_count = builder->stored.count;
    graph->deliverable_count = builder->deliverables.count;
    graph->tag_count = builder->tags.count;
    graph->marker_count = builder->markers.count;
    enum lh_status status = emit_curves(finish, owner);
    return status != LH_OK ? status : emit_nodes(finish, owner);
}

/* Orders everything in `scratch` and writes the graph into `owner`, which takes over the builder's texts. */
static enum lh_status assemble(struct graph_builder *builder, struct lh_arena *scratch, struct graph_owner *owner)
{
    struct graph_finish finish = {.builder = builder};
    finish.heights = lh_arena_array(scratch, builder->nodes.count, sizeof *finish.heights);
    builder->places = malloc(((size_t)builder->nodes.count + 1) * sizeof *builder->places);
    finish.ranks = builder->places;
    finish.order = lh_arena_array(scratch, builder->nodes.count, sizeof *finish.order);
    finish.curve_ranks = lh_arena_array(scratch, builder->curves.count, sizeof *finish.curve_ranks);
    finish.curve_order = lh_arena_array(scratch, builder->curves.count, sizeof *finish.curve_order);
    finish.plugin_ranks = lh_arena_array(scratch, builder->plugins.count, sizeof *finish.plugin_ranks);
    finish.plugin_order = lh_arena_array(scratch, builder->plugins.count, sizeof *finish.plugin_order);
    if (finish.plugin_ranks == NULL || finish.plugin_order == NULL || finish.heights == NULL || finish.ranks == NULL ||
        finish.order == NULL || finish.curve_ranks == NULL || finish.curve_order == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    for (uint32_t i = 0; i < builder->nodes.count; i++) {
        builder->places[i] = GRAPH_NONE;
    }
    owner->arena = builder->texts;
    lh_arena_init(&builder->texts);
    measure_heights(&finish);
    rank_curves(&finish);
    rename_curves(&finish);
    graph_finish_rename_inserts(&finish);
    rank_nodes(&finish);
    return emit(&finish, owner);
}

uint32_t graph_builder_place(const struct graph_builder *builder, uint32_t node)
{
    return builder->places != NULL && node < builder->nodes.count ? builder->places[node] : GRAPH_NONE;
}

enum lh_status graph_builder_finish(struct graph_builder *builder, const struct graph **graph, struct lh_error *error)
{
    if (builder->finished) {
        return lh_error_set(error, LH_ERR_USAGE, NULL, "this graph has been finished already");
    }
    builder->finished = true;
    struct graph_owner *owner = graph_owner_new();
    if (owner == NULL) {
        return lh_error_no_memory(error);
    }
    struct lh_arena scratch;
    lh_arena_init(&scratch);
    enum lh_status status = assemble(builder, &scratch, owner);
    lh_arena_fini(&scratch);
    if (status == LH_OK) {
        status = graph_check(&owner->graph, error);
    } else {
        lh_error_no_memory(error);
    }
    if (status != LH_OK) {
        graph_unref(&owner->graph);
        return status;
    }
    *graph = &owner->graph;
    return LH_OK;
}
