/* SPDX-License-Identifier: MIT */
/* What becomes of shards. */
#include "pulse-daemon/farm/task.h"

#include "pulse-daemon/farm/crew.h"
#include "pulse-daemon/farm/emit.h"
#include "pulse-daemon/farm/job.h"
#include "pulse-daemon/farm/match.h"
#include "pulse-daemon/farm/need.h"
#include "pulse-daemon/farm/queue.h"

#define SECOND_NS UINT64_C(1000000000)
#define NS_PER_MS UINT64_C(1000000)
#define COST_LIMIT 64                            /* so many times its cost may a shard run beyond the hard limit */
#define HARD_MOST_NS (7 * 24 * 3600 * SECOND_NS) /* what the wire can tell (proto/limit_rows.h) */
#define DOUBLINGS_MOST 20
#define LUCK 1024

static void set_state(struct pulse_farm *farm, struct pulse_farm_shard_entry *shard, enum pulse_shard_state state)
{
    if (shard->state != state) {
        farm->states[shard->state]--;
        farm->states[state]++;
        shard->state = (uint8_t)state;
        pulse_farm_shard_changed(farm, shard);
    }
}

/* ---- Waiting and ready ---- */

/* Out of wherever it waits. */
static void unplace(struct pulse_farm *farm, struct pulse_farm_shard_entry *shard)
{
    pulse_farm_queue_take(farm, shard);
    if (shard->claim == NULL) {
        pulse_farm_timer_clear(farm, &shard->timer);
    }
}

static bool is_stranded(const struct pulse_farm_shard_entry *shard)
{
    for (size_t i = 0; shard->absent > 0 && i < shard->input_count; i++) {
        if (shard->inputs[i].output->state == PULSE_FARM_ABSENT) {
            return true;
        }
    }
    return false;
}

void pulse_farm_task_place(struct pulse_farm *farm, struct pulse_farm_shard_entry *shard, uint64_t delay_ns)
{
    unplace(farm, shard);
    if (shard->absent > 0) {
        set_state(farm, shard, PULSE_SHARD_WAITING);
        if (is_stranded(shard)) {
            pulse_farm_task_undo(farm, NULL, &shard, 1);
        }
        return;
    }
    set_state(farm, shard, PULSE_SHARD_READY);
    if (delay_ns == 0) {
        pulse_farm_queue_put(farm, shard);
    } else {
        shard->timer.kind = PULSE_FARM_TIMER_RETRY;
        pulse_farm_timer_set(farm, &shard->timer, farm->now_ns + delay_ns);
    }
}

void pulse_farm_task_due(struct pulse_farm *farm, struct pulse_farm_shard_entry *shard)
{
    pulse_farm_queue_put(farm, shard);
}

/* ---- Claims ---- */

uint64_t pulse_farm_hard_ns(const struct pulse_farm *farm, const struct pulse_farm_shard_entry *shard)
{
    uint64_t hard_ns = farm->options.hard_ns + COST_LIMIT * NS_PER_MS * shard->cost_ms;
    return hard_ns < HARD_MOST_NS ? hard_ns : HARD_MOST_NS;
}

static uint32_t milliseconds(uint64_t ns)
{
    return (uint32_t)((ns < HARD_MOST_NS ? ns : HARD_MOST_NS) / NS_PER_MS);
}

static void tell_assignment(struct pulse_farm *farm, const struct pulse_farm_shard_entry *shard,
                            const struct pulse_farm_worker *worker)
{
    struct pulse_farm_action *action = pulse_farm_act_on(farm, PULSE_FARM_ASSIGN, worker, shard->id, shard->attempt);
    struct pulse_output_row *inputs = pulse_farm_scratch(farm, shard->input_count, sizeof *inputs);
    struct pulse_farm_promise *outputs = pulse_farm_scratch(farm, shard->output_count, sizeof *outputs);
    if (inputs == NULL || outputs == NULL) {
        return;
    }
    for (size_t i = 0; i < shard->input_count; i++) {
        const struct pulse_farm_output *output = shard->inputs[i].output;
        inputs[i] = (struct pulse_output_row){.tenant = shard->tenant->id,
                                              .key = output->key,
                                              .kind = (enum pulse_output_kind)output->kind,
                                              .state = PULSE_OUTPUT_PRESENT,
                                              .unproven = output->unproven,
                                              .shard = output->shard,
                                              .digest = output->digest,
                                              .size = output->size};
    }
    for (size_t i = 0; i < shard->output_count; i++) {
        const struct pulse_farm_output *output = shard->outputs[i];
        outputs[i] = (struct pulse_farm_promise){output->key, (enum pulse_output_kind)output->kind, output->unproven,
                                                 output->size};
    }
    action->tenant = shard->tenant->id;
    action->shard_kind = (enum pulse_shard_kind)shard->kind;
    action->cost_ms = shard->cost_ms;
    action->no_progress_ms = milliseconds(farm->options.stall_ns);
    action->hard_ms = milliseconds(pulse_farm_hard_ns(farm, shard));
    action->inputs = inputs;
    action->input_count = shard->input_count;
    action->outputs = outputs;
    action->output_count = shard->output_count;
}

