/* SPDX-License-Identifier: MIT */
/* The clients' thread: connections, questions to whoever answers them, answers. */
#include "pulse-daemon/service/clients.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "pulse-daemon/service/clients_parts.h"

#define TURN_MS 250 /* progress is looked at so often */
#define QUESTIONS_AT_ONCE 64
#define LINGER_MS 500
#define MS_NS (LH_CLOCK_SECOND_NS / 1000)

/* Who may ask what. */
static const struct {
    Wire__Envelope__BodyCase body;
    enum pulse_role role; /* at least */
    pulse_handler *handler;
} table[] = {
    {WIRE__ENVELOPE__BODY_PING, PULSE_ROLE_VIEWER, pulse_ask_ping},
    {WIRE__ENVELOPE__BODY_MEDIA_QUERY, PULSE_ROLE_EDITOR, pulse_ask_media},
    {WIRE__ENVELOPE__BODY_MEDIA_ADOPT, PULSE_ROLE_EDITOR, pulse_ask_adopt},
    {WIRE__ENVELOPE__BODY_PROJECT_CREATE, PULSE_ROLE_EDITOR, pulse_ask_project_create},
    {WIRE__ENVELOPE__BODY_REVISION_PUT, PULSE_ROLE_EDITOR, pulse_ask_revision_put},
    {WIRE__ENVELOPE__BODY_PROJECT_EDIT, PULSE_ROLE_EDITOR, pulse_ask_project_edit},
    {WIRE__ENVELOPE__BODY_PROJECT_UNDO, PULSE_ROLE_EDITOR, pulse_ask_project_undo},
    {WIRE__ENVELOPE__BODY_PROJECT_REDO, PULSE_ROLE_EDITOR, pulse_ask_project_redo},
    {WIRE__ENVELOPE__BODY_PROJECT_READ, PULSE_ROLE_VIEWER, pulse_ask_project_read},
    {WIRE__ENVELOPE__BODY_PROJECT_LIST, PULSE_ROLE_VIEWER, pulse_ask_project_list},
    {WIRE__ENVELOPE__BODY_JOB_SUBMIT, PULSE_ROLE_EDITOR, pulse_ask_submit},
    {WIRE__ENVELOPE__BODY_JOB_READ, PULSE_ROLE_VIEWER, pulse_ask_job},
    {WIRE__ENVELOPE__BODY_JOB_CANCEL, PULSE_ROLE_EDITOR, pulse_ask_cancel},
    {WIRE__ENVELOPE__BODY_JOB_LIST, PULSE_ROLE_VIEWER, pulse_ask_jobs},
    {WIRE__ENVELOPE__BODY_ARTIFACT_READ, PULSE_ROLE_VIEWER, pulse_ask_artifact},
    {WIRE__ENVELOPE__BODY_WATCH, PULSE_ROLE_VIEWER, pulse_ask_watch},
    {WIRE__ENVELOPE__BODY_UNWATCH, PULSE_ROLE_VIEWER, pulse_ask_unwatch},
    {WIRE__ENVELOPE__BODY_WORKER_LIST, PULSE_ROLE_OPERATOR, pulse_ask_workers},
    {WIRE__ENVELOPE__BODY_WORKER_DRAIN, PULSE_ROLE_OPERATOR, pulse_ask_drain},
    {WIRE__ENVELOPE__BODY_QUEUE_READ, PULSE_ROLE_OPERATOR, pulse_ask_queue},
    {WIRE__ENVELOPE__BODY_STATS_READ, PULSE_ROLE_OPERATOR, pulse_ask_stats},
    {WIRE__ENVELOPE__BODY_DOCTOR, PULSE_ROLE_OPERATOR, pulse_ask_doctor},
    {WIRE__ENVELOPE__BODY_TOKEN_CREATE, PULSE_ROLE_ADMIN, pulse_ask_token_create},
    {WIRE__ENVELOPE__BODY_TOKEN_REVOKE, PULSE_ROLE_ADMIN, pulse_ask_token_revoke},
    {WIRE__ENVELOPE__BODY_TOKEN_LIST, PULSE_ROLE_ADMIN, pulse_ask_tokens},
    {WIRE__ENVELOPE__BODY_PEER_ENROLL, PULSE_ROLE_ADMIN, pulse_ask_enroll},
    {WIRE__ENVELOPE__BODY_PEER_REVOKE, PULSE_ROLE_ADMIN, pulse_ask_peer_revoke},
    {WIRE__ENVELOPE__BODY_PEER_LIST, PULSE_ROLE_ADMIN, pulse_ask_peers},
    {WIRE__ENVELOPE__BODY_TENANT_CREATE, PULSE_ROLE_ADMIN, pulse_ask_tenant_create},
    {WIRE__ENVELOPE__BODY_TENANT_CHANGE, PULSE_ROLE_ADMIN, pulse_ask_tenant_change},
    {WIRE__ENVELOPE__BODY_TENANT_LIST, PULSE_ROLE_ADMIN, pulse_ask_tenants},
    {WIRE__ENVELOPE__BODY_ALARM_LIST, PULSE_ROLE_OPERATOR, pulse_ask_alarms},
};

