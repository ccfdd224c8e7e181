/* SPDX-License-Identifier: MIT */
/* One lock, a heap of ready tasks and counters of what each task still waits for. A task is some 100 microseconds of
   work and more, so the lock is never the bottleneck, and one lock can be read and believed. */
#include "engine/run/schedule.h"

#include <pthread.h>
#include <stdlib.h>

struct task {
    int64_t block;
    uint32_t chain;
};

struct schedule {
    const struct engine_plan *plan;
    const struct engine_tasks *tasks;
    const _Atomic int64_t *block_limit;
    pthread_mutex_t mutex;
    pthread_cond_t changed; /* a task became ready, or it is over */
    struct task *ready;     /* binary heap, best first */
    size_t ready_count;
    uint32_t *waiting;    /* by slot and chain: what the task still waits for */
    uint32_t *unfinished; /* by slot: tasks of the block not done yet */
    int64_t *done;        /* by ordered chain: blocks done, always a prefix */
    int64_t opened;       /* blocks opened so far */
    uint32_t running;
    enum lh_status status;
    struct lh_error error;
    struct task failed; /* the first that failed, in the order of blocks, then chains */
};

/* Earlier blocks first; inside a block the deep chains, whose end frees the block. */
static bool before(const struct schedule *schedule, struct task a, struct task b)
{
    if (a.block != b.block) {
        return a.block < b.block;
    }
    uint32_t a_depth = schedule->plan->chains[a.chain].depth;
    uint32_t b_depth = schedule->plan->chains[b.chain].depth;
    return a_depth != b_depth ? a_depth > b_depth : a.chain < b.chain;
}

static void push(struct schedule *schedule, struct task task)
{
    size_t i = schedule->ready_count++;
    while (i > 0 && before(schedule, task, schedule->ready[(i - 1) / 2])) {
        schedule->ready[i] = schedule->ready[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    schedule->ready[i] = task;
    pthread_cond_signal(&schedule->changed);
}

static struct task pop(struct schedule *schedule)
{
    struct task best = schedule->ready[0];
    struct task last = schedule->ready[--schedule->ready_count];
    size_t i = 0;
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= schedule->ready_count) {
            break;
        }
        if (child + 1 < schedule->ready_count && before(schedule, schedule->ready[child + 1], schedule->ready[child])) {
            child++;
        }
        if (!before(schedule, schedule->ready[child], last)) {
            break;
        }
        schedule->ready[i] = schedule->ready[child];
        i = child;
    }
    schedule->ready[i] = last;
    return best;
}

static uint32_t *waiting_of(struct schedule *schedule, uint32_t chain, int64_t block)
{
    size_t slot = (size_t)(block % schedule->plan->slots);
    return &schedule->waiting[slot * schedule->plan->chain_count + chain];
}

/* How many blocks the pass has: the plan's, or fewer once every tail has ended. */
static int64_t blocks_to_do(const struct schedule *schedule)
{
    int64_t limit = atomic_load_explicit(schedule->block_limit, memory_order_acquire);
    return limit < schedule->plan->block_count ? limit : schedule->plan->block_count;
}

static void open_block(struct schedule *schedule)
{
    int64_t block = schedule->opened++;
    const struct engine_plan *plan = schedule->plan;
    schedule->unfinished[block % plan->slots] = plan->chain_count;
    for (uint32_t c = 0; c < plan->chain_count; c++) {
        bool behind = plan->chains[c].ordered && schedule->done[c] < block;
        *waiting_of(schedule, c, block) = plan->chains[c].producers + (behind ? 1 : 0);
        if (plan->chains[c].producers == 0 && !behind) {
            push(schedule, (struct task){.block = block, .chain = c});
        }
    }
}

static void release(struct schedule *schedule, uint32_t chain, int64_t block)
{
    if (--*waiting_of(schedule, chain, block) == 0) {
        push(schedule, (struct task){.block = block, .chain = chain});
    }
}

static void finish_task(struct schedule *schedule, struct task task)
{
    const struct engine_plan *plan = schedule->plan;
    const struct engine_chain *chain = &plan->chains[task.chain];
    for (uint32_t i = 0; i < chain->consumer_count; i++) {
        release(schedule, plan->consumers[chain->first_consumer + i], task.block);
    }
    if (chain->ordered) {
        schedule->done[task.chain] = task.block + 1;
        if (task.block + 1 < schedule->opened) {
            release(schedule, task.chain, task.block + 1);
        }
    }
    if (--schedule->unfinished[task.block % plan->slots] == 0) {
        atomic_fetch_add_explicit(schedule->tasks->done_blocks, 1, memory_order_relaxed);
        /* Unordered chains may finish a later block first: open only while the slot of the next one is free. */
        while (schedule->status == LH_OK && schedule->opened < blocks_to_do(schedule) &&
               schedule->unfinished[schedule->opened % plan->slots] == 0) {
            open_block(schedule);
        }
    }
}

