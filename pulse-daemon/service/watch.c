/* SPDX-License-Identifier: MIT */
/* What is pushed to clients: events, first from the store, then as they are committed; and how far a job has come. */
#include <string.h>

#include "common/base/clock.h"
#include "pulse-daemon/service/clients_parts.h"

#define LOOK_NS (LH_CLOCK_SECOND_NS / 4)
#define PAGE 1000u
#define STEP 0.0005 /* less progress is not told */

/* ---- events ---- */

static void push_event(struct pulse_clients *clients, struct pulse_client *client, uint64_t sequence, uint64_t tenant,
                       uint64_t job, int64_t at_ms, const char *text)
{
    Wire__Envelope envelope = WIRE_ENVELOPE_INIT(0);
    Wire__Event event = WIRE__EVENT__INIT;
    event.sequence = sequence;
    event.tenant = tenant;
    event.has_job = job != 0;
    event.job = job;
    event.body = wire_bytes(text, strlen(text));
    event.has_at_ms = true;
    event.at_ms = (uint64_t)at_ms;
    WIRE_BODY(&envelope, EVENT, event, &event);
    pulse_clients_push(clients, client, &envelope);
}

static void tell(struct pulse_clients *clients, const struct pulse_orders *orders)
{
    int64_t now_ms = pulse_clients_now_ms();
    for (struct pulse_client *client = clients->list; client != NULL; client = client->next) {
        struct pulse_watch *watch = &client->watch;
        for (size_t i = 0; watch->active && i < orders->told_count; i++) {
            const struct pulse_told *told = &orders->told[i];
            if (told->sequence > watch->after && told->tenant == watch->tenant &&
                (watch->job == 0 || watch->job == told->job)) {
                watch->after = told->sequence;
                push_event(clients, client, told->sequence, told->tenant, told->job, now_ms, told->text);
            }
        }
    }
}

struct replay {
    struct pulse_clients *clients;
    struct pulse_client *client;
    size_t count;
};

static enum lh_status take_event(void *context, const struct pulse_event_row *row)
{
    struct replay *replay = context;
    replay->client->watch.after = row->number;
    replay->count++;
    push_event(replay->clients, replay->client, row->number, row->tenant, row->job, row->created_ms, row->text);
    return LH_OK;
}

/* What was committed meanwhile and waits in our mailbox is in the store as well: it is told once, by its number. */
static enum lh_status replay(struct pulse_clients *clients, struct pulse_client *client, struct lh_error *error)
{
    struct replay state = {.clients = clients, .client = client};
    enum lh_status status;
    do {
        state.count = 0;
        status = pulse_store_events(clients->store, client->watch.tenant, client->watch.job, client->watch.after, PAGE,
                                    take_event, &state, error);
    } while (status == LH_OK && state.count == PAGE);
    return status;
}

/* A commit whose answer was lost may have taken place: what nobody was told of stands in the store. */
static void tell_from_store(struct pulse_clients *clients)
{
    struct lh_error error = LH_ERROR_INIT;
    enum lh_status status = LH_OK;
    if (clients->store == NULL) {
        status = pulse_store_open(clients->options.store, PULSE_STORE_READ, &clients->store, &error);
    }
    for (struct pulse_client *client = clients->list; client != NULL; client = client->next) {
        if (client->watch.active && (status != LH_OK || replay(clients, client, &error) != LH_OK)) {
            wire_link_drop(clients->link, client->socket, client->peer);
        }
    }
}

void pulse_watch_tell(struct pulse_clients *clients, const struct pulse_orders *orders)
{
    if (orders->told_count > 0) {
        tell(clients, orders);
    } else {
        tell_from_store(clients);
    }
}

