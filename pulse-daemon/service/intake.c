/* SPDX-License-Identifier: MIT */
/* From results as they arrived to the event that tells of them. */
#include "pulse-daemon/service/intake.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "pulse-daemon/service/errors.h"

struct pulse_intake {
    struct pulse_intake_options options;
    struct pulse_mailbox box;
    pthread_t thread;
    size_t asked; /* tasks that have not come home */
    bool stopping;
    struct pulse_mail last; /* nothing comes behind it but what comes home */
};

struct pulse_arrival *pulse_arrival_new(void)
{
    struct pulse_arrival *arrival = calloc(1, sizeof *arrival);
    if (arrival != NULL) {
        arrival->mail.kind = PULSE_MAIL_NOTE;
        lh_arena_init(&arrival->arena);
    }
    return arrival;
}

void pulse_arrival_free(struct pulse_arrival *arrival)
{
    pulse_task_free(arrival->after);
    lh_arena_fini(&arrival->arena);
    free(arrival);
}

/* The blob is held for us afterwards. A worker repeats a result that was not acknowledged: then its files were adopted
   before. */
static enum lh_status take_in(struct pulse_intake *intake, const struct pulse_arrival_output *output,
                              struct lh_error *error)
{
    struct lh_blobs *blobs = intake->options.blobs;
    struct lh_blob announced = {.digest = output->digest, .size = output->size, .kind = output->kind}, blob;
    enum lh_status status = LH_ERR_MISSING;
    if (output->incoming != NULL) {
        status = lh_blobs_adopt(blobs, output->incoming, &announced, false, &blob, error);
    }
    if (status == LH_ERR_MISSING) {
        status = lh_blobs_hold(blobs, &output->digest, &blob, error);
        if (status == LH_OK && output->kind == LH_BLOBS_KEPT && blob.kind != LH_BLOBS_KEPT) {
            status = lh_blobs_keep(blobs, &output->digest, error);
            if (status != LH_OK) {
                lh_blobs_release(blobs, &output->digest);
            }
        }
        if (status == LH_OK && blob.size != output->size) { /* a row that says so would never be found again */
            status = lh_error_set(error, LH_ERR_FORMAT, NULL, "the blob does not have the size announced");
            lh_blobs_release(blobs, &output->digest);
        }
    }
    return status;
}

/* *senseless: facts that planning could not use; NULL when it is something else that went wrong. */
static enum lh_status read_facts(struct pulse_intake *intake, const struct pulse_arrival *arrival,
                                 const struct pulse_arrival_output **senseless, struct lh_error *error)
{
    enum lh_status status = LH_OK;
    for (size_t i = 0; status == LH_OK && i < arrival->output_count; i++) {
        const struct pulse_arrival_output *output = &arrival->outputs[i];
        struct graph_file_facts facts;
        struct lh_error why = LH_ERROR_INIT;
        struct lh_arena arena;
        if (!output->is_facts) {
            continue;
        }
        lh_arena_init(&arena);
        status = pulse_file_facts(intake->options.blobs, &output->digest, output->probed.is_midi, &arena, &facts, &why);
        lh_arena_fini(&arena);
        if (status != LH_OK) {
            char file[LH_DIGEST_TEXT_SIZE];
            lh_digest_text(&output->probed.file, file);
            *senseless = status == LH_ERR_FORMAT || status == LH_ERR_LIMIT ? output : NULL;
            status = lh_error_set(error, status, file, "the worker's facts of this %s file cannot be used: %s",
                                  output->probed.is_midi ? "MIDI" : "sound", why.message);
        }
    }
    return status;
}

static void release(struct pulse_intake *intake, const struct pulse_arrival *arrival, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        lh_blobs_release(intake->options.blobs, &arrival->outputs[i].digest);
    }
}

/* What became of the event: what it refers to is committed, or nothing refers to it. A worker whose result was not
   dealt with brings it again. */
static void come_home(struct pulse_task *task)
{
    struct pulse_arrival *arrival = task->owner;
    struct pulse_intake *intake =
        (struct pulse_intake *)(void *)((char *)task->home - offsetof(struct pulse_intake, box));
    release(intake, arrival, arrival->output_count);
    pulse_arrival_free(arrival);
    pulse_task_free(task);
}

static struct pulse_task *make_event(const struct pulse_arrival *arrival)
{
    struct pulse_task *task = pulse_task_new(PULSE_TASK_EVENT);
    struct pulse_farm_result *results =
        task != NULL ? lh_arena_array(&task->arena, arrival->output_count, sizeof *results) : NULL;
    if (results == NULL) {
        pulse_task_free(task);
        return NULL;
    }
    for (size_t i = 0; i < arrival->output_count; i++) {
        const struct pulse_arrival_output *output = &arrival->outputs[i];
        results[i] = (struct pulse_farm_result){
            .key = output->key,
            .digest = output->digest,
            .size = output->size,
            .facts = output->facts,
            .facts_size = output->facts_size,
        };
    }
    task->event = (struct pulse_farm_event){
        .kind = PULSE_FARM_COMPLETE,
        .worker = arrival->worker,
        .session = arrival->session,
        .shard = arrival->shard,
        .attempt = arrival->attempt,
        .tenant = arrival->tenant,
        .results = results,
        .result_count = arrival->output_count,
    };
    return task;
}

