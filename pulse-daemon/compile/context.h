/* SPDX-License-Identifier: MIT */
/* What one compilation knows; shared by the steps of this folder, private to it. */
#ifndef PULSE_COMPILE_CONTEXT_H
#define PULSE_COMPILE_CONTEXT_H

#include "graph/builder.h"
#include "pulse-daemon/compile/fades.h"
#include "pulse-daemon/compile/gain.h"
#include "pulse-daemon/compile/routing.h"
#include "pulse-daemon/compile/tempo.h"
#include "pulse-daemon/project/names.h"

struct pulse_inserts;

struct pulse_compiling {
    const struct pulse_project *project;
    const struct pulse_needs *needs;
    const struct pulse_facts *facts;
    struct lh_faults *faults;
    size_t faults_before;  /* that the list already held */
    struct lh_arena arena; /* of this compilation; the result has its own */
    struct pulse_compiled *result;
    struct graph_builder *builder;
    struct pulse_tempo_map tempo;
    struct pulse_routing routing;
    struct pulse_fades fades;
    struct pulse_points points;                               /* scratch */
    uint64_t *media_length;                                   /* conformed, of every medium */
    uint32_t *media_index;                                    /* in the graph, or GRAPH_NONE */
    uint32_t *channels;                                       /* of every track that takes part; else 0 */
    struct pulse_names plugin_names, midi_names, state_names; /* of the needs */
    struct pulse_inserts *inserts;                            /* of every track */
    size_t events;                                            /* of all tracks, against the limit */
};

/* Adds a fault at `json` (NULL: the whole document) followed by `suffix`, "/gainDb" say. */
void pulse_fault(struct pulse_compiling *c, const struct lh_json *json, const char *suffix, enum lh_status code,
                 const char *format, ...) LH_PRINTF(5, 6);
bool pulse_has_faults(const struct pulse_compiling *c);
/* The track's signal or share takes part in a chosen deliverable. */
bool pulse_takes_part(const struct pulse_compiling *c, size_t track);

#endif
