/* SPDX-License-Identifier: MIT */
/* A batch from its events to those who wait for what came of it. */
#include "pulse-daemon/service/batch.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "pulse-daemon/service/alarms.h"
#include "pulse-daemon/service/artifacts.h"

#define MS_NS 1000000
#define TOKEN_BASE 1 /* a token is a task's place in its batch, from this on: 0 is nobody's */

static int64_t unix_ms(void)
{
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / MS_NS;
}

void pulse_task_finish(struct pulse_task *task, enum lh_status status, const struct lh_error *error)
{
    task->status = status;
    if (error != NULL) {
        task->error = *error;
    }
    if (task->home == NULL || !pulse_mailbox_put(task->home, &task->mail, true)) {
        pulse_task_free(task);
    }
}

/* ---- what the core has to be told of the store's rows ---- */

/* Keys that an event names and the core does not hold, and the rows that there are. */
struct lookup {
    struct lh_arena *arena;
    const struct pulse_farm *farm;
    struct lh_blobs *blobs; /* NULL: rows are taken as they are */
    uint64_t tenant;
    struct lh_digest *keys;
    size_t key_count;
    struct lh_digest *used; /* outputs that are there, or that the core holds: a plan may take them */
    size_t used_count;
    struct pulse_output_row *rows;
    size_t row_count;
};

static void name(struct lookup *lookup, const struct lh_digest *key)
{
    if (!pulse_farm_holds(lookup->farm, lookup->tenant, key)) {
        lookup->keys[lookup->key_count++] = *key;
    } else {
        lookup->used[lookup->used_count++] = *key;
    }
}

static size_t count_names(const struct pulse_farm_event *event)
{
    size_t count = event->plan.want_count + event->result_count;
    for (size_t i = 0; i < event->plan.shard_count; i++) {
        count += event->plan.shards[i].input_count + event->plan.shards[i].output_count;
    }
    return count;
}

static int by_digest(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct lh_digest));
}

static void collect_names(struct lookup *lookup, const struct pulse_farm_event *event)
{
    for (size_t i = 0; i < event->plan.want_count; i++) {
        name(lookup, &event->plan.wants[i]);
    }
    for (size_t i = 0; i < event->result_count; i++) {
        name(lookup, &event->results[i].key);
    }
    for (size_t i = 0; i < event->plan.shard_count; i++) {
        const struct pulse_farm_shard *shard = &event->plan.shards[i];
        for (size_t k = 0; k < shard->input_count; k++) {
            name(lookup, &shard->inputs[k]);
        }
        for (size_t k = 0; k < shard->output_count; k++) {
            name(lookup, &shard->outputs[k].key);
        }
    }
    if (lookup->key_count == 0) {
        return;
    }
    qsort(lookup->keys, lookup->key_count, sizeof *lookup->keys, by_digest);
    size_t kept = 1;
    for (size_t i = 1; i < lookup->key_count; i++) {
        if (!lh_digest_equal(&lookup->keys[i], &lookup->keys[kept - 1])) {
            lookup->keys[kept++] = lookup->keys[i];
        }
    }
    lookup->key_count = kept;
}

