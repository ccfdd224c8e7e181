/* SPDX-License-Identifier: MIT */
/* pulse-daemon/farm/beat: sessions, leases and limits. */
#include "pulse-daemon/farm/beat.h"

#include "tests/pulse-daemon/farm/farming.h"

#define LEASE (15 * FARMING_S)
#define BEAT (5 * FARMING_S)

static void set_up(void)
{
    farming_begin(NULL);
    farming_welcome("w1", 11, 1);
    farming_submit(1, 1, 0);
    farming_plan(1, "a:1000", "a");
    ck_assert_str_eq(farming_owner("a"), "w1");
}

static void tear_down(void)
{
    farming_end();
}

/* Beats for so long, each saying so much of progress. */
static void beat_for(uint64_t ns, bool running, bool moving)
{
    static uint64_t progress = 1;
    for (uint64_t passed = 0; passed < ns && farming_owner("a")[0] != '\0'; passed += BEAT) {
        farming_pass(BEAT);
        progress += moving;
        struct pulse_farm_held held = {.shard = farming_shard("a")->row.id,
                                       .attempt = farming_shard("a")->row.attempt,
                                       .running = running,
                                       .progress = progress};
        farming_beat_of("w1", 11, &held, 1);
    }
}

START_TEST(beats_renew_the_lease)
{
    beat_for(600 * FARMING_S, true, true);
    ck_assert_str_eq(farming_owner("a"), "w1");
    ck_assert_uint_eq(farming_shard("a")->row.attempt, 1);
}
END_TEST

START_TEST(silence_ends_the_lease)
{
    farming_wait(LEASE - FARMING_S);
    ck_assert_uint_eq(farming_shard("a")->row.attempt, 1);
    farming_welcome("w2", 12, 1);
    farming_wait(FARMING_S);
    ck_assert_uint_eq(farming_shard("a")->row.losses, 1);
    ck_assert_uint_eq(farming_shard("a")->row.attempt, 2);
    ck_assert(farming_told(1, "shard.lost"));
    ck_assert_uint_eq(farming_action(PULSE_FARM_WITHDRAW, 0)->attempt, 1); /* should it hear it after all */
}
END_TEST

START_TEST(who_is_silent_gets_nothing_more)
{
    farming_wait(LEASE); /* it may have died without a word, and is the emptiest of all */
    ck_assert_uint_eq(farming_shard("a")->row.losses, 1);
    ck_assert_int_eq(farming_state("a"), PULSE_SHARD_READY);
    struct pulse_farm_worker_view view;
    ck_assert(pulse_farm_worker_view(farming_farm(), 0, &view) && view.silent);
    farming_wait(60 * FARMING_S);
    ck_assert_int_eq(farming_state("a"), PULSE_SHARD_READY);
    farming_beat_of("w1", 11, NULL, 0); /* it lives */
    ck_assert_str_eq(farming_owner("a"), "w1");
    ck_assert_uint_eq(farming_shard("a")->row.losses, 1);
}
END_TEST

START_TEST(silence_is_looked_for_without_claims_too)
{
    farming_beat("w1", 11);
    farming_complete("a");
    farming_wait(LEASE + FARMING_S);
    farming_submit(2, 1, 0);
    farming_plan(2, "b", "b");
    ck_assert_str_eq(farming_owner("b"), "");
}
END_TEST

START_TEST(a_late_welcome_of_the_dead_does_not_shut_the_living_out)
{
    farming_restart(); /* no session is known any more */
    farming_welcome("w1", 22, 1);
    farming_welcome("w1", 11, 1); /* the dead one's, late */
    farming_beat_of("w1", 22, NULL, 0);
    ck_assert_uint_eq(farming_actions(PULSE_FARM_GREET), 0); /* two cannot be one worker */
    farming_wait(LEASE);
    farming_beat_of("w1", 22, NULL, 0);
    ck_assert_uint_eq(farming_action(PULSE_FARM_GREET, 0)->session, 22);
    farming_welcome("w1", 22, 1);
    ck_assert_str_eq(farming_owner("a"), "w1");
    farming_beat("w1", 22);
    ck_assert_uint_eq(farming_actions(PULSE_FARM_WITHDRAW) + farming_actions(PULSE_FARM_GREET), 0);
    farming_beat_of("w1", 11, NULL, 0);
    ck_assert_uint_eq(farming_actions(PULSE_FARM_GREET), 0);
}
END_TEST

START_TEST(what_is_unlisted_twice_is_given_up)
{
    farming_pass(BEAT);
    farming_beat_of("w1", 11, NULL, 0);
    ck_assert_uint_eq(farming_shard("a")->row.losses, 0);
    farming_beat_of("w1", 11, NULL, 0); /* a copy of one beat is not two */
    ck_assert_uint_eq(farming_shard("a")->row.losses, 0);
    farming_pass(BEAT);
    farming_beat_of("w1", 11, NULL, 0);
    ck_assert_uint_eq(farming_shard("a")->row.losses, 1);
    ck_assert_uint_eq(farming_shard("a")->row.attempt, 2);
}
END_TEST

