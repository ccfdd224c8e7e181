/* SPDX-License-Identifier: MIT */
/* The life of a farm, and its step. */
#include "pulse-daemon/farm/farm.h"

#include <stdlib.h>
#include <string.h>

#include "pulse-daemon/farm/admit.h"
#include "pulse-daemon/farm/beat.h"
#include "pulse-daemon/farm/crew.h"
#include "pulse-daemon/farm/emit.h"
#include "pulse-daemon/farm/job.h"
#include "pulse-daemon/farm/match.h"
#include "pulse-daemon/farm/need.h"
#include "pulse-daemon/farm/queue.h"
#include "pulse-daemon/farm/report.h"
#include "pulse-daemon/farm/state.h"
#include "pulse-daemon/farm/task.h"
#include "pulse-daemon/farm/tell.h"

#define SECOND_NS UINT64_C(1000000000)
#define TIME_BEGIN_NS (UINT64_C(1) << 60)            /* of the farm's own time: far enough from 0 to look back */
#define SPAN_MOST_NS (UINT64_C(1000000) * SECOND_NS) /* of any option */
#define WEIGHT_MOST 1000

static uint64_t span(uint64_t told, uint64_t seconds)
{
    return told == 0 ? seconds * SECOND_NS : told < SPAN_MOST_NS ? told : SPAN_MOST_NS;
}

static struct pulse_farm_options complete_options(const struct pulse_farm_options *told)
{
    struct pulse_farm_options none = {.seed = 0};
    const struct pulse_farm_options *o = told == NULL ? &none : told;
    return (struct pulse_farm_options){
        .seed = o->seed,
        .lease_ns = span(o->lease_ns, 15),
        .stall_ns = span(o->stall_ns, 120),
        .hard_ns = span(o->hard_ns, 3600),
        .retry_most_ns = span(o->retry_most_ns, 300),
        .quarantine_ns = span(o->quarantine_ns, 600),
        .aging_ns = span(o->aging_ns, 10),
        .tell_ns = span(o->tell_ns, 2),
        .forget_ns = span(o->forget_ns, 3600),
        .plans = o->plans == 0 ? 8 : o->plans,
        .shards_most = o->shards_most == 0 ? 400000 : o->shards_most,
    };
}

enum lh_status pulse_farm_new(const struct pulse_farm_options *options, struct pulse_farm **farm)
{
    struct pulse_farm *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    made->options = complete_options(options);
    made->now_ns = TIME_BEGIN_NS;
    made->timers.order = &pulse_farm_timer_order;
    made->settle.order = &pulse_farm_settle_order;
    made->bytes = sizeof *made;
    lh_arena_init(&made->arena);
    *farm = made;
    return LH_OK;
}

/* ---- Forgetting ---- */

static void clear_step(struct pulse_farm *farm)
{
    struct pulse_farm_list *lists[] = {&farm->jobs_dirty, &farm->shards_dirty, &farm->outputs_dirty,
                                       &farm->needs_new,  &farm->specs_new,    &farm->notes,
                                       &farm->actions,    &farm->outputs_loose};
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        lists[i]->count = 0;
    }
    lh_arena_fini(&farm->arena);
}

/* Every shard out of every queue and hand, and gone. */
static void forget_shards(struct pulse_farm *farm)
{
    struct pulse_farm_shard_entry *shard;
    for (size_t at = 0; (shard = pulse_table_next(&farm->shards, &at)) != NULL;) {
        pulse_farm_queue_take(farm, shard);
        pulse_farm_timer_clear(farm, &shard->timer);
        pulse_farm_task_release(farm, shard);
        pulse_farm_worker_refer(&shard->failed_on, NULL);
        pulse_farm_worker_refer(&shard->avoid, NULL);
    }
    while (farm->settle.count > 0) {
        pulse_heap_remove(&farm->settle, pulse_heap_first(&farm->settle));
    }
    for (size_t at = 0; (shard = pulse_table_next(&farm->shards, &at)) != NULL; at--) {
        pulse_farm_free_shard(farm, shard);
    }
    memset(farm->states, 0, sizeof farm->states);
}

static void forget_jobs(struct pulse_farm *farm)
{
    struct pulse_farm_job *job;
    for (size_t at = 0; (job = pulse_table_next(&farm->jobs, &at)) != NULL; at--) {
        pulse_farm_job_dequeue(farm, job);
        pulse_farm_wants_unlink(farm, job);
        pulse_farm_free_job(farm, job);
    }
    farm->told_jobs = 0;
}

