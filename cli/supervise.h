/* SPDX-License-Identifier: MIT */
/* Programs that are to run until they are told to end: started, started again when they die, ended in order. Each is
   the leader of a process group of its own, so that a terminal's Ctrl-C reaches this program alone, and gets SIGTERM
   when this program dies. One thread, the one that started them. */
#ifndef CLI_SUPERVISE_H
#define CLI_SUPERVISE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/base/status.h"

#define CLI_CHILDREN_MAX 257 /* Pulse and its worker nodes */

struct cli_child {
    const char *name;                 /* for messages: "worker 2" */
    char *const *arguments;           /* NULL at the end; the first is the path of the program */
    pid_t pid;                        /* 0: not running */
    int exit_status;                  /* of the last that ended, as waitpid() tells */
    unsigned deaths;                  /* in a row, each soon after its start */
    uint64_t started_ns, start_at_ns; /* monotonic; the latter while it is not running */
};

/* Where loophole-pulse is: as common/base/program.h says. */
LH_NODISCARD enum lh_status cli_locate_pulse(char *path, size_t size, struct lh_error *error);

/* Starts it. LH_ERR_IO. */
LH_NODISCARD enum lh_status cli_child_start(struct cli_child *child, struct lh_error *error);
/* Reaps it if it has ended. True once for each end; its next start is noted in `start_at_ns`: at once at first, later
   and later when it does not last. */
bool cli_child_ended(struct cli_child *child);
/* "ended with status 1", "was killed by signal 9 (Killed)". */
void cli_child_ending(const struct cli_child *child, char *text, size_t size);
/* Sends a signal to those that run. */
void cli_children_signal(struct cli_child *children, size_t count, int number);
/* Waits until none of them runs, at most until `deadline_ns`. Those that are left are killed, and reaped. */
void cli_children_end(struct cli_child *children, size_t count, uint64_t deadline_ns);

#endif
