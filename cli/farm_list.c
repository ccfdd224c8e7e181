/* SPDX-License-Identifier: MIT */
/* loophole jobs, loophole workers, loophole drain WORKER: what a farm is at. */
#include "cli/farm_list.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/job.h"
#include "cli/talk.h"

#define TEXT_SIZE 256

static const struct lh_option rows[] = {CLI_ROWS_FARM};

int cli_farm_run(const char *command, const struct lh_options *options, cli_farm_work *work)
{
    struct lh_arena arena;
    struct lh_error error = LH_ERROR_INIT;
    struct cli_farm_place place;
    struct cli_farm *farm = NULL;
    lh_arena_init(&arena);
    cli_interrupt_install(NULL);
    enum lh_status status = cli_farm_find(&arena, options, &place, &error);
    status = status == LH_OK ? cli_farm_open(&place, &farm, &error) : status;
    status = status == LH_OK ? work(farm, &arena, options, &error) : status;
    if (status == LH_OK && fflush(stdout) != 0) {
        status = lh_error_set(&error, LH_ERR_IO, "standard output", "%s", strerror(errno));
    }
    if (status != LH_OK && status != LH_ERR_CANCELLED) {
        cli_talk_error(command, &error);
    }
    cli_farm_close(farm);
    lh_arena_fini(&arena);
    return status == LH_ERR_CANCELLED ? cli_interrupt_exit() : (int)cli_exit_of(status);
}

/* ---- what several of them have ---- */

enum lh_status cli_farm_alarms(struct cli_farm *farm, struct lh_arena *arena, uint32_t count,
                               const Wire__Alarms **alarms, struct lh_error *error)
{
    Wire__Envelope question = WIRE_ENVELOPE_INIT(0);
    Wire__AlarmList body = WIRE__ALARM_LIST__INIT;
    const Wire__Envelope *answer;
    body.has_count = true;
    body.count = count;
    WIRE_BODY(&question, ALARM_LIST, alarm_list, &body);
    enum lh_status status =
        cli_farm_ask(farm, arena, &question, WIRE__ENVELOPE__BODY_ALARMS, CLI_FARM_ASK_MS, &answer, error);
    if (status == LH_OK) {
        *alarms = answer->alarms;
    }
    return status;
}

void cli_farm_moment(uint64_t moment_ms, char *text, size_t size)
{
    time_t seconds = (time_t)(moment_ms / 1000);
    struct tm parts;
    if (localtime_r(&seconds, &parts) == NULL || strftime(text, size, "%F %T", &parts) == 0) {
        text[0] = '\0';
    }
}

char **cli_farm_tags(struct lh_arena *arena, const struct lh_options *options, size_t *count)
{
    *count = lh_options_count(options, "tag");
    char **tags = lh_arena_array(arena, *count, sizeof *tags);
    for (size_t i = 0; tags != NULL && i < *count; i++) {
        tags[i] = wire_text(lh_options_at(options, "tag", i)->text);
    }
    return tags;
}

void cli_farm_print_tags(char *const *tags, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char text[TEXT_SIZE];
        cli_talk_clean(tags[i], text, sizeof text);
        printf("%s%s", i == 0 ? "  tags " : " ", text);
    }
}

/* ---- jobs ---- */

static const struct lh_option_table jobs_table = {
    .usage = "jobs [options]",
    .summary = "Lists the latest jobs of a farm, newest first: number, state, project, when it came.",
    .rows = rows,
    .count = sizeof rows / sizeof rows[0],
};

