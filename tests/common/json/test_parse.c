/* SPDX-License-Identifier: MIT */
/* Reading JSON: every kind of value, every kind of refusal, memory running out. */
#include "common/json/json.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "tests/support/testing.h"

static struct lh_arena arena;
static const struct lh_json *root;
static struct lh_error error;

static void set_up(void)
{
    lh_arena_init(&arena);
    root = NULL;
    error = LH_ERROR_INIT;
}

static void tear_down(void)
{
    lh_arena_fini(&arena);
}

static enum lh_status parse(const char *text)
{
    return lh_json_parse(&arena, text, strlen(text), &root, &error);
}

static void refuses(const char *text, size_t length, const char *where, const char *words)
{
    root = NULL;
    ck_assert_int_eq(lh_json_parse(&arena, text, length, &root, &error), LH_ERR_INVALID);
    ck_assert_msg(strstr(error.message, words) != NULL, "'%s' lacks '%s'", error.message, words);
    ck_assert_str_eq(error.where, where);
    ck_assert_ptr_null(root);
}

START_TEST(every_kind_is_read)
{
    ck_assert_int_eq(parse("{\"n\": null, \"f\": false, \"t\": true, \"i\": -9223372036854775808, \"r\": 0.25,"
                           " \"s\": \"h\\u00e4\\n\", \"a\": [1, [], {}], \"\": 1e2}"),
                     LH_OK);
    ck_assert_int_eq(root->kind, LH_JSON_OBJECT);
    ck_assert_uint_eq(root->value.list.count, 8);
    ck_assert_int_eq(lh_json_member(root, "n")->kind, LH_JSON_NULL);
    ck_assert_int_eq(lh_json_member(root, "f")->kind, LH_JSON_FALSE);
    ck_assert_int_eq(lh_json_member(root, "t")->kind, LH_JSON_TRUE);
    ck_assert_int_eq(lh_json_member(root, "i")->kind, LH_JSON_INTEGER);
    ck_assert_int_eq(lh_json_member(root, "i")->value.integer, INT64_MIN);
    ck_assert_int_eq(lh_json_member(root, "r")->kind, LH_JSON_REAL);
    ck_assert(lh_json_member(root, "r")->value.real == 0.25);
    ck_assert_int_eq(lh_json_member(root, "s")->kind, LH_JSON_STRING);
    ck_assert_str_eq(lh_json_member(root, "s")->value.string.text, "h\xC3\xA4\n");
    ck_assert_uint_eq(lh_json_member(root, "s")->value.string.length, 4);
    ck_assert_int_eq(lh_json_member(root, "")->kind, LH_JSON_REAL);
    const struct lh_json *array = lh_json_member(root, "a");
    ck_assert_int_eq(array->kind, LH_JSON_ARRAY);
    ck_assert_uint_eq(array->value.list.count, 3);
    ck_assert_uint_eq(array->value.list.items[1]->value.list.count, 0);
    ck_assert_int_eq(array->value.list.items[2]->kind, LH_JSON_OBJECT);
}
END_TEST

START_TEST(values_know_their_place_and_the_order_of_the_text)
{
    ck_assert_int_eq(parse("{\"z\": 1, \"a\": [5, 6], \"m\": 2}"), LH_OK);
    ck_assert_ptr_null(root->parent);
    ck_assert_ptr_null(root->name);
    struct lh_json *const *items = root->value.list.items;
    ck_assert_str_eq(items[0]->name, "z");
    ck_assert_str_eq(items[1]->name, "a");
    ck_assert_str_eq(items[2]->name, "m");
    ck_assert_uint_eq(items[2]->index, 2);
    ck_assert_ptr_eq(items[2]->parent, root);
    const struct lh_json *six = items[1]->value.list.items[1];
    ck_assert_uint_eq(six->index, 1);
    ck_assert_ptr_null(six->name);
    ck_assert_ptr_eq(six->parent, items[1]);
}
END_TEST

