/* SPDX-License-Identifier: MIT */
/* Following jobs and fetching what they made. */
#include "cli/job.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/interrupt.h"
#include "cli/outputs.h"
#include "cli/session.h"
#include "cli/talk.h"
#include "common/base/clock.h"
#include "common/json/json.h"

#define PATIENCE_MS 60000
#define LOOK_MS 1000 /* without an event the job is looked at */
#define PROGRESS_UNITS 10000.0
#define TEXT_SIZE 256

const char *cli_job_state(Wire__JobState state)
{
    static const char *const names[] = {"queued", "planning", "running", "succeeded", "failed", "cancelled"};
    return (size_t)state < sizeof names / sizeof *names ? names[state] : "unknown";
}

bool cli_job_over(Wire__JobState state)
{
    return state == WIRE__JOB_STATE__JOB_SUCCEEDED || state == WIRE__JOB_STATE__JOB_FAILED ||
           state == WIRE__JOB_STATE__JOB_CANCELLED;
}

enum lh_status cli_job_parse(const char *text, uint64_t *id, struct lh_error *error)
{
    char *end;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    if (text[0] < '1' || text[0] > '9' || *end != '\0' || errno != 0) {
        return lh_error_set(error, LH_ERR_USAGE, NULL,
                            "%s is no job: jobs are numbers, as 'loophole submit' prints them", text);
    }
    *id = number;
    return LH_OK;
}

enum lh_status cli_job_read(struct cli_farm *farm, struct lh_arena *arena, uint64_t id, const Wire__Job **job,
                            struct lh_error *error)
{
    Wire__Envelope question = WIRE_ENVELOPE_INIT(0);
    Wire__JobRead body = WIRE__JOB_READ__INIT;
    const Wire__Envelope *answer;
    body.job = id;
    WIRE_BODY(&question, JOB_READ, job_read, &body);
    enum lh_status status = cli_farm_ask(farm, arena, &question, WIRE__ENVELOPE__BODY_JOB, PATIENCE_MS, &answer, error);
    if (status == LH_OK) {
        *job = answer->job;
    }
    return status;
}

/* ---- following ---- */

static const char *text_of(const struct lh_json *object, const char *name)
{
    const struct lh_json *member = lh_json_member(object, name);
    return member != NULL && member->kind == LH_JSON_STRING ? member->value.string.text : "";
}

static enum lh_status watch(struct cli_farm *farm, uint64_t id, struct lh_error *error)
{
    struct lh_arena arena;
    Wire__Envelope question = WIRE_ENVELOPE_INIT(0);
    Wire__Watch body = WIRE__WATCH__INIT;
    const Wire__Envelope *answer;
    lh_arena_init(&arena);
    body.has_job = true;
    body.job = id;
    body.has_progress = true;
    body.progress = true;
    WIRE_BODY(&question, WATCH, watch, &body);
    enum lh_status status =
        cli_farm_ask(farm, &arena, &question, WIRE__ENVELOPE__BODY_WATCHING, PATIENCE_MS, &answer, error);
    lh_arena_fini(&arena);
    return status;
}

static void show(struct cli_progress *progress, double done)
{
    struct engine_progress now = {0};
    atomic_store(&now.total, (uint64_t)PROGRESS_UNITS);
    atomic_store(&now.done, (uint64_t)(done * PROGRESS_UNITS));
    cli_progress_tell(progress, &now);
}

/* Nobody who is there can do a piece of it: what the first such piece takes. */
static void tell_waiting(uint64_t id, const struct lh_json *needs)
{
    const struct lh_json *tags = lh_json_member(needs, "tags"), *plugins = lh_json_member(needs, "pluginCount");
    bool named = false;
    fprintf(stderr, "loophole: job %llu waits for a worker that can do it", (unsigned long long)id);
    for (size_t i = 0; tags != NULL && tags->kind == LH_JSON_ARRAY && i < tags->value.list.count; i++) {
        const struct lh_json *tag = tags->value.list.items[i];
        char text[TEXT_SIZE] = "";
        if (tag->kind == LH_JSON_STRING) {
            cli_talk_clean(tag->value.string.text, text, sizeof text);
        }
        fprintf(stderr, "%s %s", i == 0 ? ", with the tags" : "", text);
        named = true;
    }
    if (plugins != NULL && lh_json_is_number(plugins) && lh_json_number(plugins) > 0) {
        fprintf(stderr, ", with %.0f plugin%s", lh_json_number(plugins), lh_json_number(plugins) > 1 ? "s" : "");
        named = true;
    }
    fputs(named ? "\n" : "; 'loophole workers' tells who is there, what they log why they take nothing\n", stderr);
}

