/* SPDX-License-Identifier: MIT */
/* Making and emptying scratch folders. */
#include "engine/instance/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define NAME_SIZE 32

enum lh_status engine_folder_new(char *path, size_t size, struct lh_error *error)
{
    const char *parent = getenv("TMPDIR");
    parent = parent != NULL && *parent == '/' ? parent : "/tmp";
    int length = snprintf(path, size, "%s/loophole-XXXXXX", parent);
    if (length < 0 || (size_t)length >= size) {
        return lh_error_set(error, LH_ERR_LIMIT, parent, "the path of the folder for temporary files is too long");
    }
    if (mkdtemp(path) == NULL) {
        return lh_error_set(error, LH_ERR_IO, parent, "cannot make a folder for temporary files: %s; set TMPDIR",
                            strerror(errno));
    }
    return LH_OK;
}

static bool is_itself(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* Opens a folder that its owner may have shut. */
static DIR *open_folder(int at, const char *name)
{
    int fd = openat(at, name, FOLDER_FLAGS);
    if (fd < 0 && errno == EACCES && fchmodat(at, name, S_IRWXU, 0) == 0) {
        fd = openat(at, name, FOLDER_FLAGS);
    }
    if (fd >= 0) {
        fchmod(fd, S_IRWXU);
    }
    DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
    if (folder == NULL && fd >= 0) {
        close(fd);
    }
    return folder;
}

/* Empties the folder `name` of `root` and removes it: what it holds of folders moves up into `root` under new names, so
   that nothing is ever deeper than one step. Returns whether anything of that could be done. */
static bool flatten(int root, const char *name, unsigned long *serial)
{
    bool moved = false;
    DIR *folder = open_folder(root, name);
    for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;) {
        if (is_itself(entry->d_name)) {
            continue;
        }
        if (unlinkat(dirfd(folder), entry->d_name, 0) == 0) {
            moved = true;
            continue;
        }
        fchmodat(dirfd(folder), entry->d_name, S_IRWXU, 0); /* a folder's ".." is about to be written */
        char up[NAME_SIZE];
        do {
            snprintf(up, sizeof up, "%lx", (*serial)++);
        } while (faccessat(root, up, F_OK, AT_SYMLINK_NOFOLLOW) == 0);
        moved = renameat(dirfd(folder), entry->d_name, root, up) == 0 || moved;
    }
    if (folder != NULL) {
        closedir(folder);
    }
    return unlinkat(root, name, AT_REMOVEDIR) == 0 || moved;
}

void engine_folder_remove(const char *path)
{
    unsigned long serial = 0;
    bool moved = true;
    while (moved && rmdir(path) != 0 && errno != ENOENT) {
        moved = false;
        DIR *root = open_folder(AT_FDCWD, path);
        for (struct dirent *entry; root != NULL && (entry = readdir(root)) != NULL;) {
            if (!is_itself(entry->d_name)) {
                moved = unlinkat(dirfd(root), entry->d_name, 0) == 0 || flatten(dirfd(root), entry->d_name, &serial) ||
                        moved;
            }
        }
        if (root != NULL) {
            closedir(root);
        }
    }
}
