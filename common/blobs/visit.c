/* SPDX-License-Identifier: MIT */
/* A folder of blobs as seen by others on the same host. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/blobs/blobs_impl.h"

#define FILE_MODE 0600
#define RANDOM_SIZE 16

static int open_folder(const char *folder)
{
    return open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

enum lh_status lh_blobs_visit(const char *folder, const uint8_t token[LH_BLOBS_TOKEN_SIZE], struct lh_error *error)
{
    uint8_t found[LH_BLOBS_TOKEN_SIZE + 1];
    int opened = open_folder(folder);
    if (opened < 0) {
        return lh_error_set(error, LH_ERR_MISSING, folder, "cannot be opened: %s", strerror(errno));
    }
    size_t size = lh_blobs_read_small(opened, LH_BLOBS_TOKEN_FILE, found, sizeof found);
    close(opened);
    bool same = size == LH_BLOBS_TOKEN_SIZE && memcmp(found, token, LH_BLOBS_TOKEN_SIZE) == 0;
    return same ? LH_OK : lh_error_set(error, LH_ERR_MISSING, folder, "is another folder than the one meant");
}

enum lh_status lh_blobs_visit_read(const char *folder, const struct lh_digest *digest, uint64_t size, int *fd,
                                   struct lh_error *error)
{
    struct lh_blobs blobs = {.folder = open_folder(folder)};
    if (blobs.folder < 0) {
        return lh_error_set(error, LH_ERR_MISSING, folder, "cannot be opened: %s", strerror(errno));
    }
    /* In this order: a blob moves from cached/ to kept/, never back. Where no owner has looked since the machine
       stopped without warning, cached ones may be torn. */
    int code = lh_blobs_trusts_cached(blobs.folder) ? lh_blobs_open_file(&blobs, LH_BLOBS_IN_CACHED, digest, size, fd)
                                                    : ENOENT;
    code = code == ENOENT ? lh_blobs_open_file(&blobs, LH_BLOBS_IN_KEPT, digest, size, fd) : code;
    close(blobs.folder);
    if (code == ENOENT) {
        return lh_error_set(error, LH_ERR_MISSING, folder, "does not hold the blob");
    }
    return code == 0 ? LH_OK : lh_blobs_fail(error, code, folder, "read");
}

enum lh_status lh_blobs_hand_over(const char *folder, char name[LH_BLOBS_NAME_SIZE], int *fd, struct lh_error *error)
{
    uint8_t random[RANDOM_SIZE];
    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random) {
        return lh_error_set(error, LH_ERR_IO, folder, "there are no random numbers: %s", strerror(errno));
    }
    char made[LH_BLOBS_NAME_SIZE] = "from-";
    for (size_t i = 0; i < RANDOM_SIZE; i++) {
        snprintf(made + strlen(made), sizeof "ab", "%02x", random[i]);
    }
    char path[LH_BLOBS_PATH_SIZE];
    snprintf(path, sizeof path, "incoming/%s", made);
    int opened = open_folder(folder);
    int created = opened >= 0 ? openat(opened, path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, FILE_MODE) : -1;
    int code = errno;
    if (opened >= 0) {
        close(opened);
    }
    if (created < 0) {
        return lh_blobs_fail(error, code, folder, "written to");
    }
    (void)flock(created, LOCK_EX | LOCK_NB); /* a file system without locks: its age decides */
    memcpy(name, made, sizeof made);
    *fd = created;
    return LH_OK;
}

void lh_blobs_hand_back(const char *folder, const char *name)
{
    char path[LH_BLOBS_PATH_SIZE];
    int opened = open_folder(folder);
    if (opened < 0) {
        return;
    }
    int length = snprintf(path, sizeof path, "incoming/%s", name);
    if (length > 0 && (size_t)length < sizeof path && strchr(name, '/') == NULL) {
        (void)unlinkat(opened, path, 0);
    }
    close(opened);
}