static enum lh_status list_jobs(struct cli_farm *farm, struct lh_arena *arena, const struct lh_options *options,
                                struct lh_error *error)
{
    Wire__Envelope question = WIRE_ENVELOPE_INIT(0);
    Wire__JobList body = WIRE__JOB_LIST__INIT;
    const Wire__Envelope *answer;
    (void)options;
    WIRE_BODY(&question, JOB_LIST, job_list, &body);
    enum lh_status status =
        cli_farm_ask(farm, arena, &question, WIRE__ENVELOPE__BODY_JOBS, CLI_FARM_ASK_MS, &answer, error);
    for (size_t i = 0; status == LH_OK && i < answer->jobs->n_jobs; i++) {
        const Wire__Job *job = answer->jobs->jobs[i];
        char came[TEXT_SIZE];
        cli_farm_moment(job->created_ms, came, sizeof came);
        printf("%-8llu %-10s %llu/%u  %s\n", (unsigned long long)job->job, cli_job_state(job->state),
               (unsigned long long)job->project, job->revision, came);
    }
    return status;
}

static int jobs(const struct lh_options *options)
{
    return cli_farm_run("jobs", options, list_jobs);
}

const struct cli_command cli_command_jobs = {
    .name = "jobs", .summary = "List the jobs of a farm", .options = &jobs_table, .run = jobs};

/* ---- workers ---- */

static const struct lh_option_table workers_table = {
    .usage = "workers [options]",
    .summary = "Lists the workers of a farm.",
    .rows = rows,
    .count = sizeof rows / sizeof rows[0],
};

static enum lh_status list_workers(struct cli_farm *farm, struct lh_arena *arena, const struct lh_options *options,
                                   struct lh_error *error)
{
    Wire__Envelope question = WIRE_ENVELOPE_INIT(0);
    Wire__WorkerList body = WIRE__WORKER_LIST__INIT;
    const Wire__Envelope *answer;
    (void)options;
    WIRE_BODY(&question, WORKER_LIST, worker_list, &body);
    enum lh_status status =
        cli_farm_ask(farm, arena, &question, WIRE__ENVELOPE__BODY_WORKERS, CLI_FARM_ASK_MS, &answer, error);
    for (size_t i = 0; status == LH_OK && i < answer->workers->n_workers; i++) {
        const Wire__WorkerInfo *worker = answer->workers->workers[i];
        char name[TEXT_SIZE], cpu_class[TEXT_SIZE];
        cli_talk_clean(worker->name, name, sizeof name);
        cli_talk_clean(worker->cpu_class != NULL ? worker->cpu_class : "", cpu_class, sizeof cpu_class);
        printf("%-16s %3u slots  %-12s %5u plugins%s%s%s\n", name, worker->slots, cpu_class, worker->plugins,
               worker->connected ? "" : "  gone", worker->draining ? "  draining" : "",
               worker->quarantined ? "  in quarantine" : "");
    }
    return status;
}

static int workers(const struct lh_options *options)
{
    return cli_farm_run("workers", options, list_workers);
}

const struct cli_command cli_command_workers = {
    .name = "workers", .summary = "List the workers of a farm", .options = &workers_table, .run = workers};

/* ---- drain ---- */

static const struct lh_option_table drain_table = {
    .usage = "drain WORKER [options]",
    .summary = "Lets a worker finish what it has, gives it nothing new, and ends it.",
    .rows = rows,
    .count = sizeof rows / sizeof rows[0],
    .operands_min = 1,
    .operands_max = 1,
    .operand = "WORKER",
};

static enum lh_status drain_worker(struct cli_farm *farm, struct lh_arena *arena, const struct lh_options *options,
                                   struct lh_error *error)
{
    Wire__Envelope question = WIRE_ENVELOPE_INIT(0);
    Wire__WorkerDrain body = WIRE__WORKER_DRAIN__INIT;
    const Wire__Envelope *answer;
    body.name = wire_text(options->operands[0]);
    WIRE_BODY(&question, WORKER_DRAIN, worker_drain, &body);
    return cli_farm_ask(farm, arena, &question, WIRE__ENVELOPE__BODY_DONE, CLI_FARM_ASK_MS, &answer, error);
}

static int drain(const struct lh_options *options)
{
    return cli_farm_run("drain", options, drain_worker);
}

const struct cli_command cli_command_drain = {
    .name = "drain", .summary = "Let a worker of a farm finish and go", .options = &drain_table, .run = drain};
