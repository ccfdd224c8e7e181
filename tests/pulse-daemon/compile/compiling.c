/* SPDX-License-Identifier: MIT */
/* Projects from text, and what their render graphs sound like. */
#include "tests/pulse-daemon/compile/compiling.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "graph/encode.h"
#include "tests/pulse-daemon/compile/plugins.h"
#include "tests/support/testing.h"

#define MEDIA_FRAMES 96000

struct pulse_project *compiling_parse(const char *text, struct lh_faults *faults)
{
    size_t length = strlen(text);
    char *copy = malloc(length + 1);
    ck_assert_ptr_nonnull(copy);
    for (size_t i = 0; i <= length; i++) {
        copy[i] = text[i] == '\'' ? '"' : text[i];
    }
    struct pulse_project *project = NULL;
    enum lh_status status = pulse_project_parse(copy, length, NULL, NULL, 0, faults, &project);
    free(copy);
    ck_assert_msg(status == LH_OK, "%s: %s", faults->stored > 0 ? faults->items[0].where : "",
                  faults->stored > 0 ? faults->items[0].message : lh_status_text(status));
    return project;
}

static struct pulse_media_facts facts_of(const char *id)
{
    return (struct pulse_media_facts){
        .frames = MEDIA_FRAMES,
        .rate = strstr(id, "44") != NULL ? 44100 : 48000,
        .channels = strncmp(id, "mono", 4) == 0  ? 1
                    : strncmp(id, "six", 3) == 0 ? 6
                                                 : 2,
        .lossy = strstr(id, "lossy") != NULL,
    };
}

/* What is asked for, and nothing else. */
static void know(struct compiling *t)
{
    struct pulse_plugin_facts *plugins = lh_arena_array(&t->arena, t->needs.plugin_count, sizeof *plugins);
    struct pulse_midi_facts *midi = lh_arena_array(&t->arena, t->needs.midi_count, sizeof *midi);
    struct pulse_state_facts *states = lh_arena_array(&t->arena, t->needs.state_count, sizeof *states);
    ck_assert(plugins != NULL && midi != NULL && states != NULL);
    for (size_t i = 0; i < t->needs.plugin_count; i++) {
        plugins_know(t->needs.plugins[i], &plugins[i]);
    }
    for (size_t i = 0; i < t->needs.midi_count; i++) {
        plugins_know_midi(t->needs.midi[i].file, &midi[i]);
    }
    for (size_t i = 0; i < t->needs.state_count; i++) {
        plugins_know_state(t->needs.states[i].file, &states[i]);
    }
    t->facts = (struct pulse_facts){.media = t->media, .plugins = plugins, .midi = midi, .states = states};
}

void compiling_init_only(struct compiling *t, const char *text, const char *only)
{
    *t = (struct compiling){.compiled = NULL};
    lh_arena_init(&t->arena);
    lh_faults_init(&t->faults, &t->arena);
    t->project = compiling_parse(text, &t->faults);
    t->media = lh_arena_array(&t->arena, t->project->media_count, sizeof *t->media);
    ck_assert_ptr_nonnull(t->media);
    const struct pulse_compile_options options = {.only = &only, .only_count = only != NULL ? 1 : 0};
    ck_assert_int_eq(pulse_compile_needs(&t->arena, t->project, &options, &t->needs), LH_OK);
    for (size_t i = 0; i < t->project->media_count; i++) {
        if (t->needs.media[i]) { /* what is not needed must not be looked at */
            t->media[i] = facts_of(t->project->media[i].id);
        }
    }
    know(t);
    t->status = pulse_compile(t->project, &t->needs, &t->facts, &options, &t->faults, &t->compiled);
}

void compiling_init(struct compiling *t, const char *text)
{
    compiling_init_only(t, text, NULL);
}

void compiling_without_memory(struct compiling *t)
{
    bool fired = true;
    for (size_t n = 1; fired; n++) {
        struct lh_arena own;
        struct pulse_needs needs;
        struct pulse_compiled *compiled = NULL;
        lh_arena_init(&own);
        testing_fail_allocation(n);
        enum lh_status status = pulse_compile_needs(&own, t->project, NULL, &needs);
        if (status == LH_OK) {
            status = pulse_compile(t->project, &needs, &t->facts, NULL, &t->faults, &compiled);
        }
        fired = testing_fail_allocation_end();
        ck_assert_msg(status == (fired ? LH_ERR_NO_MEMORY : LH_OK), "allocation %zu: %s", n, lh_status_text(status));
        ck_assert((compiled == NULL) == fired);
        pulse_compiled_free(compiled);
        lh_arena_fini(&own);
    }
}

void compiling_fini(struct compiling *t)
{
    pulse_compiled_free(t->compiled);
    pulse_project_free(t->project);
    lh_arena_fini(&t->arena);
}

