/* SPDX-License-Identifier: MIT */
/* The collector between a real folder and a real store. */
#include "pulse-daemon/media/collect.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pulse-daemon/store/projects.h"
#include "tests/common/blobs/folder.h"
#include "tests/pulse-daemon/store/fixture.h"

static char path[FOLDER_SIZE];
static struct lh_blobs *blobs;

static void setup(void)
{
    fixture_set_up();
    folders_make(path, sizeof path);
    blobs = folder_open(path);
}

static void teardown(void)
{
    lh_blobs_close(blobs);
    folders_remove(path);
    fixture_tear_down();
}

static uint64_t count_blobs(void)
{
    struct lh_blobs_usage usage;
    lh_blobs_usage(blobs, &usage);
    return usage.count;
}

/* A medium of a tenant, uploaded now. */
static struct lh_digest upload(uint64_t tenant, uint64_t seed)
{
    struct lh_digest digest = folder_put(blobs, seed, 100, LH_BLOBS_KEPT);
    struct pulse_media_row row = {.tenant = tenant,
                                  .digest = digest,
                                  .size = 100,
                                  .uploaded_ms = NOW,
                                  .pinned_until_ms = NOW + (int64_t)PULSE_UPLOAD_PIN_SECONDS * 1000};
    fixture_begin();
    OK(pulse_store_media_put(fixture_store, &row, 1, &fixture_error));
    fixture_commit();
    return digest;
}

/* A present output of a tenant. */
static struct lh_digest output(uint64_t tenant, uint64_t seed)
{
    struct lh_digest digest = folder_put(blobs, seed, 100, LH_BLOBS_CACHED), key = fixture_digest("key", seed);
    struct pulse_change change = fixture_output(tenant, &key, PULSE_OUTPUT_PRESENT, 1);
    change.output.digest = digest;
    change.output.size = 100;
    fixture_apply(&change, 1);
    return digest;
}

/* A whole round; what it removed. */
static struct pulse_collected sweep(int64_t now_ms, uint64_t unused_ms)
{
    struct pulse_sweep round = {0};
    struct pulse_collected all = {0}, step;
    do {
        OK(pulse_media_sweep(blobs, fixture_store, &round, now_ms, unused_ms, &step, &fixture_error));
        all.blobs += step.blobs;
        all.bytes += step.bytes;
        all.rows += step.rows;
    } while (step.more);
    ck_assert(!round.started);
    return all;
}

START_TEST(test_sweeps_what_nothing_refers_to)
{
    struct lh_digest medium = upload(1, 1), made = output(1, 2);
    struct lh_digest stray = folder_put(blobs, 3, 50, LH_BLOBS_CACHED), held = folder_put(blobs, 4, 50, LH_BLOBS_KEPT);
    OK(lh_blobs_hold(blobs, &held, NULL, &fixture_error));
    ck_assert_uint_eq(sweep(NOW, 60000).blobs, 0); /* used just now */
    struct pulse_collected collected = sweep(NOW, 0);
    ck_assert_uint_eq(collected.blobs, 1);
    ck_assert_uint_eq(collected.bytes, 50);
    ck_assert(!lh_blobs_has(blobs, &stray, NULL));
    ck_assert(lh_blobs_has(blobs, &medium, NULL) && lh_blobs_has(blobs, &made, NULL));
    ck_assert(lh_blobs_has(blobs, &held, NULL));
    lh_blobs_release(blobs, &held);
    ck_assert_uint_eq(sweep(NOW, 0).blobs, 1);
    ck_assert_uint_eq(folder_verify(path), 2);
}
END_TEST

START_TEST(test_sweeps_many)
{
    enum { MANY = 3 * PULSE_COLLECT_BATCH + 1 };
    for (uint64_t i = 0; i < MANY; i++) {
        folder_put(blobs, i, 8, LH_BLOBS_CACHED);
    }
    upload(1, MANY);
    ck_assert_uint_eq(sweep(NOW, 0).blobs, MANY);
    ck_assert_uint_eq(count_blobs(), 1);
    lh_blobs_empty_trash(blobs);
    ck_assert_uint_eq(folder_count(path, "trash"), 0);
}
END_TEST

