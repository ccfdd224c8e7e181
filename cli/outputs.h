/* SPDX-License-Identifier: MIT */
/* The files of a render: all written aside, all named together once every one of them is whole. */
#ifndef CLI_OUTPUTS_H
#define CLI_OUTPUTS_H

#include "cli/aside.h"
#include "cli/sources.h"
#include "pulse-daemon/compile/compile.h"

struct cli_outputs {
    struct cli_aside *files; /* one a deliverable of the graph; not open when it is only measured or goes to a pipe */
    const char **paths;      /* where it appears, "-" for standard output; NULL when only measured */
    int *fds;                /* for the instance; -1: only measured */
    size_t count;
    int scratch_fd;     /* -1: not open */
    char *folder;       /* that was made for them, NULL when all were there */
    size_t folder_kept; /* bytes of it that were there before */
};

#define CLI_OUTPUTS_NONE ((struct cli_outputs){.scratch_fd = -1})

/* Opens a file for each wanted deliverable. They go to `folder` (made if it is not there) under the plan's names; or,
   when `single` is given, there is one, and it goes to that path ("-": standard output). Refuses to replace one of the
   sources. On failure nothing stays open, and no folder that was made. */
LH_NODISCARD enum lh_status cli_outputs_open(struct lh_arena *arena, const char *folder, const char *single,
                                             const struct pulse_compiled *compiled, const struct cli_sources *sources,
                                             struct cli_outputs *outputs, struct lh_error *error);
/* The same by hand, for files that come from elsewhere: room for `count` of them and their folder, then one after the
   other by its name. On failure: cli_outputs_discard(). */
LH_NODISCARD enum lh_status cli_outputs_prepare(struct lh_arena *arena, const char *folder, size_t count,
                                                struct cli_outputs *outputs, struct lh_error *error);
LH_NODISCARD enum lh_status cli_outputs_open_file(struct lh_arena *arena, const char *folder, const char *name,
                                                  size_t index, struct cli_outputs *outputs, struct lh_error *error);
/* Puts all on the disk, then names them. If a name cannot be taken those before it stay: they are whole. */
LH_NODISCARD enum lh_status cli_outputs_publish(struct lh_arena *arena, struct cli_outputs *outputs,
                                                struct lh_error *error);
/* Closes and leaves no trace of what was not published. */
void cli_outputs_discard(struct cli_outputs *outputs);

#endif
