/* SPDX-License-Identifier: MIT */
/* Graphs that were compiled lately, so that a project which is asked for again (unchanged, for other deliverables'
   keys, after probes) is not compiled again. Found by a digest of all that compiling looks at. One thread. */
#ifndef PULSE_SERVICE_PLAN_CACHE_H
#define PULSE_SERVICE_PLAN_CACHE_H

#include "pulse-daemon/compile/compile.h"

#define PULSE_PLAN_CACHE_SIZE 8

struct pulse_plan_cache {
    struct {
        struct lh_digest key;
        struct pulse_compiled *compiled; /* NULL: free */
        uint64_t used;
    } kept[PULSE_PLAN_CACHE_SIZE];
    uint64_t clock;
};

/* NULL: not there. Good until the next keep. */
const struct pulse_compiled *pulse_plan_cache_find(struct pulse_plan_cache *cache, const struct lh_digest *key);
/* Takes it; the one that was used longest ago goes. */
void pulse_plan_cache_keep(struct pulse_plan_cache *cache, const struct lh_digest *key,
                           struct pulse_compiled *compiled);
void pulse_plan_cache_fini(struct pulse_plan_cache *cache);

#endif
