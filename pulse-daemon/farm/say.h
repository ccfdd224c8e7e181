/* SPDX-License-Identifier: MIT */
/* What people and operators are told, as JSON objects:
       job.state      state; FAILED: error
       job.waiting    for: what a worker would have to be, up to 8 of them; empty: the wait is over
       job.replanned  an output of its that was there is gone
       shard.failed   shard, worker, attempt, report, retryInMs
       shard.lost     shard, worker, attempt, reason
       alarm.digests  tenant, key, shard, worker, kept, refused
       alarm.quarantine, alarm.forgiven   worker */
#ifndef PULSE_FARM_SAY_H
#define PULSE_FARM_SAY_H

#include "pulse-daemon/farm/state.h"

/* What an attempt came to. */
struct pulse_farm_mishap {
    const struct pulse_farm_shard_entry *shard;
    const struct pulse_farm_worker *worker;
    uint32_t attempt;
    const char *report; /* JSON; anything else is taken as text */
};

/* The error of a job: an object with "message" and "where" taken from the report, and the whole report. `mishap` shard
   NULL: no shard took part. In the arena; NULL: no memory. */
const char *pulse_farm_say_error(struct pulse_farm *farm, const char *message, const struct pulse_farm_mishap *mishap);

void pulse_farm_say_state(struct pulse_farm *farm, const struct pulse_farm_job *job);
void pulse_farm_say_replanned(struct pulse_farm *farm, const struct pulse_farm_job *job);
/* To every job that waits for the shard. */
void pulse_farm_say_failed(struct pulse_farm *farm, const struct pulse_farm_mishap *mishap, uint64_t retry_ns);
void pulse_farm_say_lost(struct pulse_farm *farm, const struct pulse_farm_mishap *mishap);
void pulse_farm_say_waiting(struct pulse_farm *farm, const struct pulse_farm_job *job,
                            const struct pulse_farm_needs *const *needs, size_t count);
void pulse_farm_say_digests(struct pulse_farm *farm, const struct pulse_farm_output *output, uint64_t shard,
                            const char *worker, const struct lh_digest *refused);
void pulse_farm_say_worker(struct pulse_farm *farm, const char *type, const struct pulse_farm_worker *worker);

#endif
