/* SPDX-License-Identifier: MIT */
/* Reading, and writing aside. */
#include "inventory/keep.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/file.h"

#define FOLDER_MODE 0700 /* as the XDG specification asks */
#define FILE_MODE 0644

char *inventory_keep_path(struct lh_arena *arena, const char *folder, const char *name)
{
    size_t size = strlen(folder) + strlen(name) + 2;
    char *path = lh_arena_alloc(arena, size);
    if (path != NULL) {
        snprintf(path, size, "%s/%s", folder, name);
    }
    return path;
}

enum lh_status inventory_keep_read(struct lh_arena *arena, const char *path, size_t limit, uint8_t **data, size_t *size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat info;
    if (fd < 0) {
        return LH_ERR_MISSING;
    }
    enum lh_status status = LH_ERR_MISSING;
    if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && (uint64_t)info.st_size <= limit) {
        size_t length = (size_t)info.st_size;
        uint8_t *bytes = lh_arena_alloc(arena, length + 1);
        status = bytes == NULL ? LH_ERR_NO_MEMORY : lh_file_read_at(fd, bytes, length, 0) == 0 ? LH_OK : LH_ERR_MISSING;
        if (status == LH_OK) {
            *data = bytes;
            *size = length;
        }
    }
    close(fd);
    return status;
}

/* `path` and the folders above it. Returns an errno value. */
static int make_folders(char *path)
{
    for (char *at = path + 1;; at++) {
        if (*at != '/' && *at != '\0') {
            continue;
        }
        char end = *at;
        *at = '\0';
        int code = mkdir(path, FOLDER_MODE) != 0 ? errno : 0;
        *at = end;
        if (end == '\0') {
            return code == EEXIST ? 0 : code;
        }
        /* Those above may be there and not ours to write to: the last one says whether it went well. */
    }
}

static int write_aside(char *part, const char *path, const void *data, size_t size)
{
    int fd = mkostemp(part, O_CLOEXEC);
    if (fd < 0) {
        return errno;
    }
    int code = lh_file_write_at(fd, data, size, 0);
    code = code == 0 && fchmod(fd, FILE_MODE) != 0 ? errno : code;
    if (close(fd) != 0 && code == 0) {
        code = errno;
    }
    if (code == 0 && rename(part, path) != 0) {
        code = errno;
    }
    if (code != 0) {
        unlink(part);
    }
    return code;
}

enum lh_status inventory_keep_write(struct lh_arena *arena, const char *folder, const char *name, const void *data,
                                    size_t size, struct lh_error *error)
{
    char *parents = lh_arena_strdup(arena, folder);
    char *path = inventory_keep_path(arena, folder, name);
    char *part = inventory_keep_path(arena, folder, ".part-XXXXXX");
    if (parents == NULL || path == NULL || part == NULL) {
        return lh_error_no_memory(error);
    }
    int code = make_folders(parents);
    code = code == 0 ? write_aside(part, path, data, size) : code;
    return code == 0 ? LH_OK : lh_error_set(error, LH_ERR_IO, path, "cannot be written: %s", strerror(code));
}
