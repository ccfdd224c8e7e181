/* SPDX-License-Identifier: MIT */
/* Holding, reading and promoting blobs. A suspect one is verified on the way. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/blobs/blobs_impl.h"

#define TOUCH_EVERY_NS (3600 * LH_CLOCK_SECOND_NS) /* the file's time follows its use no finer than this */

static enum lh_status missing(struct lh_error *error)
{
    return lh_error_set(error, LH_ERR_MISSING, NULL, "there is no such blob");
}

/* Whether the bytes are those of the digest. LH_ERR_MISSING when not; the entry is busy and stays so. */
static enum lh_status verify_file(const struct lh_blobs *blobs, const struct lh_blobs_entry *entry,
                                  struct lh_error *error)
{
    int fd = -1;
    struct lh_digest digest;
    int code = lh_blobs_open_file(blobs, entry->place, &entry->digest, entry->size, &fd);
    if (code != 0) {
        return code == ENOENT ? missing(error) : lh_blobs_fail(error, code, NULL, "verified");
    }
    enum lh_status status = lh_digest_file(fd, &digest, error);
    close(fd);
    if (status == LH_OK && !lh_digest_equal(&digest, &entry->digest)) {
        return missing(error);
    }
    return status;
}

int lh_blobs_believe(struct lh_blobs *blobs, struct lh_blobs_entry *entry)
{
    char from[LH_BLOBS_PATH_SIZE], to[LH_BLOBS_PATH_SIZE];
    lh_blobs_path(LH_BLOBS_IN_SUSPECT, &entry->digest, from);
    lh_blobs_path(LH_BLOBS_IN_CACHED, &entry->digest, to);
    int code = lh_blobs_rename(blobs, from, to, false);
    pthread_mutex_lock(&blobs->mutex);
    if (code == 0) {
        lh_blobs_discount(blobs, entry);
        entry->place = LH_BLOBS_IN_CACHED;
        lh_blobs_count(blobs, entry);
    }
    lh_blobs_settle(blobs, entry);
    pthread_mutex_unlock(&blobs->mutex);
    return code;
}

/* A suspect is believed from now on, or gone. Called with the lock, and returns with it. */
static enum lh_status settle_suspect(struct lh_blobs *blobs, struct lh_blobs_entry *entry, struct lh_error *error)
{
    entry->work = LH_BLOBS_CHANGING;
    pthread_mutex_unlock(&blobs->mutex);
    enum lh_status status = verify_file(blobs, entry, error);
    int code = 0;
    if (status == LH_OK) {
        code = lh_blobs_believe(blobs, entry);
    } else if (status == LH_ERR_MISSING) {
        code = lh_blobs_take_out(blobs, entry, true);
    }
    pthread_mutex_lock(&blobs->mutex);
    if (status != LH_OK && status != LH_ERR_MISSING) {
        lh_blobs_settle(blobs, entry);
    }
    return code == 0 ? status : lh_blobs_fail(error, code, NULL, "moved");
}

enum lh_status lh_blobs_hold(struct lh_blobs *blobs, const struct lh_digest *digest, struct lh_blob *blob,
                             struct lh_error *error)
{
    enum lh_status status = LH_OK;
    pthread_mutex_lock(&blobs->mutex);
    struct lh_blobs_entry *entry = lh_blobs_await(blobs, digest);
    while (status == LH_OK && entry != NULL && entry->place == LH_BLOBS_IN_SUSPECT) {
        status = settle_suspect(blobs, entry, error);
        entry = status == LH_OK ? lh_blobs_await(blobs, digest) : NULL;
    }
    if (status == LH_OK && entry == NULL) {
        status = missing(error);
    }
    if (status == LH_OK) {
        entry->holds++;
        entry->used_ns = lh_blobs_wall_ns();
        if (blob != NULL) {
            *blob = lh_blobs_told(entry);
        }
    }
    pthread_mutex_unlock(&blobs->mutex);
    return status;
}

void lh_blobs_release(struct lh_blobs *blobs, const struct lh_digest *digest)
{
    pthread_mutex_lock(&blobs->mutex);
    struct lh_blobs_entry *entry = lh_blobs_find(blobs, digest);
    /* What is damaged goes even while it is held. */
    if (entry != NULL && entry->holds > 0) {
        entry->holds--;
    }
    pthread_mutex_unlock(&blobs->mutex);
}

/* The file's own time says when it was used last, for the order of eviction after a restart. */
static void touch(int fd)
{
    struct stat info;
    uint64_t now = lh_blobs_wall_ns();
    if (fstat(fd, &info) == 0 && (uint64_t)info.st_mtim.tv_sec * LH_CLOCK_SECOND_NS + TOUCH_EVERY_NS < now) {
        (void)futimens(fd, NULL);
    }
}

