/* SPDX-License-Identifier: MIT */
/* pulse-daemon/farm/task: losses, failures, retries and poison. */
#include "pulse-daemon/farm/task.h"

#include <string.h>

#include "tests/pulse-daemon/farm/farming.h"

static void set_up(void)
{
    farming_begin(NULL);
    farming_welcome("w1", 11, 1);
    farming_submit(1, 1, 0);
    farming_plan(1, "a b<a", "b");
}

static void tear_down(void)
{
    farming_end();
}

START_TEST(what_is_lost_comes_back_at_once)
{
    farming_lose("a");
    ck_assert_str_eq(farming_owner("a"), "w1");
    ck_assert_uint_eq(farming_shard("a")->row.attempt, 2);
    ck_assert_uint_eq(farming_shard("a")->row.losses, 1);
    ck_assert_uint_eq(farming_shard("a")->row.failures, 0);
}
END_TEST

START_TEST(the_fifth_loss_is_a_failure)
{
    for (int i = 0; i < 4; i++) {
        farming_lose("a");
    }
    ck_assert_uint_eq(farming_shard("a")->row.losses, 4);
    ck_assert_uint_eq(farming_shard("a")->row.failures, 0);
    farming_lose("a");
    ck_assert_uint_eq(farming_shard("a")->row.losses, 0);
    ck_assert_uint_eq(farming_shard("a")->row.failures, 1);
    ck_assert_str_eq(farming_shard("a")->row.failed_on, "w1");
    for (int i = 0; i < 5; i++) {
        farming_lose("a");
    }
    ck_assert_int_eq(farming_job(1), PULSE_JOB_FAILED); /* nobody else could do it */
}
END_TEST

START_TEST(twice_on_the_only_worker_is_poison)
{
    farming_fail("a", "{\"message\": \"SIGSEGV in lv2:x\", \"where\": \"track kick\", \"frame\": 7}");
    ck_assert_str_eq(farming_owner("a"), "w1"); /* at once */
    ck_assert(farming_told(1, "\"retryInMs\":0"));
    farming_fail("a", "{\"message\": \"SIGSEGV in lv2:x\", \"where\": \"track kick\", \"frame\": 7}");
    ck_assert_int_eq(farming_state("a"), PULSE_SHARD_FAILED);
    ck_assert_str_eq(farming_shard("a")->row.failed_on, "w1");
    ck_assert_int_eq(farming_state("b"), PULSE_SHARD_CANCELLED);
    ck_assert_int_eq(farming_job(1), PULSE_JOB_FAILED);
    ck_assert_ptr_nonnull(strstr(rowstore_job(&farming_store, 1)->row.error, "\"where\":\"track kick\""));
    ck_assert_ptr_nonnull(strstr(rowstore_job(&farming_store, 1)->row.error, "\"frame\":7"));
    struct lh_digest key = farming_key(1, 'a');
    ck_assert_ptr_null(rowstore_output(&farming_store, 1, &key));
}
END_TEST

START_TEST(a_retry_goes_to_another_worker)
{
    farming_welcome("w2", 12, 1);
    farming_fail("a", "x");
    ck_assert_str_eq(farming_owner("a"), "w2");
    farming_fail("a", "x");
    ck_assert_int_eq(farming_state("a"), PULSE_SHARD_FAILED);
    ck_assert_uint_eq(farming_shard("a")->row.failures, 2);
}
END_TEST

START_TEST(a_retry_waits_for_another_worker)
{
    farming_welcome("w2", 12, 1);
    farming_submit(2, 1, 50);
    farming_plan(2, "c", "c"); /* w2 has to do */
    farming_fail("a", "x");
    ck_assert_int_eq(farming_state("a"), PULSE_SHARD_READY);
    farming_complete("c");
    ck_assert_str_eq(farming_owner("a"), "w2");
}
END_TEST

