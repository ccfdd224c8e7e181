/* SPDX-License-Identifier: MIT */
/* Taking a plan in: from what the job wants backwards, only what is neither present nor promised. */
#ifndef PULSE_FARM_ADMIT_H
#define PULSE_FARM_ADMIT_H

#include "pulse-daemon/farm/state.h"

void pulse_farm_admit(struct pulse_farm *farm, const struct pulse_farm_event *event);
/* Holds the rows that were looked up, until the step's end or as long as something refers to them. */
void pulse_farm_take_known(struct pulse_farm *farm, const struct pulse_output_row *rows, size_t count);

#endif
