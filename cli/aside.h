/* SPDX-License-Identifier: MIT */
/* A file that is written aside and gets its name only when it is whole. Where the file system can, it has no name at
   all until then (O_TMPFILE) and vanishes with the process however that ends; elsewhere it has a hidden name,
   ".NAME.part-XXXXXX", which only SIGKILL or a power cut can leave behind. */
#ifndef CLI_ASIDE_H
#define CLI_ASIDE_H

#include "common/base/arena.h"
#include "common/base/status.h"

struct cli_aside {
    int fd;                 /* readable and writable; -1: not open */
    const char *path;       /* the name to be */
    char *part;             /* its hidden name; NULL while it has none */
    struct cli_aside *next; /* of those with a hidden name */
};

#define CLI_ASIDE_NONE ((struct cli_aside){.fd = -1})

/* Opens it in the folder of `path`, which must exist; `path` is kept as a copy. LH_ERR_IO when that cannot be written
   to or `path` is something else than a file. `aside` must stay where it is in memory until published or discarded. */
LH_NODISCARD enum lh_status cli_aside_open(struct lh_arena *arena, const char *path, struct cli_aside *aside,
                                           struct lh_error *error);
/* All bytes, at its end. */
LH_NODISCARD enum lh_status cli_aside_write(const struct cli_aside *aside, const void *data, size_t size,
                                            struct lh_error *error);
/* Lets the kernel begin to write back, so that a later sync of many files waits for all of them at once. */
void cli_aside_flush(const struct cli_aside *aside);
/* All bytes are on the disk. */
LH_NODISCARD enum lh_status cli_aside_sync(const struct cli_aside *aside, struct lh_error *error);
/* Takes the name, in one step: whoever looks sees the old file or the whole new one. Closes. On failure it stays open.
 */
LH_NODISCARD enum lh_status cli_aside_publish(struct cli_aside *aside, struct lh_error *error);
/* Closes without a trace. Does nothing when it is not open. */
void cli_aside_discard(struct cli_aside *aside);
/* Removes all hidden names of this process. Async-signal-safe, for a process about to end. */
void cli_aside_abandon_all(void);

/* An unnamed file for bytes that nobody keeps, in `folder`. */
LH_NODISCARD enum lh_status cli_scratch_open(struct lh_arena *arena, const char *folder, int *fd,
                                             struct lh_error *error);

/* The part of `path` that names its folder, "." when there is none; NULL when memory is out. */
const char *cli_folder_of(struct lh_arena *arena, const char *path);
/* The part after the last slash: a view. */
const char *cli_name_of(const char *path);

#endif
