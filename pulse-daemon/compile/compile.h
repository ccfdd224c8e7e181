/* SPDX-License-Identifier: MIT */
/* Compiles a project to the render graph: beats and seconds become frames, levels become gains, solo and mute become
   which nodes there are, pan laws, fades and automation become tables. All of it in arithmetic that gives the same bits
   on every CPU (common/math). Any thread; several may compile one project, each with faults of its own. */
#ifndef PULSE_COMPILE_COMPILE_H
#define PULSE_COMPILE_COMPILE_H

#include "common/base/faults.h"
#include "graph/graph.h"
#include "graph/plugin.h"
#include "pulse-daemon/project/model.h"

/* What the probe said of one medium. */
struct pulse_media_facts {
    uint64_t frames;
    uint32_t rate, channels;
    bool lossy; /* not exact to seek in: conformed even at the project's rate */
};

/* What an installed plugin is, and how far it can be relied on. */
struct pulse_plugin_facts {
    const struct graph_plugin_facts *installed; /* NULL: it is not installed */
    bool repeatable;                            /* proven by a probe of this very binary */
    const char *near[3]; /* when not installed: URIs that look like it; NULL where there is none */
};

/* One channel message of a MIDI file, in the file's own time. */
struct pulse_midi_event {
    double at;      /* quarter notes, or seconds, from the file's start */
    uint32_t track; /* 1 = the file's first */
    uint32_t size;  /* 1..3 */
    uint8_t bytes[4];
};
struct pulse_midi_facts {
    bool known;   /* false: it could not be read, which was told elsewhere */
    bool seconds; /* the unit of `at` and `length` */
    uint32_t tracks;
    const struct pulse_midi_event *events; /* in order of time */
    size_t event_count;
    double length;
};

/* The text of a state file and the folder that its relative paths start from. */
struct pulse_state_facts {
    const char *text;   /* NULL: it could not be read, which was told elsewhere */
    const char *folder; /* absolute, "/" at its end */
};

/* Everything that compiling has to know beside the project; tables in the order of struct pulse_needs. */
struct pulse_facts {
    const struct pulse_media_facts *media;    /* project->media_count */
    const struct pulse_plugin_facts *plugins; /* needs->plugin_count */
    const struct pulse_midi_facts *midi;      /* needs->midi_count */
    const struct pulse_state_facts *states;   /* needs->state_count */
};

struct pulse_compile_options {
    /* Deliverables to compile, by name; none: all. An unknown name is a fault with the nearest name. What a chosen
       one's gainFrom refers to is compiled too, marked as not wanted. */
    const char *const *only;
    size_t only_count;
};

/* A file of the project, and where it is named. */
struct pulse_file_need {
    const char *file;           /* relative to the project's folder; NULL: known by its digest alone */
    const struct lh_json *json; /* the first place that names it: for faults */
};

struct pulse_needs {
    bool *media;                /* project->media_count */
    const char *const *plugins; /* as in the project, "lv2:http://..." */
    size_t plugin_count;
    const struct pulse_file_need *midi;
    size_t midi_count;
    const struct pulse_file_need *states;
    size_t state_count;
};

/* One file of the plan, in the order of graph->deliverables. */
struct pulse_output {
    const char *file;   /* "<name>.<ending>", "<name>-<track id>.<ending>" */
    size_t deliverable; /* into project deliverables */
    size_t track;       /* its source */
    bool wanted;        /* false: needed only for its loudness (gainFrom); not to be kept */
};

/* A plugin node of the plan, for reports: one for each node that is heard. */
struct pulse_used_plugin {
    size_t track;
    const char *node;    /* its id; of a stand-in, the stand-in's */
    const char *plugin;  /* as in the project, "lv2:http://..." */
    size_t facts;        /* into facts->plugins */
    uint32_t graph_node; /* a PLUGIN node of the graph; GRAPH_NONE: bypassed because it is missing */
    bool stands_in;      /* for one that is missing */
};

struct pulse_compiled {
    const struct graph *graph;
    const struct pulse_output *outputs; /* graph->deliverable_count of them */
    const size_t *media;                /* graph media index -> project media index */
    const struct pulse_used_plugin *plugins;
    size_t plugin_count;
    struct lh_arena arena;
};

/* Media that no audible clip of a wanted deliverable uses are left out of the graph; `needs` and `facts` belong to this
   project and to these options or such as choose more. Faults (layouts that do not meet, cycles, ranges, plugins that
   are not installed, parameters that they do not have) carry JSON Pointers. Returns the worst fault's code. */
LH_NODISCARD enum lh_status pulse_compile(const struct pulse_project *project, const struct pulse_needs *needs,
                                          const struct pulse_facts *facts, const struct pulse_compile_options *options,
                                          struct lh_faults *faults, struct pulse_compiled **compiled);
void pulse_compiled_free(struct pulse_compiled *compiled); /* accepts NULL */

/* Which media have to be probed for these options, and which plugins, MIDI files and states are asked for by nodes and
   clips that are heard (stand-ins included). Each once, in the order of the project; in the arena.
   LH_ERR_NO_MEMORY. */
LH_NODISCARD enum lh_status pulse_compile_needs(struct lh_arena *arena, const struct pulse_project *project,
                                                const struct pulse_compile_options *options, struct pulse_needs *needs);

/* The fault of deliverables that the project does not have, which compiling tells when it has all facts. LH_ERR_USAGE,
   LH_ERR_NO_MEMORY. */
LH_NODISCARD enum lh_status pulse_compile_choice(const struct pulse_project *project,
                                                 const struct pulse_compile_options *options, struct lh_faults *faults);

#endif
