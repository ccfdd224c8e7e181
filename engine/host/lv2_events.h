/* SPDX-License-Identifier: MIT */
/* Atom sequences: what goes into a plugin's event ports in one run, and room for what comes out. */
#ifndef ENGINE_HOST_LV2_EVENTS_H
#define ENGINE_HOST_LV2_EVENTS_H

#include <lv2/atom/atom.h>

#include "engine/host/buffers.h"
#include "engine/host/lv2_describe.h"

struct engine_lv2_events {
    struct engine_buffers buffers;
    LV2_Atom_Sequence **sequences; /* by port; NULL where it is none */
    const struct engine_lv2_facts *facts;
    const struct engine_lv2_vocabulary *words;
    float sample_rate;
};

LH_NODISCARD enum lh_status engine_lv2_events_init(struct engine_lv2_events *events,
                                                   const struct engine_lv2_facts *facts,
                                                   const struct engine_lv2_vocabulary *words, uint32_t sample_rate,
                                                   struct lh_error *error);
void engine_lv2_events_fini(struct engine_lv2_events *events);

/* Inputs empty, outputs with all their room. Before every run. */
void engine_lv2_events_reset(struct engine_lv2_events *events);
/* In the order of their frames; false: the port is full. Nothing happens, and true, where no port takes such. */
bool engine_lv2_events_position(struct engine_lv2_events *events, int64_t frame,
                                const struct engine_position *position);
bool engine_lv2_events_patch(struct engine_lv2_events *events, uint32_t property, float value);
bool engine_lv2_events_note(struct engine_lv2_events *events, int64_t offset, const struct graph_event *event);

#endif
