/* SPDX-License-Identifier: MIT */
/* The compilation as a sequence of steps: routing, layouts, media, plugins, tracks, deliverables. Each step reports all
   its faults before the next one begins. */
#include "pulse-daemon/compile/compile.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pulse-daemon/compile/clips.h"
#include "pulse-daemon/compile/deliverables.h"
#include "pulse-daemon/compile/inserts.h"
#include "pulse-daemon/compile/musical_time.h"
#include "pulse-daemon/compile/strip.h"

#define POINTER_SIZE 1024

/* A place that is reported twice for the same reason (a clip that the mix and its stems use) is reported once. */
static bool is_known(const struct lh_faults *faults, size_t from, const char *where, const char *message)
{
    for (size_t i = from; i < faults->stored; i++) {
        if (strcmp(faults->items[i].where, where) == 0 && strcmp(faults->items[i].message, message) == 0) {
            return true;
        }
    }
    return false;
}

void pulse_fault(struct pulse_compiling *c, const struct lh_json *json, const char *suffix, enum lh_status code,
                 const char *format, ...)
{
    char where[POINTER_SIZE] = "", message[LH_ERROR_MESSAGE_SIZE];
    if (json != NULL) {
        lh_json_pointer(json, where, sizeof where);
        size_t used = strlen(where);
        snprintf(where + used, sizeof where - used, "%s", suffix);
    }
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    if (!is_known(c->faults, c->faults_before, where, message)) {
        lh_faults_add(c->faults, code, where, "%s", message);
    }
}

bool pulse_has_faults(const struct pulse_compiling *c)
{
    return c->faults->out_of_memory || c->faults->count > c->faults_before;
}

bool pulse_takes_part(const struct pulse_compiling *c, size_t track)
{
    return c->routing.needed[track] || c->routing.passes[track];
}

/* What decides the exit status when there are several faults: the earlier in the list. */
static enum lh_status worst_fault(const struct pulse_compiling *c)
{
    static const enum lh_status order[] = {LH_ERR_USAGE, LH_ERR_INVALID, LH_ERR_LIMIT, LH_ERR_MISSING};
    if (c->faults->out_of_memory) {
        return LH_ERR_NO_MEMORY;
    }
    for (size_t k = 0; k < sizeof order / sizeof *order; k++) {
        for (size_t i = c->faults_before; i < c->faults->stored; i++) {
            if (c->faults->items[i].code == order[k]) {
                return order[k];
            }
        }
    }
    return LH_ERR_INVALID;
}

/* Layouts of everything that takes part, and of what is delivered though it is silent. */
static enum lh_status find_channels(struct pulse_compiling *c)
{
    c->channels = lh_arena_array(&c->arena, c->project->track_count, sizeof *c->channels);
    if (c->channels == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < c->project->track_count; i++) {
        if (pulse_takes_part(c, i)) {
            c->channels[i] = pulse_track_channels(c, i);
        }
    }
    for (size_t i = 0; i < c->project->deliverable_count; i++) {
        const struct pulse_deliverable *item = &c->project->deliverables[i];
        for (size_t k = 0; c->routing.choices[i] != PULSE_NOT_CHOSEN && k < item->source_count; k++) {
            c->channels[item->sources[k]] = pulse_track_channels(c, item->sources[k]);
        }
    }
    c->channels[c->project->master] = pulse_track_channels(c, c->project->master);
    return LH_OK;
}

static enum lh_status build(struct pulse_compiling *c, struct pulse_mixer *mixer)
{
    enum lh_status status = find_channels(c);
    if (status == LH_OK) {
        pulse_check_layouts(c);
        pulse_check_deliverables(c);
        status = pulse_compile_media(c);
    }
    if (status == LH_OK) {
        status = pulse_inserts_resolve(c);
    }
    if (status != LH_OK || pulse_has_faults(c)) {
        return status;
    }
    status = pulse_mixer_init(mixer, c);
    if (status == LH_OK) {
        status = pulse_mixer_build(mixer);
    }
    if (status == LH_OK && !pulse_has_faults(c)) {
        status = pulse_compile_deliverables(mixer);
    }
    if (status == LH_OK && !pulse_has_faults(c)) {
        status = pulse_musical_time_compile(c);
    }
    return status;
}

static enum lh_status finish(struct pulse_compiling *c)
{
    struct lh_error error = LH_ERROR_INIT;
    enum lh_status status = graph_builder_finish(c->builder, &c->result->graph, &error);
    if (status == LH_OK) {
        return pulse_inserts_report(c);
    }
    if (status == LH_ERR_NO_MEMORY) {
        return status;
    }
    pulse_fault(c, NULL, "", LH_ERR_LIMIT, "%s (%s)", error.message, error.where);
    return LH_OK;
}

static enum lh_status compile(struct pulse_compiling *c, const struct pulse_compile_options *options)
{
    enum lh_status status = pulse_routing_init(&c->routing, &c->arena, c->project, options, c->faults);
    if (status == LH_ERR_INVALID) {
        pulse_fault(c, c->project->json, "/tracks", LH_ERR_INVALID, "the sound goes round in a circle");
        return LH_OK;
    }
    if (status == LH_OK) {
        status = pulse_tempo_map_init(&c->tempo, &c->arena, c->project);
    }
    if (status != LH_OK || pulse_has_faults(c)) {
        return status;
    }
    status = graph_builder_new(c->project->sample_rate, c->project->quantum, &c->builder);
    if (status != LH_OK) {
        return status;
    }
    struct pulse_mixer mixer = {.c = c};
    status = build(c, &mixer);
    pulse_mixer_fini(&mixer);
    if (status == LH_OK && !pulse_has_faults(c)) {
        status = finish(c);
    }
    return status;
}

enum lh_status pulse_compile(const struct pulse_project *project, const struct pulse_needs *needs,
                             const struct pulse_facts *facts, const struct pulse_compile_options *options,
                             struct lh_faults *faults, struct pulse_compiled **compiled)
{
    struct pulse_compiled *result = calloc(1, sizeof *result);
    if (result == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    lh_arena_init(&result->arena);
    struct pulse_compiling c = {.project = project,
                                .needs = needs,
                                .facts = facts,
                                .faults = faults,
                                .faults_before = faults->count,
                                .result = result};
    lh_arena_init(&c.arena);
    enum lh_status status = compile(&c, options);
    if (status == LH_OK && pulse_has_faults(&c)) {
        status = worst_fault(&c);
    }
    graph_builder_free(c.builder);
    pulse_points_fini(&c.points);
    lh_arena_fini(&c.arena);
    if (status != LH_OK) {
        pulse_compiled_free(result);
        return status;
    }
    *compiled = result;
    return LH_OK;
}

void pulse_compiled_free(struct pulse_compiled *compiled)
{
    if (compiled == NULL) {
        return;
    }
    graph_unref(compiled->graph);
    lh_arena_fini(&compiled->arena);
    free(compiled);
}
