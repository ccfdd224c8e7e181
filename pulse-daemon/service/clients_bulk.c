/* SPDX-License-Identifier: MIT */
/* What the bulk part asks: may this peer upload, may it fetch; and that an upload is there. */
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "pulse-daemon/media/collect.h"
#include "pulse-daemon/service/clients_parts.h"
#include "pulse-daemon/service/quota.h"
#include "pulse-daemon/store/media.h"

#define FETCHED_NS (5 * LH_CLOCK_SECOND_NS)
#define PIN_MS ((int64_t)PULSE_UPLOAD_PIN_SECONDS * 1000)

/* A copy of a question, which lives for a call only. */
struct bulk_note {
    struct pulse_mail mail; /* first */
    struct pulse_bulk_ask ask;
    char key[WIRE_KEY_SIZE];
    char token[PULSE_TOKEN_TEXT_MAX];
};

void pulse_clients_bulk_ask(void *user, const struct pulse_bulk_ask *ask)
{
    struct bulk_note *note = calloc(1, sizeof *note);
    if (note == NULL) {
        return; /* never answered: the peer gives up, and asks again */
    }
    note->mail.kind = PULSE_MAIL_NOTE;
    note->ask = *ask;
    memccpy(note->key, ask->key, '\0', sizeof note->key - 1);
    memccpy(note->token, ask->token, '\0', sizeof note->token - 1); /* one that is cut is nobody's */
    note->ask.key = note->key;
    note->ask.token = note->token;
    (void)pulse_mailbox_put(user, &note->mail, true);
}

static void answer(struct pulse_clients *clients, const struct pulse_bulk_ask *ask, struct pulse_bulk_answer answer)
{
    (void)pulse_bulk_answer(clients->options.bulk, ask->ticket, &answer);
}

static void fail(struct pulse_clients *clients, const struct pulse_bulk_ask *ask, enum lh_status status,
                 const char *message)
{
    answer(clients, ask, (struct pulse_bulk_answer){.status = status, .message = message});
}

/* ---- workers ---- */

/* A worker's claim entitles it; what it brings counts only when the attempt is completed. */
static void ask_worker(struct pulse_clients *clients, const struct pulse_bulk_ask *ask)
{
    if (!pulse_workers_has_claim(clients->options.workers, ask->key, ask->shard, ask->attempt)) {
        fail(clients, ask, LH_ERR_MISSING, "that attempt is not, or no longer, this worker's");
    } else {
        answer(clients, ask, (struct pulse_bulk_answer){.status = LH_OK, .kind = LH_BLOBS_CACHED});
    }
}

/* ---- clients ---- */

/* What is fetched is used, and evicted after what is not. It costs a write only now and then, and none for what was
   noted before. */
static void note_fetched(struct pulse_clients *clients, uint64_t tenant, const struct lh_digest *digest)
{
    size_t at = 0;
    while (at < clients->fetched_count &&
           !(clients->fetched[at].tenant == tenant && lh_digest_equal(&clients->fetched[at].digest, digest))) {
        at++;
    }
    if (at == clients->fetched_count && at < PULSE_FETCHED_MAX) {
        clients->fetched[clients->fetched_count++] = (struct pulse_blob_use){.tenant = tenant, .digest = *digest};
        clients->fetched_ns = at == 0 ? lh_clock_monotonic_ns() + FETCHED_NS : clients->fetched_ns;
    }
}

struct fetched {
    size_t count;
    struct pulse_blob_use uses[PULSE_FETCHED_MAX];
};

static enum lh_status write_fetched(struct pulse_task *task, const struct pulse_writing *writing,
                                    struct lh_error *error)
{
    const struct fetched *fetched = task->payload;
    return pulse_store_blobs_touch(writing->store, fetched->uses, fetched->count, error);
}

void pulse_clients_tell_fetched(struct pulse_clients *clients)
{
    if (clients->fetched_count == 0 || lh_clock_monotonic_ns() < clients->fetched_ns) {
        return;
    }
    struct pulse_task *task = pulse_task_new(PULSE_TASK_WRITE);
    struct fetched *fetched = task != NULL ? lh_arena_alloc(&task->arena, sizeof *fetched) : NULL;
    if (fetched != NULL) {
        fetched->count = clients->fetched_count;
        memcpy(fetched->uses, clients->fetched, clients->fetched_count * sizeof *fetched->uses);
        task->payload = fetched;
        task->write = write_fetched;
        pulse_decider_ask(clients->options.decider, task, false); /* unsaid it was not used: no harm */
    } else {
        pulse_task_free(task);
    }
    clients->fetched_count = 0;
}

/* ---- an upload that is there ---- */

struct upload {
    struct pulse_clients *clients;
    uint64_t ticket;
    struct pulse_media_row row;
    bool present; /* it was there before: held meanwhile */
};

static enum lh_status write_upload(struct pulse_task *task, const struct pulse_writing *writing, struct lh_error *error)
{
    struct upload *upload = task->payload;
    upload->row.uploaded_ms = writing->now_ms;
    upload->row.pinned_until_ms = writing->now_ms + PIN_MS;
    enum lh_status status =
        pulse_quota_upload(writing->store, upload->row.tenant, &upload->row.digest, upload->row.size, error);
    return status == LH_OK ? pulse_store_media_put(writing->store, &upload->row, 1, error) : status;
}

