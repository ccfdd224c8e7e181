/* SPDX-License-Identifier: MIT */
/* pulse-daemon/farm/view: what others see. */
#include <string.h>

#include "tests/pulse-daemon/farm/farming.h"

static void set_up(void)
{
    farming_begin(NULL);
    farming_welcome("w1", 11, 1);
    farming_submit(1, 1, 7);
}

static void tear_down(void)
{
    farming_end();
}

START_TEST(progress_of_a_job)
{
    struct pulse_farm_job_view view;
    ck_assert(!pulse_farm_job_view(farming_farm(), 2, &view));
    ck_assert(pulse_farm_job_view(farming_farm(), 1, &view));
    ck_assert_int_eq(view.state, PULSE_JOB_PLANNING);
    farming_plan(1, "a:300 b:100 c<ab:600", "c");
    ck_assert(pulse_farm_job_view(farming_farm(), 1, &view));
    ck_assert_uint_eq(view.tenant, 1);
    ck_assert_int_eq(view.priority, 7);
    ck_assert_uint_eq(view.shards, 3);
    ck_assert_uint_eq(view.claimed, 1);
    ck_assert_uint_eq(view.ready, 1);
    ck_assert_double_eq(view.progress, 0);
    struct pulse_farm_held held = {.shard = 1, .attempt = 1, .running = true, .progress = 5, .done = 0.5f};
    farming_beat_of("w1", 11, &held, 1);
    ck_assert(pulse_farm_job_view(farming_farm(), 1, &view));
    ck_assert_double_eq_tol(view.progress, 0.15, 1e-9);
    farming_complete("a");
    farming_complete("b");
    ck_assert(pulse_farm_job_view(farming_farm(), 1, &view));
    ck_assert_double_eq_tol(view.progress, 0.4, 1e-9);
    held = (struct pulse_farm_held){.shard = 3, .attempt = 1, .running = true, .progress = 5, .done = 77.0f};
    farming_beat_of("w1", 11, &held, 1); /* what makes no sense is nothing */
    ck_assert(pulse_farm_job_view(farming_farm(), 1, &view));
    ck_assert_double_eq_tol(view.progress, 0.4, 1e-9);
}
END_TEST

START_TEST(progress_between_beats)
{
    struct pulse_farm_job_view view;
    struct pulse_farm_held held = {.shard = 1, .attempt = 1, .running = true, .progress = 5, .done = 0.5f};
    struct pulse_farm_event event = {
        .kind = PULSE_FARM_PROGRESS, .worker = "w1", .session = 11, .held = &held, .held_count = 1};
    farming_plan(1, "a:300 b:100 c<ab:600", "c");
    farming_wait(14 * FARMING_S);
    farming_add(&event);
    farming_step();
    ck_assert(pulse_farm_job_view(farming_farm(), 1, &view));
    ck_assert_double_eq_tol(view.progress, 0.15, 1e-9);
    ck_assert_uint_eq(farming_changes(PULSE_CHANGE_SHARD), 0); /* nothing of it is kept */
    held.done = 0.9f;
    event.session = 12; /* another process */
    farming_add(&event);
    event.session = 11;
    held.attempt = 1;
    struct pulse_farm_held stale = held;
    stale.attempt = 7;
    event.held = &stale;
    farming_add(&event);
    event.worker = "w9";
    farming_add(&event);
    farming_step();
    ck_assert_uint_eq(farming_actions(PULSE_FARM_WITHDRAW) + farming_actions(PULSE_FARM_GREET), 0);
    ck_assert(pulse_farm_job_view(farming_farm(), 1, &view));
    ck_assert_double_eq_tol(view.progress, 0.15, 1e-9);
    farming_wait(2 * FARMING_S); /* it is no beat */
    ck_assert_uint_eq(farming_shard("a")->row.losses, 1);
}
END_TEST

START_TEST(workers)
{
    struct pulse_farm_worker_view view;
    ck_assert(pulse_farm_worker_view(farming_farm(), 0, &view));
    ck_assert_str_eq(view.name, "w1");
    ck_assert_uint_eq(view.session, 11);
    ck_assert_uint_eq(view.slots, 1);
    ck_assert_uint_eq(view.held, 0);
    ck_assert(!view.draining && !view.quarantined);
    ck_assert(!pulse_farm_worker_view(farming_farm(), 1, &view));
    farming_drain("w1", true);
    farming_gone("w1", 11);
    ck_assert(pulse_farm_worker_view(farming_farm(), 0, &view));
    ck_assert(view.draining && view.session == 0);
}
END_TEST

START_TEST(what_is_held)
{
    struct lh_digest a = farming_key(1, 'a'), b = farming_key(1, 'b'), x = farming_key(1, 'x');
    farming_plan(1, "a b<a", "b");
    ck_assert(pulse_farm_holds(farming_farm(), 1, &a));
    ck_assert(pulse_farm_holds(farming_farm(), 1, &b));
    ck_assert(!pulse_farm_holds(farming_farm(), 1, &x));
    ck_assert(!pulse_farm_holds(farming_farm(), 2, &a));
    farming_complete("a");
    ck_assert(pulse_farm_holds(farming_farm(), 1, &a));
    farming_complete("b");
    ck_assert(!pulse_farm_holds(farming_farm(), 1, &a));
}
END_TEST

START_TEST(bytes_are_counted)
{
    struct pulse_farm_counts before, now;
    pulse_farm_counts(farming_farm(), &before);
    ck_assert_uint_eq(before.jobs, 1);
    ck_assert_uint_eq(before.planning, 1);
    farming_plan(1, "a b c d e f g h", "abcdefgh");
    pulse_farm_counts(farming_farm(), &now);
    ck_assert_uint_eq(now.shards, 8);
    ck_assert_uint_eq(now.outputs, 8);
    ck_assert_uint_gt(now.bytes, before.bytes + 8 * 200);
    farming_cancel(1, 1);
    farming_submit(2, 1, 7);
    pulse_farm_counts(farming_farm(), &now);
    ck_assert_uint_le(now.bytes, before.bytes + 4096); /* tables keep their room */
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("view");
    TCase *tests = tcase_create("view");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, progress_of_a_job);
    tcase_add_test(tests, progress_between_beats);
    tcase_add_test(tests, workers);
    tcase_add_test(tests, what_is_held);
    tcase_add_test(tests, bytes_are_counted);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
