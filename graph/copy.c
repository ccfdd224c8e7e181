/* SPDX-License-Identifier: MIT */
/* Copying nodes: depth first along an explicit path, since a graph may be as deep as it is long. */
#include "graph/copy.h"

#include <stdlib.h>

#include "common/base/arena.h"

/* A node on the way down, and the input that is looked at next. */
struct step {
    uint32_t node, input;
};

struct graph_copy {
    const struct graph *graph;
    struct graph_builder *builder;
    struct lh_arena arena;   /* what stays */
    struct lh_arena scratch; /* what is gone when it starts anew */
    uint32_t *nodes;         /* the builder's; GRAPH_NONE: not copied yet */
    uint32_t *curves;        /* the same */
    uint32_t *media;         /* the same */
    uint32_t *stored;        /* entry -> the builder's node */
    /* Which of them are not GRAPH_NONE, so that starting anew costs what was copied. */
    uint32_t *node_order, *curve_order, *media_order, *stored_order;
    uint32_t node_count, curve_count, media_count, stored_count;
    struct step *path;
};

static uint32_t *new_map(struct lh_arena *arena, uint32_t count)
{
    uint32_t *map = lh_arena_array(arena, count, sizeof *map);
    for (uint32_t i = 0; map != NULL && i < count; i++) {
        map[i] = GRAPH_NONE;
    }
    return map;
}

static enum lh_status allocate(struct graph_copy *copy)
{
    const struct graph *graph = copy->graph;
    struct lh_arena *arena = &copy->arena;
    copy->nodes = new_map(arena, graph->node_count);
    copy->curves = new_map(arena, graph->curve_count);
    copy->media = new_map(arena, graph->media_count);
    copy->stored = new_map(arena, graph->stored_count);
    copy->node_order = lh_arena_array(arena, graph->node_count, sizeof *copy->node_order);
    copy->curve_order = lh_arena_array(arena, graph->curve_count, sizeof *copy->curve_order);
    copy->media_order = lh_arena_array(arena, graph->media_count, sizeof *copy->media_order);
    copy->stored_order = lh_arena_array(arena, graph->stored_count, sizeof *copy->stored_order);
    copy->path = lh_arena_array(arena, graph->node_count, sizeof *copy->path);
    bool whole = copy->nodes != NULL && copy->curves != NULL && copy->media != NULL && copy->stored != NULL &&
                 copy->node_order != NULL && copy->curve_order != NULL && copy->media_order != NULL &&
                 copy->stored_order != NULL && copy->path != NULL;
    return whole ? LH_OK : LH_ERR_NO_MEMORY;
}

enum lh_status graph_copy_new(const struct graph *graph, struct graph_builder *builder, struct graph_copy **copy)
{
    struct graph_copy *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    made->graph = graph;
    made->builder = builder;
    lh_arena_init(&made->arena);
    lh_arena_init(&made->scratch);
    enum lh_status status = allocate(made);
    status = status != LH_OK ? status : graph_builder_set_tempo(builder, graph->tempo, graph->tempo_count);
    if (status != LH_OK) {
        graph_copy_free(made);
        return status;
    }
    *copy = made;
    return LH_OK;
}

void graph_copy_free(struct graph_copy *copy)
{
    if (copy != NULL) {
        lh_arena_fini(&copy->arena);
        lh_arena_fini(&copy->scratch);
        free(copy);
    }
}

static void set_node(struct graph_copy *copy, uint32_t node, uint32_t made)
{
    if (copy->nodes[node] == GRAPH_NONE) {
        copy->node_order[copy->node_count++] = node;
    }
    copy->nodes[node] = made;
}

void graph_copy_replace(struct graph_copy *copy, uint32_t node, uint32_t stand_in)
{
    set_node(copy, node, stand_in);
}

static void forget(uint32_t *map, const uint32_t *order, uint32_t *count)
{
    while (*count > 0) {
        map[order[--*count]] = GRAPH_NONE;
    }
}

void graph_copy_forget(struct graph_copy *copy)
{
    forget(copy->nodes, copy->node_order, &copy->node_count);
}

enum lh_status graph_copy_restart(struct graph_copy *copy, struct graph_builder *builder)
{
    forget(copy->nodes, copy->node_order, &copy->node_count);
    forget(copy->curves, copy->curve_order, &copy->curve_count);
    forget(copy->media, copy->media_order, &copy->media_count);
    forget(copy->stored, copy->stored_order, &copy->stored_count);
    lh_arena_fini(&copy->scratch);
    copy->builder = builder;
    return graph_builder_set_tempo(builder, copy->graph->tempo, copy->graph->tempo_count);
}

/* ---- what nodes refer to ---- */

