/* SPDX-License-Identifier: MIT */
/* loophole watch JOB, loophole fetch JOB, loophole cancel JOB: what becomes of one job. */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/farm_report.h"
#include "cli/interrupt.h"
#include "cli/job.h"
#include "cli/settings.h"
#include "cli/talk.h"
#include "common/base/clock.h"

#define ASK_MS 60000

/* What the three share. */
struct visit {
    const char *command;
    const struct lh_options *options;
    struct lh_arena arena;
    enum cli_progress_mode mode;
    struct lh_error error;
    struct lh_faults faults;
    struct cli_farm_place place;
    struct cli_farm *farm;
    uint64_t id, begun_ns;
    const Wire__Job *job; /* NULL: not known */
};

static enum lh_status begin(struct visit *visit, const char *command, const struct lh_options *options)
{
    *visit = (struct visit){
        .command = command, .options = options, .error = LH_ERROR_INIT, .begun_ns = lh_clock_monotonic_ns()};
    lh_arena_init(&visit->arena);
    lh_faults_init(&visit->faults, &visit->arena);
    visit->mode = cli_settings_progress(options);
    cli_interrupt_install(cli_aside_abandon_all);
    enum lh_status status = cli_job_parse(options->operands[0], &visit->id, &visit->error);
    status = status == LH_OK ? cli_farm_find(&visit->arena, options, &visit->place, &visit->error) : status;
    visit->place.silent = visit->mode == CLI_PROGRESS_NONE || visit->mode == CLI_PROGRESS_JSON;
    return status == LH_OK ? cli_farm_open(&visit->place, &visit->farm, &visit->error) : status;
}

static int end(struct visit *visit, enum lh_status status)
{
    int exit_status = status == LH_ERR_CANCELLED ? cli_interrupt_exit() : (int)cli_exit_of(status);
    if (status != LH_OK && status != LH_ERR_CANCELLED) {
        if (visit->faults.count > 0) {
            cli_tell_faults(visit->mode, visit->options->operands[0], &visit->faults);
        } else {
            cli_tell_error(visit->mode, visit->command, &visit->error);
        }
    }
    cli_progress_end(visit->mode, visit->begun_ns, exit_status);
    cli_farm_close(visit->farm);
    lh_arena_fini(&visit->arena);
    return exit_status;
}

/* ---- watch ---- */

static const struct lh_option watch_rows[] = {CLI_ROWS_FARM, CLI_ROW_REPORT, CLI_ROW_PROGRESS};

static const struct lh_option_table watch_table = {
    .usage = "watch JOB [options]",
    .summary = "Follows a job until it is over. The exit status is that of the job; Ctrl-C leaves it running.",
    .rows = watch_rows,
    .count = sizeof watch_rows / sizeof watch_rows[0],
    .operands_min = 1,
    .operands_max = 1,
    .operand = "JOB",
};

static int watch(const struct lh_options *options)
{
    struct visit visit;
    enum lh_status status = begin(&visit, "watch", options);
    status = status == LH_OK ? cli_job_follow(visit.farm, &visit.arena, visit.id, visit.mode, &visit.job, &visit.error)
                             : status;
    if (status == LH_OK && visit.mode == CLI_PROGRESS_AUTO) {
        printf("%s\n", cli_job_state(visit.job->state));
    }
    status = status == LH_OK ? cli_job_verdict(visit.job, &visit.faults, &visit.error) : status;
    const char *report = lh_options_text(options, "report");
    if (report != NULL && visit.job != NULL) {
        struct cli_farm_report told = {
            .exit_status = (int)cli_exit_of(status),
            .job = visit.job,
            .error = &visit.error,
            .faults = &visit.faults,
            .seconds = (double)(lh_clock_monotonic_ns() - visit.begun_ns) / (double)LH_CLOCK_SECOND_NS,
        };
        enum lh_status written = cli_farm_report_write(&visit.arena, report, &told, &visit.error);
        status = status == LH_OK ? written : status;
    }
    return end(&visit, status);
}

const struct cli_command cli_command_watch = {
    .name = "watch", .summary = "Follow a job of a farm", .options = &watch_table, .run = watch};

/* ---- fetch ---- */

static const struct lh_option fetch_rows[] = {
    CLI_ROWS_FARM,
    {.name = "output",
     .letter = 'o',
     .type = LH_OPTION_TEXT,
     .placeholder = "DIR",
     .standard = ".",
     .help = "Folder for the files; made if it is not there"},
    CLI_ROW_PROGRESS,
};

static const struct lh_option_table fetch_table = {
    .usage = "fetch JOB [options]",
    .summary = "Fetches what a job has made. Files appear under their names only when all of them are whole.",
    .rows = fetch_rows,
    .count = sizeof fetch_rows / sizeof fetch_rows[0],
    .operands_min = 1,
    .operands_max = 1,
    .operand = "JOB",
};

static int fetch(const struct lh_options *options)
{
    struct visit visit;
    struct cli_media media = {0};
    enum lh_status status = begin(&visit, "fetch", options);
    status = status == LH_OK ? cli_job_read(visit.farm, &visit.arena, visit.id, &visit.job, &visit.error) : status;
    if (status == LH_OK && !cli_job_over(visit.job->state)) {
        status = lh_error_set(&visit.error, LH_ERR_USAGE, NULL, "job %llu is %s: wait for it with 'loophole watch'",
                              (unsigned long long)visit.id, cli_job_state(visit.job->state));
    }
    status = status == LH_OK ? cli_job_verdict(visit.job, &visit.faults, &visit.error) : status;
    status = status == LH_OK ? cli_media_open(&visit.arena, visit.farm, &visit.place, &media, &visit.error) : status;
    status = status == LH_OK
                 ? cli_job_fetch(&visit.arena, &media, visit.job, lh_options_text(options, "output"), &visit.error)
                 : status;
    cli_media_close(&media);
    return end(&visit, status);
}

const struct cli_command cli_command_fetch = {
    .name = "fetch", .summary = "Fetch the files that a job has made", .options = &fetch_table, .run = fetch};

/* ---- cancel ---- */

static const struct lh_option cancel_rows[] = {CLI_ROWS_FARM, CLI_ROW_PROGRESS};

static const struct lh_option_table cancel_table = {
    .usage = "cancel JOB [options]",
    .summary = "Ends a job. What it shares with others goes on for them.",
    .rows = cancel_rows,
    .count = sizeof cancel_rows / sizeof cancel_rows[0],
    .operands_min = 1,
    .operands_max = 1,
    .operand = "JOB",
};

static int cancel(const struct lh_options *options)
{
    struct visit visit;
    Wire__Envelope question = WIRE_ENVELOPE_INIT(0);
    Wire__JobCancel body = WIRE__JOB_CANCEL__INIT;
    const Wire__Envelope *answer;
    enum lh_status status = begin(&visit, "cancel", options);
    body.job = visit.id;
    WIRE_BODY(&question, JOB_CANCEL, job_cancel, &body);
    status = status == LH_OK ? cli_farm_ask(visit.farm, &visit.arena, &question, WIRE__ENVELOPE__BODY_JOB, ASK_MS,
                                            &answer, &visit.error)
                             : status;
    if (status == LH_OK && answer->job->state != WIRE__JOB_STATE__JOB_CANCELLED) {
        status = lh_error_set(&visit.error, LH_ERR_USAGE, NULL, "job %llu is over already: %s",
                              (unsigned long long)visit.id, cli_job_state(answer->job->state));
    }
    return end(&visit, status);
}

const struct cli_command cli_command_cancel = {
    .name = "cancel", .summary = "End a job of a farm", .options = &cancel_table, .run = cancel};
