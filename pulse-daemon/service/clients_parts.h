/* SPDX-License-Identifier: MIT */
/* What the files of the clients' part share. Internal to it; one thread. */
#ifndef PULSE_SERVICE_CLIENTS_PARTS_H
#define PULSE_SERVICE_CLIENTS_PARTS_H

#include "pulse-daemon/service/access.h"
#include "pulse-daemon/service/clients.h"
#include "pulse-daemon/service/line.h"
#include "pulse-daemon/store/media.h"
#include "pulse-daemon/store/projects.h"

/* What a connection wants to be told. */
struct pulse_watch {
    bool active, progress;
    uint64_t tenant, job; /* job 0: all of the tenant */
    uint64_t after;       /* the last that it was told */
    bool looking;         /* progress is being asked for */
    double told;          /* progress as it was told last */
    uint64_t look_ns;     /* when to look again */
};

struct pulse_client {
    struct pulse_client *next;
    uint32_t socket;
    uint64_t peer;
    char key[WIRE_KEY_SIZE];
    uint64_t last_id;
    struct pulse_watch watch;
};

/* Projects that were made under a key that a client drew: asked again, the same is answered. The latest ones. */
#define PULSE_MADE_KEPT 1024
struct pulse_made {
    uint64_t tenant, project;
    struct lh_digest key, content;
};

#define PULSE_FETCHED_MAX 256 /* between two writes; more are not noted */

struct pulse_clients {
    struct pulse_clients_options options;
    struct wire_link *link;
    char endpoint[WIRE_ENDPOINT_SIZE]; /* on the network */
    struct pulse_client *list;
    struct pulse_store *store; /* for reading; NULL: not open now */
    struct pulse_access access;
    struct pulse_made *made;
    size_t made_next;
    struct pulse_blob_use fetched[PULSE_FETCHED_MAX]; /* not yet told to the store */
    size_t fetched_count;
    uint64_t fetched_ns; /* when they are due */
    size_t asked;        /* of the decider and the intake: what has not come home */
    bool stopping;
    struct pulse_mail last;
    pthread_t thread;
    uint64_t malformed, refused, answered;
};

/* One question, until it is answered. It may outlive its connection. */
struct pulse_question {
    struct lh_arena arena;
    struct pulse_clients *clients;
    uint32_t socket;
    uint64_t peer, id;
    bool local;      /* it was asked on this host */
    uint64_t due_ns; /* nobody waits for the answer any more; 0: somebody does, for ever */
    struct pulse_caller caller;
    const Wire__Envelope *envelope;
};

/* The open handle, opened anew when it was closed. NULL: the question was refused. */
struct pulse_store *pulse_question_store(struct pulse_question *question);
/* Each of these ends the question. */
void pulse_question_answer(struct pulse_question *question, Wire__Envelope *envelope);
void pulse_question_fail(struct pulse_question *question, const struct lh_error *error);
void pulse_question_refuse(struct pulse_question *question, Wire__ErrorCode code, const char *message,
                           const char *where);
void pulse_question_done(struct pulse_question *question); /* Done */
/* A task of the question's, which comes home to `resume`; ends the question when memory is out (NULL). */
struct pulse_task *pulse_question_task(struct pulse_question *question, enum pulse_task_kind kind,
                                       void (*resume)(struct pulse_task *task));
/* Zeroed room in the task's arena as its payload; ends both when memory is out (NULL). */
void *pulse_question_payload(struct pulse_question *question, struct pulse_task *task, size_t size);
void pulse_question_ask(struct pulse_question *question, struct pulse_task *task);
/* A task that has come home with a failure: ends task and question. True: it had failed. */
bool pulse_question_failed(struct pulse_question *question, struct pulse_task *task);

int64_t pulse_clients_now_ms(void);
/* To the client, if it is still there: something unasked. */
void pulse_clients_push(struct pulse_clients *clients, struct pulse_client *client, Wire__Envelope *envelope);
struct pulse_client *pulse_clients_find(struct pulse_clients *clients, uint32_t socket, uint64_t peer);
/* What tells a peer of this host where the media are; false: it is not on this host. `token` has room. */
bool pulse_question_host(const struct pulse_question *question, Wire__HostMedia *host,
                         uint8_t token[LH_BLOBS_TOKEN_SIZE]);
/* "0..": where a list goes on; 0 when there is none. */
uint64_t pulse_cursor_read(bool has, const ProtobufCBinaryData *cursor);
ProtobufCBinaryData pulse_cursor_write(struct lh_arena *arena, uint64_t number);

/* The handlers, by what is asked. */
typedef void pulse_handler(struct pulse_question *question);
pulse_handler pulse_ask_ping, pulse_ask_workers, pulse_ask_drain, pulse_ask_queue, pulse_ask_stats, pulse_ask_doctor;
pulse_handler pulse_ask_media, pulse_ask_adopt;
pulse_handler pulse_ask_project_create, pulse_ask_project_read, pulse_ask_project_list, pulse_ask_revision_put,
    pulse_ask_project_edit, pulse_ask_project_undo, pulse_ask_project_redo;
pulse_handler pulse_ask_submit, pulse_ask_job, pulse_ask_cancel, pulse_ask_jobs, pulse_ask_artifact;
pulse_handler pulse_ask_watch, pulse_ask_unwatch;
pulse_handler pulse_ask_token_create, pulse_ask_token_revoke, pulse_ask_tokens;
pulse_handler pulse_ask_enroll, pulse_ask_peer_revoke, pulse_ask_peers;
pulse_handler pulse_ask_tenant_create, pulse_ask_tenant_change, pulse_ask_tenants, pulse_ask_alarms;

/* watch.c: what was committed (orders that tell nothing: what the store has); and what is due. */
void pulse_watch_tell(struct pulse_clients *clients, const struct pulse_orders *orders);
void pulse_watch_look(struct pulse_clients *clients);

/* client_media.c: a file that was handed over is in the store of blobs, or not. */
void pulse_clients_adopted(struct pulse_clients *clients, struct pulse_mail *mail);

/* client_doctor.c: the store and the folder have been looked at. */
void pulse_clients_examined(struct pulse_clients *clients, struct pulse_mail *mail);

/* clients_bulk.c: a note of what the bulk part asks. */
void pulse_clients_on_note(struct pulse_clients *clients, struct pulse_mail *mail);
/* Tells the store what was fetched, once in a while. */
void pulse_clients_tell_fetched(struct pulse_clients *clients);

#endif
