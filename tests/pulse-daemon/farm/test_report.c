/* SPDX-License-Identifier: MIT */
/* pulse-daemon/farm/report: only the current attempt counts, and the first bytes of a key are kept. */
#include "pulse-daemon/farm/report.h"

#include <string.h>

#include "tests/pulse-daemon/farm/farming.h"

static void set_up(void)
{
    farming_begin(NULL);
    farming_welcome("w1", 11, 1);
    farming_submit(1, 1, 0);
}

static void tear_down(void)
{
    farming_end();
}

static enum pulse_farm_verdict verdict(void)
{
    ck_assert_uint_eq(farming_actions(PULSE_FARM_ACKNOWLEDGE), 1);
    return farming_action(PULSE_FARM_ACKNOWLEDGE, 0)->verdict;
}

/* a is w2's, after w1 lost it. */
static void hand_over(const char *plan, const char *wants)
{
    farming_plan(1, plan, wants);
    farming_welcome("w2", 12, 1);
    farming_gone("w1", 11);
    ck_assert_str_eq(farming_owner(wants), "w2");
    ck_assert_uint_eq(farming_shard(wants)->row.attempt, 2);
}

START_TEST(an_old_attempt_is_refused)
{
    hand_over("a", "a");
    farming_complete_as("a", "w1", 1, 1);
    ck_assert_int_eq(verdict(), PULSE_FARM_STALE);
    farming_complete_as("a", "w1", 2, 1); /* the right number by the wrong worker */
    ck_assert_int_eq(verdict(), PULSE_FARM_STALE);
    farming_complete_as("a", "w2", 1, 1);
    ck_assert_int_eq(verdict(), PULSE_FARM_STALE);
    ck_assert_int_eq(farming_job(1), PULSE_JOB_RUNNING);
    ck_assert(!farming_present('a'));
    farming_complete("a");
    ck_assert_int_eq(verdict(), PULSE_FARM_COMMITTED);
    ck_assert_int_eq(farming_job(1), PULSE_JOB_SUCCEEDED);
}
END_TEST

START_TEST(a_late_result_may_be_identical)
{
    hand_over("a", "a");
    farming_complete("a");
    farming_complete_as("a", "w1", 1, 1);
    ck_assert_int_eq(verdict(), PULSE_FARM_IDENTICAL);
    ck_assert_uint_eq(farming_changes(PULSE_CHANGE_OUTPUT), 0);
    farming_complete_as("a", "w2", 2, 1); /* the same once more: the answer was lost */
    ck_assert_int_eq(verdict(), PULSE_FARM_IDENTICAL);
    ck_assert_uint_eq(farming_store.alarms, 0);
}
END_TEST

START_TEST(other_bytes_raise_an_alarm_and_the_first_are_kept)
{
    hand_over("a", "a");
    farming_complete("a");
    farming_complete_as("a", "w1", 1, 9);
    ck_assert_int_eq(verdict(), PULSE_FARM_DIFFERENT);
    ck_assert(farming_told(0, "alarm.digests") && farming_told(0, "\"w1\""));
    struct lh_digest key = farming_key(1, 'a');
    ck_assert_uint_eq(rowstore_output(&farming_store, 1, &key)->digest.bytes[LH_DIGEST_SIZE - 1], 1);
}
END_TEST

START_TEST(what_may_differ_raises_none)
{
    hand_over("A", "A");
    farming_complete("A");
    farming_complete_as("A", "w1", 1, 9);
    ck_assert_int_eq(verdict(), PULSE_FARM_STALE);
    ck_assert_uint_eq(farming_store.alarms, 0);
}
END_TEST

START_TEST(two_makings_of_one_key_are_compared)
{
    farming_welcome("w2", 12, 4);
    farming_plan(1, "a:10", "a");
    farming_submit(2, 1, 0);
    farming_plan(2, "ab", "b");
    farming_complete_as("a", "w2", 1, 3); /* the latest that makes a: of the second job, and first done */
    ck_assert_int_eq(farming_job(2), PULSE_JOB_SUCCEEDED);
    ck_assert_int_eq(farming_job(1), PULSE_JOB_SUCCEEDED);
    farming_submit(3, 1, 0);
    farming_plan(3, "ac", "c"); /* makes a again to have c */
    farming_complete("c");
    ck_assert_int_eq(verdict(), PULSE_FARM_COMMITTED);
    ck_assert(farming_told(0, "alarm.digests"));
    ck_assert_int_eq(farming_job(3), PULSE_JOB_SUCCEEDED);
}
END_TEST

