/* SPDX-License-Identifier: MIT */
/* The workers: who is there, what they hold, and whom nothing is given. */
#ifndef PULSE_FARM_CREW_H
#define PULSE_FARM_CREW_H

#include "pulse-daemon/farm/state.h"

extern const struct pulse_heap_order pulse_farm_worker_order; /* of those with room: the emptiest first */

struct pulse_farm_worker *pulse_farm_find_worker(const struct pulse_farm *farm, const char *name);
/* Made when it is not known; NULL: no memory. */
struct pulse_farm_worker *pulse_farm_worker(struct pulse_farm *farm, const char *name);
void pulse_farm_worker_free(struct pulse_farm *farm, struct pulse_farm_worker *worker);

/* What it may be given may have changed. */
void pulse_farm_worker_refresh(struct pulse_farm *farm, struct pulse_farm_worker *worker);
/* A shard failed there that then succeeded elsewhere. */
void pulse_farm_worker_strike(struct pulse_farm *farm, struct pulse_farm_worker *worker);
/* Something was heard of its session. */
void pulse_farm_worker_heard(struct pulse_farm *farm, struct pulse_farm_worker *worker);
void pulse_farm_silence_due(struct pulse_farm *farm, struct pulse_farm_worker *worker);
void pulse_farm_worker_due(struct pulse_farm *farm, struct pulse_farm_worker *worker);
/* Makes *pointer refer to the worker (NULL: none), which is kept as long as anything does. */
void pulse_farm_worker_refer(struct pulse_farm_worker **pointer, struct pulse_farm_worker *worker);
void pulse_farm_tell_drained(struct pulse_farm *farm);

/* Hands out what can be. */
void pulse_farm_dispatch(struct pulse_farm *farm);

#endif
