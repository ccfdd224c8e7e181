/* SPDX-License-Identifier: MIT */
/* pulse-daemon/farm/farm: a job's whole way, time that jumps, and memory that runs out. */
#include "tests/pulse-daemon/farm/farming.h"

static void set_up(void)
{
    farming_begin(NULL);
}

static void tear_down(void)
{
    farming_end();
}

START_TEST(a_job_goes_its_way)
{
    farming_welcome("w1", 11, 2);
    farming_submit(1, 1, 0);
    ck_assert_int_eq(farming_job(1), PULSE_JOB_PLANNING);
    ck_assert_uint_eq(farming_action(PULSE_FARM_PLAN, 0)->job, 1);
    ck_assert_uint_eq(farming_action(PULSE_FARM_REPLY, 0)->token, 1);
    farming_plan(1, "a b c<ab", "c");
    ck_assert_int_eq(farming_job(1), PULSE_JOB_RUNNING);
    ck_assert_uint_eq(farming_actions(PULSE_FARM_ASSIGN), 2);
    ck_assert_int_eq(farming_state("c"), PULSE_SHARD_WAITING);
    farming_complete("a");
    ck_assert_int_eq(farming_action(PULSE_FARM_ACKNOWLEDGE, 0)->verdict, PULSE_FARM_COMMITTED);
    farming_complete("b");
    const struct pulse_farm_action *assign = farming_action(PULSE_FARM_ASSIGN, 0);
    ck_assert_uint_eq(assign->input_count, 2);
    ck_assert_uint_eq(assign->inputs[0].size, 100);
    ck_assert_uint_eq(assign->output_count, 1);
    farming_complete("c");
    ck_assert_int_eq(farming_job(1), PULSE_JOB_SUCCEEDED);
    struct pulse_farm_counts counts;
    pulse_farm_counts(farming_farm(), &counts);
    ck_assert_uint_eq(counts.jobs + counts.shards + counts.outputs + counts.needs + counts.tenants, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("farm");
    TCase *life = tcase_create("life");
    tcase_add_checked_fixture(life, set_up, tear_down);
    tcase_add_test(life, a_job_goes_its_way);
    suite_add_tcase(suite, life);
    return testing_main(suite);
}