/* What cannot be taken in is a result that was not given: the shard did not fail by itself, unless the worker said what
   makes no sense. */
static struct pulse_task *make_failure(const struct pulse_arrival *arrival, bool makes_sense,
                                       const struct lh_error *error)
{
    struct pulse_task *task = pulse_task_new(PULSE_TASK_EVENT);
    if (task == NULL) {
        return NULL;
    }
    task->event = (struct pulse_farm_event){
        .kind = PULSE_FARM_FAILED,
        .worker = arrival->worker,
        .session = arrival->session,
        .shard = arrival->shard,
        .attempt = arrival->attempt,
        .flag = makes_sense,
        .text = pulse_error_json(&task->arena, error),
    };
    if (task->event.text == NULL) {
        pulse_task_free(task);
        return NULL;
    }
    return task;
}

static void handle(struct pulse_intake *intake, struct pulse_arrival *arrival)
{
    if (arrival->after != NULL) {
        pulse_decider_ask(intake->options.decider, arrival->after, true);
        arrival->after = NULL;
        pulse_arrival_free(arrival);
        return;
    }
    if (arrival->deed != NULL) {
        arrival->deed(arrival);
        pulse_arrival_free(arrival);
        return;
    }
    struct lh_error error = LH_ERROR_INIT;
    enum lh_status status = LH_OK;
    size_t held = 0;
    while (status == LH_OK && held < arrival->output_count) {
        status = take_in(intake, &arrival->outputs[held], &error);
        held += status == LH_OK ? 1 : 0;
    }
    const struct pulse_arrival_output *senseless = NULL;
    status = status == LH_OK ? read_facts(intake, arrival, &senseless, &error) : status;
    struct pulse_task *task = status == LH_OK ? make_event(arrival) : make_failure(arrival, senseless == NULL, &error);
    if (status != LH_OK || task == NULL) {
        LH_LOG(LH_LOG_WARNING, "result not taken in", LH_LOG_NUMBER("shard", arrival->shard),
               LH_LOG_NUMBER("attempt", arrival->attempt), LH_LOG_TEXT("worker", arrival->worker),
               LH_LOG_TEXT("why", error.message), LH_LOG_TEXT("where", error.where));
        release(intake, arrival, held);
        arrival->output_count = 0;
    }
    if (senseless != NULL) {
        pulse_facts_doubt(intake->options.blobs, &senseless->digest);
    }
    if (task == NULL) {
        pulse_arrival_free(arrival);
        return;
    }
    task->home = &intake->box;
    task->owner = arrival;
    task->resume = come_home;
    intake->asked++;
    pulse_decider_ask(intake->options.decider, task, true);
}

static void *run(void *context)
{
    struct pulse_intake *intake = context;
    while (!intake->stopping || intake->asked > 0) {
        struct pulse_mail *mail = pulse_mailbox_take(&intake->box);
        if (mail == NULL) {
            pulse_mailbox_wait(&intake->box, -1, -1);
        } else if (mail == &intake->last) {
            intake->stopping = true;
        } else if (mail->kind == PULSE_MAIL_TASK) {
            struct pulse_task *task = (struct pulse_task *)mail;
            intake->asked--;
            task->resume(task);
        } else {
            handle(intake, (struct pulse_arrival *)mail);
        }
    }
    return NULL;
}

enum lh_status pulse_intake_new(const struct pulse_intake_options *options, struct pulse_intake **intake,
                                struct lh_error *error)
{
    struct pulse_intake *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return lh_error_no_memory(error);
    }
    made->options = *options;
    enum lh_status status = pulse_mailbox_init(&made->box, SIZE_MAX, error);
    if (status != LH_OK) {
        free(made);
        return status;
    }
    int code = pthread_create(&made->thread, NULL, run, made);
    if (code != 0) {
        pulse_mailbox_fini(&made->box);
        free(made);
        return lh_error_set(error, LH_ERR_IO, NULL, "no thread: %s", strerror(code));
    }
    *intake = made;
    return LH_OK;
}

void pulse_intake_free(struct pulse_intake *intake)
{
    if (intake != NULL) {
        (void)pulse_mailbox_put(&intake->box, &intake->last, true);
        pthread_join(intake->thread, NULL);
        pulse_mailbox_fini(&intake->box);
        free(intake);
    }
}

void pulse_intake_put(struct pulse_intake *intake, struct pulse_arrival *arrival)
{
    (void)pulse_mailbox_put(&intake->box, &arrival->mail, true); /* it is never closed, and never full for this */
}
