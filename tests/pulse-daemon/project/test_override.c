/* SPDX-License-Identifier: MIT */
/* Pointers that name elements. */
#include "pulse-daemon/project/override.h"

#include <string.h>

#include "tests/support/testing.h"

static const char text[] =
    "{\"tracks\":[{\"id\":\"kick\",\"clips\":[{\"id\":\"c\"}],\"sends\":[{\"to\":\"verb\"}]},{\"id\":"
    "\"0\"},{\"id\":\"7\"},\"odd\"],\"deliverables\":[{\"name\":\"my mix\"}],\"a/b\":[{\"id\":\"~\"}],"
    "\"automation\":[{\"parameter\":\"sends/verb/gainDb\"}]}";

static enum lh_status translate(struct lh_arena *arena, const char *pointer, const char **made, struct lh_error *error)
{
    const struct lh_json *root = NULL;
    enum lh_status status = lh_json_parse(arena, text, strlen(text), &root, error);
    return status != LH_OK ? status : pulse_override_pointer(arena, root, pointer, made, error);
}

START_TEST(names_become_indices)
{
    static const char *const pairs[][2] = {
        {"/tracks/kick/gainDb", "/tracks/0/gainDb"},
        {"/tracks/kick/clips/c/mute", "/tracks/0/clips/0/mute"},
        {"/tracks/kick/sends/verb/pan", "/tracks/0/sends/0/pan"},
        {"/tracks/0/pan", "/tracks/0/pan"}, /* an index goes before an id */
        {"/tracks/7/pan", "/tracks/2/pan"}, /* no such index, but such an id */
        {"/tracks/9/pan", "/tracks/9/pan"},
        {"/tracks/-", "/tracks/-"},
        {"/deliverables/my mix/bitDepth", "/deliverables/0/bitDepth"},
        {"/a~1b/~0/x", "/a~1b/0/x"},
        {"/automation/sends~1verb~1gainDb/points", "/automation/0/points"},
        {"/nothing/kick/x", "/nothing/kick/x"},
        {"/tracks/3/x", "/tracks/3/x"},
        {"", ""},
        {"kick", "kick"},
        {"/", "/"},
    };
    struct lh_arena arena;
    lh_arena_init(&arena);
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        const char *made = NULL;
        ck_assert_int_eq(translate(&arena, pairs[i][0], &made, NULL), LH_OK);
        ck_assert_str_eq(made, pairs[i][1]);
    }
    lh_arena_fini(&arena);
}
END_TEST

START_TEST(unknown_names_are_refused)
{
    struct lh_arena arena;
    struct lh_error error = LH_ERROR_INIT;
    const char *made = NULL;
    lh_arena_init(&arena);
    ck_assert_int_eq(translate(&arena, "/tracks/kik/pan", &made, &error), LH_ERR_INVALID);
    ck_assert_ptr_nonnull(strstr(error.message, "did you mean \"kick\"?"));
    ck_assert_int_eq(translate(&arena, "/tracks/trombone/pan", &made, &error), LH_ERR_INVALID);
    ck_assert_ptr_null(strstr(error.message, "did you mean"));
    ck_assert_ptr_null(made);
    lh_arena_fini(&arena);
}
END_TEST

START_TEST(memory_may_be_out)
{
    bool failed = true;
    for (size_t n = 1; failed; n++) {
        struct lh_arena arena;
        const char *made = NULL;
        lh_arena_init(&arena);
        testing_fail_allocation(n);
        enum lh_status status = translate(&arena, "/tracks/kick/pan", &made, NULL);
        failed = testing_fail_allocation_end();
        ck_assert_int_eq(status, failed ? LH_ERR_NO_MEMORY : LH_OK);
        lh_arena_fini(&arena);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pulse-daemon/project/override");
    TCase *tests = tcase_create("override");
    tcase_add_test(tests, names_become_indices);
    tcase_add_test(tests, unknown_names_are_refused);
    tcase_add_test(tests, memory_may_be_out);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
