/* SPDX-License-Identifier: MIT */
/* One batch of the decider: tasks that are decided together. Internal to the decider. */
#ifndef PULSE_SERVICE_BATCH_H
#define PULSE_SERVICE_BATCH_H

#include "pulse-daemon/service/decider.h"
#include "pulse-daemon/store/store.h"

/* What a batch works on. */
struct pulse_bench {
    struct pulse_store *store;
    struct pulse_farm *farm;
    struct lh_blobs *blobs;
    uint64_t next_job;
    struct pulse_mailbox *workers, *planner, *clients;
    struct pulse_decider_figures figures; /* its own thread's copy */
};

/* EVENT tasks, at most PULSE_BATCH_MAX: into the core, to the store, home. Whatever comes of it, the tasks are the
   batch's. LH_OK: committed and told; a task whose own write is refused is told so, and the others go on without it.
   LH_ERR_UNAVAILABLE, LH_ERR_IO, LH_ERR_NO_MEMORY: nothing has happened, and the
   core has to be loaded anew. LH_ERR_TAKEN_OVER and all others: the end. */
LH_NODISCARD enum lh_status pulse_batch_decide(struct pulse_bench *bench, struct pulse_task **tasks, size_t count,
                                               struct lh_error *error);
/* A WRITE task: the same, but the core stays as it is; what is the task's own fault is told to it alone. */
LH_NODISCARD enum lh_status pulse_batch_write(struct pulse_bench *bench, struct pulse_task *task,
                                              struct lh_error *error);

/* An UPKEEP task: as pulse_batch_write(). */
LH_NODISCARD enum lh_status pulse_batch_upkeep(struct pulse_bench *bench, struct pulse_task *task,
                                               struct lh_error *error);

/* Sends it home, or frees it when it has none. */
void pulse_task_finish(struct pulse_task *task, enum lh_status status, const struct lh_error *error);

#endif
