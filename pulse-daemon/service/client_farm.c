/* SPDX-License-Identifier: MIT */
/* Questions about the farm itself: is it there, who works, what waits, what is wrong. */
#include <string.h>

#include "pulse-daemon/service/clients_parts.h"

void pulse_ask_ping(struct pulse_question *question)
{
    const Wire__Ping *ping = question->envelope->ping;
    const struct pulse_clients_options *options = &question->clients->options;
    uint8_t token[LH_BLOBS_TOKEN_SIZE];
    Wire__Envelope envelope = WIRE_ENVELOPE_INIT(0);
    Wire__Pong pong = WIRE__PONG__INIT;
    Wire__HostMedia host;
    pong.has_stamp = ping->has_stamp;
    pong.stamp = ping->stamp;
    pong.software = wire_text(options->software);
    pong.epoch = pulse_decider_epoch(options->decider);
    pong.bulk_endpoint = wire_text(question->local ? options->bulk_local : options->bulk_remote);
    pong.host = pulse_question_host(question, &host, token) ? &host : NULL;
    pong.has_tenant = true;
    pong.tenant = question->caller.tenant;
    pong.role = wire_text(pulse_role_name(question->caller.role));
    WIRE_BODY(&envelope, PONG, pong, &pong);
    pulse_question_answer(question, &envelope);
}

/* ---- workers ---- */

/* What the core knows of each worker, copied while it may be looked at. */
struct workers_look {
    struct lh_arena *arena;
    struct pulse_farm_worker_view *views;
    size_t count;
};

static void look_at_workers(struct pulse_task *task, struct pulse_farm *farm)
{
    struct workers_look *look = task->payload;
    struct pulse_farm_worker_view view;
    size_t count = 0;
    while (pulse_farm_worker_view(farm, count, &view)) {
        count++;
    }
    look->views = lh_arena_array(&task->arena, count, sizeof *look->views);
    for (size_t i = 0; look->views != NULL && i < count; i++) {
        (void)pulse_farm_worker_view(farm, i, &look->views[i]);
        look->views[i].name = lh_arena_strdup(&task->arena, look->views[i].name);
        look->count += look->views[i].name != NULL ? 1 : 0;
    }
}

static const struct pulse_farm_worker_view *find_view(const struct workers_look *look, const char *name)
{
    for (size_t i = 0; i < look->count; i++) {
        if (strcmp(look->views[i].name, name) == 0) {
            return &look->views[i];
        }
    }
    return NULL;
}

static void fill_worker(const struct pulse_worker_view *view, const struct pulse_farm_worker_view *known,
                        Wire__WorkerInfo *info)
{
    wire__worker_info__init(info);
    info->name = wire_text(view->name);
    info->connected = known != NULL && known->session != 0;
    info->slots = view->slots;
    info->has_draining = true;
    info->draining = known != NULL && known->draining;
    info->has_quarantined = true;
    info->quarantined = known != NULL && known->quarantined;
    info->tags = (char **)(uintptr_t)view->tags;
    info->n_tags = view->tag_count;
    info->engine = wire_text(view->engine);
    info->cpu_class = wire_text(view->cpu_class);
    info->software = wire_text(view->software);
    info->host = wire_text(view->host);
    info->has_plugins = true;
    info->plugins = (uint32_t)view->plugins;
    info->has_beat_age_ms = true;
    info->beat_age_ms = view->beat_age_ms;
}

