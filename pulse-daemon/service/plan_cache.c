/* SPDX-License-Identifier: MIT */
/* A handful of compiled graphs. */
#include "pulse-daemon/service/plan_cache.h"

const struct pulse_compiled *pulse_plan_cache_find(struct pulse_plan_cache *cache, const struct lh_digest *key)
{
    for (size_t i = 0; i < PULSE_PLAN_CACHE_SIZE; i++) {
        if (cache->kept[i].compiled != NULL && lh_digest_equal(&cache->kept[i].key, key)) {
            cache->kept[i].used = ++cache->clock;
            return cache->kept[i].compiled;
        }
    }
    return NULL;
}

void pulse_plan_cache_keep(struct pulse_plan_cache *cache, const struct lh_digest *key, struct pulse_compiled *compiled)
{
    size_t oldest = 0;
    for (size_t i = 1; i < PULSE_PLAN_CACHE_SIZE; i++) {
        if (cache->kept[i].used < cache->kept[oldest].used) {
            oldest = i;
        }
    }
    pulse_compiled_free(cache->kept[oldest].compiled);
    cache->kept[oldest].key = *key;
    cache->kept[oldest].compiled = compiled;
    cache->kept[oldest].used = ++cache->clock;
}

void pulse_plan_cache_fini(struct pulse_plan_cache *cache)
{
    for (size_t i = 0; i < PULSE_PLAN_CACHE_SIZE; i++) {
        pulse_compiled_free(cache->kept[i].compiled);
    }
    *cache = (struct pulse_plan_cache){0};
}