START_TEST(results_must_be_those_asked_for)
{
    farming_plan(1, "ab", "ab");
    struct lh_digest keys[] = {farming_key(1, 'b'), farming_key(1, 'a'), farming_key(1, 'x')};
    struct pulse_farm_result results[3] = {{.key = keys[0]}, {.key = keys[1]}, {.key = keys[2]}};
    struct pulse_farm_event event = {.kind = PULSE_FARM_COMPLETE,
                                     .worker = "w1",
                                     .shard = 1,
                                     .attempt = 1,
                                     .tenant = 1,
                                     .results = results,
                                     .result_count = 2};
    farming_add(&event);
    farming_step();
    ck_assert_int_eq(verdict(), PULSE_FARM_MALFORMED);
    ck_assert_uint_eq(farming_shard("a")->row.failures, 1);
    ck_assert(!farming_present('a') && !farming_present('b'));
    event.attempt = 2;
    event.result_count = 1;
    event.results = &results[1];
    farming_add(&event);
    farming_step();
    ck_assert_int_eq(verdict(), PULSE_FARM_MALFORMED);
    ck_assert_int_eq(farming_job(1), PULSE_JOB_FAILED);
}
END_TEST

START_TEST(old_mishaps_are_acknowledged_and_forgotten)
{
    hand_over("a", "a");
    static const enum pulse_farm_event_kind kinds[] = {PULSE_FARM_FAILED, PULSE_FARM_LOST, PULSE_FARM_RETURNED};
    for (size_t i = 0; i < 3; i++) {
        farming_add(&(struct pulse_farm_event){.kind = kinds[i], .worker = "w1", .shard = 1, .attempt = 1});
        farming_step();
        ck_assert_int_eq(verdict(), PULSE_FARM_STALE);
    }
    ck_assert_str_eq(farming_owner("a"), "w2");
    ck_assert_uint_eq(farming_shard("a")->row.losses, 1);
    ck_assert_uint_eq(farming_shard("a")->row.failures, 0);
}
END_TEST

START_TEST(a_word_of_nobody_is_answered)
{
    farming_add(&(struct pulse_farm_event){.kind = PULSE_FARM_COMPLETE, .worker = "w77", .shard = 9, .attempt = 1});
    farming_step();
    ck_assert_int_eq(verdict(), PULSE_FARM_STALE);
    struct pulse_farm_counts counts;
    pulse_farm_counts(farming_farm(), &counts);
    ck_assert_uint_eq(counts.workers, 1); /* nobody is remembered for it */
    ck_assert_uint_eq(counts.refused, 1);
}
END_TEST

START_TEST(what_is_returned_costs_nothing)
{
    farming_plan(1, "a", "a");
    farming_return("a");
    ck_assert_int_eq(verdict(), PULSE_FARM_COMMITTED);
    ck_assert_int_eq(farming_state("a"), PULSE_SHARD_READY); /* until the worker grants credits again */
    farming_add(&(struct pulse_farm_event){.kind = PULSE_FARM_CREDITS, .worker = "w1", .session = 11, .credits = 1});
    farming_step();
    ck_assert_str_eq(farming_owner("a"), "w1");
    ck_assert_uint_eq(farming_shard("a")->row.losses + farming_shard("a")->row.failures, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("report");
    TCase *tests = tcase_create("report");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, an_old_attempt_is_refused);
    tcase_add_test(tests, a_late_result_may_be_identical);
    tcase_add_test(tests, other_bytes_raise_an_alarm_and_the_first_are_kept);
    tcase_add_test(tests, what_may_differ_raises_none);
    tcase_add_test(tests, two_makings_of_one_key_are_compared);
    tcase_add_test(tests, results_must_be_those_asked_for);
    tcase_add_test(tests, old_mishaps_are_acknowledged_and_forgotten);
    tcase_add_test(tests, a_word_of_nobody_is_answered);
    tcase_add_test(tests, what_is_returned_costs_nothing);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