static void uploaded(struct pulse_task *task)
{
    const struct upload *upload = task->payload;
    struct pulse_bulk_answer answer = {.status = task->status,
                                       .message = task->error.message,
                                       .owner = upload->row.tenant,
                                       .kind = LH_BLOBS_KEPT,
                                       .present = upload->present};
    if (upload->present) {
        lh_blobs_release(upload->clients->options.blobs, &upload->row.digest);
    }
    (void)pulse_bulk_answer(upload->clients->options.bulk, upload->ticket, &answer);
    pulse_task_free(task);
}

/* False: no memory. */
static bool write_row(struct pulse_clients *clients, const struct upload *upload)
{
    struct pulse_task *task = pulse_task_new(PULSE_TASK_WRITE);
    struct upload *payload = task != NULL ? lh_arena_alloc(&task->arena, sizeof *payload) : NULL;
    if (payload == NULL) {
        pulse_task_free(task);
        return false;
    }
    *payload = *upload;
    task->payload = payload;
    task->write = write_upload;
    task->home = clients->options.box;
    task->resume = uploaded;
    clients->asked++;
    pulse_decider_ask(clients->options.decider, task, true);
    return true;
}

/* Bytes that are there need not come, but count as uploaded now: they are pinned anew, and what was only delivered to
   the tenant so far becomes a medium. False: they are not there. */
static bool put_present(struct pulse_clients *clients, const struct pulse_bulk_ask *ask, uint64_t tenant)
{
    struct lh_blobs *blobs = clients->options.blobs;
    struct lh_blob blob;
    if (lh_blobs_hold(blobs, &ask->digest, &blob, NULL) != LH_OK) {
        return false;
    }
    struct upload upload = {
        .clients = clients,
        .ticket = ask->ticket,
        .row = {.tenant = tenant, .digest = ask->digest, .size = blob.size},
        .present = true,
    };
    if (blob.size != ask->size) {
        fail(clients, ask, LH_ERR_FORMAT, "the blob of that digest does not have the size announced");
    } else if (!write_row(clients, &upload)) {
        fail(clients, ask, LH_ERR_UNAVAILABLE, "no memory");
    } else {
        return true;
    }
    lh_blobs_release(blobs, &ask->digest);
    return true;
}

/* ---- what clients ask ---- */

static void ask_client(struct pulse_clients *clients, const struct pulse_bulk_ask *ask)
{
    struct pulse_caller caller;
    struct lh_error error = LH_ERROR_INIT;
    bool there = false, put = ask->question == PULSE_BULK_MAY_PUT;
    enum lh_status status = LH_OK;
    if (clients->store == NULL) {
        status = pulse_store_open(clients->options.store, PULSE_STORE_READ, &clients->store, &error);
    }
    status = status == LH_OK ? pulse_access_check(&clients->access, clients->store, ask->token, pulse_clients_now_ms(),
                                                  &caller, &error)
                             : status;
    if (status == LH_OK && put && caller.role < PULSE_ROLE_EDITOR) {
        status = lh_error_set(&error, LH_ERR_USAGE, NULL, "this token may not upload");
    }
    if (status == LH_OK && put) { /* before the bytes are sent; it counts when they are there */
        status = pulse_quota_upload(clients->store, caller.tenant, &ask->digest, ask->size, &error);
    }
    status = status == LH_OK ? pulse_store_holds(clients->store, caller.tenant, &ask->digest, &there, &error) : status;
    if (status == LH_OK && !put && !there) {
        status = lh_error_set(&error, LH_ERR_MISSING, NULL, "there is no such blob");
    }
    if (status != LH_OK) {
        fail(clients, ask, status, error.message);
        return;
    }
    if (!put) {
        note_fetched(clients, caller.tenant, &ask->digest);
    } else if (there && put_present(clients, ask, caller.tenant)) {
        return;
    }
    answer(clients, ask, (struct pulse_bulk_answer){.status = LH_OK, .owner = caller.tenant, .kind = LH_BLOBS_KEPT});
}

static void put_done(struct pulse_clients *clients, const struct pulse_bulk_ask *ask)
{
    if (ask->shard != 0) { /* its completion refers to it, or nobody does */
        bool kept = pulse_workers_uploaded(clients->options.workers, ask->shard, ask->attempt, &ask->digest);
        answer(clients, ask,
               (struct pulse_bulk_answer){.status = kept ? LH_OK : LH_ERR_MISSING,
                                          .message = "that attempt is not, or no longer, this worker's"});
        return;
    }
    struct upload upload = {
        .clients = clients,
        .ticket = ask->ticket,
        .row = {.tenant = ask->owner, .digest = ask->digest, .size = ask->size},
    };
    if (!write_row(clients, &upload)) {
        fail(clients, ask, LH_ERR_UNAVAILABLE, "no memory");
    }
}

void pulse_clients_on_note(struct pulse_clients *clients, struct pulse_mail *mail)
{
    struct bulk_note *note = (struct bulk_note *)mail;
    if (note->ask.question == PULSE_BULK_PUT_DONE) {
        put_done(clients, &note->ask);
    } else if (note->ask.shard != 0) {
        ask_worker(clients, &note->ask);
    } else {
        ask_client(clients, &note->ask);
    }
    free(note);
}
