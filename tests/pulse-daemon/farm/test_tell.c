/* SPDX-License-Identifier: MIT */
/* pulse-daemon/farm/tell: who waits for a worker that is not there is told so. */
#include "pulse-daemon/farm/tell.h"

#include "tests/pulse-daemon/farm/farming.h"

static void set_up(void)
{
    farming_begin(NULL);
    farming_submit(1, 1, 0);
}

static void tear_down(void)
{
    farming_end();
}

/* Whether the job is told within so long. */
static bool told_within(uint64_t job, const char *text, uint64_t ns)
{
    for (uint64_t passed = 0; passed < ns; passed += FARMING_S / 2) {
        farming_pass(FARMING_S / 2);
        if (farming_told(job, text)) {
            return true;
        }
    }
    return false;
}

START_TEST(a_missing_worker_is_told_once)
{
    farming_welcome("w1", 11, 1);
    farming_plan(1, "a@gpu b<a", "b");
    ck_assert(told_within(1, "job.waiting", 5 * FARMING_S));
    ck_assert(farming_told(1, "\"tags\":[\"gpu\"]"));
    ck_assert(!told_within(1, "job.waiting", 60 * FARMING_S));
    struct pulse_farm_job_view view;
    ck_assert(pulse_farm_job_view(farming_farm(), 1, &view) && view.waiting_for_a_worker);
}
END_TEST

START_TEST(a_worker_that_comes_is_told)
{
    static const char *const gpu[] = {"gpu"};
    farming_plan(1, "a@gpu", "a");
    ck_assert(told_within(1, "job.waiting", 5 * FARMING_S));
    farming_welcome_as("w2", 12, 1, gpu, 1);
    ck_assert_str_eq(farming_owner("a"), "w2");
    ck_assert(told_within(1, "\"for\":[]", 5 * FARMING_S));
}
END_TEST

START_TEST(a_short_absence_is_not_told)
{
    farming_welcome("w1", 11, 1);
    farming_gone("w1", 11);
    farming_plan(1, "a", "a");
    farming_pass(FARMING_S);
    farming_welcome("w1", 12, 1);
    ck_assert(!told_within(1, "job.waiting", 10 * FARMING_S));
}
END_TEST

START_TEST(who_joins_is_told_too)
{
    farming_plan(1, "a@gpu", "a");
    ck_assert(told_within(1, "job.waiting", 5 * FARMING_S));
    farming_submit(2, 1, 0);
    farming_plan(2, "a@gpu b<a c@tpu", "bc");
    ck_assert(told_within(2, "\"gpu\"", 5 * FARMING_S));
    ck_assert(farming_told(2, "\"tpu\"") || told_within(2, "\"tpu\"", 5 * FARMING_S));
    ck_assert(!farming_told(1, "job.waiting"));
}
END_TEST

START_TEST(a_busy_worker_is_no_missing_one)
{
    farming_welcome("w1", 11, 1);
    farming_plan(1, "a b", "ab");
    ck_assert(!told_within(1, "job.waiting", 10 * FARMING_S));
}
END_TEST

START_TEST(one_that_drains_is_missing)
{
    farming_welcome("w1", 11, 1);
    farming_plan(1, "a b", "ab");
    farming_drain("w1", true);
    ck_assert(told_within(1, "job.waiting", 5 * FARMING_S));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tell");
    TCase *tests = tcase_create("tell");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, a_missing_worker_is_told_once);
    tcase_add_test(tests, a_worker_that_comes_is_told);
    tcase_add_test(tests, a_short_absence_is_not_told);
    tcase_add_test(tests, who_joins_is_told_too);
    tcase_add_test(tests, a_busy_worker_is_no_missing_one);
    tcase_add_test(tests, one_that_drains_is_missing);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
