/* SPDX-License-Identifier: MIT */
/* Media rows: per tenant, pinned, forgotten, referred to, counted. */
#include "pulse-daemon/store/media.h"

#include <string.h>

#include "pulse-daemon/store/access.h"
#include "pulse-daemon/store/projects.h"
#include "tests/pulse-daemon/store/fixture.h"
#include "tests/pulse-daemon/store/suites.h"

static void put(const struct pulse_media_row *rows, size_t count)
{
    fixture_begin();
    OK(pulse_store_media_put(fixture_store, rows, count, &fixture_error));
    fixture_commit();
}

struct found {
    struct pulse_media_row rows[4];
    size_t count;
};

static enum lh_status note_medium(void *context, size_t index, const struct pulse_media_row *row)
{
    struct found *found = context;
    ck_assert_uint_lt(index, 4);
    found->rows[index] = *row;
    found->count++;
    return LH_OK;
}

START_TEST(a_digest_counts_for_who_uploaded_it)
{
    struct lh_digest digests[3] = {fixture_digest("m", 0), fixture_digest("m", 1), fixture_digest("m", 2)};
    const struct pulse_media_row rows[] = {
        {.tenant = 1, .digest = digests[0], .size = 10, .pinned_until_ms = NOW + 10},
        {.tenant = 2, .digest = digests[1], .size = 11},
        {.tenant = 1, .digest = digests[2], .size = 0},
        {.tenant = 1, .digest = digests[0], .size = 10, .pinned_until_ms = NOW + 5},
    };
    struct found found = {.count = 0};
    put(rows, 4);
    OK(pulse_store_media(fixture_store, 1, digests, 3, note_medium, &found, &fixture_error));
    ck_assert_uint_eq(found.count, 2);
    ck_assert(found.rows[0].size == 10 && found.rows[0].pinned_until_ms == NOW + 10);
    ck_assert(found.rows[0].uploaded_ms == NOW);
    ck_assert(found.rows[1].tenant == 0);
}
END_TEST

START_TEST(what_refers_to_a_blob)
{
    struct lh_digest digests[5];
    bool referenced[5];
    struct pulse_change changes[2];
    for (size_t i = 0; i < 5; i++) {
        digests[i] = fixture_digest("b", i);
    }
    const struct pulse_media_row medium = {.tenant = 2, .digest = digests[0], .size = 1};
    put(&medium, 1);
    changes[0] = fixture_output(1, &digests[4], PULSE_OUTPUT_PRESENT, 1); /* a key is no reference */
    changes[0].output.digest = digests[1];
    changes[1] = fixture_job(1, 1, PULSE_JOB_SUCCEEDED);
    fixture_apply(changes, 2);
    const struct pulse_artifact_row artifact = {
        .tenant = 1, .job = 1, .name = "mix.wav", .key = digests[4], .digest = digests[2], .size = 1};
    fixture_begin();
    OK(pulse_store_artifacts_put(fixture_store, &artifact, 1, &fixture_error));
    fixture_commit();
    OK(pulse_store_referenced(fixture_store, digests, 5, referenced, &fixture_error));
    ck_assert(referenced[0] && referenced[1] && referenced[2] && !referenced[3] && !referenced[4]);
    changes[0].kind = PULSE_CHANGE_ABSENT;
    fixture_apply(changes, 1);
    OK(pulse_store_referenced(fixture_store, digests, 5, referenced, &fixture_error));
    ck_assert(referenced[0] && !referenced[1] && referenced[2]);
}
END_TEST

START_TEST(media_are_forgotten_when_nothing_holds_them)
{
    struct pulse_media_row rows[5];
    size_t removed = 9;
    uint64_t project = fixture_project(1); /* one medium, pinned until NOW + 1, named by a revision */
    for (size_t i = 0; i < 5; i++) {
        rows[i] = (struct pulse_media_row){
            .tenant = 1 + i % 2, .digest = fixture_digest("m", i), .size = 1, .pinned_until_ms = NOW + (int64_t)i};
    }
    put(rows, 5);
    OK(pulse_store_begin(fixture_store, NOW + 3, &fixture_error));
    OK(pulse_store_media_forget(fixture_store, 2, &removed, &fixture_error));
    ck_assert_uint_eq(removed, 2);
    OK(pulse_store_media_forget(fixture_store, 2, &removed, &fixture_error));
    ck_assert_uint_eq(removed, 1);
    OK(pulse_store_media_forget(fixture_store, 2, &removed, &fixture_error));
    ck_assert_uint_eq(removed, 0);
    fixture_commit();
    ck_assert_int_eq(fixture_count("SELECT count(*) FROM media"), 3);
    OK(pulse_store_begin(fixture_store, NOW + 30, &fixture_error));
    OK(pulse_store_project_delete(fixture_store, 1, project, &fixture_error));
    OK(pulse_store_media_forget(fixture_store, 9, &removed, &fixture_error));
    fixture_commit();
    ck_assert_uint_eq(removed, 3);
}
END_TEST

