/* SPDX-License-Identifier: MIT */
/* common/base/program.c: the environment first, then beside the program, then the folder of a build; else a message
   that says what to do. */
#include "common/base/program.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/testing.h"

/* This test's own program: its folder, and its name, beside which there is one of that name. */
static const char *own_folder(const char **name)
{
    static char path[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    ck_assert_int_gt(length, 0);
    path[length] = '\0';
    char *slash = strrchr(path, '/');
    *slash = '\0';
    *name = slash + 1;
    return path;
}

START_TEST(environment_comes_first)
{
    char path[PATH_MAX];
    struct lh_program program = {.variable = "LOOPHOLE_OTHER", .build_folder = "other"};
    (void)own_folder(&program.name);
    ck_assert_int_eq(setenv("LOOPHOLE_OTHER", "/some/where", 1), 0);
    ck_assert_int_eq(lh_program_locate(&program, path, sizeof path, NULL), LH_OK);
    ck_assert_str_eq(path, "/some/where");
    ck_assert_int_eq(lh_program_locate(&program, path, strlen("/some/where"), NULL), LH_ERR_LIMIT);
}
END_TEST

START_TEST(beside_the_program)
{
    char path[PATH_MAX], expected[PATH_MAX + NAME_MAX + 2];
    struct lh_program program = {.variable = "LOOPHOLE_OTHER", .build_folder = "other"};
    const char *folder = own_folder(&program.name);
    ck_assert_int_eq(setenv("LOOPHOLE_OTHER", "", 1), 0); /* as if it were not there */
    ck_assert_int_eq(lh_program_locate(&program, path, sizeof path, NULL), LH_OK);
    snprintf(expected, sizeof expected, "%s/%s", folder, program.name);
    ck_assert_str_eq(path, expected);
}
END_TEST

/* From the folder of the program to one beside it, and to one a folder further up. */
START_TEST(the_folder_of_a_build)
{
    char made[PATH_MAX + 32], file[sizeof made + 8], path[PATH_MAX], real[PATH_MAX];
    static const char *const tops[] = {"..", "../.."};
    const char *name, *top = tops[_i], *folder = own_folder(&name);
    snprintf(made, sizeof made, "%s/%s/program-XXXXXX", folder, top);
    ck_assert_ptr_nonnull(mkdtemp(made));
    snprintf(file, sizeof file, "%s/one", made);
    int fd = open(file, O_WRONLY | O_CREAT | O_EXCL, 0700);
    ck_assert_int_ge(fd, 0);
    close(fd);
    struct lh_program program = {.name = "one", .variable = "LOOPHOLE_OTHER", .build_folder = strrchr(made, '/') + 1};
    ck_assert_int_eq(unsetenv("LOOPHOLE_OTHER"), 0);
    enum lh_status status = lh_program_locate(&program, path, sizeof path, NULL);
    char *found = realpath(path, real), expected[PATH_MAX];
    bool same = status == LH_OK && found != NULL && strcmp(real, realpath(file, expected)) == 0;
    unlink(file);
    rmdir(made);
    ck_assert(same);
}
END_TEST

START_TEST(a_missing_program_is_told)
{
    char path[PATH_MAX];
    struct lh_error error = LH_ERROR_INIT;
    struct lh_program program = {.name = "nowhere", .variable = "LOOPHOLE_OTHER", .build_folder = "no/where"};
    ck_assert_int_eq(unsetenv("LOOPHOLE_OTHER"), 0);
    ck_assert_int_eq(lh_program_locate(&program, path, sizeof path, &error), LH_ERR_IO);
    ck_assert_ptr_nonnull(strstr(error.message, "LOOPHOLE_OTHER"));
    ck_assert_ptr_nonnull(strstr(error.message, "nowhere"));
    ck_assert_int_eq(lh_program_locate(&program, path, 5, &error), LH_ERR_LIMIT);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("common/base/program");
    TCase *test = tcase_create("program");
    tcase_add_test(test, environment_comes_first);
    tcase_add_test(test, beside_the_program);
    tcase_add_loop_test(test, the_folder_of_a_build, 0, 2);
    tcase_add_test(test, a_missing_program_is_told);
    suite_add_tcase(suite, test);
    return testing_main(suite);
}
