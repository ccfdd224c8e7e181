/* SPDX-License-Identifier: MIT */
/* A child process at the other end of a channel: started, ended, reaped. */
#ifndef ENGINE_INSTANCE_PROCESS_H
#define ENGINE_INSTANCE_PROCESS_H

#include <sys/types.h>

#include "common/base/status.h"

struct engine_process {
    pid_t pid;  /* -1: reaped */
    int socket; /* ours; -1: closed */
    int talk;   /* what it writes to standard error; -1: closed, or the child shares ours */
};

/* Runs `program --instance` with the channel as descriptor 3, no other but standard error, and a process group of its
   own, so that the terminal's Ctrl-C does not reach it. The child gets our limit of open files, which is raised to what
   is allowed, and of our environment only what cannot change the sound. Its standard error is kept for the message
   about a crash; with LOOPHOLE_SIGNAL_STDERR in the environment it is ours, for those who look for a fault of the
   child. */
LH_NODISCARD enum lh_status engine_process_start(const char *program, struct engine_process *process,
                                                 struct lh_error *error);
/* Closes the channel, kills the child and reaps it. Does nothing the second time. */
void engine_process_end(struct engine_process *process);
/* The child broke off: reaps it, at the latest kills it after a second, and says how it ended. Returns
   LH_ERR_CRASHED. */
enum lh_status engine_process_crashed(struct engine_process *process, struct lh_error *error);

#endif
