/* SPDX-License-Identifier: MIT */
/* One PLUGIN node while a pass runs: its instances and how they are connected. Private to engine/run. Ordered: one
   thread at a time. */
#ifndef ENGINE_RUN_UNIT_H
#define ENGINE_RUN_UNIT_H

#include "engine/host/host.h"
#include "engine/run/pass.h"
#include "engine/run/timeline.h"
#include "engine/run/wires.h"

/* An input port of an instance and what it hears. */
struct engine_unit_port {
    float *buffer;
    struct engine_wire wire;
};

struct engine_unit {
    const struct graph *graph;
    uint32_t node;
    struct graph_fit fit;
    struct engine_plugin **copies;  /* fit.copies; NULL: only asked for its latency */
    struct engine_unit_port *ports; /* of all copies: audio inputs, then side chains */
    uint32_t input_count, sidechain_count;
    const float *planes[GRAPH_CHANNELS_MAX]; /* what the node's channels come from; MEAN: both that it is the mean of */
    bool takes_notes;
    struct engine_timeline timeline;
    uint32_t *parameters; /* by motion of the timeline: the plugin's index */
    uint32_t reported;    /* latency, frames, as measured before the pass */
    uint32_t latency;     /* what of it is removed: an analyser passes its input on without */
    bool latency_changed;
    uint64_t spent_ns;            /* by its task, which is ordered */
    int64_t chunk_from, chunk_to; /* the chunk that is being filled; empty: none */
};

/* What making one needs. */
struct engine_unit_spec {
    struct engine_host *host;
    const struct graph *graph;
    uint32_t node;
    int64_t begin, silence;         /* of the pass */
    const char *scratch;            /* folder, or NULL */
    struct engine_watch_slot *slot; /* of this thread, or NULL */
    bool asked;                     /* of a pass without frames: only its latency is wanted */
};

/* Makes the instances (none for one that is only asked), with the parameters that they have at `begin`, and measures
   the latency. Failures of the plugin name the node. */
LH_NODISCARD enum lh_status engine_unit_new(const struct engine_unit_spec *spec, struct engine_unit **unit,
                                            struct lh_error *error);
void engine_unit_free(struct engine_unit *unit, struct engine_watch_slot *slot); /* accepts NULL */

/* PLUGIN task: runs the unit on what its chain reads in the block and fills the chain's buffer. */
LH_NODISCARD enum lh_status engine_unit_block(struct engine_unit *unit, const struct engine_pass *pass, uint32_t worker,
                                              struct engine_watch_slot *slot, uint32_t chain, int64_t block,
                                              struct lh_error *error);

#endif
