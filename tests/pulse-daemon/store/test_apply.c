/* SPDX-License-Identifier: MIT */
/* Batches of changes: every kind, which of several counts, what is refused. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pulse-daemon/store/projects.h"
#include "tests/pulse-daemon/store/fixture.h"
#include "tests/pulse-daemon/store/suites.h"

START_TEST(every_kind_is_written)
{
    struct lh_digest a = fixture_digest("key", 1), b = fixture_digest("key", 2);
    /* What others refer to comes last here: the store orders. */
    struct pulse_change changes[10] = {
        fixture_want(1, 1, &b),
        {.kind = PULSE_CHANGE_EVENT, .job = {.tenant = 1, .id = 1}, .event = "{\"type\": \"running\"}"},
        {.kind = PULSE_CHANGE_ALARM, .job = {.tenant = 1, .id = 0}, .event = "{\"type\": \"two digests\"}"},
        fixture_output(1, &a, PULSE_OUTPUT_PRESENT, 7),
        fixture_output(1, &b, PULSE_OUTPUT_PROMISED, 8),
        fixture_spec(1, 8, &a, 1, &b, 1),
        fixture_shard(1, 8, PULSE_SHARD_CLAIMED),
        fixture_job(1, 1, PULSE_JOB_RUNNING),
    };
    fixture_needs(&changes[8]);
    fixture_needs(&changes[9]);
    fixture_apply(changes, 10);
    fixture_apply(changes, 1); /* a want twice is one */
    fixture_apply(changes, 0);
    ck_assert_int_eq(fixture_count("SELECT count(*) FROM wants"), 1);
    ck_assert_int_eq(fixture_count("SELECT count(*) FROM events WHERE number = 1 AND job = 1"), 1);
    ck_assert_int_eq(fixture_count("SELECT count(*) FROM alarms WHERE number = 1 AND job = 0"), 1);
    ck_assert_int_eq(
        fixture_count("SELECT count(*) FROM outputs WHERE state = 1 AND size = 4103 AND shard = 7 AND unproven = 1"),
        1);
    ck_assert_int_eq(fixture_count("SELECT count(*) FROM outputs WHERE state = 0 AND digest IS NULL"), 1);
    ck_assert_int_eq(fixture_count("SELECT count(*) FROM specs WHERE length(spec) = 10 AND length(inputs) = 32"), 1);
    ck_assert_int_eq(fixture_count("SELECT count(*) FROM shards WHERE owner = 'worker-1' AND attempt = 3 AND losses = 1"
                                   " AND failures = 2 AND failed_on = 'worker-2' AND finished_ms IS NULL"),
                     1);
    ck_assert_int_eq(fixture_count("SELECT count(*) FROM jobs WHERE priority = -7 AND state = 2"), 1);
    ck_assert_int_eq(fixture_count("SELECT count(*) FROM needs"), 1);
}
END_TEST

