/* SPDX-License-Identifier: MIT */
/* One text for two dialects, and values that no database is told. */
#include "pulse-daemon/store/sql.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "pulse-daemon/store/store.h"
#include "tests/support/testing.h"

static void expect(const struct pulse_sql_statement *statement, const char *sqlite, const char *postgres)
{
    const char *const expected[] = {sqlite, postgres};
    for (size_t i = 0; i < 2; i++) {
        struct lh_writer text;
        lh_writer_init(&text);
        enum lh_status status = pulse_sql_expand(statement, i == 1, &text);
        ck_assert_int_eq(status, expected[i] != NULL ? LH_OK : LH_ERR_INTERNAL);
        if (expected[i] != NULL) {
            ck_assert_str_eq((const char *)text.data, expected[i]);
        }
        lh_writer_fini(&text);
    }
}

START_TEST(texts_for_both)
{
    expect(&(struct pulse_sql_statement){.text = "", .takes = ""}, "", "");
    expect(&(struct pulse_sql_statement){.text = "SELECT ?1, ?12 FROM x", .takes = "ii"}, "SELECT ?1, ?12 FROM x",
           "SELECT $1, $12 FROM x");
    expect(&(struct pulse_sql_statement){.text = "a {int} b {blob}{real}{text} {strict}", .takes = ""},
           "a INTEGER b BLOBREALTEXT STRICT", "a BIGINT b BYTEADOUBLE PRECISIONTEXT COLLATE \"C\" ");
    expect(&(struct pulse_sql_statement){.text = "{a|b}{|c}{d|}", .takes = ""}, "ad", "bc");
    expect(&(struct pulse_sql_statement){.text = "FROM {rows} x", .takes = "itbr", .rows = true},
           "FROM (SELECT ?1 AS c1, ?2 AS c2, ?3 AS c3, ?4 AS c4) AS r x",
           "FROM (SELECT unnest($1::bigint[]) AS c1, unnest($2::text[]) AS c2, unnest($3::bytea[]) AS c3,"
           " unnest($4::float8[]) AS c4) AS r x");
    expect(&(struct pulse_sql_statement){.text = "{rows}", .takes = "i"}, NULL, NULL);
    expect(&(struct pulse_sql_statement){.text = "{what}", .takes = ""}, NULL, NULL);
    expect(&(struct pulse_sql_statement){.text = "{int", .takes = ""}, NULL, NULL);
}
END_TEST

static enum lh_status check(char type, struct pulse_sql_value value)
{
    const char takes[] = {type, '\0'};
    const struct pulse_sql_statement statement = {.text = "", .takes = takes};
    return pulse_sql_check_values(&statement, &value, 1, NULL);
}

START_TEST(values_are_checked)
{
    ck_assert_int_eq(check('i', pulse_sql_integer(INT64_MIN)), LH_OK);
    ck_assert_int_eq(check('i', pulse_sql_count(INT64_MAX)), LH_OK);
    ck_assert_int_eq(check('i', pulse_sql_count((uint64_t)INT64_MAX + 1)), LH_ERR_LIMIT);
    ck_assert_int_eq(check('i', pulse_sql_null()), LH_OK);
    ck_assert_int_eq(check('r', pulse_sql_real(-0.0)), LH_OK);
    ck_assert_int_eq(check('r', pulse_sql_real(NAN)), LH_ERR_LIMIT);
    ck_assert_int_eq(check('r', pulse_sql_real(-INFINITY)), LH_ERR_LIMIT);
    ck_assert_int_eq(check('t', pulse_sql_text(NULL)), LH_OK);
    ck_assert_int_eq(check('t', pulse_sql_text("caf\xC3\xA9 \xF0\x9F\x8E\xB5")), LH_OK);
    ck_assert_int_eq(check('t', pulse_sql_text("caf\xE9")), LH_ERR_INVALID);
    ck_assert_int_eq(check('t', pulse_sql_blob("a\0b", 3)), LH_ERR_INVALID);
    ck_assert_int_eq(check('b', pulse_sql_blob("a\0\xFF", 3)), LH_OK);
    ck_assert_int_eq(check('b', pulse_sql_blob(NULL, 0)), LH_OK);
    char *text = malloc(PULSE_STORE_TEXT_MAX + 2);
    memset(text, 'a', PULSE_STORE_TEXT_MAX + 1);
    text[PULSE_STORE_TEXT_MAX + 1] = '\0';
    ck_assert_int_eq(check('t', pulse_sql_text(text)), LH_ERR_LIMIT);
    ck_assert_int_eq(check('t', pulse_sql_text(text + 1)), LH_OK);
    ck_assert_int_eq(check('b', pulse_sql_blob(text, PULSE_STORE_BLOB_MAX + 1)), LH_ERR_LIMIT);
    free(text);
    /* Of many rows every one. */
    const struct pulse_sql_statement two = {.text = "", .takes = "it", .rows = true};
    const struct pulse_sql_value values[] = {pulse_sql_integer(1), pulse_sql_text("a"), pulse_sql_integer(2),
                                             pulse_sql_text("\xFF")};
    ck_assert_int_eq(pulse_sql_check_values(&two, values, 1, NULL), LH_OK);
    ck_assert_int_eq(pulse_sql_check_values(&two, values, 2, NULL), LH_ERR_INVALID);
    ck_assert_int_eq(pulse_sql_check_values(&two, NULL, 0, NULL), LH_OK);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pulse-daemon/store/sql");
    TCase *tests = tcase_create("sql");
    tcase_add_test(tests, texts_for_both);
    tcase_add_test(tests, values_are_checked);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
