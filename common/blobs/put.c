/* SPDX-License-Identifier: MIT */
/* Ways in: bytes written aside, and files that others wrote aside. Only what is whole and verified gets a name. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/blobs/blobs_impl.h"

#define FILE_MODE 0600
#define FLUSH_EVERY (UINT64_C(8) << 20) /* bytes after which the kernel is asked to begin with writing back */

struct lh_blobs_put {
    struct lh_blobs *blobs;
    int fd;
    char path[LH_BLOBS_PATH_SIZE]; /* in incoming/ */
    bool is_announced, done, failed;
    struct lh_digest announced;
    uint64_t expected; /* or LH_BLOBS_SIZE_UNKNOWN */
    enum lh_blobs_kind kind;
    struct lh_hasher *hasher;
    uint64_t size, flushed;
    uint64_t reserved; /* that the folder still counts for it */
};

/* ---- Room -----------------------------------------------------------------------------------------------------------
 */

static uint64_t add(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

/* Room for `bytes` more: they count from now on; `written` of them are on the disk already. */
static enum lh_status reserve(struct lh_blobs *blobs, uint64_t bytes, bool written, struct lh_error *error)
{
    uint64_t space = written ? UINT64_MAX : lh_blobs_free_space(blobs);
    pthread_mutex_lock(&blobs->mutex);
    uint64_t needed = add(add(blobs->usage.bytes, blobs->reserved), bytes);
    uint64_t quota = blobs->quota;
    bool over = quota != 0 && needed > quota;
    bool full = !over && add(add(blobs->unwritten, blobs->floor), bytes) > space;
    if (!over && !full) {
        blobs->reserved = add(blobs->reserved, bytes);
        blobs->unwritten += written ? 0 : bytes;
    }
    pthread_mutex_unlock(&blobs->mutex);
    if (over) {
        return lh_error_set(error, LH_ERR_LIMIT, NULL,
                            "%" PRIu64 " bytes more would be over the quota of %" PRIu64 " bytes", bytes, quota);
    }
    return full ? lh_error_set(error, LH_ERR_LIMIT, NULL,
                               "%" PRIu64 " bytes more would leave less free on the disk than has to stay free", bytes)
                : LH_OK;
}

static void unreserve(struct lh_blobs *blobs, uint64_t bytes, uint64_t unwritten)
{
    pthread_mutex_lock(&blobs->mutex);
    blobs->reserved -= bytes;
    blobs->unwritten -= unwritten;
    pthread_mutex_unlock(&blobs->mutex);
}

/* ---- Names ----------------------------------------------------------------------------------------------------------
 */

static enum lh_blobs_place place_for(enum lh_blobs_kind kind)
{
    return kind == LH_BLOBS_KEPT ? LH_BLOBS_IN_KEPT : LH_BLOBS_IN_CACHED;
}

/* The file at `from` is called `to` from now on. The entry is busy, the lock is not held. 0 or the errno, after which
   nothing has that name. */
static int give_name(const struct lh_blobs *blobs, int fd, const char *from, const char *to, bool kept)
{
    int code = kept && fsync(fd) != 0 ? errno : 0;
    if (code == 0) {
        code = lh_blobs_rename(blobs, from, to, kept);
        if (code != 0) {
            (void)unlinkat(blobs->folder, to, 0); /* renamed, but perhaps not on the disk */
        }
    }
    return code;
}

/* What there is under the digest becomes busy, or a new entry does. The lock is held. NULL when memory is out. */
static struct lh_blobs_entry *claim(struct lh_blobs *blobs, const struct lh_digest *digest)
{
    struct lh_blobs_entry *entry = lh_blobs_await(blobs, digest);
    if (entry == NULL) {
        return lh_blobs_insert(blobs, digest);
    }
    entry->work = LH_BLOBS_CHANGING;
    return entry;
}

/* The same bytes are there, good enough, and their file really is. */
static bool is_there(const struct lh_blobs *blobs, const struct lh_blobs_entry *entry, enum lh_blobs_kind wanted)
{
    int fd = -1;
    bool enough = entry->work == LH_BLOBS_CHANGING &&
                  (entry->place == LH_BLOBS_IN_KEPT || (entry->place == LH_BLOBS_IN_CACHED && wanted != LH_BLOBS_KEPT));
    if (!enough || lh_blobs_open_file(blobs, entry->place, &entry->digest, entry->size, &fd) != 0) {
        return false;
    }
    close(fd);
    return true;
}

/* The busy entry stands for the file that has just got its name; `fresh`: it counted for nothing before. */
static void stand_for(struct lh_blobs *blobs, struct lh_blobs_entry *entry, const struct lh_blob *blob, bool fresh)
{
    if (!fresh) {
        lh_blobs_discount(blobs, entry);
    }
    entry->place = place_for(blob->kind);
    entry->size = blob->size;
    lh_blobs_count(blobs, entry);
}

/* A verified file at `from` becomes the blob, or goes when that is there already. Holds it. */
static enum lh_status place(struct lh_blobs *blobs, int fd, const char *from, const struct lh_blob *blob,
                            struct lh_blob *placed, struct lh_error *error)
{
    pthread_mutex_lock(&blobs->mutex);
    struct lh_blobs_entry *entry = claim(blobs, &blob->digest);
    bool fresh = entry != NULL && entry->work == LH_BLOBS_PLACING;
    pthread_mutex_unlock(&blobs->mutex);
    if (entry == NULL) {
        return lh_error_no_memory(error);
    }
    bool there = is_there(blobs, entry, blob->kind);
    char old[LH_BLOBS_PATH_SIZE], now[LH_BLOBS_PATH_SIZE];
    lh_blobs_path(entry->place, &blob->digest, old);
    lh_blobs_path(place_for(blob->kind), &blob->digest, now);
    int code = there ? 0 : give_name(blobs, fd, from, now, blob->kind == LH_BLOBS_KEPT);
    if (there || (code == 0 && !fresh && strcmp(old, now) != 0)) {
        (void)unlinkat(blobs->folder, there ? from : old, 0); /* else the next start does it */
    }
    pthread_mutex_lock(&blobs->mutex);
    if (code == 0) {
        if (!there) {
            stand_for(blobs, entry, blob, fresh);
        }
        entry->used_ns = lh_blobs_wall_ns();
        entry->holds++;
        *placed = lh_blobs_told(entry);
    }
    if (code == 0 || !fresh) {
        lh_blobs_settle(blobs, entry);
    } else {
        lh_blobs_delete(blobs, entry);
    }
    pthread_mutex_unlock(&blobs->mutex);
    return code == 0 ? LH_OK : lh_blobs_fail(error, code, NULL, "stored");
}

/* ---- Putting --------------------------------------------------------------------------------------------------------
 */

static enum lh_status open_aside(struct lh_blobs_put *put, struct lh_error *error)
{
    pthread_mutex_lock(&put->blobs->mutex);
    uint64_t name = put->blobs->names++;
    pthread_mutex_unlock(&put->blobs->mutex);
    snprintf(put->path, sizeof put->path, "incoming/put-%" PRIx64, name);
    put->fd = openat(put->blobs->folder, put->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, FILE_MODE);
    return put->fd >= 0 ? LH_OK : lh_blobs_fail(error, errno, put->path, "made");
}

enum lh_status lh_blobs_put_begin(struct lh_blobs *blobs, const struct lh_digest *announced, uint64_t size,
                                  enum lh_blobs_kind kind, struct lh_blobs_put **put, struct lh_error *error)
{
    struct lh_blobs_put *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return lh_error_no_memory(error);
    }
    *made = (struct lh_blobs_put){.blobs = blobs, .fd = -1, .expected = size, .kind = kind};
    if (announced != NULL) {
        made->is_announced = true;
        made->announced = *announced;
    }
    uint64_t known = size != LH_BLOBS_SIZE_UNKNOWN ? size : 0;
    enum lh_status status = lh_hasher_new(&made->hasher) == LH_OK ? LH_OK : lh_error_no_memory(error);
    status = status == LH_OK ? reserve(blobs, known, false, error) : status;
    if (status == LH_OK) {
        made->reserved = known;
        status = open_aside(made, error);
    }
    if (status != LH_OK) {
        lh_blobs_put_free(made);
        return status;
    }
    *put = made;
    return LH_OK;
}

