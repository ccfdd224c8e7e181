/* SPDX-License-Identifier: MIT */
/* Walks the search path. */
#include "inventory/bundles.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/bytes.h"

#define NAMES_MAX 65536 /* of one folder */

/* Names in an arena, sorted before they are used: the order of a folder's entries says nothing. */
struct names {
    const char **items;
    size_t count, capacity;
};

static enum lh_status add_name(struct lh_arena *arena, struct names *names, const char *name)
{
    if (names->count == NAMES_MAX) {
        return LH_ERR_LIMIT;
    }
    if (names->count == names->capacity) {
        size_t capacity = names->capacity == 0 ? 16 : 2 * names->capacity;
        const char **items = lh_arena_array(arena, capacity, sizeof *items);
        if (items == NULL) {
            return LH_ERR_NO_MEMORY;
        }
        if (names->count > 0) {
            memcpy(items, names->items, names->count * sizeof *items);
        }
        names->items = items;
        names->capacity = capacity;
    }
    const char *copy = lh_arena_strdup(arena, name);
    if (copy == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    names->items[names->count++] = copy;
    return LH_OK;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* All entries but hidden ones that `wanted` lets through; an unreadable folder has none. */
static enum lh_status list(struct lh_arena *arena, int folder, bool (*wanted)(const char *name), struct names *names)
{
    int fd = dup(folder);
    DIR *entries = fd < 0 ? NULL : fdopendir(fd);
    if (entries == NULL) {
        if (fd >= 0) {
            close(fd);
        }
        return LH_OK;
    }
    rewinddir(entries);
    enum lh_status status = LH_OK;
    for (struct dirent *entry = readdir(entries); status == LH_OK && entry != NULL; entry = readdir(entries)) {
        if (entry->d_name[0] != '.' && wanted(entry->d_name)) {
            status = add_name(arena, names, entry->d_name);
        }
    }
    closedir(entries);
    if (names->count > 1) {
        qsort(names->items, names->count, sizeof *names->items, compare_names);
    }
    return status;
}

static bool any(const char *name)
{
    (void)name;
    return true;
}

static bool ends_with(const char *name, const char *ending)
{
    size_t length = strlen(name), tail = strlen(ending);
    return length > tail && strcmp(name + length - tail, ending) == 0;
}

static bool says_what_a_bundle_is(const char *name)
{
    return ends_with(name, ".ttl") || ends_with(name, ".so");
}

static void write_identity(struct lh_writer *writer, const struct stat *info)
{
    lh_writer_u64(writer, info->st_dev);
    lh_writer_u64(writer, info->st_ino);
    lh_writer_i64(writer, info->st_size);
    lh_writer_i64(writer, info->st_mtim.tv_sec);
    lh_writer_i64(writer, info->st_mtim.tv_nsec);
    lh_writer_i64(writer, info->st_ctim.tv_sec);
    lh_writer_i64(writer, info->st_ctim.tv_nsec);
}

/* The writer's bytes as a digest; ends the writer. */
static enum lh_status digest_of(struct lh_writer *writer, struct lh_digest *digest)
{
    enum lh_status status = lh_writer_status(writer);
    status = status == LH_OK ? lh_digest_bytes(writer->data, writer->size, digest) : status;
    lh_writer_fini(writer);
    return status;
}

bool inventory_file_identity(const char *path, struct lh_digest *identity)
{
    struct stat info;
    struct lh_writer writer;
    if (stat(path, &info) != 0) {
        return false;
    }
    lh_writer_init(&writer);
    write_identity(&writer, &info);
    return digest_of(&writer, identity) == LH_OK;
}

/* `plain`: all that it found are files, or folders. Whoever opens a fifo waits, and a device may have no end. */
static enum lh_status identify(int folder, const struct stat *info, struct lh_digest *identity, bool *plain)
{
    bool files = true;
    struct lh_arena scratch;
    struct lh_writer writer;
    struct names names = {.items = NULL};
    lh_arena_init(&scratch);
    lh_writer_init(&writer);
    enum lh_status status = list(&scratch, folder, says_what_a_bundle_is, &names);
    write_identity(&writer, info);
    for (size_t i = 0; status == LH_OK && i < names.count; i++) {
        struct stat file;
        lh_writer_text(&writer, names.items[i]);
        if (fstatat(folder, names.items[i], &file, 0) == 0) { /* through a link: what it leads to is what counts */
            write_identity(&writer, &file);
            files = files && (S_ISREG(file.st_mode) || S_ISDIR(file.st_mode));
        }
    }
    lh_arena_fini(&scratch);
    struct lh_digest found;
    enum lh_status hashed = digest_of(&writer, &found);
    status = status == LH_OK ? hashed : status;
    if (status == LH_OK) {
        *identity = found;
        *plain = files;
    }
    return status;
}

struct found {
    struct lh_arena *arena;
    struct inventory_bundle *items;
    dev_t *devices; /* of the items */
    ino_t *inodes;
    size_t count, capacity;
};

static bool grow(struct found *found)
{
    size_t capacity = found->capacity == 0 ? 64 : 2 * found->capacity;
    struct inventory_bundle *items = lh_arena_array(found->arena, capacity, sizeof *items);
    dev_t *devices = lh_arena_array(found->arena, capacity, sizeof *devices);
    ino_t *inodes = lh_arena_array(found->arena, capacity, sizeof *inodes);
    if (items == NULL || devices == NULL || inodes == NULL) {
        return false;
    }
    if (found->count > 0) {
        memcpy(items, found->items, found->count * sizeof *items);
        memcpy(devices, found->devices, found->count * sizeof *devices);
        memcpy(inodes, found->inodes, found->count * sizeof *inodes);
    }
    found->items = items;
    found->devices = devices;
    found->inodes = inodes;
    found->capacity = capacity;
    return true;
}

/* Two entries of a search path may be one folder by another name. */
static bool is_known(const struct found *found, const struct stat *info)
{
    for (size_t i = 0; i < found->count; i++) {
        if (found->inodes[i] == info->st_ino && found->devices[i] == info->st_dev) {
            return true;
        }
    }
    return false;
}

static enum lh_status add_bundle(struct found *found, int root, const char *root_path, const char *name)
{
    int folder = openat(root, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK);
    if (folder < 0) {
        return LH_OK;
    }
    struct stat info, manifest;
    enum lh_status status = LH_OK;
    bool plain = false;
    if (fstat(folder, &info) == 0 && fstatat(folder, "manifest.ttl", &manifest, 0) == 0 && S_ISREG(manifest.st_mode) &&
        !is_known(found, &info)) {
        size_t size = strlen(root_path) + strlen(name) + sizeof "//";
        char *path = lh_arena_alloc(found->arena, size);
        bool room = found->count < found->capacity || grow(found);
        status = found->count == INVENTORY_BUNDLES_MAX ? LH_ERR_LIMIT
                 : path == NULL || !room               ? LH_ERR_NO_MEMORY
                                                       : LH_OK;
        if (status == LH_OK) {
            snprintf(path, size, "%s/%s/", root_path, name);
            found->items[found->count].folder = path;
            status = identify(folder, &info, &found->items[found->count].identity, &plain);
        }
        if (status == LH_OK && plain) {
            found->devices[found->count] = info.st_dev;
            found->inodes[found->count] = info.st_ino;
            found->count++;
        }
    }
    close(folder);
    return status;
}

/* A folder of the search path, absolute and without "/" at its end, or NULL in *path when it is not there. */
static enum lh_status absolute(struct lh_arena *arena, const char *part, size_t length, const char **path)
{
    *path = NULL;
    char *copy = lh_arena_strndup(arena, part, length);
    if (copy == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    while (length > 1 && copy[length - 1] == '/') {
        copy[--length] = '\0';
    }
    if (length == 0) {
        return LH_OK;
    }
    if (copy[0] == '/') {
        *path = access(copy, F_OK) == 0 ? copy : NULL;
        return LH_OK;
    }
    char *real = realpath(copy, NULL);
    if (real != NULL) {
        *path = lh_arena_strdup(arena, real);
        free(real);
        return *path != NULL ? LH_OK : LH_ERR_NO_MEMORY;
    }
    return LH_OK;
}

static enum lh_status walk_root(struct found *found, const char *root_path)
{
    int root = open(root_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root < 0) {
        return LH_OK;
    }
    struct names names = {.items = NULL};
    struct lh_arena scratch;
    lh_arena_init(&scratch);
    enum lh_status status = list(&scratch, root, any, &names);
    for (size_t i = 0; status == LH_OK && i < names.count; i++) {
        status = add_bundle(found, root, root_path, names.items[i]);
    }
    lh_arena_fini(&scratch);
    close(root);
    return status;
}

static enum lh_status digest_state(const struct found *found, struct lh_digest *state)
{
    struct lh_writer writer;
    lh_writer_init(&writer);
    for (size_t i = 0; i < found->count; i++) {
        lh_writer_text(&writer, found->items[i].folder);
        lh_writer_bytes(&writer, found->items[i].identity.bytes, LH_DIGEST_SIZE);
    }
    return digest_of(&writer, state);
}

enum lh_status inventory_bundles_find(struct lh_arena *arena, const char *search_path,
                                      struct inventory_bundles *bundles, struct lh_error *error)
{
    struct found found = {.arena = arena};
    struct names roots = {.items = NULL};
    enum lh_status status = LH_OK;
    for (const char *at = search_path; status == LH_OK && *at != '\0'; at += *at == ':') {
        size_t length = strcspn(at, ":");
        const char *path = NULL;
        status = absolute(arena, at, length, &path);
        if (status == LH_OK && path != NULL) {
            status = add_name(arena, &roots, path);
            status = status == LH_OK ? walk_root(&found, path) : status;
        }
        at += length;
    }
    struct lh_digest state;
    status = status == LH_OK ? digest_state(&found, &state) : status;
    if (status == LH_ERR_LIMIT) {
        return lh_error_set(error, status, "LV2_PATH", "has too many bundles: at most %d in %s", INVENTORY_BUNDLES_MAX,
                            search_path);
    }
    if (status != LH_OK) {
        return lh_error_no_memory(error);
    }
    *bundles = (struct inventory_bundles){
        .search_path = search_path,
        .roots = roots.items,
        .root_count = roots.count,
        .items = found.items,
        .count = found.count,
        .state = state,
    };
    return LH_OK;
}