static enum lh_status copy_medium(struct graph_copy *copy, uint32_t medium)
{
    if (copy->media[medium] != GRAPH_NONE) {
        return LH_OK;
    }
    enum lh_status status = graph_builder_add_media(copy->builder, &copy->graph->media[medium], &copy->media[medium]);
    if (status == LH_OK) {
        copy->media_order[copy->media_count++] = medium;
    }
    return status;
}

static enum lh_status copy_stored(struct graph_copy *copy, uint32_t entry, const char *label)
{
    if (copy->stored[entry] != GRAPH_NONE) {
        return LH_OK;
    }
    enum lh_status status =
        graph_builder_add_stored(copy->builder, &copy->graph->stored[entry], label, &copy->stored[entry]);
    if (status == LH_OK) {
        copy->stored_order[copy->stored_count++] = entry;
    }
    return status;
}

static enum lh_status copy_curve(struct graph_copy *copy, uint32_t *curve)
{
    const struct graph *graph = copy->graph;
    if (*curve == GRAPH_NONE) {
        return LH_OK;
    }
    uint32_t *copied = &copy->curves[*curve];
    enum lh_status status = LH_OK;
    if (*copied == GRAPH_NONE) {
        const struct graph_curve *entry = &graph->curves[*curve];
        uint32_t added;
        status = graph_builder_add_curve(copy->builder, graph->points + entry->first, entry->count, &added);
        if (status == LH_OK) {
            copy->curve_order[copy->curve_count++] = *curve;
            *copied = added;
        }
    }
    *curve = *copied;
    return status;
}