/* An attempt at a piece of it came to nothing: a full disk may keep a job waiting for as long as it is full. */
static void tell_failed(uint64_t id, const struct lh_json *event)
{
    const struct lh_json *report = lh_json_member(event, "report"), *retry = lh_json_member(event, "retryInMs");
    char worker[TEXT_SIZE], why[TEXT_SIZE];
    cli_talk_clean(text_of(event, "worker"), worker, sizeof worker);
    cli_talk_clean(text_of(report, "message"), why, sizeof why);
    fprintf(stderr, "loophole: a piece of job %llu failed on %s: %s; it is tried again", (unsigned long long)id, worker,
            why);
    if (retry != NULL && lh_json_is_number(retry) && lh_json_number(retry) >= 1000) {
        fprintf(stderr, " in %.0f s", lh_json_number(retry) / 1000);
    }
    fputc('\n', stderr);
}

static void hear(uint64_t id, struct lh_arena *arena, const Wire__Event *event, struct cli_progress *progress)
{
    const struct lh_json *root = NULL;
    if (progress->mode == CLI_PROGRESS_NONE || progress->mode == CLI_PROGRESS_JSON ||
        lh_json_parse(arena, (const char *)event->body.data, event->body.len, &root, NULL) != LH_OK) {
        return;
    }
    const char *type = text_of(root, "type");
    const struct lh_json *list = lh_json_member(root, "for");
    if (strcmp(type, "job.waiting") == 0 && list != NULL && list->kind == LH_JSON_ARRAY && list->value.list.count > 0) {
        cli_progress_clear(progress);
        tell_waiting(id, list->value.list.items[0]);
    } else if (strcmp(type, "shard.failed") == 0) {
        cli_progress_clear(progress);
        tell_failed(id, root);
    }
}

/* Until an event of the job, or for a while. LH_ERR_UNAVAILABLE: the connection broke. */
static enum lh_status await_event(struct cli_farm *farm, uint64_t id, struct cli_progress *progress,
                                  struct lh_error *error)
{
    uint64_t until_ns = lh_clock_monotonic_ns() + LOOK_MS * (LH_CLOCK_SECOND_NS / 1000);
    for (;;) {
        struct lh_arena arena;
        const Wire__Envelope *event;
        lh_arena_init(&arena);
        enum lh_status status = cli_farm_next(farm, &arena, LOOK_MS, &event, error);
        bool over = status != LH_OK || event == NULL || event->body_case == WIRE__ENVELOPE__BODY_EVENT ||
                    lh_clock_monotonic_ns() > until_ns;
        if (status == LH_OK && event != NULL && event->body_case == WIRE__ENVELOPE__BODY_JOB_PROGRESS) {
            show(progress, event->job_progress->progress);
        } else if (status == LH_OK && event != NULL && event->body_case == WIRE__ENVELOPE__BODY_EVENT) {
            hear(id, &arena, event->event, progress);
        }
        lh_arena_fini(&arena);
        if (over) {
            return status;
        }
    }
}

enum lh_status cli_job_follow(struct cli_farm *farm, struct lh_arena *arena, uint64_t id, enum cli_progress_mode mode,
                              const Wire__Job **job, struct lh_error *error)
{
    struct cli_progress progress;
    cli_progress_init(&progress, mode, 1, lh_clock_monotonic_ns());
    enum lh_status status = watch(farm, id, error);
    while (status == LH_OK) {
        struct lh_arena turn;
        const Wire__Job *now;
        lh_arena_init(&turn);
        status = cli_job_read(farm, &turn, id, &now, error);
        bool over = status == LH_OK && cli_job_over(now->state);
        if (status == LH_OK && now->has_progress) {
            show(&progress, now->progress);
        }
        lh_arena_fini(&turn);
        if (over) {
            status = cli_job_read(farm, arena, id, job, error);
            break;
        }
        status = status == LH_OK ? await_event(farm, id, &progress, error) : status;
        if (status == LH_ERR_UNAVAILABLE) {
            status = watch(farm, id, error); /* which waits for the farm to be back */
        }
    }
    cli_progress_clear(&progress);
    return status;
}

