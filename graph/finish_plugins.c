/* SPDX-License-Identifier: MIT */
/* The plugins' part of finishing a graph: those that a delivered node uses, in an order by their content. */
#include <stdlib.h>
#include <string.h>

#include "graph/finish.h"

static struct graph_insert *insert_of(const struct graph_finish *finish, uint32_t place)
{
    const struct graph_node *node = (const struct graph_node *)finish->builder->nodes.items + finish->order[place];
    return node->kind == GRAPH_NODE_PLUGIN ? (struct graph_insert *)finish->builder->inserts.items + node->insert
                                           : NULL;
}

static int compare_plugin_places(const void *a, const void *b, void *plugins)
{
    const struct graph_plugin *table = plugins;
    return graph_plugin_compare(&table[*(const uint32_t *)a], &table[*(const uint32_t *)b]);
}

void graph_finish_use_inserts(struct graph_finish *finish)
{
    struct graph_builder *builder = finish->builder;
    const struct graph_parameter *parameters = builder->parameters.items;
    for (uint32_t i = 0; i < builder->plugins.count; i++) {
        finish->plugin_ranks[i] = GRAPH_NONE;
    }
    for (uint32_t i = 0; i < finish->node_count; i++) {
        const struct graph_insert *insert = insert_of(finish, i);
        if (insert == NULL) {
            continue;
        }
        for (uint32_t j = 0; j < insert->parameter_count; j++) {
            graph_finish_use_curve(finish, parameters[insert->parameter_first + j].curve);
        }
        finish->insert_count++;
        finish->parameter_count += insert->parameter_count;
        finish->event_count += insert->event_count;
        if (finish->plugin_ranks[insert->plugin] == GRAPH_NONE) {
            finish->plugin_ranks[insert->plugin] = 0;
            finish->plugin_order[finish->plugin_count++] = insert->plugin;
        }
    }
    qsort_r(finish->plugin_order, finish->plugin_count, sizeof *finish->plugin_order, compare_plugin_places,
            builder->plugins.items);
    for (uint32_t i = 0; i < finish->plugin_count; i++) {
        finish->plugin_ranks[finish->plugin_order[i]] = i;
    }
}

void graph_finish_rename_inserts(struct graph_finish *finish)
{
    struct graph_parameter *parameters = finish->builder->parameters.items;
    for (uint32_t i = 0; i < finish->node_count; i++) {
        struct graph_insert *insert = insert_of(finish, i);
        if (insert == NULL) {
            continue;
        }
        insert->plugin = finish->plugin_ranks[insert->plugin];
        for (uint32_t j = 0; j < insert->parameter_count; j++) {
            struct graph_parameter *parameter = &parameters[insert->parameter_first + j];
            parameter->curve = finish->curve_ranks[parameter->curve];
        }
    }
}

/* memcpy() takes no NULL, not even for nothing. */
static void copy(void *out, const void *table, size_t first, size_t count, size_t size)
{
    if (count > 0) {
        memcpy(out, (const char *)table + first * size, count * size);
    }
}

enum lh_status graph_finish_emit_inserts(const struct graph_finish *finish, struct graph_owner *owner,
                                         struct graph_node *nodes)
{
    const struct graph_builder *builder = finish->builder;
    struct graph *graph = &owner->graph;
    uint32_t tempo_count = finish->insert_count > 0 ? builder->tempo.count : 0;
    struct graph_plugin *plugins = lh_arena_array(&owner->arena, finish->plugin_count, sizeof *plugins);
    struct graph_insert *inserts = lh_arena_array(&owner->arena, finish->insert_count, sizeof *inserts);
    struct graph_parameter *parameters = lh_arena_array(&owner->arena, finish->parameter_count, sizeof *parameters);
    struct graph_event *events = lh_arena_array(&owner->arena, finish->event_count, sizeof *events);
    struct graph_tempo *tempo = lh_arena_array(&owner->arena, tempo_count, sizeof *tempo);
    if (plugins == NULL || inserts == NULL || parameters == NULL || events == NULL || tempo == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    for (uint32_t i = 0; i < finish->plugin_count; i++) {
        plugins[i] = ((const struct graph_plugin *)builder->plugins.items)[finish->plugin_order[i]];
    }
    for (uint32_t i = 0; i < finish->node_count; i++) {
        const struct graph_insert *old = insert_of(finish, i);
        if (old == NULL) {
            continue;
        }
        nodes[i].insert = graph->insert_count;
        struct graph_insert *insert = &inserts[graph->insert_count++];
        *insert = *old;
        insert->parameter_first = graph->parameter_count;
        insert->event_first = graph->event_count;
        copy(parameters + graph->parameter_count, builder->parameters.items, old->parameter_first, old->parameter_count,
             sizeof *parameters);
        copy(events + graph->event_count, builder->events.items, old->event_first, old->event_count, sizeof *events);
        graph->parameter_count += old->parameter_count;
        graph->event_count += old->event_count;
    }
    copy(tempo, builder->tempo.items, 0, tempo_count, sizeof *tempo);
    graph->plugins = plugins;
    graph->plugin_count = finish->plugin_count;
    graph->inserts = inserts;
    graph->parameters = parameters;
    graph->events = events;
    graph->tempo = tempo;
    graph->tempo_count = tempo_count;
    return LH_OK;
}