static enum lh_status write_bytes(struct lh_blobs_put *put, const void *data, size_t size, struct lh_error *error)
{
    bool known = put->expected != LH_BLOBS_SIZE_UNKNOWN;
    if (known && size > put->expected - put->size) {
        return lh_error_set(error, LH_ERR_FORMAT, NULL, "there are more than the %" PRIu64 " bytes announced",
                            put->expected);
    }
    enum lh_status status = known ? LH_OK : reserve(put->blobs, size, false, error);
    if (status != LH_OK) {
        return status;
    }
    put->reserved += known ? 0 : size;
    int code = lh_file_write_at(put->fd, data, size, put->size);
    if (code != 0) {
        return lh_blobs_fail(error, code, put->path, "written");
    }
    lh_hasher_update(put->hasher, data, size);
    put->size += size;
    unreserve(put->blobs, 0, size);
    if (put->kind == LH_BLOBS_KEPT && put->size - put->flushed >= FLUSH_EVERY) {
        /* A hint, so that the synchronisation at the end has little left to wait for. */
        (void)sync_file_range(put->fd, (off_t)put->flushed, (off_t)(put->size - put->flushed), SYNC_FILE_RANGE_WRITE);
        put->flushed = put->size;
    }
    return LH_OK;
}

enum lh_status lh_blobs_put_write(struct lh_blobs_put *put, const void *data, size_t size, struct lh_error *error)
{
    assert(!put->failed && !put->done);
    enum lh_status status = write_bytes(put, data, size, error);
    put->failed = status != LH_OK;
    return status;
}

