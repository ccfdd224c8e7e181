/* SPDX-License-Identifier: MIT */
/* Lexical confinement of paths. */
#include "pulse-daemon/project/paths.h"

#include <string.h>

#include "tests/support/testing.h"

START_TEST(good_paths_are_normalised)
{
    static const char *const pairs[][2] = {
        {"a.wav", "a.wav"},
        {"stems/kick.wav", "stems/kick.wav"},
        {"./stems//kick.wav", "stems/kick.wav"},
        {"a/./b/./c", "a/b/c"},
        {"...", "..."},
        {"..a/b..", "..a/b.."},
        {"C:x", "C:x"},
        {"über/täglich.wav", "über/täglich.wav"},
    };
    struct lh_arena arena;
    lh_arena_init(&arena);
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        ck_assert_ptr_null(pulse_path_fault(pairs[i][0]));
        ck_assert_str_eq(pulse_path_normalise(&arena, pairs[i][0]), pairs[i][1]);
    }
    lh_arena_fini(&arena);
}
END_TEST

START_TEST(bad_paths_are_named)
{
    static const char *const pairs[][2] = {
        {"/a", "absolute"},     {"//a", "absolute"}, {"..", "lead out"},    {"a/../b", "lead out"},
        {"./..", "lead out"},   {"", "no file"},     {".", "no file"},      {"a/", "no file"},
        {"a/.", "no file"},     {"./", "no file"},   {"a\\b", "backslash"}, {"a\tb", "control"},
        {"a/b\x7f", "control"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        const char *fault = pulse_path_fault(pairs[i][0]);
        ck_assert_msg(fault != NULL && strstr(fault, pairs[i][1]) != NULL, "%s", pairs[i][0]);
    }
}
END_TEST

START_TEST(lengths_have_limits)
{
    char path[PULSE_PATH_MAX + 2];
    for (size_t i = 0; i < sizeof path; i++) {
        path[i] = i % 2 == 0 ? 'a' : '/';
    }
    path[PULSE_PATH_MAX - 1] = 'b';
    path[PULSE_PATH_MAX] = '\0';
    ck_assert_ptr_null(pulse_path_fault(path));
    path[PULSE_PATH_MAX] = 'c';
    path[PULSE_PATH_MAX + 1] = '\0';
    ck_assert_ptr_nonnull(strstr(pulse_path_fault(path), "1024"));
    memset(path, 'a', 256);
    path[255] = '\0';
    ck_assert_ptr_null(pulse_path_fault(path));
    path[255] = 'a';
    path[256] = '\0';
    ck_assert_ptr_nonnull(strstr(pulse_path_fault(path), "255"));
}
END_TEST

START_TEST(memory_may_be_out)
{
    struct lh_arena arena;
    lh_arena_init(&arena);
    testing_fail_allocation(1);
    ck_assert_ptr_null(pulse_path_normalise(&arena, "a"));
    ck_assert(testing_fail_allocation_end());
    lh_arena_fini(&arena);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pulse-daemon/project/paths");
    TCase *tests = tcase_create("paths");
    tcase_add_test(tests, good_paths_are_normalised);
    tcase_add_test(tests, bad_paths_are_named);
    tcase_add_test(tests, lengths_have_limits);
    tcase_add_test(tests, memory_may_be_out);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