void pulse_farm_task_assign(struct pulse_farm *farm, struct pulse_farm_shard_entry *shard,
                            struct pulse_farm_worker *worker)
{
    struct pulse_farm_claim *claim = pulse_farm_take(farm, sizeof *claim);
    if (claim == NULL) {
        return;
    }
    pulse_farm_queue_charge(farm, shard);
    unplace(farm, shard);
    *claim = (struct pulse_farm_claim){
        .shard = shard,
        .worker = worker,
        .next = worker->claims,
        .since_ns = farm->now_ns,
        .lease_ns = farm->now_ns + farm->options.lease_ns,
        .progress_ns = farm->now_ns,
    };
    if (claim->next != NULL) {
        claim->next->previous = claim;
    }
    worker->claims = claim;
    worker->claim_count++;
    shard->claim = claim;
    shard->attempt++;
    shard->timer.kind = PULSE_FARM_TIMER_LEASE;
    pulse_farm_timer_set(farm, &shard->timer, claim->lease_ns);
    set_state(farm, shard, PULSE_SHARD_CLAIMED);
    farm->totals[PULSE_FARM_ASSIGNED]++;
    pulse_farm_worker_refresh(farm, worker);
    tell_assignment(farm, shard, worker);
}

void pulse_farm_task_release(struct pulse_farm *farm, struct pulse_farm_shard_entry *shard)
{
    struct pulse_farm_claim *claim = shard->claim;
    if (claim == NULL) {
        return;
    }
    struct pulse_farm_worker *worker = claim->worker;
    if (claim->previous != NULL) {
        claim->previous->next = claim->next;
    } else {
        worker->claims = claim->next;
    }
    if (claim->next != NULL) {
        claim->next->previous = claim->previous;
    }
    worker->claim_count--;
    shard->claim = NULL;
    pulse_farm_timer_clear(farm, &shard->timer);
    pulse_farm_give(farm, claim, sizeof *claim);
    pulse_farm_shard_changed(farm, shard);
    pulse_farm_worker_refresh(farm, worker);
}

/* ---- Ends ---- */

/* What it promised and did not make is promised no more; what it needed it needs no more. */
static void end(struct pulse_farm *farm, struct pulse_farm_shard_entry *shard, enum pulse_shard_state state)
{
    unplace(farm, shard);
    pulse_farm_task_release(farm, shard);
    set_state(farm, shard, state);
    for (size_t i = 0; i < shard->output_count; i++) {
        struct pulse_farm_output *output = shard->outputs[i];
        if (output == NULL) {
            continue;
        }
        if (output->maker == shard) {
            output->maker = NULL;
            output->state = PULSE_FARM_ABSENT;
            pulse_farm_output_changed(farm, output);
        }
        output->makers--;
        shard->outputs[i] = NULL;
        pulse_farm_output_loosen(farm, output);
    }
    pulse_farm_edges_unlink(farm, shard);
}

void pulse_farm_task_done(struct pulse_farm *farm, struct pulse_farm_shard_entry *shard)
{
    farm->totals[PULSE_FARM_COMPLETED]++;
    if (shard->avoid != NULL && shard->avoid != shard->claim->worker) {
        pulse_farm_worker_strike(farm, shard->avoid);
    }
    end(farm, shard, PULSE_SHARD_DONE);
}

void pulse_farm_task_cancel(struct pulse_farm *farm, struct pulse_farm_shard_entry *shard, const char *reason)
{
    if (shard->claim != NULL) {
        pulse_farm_act_on(farm, PULSE_FARM_WITHDRAW, shard->claim->worker, shard->id, shard->attempt)->text = reason;
    }
    end(farm, shard, PULSE_SHARD_CANCELLED);
}

