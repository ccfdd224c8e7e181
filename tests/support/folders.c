/* SPDX-License-Identifier: MIT */
/* Temporary folders for tests and benches. */
#include "tests/support/folders.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

void folders_make(char *path, size_t size)
{
    const char *place = getenv("TMPDIR");
    int length = snprintf(path, size, "%s/loophole-test-XXXXXX", place != NULL ? place : "/tmp");
    if (length < 0 || (size_t)length >= size || mkdtemp(path) == NULL) {
        perror(path);
        abort();
    }
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
    (void)info;
    (void)kind;
    (void)walk;
    return remove(path);
}

void folders_remove(const char *path)
{
    if (nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0) {
        perror(path);
        abort();
    }
}
