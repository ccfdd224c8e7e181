/* SPDX-License-Identifier: MIT */
/* What a step gives: rows that changed are noted once and told at its end, as they are then. */
#ifndef PULSE_FARM_EMIT_H
#define PULSE_FARM_EMIT_H

#include "pulse-daemon/farm/state.h"

void pulse_farm_job_changed(struct pulse_farm *farm, struct pulse_farm_job *job);
void pulse_farm_shard_changed(struct pulse_farm *farm, struct pulse_farm_shard_entry *shard);
void pulse_farm_output_changed(struct pulse_farm *farm, struct pulse_farm_output *output);

void pulse_farm_emit_needs(struct pulse_farm *farm, const struct pulse_needs_row *needs);
/* `shard` is its part of the plan. */
void pulse_farm_emit_spec(struct pulse_farm *farm, uint64_t id, uint64_t tenant, const struct pulse_farm_shard *shard,
                          const char *trace);
void pulse_farm_emit_want(struct pulse_farm *farm, enum pulse_change_kind kind, const struct pulse_farm_job *job,
                          const struct lh_digest *key);
/* `json` is the arena's. A job of NULL: an alarm. NULL json (no memory) is none. */
void pulse_farm_emit_event(struct pulse_farm *farm, const struct pulse_farm_job *job, const char *json);

/* A zeroed action of that kind, at the end of those of this step; a dummy when memory is out. */
struct pulse_farm_action *pulse_farm_act(struct pulse_farm *farm, enum pulse_farm_action_kind kind);
/* The same to a worker, about one of its attempts. */
struct pulse_farm_action *pulse_farm_act_on(struct pulse_farm *farm, enum pulse_farm_action_kind kind,
                                            const struct pulse_farm_worker *worker, uint64_t shard, uint32_t attempt);

/* Everything of the step, in the arena. */
LH_NODISCARD enum lh_status pulse_farm_outcome_make(struct pulse_farm *farm, struct pulse_farm_outcome *outcome);

#endif
