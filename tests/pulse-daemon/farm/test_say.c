/* SPDX-License-Identifier: MIT */
/* pulse-daemon/farm/say: whatever workers report, what is told is JSON. */
#include "pulse-daemon/farm/say.h"

#include <stdlib.h>
#include <string.h>

#include "common/json/json.h"
#include "tests/pulse-daemon/farm/farming.h"

static struct lh_arena arena;

static void set_up(void)
{
    farming_begin(NULL);
    farming_welcome("w1", 11, 1);
    farming_submit(1, 1, 0);
    farming_plan(1, "a", "a");
    lh_arena_init(&arena);
}

static void tear_down(void)
{
    lh_arena_fini(&arena);
    farming_end();
}

static const struct lh_json *parse(const char *text)
{
    const struct lh_json *json = NULL;
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_msg(lh_json_parse(&arena, text, strlen(text), &json, &error) == LH_OK, "%s: %s", error.message, text);
    ck_assert_int_eq(json->kind, LH_JSON_OBJECT);
    return json;
}

/* The job's error after the same failure twice. */
static const struct lh_json *error_of(const char *report)
{
    farming_fail("a", report);
    parse(farming_store.last_event);
    farming_fail("a", report);
    parse(farming_store.last_event);
    return parse(rowstore_job(&farming_store, 1)->row.error);
}

static const char *text_of(const struct lh_json *object, const char *name)
{
    const struct lh_json *value = lh_json_member(object, name);
    return value != NULL && value->kind == LH_JSON_STRING ? value->value.string.text : NULL;
}

START_TEST(a_report_is_passed_on)
{
    const struct lh_json *error = error_of("{\"message\":\"boom\",\"where\":\"here\",\"signal\":11}");
    ck_assert_str_eq(text_of(error, "message"), "boom");
    ck_assert_str_eq(text_of(error, "where"), "here");
    ck_assert_str_eq(text_of(error, "worker"), "w1");
    ck_assert_int_eq(lh_json_member(lh_json_member(error, "report"), "signal")->value.integer, 11);
    ck_assert_int_eq(lh_json_member(error, "attempt")->value.integer, 2);
}
END_TEST

START_TEST(a_report_that_is_no_json_is_text)
{
    const struct lh_json *error = error_of("boom \"quoted\" {\n");
    ck_assert_str_eq(text_of(error, "report"), "boom \"quoted\" {\n");
    ck_assert_ptr_nonnull(text_of(error, "message"));
}
END_TEST

START_TEST(a_report_that_is_no_object_is_text)
{
    ck_assert_str_eq(text_of(error_of("[1,2]"), "report"), "[1,2]");
}
END_TEST

START_TEST(a_long_report_is_cut)
{
    size_t size = 1u << 20;
    char *report = malloc(size + 1);
    memset(report, 'x', size);
    report[size] = '\0';
    const char *told = text_of(error_of(report), "report");
    ck_assert_uint_eq(strlen(told), 64u << 10);
    free(report);
}
END_TEST

START_TEST(members_of_the_wrong_kind_are_not_taken)
{
    const struct lh_json *error = error_of("{\"message\":7,\"where\":null}");
    ck_assert_ptr_nonnull(strstr(text_of(error, "message"), "failed twice"));
    ck_assert_str_eq(text_of(error, "where"), "");
}
END_TEST

START_TEST(every_event_is_an_object_with_a_type)
{
    farming_lose("a");
    ck_assert_str_eq(text_of(parse(farming_store.last_event), "type"), "shard.lost");
    farming_submit(2, 1, 0);
    ck_assert_str_eq(text_of(parse(farming_store.last_event), "type"), "job.state");
    farming_complete("a");
    farming_complete_as("a", "w1", 1, 9);
    const struct lh_json *alarm = parse(farming_store.last_alarm);
    ck_assert_str_eq(text_of(alarm, "type"), "alarm.digests");
    ck_assert_str_ne(text_of(alarm, "kept"), text_of(alarm, "refused"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("say");
    TCase *tests = tcase_create("say");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, a_report_is_passed_on);
    tcase_add_test(tests, a_report_that_is_no_json_is_text);
    tcase_add_test(tests, a_report_that_is_no_object_is_text);
    tcase_add_test(tests, a_long_report_is_cut);
    tcase_add_test(tests, members_of_the_wrong_kind_are_not_taken);
    tcase_add_test(tests, every_event_is_an_object_with_a_type);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
