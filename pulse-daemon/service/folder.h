/* SPDX-License-Identifier: MIT */
/* Pulse's data folder, for its user alone:

       pulse.db    the store, unless another one is named
       media/      blobs (common/blobs)
       run/        sockets, mode 0700, and `pulse.lock`, held while a Pulse runs
       keys/       the CURVE pair for endpoints that are not local
       token       the token of whoever may read this folder, mode 0600 */
#ifndef PULSE_SERVICE_FOLDER_H
#define PULSE_SERVICE_FOLDER_H

#include "common/base/arena.h"
#include "pulse-daemon/service/access.h"

struct pulse_folder {
    const char *path; /* absolute; texts in the arena */
    const char *media, *run, *keys, *token_file, *store_url;
    char token[PULSE_TOKEN_SIZE];
    int lock; /* -1: not held */
};

/* Makes what is missing and takes the lock. `store` NULL: pulse.db. LH_ERR_USAGE: another Pulse runs in it; LH_ERR_IO.
 */
LH_NODISCARD enum lh_status pulse_folder_open(struct lh_arena *arena, const char *path, const char *store,
                                              struct pulse_folder *folder, struct lh_error *error);
void pulse_folder_close(struct pulse_folder *folder);
/* "ipc://PATH/run/NAME.ipc" in the arena; NULL: memory is out. */
const char *pulse_folder_endpoint(struct lh_arena *arena, const struct pulse_folder *folder, const char *name);

#endif