START_TEST(test_uploads_stay_for_a_day_and_named_ones_for_good)
{
    int64_t later = NOW + (int64_t)PULSE_UPLOAD_PIN_SECONDS * 1000;
    struct lh_digest named = upload(1, 1), unnamed = upload(1, 2), shared = upload(1, 3);
    upload(2, 3); /* the other tenant's row is its own */
    const struct pulse_manifest_file file = {.path = "kick.wav", .digest = named, .size = 100};
    const struct pulse_revision_row first = {
        .author = "", .message = "", .document = "{}", .document_size = 2, .files = &file, .file_count = 1};
    uint64_t project = 0;
    fixture_begin();
    OK(pulse_store_project_new(fixture_store, 1, "song", &first, &project, &fixture_error));
    fixture_commit();
    struct pulse_collected collected = sweep(later - 1, 0);
    ck_assert_uint_eq(collected.rows, 0);
    ck_assert_uint_eq(collected.blobs, 0);
    collected = sweep(later + 1, 0);
    ck_assert_uint_eq(collected.rows, 3);
    ck_assert_uint_eq(collected.blobs, 2);
    ck_assert(lh_blobs_has(blobs, &named, NULL));
    ck_assert(!lh_blobs_has(blobs, &unnamed, NULL) && !lh_blobs_has(blobs, &shared, NULL));
}
END_TEST

/* ---- Eviction */

static bool is_third(void *context, uint64_t tenant, const struct lh_digest *key)
{
    const struct lh_digest held = fixture_digest("key", 3);
    ck_assert_uint_eq(tenant, 1);
    ++*(unsigned *)context;
    return lh_digest_equal(key, &held);
}

START_TEST(test_evicts_outputs_until_there_is_room)
{
    unsigned asked = 0;
    struct lh_digest made[8], medium = upload(1, 100);
    for (uint64_t i = 0; i < 8; i++) {
        made[i] = output(i == 7 ? 2 : 1, i);
    }
    lh_blobs_limit(blobs, 900, 0);
    ck_assert_uint_eq(lh_blobs_excess(blobs, 0), 0);
    struct pulse_eviction eviction = {
        .tenant = 1, .bytes = lh_blobs_excess(blobs, 250), .now_ms = NOW, .is_held = is_third, .context = &asked};
    ck_assert_uint_eq(eviction.bytes, 250);
    struct pulse_collected collected;
    OK(pulse_media_evict(blobs, fixture_store, &eviction, &collected, &fixture_error));
    ck_assert_uint_eq(collected.blobs, 3);
    ck_assert_uint_eq(collected.rows, 3);
    ck_assert(!collected.more);
    ck_assert_uint_gt(asked, 0);
    /* More than there is: what is held, of another tenant, or no output stays. */
    eviction.bytes = UINT64_MAX;
    do {
        OK(pulse_media_evict(blobs, fixture_store, &eviction, &collected, &fixture_error));
    } while (collected.more);
    ck_assert(lh_blobs_has(blobs, &made[3], NULL) && lh_blobs_has(blobs, &made[7], NULL));
    ck_assert(lh_blobs_has(blobs, &medium, NULL));
    ck_assert_uint_eq(count_blobs(), 3);
    ck_assert_int_eq(fixture_count("SELECT count(*) FROM outputs"), 2);
    eviction.bytes = 0;
    OK(pulse_media_evict(blobs, fixture_store, &eviction, &collected, &fixture_error));
    ck_assert_uint_eq(collected.rows, 0);
}
END_TEST

START_TEST(test_equal_bytes_of_two_keys_go_with_the_last)
{
    struct lh_digest digest = output(1, 1), other_key = fixture_digest("key", 99);
    struct pulse_change change = fixture_output(2, &other_key, PULSE_OUTPUT_PRESENT, 1);
    change.output.digest = digest;
    change.output.size = 100;
    fixture_apply(&change, 1);
    struct pulse_eviction eviction = {.tenant = 1, .bytes = 100, .now_ms = NOW};
    struct pulse_collected collected;
    OK(pulse_media_evict(blobs, fixture_store, &eviction, &collected, &fixture_error));
    ck_assert_uint_eq(collected.rows, 1);
    ck_assert_uint_eq(collected.blobs, 0);
    ck_assert(lh_blobs_has(blobs, &digest, NULL));
    eviction.tenant = 2;
    OK(pulse_media_evict(blobs, fixture_store, &eviction, &collected, &fixture_error));
    ck_assert_uint_eq(collected.blobs, 1);
}
END_TEST