START_TEST(of_several_changes_the_last_counts)
{
    struct lh_digest kept = fixture_digest("key", 1), gone = fixture_digest("key", 2);
    struct pulse_change changes[16] = {
        fixture_shard(1, 1, PULSE_SHARD_READY),
        fixture_output(1, &gone, PULSE_OUTPUT_PROMISED, 1),
        fixture_job(1, 1, PULSE_JOB_QUEUED),
        fixture_output(1, &kept, PULSE_OUTPUT_PROMISED, 1),
        fixture_shard(1, 1, PULSE_SHARD_CLAIMED),
        {.kind = PULSE_CHANGE_ABSENT, .output = {.tenant = 1, .key = kept}},
        fixture_job(1, 1, PULSE_JOB_FAILED),
        fixture_output(1, &kept, PULSE_OUTPUT_PRESENT, 5),
        {.kind = PULSE_CHANGE_ABSENT, .output = {.tenant = 1, .key = gone}},
        fixture_shard(1, 1, PULSE_SHARD_DONE),
        fixture_shard(2, 1, PULSE_SHARD_READY), /* another tenant's is another row */
        fixture_output(2, &kept, PULSE_OUTPUT_PROMISED, 1),
    };
    fixture_needs(&changes[12]);
    fixture_apply(changes, 13);
    ck_assert_int_eq(fixture_count("SELECT state FROM shards WHERE tenant = 1"), PULSE_SHARD_DONE);
    ck_assert_int_eq(fixture_count("SELECT state FROM shards WHERE tenant = 2"), PULSE_SHARD_READY);
    ck_assert_int_eq(fixture_count("SELECT state FROM jobs"), PULSE_JOB_FAILED);
    ck_assert_int_eq(fixture_count("SELECT count(*) FROM outputs WHERE tenant = 1"), 1);
    ck_assert_int_eq(fixture_count("SELECT shard FROM outputs WHERE tenant = 1 AND state = 1"), 5);
    ck_assert_int_eq(fixture_count("SELECT count(*) FROM outputs WHERE tenant = 2"), 1);
    struct pulse_change again = {.kind = PULSE_CHANGE_ABSENT, .output = {.tenant = 1, .key = kept}};
    fixture_apply(&again, 1);
    fixture_apply(&again, 1); /* what is not there may go */
    ck_assert_int_eq(fixture_count("SELECT count(*) FROM outputs WHERE tenant = 1"), 0);
}
END_TEST

START_TEST(a_want_ends_but_of_several_the_last_counts)
{
    struct lh_digest kept = fixture_digest("key", 1), gone = fixture_digest("key", 2);
    struct pulse_change changes[5] = {fixture_job(1, 1, PULSE_JOB_RUNNING), fixture_want(1, 1, &kept),
                                      fixture_want(1, 1, &gone), fixture_want(1, 1, &kept), fixture_want(1, 1, &gone)};
    fixture_apply(changes, 3);
    ck_assert_int_eq(fixture_count("SELECT count(*) FROM wants"), 2);
    changes[2].kind = changes[3].kind = PULSE_CHANGE_UNWANT;
    fixture_apply(&changes[1], 4);
    ck_assert_int_eq(fixture_count("SELECT count(*) FROM wants"), 1);
    changes[4].kind = PULSE_CHANGE_UNWANT;
    fixture_apply(&changes[4], 1);
    fixture_apply(&changes[4], 1); /* what is not there may go */
    ck_assert_int_eq(fixture_count("SELECT count(*) FROM wants"), 0);
}
END_TEST

START_TEST(times_are_kept)
{
    struct pulse_change job = fixture_job(1, 1, PULSE_JOB_QUEUED);
    OK(pulse_store_begin(fixture_store, 100, &fixture_error));
    OK(pulse_store_apply(fixture_store, &job, 1, NULL, &fixture_error));
    fixture_commit();
    for (int64_t now = 200; now <= 300; now += 100) {
        job.job.state = PULSE_JOB_SUCCEEDED;
        OK(pulse_store_begin(fixture_store, now, &fixture_error));
        OK(pulse_store_apply(fixture_store, &job, 1, NULL, &fixture_error));
        fixture_commit();
    }
    ck_assert_int_eq(fixture_count("SELECT created_ms FROM jobs"), 100);
    ck_assert_int_eq(fixture_count("SELECT finished_ms FROM jobs"), 200);
}
END_TEST

START_TEST(events_are_numbered_in_their_order)
{
    struct pulse_change changes[4] = {fixture_job(1, 1, PULSE_JOB_QUEUED)};
    uint64_t first = 77;
    fixture_begin();
    OK(pulse_store_apply(fixture_store, changes, 1, &first, &fixture_error));
    ck_assert_uint_eq(first, 77); /* no event, no number */
    fixture_commit();
    for (int i = 1; i < 4; i++) {
        changes[i] = (struct pulse_change){.kind = PULSE_CHANGE_EVENT, .job = {.tenant = 1, .id = 1}, .event = "{}"};
    }
    changes[2].job.id = 0; /* of no job */
    for (uint64_t round = 0; round < 3; round++) {
        fixture_begin();
        OK(pulse_store_apply(fixture_store, changes, 4, &first, &fixture_error));
        ck_assert_uint_eq(first, 3 * round + 1);
        fixture_commit();
    }
    /* A handle that has not written yet goes on where the last one was. */
    pulse_store_close(fixture_store);
    fixture_store = fixture_open(PULSE_STORE_WRITE);
    uint64_t epoch = 0;
    OK(pulse_store_lead(fixture_store, "next", NOW, &epoch, &fixture_error));
    fixture_begin();
    OK(pulse_store_apply(fixture_store, changes, 4, &first, &fixture_error));
    fixture_commit();
    ck_assert_uint_eq(first, 10);
    ck_assert_int_eq(fixture_count("SELECT count(*) FROM events"), 12);
    ck_assert_int_eq(fixture_count("SELECT count(*) FROM events WHERE job IS NULL"), 4);
}
END_TEST

