/* SPDX-License-Identifier: MIT */
/* A folder for what plugins write: new and empty, and gone afterwards with whatever they left in it. */
#ifndef ENGINE_INSTANCE_FOLDER_H
#define ENGINE_INSTANCE_FOLDER_H

#include <limits.h>

#include "common/base/status.h"

/* Beneath $TMPDIR, or /tmp, is one folder for each user, "loophole-1000", that is there as long as something is in it.
   Who makes a folder in it holds a lock on that while he lives; what nobody holds was left by one who was killed, and
   is removed by the next to come. */
struct engine_folder {
    char path[PATH_MAX]; /* "": none */
    int lock;
};
#define ENGINE_FOLDER_NONE ((struct engine_folder){.path = "", .lock = -1})

/* For its owner alone. LH_ERR_IO; LH_ERR_LIMIT: a path that is too long. */
LH_NODISCARD enum lh_status engine_folder_new(struct engine_folder *folder, struct lh_error *error);
/* Removes it and all that is in it, links but not what they lead to. Nobody writes to it any more. However deep it is:
   two descriptors and no recursion. What cannot be removed stays. Accepts ENGINE_FOLDER_NONE, and is that afterwards.
 */
void engine_folder_remove(struct engine_folder *folder);

#endif
