/* SPDX-License-Identifier: MIT */
/* Ctrl-C and its kin. The first signal asks the work to end; a second one ends the program at once, after the files
   that are written aside under a name have been removed. */
#ifndef CLI_INTERRUPT_H
#define CLI_INTERRUPT_H

#include <signal.h>
#include <stdbool.h>

/* Handles SIGINT, SIGTERM and SIGHUP unless they are ignored already, and ignores SIGPIPE (a broken pipe is then a
   failed write). `abandon` is called on the second signal, in the handler: async-signal-safe; may be NULL. */
void cli_interrupt_install(void (*abandon)(void));
bool cli_interrupted(void);
/* 128 + the number of the signal that came first: 130 for SIGINT. */
int cli_interrupt_exit(void);

/* No handler runs between the two: for what `abandon` looks at. */
void cli_interrupt_hold(sigset_t *before);
void cli_interrupt_release(const sigset_t *before);

#endif
