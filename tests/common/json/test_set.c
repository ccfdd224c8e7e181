/* SPDX-License-Identifier: MIT */
/* Changing one value: what changes, what is shared, what is refused. */
#include "common/json/json.h"

#include <string.h>

#include "tests/support/testing.h"

static const char song[] = "{\"name\": \"x\", \"tracks\": [{\"id\": \"kick\", \"gainDb\": -3}, {\"id\": \"bass\"}],"
                           " \"ext\": {\"a/b\": {\"~\": 1}}}";

static struct lh_arena arena;
static const struct lh_json *root;
static struct lh_error error;

static const struct lh_json *parse(const char *text)
{
    const struct lh_json *value = NULL;
    ck_assert_int_eq(lh_json_parse(&arena, text, strlen(text), &value, &error), LH_OK);
    return value;
}

static void set_up(void)
{
    lh_arena_init(&arena);
    error = LH_ERROR_INIT;
    root = parse(song);
}

static void tear_down(void)
{
    lh_arena_fini(&arena);
}

static void gives(const char *pointer, const char *value, const char *expected)
{
    const struct lh_json *changed = NULL;
    ck_assert_msg(lh_json_set(&arena, root, pointer, value, &changed, &error) == LH_OK, "%s", error.message);
    ck_assert_msg(lh_json_equal(changed, parse(expected)), "%s = %s", pointer, value);
    ck_assert(lh_json_equal(root, parse(song)));
}

static void refuses(const char *pointer, const char *value, enum lh_status status, const char *words)
{
    const struct lh_json *changed = NULL;
    ck_assert_int_eq(lh_json_set(&arena, root, pointer, value, &changed, &error), status);
    ck_assert_msg(strstr(error.message, words) != NULL, "'%s' lacks '%s'", error.message, words);
    ck_assert_ptr_null(changed);
    ck_assert_int_eq(lh_json_set(&arena, root, pointer, value, &changed, NULL), status);
}

START_TEST(values_are_replaced_and_added)
{
    gives("/name", "\"y\"",
          "{\"name\": \"y\", \"tracks\": [{\"id\": \"kick\", \"gainDb\": -3}, {\"id\": \"bass\"}],"
          " \"ext\": {\"a/b\": {\"~\": 1}}}");
    gives("/tracks/0/gainDb", "-6.5",
          "{\"name\": \"x\", \"tracks\": [{\"id\": \"kick\", \"gainDb\": -6.5},"
          " {\"id\": \"bass\"}], \"ext\": {\"a/b\": {\"~\": 1}}}");
    gives("/tracks/1/mute", "true",
          "{\"name\": \"x\", \"tracks\": [{\"id\": \"kick\", \"gainDb\": -3},"
          " {\"id\": \"bass\", \"mute\": true}], \"ext\": {\"a/b\": {\"~\": 1}}}");
    gives("/tracks/-", "{\"id\": \"new\"}",
          "{\"name\": \"x\", \"tracks\": [{\"id\": \"kick\", \"gainDb\": -3},"
          " {\"id\": \"bass\"}, {\"id\": \"new\"}], \"ext\": {\"a/b\": {\"~\": 1}}}");
    gives("/tracks/2", "null",
          "{\"name\": \"x\", \"tracks\": [{\"id\": \"kick\", \"gainDb\": -3},"
          " {\"id\": \"bass\"}, null], \"ext\": {\"a/b\": {\"~\": 1}}}");
    gives("/tracks", "[]", "{\"name\": \"x\", \"tracks\": [], \"ext\": {\"a/b\": {\"~\": 1}}}");
    gives("/ext/a~1b/~0", "2",
          "{\"name\": \"x\", \"tracks\": [{\"id\": \"kick\", \"gainDb\": -3}, {\"id\": \"bass\"}],"
          " \"ext\": {\"a/b\": {\"~\": 2}}}");
    gives("", "[7]", "[7]");
    gives("/", "0",
          "{\"name\": \"x\", \"tracks\": [{\"id\": \"kick\", \"gainDb\": -3}, {\"id\": \"bass\"}],"
          " \"ext\": {\"a/b\": {\"~\": 1}}, \"\": 0}");
}
END_TEST

