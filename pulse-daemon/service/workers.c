/* SPDX-License-Identifier: MIT */
/* The workers' thread: connections that come and go, messages in, orders out. */
#include "pulse-daemon/service/workers.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "pulse-daemon/service/workers_parts.h"

#define MS_NS (LH_CLOCK_SECOND_NS / 1000)
#define RETRY_NS (LH_CLOCK_SECOND_NS / 5)
#define TURN_MS 1000
#define MESSAGES_AT_ONCE 256 /* before orders get their turn */
#define LINGER_MS 500

struct pulse_line pulse_workers_line(struct pulse_workers *workers, struct pulse_session *session)
{
    return (struct pulse_line){
        .link = workers->link, .socket = session->socket, .peer = session->peer, .last_id = &session->last_id};
}

struct pulse_task *pulse_workers_event(const struct pulse_session *session, enum pulse_farm_event_kind kind)
{
    struct pulse_task *task = pulse_task_new(PULSE_TASK_EVENT);
    if (task == NULL) {
        return NULL;
    }
    task->event = (struct pulse_farm_event){
        .kind = kind, .worker = lh_arena_strdup(&task->arena, session->name), .session = session->number};
    if (task->event.worker == NULL) {
        pulse_task_free(task);
        return NULL;
    }
    return task;
}

void pulse_workers_tell_credits(struct pulse_workers *workers, struct pulse_session *session)
{
    uint64_t all = session->granted + session->carried;
    uint64_t credits = all > session->ended ? all - session->ended : 0;
    uint32_t now = credits < UINT32_MAX ? (uint32_t)credits : UINT32_MAX;
    if (now == session->credits) {
        return;
    }
    session->credits = now;
    if (session->state != PULSE_SESSION_WELCOME) {
        return; /* the welcome says it */
    }
    struct pulse_task *task = pulse_workers_event(session, PULSE_FARM_CREDITS);
    if (task != NULL) {
        task->event.credits = now;
        pulse_decider_ask(workers->options.decider, task, true);
    }
}

/* ---- messages ---- */

static void simple_event(struct pulse_workers *workers, struct pulse_session *session, enum pulse_farm_event_kind kind,
                         bool flag)
{
    struct pulse_task *task = pulse_workers_event(session, kind);
    if (task != NULL) {
        task->event.flag = flag;
        pulse_decider_ask(workers->options.decider, task, true);
    }
}

/* The session's end as the core sees it: behind its results. */
static void tell_gone(struct pulse_workers *workers, struct pulse_session *session)
{
    struct pulse_arrival *arrival = pulse_arrival_new();
    struct pulse_task *task = arrival != NULL ? pulse_workers_event(session, PULSE_FARM_GONE) : NULL;
    if (arrival != NULL) {
        arrival->after = task;
        pulse_intake_put(workers->options.intake, arrival);
    }
    session->replaced = true; /* told */
}

static void handle(struct pulse_workers *workers, struct pulse_session *session, const Wire__Envelope *envelope)
{
    if (session->state != PULSE_SESSION_WELCOME && envelope->body_case != WIRE__ENVELOPE__BODY_HELLO &&
        envelope->body_case != WIRE__ENVELOPE__BODY_INVENTORY && envelope->body_case != WIRE__ENVELOPE__BODY_CREDIT) {
        if (session->state == PULSE_SESSION_NEW) { /* after a restart of ours it speaks before it knows */
            struct pulse_line line = pulse_workers_line(workers, session);
            pulse_line_refuse(&line, envelope->id, WIRE__ERROR_CODE__ERROR_UNSUPPORTED, "say hello first", NULL, 0);
        }
        return;
    }
    switch ((int)envelope->body_case) {
    case WIRE__ENVELOPE__BODY_HELLO:
        pulse_workers_hello(workers, session, envelope);
        break;
    case WIRE__ENVELOPE__BODY_INVENTORY:
        pulse_workers_inventory(workers, session, envelope);
        break;
    case WIRE__ENVELOPE__BODY_CREDIT:
        session->granted = envelope->credit->granted;
        pulse_workers_tell_credits(workers, session);
        break;
    case WIRE__ENVELOPE__BODY_BEAT:
        pulse_workers_beat(workers, session, envelope->beat);
        break;
    case WIRE__ENVELOPE__BODY_COMPLETE:
        pulse_workers_complete(workers, session, envelope->complete);
        break;
    case WIRE__ENVELOPE__BODY_FAILED:
        pulse_workers_failed(workers, session, envelope->failed);
        break;
    case WIRE__ENVELOPE__BODY_DRAIN:
        simple_event(workers, session, PULSE_FARM_DRAIN, true);
        break;
    case WIRE__ENVELOPE__BODY_BYE:
        tell_gone(workers, session);
        break;
    case WIRE__ENVELOPE__BODY_PROGRESS:
        pulse_workers_progress(workers, session, envelope->progress);
        break;
    default: /* what newer workers say */
        break;
    }
}

