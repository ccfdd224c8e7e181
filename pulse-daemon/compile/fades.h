/* SPDX-License-Identifier: MIT */
/* Fades as curves of the render graph, each (shape, length, direction) made once. For a fade of k frames, frame i:
   x = i/k fading in, (k - i)/k fading out; linear x, constant power sin(x pi/2), s-curve (1 - cos(x pi))/2, exponential
   (10^(3x) - 1)/999. */
#ifndef PULSE_COMPILE_FADES_H
#define PULSE_COMPILE_FADES_H

#include "graph/builder.h"
#include "pulse-daemon/compile/points.h"
#include "pulse-daemon/project/model.h"

#define PULSE_FADE_STEPS 256 /* at least, or one a frame */

struct pulse_fade_entry {
    int64_t length; /* 0: empty slot */
    enum pulse_fade_shape shape;
    bool out;
    uint32_t curve;
};

/* A hash table with open addressing. Zero-initialise. */
struct pulse_fades {
    struct pulse_fade_entry *slots; /* owned */
    size_t count, capacity;         /* capacity is 0 or a power of two */
};

void pulse_fades_fini(struct pulse_fades *fades);

/* The exact gain for x in 0..1. */
double pulse_fade_gain(enum pulse_fade_shape shape, double x);

/* The curve over 0..length; `length` > 0, `points` is scratch. LH_ERR_NO_MEMORY, LH_ERR_LIMIT. */
LH_NODISCARD enum lh_status pulse_fades_curve(struct pulse_fades *fades, struct graph_builder *builder,
                                              struct pulse_points *points, enum pulse_fade_shape shape, int64_t length,
                                              bool out, uint32_t *curve);

#endif
