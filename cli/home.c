/* SPDX-License-Identifier: MIT */
/* Finding the data folder and what is in it. */
#include "cli/home.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define FOLDER_MODE 0700
#define SOCKET_PATH_MAX (sizeof((struct sockaddr_un *)0)->sun_path - 1)
#define LONGEST_SOCKET "/run/workers.ipc"

static char *join(struct lh_arena *arena, const char *before, const char *folder, const char *middle, const char *name,
                  const char *after)
{
    size_t size = strlen(before) + strlen(folder) + strlen(middle) + strlen(name) + strlen(after) + 1;
    char *path = lh_arena_alloc(arena, size);
    if (path != NULL) {
        snprintf(path, size, "%s%s%s%s%s", before, folder, middle, name, after);
    }
    return path;
}

/* A relative folder is meant from where the command runs; the programs that are started may run elsewhere. */
static char *make_absolute(struct lh_arena *arena, const char *folder)
{
    char here[PATH_MAX];
    if (folder[0] == '/' || getcwd(here, sizeof here) == NULL) {
        return lh_arena_strdup(arena, folder);
    }
    return join(arena, "", here, "/", folder, "");
}

static enum lh_status find_folder(struct lh_arena *arena, const char *given, const char **folder,
                                  struct lh_error *error)
{
    const char *data = getenv("XDG_DATA_HOME"), *user = getenv("HOME");
    char *found;
    if (given != NULL && given[0] != '\0') {
        found = make_absolute(arena, given);
    } else if (data != NULL && data[0] == '/') { /* the specification ignores relative ones */
        found = join(arena, "", data, "/", "loophole", "");
    } else if (user != NULL && user[0] == '/') {
        found = join(arena, "", user, "/.local/share/", "loophole", "");
    } else {
        return lh_error_set(error, LH_ERR_USAGE, "--data", "there is no home folder: name a data folder");
    }
    if (found == NULL) {
        return lh_error_no_memory(error);
    }
    for (size_t length = strlen(found); length > 1 && found[length - 1] == '/'; length--) {
        found[length - 1] = '\0';
    }
    *folder = found;
    return LH_OK;
}

enum lh_status cli_home_find(struct lh_arena *arena, const struct lh_options *options, struct cli_home *home,
                             struct lh_error *error)
{
    struct cli_home found = {0};
    enum lh_status status = find_folder(arena, lh_options_text(options, "data"), &found.folder, error);
    if (status != LH_OK) {
        return status;
    }
    if (strlen(found.folder) + strlen(LONGEST_SOCKET) > SOCKET_PATH_MAX) {
        return lh_error_set(error, LH_ERR_LIMIT, "--data",
                            "%s is too long for the sockets in it: choose a folder with a path of at most %zu bytes",
                            found.folder, SOCKET_PATH_MAX - strlen(LONGEST_SOCKET));
    }
    found.token_file = cli_home_path(arena, &found, "token");
    if (found.token_file == NULL) {
        return lh_error_no_memory(error);
    }
    *home = found;
    return LH_OK;
}

char *cli_home_path(struct lh_arena *arena, const struct cli_home *home, const char *name)
{
    return join(arena, "", home->folder, "/", name, "");
}

char *cli_home_endpoint(struct lh_arena *arena, const struct cli_home *home, const char *name)
{
    return join(arena, "ipc://", home->folder, "/run/", name, ".ipc");
}

enum lh_status cli_home_make(const struct cli_home *home, struct lh_error *error)
{
    char path[PATH_MAX];
    int length = snprintf(path, sizeof path, "%s", home->folder);
    for (int at = 1; at <= length; at++) {
        if (path[at] != '/' && path[at] != '\0') {
            continue;
        }
        path[at] = '\0';
        struct stat info;
        if (mkdir(path, FOLDER_MODE) != 0 && (stat(path, &info) != 0 || !S_ISDIR(info.st_mode))) {
            return lh_error_set(error, LH_ERR_IO, path, "the folder cannot be made: %s", strerror(errno));
        }
        path[at] = at < length ? '/' : '\0';
    }
    return LH_OK;
}

enum lh_status cli_home_token(const struct cli_home *home, char token[CLI_TOKEN_SIZE], struct lh_error *error)
{
    int fd = open(home->token_file, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) {
        return lh_error_set(error, LH_ERR_UNAVAILABLE, home->folder,
                            "there is no farm here: start one with 'loophole up'");
    }
    char text[CLI_TOKEN_SIZE];
    ssize_t length = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;
    int code = errno;
    if (fd >= 0) {
        close(fd);
    }
    if (length < 0) {
        return lh_error_set(error, LH_ERR_UNAVAILABLE, home->token_file, "cannot be read: %s", strerror(code));
    }
    text[length] = '\0';
    text[strcspn(text, "\r\n")] = '\0';
    if (text[0] == '\0') {
        return lh_error_set(error, LH_ERR_UNAVAILABLE, home->token_file, "holds no token");
    }
    memcpy(token, text, strlen(text) + 1);
    return LH_OK;
}