START_TEST(a_root_may_be_any_value)
{
    ck_assert_int_eq(parse(" 7 "), LH_OK);
    ck_assert_int_eq(root->kind, LH_JSON_INTEGER);
    ck_assert_int_eq(parse("\"x\""), LH_OK);
    ck_assert_int_eq(parse("[]"), LH_OK);
}
END_TEST

START_TEST(the_length_counts_and_not_a_terminator)
{
    ck_assert_int_eq(lh_json_parse(&arena, "[1]x", 3, &root, &error), LH_OK);
    refuses("[1]\0", 4, "line 1, column 4", "this is not JSON");
}
END_TEST

START_TEST(broken_texts_are_refused_with_their_place)
{
    static const struct {
        const char *text, *where, *words;
    } broken[] = {
        {"", "line 1, column 1", "empty"},
        {" \n\t ", "line 1, column 1", "empty"},
        {"\xEF\xBB\xBF{}", "line 1, column 1", "byte order mark"},
        {"{", "line 1, column 1", "this is not JSON"},
        {"{\"a\": 1,}", "line 1, column 9", "this is not JSON"},
        {"[1 2]", "line 1, column 4", "this is not JSON"},
        {"[1]]", "line 1, column 4", "this is not JSON"},
        {"{\n  \"a\": 1\n  \"b\": 2\n}", "line 3, column 5", "this is not JSON"},
        {"[01]", "line 1, column 2", "this is not JSON"},
        {"[1.]", "line 1, column 3", "this is not JSON"},
        {"[NaN]", "line 1, column 4", "this is not JSON"},
        {"[Infinity]", "line 1, column 9", "this is not JSON"},
        {"['a']", "line 1, column 2", "this is not JSON"},
        {"[\"a]", "line 1, column 4", "this is not JSON"},
        {"[\"\\x\"]", "line 1, column 4", "this is not JSON"},
        {"[\"\t\"]", "line 1, column 2", "this is not JSON"},
        {"[\"\\uD800\"]", "line 1, column 9", "this is not JSON"},
        {"// hello\n[]", "line 1, column 1", "this is not JSON"},
        {"[\"\xFF\"]", "line 1, column 2", "this is not JSON"},
        {"[\"\xC0\x80\"]", "line 1, column 2", "this is not JSON"},
    };
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        refuses(broken[i].text, strlen(broken[i].text), broken[i].where, broken[i].words);
    }
}
END_TEST

START_TEST(what_json_allows_and_we_do_not)
{
    static const char twice[] = "{\"gainDb\": 1,\n \"gainDb\": 2}";
    static const char zero[] = "[\"a\\u0000b\"]";
    static const char zero_name[] = "{\"a\\u0000b\": 1}";
    static const char large[] = "[9223372036854775808]";
    static const char small[] = "[-9223372036854775809]";
    static const char huge[] = "[1,\n1e999]";
    refuses(twice, strlen(twice), "line 2, column 9", "two members of the same name");
    ck_assert_ptr_nonnull(strstr(error.message, "gainDb"));
    refuses(zero, strlen(zero), "line 1, column 11", "U+0000");
    refuses(zero_name, strlen(zero_name), "line 1, column 11", "U+0000");
    refuses(large, strlen(large), "line 1, column 20", "too large");
    refuses(small, strlen(small), "line 1, column 21", "too large");
    refuses(huge, strlen(huge), "line 2, column 5", "too large");
}
END_TEST

/* `levels` opening brackets, the closing ones, and a terminator. */
static char *nested(size_t levels, bool closed)
{
    char *text = lh_arena_alloc(&arena, 2 * levels + 1);
    memset(text, '[', levels);
    memset(text + levels, closed ? ']' : '\0', levels);
    return text;
}

START_TEST(depth_is_limited)
{
    ck_assert_int_eq(parse(nested(LH_JSON_DEPTH_MAX, true)), LH_OK);
    ck_assert_int_eq(parse(nested(LH_JSON_DEPTH_MAX + 1, true)), LH_ERR_LIMIT);
    ck_assert_str_eq(error.where, "line 1, column 65");
    ck_assert_ptr_nonnull(strstr(error.message, "64 levels"));
    ck_assert_int_eq(parse(nested((size_t)8 << 20, false)), LH_ERR_LIMIT);
    ck_assert_int_eq(
        parse("[\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[\"]"), LH_OK);
}
END_TEST

