/* SPDX-License-Identifier: MIT */
/* What the program says to people, on standard error. Texts may hold bytes from a project file: control characters are
   written as escapes, so that no file can drive the terminal. */
#ifndef CLI_TALK_H
#define CLI_TALK_H

#include "cli/progress.h"
#include "common/base/faults.h"
#include "common/base/status.h"

/* "loophole: WHERE: MESSAGE", and for LH_ERR_USAGE how to get help on `command` (NULL: on the program). */
void cli_talk_error(const char *command, const struct lh_error *error);
/* "SUBJECT: POINTER: MESSAGE" for each, then how many more there are. */
void cli_talk_faults(const char *subject, const struct lh_faults *faults);

/* The same, or as JSON lines where those are asked for. */
void cli_tell_error(enum cli_progress_mode mode, const char *command, const struct lh_error *error);
void cli_tell_faults(enum cli_progress_mode mode, const char *subject, const struct lh_faults *faults);

/* `text` with control characters as "\x1b", cut to fit. For tests and for others who print. */
void cli_talk_clean(const char *text, char *clean, size_t size);

#endif
