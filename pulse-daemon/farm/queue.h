/* SPDX-License-Identifier: MIT */
/* What is ready, and who is served next: group -> level (priority) -> share (tenant) -> lane (needs) -> shard. A level
   counts as one priority higher for each span of aging that it waits unserved; inside a level the tenant comes next
   that was given the least, in cost by weight; of a tenant's shards the most urgent one, of a job's the one with the
   longest chain behind it. Of two groups at one height the one goes first that fewer workers could serve. All in
   O(log shards), plus a look at each share of the worker's groups. */
#ifndef PULSE_FARM_QUEUE_H
#define PULSE_FARM_QUEUE_H

#include "pulse-daemon/farm/state.h"

extern const struct pulse_heap_order pulse_farm_job_order; /* of jobs that wait for the planner */

/* A shard that is READY and due is put in; it is taken out when it is so no longer. */
void pulse_farm_queue_put(struct pulse_farm *farm, struct pulse_farm_shard_entry *shard);
void pulse_farm_queue_take(struct pulse_farm *farm, struct pulse_farm_shard_entry *shard);

/* The lanes of these needs leave the queue of their group, and join that of the one they have now. */
void pulse_farm_queue_leave(struct pulse_farm *farm, struct pulse_farm_needs *needs);
void pulse_farm_queue_join(struct pulse_farm *farm, struct pulse_farm_needs *needs);

/* The shard that this worker is to have next, which stays where it is; NULL: none that it can do. */
struct pulse_farm_shard_entry *pulse_farm_queue_next(const struct pulse_farm *farm,
                                                     const struct pulse_farm_worker *worker);
/* That shard is about to be taken for a worker: its tenant has had so much. */
void pulse_farm_queue_charge(struct pulse_farm *farm, const struct pulse_farm_shard_entry *shard);

#endif
