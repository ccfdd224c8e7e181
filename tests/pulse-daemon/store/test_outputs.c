/* SPDX-License-Identifier: MIT */
/* Looking at outputs and specs, and who was used longest ago. */
#include <string.h>

#include "pulse-daemon/store/media.h"
#include "pulse-daemon/store/projects.h"
#include "tests/pulse-daemon/store/fixture.h"
#include "tests/pulse-daemon/store/suites.h"

enum { COUNT = 3000 };

struct found {
    uint64_t shards[COUNT]; /* by index */
    size_t count;
};

static enum lh_status find(void *context, size_t index, const struct pulse_output_row *output)
{
    struct found *found = context;
    ck_assert_uint_lt(index, COUNT);
    found->shards[index] = output->shard;
    found->count++;
    return output->size == 13 ? LH_ERR_CANCELLED : LH_OK;
}

START_TEST(many_are_found_in_one_go)
{
    static struct lh_digest keys[COUNT];
    static struct pulse_change changes[COUNT];
    static struct found found;
    for (size_t i = 0; i < COUNT; i++) {
        keys[i] = fixture_digest("key", i);
        changes[i] = fixture_output(i % 3 == 1 ? 2 : 1, &keys[i],
                                    i % 2 == 0 ? PULSE_OUTPUT_PRESENT : PULSE_OUTPUT_PROMISED, i + 1);
    }
    fixture_apply(changes, COUNT);
    OK(pulse_store_outputs(fixture_store, 1, keys, COUNT, find, &found, &fixture_error));
    ck_assert_uint_eq(found.count, COUNT - COUNT / 3);
    for (size_t i = 0; i < COUNT; i++) {
        ck_assert_uint_eq(found.shards[i], i % 3 == 1 ? 0 : i + 1);
    }
    /* The same key twice is found twice. */
    struct lh_digest twice[] = {keys[0], fixture_digest("none", 1), keys[0]};
    memset(&found, 0, sizeof found);
    OK(pulse_store_outputs(fixture_store, 1, twice, 3, find, &found, &fixture_error));
    ck_assert(found.count == 2 && found.shards[0] == 1 && found.shards[1] == 0 && found.shards[2] == 1);
    OK(pulse_store_outputs(fixture_store, 1, NULL, 0, find, &found, &fixture_error));
    ck_assert_uint_eq(found.count, 2);
}
END_TEST

START_TEST(who_looks_may_stop)
{
    struct lh_digest key = fixture_digest("key", 1);
    struct pulse_change change = fixture_output(1, &key, PULSE_OUTPUT_PRESENT, 1);
    static struct found found;
    change.output.size = 13;
    fixture_apply(&change, 1);
    FAILS(pulse_store_outputs(fixture_store, 1, &key, 1, find, &found, &fixture_error), LH_ERR_CANCELLED);
}
END_TEST

static enum lh_status note_order(void *context, size_t index, const struct pulse_output_row *output)
{
    ((uint64_t *)context)[index] = output->shard;
    return LH_OK;
}

START_TEST(the_longest_unused_comes_first)
{
    struct lh_digest keys[6];
    struct pulse_change changes[11];
    uint64_t order[6] = {0};
    for (size_t i = 0; i < 6; i++) {
        keys[i] = fixture_digest("key", i);
        changes[i] = fixture_output(1, &keys[i], i == 5 ? PULSE_OUTPUT_PROMISED : PULSE_OUTPUT_PRESENT, i + 1);
    }
    changes[6] = fixture_job(1, 1, PULSE_JOB_RUNNING);
    changes[7] = fixture_job(1, 2, PULSE_JOB_CANCELLED);
    changes[8] = fixture_want(1, 1, &keys[2]);
    changes[9] = fixture_want(1, 2, &keys[3]);
    changes[10] = fixture_output(2, &keys[0], PULSE_OUTPUT_PRESENT, 7);
    fixture_apply(changes, 11);
    for (size_t i = 0; i < 2; i++) {
        OK(pulse_store_begin(fixture_store, NOW + 100000 * (2 - (int64_t)i), &fixture_error));
        OK(pulse_store_outputs_touch(fixture_store, 1, &keys[i], 1, &fixture_error));
        fixture_commit();
    }
    OK(pulse_store_outputs_idle(fixture_store, 1, 6, note_order, order, &fixture_error));
    uint64_t first = order[0] + order[1]; /* 4 and 5, equally old */
    ck_assert_uint_eq(first, 9);
    ck_assert(order[2] == 2 && order[3] == 1 && order[4] == 0);
    memset(order, 0, sizeof order);
    OK(pulse_store_outputs_idle(fixture_store, 1, 3, note_order, order, &fixture_error));
    ck_assert(order[2] == 2 && order[3] == 0);
    /* The time never goes back. */
    fixture_begin();
    OK(pulse_store_outputs_touch(fixture_store, 1, keys, 6, &fixture_error));
    fixture_commit();
    ck_assert_int_eq(fixture_count("SELECT max(used_ms) FROM outputs"), NOW + 200000);
}
END_TEST