/* ---- Mishaps ---- */

void pulse_farm_task_returned(struct pulse_farm *farm, struct pulse_farm_shard_entry *shard)
{
    pulse_farm_task_release(farm, shard);
    pulse_farm_task_place(farm, shard, 0);
}

void pulse_farm_task_lost(struct pulse_farm *farm, struct pulse_farm_shard_entry *shard, const char *reason)
{
    if (shard->losses + 1 >= PULSE_FARM_LOSSES) {
        shard->losses = 0;
        pulse_farm_task_failed(farm, shard, reason, false);
        return;
    }
    shard->losses++;
    farm->totals[PULSE_FARM_LOSSES_SEEN]++;
    struct pulse_farm_mishap mishap = {shard, shard->claim->worker, shard->attempt, reason};
    pulse_farm_say_lost(farm, &mishap);
    pulse_farm_task_release(farm, shard);
    pulse_farm_task_place(farm, shard, 0);
}

/* The first retry comes at once, the n-th after about 2^(n-1) s: each shard has its own luck, so that those that failed
   together do not come again together. */
static uint64_t retry_delay(const struct pulse_farm *farm, const struct pulse_farm_shard_entry *shard)
{
    uint32_t n = shard->failures + shard->troubles;
    if (n <= 1) {
        return 0;
    }
    uint64_t delay = SECOND_NS << (n - 1 < DOUBLINGS_MOST ? n - 1 : DOUBLINGS_MOST);
    delay = delay < farm->options.retry_most_ns ? delay : farm->options.retry_most_ns;
    uint64_t luck = pulse_hash_u64(farm->options.seed ^ pulse_hash_u64(shard->id * 64 + n)) % LUCK;
    return delay / 2 + delay / 2 / LUCK * luck;
}

/* Whether nobody but this worker could do it. */
static bool is_alone(const struct pulse_farm *farm, const struct pulse_farm_shard_entry *shard,
                     const struct pulse_farm_worker *worker)
{
    const struct pulse_farm_group *group = shard->needs->group;
    size_t others = pulse_farm_group_active(farm, group);
    if (worker->active && pulse_farm_group_has(group, worker->class)) {
        others--;
    }
    return others == 0;
}

static void fail_for_good(struct pulse_farm *farm, const struct pulse_farm_mishap *mishap, const char *why)
{
    struct pulse_farm_shard_entry *shard = pulse_farm_find_shard(farm, mishap->shard->id);
    const char *error = pulse_farm_say_error(farm, why, mishap);
    pulse_farm_waiters(farm, &shard, 1);
    size_t count = farm->found.count;
    struct pulse_farm_job **jobs = pulse_farm_scratch(farm, count, sizeof *jobs);
    for (size_t i = 0; jobs != NULL && i < count; i++) {
        jobs[i] = farm->found.items[i];
    }
    end(farm, shard, PULSE_SHARD_FAILED);
    for (size_t i = 0; jobs != NULL && i < count; i++) {
        pulse_farm_job_finish(farm, jobs[i], PULSE_JOB_FAILED, error);
    }
}

void pulse_farm_task_failed(struct pulse_farm *farm, struct pulse_farm_shard_entry *shard, const char *report,
                            bool trouble)
{
    struct pulse_farm_worker *worker = shard->claim->worker, *before = shard->failed_on;
    struct pulse_farm_mishap mishap = {shard, worker, shard->attempt, report};
    farm->totals[PULSE_FARM_FAILURES]++;
    pulse_farm_worker_refer(&shard->avoid, worker);
    if (trouble) {
        shard->troubles++;
    } else {
        shard->failures++;
        if (before != NULL && (before != worker || is_alone(farm, shard, worker))) {
            const char *why = before != worker ? "a part of the job failed on two workers"
                                               : "a part of the job failed twice on the only worker that can do it";
            pulse_farm_worker_refer(&shard->failed_on, worker);
            fail_for_good(farm, &mishap, why);
            return;
        }
        pulse_farm_worker_refer(&shard->failed_on, worker);
    }
    uint64_t delay = retry_delay(farm, shard);
    pulse_farm_say_failed(farm, &mishap, delay);
    pulse_farm_task_release(farm, shard);
    pulse_farm_task_place(farm, shard, delay);
}
