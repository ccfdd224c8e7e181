/* SPDX-License-Identifier: MIT */
/* The anticipative scheduler: runs a plan's chains over its blocks on a pool. A task is (chain, block). It is ready
   when what the chain reads has done the same block and, for an ordered chain, when it has done the block before. At
   most plan->slots blocks are in flight, so memory is bounded whatever the project's length. */
#ifndef ENGINE_RUN_SCHEDULE_H
#define ENGINE_RUN_SCHEDULE_H

#include <stdatomic.h>
#include <stdbool.h>

#include "engine/plan/plan.h"
#include "engine/run/pool.h"

/* What the tasks do. Called from any worker, without a lock held; `block` counts from 0 at plan->first_block. */
struct engine_tasks {
    enum lh_status (*run)(void *context, uint32_t worker, uint32_t chain, int64_t block, struct lh_error *error);
    void *context;
    const _Atomic int *cancel;     /* not NULL: ends the run with LH_ERR_CANCELLED when it is not 0 */
    _Atomic uint64_t *done_blocks; /* raised for each block that every chain has done */
};

/* Returns when all blocks are done, or with the first failure: that of the earliest block, in it that of the first
   chain, whatever the number of threads. `block_limit` is how many blocks there are to do, when that is less than the
   plan's; it may be lowered by a task, and a failure from there on is none. */
LH_NODISCARD enum lh_status engine_schedule_run(const struct engine_plan *plan, struct engine_pool *pool,
                                                const struct engine_tasks *tasks, const _Atomic int64_t *block_limit,
                                                struct lh_error *error);

#endif
