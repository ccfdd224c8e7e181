/* SPDX-License-Identifier: MIT */
/* Findings: order, limits, quoting. */
#include "pulse-daemon/project/report.h"

#include <stdio.h>
#include <string.h>

#include "tests/support/testing.h"

static struct lh_arena arena;
static struct lh_faults faults;
static struct pulse_report report;

static void set_up(void)
{
    lh_arena_init(&arena);
    lh_faults_init(&faults, &arena);
    pulse_report_init(&report, &arena);
}

static void tear_down(void)
{
    lh_arena_fini(&arena);
}

static const struct lh_json *parse(const char *text)
{
    const struct lh_json *root = NULL;
    ck_assert_int_eq(lh_json_parse(&arena, text, strlen(text), &root, NULL), LH_OK);
    return root;
}

START_TEST(findings_come_in_document_order)
{
    const struct lh_json *root = parse("{\"a\": [1, {\"b\": 2}], \"c\": 3}");
    const struct lh_json *a = lh_json_member(root, "a");
    pulse_report_at(&report, lh_json_member(root, "c"), "fourth");
    pulse_report_at(&report, lh_json_member(a->value.list.items[1], "b"), "third");
    pulse_report_at(&report, a, "second, found first");
    pulse_report_at(&report, root, "first");
    pulse_report_at(&report, a, "second, found second");
    ck_assert_int_eq(pulse_report_deliver(&report, &faults), LH_ERR_INVALID);
    static const char *const expected[][2] = {
        {"", "first"},    {"/a", "second, found first"}, {"/a", "second, found second"}, {"/a/1/b", "third"},
        {"/c", "fourth"},
    };
    ck_assert_uint_eq(faults.count, 5);
    for (size_t i = 0; i < 5; i++) {
        ck_assert_str_eq(faults.items[i].where, expected[i][0]);
        ck_assert_str_eq(faults.items[i].message, expected[i][1]);
    }
}
END_TEST

START_TEST(no_finding_is_fine)
{
    ck_assert_int_eq(pulse_report_deliver(&report, &faults), LH_OK);
    ck_assert_uint_eq(faults.count, 0);
}
END_TEST

START_TEST(what_is_too_much_is_only_counted)
{
    const struct lh_json *root = parse("{}");
    for (int i = 0; i < LH_FAULTS_MAX + 5; i++) {
        pulse_report_at(&report, root, "number %d", i);
    }
    ck_assert_int_eq(pulse_report_deliver(&report, &faults), LH_ERR_INVALID);
    ck_assert_uint_eq(faults.stored, LH_FAULTS_MAX);
    ck_assert_uint_eq(faults.count, LH_FAULTS_MAX + 5);
}
END_TEST

START_TEST(quotes_are_safe_to_print)
{
    ck_assert_str_eq(pulse_report_quote(&report, "a\x1b[31mb\n"), "\"a?[31mb?\"");
    char text[200];
    memset(text, 'x', 79);
    strcpy(text + 79, "\xc3\xa4yyy"); /* the cut would split the character */
    const char *quoted = pulse_report_quote(&report, text);
    ck_assert_uint_eq(strlen(quoted), 79 + 5);
    ck_assert_str_eq(quoted + 79, "x...\"");
    const struct lh_json *root = parse("{\"a\\u001b\": 1}");
    pulse_report_at(&report, lh_json_member(root, "a\x1b"), "here");
    ck_assert_int_eq(pulse_report_deliver(&report, &faults), LH_ERR_INVALID);
    ck_assert_str_eq(faults.items[0].where, "/a?");
}
END_TEST

START_TEST(suggestions_name_the_nearest)
{
    static const char *const names[] = {"kick", "snare"};
    ck_assert_str_eq(pulse_report_suggest(&report, "snaer", names, 2), "; did you mean \"snare\"?");
    ck_assert_str_eq(pulse_report_suggest(&report, "trombone", names, 2), "");
}
END_TEST

START_TEST(suggestions_have_a_budget)
{
    static const char *names[10000];
    for (size_t i = 0; i < 10000; i++) {
        names[i] = "snare";
    }
    size_t given = 0;
    for (int i = 0; i < 200; i++) {
        given += *pulse_report_suggest(&report, "snaer", names, 10000) != '\0' ? 1 : 0;
    }
    ck_assert_uint_eq(given, 20);
}
END_TEST

START_TEST(memory_may_be_out)
{
    const struct lh_json *root = parse("{}");
    for (size_t n = 1; n <= 3; n++) {
        struct lh_arena other;
        lh_arena_init(&other);
        pulse_report_init(&report, &other);
        testing_fail_allocation(n);
        pulse_report_at(&report, root, "%s", pulse_report_quote(&report, "a"));
        if (testing_fail_allocation_end()) {
            ck_assert_int_eq(pulse_report_deliver(&report, &faults), LH_ERR_NO_MEMORY);
        }
        lh_arena_fini(&other);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pulse-daemon/project/report");
    TCase *tests = tcase_create("report");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, findings_come_in_document_order);
    tcase_add_test(tests, no_finding_is_fine);
    tcase_add_test(tests, what_is_too_much_is_only_counted);
    tcase_add_test(tests, quotes_are_safe_to_print);
    tcase_add_test(tests, suggestions_name_the_nearest);
    tcase_add_test(tests, suggestions_have_a_budget);
    tcase_add_test(tests, memory_may_be_out);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
