/* SPDX-License-Identifier: MIT */
/* The arena: alignment, zeroes, limits, and memory running out. */
#include "common/base/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/testing.h"

START_TEST(memory_is_zeroed_aligned_and_apart)
{
    struct lh_arena arena;
    unsigned char *last = NULL;
    lh_arena_init(&arena);
    for (size_t size = 1; size < 3000; size += 7) {
        unsigned char *memory = lh_arena_alloc(&arena, size);
        ck_assert_ptr_nonnull(memory);
        ck_assert_uint_eq((uintptr_t)memory % 16, 0);
        ck_assert_ptr_ne(memory, last);
        unsigned char any = 0;
        for (size_t i = 0; i < size; i++) {
            any |= memory[i];
        }
        ck_assert_uint_eq(any, 0);
        memset(memory, 0xA5, size);
        last = memory;
    }
    lh_arena_fini(&arena);
}
END_TEST

START_TEST(nothing_and_much_are_served)
{
    struct lh_arena arena;
    lh_arena_init(&arena);
    ck_assert_ptr_nonnull(lh_arena_alloc(&arena, 0));
    unsigned char *large = lh_arena_alloc(&arena, (size_t)5 << 20);
    ck_assert_ptr_nonnull(large);
    large[((size_t)5 << 20) - 1] = 1;
    ck_assert_ptr_nonnull(lh_arena_alloc(&arena, 1));
    ck_assert_uint_eq(arena.used, ((size_t)5 << 20) + 16);
    lh_arena_fini(&arena);
}
END_TEST

START_TEST(sizes_that_overflow_are_refused)
{
    struct lh_arena arena;
    lh_arena_init(&arena);
    ck_assert_ptr_null(lh_arena_alloc(&arena, SIZE_MAX));
    ck_assert_ptr_null(lh_arena_alloc(&arena, SIZE_MAX - 20));
    ck_assert_ptr_null(lh_arena_array(&arena, SIZE_MAX / 2, 3));
    ck_assert_ptr_null(lh_arena_strndup(&arena, "x", SIZE_MAX));
    ck_assert_ptr_nonnull(lh_arena_array(&arena, SIZE_MAX, 0));
    ck_assert_uint_eq(arena.used, 0);
    lh_arena_fini(&arena);
}
END_TEST

START_TEST(texts_are_copied)
{
    struct lh_arena arena;
    lh_arena_init(&arena);
    ck_assert_str_eq(lh_arena_strdup(&arena, "night drive"), "night drive");
    ck_assert_str_eq(lh_arena_strdup(&arena, ""), "");
    ck_assert_str_eq(lh_arena_strndup(&arena, "night drive", 5), "night");
    lh_arena_fini(&arena);
}
END_TEST

START_TEST(fini_accepts_null_and_leaves_an_empty_arena)
{
    struct lh_arena arena;
    lh_arena_fini(NULL);
    lh_arena_init(&arena);
    ck_assert_ptr_nonnull(lh_arena_alloc(&arena, 100));
    lh_arena_fini(&arena);
    ck_assert_uint_eq(arena.used, 0);
    ck_assert_ptr_nonnull(lh_arena_alloc(&arena, 100));
    lh_arena_fini(&arena);
}
END_TEST

START_TEST(memory_running_out_leaves_the_arena_whole)
{
    struct lh_arena arena;
    lh_arena_init(&arena);
    unsigned char *first = lh_arena_alloc(&arena, 4000);
    ck_assert_ptr_nonnull(first);
    size_t used = arena.used;
    testing_fail_allocation(1);
    ck_assert_ptr_null(lh_arena_alloc(&arena, 4000));
    ck_assert(testing_fail_allocation_end());
    ck_assert_uint_eq(arena.used, used);
    ck_assert_ptr_nonnull(lh_arena_alloc(&arena, 4000));
    lh_arena_fini(&arena);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("common/base/arena");
    TCase *tests = tcase_create("arena");
    tcase_add_test(tests, memory_is_zeroed_aligned_and_apart);
    tcase_add_test(tests, nothing_and_much_are_served);
    tcase_add_test(tests, sizes_that_overflow_are_refused);
    tcase_add_test(tests, texts_are_copied);
    tcase_add_test(tests, fini_accepts_null_and_leaves_an_empty_arena);
    tcase_add_test(tests, memory_running_out_leaves_the_arena_whole);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
