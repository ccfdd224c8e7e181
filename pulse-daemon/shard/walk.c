/* SPDX-License-Identifier: MIT */
/* Which nodes a piece needs. A walk touches no node that it does not need, so that many small pieces of a large graph
   cost what they hold. */
#include "pulse-daemon/shard/piece.h"

enum lh_status pulse_walk_init(struct pulse_walk *walk, const struct pulse_draft *draft)
{
    size_t nodes = draft->graph->node_count;
    *walk = (struct pulse_walk){
        .mark = lh_arena_array(draft->arena, nodes, sizeof *walk->mark),
        .read = lh_arena_array(draft->arena, nodes, sizeof *walk->read),
        .cut_of = lh_arena_array(draft->arena, nodes, sizeof *walk->cut_of),
        .pass = GRAPH_NONE,
        .stack = lh_arena_array(draft->arena, nodes + 1, sizeof *walk->stack),
        .nodes = lh_arena_array(draft->arena, nodes, sizeof *walk->nodes),
    };
    if (walk->mark == NULL || walk->read == NULL || walk->cut_of == NULL || walk->stack == NULL ||
        walk->nodes == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    for (size_t n = 0; n < nodes; n++) {
        walk->cut_of[n] = GRAPH_NONE;
    }
    return LH_OK;
}

static void set_places(struct pulse_walk *walk, const struct pulse_draft *draft, bool there)
{
    const struct pulse_pass *pass = &draft->passes[walk->pass];
    for (uint32_t i = 0; i < pass->place_count; i++) {
        const struct pulse_place *place = &draft->places[pass->place_first + i];
        walk->cut_of[place->node] = there ? place->cut : GRAPH_NONE;
    }
}

void pulse_walk_load(struct pulse_walk *walk, const struct pulse_draft *draft, uint32_t pass)
{
    if (walk->pass == pass) {
        return;
    }
    if (walk->pass != GRAPH_NONE) {
        set_places(walk, draft, false);
    }
    walk->pass = pass;
    set_places(walk, draft, true);
}

void pulse_walk_begin(struct pulse_walk *walk)
{
    walk->walk++;
    walk->count = 0;
}

/* A node is on the stack at most once: it is marked when it is put there. */
static void put(struct pulse_walk *walk, uint32_t node, uint32_t *depth)
{
    if (walk->mark[node] != walk->walk) {
        walk->mark[node] = walk->walk;
        walk->stack[(*depth)++] = node;
    }
}

void pulse_walk_from(struct pulse_walk *walk, const struct pulse_draft *draft, uint32_t root, const bool *read,
                     bool made)
{
    const struct graph *graph = draft->graph;
    uint32_t depth = 0;
    put(walk, root, &depth);
    while (depth > 0) {
        uint32_t n = walk->stack[--depth];
        const struct graph_node *node = &graph->nodes[n];
        uint32_t cut = walk->cut_of[n];
        walk->nodes[walk->count++] = n;
        walk->read[n] = cut != GRAPH_NONE && (read == NULL || read[cut]) && !(made && n == root);
        for (uint32_t i = 0; !walk->read[n] && !graph_node_is_source(node) && i < node->count; i++) {
            put(walk, graph->inputs[node->first + i], &depth);
        }
    }
}

double pulse_walk_seconds(const struct pulse_walk *walk, const struct pulse_draft *draft,
                          const struct pulse_sweep *sweep, uint32_t *level)
{
    double seconds = 0;
    *level = 0;
    for (uint32_t i = 0; i < walk->count; i++) {
        uint32_t n = walk->nodes[i];
        if (!walk->read[n]) {
            seconds += sweep->own[n];
            continue;
        }
        uint32_t above = draft->cuts[walk->cut_of[n]].level + 1;
        *level = above > *level ? above : *level;
        seconds += pulse_sweep_loading(sweep, draft, n);
    }
    return seconds;
}
