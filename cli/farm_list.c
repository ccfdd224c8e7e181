/* SPDX-License-Identifier: MIT */
/* loophole jobs, loophole workers, loophole drain WORKER: what a farm is at. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/command.h"
#include "cli/farm.h"
#include "cli/interrupt.h"
#include "cli/job.h"
#include "cli/talk.h"

#define ASK_MS 10000
#define TEXT_SIZE 256

static const struct lh_option rows[] = {CLI_ROWS_FARM};

/* One question, whose answer is printed. */
static int ask(const char *command, const struct lh_options *options, const Wire__Envelope *question,
               Wire__Envelope__BodyCase expected, void (*print)(const Wire__Envelope *answer))
{
    struct lh_arena arena;
    struct lh_error error = LH_ERROR_INIT;
    struct cli_farm_place place;
    struct cli_farm *farm = NULL;
    const Wire__Envelope *answer;
    lh_arena_init(&arena);
    cli_interrupt_install(NULL);
    enum lh_status status = cli_farm_find(&arena, options, &place, &error);
    status = status == LH_OK ? cli_farm_open(&place, &farm, &error) : status;
    status = status == LH_OK ? cli_farm_ask(farm, &arena, question, expected, ASK_MS, &answer, &error) : status;
    if (status == LH_OK && print != NULL) {
        print(answer);
        status =
            fflush(stdout) == 0 ? LH_OK : lh_error_set(&error, LH_ERR_IO, "standard output", "%s", strerror(errno));
    }
    if (status != LH_OK && status != LH_ERR_CANCELLED) {
        cli_talk_error(command, &error);
    }
    cli_farm_close(farm);
    lh_arena_fini(&arena);
    return status == LH_ERR_CANCELLED ? cli_interrupt_exit() : (int)cli_exit_of(status);
}

/* ---- jobs ---- */

static const struct lh_option_table jobs_table = {
    .usage = "jobs [options]",
    .summary = "Lists the latest jobs of a farm, newest first: number, state, project, when it came.",
    .rows = rows,
    .count = sizeof rows / sizeof rows[0],
};

static void print_jobs(const Wire__Envelope *answer)
{
    for (size_t i = 0; i < answer->jobs->n_jobs; i++) {
        const Wire__Job *job = answer->jobs->jobs[i];
        time_t seconds = (time_t)(job->created_ms / 1000);
        struct tm parts;
        char came[TEXT_SIZE] = "";
        if (localtime_r(&seconds, &parts) != NULL) {
            strftime(came, sizeof came, "%Y-%m-%d %H:%M:%S", &parts);
        }
        printf("%-8llu %-10s %llu/%u  %s\n", (unsigned long long)job->job, cli_job_state(job->state),
               (unsigned long long)job->project, job->revision, came);
    }
}

static int jobs(const struct lh_options *options)
{
    Wire__Envelope question = WIRE_ENVELOPE_INIT(0);
    Wire__JobList body = WIRE__JOB_LIST__INIT;
    WIRE_BODY(&question, JOB_LIST, job_list, &body);
    return ask("jobs", options, &question, WIRE__ENVELOPE__BODY_JOBS, print_jobs);
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

static void print_workers(const Wire__Envelope *answer)
{
    for (size_t i = 0; i < answer->workers->n_workers; i++) {
        const Wire__WorkerInfo *worker = answer->workers->workers[i];
        char name[TEXT_SIZE], cpu_class[TEXT_SIZE];
        cli_talk_clean(worker->name, name, sizeof name);
        cli_talk_clean(worker->cpu_class != NULL ? worker->cpu_class : "", cpu_class, sizeof cpu_class);
        printf("%-16s %3u slots  %-12s %5u plugins%s%s%s\n", name, worker->slots, cpu_class, worker->plugins,
               worker->connected ? "" : "  gone", worker->draining ? "  draining" : "",
               worker->quarantined ? "  in quarantine" : "");
    }
}

static int workers(const struct lh_options *options)
{
    Wire__Envelope question = WIRE_ENVELOPE_INIT(0);
    Wire__WorkerList body = WIRE__WORKER_LIST__INIT;
    WIRE_BODY(&question, WORKER_LIST, worker_list, &body);
    return ask("workers", options, &question, WIRE__ENVELOPE__BODY_WORKERS, print_workers);
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

static int drain(const struct lh_options *options)
{
    Wire__Envelope question = WIRE_ENVELOPE_INIT(0);
    Wire__WorkerDrain body = WIRE__WORKER_DRAIN__INIT;
    body.name = wire_text(options->operands[0]);
    WIRE_BODY(&question, WORKER_DRAIN, worker_drain, &body);
    return ask("drain", options, &question, WIRE__ENVELOPE__BODY_DONE, NULL);
}

const struct cli_command cli_command_drain = {
    .name = "drain", .summary = "Let a worker of a farm finish and go", .options = &drain_table, .run = drain};
