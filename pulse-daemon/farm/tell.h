/* SPDX-License-Identifier: MIT */
/* Shards that nobody can run do not fail: the jobs that wait for them are told what kind of worker is missing, once,
   and again when that changes. */
#ifndef PULSE_FARM_TELL_H
#define PULSE_FARM_TELL_H

#include "pulse-daemon/farm/state.h"

void pulse_farm_tell(struct pulse_farm *farm);
/* When it has something to do again; UINT64_MAX: not before something else happens. */
uint64_t pulse_farm_tell_due(const struct pulse_farm *farm);

#endif
