/* SPDX-License-Identifier: MIT */
/* pulse-daemon/farm/crew: who gets work, and who gets none for a while. */
#include "pulse-daemon/farm/crew.h"

#include <string.h>

#include "tests/pulse-daemon/farm/farming.h"

static void set_up(void)
{
    farming_begin(NULL);
}

static void tear_down(void)
{
    farming_end();
}

static bool is_quarantined(const char *name)
{
    struct pulse_farm_worker_view view;
    for (size_t i = 0; pulse_farm_worker_view(farming_farm(), i, &view); i++) {
        if (strcmp(view.name, name) == 0) {
            return view.quarantined;
        }
    }
    ck_abort_msg("no worker %s", name);
    return false;
}

/* One shard fails on w1 and then succeeds on w2. */
static void stumble(uint64_t job, const char *shard)
{
    farming_drain("w2", true);
    farming_submit(job, 1, 0);
    farming_plan(job, shard, shard);
    ck_assert_str_eq(farming_owner(shard), "w1");
    farming_drain("w2", false);
    farming_fail(shard, "x");
    ck_assert_str_eq(farming_owner(shard), "w2");
    farming_complete(shard);
}

START_TEST(work_is_spread)
{
    farming_welcome("w1", 11, 4);
    farming_welcome("w2", 12, 2);
    farming_welcome("w3", 13, 4);
    farming_submit(1, 1, 0);
    farming_plan(1, "a b c d e", "abcde");
    struct pulse_farm_worker_view view;
    for (size_t i = 0; pulse_farm_worker_view(farming_farm(), i, &view); i++) {
        ck_assert_uint_eq(view.held, strcmp(view.name, "w2") == 0 ? 1 : 2);
    }
}
END_TEST

START_TEST(slots_are_filled_before_anything_waits)
{
    struct pulse_farm_event welcome = {.kind = PULSE_FARM_WELCOME,
                                       .worker = "w1",
                                       .session = 11,
                                       .slots = 1,
                                       .credits = 3,
                                       .traits = {.engine = FARMING_ENGINE}};
    farming_add(&welcome);
    welcome.worker = "w2";
    farming_add(&welcome);
    farming_step();
    farming_submit(1, 1, 0);
    farming_plan(1, "a b", "ab");
    ck_assert_str_ne(farming_owner("a"), farming_owner("b"));
    farming_submit(2, 1, 0);
    farming_plan(2, "c d e f g", "cdefg");
    struct pulse_farm_counts counts;
    pulse_farm_counts(farming_farm(), &counts);
    ck_assert_uint_eq(counts.claimed, 6);
}
END_TEST

START_TEST(three_that_succeed_elsewhere_are_quarantine)
{
    farming_welcome("w1", 11, 1);
    farming_welcome("w2", 12, 1);
    stumble(1, "a");
    stumble(2, "b");
    ck_assert(!is_quarantined("w1"));
    stumble(3, "c");
    ck_assert(is_quarantined("w1"));
    ck_assert(farming_told(0, "alarm.quarantine") && farming_told(0, "\"w1\""));
    farming_submit(4, 1, 0);
    farming_plan(4, "d e", "de");
    ck_assert_str_eq(farming_owner("d"), "w2");
    ck_assert_str_eq(farming_owner("e"), "");
    farming_gone("w2", 12);
    ck_assert_uint_eq(farming_actions(PULSE_FARM_ASSIGN), 0);
    farming_welcome("w1", 14, 1); /* to start anew does not help */
    ck_assert_uint_eq(farming_actions(PULSE_FARM_ASSIGN), 0);
    farming_wait(601 * FARMING_S);
    farming_beat("w1", 14);
    ck_assert(!is_quarantined("w1"));
    ck_assert_str_eq(farming_owner("d"), "w1");
}
END_TEST

START_TEST(what_fails_everywhere_is_not_the_workers_fault)
{
    farming_welcome("w1", 11, 1);
    farming_welcome("w2", 12, 1);
    for (uint64_t job = 1; job <= 5; job++) {
        farming_submit(job, 1, 0);
        farming_plan(job, "a", "a");
        farming_fail("a", "x");
        farming_fail("a", "x");
        ck_assert_int_eq(farming_job(job), PULSE_JOB_FAILED);
    }
    ck_assert(!is_quarantined("w1") && !is_quarantined("w2"));
}
END_TEST

START_TEST(old_faults_are_forgotten)
{
    farming_welcome("w1", 11, 1);
    farming_welcome("w2", 12, 1);
    stumble(1, "a");
    stumble(2, "b");
    farming_wait(601 * FARMING_S);
    farming_beat("w1", 11);
    farming_beat("w2", 12);
    stumble(3, "c");
    ck_assert(!is_quarantined("w1"));
}
END_TEST

START_TEST(who_is_gone_for_long_is_forgotten)
{
    farming_welcome("w1", 11, 1);
    farming_gone("w1", 11);
    struct pulse_farm_counts counts;
    farming_wait(3500 * FARMING_S);
    pulse_farm_counts(farming_farm(), &counts);
    ck_assert_uint_eq(counts.workers, 1);
    farming_wait(200 * FARMING_S);
    pulse_farm_counts(farming_farm(), &counts);
    ck_assert_uint_eq(counts.workers, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("crew");
    TCase *tests = tcase_create("crew");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, work_is_spread);
    tcase_add_test(tests, slots_are_filled_before_anything_waits);
    tcase_add_test(tests, three_that_succeed_elsewhere_are_quarantine);
    tcase_add_test(tests, what_fails_everywhere_is_not_the_workers_fault);
    tcase_add_test(tests, old_faults_are_forgotten);
    tcase_add_test(tests, who_is_gone_for_long_is_forgotten);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