/* ---- At once */

static struct lh_digest shared_digest;
static pthread_mutex_t committing = PTHREAD_MUTEX_INITIALIZER; /* the store's handle belongs to one at a time */

/* Puts the blob, commits what refers to it, lets go of it; and takes the reference away again. */
static void *bring(void *context)
{
    struct lh_digest key = fixture_digest("key", 1);
    for (unsigned i = 0; i < 150; i++) {
        struct lh_blob blob;
        struct lh_error error;
        uint8_t *bytes = folder_bytes(1, 100);
        ck_assert_int_eq(lh_blobs_put_bytes(blobs, bytes, 100, LH_BLOBS_CACHED, &blob, &error), LH_OK);
        free(bytes);
        struct pulse_change change = fixture_output(1, &key, PULSE_OUTPUT_PRESENT, 1);
        change.output.digest = blob.digest;
        change.output.size = blob.size;
        pthread_mutex_lock(&committing);
        fixture_apply(&change, 1);
        pthread_mutex_unlock(&committing);
        lh_blobs_release(blobs, &blob.digest);
        pthread_mutex_lock(&committing);
        ck_assert(lh_blobs_has(blobs, &blob.digest, NULL)); /* a row never points to what was collected */
        change.kind = PULSE_CHANGE_ABSENT;
        fixture_apply(&change, 1);
        pthread_mutex_unlock(&committing);
    }
    atomic_store((_Atomic bool *)context, true);
    return NULL;
}

START_TEST(test_rows_never_point_to_what_was_collected)
{
    _Atomic bool done = false;
    uint64_t removed = 0;
    pthread_t bringer;
    shared_digest = folder_digest(1, 100);
    ck_assert_int_eq(pthread_create(&bringer, NULL, bring, &done), 0);
    while (!atomic_load(&done)) {
        struct pulse_collected collected;
        pthread_mutex_lock(&committing);
        OK(pulse_media_release(blobs, fixture_store, &shared_digest, 1, 0, &collected, &fixture_error));
        pthread_mutex_unlock(&committing);
        removed += collected.blobs;
    }
    pthread_join(bringer, NULL);
    ck_assert_uint_gt(removed, 0);
    ck_assert_uint_eq(folder_verify(path), count_blobs());
}
END_TEST

START_TEST(test_store_that_fails_changes_nothing)
{
    struct lh_digest stray = folder_put(blobs, 3, 50, LH_BLOBS_CACHED);
    struct pulse_collected collected = {.blobs = 77};
    struct pulse_sweep round = {0};
    output(1, 1);
    fixture_execute("DROP TABLE outputs");
    ck_assert_int_ne(pulse_media_sweep(blobs, fixture_store, &round, NOW, 0, &collected, &fixture_error), LH_OK);
    const struct pulse_eviction eviction = {.tenant = 1, .bytes = 1, .now_ms = NOW};
    ck_assert_int_ne(pulse_media_evict(blobs, fixture_store, &eviction, &collected, &fixture_error), LH_OK);
    ck_assert_uint_eq(collected.blobs, 77);
    ck_assert(lh_blobs_has(blobs, &stray, NULL)); /* and not marked any more */
    ck_assert_uint_eq(count_blobs(), 2);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pulse-daemon/media/collect");
    TCase *tests = tcase_create("collect");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, test_sweeps_what_nothing_refers_to);
    tcase_add_test(tests, test_sweeps_many);
    tcase_add_test(tests, test_uploads_stay_for_a_day_and_named_ones_for_good);
    tcase_add_test(tests, test_evicts_outputs_until_there_is_room);
    tcase_add_test(tests, test_equal_bytes_of_two_keys_go_with_the_last);
    tcase_add_test(tests, test_rows_never_point_to_what_was_collected);
    tcase_add_test(tests, test_store_that_fails_changes_nothing);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