START_TEST(what_is_no_json_is_a_string)
{
    static const char *const words[] = {"Night Drive", "",    "-inf", "01-kick.wav", "[intro",
                                        "{",           "tru", "\"a",  "h\xC3\xA4"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        const struct lh_json *changed = NULL;
        ck_assert_int_eq(lh_json_set(&arena, root, "/name", words[i], &changed, &error), LH_OK);
        ck_assert_int_eq(lh_json_member(changed, "name")->kind, LH_JSON_STRING);
        ck_assert_str_eq(lh_json_member(changed, "name")->value.string.text, words[i]);
    }
}
END_TEST

START_TEST(places_stay_right)
{
    const struct lh_json *changed = NULL;
    char pointer[64];
    ck_assert_int_eq(lh_json_set(&arena, root, "/tracks/1/clips", "[{\"id\": \"c\"}]", &changed, &error), LH_OK);
    const struct lh_json *track = lh_json_member(changed, "tracks")->value.list.items[1];
    const struct lh_json *clip = lh_json_member(track, "clips")->value.list.items[0];
    lh_json_pointer(lh_json_member(clip, "id"), pointer, sizeof pointer);
    ck_assert_str_eq(pointer, "/tracks/1/clips/0/id");
    const struct lh_json *other = lh_json_member(changed, "tracks")->value.list.items[0];
    lh_json_pointer(lh_json_member(other, "gainDb"), pointer, sizeof pointer);
    ck_assert_str_eq(pointer, "/tracks/0/gainDb");
    ck_assert_ptr_eq(other, lh_json_member(root, "tracks")->value.list.items[0]);
}
END_TEST

START_TEST(a_large_object_keeps_its_order_of_names)
{
    root = parse("{\"a\":0,\"b\":1,\"c\":2,\"d\":3,\"e\":4,\"f\":5,\"g\":6,\"h\":7,\"i\":8,\"j\":9,\"k\":10,\"l\":11,"
                 "\"m\":12,\"n\":13,\"o\":14,\"q\":16}");
    const struct lh_json *changed = NULL;
    ck_assert_int_eq(lh_json_set(&arena, root, "/p", "15", &changed, &error), LH_OK);
    ck_assert_uint_eq(changed->value.list.count, 17);
    ck_assert_str_eq(changed->value.list.items[16]->name, "p");
    for (char name[] = "a"; name[0] <= 'q'; name[0]++) {
        ck_assert_int_eq(lh_json_member(changed, name)->value.integer, name[0] - 'a');
    }
    ck_assert_ptr_null(lh_json_member(root, "p"));
}
END_TEST

START_TEST(pointers_that_lead_nowhere_are_refused)
{
    refuses("tracks", "1", LH_ERR_USAGE, "begins with '/'");
    refuses("/track/0/gainDb", "1", LH_ERR_USAGE, "did you mean 'tracks'?");
    ck_assert_str_eq(error.where, "/track/0/gainDb");
    refuses("/zzz/0", "1", LH_ERR_USAGE, "no member 'zzz'");
    refuses("/ext/~2/a", "1", LH_ERR_USAGE, "~0");
    refuses("/zzz/~2", "1", LH_ERR_USAGE, "~0");
    refuses("/tracks/3", "1", LH_ERR_USAGE, "2 items");
    refuses("/tracks/2/id", "1", LH_ERR_USAGE, "2 items");
    refuses("/tracks/-/id", "1", LH_ERR_USAGE, "no index");
    refuses("/tracks/01/id", "1", LH_ERR_USAGE, "no index");
    refuses("/tracks/+1", "1", LH_ERR_USAGE, "no index");
    refuses("/tracks/99999999999999999999", "1", LH_ERR_USAGE, "no index");
    refuses("/tracks//id", "1", LH_ERR_USAGE, "no index");
    refuses("/name/x", "1", LH_ERR_USAGE, "leads into a string");
    refuses("/new/x", "1", LH_ERR_USAGE, "no member 'new'");
    refuses("/ext/~2", "1", LH_ERR_USAGE, "~0");
    refuses("/ext/~", "1", LH_ERR_USAGE, "~0");
}
END_TEST

