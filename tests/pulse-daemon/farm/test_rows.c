/* SPDX-License-Identifier: MIT */
/* pulse-daemon/farm/rows: states have names, and know whether they are the last. */
#include "pulse-daemon/farm/rows.h"

#include "tests/support/testing.h"

START_TEST(states_are_named)
{
    static const char *const jobs[] = {"queued", "planning", "running", "succeeded", "failed", "cancelled", "unknown"};
    static const char *const shards[] = {"waiting", "ready", "claimed", "done", "failed", "cancelled", "unknown"};
    for (int i = 0; i < 7; i++) {
        ck_assert_str_eq(pulse_job_state_name((enum pulse_job_state)i), jobs[i]);
        ck_assert_str_eq(pulse_shard_state_name((enum pulse_shard_state)i), shards[i]);
        ck_assert_int_eq(pulse_job_is_final((enum pulse_job_state)i), i >= 3 && i < 6);
        ck_assert_int_eq(pulse_shard_is_final((enum pulse_shard_state)i), i >= 3 && i < 6);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("rows");
    TCase *tests = tcase_create("rows");
    tcase_add_test(tests, states_are_named);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
