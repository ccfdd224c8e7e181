/* SPDX-License-Identifier: MIT */
/* Files that are written aside: unnamed or hidden, then renamed into place. */
#include "cli/aside.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/interrupt.h"

#define FILE_MODE 0666    /* before the umask */
#define PART_TRIES 100    /* names tried before giving up */
#define PART_STEM_MAX 200 /* bytes of the file's name in its hidden name, so that that fits into NAME_MAX */
#define PART_RANDOM 6     /* letters */
#define FD_PATH_SIZE 32

/* Asides that have a hidden name now. Changed only while signals are held. */
static struct cli_aside *named;

static enum lh_status write_error(struct lh_error *error, const char *path, int code)
{
    return lh_error_set(error, LH_ERR_IO, path, "cannot be written: %s", strerror(code));
}

const char *cli_name_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

const char *cli_folder_of(struct lh_arena *arena, const char *path)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL) {
        return lh_arena_strdup(arena, ".");
    }
    return slash == path ? lh_arena_strdup(arena, "/") : lh_arena_strndup(arena, path, (size_t)(slash - path));
}

/* A hidden name beside `path` with fresh random letters. */
static enum lh_status hidden_name(char *name, size_t size, const char *folder, const char *path)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz012345"; /* 32: no bias */
    uint8_t random[PART_RANDOM];
    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random) {
        return LH_ERR_IO;
    }
    char suffix[PART_RANDOM + 1];
    for (size_t i = 0; i < PART_RANDOM; i++) {
        suffix[i] = letters[random[i] % (sizeof letters - 1)];
    }
    suffix[PART_RANDOM] = '\0';
    bool has_slash = folder[0] != '\0' && folder[strlen(folder) - 1] == '/';
    snprintf(name, size, "%s%s.%.*s.part-%s", folder, has_slash ? "" : "/", PART_STEM_MAX, cli_name_of(path), suffix);
    return LH_OK;
}

static size_t hidden_size(const char *folder)
{
    return strlen(folder) + sizeof "/." - 1 + PART_STEM_MAX + sizeof ".part-" + PART_RANDOM;
}

static void put_on_list(struct cli_aside *aside)
{
    aside->next = named;
    named = aside;
}

static void take_off_list(struct cli_aside *aside)
{
    for (struct cli_aside **link = &named; *link != NULL; link = &(*link)->next) {
        if (*link == aside) {
            *link = aside->next;
            return;
        }
    }
}

/* The file system has no unnamed files (or /proc is not there to name them by later). */
static bool cannot_be_unnamed(int code)
{
    return code == EOPNOTSUPP || code == EISDIR || code == EINVAL || code == ENOENT;
}

static int open_unnamed(const char *folder)
{
    if (access("/proc/self/fd", X_OK) != 0) {
        errno = EOPNOTSUPP;
        return -1;
    }
    return open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, FILE_MODE);
}

/* `part` has room for hidden_size(); errno tells why on -1. */
static int open_hidden(const char *folder, const char *path, char *part, size_t size)
{
    for (int i = 0; i < PART_TRIES; i++) {
        if (hidden_name(part, size, folder, path) != LH_OK) {
            return -1;
        }
        int fd = open(part, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, FILE_MODE);
        if (fd >= 0 || errno != EEXIST) {
            return fd;
        }
    }
    return -1;
}

static enum lh_status check_target(const char *path, struct lh_error *error)
{
    struct stat info;
    if (stat(path, &info) != 0 || S_ISREG(info.st_mode)) {
        return LH_OK;
    }
    return lh_error_set(error, LH_ERR_IO, path,
                        S_ISDIR(info.st_mode) ? "is a folder; name a file" : "is not a plain file; name a file");
}

enum lh_status cli_aside_open(struct lh_arena *arena, const char *path, struct cli_aside *aside, struct lh_error *error)
{
    enum lh_status status = check_target(path, error);
    if (status != LH_OK) {
        return status;
    }
    const char *folder = cli_folder_of(arena, path);
    const char *copy = lh_arena_strdup(arena, path);
    if (folder == NULL || copy == NULL) {
        return lh_error_no_memory(error);
    }
    int fd = open_unnamed(folder);
    if (fd >= 0) {
        *aside = (struct cli_aside){.fd = fd, .path = copy};
        return LH_OK;
    }
    if (!cannot_be_unnamed(errno)) {
        return write_error(error, path, errno);
    }
    size_t size = hidden_size(folder);
    char *part = lh_arena_alloc(arena, size);
    if (part == NULL) {
        return lh_error_no_memory(error);
    }
    sigset_t before;
    cli_interrupt_hold(&before);
    fd = open_hidden(folder, path, part, size);
    int code = errno;
    if (fd >= 0) {
        *aside = (struct cli_aside){.fd = fd, .path = copy, .part = part};
        put_on_list(aside);
    }
    cli_interrupt_release(&before);
    return fd >= 0 ? LH_OK : write_error(error, path, code);
}