START_TEST(what_is_listed_in_between_is_kept)
{
    for (int i = 0; i < 5; i++) {
        farming_pass(BEAT);
        farming_beat_of("w1", 11, NULL, 0);
        farming_pass(BEAT);
        farming_beat("w1", 11);
    }
    ck_assert_uint_eq(farming_shard("a")->row.attempt, 1);
}
END_TEST

START_TEST(a_beat_older_than_the_claim_says_nothing)
{
    farming_pass(FARMING_S);
    farming_beat_of("w1", 11, NULL, 0); /* it had left when the claim was made */
    farming_pass(BEAT);
    farming_beat("w1", 11);
    farming_pass(FARMING_S);
    ck_assert_uint_eq(farming_shard("a")->row.attempt, 1);
}
END_TEST

START_TEST(claims_that_are_none_are_withdrawn)
{
    struct pulse_farm_held held[] = {{.shard = 1, .attempt = 1}, {.shard = 1, .attempt = 7}, {.shard = 99}};
    farming_beat_of("w1", 11, held, 3);
    ck_assert_uint_eq(farming_actions(PULSE_FARM_WITHDRAW), 2);
    ck_assert_uint_eq(farming_action(PULSE_FARM_WITHDRAW, 0)->attempt, 7);
    ck_assert_uint_eq(farming_action(PULSE_FARM_WITHDRAW, 1)->shard, 99);
}
END_TEST

START_TEST(the_worker_is_told_the_limits)
{
    farming_submit(2, 1, 0);
    farming_plan(2, "b:100", "b");
    farming_welcome("w2", 22, 1);
    const struct pulse_farm_action *action = farming_action(PULSE_FARM_ASSIGN, 0);
    ck_assert_uint_eq(action->no_progress_ms, 120 * 1000);
    ck_assert_uint_eq(action->hard_ms, 3600 * 1000 + 64 * 100);
    farming_submit(3, 1, 0);
    farming_plan(3, "c:99999999", "c");
    farming_welcome("w3", 33, 1);
    ck_assert_uint_eq(farming_action(PULSE_FARM_ASSIGN, 0)->hard_ms, 7u * 24 * 3600 * 1000);
}
END_TEST

START_TEST(no_progress_is_a_failure)
{
    beat_for(100 * FARMING_S, true, false);
    ck_assert_uint_eq(farming_shard("a")->row.failures, 0);
    beat_for(100 * FARMING_S, true, true); /* it gets on again */
    ck_assert_uint_eq(farming_shard("a")->row.failures, 0);
    beat_for(130 * FARMING_S, true, false); /* the worker itself is to say so before a lease is over */
    ck_assert_uint_eq(farming_shard("a")->row.failures, 0);
    beat_for(10 * FARMING_S, true, false);
    ck_assert_uint_eq(farming_shard("a")->row.failures, 1);
}
END_TEST

START_TEST(progress_without_end_is_a_failure)
{
    /* An hour, and 64 times its second. */
    beat_for(3660 * FARMING_S, true, true);
    ck_assert_uint_eq(farming_shard("a")->row.failures, 0);
    beat_for(20 * FARMING_S, true, true);
    beat_for(60 * FARMING_S, true, true);
    ck_assert_uint_eq(farming_shard("a")->row.failures, 1);
}
END_TEST

START_TEST(what_waits_at_the_worker_need_not_move)
{
    beat_for(1000 * FARMING_S, false, false);
    ck_assert_uint_eq(farming_shard("a")->row.failures, 0);
    ck_assert_uint_eq(farming_shard("a")->row.losses, 0);
    beat_for(3000 * FARMING_S, false, false); /* but not for ever */
    ck_assert_uint_eq(farming_shard("a")->row.failures, 0);
    ck_assert_uint_eq(farming_shard("a")->row.losses, 1);
}
END_TEST

START_TEST(a_worker_that_starts_anew_has_nothing)
{
    farming_welcome("w1", 99, 1);
    ck_assert_uint_eq(farming_shard("a")->row.losses, 1);
    ck_assert_uint_eq(farming_shard("a")->row.attempt, 2);
    farming_welcome("w1", 11, 1); /* a late word of the dead one */
    ck_assert_uint_eq(farming_shard("a")->row.attempt, 2);
    farming_beat_of("w1", 11, NULL, 0);
    ck_assert_uint_eq(farming_actions(PULSE_FARM_GREET), 0);
}
END_TEST

START_TEST(a_worker_that_comes_again_has_what_it_had)
{
    farming_welcome("w1", 11, 1);
    ck_assert_uint_eq(farming_shard("a")->row.attempt, 1);
    ck_assert_uint_eq(farming_shard("a")->row.losses, 0);
}
END_TEST

START_TEST(a_worker_that_has_ended_loses_all)
{
    farming_gone("w1", 5); /* another session */
    ck_assert_str_eq(farming_owner("a"), "w1");
    farming_gone("w1", 11);
    ck_assert_int_eq(farming_state("a"), PULSE_SHARD_READY);
    farming_gone("w9", 11);
    farming_welcome("w1", 12, 1);
    ck_assert_str_eq(farming_owner("a"), "w1");
}
END_TEST

