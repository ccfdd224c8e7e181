/* SPDX-License-Identifier: MIT */
/* Who is heard, and by whom: solo and mute, the order of the tracks, and which of them a choice of deliverables needs.
   All of it follows from the project alone; no media are looked at. */
#ifndef PULSE_COMPILE_ROUTING_H
#define PULSE_COMPILE_ROUTING_H

#include "pulse-daemon/compile/compile.h"

enum pulse_choice {
    PULSE_NOT_CHOSEN = 0,
    PULSE_CHOSEN_FOR_GAIN, /* another one's gainFrom refers to it */
    PULSE_CHOSEN,
};

/* Arrays with an entry for each track, but `choices`, for each deliverable. In the arena. */
struct pulse_routing {
    const struct pulse_project *project;
    enum pulse_choice *choices;
    bool *sounds;  /* neither muted (but by automation) nor silenced by another's solo */
    bool *opens;   /* ... and its fader lets something through */
    size_t *order; /* every track after those that it hears */
    bool *needed;  /* a chosen deliverable hears its signal, be it as a side chain */
    bool *passes;  /* carries the share of a track whose contribution is delivered */
};

/* Marks what the options choose; names that do not exist are faults (LH_ERR_USAGE) when `faults` is given.
   LH_ERR_NO_MEMORY; LH_ERR_INVALID for a circle, which the loader refuses before. */
LH_NODISCARD enum lh_status pulse_routing_init(struct pulse_routing *routing, struct lh_arena *arena,
                                               const struct pulse_project *project,
                                               const struct pulse_compile_options *options, struct lh_faults *faults);

/* The automation of a target, or NULL when there is none with points. `index` counts for SEND_GAIN. */
const struct pulse_automation *pulse_automation_of(const struct pulse_track *track, enum pulse_target target,
                                                   size_t index);
/* Sound gets from the track to its output, or through the send to where it goes. */
bool pulse_output_is_live(const struct pulse_routing *routing, size_t track);
bool pulse_send_is_live(const struct pulse_routing *routing, size_t track, size_t send);
bool pulse_clip_is_heard(const struct pulse_clip *clip);
/* Something may come out of the tap (PRE or POST) of a track, as a side chain takes it. */
bool pulse_tap_is_live(const struct pulse_routing *routing, size_t track, enum pulse_tap tap);

/* Calls `visit` for a node, then for its stand-ins. */
typedef void pulse_node_visitor(void *context, const struct pulse_node *node);
void pulse_visit_node(const struct pulse_node *node, pulse_node_visitor *visit, void *context);

#endif
