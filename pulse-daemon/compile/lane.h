/* SPDX-License-Identifier: MIT */
/* Automation resolved to frames: what a parameter is at any frame, stretch by stretch. */
#ifndef PULSE_COMPILE_LANE_H
#define PULSE_COMPILE_LANE_H

#include "pulse-daemon/compile/tempo.h"

struct pulse_lane_point {
    int64_t frame;  /* each frame once, ascending */
    double reached; /* the value that the stretch before ends with: the first of the points at this frame */
    double value;   /* from this frame on: the last of them */
    bool ramp;      /* linear in frames to the next point's `reached`; else holds */
};

/* Without points: `constant` all the time. Before the first point `reached` of it holds, after the last its value. */
struct pulse_lane {
    const struct pulse_lane_point *points;
    size_t count;
    double constant;
};

struct pulse_lane pulse_lane_constant(double value);
/* Sorts the points by time and merges those at one frame; a stretch that touches -inf holds, as does all of mute.
   LH_ERR_NO_MEMORY; LH_ERR_LIMIT with the point's index in the file in *beyond when it lies past all time. */
LH_NODISCARD enum lh_status pulse_lane_resolve(struct lh_arena *arena, const struct pulse_tempo_map *map,
                                               const struct pulse_automation *automation, struct pulse_lane *lane,
                                               size_t *beyond);

/* The lane over frames that no point divides. */
struct pulse_lane_stretch {
    int64_t start, end; /* of the ramp */
    double from, to;    /* equal when it holds */
};
/* The stretch to which frames from `frame` up to the next point belong. */
struct pulse_lane_stretch pulse_lane_stretch(const struct pulse_lane *lane, int64_t frame);
double pulse_lane_value(const struct pulse_lane_stretch *stretch, int64_t frame);

#endif
