/* SPDX-License-Identifier: MIT */
/* Which blobs there are: entries sorted by digest in as many arrays as a byte has values. */
#include <stdlib.h>
#include <string.h>

#include "common/blobs/blobs_impl.h"

#define CAPACITY_MIN 16u

/* Where the digest is in its shard, or would be. */
static size_t place_of(const struct lh_blobs_shard *shard, const struct lh_digest *digest)
{
    size_t low = 0, high = shard->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (memcmp(shard->entries[middle]->digest.bytes, digest->bytes, LH_DIGEST_SIZE) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

struct lh_blobs_entry *lh_blobs_find(const struct lh_blobs *blobs, const struct lh_digest *digest)
{
    const struct lh_blobs_shard *shard = &blobs->shards[digest->bytes[0]];
    size_t place = place_of(shard, digest);
    bool found = place < shard->count && lh_digest_equal(&shard->entries[place]->digest, digest);
    return found ? shard->entries[place] : NULL;
}

struct lh_blobs_entry *lh_blobs_insert(struct lh_blobs *blobs, const struct lh_digest *digest)
{
    struct lh_blobs_shard *shard = &blobs->shards[digest->bytes[0]];
    if (shard->count == shard->capacity) {
        size_t capacity = shard->capacity > 0 ? shard->capacity * 2 : CAPACITY_MIN;
        struct lh_blobs_entry **grown = realloc(shard->entries, capacity * sizeof(struct lh_blobs_entry *));
        if (grown == NULL) {
            return NULL;
        }
        shard->entries = grown;
        shard->capacity = capacity;
    }
    struct lh_blobs_entry *entry = calloc(1, sizeof *entry);
    if (entry == NULL) {
        return NULL;
    }
    entry->digest = *digest;
    entry->work = LH_BLOBS_PLACING;
    size_t place = place_of(shard, digest);
    memmove(shard->entries + place + 1, shard->entries + place, (shard->count - place) * sizeof *shard->entries);
    shard->entries[place] = entry;
    shard->count++;
    return entry;
}

void lh_blobs_count(struct lh_blobs *blobs, const struct lh_blobs_entry *entry)
{
    blobs->usage.count++;
    blobs->usage.bytes += entry->size;
    if (entry->place != LH_BLOBS_IN_KEPT) {
        blobs->usage.cached_count++;
        blobs->usage.cached_bytes += entry->size;
    }
    blobs->usage.suspect_count += entry->place == LH_BLOBS_IN_SUSPECT ? 1 : 0;
}

void lh_blobs_discount(struct lh_blobs *blobs, const struct lh_blobs_entry *entry)
{
    blobs->usage.count--;
    blobs->usage.bytes -= entry->size;
    if (entry->place != LH_BLOBS_IN_KEPT) {
        blobs->usage.cached_count--;
        blobs->usage.cached_bytes -= entry->size;
    }
    blobs->usage.suspect_count -= entry->place == LH_BLOBS_IN_SUSPECT ? 1 : 0;
}

void lh_blobs_delete(struct lh_blobs *blobs, struct lh_blobs_entry *entry)
{
    struct lh_blobs_shard *shard = &blobs->shards[entry->digest.bytes[0]];
    size_t place = place_of(shard, &entry->digest);
    shard->count--;
    memmove(shard->entries + place, shard->entries + place + 1, (shard->count - place) * sizeof *shard->entries);
    free(entry);
    pthread_cond_broadcast(&blobs->idle);
}

struct lh_blobs_entry *lh_blobs_after(const struct lh_blobs *blobs, const struct lh_digest *after)
{
    size_t first = 0;
    size_t number = after != NULL ? after->bytes[0] : 0;
    if (after != NULL) {
        const struct lh_blobs_shard *shard = &blobs->shards[number];
        first = place_of(shard, after);
        first += first < shard->count && lh_digest_equal(&shard->entries[first]->digest, after) ? 1 : 0;
    }
    for (; number < LH_BLOBS_SHARDS; number++, first = 0) {
        if (first < blobs->shards[number].count) {
            return blobs->shards[number].entries[first];
        }
    }
    return NULL;
}

struct lh_blobs_entry *lh_blobs_await(struct lh_blobs *blobs, const struct lh_digest *digest)
{
    for (;;) {
        /* Looked up anew each time: while we waited it may have been freed. */
        struct lh_blobs_entry *entry = lh_blobs_find(blobs, digest);
        if (entry == NULL || entry->work == LH_BLOBS_IDLE) {
            return entry;
        }
        pthread_cond_wait(&blobs->idle, &blobs->mutex);
    }
}

void lh_blobs_settle(struct lh_blobs *blobs, struct lh_blobs_entry *entry)
{
    entry->work = LH_BLOBS_IDLE;
    pthread_cond_broadcast(&blobs->idle);
}

struct lh_blob lh_blobs_told(const struct lh_blobs_entry *entry)
{
    return (struct lh_blob){.digest = entry->digest,
                            .size = entry->size,
                            .kind = entry->place == LH_BLOBS_IN_KEPT ? LH_BLOBS_KEPT : LH_BLOBS_CACHED};
}

void lh_blobs_index_fini(struct lh_blobs *blobs)
{
    for (size_t i = 0; i < LH_BLOBS_SHARDS; i++) {
        for (size_t e = 0; e < blobs->shards[i].count; e++) {
            free(blobs->shards[i].entries[e]);
        }
        free(blobs->shards[i].entries);
    }
}
