/* SPDX-License-Identifier: MIT */
/* loophole submit PROJECT: brings a project to a farm and has it rendered there. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "cli/command.h"
#include "cli/farm_list.h"
#include "cli/farm_report.h"
#include "cli/interrupt.h"
#include "cli/job.h"
#include "cli/session.h"
#include "cli/settings.h"
#include "cli/talk.h"
#include "common/base/clock.h"

#define ASK_MS 60000
#define KEY_SIZE 64

static const struct lh_option rows[] = {
    CLI_ROWS_FARM,
    {.name = "deliverable",
     .type = LH_OPTION_TEXT,
     .placeholder = "NAME",
     .repeatable = true,
     .help = "Deliver only this one of the project's deliverables"},
    {.name = "set",
     .type = LH_OPTION_TEXT,
     .placeholder = "POINTER=VALUE",
     .repeatable = true,
     .help = "Change the project before it is checked: a JSON Pointer up to the first =, then JSON or plain text"},
    {.name = "priority",
     .type = LH_OPTION_INTEGER,
     .placeholder = "N",
     .minimum = -100,
     .maximum = 100,
     .standard = "0",
     .help = "Jobs of a higher priority are served first"},
    {.name = "tag",
     .type = LH_OPTION_TEXT,
     .placeholder = "TAG",
     .repeatable = true,
     .help = "Only workers with this tag may take part"},
    {.name = "fresh", .type = LH_OPTION_FLAG, .help = "Render everything, whatever the farm has already"},
    {.name = "wait", .type = LH_OPTION_FLAG, .help = "Wait until the job is over"},
    {.name = "output",
     .letter = 'o',
     .type = LH_OPTION_TEXT,
     .placeholder = "DIR",
     .help = "Wait, and fetch the files into this folder; made if it is not there"},
    CLI_ROW_REPORT,
    CLI_ROW_PROGRESS,
};

static const struct lh_option_table table = {
    .usage = "submit PROJECT [options]",
    .summary =
        "Has a farm render a project: its files are brought there, as far as it lacks them, and the number of the\n"
        "job is printed. Ctrl-C while it waits leaves the job running.",
    .rows = rows,
    .count = sizeof rows / sizeof rows[0],
    .operands_min = 1,
    .operands_max = 1,
    .operand = "PROJECT",
};

struct submission {
    const struct lh_options *options;
    struct lh_arena arena;
    enum cli_progress_mode mode;
    struct lh_faults faults;
    struct lh_error error;
    struct pulse_compile_options compile;
    struct pulse_project *project;
    struct lh_writer document;
    struct cli_gathered files;
    struct cli_farm_place place;
    struct cli_farm *farm;
    struct cli_media media;
    uint64_t project_id, begun_ns;
    uint32_t revision;
    const Wire__Job *job; /* NULL: not submitted */
    bool fetched;
};

/* ---- the project ---- */

static enum lh_status load(struct submission *one)
{
    struct pulse_override *overrides = NULL;
    size_t count = 0;
    enum lh_status status = cli_settings_overrides(&one->arena, one->options, &overrides, &count, &one->error);
    status = status == LH_OK ? cli_settings_only(&one->arena, one->options, &one->compile, &one->error) : status;
    if (status != LH_OK) {
        return status;
    }
    status = pulse_project_load(one->options->operands[0], overrides, count, &one->faults, &one->project);
    if (status == LH_ERR_NO_MEMORY) {
        return lh_error_no_memory(&one->error);
    }
    if (status != LH_OK) {
        return cli_load_status(&one->faults, status);
    }
    status = pulse_project_write(one->project, &one->document);
    return status == LH_OK ? LH_OK : lh_error_no_memory(&one->error);
}

static enum lh_status gather(struct submission *one)
{
    enum lh_status status =
        cli_gather(&one->arena, one->project, &one->compile, &one->faults, &one->files, &one->error);
    enum lh_status worst = cli_faults_status(&one->faults);
    return worst != LH_OK ? worst : status;
}

/* ---- the farm ---- */

static bool fill_manifest(struct submission *one, Wire__ProjectCreate *create)
{
    size_t count = one->files.files.count;
    Wire__ManifestEntry *entries = lh_arena_array(&one->arena, count, sizeof *entries);
    Wire__ManifestEntry **items = lh_arena_array(&one->arena, count, sizeof *items);
    if (entries == NULL || items == NULL) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        const struct cli_source *file = &one->files.files.items[i];
        wire__manifest_entry__init(&entries[i]);
        entries[i].path = wire_text(file->path);
        entries[i].digest = wire_bytes(file->digest.bytes, sizeof file->digest.bytes);
        entries[i].size = one->files.sizes[i];
        items[i] = &entries[i];
    }
    create->manifest = items;
    create->n_manifest = count;
    return true;
}