/* ---- what came of it ---- */

static enum lh_status code_of(const struct lh_json *code)
{
    for (int status = LH_ERR_NO_MEMORY; code != NULL && code->kind == LH_JSON_STRING && status <= LH_STATUS_LAST;
         status++) {
        if (strcmp(lh_status_text((enum lh_status)status), code->value.string.text) == 0) {
            return (enum lh_status)status;
        }
    }
    return LH_ERR_INTERNAL;
}

enum lh_status cli_job_verdict(const Wire__Job *job, struct lh_faults *faults, struct lh_error *error)
{
    const struct lh_json *root = NULL;
    if (job->state == WIRE__JOB_STATE__JOB_SUCCEEDED) {
        return LH_OK;
    }
    if (job->state == WIRE__JOB_STATE__JOB_CANCELLED) {
        return lh_error_set(error, LH_ERR_FAULT, NULL, "job %llu was cancelled", (unsigned long long)job->job);
    }
    if (!job->has_error ||
        lh_json_parse(faults->arena, (const char *)job->error.data, job->error.len, &root, NULL) != LH_OK) {
        return lh_error_set(error, LH_ERR_INTERNAL, NULL, "job %llu has failed", (unsigned long long)job->job);
    }
    /* What the scheduler says of it, and in it the planner's or the worker's own words. */
    const struct lh_json *report = lh_json_member(root, "report");
    const struct lh_json *list = lh_json_member(report != NULL ? report : root, "faults");
    for (size_t i = 0; list != NULL && list->kind == LH_JSON_ARRAY && i < list->value.list.count; i++) {
        const struct lh_json *fault = list->value.list.items[i];
        lh_faults_add(faults, code_of(lh_json_member(fault, "code")), text_of(fault, "where"), "%s",
                      text_of(fault, "message"));
    }
    enum lh_status worst = cli_faults_status(faults);
    return lh_error_set(error, worst != LH_OK ? worst : code_of(lh_json_member(report != NULL ? report : root, "code")),
                        text_of(root, "where"), "%s", text_of(root, "message"));
}

/* ---- fetching ---- */

static enum lh_status fetch_one(struct lh_arena *arena, struct cli_media *media, const Wire__Artifact *artifact,
                                const char *folder, size_t index, struct cli_outputs *outputs, struct lh_error *error)
{
    struct lh_digest digest;
    if (strchr(artifact->name, '/') != NULL || artifact->blob->digest.len != sizeof digest.bytes) {
        return lh_error_set(error, LH_ERR_FORMAT, artifact->name, "the farm names a file that cannot be one");
    }
    memcpy(digest.bytes, artifact->blob->digest.data, sizeof digest.bytes);
    enum lh_status status = cli_outputs_open_file(arena, folder, artifact->name, index, outputs, error);
    return status == LH_OK
               ? cli_media_get(media, &digest, artifact->blob->size, outputs->fds[index], outputs->paths[index], error)
               : status;
}

enum lh_status cli_job_fetch(struct lh_arena *arena, struct cli_media *media, const Wire__Job *job, const char *folder,
                             struct lh_error *error)
{
    struct cli_outputs outputs;
    enum lh_status status = cli_outputs_prepare(arena, folder, job->n_artifacts, &outputs, error);
    for (size_t i = 0; status == LH_OK && i < job->n_artifacts; i++) {
        status = cli_interrupted() ? LH_ERR_CANCELLED
                                   : fetch_one(arena, media, job->artifacts[i], folder, i, &outputs, error);
    }
    status = status == LH_OK ? cli_outputs_publish(arena, &outputs, error) : status;
    cli_outputs_discard(&outputs);
    return status;
}
