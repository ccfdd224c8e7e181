/* SPDX-License-Identifier: MIT */
/* pulse-daemon/farm/job: submitting, cancelling, and whose turn it is at the planner. */
#include "pulse-daemon/farm/job.h"

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

static enum lh_status submit(const struct pulse_job_row *row)
{
    farming_add(&(struct pulse_farm_event){.kind = PULSE_FARM_SUBMIT, .token = 77, .job = *row});
    farming_step();
    ck_assert_uint_eq(farming_action(PULSE_FARM_REPLY, 0)->token, 77);
    return farming_action(PULSE_FARM_REPLY, 0)->status;
}

START_TEST(rows_that_make_no_sense_are_refused)
{
    static const struct pulse_job_row rows[] = {
        {.id = 0, .tenant = 1},
        {.id = 1, .tenant = 0},
        {.id = 1, .tenant = 1, .priority = 101},
        {.id = 1, .tenant = 1, .priority = -101},
        {.id = 1, .tenant = 1, .state = PULSE_JOB_RUNNING},
        {.id = UINT64_C(1) << 56, .tenant = 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ck_assert_int_eq(submit(&rows[i]), LH_ERR_USAGE);
    }
    ck_assert_uint_eq(farming_store.jobs.count, 0);
    ck_assert_int_eq(submit(&(struct pulse_job_row){.id = 1, .tenant = 1, .priority = -100}), LH_OK);
    ck_assert_int_eq(submit(&(struct pulse_job_row){.id = 1, .tenant = 1}), LH_ERR_USAGE);
    ck_assert_int_eq(submit(&(struct pulse_job_row){.id = (UINT64_C(1) << 56) - 1, .tenant = 1, .priority = 100}),
                     LH_OK);
}
END_TEST

START_TEST(cancelling_frees_what_nobody_else_waits_for)
{
    farming_welcome("w1", 11, 3);
    farming_submit(1, 1, 0);
    farming_plan(1, "a b c d<abc", "d");
    farming_submit(2, 1, 0);
    farming_plan(2, "a e<a", "e");
    farming_cancel(1, 1);
    ck_assert_int_eq(farming_job(1), PULSE_JOB_CANCELLED);
    ck_assert_uint_eq(farming_actions(PULSE_FARM_WITHDRAW), 2);
    ck_assert_str_eq(farming_owner("a"), "w1");
    ck_assert_int_eq(farming_state("b"), PULSE_SHARD_CANCELLED);
    ck_assert_int_eq(farming_state("d"), PULSE_SHARD_CANCELLED);
    struct lh_digest key = farming_key(1, 'd');
    ck_assert_ptr_null(rowstore_output(&farming_store, 1, &key));
    farming_complete("a");
    ck_assert_str_eq(farming_owner("e"), "w1"); /* the room is there */
    farming_complete_as("b", "w1", 1, 1);
    ck_assert_int_eq(farming_action(PULSE_FARM_ACKNOWLEDGE, 0)->verdict, PULSE_FARM_STALE);
}
END_TEST

START_TEST(cancelling_is_answered)
{
    farming_submit(1, 1, 0);
    farming_cancel(1, 2); /* another's */
    ck_assert_int_eq(farming_action(PULSE_FARM_REPLY, 0)->status, LH_ERR_MISSING);
    farming_cancel(1, 1);
    ck_assert_int_eq(farming_action(PULSE_FARM_REPLY, 0)->status, LH_OK);
    farming_cancel(1, 1);
    ck_assert_int_eq(farming_action(PULSE_FARM_REPLY, 0)->status, LH_ERR_MISSING);
    farming_submit(2, 1, 0);
    struct pulse_farm_event cancel = {.kind = PULSE_FARM_CANCEL, .job = {.id = 2, .tenant = 1}};
    farming_add(&cancel);
    farming_add(&cancel);
    farming_step();
    ck_assert_int_eq(farming_action(PULSE_FARM_REPLY, 1)->status, LH_ERR_USAGE);
}
END_TEST

START_TEST(cancelling_frees_the_planner)
{
    farming_end();
    struct pulse_farm_options options = {.plans = 1};
    farming_begin(&options);
    farming_submit(1, 1, 0);
    farming_submit(2, 1, 0);
    ck_assert_int_eq(farming_job(2), PULSE_JOB_QUEUED);
    farming_cancel(1, 1);
    ck_assert_int_eq(farming_job(2), PULSE_JOB_PLANNING);
}
END_TEST

START_TEST(a_job_that_cannot_be_planned_fails)
{
    farming_submit(1, 1, 0);
    struct pulse_farm_event event = {.kind = PULSE_FARM_PLAN_FAILED,
                                     .job = {.id = 1},
                                     .text = "{\"message\":\"no such plugin\",\"where\":\"/tracks/3\"}"};
    farming_add(&event);
    farming_add(&event);
    farming_step();
    ck_assert_int_eq(farming_job(1), PULSE_JOB_FAILED);
    ck_assert_ptr_nonnull(strstr(rowstore_job(&farming_store, 1)->row.error, "no such plugin"));
    ck_assert_ptr_nonnull(strstr(rowstore_job(&farming_store, 1)->row.error, "/tracks/3"));
}
END_TEST

START_TEST(tenants_take_turns_at_the_planner)
{
    farming_end();
    struct pulse_farm_options options = {.plans = 2};
    farming_begin(&options);
    for (uint64_t job = 1; job <= 6; job++) {
        farming_submit(job, 1, 0);
    }
    farming_submit(7, 2, 0);
    ck_assert_int_eq(farming_job(2), PULSE_JOB_PLANNING);
    ck_assert_int_eq(farming_job(7), PULSE_JOB_QUEUED);
    farming_plan(1, "", "");
    ck_assert_int_eq(farming_job(7), PULSE_JOB_PLANNING); /* not the first one's third */
    ck_assert_int_eq(farming_job(3), PULSE_JOB_QUEUED);
}
END_TEST

START_TEST(the_more_urgent_is_planned_first_but_none_waits_for_ever)
{
    farming_end();
    struct pulse_farm_options options = {.plans = 1};
    farming_begin(&options);
    farming_submit(1, 1, 0);
    farming_submit(2, 1, 0);
    farming_submit(3, 1, 5);
    farming_plan(1, "", "");
    ck_assert_int_eq(farming_job(3), PULSE_JOB_PLANNING);
    farming_wait(51 * FARMING_S); /* as much as five priorities */
    farming_submit(4, 1, 5);
    farming_plan(3, "", "");
    ck_assert_int_eq(farming_job(2), PULSE_JOB_PLANNING);
    ck_assert_int_eq(farming_job(4), PULSE_JOB_QUEUED);
}
END_TEST

START_TEST(nothing_is_planned_while_too_much_is_under_way)
{
    farming_end();
    struct pulse_farm_options options = {.shards_most = 3};
    farming_begin(&options);
    farming_welcome("w1", 11, 1);
    farming_submit(1, 1, 0);
    farming_plan(1, "a b c", "abc");
    farming_submit(2, 1, 0);
    ck_assert_int_eq(farming_job(2), PULSE_JOB_QUEUED);
    farming_complete("a");
    ck_assert_int_eq(farming_job(2), PULSE_JOB_PLANNING);
}
END_TEST

START_TEST(the_planner_is_asked_again_after_a_restart)
{
    farming_submit(1, 1, 0);
    ck_assert_uint_eq(farming_restart(), 0);
    farming_step();
    ck_assert_uint_eq(farming_action(PULSE_FARM_PLAN, 0)->job, 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("job");
    TCase *tests = tcase_create("job");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, rows_that_make_no_sense_are_refused);
    tcase_add_test(tests, cancelling_frees_what_nobody_else_waits_for);
    tcase_add_test(tests, cancelling_is_answered);
    tcase_add_test(tests, cancelling_frees_the_planner);
    tcase_add_test(tests, a_job_that_cannot_be_planned_fails);
    tcase_add_test(tests, tenants_take_turns_at_the_planner);
    tcase_add_test(tests, the_more_urgent_is_planned_first_but_none_waits_for_ever);
    tcase_add_test(tests, nothing_is_planned_while_too_much_is_under_way);
    tcase_add_test(tests, the_planner_is_asked_again_after_a_restart);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
