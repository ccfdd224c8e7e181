/* SPDX-License-Identifier: MIT */
/* Looking for loophole-signal. */
#include "engine/instance/locate.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static enum lh_status too_long(struct lh_error *error)
{
    return lh_error_set(error, LH_ERR_LIMIT, NULL, "the path of loophole-signal is too long");
}

enum lh_status engine_instance_locate(char *path, size_t size, struct lh_error *error)
{
    const char *chosen = getenv("LOOPHOLE_SIGNAL");
    if (chosen != NULL && *chosen != '\0') {
        int length = snprintf(path, size, "%s", chosen);
        return length >= 0 && (size_t)length < size ? LH_OK : too_long(error);
    }
    char folder[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", folder, sizeof folder - 1);
    if (length <= 0) {
        return lh_error_set(error, LH_ERR_IO, NULL,
                            "this program cannot tell where it is; set LOOPHOLE_SIGNAL to the path of loophole-signal");
    }
    folder[length] = '\0';
    *strrchr(folder, '/') = '\0'; /* the link is an absolute path */
    static const char *const places[] = {"", "/../engine/instance", "/../libexec"};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        int written = snprintf(path, size, "%s%s/loophole-signal", folder, places[i]);
        if (written < 0 || (size_t)written >= size) {
            return too_long(error);
        }
        if (access(path, X_OK) == 0) {
            return LH_OK;
        }
    }
    return lh_error_set(error, LH_ERR_IO, NULL,
                        "loophole-signal is neither beside this program nor in ../libexec; install it there or set "
                        "LOOPHOLE_SIGNAL to its path");
}