int64_t pulse_clients_now_ms(void)
{
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

struct pulse_client *pulse_clients_find(struct pulse_clients *clients, uint32_t socket, uint64_t peer)
{
    struct pulse_client *client = clients->list;
    while (client != NULL && (client->peer != peer || client->socket != socket)) {
        client = client->next;
    }
    return client;
}

static struct pulse_line line_of(struct pulse_clients *clients, struct pulse_client *client)
{
    return (struct pulse_line){
        .link = clients->link, .socket = client->socket, .peer = client->peer, .last_id = &client->last_id};
}

void pulse_clients_push(struct pulse_clients *clients, struct pulse_client *client, Wire__Envelope *envelope)
{
    struct pulse_line line = line_of(clients, client);
    if (pulse_line_say(&line, envelope) != LH_OK) {
        wire_link_drop(clients->link, client->socket, client->peer); /* a gap is worse than an end */
    }
}

/* ---- questions ---- */

static void end_question(struct pulse_question *question)
{
    lh_arena_fini(&question->arena);
    free(question);
}

void pulse_question_answer(struct pulse_question *question, Wire__Envelope *envelope)
{
    struct pulse_clients *clients = question->clients;
    struct pulse_client *client = pulse_clients_find(clients, question->socket, question->peer);
    if (client != NULL) {
        struct pulse_line line = line_of(clients, client);
        if (pulse_line_answer(&line, question->id, envelope) == LH_ERR_LIMIT) {
            pulse_line_refuse(&line, question->id, WIRE__ERROR_CODE__ERROR_LIMIT, "the answer is too large", NULL, 0);
        }
        clients->answered++;
    }
    end_question(question);
}

void pulse_question_fail(struct pulse_question *question, const struct lh_error *error)
{
    struct pulse_client *client = pulse_clients_find(question->clients, question->socket, question->peer);
    if (client != NULL) {
        struct pulse_line line = line_of(question->clients, client);
        pulse_line_fail(&line, question->id, error);
    }
    end_question(question);
}

void pulse_question_refuse(struct pulse_question *question, Wire__ErrorCode code, const char *message,
                           const char *where)
{
    struct pulse_client *client = pulse_clients_find(question->clients, question->socket, question->peer);
    if (client != NULL) {
        struct pulse_line line = line_of(question->clients, client);
        pulse_line_refuse(&line, question->id, code, message, where, 0);
    }
    end_question(question);
}

void pulse_question_done(struct pulse_question *question)
{
    Wire__Envelope envelope = WIRE_ENVELOPE_INIT(0);
    Wire__Done done = WIRE__DONE__INIT;
    WIRE_BODY(&envelope, DONE, done, &done);
    pulse_question_answer(question, &envelope);
}

struct pulse_store *pulse_question_store(struct pulse_question *question)
{
    struct pulse_clients *clients = question->clients;
    struct lh_error error = LH_ERROR_INIT;
    if (clients->store == NULL &&
        pulse_store_open(clients->options.store, PULSE_STORE_READ, &clients->store, &error) != LH_OK) {
        error.code = LH_ERR_UNAVAILABLE;
        pulse_question_fail(question, &error);
        return NULL;
    }
    return clients->store;
}

struct pulse_task *pulse_question_task(struct pulse_question *question, enum pulse_task_kind kind,
                                       void (*resume)(struct pulse_task *task))
{
    struct pulse_task *task = pulse_task_new(kind);
    if (task == NULL) {
        struct lh_error error = LH_ERROR_INIT;
        (void)lh_error_no_memory(&error);
        pulse_question_fail(question, &error);
        return NULL;
    }
    task->home = question->clients->options.box;
    task->owner = question;
    task->due_ns = question->due_ns;
    task->resume = resume;
    return task;
}

void *pulse_question_payload(struct pulse_question *question, struct pulse_task *task, size_t size)
{
    task->payload = lh_arena_alloc(&task->arena, size);
    if (task->payload == NULL) {
        struct lh_error error = LH_ERROR_INIT;
        (void)lh_error_no_memory(&error);
        pulse_task_free(task);
        pulse_question_fail(question, &error);
        return NULL;
    }
    return task->payload;
}

void pulse_question_ask(struct pulse_question *question, struct pulse_task *task)
{
    question->clients->asked++;
    pulse_decider_ask(question->clients->options.decider, task, false);
}

static void refuse_late(struct pulse_question *question)
{
    pulse_question_refuse(question, WIRE__ERROR_CODE__ERROR_TIMEOUT, "the time to answer it was over; nothing was done",
                          "remaining_ms");
}

bool pulse_question_failed(struct pulse_question *question, struct pulse_task *task)
{
    if (task->status == LH_OK) {
        return false;
    }
    struct lh_error error = task->error;
    bool late = task->late;
    error.code = task->status;
    pulse_task_free(task);
    if (late) {
        refuse_late(question);
    } else {
        pulse_question_fail(question, &error);
    }
    return true;
}

uint64_t pulse_cursor_read(bool has, const ProtobufCBinaryData *cursor)
{
    uint64_t number = 0;
    for (size_t i = 0; has && i < sizeof number && i < cursor->len; i++) {
        number |= (uint64_t)cursor->data[i] << (8 * i);
    }
    return number;
}

ProtobufCBinaryData pulse_cursor_write(struct lh_arena *arena, uint64_t number)
{
    uint8_t *bytes = lh_arena_alloc(arena, sizeof number);
    for (size_t i = 0; bytes != NULL && i < sizeof number; i++) {
        bytes[i] = (uint8_t)(number >> (8 * i));
    }
    return (ProtobufCBinaryData){.data = bytes, .len = bytes != NULL ? sizeof number : 0};
}

bool pulse_question_host(const struct pulse_question *question, Wire__HostMedia *host,
                         uint8_t token[LH_BLOBS_TOKEN_SIZE])
{
    const struct pulse_clients_options *options = &question->clients->options;
    if (!question->local) {
        return false;
    }
    *host = (Wire__HostMedia)WIRE__HOST_MEDIA__INIT;
    lh_blobs_token(options->blobs, token);
    host->folder = wire_text(options->media_folder);
    host->token_file = wire_text(LH_BLOBS_TOKEN_FILE);
    host->token = wire_bytes(token, LH_BLOBS_TOKEN_SIZE);
    return true;
}

/* Who asks, and may they? */
static void dispatch(struct pulse_question *question)
{
    const Wire__Envelope *envelope = question->envelope;
    struct pulse_clients *clients = question->clients;
    struct lh_error error = LH_ERROR_INIT;
    size_t row = 0;
    while (row < sizeof table / sizeof *table && table[row].body != envelope->body_case) {
        row++;
    }
    if (wire_version_common(envelope->version_min, envelope->version_max) == 0) {
        pulse_question_refuse(question, WIRE__ERROR_CODE__ERROR_VERSION, "no version in common", NULL);
        return;
    }
    if (row == sizeof table / sizeof *table) {
        pulse_question_refuse(question, WIRE__ERROR_CODE__ERROR_UNSUPPORTED, "there is no such question here", NULL);
        return;
    }
    struct pulse_store *store = pulse_question_store(question);
    if (store == NULL) {
        return;
    }
    enum lh_status status =
        pulse_access_check(&clients->access, store, envelope->token, pulse_clients_now_ms(), &question->caller, &error);
    if (status == LH_ERR_MISSING) {
        clients->refused++;
        pulse_question_refuse(question, WIRE__ERROR_CODE__ERROR_UNAUTHENTICATED, error.message, NULL);
    } else if (status != LH_OK) {
        pulse_question_fail(question, &error);
    } else if (question->caller.role < table[row].role) {
        clients->refused++;
        (void)lh_error_set(&error, LH_ERR_USAGE, NULL,
                           "this token may not do that: it has the role %s, and this takes the role %s",
                           pulse_role_name(question->caller.role), pulse_role_name(table[row].role));
        pulse_question_refuse(question, WIRE__ERROR_CODE__ERROR_FORBIDDEN, error.message, NULL);
    } else {
        table[row].handler(question);
    }
}

static void on_message(struct pulse_clients *clients, struct pulse_client *client, const struct wire_event *event)
{
    struct lh_error error = LH_ERROR_INIT;
    struct pulse_line line = line_of(clients, client);
    struct pulse_question *question = calloc(1, sizeof *question);
    if (question == NULL) {
        (void)lh_error_no_memory(&error);
        pulse_line_fail(&line, wire_envelope_id(event->envelope, event->envelope_size), &error);
        return;
    }
    lh_arena_init(&question->arena);
    question->clients = clients;
    question->socket = event->socket;
    question->peer = event->peer;
    question->local = client->key[0] == '\0';
    enum lh_status status =
        wire_envelope_unpack(event->envelope, event->envelope_size, &question->arena, &question->envelope, &error);
    if (status != LH_OK) {
        clients->malformed++;
        pulse_line_fail(&line, wire_envelope_id(event->envelope, event->envelope_size), &error);
        end_question(question);
        return;
    }
    question->id = question->envelope->id;
    if (question->envelope->has_remaining_ms) {
        question->due_ns = event->at_ns + question->envelope->remaining_ms * MS_NS;
    }
    if (question->due_ns != 0 && lh_clock_monotonic_ns() >= question->due_ns) {
        refuse_late(question);
        return;
    }
    dispatch(question);
}

/* ---- connections ---- */

static void on_joined(struct pulse_clients *clients, const struct wire_event *event)
{
    struct pulse_client *client = calloc(1, sizeof *client);
    if (client == NULL) {
        wire_link_drop(clients->link, event->socket, event->peer);
        return;
    }
    client->socket = event->socket;
    client->peer = event->peer;
    memcpy(client->key, event->key, sizeof client->key);
    client->next = clients->list;
    clients->list = client;
}

static void on_gone(struct pulse_clients *clients, struct pulse_client *gone)
{
    struct pulse_client **at = &clients->list;
    while (*at != gone) {
        at = &(*at)->next;
    }
    *at = gone->next;
    free(gone);
}

static void on_event(struct pulse_clients *clients, struct wire_event *event)
{
    struct pulse_client *client = pulse_clients_find(clients, event->socket, event->peer);
    if (event->kind == WIRE_JOINED) {
        on_joined(clients, event);
    } else if (client != NULL && event->kind == WIRE_MESSAGE) {
        on_message(clients, client, event);
    } else if (client != NULL && event->kind == WIRE_GONE) {
        on_gone(clients, client);
    }
    wire_event_free(event);
}

static void on_mail(struct pulse_clients *clients, struct pulse_mail *mail)
{
    if (mail == &clients->last) {
        clients->stopping = true;
    } else if (mail->kind == PULSE_MAIL_TASK) {
        struct pulse_task *task = (struct pulse_task *)mail;
        clients->asked--;
        task->resume(task);
    } else if (mail->kind == PULSE_MAIL_ORDERS) {
        struct pulse_orders *orders = (struct pulse_orders *)mail;
        pulse_watch_tell(clients, orders);
        pulse_orders_free(orders);
    } else if (mail->kind == PULSE_MAIL_ADOPTION) {
        pulse_clients_adopted(clients, mail);
    } else if (mail->kind == PULSE_MAIL_EXAMINATION) {
        pulse_clients_examined(clients, mail);
    } else {
        pulse_clients_on_note(clients, mail);
    }
}

static void *run(void *context)
{
    struct pulse_clients *clients = context;
    while (!clients->stopping || clients->asked > 0) {
        struct pulse_mail *mail;
        struct wire_event *event;
        bool busy = false;
        while ((mail = pulse_mailbox_take(clients->options.box)) != NULL) {
            on_mail(clients, mail);
            busy = true;
        }
        for (size_t i = 0;
             !clients->stopping && i < QUESTIONS_AT_ONCE && (event = wire_link_next(clients->link)) != NULL; i++) {
            on_event(clients, event);
            busy = true;
        }
        if (!clients->stopping) {
            pulse_watch_look(clients);
            pulse_clients_tell_fetched(clients);
        }
        if (!busy) {
            pulse_mailbox_wait(clients->options.box, clients->stopping ? -1 : wire_link_fd(clients->link), TURN_MS);
        }
    }
    return NULL;
}

/* ---- life ---- */

static enum lh_status listen(struct pulse_clients *clients, struct lh_error *error)
{
    struct wire_link_options link = {0};
    enum lh_status status = wire_link_new(&link, &clients->link, error);
    return status == LH_OK
               ? pulse_listen_open(clients->link, &clients->options.place, WIRE_MESSAGE_MAX, clients->endpoint, error)
               : status;
}

static void end(struct pulse_clients *clients)
{
    wire_link_free(clients->link, LINGER_MS);
    while (clients->list != NULL) {
        on_gone(clients, clients->list);
    }
    pulse_store_close(clients->store);
    free(clients->made);
    free(clients);
}

enum lh_status pulse_clients_new(const struct pulse_clients_options *options, struct pulse_clients **clients,
                                 struct lh_error *error)
{
    struct pulse_clients *made = calloc(1, sizeof *made);
    if (made == NULL || (made->made = calloc(PULSE_MADE_KEPT, sizeof *made->made)) == NULL) {
        free(made);
        return lh_error_no_memory(error);
    }
    made->options = *options;
    enum lh_status status = listen(made, error);
    if (status == LH_OK) {
        int code = pthread_create(&made->thread, NULL, run, made);
        status = code == 0 ? LH_OK : lh_error_set(error, LH_ERR_IO, NULL, "no thread: %s", strerror(code));
    }
    if (status != LH_OK) {
        end(made);
        return status;
    }
    *clients = made;
    return LH_OK;
}

void pulse_clients_free(struct pulse_clients *clients)
{
    if (clients != NULL) {
        (void)pulse_mailbox_put(clients->options.box, &clients->last, true);
        pthread_join(clients->thread, NULL);
        end(clients);
    }
}

const char *pulse_clients_endpoint(const struct pulse_clients *clients)
{
    return clients->endpoint;
}

enum lh_status pulse_clients_allow(struct pulse_clients *clients, const char *const *keys, size_t count)
{
    return wire_link_allow(clients->link, keys, count);
}
