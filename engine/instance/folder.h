/* SPDX-License-Identifier: MIT */
/* A folder for what plugins write: new and empty, and gone afterwards with whatever they left in it. */
#ifndef ENGINE_INSTANCE_FOLDER_H
#define ENGINE_INSTANCE_FOLDER_H

#include <stddef.h>

#include "common/base/status.h"

/* Makes one beneath $TMPDIR, or /tmp, for its owner alone. LH_ERR_IO; LH_ERR_LIMIT: a path longer than `size`. */
LH_NODISCARD enum lh_status engine_folder_new(char *path, size_t size, struct lh_error *error);
/* Removes it and all that is in it, links but not what they lead to. Nobody writes to it any more. However deep it is:
   two descriptors and no recursion. What cannot be removed stays. */
void engine_folder_remove(const char *path);

#endif
