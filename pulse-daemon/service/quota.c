/* SPDX-License-Identifier: MIT */
/* Quotas of tenants. */
#include "pulse-daemon/service/quota.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "pulse-daemon/store/access.h"

#define ADVICE "an administrator can raise it: loophole tenants change NAME --quota BYTES"

/* 0: none. */
static enum lh_status read_quota(struct pulse_store *store, uint64_t tenant, uint64_t *quota, struct lh_error *error)
{
    struct lh_arena arena;
    struct pulse_tenant_row row;
    lh_arena_init(&arena);
    enum lh_status status = pulse_store_tenant(store, tenant, NULL, &arena, &row, error);
    if (status == LH_OK) {
        *quota = row.quota_bytes;
    }
    lh_arena_fini(&arena);
    return status;
}

/* ---- uploads ---- */

static enum lh_status note_medium(void *context, size_t index, const struct pulse_media_row *row)
{
    (void)index;
    (void)row;
    *(bool *)context = true;
    return LH_OK;
}

enum lh_status pulse_quota_upload(struct pulse_store *store, uint64_t tenant, const struct lh_digest *digest,
                                  uint64_t size, struct lh_error *error)
{
    uint64_t quota = 0;
    struct pulse_usage usage;
    bool there = false;
    enum lh_status status = read_quota(store, tenant, &quota, error);
    if (status != LH_OK || quota == 0) {
        return status;
    }
    status = pulse_store_media(store, tenant, digest, 1, note_medium, &there, error);
    if (status != LH_OK || there) {
        return status;
    }
    status = pulse_store_usage_kept(store, tenant, &usage, error);
    if (status != LH_OK) {
        return status;
    }
    uint64_t used = usage.media_bytes + usage.file_bytes;
    if (size <= quota && used <= quota - size) {
        return LH_OK;
    }
    return lh_error_set(error, LH_ERR_QUOTA, NULL,
                        "the tenant's quota is %" PRIu64 " bytes; uploads use %" PRIu64 " and finished files %" PRIu64
                        ", so that there is no room for another %" PRIu64 "; " ADVICE,
                        quota, usage.media_bytes, usage.file_bytes, size);
}

/* ---- plans ---- */

/* An output that the plan names. */
struct named {
    const struct lh_digest *key;
    const struct pulse_farm_shard *maker; /* the first that makes it; NULL: none */
    uint64_t size;                        /* as it is, or as estimated */
    bool there, present;                  /* `there`: present or promised */
    bool looked_at, counted;
};

struct needing {
    struct lh_arena *arena;
    struct named *items; /* by key */
    struct lh_digest *keys;
    size_t count;
    const struct named **stack;
    size_t depth;
    uint64_t made, taken; /* bytes: that have to be made; that are there and needed */
};

static int by_key(const void *a, const void *b)
{
    const struct named *x = a, *y = b;
    int order = memcmp(x->key, y->key, sizeof *x->key);
    if (order != 0) {
        return order;
    }
    /* Of those of one key the one with the first maker is kept. */
    if (x->maker == NULL || y->maker == NULL) {
        return (x->maker == NULL) - (y->maker == NULL);
    }
    return (x->maker > y->maker) - (x->maker < y->maker);
}

static void name(struct needing *needing, const struct lh_digest *key, const struct pulse_farm_shard *maker,
                 uint64_t size)
{
    needing->items[needing->count++] = (struct named){.key = key, .maker = maker, .size = size};
}

static bool collect(struct needing *needing, const struct pulse_farm_plan *plan)
{
    size_t most = plan->want_count, kept = 0;
    for (size_t i = 0; i < plan->shard_count; i++) {
        most += plan->shards[i].input_count + plan->shards[i].output_count;
    }
    needing->items = lh_arena_array(needing->arena, most, sizeof *needing->items);
    needing->keys = lh_arena_array(needing->arena, most, sizeof *needing->keys);
    needing->stack = lh_arena_array(needing->arena, most, sizeof *needing->stack);
    if (needing->items == NULL || needing->keys == NULL || needing->stack == NULL) {
        return false;
    }
    for (size_t i = 0; i < plan->want_count; i++) {
        name(needing, &plan->wants[i], NULL, 0);
    }
    for (size_t i = 0; i < plan->shard_count; i++) {
        const struct pulse_farm_shard *shard = &plan->shards[i];
        for (size_t k = 0; k < shard->input_count; k++) {
            name(needing, &shard->inputs[k], NULL, 0);
        }
        for (size_t k = 0; k < shard->output_count; k++) {
            name(needing, &shard->outputs[k].key, shard, shard->outputs[k].size);
        }
    }
    if (needing->count > 0) {
        qsort(needing->items, needing->count, sizeof *needing->items, by_key);
    }
    for (size_t i = 0; i < needing->count; i++) {
        if (kept == 0 || !lh_digest_equal(needing->items[kept - 1].key, needing->items[i].key)) {
            needing->items[kept] = needing->items[i];
            needing->keys[kept++] = *needing->items[i].key;
        }
    }
    needing->count = kept;
    return true;
}