START_TEST(pins_are_renewed)
{
    struct lh_digest digests[4] = {fixture_digest("m", 0), fixture_digest("m", 1), fixture_digest("m", 2),
                                   fixture_digest("m", 0)};
    const struct pulse_media_row rows[] = {
        {.tenant = 1, .digest = digests[0], .size = 1, .pinned_until_ms = NOW + 1},
        {.tenant = 1, .digest = digests[1], .size = 1, .pinned_until_ms = NOW + 9},
        {.tenant = 2, .digest = digests[0], .size = 1, .pinned_until_ms = NOW + 1},
    };
    struct found found = {.count = 0};
    put(rows, 3);
    fixture_begin();
    OK(pulse_store_media_pin(fixture_store, 1, digests, 4, NOW + 5, &fixture_error)); /* one twice, one of nobody */
    OK(pulse_store_media_pin(fixture_store, 1, digests, 0, NOW + 5, &fixture_error));
    fixture_commit();
    OK(pulse_store_media(fixture_store, 1, digests, 3, note_medium, &found, &fixture_error));
    ck_assert_uint_eq(found.count, 2);
    ck_assert(found.rows[0].pinned_until_ms == NOW + 5 && found.rows[1].pinned_until_ms == NOW + 9);
    OK(pulse_store_media(fixture_store, 2, digests, 1, note_medium, &found, &fixture_error));
    ck_assert_int_eq(found.rows[0].pinned_until_ms, NOW + 1); /* another tenant's */
}
END_TEST

START_TEST(what_a_tenant_holds)
{
    struct pulse_usage usage;
    struct pulse_media_row rows[2];
    struct pulse_change changes[4];
    for (size_t i = 0; i < 2; i++) {
        rows[i] = (struct pulse_media_row){.tenant = 1, .digest = fixture_digest("m", i), .size = UINT64_C(1) << 60};
    }
    put(rows, 2);
    for (size_t i = 0; i < 4; i++) {
        struct lh_digest key = fixture_digest("key", i);
        changes[i] = fixture_output(i == 3 ? 2 : 1, &key, i == 2 ? PULSE_OUTPUT_PROMISED : PULSE_OUTPUT_PRESENT, 1);
    }
    changes[2].output.size = 555;
    fixture_apply(changes, 4); /* two outputs with the same bytes */
    OK(pulse_store_usage(fixture_store, 1, &usage, &fixture_error));
    ck_assert(usage.media_count == 2 && usage.media_bytes == UINT64_C(1) << 61 && usage.quota_bytes == 0);
    ck_assert(usage.output_count == 2 && usage.output_bytes == 4097);
    ck_assert(usage.promised_count == 1 && usage.promised_bytes == 555 && usage.file_count == 0);
    OK(pulse_store_usage(fixture_store, 2, &usage, &fixture_error));
    ck_assert(usage.media_count == 0 && usage.media_bytes == 0 && usage.output_count == 1);
    FAILS(pulse_store_usage(fixture_store, 3, &usage, &fixture_error), LH_ERR_MISSING);
}
END_TEST

/* Files stay, outputs can go, and the same bytes are not counted twice. */
START_TEST(finished_files_are_no_outputs)
{
    struct pulse_usage usage;
    struct lh_digest keys[2] = {fixture_digest("key", 0), fixture_digest("key", 1)};
    struct pulse_change changes[4] = {fixture_output(1, &keys[0], PULSE_OUTPUT_PRESENT, 1),
                                      fixture_output(1, &keys[1], PULSE_OUTPUT_PRESENT, 1),
                                      fixture_job(1, 1, PULSE_JOB_SUCCEEDED), fixture_job(1, 2, PULSE_JOB_SUCCEEDED)};
    changes[1].output.digest = fixture_digest("other", 1);
    changes[1].output.size = 1000;
    struct pulse_artifact_row files[2] = {
        {.tenant = 1, .job = 1, .name = "mix.wav", .key = keys[0], .digest = changes[0].output.digest, .size = 4097},
        {.tenant = 1, .job = 2, .name = "mix.wav", .key = keys[0], .digest = changes[0].output.digest, .size = 4097}};
    fixture_apply(changes, 4);
    fixture_begin();
    OK(pulse_store_artifacts_put(fixture_store, files, 2, &fixture_error));
    fixture_commit();
    OK(pulse_store_usage(fixture_store, 1, &usage, &fixture_error));
    ck_assert(usage.file_count == 2 && usage.file_bytes == 4097);
    ck_assert(usage.output_count == 2 && usage.output_bytes == 1000);
    ck_assert(usage.promised_count == 0 && usage.promised_bytes == 0);
    OK(pulse_store_usage_kept(fixture_store, 1, &usage, &fixture_error));
    ck_assert(usage.file_bytes == 4097 && usage.output_count == 0 && usage.output_bytes == 0);
    OK(pulse_store_usage(fixture_store, 2, &usage, &fixture_error));
    ck_assert(usage.file_count == 0 && usage.file_bytes == 0 && usage.output_bytes == 0);
    FAILS(pulse_store_usage_kept(fixture_store, 3, &usage, &fixture_error), LH_ERR_MISSING);
}
END_TEST

TCase *media_tests(void)
{
    TCase *tests = tcase_create("media");
    tcase_add_checked_fixture(tests, fixture_set_up, fixture_tear_down);
    tcase_add_test(tests, a_digest_counts_for_who_uploaded_it);
    tcase_add_test(tests, what_refers_to_a_blob);
    tcase_add_test(tests, media_are_forgotten_when_nothing_holds_them);
    tcase_add_test(tests, pins_are_renewed);
    tcase_add_test(tests, what_a_tenant_holds);
    tcase_add_test(tests, finished_files_are_no_outputs);
    return tests;
}
