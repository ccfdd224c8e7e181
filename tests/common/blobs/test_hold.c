/* SPDX-License-Identifier: MIT */
/* Holding, reading and promoting. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/blobs/blobs.h"
#include "tests/common/blobs/folder.h"
#include "tests/support/testing.h"

static char path[FOLDER_SIZE];
static struct lh_blobs *blobs;
static struct lh_error error;

static void setup(void)
{
    folders_make(path, sizeof path);
    blobs = folder_open(path);
    error = LH_ERROR_INIT;
}

static void teardown(void)
{
    lh_blobs_close(blobs);
    folders_remove(path);
}

static struct lh_blobs_usage usage_now(void)
{
    struct lh_blobs_usage usage;
    lh_blobs_usage(blobs, &usage);
    return usage;
}

START_TEST(test_reads)
{
    struct lh_digest digest = folder_put(blobs, 1, 1000, LH_BLOBS_KEPT), found;
    struct lh_blob blob;
    int fd = -1;
    ck_assert_int_eq(lh_blobs_read(blobs, &digest, &fd, &blob, &error), LH_OK);
    ck_assert_uint_eq(blob.size, 1000);
    ck_assert_int_eq(lh_digest_file(fd, &found, NULL), LH_OK);
    ck_assert(lh_digest_equal(&digest, &found));
    ck_assert_int_eq(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
    /* The descriptor outlives the name. */
    ck_assert(lh_blobs_mark(blobs, &digest, 0));
    ck_assert_int_eq(lh_blobs_remove(blobs, &digest, NULL, &error), LH_OK);
    lh_blobs_empty_trash(blobs);
    ck_assert_int_eq(lh_digest_file(fd, &found, NULL), LH_OK);
    ck_assert(lh_digest_equal(&digest, &found));
    close(fd);
    ck_assert_int_eq(lh_blobs_read(blobs, &digest, &fd, NULL, &error), LH_ERR_MISSING);
}
END_TEST

START_TEST(test_what_is_held_stays)
{
    struct lh_digest digest = folder_put(blobs, 1, 10, LH_BLOBS_CACHED);
    ck_assert_int_eq(lh_blobs_hold(blobs, &digest, NULL, &error), LH_OK);
    ck_assert_int_eq(lh_blobs_hold(blobs, &digest, NULL, &error), LH_OK);
    lh_blobs_release(blobs, &digest);
    ck_assert(!lh_blobs_mark(blobs, &digest, 0));
    lh_blobs_release(blobs, &digest);
    ck_assert(lh_blobs_mark(blobs, &digest, 0));
    ck_assert(!lh_blobs_mark(blobs, &digest, 0));
    ck_assert(!lh_blobs_has(blobs, &digest, NULL));
    lh_blobs_unmark(blobs, &digest);
    ck_assert(lh_blobs_has(blobs, &digest, NULL));
    lh_blobs_release(blobs, &digest); /* once too often does no harm */
    digest.bytes[0] ^= 1;
    lh_blobs_release(blobs, &digest);
    ck_assert_int_eq(lh_blobs_hold(blobs, &digest, NULL, &error), LH_ERR_MISSING);
}
END_TEST

START_TEST(test_promotes)
{
    struct lh_digest digest = folder_put(blobs, 1, 10, LH_BLOBS_CACHED);
    ck_assert_int_eq(lh_blobs_keep(blobs, &digest, &error), LH_OK);
    ck_assert_str_eq(folder_place(path, &digest), "kept");
    ck_assert_int_eq(lh_blobs_keep(blobs, &digest, &error), LH_OK);
    ck_assert_uint_eq(usage_now().cached_count, 0);
    ck_assert_uint_eq(usage_now().count, 1);
    ck_assert(lh_blobs_mark(blobs, &digest, 0)); /* nothing is held any more */
    lh_blobs_unmark(blobs, &digest);
    digest.bytes[0] ^= 1;
    ck_assert_int_eq(lh_blobs_keep(blobs, &digest, &error), LH_ERR_MISSING);
}
END_TEST

START_TEST(test_forgets_what_was_deleted_behind_our_back)
{
    struct lh_digest read = folder_put(blobs, 1, 10, LH_BLOBS_CACHED), kept = folder_put(blobs, 2, 20, LH_BLOBS_CACHED);
    struct lh_digest shorter = folder_put(blobs, 3, 30, LH_BLOBS_KEPT);
    int fd = -1;
    ck_assert_int_eq(unlink(folder_blob_path(path, "cached", &read)), 0);
    ck_assert_int_eq(unlink(folder_blob_path(path, "cached", &kept)), 0);
    ck_assert_int_eq(truncate(folder_blob_path(path, "kept", &shorter), 29), 0);
    ck_assert_int_eq(lh_blobs_read(blobs, &read, &fd, NULL, &error), LH_ERR_MISSING);
    ck_assert_int_eq(lh_blobs_keep(blobs, &kept, &error), LH_ERR_MISSING);
    ck_assert_int_eq(lh_blobs_read(blobs, &shorter, &fd, NULL, &error), LH_ERR_MISSING);
    ck_assert_uint_eq(usage_now().count, 0);
    ck_assert_uint_eq(usage_now().bytes, 0);
    ck_assert_int_eq(fd, -1);
    folder_put(blobs, 3, 30, LH_BLOBS_KEPT); /* over the damaged file */
    ck_assert_uint_eq(folder_verify(path), 1);
}
END_TEST

