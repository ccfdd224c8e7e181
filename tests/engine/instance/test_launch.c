/* SPDX-License-Identifier: MIT */
/* engine/instance/launch.c: what a child is started with. */
#include "engine/instance/launch.h"

#include <stdlib.h>
#include <string.h>

#include "tests/support/testing.h"

static struct lh_arena arena;
static struct engine_launch launch;

static void setup(void)
{
    lh_arena_init(&arena);
    unsetenv("LOOPHOLE_HANG_MS");
}

static void teardown(void)
{
    lh_arena_fini(&arena);
}

static void compose(const struct engine_instance_options *options, const char *scratch)
{
    ck_assert_int_eq(engine_launch_compose(options, "/signal", scratch, &arena, &launch), LH_OK);
}

/* The value of a variable of the child, NULL: not set; never set twice. */
static const char *variable(const char *name)
{
    const char *found = NULL;
    size_t length = strlen(name);
    for (size_t i = 0; launch.environment[i] != NULL; i++) {
        if (strncmp(launch.environment[i], name, length) == 0 && launch.environment[i][length] == '=') {
            ck_assert_ptr_null(found);
            found = launch.environment[i] + length + 1;
        }
    }
    return found;
}

static void expect_arguments(const char *const *expected)
{
    size_t i = 0;
    for (; expected[i] != NULL; i++) {
        ck_assert_ptr_nonnull(launch.arguments[i]);
        ck_assert_str_eq(launch.arguments[i], expected[i]);
    }
    ck_assert_ptr_null(launch.arguments[i]);
}

START_TEST(options_become_arguments)
{
    const char *readable[] = {"/a/b.lv2/", "/project"};
    struct engine_instance_options options = {.readable = readable, .readable_count = 2, .memory_bytes = 123};
    compose(&options, "/tmp/scratch");
    expect_arguments((const char *const[]){"/signal", "--instance", "--memory", "123", "--scratch", "/tmp/scratch",
                                           "--read", "/a/b.lv2/", "--read", "/project", NULL});
    ck_assert_uint_eq(launch.memory_bytes, 123);
    options = (struct engine_instance_options){.no_jail = true};
    compose(&options, "");
    expect_arguments((const char *const[]){"/signal", "--instance", "--no-jail", NULL});
    ck_assert_uint_eq(launch.memory_bytes, 0);
}
END_TEST

START_TEST(memory_is_bounded_unless_there_is_no_jail)
{
    struct engine_instance_options options = {.no_jail = false};
    compose(&options, "");
    ck_assert_uint_ge(launch.memory_bytes, UINT64_C(4) << 30);
}
END_TEST

START_TEST(hangs_have_their_time)
{
    struct engine_instance_options options = {.no_jail = false};
    compose(&options, "");
    ck_assert_uint_eq(launch.hang_ms, 30000);
    static const struct {
        const char *text;
        uint32_t ms;
    } texts[] = {{"1500", 1500}, {"0", 30000}, {"-5", 30000}, {"", 30000}, {"never", 30000}, {"99999999999", 30000}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        ck_assert_int_eq(setenv("LOOPHOLE_HANG_MS", texts[i].text, 1), 0);
        compose(&options, "");
        ck_assert_msg(launch.hang_ms == texts[i].ms, "%s: %u", texts[i].text, launch.hang_ms);
    }
    options.hang_ms = 7;
    compose(&options, "");
    ck_assert_uint_eq(launch.hang_ms, 7);
}
END_TEST

START_TEST(the_users_settings_stay_outside)
{
    setenv("HOME", "/home/somebody", 1);
    setenv("LANG", "de_DE.UTF-8", 1);
    setenv("SOXR_TRACE", "1", 1);
    setenv("FLUID_SETTINGS", "loud", 1);
    setenv("LV2_PATH", "/opt/lv2", 1);
    setenv("GLIBC_TUNABLES", "glibc.malloc.check=0", 1);
    const char *extra[] = {"GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX2_Usable", "EXTRA=1"};
    struct engine_instance_options options = {.environment = extra, .environment_count = 2};
    compose(&options, "/tmp/scratch");
    ck_assert_str_eq(variable("HOME"), "/tmp/scratch");
    ck_assert_str_eq(variable("TMPDIR"), "/tmp/scratch");
    ck_assert_str_eq(variable("XDG_CONFIG_HOME"), "/tmp/scratch");
    ck_assert_str_eq(variable("LC_ALL"), "C");
    ck_assert_str_eq(variable("QT_QPA_PLATFORM"), "offscreen");
    ck_assert_str_eq(variable("LV2_PATH"), "/opt/lv2");
    ck_assert_str_eq(variable("GLIBC_TUNABLES"), "glibc.cpu.hwcaps=-AVX2_Usable");
    ck_assert_str_eq(variable("EXTRA"), "1");
    ck_assert_ptr_null(variable("LANG"));
    ck_assert_ptr_null(variable("SOXR_TRACE"));
    ck_assert_ptr_null(variable("FLUID_SETTINGS"));
    ck_assert_ptr_null(variable("PATH"));
    compose(&options, "");
    ck_assert_str_eq(variable("HOME"), "/nonexistent");
}
END_TEST

START_TEST(allocations_may_fail)
{
    struct engine_instance_options options = {.no_jail = false};
    bool fired = true;
    for (size_t n = 1; fired; n++) {
        teardown();
        testing_fail_allocation(n);
        enum lh_status status = engine_launch_compose(&options, "/signal", "/tmp/scratch", &arena, &launch);
        fired = testing_fail_allocation_end();
        ck_assert_int_eq(status, fired ? LH_ERR_NO_MEMORY : LH_OK);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("engine/instance/launch");
    TCase *test = tcase_create("launch");
    tcase_add_checked_fixture(test, setup, teardown);
    tcase_add_test(test, options_become_arguments);
    tcase_add_test(test, memory_is_bounded_unless_there_is_no_jail);
    tcase_add_test(test, hangs_have_their_time);
    tcase_add_test(test, the_users_settings_stay_outside);
    tcase_add_test(test, allocations_may_fail);
    suite_add_tcase(suite, test);
    return testing_main(suite);
}
