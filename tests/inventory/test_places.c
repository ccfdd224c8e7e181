/* SPDX-License-Identifier: MIT */
/* inventory/places: what the environment says, and what it does not. */
#include "inventory/places.h"

#include <stdlib.h>

#include "tests/support/testing.h"

static struct lh_arena arena;
static struct inventory_places places;

static void set_up(void)
{
    static const char *const names[] = {"LV2_PATH", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_DATA_DIRS"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        unsetenv(names[i]);
    }
    setenv("HOME", "/home/ada", 1);
    lh_arena_init(&arena);
}

static void tear_down(void)
{
    lh_arena_fini(&arena);
}

static void find(void)
{
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_int_eq(inventory_places_find(&arena, &places, &error), LH_OK);
}

START_TEST(without_settings_all_is_in_the_home_folder)
{
    find();
    ck_assert_str_eq(places.search_path,
                     "/home/ada/.lv2:/usr/local/lib/lv2:/usr/lib/x86_64-linux-gnu/lv2:/usr/lib/lv2");
    ck_assert_str_eq(places.cache, "/home/ada/.cache/loophole");
    ck_assert_str_eq(places.evidence, "/home/ada/.local/share/loophole/evidence");
    ck_assert_uint_eq(places.system_evidence_count, 2);
    ck_assert_str_eq(places.system_evidence[0], "/usr/local/share/loophole/evidence");
    ck_assert_str_eq(places.system_evidence[1], "/usr/share/loophole/evidence");
}
END_TEST

START_TEST(settings_come_first)
{
    setenv("LV2_PATH", "~:~/a:/b~/c:~ada/d:", 1);
    setenv("XDG_CACHE_HOME", "/cache", 1);
    setenv("XDG_DATA_HOME", "/data", 1);
    setenv("XDG_DATA_DIRS", "/one::two:/three", 1);
    find();
    ck_assert_str_eq(places.search_path, "/home/ada:/home/ada/a:/b~/c:~ada/d:");
    ck_assert_str_eq(places.cache, "/cache/loophole");
    ck_assert_str_eq(places.evidence, "/data/loophole/evidence");
    ck_assert_uint_eq(places.system_evidence_count, 2);
    ck_assert_str_eq(places.system_evidence[0], "/one/loophole/evidence");
    ck_assert_str_eq(places.system_evidence[1], "/three/loophole/evidence");
}
END_TEST

START_TEST(relative_paths_do_not_count)
{
    setenv("XDG_CACHE_HOME", "cache", 1);
    setenv("HOME", "home", 1);
    find();
    ck_assert_ptr_null(places.cache);
    ck_assert_ptr_null(places.evidence);
    ck_assert_str_eq(places.search_path, "~/.lv2:/usr/local/lib/lv2:/usr/lib/x86_64-linux-gnu/lv2:/usr/lib/lv2");
}
END_TEST

START_TEST(memory_runs_out)
{
    for (size_t n = 1;; n++) {
        struct lh_arena own;
        lh_arena_init(&own);
        testing_fail_allocation(n);
        enum lh_status status = inventory_places_find(&own, &places, NULL);
        bool fired = testing_fail_allocation_end();
        lh_arena_fini(&own);
        ck_assert_int_eq(status, fired ? LH_ERR_NO_MEMORY : LH_OK);
        if (!fired) {
            break;
        }
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("inventory/places");
    TCase *tests = tcase_create("places");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, without_settings_all_is_in_the_home_folder);
    tcase_add_test(tests, settings_come_first);
    tcase_add_test(tests, relative_paths_do_not_count);
    tcase_add_test(tests, memory_runs_out);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
