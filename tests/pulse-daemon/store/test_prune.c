/* SPDX-License-Identifier: MIT */
/* Forgetting what is over, and never a number. */
#include <string.h>

#include "pulse-daemon/store/projects.h"
#include "tests/pulse-daemon/store/fixture.h"
#include "tests/pulse-daemon/store/suites.h"

static size_t prune(int64_t before, size_t limit)
{
    const struct pulse_retention retention = {before, before, limit};
    size_t removed = 99;
    fixture_begin();
    OK(pulse_store_prune(fixture_store, &retention, &removed, &fixture_error));
    fixture_commit();
    return removed;
}

static enum lh_status ignore(void *context, const struct pulse_change *change)
{
    (void)context;
    (void)change;
    return LH_OK;
}

START_TEST(what_is_over_goes)
{
    struct lh_digest key = fixture_digest("key", 1);
    struct pulse_change changes[] = {
        fixture_job(1, 1, PULSE_JOB_SUCCEEDED),
        fixture_job(1, 2, PULSE_JOB_RUNNING),
        fixture_job(1, 3, PULSE_JOB_CANCELLED),
        fixture_job(1, 4, PULSE_JOB_FAILED),
        fixture_want(1, 1, &key),
        {.kind = PULSE_CHANGE_NEEDS},
        fixture_shard(1, 1, PULSE_SHARD_DONE),
        fixture_spec(1, 1, NULL, 0, &key, 1),
        fixture_shard(1, 2, PULSE_SHARD_READY),
        fixture_spec(1, 2, NULL, 0, &key, 1),
        fixture_shard(1, 3, PULSE_SHARD_FAILED),
        {.kind = PULSE_CHANGE_EVENT, .job = {.tenant = 1, .id = 2}, .event = "{}"},
        {.kind = PULSE_CHANGE_EVENT, .job = {.tenant = 1, .id = 2}, .event = "{}"},
        {.kind = PULSE_CHANGE_EVENT, .job = {.tenant = 1, .id = 3}, .event = "{}"},
    };
    const struct pulse_artifact_row artifact = {
        .tenant = 1, .job = 1, .name = "mix.wav", .key = key, .digest = key, .size = 1};
    struct pulse_store_numbers numbers;
    uint64_t project = fixture_project(1);
    fixture_needs(&changes[5]);
    fixture_begin();
    OK(pulse_store_apply(fixture_store, changes, sizeof changes / sizeof *changes, NULL, &fixture_error));
    fixture_request(1, 1, project);
    OK(pulse_store_artifacts_put(fixture_store, &artifact, 1, &fixture_error));
    fixture_commit();
    ck_assert_uint_eq(prune(NOW, 100), 0);
    /* Job 1 and shard 1, events 1 and 2. The newest job, shard and event stay, and the job of that event. */
    ck_assert_uint_eq(prune(NOW + 1, 1), 3);
    ck_assert_uint_eq(prune(NOW + 1, 100), 1);
    ck_assert_uint_eq(prune(NOW + 1, 100), 0);
    ck_assert_int_eq(fixture_count("SELECT count(*) FROM jobs WHERE id IN (2, 3, 4)"), 3);
    ck_assert_int_eq(fixture_count("SELECT count(*) FROM jobs"), 3);
    ck_assert_int_eq(fixture_count("SELECT count(*) FROM requests"), 0);
    ck_assert_int_eq(fixture_count("SELECT count(*) FROM wants"), 0);
    ck_assert_int_eq(fixture_count("SELECT count(*) FROM artifacts"), 0);
    ck_assert_int_eq(fixture_count("SELECT count(*) FROM specs"), 1);
    ck_assert_int_eq(fixture_count("SELECT count(*) FROM shards"), 2);
    OK(pulse_store_load(fixture_store, ignore, NULL, &numbers, &fixture_error));
    ck_assert(numbers.job == 4 && numbers.shard == 3 && numbers.event == 3);
}
END_TEST

TCase *prune_tests(void)
{
    TCase *tests = tcase_create("prune");
    tcase_add_checked_fixture(tests, fixture_set_up, fixture_tear_down);
    tcase_add_test(tests, what_is_over_goes);
    return tests;
}
