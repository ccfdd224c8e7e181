/* SPDX-License-Identifier: MIT */
/* pulse-daemon/shard/probes.c: files that nobody knows yet, in shards. */
#include <stdlib.h>
#include <string.h>

#include "graph/facts.h"
#include "pulse-daemon/shard/keyed.h"
#include "pulse-daemon/shard/plan.h"
#include "tests/pulse-daemon/shard/song.h"
#include "tests/support/testing.h"

#define FILES 500

static struct pulse_unknown_file files[FILES];

static void set_up(void)
{
    for (uint32_t i = 0; i < FILES; i++) {
        files[i] = (struct pulse_unknown_file){.size = 1000000, .is_midi = i % 5 == 0};
        memcpy(files[i].digest.bytes, &i, sizeof i);
    }
}

static struct pulse_plan *plan_of(size_t count)
{
    struct pulse_plan *plan = NULL;
    ck_assert_int_eq(pulse_plan_probes(files, count, &song_context, &plan, NULL), LH_OK);
    return plan;
}

START_TEST(every_file_is_looked_into_once)
{
    struct pulse_plan *plan = plan_of(FILES);
    struct pulse_keyed seen = {.entries = NULL};
    ck_assert_uint_gt(plan->shard_count, 4);
    ck_assert_uint_lt(plan->shard_count, 20);
    for (size_t s = 0; s < plan->shard_count; s++) {
        const struct graph_shard *work = &plan->shards[s].work;
        ck_assert_int_eq(graph_shard_check(work, NULL), LH_OK);
        ck_assert_int_eq(work->kind, GRAPH_SHARD_PROBE);
        ck_assert(!plan->shards[s].cpu_class);
        ck_assert_uint_eq(plan->shards[s].plugin_count, 0);
        for (size_t i = 0; i < work->input_count; i++) {
            struct lh_digest key;
            bool midi = work->inputs[i].kind == GRAPH_SHARD_MIDI;
            ck_assert_int_eq(graph_key_facts(&work->inputs[i].key, midi, &song_context, &key), LH_OK);
            ck_assert(lh_digest_equal(&key, &work->outputs[i].key));
            ck_assert_int_eq(pulse_keyed_add(&seen, &work->inputs[i].key, 0), LH_OK);
            uint32_t number;
            memcpy(&number, work->inputs[i].key.bytes, sizeof number);
            ck_assert_int_eq(midi, number % 5 == 0);
        }
    }
    ck_assert_uint_eq(seen.count, FILES);
    pulse_keyed_fini(&seen);
    pulse_plan_free(plan);
}
END_TEST

START_TEST(large_files_have_shards_of_their_own)
{
    for (size_t i = 0; i < 10; i++) {
        files[i].size = UINT64_C(3) << 30;
    }
    struct pulse_plan *plan = plan_of(10);
    ck_assert_uint_eq(plan->shard_count, 10);
    ck_assert(plan->shards[0].cost_seconds > 1);
    pulse_plan_free(plan);
    plan = plan_of(0);
    ck_assert_uint_eq(plan->shard_count, 0);
    pulse_plan_free(plan);
}
END_TEST

START_TEST(memory_runs_out)
{
    for (size_t n = 1;; n++) {
        struct pulse_plan *plan = NULL;
        testing_fail_allocation(n);
        enum lh_status status = pulse_plan_probes(files, 100, &song_context, &plan, NULL);
        bool failed = testing_fail_allocation_end();
        pulse_plan_free(plan);
        if (!failed) {
            ck_assert_int_eq(status, LH_OK);
            break;
        }
        ck_assert_int_eq(status, LH_ERR_NO_MEMORY);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pulse/shard/probes");
    TCase *tcase = tcase_create("probes");
    tcase_add_checked_fixture(tcase, set_up, NULL);
    tcase_add_test(tcase, every_file_is_looked_into_once);
    tcase_add_test(tcase, large_files_have_shards_of_their_own);
    tcase_add_test(tcase, memory_runs_out);
    suite_add_tcase(suite, tcase);
    return testing_main(suite);
}
