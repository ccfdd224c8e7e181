/* SPDX-License-Identifier: MIT */
/* engine/instance/folder.c: made for one alone, and gone with whatever is in it. */
#include "engine/instance/folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/testing.h"

#define DEEP 3000 /* far past PATH_MAX */

static char path[PATH_MAX];
static struct lh_error error;

static void setup(void)
{
    ck_assert_msg(engine_folder_new(path, sizeof path, &error) == LH_OK, "%s", error.message);
}

static void write_file(const char *folder, const char *name)
{
    char file[PATH_MAX + 64];
    int length = snprintf(file, sizeof file, "%s/%s", folder, name);
    ck_assert(length > 0 && (size_t)length < sizeof file);
    int fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    close(fd);
}

START_TEST(it_is_its_owners_alone)
{
    struct stat facts;
    ck_assert_int_eq(stat(path, &facts), 0);
    ck_assert_uint_eq(facts.st_mode & 0777, 0700);
    ck_assert_uint_eq(facts.st_uid, geteuid());
    engine_folder_remove(path);
    ck_assert_int_ne(access(path, F_OK), 0);
    engine_folder_remove(path); /* already gone */
}
END_TEST

START_TEST(it_goes_where_temporary_files_go)
{
    char second[PATH_MAX];
    ck_assert_int_eq(setenv("TMPDIR", path, 1), 0);
    ck_assert_int_eq(engine_folder_new(second, sizeof second, &error), LH_OK);
    ck_assert_int_eq(strncmp(second, path, strlen(path)), 0);
    ck_assert_int_eq(setenv("TMPDIR", "/nowhere/at/all", 1), 0);
    ck_assert_int_eq(engine_folder_new(second, sizeof second, &error), LH_ERR_IO);
    ck_assert_str_eq(error.where, "/nowhere/at/all");
    ck_assert_int_eq(engine_folder_new(second, 20, &error), LH_ERR_LIMIT);
    unsetenv("TMPDIR");
    engine_folder_remove(path);
    ck_assert_int_ne(access(path, F_OK), 0);
}
END_TEST

START_TEST(links_are_removed_and_not_followed)
{
    char outside[PATH_MAX];
    ck_assert_int_eq(engine_folder_new(outside, sizeof outside, &error), LH_OK);
    write_file(outside, "precious");
    char name[PATH_MAX + 64];
    snprintf(name, sizeof name, "%s/link", path);
    ck_assert_int_eq(symlink(outside, name), 0);
    snprintf(name, sizeof name, "%s/folder", path);
    ck_assert_int_eq(mkdir(name, 0700), 0);
    snprintf(name, sizeof name, "%s/folder/link", path);
    ck_assert_int_eq(symlink(outside, name), 0);
    engine_folder_remove(path);
    ck_assert_int_ne(access(path, F_OK), 0);
    snprintf(name, sizeof name, "%s/precious", outside);
    ck_assert_int_eq(access(name, F_OK), 0);
    engine_folder_remove(outside);
}
END_TEST

/* Deeper than any path can say, shut, and with names that the removal itself would use. */
START_TEST(however_deep_it_is)
{
    int at = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int i = 0; i < DEEP; i++) {
        ck_assert_int_eq(mkdirat(at, "0", 0700), 0);
        int next = openat(at, "0", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        ck_assert_int_ge(next, 0);
        int file = openat(next, "1", O_WRONLY | O_CREAT | O_CLOEXEC, 0);
        ck_assert_int_ge(file, 0);
        close(file);
        fchmod(at, i % 2 == 0 ? 0 : 0500);
        close(at);
        at = next;
    }
    close(at);
    engine_folder_remove(path);
    ck_assert_int_ne(access(path, F_OK), 0);
}
END_TEST

START_TEST(however_much_it_is)
{
    for (int i = 0; i < 2000; i++) {
        char name[32];
        snprintf(name, sizeof name, "%x", (unsigned)i);
        if (i % 3 == 0) {
            char folder[PATH_MAX + 64];
            snprintf(folder, sizeof folder, "%s/%s", path, name);
            ck_assert_int_eq(mkdir(folder, 0700), 0);
            write_file(folder, "a");
            write_file(folder, "b");
        } else {
            write_file(path, name);
        }
    }
    engine_folder_remove(path);
    ck_assert_int_ne(access(path, F_OK), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("engine/instance/folder");
    TCase *test = tcase_create("folder");
    tcase_add_checked_fixture(test, setup, NULL);
    tcase_add_test(test, it_is_its_owners_alone);
    tcase_add_test(test, it_goes_where_temporary_files_go);
    tcase_add_test(test, links_are_removed_and_not_followed);
    tcase_add_test(test, however_deep_it_is);
    tcase_add_test(test, however_much_it_is);
    suite_add_tcase(suite, test);
    return testing_main(suite);
}
