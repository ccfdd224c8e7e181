/* SPDX-License-Identifier: MIT */
/* Compiles a project to the render graph: beats and seconds become frames, levels become gains, solo and mute become
   which nodes there are, pan laws, fades and automation become tables. All of it in arithmetic that gives the same bits
   on every CPU (common/math). Any thread; several may compile one project, each with faults of its own. */
#ifndef PULSE_COMPILE_COMPILE_H
#define PULSE_COMPILE_COMPILE_H

#include "common/base/faults.h"
#include "graph/graph.h"
#include "pulse-daemon/project/model.h"

/* What the probe said of one medium. */
struct pulse_media_facts {
    uint64_t frames;
    uint32_t rate, channels;
    bool lossy; /* not exact to seek in: conformed even at the project's rate */
};

struct pulse_compile_options {
    /* Deliverables to compile, by name; none: all. An unknown name is a fault with the nearest name. What a chosen
       one's gainFrom refers to is compiled too, marked as not wanted. */
    const char *const *only;
    size_t only_count;
};

/* One file of the plan, in the order of graph->deliverables. */
struct pulse_output {
    const char *file;   /* "<name>.<ending>", "<name>-<track id>.<ending>" */
    size_t deliverable; /* into project deliverables */
    size_t track;       /* its source */
    bool wanted;        /* false: needed only for its loudness (gainFrom); not to be kept */
};

struct pulse_compiled {
    const struct graph *graph;
    const struct pulse_output *outputs; /* graph->deliverable_count of them */
    const size_t *media;                /* graph media index -> project media index */
    struct lh_arena arena;
};

/* `facts` has project->media_count entries. Media that no audible clip of a wanted deliverable uses are left out of the
   graph. Faults (layouts that do not meet, cycles, ranges) carry JSON Pointers; plugins and notes are a fault with
   LH_ERR_MISSING that says they cannot be rendered yet. Returns the worst fault's code. */
LH_NODISCARD enum lh_status pulse_compile(const struct pulse_project *project, const struct pulse_media_facts *facts,
                                          const struct pulse_compile_options *options, struct lh_faults *faults,
                                          struct pulse_compiled **compiled);
void pulse_compiled_free(struct pulse_compiled *compiled); /* accepts NULL */

/* Which media have to be probed for these options: `needed` has project->media_count entries. */
void pulse_compile_needs(const struct pulse_project *project, const struct pulse_compile_options *options,
                         bool *needed);

#endif
