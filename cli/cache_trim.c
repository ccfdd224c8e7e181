/* SPDX-License-Identifier: MIT */
/* Keeps the cache folder to its size. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "cli/cache_files.h"

#define PATH_SIZE 4096
#define HEX_LENGTH 64
#define ORPHAN_SECONDS 3600 /* so old, a file that nothing is told of has lost who would have told it */

/* A large file and the small one that tells of it, which is touched whenever it is of use. */
struct old_entry {
    unsigned kind;
    char hex[HEX_LENGTH + 1];
    uint64_t bytes;
    struct timespec used;
};

struct trim {
    const struct cli_cache *cache;
    struct old_entry *entries;
    size_t count, room;
    uint64_t bytes;
};

static const struct {
    const char *folder, *suffix;
} kinds[] = {{"deliverables", ".facts"}, {"conformed", ".digest"}, {"stored", ".facts"}};
#define KINDS (sizeof kinds / sizeof kinds[0])

static void make_path(const struct trim *trim, unsigned kind, const char *hex, const char *suffix, char path[PATH_SIZE])
{
    snprintf(path, PATH_SIZE, "%s/%s/%s%s", trim->cache->folder, kinds[kind].folder, hex, suffix);
}

static void remove_entry(const struct trim *trim, unsigned kind, const char *hex)
{
    char path[PATH_SIZE];
    make_path(trim, kind, hex, kinds[kind].suffix, path); /* first what tells of it: then it is not there */
    (void)unlink(path);
    make_path(trim, kind, hex, "", path);
    (void)unlink(path);
}

static enum lh_status add_entry(struct trim *trim, const struct old_entry *entry)
{
    if (trim->count == trim->room) {
        size_t room = trim->room > 0 ? 2 * trim->room : 256;
        struct old_entry *entries = realloc(trim->entries, room * sizeof *entries);
        if (entries == NULL) {
            return LH_ERR_NO_MEMORY;
        }
        trim->entries = entries;
        trim->room = room;
    }
    trim->entries[trim->count++] = *entry;
    trim->bytes += entry->bytes;
    return LH_OK;
}

static enum lh_status look_at(struct trim *trim, unsigned kind, const char *name)
{
    struct old_entry entry = {.kind = kind};
    struct stat large, small;
    char path[PATH_SIZE];
    if (strlen(name) != HEX_LENGTH || strspn(name, "0123456789abcdef") != HEX_LENGTH) {
        return LH_OK; /* what tells of an entry, or something of somebody else's */
    }
    memcpy(entry.hex, name, HEX_LENGTH);
    make_path(trim, kind, entry.hex, "", path);
    if (lstat(path, &large) != 0 || !S_ISREG(large.st_mode)) {
        return LH_OK;
    }
    make_path(trim, kind, entry.hex, kinds[kind].suffix, path);
    if (stat(path, &small) != 0) {
        if (time(NULL) - large.st_mtim.tv_sec > ORPHAN_SECONDS) {
            remove_entry(trim, kind, entry.hex);
        }
        return LH_OK;
    }
    entry.bytes = (uint64_t)large.st_size;
    entry.used = small.st_mtim;
    return add_entry(trim, &entry);
}

static enum lh_status look_into(struct trim *trim, unsigned kind)
{
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "%s/%s", trim->cache->folder, kinds[kind].folder);
    DIR *folder = opendir(path);
    enum lh_status status = LH_OK;
    for (struct dirent *one; status == LH_OK && folder != NULL && (one = readdir(folder)) != NULL;) {
        status = look_at(trim, kind, one->d_name);
    }
    if (folder != NULL) {
        closedir(folder);
    }
    return status;
}

static int compare_ages(const void *a, const void *b)
{
    const struct old_entry *left = a, *right = b;
    if (left->used.tv_sec != right->used.tv_sec) {
        return left->used.tv_sec < right->used.tv_sec ? -1 : 1;
    }
    if (left->used.tv_nsec != right->used.tv_nsec) {
        return left->used.tv_nsec < right->used.tv_nsec ? -1 : 1;
    }
    return strcmp(left->hex, right->hex);
}

static enum lh_status trim_locked(struct trim *trim, uint64_t most)
{
    enum lh_status status = LH_OK;
    for (unsigned kind = 0; status == LH_OK && kind < KINDS; kind++) {
        status = look_into(trim, kind);
    }
    if (status == LH_OK && trim->count > 1) {
        qsort(trim->entries, trim->count, sizeof *trim->entries, compare_ages);
    }
    for (size_t i = 0; status == LH_OK && i < trim->count && trim->bytes > most; i++) {
        remove_entry(trim, trim->entries[i].kind, trim->entries[i].hex);
        trim->bytes -= trim->entries[i].bytes;
    }
    free(trim->entries);
    return status;
}

enum lh_status cli_cache_trim(const struct cli_cache *cache, uint64_t most, struct lh_error *error)
{
    char path[PATH_SIZE];
    struct trim trim = {.cache = cache};
    snprintf(path, sizeof path, "%s/lock", cache->folder);
    int lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (lock < 0) {
        return lh_error_set(error, LH_ERR_IO, path, "cannot be opened: %s", strerror(errno));
    }
    enum lh_status status = LH_OK;
    if (flock(lock, LOCK_EX | LOCK_NB) == 0 && trim_locked(&trim, most) != LH_OK) {
        status = lh_error_no_memory(error);
    }
    close(lock);
    return status;
}

uint64_t cli_cache_free_bytes(const struct cli_cache *cache)
{
    struct statvfs info;
    return statvfs(cache->folder, &info) == 0 ? (uint64_t)info.f_bavail * info.f_frsize : 0;
}