/* The same project is the same project: asked for twice it is made once. */
static bool name_project(struct submission *one, char key[LH_DIGEST_TEXT_SIZE])
{
    struct lh_writer writer;
    struct lh_digest digest;
    lh_writer_init(&writer);
    lh_writer_bytes(&writer, one->document.data, one->document.size);
    for (size_t i = 0; i < one->files.files.count; i++) {
        lh_writer_text(&writer, one->files.files.items[i].path);
        lh_writer_bytes(&writer, one->files.files.items[i].digest.bytes, LH_DIGEST_SIZE);
    }
    bool good = lh_writer_status(&writer) == LH_OK && lh_digest_bytes(writer.data, writer.size, &digest) == LH_OK;
    lh_writer_fini(&writer);
    if (good) {
        lh_digest_text(&digest, key);
    }
    return good;
}

/* What the farm finds wrong with the document is told as if it had been found here. */
static enum lh_status take_refusal(struct submission *one, enum lh_status status)
{
    const Wire__Error *refusal = cli_farm_refusal(one->farm);
    for (size_t i = 0; refusal != NULL && status == LH_ERR_INVALID && i < refusal->n_details; i++) {
        lh_faults_add(&one->faults, LH_ERR_INVALID, refusal->details[i]->where, "%s", refusal->details[i]->message);
    }
    return status;
}

static enum lh_status create(struct submission *one)
{
    char key[LH_DIGEST_TEXT_SIZE];
    Wire__Envelope question = WIRE_ENVELOPE_INIT(0);
    Wire__ProjectCreate body = WIRE__PROJECT_CREATE__INIT;
    const Wire__Envelope *answer;
    if (!fill_manifest(one, &body) || !name_project(one, key)) {
        return lh_error_no_memory(&one->error);
    }
    body.document = wire_bytes(one->document.data, one->document.size);
    body.idempotency_key = key;
    WIRE_BODY(&question, PROJECT_CREATE, project_create, &body);
    enum lh_status status =
        cli_farm_ask(one->farm, &one->arena, &question, WIRE__ENVELOPE__BODY_REVISION, ASK_MS, &answer, &one->error);
    if (status != LH_OK) {
        return take_refusal(one, status);
    }
    one->project_id = answer->revision->project;
    one->revision = answer->revision->revision;
    return LH_OK;
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool fill_tags(struct submission *one, Wire__JobSubmit *body)
{
    body->tags = cli_farm_tags(&one->arena, one->options, &body->n_tags);
    if (body->tags != NULL && body->n_tags > 0) {
        qsort(body->tags, body->n_tags, sizeof *body->tags, compare_texts);
    }
    return body->tags != NULL;
}

/* A key of this submission's own: asked for again after a broken connection it is still one job. */
static enum lh_status make_key(char key[KEY_SIZE], struct lh_error *error)
{
    uint8_t random[16];
    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random) {
        return lh_error_set(error, LH_ERR_IO, NULL, "the system gives no random numbers");
    }
    int at = snprintf(key, KEY_SIZE, "submit-");
    for (size_t i = 0; i < sizeof random; i++) {
        at += snprintf(key + at, KEY_SIZE - (size_t)at, "%02x", random[i]);
    }
    return LH_OK;
}

static enum lh_status submit(struct submission *one)
{
    char key[KEY_SIZE];
    Wire__Envelope question = WIRE_ENVELOPE_INIT(0);
    Wire__JobSubmit body = WIRE__JOB_SUBMIT__INIT;
    const Wire__Envelope *answer;
    enum lh_status status = make_key(key, &one->error);
    if (status == LH_OK && !fill_tags(one, &body)) {
        status = lh_error_no_memory(&one->error);
    }
    if (status != LH_OK) {
        return status;
    }
    body.idempotency_key = key;
    body.project = one->project_id;
    body.has_revision = true;
    body.revision = one->revision;
    body.only = (char **)(uintptr_t)one->compile.only;
    body.n_only = one->compile.only_count;
    body.has_priority = true;
    body.priority = (int32_t)lh_options_integer(one->options, "priority");
    body.has_fresh = true;
    body.fresh = lh_options_flag(one->options, "fresh");
    WIRE_BODY(&question, JOB_SUBMIT, job_submit, &body);
    status = cli_farm_ask(one->farm, &one->arena, &question, WIRE__ENVELOPE__BODY_JOB, ASK_MS, &answer, &one->error);
    one->job = status == LH_OK ? answer->job : NULL;
    return status;
}

static enum lh_status bring(struct submission *one)
{
    enum lh_status status = cli_farm_find(&one->arena, one->options, &one->place, &one->error);
    one->place.silent = one->mode == CLI_PROGRESS_NONE || one->mode == CLI_PROGRESS_JSON;
    status = status == LH_OK ? cli_farm_open(&one->place, &one->farm, &one->error) : status;
    status = status == LH_OK ? cli_media_open(&one->arena, one->farm, &one->place, &one->media, &one->error) : status;
    status = status == LH_OK ? cli_media_bring(&one->arena, &one->media, &one->files, &one->error) : status;
    status = status == LH_OK ? create(one) : status;
    return status == LH_OK ? submit(one) : status;
}