enum lh_status cli_aside_write(const struct cli_aside *aside, const void *data, size_t size, struct lh_error *error)
{
    const char *bytes = data;
    for (size_t done = 0; done < size;) {
        ssize_t written = write(aside->fd, bytes + done, size - done);
        if (written < 0 && errno != EINTR) {
            return write_error(error, aside->path, errno);
        }
        done += written > 0 ? (size_t)written : 0;
    }
    return LH_OK;
}

void cli_aside_flush(const struct cli_aside *aside)
{
    if (aside->fd >= 0) {
        (void)sync_file_range(aside->fd, 0, 0, SYNC_FILE_RANGE_WRITE); /* a hint: the sync tells of failures */
    }
}

enum lh_status cli_aside_sync(const struct cli_aside *aside, struct lh_error *error)
{
    return fsync(aside->fd) == 0 ? LH_OK : write_error(error, aside->path, errno);
}

static int link_at(int fd, const char *path)
{
    char name[FD_PATH_SIZE];
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    return linkat(AT_FDCWD, name, AT_FDCWD, path, AT_SYMLINK_FOLLOW);
}

/* An unnamed file over an existing one: there is no link that replaces, so by way of a hidden name. errno on -1. */
static int replace_with(int fd, const char *path)
{
    char folder[PATH_MAX], part[PATH_MAX];
    size_t length = (size_t)(cli_name_of(path) - path);
    if (length == 0) {
        memcpy(folder, ".", 2);
    } else if (length < sizeof folder) {
        memcpy(folder, path, length);
        folder[length] = '\0';
    }
    if (length >= sizeof folder || hidden_size(folder) > sizeof part) {
        errno = ENAMETOOLONG;
        return -1;
    }
    for (int i = 0; i < PART_TRIES; i++) {
        if (hidden_name(part, sizeof part, folder, path) != LH_OK) {
            return -1;
        }
        if (link_at(fd, part) == 0) {
            if (rename(part, path) == 0) {
                return 0;
            }
            int code = errno;
            unlink(part);
            errno = code;
            return -1;
        }
        if (errno != EEXIST) {
            return -1;
        }
    }
    return -1;
}

enum lh_status cli_aside_publish(struct cli_aside *aside, struct lh_error *error)
{
    sigset_t before;
    cli_interrupt_hold(&before);
    int result;
    if (aside->part != NULL) {
        result = rename(aside->part, aside->path);
    } else {
        result = link_at(aside->fd, aside->path);
        if (result != 0 && errno == EEXIST) {
            result = replace_with(aside->fd, aside->path);
        }
    }
    int code = errno;
    if (result == 0) {
        take_off_list(aside);
        close(aside->fd);
        aside->fd = -1;
        aside->part = NULL;
    }
    cli_interrupt_release(&before);
    return result == 0 ? LH_OK : write_error(error, aside->path, code);
}

void cli_aside_discard(struct cli_aside *aside)
{
    if (aside->fd < 0) {
        return;
    }
    sigset_t before;
    cli_interrupt_hold(&before);
    if (aside->part != NULL) {
        unlink(aside->part);
        take_off_list(aside);
        aside->part = NULL;
    }
    close(aside->fd);
    aside->fd = -1;
    cli_interrupt_release(&before);
}

void cli_aside_abandon_all(void)
{
    for (const struct cli_aside *aside = named; aside != NULL; aside = aside->next) {
        unlink(aside->part);
    }
}

enum lh_status cli_scratch_open(struct lh_arena *arena, const char *folder, int *fd, struct lh_error *error)
{
    int opened = open(folder, O_TMPFILE | O_EXCL | O_RDWR | O_CLOEXEC, FILE_MODE);
    if (opened < 0 && cannot_be_unnamed(errno)) {
        size_t size = hidden_size(folder);
        char *part = lh_arena_alloc(arena, size);
        if (part == NULL) {
            return lh_error_no_memory(error);
        }
        sigset_t before;
        cli_interrupt_hold(&before);
        opened = open_hidden(folder, "scratch", part, size);
        int code = errno;
        if (opened >= 0) {
            unlink(part);
        }
        cli_interrupt_release(&before);
        errno = code;
    }
    if (opened < 0) {
        return lh_error_set(error, LH_ERR_IO, folder,
                            "cannot hold a temporary file: %s; TMPDIR can name another folder", strerror(errno));
    }
    *fd = opened;
    return LH_OK;
}
