/* SPDX-License-Identifier: MIT */
/* Deliverables: ranges, tails, encodings, and which node each file holds. */
#ifndef PULSE_COMPILE_DELIVERABLES_H
#define PULSE_COMPILE_DELIVERABLES_H

#include "pulse-daemon/compile/strip.h"

/* First 8 bytes, little-endian, of the SHA-256 of a file's name without its ending. */
LH_NODISCARD enum lh_status pulse_dither_seed(const char *name, uint64_t *seed);

/* Reports what is wrong with loops and given ranges, so that it is told together with the faults of tracks. */
void pulse_check_deliverables(struct pulse_compiling *c);

/* Adds the markers and every chosen deliverable's files to the graph, and the outputs to the result. Faults are
   reported. */
LH_NODISCARD enum lh_status pulse_compile_deliverables(struct pulse_mixer *mixer);

#endif