START_TEST(who_waits_alone_gets_it_again)
{
    farming_welcome("w2", 12, 1);
    farming_submit(2, 1, 50);
    farming_plan(2, "c", "c");
    farming_fail("a", "x");
    farming_drain("w2", true); /* now nobody else is there */
    ck_assert_str_eq(farming_owner("a"), "w1");
}
END_TEST

START_TEST(trouble_is_not_poison_but_waits_longer_each_time)
{
    uint64_t before = 0;
    for (int n = 1; n <= 14; n++) {
        farming_trouble("a");
        ck_assert_uint_eq(farming_shard("a")->row.failures, 0);
        uint64_t waited = 0;
        while (farming_owner("a")[0] == '\0') {
            farming_pass(FARMING_S / 4);
            farming_beat("w1", 11);
            waited += FARMING_S / 4;
        }
        uint64_t most = n == 1 ? 0 : FARMING_S << (n - 1);
        most = most > 300 * FARMING_S ? 300 * FARMING_S : most;
        ck_assert_uint_le(waited, most + FARMING_S / 4);
        ck_assert_uint_ge(waited + FARMING_S / 4, most / 2);
        ck_assert(n < 4 || n > 9 || waited > before / 2);
        before = waited;
    }
    farming_complete("a");
    farming_complete("b");
    ck_assert_int_eq(farming_job(1), PULSE_JOB_SUCCEEDED);
}
END_TEST

START_TEST(those_that_fail_together_do_not_come_again_together)
{
    farming_submit(2, 1, 0);
    farming_welcome("w1", 11, 9);
    farming_plan(2, "c d e f", "cdef");
    static const char *const shards[] = {"c", "d", "e", "f"};
    for (int n = 1; n <= 6; n++) {
        for (size_t i = 0; i < 4; i++) {
            farming_trouble(shards[i]);
        }
        size_t moments = 0, back = 0;
        while (back < 4) {
            size_t now = 0;
            for (size_t i = 0; i < 4; i++) {
                now += farming_owner(shards[i])[0] != '\0';
            }
            moments += now > back;
            back = now;
            farming_pass(FARMING_S / 10);
            farming_beat("w1", 11);
        }
        ck_assert(n < 5 || moments > 2);
    }
}
END_TEST

START_TEST(a_new_job_may_try_what_has_failed)
{
    farming_fail("a", "x");
    farming_fail("a", "x");
    farming_submit(2, 1, 0);
    farming_plan(2, "a b<a", "b");
    ck_assert_str_eq(farming_owner("a"), "w1");
    ck_assert_uint_eq(farming_shard("a")->row.attempt, 1);
}
END_TEST

START_TEST(failures_outlive_a_restart)
{
    farming_fail("a", "x");
    ck_assert_uint_eq(farming_restart(), 0);
    farming_welcome("w1", 11, 1);
    farming_welcome("w2", 12, 1);
    farming_step();
    ck_assert_str_eq(farming_owner("a"), "w1"); /* it had it when the program died */
    farming_lose("a");
    ck_assert_str_eq(farming_owner("a"), "w2"); /* but it failed there */
    farming_fail("a", "x");
    ck_assert_int_eq(farming_job(1), PULSE_JOB_FAILED);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("task");
    TCase *tests = tcase_create("task");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, what_is_lost_comes_back_at_once);
    tcase_add_test(tests, the_fifth_loss_is_a_failure);
    tcase_add_test(tests, twice_on_the_only_worker_is_poison);
    tcase_add_test(tests, a_retry_goes_to_another_worker);
    tcase_add_test(tests, a_retry_waits_for_another_worker);
    tcase_add_test(tests, who_waits_alone_gets_it_again);
    tcase_add_test(tests, trouble_is_not_poison_but_waits_longer_each_time);
    tcase_add_test(tests, those_that_fail_together_do_not_come_again_together);
    tcase_add_test(tests, a_new_job_may_try_what_has_failed);
    tcase_add_test(tests, failures_outlive_a_restart);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
