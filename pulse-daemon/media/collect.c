/* SPDX-License-Identifier: MIT */
/* The collector. */
#include "pulse-daemon/media/collect.h"

#include <assert.h>
#include <stdlib.h>

#include "pulse-daemon/store/store.h"

/* Blobs that are marked, and what the store says of them. */
struct marked {
    struct lh_digest digests[PULSE_COLLECT_BATCH];
    bool referenced[PULSE_COLLECT_BATCH];
    size_t count;
};

static void unmark(struct lh_blobs *blobs, const struct marked *marked, size_t first)
{
    for (size_t i = first; i < marked->count; i++) {
        lh_blobs_unmark(blobs, &marked->digests[i]);
    }
}

/* Removes what nothing refers to; every mark is gone afterwards, whatever comes of it. */
static enum lh_status carry_out(struct lh_blobs *blobs, const struct marked *marked, struct pulse_collected *collected,
                                struct lh_error *error)
{
    for (size_t i = 0; i < marked->count; i++) {
        uint64_t size = 0;
        if (marked->referenced[i]) {
            lh_blobs_unmark(blobs, &marked->digests[i]);
            continue;
        }
        enum lh_status status = lh_blobs_remove(blobs, &marked->digests[i], &size, error);
        if (status != LH_OK) {
            unmark(blobs, marked, i + 1);
            return status;
        }
        collected->blobs++;
        collected->bytes += size;
    }
    return LH_OK;
}

enum lh_status pulse_media_release(struct lh_blobs *blobs, struct pulse_store *store, const struct lh_digest *digests,
                                   size_t count, uint64_t unused_ms, struct pulse_collected *collected,
                                   struct lh_error *error)
{
    assert(count <= PULSE_COLLECT_BATCH);
    struct marked marked = {.count = 0};
    struct pulse_collected told = {0};
    for (size_t i = 0; i < count; i++) {
        if (lh_blobs_mark(blobs, &digests[i], unused_ms)) {
            marked.digests[marked.count++] = digests[i];
        }
    }
    if (marked.count > 0) {
        enum lh_status status = pulse_store_referenced(store, marked.digests, marked.count, marked.referenced, error);
        if (status != LH_OK) {
            unmark(blobs, &marked, 0);
            return status;
        }
        status = carry_out(blobs, &marked, &told, error);
        if (status != LH_OK) {
            return status;
        }
    }
    *collected = told;
    return LH_OK;
}

/* Rows of uploads that nobody made anything of. */
static enum lh_status forget(struct pulse_store *store, int64_t now_ms, size_t *removed, struct lh_error *error)
{
    enum lh_status status = pulse_store_begin(store, now_ms, error);
    if (status != LH_OK) {
        return status;
    }
    status = pulse_store_media_forget(store, PULSE_COLLECT_BATCH, removed, error);
    if (status != LH_OK) {
        pulse_store_rollback(store);
        return status;
    }
    return pulse_store_commit(store, error);
}

enum lh_status pulse_media_sweep(struct lh_blobs *blobs, struct pulse_store *store, struct pulse_sweep *sweep,
                                 int64_t now_ms, uint64_t unused_ms, struct pulse_collected *collected,
                                 struct lh_error *error)
{
    struct pulse_collected told = {0};
    size_t rows = 0;
    enum lh_status status = sweep->started ? LH_OK : forget(store, now_ms, &rows, error);
    if (status != LH_OK) {
        return status;
    }
    struct lh_blob found[PULSE_COLLECT_BATCH];
    struct lh_digest digests[PULSE_COLLECT_BATCH];
    size_t count = lh_blobs_list(blobs, sweep->started ? &sweep->cursor : NULL, found, PULSE_COLLECT_BATCH);
    for (size_t i = 0; i < count; i++) {
        digests[i] = found[i].digest;
    }
    status = pulse_media_release(blobs, store, digests, count, unused_ms, &told, error);
    if (status != LH_OK) {
        return status;
    }
    told.rows = rows;
    told.more = count == PULSE_COLLECT_BATCH;
    sweep->started = told.more;
    if (told.more) {
        sweep->cursor = digests[count - 1];
    }
    *collected = told;
    return LH_OK;
}

/* ---- Eviction -------------------------------------------------------------------------------------------------------
 */

struct choice {
    const struct pulse_eviction *eviction;
    struct pulse_change changes[PULSE_COLLECT_BATCH];
    struct lh_digest digests[PULSE_COLLECT_BATCH];
    size_t count, seen;
    uint64_t bytes;
};

static enum lh_status choose(void *context, size_t index, const struct pulse_output_row *output)
{
    struct choice *choice = context;
    const struct pulse_eviction *eviction = choice->eviction;
    (void)index;
    choice->seen++;
    bool enough = choice->bytes >= eviction->bytes;
    bool held = eviction->is_held != NULL && eviction->is_held(eviction->context, output->tenant, &output->key);
    if (enough || held || choice->count == PULSE_COLLECT_BATCH) {
        return LH_OK;
    }
    struct pulse_change *change = &choice->changes[choice->count];
    change->kind = PULSE_CHANGE_ABSENT;
    change->output.tenant = output->tenant;
    change->output.key = output->key;
    choice->digests[choice->count++] = output->digest;
    choice->bytes += output->size;
    return LH_OK;
}

static enum lh_status make_absent(struct pulse_store *store, struct choice *choice, struct lh_error *error)
{
    const struct pulse_eviction *eviction = choice->eviction;
    enum lh_status status = pulse_store_begin(store, eviction->now_ms, error);
    if (status != LH_OK) {
        return status;
    }
    status = pulse_store_outputs_idle(store, eviction->tenant, PULSE_COLLECT_BATCH, choose, choice, error);
    if (status == LH_OK && choice->count > 0) {
        status = pulse_store_apply(store, choice->changes, choice->count, NULL, error);
    }
    if (status != LH_OK || choice->count == 0) {
        pulse_store_rollback(store);
        return status;
    }
    return pulse_store_commit(store, error);
}

enum lh_status pulse_media_evict(struct lh_blobs *blobs, struct pulse_store *store,
                                 const struct pulse_eviction *eviction, struct pulse_collected *collected,
                                 struct lh_error *error)
{
    struct pulse_collected told = {0};
    struct choice *choice = calloc(1, sizeof *choice);
    if (choice == NULL) {
        return lh_error_no_memory(error);
    }
    choice->eviction = eviction;
    enum lh_status status = eviction->bytes > 0 ? make_absent(store, choice, error) : LH_OK;
    if (status == LH_OK) {
        status = pulse_media_release(blobs, store, choice->digests, choice->count, 0, &told, error);
    }
    told.rows = choice->count;
    told.more = choice->count > 0 && told.bytes < eviction->bytes;
    free(choice);
    if (status == LH_OK) {
        *collected = told;
    }
    return status;
}
