/* SPDX-License-Identifier: MIT */
/* What the owner of a folder does first: makes it whole, clears what others left half done, decides what is believed
   and learns what is there. Names and sizes only: a hundred thousand blobs take well under a second. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/blobs/blobs_impl.h"

#define FOLDER_MODE 0700
#define BOOT_FILE "boot"
#define BOOT_SIZE 64
#define BOOT_ID "/proc/sys/kernel/random/boot_id"
#define ORDERLY "orderly\n"

/* ---- Folders ---------------------------------------------------------------------------------------------------- */

static int sync_of(int folder, const char *name)
{
    int fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return errno;
    }
    int code = fsync(fd) == 0 ? 0 : errno;
    close(fd);
    return code;
}

/* All folders that have to be on the disk before a KEPT blob is. Synchronised even when they were there: whoever made
   them may not have come to that. */
static enum lh_status make_folders(const struct lh_blobs *blobs, struct lh_error *error)
{
    static const char *const names[] = {"kept", "cached", "suspect", "incoming", "trash", "damaged"};
    int code = 0;
    for (size_t i = 0; i < sizeof names / sizeof *names && code == 0; i++) {
        code = mkdirat(blobs->folder, names[i], FOLDER_MODE) == 0 || errno == EEXIST ? 0 : errno;
    }
    for (unsigned i = 0; i < LH_BLOBS_SHARDS && code == 0; i++) {
        char name[sizeof "kept/ab"];
        snprintf(name, sizeof name, "kept/%02x", i & 0xFFu);
        code = mkdirat(blobs->folder, name, FOLDER_MODE) == 0 || errno == EEXIST ? 0 : errno;
    }
    code = code == 0 ? sync_of(blobs->folder, "kept") : code;
    code = code == 0 ? sync_of(blobs->folder, ".") : code;
    return code == 0 ? LH_OK : lh_blobs_fail(error, code, NULL, "made ready for blobs");
}

static DIR *open_folder(int folder, const char *name)
{
    int fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *listing = fd >= 0 ? fdopendir(fd) : NULL;
    if (fd >= 0 && listing == NULL) {
        int code = errno;
        close(fd);
        errno = code;
    }
    return listing;
}

/* Whether the process that writes it lives. */
static bool is_open_elsewhere(int folder, const char *name)
{
    int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    bool open = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    if (fd >= 0) {
        close(fd);
    }
    return open;
}

