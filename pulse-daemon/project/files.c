/* SPDX-License-Identifier: MIT */
/* Confinement at open time. openat2() lets the kernel see to it that no part of a path, links included, leads out of
   the project's folder. Where it is not to be had (old kernels, strict sandboxes), the path is walked part by part and
   links are not followed at all. */
#include "pulse-daemon/project/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/base/faults.h"
#include "pulse-daemon/project/paths.h"

#define NEAR_NAMES_MAX 1024 /* entries of a folder looked at for a near name */
#define RACE_RETRIES_MAX 16 /* openat2() gives EAGAIN when something was renamed under it */

/* O_NONBLOCK: opening a fifo must not wait for a writer. */
#define OPEN_FILE (O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
#define OPEN_FOLDER (O_RDONLY | O_DIRECTORY | O_CLOEXEC)

static int open_beneath_kernel(int folder, const char *path, int flags)
{
    struct open_how how = {.flags = (unsigned)flags, .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    for (int tries = 0;; tries++) {
        long fd = syscall(SYS_openat2, folder, path, &how, sizeof how);
        if (fd >= 0 || (errno != EAGAIN && errno != EINTR) || tries >= RACE_RETRIES_MAX) {
            return (int)fd;
        }
    }
}

/* `path` is normalised and has neither "..", nor "." nor empty parts. */
static int open_beneath_walking(int folder, const char *path, int flags)
{
    int at = folder;
    char part[PULSE_PATH_MAX + 1];
    for (;;) {
        size_t length = strcspn(path, "/");
        bool last = path[length] == '\0';
        if (length >= sizeof part) {
            errno = ENAMETOOLONG;
            return -1;
        }
        memcpy(part, path, length);
        part[length] = '\0';
        int fd = openat(at, part, (last ? flags : OPEN_FOLDER) | O_NOFOLLOW);
        int reason = errno;
        struct stat facts;
        if (fd < 0 && reason == ENOTDIR && fstatat(at, part, &facts, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISLNK(facts.st_mode)) {
            reason = ELOOP; /* a link to a folder, which O_DIRECTORY | O_NOFOLLOW calls no folder */
        }
        if (at != folder) {
            close(at);
        }
        if (fd < 0 || last) {
            errno = reason;
            return fd;
        }
        at = fd;
        path += length + 1;
    }
}

static int open_beneath(int folder, const char *path, int flags)
{
    int fd = open_beneath_kernel(folder, path, flags);
    if (fd < 0 && (errno == ENOSYS || errno == EPERM)) {
        return open_beneath_walking(folder, path, flags);
    }
    return fd;
}

/* The entry of a folder that comes nearest to `name`, in the arena; NULL when there is none. */
static const char *nearest_entry(struct lh_arena *arena, int folder, const char *parent, const char *name)
{
    int fd = open_beneath(folder, *parent == '\0' ? "." : parent, OPEN_FOLDER);
    DIR *entries = fd < 0 ? NULL : fdopendir(fd);
    if (entries == NULL) {
        if (fd >= 0) {
            close(fd);
        }
        return NULL;
    }
    const char **names = lh_arena_array(arena, NEAR_NAMES_MAX, sizeof *names);
    size_t count = 0;
    for (struct dirent *entry = readdir(entries); names != NULL && entry != NULL && count < NEAR_NAMES_MAX;
         entry = readdir(entries)) {
        const char *copy = entry->d_name[0] == '.' ? NULL : lh_arena_strdup(arena, entry->d_name);
        if (copy != NULL) {
            names[count++] = copy;
        }
    }
    closedir(entries);
    return names == NULL ? NULL : lh_nearest_name(name, names, count);
}

/* "not there", with the nearest name in the deepest folder of the path that does exist. */
static enum lh_status report_missing(int folder, const char *path, const char *where, struct lh_error *error)
{
    struct lh_arena arena;
    lh_arena_init(&arena);
    const char *nearest = NULL;
    char *parent = lh_arena_strdup(&arena, path);
    while (parent != NULL && *parent != '\0') {
        char *slash = strrchr(parent, '/');
        const char *name = slash == NULL ? path : path + (slash - parent) + 1;
        size_t length = strcspn(name, "/");
        if (slash == NULL) {
            *parent = '\0';
        } else {
            *slash = '\0';
        }
        const char *part = lh_arena_strndup(&arena, name, length);
        nearest = part == NULL ? NULL : nearest_entry(&arena, folder, parent, part);
        if (nearest != NULL && strcmp(nearest, part) != 0) {
            break;
        }
        nearest = NULL;
    }
    if (nearest == NULL) {
        lh_error_set(error, LH_ERR_MISSING, where, "there is no file \"%s\" in the project's folder", path);
    } else {
        lh_error_set(error, LH_ERR_MISSING, where,
                     "there is no file \"%s\" in the project's folder; did you mean \"%s%s%s\"?", path, parent,
                     *parent == '\0' ? "" : "/", nearest);
    }
    lh_arena_fini(&arena);
    return LH_ERR_MISSING;
}

static enum lh_status report_failure(int reason, int folder, const char *path, const char *where,
                                     struct lh_error *error)
{
    switch (reason) {
    case ENOENT:
    case ENOTDIR:
        return report_missing(folder, path, where, error);
    case EXDEV:
        return lh_error_set(error, LH_ERR_INVALID, where,
                            "\"%s\" leads out of the project's folder through a symbolic link: copy the file into the "
                            "folder",
                            path);
    case ELOOP:
        return lh_error_set(error, LH_ERR_INVALID, where,
                            "\"%s\" goes through a symbolic link that cannot be followed safely: copy the file into "
                            "the folder",
                            path);
    case EACCES:
        return lh_error_set(error, LH_ERR_MISSING, where, "\"%s\" cannot be read: permission denied", path);
    case ENXIO:
        return lh_error_set(error, LH_ERR_MISSING, where, "\"%s\" is no regular file", path);
    default:
        return lh_error_set(error, LH_ERR_IO, where, "\"%s\" cannot be opened: %s", path, strerror(reason));
    }
}

static enum lh_status check_regular(int fd, const char *path, const char *where, struct lh_error *error)
{
    struct stat facts;
    if (fstat(fd, &facts) != 0) {
        return lh_error_set(error, LH_ERR_IO, where, "\"%s\" cannot be looked at: %s", path, strerror(errno));
    }
    if (S_ISDIR(facts.st_mode)) {
        return lh_error_set(error, LH_ERR_MISSING, where, "\"%s\" is a folder, not a file", path);
    }
    if (!S_ISREG(facts.st_mode)) {
        return lh_error_set(error, LH_ERR_MISSING, where, "\"%s\" is no regular file", path);
    }
    return LH_OK;
}

static enum lh_status open_in_folder(const struct pulse_project *project, const char *path, const char *where, int *fd,
                                     struct lh_error *error)
{
    if (project->folder == NULL) {
        return lh_error_set(error, LH_ERR_MISSING, where, "\"%s\" cannot be opened: the project has no folder", path);
    }
    int folder = open(project->folder, OPEN_FOLDER);
    if (folder < 0) {
        return lh_error_set(error, LH_ERR_MISSING, where, "the project's folder \"%s\" cannot be opened: %s",
                            project->folder, strerror(errno));
    }
    int file = open_beneath(folder, path, OPEN_FILE);
    enum lh_status status =
        file >= 0 ? check_regular(file, path, where, error) : report_failure(errno, folder, path, where, error);
    if (status == LH_OK && fcntl(file, F_SETFL, O_RDONLY) != 0) {
        status = lh_error_set(error, LH_ERR_IO, where, "\"%s\" cannot be made blocking: %s", path, strerror(errno));
    }
    close(folder);
    if (status != LH_OK) {
        if (file >= 0) {
            close(file);
        }
        return status;
    }
    *fd = file;
    return LH_OK;
}

enum lh_status pulse_media_open(const struct pulse_project *project, size_t media_index, int *fd,
                                struct lh_error *error)
{
    if (media_index >= project->media_count) {
        return lh_error_set(error, LH_ERR_USAGE, NULL, "there is no medium number %zu", media_index);
    }
    const struct pulse_media *medium = &project->media[media_index];
    char where[LH_ERROR_WHERE_SIZE];
    snprintf(where, sizeof where, "/media/%s", medium->id);
    if (medium->file == NULL) {
        return lh_error_set(error, LH_ERR_MISSING, where,
                            "this medium is known by its digest only, which needs the media store of a farm or a "
                            "cache: give a \"file\" to render here");
    }
    return open_in_folder(project, medium->file, where, fd, error);
}

enum lh_status pulse_file_open(const struct pulse_project *project, const char *file, int *fd, struct lh_error *error)
{
    return open_in_folder(project, file, NULL, fd, error);
}
