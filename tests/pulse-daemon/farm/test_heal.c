/* SPDX-License-Identifier: MIT */
/* pulse-daemon/farm/heal: a store that does not fit together becomes one that does. */
#include <string.h>

#include "tests/pulse-daemon/farm/farming.h"

static void set_up(void)
{
    farming_begin(NULL);
    farming_welcome("w1", 11, 1);
    farming_submit(1, 1, 0);
    farming_plan(1, "a b c<ab d<c", "d");
}

static void tear_down(void)
{
    farming_end();
}

/* Rows as somebody else may have left them. */
static struct rowstore_shard *shard(const char *name)
{
    for (size_t i = 0; i < farming_store.shards.count; i++) {
        struct rowstore_shard *found = farming_store.shards.items[i];
        if (found == farming_shard(name)) {
            return found;
        }
    }
    return NULL;
}

static struct rowstore_output *output(char letter)
{
    struct lh_digest key = farming_key(1, letter);
    for (size_t i = 0; i < farming_store.outputs.count; i++) {
        struct rowstore_output *found = farming_store.outputs.items[i];
        if (lh_digest_equal(&found->row.key, &key)) {
            return found;
        }
    }
    return NULL;
}

static void finish(void)
{
    farming_welcome("w1", 12, 8);
    for (int i = 0; i < 50 && farming_job(1) != PULSE_JOB_SUCCEEDED; i++) {
        farming_wait(FARMING_S);
        if (farming_job(1) == PULSE_JOB_PLANNING) {
            farming_plan(1, "a b c<ab d<c", "d");
        }
        for (size_t k = 0; k < 4; k++) {
            const char name[] = {(char)('a' + k), '\0'};
            if (farming_owner(name)[0] != '\0') {
                farming_complete(name);
            }
        }
    }
    ck_assert_int_eq(farming_job(1), PULSE_JOB_SUCCEEDED);
}

START_TEST(what_is_whole_is_left_alone)
{
    ck_assert_uint_eq(farming_restart(), 0);
    farming_step();
    ck_assert_uint_eq(farming_changes(PULSE_CHANGE_SHARD), 0);
    ck_assert_uint_eq(farming_changes(PULSE_CHANGE_OUTPUT), 0);
    ck_assert_uint_eq(farming_changes(PULSE_CHANGE_JOB), 0);
    finish();
}
END_TEST

/* Whose input has vanished while it runs may be the only one that waits for the shard that makes it again. */
START_TEST(what_runs_may_wait_for_what_came_later)
{
    farming_complete("a");
    farming_complete("b");
    ck_assert_str_eq(farming_owner("c"), "w1");
    farming_submit(2, 1, 0);
    farming_missing('a', 1, NULL);
    farming_plan(2, "a", "a");
    ck_assert_int_eq(farming_state("a"), PULSE_SHARD_READY);
    farming_cancel(2, 1);
    ck_assert_int_eq(farming_state("a"), PULSE_SHARD_READY);
    ck_assert_uint_eq(farming_restart(), 0);
    farming_step();
    ck_assert_int_eq(farming_state("a"), PULSE_SHARD_READY);
    finish();
}
END_TEST

START_TEST(a_promise_of_nobody)
{
    shard("b")->row.state = PULSE_SHARD_CANCELLED;
    shard("b")->row.owner[0] = '\0';
    ck_assert_uint_gt(farming_restart(), 0);
    farming_step();
    ck_assert_int_eq(farming_job(1), PULSE_JOB_PLANNING);
    ck_assert(!output('b')->there);
    ck_assert_str_eq(farming_owner("a"), "w1"); /* it goes on */
    finish();
}
END_TEST

START_TEST(an_input_of_nobody)
{
    farming_complete("a");
    output('a')->there = false;
    ck_assert_uint_gt(farming_restart(), 0);
    farming_step();
    ck_assert_int_eq(farming_job(1), PULSE_JOB_PLANNING);
    finish();
}
END_TEST

START_TEST(a_shard_for_nobody)
{
    struct rowstore_job *job = farming_store.jobs.items[0];
    job->row.state = PULSE_JOB_CANCELLED;
    ck_assert_uint_eq(farming_restart(), 4);
    farming_step();
    ck_assert_int_eq(farming_state("a"), PULSE_SHARD_CANCELLED);
    ck_assert_int_eq(farming_state("d"), PULSE_SHARD_CANCELLED);
    ck_assert(!output('d')->there);
}
END_TEST

START_TEST(a_state_that_does_not_fit)
{
    shard("c")->row.state = PULSE_SHARD_READY;
    ck_assert_uint_eq(farming_restart(), 1);
    farming_step();
    ck_assert_int_eq(farming_state("c"), PULSE_SHARD_WAITING);
    finish();
}
END_TEST

START_TEST(a_job_that_waits_for_nothing)
{
    struct rowstore_job *job = farming_store.jobs.items[0];
    job->want_count = 0;
    ck_assert_uint_gt(farming_restart(), 0);
    farming_step();
    ck_assert_int_eq(farming_job(1), PULSE_JOB_PLANNING);
    finish();
}
END_TEST

START_TEST(a_job_whose_end_was_not_told)
{
    farming_complete("a");
    farming_complete("b");
    farming_complete("c");
    shard("d")->row.state = PULSE_SHARD_DONE;
    shard("d")->row.owner[0] = '\0';
    output('d')->row.state = PULSE_OUTPUT_PRESENT;
    ck_assert_uint_eq(farming_restart(), 1);
    farming_step();
    ck_assert_int_eq(farming_job(1), PULSE_JOB_PLANNING);
    farming_plan(1, "a b c<ab d<c", "d");
    ck_assert_int_eq(farming_job(1), PULSE_JOB_SUCCEEDED);
}
END_TEST

START_TEST(a_row_without_edges)
{
    struct lh_error error = LH_ERROR_INIT;
    struct pulse_farm *farm = NULL;
    size_t healed = 0;
    ck_assert_int_eq(pulse_farm_new(NULL, &farm), LH_OK);
    struct pulse_change needs = {.kind = PULSE_CHANGE_NEEDS, .needs = {.engine = "x", .cpu_class = ""}};
    struct pulse_change row = {.kind = PULSE_CHANGE_SHARD, .shard = {.id = 3, .tenant = 1}};
    ck_assert_int_eq(pulse_farm_load(farm, &needs, &error), LH_OK);
    ck_assert_int_eq(pulse_farm_load(farm, &row, &error), LH_OK);
    ck_assert_int_eq(pulse_farm_load_end(farm, 3, 1, &healed), LH_OK);
    ck_assert_uint_eq(healed, 1);
    ck_assert_int_eq(pulse_farm_check(farm, &error), LH_OK);
    pulse_farm_free(farm);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("heal");
    TCase *tests = tcase_create("heal");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, what_is_whole_is_left_alone);
    tcase_add_test(tests, what_runs_may_wait_for_what_came_later);
    tcase_add_test(tests, a_promise_of_nobody);
    tcase_add_test(tests, an_input_of_nobody);
    tcase_add_test(tests, a_shard_for_nobody);
    tcase_add_test(tests, a_state_that_does_not_fit);
    tcase_add_test(tests, a_job_that_waits_for_nothing);
    tcase_add_test(tests, a_job_whose_end_was_not_told);
    tcase_add_test(tests, a_row_without_edges);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