/* ---- waiting ---- */

static enum lh_status await(struct submission *one)
{
    const char *folder = lh_options_text(one->options, "output");
    uint64_t id = one->job->job;
    enum lh_status status = cli_job_follow(one->farm, &one->arena, id, one->mode, &one->job, &one->error);
    status = status == LH_OK ? cli_job_verdict(one->job, &one->faults, &one->error) : status;
    if (status == LH_OK && folder != NULL) {
        status = cli_job_fetch(&one->arena, &one->media, one->job, folder, &one->error);
        one->fetched = status == LH_OK;
    }
    if (status == LH_ERR_CANCELLED && one->mode != CLI_PROGRESS_NONE) {
        fprintf(stderr,
                "loophole submit: job %llu goes on; 'loophole watch %llu' follows it, 'loophole cancel %llu' ends it\n",
                (unsigned long long)id, (unsigned long long)id, (unsigned long long)id);
    }
    return status;
}

/* ---- the whole ---- */

static bool waits(const struct lh_options *options)
{
    return lh_options_flag(options, "wait") || lh_options_given(options, "output") ||
           lh_options_text(options, "report") != NULL;
}

static void talk(const struct submission *one, enum lh_status status)
{
    if (status == LH_OK || status == LH_ERR_CANCELLED) {
        return;
    }
    if (one->faults.count > 0) {
        cli_tell_faults(one->mode, one->options->operands[0], &one->faults);
    } else {
        cli_tell_error(one->mode, "submit", &one->error);
    }
    bool is_done = one->job != NULL && one->job->state == WIRE__JOB_STATE__JOB_SUCCEEDED;
    if (is_done && one->mode != CLI_PROGRESS_NONE && one->mode != CLI_PROGRESS_JSON) {
        fprintf(stderr, "loophole submit: job %llu is done; 'loophole fetch %llu -o DIR' fetches its files\n",
                (unsigned long long)one->job->job, (unsigned long long)one->job->job);
    }
}

static int end(struct submission *one, enum lh_status status)
{
    int exit_status = status == LH_ERR_CANCELLED ? cli_interrupt_exit() : (int)cli_exit_of(status);
    const char *report = lh_options_text(one->options, "report");
    talk(one, status);
    if (report != NULL && status != LH_ERR_CANCELLED) {
        struct cli_farm_report told = {
            .exit_status = exit_status,
            .project_file = one->options->operands[0],
            .project = one->project != NULL ? one->project->name : NULL,
            .job = one->job,
            .folder = one->fetched ? lh_options_text(one->options, "output") : NULL,
            .error = &one->error,
            .faults = &one->faults,
            .seconds = (double)(lh_clock_monotonic_ns() - one->begun_ns) / (double)LH_CLOCK_SECOND_NS,
            .hashed_bytes = one->files.hashed_bytes,
            .sent_bytes = one->media.sent_bytes,
            .shared_bytes = one->media.shared_bytes,
        };
        struct lh_error error = LH_ERROR_INIT;
        if (cli_farm_report_write(&one->arena, report, &told, &error) != LH_OK) {
            cli_tell_error(one->mode, "submit", &error);
            exit_status = exit_status == CLI_EXIT_DONE ? CLI_EXIT_FAILED : exit_status;
        }
    }
    cli_progress_end(one->mode, one->begun_ns, exit_status);
    cli_media_close(&one->media);
    cli_farm_close(one->farm);
    cli_gathered_close(&one->files);
    pulse_project_free(one->project);
    lh_writer_fini(&one->document);
    lh_arena_fini(&one->arena);
    return exit_status;
}

static int run(const struct lh_options *options)
{
    struct submission one = {
        .options = options,
        .mode = cli_settings_progress(options),
        .error = LH_ERROR_INIT,
        .begun_ns = lh_clock_monotonic_ns(),
    };
    lh_arena_init(&one.arena);
    lh_writer_init(&one.document);
    lh_faults_init(&one.faults, &one.arena);
    cli_interrupt_install(cli_aside_abandon_all);
    enum lh_status status = load(&one);
    status = status == LH_OK ? gather(&one) : status;
    status = status == LH_OK ? bring(&one) : status;
    if (status == LH_OK) {
        printf("%llu\n", (unsigned long long)one.job->job);
        status =
            fflush(stdout) == 0 ? LH_OK : lh_error_set(&one.error, LH_ERR_IO, "standard output", "%s", strerror(errno));
    }
    if (status == LH_OK && waits(options)) {
        status = await(&one);
    }
    return end(&one, status);
}

const struct cli_command cli_command_submit = {
    .name = "submit",
    .summary = "Have a farm render a project",
    .options = &table,
    .run = run,
};