static enum lh_status take_row(void *context, size_t index, const struct pulse_output_row *row)
{
    struct named *item = &((struct needing *)context)->items[index];
    item->there = true;
    item->present = row->state == PULSE_OUTPUT_PRESENT;
    item->size = row->size;
    return LH_OK;
}

static struct named *find(const struct needing *needing, const struct lh_digest *key)
{
    size_t low = 0, high = needing->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (memcmp(needing->items[middle].key, key, sizeof *key) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return &needing->items[low]; /* the plan names all that it refers to */
}

static uint64_t sum(uint64_t a, uint64_t b)
{
    return a <= UINT64_MAX - b ? a + b : UINT64_MAX;
}

static void need(struct needing *needing, const struct lh_digest *key)
{
    struct named *item = find(needing, key);
    if (item->looked_at) {
        return;
    }
    item->looked_at = true;
    if (item->there) {
        needing->taken = sum(needing->taken, item->present ? item->size : 0);
    } else if (item->maker != NULL) {
        needing->stack[needing->depth++] = item;
    }
}

/* As the core will admit it: makers of what is neither present nor promised, and all that these need. */
static void walk(struct needing *needing, const struct pulse_farm_plan *plan)
{
    for (size_t i = 0; i < plan->want_count; i++) {
        need(needing, &plan->wants[i]);
    }
    while (needing->depth > 0) {
        const struct pulse_farm_shard *maker = needing->stack[--needing->depth]->maker;
        for (size_t i = 0; i < maker->output_count; i++) {
            struct named *made = find(needing, &maker->outputs[i].key);
            needing->made = sum(needing->made, made->there || made->counted ? 0 : made->size);
            made->counted = true;
        }
        for (size_t i = 0; i < maker->input_count; i++) {
            need(needing, &maker->inputs[i]);
        }
    }
}

enum lh_status pulse_quota_plan(struct pulse_store *store, uint64_t tenant, const struct pulse_farm_plan *plan,
                                struct lh_arena *arena, struct lh_error *error)
{
    uint64_t quota = 0;
    struct pulse_usage usage;
    struct needing needing = {.arena = arena};
    enum lh_status status = read_quota(store, tenant, &quota, error);
    if (status != LH_OK || quota == 0) {
        return status;
    }
    if (!collect(&needing, plan)) {
        return lh_error_no_memory(error);
    }
    status = pulse_store_outputs(store, tenant, needing.keys, needing.count, take_row, &needing, error);
    if (status != LH_OK) {
        return status;
    }
    walk(&needing, plan);
    if (needing.made == 0) {
        return LH_OK;
    }
    status = pulse_store_usage(store, tenant, &usage, error);
    if (status != LH_OK) {
        return status;
    }
    uint64_t used = sum(usage.media_bytes + usage.file_bytes + usage.promised_bytes, needing.taken);
    if (needing.made <= quota && used <= quota - needing.made) {
        return LH_OK;
    }
    return lh_error_set(error, LH_ERR_QUOTA, NULL,
                        "the tenant's quota is %" PRIu64 " bytes; uploads use %" PRIu64 ", finished files %" PRIu64
                        ", jobs under way %" PRIu64 ", so that there is no room for the %" PRIu64
                        " that this job may take; " ADVICE,
                        quota, usage.media_bytes, usage.file_bytes, usage.promised_bytes + needing.taken, needing.made);
}

/* ---- what is too much ---- */

enum lh_status pulse_quota_excess(struct pulse_store *store, uint64_t tenant, uint64_t *bytes, struct lh_error *error)
{
    uint64_t quota = 0;
    struct pulse_usage usage = {0};
    enum lh_status status = read_quota(store, tenant, &quota, error);
    if (status == LH_OK && quota > 0) {
        status = pulse_store_usage(store, tenant, &usage, error);
    }
    if (status == LH_OK) {
        uint64_t used = usage.media_bytes + usage.file_bytes + usage.promised_bytes + usage.output_bytes;
        uint64_t excess = quota > 0 && used > quota ? used - quota : 0;
        *bytes = excess < usage.output_bytes ? excess : usage.output_bytes;
    }
    return status;
}