START_TEST(more_than_fits_one_statement)
{
    enum { COUNT = 5000 };
    struct pulse_change *changes = calloc(3 * COUNT + 1, sizeof *changes);
    struct lh_digest *keys = calloc(COUNT, sizeof *keys);
    char *spec = calloc(1, 8 << 20);
    ck_assert_ptr_nonnull(spec);
    for (size_t i = 0; i < COUNT; i++) {
        keys[i] = fixture_digest("key", i);
        changes[3 * i] = fixture_shard(1, COUNT - i, PULSE_SHARD_READY);
        changes[3 * i + 1] = fixture_spec(1, COUNT - i, keys, i % 50, &keys[i], 1);
        changes[3 * i + 2] = fixture_output(1, &keys[i], PULSE_OUTPUT_PROMISED, COUNT - i);
        if (i % 1000 == 0) {
            changes[3 * i + 1].spec = spec;
            changes[3 * i + 1].spec_size = 8 << 20;
        }
    }
    fixture_needs(&changes[3 * COUNT]);
    fixture_apply(changes, 3 * COUNT + 1);
    ck_assert_int_eq(fixture_count("SELECT count(*) FROM shards"), COUNT);
    ck_assert_int_eq(fixture_count("SELECT count(*) FROM specs WHERE length(spec) = 8388608"), 5);
    ck_assert_int_eq(fixture_count("SELECT count(*) FROM outputs"), COUNT);
    free(spec);
    free(keys);
    free(changes);
}
END_TEST

START_TEST(broken_rules_are_refused)
{
    struct lh_digest key = fixture_digest("key", 1);
    struct pulse_change needs;
    fixture_needs(&needs);
    fixture_apply(&needs, 1);
    struct pulse_change changes[] = {
        fixture_shard(9, 1, PULSE_SHARD_READY),   /* no such tenant */
        fixture_shard(1, 1, PULSE_SHARD_READY),   /* no such needs */
        fixture_shard(1, 0, PULSE_SHARD_READY),   /* no number */
        fixture_shard(1, 1, PULSE_SHARD_CLAIMED), /* by nobody */
        fixture_shard(1, 1, PULSE_SHARD_CLAIMED), /* by no attempt */
        fixture_spec(1, 1, NULL, 0, &key, 1),     /* of no shard */
        fixture_want(1, 1, &key),                 /* of no job */
        fixture_job(1, 1, PULSE_JOB_FAILED),      /* without saying why */
        fixture_job(1, 1, (enum pulse_job_state)17),
        fixture_output(1, &key, (enum pulse_output_state)17, 1),
    };
    changes[1].shard.needs = key;
    memset(changes[3].shard.owner, 0, sizeof changes[3].shard.owner);
    changes[4].shard.attempt = 0;
    changes[7].job.error = "";
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        fixture_refuse(&changes[i], 1, LH_ERR_INTERNAL);
    }
    ck_assert_int_eq(fixture_count("SELECT count(*) FROM shards"), 0);
    ck_assert_int_eq(fixture_count("SELECT count(*) FROM jobs"), 0);
}
END_TEST

