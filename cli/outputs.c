/* SPDX-License-Identifier: MIT */
/* Opens, publishes and discards the files of a render. */
#include "cli/outputs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER_MODE 0777 /* before the umask */

static bool is_folder(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

/* Makes `path` and what is missing above it; outputs->folder_kept tells what not to remove again. */
static enum lh_status make_folder(struct lh_arena *arena, const char *path, struct cli_outputs *outputs,
                                  struct lh_error *error)
{
    if (is_folder(path)) {
        return LH_OK;
    }
    char *folder = lh_arena_strdup(arena, path);
    if (folder == NULL) {
        return lh_error_no_memory(error);
    }
    size_t length = strlen(folder);
    while (length > 1 && folder[length - 1] == '/') {
        folder[--length] = '\0';
    }
    size_t made = 0; /* length of the deepest that was made */
    for (size_t at = 1; at <= length; at++) {
        if (folder[at] != '/' && folder[at] != '\0') {
            continue;
        }
        char end = folder[at];
        folder[at] = '\0';
        int result = mkdir(folder, FOLDER_MODE);
        int code = errno;
        bool there = result == 0 || is_folder(folder);
        if (result == 0 && outputs->folder == NULL) {
            outputs->folder = folder;
            outputs->folder_kept = at - 1;
        }
        made = result == 0 ? at : made;
        folder[at] = end;
        if (!there) {
            enum lh_status status =
                code == EEXIST || code == ENOTDIR
                    ? lh_error_set(error, LH_ERR_IO, path, "the folder cannot be made: %.*s is not a folder", (int)at,
                                   folder)
                    : lh_error_set(error, LH_ERR_IO, path, "the folder cannot be made: %s", strerror(code));
            folder[made] = '\0'; /* what there is to remove again */
            return status;
        }
    }
    return LH_OK;
}

/* Removes the folders that were made, the deepest first, as far as they are empty. */
static void remove_folder(struct cli_outputs *outputs)
{
    char *folder = outputs->folder;
    outputs->folder = NULL;
    while (folder != NULL && strlen(folder) > outputs->folder_kept && rmdir(folder) == 0) {
        char *slash = strrchr(folder, '/');
        if (slash == NULL || slash == folder) {
            break;
        }
        *slash = '\0';
    }
}

static const char *join(struct lh_arena *arena, const char *folder, const char *file)
{
    if (strcmp(folder, ".") == 0) {
        return lh_arena_strdup(arena, file);
    }
    size_t length = strlen(folder), size = length + strlen(file) + 2;
    char *path = lh_arena_alloc(arena, size);
    if (path != NULL) {
        snprintf(path, size, "%s%s%s", folder, length > 0 && folder[length - 1] == '/' ? "" : "/", file);
    }
    return path;
}

static enum lh_status open_one(struct lh_arena *arena, const char *path, const struct cli_sources *sources,
                               size_t index, struct cli_outputs *outputs, struct lh_error *error)
{
    outputs->paths[index] = path;
    if (strcmp(path, "-") == 0) {
        outputs->fds[index] = STDOUT_FILENO;
        return LH_OK;
    }
    if (cli_sources_contain(sources, path)) {
        return lh_error_set(error, LH_ERR_IO, path,
                            "is one of the sources; deliver to another folder or under another name");
    }
    enum lh_status status = cli_aside_open(arena, path, &outputs->files[index], error);
    if (status == LH_OK) {
        outputs->fds[index] = outputs->files[index].fd;
    }
    return status;
}

enum lh_status cli_outputs_prepare(struct lh_arena *arena, const char *folder, size_t count,
                                   struct cli_outputs *outputs, struct lh_error *error)
{
    *outputs = CLI_OUTPUTS_NONE;
    outputs->files = lh_arena_array(arena, count, sizeof *outputs->files);
    outputs->paths = lh_arena_array(arena, count, sizeof *outputs->paths);
    outputs->fds = lh_arena_array(arena, count, sizeof *outputs->fds);
    if (outputs->files == NULL || outputs->paths == NULL || outputs->fds == NULL) {
        return lh_error_no_memory(error);
    }
    for (size_t i = 0; i < count; i++) {
        outputs->files[i] = CLI_ASIDE_NONE;
        outputs->fds[i] = -1;
    }
    outputs->count = count;
    return make_folder(arena, folder, outputs, error);
}

enum lh_status cli_outputs_open_file(struct lh_arena *arena, const char *folder, const char *name, size_t index,
                                     struct cli_outputs *outputs, struct lh_error *error)
{
    const char *path = join(arena, folder, name);
    if (path == NULL) {
        return lh_error_no_memory(error);
    }
    outputs->paths[index] = path;
    enum lh_status status = cli_aside_open(arena, path, &outputs->files[index], error);
    if (status == LH_OK) {
        outputs->fds[index] = outputs->files[index].fd;
    }
    return status;
}

static enum lh_status open_all(struct lh_arena *arena, const char *folder, const char *single,
                               const struct pulse_compiled *compiled, const struct cli_sources *sources,
                               struct cli_outputs *outputs, struct lh_error *error)
{
    size_t count = compiled->graph->deliverable_count;
    enum lh_status status = cli_outputs_prepare(arena, folder, count, outputs, error);
    for (size_t i = 0; status == LH_OK && i < count; i++) {
        if (!compiled->outputs[i].wanted) {
            continue;
        }
        const char *path = single != NULL ? single : join(arena, folder, compiled->outputs[i].file);
        status = path == NULL ? lh_error_no_memory(error) : open_one(arena, path, sources, i, outputs, error);
    }
    if (status != LH_OK) {
        return status;
    }
    const char *temporary = getenv("TMPDIR");
    return cli_scratch_open(arena, temporary != NULL && temporary[0] != '\0' ? temporary : folder, &outputs->scratch_fd,
                            error);
}

enum lh_status cli_outputs_open(struct lh_arena *arena, const char *folder, const char *single,
                                const struct pulse_compiled *compiled, const struct cli_sources *sources,
                                struct cli_outputs *outputs, struct lh_error *error)
{
    enum lh_status status = open_all(arena, folder, single, compiled, sources, outputs, error);
    if (status != LH_OK) {
        cli_outputs_discard(outputs);
    }
    return status;
}

/* Makes the new names last, too. A file system that cannot sync a folder has no more to promise. */
static void sync_folder_of(struct lh_arena *arena, const char *path)
{
    const char *folder = cli_folder_of(arena, path);
    int fd = folder != NULL ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (fd >= 0) {
        (void)fsync(fd);
        close(fd);
    }
}

enum lh_status cli_outputs_publish(struct lh_arena *arena, struct cli_outputs *outputs, struct lh_error *error)
{
    for (size_t i = 0; i < outputs->count; i++) {
        cli_aside_flush(&outputs->files[i]);
    }
    enum lh_status status = LH_OK;
    for (size_t i = 0; status == LH_OK && i < outputs->count; i++) {
        if (outputs->files[i].fd >= 0) {
            status = cli_aside_sync(&outputs->files[i], error);
        }
    }
    const char *published = NULL;
    for (size_t i = 0; status == LH_OK && i < outputs->count; i++) {
        if (outputs->files[i].fd < 0) {
            continue;
        }
        status = cli_aside_publish(&outputs->files[i], error);
        if (status == LH_OK) {
            published = outputs->paths[i];
        }
    }
    if (published != NULL) {
        outputs->folder = NULL; /* it is in use now */
        sync_folder_of(arena, published);
    }
    return status;
}

void cli_outputs_discard(struct cli_outputs *outputs)
{
    for (size_t i = 0; i < outputs->count; i++) {
        cli_aside_discard(&outputs->files[i]);
    }
    if (outputs->scratch_fd >= 0) {
        close(outputs->scratch_fd);
        outputs->scratch_fd = -1;
    }
    remove_folder(outputs);
}
