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
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define NAME_SIZE 32
#define UNIQUE "/XXXXXX"
#define TRIES 100

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

static void remove_tree(const char *path)
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

/* A folder of this user's that nobody else can have put there. */
static DIR *open_own(const char *path)
{
    int fd = open(path, FOLDER_FLAGS);
    struct stat facts;
    bool own = fd >= 0 && fstat(fd, &facts) == 0 && facts.st_uid == geteuid() && (facts.st_mode & 077) == 0;
    DIR *folder = own ? fdopendir(fd) : NULL;
    if (folder == NULL && fd >= 0) {
        close(fd);
    }
    return folder;
}

/* Removes what nobody holds. */
static void sweep(const char *base)
{
    DIR *folder = open_own(base);
    for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;) {
        char path[PATH_MAX];
        int length = snprintf(path, sizeof path, "%s/%s", base, entry->d_name);
        int fd = is_itself(entry->d_name) ? -1 : openat(dirfd(folder), entry->d_name, FOLDER_FLAGS);
        if (fd >= 0 && length > 0 && (size_t)length < sizeof path && flock(fd, LOCK_EX | LOCK_NB) == 0) {
            remove_tree(path);
        }
        if (fd >= 0) {
            close(fd);
        }
    }
    if (folder != NULL) {
        closedir(folder);
    }
}

/* Makes a folder and takes hold of it. Another process may just sweep it away, or the empty base: ESTALE, try again.
   Returns 0 or an errno value. */
static int make(const char *base, struct engine_folder *folder)
{
    if (mkdir(base, S_IRWXU) != 0 && errno != EEXIST) {
        return errno;
    }
    DIR *own = open_own(base);
    if (own == NULL) {
        return errno == ENOENT ? ESTALE : EPERM;
    }
    closedir(own);
    if (mkdtemp(folder->path) == NULL) {
        return errno == ENOENT ? ESTALE : errno;
    }
    struct stat facts;
    folder->lock = open(folder->path, FOLDER_FLAGS);
    bool taken = folder->lock < 0 || (flock(folder->lock, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) ||
                 fstat(folder->lock, &facts) != 0 || facts.st_nlink == 0;
    if (taken && folder->lock >= 0) {
        close(folder->lock);
    }
    return taken ? ESTALE : 0;
}

enum lh_status engine_folder_new(struct engine_folder *folder, struct lh_error *error)
{
    const char *parent = getenv("TMPDIR");
    parent = parent != NULL && *parent == '/' ? parent : "/tmp";
    char base[PATH_MAX];
    struct engine_folder made = ENGINE_FOLDER_NONE;
    int length = snprintf(base, sizeof base, "%s/loophole-%u", parent, (unsigned)geteuid());
    if (length < 0 || (size_t)length + sizeof UNIQUE > sizeof base) {
        return lh_error_set(error, LH_ERR_LIMIT, parent, "the path of the folder for temporary files is too long");
    }
    sweep(base);
    int code = ESTALE;
    for (int i = 0; i < TRIES && code == ESTALE; i++) {
        memcpy(made.path, base, (size_t)length);
        memcpy(made.path + length, UNIQUE, sizeof UNIQUE);
        code = make(base, &made);
    }
    if (code != 0) {
        return lh_error_set(error, LH_ERR_IO, parent, "cannot make a folder for temporary files: %s; set TMPDIR",
                            strerror(code));
    }
    *folder = made;
    return LH_OK;
}

void engine_folder_remove(struct engine_folder *folder)
{
    if (folder->path[0] != '\0') {
        remove_tree(folder->path);
        close(folder->lock);
        *strrchr(folder->path, '/') = '\0';
        rmdir(folder->path); /* the user's, when it was the last */
    }
    *folder = ENGINE_FOLDER_NONE;
}
