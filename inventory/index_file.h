/* SPDX-License-Identifier: MIT */
/* The index as values and as bytes: what index.c and index_file.c share. Not for other folders. */
#ifndef INVENTORY_INDEX_FILE_H
#define INVENTORY_INDEX_FILE_H

#include "common/base/bytes.h"
#include "inventory/index.h"

#define INVENTORY_INDEX_PLUGINS_MAX 65536
#define INVENTORY_INDEX_BYTES_MAX (256u << 20)

struct inventory_index_bundle {
    const char *folder;
    struct lh_digest identity;
    bool holds_plugins;
};

struct inventory_index_entry {
    const char *uri, *name;
    size_t bundle;       /* INVENTORY_INDEX_NONE: taken out */
    const char *outside; /* the binary's path when it lies outside of the bundle's data and binaries; "" */
    struct lh_digest outside_identity;
    const uint8_t *record;
    size_t record_size;
};

struct inventory_index_content {
    struct lh_digest state; /* of the bundles */
    bool complete;
    const struct inventory_index_bundle *bundles;
    size_t bundle_count;
    struct inventory_index_entry *entries; /* by URI */
    size_t entry_count;
    const char **absent; /* URIs that were looked for in vain, when not complete */
    size_t absent_count;
};

/* Who wrote it and for whom: a file of others is as good as none. */
struct inventory_index_stamp {
    const char *describer, *search_path;
};

void inventory_index_content_write(struct lh_writer *writer, const struct inventory_index_stamp *stamp,
                                   const struct inventory_index_content *content);
/* Tables and texts in the arena; the records are views of `data`. LH_ERR_FORMAT: damaged, or not of this stamp;
   LH_ERR_NO_MEMORY. */
LH_NODISCARD enum lh_status inventory_index_content_read(struct lh_arena *arena, const void *data, size_t size,
                                                         const struct inventory_index_stamp *stamp,
                                                         struct inventory_index_content *content);

#endif
