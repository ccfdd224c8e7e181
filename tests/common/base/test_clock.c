/* SPDX-License-Identifier: MIT */
/* The clock goes forward, at the right speed. */
#include "common/base/clock.h"

#include <time.h>

#include "tests/support/testing.h"

START_TEST(time_never_goes_back)
{
    uint64_t last = lh_clock_monotonic_ns();
    for (int i = 0; i < 100000; i++) {
        uint64_t now = lh_clock_monotonic_ns();
        ck_assert_uint_ge(now, last);
        last = now;
    }
}
END_TEST

START_TEST(a_sleep_takes_its_time)
{
    const struct timespec pause = {.tv_nsec = 20000000};
    uint64_t before = lh_clock_monotonic_ns();
    nanosleep(&pause, NULL);
    uint64_t passed = lh_clock_monotonic_ns() - before;
    ck_assert_uint_ge(passed, 20000000);
    ck_assert_uint_lt(passed, 10 * LH_CLOCK_SECOND_NS); /* generous: the machine may be busy */
}
END_TEST

START_TEST(who_sleeps_computes_nothing)
{
    const struct timespec pause = {.tv_nsec = 200000000};
    uint64_t before = lh_clock_process_ns();
    nanosleep(&pause, NULL);
    uint64_t slept = lh_clock_process_ns();
    ck_assert_uint_lt(slept - before, 150000000);
    while (lh_clock_process_ns() - slept < 10000000) {
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("common/base/clock");
    TCase *tests = tcase_create("clock");
    tcase_set_timeout(tests, 30);
    tcase_add_test(tests, time_never_goes_back);
    tcase_add_test(tests, a_sleep_takes_its_time);
    tcase_add_test(tests, who_sleeps_computes_nothing);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
