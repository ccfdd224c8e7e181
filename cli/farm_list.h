/* SPDX-License-Identifier: MIT */
/* What the commands share that ask a farm a few questions and print what it says. */
#ifndef CLI_FARM_LIST_H
#define CLI_FARM_LIST_H

#include "cli/farm.h"

#define CLI_FARM_ASK_MS 10000

/* What a command does with a farm; it prints to standard output. */
typedef enum lh_status cli_farm_work(struct cli_farm *farm, struct lh_arena *arena, const struct lh_options *options,
                                     struct lh_error *error);

/* Finds the farm, does the work, tells what went wrong. Gives the exit status. */
int cli_farm_run(const char *command, const struct lh_options *options, cli_farm_work *work);

/* The newest alarms, so many at most; they live in the arena. */
LH_NODISCARD enum lh_status cli_farm_alarms(struct cli_farm *farm, struct lh_arena *arena, uint32_t count,
                                            const Wire__Alarms **alarms, struct lh_error *error);

/* A moment as people read it, by the clock of this place; "": there is no such moment. */
void cli_farm_moment(uint64_t moment_ms, char *text, size_t size);
/* What --tag was given, for a message; NULL: memory is out. */
char **cli_farm_tags(struct lh_arena *arena, const struct lh_options *options, size_t *count);
/* "  tags A B", or nothing. */
void cli_farm_print_tags(char *const *tags, size_t count);

#endif