START_TEST(nothing_of_a_refused_batch_is_left)
{
    struct pulse_change changes[3] = {fixture_shard(1, 1, PULSE_SHARD_READY), fixture_job(1, 1, PULSE_JOB_FAILED)};
    fixture_needs(&changes[2]);
    changes[1].job.error = "";
    fixture_refuse(changes, 3, LH_ERR_INTERNAL);
    ck_assert_int_eq(fixture_count("SELECT count(*) FROM shards"), 0);
    changes[1].job.error = "why";
    fixture_apply(changes, 3);
    ck_assert_int_eq(fixture_count("SELECT count(*) FROM shards"), 1);
}
END_TEST

START_TEST(what_no_database_can_hold_is_refused_before)
{
    struct lh_digest key = fixture_digest("key", 1);
    struct pulse_change big[4] = {
        fixture_shard(1, (uint64_t)INT64_MAX + 1, PULSE_SHARD_READY),
        fixture_output(1, &key, PULSE_OUTPUT_PRESENT, 1),
        fixture_spec(1, 1, NULL, 0, &key, 1),
        fixture_spec(1, 1, NULL, PULSE_SHARD_EDGES_MAX + 1, &key, 1),
    };
    char *text = malloc((64 << 20) + 2);
    ck_assert_ptr_nonnull(text);
    memset(text, 'a', (64 << 20) + 1);
    text[(64 << 20) + 1] = '\0';
    big[1].output.size = UINT64_MAX;
    big[2].spec = text;
    big[2].spec_size = (64 << 20) + 1;
    for (size_t i = 0; i < 4; i++) {
        fixture_refuse(&big[i], 1, LH_ERR_LIMIT);
    }
    struct pulse_change event = {.kind = PULSE_CHANGE_EVENT, .job = {.tenant = 1}, .event = text};
    fixture_refuse(&event, 1, LH_ERR_LIMIT);
    free(text);
    static const char *const texts[] = {"\xFF", "caf\xC3", "\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        event.event = texts[i];
        fixture_refuse(&event, 1, LH_ERR_INVALID);
    }
    ck_assert_int_eq(fixture_count("SELECT count(*) FROM events"), 0);
}
END_TEST

/* The largest that is allowed goes in and comes out. */
START_TEST(the_largest_spec)
{
    struct lh_digest key = fixture_digest("key", 1);
    struct pulse_change changes[3] = {fixture_shard(1, 1, PULSE_SHARD_READY), fixture_spec(1, 1, NULL, 0, &key, 1)};
    struct lh_arena arena;
    struct pulse_spec read = {.data = NULL};
    uint8_t *spec = malloc(PULSE_SHARD_SPEC_MAX);
    ck_assert_ptr_nonnull(spec);
    for (size_t i = 0; i < PULSE_SHARD_SPEC_MAX; i++) {
        spec[i] = (uint8_t)(i * 2654435761u >> 13);
    }
    fixture_needs(&changes[2]);
    changes[1].spec = spec;
    changes[1].spec_size = PULSE_SHARD_SPEC_MAX;
    fixture_apply(changes, 3);
    lh_arena_init(&arena);
    OK(pulse_store_spec(fixture_store, 1, 1, &arena, &read, &fixture_error));
    ck_assert_uint_eq(read.size, PULSE_SHARD_SPEC_MAX);
    ck_assert_int_eq(memcmp(read.data, spec, read.size), 0);
    lh_arena_fini(&arena);
    free(spec);
}
END_TEST

TCase *apply_tests(void)
{
    TCase *tests = tcase_create("apply");
    tcase_add_checked_fixture(tests, fixture_set_up, fixture_tear_down);
    tcase_add_test(tests, every_kind_is_written);
    tcase_add_test(tests, of_several_changes_the_last_counts);
    tcase_add_test(tests, a_want_ends_but_of_several_the_last_counts);
    tcase_add_test(tests, times_are_kept);
    tcase_add_test(tests, events_are_numbered_in_their_order);
    tcase_add_test(tests, more_than_fits_one_statement);
    tcase_add_test(tests, broken_rules_are_refused);
    tcase_add_test(tests, nothing_of_a_refused_batch_is_left);
    tcase_add_test(tests, what_no_database_can_hold_is_refused_before);
    tcase_add_test(tests, the_largest_spec);
    return tests;
}
