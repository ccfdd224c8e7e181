/* SPDX-License-Identifier: MIT */
/* Where plugins and what is known of them are kept, as this user's environment says (XDG base directories). */
#ifndef INVENTORY_PLACES_H
#define INVENTORY_PLACES_H

#include <stddef.h>

#include "common/base/arena.h"
#include "common/base/status.h"

struct inventory_places {
    const char *search_path;            /* of LV2 bundles: folders between colons, "~" expanded */
    const char *cache;                  /* folder of indices, absolute; NULL: this user has none */
    const char *evidence;               /* folder of this user's records of probes, absolute; NULL: none */
    const char *const *system_evidence; /* folders of records that came with the system, read only; the first wins */
    size_t system_evidence_count;
};

/* LV2_PATH, or where Debian's LV2 library looks; XDG_CACHE_HOME, XDG_DATA_HOME, XDG_DATA_DIRS and HOME. As the XDG
   specification has it, a path that is not absolute does not count. Nothing is made. LH_ERR_NO_MEMORY. */
LH_NODISCARD enum lh_status inventory_places_find(struct lh_arena *arena, struct inventory_places *places,
                                                  struct lh_error *error);

#endif
