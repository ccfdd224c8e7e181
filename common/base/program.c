/* SPDX-License-Identifier: MIT */
/* Looking for a program. */
#include "common/base/program.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static enum lh_status too_long(const struct lh_program *program, struct lh_error *error)
{
    return lh_error_set(error, LH_ERR_LIMIT, NULL, "the path of %s is too long", program->name);
}

static enum lh_status own_folder(const struct lh_program *program, char folder[PATH_MAX], struct lh_error *error)
{
    ssize_t length = readlink("/proc/self/exe", folder, PATH_MAX - 1);
    if (length <= 0) {
        return lh_error_set(error, LH_ERR_IO, NULL, "this program cannot tell where it is; set %s to the path of %s",
                            program->variable, program->name);
    }
    folder[length] = '\0';
    *strrchr(folder, '/') = '\0'; /* the link is an absolute path */
    return LH_OK;
}

enum lh_status lh_program_locate(const struct lh_program *program, char *path, size_t size, struct lh_error *error)
{
    const char *chosen = getenv(program->variable);
    if (chosen != NULL && *chosen != '\0') {
        int length = snprintf(path, size, "%s", chosen);
        return length >= 0 && (size_t)length < size ? LH_OK : too_long(program, error);
    }
    char folder[PATH_MAX];
    enum lh_status status = own_folder(program, folder, error);
    if (status != LH_OK) {
        return status;
    }
    const struct {
        const char *up, *down;
    } places[] = {{"", ""}, {"/../", program->build_folder}, {"/../../", program->build_folder}, {"/../", "libexec"}};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        int written = snprintf(path, size, "%s%s%s/%s", folder, places[i].up, places[i].down, program->name);
        if (written < 0 || (size_t)written >= size) {
            return too_long(program, error);
        }
        if (access(path, X_OK) == 0) {
            return LH_OK;
        }
    }
    return lh_error_set(error, LH_ERR_IO, NULL,
                        "%s is neither beside this program nor in ../libexec; install it there or set %s to its path",
                        program->name, program->variable);
}
