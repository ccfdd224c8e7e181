/* SPDX-License-Identifier: MIT */
/* Tracks as nodes: clips or bus, mute gate, pre tap, fader and pan, post tap, output and sends. */
#ifndef PULSE_COMPILE_STRIP_H
#define PULSE_COMPILE_STRIP_H

#include "pulse-daemon/compile/context.h"

/* A track's taps; GRAPH_NONE where it is silent. */
struct pulse_strip {
    uint32_t pre, post;
};

/* The curves of one track, made when they are first needed: contributions use them again. */
struct pulse_track_gains {
    bool gate_ready, fader_ready;
    struct pulse_gain_curves gate, fader;
};

/* What flows into a track in one pass over the tracks. */
struct pulse_flow {
    uint32_t node;
    size_t next; /* in flows, or PULSE_NONE */
};

struct pulse_mixer {
    struct pulse_compiling *c;
    struct pulse_track_gains *gains;  /* of every track */
    struct pulse_gain_curves **sends; /* of every track, of every send; channels 0: not made yet */
    struct pulse_strip *strips;       /* of every track: its whole signal */
    struct pulse_strip *shares;       /* of every track: the share of one track's contribution */
    size_t *heads;                    /* of every track: first flow, or PULSE_NONE */
    struct pulse_flow *flows;
    size_t flow_count, flow_capacity; /* owned */
    uint32_t *inputs;
    size_t input_capacity; /* owned: scratch */
};

/* Checks that layouts meet on every live route that takes part. Faults are reported. */
void pulse_check_layouts(struct pulse_compiling *c);
/* What the fader's pan does: it depends on the output's layout, the master's on its own. */
enum pulse_pan_kind pulse_fader_pan(const struct pulse_compiling *c, size_t track);
/* Channels of the track after its pan. */
uint32_t pulse_post_channels(const struct pulse_compiling *c, size_t track);

LH_NODISCARD enum lh_status pulse_mixer_init(struct pulse_mixer *mixer, struct pulse_compiling *c);
void pulse_mixer_fini(struct pulse_mixer *mixer);
/* Builds the strips of all needed tracks. Faults are reported. */
LH_NODISCARD enum lh_status pulse_mixer_build(struct pulse_mixer *mixer);
/* A track's contribution to the master: its post tap and its sends through everything downstream, as if all other
   tracks were silent. *node is GRAPH_NONE when nothing arrives. */
LH_NODISCARD enum lh_status pulse_mixer_contribution(struct pulse_mixer *mixer, size_t track, uint32_t *node);

#endif
