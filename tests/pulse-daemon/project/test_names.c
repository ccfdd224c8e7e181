/* SPDX-License-Identifier: MIT */
/* The index of names. */
#include "pulse-daemon/project/names.h"

#include <stdio.h>

#include "pulse-daemon/project/model.h"
#include "tests/support/testing.h"

START_TEST(the_first_of_equals_is_found)
{
    static const char *const texts[] = {"b", NULL, "a", "b", "", "a"};
    struct lh_arena arena;
    struct pulse_names names;
    lh_arena_init(&arena);
    ck_assert(pulse_names_build(&names, &arena, texts, 6));
    ck_assert_uint_eq(names.count, 5);
    ck_assert(!names.incomplete);
    ck_assert_uint_eq(pulse_names_find(&names, "a"), 2);
    ck_assert_uint_eq(pulse_names_find(&names, "b"), 0);
    ck_assert_uint_eq(pulse_names_find(&names, ""), 4);
    ck_assert_uint_eq(pulse_names_find(&names, "c"), PULSE_NONE);
    ck_assert_str_eq(names.list[1], "a");
    lh_arena_fini(&arena);
}
END_TEST

START_TEST(an_empty_index_finds_nothing)
{
    struct lh_arena arena;
    struct pulse_names names;
    lh_arena_init(&arena);
    ck_assert(pulse_names_build(&names, &arena, NULL, 0));
    ck_assert_uint_eq(pulse_names_find(&names, "a"), PULSE_NONE);
    lh_arena_fini(&arena);
}
END_TEST

START_TEST(many_names_are_all_found)
{
    enum { COUNT = 5000, SIZE = 8 };
    struct lh_arena arena;
    struct pulse_names names;
    lh_arena_init(&arena);
    const char **texts = lh_arena_array(&arena, COUNT, sizeof *texts);
    for (size_t i = 0; i < COUNT; i++) {
        char *text = lh_arena_alloc(&arena, SIZE);
        snprintf(text, SIZE, "n%zu", i * 7919 % COUNT);
        texts[i] = text;
    }
    ck_assert(pulse_names_build(&names, &arena, texts, COUNT));
    for (size_t i = 0; i < COUNT; i++) {
        ck_assert_uint_eq(pulse_names_find(&names, texts[i]), i);
    }
    lh_arena_fini(&arena);
}
END_TEST

START_TEST(memory_may_be_out)
{
    static const char *const texts[] = {"a"};
    struct lh_arena arena;
    struct pulse_names names;
    lh_arena_init(&arena);
    testing_fail_allocation(1);
    ck_assert(!pulse_names_build(&names, &arena, texts, 1));
    ck_assert(testing_fail_allocation_end());
    lh_arena_fini(&arena);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pulse-daemon/project/names");
    TCase *tests = tcase_create("names");
    tcase_add_test(tests, the_first_of_equals_is_found);
    tcase_add_test(tests, an_empty_index_finds_nothing);
    tcase_add_test(tests, many_names_are_all_found);
    tcase_add_test(tests, memory_may_be_out);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
