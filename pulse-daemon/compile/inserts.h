/* SPDX-License-Identifier: MIT */
/* A track's nodes as plugins of the render graph: which plugin is used for each, how it is set, and the chain of them
   between a track's sound and its gate. */
#ifndef PULSE_COMPILE_INSERTS_H
#define PULSE_COMPILE_INSERTS_H

#include "pulse-daemon/compile/context.h"

struct pulse_strip;

/* A node that is heard. */
struct pulse_insert {
    const struct pulse_node *node; /* as written, or the stand-in that takes its place */
    size_t facts;                  /* into c->facts->plugins */
    bool stands_in;
    bool bypassed; /* it is missing, and the project says that it may be; nothing below holds then */
    bool begins;   /* makes sound and takes none: what comes before it ends there */
    struct graph_plugin_node description; /* but for channels, inputs and events */
    const char *label;
    uint32_t graph_node; /* as the builder calls it; GRAPH_NONE: not built yet */
};

struct pulse_inserts {
    struct pulse_insert *items;
    size_t count;
    size_t player;        /* who gets the track's notes, or PULSE_NONE */
    bool may_lack_player; /* somebody may have wanted them: a node is disabled or bypassed */
    const struct graph_event *events;
    size_t event_count;
};

/* Of every track that takes part: c->inserts. Faults (plugins that are missing, do not fit the track's layout, are
   given parameters that they do not have or a side chain that they do not take) are reported. LH_ERR_NO_MEMORY,
   LH_ERR_INTERNAL when the needs do not hold a plugin. */
LH_NODISCARD enum lh_status pulse_inserts_resolve(struct pulse_compiling *c);

/* The track's sound, or `share` of it that another track has in it, through its nodes. *node may be `source`, or
   GRAPH_NONE for silence. `strips` are the tracks' taps, for side chains. */
LH_NODISCARD enum lh_status pulse_inserts_build(struct pulse_compiling *c, size_t track,
                                                const struct pulse_strip *strips, uint32_t source, bool share,
                                                uint32_t *node);

/* After the graph is finished: what plugins it uses, for reports. */
LH_NODISCARD enum lh_status pulse_inserts_report(struct pulse_compiling *c);

#endif
