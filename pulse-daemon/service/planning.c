/* SPDX-License-Identifier: MIT */
/* The planner's thread: jobs that are to be planned, one after the other; those for whom it is too early wait. */
#include "pulse-daemon/service/planning.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "pulse-daemon/service/errors.h"
#include "pulse-daemon/service/learning.h"
#include "pulse-daemon/service/plan_job.h"
#include "pulse-daemon/store/learned.h"

#define MS_NS (LH_CLOCK_SECOND_NS / 1000)
#define RETRY_MS 100
#define TURN_MS 1000

/* A job to plan. */
struct due {
    struct due *next;
    uint64_t tenant, job;
};

struct pulse_planning {
    struct pulse_planning_options options;
    struct pulse_planner planner;
    struct pulse_learning learning;
    struct due *first, **last;
    uint64_t started_ns, retry_ns;
    size_t asked;
    bool stopping, costs_read;
    struct pulse_mail quit;
    pthread_t thread;
};

/* ---- what is due ---- */

static void enqueue(struct pulse_planning *planning, uint64_t tenant, uint64_t job)
{
    for (const struct due *due = planning->first; due != NULL; due = due->next) {
        if (due->job == job) {
            return; /* asked for again after a reload */
        }
    }
    struct due *due = calloc(1, sizeof *due);
    if (due == NULL) {
        LH_LOG(LH_LOG_ERROR, "job not planned", LH_LOG_NUMBER("job", job), LH_LOG_TEXT("why", "no memory"));
        return;
    }
    due->tenant = tenant;
    due->job = job;
    *planning->last = due;
    planning->last = &due->next;
}

static struct due *dequeue(struct pulse_planning *planning)
{
    struct due *due = planning->first;
    if (due != NULL) {
        planning->first = due->next;
        due->next = NULL;
        if (planning->first == NULL) {
            planning->last = &planning->first;
        }
    }
    return due;
}

/* ---- planning ---- */

static enum lh_status take_cost(void *context, const struct pulse_cost_row *row)
{
    return pulse_costs_set(context, row->name, row->value, row->weight);
}

static enum lh_status open_store(struct pulse_planning *planning, struct lh_error *error)
{
    struct pulse_planner *planner = &planning->planner;
    enum lh_status status = planner->store == NULL
                                ? pulse_store_open(planning->options.store, PULSE_STORE_READ, &planner->store, error)
                                : LH_OK;
    if (status == LH_OK && !planning->costs_read) {
        status = pulse_store_costs(planner->store, take_cost, planner->costs, error);
        planning->costs_read = status == LH_OK;
    }
    return status;
}

/* The job fails: what it was kept with makes no sense, or is past a limit. */
static struct pulse_task *make_failure(const struct due *due, const struct lh_error *error)
{
    struct pulse_task *task = pulse_task_new(PULSE_TASK_EVENT);
    if (task != NULL) {
        task->job = due->job;
        task->event = (struct pulse_farm_event){
            .kind = PULSE_FARM_PLAN_FAILED,
            .job = {.id = due->job, .tenant = due->tenant, .error = ""},
            .text = pulse_error_json(&task->arena, error),
        };
        if (task->event.text == NULL) {
            pulse_task_free(task);
            task = NULL;
        }
    }
    return task;
}

static bool is_for_later(enum lh_status status)
{
    return status == LH_ERR_UNAVAILABLE || status == LH_ERR_NO_MEMORY || status == LH_ERR_IO;
}

static void ask(struct pulse_planning *planning, struct pulse_task *task);

/* What would be kept of the plan is past what the store takes: it would be so each time, and the job has failed. */
static void come_home(struct pulse_task *task)
{
    const struct due due = {.tenant = task->event.tenant, .job = task->job};
    struct pulse_task *failure = NULL;
    if (task->status != LH_OK) {
        LH_LOG(LH_LOG_INFO, "plan not taken", LH_LOG_NUMBER("job", task->job), LH_LOG_TEXT("why", task->error.message));
    }
    if (task->status != LH_OK && !is_for_later(task->status)) { /* else the core asks again once it has its rows back */
        task->error.code = task->status;
        failure = make_failure(&due, &task->error);
    }
    if (failure != NULL) {
        ask(task->owner, failure);
    }
    pulse_task_free(task);
}

static void ask(struct pulse_planning *planning, struct pulse_task *task)
{
    task->home = planning->options.box;
    task->owner = planning;
    task->resume = come_home;
    planning->asked++;
    pulse_decider_ask(planning->options.decider, task, true);
}

/* True: it is done with; false: it has to be tried again. */
static bool plan(struct pulse_planning *planning, const struct due *due)
{
    struct pulse_job_plan made;
    struct lh_error error = LH_ERROR_INIT;
    enum pulse_planned outcome = PULSE_PLANNED_FAULTY;
    struct pulse_task *task = NULL;
    uint64_t begun_ns = lh_clock_monotonic_ns();
    planning->planner.settled = begun_ns - planning->started_ns >= planning->options.settle_ms * MS_NS;
    pulse_job_plan_init(&made, due->tenant, due->job);
    enum lh_status status = open_store(planning, &error);
    status = status == LH_OK ? pulse_job_plan_make(&planning->planner, &made, &outcome, &error) : status;
    bool later = is_for_later(status) || (status == LH_OK && outcome == PULSE_PLANNED_LATER);
    if (status == LH_OK && !later) {
        task = pulse_job_plan_task(&made);
        later = task == NULL;
        LH_LOG(LH_LOG_INFO, "job planned", LH_LOG_NUMBER("job", due->job), LH_LOG_NUMBER("tenant", due->tenant),
               LH_LOG_NUMBER("shards", made.plan != NULL ? made.plan->shard_count : 0),
               LH_LOG_NUMBER("faults", made.faults.count), LH_LOG_TEXT("again", made.again ? "yes" : ""),
               LH_LOG_NUMBER("ms", (lh_clock_monotonic_ns() - begun_ns) / MS_NS),
               LH_LOG_TEXT("trace", made.record.request.trace));
    } else if (!later) {
        LH_LOG(LH_LOG_ERROR, "job not planned", LH_LOG_NUMBER("job", due->job),
               LH_LOG_TEXT("code", lh_status_text(status)), LH_LOG_TEXT("why", error.message));
        error.code = status;
        task = make_failure(due, &error);
        later = task == NULL;
    }
    if (is_for_later(status)) {
        pulse_store_close(planning->planner.store);
        planning->planner.store = NULL;
    }
    pulse_job_plan_fini(&made);
    if (task != NULL) {
        ask(planning, task);
    }
    return !later;
}

