/* SPDX-License-Identifier: MIT */
/* A child process at the other end of a channel: started, ended, reaped. */
#ifndef ENGINE_INSTANCE_PROCESS_H
#define ENGINE_INSTANCE_PROCESS_H

#include <sys/types.h>

#include "common/base/status.h"
#include "engine/instance/death.h"
#include "engine/instance/launch.h"

struct engine_process {
    pid_t pid;  /* -1: reaped */
    int socket; /* ours; -1: closed */
    int talk;   /* what it writes to standard error; -1: closed, or the child shares ours */
};

/* Runs the program with the channel as descriptor 3, no other but standard error, and a process group of its own, so
   that the terminal's Ctrl-C does not reach it. The child gets our limit of open files, which is raised to what is
   allowed. Its standard error is kept for the message about a crash; with LOOPHOLE_SIGNAL_STDERR in the environment it
   is ours, for those who look for a fault of the child. */
LH_NODISCARD enum lh_status engine_process_start(const struct engine_launch *launch, struct engine_process *process,
                                                 struct lh_error *error);
/* Closes the channel, kills the child and reaps it. Does nothing the second time. */
void engine_process_end(struct engine_process *process);
/* The same for a child that did wrong: its last words go to `death`, whose kind is the caller's to say. */
void engine_process_kill(struct engine_process *process, struct engine_death *death);
/* The child broke off: reaps it, at the latest kills it after a second, and says how it ended. It has not been reaped
   before. */
void engine_process_reap(struct engine_process *process, struct engine_death *death);

#endif