static void looked_at_workers(struct pulse_task *task)
{
    struct pulse_question *question = task->owner;
    struct workers_look *look = task->payload;
    struct lh_arena *arena = &question->arena;
    struct pulse_worker_view *views;
    struct lh_error error = LH_ERROR_INIT;
    size_t count;
    if (pulse_question_failed(question, task)) {
        return;
    }
    enum lh_status status = pulse_workers_view(question->clients->options.workers, arena, &views, &count);
    Wire__WorkerInfo *infos = status == LH_OK ? lh_arena_array(arena, count, sizeof *infos) : NULL;
    Wire__WorkerInfo **items = status == LH_OK ? lh_arena_array(arena, count, sizeof *items) : NULL;
    if (infos == NULL || items == NULL) {
        pulse_task_free(task);
        (void)lh_error_no_memory(&error);
        pulse_question_fail(question, &error);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        fill_worker(&views[i], find_view(look, views[i].name), &infos[i]);
        items[i] = &infos[i];
    }
    Wire__Envelope envelope = WIRE_ENVELOPE_INIT(0);
    Wire__Workers workers = WIRE__WORKERS__INIT;
    workers.workers = items;
    workers.n_workers = count;
    WIRE_BODY(&envelope, WORKERS, workers, &workers);
    pulse_task_free(task);
    pulse_question_answer(question, &envelope);
}

void pulse_ask_workers(struct pulse_question *question)
{
    struct pulse_task *task = pulse_question_task(question, PULSE_TASK_LOOK, looked_at_workers);
    if (task != NULL && pulse_question_payload(question, task, sizeof(struct workers_look)) != NULL) {
        task->look = look_at_workers;
        pulse_question_ask(question, task);
    }
}

static void drained(struct pulse_task *task)
{
    struct pulse_question *question = task->owner;
    if (!pulse_question_failed(question, task)) {
        pulse_task_free(task);
        (void)pulse_workers_drain(question->clients->options.workers, question->envelope->worker_drain->name);
        pulse_question_done(question);
    }
}

static enum lh_status find_worker(struct pulse_question *question, const char *name, struct lh_error *error)
{
    struct pulse_worker_view *views;
    size_t count = 0;
    if (pulse_workers_view(question->clients->options.workers, &question->arena, &views, &count) != LH_OK) {
        return lh_error_no_memory(error);
    }
    for (size_t i = 0; i < count; i++) {
        if (strcmp(views[i].name, name) == 0) {
            return LH_OK;
        }
    }
    return lh_error_set(error, LH_ERR_MISSING, name, "no worker of this name is connected");
}

void pulse_ask_drain(struct pulse_question *question)
{
    const char *name = question->envelope->worker_drain->name;
    struct lh_error error = LH_ERROR_INIT;
    if (find_worker(question, name, &error) != LH_OK) {
        pulse_question_fail(question, &error);
        return;
    }
    struct pulse_task *task = pulse_question_task(question, PULSE_TASK_EVENT, drained);
    if (task != NULL) {
        task->event = (struct pulse_farm_event){.kind = PULSE_FARM_DRAIN, .worker = name, .flag = true};
        pulse_question_ask(question, task);
    }
}

/* ---- figures ---- */

static void look_at_counts(struct pulse_task *task, struct pulse_farm *farm)
{
    pulse_farm_counts(farm, task->payload);
}

static void answer_queue(struct pulse_task *task)
{
    struct pulse_question *question = task->owner;
    if (pulse_question_failed(question, task)) {
        return;
    }
    const struct pulse_farm_counts *counts = task->payload;
    Wire__Envelope envelope = WIRE_ENVELOPE_INIT(0);
    Wire__Queue queue = WIRE__QUEUE__INIT;
    queue.has_waiting = queue.has_ready = queue.has_claimed = queue.has_jobs = true;
    queue.waiting = counts->waiting;
    queue.ready = counts->ready;
    queue.claimed = counts->claimed;
    queue.jobs = counts->jobs;
    pulse_task_free(task);
    WIRE_BODY(&envelope, QUEUE, queue, &queue);
    pulse_question_answer(question, &envelope);
}

static void ask_counts(struct pulse_question *question, void (*resume)(struct pulse_task *task))
{
    struct pulse_task *task = pulse_question_task(question, PULSE_TASK_LOOK, resume);
    if (task != NULL && pulse_question_payload(question, task, sizeof(struct pulse_farm_counts)) != NULL) {
        task->look = look_at_counts;
        pulse_question_ask(question, task);
    }
}

void pulse_ask_queue(struct pulse_question *question)
{
    ask_counts(question, answer_queue);
}

#define STATS_MAX 48