static void fail(struct schedule *schedule, enum lh_status status, const struct lh_error *error, struct task task)
{
    struct task failed = schedule->failed;
    bool earlier = task.block != failed.block ? task.block < failed.block : task.chain < failed.chain;
    if (schedule->status == LH_OK || status == LH_ERR_CANCELLED || (schedule->status != LH_ERR_CANCELLED && earlier)) {
        schedule->status = status;
        schedule->error = *error;
        schedule->failed = task;
    }
    pthread_cond_broadcast(&schedule->changed);
}

/* Whether the best task that is ready has a use. After a failure those of the same and of earlier blocks still have:
   which failure is the first must not depend on who was faster. */
static bool has_work(const struct schedule *schedule)
{
    if (schedule->ready_count == 0 || schedule->status == LH_ERR_CANCELLED) {
        return false;
    }
    return schedule->status == LH_OK || schedule->ready[0].block <= schedule->failed.block;
}

static void run_one(struct schedule *schedule, uint32_t worker)
{
    struct task task = pop(schedule);
    schedule->running++;
    pthread_mutex_unlock(&schedule->mutex);
    struct lh_error error = LH_ERROR_INIT;
    enum lh_status status;
    if (atomic_load_explicit(schedule->tasks->cancel, memory_order_relaxed) == 0) {
        status = schedule->tasks->run(schedule->tasks->context, worker, task.chain, task.block, &error);
    } else {
        status = lh_error_set(&error, LH_ERR_CANCELLED, NULL, "interrupted");
    }
    pthread_mutex_lock(&schedule->mutex);
    schedule->running--;
    if (status != LH_OK) {
        fail(schedule, status, &error, task);
    } else {
        finish_task(schedule, task);
    }
}

static void work(void *context, uint32_t worker)
{
    struct schedule *schedule = context;
    pthread_mutex_lock(&schedule->mutex);
    for (;;) {
        if (has_work(schedule)) {
            run_one(schedule, worker);
        } else if (schedule->running > 0) {
            pthread_cond_wait(&schedule->changed, &schedule->mutex);
        } else {
            break;
        }
    }
    pthread_cond_broadcast(&schedule->changed);
    pthread_mutex_unlock(&schedule->mutex);
}

static enum lh_status allocate(struct schedule *schedule)
{
    const struct engine_plan *plan = schedule->plan;
    size_t tasks = (size_t)plan->slots * plan->chain_count + 1;
    schedule->ready = calloc(tasks, sizeof *schedule->ready);
    schedule->waiting = calloc(tasks, sizeof *schedule->waiting);
    schedule->unfinished = calloc(plan->slots, sizeof *schedule->unfinished);
    schedule->done = calloc((size_t)plan->chain_count + 1, sizeof *schedule->done);
    bool whole =
        schedule->ready != NULL && schedule->waiting != NULL && schedule->unfinished != NULL && schedule->done != NULL;
    return whole ? LH_OK : LH_ERR_NO_MEMORY;
}

/* How the run ended. Blocks that were open when a task lowered their number ran for nothing, and so did their failures:
   how many there were depends on the block and on the threads. Every block before the failed one has been run. */
static enum lh_status settled(const struct schedule *schedule)
{
    bool moot = schedule->status != LH_ERR_CANCELLED && schedule->failed.block >= blocks_to_do(schedule);
    return moot ? LH_OK : schedule->status;
}

enum lh_status engine_schedule_run(const struct engine_plan *plan, struct engine_pool *pool,
                                   const struct engine_tasks *tasks, const _Atomic int64_t *block_limit,
                                   struct lh_error *error)
{
    struct schedule schedule = {.plan = plan, .tasks = tasks, .block_limit = block_limit, .status = LH_OK};
    enum lh_status status = allocate(&schedule);
    if (status == LH_OK) {
        pthread_mutex_init(&schedule.mutex, NULL);
        pthread_cond_init(&schedule.changed, NULL);
        while (schedule.opened < plan->slots && schedule.opened < plan->block_count) {
            open_block(&schedule);
        }
        engine_pool_run(pool, work, &schedule);
        pthread_cond_destroy(&schedule.changed);
        pthread_mutex_destroy(&schedule.mutex);
        status = settled(&schedule);
        if (status != LH_OK && error != NULL) {
            *error = schedule.error;
        }
    } else {
        lh_error_no_memory(error);
    }
    free(schedule.ready);
    free(schedule.waiting);
    free(schedule.unfinished);
    free(schedule.done);
    return status;
}
