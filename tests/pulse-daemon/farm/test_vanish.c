/* SPDX-License-Identifier: MIT */
/* pulse-daemon/farm/vanish: what is gone is made again, and nothing else. */
#include "tests/pulse-daemon/farm/farming.h"

#define PLAN "a b c<ab d<c e<b"

static void set_up(void)
{
    farming_begin(NULL);
    farming_welcome("w1", 11, 4);
    farming_submit(1, 1, 0);
}

static void tear_down(void)
{
    farming_end();
}

START_TEST(only_what_is_gone_is_made_again)
{
    farming_plan(1, PLAN, "de");
    farming_complete("b");
    farming_complete("a");
    size_t before = farming_store.shards.count;
    ck_assert_str_eq(farming_owner("c"), "w1");
    farming_missing('a', 1, "c"); /* found by the worker: its attempt is given up */
    ck_assert_int_eq(farming_action(PULSE_FARM_ACKNOWLEDGE, 0)->verdict, PULSE_FARM_COMMITTED);
    ck_assert_int_eq(farming_job(1), PULSE_JOB_PLANNING);
    ck_assert(farming_told(1, "job.replanned"));
    ck_assert_uint_eq(farming_action(PULSE_FARM_PLAN, 0)->job, 1);
    ck_assert(!farming_present('a') && farming_present('b'));
    farming_plan(1, PLAN, "de");
    ck_assert_uint_eq(farming_store.shards.count, before + 3); /* a, c and d anew */
    farming_complete("e");
    farming_complete("a");
    farming_complete("c");
    farming_complete("d");
    ck_assert_int_eq(farming_job(1), PULSE_JOB_SUCCEEDED);
}
END_TEST

START_TEST(what_runs_goes_on)
{
    farming_welcome("w2", 12, 1);
    farming_plan(1, "a b:9000 c<ab", "c");
    farming_complete("a");
    farming_missing('a', 1, NULL);
    ck_assert_str_ne(farming_owner("b"), ""); /* nobody needs it just now, but the job will */
    ck_assert_uint_eq(farming_actions(PULSE_FARM_WITHDRAW), 0);
    farming_plan(1, "a b:9000 c<ab", "c");
    ck_assert_uint_eq(farming_shard("b")->row.attempt, 1);
    ck_assert_uint_eq(rowstore_job(&farming_store, 1)->want_count, 1);
    farming_complete("a");
    farming_complete("b");
    farming_complete("c");
    ck_assert_int_eq(farming_job(1), PULSE_JOB_SUCCEEDED);
}
END_TEST

START_TEST(who_has_its_input_open_may_finish)
{
    farming_plan(1, "a b<a", "b");
    farming_complete("a");
    ck_assert_str_eq(farming_owner("b"), "w1");
    farming_missing('a', 1, NULL);
    ck_assert_int_eq(farming_job(1), PULSE_JOB_RUNNING);
    farming_complete("b");
    ck_assert_int_eq(farming_job(1), PULSE_JOB_SUCCEEDED);
}
END_TEST

START_TEST(who_is_lost_cannot_begin_again)
{
    farming_plan(1, "a b<a", "b");
    farming_complete("a");
    farming_missing('a', 1, NULL);
    farming_lose("b");
    ck_assert_int_eq(farming_job(1), PULSE_JOB_PLANNING);
    ck_assert_int_eq(farming_state("b"), PULSE_SHARD_CANCELLED);
    farming_plan(1, "a b<a", "b");
    farming_complete("a");
    farming_complete("b");
    ck_assert_int_eq(farming_job(1), PULSE_JOB_SUCCEEDED);
}
END_TEST

START_TEST(what_was_wanted_is_wanted_again)
{
    farming_plan(1, "a b", "ab");
    farming_complete("a");
    farming_missing('a', 1, NULL);
    ck_assert_int_eq(farming_job(1), PULSE_JOB_PLANNING);
    farming_complete("b");
    farming_plan(1, "a b", "ab");
    farming_complete("a");
    ck_assert_int_eq(farming_job(1), PULSE_JOB_SUCCEEDED);
}
END_TEST

START_TEST(facts_that_are_gone_are_asked_for_again)
{
    farming_plan_again(1, "f g", "fg");
    farming_complete("f");
    farming_missing('f', 1, NULL);
    ck_assert_uint_eq(farming_action(PULSE_FARM_PLAN, 0)->job, 1);
    farming_plan_again(1, "f g", "fg");
    farming_complete("g");
    farming_complete("f");
    ck_assert_uint_eq(farming_action(PULSE_FARM_PLAN, 0)->job, 1);
}
END_TEST