void pulse_farm_forget(struct pulse_farm *farm)
{
    struct pulse_farm_output *output;
    struct pulse_farm_needs *needs;
    struct pulse_farm_tenant *tenant;
    forget_jobs(farm);
    forget_shards(farm);
    for (size_t at = 0; (output = pulse_table_next(&farm->outputs, &at)) != NULL; at--) {
        pulse_farm_free_output(farm, output);
    }
    for (size_t at = 0; (needs = pulse_table_next(&farm->needs, &at)) != NULL; at--) {
        pulse_farm_needs_free(farm, needs);
    }
    for (size_t at = 0; (tenant = pulse_table_next(&farm->tenants, &at)) != NULL; at--) {
        tenant->weight = 1;
        pulse_farm_drop_tenant(farm, tenant);
    }
    pulse_farm_give(farm, farm->loading, sizeof *farm->loading);
    farm->loading = NULL;
    clear_step(farm);
    farm->healing = farm->no_memory = false;
}

void pulse_farm_free(struct pulse_farm *farm)
{
    if (farm == NULL) {
        return;
    }
    pulse_farm_forget(farm);
    struct pulse_farm_worker *worker;
    for (size_t at = 0; (worker = pulse_table_next(&farm->workers, &at)) != NULL; at--) {
        pulse_farm_worker_free(farm, worker);
    }
    struct pulse_table *tables[] = {&farm->tenants, &farm->jobs,    &farm->shards, &farm->outputs, &farm->needs,
                                    &farm->workers, &farm->classes, &farm->groups, &farm->lanes};
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        pulse_table_fini(tables[i]);
    }
    struct pulse_farm_list *lists[] = {
        &farm->jobs_dirty, &farm->shards_dirty,  &farm->outputs_dirty, &farm->needs_new, &farm->specs_new, &farm->notes,
        &farm->actions,    &farm->outputs_loose, &farm->walk,          &farm->found,     &farm->drained};
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        free(lists[i]->items);
    }
    pulse_farm_give(farm, farm->class_by_index, farm->class_count * sizeof(void *));
    pulse_heap_fini(&farm->timers);
    pulse_heap_fini(&farm->settle);
    lh_arena_fini(&farm->arena);
    free(farm);
}

/* ---- A step ---- */

bool pulse_farm_name_ok(const char *name)
{
    size_t length = name == NULL ? 0 : strnlen(name, PULSE_NAME_SIZE);
    return length > 0 && length < PULSE_NAME_SIZE &&
           strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-") == length;
}

static void set_weight(struct pulse_farm *farm, const struct pulse_farm_event *event)
{
    struct pulse_farm_tenant *tenant = pulse_farm_tenant(farm, event->tenant);
    if (tenant != NULL) {
        tenant->weight = event->weight == 0 ? 1 : event->weight > WEIGHT_MOST ? WEIGHT_MOST : event->weight;
        pulse_farm_drop_tenant(farm, tenant);
    }
}

static void handle(struct pulse_farm *farm, const struct pulse_farm_event *event)
{
    if (event->kind <= PULSE_FARM_RETURNED && !pulse_farm_name_ok(event->worker)) {
        return;
    }
    switch (event->kind) {
    case PULSE_FARM_WELCOME:
        pulse_farm_welcome(farm, event);
        break;
    case PULSE_FARM_CREDITS:
        pulse_farm_credits(farm, event);
        break;
    case PULSE_FARM_BEAT:
        pulse_farm_beat(farm, event);
        break;
    case PULSE_FARM_PROGRESS:
        pulse_farm_progress(farm, event);
        break;
    case PULSE_FARM_GONE:
        pulse_farm_gone(farm, event);
        break;
    case PULSE_FARM_DRAIN:
        pulse_farm_drain(farm, event);
        break;
    case PULSE_FARM_COMPLETE:
        pulse_farm_report_complete(farm, event);
        break;
    case PULSE_FARM_FAILED:
        pulse_farm_report_failed(farm, event);
        break;
    case PULSE_FARM_LOST:
        pulse_farm_report_lost(farm, event);
        break;
    case PULSE_FARM_RETURNED:
        pulse_farm_report_returned(farm, event);
        break;
    case PULSE_FARM_MISSING:
        if (event->shard == 0 || pulse_farm_name_ok(event->worker)) {
            pulse_farm_report_missing(farm, event);
        }
        break;
    case PULSE_FARM_SUBMIT:
        pulse_farm_job_submit(farm, event);
        break;
    case PULSE_FARM_CANCEL:
        pulse_farm_job_cancel(farm, event);
        break;
    case PULSE_FARM_PLANNED:
        pulse_farm_admit(farm, event);
        break;
    case PULSE_FARM_PLAN_FAILED:
        pulse_farm_job_plan_failed(farm, event);
        break;
    case PULSE_FARM_TENANT:
        set_weight(farm, event);
        break;
    case PULSE_FARM_TICK:
        break;
    }
}

