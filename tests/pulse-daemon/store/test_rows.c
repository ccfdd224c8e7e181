/* SPDX-License-Identifier: MIT */
/* Columns of a database that nobody vouches for. */
#include <math.h>
#include <string.h>

#include "pulse-daemon/store/parts.h"
#include "tests/support/testing.h"

START_TEST(sound_columns)
{
    struct lh_digest digest, wanted = {{1, 2, 3}};
    const struct pulse_sql_value values[] = {pulse_sql_integer(7), pulse_sql_real(0.5),      pulse_sql_text("hi"),
                                             pulse_sql_null(),     pulse_sql_blob("\0x", 2), pulse_sql_digest(&wanted)};
    struct pulse_columns columns = {values, true};
    size_t size = 9;
    ck_assert_int_eq(pulse_column_integer(&columns, 0, 7, 7), 7);
    ck_assert_uint_eq(pulse_column_count(&columns, 0), 7);
    ck_assert(pulse_column_real(&columns, 1) == 0.5);
    ck_assert_str_eq(pulse_column_text(&columns, 2), "hi");
    ck_assert_ptr_null(pulse_column_blob(&columns, 3, &size));
    ck_assert_uint_eq(size, 0);
    ck_assert_mem_eq(pulse_column_blob(&columns, 4, &size), "\0x", 2);
    ck_assert_uint_eq(size, 2);
    pulse_column_digest(&columns, 5, &digest);
    ck_assert(lh_digest_equal(&digest, &wanted));
    ck_assert_int_eq(pulse_columns_end(&columns, "x", NULL), LH_OK);
}
END_TEST

START_TEST(unsound_columns)
{
    struct lh_error error = LH_ERROR_INIT;
    struct lh_digest digest = {{9}};
    const struct pulse_sql_value values[] = {pulse_sql_integer(-1),
                                             pulse_sql_text("a"),
                                             pulse_sql_blob("a\0b", 3),
                                             pulse_sql_null(),
                                             {.kind = PULSE_SQL_REAL, .real = NAN}};
    size_t size = 0;
    for (int i = 0; i < 9; i++) {
        struct pulse_columns columns = {values, true};
        switch (i) {
        case 0:
            ck_assert_int_eq(pulse_column_integer(&columns, 0, 3, 5), 3);
            break;
        case 1:
            ck_assert_uint_eq(pulse_column_count(&columns, 0), 0);
            break;
        case 2:
            ck_assert_int_eq(pulse_column_integer(&columns, 1, 3, 5), 3);
            break;
        case 3:
            ck_assert_str_eq(pulse_column_text(&columns, 2), "");
            break;
        case 4:
            ck_assert_str_eq(pulse_column_text(&columns, 3), "");
            break;
        case 5:
            ck_assert(pulse_column_real(&columns, 4) == 0.0);
            break;
        case 6:
            ck_assert(pulse_column_real(&columns, 0) == 0.0);
            break;
        case 7:
            ck_assert_ptr_null(pulse_column_blob(&columns, 0, &size));
            break;
        default:
            pulse_column_digest(&columns, 2, &digest);
            ck_assert_uint_eq(digest.bytes[0], 9);
            break;
        }
        ck_assert(!columns.sound);
        ck_assert_int_eq(pulse_columns_end(&columns, "shelves", &error), LH_ERR_FORMAT);
        ck_assert_ptr_nonnull(strstr(error.message, "shelves"));
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pulse-daemon/store/rows");
    TCase *tests = tcase_create("rows");
    tcase_add_test(tests, sound_columns);
    tcase_add_test(tests, unsound_columns);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
