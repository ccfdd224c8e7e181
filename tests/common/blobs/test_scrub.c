/* SPDX-License-Identifier: MIT */
/* The scrub. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/blobs/blobs.h"
#include "tests/common/blobs/folder.h"
#include "tests/support/testing.h"

static char path[FOLDER_SIZE];
static struct lh_blobs *blobs;
static struct lh_blobs_scrub *scrub;
static struct lh_error error;

static void setup(void)
{
    folders_make(path, sizeof path);
    blobs = folder_open(path);
    ck_assert_int_eq(lh_blobs_scrub_new(blobs, &scrub), LH_OK);
    error = LH_ERROR_INIT;
}

static void teardown(void)
{
    lh_blobs_scrub_free(scrub);
    lh_blobs_scrub_free(NULL);
    lh_blobs_close(blobs);
    folders_remove(path);
}

static void reopen(void)
{
    lh_blobs_scrub_free(scrub);
    lh_blobs_close(blobs);
    blobs = folder_open(path);
    ck_assert_int_eq(lh_blobs_scrub_new(blobs, &scrub), LH_OK);
}

static struct lh_blobs_scrubbed step(uint64_t bytes)
{
    struct lh_blobs_scrubbed scrubbed;
    enum lh_status status = lh_blobs_scrub_step(scrub, bytes, &scrubbed, &error);
    ck_assert_msg(status == LH_OK, "%s", error.message);
    ck_assert_uint_le(scrubbed.bytes, bytes);
    return scrubbed;
}

static void spoil(const char *place, const struct lh_digest *digest)
{
    int fd = open(folder_blob_path(path, place, digest), O_RDWR | O_CLOEXEC);
    char byte;
    ck_assert_int_eq(pread(fd, &byte, 1, 10), 1);
    byte ^= 1;
    ck_assert_int_eq(pwrite(fd, &byte, 1, 10), 1);
    close(fd);
}

START_TEST(test_reads_everything_once_a_round)
{
    for (uint64_t i = 0; i < 20; i++) {
        folder_put(blobs, i, 1000, LH_BLOBS_CACHED);
    }
    for (unsigned round = 0; round < 2; round++) {
        uint64_t bytes = 0;
        struct lh_blobs_scrubbed scrubbed;
        do {
            scrubbed = step(777); /* across the ends of blobs */
            ck_assert(!scrubbed.damaged);
            bytes += scrubbed.bytes;
        } while (!scrubbed.round);
        ck_assert_uint_eq(bytes, 20000);
    }
}
END_TEST

START_TEST(test_has_nothing_to_read)
{
    ck_assert(step(1).round);
    folder_put(blobs, 1, 0, LH_BLOBS_KEPT);
    ck_assert(step(UINT64_MAX).round);
}
END_TEST

/* As many files as there are, each of a few bytes, must not be looked up within one step. */
START_TEST(test_small_blobs_take_their_time)
{
    for (uint64_t i = 0; i < 20; i++) {
        folder_put(blobs, i, 10, LH_BLOBS_CACHED);
    }
    unsigned steps = 1;
    while (!step(65536).round) {
        steps++;
    }
    ck_assert_uint_ge(steps, 4);
}
END_TEST

START_TEST(test_finds_damage)
{
    struct lh_digest kept = folder_put(blobs, 1, 1000, LH_BLOBS_KEPT),
                     cached = folder_put(blobs, 2, 1000, LH_BLOBS_CACHED);
    folder_put(blobs, 3, 1000, LH_BLOBS_CACHED);
    ck_assert_int_eq(lh_blobs_hold(blobs, &kept, NULL, &error), LH_OK); /* goes all the same */
    spoil("kept", &kept);
    spoil("cached", &cached);
    unsigned found = 0;
    struct lh_blobs_scrubbed scrubbed;
    do {
        scrubbed = step(UINT64_MAX);
        if (scrubbed.damaged) {
            ck_assert(lh_digest_equal(&scrubbed.digest, &kept) || lh_digest_equal(&scrubbed.digest, &cached));
            ck_assert(!lh_blobs_has(blobs, &scrubbed.digest, NULL));
            found++;
        }
    } while (!scrubbed.round);
    ck_assert_uint_eq(found, 2);
    lh_blobs_release(blobs, &kept);
    ck_assert_uint_eq(folder_verify(path), 1);
    ck_assert_uint_eq(folder_count(path, "damaged"), 1); /* what cannot be made again is for the operator to see */
    folder_put(blobs, 1, 1000, LH_BLOBS_KEPT);
    ck_assert_uint_eq(folder_verify(path), 2);
}
END_TEST

