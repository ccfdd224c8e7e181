/* SPDX-License-Identifier: MIT */
/* Questions about uploads: what is lacking, and files that a client of this host hands over. What a tenant has uploaded
   is its own knowledge: that somebody else has the same bytes never shows. */
#include <string.h>

#include "pulse-daemon/media/collect.h"
#include "pulse-daemon/service/clients_parts.h"
#include "pulse-daemon/service/quota.h"
#include "pulse-daemon/store/media.h"

#define PIN_MS ((int64_t)PULSE_UPLOAD_PIN_SECONDS * 1000)

/* ---- what is lacking ---- */

struct lacking {
    struct lh_blobs *blobs;
    const struct lh_digest *digests;
    size_t count;
    bool *there;
};

static enum lh_status take_medium(void *context, size_t index, const struct pulse_media_row *row)
{
    struct lacking *lacking = context;
    struct lh_blob blob;
    (void)row;
    lacking->there[index] = lh_blobs_has(lacking->blobs, &lacking->digests[index], &blob);
    return LH_OK;
}

static bool copy_digests(struct lh_arena *arena, const Wire__MediaQuery *query, struct lh_digest **digests)
{
    struct lh_digest *made = lh_arena_array(arena, query->n_digests, sizeof *made);
    for (size_t i = 0; made != NULL && i < query->n_digests; i++) {
        memcpy(made[i].bytes, query->digests[i].data, sizeof made[i].bytes);
    }
    *digests = made;
    return made != NULL;
}

static void tell_lacking(struct pulse_question *question, const struct lacking *lacking)
{
    ProtobufCBinaryData *lacked = lh_arena_array(&question->arena, lacking->count, sizeof *lacked);
    struct lh_error error = LH_ERROR_INIT;
    if (lacked == NULL) {
        (void)lh_error_no_memory(&error);
        pulse_question_fail(question, &error);
        return;
    }
    Wire__Envelope envelope = WIRE_ENVELOPE_INIT(0);
    Wire__MediaLacking answer = WIRE__MEDIA_LACKING__INIT;
    Wire__HostMedia host;
    uint8_t token[LH_BLOBS_TOKEN_SIZE];
    answer.digests = lacked;
    for (size_t i = 0; i < lacking->count; i++) {
        if (!lacking->there[i]) {
            lacked[answer.n_digests++] = wire_bytes(lacking->digests[i].bytes, sizeof lacking->digests[i].bytes);
        }
    }
    answer.host = pulse_question_host(question, &host, token) ? &host : NULL;
    WIRE_BODY(&envelope, MEDIA_LACKING, media_lacking, &answer);
    pulse_question_answer(question, &envelope);
}

/* Pins what is there, and looks again: what was forgotten since the first look is lacking. */
static enum lh_status write_pins(struct pulse_task *task, const struct pulse_writing *writing, struct lh_error *error)
{
    struct lacking *lacking = task->payload;
    const struct pulse_question *question = task->owner;
    uint64_t tenant = question->caller.tenant;
    struct lh_digest *pinned = lh_arena_array(&task->arena, lacking->count, sizeof *pinned);
    size_t count = 0;
    if (pinned == NULL) {
        return lh_error_no_memory(error);
    }
    for (size_t i = 0; i < lacking->count; i++) {
        if (lacking->there[i]) {
            pinned[count++] = lacking->digests[i];
        }
    }
    enum lh_status status =
        pulse_store_media_pin(writing->store, tenant, pinned, count, writing->now_ms + PIN_MS, error);
    memset(lacking->there, 0, lacking->count * sizeof *lacking->there);
    return status == LH_OK ? pulse_store_media(writing->store, tenant, lacking->digests, lacking->count, take_medium,
                                               lacking, error)
                           : status;
}

static void pinned(struct pulse_task *task)
{
    struct pulse_question *question = task->owner;
    struct lacking lacking = *(const struct lacking *)task->payload;
    if (!pulse_question_failed(question, task)) {
        pulse_task_free(task);
        tell_lacking(question, &lacking);
    }
}

/* Whoever hears that bytes are there will not bring them, but a project that names them: they stay for it. */
static void keep_there(struct pulse_question *question, const struct lacking *lacking)
{
    struct pulse_task *task = pulse_question_task(question, PULSE_TASK_WRITE, pinned);
    struct lacking *payload = task != NULL ? pulse_question_payload(question, task, sizeof *payload) : NULL;
    if (payload != NULL) {
        *payload = *lacking;
        task->write = write_pins;
        pulse_question_ask(question, task);
    }
}

void pulse_ask_media(struct pulse_question *question)
{
    const Wire__MediaQuery *query = question->envelope->media_query;
    struct pulse_store *store = pulse_question_store(question);
    struct lh_error error = LH_ERROR_INIT;
    struct lacking lacking = {.blobs = question->clients->options.blobs, .count = query->n_digests};
    struct lh_digest *digests;
    if (store == NULL) {
        return;
    }
    lacking.there = lh_arena_array(&question->arena, lacking.count, sizeof *lacking.there);
    bool good = copy_digests(&question->arena, query, &digests) && lacking.there != NULL;
    lacking.digests = digests;
    enum lh_status status = !good               ? lh_error_no_memory(&error)
                            : lacking.count > 0 ? pulse_store_media(store, question->caller.tenant, digests,
                                                                    lacking.count, take_medium, &lacking, &error)
                                                : LH_OK;
    if (status != LH_OK) {
        error.code = status;
        pulse_question_fail(question, &error);
        return;
    }
    if (lacking.count > 0 && memchr(lacking.there, true, lacking.count) != NULL) {
        keep_there(question, &lacking);
    } else {
        tell_lacking(question, &lacking);
    }
}