/* Once a second: who sends nothing else does not fill the log. */
static void complain(struct pulse_workers *workers, const struct pulse_session *session, const struct lh_error *error)
{
    if (session->heard_ns < workers->complain_ns) {
        return;
    }
    workers->complain_ns = session->heard_ns + LH_CLOCK_SECOND_NS;
    LH_LOG(LH_LOG_WARNING, "malformed message", LH_LOG_TEXT("worker", session->name), LH_LOG_TEXT("key", session->key),
           LH_LOG_TEXT("where", error->where), LH_LOG_TEXT("why", error->message),
           LH_LOG_NUMBER("all", workers->figures.malformed));
}

static void on_message(struct pulse_workers *workers, struct pulse_session *session, const struct wire_event *event)
{
    const Wire__Envelope *envelope;
    struct lh_error error = LH_ERROR_INIT;
    lh_arena_fini(&workers->scratch);
    session->heard_ns = lh_clock_monotonic_ns();
    enum lh_status status =
        wire_envelope_unpack(event->envelope, event->envelope_size, &workers->scratch, &envelope, &error);
    if (status == LH_OK && (wire_body_speakers(envelope->body_case) & WIRE_WORKER) == 0 &&
        envelope->body_case != WIRE__ENVELOPE__BODY__NOT_SET) {
        status = lh_error_set(&error, LH_ERR_FORMAT, "body", "a worker does not say %s",
                              wire_body_name(envelope->body_case));
    }
    if (status != LH_OK) {
        struct pulse_line line = pulse_workers_line(workers, session);
        workers->figures.malformed++;
        complain(workers, session, &error);
        pulse_line_fail(&line, wire_envelope_id(event->envelope, event->envelope_size), &error);
        return;
    }
    handle(workers, session, envelope);
}

static void on_joined(struct pulse_workers *workers, const struct wire_event *event)
{
    struct pulse_session *session = pulse_sessions_add(&workers->sessions, event->socket, event->peer);
    if (session == NULL) {
        wire_link_drop(workers->link, event->socket, event->peer); /* it comes again */
        return;
    }
    memcpy(session->key, event->key, sizeof session->key);
}

static void on_gone(struct pulse_workers *workers, struct pulse_session *session, enum wire_gone gone)
{
    /* Its process may have connected anew before this end was seen: then it is there under the same number. */
    if (session->name[0] != '\0' && pulse_sessions_by_name(&workers->sessions, session->name) == session) {
        LH_LOG(LH_LOG_INFO, "worker gone", LH_LOG_TEXT("worker", session->name));
        pulse_roster_leave(workers->options.roster, session->name, session->number);
    }
    /* Over a network, or silent, its process may live on: its leases decide. */
    if (pulse_session_is_local(session) && gone == WIRE_GONE_CLOSED && session->state == PULSE_SESSION_WELCOME &&
        !session->replaced) {
        tell_gone(workers, session);
    }
    pulse_sessions_remove(&workers->sessions, session, workers->options.roster);
}

static void on_event(struct pulse_workers *workers, struct wire_event *event)
{
    pthread_mutex_lock(&workers->lock);
    struct pulse_session *session = pulse_sessions_by_peer(&workers->sessions, event->socket, event->peer);
    switch (event->kind) {
    case WIRE_JOINED:
        on_joined(workers, event);
        break;
    case WIRE_MESSAGE:
        if (session != NULL) {
            on_message(workers, session, event);
        }
        break;
    case WIRE_GONE:
        if (session != NULL) {
            on_gone(workers, session, event->gone);
        }
        break;
    }
    pthread_mutex_unlock(&workers->lock);
    wire_event_free(event);
}

/* ---- mail ---- */

static void on_note(struct pulse_workers *workers, struct pulse_drain_note *note)
{
    struct pulse_session *session = pulse_sessions_by_name(&workers->sessions, note->name);
    if (session != NULL) {
        Wire__Envelope envelope = WIRE_ENVELOPE_INIT(0);
        Wire__DrainRequest request = WIRE__DRAIN_REQUEST__INIT;
        struct pulse_line line = pulse_workers_line(workers, session);
        WIRE_BODY(&envelope, DRAIN_REQUEST, drain_request, &request);
        pulse_line_say(&line, &envelope);
    }
    free(note);
}

