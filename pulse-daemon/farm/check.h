/* SPDX-License-Identifier: MIT */
/* What check.c and check_queue.c share. */
#ifndef PULSE_FARM_CHECK_H
#define PULSE_FARM_CHECK_H

#include "pulse-daemon/farm/state.h"

/* Sets the error and returns LH_ERR_INTERNAL. */
enum lh_status pulse_farm_broken(struct lh_error *error, const char *kind, uint64_t id, const char *what);
/* Workers, claims, and the queue of what is ready. */
enum lh_status pulse_farm_check_crew(const struct pulse_farm *farm, struct lh_error *error);
enum lh_status pulse_farm_check_queue(const struct pulse_farm *farm, struct lh_error *error);

#endif
