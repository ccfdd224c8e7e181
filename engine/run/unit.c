/* SPDX-License-Identifier: MIT */
/* Making the instances of a PLUGIN node, connecting them, and telling what they delay by. */
#include "engine/run/unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "engine/run/unit_impl.h"

enum lh_status engine_unit_fault(const struct graph *graph, uint32_t n, int64_t frame, enum lh_status status,
                                 struct lh_error *error)
{
    const struct graph_node *node = &graph->nodes[n];
    const char *uri = graph->plugins[graph->inserts[node->insert].plugin].uri;
    if (error != NULL && status != LH_ERR_NO_MEMORY) {
        char at[40] = "";
        if (frame >= 0) {
            snprintf(at, sizeof at, ", frame %lld", (long long)frame);
        }
        snprintf(error->where, sizeof error->where, "%s (%s)%s", node->label, uri, at);
    }
    return status;
}

static const struct graph_insert *insert_of(const struct engine_unit *unit)
{
    return &unit->graph->inserts[unit->graph->nodes[unit->node].insert];
}

static struct engine_plugin_config configure(const struct engine_unit_spec *spec)
{
    const struct graph *graph = spec->graph;
    const struct graph_insert *insert = &graph->inserts[graph->nodes[spec->node].insert];
    return (struct engine_plugin_config){.uri = graph->plugins[insert->plugin].uri,
                                         .sample_rate = graph->sample_rate,
                                         .quantum = graph->quantum,
                                         .preset = insert->preset,
                                         .state = insert->state,
                                         .folder = insert->folder,
                                         .scratch = spec->scratch};
}

static enum lh_status fit_plugin(struct engine_unit *unit, const struct engine_unit_spec *spec, struct lh_error *error)
{
    const char *uri = unit->graph->plugins[insert_of(unit)->plugin].uri;
    uint32_t channels = unit->graph->nodes[unit->node].channels;
    uint32_t inputs, outputs;
    enum lh_status status = engine_host_audio_ports(spec->host, uri, &inputs, &outputs, error);
    if (status != LH_OK) {
        return status;
    }
    if (!graph_fit_plugin(channels, inputs, outputs, &unit->fit)) {
        return lh_error_set(error, LH_ERR_UNSUPPORTED, NULL,
                            "a plugin of %u audio inputs and %u outputs cannot be used on %u channels", inputs, outputs,
                            channels);
    }
    return LH_OK;
}

static enum lh_status make_copies(struct engine_unit *unit, const struct engine_unit_spec *spec, struct lh_error *error)
{
    struct engine_plugin_config config = configure(spec);
    uint32_t channels = unit->graph->nodes[unit->node].channels;
    unit->copies = calloc(channels, sizeof *unit->copies);
    if (unit->copies == NULL) {
        return lh_error_no_memory(error);
    }
    enum lh_status status = LH_OK;
    for (uint32_t c = 0; status == LH_OK && c < unit->fit.copies; c++) {
        status = engine_plugin_new(spec->host, &config, spec->slot, spec->node, &unit->copies[c], error);
    }
    unit->takes_notes = status == LH_OK && engine_plugin_takes_notes(unit->copies[0]);
    return status;
}

/* The layout of the stream that an input of the node is. */
static uint32_t layout_of(const struct engine_unit *unit, uint32_t input)
{
    return unit->graph->nodes[unit->graph->inputs[input]].channels;
}

static enum lh_status connect_ports(struct engine_unit *unit, struct lh_error *error)
{
    const struct graph_node *node = &unit->graph->nodes[unit->node];
    const struct graph_insert *insert = insert_of(unit);
    uint32_t inputs = engine_plugin_audio_inputs(unit->copies[0]);
    uint32_t sides = engine_plugin_sidechain_inputs(unit->copies[0]);
    unit->input_count = inputs * unit->fit.copies;
    unit->sidechain_count = sides * unit->fit.copies;
    unit->ports = calloc((size_t)unit->input_count + unit->sidechain_count + 1, sizeof *unit->ports);
    if (unit->ports == NULL) {
        return lh_error_no_memory(error);
    }
    struct engine_unit_port *port = unit->ports;
    for (uint32_t i = 0; i < unit->input_count; i++, port++) {
        port->buffer = engine_plugin_audio_input(unit->copies[i / inputs], i % inputs);
        port->wire = engine_wire_input(&unit->fit, node->channels, i / inputs, i % inputs);
    }
    uint32_t keyed = insert->has_sidechain ? layout_of(unit, node->first + node->count - 1) : 1;
    for (uint32_t i = 0; i < unit->sidechain_count; i++, port++) {
        port->buffer = engine_plugin_sidechain_input(unit->copies[i / sides], i % sides);
        port->wire = engine_wire_sidechain(keyed, sides, i % sides);
    }
    uint32_t planes = unit->fit.out == GRAPH_FIT_OUT_PASS ? 0 : node->channels;
    for (uint32_t c = 0; c < planes; c++) {
        uint32_t copy;
        uint32_t output;
        engine_wire_output(&unit->fit, c, &copy, &output);
        unit->planes[c] = engine_plugin_audio_output(unit->copies[copy], output);
    }
    if (unit->fit.out == GRAPH_FIT_OUT_MEAN) {
        unit->planes[1] = engine_plugin_audio_output(unit->copies[0], 1);
    }
    return LH_OK;
}

