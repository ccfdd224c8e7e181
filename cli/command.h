/* SPDX-License-Identifier: MIT */
/* A command of the program: its option table and what runs it. main.c holds the table of commands. */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "common/base/options.h"

/* What the program's exit status says; other people's scripts depend on it. An interrupt is 128 + the signal's number.
 */
enum cli_exit {
    CLI_EXIT_DONE = 0,
    CLI_EXIT_FAILED = 1, /* a node fault, a crash, a full disk, ... */
    CLI_EXIT_USAGE = 2,
    CLI_EXIT_INVALID = 3,     /* the project is not there, not readable or breaks the format's rules */
    CLI_EXIT_MISSING = 4,     /* a medium or plugin is missing or unreadable */
    CLI_EXIT_UNREACHABLE = 5, /* nobody answers where the farm should be */
    CLI_EXIT_INTERRUPTED = 130,
};

/* The exit status that tells a failure. */
enum cli_exit cli_exit_of(enum lh_status status);

struct cli_command {
    const char *name;
    const char *summary; /* one line for the list of commands */
    const struct lh_option_table *options;
    int (*run)(const struct lh_options *options); /* gives the exit status */
    /* Instead of the two: the commands below this one, NULL at the end ("plugins list") */
    const struct cli_command *const *parts;
};

extern const struct cli_command cli_command_render;
extern const struct cli_command cli_command_mix;
extern const struct cli_command cli_command_check;
extern const struct cli_command cli_command_up;
extern const struct cli_command cli_command_submit;
extern const struct cli_command cli_command_watch;
extern const struct cli_command cli_command_fetch;
extern const struct cli_command cli_command_cancel;
extern const struct cli_command cli_command_jobs;
extern const struct cli_command cli_command_workers;
extern const struct cli_command cli_command_drain;
extern const struct cli_command cli_command_enroll;
extern const struct cli_command cli_command_peers;
extern const struct cli_command cli_command_tokens;
extern const struct cli_command cli_command_tenants;
extern const struct cli_command cli_command_alarms;
extern const struct cli_command cli_command_doctor;
extern const struct cli_command cli_command_plugins;
extern const struct cli_command cli_command_plugins_list;
extern const struct cli_command cli_command_plugins_show;
extern const struct cli_command cli_command_plugins_probe;

#endif
