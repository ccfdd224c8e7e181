/* SPDX-License-Identifier: MIT */
/* pulse-daemon/farm/admit: of a plan only what is neither there nor promised is taken. */
#include "pulse-daemon/farm/admit.h"

#include "tests/pulse-daemon/farm/farming.h"

static void set_up(void)
{
    farming_begin(NULL);
    farming_welcome("w1", 11, 8);
    farming_submit(1, 1, 0);
}

static void tear_down(void)
{
    farming_end();
}

START_TEST(only_what_is_wanted_is_made)
{
    farming_plan(1, "a b c<a d<b e<cd", "c");
    ck_assert_uint_eq(farming_store.shards.count, 2);
    ck_assert_uint_eq(farming_changes(PULSE_CHANGE_SPEC), 2);
    ck_assert_uint_eq(farming_changes(PULSE_CHANGE_NEEDS), 1);
    ck_assert_uint_eq(farming_changes(PULSE_CHANGE_WANT), 1);
    ck_assert_uint_eq(farming_changes(PULSE_CHANGE_OUTPUT), 2);
}
END_TEST

START_TEST(what_is_promised_is_shared)
{
    farming_plan(1, "a b<a", "b");
    farming_submit(2, 1, 0);
    farming_plan(2, "a c<a", "c");
    ck_assert_uint_eq(farming_store.shards.count, 3);
    farming_complete("a");
    ck_assert_uint_eq(farming_actions(PULSE_FARM_ASSIGN), 2);
    farming_submit(3, 1, 0);
    farming_plan(3, "a c<a", "c");
    ck_assert_uint_eq(farming_store.shards.count, 3);
    farming_complete("c");
    ck_assert_int_eq(farming_job(2), PULSE_JOB_SUCCEEDED);
    ck_assert_int_eq(farming_job(3), PULSE_JOB_SUCCEEDED);
    ck_assert_int_eq(farming_job(1), PULSE_JOB_RUNNING);
}
END_TEST

START_TEST(what_is_present_is_not_made_again)
{
    farming_plan(1, "a b<a", "b");
    farming_complete("a");
    farming_complete("b");
    farming_submit(2, 1, 0);
    farming_plan(2, "a b<a", "b"); /* the store is asked: the farm has forgotten */
    ck_assert_int_eq(farming_job(2), PULSE_JOB_SUCCEEDED);
    ck_assert_uint_eq(farming_store.shards.count, 2);
    farming_submit(3, 1, 0);
    farming_plan(3, "a b<a c<ab", "c");
    ck_assert_uint_eq(farming_store.shards.count, 3);
    ck_assert_uint_eq(farming_action(PULSE_FARM_ASSIGN, 0)->input_count, 2);
}
END_TEST

START_TEST(tenants_share_nothing)
{
    farming_plan(1, "a", "a");
    farming_submit(2, 2, 0);
    farming_plan(2, "a", "a");
    ck_assert_uint_eq(farming_store.shards.count, 2);
}
END_TEST

START_TEST(another_cut_meets_at_the_same_keys)
{
    farming_plan(1, "ab c<ab", "c"); /* one shard makes both */
    farming_submit(2, 1, 0);
    farming_plan(2, "a b d<a e<d", "e");
    ck_assert_uint_eq(farming_store.shards.count, 4);
    farming_submit(3, 1, 0);
    farming_plan(3, "bf", "f"); /* makes b as well, which another has promised */
    farming_complete("f");
    ck_assert(farming_present('b'));
    farming_complete("a"); /* its b is compared: the same */
    ck_assert_uint_eq(farming_changes(PULSE_CHANGE_ALARM), 0);
    ck_assert_int_eq(farming_state("a"), PULSE_SHARD_DONE);
}
END_TEST

START_TEST(a_promise_that_another_keeps_first_frees_who_gave_it)
{
    farming_plan(1, "a:9000", "a");
    farming_submit(2, 1, 0);
    farming_plan(2, "ab", "b");
    uint64_t first = 1;
    ck_assert_int_eq(rowstore_shard(&farming_store, first)->row.state, PULSE_SHARD_CLAIMED);
    farming_complete("b");
    ck_assert_int_eq(farming_job(1), PULSE_JOB_SUCCEEDED);
    ck_assert_int_eq(farming_job(2), PULSE_JOB_SUCCEEDED);
    ck_assert_int_eq(rowstore_shard(&farming_store, first)->row.state, PULSE_SHARD_CANCELLED);
    ck_assert_uint_eq(farming_action(PULSE_FARM_WITHDRAW, 0)->shard, first);
}
END_TEST

START_TEST(facts_come_before_the_plan)
{
    farming_plan_again(1, "f", "f");
    ck_assert_int_eq(farming_job(1), PULSE_JOB_PLANNING);
    farming_complete("f");
    ck_assert_uint_eq(farming_action(PULSE_FARM_PLAN, 0)->job, 1);
    farming_plan(1, "a", "a");
    ck_assert_uint_eq(farming_changes(PULSE_CHANGE_UNWANT), 1); /* facts are nothing that a job makes */
    ck_assert_int_eq(farming_job(1), PULSE_JOB_RUNNING);
    ck_assert_uint_eq(rowstore_job(&farming_store, 1)->want_count, 1);
}
END_TEST

