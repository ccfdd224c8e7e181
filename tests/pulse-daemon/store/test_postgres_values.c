/* SPDX-License-Identifier: MIT */
/* The bytes that go to PostgreSQL and those that come back. */
#include "pulse-daemon/store/postgres_values.h"

#include <string.h>

#include "tests/support/testing.h"

START_TEST(single_values)
{
    static const char integer[] = {0, 0, 0, 0, 0, 0, 1, 2}, minus[] = {-1, -1, -1, -1, -1, -1, -1, -2};
    static const char real[] = {0x3F, (char)0xF0, 0, 0, 0, 0, 0, 0};
    const struct pulse_sql_statement statement = {.text = "", .takes = "iirtbb"};
    const struct pulse_sql_value row[] = {pulse_sql_integer(258), pulse_sql_integer(-2), pulse_sql_real(1.0),
                                          pulse_sql_text("hi"),   pulse_sql_blob("", 0), pulse_sql_null()};
    struct pulse_postgres_values values;
    struct pulse_postgres_parameters parameters;
    unsigned types[PULSE_SQL_COLUMNS_MAX];
    pulse_postgres_values_init(&values);
    ck_assert_int_eq(pulse_postgres_types(&statement, types), 6);
    ck_assert(types[0] == 20 && types[2] == 701 && types[3] == 25 && types[4] == 17);
    ck_assert_int_eq(pulse_postgres_encode(&values, &statement, row, 1, &parameters), LH_OK);
    ck_assert_int_eq(parameters.count, 6);
    ck_assert_mem_eq(parameters.values[0], integer, 8);
    ck_assert_mem_eq(parameters.values[1], minus, 8);
    ck_assert_mem_eq(parameters.values[2], real, 8);
    ck_assert(parameters.lengths[0] == 8 && parameters.lengths[3] == 2 && parameters.lengths[4] == 0);
    ck_assert_mem_eq(parameters.values[3], "hi", 2);
    ck_assert_ptr_nonnull(parameters.values[4]);
    ck_assert_ptr_null(parameters.values[5]);
    ck_assert(parameters.formats[0] == 1 && parameters.formats[5] == 1);
    pulse_postgres_values_fini(&values);
}
END_TEST

START_TEST(arrays)
{
    static const uint8_t numbers[] = {0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 20, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0,
                                      0, 8, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0,  0, 8, 0, 0, 0, 0, 0, 0, 0, 8};
    static const uint8_t blobs[] = {0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 17,   0,    0,    0,   2,
                                    0, 0, 0, 1, 0, 0, 0, 3, 1, 0, 2, 0xFF, 0xFF, 0xFF, 0xFF};
    const struct pulse_sql_statement statement = {.text = "", .takes = "ib", .rows = true};
    const struct pulse_sql_value rows[] = {pulse_sql_integer(7), pulse_sql_blob("\1\0\2", 3), pulse_sql_integer(8),
                                           pulse_sql_null()};
    struct pulse_postgres_values values;
    struct pulse_postgres_parameters parameters;
    unsigned types[PULSE_SQL_COLUMNS_MAX];
    pulse_postgres_values_init(&values);
    ck_assert_int_eq(pulse_postgres_types(&statement, types), 2);
    ck_assert(types[0] == 1016 && types[1] == 1001);
    for (int i = 0; i < 2; i++) { /* the buffers are used again */
        ck_assert_int_eq(pulse_postgres_encode(&values, &statement, rows, 2, &parameters), LH_OK);
        ck_assert_int_eq(parameters.lengths[0], sizeof numbers);
        ck_assert_mem_eq(parameters.values[0], numbers, sizeof numbers);
        ck_assert_int_eq(parameters.lengths[1], sizeof blobs);
        ck_assert_mem_eq(parameters.values[1], blobs, sizeof blobs);
    }
    ck_assert_int_eq(pulse_postgres_encode(&values, &statement, rows, 0, &parameters), LH_OK);
    ck_assert_int_eq(parameters.lengths[0], 12);
    pulse_postgres_values_fini(&values);
}
END_TEST

START_TEST(results)
{
    struct pulse_sql_value value;
    ck_assert(pulse_postgres_decode('i', "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFE", 8, &value) && value.integer == -2);
    ck_assert(pulse_postgres_decode('i', "\xFF\xFF\xFF\xFE", 4, &value) && value.integer == -2);
    ck_assert(!pulse_postgres_decode('i', "\1\2", 2, &value));
    ck_assert(!pulse_postgres_decode('i', "123456789", 9, &value));
    ck_assert(pulse_postgres_decode('r', "\xBF\xF0\0\0\0\0\0\0", 8, &value) && value.real == -1.0);
    ck_assert(!pulse_postgres_decode('r', "1234", 4, &value));
    ck_assert(pulse_postgres_decode('t', "hi", 2, &value) && value.bytes.size == 2);
    ck_assert(pulse_postgres_decode('b', "", 0, &value) && value.kind == PULSE_SQL_BYTES && value.bytes.size == 0);
}
END_TEST

START_TEST(any_allocation_may_fail)
{
    const struct pulse_sql_statement statement = {.text = "", .takes = "itb", .rows = true};
    const struct pulse_sql_value row[] = {pulse_sql_integer(7), pulse_sql_text("a"), pulse_sql_null()};
    struct pulse_postgres_parameters parameters;
    bool failed = true;
    for (size_t n = 1; failed; n++) {
        struct pulse_postgres_values values;
        pulse_postgres_values_init(&values);
        testing_fail_allocation(n);
        enum lh_status status = pulse_postgres_encode(&values, &statement, row, 1, &parameters);
        failed = testing_fail_allocation_end();
        ck_assert_int_eq(status, failed ? LH_ERR_NO_MEMORY : LH_OK);
        ck_assert_int_eq(pulse_postgres_encode(&values, &statement, row, 1, &parameters), LH_OK);
        pulse_postgres_values_fini(&values);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pulse-daemon/store/postgres_values");
    TCase *tests = tcase_create("postgres_values");
    tcase_add_test(tests, single_values);
    tcase_add_test(tests, arrays);
    tcase_add_test(tests, results);
    tcase_add_test(tests, any_allocation_may_fail);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
