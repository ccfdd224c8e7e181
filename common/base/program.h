/* SPDX-License-Identifier: MIT */
/* Where the other programs of ours are. */
#ifndef LH_BASE_PROGRAM_H
#define LH_BASE_PROGRAM_H

#include <stddef.h>

#include "common/base/status.h"

/* One that another one starts. */
struct lh_program {
    const char *name;         /* "loophole-signal" */
    const char *variable;     /* environment variable that overrides where it is */
    const char *build_folder; /* where a build puts it, from the top: "engine/instance" */
};

/* The variable's value; else, seen from the folder of the running program: beside it, ../BUILD_FOLDER,
   ../../BUILD_FOLDER (a build folder), or ../libexec (an installation). LH_ERR_IO says what to do; LH_ERR_LIMIT: a path
   longer than `size`. */
LH_NODISCARD enum lh_status lh_program_locate(const struct lh_program *program, char *path, size_t size,
                                              struct lh_error *error);

#endif
