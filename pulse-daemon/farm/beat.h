/* SPDX-License-Identifier: MIT */
/* What workers say of themselves: that they are there, what they hold, that they go. */
#ifndef PULSE_FARM_BEAT_H
#define PULSE_FARM_BEAT_H

#include "pulse-daemon/farm/state.h"

void pulse_farm_welcome(struct pulse_farm *farm, const struct pulse_farm_event *event);
void pulse_farm_credits(struct pulse_farm *farm, const struct pulse_farm_event *event);
void pulse_farm_progress(struct pulse_farm *farm, const struct pulse_farm_event *event);
void pulse_farm_beat(struct pulse_farm *farm, const struct pulse_farm_event *event);
void pulse_farm_gone(struct pulse_farm *farm, const struct pulse_farm_event *event);
void pulse_farm_drain(struct pulse_farm *farm, const struct pulse_farm_event *event);
/* The timer of a claim's lease. */
void pulse_farm_lease_due(struct pulse_farm *farm, struct pulse_farm_shard_entry *shard);

#endif
