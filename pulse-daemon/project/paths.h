/* SPDX-License-Identifier: MIT */
/* File paths in a project: relative, forward slashes, never out of the project's folder. Internal to this folder. */
#ifndef PULSE_PROJECT_PATHS_H
#define PULSE_PROJECT_PATHS_H

#include <stdbool.h>

#include "common/base/arena.h"

#define PULSE_PATH_MAX 1024 /* bytes */

/* NULL when the path may be used, else what is wrong with it: "must not be absolute". */
const char *pulse_path_fault(const char *path);
/* The path without empty parts and "." parts: "./stems//kick.wav" is "stems/kick.wav". Only for a path without fault.
   NULL when memory is out. */
const char *pulse_path_normalise(struct lh_arena *arena, const char *path);

#endif
