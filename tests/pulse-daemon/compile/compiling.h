/* SPDX-License-Identifier: MIT */
/* What the compiler's tests share: projects from text, and a small independent reader of render graphs. */
#ifndef TESTS_PULSE_DAEMON_COMPILE_COMPILING_H
#define TESTS_PULSE_DAEMON_COMPILE_COMPILING_H

#include "pulse-daemon/compile/compile.h"
#include "pulse-daemon/project/load.h"

/* One project compiled. Facts by the media's id: "mono..." one channel, "six..." six, else two; "...44" 44100 Hz, else
   48000; "...lossy" lossy; 96000 frames each. Plugins, MIDI files and states by plugins.h. */
struct compiling {
    struct lh_arena arena;
    struct lh_faults faults;
    struct pulse_project *project;
    struct pulse_media_facts *media;
    struct pulse_needs needs;
    struct pulse_facts facts;
    struct pulse_compiled *compiled; /* NULL after a failure */
    enum lh_status status;
};

/* `text` is a project in which ' stands for ". Parsing must succeed (a test fails otherwise). */
void compiling_init(struct compiling *t, const char *text);
void compiling_init_only(struct compiling *t, const char *text, const char *only);
void compiling_fini(struct compiling *t);
/* Asks and compiles once more with every allocation failing in turn: each time memory is out and nothing is left. */
void compiling_without_memory(struct compiling *t);
/* Parses only; `replaced` is a fresh copy of the text with " for ', to be freed. */
struct pulse_project *compiling_parse(const char *text, struct lh_faults *faults);

/* The gain with which a medium that holds ones is heard in a deliverable's channel at a frame. */
double response(const struct compiling *t, const char *deliverable, uint32_t channel, const char *media, int64_t frame);
const struct graph_deliverable *deliverable_named(const struct compiling *t, const char *name);
/* The PLUGIN node of a label, "track a, node n"; NULL when there is none. */
const struct graph_node *plugin_node(const struct compiling *t, const char *label);
const struct graph_insert *insert_of(const struct compiling *t, const char *label);
/* A parameter's value in a node at a frame; NAN when it is not set. */
double parameter_at(const struct compiling *t, const char *label, const char *symbol, int64_t frame);
/* The message of the fault at a place, or NULL. */
const char *fault_at(const struct compiling *t, const char *where);
/* FNV-1a over the graph's canonical encoding. */
uint64_t encoding_digest(const struct graph *graph);

#endif