/* What is planned with has to be there indeed: an output whose blob is gone is absent, and made again. */
static enum lh_status take_row(void *context, size_t index, const struct pulse_output_row *output)
{
    struct lookup *lookup = context;
    struct lh_blob blob;
    (void)index;
    if (lookup->blobs != NULL && output->state == PULSE_OUTPUT_PRESENT &&
        !lh_blobs_has(lookup->blobs, &output->digest, &blob)) {
        return LH_OK;
    }
    struct pulse_output_row *row = &lookup->rows[lookup->row_count++];
    *row = *output;
    void *facts = lh_arena_alloc(lookup->arena, output->facts_size);
    if (facts == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    if (output->facts_size > 0) {
        memcpy(facts, output->facts, output->facts_size);
    }
    row->facts = facts;
    return LH_OK;
}

/* What a plan names is of use, whether it is taken this time or not: eviction begins with what was of none for longest.
 */
static enum lh_status touch(struct pulse_bench *bench, struct lookup *lookup, struct lh_error *error)
{
    for (size_t i = 0; i < lookup->row_count; i++) {
        if (lookup->rows[i].state == PULSE_OUTPUT_PRESENT) {
            lookup->used[lookup->used_count++] = lookup->rows[i].key; /* not one of those that are held */
        }
    }
    return lookup->used_count > 0
               ? pulse_store_outputs_touch(bench->store, lookup->tenant, lookup->used, lookup->used_count, error)
               : LH_OK;
}

static enum lh_status look_up(struct pulse_bench *bench, struct pulse_task *task, struct lh_error *error)
{
    struct pulse_farm_event *event = &task->event;
    size_t most = count_names(event);
    if (most == 0 || event->tenant == 0) {
        return LH_OK;
    }
    struct lookup lookup = {.arena = &task->arena,
                            .farm = bench->farm,
                            .blobs = event->kind == PULSE_FARM_PLANNED ? bench->blobs : NULL,
                            .tenant = event->tenant};
    lookup.keys = lh_arena_array(&task->arena, most, sizeof *lookup.keys);
    lookup.used = lh_arena_array(&task->arena, most, sizeof *lookup.used);
    if (lookup.keys == NULL || lookup.used == NULL) {
        return lh_error_no_memory(error);
    }
    collect_names(&lookup, event);
    lookup.rows = lh_arena_array(&task->arena, lookup.key_count, sizeof *lookup.rows);
    if (lookup.rows == NULL) {
        return lh_error_no_memory(error);
    }
    enum lh_status status = lookup.key_count > 0 ? pulse_store_outputs(bench->store, event->tenant, lookup.keys,
                                                                       lookup.key_count, take_row, &lookup, error)
                                                 : LH_OK;
    event->known = lookup.rows;
    event->known_count = lookup.row_count;
    bool touches = event->kind == PULSE_FARM_PLANNED && task->write != NULL; /* a transaction is open */
    return status == LH_OK && touches ? touch(bench, &lookup, error) : status;
}

/* ---- the batch ---- */

struct batch {
    struct pulse_task **tasks;
    size_t count;
    struct pulse_farm_event events[PULSE_BATCH_MAX];
    size_t event_count;
    size_t refused; /* whose own write failed; `count`: nobody's */
    struct pulse_farm_outcome outcome;
    struct pulse_orders *to_workers, *to_planner, *to_clients;
};

static bool for_workers(enum pulse_farm_action_kind kind)
{
    return kind != PULSE_FARM_PLAN && kind != PULSE_FARM_REPLY;
}

static bool for_planner(enum pulse_farm_action_kind kind)
{
    return kind == PULSE_FARM_PLAN;
}

/* What is to be committed beside the core's changes, then the events as these made them. */
static enum lh_status prepare(struct pulse_bench *bench, struct batch *batch, int64_t now_ms, struct lh_error *error)
{
    enum lh_status status = LH_OK;
    for (size_t i = 0; status == LH_OK && i < batch->count; i++) {
        struct pulse_task *task = batch->tasks[i];
        struct pulse_writing writing = {.store = bench->store, .now_ms = now_ms, .next_job = bench->next_job};
        task->spared = false;
        status = task->write != NULL ? task->write(task, &writing, error) : LH_OK;
        batch->refused = status != LH_OK ? i : batch->refused;
        if (status != LH_OK || task->spared) {
            continue;
        }
        if (task->event.kind == PULSE_FARM_SUBMIT) {
            task->event.job.id = bench->next_job++;
            task->job = task->event.job.id;
        }
        task->event.token = i + TOKEN_BASE;
        status = look_up(bench, task, error);
        batch->events[batch->event_count++] = task->event;
    }
    return status;
}

static enum lh_status commit(struct pulse_bench *bench, struct batch *batch, struct lh_error *error)
{
    const struct pulse_farm_outcome *outcome = &batch->outcome;
    uint64_t first_event = 0;
    enum lh_status status = LH_OK;
    if (outcome->change_count > 0) {
        status = pulse_store_apply(bench->store, outcome->changes, outcome->change_count, &first_event, error);
        status = status == LH_OK ? pulse_artifacts_write(bench->store, outcome->changes, outcome->change_count, error)
                                 : status;
    }
    if (status == LH_OK && (pulse_orders_actions(outcome, for_workers, &batch->to_workers) != LH_OK ||
                            pulse_orders_actions(outcome, for_planner, &batch->to_planner) != LH_OK ||
                            pulse_orders_events(outcome, first_event, &batch->to_clients) != LH_OK)) {
        status = lh_error_no_memory(error);
    }
    return status == LH_OK ? pulse_store_commit(bench->store, error) : status;
}

/* A batch that changes nothing (beats, mostly) costs no transaction. */
static bool needs_transaction(const struct batch *batch)
{
    bool needs = false;
    for (size_t i = 0; i < batch->count; i++) {
        needs = needs || batch->tasks[i]->write != NULL;
    }
    return needs;
}

static enum lh_status decide(struct pulse_bench *bench, struct batch *batch, struct lh_error *error)
{
    int64_t now_ms = unix_ms();
    bool open = needs_transaction(batch);
    enum lh_status status = open ? pulse_store_begin(bench->store, now_ms, error) : LH_OK;
    status = status == LH_OK ? prepare(bench, batch, now_ms, error) : status;
    if (status != LH_OK) {
        return status;
    }
    uint64_t begun_ns = lh_clock_monotonic_ns();
    if (pulse_farm_step(bench->farm, begun_ns, batch->events, batch->event_count, &batch->outcome) != LH_OK) {
        return lh_error_no_memory(error);
    }
    uint64_t stepped_ns = lh_clock_monotonic_ns();
    bench->figures.step_ns += stepped_ns - begun_ns;
    if (!open && batch->outcome.change_count > 0) {
        status = pulse_store_begin(bench->store, now_ms, error);
        open = status == LH_OK;
    }
    if (open) {
        status = commit(bench, batch, error);
    } else if (status == LH_OK && (pulse_orders_actions(&batch->outcome, for_workers, &batch->to_workers) != LH_OK ||
                                   pulse_orders_actions(&batch->outcome, for_planner, &batch->to_planner) != LH_OK)) {
        status = lh_error_no_memory(error);
    }
    if (status == LH_OK) {
        pulse_alarms_log(batch->outcome.changes, batch->outcome.change_count);
    }
    bench->figures.commit_ns += lh_clock_monotonic_ns() - stepped_ns;
    return status;
}

static void deliver(struct pulse_mailbox *box, struct pulse_orders **orders)
{
    if (*orders != NULL && !pulse_mailbox_put(box, &(*orders)->mail, true)) {
        pulse_orders_free(*orders);
    }
    *orders = NULL;
}

/* The core's word to each of those who asked. */
static void take_replies(struct batch *batch)
{
    for (size_t i = 0; i < batch->outcome.action_count; i++) {
        const struct pulse_farm_action *action = &batch->outcome.actions[i];
        if (action->kind != PULSE_FARM_REPLY || action->token < TOKEN_BASE ||
            action->token - TOKEN_BASE >= batch->count) {
            continue;
        }
        struct pulse_task *task = batch->tasks[action->token - TOKEN_BASE];
        task->status = action->status;
        if (action->status != LH_OK) {
            (void)lh_error_set(&task->error, action->status, NULL, "%s",
                               action->text != NULL ? action->text : lh_status_text(action->status));
        }
    }
}

/* The task's own fault: it asks for what cannot be, also by a rule of the store's that nobody looked at before, and the
   store is well. */
static bool is_the_tasks(enum lh_status status)
{
    switch (status) {
    case LH_ERR_USAGE:
    case LH_ERR_INVALID:
    case LH_ERR_MISSING:
    case LH_ERR_FORMAT:
    case LH_ERR_LIMIT:
    case LH_ERR_UNSUPPORTED:
    case LH_ERR_CONFLICT:
    case LH_ERR_INTERNAL:
    case LH_ERR_QUOTA:
        return true;
    case LH_OK:
    case LH_ERR_NO_MEMORY:
    case LH_ERR_IO:
    case LH_ERR_FAULT:
    case LH_ERR_CRASHED:
    case LH_ERR_CANCELLED:
    case LH_ERR_UNAVAILABLE:
    case LH_ERR_TAKEN_OVER:
        break;
    }
    return false;
}

/* Of a rule of the store's its operator is told more than who broke it. */
static void refuse(struct pulse_task *task, enum lh_status status, const struct lh_error *error)
{
    struct lh_error told = *error;
    if (status == LH_ERR_INTERNAL) {
        LH_LOG(LH_LOG_ERROR, "the store refuses a task", LH_LOG_TEXT("where", error->where),
               LH_LOG_TEXT("why", error->message));
        (void)lh_error_set(&told, status, NULL, "this breaks a rule of the store's");
    }
    pulse_task_finish(task, status, &told);
}

/* What one task wants to write is refused: it is told so alone, and the core, which has not seen any of the batch yet,
   gets the others. False: that is not what has happened. */
static bool set_aside(struct pulse_bench *bench, struct batch *batch, enum lh_status status,
                      const struct lh_error *error)
{
    if (batch->refused == batch->count || !is_the_tasks(status)) {
        return false;
    }
    struct pulse_task *task = batch->tasks[batch->refused];
    pulse_store_rollback(bench->store);
    batch->count--;
    memmove(batch->tasks + batch->refused, batch->tasks + batch->refused + 1,
            (batch->count - batch->refused) * sizeof(struct pulse_task *));
    batch->refused = batch->count;
    batch->event_count = 0;
    refuse(task, status, error);
    return true;
}

enum lh_status pulse_batch_decide(struct pulse_bench *bench, struct pulse_task **tasks, size_t count,
                                  struct lh_error *error)
{
    struct batch batch = {.tasks = tasks, .count = count, .refused = count};
    uint64_t next_job = bench->next_job;
    enum lh_status status = decide(bench, &batch, error);
    while (status != LH_OK && set_aside(bench, &batch, status, error)) {
        bench->next_job = next_job;
        status = decide(bench, &batch, error);
    }
    bench->figures.batches++;
    bench->figures.events += batch.event_count;
    if (status != LH_OK) {
        pulse_store_rollback(bench->store);
        bench->next_job = next_job;
        bench->figures.failed++;
        pulse_orders_free(batch.to_workers);
        pulse_orders_free(batch.to_planner);
        pulse_orders_free(batch.to_clients);
        struct lh_error later = LH_ERROR_INIT;
        (void)lh_error_set(&later, LH_ERR_UNAVAILABLE, NULL, "nothing can be decided now: %s", error->message);
        for (size_t i = 0; i < batch.count; i++) {
            pulse_task_finish(tasks[i], LH_ERR_UNAVAILABLE, &later);
        }
        return status;
    }
    bench->figures.changes += batch.outcome.change_count;
    if (batch.to_clients != NULL) {
        bench->figures.last_event = batch.to_clients->told[batch.to_clients->told_count - 1].sequence;
    }
    take_replies(&batch);
    deliver(bench->workers, &batch.to_workers);
    deliver(bench->planner, &batch.to_planner);
    deliver(bench->clients, &batch.to_clients);
    for (size_t i = 0; i < batch.count; i++) {
        pulse_task_finish(tasks[i], tasks[i]->status, NULL);
    }
    return LH_OK;
}

enum lh_status pulse_batch_write(struct pulse_bench *bench, struct pulse_task *task, struct lh_error *error)
{
    struct pulse_writing writing = {.store = bench->store, .now_ms = unix_ms(), .next_job = bench->next_job};
    enum lh_status status = pulse_store_begin(bench->store, writing.now_ms, error);
    bool begun = status == LH_OK;
    status = status == LH_OK ? task->write(task, &writing, error) : status;
    bool own_fault = begun && is_the_tasks(status);
    status = status == LH_OK ? pulse_store_commit(bench->store, error) : status;
    if (status != LH_OK) {
        pulse_store_rollback(bench->store);
        bench->figures.failed++;
    }
    if (own_fault) {
        refuse(task, status, error);
        return LH_OK;
    }
    pulse_task_finish(task, status == LH_OK ? status : LH_ERR_UNAVAILABLE, status != LH_OK ? error : NULL);
    return status;
}

enum lh_status pulse_batch_upkeep(struct pulse_bench *bench, struct pulse_task *task, struct lh_error *error)
{
    struct pulse_upkeep upkeep = {.store = bench->store, .farm = bench->farm, .now_ms = unix_ms()};
    enum lh_status status = task->upkeep(task, &upkeep, error);
    bool own_fault = is_the_tasks(status);
    pulse_store_rollback(bench->store);
    if (own_fault) {
        refuse(task, status, error);
        return LH_OK;
    }
    pulse_task_finish(task, status == LH_OK ? status : LH_ERR_UNAVAILABLE, status != LH_OK ? error : NULL);
    return status;
}
