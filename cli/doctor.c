/* SPDX-License-Identifier: MIT */
/* loophole doctor: what is inconsistent in a farm. One that runs is asked; a data folder in which none runs is looked
   into by loophole-pulse itself. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/farm_list.h"
#include "cli/interrupt.h"
#include "cli/supervise.h"
#include "cli/talk.h"

#define ASK_MS (10 * 60 * 1000) /* a large store takes its time */
#define LINE_SIZE 1024
#define TURN_US 20000

static const struct lh_option rows[] = {
    CLI_ROWS_FARM,
    {.name = "store",
     .type = LH_OPTION_TEXT,
     .placeholder = "URL",
     .variable = "LOOPHOLE_STORE",
     .help = "Where the jobs of a farm that does not run are kept, if not in its data folder"},
};

static const struct lh_option_table table = {
    .usage = "doctor [options]",
    .summary =
        "Looks for what must never be: in the store of a farm, in its media folder, and in what it makes of both.\n"
        "Prints each finding and what to do; the exit status is 1 when there is any.",
    .rows = rows,
    .count = sizeof rows / sizeof rows[0],
};

/* Alarms are no inconsistency and never go away; who looks for what is wrong wants to know of them all the same. */
static enum lh_status mention_alarms(struct cli_farm *farm, struct lh_arena *arena, struct lh_error *error)
{
    const Wire__Alarms *alarms;
    enum lh_status status = cli_farm_alarms(farm, arena, 1, &alarms, error);
    if (status == LH_OK && alarms->n_alarms > 0) {
        fprintf(stderr, "loophole: there were %llu alarms: 'loophole alarms' lists them\n",
                (unsigned long long)alarms->alarms[0]->number);
    }
    return status;
}

static enum lh_status ask(struct lh_arena *arena, const struct cli_farm_place *place, size_t *found,
                          struct lh_error *error)
{
    struct cli_farm *farm = NULL;
    Wire__Envelope question = WIRE_ENVELOPE_INIT(0);
    Wire__Doctor doctor = WIRE__DOCTOR__INIT;
    const Wire__Envelope *answer;
    WIRE_BODY(&question, DOCTOR, doctor, &doctor);
    enum lh_status status = cli_farm_open(place, &farm, error);
    status = status == LH_OK
                 ? cli_farm_ask(farm, arena, &question, WIRE__ENVELOPE__BODY_FINDINGS, ASK_MS, &answer, error)
                 : status;
    for (size_t i = 0; status == LH_OK && i < answer->findings->n_findings; i++) {
        char line[LINE_SIZE];
        cli_talk_clean(answer->findings->findings[i], line, sizeof line);
        puts(line);
        (*found)++;
    }
    status = status == LH_OK ? mention_alarms(farm, arena, error) : status;
    cli_farm_close(farm);
    return status;
}

/* It prints its findings itself. */
static enum lh_status look(const struct lh_options *options, const char *folder, size_t *found, struct lh_error *error)
{
    char program[PATH_MAX];
    const char *store = lh_options_text(options, "store");
    enum lh_status status = cli_locate_pulse(program, sizeof program, error);
    char data_row[] = "--data", check_row[] = "--check", store_row[] = "--store";
    char *arguments[] = {program,
                         data_row,
                         (char *)(uintptr_t)folder, /* exec() writes to none of them */
                         check_row,
                         store != NULL ? store_row : NULL,
                         (char *)(uintptr_t)store,
                         NULL};
    struct cli_child child = {.name = "loophole-pulse", .arguments = arguments};
    status = status == LH_OK ? cli_child_start(&child, error) : status;
    while (status == LH_OK && !cli_child_ended(&child)) {
        usleep(TURN_US);
        status = cli_interrupted() ? LH_ERR_CANCELLED : LH_OK;
    }
    if (status != LH_OK) {
        cli_children_end(&child, 1, 0);
        return status;
    }
    if (!WIFEXITED(child.exit_status) || WEXITSTATUS(child.exit_status) > 1) {
        return lh_error_set(error, LH_ERR_CRASHED, "loophole-pulse", "could not look into %s", folder);
    }
    *found = (size_t)WEXITSTATUS(child.exit_status);
    return LH_OK;
}

static int run(const struct lh_options *options)
{
    struct lh_arena arena;
    struct lh_error error = LH_ERROR_INIT;
    struct cli_farm_place place;
    struct cli_home home;
    size_t found = 0;
    lh_arena_init(&arena);
    cli_interrupt_install(NULL);
    enum lh_status status = cli_farm_find(&arena, options, &place, &error);
    status = status == LH_OK ? ask(&arena, &place, &found, &error) : status;
    if (status == LH_ERR_UNAVAILABLE && !lh_options_given(options, "server")) {
        status = cli_home_find(&arena, options, &home, &error);
        status = status == LH_OK ? look(options, home.folder, &found, &error) : status;
    }
    if (status == LH_OK && fflush(stdout) != 0) {
        status = lh_error_set(&error, LH_ERR_IO, "standard output", "cannot be written");
    }
    if (status != LH_OK && status != LH_ERR_CANCELLED) {
        cli_talk_error("doctor", &error);
    }
    lh_arena_fini(&arena);
    if (status != LH_OK) {
        return status == LH_ERR_CANCELLED ? cli_interrupt_exit() : (int)cli_exit_of(status);
    }
    return found == 0 ? CLI_EXIT_DONE : CLI_EXIT_FAILED;
}

const struct cli_command cli_command_doctor = {
    .name = "doctor",
    .summary = "Look for what is inconsistent in a farm",
    .options = &table,
    .run = run,
};
