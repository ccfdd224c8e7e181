/* SPDX-License-Identifier: MIT */
/* Tags between lists and texts. */
#include "pulse-daemon/service/tags.h"

#include "tests/support/testing.h"

static struct lh_arena arena;

static void start(void)
{
    lh_arena_init(&arena);
}

static void end(void)
{
    lh_arena_fini(&arena);
}

START_TEST(joined_they_ascend_and_are_there_once)
{
    const char *const tags[] = {"vault", "big", "vault", "Big", "a"};
    ck_assert_str_eq(pulse_tags_join(&arena, tags, 5), "Big a big vault");
    ck_assert_str_eq(pulse_tags_join(&arena, tags, 1), "vault");
    ck_assert_str_eq(pulse_tags_join(&arena, NULL, 0), "");
}
END_TEST

START_TEST(split_and_united)
{
    const char *const more[] = {"b", "z", "c"};
    const char *const *tags;
    size_t count = 99;
    ck_assert(pulse_tags_split(&arena, "", &tags, &count));
    ck_assert_uint_eq(count, 0);
    ck_assert(pulse_tags_split(&arena, "b c", &tags, &count));
    ck_assert_uint_eq(count, 2);
    ck_assert_str_eq(tags[1], "c");
    ck_assert(pulse_tags_unite(&arena, "a b", more, 3, &tags, &count));
    ck_assert_uint_eq(count, 4);
    ck_assert_str_eq(pulse_tags_join(&arena, tags, count), "a b c z");
    ck_assert(pulse_tags_unite(&arena, "", more, 3, &tags, &count));
    ck_assert_uint_eq(count, 3);
    ck_assert_str_eq(tags[1], "c");
}
END_TEST

START_TEST(one_of_them)
{
    ck_assert(pulse_tags_has("Big a big vault", "Big"));
    ck_assert(pulse_tags_has("Big a big vault", "a"));
    ck_assert(pulse_tags_has("Big a big vault", "vault"));
    ck_assert(!pulse_tags_has("Big a big vault", "vaul"));
    ck_assert(!pulse_tags_has("Big a big vault", "vaults"));
    ck_assert(!pulse_tags_has("Big a big vault", "a big"));
    ck_assert(!pulse_tags_has("", "a"));
}
END_TEST

int main(void)
{
    TCase *group = tcase_create("tags");
    tcase_add_checked_fixture(group, start, end);
    tcase_add_test(group, joined_they_ascend_and_are_there_once);
    tcase_add_test(group, split_and_united);
    tcase_add_test(group, one_of_them);
    Suite *suite = suite_create("pulse-daemon/service/tags");
    suite_add_tcase(suite, group);
    return testing_main(suite);
}
