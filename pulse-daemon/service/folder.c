/* SPDX-License-Identifier: MIT */
/* Making and locking the data folder. */
#include "pulse-daemon/service/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER_MODE 0700
#define FILE_MODE 0600

static enum lh_status make_folder(const char *path, struct lh_error *error)
{
    struct stat info;
    if (mkdir(path, FOLDER_MODE) != 0 && (errno != EEXIST || stat(path, &info) != 0 || !S_ISDIR(info.st_mode))) {
        return lh_error_set(error, LH_ERR_IO, path, "the folder cannot be made: %s", strerror(errno));
    }
    return LH_OK;
}

static char *join(struct lh_arena *arena, const char *before, const char *path, const char *name, const char *after)
{
    size_t size = strlen(before) + strlen(path) + strlen(name) + strlen(after) + sizeof "/";
    char *text = lh_arena_alloc(arena, size);
    if (text != NULL) {
        snprintf(text, size, "%s%s/%s%s", before, path, name, after);
    }
    return text;
}

/* In `run`, whose sockets would be taken over by a second one. */
static enum lh_status take_lock(struct pulse_folder *folder, struct lh_error *error)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/pulse.lock", folder->run) >= (int)sizeof path) {
        return lh_error_set(error, LH_ERR_LIMIT, folder->run, "the path is too long");
    }
    folder->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, FILE_MODE);
    if (folder->lock < 0) {
        return lh_error_set(error, LH_ERR_IO, path, "cannot be opened: %s", strerror(errno));
    }
    if (flock(folder->lock, LOCK_EX | LOCK_NB) != 0) {
        return lh_error_set(error, LH_ERR_USAGE, folder->path, "another loophole-pulse runs in this folder");
    }
    return LH_OK;
}

/* False: there is none, or it is none of ours. */
static bool read_token(struct pulse_folder *folder)
{
    char text[PULSE_TOKEN_SIZE + 1] = "";
    int fd = open(folder->token_file, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;
    if (fd >= 0) {
        close(fd);
    }
    text[length > 0 ? length : 0] = '\0';
    text[strcspn(text, "\n")] = '\0';
    if (strlen(text) != PULSE_TOKEN_SIZE - 1 || strncmp(text, PULSE_TOKEN_PREFIX, strlen(PULSE_TOKEN_PREFIX)) != 0) {
        return false;
    }
    memcpy(folder->token, text, sizeof folder->token);
    return true;
}

/* Written aside, so that it is never there in part. */
static enum lh_status make_token(struct lh_arena *arena, struct pulse_folder *folder, struct lh_error *error)
{
    char line[PULSE_TOKEN_SIZE + 1];
    const char *aside = join(arena, "", folder->path, ".token", "");
    enum lh_status status = aside != NULL ? pulse_token_make(folder->token, error) : lh_error_no_memory(error);
    if (status != LH_OK) {
        return status;
    }
    int length = snprintf(line, sizeof line, "%s\n", folder->token);
    int fd = open(aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, FILE_MODE);
    bool written = fd >= 0 && write(fd, line, (size_t)length) == length && fsync(fd) == 0;
    int code = errno;
    if (fd >= 0) {
        close(fd);
    }
    if (!written || rename(aside, folder->token_file) != 0) {
        code = written ? errno : code;
        unlink(aside);
        return lh_error_set(error, LH_ERR_IO, folder->token_file, "cannot be written: %s", strerror(code));
    }
    return LH_OK;
}

static enum lh_status fill(struct lh_arena *arena, const char *store, struct pulse_folder *folder,
                           struct lh_error *error)
{
    folder->media = join(arena, "", folder->path, "media", "");
    folder->run = join(arena, "", folder->path, "run", "");
    folder->keys = join(arena, "", folder->path, "keys", "");
    folder->token_file = join(arena, "", folder->path, "token", "");
    folder->store_url =
        store != NULL ? lh_arena_strdup(arena, store) : join(arena, "sqlite:", folder->path, "pulse.db", "");
    if (folder->media == NULL || folder->run == NULL || folder->keys == NULL || folder->token_file == NULL ||
        folder->store_url == NULL) {
        return lh_error_no_memory(error);
    }
    enum lh_status status = make_folder(folder->run, error);
    status = status == LH_OK ? make_folder(folder->keys, error) : status;
    if (status == LH_OK && chmod(folder->run, FOLDER_MODE) != 0) {
        status = lh_error_set(error, LH_ERR_IO, folder->run, "cannot be made this user's alone: %s", strerror(errno));
    }
    status = status == LH_OK ? take_lock(folder, error) : status;
    return status == LH_OK && !read_token(folder) ? make_token(arena, folder, error) : status;
}

enum lh_status pulse_folder_open(struct lh_arena *arena, const char *path, const char *store,
                                 struct pulse_folder *folder, struct lh_error *error)
{
    char real[PATH_MAX];
    struct pulse_folder made = {.lock = -1};
    enum lh_status status = make_folder(path, error);
    if (status == LH_OK && realpath(path, real) == NULL) {
        status = lh_error_set(error, LH_ERR_IO, path, "cannot be found: %s", strerror(errno));
    }
    if (status != LH_OK) {
        return status;
    }
    made.path = lh_arena_strdup(arena, real);
    status = made.path != NULL ? fill(arena, store, &made, error) : lh_error_no_memory(error);
    if (status != LH_OK) {
        pulse_folder_close(&made);
        return status;
    }
    *folder = made;
    return LH_OK;
}

void pulse_folder_close(struct pulse_folder *folder)
{
    if (folder->lock >= 0) {
        close(folder->lock);
        folder->lock = -1;
    }
}

const char *pulse_folder_endpoint(struct lh_arena *arena, const struct pulse_folder *folder, const char *name)
{
    return join(arena, "ipc://", folder->run, name, ".ipc");
}
