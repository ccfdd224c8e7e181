/* SPDX-License-Identifier: MIT */
/* Shapes by themselves: every kind, checked and written. */
#include "pulse-daemon/project/shape.h"

#include <stdio.h>
#include <string.h>

#include "tests/support/testing.h"

static const char *even_fault(const char *text)
{
    return strlen(text) % 2 == 0 ? NULL : "is odd";
}

static const char *const words[] = {"red", "green"};
static const struct pulse_shape flag = {.kind = PULSE_SHAPE_BOOL, .noun = "a flag"};
static const struct pulse_shape number = {.kind = PULSE_SHAPE_NUMBER, .noun = "a number", .minimum = -1, .maximum = 1};
static const struct pulse_shape whole = {.kind = PULSE_SHAPE_WHOLE, .noun = "a count", .minimum = 0, .maximum = 10};
static const struct pulse_shape text = {
    .kind = PULSE_SHAPE_TEXT, .noun = "a text", .minimum = 1, .maximum = 4, .fault = even_fault};
static const struct pulse_shape colour = {
    .kind = PULSE_SHAPE_CHOICE, .noun = "a colour", .names = words, .name_count = 2};
static const struct pulse_shape list = {.kind = PULSE_SHAPE_LIST, .noun = "a list", .item = &number, .maximum = 2};
static const struct pulse_shape map = {
    .kind = PULSE_SHAPE_MAP, .noun = "a map", .item = &number, .key = &text, .maximum = 2};
static const struct pulse_shape any = {.kind = PULSE_SHAPE_ANY, .noun = "anything"};
static const struct pulse_shape *const forms[] = {&number, &list, NULL};
static const struct pulse_shape either = {
    .kind = PULSE_SHAPE_EITHER, .noun = "a thing", .alternatives = forms, .wanted = "a number or an array"};
static const struct pulse_member members[] = {
    {"flag", &flag, PULSE_OPTIONAL},   {"whole", &whole, PULSE_REQUIRED}, {"text", &text, PULSE_ONE_OF},
    {"colour", &colour, PULSE_ONE_OF}, {"map", &map, PULSE_OPTIONAL},     {"either", &either, PULSE_OPTIONAL},
    {"any", &any, PULSE_OPTIONAL},
};
static const struct pulse_shape object = {
    .kind = PULSE_SHAPE_OBJECT, .noun = "an object", .members = members, .member_count = 7};

/* Faults as lines of "pointer: message". */
static void expect_faults(const char *document, const char *expected)
{
    struct lh_arena arena;
    struct lh_faults faults;
    struct pulse_report report;
    const struct lh_json *root = NULL;
    char told[2048] = "";
    lh_arena_init(&arena);
    lh_faults_init(&faults, &arena);
    pulse_report_init(&report, &arena);
    ck_assert_int_eq(lh_json_parse(&arena, document, strlen(document), &root, NULL), LH_OK);
    pulse_shape_check(&report, &object, root);
    ck_assert_int_eq(pulse_report_deliver(&report, &faults), *expected == '\0' ? LH_OK : LH_ERR_INVALID);
    for (size_t i = 0; i < faults.stored; i++) {
        size_t used = strlen(told);
        snprintf(told + used, sizeof told - used, "%s: %s\n", faults.items[i].where, faults.items[i].message);
    }
    ck_assert_str_eq(told, expected);
    lh_arena_fini(&arena);
}

START_TEST(what_fits_has_no_faults)
{
    expect_faults("{\"whole\": 10, \"text\": \"ab\"}", "");
    expect_faults("{\"whole\": 3.0, \"colour\": \"red\", \"flag\": false, \"map\": {\"ab\": 1, \"cd\": -1.0},"
                  "\"either\": [0.5], \"any\": {\"x\": [null]}}",
                  "");
    expect_faults("{\"whole\": 0, \"text\": \"\xc3\xa4\", \"either\": 1}", "");
}
END_TEST

START_TEST(what_does_not_fit_is_told)
{
    expect_faults("3.5", ": an object has to be an object, not a number\n");
    expect_faults("{}", ": an object needs a member \"whole\"\n"
                        ": an object needs exactly one of \"text\", \"colour\", not 0 of them\n");
    expect_faults("{\"whole\": 1.5, \"text\": \"abc\", \"either\": true}",
                  "/whole: a count has to be a whole number, not 1.5\n"
                  "/text: a text \"abc\" is odd\n"
                  "/either: a thing has to be a number or an array, not true\n");
    expect_faults("{\"whole\": 11, \"colour\": \"gren\", \"any\": 1.5, \"flag\": null}",
                  "/whole: a count has to be from 0 to 10, not 11\n"
                  "/colour: a colour has to be one of \"red\", \"green\", not \"gren\"; did you mean \"green\"?\n"
                  "/any: anything has to be an object, not a number\n"
                  "/flag: a flag has to be true or false, not null\n");
    expect_faults("{\"whole\": 1, \"text\": \"abcdef\", \"map\": {\"a\": 0, \"bb\": 2, \"cc\": 0}, \"either\": [3]}",
                  "/text: a text has to be 1 to 4 characters long, not 6\n"
                  "/map: a map may have at most 2 entries, not 3\n"
                  "/map/a: a text \"a\" is odd\n"
                  "/map/bb: a number has to be from -1 to 1, not 2\n"
                  "/either/0: a number has to be from -1 to 1, not 3\n");
}
END_TEST

START_TEST(unknown_members_are_told_with_what_is_known)
{
    expect_faults("{\"whole\": 1, \"text\": \"ab\", \"flog\": 1}",
                  "/flog: an object has no member \"flog\"; did you mean \"flag\"?\n");
    expect_faults(
        "{\"whole\": 1, \"text\": \"ab\", \"zzzzzzz\": {\"deep\": 1}}",
        "/zzzzzzz: an object has no member \"zzzzzzz\"; it may have \"flag\", \"whole\", \"text\", \"colour\", "
        "\"map\", \"either\", \"any\"\n");
}
END_TEST

START_TEST(members_are_written_in_order)
{
    static const char document[] = "{\"any\":{\"b\":1,\"a\":[]},\"either\":[-0.5,1.0],\"map\":{\"zz\":1,\"aa\":0},"
                                   "\"text\":\"ab\",\"whole\":3.0,\"flag\":true}";
    struct lh_arena arena;
    struct lh_writer writer;
    struct lh_json_emitter emitter;
    const struct lh_json *root = NULL;
    lh_arena_init(&arena);
    lh_writer_init(&writer);
    ck_assert_int_eq(lh_json_parse(&arena, document, strlen(document), &root, NULL), LH_OK);
    lh_json_emit_init(&emitter, &writer, true);
    pulse_shape_emit(&emitter, &object, root);
    lh_writer_u8(&writer, 0);
    ck_assert_int_eq(lh_writer_status(&writer), LH_OK);
    char *written = (char *)writer.data;
    written[strcspn(written, "\n")] = '\0';
    ck_assert_str_eq(written,
                     "{\"flag\":true,\"whole\":3,\"text\":\"ab\",\"map\":{\"zz\":1,\"aa\":0},\"either\":[-0.5,1],"
                     "\"any\":{\"b\":1,\"a\":[]}}");
    lh_writer_fini(&writer);
    lh_arena_fini(&arena);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pulse-daemon/project/shape");
    TCase *tests = tcase_create("shape");
    tcase_add_test(tests, what_fits_has_no_faults);
    tcase_add_test(tests, what_does_not_fit_is_told);
    tcase_add_test(tests, unknown_members_are_told_with_what_is_known);
    tcase_add_test(tests, members_are_written_in_order);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