static double region_gain(const struct graph *graph, const struct graph_region *region, int64_t frame)
{
    int64_t i = frame - region->start;
    if (i < 0 || i >= region->length) {
        return 0.0;
    }
    int64_t at = region->reverse ? region->length - 1 - i : i;
    at = region->offset + (region->loop_length > 0 ? at % region->loop_length : at);
    double gain = at < (int64_t)graph->media[region->media].length ? (double)region->gain : 0.0;
    if (i < region->fade_in_length) {
        gain *= (double)graph_fade_at(graph, region->fade_in, region->fade_in_length, i);
    }
    if (i >= region->length - region->fade_out_length) {
        gain *= (double)graph_fade_at(graph, region->fade_out, region->fade_out_length, region->length - i);
    }
    return gain;
}

static double node_gain(const struct graph *graph, uint32_t index, uint32_t channel, uint32_t media, int64_t frame)
{
    const struct graph_node *node = &graph->nodes[index];
    double sum = 0.0;
    switch (node->kind) {
    case GRAPH_NODE_CLIPS:
        for (uint32_t i = 0; i < node->count; i++) {
            const struct graph_region *region = &graph->regions[node->first + i];
            sum += region->media == media ? region_gain(graph, region, frame) : 0.0;
        }
        break;
    case GRAPH_NODE_GAIN: {
        uint32_t input = graph->inputs[node->first];
        uint32_t from = graph->nodes[input].channels == 1 ? 0 : channel;
        sum = node_gain(graph, input, from, media, frame) *
              (double)graph_curve_at(graph, graph->curve_refs[node->curves + channel], frame);
        break;
    }
    case GRAPH_NODE_BUS:
    case GRAPH_NODE_PARTIAL:
        for (uint32_t i = 0; i < node->count; i++) {
            sum += node_gain(graph, graph->inputs[node->first + i], channel, media, frame);
        }
        break;
    case GRAPH_NODE_STORED: /* compiling makes none */
        ck_abort_msg("a node of stored frames");
    case GRAPH_NODE_PLUGIN: /* as if it did nothing */
        sum = graph->inserts[node->insert].has_input
                  ? node_gain(graph, graph->inputs[node->first], channel, media, frame)
                  : 0.0;
        break;
    }
    return node->invert ? -sum : sum;
}

const struct graph_deliverable *deliverable_named(const struct compiling *t, const char *name)
{
    const struct graph *graph = t->compiled->graph;
    for (uint32_t i = 0; i < graph->deliverable_count; i++) {
        if (strcmp(graph->deliverables[i].name, name) == 0) {
            return &graph->deliverables[i];
        }
    }
    ck_abort_msg("no deliverable %s", name);
}

double response(const struct compiling *t, const char *deliverable, uint32_t channel, const char *media, int64_t frame)
{
    ck_assert_msg(t->compiled != NULL, "not compiled: %s %s", t->faults.stored > 0 ? t->faults.items[0].where : "",
                  t->faults.stored > 0 ? t->faults.items[0].message : lh_status_text(t->status));
    const struct graph *graph = t->compiled->graph;
    for (uint32_t i = 0; i < graph->media_count; i++) {
        if (strcmp(graph->media[i].name, media) == 0) {
            return node_gain(graph, deliverable_named(t, deliverable)->node, channel, i, frame);
        }
    }
    return 0.0;
}

const struct graph_node *plugin_node(const struct compiling *t, const char *label)
{
    ck_assert_msg(t->compiled != NULL, "not compiled: %s %s", t->faults.stored > 0 ? t->faults.items[0].where : "",
                  t->faults.stored > 0 ? t->faults.items[0].message : lh_status_text(t->status));
    const struct graph *graph = t->compiled->graph;
    for (uint32_t i = 0; i < graph->node_count; i++) {
        if (graph->nodes[i].kind == GRAPH_NODE_PLUGIN && strcmp(graph->nodes[i].label, label) == 0) {
            return &graph->nodes[i];
        }
    }
    return NULL;
}

const struct graph_insert *insert_of(const struct compiling *t, const char *label)
{
    const struct graph_node *node = plugin_node(t, label);
    ck_assert_msg(node != NULL, "no node \"%s\"", label);
    return &t->compiled->graph->inserts[node->insert];
}

double parameter_at(const struct compiling *t, const char *label, const char *symbol, int64_t frame)
{
    const struct graph *graph = t->compiled->graph;
    const struct graph_insert *insert = insert_of(t, label);
    for (uint32_t i = 0; i < insert->parameter_count; i++) {
        const struct graph_parameter *parameter = &graph->parameters[insert->parameter_first + i];
        if (strcmp(parameter->symbol, symbol) == 0) {
            return (double)graph_curve_at(graph, parameter->curve, frame);
        }
    }
    return NAN;
}

const char *fault_at(const struct compiling *t, const char *where)
{
    for (size_t i = 0; i < t->faults.stored; i++) {
        if (strcmp(t->faults.items[i].where, where) == 0) {
            return t->faults.items[i].message;
        }
    }
    return NULL;
}

uint64_t encoding_digest(const struct graph *graph)
{
    struct lh_writer writer;
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    lh_writer_init(&writer);
    ck_assert_int_eq(graph_encode(graph, &writer), LH_OK);
    for (size_t i = 0; i < writer.size; i++) {
        hash = (hash ^ writer.data[i]) * UINT64_C(0x100000001b3);
    }
    lh_writer_fini(&writer);
    return hash;
}
