/* SPDX-License-Identifier: MIT */
/* Ways out: marked and removed, evicted, or found to be damaged. A file loses its name by a rename into trash/, which
   is quick; unlinking a large one is not. */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/blobs/blobs_impl.h"

bool lh_blobs_mark(struct lh_blobs *blobs, const struct lh_digest *digest, uint64_t unused_ms)
{
    uint64_t now = lh_blobs_wall_ns();
    pthread_mutex_lock(&blobs->mutex);
    struct lh_blobs_entry *entry = lh_blobs_find(blobs, digest);
    bool markable = entry != NULL && entry->work == LH_BLOBS_IDLE && entry->holds == 0;
    if (markable && unused_ms > 0) {
        /* By a clock that was set back it was used in the future: long ago, then. */
        uint64_t ago = now > entry->used_ns ? now - entry->used_ns : UINT64_MAX;
        markable = ago / LH_BLOBS_MS_NS >= unused_ms;
    }
    if (markable) {
        entry->work = LH_BLOBS_LEAVING;
    }
    pthread_mutex_unlock(&blobs->mutex);
    return markable;
}

void lh_blobs_unmark(struct lh_blobs *blobs, const struct lh_digest *digest)
{
    pthread_mutex_lock(&blobs->mutex);
    struct lh_blobs_entry *entry = lh_blobs_find(blobs, digest);
    assert(entry != NULL && entry->work == LH_BLOBS_LEAVING);
    lh_blobs_settle(blobs, entry);
    pthread_mutex_unlock(&blobs->mutex);
}

int lh_blobs_take_out(struct lh_blobs *blobs, struct lh_blobs_entry *entry, bool damaged)
{
    char from[LH_BLOBS_PATH_SIZE], to[LH_BLOBS_PATH_SIZE];
    lh_blobs_path(entry->place, &entry->digest, from);
    pthread_mutex_lock(&blobs->mutex);
    uint64_t number = blobs->names++;
    pthread_mutex_unlock(&blobs->mutex);
    if (damaged && entry->place == LH_BLOBS_IN_KEPT) {
        snprintf(to, sizeof to, "damaged/%s", strrchr(from, '/') + 1);
    } else {
        snprintf(to, sizeof to, "trash/%" PRIx64, number);
    }
    int code = lh_blobs_rename(blobs, from, to, false);
    code = code == ENOENT ? 0 : code; /* gone already */
    pthread_mutex_lock(&blobs->mutex);
    if (code == 0) {
        lh_blobs_discount(blobs, entry);
        lh_blobs_delete(blobs, entry);
    } else {
        lh_blobs_settle(blobs, entry);
    }
    pthread_mutex_unlock(&blobs->mutex);
    return code;
}

enum lh_status lh_blobs_remove(struct lh_blobs *blobs, const struct lh_digest *digest, uint64_t *size,
                               struct lh_error *error)
{
    pthread_mutex_lock(&blobs->mutex);
    struct lh_blobs_entry *entry = lh_blobs_find(blobs, digest);
    assert(entry != NULL && entry->work == LH_BLOBS_LEAVING);
    uint64_t gone = entry->size;
    pthread_mutex_unlock(&blobs->mutex);
    int code = lh_blobs_take_out(blobs, entry, false);
    if (code != 0) {
        return lh_blobs_fail(error, code, NULL, "removed");
    }
    if (size != NULL) {
        *size = gone;
    }
    return LH_OK;
}

void lh_blobs_empty_trash(struct lh_blobs *blobs)
{
    lh_blobs_clear(blobs, "trash", "", 0);
}

void lh_blobs_drop_strays(struct lh_blobs *blobs)
{
    if (blobs->handed_over_max_ns > 0) {
        lh_blobs_clear(blobs, "incoming", "from-", blobs->handed_over_max_ns);
    }
}

/* ---- Eviction -------------------------------------------------------------------------------------------------------
 */

struct candidate {
    struct lh_digest digest;
    uint64_t used_ns;
};

static int compare_use(const void *a, const void *b)
{
    const struct candidate *first = a, *second = b;
    if (first->used_ns != second->used_ns) {
        return first->used_ns < second->used_ns ? -1 : 1;
    }
    return memcmp(&first->digest, &second->digest, sizeof first->digest);
}

uint64_t lh_blobs_excess(struct lh_blobs *blobs, uint64_t bytes)
{
    uint64_t space = lh_blobs_free_space(blobs);
    bytes = bytes < INT64_MAX ? bytes : INT64_MAX; /* sums stay far from the end of the numbers */
    pthread_mutex_lock(&blobs->mutex);
    uint64_t used = blobs->usage.bytes + blobs->reserved + bytes;
    uint64_t over_quota = blobs->quota != 0 && used > blobs->quota ? used - blobs->quota : 0;
    uint64_t needed = blobs->floor + blobs->unwritten + bytes;
    pthread_mutex_unlock(&blobs->mutex);
    uint64_t over_space = needed > space ? needed - space : 0;
    return over_quota > over_space ? over_quota : over_space;
}

/* Those that may go, longest unused first; to be freed. The lock is held. */
static struct candidate *list_candidates(const struct lh_blobs *blobs, size_t *count)
{
    struct candidate *candidates = calloc((size_t)blobs->usage.cached_count + 1, sizeof *candidates);
    if (candidates == NULL) {
        return NULL;
    }
    size_t found = 0;
    const struct lh_blobs_entry *entry = lh_blobs_after(blobs, NULL);
    for (; entry != NULL; entry = lh_blobs_after(blobs, &entry->digest)) {
        bool cached = entry->place != LH_BLOBS_IN_KEPT && entry->work == LH_BLOBS_IDLE && entry->holds == 0;
        if (cached) {
            candidates[found++] = (struct candidate){.digest = entry->digest, .used_ns = entry->used_ns};
        }
    }
    qsort(candidates, found, sizeof *candidates, compare_use);
    *count = found;
    return candidates;
}

enum lh_status lh_blobs_evict(struct lh_blobs *blobs, uint64_t bytes, uint64_t *freed, struct lh_error *error)
{
    uint64_t wanted = lh_blobs_excess(blobs, bytes);
    if (wanted == 0) {
        *freed = 0;
        return LH_OK;
    }
    size_t count = 0;
    pthread_mutex_lock(&blobs->mutex);
    struct candidate *candidates = list_candidates(blobs, &count);
    pthread_mutex_unlock(&blobs->mutex);
    if (candidates == NULL) {
        return lh_error_no_memory(error);
    }
    enum lh_status status = LH_OK;
    uint64_t gone = 0;
    for (size_t i = 0; i < count && gone < wanted && status == LH_OK; i++) {
        if (lh_blobs_mark(blobs, &candidates[i].digest, 0)) {
            uint64_t size = 0;
            status = lh_blobs_remove(blobs, &candidates[i].digest, &size, error);
            gone += size;
        }
    }
    free(candidates);
    lh_blobs_empty_trash(blobs);
    if (status == LH_OK) {
        *freed = gone;
    }
    return status;
}