static void on_mail(struct pulse_workers *workers, struct pulse_mail *mail)
{
    pthread_mutex_lock(&workers->lock);
    if (mail == &workers->last) {
        workers->stopping = true;
    } else if (mail->kind == PULSE_MAIL_ORDERS) {
        pulse_workers_take_orders(workers, (struct pulse_orders *)mail);
    } else {
        on_note(workers, (struct pulse_drain_note *)mail);
    }
    pthread_mutex_unlock(&workers->lock);
}

/* They keep what they hold and connect again when there is a Pulse. */
static void say_goodbye(struct pulse_workers *workers)
{
    for (struct pulse_session *session = pulse_sessions_next(&workers->sessions, NULL); session != NULL;
         session = pulse_sessions_next(&workers->sessions, session)) {
        Wire__Envelope envelope = WIRE_ENVELOPE_INIT(0);
        Wire__Shutdown shutdown = WIRE__SHUTDOWN__INIT;
        struct pulse_line line = pulse_workers_line(workers, session);
        WIRE_BODY(&envelope, SHUTDOWN, shutdown, &shutdown);
        pulse_line_say(&line, &envelope);
    }
}

static void *run(void *context)
{
    struct pulse_workers *workers = context;
    while (!workers->stopping) {
        struct pulse_mail *mail;
        struct wire_event *event;
        bool busy = false;
        while ((mail = pulse_mailbox_take(workers->options.box)) != NULL) {
            on_mail(workers, mail);
            busy = true;
        }
        for (size_t i = 0; i < MESSAGES_AT_ONCE && (event = wire_link_next(workers->link)) != NULL; i++) {
            on_event(workers, event);
            busy = true;
        }
        bool waiting = workers->pending != NULL;
        if (waiting && lh_clock_monotonic_ns() >= workers->retry_ns) {
            pthread_mutex_lock(&workers->lock);
            pulse_workers_carry_out(workers);
            pthread_mutex_unlock(&workers->lock);
        }
        if (!busy) {
            pulse_mailbox_wait(workers->options.box, wire_link_fd(workers->link),
                               waiting ? (int)(RETRY_NS / MS_NS) : TURN_MS);
        }
    }
    say_goodbye(workers);
    return NULL;
}

/* ---- life ---- */

static enum lh_status listen(struct pulse_workers *workers, struct lh_error *error)
{
    struct wire_link_options link = {0};
    enum lh_status status = wire_link_new(&link, &workers->link, error);
    return status == LH_OK
               ? pulse_listen_open(workers->link, &workers->options.place, WIRE_MESSAGE_MAX, workers->endpoint, error)
               : status;
}

static void end(struct pulse_workers *workers)
{
    wire_link_free(workers->link, LINGER_MS);
    pulse_sessions_fini(&workers->sessions, workers->options.roster);
    while (workers->pending != NULL) {
        struct pulse_orders *orders = (struct pulse_orders *)workers->pending;
        workers->pending = orders->mail.next;
        pulse_orders_free(orders);
    }
    pulse_store_close(workers->store);
    lh_arena_fini(&workers->scratch);
    lh_arena_fini(&workers->specs.arena);
    pthread_mutex_destroy(&workers->lock);
    free(workers);
}

enum lh_status pulse_workers_new(const struct pulse_workers_options *options, struct pulse_workers **workers,
                                 struct lh_error *error)
{
    struct pulse_workers *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return lh_error_no_memory(error);
    }
    made->options = *options;
    made->pending_last = &made->pending;
    lh_arena_init(&made->scratch);
    lh_arena_init(&made->specs.arena);
    pthread_mutex_init(&made->lock, NULL);
    enum lh_status status =
        pulse_sessions_init(&made->sessions, options->blobs) == LH_OK ? LH_OK : lh_error_no_memory(error);
    status = status == LH_OK ? listen(made, error) : status;
    if (status == LH_OK) {
        int code = pthread_create(&made->thread, NULL, run, made);
        status = code == 0 ? LH_OK : lh_error_set(error, LH_ERR_IO, NULL, "no thread: %s", strerror(code));
    }
    if (status != LH_OK) {
        end(made);
        return status;
    }
    *workers = made;
    return LH_OK;
}

void pulse_workers_free(struct pulse_workers *workers)
{
    if (workers != NULL) {
        (void)pulse_mailbox_put(workers->options.box, &workers->last, true);
        pthread_join(workers->thread, NULL);
        end(workers);
    }
}

const char *pulse_workers_endpoint(const struct pulse_workers *workers)
{
    return workers->endpoint;
}

enum lh_status pulse_workers_allow(struct pulse_workers *workers, const char *const *keys, size_t count)
{
    return wire_link_allow(workers->link, keys, count);
}

void pulse_workers_watch(struct pulse_workers *workers, bool watched)
{
    if (workers != NULL) {
        atomic_store_explicit(&workers->watched, watched, memory_order_relaxed);
    }
}

