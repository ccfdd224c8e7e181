/* SPDX-License-Identifier: MIT */
/* Sampling a function of the frame to break-points of a render graph's curve: a growing buffer that is used again and
   again, and adaptive bisection. */
#ifndef PULSE_COMPILE_POINTS_H
#define PULSE_COMPILE_POINTS_H

#include <math.h>

#include "graph/graph.h"

#define PULSE_CELL_FRAMES 64              /* no stretch of a table is longer */
#define PULSE_CURVE_POINTS_MAX (1u << 23) /* of one curve: three hours of ramps at 48 kHz */
#define PULSE_CURVE_TOLERANCE 0x1p-20     /* of interpolation against the exact gain, relative above 1 */

struct pulse_points {
    struct graph_point *items; /* owned */
    size_t count, capacity;
    bool audible;  /* at least one value is not 0 */
    bool overflow; /* a value did not fit a float */
};

/* Empties the buffer; its memory stays. */
void pulse_points_clear(struct pulse_points *points);
void pulse_points_fini(struct pulse_points *points);
/* Frames never decrease. A point equal to the last is dropped. LH_ERR_NO_MEMORY, LH_ERR_LIMIT. */
LH_NODISCARD enum lh_status pulse_points_add(struct pulse_points *points, int64_t frame, double value);

typedef double pulse_points_function(const void *context, int64_t frame);

#define PULSE_BEND_UNKNOWN HUGE_VAL

/* Points from `start` to `end` (both included). `bend` bounds the function's second derivative, per frame squared: 0 is
   a straight line of two points. Otherwise cells of at most `cell` frames are bisected until interpolation is within
   the tolerance, down to one frame; where the bound already says so, without looking. */
LH_NODISCARD enum lh_status pulse_points_sample(struct pulse_points *points, pulse_points_function *function,
                                                const void *context, int64_t start, int64_t end, int64_t cell,
                                                double bend);

#endif