START_TEST(test_goes_on_after_a_restart)
{
    for (uint64_t i = 0; i < 10; i++) {
        folder_put(blobs, i, 100, LH_BLOBS_CACHED);
    }
    struct lh_blobs_scrubbed scrubbed;
    for (int i = 0; i < 3; i++) {
        ck_assert_uint_eq(step(100).bytes, 100);
    }
    reopen();
    uint64_t bytes = 0;
    do {
        scrubbed = step(100);
        bytes += scrubbed.bytes;
    } while (!scrubbed.round);
    ck_assert_uint_eq(bytes, 700);
    reopen(); /* at the end of a round it begins anew */
    ck_assert_uint_eq(step(UINT64_MAX).bytes, 1000);
    folder_write(path, "scrub", "garbage", 7);
    reopen();
    ck_assert_uint_eq(step(UINT64_MAX).bytes, 1000);
}
END_TEST

START_TEST(test_settles_suspects)
{
    struct lh_digest good = folder_put(blobs, 1, 1000, LH_BLOBS_CACHED),
                     bad = folder_put(blobs, 2, 1000, LH_BLOBS_CACHED);
    spoil("cached", &bad);
    lh_blobs_scrub_free(scrub);
    lh_blobs_close(blobs);
    folder_power_cut(path);
    blobs = folder_open(path);
    ck_assert_int_eq(lh_blobs_scrub_new(blobs, &scrub), LH_OK);
    struct lh_blobs_usage usage;
    while (!step(UINT64_MAX).round) {
    }
    lh_blobs_usage(blobs, &usage);
    ck_assert_uint_eq(usage.suspect_count, 0);
    ck_assert_uint_eq(usage.count, 1);
    ck_assert_str_eq(folder_place(path, &good), "cached");
    ck_assert_str_eq(folder_place(path, &bad), "");
}
END_TEST

START_TEST(test_blobs_come_and_go_meanwhile)
{
    struct lh_digest digests[10];
    for (uint64_t i = 0; i < 10; i++) {
        digests[i] = folder_put(blobs, i, 100, LH_BLOBS_CACHED);
    }
    for (unsigned i = 0; i < 10; i++) {
        ck_assert(!step(50).damaged); /* in the midst of a blob */
        ck_assert(lh_blobs_mark(blobs, &digests[i], 0));
        ck_assert_int_eq(lh_blobs_remove(blobs, &digests[i], NULL, &error), LH_OK);
        folder_put(blobs, 100 + i, 100, LH_BLOBS_CACHED);
    }
    while (!step(50).round) {
    }
}
END_TEST

START_TEST(test_nth_allocation_fails)
{
    bool failed = true;
    for (size_t n = 1; failed; n++) {
        struct lh_blobs_scrub *other = NULL;
        testing_fail_allocation(n);
        enum lh_status status = lh_blobs_scrub_new(blobs, &other);
        failed = testing_fail_allocation_end();
        ck_assert_int_eq(status, failed ? LH_ERR_NO_MEMORY : LH_OK);
        lh_blobs_scrub_free(other);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("common/blobs/scrub");
    TCase *tests = tcase_create("scrub");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, test_reads_everything_once_a_round);
    tcase_add_test(tests, test_has_nothing_to_read);
    tcase_add_test(tests, test_small_blobs_take_their_time);
    tcase_add_test(tests, test_finds_damage);
    tcase_add_test(tests, test_goes_on_after_a_restart);
    tcase_add_test(tests, test_settles_suspects);
    tcase_add_test(tests, test_blobs_come_and_go_meanwhile);
    tcase_add_test(tests, test_nth_allocation_fails);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
