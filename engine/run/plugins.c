/* SPDX-License-Identifier: MIT */
/* Making and freeing the units of a pass. */
#include "engine/run/plugins.h"

#include <stdlib.h>

#include "engine/dsp/fpenv.h"

struct engine_watch_slot *engine_plugins_slot(const struct engine_state *state, uint32_t worker)
{
    struct engine_watch *watch = state->job->watch;
    return watch != NULL ? &watch->slots[worker] : NULL;
}

static enum lh_status make_unit(struct engine_plugins *plugins, const struct engine_state *state, uint32_t first,
                                uint32_t node, struct lh_error *error)
{
    const struct graph *graph = state->graph;
    const struct graph_deliverable *pass = &graph->deliverables[first];
    uint32_t insert = graph->nodes[node].insert;
    struct engine_unit_spec spec = {.host = state->job->host,
                                    .graph = graph,
                                    .node = node,
                                    .begin = graph_pass_begin(graph, pass),
                                    .silence = graph_pass_silence(graph, pass),
                                    .scratch = state->job->scratch_folder,
                                    .slot = engine_plugins_slot(state, 0),
                                    .asked = pass->start == pass->end && graph_deliverable_tail(pass) == 0};
    if (atomic_load_explicit(&state->job->progress->cancel, memory_order_relaxed) != 0) {
        return lh_error_set(error, LH_ERR_CANCELLED, NULL, "interrupted");
    }
    if (spec.host == NULL) {
        return lh_error_set(error, LH_ERR_UNSUPPORTED, graph->nodes[node].label, "plugins cannot be hosted here");
    }
    enum lh_status status = engine_unit_new(&spec, &plugins->units[insert], error);
    if (status == LH_OK) {
        plugins->latency[insert] = plugins->units[insert]->latency;
    }
    return status;
}

static enum lh_status make_units(struct engine_plugins *plugins, const struct engine_state *state, uint32_t first,
                                 const uint32_t *uses, struct lh_error *error)
{
    const struct graph *graph = state->graph;
    struct engine_fpenv before = engine_fpenv_enter();
    enum lh_status status = LH_OK;
    for (uint32_t n = 0; status == LH_OK && n < graph->node_count; n++) {
        if (graph->nodes[n].kind == GRAPH_NODE_PLUGIN && uses[n] > 0) {
            status = make_unit(plugins, state, first, n, error);
        }
    }
    engine_fpenv_restore(before);
    return status;
}

enum lh_status engine_plugins_init(struct engine_plugins *plugins, const struct engine_state *state, uint32_t first,
                                   struct lh_error *error)
{
    const struct graph *graph = state->graph;
    *plugins = (struct engine_plugins){.units = NULL};
    if (graph->insert_count == 0) {
        return LH_OK;
    }
    uint32_t *uses = calloc((size_t)graph->node_count + 1, sizeof *uses);
    plugins->units = calloc(graph->insert_count, sizeof *plugins->units);
    plugins->latency = calloc(graph->insert_count, sizeof *plugins->latency);
    enum lh_status status;
    if (uses != NULL && plugins->units != NULL && plugins->latency != NULL) {
        engine_plan_count_uses(graph, first, uses);
        status = make_units(plugins, state, first, uses, error);
    } else {
        status = lh_error_no_memory(error);
    }
    free(uses);
    if (status != LH_OK) {
        engine_plugins_fini(plugins, state);
    }
    return status;
}

void engine_plugins_fini(struct engine_plugins *plugins, const struct engine_state *state)
{
    struct engine_fpenv before = engine_fpenv_enter();
    for (uint32_t i = 0; plugins->units != NULL && i < state->graph->insert_count; i++) {
        engine_unit_free(plugins->units[i], engine_plugins_slot(state, 0));
    }
    engine_fpenv_restore(before);
    free(plugins->units);
    free(plugins->latency);
    plugins->units = NULL;
    plugins->latency = NULL;
}

void engine_plugins_tell(const struct engine_plugins *plugins, const struct engine_state *state,
                         struct engine_inserted *inserted)
{
    for (uint32_t i = 0; i < state->graph->insert_count; i++) {
        const struct engine_unit *unit = plugins->units[i];
        if (unit != NULL) {
            bool changed = inserted[i].latency_changed || unit->latency_changed;
            inserted[i] = (struct engine_inserted){.node = unit->node,
                                                   .latency = unit->reported,
                                                   .copies = unit->fit.copies,
                                                   .latency_changed = changed,
                                                   .seconds = inserted[i].seconds + (double)unit->spent_ns * 1e-9};
        }
    }
}