static void plan_all(struct pulse_planning *planning)
{
    struct due *later = NULL, **last = &later, *due;
    if (planning->first == NULL || lh_clock_monotonic_ns() < planning->retry_ns) {
        return;
    }
    while ((due = dequeue(planning)) != NULL) {
        if (planning->stopping || plan(planning, due)) {
            free(due);
        } else {
            *last = due;
            last = &due->next;
        }
    }
    if (later != NULL) {
        planning->first = later;
        planning->last = last;
        planning->retry_ns = lh_clock_monotonic_ns() + RETRY_MS * MS_NS;
    }
}

/* ---- learning ---- */

/* One lesson, when nothing is to be planned. What cannot be read now is not learned. */
static void learn(struct pulse_planning *planning)
{
    struct lh_error error = LH_ERROR_INIT;
    enum lh_status status = open_store(planning, &error);
    status = status == LH_OK ? pulse_learning_step(&planning->learning, planning->planner.store, &error) : status;
    if (status != LH_OK) {
        LH_LOG(LH_LOG_WARNING, "nothing learned", LH_LOG_TEXT("why", error.message));
        pulse_learning_fini(&planning->learning);
        pulse_store_close(planning->planner.store);
        planning->planner.store = NULL;
    }
}

static void saved(struct pulse_task *task)
{
    pulse_learning_saved(task->owner, task);
}

static void save(struct pulse_planning *planning)
{
    struct pulse_task *task = pulse_learning_save(&planning->learning, planning->stopping);
    if (task != NULL) {
        task->home = planning->options.box;
        task->owner = &planning->learning;
        task->resume = saved;
        planning->asked++;
        pulse_decider_ask(planning->options.decider, task, true);
    }
}

/* ---- the thread ---- */

static void on_mail(struct pulse_planning *planning, struct pulse_mail *mail)
{
    if (mail == &planning->quit) {
        planning->stopping = true;
        save(planning);
    } else if (mail->kind == PULSE_MAIL_NOTE) {
        pulse_learning_add(&planning->learning, (struct pulse_lesson *)mail);
    } else if (mail->kind == PULSE_MAIL_TASK) {
        struct pulse_task *task = (struct pulse_task *)mail;
        planning->asked--;
        task->resume(task);
    } else {
        struct pulse_orders *orders = (struct pulse_orders *)mail;
        for (size_t i = 0; i < orders->action_count; i++) {
            enqueue(planning, orders->actions[i].tenant, orders->actions[i].job);
        }
        planning->retry_ns = 0;
        pulse_orders_free(orders);
    }
}

static void *run(void *context)
{
    struct pulse_planning *planning = context;
    while (!planning->stopping || planning->asked > 0) {
        struct pulse_mail *mail = pulse_mailbox_take(planning->options.box);
        if (mail != NULL) {
            on_mail(planning, mail);
            continue;
        }
        plan_all(planning);
        save(planning);
        if (pulse_learning_waits(&planning->learning)) {
            learn(planning);
        } else if (pulse_mailbox_count(planning->options.box) == 0) {
            pulse_mailbox_wait(planning->options.box, -1, planning->first != NULL ? RETRY_MS : TURN_MS);
        }
    }
    return NULL;
}

/* ---- life ---- */

static void end(struct pulse_planning *planning)
{
    struct due *due;
    while ((due = dequeue(planning)) != NULL) {
        free(due);
    }
    pulse_learning_fini(&planning->learning);
    pulse_plan_cache_fini(&planning->planner.compiled);
    pulse_costs_free(planning->planner.costs);
    pulse_store_close(planning->planner.store);
    free(planning);
}

enum lh_status pulse_planning_new(const struct pulse_planning_options *options, struct pulse_planning **planning,
                                  struct lh_error *error)
{
    struct pulse_planning *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return lh_error_no_memory(error);
    }
    made->options = *options;
    made->last = &made->first;
    made->started_ns = lh_clock_monotonic_ns();
    made->planner =
        (struct pulse_planner){.blobs = options->blobs, .decider = options->decider, .roster = options->roster};
    enum lh_status status = pulse_costs_new(&made->planner.costs) == LH_OK ? LH_OK : lh_error_no_memory(error);
    pulse_learning_init(&made->learning, made->planner.costs);
    if (status == LH_OK) {
        int code = pthread_create(&made->thread, NULL, run, made);
        status = code == 0 ? LH_OK : lh_error_set(error, LH_ERR_IO, NULL, "no thread: %s", strerror(code));
    }
    if (status != LH_OK) {
        end(made);
        return status;
    }
    *planning = made;
    return LH_OK;
}

void pulse_planning_free(struct pulse_planning *planning)
{
    if (planning != NULL) {
        (void)pulse_mailbox_put(planning->options.box, &planning->quit, true);
        pthread_join(planning->thread, NULL);
        end(planning);
    }
}
