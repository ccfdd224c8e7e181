/* SPDX-License-Identifier: MIT */
/* Writing JSON: layout, strings, numbers that read back as the same double. */
#include "common/json/json.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "tests/support/testing.h"

static struct lh_writer writer;
static struct lh_json_emitter emitter;
static struct lh_arena arena;

static void set_up(void)
{
    lh_writer_init(&writer);
    lh_arena_init(&arena);
}

static void tear_down(void)
{
    lh_writer_fini(&writer);
    lh_arena_fini(&arena);
}

static void begin(bool compact)
{
    writer.size = 0;
    lh_json_emit_init(&emitter, &writer, compact);
}

static const char *written(void)
{
    ck_assert_int_eq(lh_writer_status(&writer), LH_OK);
    return lh_arena_strndup(&arena, (const char *)writer.data, writer.size);
}

static void emit_sample(void)
{
    lh_json_emit_object(&emitter);
    lh_json_emit_name(&emitter, "name");
    lh_json_emit_text(&emitter, "Night Drive");
    lh_json_emit_name(&emitter, "empty");
    lh_json_emit_array(&emitter);
    lh_json_emit_array_end(&emitter);
    lh_json_emit_name(&emitter, "list");
    lh_json_emit_array(&emitter);
    lh_json_emit_integer(&emitter, INT64_MIN);
    lh_json_emit_real(&emitter, 0.1);
    lh_json_emit_bool(&emitter, true);
    lh_json_emit_bool(&emitter, false);
    lh_json_emit_null(&emitter);
    lh_json_emit_text(&emitter, NULL);
    lh_json_emit_object(&emitter);
    lh_json_emit_object_end(&emitter);
    lh_json_emit_array_end(&emitter);
    lh_json_emit_object_end(&emitter);
}

START_TEST(the_indented_layout)
{
    begin(false);
    emit_sample();
    ck_assert_str_eq(written(), "{\n"
                                "  \"name\": \"Night Drive\",\n"
                                "  \"empty\": [],\n"
                                "  \"list\": [\n"
                                "    -9223372036854775808,\n"
                                "    0.1,\n"
                                "    true,\n"
                                "    false,\n"
                                "    null,\n"
                                "    null,\n"
                                "    {}\n"
                                "  ]\n"
                                "}\n");
}
END_TEST

START_TEST(the_compact_layout)
{
    begin(true);
    emit_sample();
    ck_assert_str_eq(written(), "{\"name\":\"Night Drive\",\"empty\":[],"
                                "\"list\":[-9223372036854775808,0.1,true,false,null,null,{}]}\n");
}
END_TEST

START_TEST(members_in_one_call)
{
    begin(true);
    lh_json_emit_object(&emitter);
    lh_json_put_text(&emitter, "a", "b");
    lh_json_put_text(&emitter, "none", NULL);
    lh_json_put_integer(&emitter, "least", INT64_MIN);
    lh_json_put_real(&emitter, "real", 0.1);
    lh_json_put_bool(&emitter, "yes", true);
    lh_json_emit_object_end(&emitter);
    ck_assert_str_eq(written(),
                     "{\"a\":\"b\",\"none\":null,\"least\":-9223372036854775808,\"real\":0.1,\"yes\":true}\n");
}
END_TEST

START_TEST(a_plain_root)
{
    begin(false);
    lh_json_emit_integer(&emitter, 7);
    ck_assert_str_eq(written(), "7\n");
}
END_TEST

static void writes_text(const char *text, const char *expected)
{
    begin(true);
    lh_json_emit_text(&emitter, text);
    ck_assert_str_eq(written(), expected);
}

START_TEST(strings_are_escaped_and_always_utf8)
{
    writes_text("", "\"\"\n");
    writes_text("a\"b\\c/d", "\"a\\\"b\\\\c/d\"\n");
    writes_text("\n\t\r\x01\x1F\x7F", "\"\\n\\t\\r\\u0001\\u001f\x7F\"\n");
    writes_text("\xC3\xA4\xE2\x82\xAC\xF0\x9F\x8E\xB5", "\"\xC3\xA4\xE2\x82\xAC\xF0\x9F\x8E\xB5\"\n");
    writes_text("a\xFFz", "\"a\xEF\xBF\xBDz\"\n");
    writes_text("\xC3", "\"\xEF\xBF\xBD\"\n");
    writes_text("\xE2\x82", "\"\xEF\xBF\xBD\xEF\xBF\xBD\"\n");
    writes_text("\xED\xA0\x80x", "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBDx\"\n");
}
END_TEST

