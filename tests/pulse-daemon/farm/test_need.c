/* SPDX-License-Identifier: MIT */
/* pulse-daemon/farm/need: a shard is as urgent as the most urgent who wait for it, while they do. */
#include "pulse-daemon/farm/need.h"

#include "pulse-daemon/farm/state.h"
#include "tests/pulse-daemon/farm/farming.h"

static void set_up(void)
{
    farming_begin(NULL);
}

static void tear_down(void)
{
    farming_end();
}

static int32_t priority_of(const char *shard)
{
    return pulse_farm_priority(pulse_farm_find_shard(farming_farm(), farming_shard(shard)->row.id)->urgency);
}

START_TEST(urgency_goes_down_the_chain_and_back)
{
    farming_submit(1, 1, -5);
    farming_plan(1, "a b<a c<b d<c x<a", "dx");
    ck_assert_int_eq(priority_of("a"), -5);
    farming_submit(2, 1, 30);
    farming_plan(2, "a b<a c<b", "c");
    ck_assert_int_eq(priority_of("a"), 30);
    ck_assert_int_eq(priority_of("b"), 30);
    ck_assert_int_eq(priority_of("c"), 30);
    ck_assert_int_eq(priority_of("d"), -5);
    ck_assert_int_eq(priority_of("x"), -5);
    farming_submit(3, 1, 10);
    farming_plan(3, "a b<a", "b");
    farming_cancel(2, 1);
    ck_assert_int_eq(priority_of("a"), 10);
    ck_assert_int_eq(priority_of("b"), 10);
    ck_assert_int_eq(priority_of("c"), -5);
    farming_cancel(3, 1);
    ck_assert_int_eq(priority_of("b"), -5);
    farming_cancel(1, 1);
    struct pulse_farm_counts counts;
    pulse_farm_counts(farming_farm(), &counts);
    ck_assert_uint_eq(counts.shards + counts.outputs, 0);
}
END_TEST

START_TEST(the_last_who_waits_takes_the_chain_along)
{
    farming_welcome("w1", 11, 1);
    farming_submit(1, 1, 0);
    farming_plan(1, "a b<a c<b", "c");
    farming_submit(2, 1, 0);
    farming_plan(2, "a b<a d<b", "d");
    farming_cancel(1, 1);
    ck_assert_int_eq(farming_state("c"), PULSE_SHARD_CANCELLED);
    ck_assert_int_eq(farming_state("b"), PULSE_SHARD_WAITING);
    farming_cancel(2, 1);
    ck_assert_int_eq(farming_state("a"), PULSE_SHARD_CANCELLED);
    ck_assert_int_eq(farming_state("b"), PULSE_SHARD_CANCELLED);
    ck_assert_uint_eq(farming_actions(PULSE_FARM_WITHDRAW), 1);
}
END_TEST

START_TEST(of_two_outputs_one_is_enough)
{
    farming_submit(1, 1, 0);
    farming_plan(1, "ab", "a");
    farming_submit(2, 1, 0);
    farming_plan(2, "ab", "b");
    farming_cancel(1, 1);
    ck_assert_int_eq(farming_state("a"), PULSE_SHARD_READY);
    farming_cancel(2, 1);
    ck_assert_int_eq(farming_state("a"), PULSE_SHARD_CANCELLED);
}
END_TEST

START_TEST(all_who_wait_are_found_once)
{
    farming_submit(1, 1, 0);
    farming_plan(1, "a b<a c<a d<bc", "dbc");
    farming_submit(2, 1, 0);
    farming_plan(2, "a e<a", "e");
    farming_submit(3, 1, 0);
    farming_plan(3, "z", "z");
    struct pulse_farm *farm = farming_farm();
    struct pulse_farm_shard_entry *shard = pulse_farm_find_shard(farm, farming_shard("a")->row.id);
    pulse_farm_waiters(farm, &shard, 1);
    ck_assert_uint_eq(farm->found.count, 2);
    pulse_farm_waited(farm, pulse_farm_find_job(farm, 1));
    ck_assert_uint_eq(farm->walk.count, 4);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("need");
    TCase *tests = tcase_create("need");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, urgency_goes_down_the_chain_and_back);
    tcase_add_test(tests, the_last_who_waits_takes_the_chain_along);
    tcase_add_test(tests, of_two_outputs_one_is_enough);
    tcase_add_test(tests, all_who_wait_are_found_once);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