START_TEST(after_a_restart_leases_are_fresh)
{
    farming_wait(LEASE - FARMING_S);
    ck_assert_uint_eq(farming_restart(), 0);
    farming_wait(LEASE - FARMING_S);
    ck_assert_str_eq(farming_owner("a"), "w1");
    farming_beat("w1", 11);
    ck_assert_uint_eq(farming_actions(PULSE_FARM_GREET), 1);
    ck_assert_str_eq(farming_action(PULSE_FARM_GREET, 0)->worker, "w1");
    farming_welcome("w1", 11, 1);
    farming_beat("w1", 11);
    farming_wait(LEASE - FARMING_S);
    ck_assert_uint_eq(farming_shard("a")->row.attempt, 1);
    farming_wait(2 * FARMING_S);
    ck_assert_uint_eq(farming_shard("a")->row.losses, 1);
}
END_TEST

START_TEST(credits_are_absolute)
{
    struct pulse_farm_event credits = {.kind = PULSE_FARM_CREDITS, .worker = "w1", .session = 11, .credits = 3};
    farming_submit(2, 1, 0);
    farming_plan(2, "b c d e", "bcde");
    for (int i = 0; i < 3; i++) {
        farming_add(&credits);
        farming_step();
    }
    struct pulse_farm_counts counts;
    pulse_farm_counts(farming_farm(), &counts);
    ck_assert_uint_eq(counts.claimed, 3);
    credits.credits = 0;
    farming_add(&credits);
    farming_step();
    farming_complete("a");
    pulse_farm_counts(farming_farm(), &counts);
    ck_assert_uint_eq(counts.claimed, 2);
    credits.session = 12;
    credits.credits = 9;
    farming_add(&credits);
    farming_step();
    pulse_farm_counts(farming_farm(), &counts);
    ck_assert_uint_eq(counts.claimed, 2);
}
END_TEST

START_TEST(a_worker_drains_at_the_edge_of_its_shard)
{
    farming_submit(2, 1, 0);
    farming_plan(2, "b", "b");
    farming_drain("w1", true);
    ck_assert_uint_eq(farming_actions(PULSE_FARM_DRAINED), 0);
    farming_complete("a");
    ck_assert_uint_eq(farming_actions(PULSE_FARM_ASSIGN), 0);
    ck_assert_uint_eq(farming_actions(PULSE_FARM_DRAINED), 1);
    ck_assert_int_eq(farming_state("b"), PULSE_SHARD_READY);
    farming_step();
    ck_assert_uint_eq(farming_actions(PULSE_FARM_DRAINED), 0);
    farming_drain("w1", true); /* it asks again: the answer was lost */
    ck_assert_uint_eq(farming_actions(PULSE_FARM_DRAINED), 1);
    farming_drain("w1", false);
    ck_assert_str_eq(farming_owner("b"), "w1");
}
END_TEST

START_TEST(an_old_drain_does_not_stop_the_new_session)
{
    farming_welcome("w1", 12, 1);
    farming_add(&(struct pulse_farm_event){.kind = PULSE_FARM_DRAIN, .worker = "w1", .session = 11, .flag = true});
    farming_step();
    farming_complete("a");
    farming_submit(2, 1, 0);
    farming_plan(2, "b", "b");
    ck_assert_str_eq(farming_owner("b"), "w1");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("beat");
    TCase *tests = tcase_create("beat");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, beats_renew_the_lease);
    tcase_add_test(tests, silence_ends_the_lease);
    tcase_add_test(tests, who_is_silent_gets_nothing_more);
    tcase_add_test(tests, silence_is_looked_for_without_claims_too);
    tcase_add_test(tests, a_late_welcome_of_the_dead_does_not_shut_the_living_out);
    tcase_add_test(tests, what_is_unlisted_twice_is_given_up);
    tcase_add_test(tests, what_is_listed_in_between_is_kept);
    tcase_add_test(tests, a_beat_older_than_the_claim_says_nothing);
    tcase_add_test(tests, claims_that_are_none_are_withdrawn);
    tcase_add_test(tests, the_worker_is_told_the_limits);
    tcase_add_test(tests, no_progress_is_a_failure);
    tcase_add_test(tests, progress_without_end_is_a_failure);
    tcase_add_test(tests, what_waits_at_the_worker_need_not_move);
    tcase_add_test(tests, a_worker_that_starts_anew_has_nothing);
    tcase_add_test(tests, a_worker_that_comes_again_has_what_it_had);
    tcase_add_test(tests, a_worker_that_has_ended_loses_all);
    tcase_add_test(tests, after_a_restart_leases_are_fresh);
    tcase_add_test(tests, credits_are_absolute);
    tcase_add_test(tests, a_worker_drains_at_the_edge_of_its_shard);
    tcase_add_test(tests, an_old_drain_does_not_stop_the_new_session);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
