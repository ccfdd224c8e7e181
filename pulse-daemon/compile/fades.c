/* SPDX-License-Identifier: MIT */
/* Fade shapes, sampled once each. */
#include "pulse-daemon/compile/fades.h"

#include "common/math/exact.h"

double pulse_fade_gain(enum pulse_fade_shape shape, double x)
{
    switch (shape) {
    case PULSE_FADE_LINEAR:
        return x;
    case PULSE_FADE_CONSTANT_POWER:
        return lh_sin_half_pi(x);
    case PULSE_FADE_EXPONENTIAL:
        return (lh_exp10(3.0 * x) - 1.0) / 999.0;
    case PULSE_FADE_S_CURVE: {
        double sine = lh_sin_half_pi(x); /* (1 - cos 2a)/2 = sin^2 a: no cancellation near 0 */
        return sine * sine;
    }
    }
    return x;
}

static double gain_at(const void *context, int64_t position)
{
    return pulse_fade_gain(*(const enum pulse_fade_shape *)context, (double)position / GRAPH_FADE_SPAN);
}

enum lh_status pulse_fades_curve(struct pulse_fades *fades, struct graph_builder *builder, struct pulse_points *points,
                                 enum pulse_fade_shape shape, uint32_t *curve)
{
    if (!fades->made[shape]) {
        double bend = shape == PULSE_FADE_LINEAR ? 0.0 : PULSE_BEND_UNKNOWN;
        pulse_points_clear(points);
        enum lh_status status =
            pulse_points_sample(points, gain_at, &shape, 0, GRAPH_FADE_SPAN, GRAPH_FADE_SPAN / PULSE_FADE_STEPS, bend);
        if (status == LH_OK) {
            status = graph_builder_add_curve(builder, points->items, points->count, &fades->curves[shape]);
        }
        if (status != LH_OK) {
            return status;
        }
        fades->made[shape] = true;
    }
    *curve = fades->curves[shape];
    return LH_OK;
}
