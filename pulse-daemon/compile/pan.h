/* SPDX-License-Identifier: MIT */
/* Pan laws and balance: a position -1..1 to one gain for each side. */
#ifndef PULSE_COMPILE_PAN_H
#define PULSE_COMPILE_PAN_H

#include "pulse-daemon/project/model.h"

enum pulse_pan_kind {
    PULSE_PAN_NOT = 0, /* the destination is not stereo: no pan */
    PULSE_PAN_LAW,     /* mono into stereo: by the project's law */
    PULSE_PAN_BALANCE, /* stereo into stereo: the side that is turned away from gets quieter */
};

/* How a layout meets its destination. False when it cannot: equal layouts connect, and mono goes into stereo. */
bool pulse_pan_between(uint32_t from_channels, uint32_t to_channels, enum pulse_pan_kind *kind);

/* Side 0 is left, 1 right; 1 for PULSE_PAN_NOT. With p = (pan + 1) / 2: constant power cos(p pi/2), sin(p pi/2);
   linear 1 - p, p; compromise the geometric mean of the two. Balance: min(1, 1 - pan), min(1, 1 + pan). */
double pulse_pan_gain(enum pulse_pan_kind kind, enum pulse_pan_law law, double pan, uint32_t side);

/* The gain is linear in pan (balance: on either side of 0). */
bool pulse_pan_is_linear(enum pulse_pan_kind kind, enum pulse_pan_law law);

#endif