void pulse_ask_watch(struct pulse_question *question)
{
    const Wire__Watch *asked = question->envelope->watch;
    struct pulse_clients *clients = question->clients;
    struct pulse_client *client = pulse_clients_find(clients, question->socket, question->peer);
    struct pulse_store *store = pulse_question_store(question);
    if (store == NULL) {
        return;
    }
    if (client == NULL) {
        pulse_question_refuse(question, WIRE__ERROR_CODE__ERROR_CANCELLED, "the connection is gone", NULL);
        return;
    }
    Wire__Envelope envelope = WIRE_ENVELOPE_INIT(0);
    Wire__Watching watching = WIRE__WATCHING__INIT;
    watching.after = asked->has_after ? asked->after : pulse_decider_last_event(clients->options.decider);
    client->watch = (struct pulse_watch){
        .active = true,
        .progress = asked->progress && asked->has_job,
        .tenant = question->caller.tenant,
        .job = asked->has_job ? asked->job : 0,
        .after = watching.after,
        .told = -1,
    };
    WIRE_BODY(&envelope, WATCHING, watching, &watching);
    pulse_question_answer(question, &envelope);
    struct lh_error error = LH_ERROR_INIT;
    if (replay(clients, client, &error) != LH_OK) {
        wire_link_drop(clients->link, client->socket, client->peer); /* it connects and watches again */
    }
}

void pulse_ask_unwatch(struct pulse_question *question)
{
    struct pulse_client *client = pulse_clients_find(question->clients, question->socket, question->peer);
    if (client != NULL) {
        client->watch = (struct pulse_watch){.active = false};
    }
    pulse_question_done(question);
}

/* ---- progress ---- */

struct look {
    struct pulse_clients *clients;
    uint32_t socket;
    uint64_t peer, job;
    bool live;
    struct pulse_farm_job_view view;
};

static void look_at_job(struct pulse_task *task, struct pulse_farm *farm)
{
    struct look *look = task->payload;
    look->live = pulse_farm_job_view(farm, look->job, &look->view);
}

static void looked(struct pulse_task *task)
{
    const struct look *look = task->payload;
    struct pulse_client *client = pulse_clients_find(look->clients, look->socket, look->peer);
    if (client != NULL) {
        struct pulse_watch *watch = &client->watch;
        watch->looking = false;
        watch->look_ns = lh_clock_monotonic_ns() + LOOK_NS;
        /* Of somebody else's job nothing is told, not even that it is there. */
        bool theirs = look->live && look->view.tenant == watch->tenant;
        if (watch->active && watch->job == look->job && theirs && task->status == LH_OK &&
            (look->view.progress > watch->told + STEP || look->view.progress < watch->told)) {
            Wire__Envelope envelope = WIRE_ENVELOPE_INIT(0);
            Wire__JobProgress progress = WIRE__JOB_PROGRESS__INIT;
            watch->told = look->view.progress;
            progress.job = look->job;
            progress.progress = look->view.progress;
            progress.has_shards = true;
            progress.shards = look->view.shards;
            WIRE_BODY(&envelope, JOB_PROGRESS, job_progress, &progress);
            pulse_clients_push(look->clients, client, &envelope);
        }
    }
    pulse_task_free(task);
}

void pulse_watch_look(struct pulse_clients *clients)
{
    uint64_t now_ns = lh_clock_monotonic_ns();
    bool watched = false;
    for (const struct pulse_client *client = clients->list; client != NULL; client = client->next) {
        watched = watched || (client->watch.active && client->watch.progress);
    }
    pulse_workers_watch(clients->options.workers, watched);
    for (struct pulse_client *client = clients->list; client != NULL; client = client->next) {
        struct pulse_watch *watch = &client->watch;
        if (!watch->active || !watch->progress || watch->looking || now_ns < watch->look_ns) {
            continue;
        }
        struct pulse_task *task = pulse_task_new(PULSE_TASK_LOOK);
        struct look *look = task != NULL ? lh_arena_alloc(&task->arena, sizeof *look) : NULL;
        if (look == NULL) {
            pulse_task_free(task);
            return;
        }
        *look = (struct look){.clients = clients, .socket = client->socket, .peer = client->peer, .job = watch->job};
        task->payload = look;
        task->look = look_at_job;
        task->home = clients->options.box;
        task->resume = looked;
        watch->looking = true;
        clients->asked++;
        pulse_decider_ask(clients->options.decider, task, false);
    }
}
