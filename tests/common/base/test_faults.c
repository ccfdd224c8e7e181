/* SPDX-License-Identifier: MIT */
/* Collecting faults, and the names that were meant. */
#include "common/base/faults.h"

#include <stdio.h>
#include <string.h>

#include "tests/support/testing.h"

START_TEST(faults_keep_order_place_and_words)
{
    struct lh_arena arena;
    struct lh_faults faults;
    lh_arena_init(&arena);
    lh_faults_init(&faults, &arena);
    lh_faults_add(&faults, LH_ERR_INVALID, "/tempo", "bpm is %d", 0);
    lh_faults_add(&faults, LH_ERR_MISSING, "/media/kick", "no file '%s'", "kick.wav");
    ck_assert_uint_eq(faults.count, 2);
    ck_assert_uint_eq(faults.stored, 2);
    ck_assert_int_eq(faults.items[0].code, LH_ERR_INVALID);
    ck_assert_str_eq(faults.items[0].where, "/tempo");
    ck_assert_str_eq(faults.items[0].message, "bpm is 0");
    ck_assert_int_eq(faults.items[1].code, LH_ERR_MISSING);
    ck_assert_str_eq(faults.items[1].message, "no file 'kick.wav'");
    lh_arena_fini(&arena);
}
END_TEST

START_TEST(past_the_limit_only_the_count_grows)
{
    struct lh_arena arena;
    struct lh_faults faults;
    lh_arena_init(&arena);
    lh_faults_init(&faults, &arena);
    for (int i = 0; i < LH_FAULTS_MAX + 5; i++) {
        lh_faults_add(&faults, LH_ERR_INVALID, "", "fault %d", i);
    }
    ck_assert_uint_eq(faults.count, LH_FAULTS_MAX + 5);
    ck_assert_uint_eq(faults.stored, LH_FAULTS_MAX);
    ck_assert_str_eq(faults.items[LH_FAULTS_MAX - 1].message, "fault 999");
    ck_assert(!faults.out_of_memory);
    lh_arena_fini(&arena);
}
END_TEST

START_TEST(a_long_message_is_cut_at_a_character)
{
    struct lh_arena arena;
    struct lh_faults faults;
    char text[2 * LH_ERROR_MESSAGE_SIZE + 2] = "x";
    lh_arena_init(&arena);
    lh_faults_init(&faults, &arena);
    for (size_t i = 0; i < LH_ERROR_MESSAGE_SIZE; i++) {
        memcpy(text + 1 + 2 * i, "\xC3\xA4", 2);
    }
    lh_faults_add(&faults, LH_ERR_INVALID, "", "%s", text);
    size_t length = strlen(faults.items[0].message);
    ck_assert_uint_le(length, LH_ERROR_MESSAGE_SIZE - 1);
    ck_assert_uint_eq(length % 2, 1); /* the x and whole characters of two bytes */
    lh_arena_fini(&arena);
}
END_TEST

START_TEST(memory_running_out_is_remembered)
{
    bool fired = true;
    for (size_t n = 1; fired; n++) {
        struct lh_arena arena;
        struct lh_faults faults;
        lh_arena_init(&arena);
        lh_faults_init(&faults, &arena);
        testing_fail_allocation(n);
        for (int i = 0; i < 200; i++) {
            lh_faults_add(&faults, LH_ERR_INVALID, "/a", "a fault");
        }
        fired = testing_fail_allocation_end();
        ck_assert(faults.out_of_memory == fired);
        ck_assert_uint_eq(faults.count, 200);
        ck_assert_uint_eq(faults.stored, fired ? 199 : 200);
        lh_arena_fini(&arena);
    }
}
END_TEST

static const char *const names[] = {"gainDb", "pan", "mute", "automation", ""};

static const char *nearest(const char *text)
{
    return lh_nearest_name(text, names, sizeof names / sizeof names[0]);
}

START_TEST(a_near_name_is_found)
{
    ck_assert_str_eq(nearest("gaindb"), "gainDb");
    ck_assert_str_eq(nearest("gianDb"), "gainDb");
    ck_assert_str_eq(nearest("automations"), "automation");
    ck_assert_str_eq(nearest("autmoaton"), "automation");
    ck_assert_str_eq(nearest("pam"), "pan");
    ck_assert_str_eq(nearest("mute"), "mute");
}
END_TEST

/* Short names have no letters to spare, but upper and lower case are mixed up all the same. */
START_TEST(letters_in_the_other_case_are_near)
{
    const char *const list[] = {"M", "Kick", "kick", "b"};
    ck_assert_str_eq(nearest("PAN"), "pan");
    ck_assert_str_eq(nearest("AUTOMATOIN"), "automation");
    ck_assert_str_eq(lh_nearest_name("m", list, 4), "M");
    ck_assert_str_eq(lh_nearest_name("kick", list, 4), "kick");
    ck_assert_str_eq(lh_nearest_name("KIck", list, 4), "Kick");
    ck_assert_ptr_null(lh_nearest_name("c", list, 4));
}
END_TEST

START_TEST(a_far_name_is_not)
{
    char text[200];
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    ck_assert_ptr_null(nearest("solo"));
    ck_assert_ptr_null(nearest("p"));
    ck_assert_ptr_null(nearest(""));
    ck_assert_ptr_null(nearest(text));
    ck_assert_ptr_null(lh_nearest_name("pan", NULL, 0));
    const char *const long_name[] = {text};
    ck_assert_ptr_null(lh_nearest_name("aaaa", long_name, 1));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("common/base/faults");
    TCase *tests = tcase_create("faults");
    tcase_add_test(tests, faults_keep_order_place_and_words);
    tcase_add_test(tests, past_the_limit_only_the_count_grows);
    tcase_add_test(tests, a_long_message_is_cut_at_a_character);
    tcase_add_test(tests, memory_running_out_is_remembered);
    tcase_add_test(tests, a_near_name_is_found);
    tcase_add_test(tests, letters_in_the_other_case_are_near);
    tcase_add_test(tests, a_far_name_is_not);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