void lh_blobs_clear(const struct lh_blobs *blobs, const char *name, const char *prefix, uint64_t older_than_ns)
{
    DIR *listing = open_folder(blobs->folder, name);
    if (listing == NULL) {
        return; /* nothing is lost: it is tried again at the next start */
    }
    uint64_t now = lh_blobs_wall_ns();
    for (const struct dirent *item = readdir(listing); item != NULL; item = readdir(listing)) {
        struct stat info;
        if (strncmp(item->d_name, prefix, strlen(prefix)) != 0 || item->d_name[0] == '.' ||
            fstatat(dirfd(listing), item->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0) {
            continue;
        }
        uint64_t changed = (uint64_t)info.st_mtim.tv_sec * LH_CLOCK_SECOND_NS + (uint64_t)info.st_mtim.tv_nsec;
        bool old = changed < now && now - changed > older_than_ns;
        if (older_than_ns == 0 || (old && !is_open_elsewhere(dirfd(listing), item->d_name))) {
            (void)unlinkat(dirfd(listing), item->d_name, 0); /* likewise */
        }
    }
    closedir(listing);
}

/* ---- Which start of the machine wrote the cached ones ---------------------------------------------------------------
 */

/* This start of the machine; "" when the kernel does not tell. */
static void read_boot_id(char text[BOOT_SIZE])
{
    size_t size = lh_blobs_read_small(AT_FDCWD, BOOT_ID, text, BOOT_SIZE - 1);
    text[size] = '\0';
}

static enum lh_status write_boot(struct lh_blobs *blobs, const char *text, struct lh_error *error)
{
    return lh_blobs_write_small(blobs, BOOT_FILE, text, strlen(text), error);
}

enum lh_status lh_blobs_mark_orderly(struct lh_blobs *blobs, struct lh_error *error)
{
    if (syncfs(blobs->folder) != 0) {
        return lh_blobs_fail(error, errno, NULL, "synchronised");
    }
    return write_boot(blobs, ORDERLY, error);
}

/* Moves what is in cached/ab to suspect/ab. 0 or the errno. */
static int suspect_files(const struct lh_blobs *blobs, const char *shard)
{
    char from[LH_BLOBS_PATH_SIZE], to[LH_BLOBS_PATH_SIZE];
    snprintf(from, sizeof from, "cached/%.2s", shard);
    DIR *listing = open_folder(blobs->folder, from);
    if (listing == NULL) {
        return errno;
    }
    int code = 0;
    for (const struct dirent *item = readdir(listing); item != NULL && code == 0; item = readdir(listing)) {
        struct lh_digest digest;
        if (lh_blobs_parse_name(item->d_name, &digest)) {
            lh_blobs_path(LH_BLOBS_IN_CACHED, &digest, from);
            lh_blobs_path(LH_BLOBS_IN_SUSPECT, &digest, to);
            code = lh_blobs_rename(blobs, from, to, false);
        }
    }
    closedir(listing);
    return code;
}

static int suspect_all(const struct lh_blobs *blobs)
{
    /* The whole folder in one step when no suspects are left from another time. */
    if (renameat(blobs->folder, "cached", blobs->folder, "suspect") == 0) {
        return mkdirat(blobs->folder, "cached", FOLDER_MODE) == 0 ? 0 : errno;
    }
    DIR *listing = open_folder(blobs->folder, "cached");
    if (listing == NULL) {
        return errno;
    }
    int code = 0;
    for (const struct dirent *item = readdir(listing); item != NULL && code == 0; item = readdir(listing)) {
        code = strlen(item->d_name) == 2 && item->d_name[0] != '.' ? suspect_files(blobs, item->d_name) : 0;
    }
    closedir(listing);
    return code;
}

/* A killed process leaves whole files, for the kernel lives on; a kernel that stops does not. */
enum belief { BELIEF_NONE = 0, BELIEF_SAME_START, BELIEF_SYNCHRONISED };

static enum belief belief_in_cached(int folder, char boot[BOOT_SIZE])
{
    char last[BOOT_SIZE];
    read_boot_id(boot);
    last[lh_blobs_read_small(folder, BOOT_FILE, last, sizeof last - 1)] = '\0';
    if (*boot != '\0' && strcmp(boot, last) == 0) {
        return BELIEF_SAME_START;
    }
    return strcmp(last, ORDERLY) == 0 ? BELIEF_SYNCHRONISED : BELIEF_NONE;
}

bool lh_blobs_trusts_cached(int folder)
{
    char boot[BOOT_SIZE];
    return belief_in_cached(folder, boot) != BELIEF_NONE;
}

static enum lh_status decide_belief(struct lh_blobs *blobs, struct lh_error *error)
{
    char boot[BOOT_SIZE];
    enum belief belief = belief_in_cached(blobs->folder, boot);
    if (belief == BELIEF_SAME_START) {
        return LH_OK;
    }
    int code = belief == BELIEF_NONE ? suspect_all(blobs) : 0;
    if (code != 0) {
        return lh_blobs_fail(error, code, "cached", "set aside until verified");
    }
    /* On the disk before the first blob is written under this start. */
    return write_boot(blobs, boot, error);
}

/* ---- Learning what is there -----------------------------------------------------------------------------------------
 */

/* One file under the name of a blob. Of two that tell the same, the first found stays: kept before cached. */
static enum lh_status learn_file(struct lh_blobs *blobs, int folder, const char *name, enum lh_blobs_place place)
{
    struct lh_digest digest;
    struct stat info;
    if (!lh_blobs_parse_name(name, &digest) || fstatat(folder, name, &info, AT_SYMLINK_NOFOLLOW) != 0 ||
        !S_ISREG(info.st_mode)) {
        return LH_OK; /* nothing of ours */
    }
    if (lh_blobs_find(blobs, &digest) != NULL) {
        (void)unlinkat(folder, name, 0);
        return LH_OK;
    }
    struct lh_blobs_entry *entry = lh_blobs_insert(blobs, &digest);
    if (entry == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    entry->size = (uint64_t)info.st_size;
    entry->used_ns = (uint64_t)info.st_mtim.tv_sec * LH_CLOCK_SECOND_NS + (uint64_t)info.st_mtim.tv_nsec;
    entry->place = place;
    entry->work = LH_BLOBS_IDLE;
    lh_blobs_count(blobs, entry);
    return LH_OK;
}

static enum lh_status learn_place(struct lh_blobs *blobs, enum lh_blobs_place place, const char *folder,
                                  struct lh_error *error)
{
    for (unsigned i = 0; i < LH_BLOBS_SHARDS; i++) {
        char name[LH_BLOBS_PATH_SIZE];
        snprintf(name, sizeof name, "%s/%02x", folder, i);
        DIR *listing = open_folder(blobs->folder, name);
        if (listing == NULL) {
            if (errno != ENOENT) {
                return lh_blobs_fail(error, errno, name, "read");
            }
            continue;
        }
        enum lh_status status = LH_OK;
        for (const struct dirent *item = readdir(listing); item != NULL && status == LH_OK; item = readdir(listing)) {
            status = learn_file(blobs, dirfd(listing), item->d_name, place);
        }
        closedir(listing);
        if (status != LH_OK) {
            return lh_error_no_memory(error);
        }
    }
    return LH_OK;
}

/* ---- All of it ------------------------------------------------------------------------------------------------------
 */

static enum lh_status make_token(struct lh_blobs *blobs, struct lh_error *error)
{
    if (getrandom(blobs->token, sizeof blobs->token, 0) != (ssize_t)sizeof blobs->token) {
        return lh_error_set(error, LH_ERR_IO, NULL, "there are no random numbers: %s", strerror(errno));
    }
    return lh_blobs_write_small(blobs, LH_BLOBS_TOKEN_FILE, blobs->token, sizeof blobs->token, error);
}

enum lh_status lh_blobs_start(struct lh_blobs *blobs, struct lh_error *error)
{
    enum lh_status status = make_folders(blobs, error);
    if (status != LH_OK) {
        return status;
    }
    lh_blobs_clear(blobs, "incoming", "put-", 0);
    lh_blobs_clear(blobs, "incoming", "from-", blobs->handed_over_max_ns);
    lh_blobs_clear(blobs, "trash", "", 0);
    status = decide_belief(blobs, error);
    status = status == LH_OK ? make_token(blobs, error) : status;
    status = status == LH_OK ? learn_place(blobs, LH_BLOBS_IN_KEPT, "kept", error) : status;
    status = status == LH_OK ? learn_place(blobs, LH_BLOBS_IN_CACHED, "cached", error) : status;
    return status == LH_OK ? learn_place(blobs, LH_BLOBS_IN_SUSPECT, "suspect", error) : status;
}