START_TEST(test_use_is_remembered)
{
    struct lh_digest digest = folder_put(blobs, 1, 10, LH_BLOBS_CACHED);
    struct stat info;
    int fd = -1;
    struct timespec old[2] = {{.tv_sec = 1000000}, {.tv_sec = 1000000}};
    lh_blobs_close(blobs);
    ck_assert_int_eq(utimensat(AT_FDCWD, folder_blob_path(path, "cached", &digest), old, 0), 0);
    blobs = folder_open(path);
    ck_assert(lh_blobs_mark(blobs, &digest, 3600 * 1000));
    lh_blobs_unmark(blobs, &digest);
    ck_assert_int_eq(lh_blobs_read(blobs, &digest, &fd, NULL, &error), LH_OK);
    close(fd);
    ck_assert(!lh_blobs_mark(blobs, &digest, 3600 * 1000));
    ck_assert_int_eq(stat(folder_blob_path(path, "cached", &digest), &info), 0);
    ck_assert_int_gt(info.st_mtim.tv_sec, 1000000);
}
END_TEST

/* ---- Suspects */

static void cut_power(void)
{
    lh_blobs_close(blobs);
    folder_power_cut(path);
    blobs = folder_open(path);
}

START_TEST(test_suspects_are_believed_only_when_verified)
{
    struct lh_digest good = folder_put(blobs, 1, 1000, LH_BLOBS_CACHED),
                     bad = folder_put(blobs, 2, 1000, LH_BLOBS_CACHED);
    struct lh_digest kept = folder_put(blobs, 3, 1000, LH_BLOBS_KEPT),
                     unread = folder_put(blobs, 4, 7, LH_BLOBS_CACHED);
    char damaged[3] = "abc";
    int fd = open(folder_blob_path(path, "cached", &bad), O_WRONLY | O_CLOEXEC);
    ck_assert_int_eq(pwrite(fd, damaged, 3, 500), 3);
    close(fd);
    cut_power();
    ck_assert_uint_eq(usage_now().suspect_count, 3);
    ck_assert_uint_eq(usage_now().count, 4);
    ck_assert_str_eq(folder_place(path, &good), "suspect");
    ck_assert_str_eq(folder_place(path, &kept), "kept");
    ck_assert_int_eq(lh_blobs_visit_read(path, &good, 1000, &fd, &error), LH_ERR_MISSING);
    ck_assert_int_eq(lh_blobs_hold(blobs, &good, NULL, &error), LH_OK);
    lh_blobs_release(blobs, &good);
    ck_assert_str_eq(folder_place(path, &good), "cached");
    ck_assert_int_eq(lh_blobs_read(blobs, &bad, &fd, NULL, &error), LH_ERR_MISSING);
    ck_assert_str_eq(folder_place(path, &bad), "");
    ck_assert_int_eq(lh_blobs_read(blobs, &kept, &fd, NULL, &error), LH_OK);
    close(fd);
    ck_assert_uint_eq(usage_now().suspect_count, 1);
    ck_assert_uint_eq(usage_now().count, 3);
    /* Once more, with a suspect left from the first time. */
    cut_power();
    ck_assert_uint_eq(usage_now().suspect_count, 2);
    ck_assert_int_eq(lh_blobs_keep(blobs, &unread, &error), LH_OK);
    ck_assert_str_eq(folder_place(path, &unread), "kept");
    /* Brought again instead of verified. */
    folder_put(blobs, 1, 1000, LH_BLOBS_CACHED);
    ck_assert_str_eq(folder_place(path, &good), "cached");
    ck_assert_uint_eq(usage_now().suspect_count, 0);
    ck_assert_uint_eq(folder_count(path, "suspect"), 0);
    ck_assert_uint_eq(folder_verify(path), 3);
}
END_TEST

START_TEST(test_nth_allocation_fails)
{
    struct lh_digest digest = folder_put(blobs, 1, 1000, LH_BLOBS_CACHED);
    bool failed = true;
    for (size_t n = 1; failed; n++) {
        cut_power(); /* so that there is something to verify, which takes memory */
        testing_fail_allocation(n);
        enum lh_status status = lh_blobs_hold(blobs, &digest, NULL, &error);
        failed = testing_fail_allocation_end();
        ck_assert_int_eq(status, failed ? LH_ERR_NO_MEMORY : LH_OK);
        ck_assert(lh_blobs_has(blobs, &digest, NULL));
        ck_assert_uint_lt(n, 100);
    }
    lh_blobs_release(blobs, &digest);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("common/blobs/hold");
    TCase *tests = tcase_create("hold");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, test_reads);
    tcase_add_test(tests, test_what_is_held_stays);
    tcase_add_test(tests, test_promotes);
    tcase_add_test(tests, test_forgets_what_was_deleted_behind_our_back);
    tcase_add_test(tests, test_use_is_remembered);
    tcase_add_test(tests, test_suspects_are_believed_only_when_verified);
    tcase_add_test(tests, test_nth_allocation_fails);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
