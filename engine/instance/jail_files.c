/* SPDX-License-Identifier: MIT */
/* Which files a jailed instance reaches: Landlock, as much of it as the kernel has. glibc has no wrappers for it, and
   its header may be older than the kernel: what is newer than version 1 is spelt out here. */
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "engine/instance/jail.h"

/* struct landlock_ruleset_attr as of version 6; an older kernel is given its first part. */
struct ruleset {
    uint64_t files, net, scoped;
};
#define RULESET_1 sizeof(uint64_t)
#define RULESET_4 (2 * sizeof(uint64_t))

#define FILES_1 ((UINT64_C(1) << 13) - 1)
#define FILES_2 (UINT64_C(1) << 13) /* moving between folders */
#define FILES_3 (UINT64_C(1) << 14) /* truncating */
#define FILES_5 (UINT64_C(1) << 15) /* control of devices */
#define NET_4 UINT64_C(3)           /* TCP: bind, connect */
#define SCOPED_6 UINT64_C(3)        /* abstract sockets and signals beyond the jail */

#define READ_FILES LANDLOCK_ACCESS_FS_READ_FILE
#define READ (READ_FILES | LANDLOCK_ACCESS_FS_READ_DIR)
#define USE (READ_FILES | LANDLOCK_ACCESS_FS_WRITE_FILE | FILES_3)
#define OWN                                                                                                            \
    (READ | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |           \
     LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_FIFO |                        \
     LANDLOCK_ACCESS_FS_MAKE_SYM | FILES_2 | FILES_3)
/* What can be granted for something that is no folder. */
#define OF_A_FILE (READ_FILES | LANDLOCK_ACCESS_FS_WRITE_FILE | FILES_3)

static const struct {
    const char *path;
    uint64_t rights;
} places[] = {
    /* libraries and the loader's business */
    {"/usr/lib", READ},
    {"/usr/lib32", READ},
    {"/usr/lib64", READ},
    {"/usr/local/lib", READ},
    {"/lib", READ},
    {"/lib64", READ},
    {"/etc/ld.so.cache", READ},
    {"/etc/ld.so.conf", READ},
    {"/etc/ld.so.conf.d", READ},
    {"/etc/ld.so.preload", READ},
    /* data that plugins share */
    {"/usr/share", READ},
    {"/usr/local/share", READ},
    {"/etc/fonts", READ},
    {"/etc/localtime", READ},
    /* the process itself and the machine */
    {"/proc/self", READ},
    {"/proc/cpuinfo", READ},
    {"/proc/meminfo", READ},
    {"/sys/devices/system/cpu", READ},
    {"/dev/null", USE},
    {"/dev/zero", USE},
    {"/dev/full", USE},
    {"/dev/random", READ},
    {"/dev/urandom", READ},
};

/* A path that is not there, or not to be seen, is no loss to the jail. Returns 0 or an errno value. */
static int grant(int ruleset, const char *path, uint64_t rights)
{
    int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0) {
        return 0;
    }
    struct stat facts;
    bool folder = fstat(fd, &facts) == 0 && S_ISDIR(facts.st_mode);
    struct landlock_path_beneath_attr rule = {.allowed_access = folder ? rights : rights & OF_A_FILE, .parent_fd = fd};
    int code = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0 ? errno : 0;
    if (code == 0 && strcmp(path, "/proc/self") == 0) {
        return 0; /* stays open: the rule is for this very entry of /proc, which would be made anew once forgotten */
    }
    close(fd);
    return code;
}

/* The entries of a list of folders from the environment, "/a:/b". */
static int grant_list(int ruleset, const char *list, uint64_t rights)
{
    int code = 0;
    while (code == 0 && list != NULL && *list != '\0') {
        size_t length = strcspn(list, ":");
        char path[4096];
        if (*list == '/' && length < sizeof path) {
            memcpy(path, list, length);
            path[length] = '\0';
            code = grant(ruleset, path, rights);
        }
        list += length + (list[length] == ':' ? 1 : 0);
    }
    return code;
}

static int grant_all(int ruleset, const struct engine_jail *jail, uint64_t handled)
{
    int code = 0;
    for (size_t i = 0; code == 0 && i < sizeof places / sizeof *places; i++) {
        code = grant(ruleset, places[i].path, places[i].rights & handled);
    }
    for (size_t i = 0; code == 0 && i < jail->readable_count; i++) {
        code = grant(ruleset, jail->readable[i], READ);
    }
    code = code != 0 ? code : grant_list(ruleset, getenv("LD_LIBRARY_PATH"), READ);
    code = code != 0 ? code : grant_list(ruleset, getenv("LV2_PATH"), READ);
    return code != 0 || jail->scratch == NULL ? code : grant(ruleset, jail->scratch, OWN & handled);
}

enum lh_status engine_jail_files(const struct engine_jail *jail, char *note, struct lh_error *error)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (version < 1) {
        snprintf(note, ENGINE_JAIL_NOTE_SIZE, "seccomp; files are not confined: this kernel has no landlock");
        return LH_OK;
    }
    struct ruleset all = {.files = FILES_1};
    all.files |= version >= 2 ? FILES_2 : 0;
    all.files |= version >= 3 ? FILES_3 : 0;
    all.files |= version >= 5 ? FILES_5 : 0;
    all.net = version >= 4 ? NET_4 : 0;
    all.scoped = version >= 6 ? SCOPED_6 : 0;
    size_t size = version >= 6 ? sizeof all : version >= 4 ? RULESET_4 : RULESET_1;
    int ruleset = (int)syscall(SYS_landlock_create_ruleset, &all, size, 0);
    int code = ruleset < 0 ? errno : grant_all(ruleset, jail, all.files);
    if (code == 0 && syscall(SYS_landlock_restrict_self, ruleset, 0) != 0) {
        code = errno;
    }
    if (ruleset >= 0) {
        close(ruleset);
    }
    if (code != 0) {
        return lh_error_set(error, LH_ERR_IO, NULL, "the signal instance cannot confine its files (landlock): %s",
                            strerror(code));
    }
    snprintf(note, ENGINE_JAIL_NOTE_SIZE, "seccomp, landlock %ld", version);
    return LH_OK;
}