static void run_timers(struct pulse_farm *farm)
{
    struct pulse_farm_timer *timer;
    while ((timer = pulse_heap_first(&farm->timers)) != NULL && timer->due_ns <= farm->now_ns && !farm->no_memory) {
        char *holder = (char *)timer;
        pulse_heap_remove(&farm->timers, timer);
        switch (timer->kind) {
        case PULSE_FARM_TIMER_LEASE:
            pulse_farm_lease_due(farm, (void *)(holder - offsetof(struct pulse_farm_shard_entry, timer)));
            break;
        case PULSE_FARM_TIMER_RETRY:
            pulse_farm_task_due(farm, (void *)(holder - offsetof(struct pulse_farm_shard_entry, timer)));
            break;
        case PULSE_FARM_TIMER_WORKER:
            pulse_farm_worker_due(farm, (void *)(holder - offsetof(struct pulse_farm_worker, timer)));
            break;
        case PULSE_FARM_TIMER_SILENCE:
            pulse_farm_silence_due(farm, (void *)(holder - offsetof(struct pulse_farm_worker, silence)));
            break;
        }
        pulse_farm_settle(farm);
    }
}

/* What became final, and what nothing refers to any more, is forgotten. */
static void sweep(struct pulse_farm *farm)
{
    for (size_t i = 0; i < farm->shards_dirty.count; i++) {
        struct pulse_farm_shard_entry *shard = farm->shards_dirty.items[i];
        shard->dirty = shard->fresh = false;
        if (!pulse_farm_is_live(shard)) {
            farm->states[shard->state]--;
            pulse_farm_worker_refer(&shard->failed_on, NULL);
            pulse_farm_worker_refer(&shard->avoid, NULL);
            pulse_farm_free_shard(farm, shard);
        }
    }
    for (size_t i = 0; i < farm->jobs_dirty.count; i++) {
        struct pulse_farm_job *job = farm->jobs_dirty.items[i];
        job->dirty = false;
        if (pulse_job_is_final(job->state)) {
            pulse_farm_free_job(farm, job);
        }
    }
    for (size_t i = 0; i < farm->outputs_dirty.count; i++) {
        struct pulse_farm_output *output = farm->outputs_dirty.items[i];
        output->dirty = output->vanished = false;
        output->facts = NULL;
        output->facts_size = 0;
    }
    for (size_t i = 0; i < farm->outputs_loose.count; i++) {
        struct pulse_farm_output *output = farm->outputs_loose.items[i];
        output->loose = false;
        if (output->edges == NULL && output->wants == NULL && output->makers == 0) {
            pulse_farm_free_output(farm, output);
        }
    }
    pulse_table_trim(&farm->shards);
    pulse_table_trim(&farm->outputs);
    pulse_table_trim(&farm->jobs);
    farm->outputs_loose.count = farm->shards_dirty.count = farm->jobs_dirty.count = farm->outputs_dirty.count = 0;
}

enum lh_status pulse_farm_step(struct pulse_farm *farm, uint64_t now_ns, const struct pulse_farm_event *events,
                               size_t count, struct pulse_farm_outcome *outcome)
{
    if (!farm->healing) {
        clear_step(farm);
    }
    farm->healing = false;
    pulse_farm_take_time(farm, now_ns);
    for (size_t i = 0; i < count && !farm->no_memory; i++) {
        handle(farm, &events[i]);
        pulse_farm_settle(farm);
    }
    run_timers(farm);
    pulse_farm_jobs_plan(farm);
    pulse_farm_dispatch(farm);
    pulse_farm_tell(farm);
    pulse_farm_tell_drained(farm);
    enum lh_status status = pulse_farm_outcome_make(farm, outcome);
    if (status == LH_OK) {
        sweep(farm);
    }
    return status;
}

uint64_t pulse_farm_wake_ns(const struct pulse_farm *farm)
{
    uint64_t ahead = farm->options.lease_ns / 3;
    const struct pulse_farm_timer *timer = pulse_heap_first(&farm->timers);
    uint64_t due = pulse_farm_tell_due(farm);
    due = timer != NULL && timer->due_ns < due ? timer->due_ns : due;
    if (due <= farm->now_ns) {
        return farm->raw_ns;
    }
    return farm->raw_ns + (due - farm->now_ns < ahead ? due - farm->now_ns : ahead);
}