enum lh_status graph_copy_sources(struct graph_copy *copy)
{
    const struct graph *graph = copy->graph;
    const char **labels = lh_arena_array(&copy->scratch, graph->stored_count, sizeof *labels);
    if (labels == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    for (uint32_t i = 0; i < graph->node_count; i++) {
        if (graph->nodes[i].kind == GRAPH_NODE_STORED) {
            labels[graph->nodes[i].first] = graph->nodes[i].label;
        }
    }
    enum lh_status status = LH_OK;
    for (uint32_t i = 0; status == LH_OK && i < graph->media_count; i++) {
        status = copy_medium(copy, i);
    }
    for (uint32_t i = 0; status == LH_OK && i < graph->stored_count; i++) {
        status = copy_stored(copy, i, labels[i]);
    }
    return status;
}

const uint32_t *graph_copy_media(const struct graph_copy *copy, uint32_t *count)
{
    *count = copy->media_count;
    return copy->media_order;
}

const uint32_t *graph_copy_stored(const struct graph_copy *copy, uint32_t *count)
{
    *count = copy->stored_count;
    return copy->stored_order;
}

/* ---- nodes whose inputs are copied ---- */

static enum lh_status copy_clips(struct graph_copy *copy, uint32_t index, uint32_t *made)
{
    const struct graph_node *node = &copy->graph->nodes[index];
    struct graph_region *regions = lh_arena_array(&copy->scratch, node->count, sizeof *regions);
    enum lh_status status = regions != NULL ? LH_OK : LH_ERR_NO_MEMORY;
    for (uint32_t i = 0; status == LH_OK && i < node->count; i++) {
        struct graph_region *region = &regions[i];
        *region = copy->graph->regions[node->first + i];
        status = copy_medium(copy, region->media);
        region->media = copy->media[region->media];
        status = status != LH_OK ? status : copy_curve(copy, &region->fade_in);
        status = status != LH_OK ? status : copy_curve(copy, &region->fade_out);
    }
    return status != LH_OK ? status
                           : graph_builder_add_clips(copy->builder, node->channels, node->invert, regions, node->count,
                                                     node->label, made);
}

static enum lh_status copy_gain(struct graph_copy *copy, uint32_t index, uint32_t *made)
{
    const struct graph *graph = copy->graph;
    const struct graph_node *node = &graph->nodes[index];
    uint32_t curves[GRAPH_CHANNELS_MAX];
    enum lh_status status = LH_OK;
    for (uint32_t i = 0; status == LH_OK && i < node->channels; i++) {
        curves[i] = graph->curve_refs[node->curves + i];
        status = copy_curve(copy, &curves[i]);
    }
    return status != LH_OK ? status
                           : graph_builder_add_gain(copy->builder, copy->nodes[graph->inputs[node->first]],
                                                    node->channels, curves, node->label, made);
}

static enum lh_status copy_sum(struct graph_copy *copy, uint32_t index, uint32_t *made)
{
    const struct graph_node *node = &copy->graph->nodes[index];
    uint32_t *inputs = lh_arena_array(&copy->scratch, node->count, sizeof *inputs);
    if (inputs == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    for (uint32_t i = 0; i < node->count; i++) {
        inputs[i] = copy->nodes[copy->graph->inputs[node->first + i]];
    }
    return graph_builder_add_sum(copy->builder, node->kind, node->channels, node->invert, inputs, node->count,
                                 node->label, made);
}

static enum lh_status copy_plugin(struct graph_copy *copy, uint32_t index, uint32_t *made)
{
    const struct graph *graph = copy->graph;
    const struct graph_node *node = &graph->nodes[index];
    const struct graph_insert *insert = &graph->inserts[node->insert];
    struct graph_plugin_node description = {
        .channels = node->channels,
        .input = insert->has_input ? copy->nodes[graph->inputs[node->first]] : GRAPH_NONE,
        .sidechain = insert->has_sidechain ? copy->nodes[graph->inputs[node->first + node->count - 1]] : GRAPH_NONE,
        .parameter_count = insert->parameter_count,
        .events = graph->events + insert->event_first,
        .event_count = insert->event_count,
        .preset = insert->preset,
        .preset_bundle = insert->preset_bundle,
        .state = insert->state,
        .folder = insert->folder,
        .identity = insert->identity,
    };
    struct graph_parameter *parameters = lh_arena_array(&copy->scratch, insert->parameter_count, sizeof *parameters);
    enum lh_status status = parameters != NULL ? LH_OK : LH_ERR_NO_MEMORY;
    for (uint32_t i = 0; status == LH_OK && i < insert->parameter_count; i++) {
        parameters[i] = graph->parameters[insert->parameter_first + i];
        status = copy_curve(copy, &parameters[i].curve);
    }
    description.parameters = parameters;
    status = status != LH_OK
                 ? status
                 : graph_builder_add_plugin(copy->builder, &graph->plugins[insert->plugin], &description.plugin);
    return status != LH_OK ? status : graph_builder_add_plugin_node(copy->builder, &description, node->label, made);
}

static enum lh_status copy_one(struct graph_copy *copy, uint32_t index, uint32_t *made)
{
    const struct graph_node *node = &copy->graph->nodes[index];
    enum lh_status status;
    switch (node->kind) {
    case GRAPH_NODE_CLIPS:
        return copy_clips(copy, index, made);
    case GRAPH_NODE_GAIN:
        return copy_gain(copy, index, made);
    case GRAPH_NODE_BUS:
    case GRAPH_NODE_PARTIAL:
        return copy_sum(copy, index, made);
    case GRAPH_NODE_PLUGIN:
        return copy_plugin(copy, index, made);
    case GRAPH_NODE_STORED:
        status = copy_stored(copy, node->first, node->label);
        *made = copy->stored[node->first];
        return status;
    }
    return LH_ERR_INTERNAL;
}

/* ---- what is asked for ---- */

enum lh_status graph_copy_node(struct graph_copy *copy, uint32_t node, uint32_t *copied)
{
    const struct graph *graph = copy->graph;
    enum lh_status status = LH_OK;
    /* Inputs stand lower in the table, so the path never holds more than all nodes. */
    uint32_t depth = 0;
    if (copy->nodes[node] == GRAPH_NONE) {
        copy->path[depth++] = (struct step){.node = node};
    }
    while (status == LH_OK && depth > 0) {
        struct step *step = &copy->path[depth - 1];
        const struct graph_node *entry = &graph->nodes[step->node];
        if (graph_node_is_source(entry) || step->input == entry->count) {
            uint32_t made;
            status = copy_one(copy, step->node, &made);
            if (status == LH_OK) {
                set_node(copy, step->node, made);
            }
            depth--;
        } else {
            uint32_t input = graph->inputs[entry->first + step->input++];
            if (copy->nodes[input] == GRAPH_NONE) {
                copy->path[depth++] = (struct step){.node = input};
            }
        }
    }
    if (status == LH_OK) {
        *copied = copy->nodes[node];
    }
    return status;
}

enum lh_status graph_copy_deliverable(struct graph_copy *copy, uint32_t deliverable, uint32_t gain_from,
                                      uint32_t *index)
{
    const struct graph *graph = copy->graph;
    struct graph_deliverable entry = graph->deliverables[deliverable];
    enum lh_status status = graph_copy_node(copy, entry.node, &entry.node);
    entry.gain_from = gain_from;
    return status != LH_OK ? status
                           : graph_builder_add_deliverable(copy->builder, &entry,
                                                           entry.tag_count > 0 ? &graph->tags[entry.tag_first] : NULL,
                                                           entry.tag_count, index);
}

enum lh_status graph_copy_markers(struct graph_copy *copy)
{
    const struct graph *graph = copy->graph;
    enum lh_status status = LH_OK;
    for (uint32_t i = 0; status == LH_OK && i < graph->marker_count; i++) {
        status = graph_builder_add_marker(copy->builder, graph->markers[i].frame, graph->markers[i].name);
    }
    return status;
}
