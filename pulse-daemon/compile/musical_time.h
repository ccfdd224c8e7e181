/* SPDX-License-Identifier: MIT */
/* Tempo, bars and beats as plugins are told them: the tempo map and the time signatures as one table of frames. */
#ifndef PULSE_COMPILE_MUSICAL_TIME_H
#define PULSE_COMPILE_MUSICAL_TIME_H

#include "pulse-daemon/compile/context.h"

#define PULSE_TEMPO_CELL_FRAMES 1024       /* a ramp is told anew as often */
#define PULSE_TEMPO_ENTRIES_MAX (1u << 20) /* six hours of ramps at 48 kHz */

/* Gives the graph its tempo when a plugin is used. A map that ramps for too long is a fault. */
LH_NODISCARD enum lh_status pulse_musical_time_compile(struct pulse_compiling *c);

#endif
