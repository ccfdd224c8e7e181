/* SPDX-License-Identifier: MIT */
/* Pan laws and balance. */
#include "pulse-daemon/compile/pan.h"

#include <math.h>

#include "common/math/exact.h"

bool pulse_pan_between(uint32_t from_channels, uint32_t to_channels, enum pulse_pan_kind *kind)
{
    if (to_channels == 2 && from_channels == 1) {
        *kind = PULSE_PAN_LAW;
    } else if (to_channels == 2 && from_channels == 2) {
        *kind = PULSE_PAN_BALANCE;
    } else if (from_channels == to_channels) {
        *kind = PULSE_PAN_NOT;
    } else {
        return false;
    }
    return true;
}

static double law_gain(enum pulse_pan_law law, double pan, uint32_t side)
{
    double p = (pan + 1.0) / 2.0;
    double linear = side == 0 ? 1.0 - p : p;
    if (law == PULSE_PAN_LINEAR) {
        return linear;
    }
    double power = side == 0 ? lh_cos_half_pi(p) : lh_sin_half_pi(p);
    return law == PULSE_PAN_CONSTANT_POWER ? power : sqrt(linear * power);
}

double pulse_pan_gain(enum pulse_pan_kind kind, enum pulse_pan_law law, double pan, uint32_t side)
{
    switch (kind) {
    case PULSE_PAN_NOT:
        return 1.0;
    case PULSE_PAN_LAW:
        return law_gain(law, pan, side);
    case PULSE_PAN_BALANCE:
        return fmin(1.0, side == 0 ? 1.0 - pan : 1.0 + pan);
    }
    return 1.0;
}

bool pulse_pan_is_linear(enum pulse_pan_kind kind, enum pulse_pan_law law)
{
    return kind != PULSE_PAN_LAW || law == PULSE_PAN_LINEAR;
}