/* A member of an object that is not there yet: the message is the way to add both. */
START_TEST(a_member_of_what_is_not_there_is_told_how_to_be_set)
{
    refuses("/tracks/1/start/seconds", "2", LH_ERR_USAGE, "set all of it: '/tracks/1/start={\"seconds\":2}'");
    gives("/tracks/1/start", "{\"seconds\":2}",
          "{\"name\": \"x\", \"tracks\": [{\"id\": \"kick\", \"gainDb\": -3},"
          " {\"id\": \"bass\", \"start\": {\"seconds\": 2}}], \"ext\": {\"a/b\": {\"~\": 1}}}");
    refuses("/tracks/1/gain/dB", "loud", LH_ERR_USAGE, "set all of it: '/tracks/1/gain={\"dB\":\"loud\"}'");
    refuses("/ext/x~1y/a~0b", "[1, 2]", LH_ERR_USAGE, "set all of it: '/ext/x~1y={\"a~b\":[1,2]}'");
    refuses("/ext/list/-", "true", LH_ERR_USAGE, "set all of it: '/ext/list=[true]'");
    refuses("/ext/list/0", "true", LH_ERR_USAGE, "set all of it: '/ext/list=[true]'");
    refuses("/ext/list/", "true", LH_ERR_USAGE, "set all of it: '/ext/list={\"\":true}'");
    refuses("/ext/c/b/d", "1", LH_ERR_USAGE, "set all of it: '/ext/c=...'"); /* two levels are missing */
    refuses("/tracks/0/gainDd/x", "1", LH_ERR_USAGE,
            "there is no member 'gainDd' here (did you mean 'gainDb'?); to add it, set all of it: "
            "'/tracks/0/gainDd={\"x\":1}'");
    char text[300];
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    refuses("/tracks/1/start/name", text, LH_ERR_USAGE, "set all of it: '/tracks/1/start=...'");
    text[127 - strlen("{\"name\":\"\"}")] = '\0'; /* the longest that is shown, and one more */
    refuses("/tracks/1/start/name", text, LH_ERR_USAGE, "aaa\"}'");
    strcat(text, "a");
    refuses("/tracks/1/start/name", text, LH_ERR_USAGE, "start=...'");
}
END_TEST

START_TEST(values_that_break_limits_are_refused)
{
    char deep[2 * LH_JSON_DEPTH_MAX + 1];
    memset(deep, '[', LH_JSON_DEPTH_MAX);
    memset(deep + LH_JSON_DEPTH_MAX, ']', LH_JSON_DEPTH_MAX);
    deep[sizeof deep - 1] = '\0';
    refuses("/ext/x", deep, LH_ERR_LIMIT, "64 levels");
    const struct lh_json *changed = NULL;
    ck_assert_int_eq(lh_json_set(&arena, root, "", deep, &changed, &error), LH_OK);
    refuses("/name", "1e999", LH_ERR_INVALID, "too large");
    refuses("/name", "{\"a\": 1, \"a\": 2}", LH_ERR_INVALID, "two members");
    refuses("/name", "\xFF", LH_ERR_USAGE, "UTF-8");
    refuses("/name", "a\xED\xA0\x80", LH_ERR_USAGE, "UTF-8");
    refuses("/name", "a\xF4\x90\x80\x80", LH_ERR_USAGE, "UTF-8");
    refuses("/name", "a\xE2\x82", LH_ERR_USAGE, "UTF-8");
}
END_TEST

START_TEST(memory_running_out_is_a_status)
{
    static const char *const values[] = {"{\"k\": [1]}", "plain words"};
    for (size_t v = 0; v < 2; v++) {
        bool fired = true;
        for (size_t n = 1; fired; n++) {
            struct lh_arena own;
            const struct lh_json *changed = NULL;
            lh_arena_init(&own);
            testing_fail_allocation(n);
            enum lh_status status = lh_json_set(&own, root, "/ext/a~1b/new", values[v], &changed, &error);
            fired = testing_fail_allocation_end();
            ck_assert_int_eq(status, fired ? LH_ERR_NO_MEMORY : LH_OK);
            ck_assert(fired == (changed == NULL));
            lh_arena_fini(&own);
        }
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("common/json/set");
    TCase *tests = tcase_create("set");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, values_are_replaced_and_added);
    tcase_add_test(tests, what_is_no_json_is_a_string);
    tcase_add_test(tests, places_stay_right);
    tcase_add_test(tests, a_large_object_keeps_its_order_of_names);
    tcase_add_test(tests, pointers_that_lead_nowhere_are_refused);
    tcase_add_test(tests, a_member_of_what_is_not_there_is_told_how_to_be_set);
    tcase_add_test(tests, values_that_break_limits_are_refused);
    tcase_add_test(tests, memory_running_out_is_a_status);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
