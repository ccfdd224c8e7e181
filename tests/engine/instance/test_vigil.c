/* SPDX-License-Identifier: MIT */
/* engine/instance/vigil.c: calls that stand still are found, and nothing else. */
#include "engine/instance/vigil.h"

#include <string.h>

#include "tests/support/testing.h"

#define MS UINT64_C(1000000)

static struct engine_watch watch;
static struct engine_vigil vigil;
static uint64_t now;

static void setup(void)
{
    memset(&watch, 0, sizeof watch);
    now = 5000 * MS;
    engine_vigil_init(&vigil, 300 * MS, now);
}

static int look_after(uint64_t ms)
{
    now += ms * MS;
    return engine_vigil_look(&vigil, &watch, now);
}

START_TEST(standing_still_inside_is_a_hang)
{
    engine_watch_enter(&watch.slots[7], ENGINE_WATCH_RUN, 1, 0);
    ck_assert_int_eq(look_after(50), -1); /* seen for the first time */
    for (int i = 0; i < 6; i++) {
        ck_assert_int_eq(look_after(50), -1);
    }
    ck_assert_int_eq(look_after(50), 7);
}
END_TEST

START_TEST(coming_back_is_none)
{
    for (int i = 0; i < 100; i++) {
        engine_watch_enter(&watch.slots[0], ENGINE_WATCH_RUN, 1, i);
        ck_assert_int_eq(look_after(250), -1);
        engine_watch_leave();
        ck_assert_int_eq(look_after(i % 2 == 0 ? 0 : 10), -1);
    }
    ck_assert_int_eq(look_after(100000), -1); /* outside one may be for ever */
    ck_assert_int_eq(look_after(100000), -1);
}
END_TEST

/* The parent was stopped, or the machine slept: as far as it saw, no time went by. */
START_TEST(what_nobody_watched_does_not_count)
{
    engine_vigil_init(&vigil, 3000 * MS, now);
    engine_watch_enter(&watch.slots[0], ENGINE_WATCH_LOAD, 1, 0);
    ck_assert_int_eq(look_after(50), -1);
    ck_assert_int_eq(look_after(3600000), -1);
    ck_assert_int_eq(look_after(1000), -1);
    ck_assert_int_eq(look_after(1000), -1);
    ck_assert_int_eq(look_after(1000), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("engine/instance/vigil");
    TCase *test = tcase_create("vigil");
    tcase_add_checked_fixture(test, setup, NULL);
    tcase_add_test(test, standing_still_inside_is_a_hang);
    tcase_add_test(test, coming_back_is_none);
    tcase_add_test(test, what_nobody_watched_does_not_count);
    suite_add_tcase(suite, test);
    return testing_main(suite);
}
