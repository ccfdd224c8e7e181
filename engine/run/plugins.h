/* SPDX-License-Identifier: MIT */
/* The plugins of a pass: made before it is planned, since the plan needs their latency, and gone with it. Private to
   engine/run. */
#ifndef ENGINE_RUN_PLUGINS_H
#define ENGINE_RUN_PLUGINS_H

#include "engine/run/state.h"
#include "engine/run/unit.h"

struct engine_plugins {
    struct engine_unit **units; /* by insert; NULL: not in this pass */
    uint32_t *latency;          /* by insert, frames */
};

/* Makes what the pass of the deliverable `first` needs, one after the other: many plugins share variables between the
   instances that they are just making. */
LH_NODISCARD enum lh_status engine_plugins_init(struct engine_plugins *plugins, const struct engine_state *state,
                                                uint32_t first, struct lh_error *error);
void engine_plugins_fini(struct engine_plugins *plugins, const struct engine_state *state); /* a zeroed one too */
/* What came of them so far, by insert. */
void engine_plugins_tell(const struct engine_plugins *plugins, const struct engine_state *state,
                         struct engine_inserted *inserted);

/* A worker's slot to be watched in; NULL: nobody watches. */
struct engine_watch_slot *engine_plugins_slot(const struct engine_state *state, uint32_t worker);

#endif