START_TEST(what_nobody_holds_loses_its_row)
{
    farming_plan(1, "a", "a");
    farming_complete("a");
    ck_assert(farming_present('a'));
    farming_missing('a', 1, NULL);
    ck_assert(!farming_present('a'));
    farming_missing('x', 7, NULL);
    ck_assert_uint_eq(farming_changes(PULSE_CHANGE_ABSENT), 1);
    struct pulse_farm_counts counts;
    pulse_farm_counts(farming_farm(), &counts);
    ck_assert_uint_eq(counts.outputs + counts.tenants, 0);
}
END_TEST

START_TEST(all_jobs_that_wait_are_planned_again)
{
    farming_plan(1, "a b c<ab", "c");
    farming_submit(2, 1, 0);
    farming_plan(2, "a b d<ab", "d");
    farming_submit(3, 1, 0);
    farming_plan(3, "b", "b");
    farming_complete("a");
    farming_missing('a', 1, NULL);
    ck_assert_int_eq(farming_job(1), PULSE_JOB_PLANNING);
    ck_assert_int_eq(farming_job(2), PULSE_JOB_PLANNING);
    ck_assert_int_eq(farming_job(3), PULSE_JOB_RUNNING);
    farming_plan(2, "a b d<ab", "d");
    farming_plan(1, "a b c<ab", "c");
    farming_complete("b");
    farming_complete("a");
    farming_complete("d");
    farming_complete("c");
    ck_assert_int_eq(farming_job(1), PULSE_JOB_SUCCEEDED);
    ck_assert_int_eq(farming_job(2), PULSE_JOB_SUCCEEDED);
}
END_TEST

START_TEST(too_often_is_a_failure)
{
    farming_plan(1, "a b", "ab");
    int rounds = 0;
    while (farming_job(1) != PULSE_JOB_FAILED && rounds < 100) {
        farming_complete("a");
        farming_missing('a', 1, NULL);
        if (farming_job(1) == PULSE_JOB_PLANNING) {
            farming_plan(1, "a b", "ab");
        }
        rounds++;
    }
    ck_assert_int_eq(rounds, 17);
    ck_assert(farming_told(1, "keeps vanishing"));
}
END_TEST

/* The planner finds them and cannot read them, each time anew. */
START_TEST(facts_that_cannot_be_read_end_the_job)
{
    farming_plan_again(1, "f g", "fg");
    int rounds = 0;
    while (farming_job(1) == PULSE_JOB_PLANNING && rounds < 100) {
        farming_complete("f");
        farming_complete("g");
        ck_assert_uint_eq(farming_action(PULSE_FARM_PLAN, 0)->job, 1);
        farming_missing('f', 1, NULL);
        rounds++;
        if (farming_job(1) == PULSE_JOB_PLANNING) {
            farming_missing('g', 1, NULL); /* of the same round */
            farming_plan_again(1, "f g", "fg");
        }
    }
    ck_assert(farming_told(1, "cannot be read"));
    ck_assert_int_eq(farming_job(1), PULSE_JOB_FAILED);
    ck_assert_int_eq(rounds, 17);
    farming_plan_again(1, "f g", "fg"); /* what the planner had in hand comes too late */
    ck_assert_uint_eq(farming_store.shards.count, 34);
}
END_TEST

START_TEST(gone_and_promised_in_one_step_is_told_as_both)
{
    farming_plan(1, "a b<a", "b");
    farming_complete("a");
    farming_drain("w1", true);
    farming_return("b");
    farming_missing('a', 1, NULL);
    farming_submit(2, 1, 0);
    struct lh_digest key = farming_key(1, 'a');
    ck_assert_ptr_null(rowstore_output(&farming_store, 1, &key));
    farming_plan(2, "a", "a");
    ck_assert_ptr_nonnull(rowstore_output(&farming_store, 1, &key));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("vanish");
    TCase *tests = tcase_create("vanish");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, only_what_is_gone_is_made_again);
    tcase_add_test(tests, what_runs_goes_on);
    tcase_add_test(tests, who_has_its_input_open_may_finish);
    tcase_add_test(tests, who_is_lost_cannot_begin_again);
    tcase_add_test(tests, what_was_wanted_is_wanted_again);
    tcase_add_test(tests, facts_that_are_gone_are_asked_for_again);
    tcase_add_test(tests, what_nobody_holds_loses_its_row);
    tcase_add_test(tests, all_jobs_that_wait_are_planned_again);
    tcase_add_test(tests, too_often_is_a_failure);
    tcase_add_test(tests, facts_that_cannot_be_read_end_the_job);
    tcase_add_test(tests, gone_and_promised_in_one_step_is_told_as_both);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