bool pulse_workers_drain(struct pulse_workers *workers, const char *name)
{
    struct pulse_drain_note *note = calloc(1, sizeof *note);
    if (note == NULL) {
        return false;
    }
    note->mail.kind = PULSE_MAIL_NOTE;
    memccpy(note->name, name, '\0', sizeof note->name - 1);
    return pulse_mailbox_put(workers->options.box, &note->mail, true);
}

static struct pulse_claim *find_claim(struct pulse_workers *workers, const char *key, uint64_t shard, uint32_t attempt)
{
    struct pulse_session *session = pulse_sessions_next(&workers->sessions, NULL);
    for (; session != NULL; session = pulse_sessions_next(&workers->sessions, session)) {
        struct pulse_claim *claim =
            key == NULL || strcmp(session->key, key) == 0 ? pulse_session_claim(session, shard, attempt) : NULL;
        if (claim != NULL) {
            return claim;
        }
    }
    return NULL;
}

bool pulse_workers_has_claim(struct pulse_workers *workers, const char *key, uint64_t shard, uint32_t attempt)
{
    pthread_mutex_lock(&workers->lock);
    bool found = find_claim(workers, key, shard, attempt) != NULL;
    pthread_mutex_unlock(&workers->lock);
    return found;
}

bool pulse_workers_uploaded(struct pulse_workers *workers, uint64_t shard, uint32_t attempt,
                            const struct lh_digest *digest)
{
    struct lh_blob blob;
    if (lh_blobs_hold(workers->options.blobs, digest, &blob, NULL) != LH_OK) {
        return false;
    }
    pthread_mutex_lock(&workers->lock);
    struct pulse_claim *claim = find_claim(workers, NULL, shard, attempt);
    struct pulse_upload *upload = claim != NULL ? lh_arena_alloc(&claim->arena, sizeof *upload) : NULL;
    if (upload != NULL) {
        upload->digest = *digest;
        upload->next = claim->uploads;
        claim->uploads = upload;
    }
    pthread_mutex_unlock(&workers->lock);
    if (upload == NULL) {
        lh_blobs_release(workers->options.blobs, digest);
    }
    return upload != NULL;
}

void pulse_workers_figures(struct pulse_workers *workers, struct pulse_workers_figures *figures)
{
    pthread_mutex_lock(&workers->lock);
    struct wire_counters counters;
    wire_link_counters(workers->link, &counters);
    *figures = workers->figures;
    figures->malformed += counters.malformed;
    figures->shut_out = counters.refused;
    figures->connected = workers->sessions.count;
    pthread_mutex_unlock(&workers->lock);
}

enum lh_status pulse_workers_view(struct pulse_workers *workers, struct lh_arena *arena,
                                  struct pulse_worker_view **views, size_t *count)
{
    uint64_t now_ns = lh_clock_monotonic_ns();
    size_t found = 0;
    bool good = true;
    pthread_mutex_lock(&workers->lock);
    struct pulse_worker_view *made = lh_arena_array(arena, workers->sessions.count, sizeof *made);
    struct pulse_session *session = made != NULL ? pulse_sessions_next(&workers->sessions, NULL) : NULL;
    for (; good && session != NULL; session = pulse_sessions_next(&workers->sessions, session)) {
        if (session->state != PULSE_SESSION_WELCOME) {
            continue;
        }
        struct pulse_worker_view *view = &made[found++];
        const char **tags = lh_arena_array(arena, session->tag_count, sizeof *tags);
        for (size_t i = 0; tags != NULL && i < session->tag_count; i++) {
            tags[i] = lh_arena_strdup(arena, session->tags[i]);
            good = good && tags[i] != NULL;
        }
        *view = (struct pulse_worker_view){
            .name = lh_arena_strdup(arena, session->name),
            .engine = lh_arena_strdup(arena, session->engine),
            .cpu_class = lh_arena_strdup(arena, session->cpu_class),
            .software = lh_arena_strdup(arena, session->software),
            .host = lh_arena_strdup(arena, session->host),
            .tags = tags,
            .tag_count = session->tag_count,
            .slots = session->slots,
            .plugins = session->inventory != NULL ? session->inventory->count : 0,
            .beat_age_ms = (now_ns - session->heard_ns) / MS_NS,
        };
        good = good && tags != NULL && view->name != NULL && view->engine != NULL && view->cpu_class != NULL &&
               view->software != NULL && view->host != NULL;
    }
    pthread_mutex_unlock(&workers->lock);
    if (made == NULL || !good) {
        return LH_ERR_NO_MEMORY;
    }
    *views = made;
    *count = found;
    return LH_OK;
}