uint64_t lh_blobs_put_size(const struct lh_blobs_put *put)
{
    return put->size;
}

static enum lh_status check_bytes(const struct lh_blobs_put *put, const struct lh_digest *digest,
                                  struct lh_error *error)
{
    if (put->expected != LH_BLOBS_SIZE_UNKNOWN && put->size != put->expected) {
        return lh_error_set(error, LH_ERR_FORMAT, NULL, "%" PRIu64 " bytes came of the %" PRIu64 " announced",
                            put->size, put->expected);
    }
    if (put->is_announced && !lh_digest_equal(digest, &put->announced)) {
        char text[LH_DIGEST_TEXT_SIZE];
        lh_digest_text(digest, text);
        return lh_error_set(error, LH_ERR_FORMAT, NULL, "the bytes are not those announced: they are %s", text);
    }
    return LH_OK;
}

enum lh_status lh_blobs_put_finish(struct lh_blobs_put *put, struct lh_blob *blob, struct lh_error *error)
{
    assert(!put->failed && !put->done);
    put->failed = true;
    struct lh_blob whole = {.size = put->size, .kind = put->kind};
    lh_hasher_finish(put->hasher, &whole.digest);
    enum lh_status status = check_bytes(put, &whole.digest, error);
    status = status == LH_OK ? place(put->blobs, put->fd, put->path, &whole, blob, error) : status;
    put->done = status == LH_OK;
    return status;
}

void lh_blobs_put_free(struct lh_blobs_put *put)
{
    if (put == NULL) {
        return;
    }
    if (put->fd >= 0) {
        close(put->fd);
        if (!put->done) {
            (void)unlinkat(put->blobs->folder, put->path, 0);
        }
    }
    unreserve(put->blobs, put->reserved, put->reserved - put->size);
    lh_hasher_free(put->hasher);
    free(put);
}

enum lh_status lh_blobs_put_bytes(struct lh_blobs *blobs, const void *data, size_t size, enum lh_blobs_kind kind,
                                  struct lh_blob *blob, struct lh_error *error)
{
    struct lh_blobs_put *put = NULL;
    enum lh_status status = lh_blobs_put_begin(blobs, NULL, size, kind, &put, error);
    status = status == LH_OK ? lh_blobs_put_write(put, data, size, error) : status;
    status = status == LH_OK ? lh_blobs_put_finish(put, blob, error) : status;
    lh_blobs_put_free(put);
    return status;
}

/* ---- Adopting -------------------------------------------------------------------------------------------------------
 */

/* A name that lh_blobs_hand_over() makes, so that nothing else can be meant. */
static bool is_handed_over(const char *name)
{
    static const char prefix[] = "from-";
    size_t length = strlen(name);
    return length < LH_BLOBS_NAME_SIZE && strncmp(name, prefix, sizeof prefix - 1) == 0 &&
           length == sizeof prefix - 1 + strspn(name + sizeof prefix - 1, "0123456789abcdef");
}

static enum lh_status check_file(int fd, const struct lh_blob *announced, bool verify, struct lh_error *error)
{
    struct stat info;
    if (fstat(fd, &info) != 0) {
        return lh_blobs_fail(error, errno, NULL, "adopted");
    }
    if (!S_ISREG(info.st_mode) || info.st_nlink != 1 || (uint64_t)info.st_size != announced->size) {
        return lh_error_set(error, LH_ERR_FORMAT, NULL,
                            "the file handed over is no plain file of the %" PRIu64 " bytes announced",
                            announced->size);
    }
    struct lh_digest digest;
    enum lh_status status = verify ? lh_digest_file(fd, &digest, error) : LH_OK;
    if (verify && status == LH_OK && !lh_digest_equal(&digest, &announced->digest)) {
        return lh_error_set(error, LH_ERR_FORMAT, NULL, "the file handed over does not have the digest announced");
    }
    return status;
}

enum lh_status lh_blobs_adopt(struct lh_blobs *blobs, const char *name, const struct lh_blob *announced, bool verify,
                              struct lh_blob *blob, struct lh_error *error)
{
    char path[LH_BLOBS_PATH_SIZE];
    if (!is_handed_over(name)) {
        return lh_error_set(error, LH_ERR_FORMAT, NULL, "'%.64s' is no name of a file handed over", name);
    }
    snprintf(path, sizeof path, "incoming/%s", name);
    int fd = openat(blobs->folder, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        return errno == ENOENT || errno == ELOOP
                   ? lh_error_set(error, LH_ERR_MISSING, NULL, "no file '%s' was handed over", name)
                   : lh_blobs_fail(error, errno, path, "adopted");
    }
    enum lh_status status = check_file(fd, announced, verify, error);
    if (status == LH_OK) {
        status = reserve(blobs, announced->size, true, error);
        if (status == LH_OK) {
            status = place(blobs, fd, path, announced, blob, error);
            unreserve(blobs, announced->size, 0);
        }
    }
    close(fd);
    return status;
}
