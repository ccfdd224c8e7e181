/* SPDX-License-Identifier: MIT */
/* Fade shapes as curves of the render graph, each made once. For a fade of k frames, frame i: x = i/k fading in,
   (k - i)/k fading out; linear x, constant power sin(x pi/2), s-curve (1 - cos(x pi))/2, exponential
   (10^(3x) - 1)/999. A curve runs over x in 0..1, so fades of every length share it (graph/graph.h, GRAPH_FADE_SPAN).
 */
#ifndef PULSE_COMPILE_FADES_H
#define PULSE_COMPILE_FADES_H

#include "graph/builder.h"
#include "pulse-daemon/compile/points.h"
#include "pulse-daemon/project/model.h"

#define PULSE_FADE_STEPS 1024 /* of a curve, at least */
#define PULSE_FADE_SHAPES 4

/* The curves made so far. Zero-initialise. */
struct pulse_fades {
    bool made[PULSE_FADE_SHAPES];
    uint32_t curves[PULSE_FADE_SHAPES];
};

/* The exact gain for x in 0..1. */
double pulse_fade_gain(enum pulse_fade_shape shape, double x);

/* The shape's curve over 0..GRAPH_FADE_SPAN; `points` is scratch. LH_ERR_NO_MEMORY. */
LH_NODISCARD enum lh_status pulse_fades_curve(struct pulse_fades *fades, struct graph_builder *builder,
                                              struct pulse_points *points, enum pulse_fade_shape shape,
                                              uint32_t *curve);

#endif