/* Those that never move are set once and for all; the others are found for later. */
static enum lh_status set_parameters(struct engine_unit *unit, int64_t begin, struct lh_error *error)
{
    const struct graph_insert *insert = insert_of(unit);
    unit->parameters = calloc((size_t)unit->timeline.motion_count + 1, sizeof *unit->parameters);
    if (unit->parameters == NULL) {
        return lh_error_no_memory(error);
    }
    uint32_t motion = 0;
    for (uint32_t p = 0; p < insert->parameter_count; p++) {
        const struct graph_parameter *parameter = &unit->graph->parameters[insert->parameter_first + p];
        uint32_t index = engine_plugin_parameter(unit->copies[0], parameter->symbol);
        if (index == GRAPH_NONE) {
            return lh_error_set(error, LH_ERR_MISSING, NULL, "the plugin has no parameter \"%s\"", parameter->symbol);
        }
        float value = graph_curve_at(unit->graph, parameter->curve, begin);
        for (uint32_t c = 0; c < unit->fit.copies; c++) {
            engine_plugin_set(unit->copies[c], index, value);
        }
        if (motion < unit->timeline.motion_count && unit->timeline.motions[motion].parameter == p) {
            unit->parameters[motion++] = index;
        }
    }
    return LH_OK;
}

static enum lh_status measure_latency(struct engine_unit *unit, const struct engine_unit_spec *spec,
                                      struct lh_error *error)
{
    const struct graph_insert *insert = insert_of(unit);
    struct engine_plugin_config config = configure(spec);
    const char **symbols = calloc((size_t)insert->parameter_count + 1, sizeof *symbols);
    float *values = calloc((size_t)insert->parameter_count + 1, sizeof *values);
    enum lh_status status;
    if (symbols != NULL && values != NULL) {
        for (uint32_t p = 0; p < insert->parameter_count; p++) {
            const struct graph_parameter *parameter = &unit->graph->parameters[insert->parameter_first + p];
            symbols[p] = parameter->symbol;
            values[p] = graph_curve_at(unit->graph, parameter->curve, spec->begin);
        }
        status = engine_plugin_measure_latency(spec->host, &config, symbols, values, insert->parameter_count,
                                               spec->slot, spec->node, &unit->reported, error);
        unit->latency = unit->fit.out == GRAPH_FIT_OUT_PASS ? 0 : unit->reported;
    } else {
        status = lh_error_no_memory(error);
    }
    free(symbols);
    free(values);
    return status;
}

/* Everything that running it takes. */
static enum lh_status make_ready(struct engine_unit *unit, const struct engine_unit_spec *spec, struct lh_error *error)
{
    if (engine_timeline_init(&unit->timeline, spec->graph, insert_of(unit), spec->begin, spec->silence) != LH_OK) {
        return lh_error_no_memory(error);
    }
    enum lh_status status = make_copies(unit, spec, error);
    if (status == LH_OK) {
        status = connect_ports(unit, error);
    }
    return status == LH_OK ? set_parameters(unit, spec->begin, error) : status;
}

enum lh_status engine_unit_new(const struct engine_unit_spec *spec, struct engine_unit **unit, struct lh_error *error)
{
    struct engine_unit *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return lh_error_no_memory(error);
    }
    made->graph = spec->graph;
    made->node = spec->node;
    made->chunk_from = made->chunk_to = spec->begin;
    enum lh_status status = fit_plugin(made, spec, error);
    if (status == LH_OK && !spec->asked) {
        status = make_ready(made, spec, error);
    }
    if (status == LH_OK) {
        status = measure_latency(made, spec, error);
    }
    if (status != LH_OK) {
        engine_unit_free(made, spec->slot);
        return engine_unit_fault(spec->graph, spec->node, -1, status, error);
    }
    *unit = made;
    return LH_OK;
}

void engine_unit_free(struct engine_unit *unit, struct engine_watch_slot *slot)
{
    if (unit == NULL) {
        return;
    }
    uint32_t channels = unit->graph->nodes[unit->node].channels;
    for (uint32_t c = 0; unit->copies != NULL && c < channels; c++) {
        engine_plugin_free(unit->copies[c], slot, unit->node);
    }
    engine_timeline_fini(&unit->timeline);
    free(unit->copies);
    free(unit->ports);
    free(unit->parameters);
    free(unit);
}
