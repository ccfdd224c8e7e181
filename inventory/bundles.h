/* SPDX-License-Identifier: MIT */
/* The LV2 bundles of a search path, each with an identity that changes when anything in it may have changed. Looks at
   folders and times, never into files: some 300 bundles take milliseconds. */
#ifndef INVENTORY_BUNDLES_H
#define INVENTORY_BUNDLES_H

#include "common/base/arena.h"
#include "common/digest/digest.h"

#define INVENTORY_BUNDLES_MAX 65536

struct inventory_bundle {
    const char *folder; /* absolute, "/" at its end */
    /* Of the device, inode, size and times of the folder, of its data files (*.ttl) and of its binaries (*.so) */
    struct lh_digest identity;
};

struct inventory_bundles {
    const char *search_path;
    const char *const *roots; /* the folders of the search path that are there */
    size_t root_count;
    const struct inventory_bundle *items; /* those of the path's first folder first, then by name */
    size_t count;
    struct lh_digest state; /* of all folders and identities: equal when nothing has changed */
};

/* Every folder beneath one of the search path's that has a manifest.ttl, each once however many ways lead to it.
   What cannot be read is not there, nor is a bundle with a fifo or a device for data. LH_ERR_LIMIT, LH_ERR_NO_MEMORY.
 */
LH_NODISCARD enum lh_status inventory_bundles_find(struct lh_arena *arena, const char *search_path,
                                                   struct inventory_bundles *bundles, struct lh_error *error);

/* The same identity of a single file; false when it is not there. */
bool inventory_file_identity(const char *path, struct lh_digest *identity);

#endif
