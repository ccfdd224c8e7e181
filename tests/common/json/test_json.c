/* SPDX-License-Identifier: MIT */
/* Looking at values: members of small and large objects, numbers, pointers, equality. */
#include "common/json/json.h"

#include <stdio.h>
#include <string.h>

#include "tests/support/testing.h"

static struct lh_arena arena;

static void set_up(void)
{
    lh_arena_init(&arena);
}

static void tear_down(void)
{
    lh_arena_fini(&arena);
}

static const struct lh_json *parse(const char *text)
{
    const struct lh_json *root = NULL;
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_msg(lh_json_parse(&arena, text, strlen(text), &root, &error) == LH_OK, "%s", error.message);
    return root;
}

START_TEST(members_are_found_in_objects_of_every_size)
{
    for (size_t count = 0; count < 200; count += count < 40 ? 1 : 53) {
        char text[8192] = "{";
        size_t length = 1;
        for (size_t i = 0; i < count; i++) {
            length += (size_t)snprintf(text + length, sizeof text - length, "%s\"m%zu\": %zu", i > 0 ? "," : "",
                                       i * 7919 % 1000, i);
        }
        memcpy(text + length, "}", 2);
        const struct lh_json *object = parse(text);
        for (size_t i = 0; i < count; i++) {
            char name[16];
            snprintf(name, sizeof name, "m%zu", i * 7919 % 1000);
            const struct lh_json *member = lh_json_member(object, name);
            ck_assert_ptr_nonnull(member);
            ck_assert_int_eq(member->value.integer, (int64_t)i);
            ck_assert_uint_eq(member->index, i);
        }
        ck_assert_ptr_null(lh_json_member(object, "m"));
        ck_assert_ptr_null(lh_json_member(object, ""));
        ck_assert_ptr_null(lh_json_member(object, "zz"));
    }
}
END_TEST

START_TEST(only_objects_have_members)
{
    ck_assert_ptr_null(lh_json_member(NULL, "a"));
    ck_assert_ptr_null(lh_json_member(parse("[1]"), "a"));
    ck_assert_ptr_null(lh_json_member(parse("\"a\""), "a"));
}
END_TEST

START_TEST(numbers_are_numbers)
{
    ck_assert(lh_json_is_number(parse("3")));
    ck_assert(lh_json_is_number(parse("3.5")));
    ck_assert(!lh_json_is_number(parse("\"3\"")));
    ck_assert(!lh_json_is_number(NULL));
    ck_assert(lh_json_number(parse("3")) == 3.0);
    ck_assert(lh_json_number(parse("-3.5")) == -3.5);
    ck_assert(lh_json_number(parse("true")) == 0.0);
    ck_assert(lh_json_number(NULL) == 0.0);
}
END_TEST

START_TEST(every_kind_has_its_words)
{
    for (int a = LH_JSON_NULL; a <= LH_JSON_OBJECT; a++) {
        for (int b = LH_JSON_NULL; b < a; b++) {
            ck_assert_str_ne(lh_json_kind_text((enum lh_json_kind)a), lh_json_kind_text((enum lh_json_kind)b));
        }
    }
    ck_assert_str_eq(lh_json_kind_text(LH_JSON_OBJECT), "an object");
}
END_TEST

START_TEST(pointers_follow_rfc_6901)
{
    const struct lh_json *root = parse("{\"tracks\": [{}, {\"a/b~c\": [10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20]}],"
                                       " \"\": 1}");
    const struct lh_json *list = lh_json_member(lh_json_member(root, "tracks")->value.list.items[1], "a/b~c");
    char pointer[64];
    lh_json_pointer(root, pointer, sizeof pointer);
    ck_assert_str_eq(pointer, "");
    lh_json_pointer(list->value.list.items[10], pointer, sizeof pointer);
    ck_assert_str_eq(pointer, "/tracks/1/a~1b~0c/10");
    lh_json_pointer(list->value.list.items[0], pointer, sizeof pointer);
    ck_assert_str_eq(pointer, "/tracks/1/a~1b~0c/0");
    lh_json_pointer(lh_json_member(root, ""), pointer, sizeof pointer);
    ck_assert_str_eq(pointer, "/");
    lh_json_pointer(NULL, pointer, sizeof pointer);
    ck_assert_str_eq(pointer, "");
}
END_TEST

START_TEST(long_pointers_are_cut_between_characters)
{
    const struct lh_json *root = parse("{\"a~\xC3\xA4\": 1}");
    char pointer[8];
    memset(pointer, 'x', sizeof pointer);
    lh_json_pointer(root->value.list.items[0], pointer, 0);
    ck_assert_int_eq(pointer[0], 'x');
    static const char *const cut[] = {"", "/", "/a", "/a", "/a~0", "/a~0", "/a~0\xC3\xA4"};
    for (size_t size = 1; size <= 7; size++) {
        lh_json_pointer(root->value.list.items[0], pointer, size);
        ck_assert_str_eq(pointer, cut[size - 1]);
    }
}
END_TEST

START_TEST(the_deepest_value_has_a_pointer)
{
    char text[2 * LH_JSON_DEPTH_MAX + 2];
    char pointer[4 * LH_JSON_DEPTH_MAX];
    memset(text, '[', LH_JSON_DEPTH_MAX);
    text[LH_JSON_DEPTH_MAX] = '1';
    memset(text + LH_JSON_DEPTH_MAX + 1, ']', LH_JSON_DEPTH_MAX);
    text[sizeof text - 1] = '\0';
    const struct lh_json *value = parse(text);
    while (value->kind == LH_JSON_ARRAY) {
        value = value->value.list.items[0];
    }
    lh_json_pointer(value, pointer, sizeof pointer);
    ck_assert_uint_eq(strlen(pointer), 2 * LH_JSON_DEPTH_MAX);
}
END_TEST

static bool equal(const char *a, const char *b)
{
    bool there = lh_json_equal(parse(a), parse(b));
    ck_assert(there == lh_json_equal(parse(b), parse(a)));
    return there;
}

START_TEST(equality)
{
    ck_assert(equal("{\"a\": 1, \"b\": [true, null, \"x\"]}", "{\"b\": [true, null, \"x\"], \"a\": 1.0}"));
    ck_assert(equal("9223372036854775807", "9223372036854775807"));
    ck_assert(!equal("9223372036854775807", "9223372036854775806"));
    ck_assert(!equal("[1, 2]", "[2, 1]"));
    ck_assert(!equal("[1]", "[1, 2]"));
    ck_assert(!equal("{\"a\": 1}", "{\"b\": 1}"));
    ck_assert(!equal("{\"a\": null}", "{\"b\": null}"));
    ck_assert(!equal("{}", "[]"));
    ck_assert(!equal("true", "false"));
    ck_assert(!equal("null", "0"));
    ck_assert(!equal("\"a\"", "\"b\""));
    ck_assert(!equal("\"a\"", "\"ab\""));
    ck_assert(lh_json_equal(NULL, NULL));
    ck_assert(!lh_json_equal(NULL, parse("null")));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("common/json/json");
    TCase *tests = tcase_create("json");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, members_are_found_in_objects_of_every_size);
    tcase_add_test(tests, only_objects_have_members);
    tcase_add_test(tests, numbers_are_numbers);
    tcase_add_test(tests, every_kind_has_its_words);
    tcase_add_test(tests, pointers_follow_rfc_6901);
    tcase_add_test(tests, long_pointers_are_cut_between_characters);
    tcase_add_test(tests, the_deepest_value_has_a_pointer);
    tcase_add_test(tests, equality);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
