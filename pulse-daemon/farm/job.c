/* SPDX-License-Identifier: MIT */
/* What becomes of jobs. */
#include "pulse-daemon/farm/job.h"

#include "pulse-daemon/farm/emit.h"
#include "pulse-daemon/farm/need.h"
#include "pulse-daemon/farm/queue.h"
#include "pulse-daemon/farm/say.h"

void pulse_farm_job_set_state(struct pulse_farm *farm, struct pulse_farm_job *job, enum pulse_job_state state)
{
    if (job->state != state) {
        job->state = state;
        pulse_farm_job_changed(farm, job);
        pulse_farm_say_state(farm, job);
    }
}

/* ---- The planner's queue ---- */

void pulse_farm_job_dequeue(struct pulse_farm *farm, struct pulse_farm_job *job)
{
    if (job->phase == PULSE_FARM_IN_QUEUE && job->place != PULSE_HEAP_NONE) {
        pulse_heap_remove(&job->tenant->queued, job);
        farm->queued--;
    } else if (job->phase == PULSE_FARM_WITH_PLANNER) {
        job->tenant->planning--;
        farm->planning--;
    }
    job->phase = PULSE_FARM_NO_PLANNING;
}

void pulse_farm_job_enqueue(struct pulse_farm *farm, struct pulse_farm_job *job)
{
    pulse_farm_job_dequeue(farm, job);
    job->phase = PULSE_FARM_IN_QUEUE;
    /* Of a tenant's jobs the more urgent goes first, but none waits for ever: time makes up for urgency. The numbers
       stay positive, since the farm's own time begins late enough (farm.c). */
    job->since_ns = farm->now_ns - (uint64_t)(job->priority - PULSE_PRIORITY_MIN) * farm->options.aging_ns;
    farm->queued += pulse_farm_push(farm, &job->tenant->queued, job);
}

/* The tenant whose turn it is: the one that the planner has the least of. */
static struct pulse_farm_tenant *next_tenant(const struct pulse_farm *farm)
{
    struct pulse_farm_tenant *best = NULL, *tenant;
    for (size_t at = 0; (tenant = pulse_table_next(&farm->tenants, &at)) != NULL;) {
        const struct pulse_farm_job *job = pulse_heap_first(&tenant->queued);
        if (job == NULL) {
            continue;
        }
        const struct pulse_farm_job *other = best == NULL ? NULL : pulse_heap_first(&best->queued);
        if (other == NULL || tenant->planning < best->planning ||
            (tenant->planning == best->planning &&
             (job->since_ns != other->since_ns ? job->since_ns < other->since_ns : job->id < other->id))) {
            best = tenant;
        }
    }
    return best;
}

void pulse_farm_jobs_plan(struct pulse_farm *farm)
{
    size_t live =
        farm->states[PULSE_SHARD_WAITING] + farm->states[PULSE_SHARD_READY] + farm->states[PULSE_SHARD_CLAIMED];
    while (farm->queued > 0 && farm->planning < farm->options.plans && live < farm->options.shards_most) {
        struct pulse_farm_tenant *tenant = next_tenant(farm);
        struct pulse_farm_job *job = tenant == NULL ? NULL : pulse_heap_first(&tenant->queued);
        if (job == NULL) {
            return;
        }
        pulse_farm_job_dequeue(farm, job);
        job->phase = PULSE_FARM_WITH_PLANNER;
        job->tenant->planning++;
        farm->planning++;
        pulse_farm_job_set_state(farm, job, PULSE_JOB_PLANNING);
        struct pulse_farm_action *action = pulse_farm_act(farm, PULSE_FARM_PLAN);
        action->job = job->id;
        action->tenant = job->tenant->id;
    }
}

/* ---- Ends and turns ---- */

void pulse_farm_job_finish(struct pulse_farm *farm, struct pulse_farm_job *job, enum pulse_job_state state,
                           const char *error)
{
    if (pulse_job_is_final(job->state)) {
        return;
    }
    pulse_farm_job_dequeue(farm, job);
    job->error = error;
    if (job->stuck_told != 0) {
        job->stuck_told = 0;
        farm->told_jobs--;
    }
    pulse_farm_job_set_state(farm, job, state);
    pulse_farm_wants_unlink(farm, job);
}

