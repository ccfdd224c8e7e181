/* SPDX-License-Identifier: MIT */
/* Trials: what they find out about plugins whose ways are known. */
#include <string.h>

#include "common/base/clock.h"
#include "engine/host/trial.h"
#include "tests/engine/host/stage.h"

#define TEST "lv2:urn:loophole:test:"

static struct engine_host *host;

static struct engine_trial_result hold(struct engine_host *where, const char *uri, uint32_t block, bool twin,
                                       bool unpinned)
{
    const struct engine_trial trial = {.uri = uri,
                                       .bundle = "",
                                       .sample_rate = 48000,
                                       .quantum = 1024,
                                       .block = block,
                                       .frames = 48000,
                                       .twin = twin,
                                       .unpinned_random = unpinned};
    struct engine_trial_result result;
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_msg(engine_trial_run(where, &trial, lh_clock_monotonic_ns, NULL, &result, &error) == LH_OK, "%s",
                  error.message);
    return result;
}

static bool same(const struct engine_trial_result *a, const struct engine_trial_result *b)
{
    return a->status == LH_OK && b->status == LH_OK && lh_digest_equal(&a->samples, &b->samples);
}

START_TEST(a_plain_plugin_is_the_same_in_every_trial)
{
    struct engine_trial_result first = hold(host, TEST "gain", 1024, false, false);
    ck_assert(first.audible);
    ck_assert_int_eq(first.tail_frames, 0);
    ck_assert(first.peak > 0.24f && first.peak <= 0.25f);
    ck_assert(first.ns_per_frame > 0.0);
    const uint32_t blocks[] = {64, 512, 1000, 1, ENGINE_TRIAL_RAGGED};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
        struct engine_trial_result other = hold(host, TEST "gain", blocks[i], i % 2 == 0, i % 3 == 0);
        ck_assert(same(&first, &other));
    }
}
END_TEST

START_TEST(blocks_are_heard_where_they_matter)
{
    struct engine_trial_result first = hold(host, TEST "stepped", 1024, false, false);
    struct engine_trial_result again = hold(host, TEST "stepped", 1024, false, false);
    struct engine_trial_result other = hold(host, TEST "stepped", 512, false, false);
    ck_assert(same(&first, &again));
    ck_assert(!same(&first, &other));
}
END_TEST

START_TEST(leaks_between_instances_are_heard)
{
    struct engine_trial_result first = hold(host, TEST "counter", 1024, false, false);
    struct engine_trial_result second = hold(host, TEST "counter", 1024, false, false);
    ck_assert(!same(&first, &second));
}
END_TEST

START_TEST(random_numbers_repeat_when_pinned)
{
    struct engine_trial_result first = hold(host, TEST "noise-rand", 1024, false, false);
    struct engine_trial_result second = hold(host, TEST "noise-rand", 1024, true, false);
    ck_assert(same(&first, &second));
    first = hold(host, TEST "noise-rand", 1024, false, true);
    second = hold(host, TEST "noise-rand", 1024, false, true);
    ck_assert(!same(&first, &second));
    first = hold(host, TEST "noise-clock", 1024, false, false);
    second = hold(host, TEST "noise-clock", 1024, false, false);
    ck_assert(!same(&first, &second));
}
END_TEST

START_TEST(tails_and_latency_are_measured)
{
    struct engine_trial_result result = hold(host, TEST "latent", 1024, false, false);
    ck_assert_uint_eq(result.latency, 480);
    ck_assert(!result.latency_changed);
    ck_assert_int_eq(result.tail_frames, 480);
    result = hold(host, TEST "late", 1024, false, false);
    ck_assert(result.latency_changed);
    result = hold(host, TEST "tail", 1024, false, false); /* halves each 4800 frames: longer than the trial */
    ck_assert_int_eq(result.tail_frames, -1);
}
END_TEST

START_TEST(instruments_get_notes_and_nobody_else_input_in_silence)
{
    struct engine_trial_result result = hold(host, TEST "click-synth", 1024, false, false);
    ck_assert(result.audible);
    const struct engine_trial silence = {.uri = TEST "click-synth",
                                         .sample_rate = 48000,
                                         .quantum = 1024,
                                         .block = 1024,
                                         .frames = 9600,
                                         .silence = true};
    ck_assert_int_eq(engine_trial_run(host, &silence, lh_clock_monotonic_ns, NULL, &result, NULL), LH_OK);
    ck_assert(!result.audible);
    ck_assert(result.peak == 0.0f);
}
END_TEST

START_TEST(faults_are_results)
{
    struct engine_host *hostile = stage_host(STAGE_HOSTILE);
    struct engine_trial_result result = hold(hostile, "lv2:urn:loophole:hostile:nan", 1024, false, false);
    ck_assert_int_eq(result.status, LH_ERR_FAULT);
    ck_assert_ptr_nonnull(strstr(result.message, "gives NaN, output out_r, frame 24"));
    engine_host_free(hostile);
    result = hold(host, TEST "requires-unknown", 1024, false, false);
    ck_assert_int_eq(result.status, LH_ERR_UNSUPPORTED);
    ck_assert_str_eq(result.message, "needs the feature urn:nobody");
}
END_TEST

START_TEST(what_is_not_there_cannot_be_tried)
{
    const struct engine_trial trial = {
        .uri = TEST "nobody", .sample_rate = 48000, .quantum = 1024, .block = 64, .frames = 100};
    struct engine_trial_result result;
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_int_eq(engine_trial_run(host, &trial, lh_clock_monotonic_ns, NULL, &result, &error), LH_ERR_MISSING);
    ck_assert_str_eq(error.where, TEST "nobody");
}
END_TEST

START_TEST(memory_that_runs_out_is_a_status)
{
    const struct engine_trial trial = {
        .uri = TEST "gain", .sample_rate = 48000, .quantum = 64, .block = 64, .frames = 128, .twin = true};
    for (size_t n = 1;; n++) {
        struct engine_trial_result result;
        testing_fail_allocation(n);
        enum lh_status status = engine_trial_run(host, &trial, lh_clock_monotonic_ns, NULL, &result, NULL);
        if (!testing_fail_allocation_end()) {
            ck_assert_int_eq(status, LH_OK);
            break;
        }
        ck_assert_int_eq(status, LH_ERR_NO_MEMORY);
    }
}
END_TEST

static void set_up(void)
{
    host = stage_host(STAGE_FRIENDLY);
}

static void tear_down(void)
{
    engine_host_free(host);
}

int main(void)
{
    Suite *suite = suite_create("engine/host/trial");
    TCase *tests = tcase_create("trial");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, a_plain_plugin_is_the_same_in_every_trial);
    tcase_add_test(tests, blocks_are_heard_where_they_matter);
    tcase_add_test(tests, leaks_between_instances_are_heard);
    tcase_add_test(tests, random_numbers_repeat_when_pinned);
    tcase_add_test(tests, tails_and_latency_are_measured);
    tcase_add_test(tests, instruments_get_notes_and_nobody_else_input_in_silence);
    tcase_add_test(tests, faults_are_results);
    tcase_add_test(tests, what_is_not_there_cannot_be_tried);
    tcase_add_test(tests, memory_that_runs_out_is_a_status);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
