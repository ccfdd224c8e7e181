/* SPDX-License-Identifier: MIT */
/* Opening, closing and looking at a folder of blobs. */
#include "common/blobs/blobs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "common/blobs/blobs_impl.h"

#define FOLDER_MODE 0700
#define FILE_MODE 0600

static enum lh_status open_folder(const char *path, struct lh_blobs *blobs, struct lh_error *error)
{
    if (mkdir(path, FOLDER_MODE) != 0 && errno != EEXIST) {
        return lh_blobs_fail(error, errno, path, "made");
    }
    blobs->folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (blobs->folder < 0) {
        return lh_blobs_fail(error, errno, path, "opened");
    }
    blobs->lock = openat(blobs->folder, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
    if (blobs->lock < 0) {
        return lh_blobs_fail(error, errno, path, "written to");
    }
    if (flock(blobs->lock, LOCK_EX | LOCK_NB) != 0) {
        return errno == EWOULDBLOCK
                   ? lh_error_set(error, LH_ERR_USAGE, path, "another process owns this folder of blobs")
                   : lh_blobs_fail(error, errno, path, "locked");
    }
    return LH_OK;
}

static void fini(struct lh_blobs *blobs)
{
    lh_blobs_index_fini(blobs);
    if (blobs->lock >= 0) {
        close(blobs->lock);
    }
    if (blobs->folder >= 0) {
        close(blobs->folder);
    }
    pthread_cond_destroy(&blobs->idle);
    pthread_mutex_destroy(&blobs->mutex);
    free(blobs);
}

enum lh_status lh_blobs_open(const char *folder, const struct lh_blobs_options *options, struct lh_blobs **blobs,
                             struct lh_error *error)
{
    struct lh_blobs *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return lh_error_no_memory(error);
    }
    *made = (struct lh_blobs){.folder = -1,
                              .lock = -1,
                              .sync_at_close = options->sync_at_close,
                              .mutex = PTHREAD_MUTEX_INITIALIZER,
                              .idle = PTHREAD_COND_INITIALIZER,
                              .quota = options->quota_bytes,
                              .handed_over_max_ns = options->handed_over_max_ms * LH_BLOBS_MS_NS,
                              .floor = options->floor_bytes};
    enum lh_status status = open_folder(folder, made, error);
    status = status == LH_OK ? lh_blobs_start(made, error) : status;
    if (status != LH_OK) {
        fini(made);
        return status;
    }
    *blobs = made;
    return LH_OK;
}

void lh_blobs_close(struct lh_blobs *blobs)
{
    if (blobs == NULL) {
        return;
    }
    if (blobs->sync_at_close) {
        /* Without the mark the next owner verifies more, no worse. */
        enum lh_status status = lh_blobs_mark_orderly(blobs, NULL);
        (void)status;
    }
    fini(blobs);
}

void lh_blobs_limit(struct lh_blobs *blobs, uint64_t quota_bytes, uint64_t floor_bytes)
{
    pthread_mutex_lock(&blobs->mutex);
    blobs->quota = quota_bytes;
    blobs->floor = floor_bytes;
    pthread_mutex_unlock(&blobs->mutex);
}

uint64_t lh_blobs_free_space(const struct lh_blobs *blobs)
{
    struct statvfs info;
    return fstatvfs(blobs->folder, &info) == 0 ? (uint64_t)info.f_bavail * info.f_frsize : 0;
}

void lh_blobs_usage(struct lh_blobs *blobs, struct lh_blobs_usage *usage)
{
    uint64_t free_bytes = lh_blobs_free_space(blobs);
    pthread_mutex_lock(&blobs->mutex);
    *usage = blobs->usage;
    usage->free_bytes = free_bytes > blobs->floor ? free_bytes - blobs->floor : 0;
    pthread_mutex_unlock(&blobs->mutex);
}

bool lh_blobs_has(struct lh_blobs *blobs, const struct lh_digest *digest, struct lh_blob *blob)
{
    pthread_mutex_lock(&blobs->mutex);
    const struct lh_blobs_entry *entry = lh_blobs_find(blobs, digest);
    bool there = entry != NULL && (entry->work == LH_BLOBS_IDLE || entry->work == LH_BLOBS_CHANGING);
    if (there && blob != NULL) {
        *blob = lh_blobs_told(entry);
    }
    pthread_mutex_unlock(&blobs->mutex);
    return there;
}

size_t lh_blobs_list(struct lh_blobs *blobs, const struct lh_digest *after, struct lh_blob *items, size_t capacity)
{
    size_t count = 0;
    pthread_mutex_lock(&blobs->mutex);
    const struct lh_blobs_entry *entry = lh_blobs_after(blobs, after);
    for (; entry != NULL && count < capacity; entry = lh_blobs_after(blobs, &entry->digest)) {
        if (entry->work != LH_BLOBS_PLACING) {
            items[count++] = lh_blobs_told(entry);
        }
    }
    pthread_mutex_unlock(&blobs->mutex);
    return count;
}

void lh_blobs_token(const struct lh_blobs *blobs, uint8_t token[LH_BLOBS_TOKEN_SIZE])
{
    memcpy(token, blobs->token, LH_BLOBS_TOKEN_SIZE);
}
