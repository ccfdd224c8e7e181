/* SPDX-License-Identifier: MIT */
/* Names of files in the folder, and the few ways to move them. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/blobs/blobs_impl.h"

#define FOLDER_MODE 0700
#define FILE_MODE 0600
#define HEX_LENGTH ((size_t)LH_DIGEST_SIZE * 2)
#define TEXT_PREFIX_LENGTH 7u /* of "sha256:" */

void lh_blobs_path(enum lh_blobs_place place, const struct lh_digest *digest, char *path)
{
    static const char *const places[] = {"cached", "kept", "suspect"};
    char text[LH_DIGEST_TEXT_SIZE];
    lh_digest_text(digest, text);
    const char *hex = text + TEXT_PREFIX_LENGTH;
    snprintf(path, LH_BLOBS_PATH_SIZE, "%s/%.2s/%s", places[place], hex, hex);
}

bool lh_blobs_parse_name(const char *name, struct lh_digest *digest)
{
    char text[LH_DIGEST_TEXT_SIZE] = "sha256:";
    if (strlen(name) != HEX_LENGTH) {
        return false;
    }
    memcpy(text + TEXT_PREFIX_LENGTH, name, HEX_LENGTH + 1);
    return lh_digest_parse(text, digest);
}

enum lh_status lh_blobs_fail(struct lh_error *error, int code, const char *where, const char *done)
{
    if (code == ENOMEM) {
        return lh_error_no_memory(error);
    }
    bool full = code == ENOSPC || code == EDQUOT || code == EFBIG;
    return lh_error_set(error, full ? LH_ERR_LIMIT : LH_ERR_IO, where, "cannot be %s: %s", done, strerror(code));
}

/* Of the folder that `path` is in: 0 or the errno. */
static int sync_folder_of(int folder, const char *path)
{
    char name[LH_BLOBS_PATH_SIZE] = ".";
    const char *slash = strrchr(path, '/');
    if (slash != NULL) {
        snprintf(name, sizeof name, "%.*s", (int)(slash - path), path);
    }
    int fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return errno;
    }
    int code = fsync(fd) == 0 ? 0 : errno;
    close(fd);
    return code;
}

/* The folder that `path` is to be in. 0 or the errno. */
static int make_folder_of(int folder, const char *path)
{
    char name[LH_BLOBS_PATH_SIZE];
    snprintf(name, sizeof name, "%.*s", (int)(strrchr(path, '/') - path), path);
    return mkdirat(folder, name, FOLDER_MODE) == 0 || errno == EEXIST ? 0 : errno;
}

int lh_blobs_rename(const struct lh_blobs *blobs, const char *from, const char *to, bool sync)
{
    if (renameat(blobs->folder, from, blobs->folder, to) != 0) {
        if (errno != ENOENT || strchr(to, '/') == NULL) {
            return errno;
        }
        /* Those that have to be synchronised were made at the start: this is one of cached/ or suspect/. */
        int code = make_folder_of(blobs->folder, to);
        if (code != 0 || renameat(blobs->folder, from, blobs->folder, to) != 0) {
            return code != 0 ? code : errno;
        }
    }
    return sync ? sync_folder_of(blobs->folder, to) : 0;
}

int lh_blobs_open_file(const struct lh_blobs *blobs, enum lh_blobs_place place, const struct lh_digest *digest,
                       uint64_t size, int *fd)
{
    char path[LH_BLOBS_PATH_SIZE];
    lh_blobs_path(place, digest, path);
    int opened = openat(blobs->folder, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (opened < 0) {
        return errno;
    }
    struct stat info;
    if (fstat(opened, &info) != 0 || !S_ISREG(info.st_mode) || (uint64_t)info.st_size != size) {
        close(opened);
        return ENOENT;
    }
    *fd = opened;
    return 0;
}

enum lh_status lh_blobs_write_small(const struct lh_blobs *blobs, const char *name, const void *data, size_t size,
                                    struct lh_error *error)
{
    char aside[LH_BLOBS_PATH_SIZE];
    snprintf(aside, sizeof aside, "%s.new", name);
    int fd = openat(blobs->folder, aside, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
    if (fd < 0) {
        return lh_blobs_fail(error, errno, name, "written");
    }
    int code = lh_file_write_at(fd, data, size, 0);
    code = code == 0 && fsync(fd) != 0 ? errno : code;
    close(fd);
    code = code == 0 ? lh_blobs_rename(blobs, aside, name, true) : code;
    return code == 0 ? LH_OK : lh_blobs_fail(error, code, name, "written");
}

size_t lh_blobs_read_small(int folder, const char *name, void *data, size_t size)
{
    int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        return 0;
    }
    size_t done = 0;
    int code = lh_file_read_some_at(fd, data, size, 0, &done);
    close(fd);
    return code == 0 ? done : 0;
}

uint64_t lh_blobs_wall_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}
