/* SPDX-License-Identifier: MIT */
/* What workers say of their attempts. Everything that is not of the current attempt is refused. */
#ifndef PULSE_FARM_REPORT_H
#define PULSE_FARM_REPORT_H

#include "pulse-daemon/farm/state.h"

void pulse_farm_report_complete(struct pulse_farm *farm, const struct pulse_farm_event *event);
void pulse_farm_report_failed(struct pulse_farm *farm, const struct pulse_farm_event *event);
void pulse_farm_report_lost(struct pulse_farm *farm, const struct pulse_farm_event *event);
void pulse_farm_report_returned(struct pulse_farm *farm, const struct pulse_farm_event *event);
void pulse_farm_report_missing(struct pulse_farm *farm, const struct pulse_farm_event *event);

/* The shard if that attempt is the current one of that worker; else NULL. */
struct pulse_farm_shard_entry *pulse_farm_current(const struct pulse_farm *farm, const char *worker, uint64_t shard,
                                                  uint32_t attempt);

#endif