START_TEST(many_short_lists_are_not_deep)
{
    size_t count = 1000;
    char *text = lh_arena_alloc(&arena, 3 * count + 2);
    text[0] = '[';
    for (size_t i = 0; i < count; i++) {
        memcpy(text + 1 + 3 * i, "{},", 3);
    }
    text[3 * count] = ']';
    ck_assert_int_eq(parse(text), LH_OK);
    ck_assert_uint_eq(root->value.list.count, count);
}
END_TEST

START_TEST(the_text_is_limited)
{
    static const char text[] = "[]";
    ck_assert_int_eq(lh_json_parse(&arena, text, (size_t)LH_JSON_TEXT_MAX + 1, &root, &error), LH_ERR_LIMIT);
    ck_assert_ptr_nonnull(strstr(error.message, "64 MiB"));
}
END_TEST

START_TEST(the_number_of_values_is_limited)
{
    size_t length = 2 * (size_t)LH_JSON_VALUES_MAX + 1;
    char *text = malloc(length);
    ck_assert_ptr_nonnull(text);
    for (size_t i = 0; i < length; i += 2) {
        text[i] = ',';
        text[i + 1 < length ? i + 1 : i] = '0';
    }
    text[0] = '[';
    text[length - 1] = ']';
    ck_assert_int_eq(lh_json_parse(&arena, text, length, &root, &error), LH_ERR_LIMIT);
    ck_assert_msg(strstr(error.message, "8 million values") != NULL, "%s", error.message);
    ck_assert_msg(strncmp(error.where, "line 1, column 167", 18) == 0, "%s", error.where);
    memset(text + length / 2, ' ', length - length / 2 - 1); /* half of them */
    text[length / 2 - 1] = '0';
    ck_assert_int_eq(lh_json_parse(&arena, text, length, &root, &error), LH_OK);
    free(text);
}
END_TEST

START_TEST(memory_running_out_is_a_status)
{
    static const char text[] = "{\"a\": [1, 2.5, \"three\", {\"b\": null, \"c\": [true]}], \"long\": \"0123456789\","
                               "\"1\":1,\"2\":2,\"3\":3,\"4\":4,\"5\":5,\"6\":6,\"7\":7,\"8\":8,\"9\":9,\"10\":0,"
                               "\"11\":1,\"12\":2,\"13\":3,\"14\":4,\"15\":5,\"16\":6}";
    bool fired = true;
    json_set_alloc_funcs(malloc, free); /* of this executable: those that can be made to fail */
    for (size_t n = 1; fired; n++) {
        struct lh_arena own;
        lh_arena_init(&own);
        root = NULL;
        testing_fail_allocation(n);
        enum lh_status status = lh_json_parse(&own, text, strlen(text), &root, &error);
        fired = testing_fail_allocation_end();
        ck_assert_msg(status == (fired ? LH_ERR_NO_MEMORY : LH_OK), "allocation %zu: %s %s", n, lh_status_text(status),
                      error.message);
        ck_assert(fired == (root == NULL));
        lh_arena_fini(&own);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("common/json/parse");
    TCase *tests = tcase_create("parse");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, every_kind_is_read);
    tcase_add_test(tests, values_know_their_place_and_the_order_of_the_text);
    tcase_add_test(tests, a_root_may_be_any_value);
    tcase_add_test(tests, the_length_counts_and_not_a_terminator);
    tcase_add_test(tests, broken_texts_are_refused_with_their_place);
    tcase_add_test(tests, what_json_allows_and_we_do_not);
    tcase_add_test(tests, depth_is_limited);
    tcase_add_test(tests, many_short_lists_are_not_deep);
    tcase_add_test(tests, the_text_is_limited);
    tcase_add_test(tests, the_number_of_values_is_limited);
    tcase_add_test(tests, memory_running_out_is_a_status);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
