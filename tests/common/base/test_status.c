/* SPDX-License-Identifier: MIT */
/* Status texts and errors. */
#include "common/base/status.h"

#include <string.h>

#include "tests/support/testing.h"

START_TEST(every_status_has_its_own_text)
{
    for (int a = LH_OK; a <= LH_STATUS_LAST; a++) {
        ck_assert_str_ne(lh_status_text((enum lh_status)a), "unknown status");
        for (int b = LH_OK; b < a; b++) {
            ck_assert_str_ne(lh_status_text((enum lh_status)a), lh_status_text((enum lh_status)b));
        }
    }
    ck_assert_str_eq(lh_status_text((enum lh_status)(LH_STATUS_LAST + 1)), "unknown status");
}
END_TEST

START_TEST(an_error_is_filled)
{
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_int_eq(lh_error_set(&error, LH_ERR_IO, "a.wav", "cannot read %d bytes", 7), LH_ERR_IO);
    ck_assert_int_eq(error.code, LH_ERR_IO);
    ck_assert_str_eq(error.message, "cannot read 7 bytes");
    ck_assert_str_eq(error.where, "a.wav");
    ck_assert_int_eq(lh_error_set(&error, LH_ERR_LIMIT, NULL, "again: %s", error.message), LH_ERR_LIMIT);
    ck_assert_str_eq(error.message, "again: cannot read 7 bytes");
    ck_assert_str_eq(error.where, "");
}
END_TEST

START_TEST(no_error_wanted)
{
    ck_assert_int_eq(lh_error_set(NULL, LH_ERR_IO, "x", "y"), LH_ERR_IO);
    ck_assert_int_eq(lh_error_no_memory(NULL), LH_ERR_NO_MEMORY);
}
END_TEST

START_TEST(out_of_memory_needs_no_words)
{
    struct lh_error error = LH_ERROR_INIT;
    lh_error_set(&error, LH_ERR_IO, "a.wav", "gone");
    ck_assert_int_eq(lh_error_no_memory(&error), LH_ERR_NO_MEMORY);
    ck_assert_int_eq(error.code, LH_ERR_NO_MEMORY);
    ck_assert_str_eq(error.message, "out of memory");
    ck_assert_str_eq(error.where, "");
}
END_TEST

START_TEST(long_texts_are_cut_at_a_character)
{
    struct lh_error error = LH_ERROR_INIT;
    char text[3 * LH_ERROR_MESSAGE_SIZE + 1];
    for (size_t i = 0; i < LH_ERROR_MESSAGE_SIZE; i++) {
        memcpy(text + 3 * i, "\xE2\x82\xAC", 3);
    }
    text[sizeof text - 1] = '\0';
    lh_error_set(&error, LH_ERR_IO, text, "%s", text);
    ck_assert_uint_eq(strlen(error.message) % 3, 0);
    ck_assert_uint_eq(strlen(error.where) % 3, 0);
    ck_assert_uint_ge(strlen(error.message), LH_ERROR_MESSAGE_SIZE - 3);
    ck_assert_uint_ge(strlen(error.where), LH_ERROR_WHERE_SIZE - 3);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("common/base/status");
    TCase *tests = tcase_create("status");
    tcase_add_test(tests, every_status_has_its_own_text);
    tcase_add_test(tests, an_error_is_filled);
    tcase_add_test(tests, no_error_wanted);
    tcase_add_test(tests, out_of_memory_needs_no_words);
    tcase_add_test(tests, long_texts_are_cut_at_a_character);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
