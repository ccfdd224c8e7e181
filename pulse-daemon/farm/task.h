/* SPDX-License-Identifier: MIT */
/* The life of a shard: waiting, ready, claimed, and its end. */
#ifndef PULSE_FARM_TASK_H
#define PULSE_FARM_TASK_H

#include "pulse-daemon/farm/say.h"
#include "pulse-daemon/farm/state.h"

/* One that is not claimed goes where its inputs say: WAITING, or READY after `delay_ns`. With an input that nobody has
   promised it cannot go on: it is undone, and its jobs are planned again. */
void pulse_farm_task_place(struct pulse_farm *farm, struct pulse_farm_shard_entry *shard, uint64_t delay_ns);
/* A delay is over. */
void pulse_farm_task_due(struct pulse_farm *farm, struct pulse_farm_shard_entry *shard);

/* The worker gets the shard, which is in the queue. */
void pulse_farm_task_assign(struct pulse_farm *farm, struct pulse_farm_shard_entry *shard,
                            struct pulse_farm_worker *worker);
/* Takes the shard from its worker, which gets room. The shard's state is the caller's to change. */
void pulse_farm_task_release(struct pulse_farm *farm, struct pulse_farm_shard_entry *shard);

/* How long an attempt at it may run. */
uint64_t pulse_farm_hard_ns(const struct pulse_farm *farm, const struct pulse_farm_shard_entry *shard);

/* The attempt is gone without being the shard's fault, and counts as a loss; as returned, it counts as nothing. */
void pulse_farm_task_lost(struct pulse_farm *farm, struct pulse_farm_shard_entry *shard, const char *reason);
void pulse_farm_task_returned(struct pulse_farm *farm, struct pulse_farm_shard_entry *shard);
/* The attempt failed: another follows, or the shard has failed for good, and with it the jobs that wait for it.
   `trouble`: it was the worker's surroundings. */
void pulse_farm_task_failed(struct pulse_farm *farm, struct pulse_farm_shard_entry *shard, const char *report,
                            bool trouble);
/* Its outputs are present already. */
void pulse_farm_task_done(struct pulse_farm *farm, struct pulse_farm_shard_entry *shard);
/* Nobody waits for it. A worker that has it is told to stop. */
void pulse_farm_task_cancel(struct pulse_farm *farm, struct pulse_farm_shard_entry *shard, const char *reason);

/* The output has a blob: whoever needed it goes on. */
void pulse_farm_output_present(struct pulse_farm *farm, struct pulse_farm_output *output,
                               const struct pulse_farm_result *result);
/* A present output is so no longer: what is not running and needs it is undone, jobs that wait are planned again. */
void pulse_farm_output_vanished(struct pulse_farm *farm, struct pulse_farm_output *output);
/* Undoes these shards, which are not claimed, and all that need them; `vanished` (may be NULL) tells of jobs that wait
   for it. The list may be farm->walk. */
void pulse_farm_task_undo(struct pulse_farm *farm, const struct pulse_farm_output *vanished,
                          struct pulse_farm_shard_entry *const *shards, size_t count);

#endif
