/* SPDX-License-Identifier: MIT */
/* A fader or send: level times pan as one gain curve for each output channel, and mute as a gate. The product is formed
   in double and rounded to float once, so that a gain is one multiplication of the signal. */
#ifndef PULSE_COMPILE_GAIN_H
#define PULSE_COMPILE_GAIN_H

#include "graph/builder.h"
#include "pulse-daemon/compile/lane.h"
#include "pulse-daemon/compile/pan.h"
#include "pulse-daemon/compile/points.h"

struct pulse_gain {
    struct pulse_lane level; /* dB */
    struct pulse_lane pan;   /* -1..1 */
    enum pulse_pan_kind kind;
    enum pulse_pan_law law;
};

/* Curves of a gain, one for each output channel. */
struct pulse_gain_curves {
    bool audible; /* false: the gain is 0 throughout and there are no curves */
    uint32_t channels;
    uint32_t curves[GRAPH_CHANNELS_MAX];
};

/* Points of one channel's curve into `points`. LH_ERR_NO_MEMORY, LH_ERR_LIMIT (too many points). */
LH_NODISCARD enum lh_status pulse_gain_sample(const struct pulse_gain *gain, uint32_t channel,
                                              struct pulse_points *points);
/* Adds the curves of all channels. LH_ERR_UNSUPPORTED when a gain is too large for a float. */
LH_NODISCARD enum lh_status pulse_gain_build(const struct pulse_gain *gain, uint32_t channels,
                                             struct graph_builder *builder, struct pulse_points *points,
                                             struct pulse_gain_curves *curves);
/* Mute as steps: 0 while it is on, else 1. */
LH_NODISCARD enum lh_status pulse_gain_gate(const struct pulse_lane *mute, uint32_t channels,
                                            struct graph_builder *builder, struct pulse_points *points,
                                            struct pulse_gain_curves *curves);

#endif