static void writes_real(double value, const char *expected)
{
    begin(true);
    lh_json_emit_real(&emitter, value);
    ck_assert_str_eq(written(), expected);
}

START_TEST(reals_are_short)
{
    writes_real(0.0, "0\n");
    writes_real(-0.0, "-0.0\n");
    writes_real(1.0, "1\n");
    writes_real(-3.0, "-3\n");
    writes_real(48000.0, "48000\n");
    writes_real(1e15, "1000000000000000\n");
    writes_real(9007199254740992.0, "9007199254740992\n");
    writes_real(9007199254740994.0, "9007199254740994\n");
    writes_real(0.1, "0.1\n");
    writes_real(-14.3, "-14.3\n");
    writes_real(0.1 + 0.2, "0.30000000000000004\n");
    writes_real(1.0 / 3.0, "0.3333333333333333\n");
    writes_real(1e22, "1e+22\n");
    writes_real(1e300, "1e+300\n");
    writes_real(5e-324, "5e-324\n");
    writes_real(INFINITY, "null\n");
    writes_real(-INFINITY, "null\n");
    writes_real(NAN, "null\n");
}
END_TEST

/* A seeded xorshift: the same doubles in every run. */
static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void comes_back(double value)
{
    const struct lh_json *root = NULL;
    begin(true);
    lh_json_emit_real(&emitter, value);
    ck_assert_int_eq(lh_json_parse(&arena, (const char *)writer.data, writer.size, &root, NULL), LH_OK);
    double back = lh_json_number(root);
    ck_assert_mem_eq(&back, &value, sizeof value);
}

START_TEST(reals_come_back_bit_for_bit)
{
    uint64_t state = 20260101;
    comes_back(-0.0);
    comes_back(DBL_MAX);
    comes_back(-DBL_MIN);
    comes_back(DBL_TRUE_MIN);
    for (int i = 0; i < 20000; i++) {
        uint64_t bits = next_random(&state);
        double value;
        memcpy(&value, &bits, sizeof value);
        if (isfinite(value)) {
            comes_back(value);
        }
        comes_back((double)(int64_t)(bits >> 20) / 1000.0);
    }
}
END_TEST

START_TEST(a_tree_comes_back)
{
    static const char text[] = "{\"z\": [1, 2.5, {\"a\": null, \"b\": [true, false]}], \"t\": \"x\\\"y\", \"e\": {}}";
    const struct lh_json *root = NULL;
    const struct lh_json *again = NULL;
    ck_assert_int_eq(lh_json_parse(&arena, text, strlen(text), &root, NULL), LH_OK);
    begin(false);
    lh_json_emit_value(&emitter, root);
    const char *first = written();
    ck_assert_int_eq(lh_json_parse(&arena, first, strlen(first), &again, NULL), LH_OK);
    ck_assert(lh_json_equal(root, again));
    begin(false);
    lh_json_emit_value(&emitter, again);
    ck_assert_str_eq(written(), first);
}
END_TEST

START_TEST(memory_running_out_shows_in_the_writer)
{
    bool fired = true;
    for (size_t n = 1; fired; n++) {
        struct lh_writer own;
        struct lh_json_emitter failing;
        lh_writer_init(&own);
        testing_fail_allocation(n);
        lh_json_emit_init(&failing, &own, false);
        lh_json_emit_array(&failing);
        for (int64_t i = 0; i < 500; i++) {
            lh_json_emit_integer(&failing, i);
        }
        lh_json_emit_array_end(&failing);
        fired = testing_fail_allocation_end();
        ck_assert_int_eq(lh_writer_status(&own), fired ? LH_ERR_NO_MEMORY : LH_OK);
        lh_writer_fini(&own);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("common/json/emit");
    TCase *tests = tcase_create("emit");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, the_indented_layout);
    tcase_add_test(tests, members_in_one_call);
    tcase_add_test(tests, the_compact_layout);
    tcase_add_test(tests, a_plain_root);
    tcase_add_test(tests, strings_are_escaped_and_always_utf8);
    tcase_add_test(tests, reals_are_short);
    tcase_add_test(tests, reals_come_back_bit_for_bit);
    tcase_add_test(tests, a_tree_comes_back);
    tcase_add_test(tests, memory_running_out_shows_in_the_writer);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