START_TEST(what_frees_nothing_is_not_idle)
{
    struct pulse_change changes[5];
    uint64_t order[4] = {0};
    for (uint64_t i = 0; i < 4; i++) {
        struct lh_digest key = fixture_digest("key", i);
        changes[i] = fixture_output(1, &key, PULSE_OUTPUT_PRESENT, i + 1);
    }
    changes[2].output.size = 0;
    changes[4] = fixture_job(2, 1, PULSE_JOB_SUCCEEDED);
    fixture_apply(changes, 5);
    /* Two are still there when nobody needs them as outputs any more: a file of another tenant, a medium. */
    const struct pulse_artifact_row artifact = {.tenant = 2,
                                                .job = 1,
                                                .name = "mix.wav",
                                                .key = changes[0].output.key,
                                                .digest = changes[0].output.digest,
                                                .size = changes[0].output.size};
    const struct pulse_media_row medium = {
        .tenant = 1, .digest = changes[1].output.digest, .size = changes[1].output.size};
    fixture_begin();
    OK(pulse_store_artifacts_put(fixture_store, &artifact, 1, &fixture_error));
    OK(pulse_store_media_put(fixture_store, &medium, 1, &fixture_error));
    fixture_commit();
    OK(pulse_store_outputs_idle(fixture_store, 1, 4, note_order, order, &fixture_error));
    ck_assert(order[0] == 4 && order[1] == 0);
}
END_TEST

START_TEST(a_spec_is_its_tenants)
{
    struct lh_digest key = fixture_digest("key", 1);
    struct pulse_change changes[3] = {fixture_shard(1, 1, PULSE_SHARD_READY), fixture_spec(1, 1, NULL, 0, &key, 1)};
    struct lh_arena arena;
    struct pulse_spec spec = {.data = NULL};
    changes[1].trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    fixture_needs(&changes[2]);
    fixture_apply(changes, 3);
    lh_arena_init(&arena);
    OK(pulse_store_spec(fixture_store, 1, 1, &arena, &spec, &fixture_error));
    ck_assert_uint_eq(spec.size, 10);
    ck_assert_mem_eq(spec.data, "what\0to do", 10);
    ck_assert_str_eq(spec.trace, "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    changes[1].trace = NULL; /* nobody's */
    fixture_apply(changes, 3);
    OK(pulse_store_spec(fixture_store, 1, 1, &arena, &spec, &fixture_error));
    ck_assert_str_eq(spec.trace, "");
    FAILS(pulse_store_spec(fixture_store, 2, 1, &arena, &spec, &fixture_error), LH_ERR_MISSING);
    FAILS(pulse_store_spec(fixture_store, 1, 2, &arena, &spec, &fixture_error), LH_ERR_MISSING);
    lh_arena_fini(&arena);
}
END_TEST

static enum lh_status note_spec(void *context, size_t index, const struct pulse_spec *spec)
{
    ck_assert_uint_eq(spec->size, 10);
    ck_assert_mem_eq(spec->data, "what\0to do", 10);
    ck_assert_str_eq(spec->trace, "");
    ((bool *)context)[index] = true;
    return LH_OK;
}

START_TEST(specs_come_together)
{
    struct lh_digest a = fixture_digest("key", 1), b = fixture_digest("key", 2);
    struct pulse_change changes[5] = {fixture_shard(1, 1, PULSE_SHARD_READY), fixture_spec(1, 1, NULL, 0, &a, 1),
                                      fixture_shard(1, 2, PULSE_SHARD_READY), fixture_spec(1, 2, NULL, 0, &b, 1)};
    const struct pulse_shard_name names[] = {{1, 2}, {2, 1}, {1, 1}, {0, 0}};
    bool found[4] = {false};
    fixture_needs(&changes[4]);
    fixture_apply(changes, 5);
    OK(pulse_store_specs(fixture_store, names, 4, note_spec, found, &fixture_error));
    ck_assert(found[0] && !found[1] && found[2] && !found[3]);
    OK(pulse_store_specs(fixture_store, names, 0, note_spec, found, &fixture_error));
}
END_TEST

START_TEST(bytes_that_were_fetched_are_used)
{
    struct lh_digest keys[3];
    struct pulse_change changes[4];
    uint64_t order[3] = {0};
    for (size_t i = 0; i < 3; i++) {
        keys[i] = fixture_digest("key", i);
        changes[i] = fixture_output(1, &keys[i], PULSE_OUTPUT_PRESENT, i + 1);
    }
    changes[3] = fixture_output(2, &keys[0], PULSE_OUTPUT_PRESENT, 1); /* the same bytes, another's */
    fixture_apply(changes, 4);
    struct pulse_blob_use uses[2] = {{.tenant = 1, .digest = changes[0].output.digest},
                                     {.tenant = 1, .digest = fixture_digest("nobody's", 1)}};
    OK(pulse_store_begin(fixture_store, NOW + 100000, &fixture_error));
    OK(pulse_store_blobs_touch(fixture_store, uses, 2, &fixture_error));
    OK(pulse_store_blobs_touch(fixture_store, NULL, 0, &fixture_error));
    fixture_commit();
    OK(pulse_store_outputs_idle(fixture_store, 1, 3, note_order, order, &fixture_error));
    ck_assert_uint_eq(order[2], 1);
    ck_assert_int_eq(fixture_count("SELECT count(*) FROM outputs WHERE used_ms > 1700000000000"), 1);
}
END_TEST

TCase *outputs_tests(void)
{
    TCase *tests = tcase_create("outputs");
    tcase_add_checked_fixture(tests, fixture_set_up, fixture_tear_down);
    tcase_add_test(tests, many_are_found_in_one_go);
    tcase_add_test(tests, who_looks_may_stop);
    tcase_add_test(tests, the_longest_unused_comes_first);
    tcase_add_test(tests, what_frees_nothing_is_not_idle);
    tcase_add_test(tests, a_spec_is_its_tenants);
    tcase_add_test(tests, specs_come_together);
    tcase_add_test(tests, bytes_that_were_fetched_are_used);
    return tests;
}
