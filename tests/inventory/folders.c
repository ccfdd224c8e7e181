/* SPDX-License-Identifier: MIT */
/* Folders for tests. */
#include "tests/inventory/folders.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/testing.h"

static char base[PATH_MAX];

const char *folders_begin(void)
{
    char name[] = "inventory-XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(name));
    ck_assert_ptr_nonnull(realpath(name, base));
    return base;
}

void folders_end(void)
{
    char command[PATH_MAX + 16];
    snprintf(command, sizeof command, "rm -rf '%s'", base);
    ck_assert_int_eq(system(command), 0);
}

const char *folders_path(const char *name)
{
    static char paths[8][PATH_MAX + 256];
    static unsigned turn;
    char *path = paths[turn++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", base, name);
    return path;
}

void folders_make(const char *name)
{
    ck_assert_int_eq(mkdir(folders_path(name), 0755), 0);
}

void folders_write(const char *name, const char *text)
{
    FILE *file = fopen(folders_path(name), "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs(text, file), 0);
    ck_assert_int_eq(fclose(file), 0);
}
