/* SPDX-License-Identifier: MIT */
/* Small files that are read as a whole and replaced as a whole. */
#ifndef INVENTORY_KEEP_H
#define INVENTORY_KEEP_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/status.h"

/* All of a plain file of at most `limit` bytes, in the arena, with a zero byte behind it. LH_ERR_MISSING: it is not
   there, cannot be read, or is larger; LH_ERR_NO_MEMORY. */
LH_NODISCARD enum lh_status inventory_keep_read(struct lh_arena *arena, const char *path, size_t limit, uint8_t **data,
                                                size_t *size);
/* Writes `folder`/`name` aside and renames it, so that whoever reads sees the old file or the whole new one. Makes the
   folder and those above it, for this user alone. LH_ERR_IO, LH_ERR_NO_MEMORY. */
LH_NODISCARD enum lh_status inventory_keep_write(struct lh_arena *arena, const char *folder, const char *name,
                                                 const void *data, size_t size, struct lh_error *error);

/* "FOLDER/NAME"; NULL when memory is out. */
char *inventory_keep_path(struct lh_arena *arena, const char *folder, const char *name);

#endif