/* The file is gone though nobody told us; unless it came back meanwhile. */
static void forget(struct lh_blobs *blobs, const struct lh_digest *digest)
{
    pthread_mutex_lock(&blobs->mutex);
    struct lh_blobs_entry *entry = lh_blobs_await(blobs, digest);
    if (entry != NULL) {
        entry->work = LH_BLOBS_CHANGING;
    }
    pthread_mutex_unlock(&blobs->mutex);
    if (entry == NULL) {
        return;
    }
    int fd = -1;
    int code = lh_blobs_open_file(blobs, entry->place, digest, entry->size, &fd);
    if (code == 0) {
        close(fd);
    }
    pthread_mutex_lock(&blobs->mutex);
    if (code == ENOENT) {
        lh_blobs_discount(blobs, entry);
        lh_blobs_delete(blobs, entry);
    } else {
        lh_blobs_settle(blobs, entry);
    }
    pthread_mutex_unlock(&blobs->mutex);
}

enum lh_status lh_blobs_read(struct lh_blobs *blobs, const struct lh_digest *digest, int *fd, struct lh_blob *blob,
                             struct lh_error *error)
{
    struct lh_blob found;
    enum lh_status status = lh_blobs_hold(blobs, digest, &found, error);
    if (status != LH_OK) {
        return status;
    }
    /* Another may promote it just now, which moves the file from cached/ to kept/. */
    int opened = -1;
    bool kept = found.kind == LH_BLOBS_KEPT;
    int code = lh_blobs_open_file(blobs, kept ? LH_BLOBS_IN_KEPT : LH_BLOBS_IN_CACHED, digest, found.size, &opened);
    code = code == ENOENT && !kept ? lh_blobs_open_file(blobs, LH_BLOBS_IN_KEPT, digest, found.size, &opened) : code;
    lh_blobs_release(blobs, digest);
    if (code == ENOENT) {
        forget(blobs, digest);
        return missing(error);
    }
    if (code != 0) {
        return lh_blobs_fail(error, code, NULL, "read");
    }
    touch(opened);
    *fd = opened;
    if (blob != NULL) {
        *blob = found;
    }
    return LH_OK;
}

/* 0 or the errno; ENOENT when the file is gone. */
static int promote(const struct lh_blobs *blobs, const struct lh_digest *digest, uint64_t size)
{
    char from[LH_BLOBS_PATH_SIZE], to[LH_BLOBS_PATH_SIZE];
    int fd = -1;
    int code = lh_blobs_open_file(blobs, LH_BLOBS_IN_CACHED, digest, size, &fd);
    if (code != 0) {
        return code;
    }
    lh_blobs_path(LH_BLOBS_IN_CACHED, digest, from);
    lh_blobs_path(LH_BLOBS_IN_KEPT, digest, to);
    code = fsync(fd) == 0 ? 0 : errno;
    close(fd);
    if (code != 0) {
        return code;
    }
    code = lh_blobs_rename(blobs, from, to, true);
    if (code != 0) {
        (void)lh_blobs_rename(blobs, to, from, false); /* when only the synchronisation failed: still a cached one */
    }
    return code;
}

enum lh_status lh_blobs_keep(struct lh_blobs *blobs, const struct lh_digest *digest, struct lh_error *error)
{
    struct lh_blob found;
    enum lh_status status = lh_blobs_hold(blobs, digest, &found, error);
    if (status != LH_OK) {
        return status;
    }
    pthread_mutex_lock(&blobs->mutex);
    struct lh_blobs_entry *entry = lh_blobs_await(blobs, digest);
    int code = entry == NULL ? ENOENT : 0;
    if (entry != NULL && entry->place != LH_BLOBS_IN_KEPT) {
        entry->work = LH_BLOBS_CHANGING;
        pthread_mutex_unlock(&blobs->mutex);
        code = promote(blobs, digest, entry->size);
        pthread_mutex_lock(&blobs->mutex);
        if (code == 0) {
            lh_blobs_discount(blobs, entry);
            entry->place = LH_BLOBS_IN_KEPT;
            lh_blobs_count(blobs, entry);
        }
        lh_blobs_settle(blobs, entry);
    }
    pthread_mutex_unlock(&blobs->mutex);
    lh_blobs_release(blobs, digest);
    if (code == ENOENT) {
        forget(blobs, digest);
        return missing(error);
    }
    return code == 0 ? LH_OK : lh_blobs_fail(error, code, NULL, "synchronised");
}