void pulse_farm_job_replan(struct pulse_farm *farm, struct pulse_farm_job *job)
{
    if (pulse_job_is_final(job->state)) {
        return;
    }
    /* However much of it has vanished, and whoever noticed: the planner, too, finds what cannot be read. */
    if (!job->renewed && ++job->replans > PULSE_FARM_REPLANS) {
        struct pulse_farm_mishap none = {.report = ""};
        const char *error = pulse_farm_say_error(
            farm, "what was made for this job keeps vanishing from the store, or cannot be read", &none);
        pulse_farm_job_finish(farm, job, PULSE_JOB_FAILED, error);
        return;
    }
    job->renewed = true;
    if (job->phase == PULSE_FARM_IN_QUEUE || job->phase == PULSE_FARM_WITH_PLANNER) {
        return;
    }
    pulse_farm_say_replanned(farm, job);
    pulse_farm_job_set_state(farm, job, PULSE_JOB_PLANNING);
    pulse_farm_job_enqueue(farm, job);
}

void pulse_farm_job_measure(struct pulse_farm *farm, struct pulse_farm_job *job)
{
    pulse_farm_waited(farm, job);
    job->total_ms = 0;
    for (size_t i = 0; i < farm->walk.count; i++) {
        job->total_ms += ((const struct pulse_farm_shard_entry *)farm->walk.items[i])->cost_ms;
    }
}

void pulse_farm_job_satisfied(struct pulse_farm *farm, struct pulse_farm_job *job)
{
    if (job->state == PULSE_JOB_RUNNING) {
        pulse_farm_job_finish(farm, job, PULSE_JOB_SUCCEEDED, NULL);
    } else if (job->phase == PULSE_FARM_FOR_FACTS) {
        pulse_farm_job_enqueue(farm, job);
    }
}

/* ---- Events ---- */

static void reply(struct pulse_farm *farm, const struct pulse_farm_event *event, enum lh_status status,
                  const char *text)
{
    struct pulse_farm_action *action = pulse_farm_act(farm, PULSE_FARM_REPLY);
    action->token = event->token;
    action->job = event->job.id;
    action->status = status;
    action->text = text;
}

void pulse_farm_job_submit(struct pulse_farm *farm, const struct pulse_farm_event *event)
{
    const struct pulse_job_row *row = &event->job;
    if (row->id == 0 || row->id >> 56 != 0 || row->tenant == 0 || row->state != PULSE_JOB_QUEUED ||
        row->priority < PULSE_PRIORITY_MIN || row->priority > PULSE_PRIORITY_MAX) {
        reply(farm, event, LH_ERR_USAGE, "the job makes no sense");
        return;
    }
    if (pulse_farm_find_job(farm, row->id) != NULL) {
        reply(farm, event, LH_ERR_USAGE, "there is a job with this id already");
        return;
    }
    struct pulse_farm_job *job = pulse_farm_new_job(farm, row);
    if (job == NULL) {
        return;
    }
    pulse_farm_job_changed(farm, job);
    pulse_farm_say_state(farm, job);
    pulse_farm_job_enqueue(farm, job);
    reply(farm, event, LH_OK, "");
}

void pulse_farm_job_cancel(struct pulse_farm *farm, const struct pulse_farm_event *event)
{
    struct pulse_farm_job *job = pulse_farm_find_job(farm, event->job.id);
    if (job == NULL || job->tenant->id != event->job.tenant) {
        reply(farm, event, LH_ERR_MISSING, "there is no such job that has not ended");
    } else if (pulse_job_is_final(job->state)) {
        reply(farm, event, LH_ERR_USAGE, "the job has ended already");
    } else {
        pulse_farm_job_finish(farm, job, PULSE_JOB_CANCELLED, NULL);
        reply(farm, event, LH_OK, "");
    }
}

void pulse_farm_job_plan_failed(struct pulse_farm *farm, const struct pulse_farm_event *event)
{
    struct pulse_farm_job *job = pulse_farm_find_job(farm, event->job.id);
    if (job != NULL && job->phase == PULSE_FARM_WITH_PLANNER) {
        struct pulse_farm_mishap mishap = {.report = event->text == NULL ? "" : event->text};
        const char *error = pulse_farm_say_error(farm, "the job cannot be planned", &mishap);
        pulse_farm_job_finish(farm, job, PULSE_JOB_FAILED, error);
    }
}