/* ---- files handed over ---- */

static enum lh_status write_medium(struct pulse_task *task, const struct pulse_writing *writing, struct lh_error *error)
{
    struct pulse_media_row *row = task->payload;
    row->uploaded_ms = writing->now_ms;
    row->pinned_until_ms = writing->now_ms + PIN_MS;
    enum lh_status status = pulse_quota_upload(writing->store, row->tenant, &row->digest, row->size, error);
    return status == LH_OK ? pulse_store_media_put(writing->store, row, 1, error) : status;
}

/* The blob was held since it was adopted: now a row refers to it. */
static void written(struct pulse_task *task)
{
    struct pulse_question *question = task->owner;
    struct pulse_media_row row = *(const struct pulse_media_row *)task->payload;
    lh_blobs_release(question->clients->options.blobs, &row.digest);
    if (pulse_question_failed(question, task)) {
        return;
    }
    pulse_task_free(task);
    Wire__Envelope envelope = WIRE_ENVELOPE_INIT(0);
    Wire__Stored stored = WIRE__STORED__INIT;
    stored.digest = wire_bytes(row.digest.bytes, sizeof row.digest.bytes);
    stored.size = row.size;
    WIRE_BODY(&envelope, STORED, stored, &stored);
    pulse_question_answer(question, &envelope);
}

struct adoption {
    struct pulse_mail mail; /* first */
    struct pulse_question *question;
    enum lh_status status;
    struct lh_error error;
    struct lh_blob blob;
};

/* On the intake's thread: reads all of it, for what a client says of a file is not believed. */
static void adopt(struct pulse_arrival *arrival)
{
    struct adoption *adoption = arrival->deed_context;
    struct pulse_question *question = adoption->question;
    const Wire__MediaAdopt *asked = question->envelope->media_adopt;
    struct lh_blob announced = {.size = asked->size, .kind = LH_BLOBS_KEPT};
    memcpy(announced.digest.bytes, asked->digest.data, sizeof announced.digest.bytes);
    adoption->status = lh_blobs_adopt(question->clients->options.blobs, asked->name, &announced, true, &adoption->blob,
                                      &adoption->error);
    (void)pulse_mailbox_put(question->clients->options.box, &adoption->mail, true);
}

void pulse_clients_adopted(struct pulse_clients *clients, struct pulse_mail *mail)
{
    struct adoption *adoption = (struct adoption *)mail;
    struct pulse_question *question = adoption->question;
    clients->asked--;
    if (adoption->status == LH_ERR_FORMAT) {
        pulse_question_refuse(question, WIRE__ERROR_CODE__ERROR_DIGEST, adoption->error.message, "digest");
        return;
    }
    if (adoption->status != LH_OK) {
        struct lh_error error = adoption->error;
        error.code = adoption->status == LH_ERR_LIMIT ? LH_ERR_QUOTA : adoption->status; /* as when it is sent */
        pulse_question_fail(question, &error);
        return;
    }
    struct lh_blob blob = adoption->blob;
    struct pulse_task *task = pulse_question_task(question, PULSE_TASK_WRITE, written);
    struct pulse_media_row *row =
        task != NULL ? pulse_question_payload(question, task, sizeof(struct pulse_media_row)) : NULL;
    if (row == NULL) {
        lh_blobs_release(clients->options.blobs, &blob.digest);
        return;
    }
    *row = (struct pulse_media_row){.tenant = question->caller.tenant, .digest = blob.digest, .size = blob.size};
    task->write = write_medium;
    pulse_question_ask(question, task);
}

/* Before all of it is read; it counts when it is there. False: the question has ended. */
static bool has_room(struct pulse_question *question)
{
    const Wire__MediaAdopt *asked = question->envelope->media_adopt;
    struct pulse_store *store = pulse_question_store(question);
    struct lh_error error = LH_ERROR_INIT;
    struct lh_digest digest;
    if (store == NULL) {
        return false;
    }
    memcpy(digest.bytes, asked->digest.data, sizeof digest.bytes);
    enum lh_status status = pulse_quota_upload(store, question->caller.tenant, &digest, asked->size, &error);
    if (status != LH_OK) {
        error.code = status;
        pulse_question_fail(question, &error);
    }
    return status == LH_OK;
}

void pulse_ask_adopt(struct pulse_question *question)
{
    struct pulse_clients *clients = question->clients;
    struct lh_error error = LH_ERROR_INIT;
    struct adoption *adoption = lh_arena_alloc(&question->arena, sizeof *adoption);
    struct pulse_arrival *arrival = adoption != NULL ? pulse_arrival_new() : NULL;
    if (!question->local) {
        pulse_question_refuse(question, WIRE__ERROR_CODE__ERROR_UNSUPPORTED, "this client is not on Pulse's host",
                              NULL);
        return;
    }
    if (arrival == NULL) {
        (void)lh_error_no_memory(&error);
        pulse_question_fail(question, &error);
        return;
    }
    if (!has_room(question)) {
        pulse_arrival_free(arrival);
        return;
    }
    adoption->mail.kind = PULSE_MAIL_ADOPTION;
    adoption->question = question;
    arrival->deed = adopt;
    arrival->deed_context = adoption;
    clients->asked++;
    pulse_intake_put(clients->options.intake, arrival);
}