START_TEST(who_asks_for_ever_is_stopped)
{
    farming_plan_again(1, "f", "f");
    farming_complete("f");
    int rounds = 0;
    while (farming_job(1) == PULSE_JOB_PLANNING && rounds < 100) {
        farming_plan_again(1, "f", "f");
        rounds++;
    }
    ck_assert_int_eq(farming_job(1), PULSE_JOB_FAILED);
    ck_assert_int_lt(rounds, 20);
}
END_TEST

START_TEST(plans_that_cannot_be_fail_the_job)
{
    static const char *const plans[] = {
        "b<a",         /* nobody makes a */
        "b<a a",       /* a is made too late */
        "b<b",         /* needs itself */
        "bb",          /* makes it twice */
        "c<a a<b b<c", /* a circle */
    };
    for (size_t i = 0; i < sizeof plans / sizeof plans[0]; i++) {
        farming_submit(i + 2, 1, 0);
        farming_plan(i + 2, plans[i], i == 4 ? "c" : "b");
        ck_assert_int_eq(farming_job(i + 2), PULSE_JOB_FAILED);
        ck_assert(farming_told(i + 2, "\"message\""));
    }
    ck_assert_uint_eq(farming_store.shards.count, 0);
}
END_TEST

START_TEST(a_plan_without_outputs_is_refused)
{
    struct pulse_farm_shard shard = {.cost_ms = 1};
    struct pulse_farm_event event = {.kind = PULSE_FARM_PLANNED,
                                     .plan = {.job = 1, .shards = &shard, .shard_count = 1}};
    farming_add(&event);
    farming_step();
    ck_assert_int_eq(farming_job(1), PULSE_JOB_FAILED);
}
END_TEST

START_TEST(a_plan_for_nobody_is_ignored)
{
    farming_cancel(1, 1);
    farming_plan(1, "a", "a");
    ck_assert_uint_eq(farming_store.shards.count, 0);
    farming_submit(2, 1, 0);
    farming_plan(2, "a", "a");
    farming_plan(2, "b", "b"); /* a copy that comes late */
    ck_assert_uint_eq(farming_store.shards.count, 1);
}
END_TEST

START_TEST(a_job_that_wants_nothing_has_it)
{
    farming_plan(1, "a", "");
    ck_assert_int_eq(farming_job(1), PULSE_JOB_SUCCEEDED);
    ck_assert_uint_eq(farming_store.shards.count, 0);
}
END_TEST

START_TEST(what_comes_and_goes_in_one_step_is_not_told)
{
    struct lh_digest key = farming_key(1, 'a');
    struct pulse_farm_promise output = {.key = key, .kind = PULSE_OUTPUT_STORED};
    struct pulse_needs_row needs = {.engine = FARMING_ENGINE, .cpu_class = ""};
    struct pulse_farm_shard shard = {.needs = &needs, .outputs = &output, .output_count = 1};
    farming_add(&(struct pulse_farm_event){
        .kind = PULSE_FARM_PLANNED,
        .plan = {.job = 1, .shards = &shard, .shard_count = 1, .wants = &key, .want_count = 1}});
    farming_add(&(struct pulse_farm_event){.kind = PULSE_FARM_CANCEL, .job = {.id = 1, .tenant = 1}});
    farming_step();
    ck_assert_uint_eq(farming_store.shards.count, 0);
    ck_assert_uint_eq(farming_changes(PULSE_CHANGE_SPEC), 0);
    ck_assert_int_eq(farming_job(1), PULSE_JOB_CANCELLED);
}
END_TEST

START_TEST(too_large_a_plan_is_refused)
{
    farming_end();
    struct pulse_farm_options options = {.shards_most = 2};
    farming_begin(&options);
    farming_submit(1, 1, 0);
    farming_plan(1, "a b c", "a");
    ck_assert_int_eq(farming_job(1), PULSE_JOB_FAILED);
    ck_assert(farming_told(1, "more than one job may have"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("admit");
    TCase *tests = tcase_create("admit");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, only_what_is_wanted_is_made);
    tcase_add_test(tests, what_is_promised_is_shared);
    tcase_add_test(tests, what_is_present_is_not_made_again);
    tcase_add_test(tests, tenants_share_nothing);
    tcase_add_test(tests, another_cut_meets_at_the_same_keys);
    tcase_add_test(tests, a_promise_that_another_keeps_first_frees_who_gave_it);
    tcase_add_test(tests, facts_come_before_the_plan);
    tcase_add_test(tests, who_asks_for_ever_is_stopped);
    tcase_add_test(tests, plans_that_cannot_be_fail_the_job);
    tcase_add_test(tests, a_plan_without_outputs_is_refused);
    tcase_add_test(tests, a_plan_for_nobody_is_ignored);
    tcase_add_test(tests, a_job_that_wants_nothing_has_it);
    tcase_add_test(tests, what_comes_and_goes_in_one_step_is_not_told);
    tcase_add_test(tests, too_large_a_plan_is_refused);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