static void answer_stats(struct pulse_task *task)
{
    struct pulse_question *question = task->owner;
    struct pulse_clients *clients = question->clients;
    if (pulse_question_failed(question, task)) {
        return;
    }
    struct pulse_farm_counts counts = *(const struct pulse_farm_counts *)task->payload;
    struct pulse_decider_figures decider;
    struct pulse_workers_figures workers;
    struct pulse_keeper_figures keeper;
    struct pulse_bulk_figures bulk;
    struct lh_blobs_usage blobs;
    struct wire_counters link;
    pulse_task_free(task);
    pulse_decider_figures(clients->options.decider, &decider);
    pulse_workers_figures(clients->options.workers, &workers);
    pulse_keeper_figures(clients->options.keeper, &keeper);
    pulse_bulk_figures(clients->options.bulk, &bulk);
    lh_blobs_usage(clients->options.blobs, &blobs);
    wire_link_counters(clients->link, &link);
    const struct {
        const char *name;
        double value;
    } figures[] = {
        {"pulse_batches_total", (double)decider.batches},
        {"pulse_events_total", (double)decider.events},
        {"pulse_changes_total", (double)decider.changes},
        {"pulse_batches_failed_total", (double)decider.failed},
        {"pulse_commit_seconds_total", (double)decider.commit_ns / 1e9},
        {"pulse_step_seconds_total", (double)decider.step_ns / 1e9},
        {"pulse_store_reachable", decider.leading ? 1 : 0},
        {"pulse_jobs", (double)counts.jobs},
        {"pulse_shards", (double)counts.shards},
        {"pulse_shards_ready", (double)counts.ready},
        {"pulse_shards_claimed", (double)counts.claimed},
        {"pulse_assigned_total", (double)counts.assigned},
        {"pulse_completed_total", (double)counts.completed},
        {"pulse_failed_total", (double)counts.failed},
        {"pulse_lost_total", (double)counts.lost},
        {"pulse_refused_total", (double)counts.refused},
        {"pulse_alarms_total", (double)counts.alarms},
        {"pulse_core_bytes", (double)counts.bytes},
        {"pulse_workers_connected", (double)workers.connected},
        {"pulse_messages_malformed_total",
         (double)(workers.malformed + clients->malformed + link.malformed + bulk.malformed)},
        {"pulse_connections_refused_total", (double)(workers.shut_out + link.refused + bulk.shut_out)},
        {"pulse_questions_answered_total", (double)clients->answered},
        {"pulse_questions_refused_total", (double)(clients->refused + workers.refused)},
        {"pulse_bulk_bytes_received_total", (double)bulk.bytes_received},
        {"pulse_bulk_bytes_sent_total", (double)bulk.bytes_sent},
        {"pulse_swept_bytes_total", (double)keeper.swept_bytes},
        {"pulse_evicted_bytes_total", (double)keeper.evicted_bytes},
        {"pulse_forgotten_rows_total", (double)keeper.forgotten_rows},
        {"pulse_scrubbed_bytes_total", (double)keeper.scrubbed_bytes},
        {"pulse_blobs_damaged_total", (double)keeper.damaged},
        {"pulse_blobs", (double)blobs.count},
        {"pulse_blob_bytes", (double)blobs.bytes},
        {"pulse_blob_cached_bytes", (double)blobs.cached_bytes},
    };
    Wire__Stat stats[STATS_MAX], *items[STATS_MAX];
    Wire__Envelope envelope = WIRE_ENVELOPE_INIT(0);
    Wire__Stats answer = WIRE__STATS__INIT;
    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++) {
        wire__stat__init(&stats[i]);
        stats[i].name = wire_text(figures[i].name);
        stats[i].value = figures[i].value;
        items[i] = &stats[i];
    }
    answer.stats = items;
    answer.n_stats = sizeof figures / sizeof *figures;
    WIRE_BODY(&envelope, STATS, stats, &answer);
    pulse_question_answer(question, &envelope);
}

void pulse_ask_stats(struct pulse_question *question)
{
    ask_counts(question, answer_stats);
}
