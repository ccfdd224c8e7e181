/* SPDX-License-Identifier: MIT */
/* What a plan is made from: keys, prices, passes; and then the cuts of each pass. */
#include "pulse-daemon/shard/draft.h"

#include <string.h>

#include "pulse-daemon/shard/piece.h"
#include "pulse-daemon/shard/work.h"

static enum lh_status find_keys(struct pulse_draft *draft)
{
    const struct graph *graph = draft->graph;
    draft->node_keys = lh_arena_array(draft->arena, graph->node_count, sizeof *draft->node_keys);
    draft->deliverable_keys = lh_arena_array(draft->arena, graph->deliverable_count, sizeof *draft->deliverable_keys);
    if (draft->node_keys == NULL || draft->deliverable_keys == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    return graph_keys(graph, draft->options->media, draft->options->context, draft->node_keys, draft->deliverable_keys);
}

static enum lh_status find_prices(struct pulse_draft *draft)
{
    const struct graph *graph = draft->graph;
    const struct pulse_costs *costs = draft->options->costs;
    char name[PULSE_COST_NAME_SIZE];
    draft->prices = (struct pulse_prices){
        .mix = pulse_costs_ns(costs, "mix"),
        .conform = pulse_costs_ns(costs, "conform"),
        .meter = pulse_costs_ns(costs, "meter"),
        .store = pulse_costs_ns(costs, "store"),
        .load = pulse_costs_ns(costs, "load"),
        .shard = pulse_costs_ns(costs, "shard"),
        .plugins = lh_arena_array(draft->arena, graph->plugin_count, sizeof(double)),
    };
    if (draft->prices.plugins == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    for (uint32_t p = 0; p < graph->plugin_count; p++) {
        pulse_cost_plugin_name(&graph->plugins[p].digest, name);
        draft->prices.plugins[p] = pulse_costs_ns(costs, name);
    }
    for (unsigned f = 0; f < GRAPH_FORMAT_COUNT; f++) {
        pulse_cost_format_name((enum graph_format)f, name);
        draft->prices.encode[f] = pulse_costs_ns(costs, name);
    }
    return LH_OK;
}

/* Wanted, and what the gain of something wanted comes from. */
static enum lh_status find_needed(struct pulse_draft *draft)
{
    const struct graph *graph = draft->graph;
    draft->wanted = lh_arena_array(draft->arena, graph->deliverable_count, sizeof *draft->wanted);
    draft->needed = lh_arena_array(draft->arena, graph->deliverable_count, sizeof *draft->needed);
    if (draft->wanted == NULL || draft->needed == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    for (uint32_t d = 0; d < graph->deliverable_count; d++) {
        draft->wanted[d] = draft->options->wanted == NULL || draft->options->wanted[d];
        draft->needed[d] = draft->needed[d] || draft->wanted[d];
        if (draft->wanted[d] && graph->deliverables[d].gain_from != GRAPH_NONE) {
            draft->needed[graph->deliverables[d].gain_from] = true;
        }
    }
    return LH_OK;
}

static enum lh_status find_passes(struct pulse_draft *draft)
{
    const struct graph *graph = draft->graph;
    draft->pass_of = lh_arena_array(draft->arena, graph->deliverable_count, sizeof *draft->pass_of);
    draft->passes = lh_arena_array(draft->arena, graph->deliverable_count, sizeof *draft->passes);
    draft->cone_seconds = lh_arena_array(draft->arena, graph->deliverable_count, sizeof *draft->cone_seconds);
    draft->cone_level = lh_arena_array(draft->arena, graph->deliverable_count, sizeof *draft->cone_level);
    if (draft->pass_of == NULL || draft->passes == NULL || draft->cone_seconds == NULL || draft->cone_level == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    for (uint32_t d = 0; d < graph->deliverable_count; d++) {
        uint32_t pass = 0;
        while (pass < draft->pass_count &&
               !graph_pass_is_same(graph, &graph->deliverables[draft->passes[pass].first], &graph->deliverables[d])) {
            pass++;
        }
        if (pass == draft->pass_count) {
            draft->passes[draft->pass_count++] = (struct pulse_pass){.first = d};
        }
        draft->pass_of[d] = pass;
    }
    return LH_OK;
}

double pulse_draft_delivering(const struct pulse_draft *draft, uint32_t d)
{
    const struct graph_deliverable *deliverable = &draft->graph->deliverables[d];
    double samples = pulse_work_delivered(draft->graph, deliverable);
    double converting = deliverable->rate != draft->graph->sample_rate ? draft->prices.conform : 0;
    return samples * (draft->prices.meter + draft->prices.encode[deliverable->format] + converting) * 1e-9;
}

/* What everything costs when it is done in one go. */
static enum lh_status add_up(struct pulse_draft *draft, struct pulse_sweep *sweep)
{
    const struct graph *graph = draft->graph;
    draft->seconds = 0;
    for (uint32_t m = 0; m < graph->media_count; m++) {
        draft->seconds += pulse_work_conform(&graph->media[m]) * draft->prices.conform * 1e-9;
    }
    for (uint32_t d = 0; d < graph->deliverable_count; d++) {
        draft->seconds += draft->needed[d] ? pulse_draft_delivering(draft, d) : 0;
    }
    for (uint32_t p = 0; p < draft->pass_count; p++) {
        if (pulse_sweep_pass(sweep, draft, p) != LH_OK) {
            return LH_ERR_NO_MEMORY;
        }
        for (uint32_t n = 0; n < graph->node_count; n++) {
            draft->seconds += sweep->wanted[n] ? sweep->own[n] : 0;
        }
    }
    return LH_OK;
}

enum lh_status pulse_draft_init(struct pulse_draft *draft, const struct graph *graph, struct lh_error *error)
{
    struct pulse_sweep sweep;
    graph_ref(graph);
    draft->graph = graph;
    if (find_keys(draft) != LH_OK || find_prices(draft) != LH_OK || find_needed(draft) != LH_OK ||
        find_passes(draft) != LH_OK || pulse_sweep_init(&sweep, draft) != LH_OK || add_up(draft, &sweep) != LH_OK) {
        return lh_error_no_memory(error);
    }
    draft->whole = draft->seconds < draft->limits.whole_seconds;
    if (draft->whole) {
        return LH_OK;
    }
    const struct graph *parted = NULL;
    enum lh_status status = pulse_parts_make(draft, &sweep, &parted, error);
    if (status != LH_OK) {
        return status;
    }
    bool same = parted == graph;
    graph_unref(draft->graph);
    draft->graph = parted;
    /* The partial sums have keys, plugins may have changed places. */
    return same || (find_keys(draft) == LH_OK && find_prices(draft) == LH_OK) ? LH_OK : lh_error_no_memory(error);
}

void pulse_draft_fini(struct pulse_draft *draft)
{
    graph_unref(draft->graph);
    pulse_keyed_fini(&draft->cut_of_key);
}

/* Room for one more of `size` bytes in an array that grows in the arena; NULL when memory is out. */
static void *grown(struct lh_arena *arena, void *array, uint32_t count, uint32_t *room, size_t size)
{
    if (count < *room) {
        return array;
    }
    uint32_t larger = *room > 0 ? 2 * *room : 64;
    void *copy = lh_arena_array(arena, larger, size);
    if (copy != NULL && count > 0) {
        memcpy(copy, array, count * size);
    }
    *room = copy != NULL ? larger : *room;
    return copy;
}

/* The cut with this key: one that is there, or a new one. */
static enum lh_status add_cut(struct pulse_draft *draft, const struct pulse_cut *cut, uint32_t *index)
{
    const uint32_t *there = pulse_keyed_find(&draft->cut_of_key, &cut->key);
    if (there != NULL) {
        *index = *there;
        return LH_OK;
    }
    struct pulse_cut *cuts = grown(draft->arena, draft->cuts, draft->cut_count, &draft->cut_room, sizeof *cuts);
    if (cuts == NULL || pulse_keyed_add(&draft->cut_of_key, &cut->key, draft->cut_count) != LH_OK) {
        return LH_ERR_NO_MEMORY;
    }
    draft->cuts = cuts;
    draft->cuts[draft->cut_count] = *cut;
    *index = draft->cut_count++;
    return LH_OK;
}

static enum lh_status place_cut(struct pulse_draft *draft, const struct pulse_sweep *sweep, uint32_t n)
{
    struct pulse_cut cut = {
        .pass = sweep->pass,
        .node = n,
        .span = sweep->spans[n],
        .sum = graph_node_is_sum(draft->graph, n),
        .unproven = sweep->unproven[n],
        .bytes = pulse_work_stored(draft->graph, n, &sweep->spans[n]),
    };
    struct pulse_place *places =
        grown(draft->arena, draft->places, draft->place_count, &draft->place_room, sizeof *places);
    if (places == NULL || graph_key_output(draft->options->context, draft->graph->sample_rate, &draft->node_keys[n],
                                           cut.sum, &cut.span, &cut.key) != LH_OK) {
        return LH_ERR_NO_MEMORY;
    }
    draft->places = places;
    struct pulse_place *place = &draft->places[draft->place_count];
    place->node = n;
    if (add_cut(draft, &cut, &place->cut) != LH_OK) {
        return LH_ERR_NO_MEMORY;
    }
    draft->place_count++;
    draft->passes[sweep->pass].place_count++;
    return LH_OK;
}

/* A plugin that is not proven repeatable but could not be cut off: nobody knows how far it is read. */
static bool is_torn(const struct pulse_draft *draft, const struct pulse_sweep *sweep, uint32_t n)
{
    return draft->graph->nodes[n].kind == GRAPH_NODE_PLUGIN && sweep->loose[n] && sweep->open[n] && !sweep->cut[n];
}

/* Cuts of the pass from the sources up, so that each has the level and the cost of what is upstream of it. */
static void price_cuts(struct pulse_draft *draft, const struct pulse_sweep *sweep, struct pulse_walk *walk)
{
    const struct pulse_pass *pass = &draft->passes[sweep->pass];
    for (uint32_t i = 0; i < pass->place_count; i++) {
        const struct pulse_place *place = &draft->places[pass->place_first + i];
        struct pulse_cut *cut = &draft->cuts[place->cut];
        if (cut->pass == sweep->pass) {
            pulse_walk_begin(walk);
            pulse_walk_from(walk, draft, place->node, NULL, true);
            cut->seconds =
                pulse_sweep_storing(sweep, draft, place->node) + pulse_walk_seconds(walk, draft, sweep, &cut->level);
        }
    }
}

static void price_deliverables(struct pulse_draft *draft, const struct pulse_sweep *sweep, struct pulse_walk *walk)
{
    for (uint32_t d = 0; d < draft->graph->deliverable_count; d++) {
        if (draft->pass_of[d] == sweep->pass && draft->needed[d]) {
            pulse_walk_begin(walk);
            pulse_walk_from(walk, draft, draft->graph->deliverables[d].node, NULL, false);
            draft->cone_seconds[d] = pulse_walk_seconds(walk, draft, sweep, &draft->cone_level[d]);
        }
    }
}

enum lh_status pulse_draft_cut(struct pulse_draft *draft)
{
    struct pulse_sweep sweep;
    struct pulse_walk walk;
    enum lh_status status = pulse_sweep_init(&sweep, draft);
    status = status == LH_OK ? pulse_walk_init(&walk, draft) : status;
    for (uint32_t p = 0; status == LH_OK && !draft->whole && p < draft->pass_count; p++) {
        status = pulse_sweep_pass(&sweep, draft, p);
        draft->passes[p].place_first = draft->place_count;
        for (uint32_t n = 0; status == LH_OK && n < draft->graph->node_count; n++) {
            if (sweep.wanted[n] && sweep.cut[n]) {
                status = place_cut(draft, &sweep, n);
            }
            draft->whole = draft->whole || is_torn(draft, &sweep, n);
        }
        if (status == LH_OK) {
            pulse_walk_load(&walk, draft, p);
            price_cuts(draft, &sweep, &walk);
            price_deliverables(draft, &sweep, &walk);
        }
    }
    if (draft->whole) {
        draft->cut_count = draft->place_count = 0;
        for (uint32_t p = 0; p < draft->pass_count; p++) {
            draft->passes[p].place_count = 0;
        }
    }
    return status;
}
