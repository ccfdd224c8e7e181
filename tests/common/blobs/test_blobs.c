/* SPDX-License-Identifier: MIT */
/* Opening and looking at a folder of blobs. */
#include "common/blobs/blobs.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/common/blobs/folder.h"
#include "tests/support/testing.h"

static char path[FOLDER_SIZE];

static void setup(void)
{
    folders_make(path, sizeof path);
}

static void teardown(void)
{
    folders_remove(path);
}

START_TEST(test_opens_fresh_folder)
{
    const char *inner = folder_path(path, "media");
    struct lh_blobs *blobs = folder_open(inner);
    struct stat info;
    struct lh_blobs_usage usage;
    ck_assert_int_eq(stat(inner, &info), 0);
    ck_assert_uint_eq(info.st_mode & 0777, 0700);
    lh_blobs_usage(blobs, &usage);
    ck_assert_uint_eq(usage.count, 0);
    ck_assert_uint_eq(usage.bytes, 0);
    ck_assert_uint_gt(usage.free_bytes, 0);
    lh_blobs_close(blobs);
    lh_blobs_close(NULL);
}
END_TEST

START_TEST(test_counts_what_is_there_again)
{
    struct lh_blobs *blobs = folder_open(path);
    for (uint64_t i = 0; i < 300; i++) {
        folder_put(blobs, i, (size_t)i, i % 3 == 0 ? LH_BLOBS_KEPT : LH_BLOBS_CACHED);
    }
    struct lh_blobs_usage before, after;
    lh_blobs_usage(blobs, &before);
    lh_blobs_close(blobs);
    ck_assert_uint_eq(before.count, 300);
    ck_assert_uint_eq(before.bytes, 299 * 300 / 2);
    ck_assert_uint_eq(before.cached_count, 200);
    blobs = folder_open(path);
    lh_blobs_usage(blobs, &after);
    ck_assert_uint_eq(after.count, before.count);
    ck_assert_uint_eq(after.bytes, before.bytes);
    ck_assert_uint_eq(after.cached_bytes, before.cached_bytes);
    ck_assert_uint_eq(after.suspect_count, 0);
    lh_blobs_close(blobs);
}
END_TEST

START_TEST(test_refuses_second_owner)
{
    struct lh_blobs *blobs = folder_open(path), *other = NULL;
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_int_eq(lh_blobs_open(path, &(struct lh_blobs_options){0}, &other, &error), LH_ERR_USAGE);
    ck_assert_ptr_null(other);
    ck_assert_ptr_nonnull(strstr(error.message, "owns"));
    lh_blobs_close(blobs);
    lh_blobs_close(folder_open(path));
}
END_TEST

START_TEST(test_refuses_what_is_no_folder)
{
    struct lh_blobs *blobs = NULL;
    struct lh_error error = LH_ERROR_INIT;
    folder_write(path, "file", "x", 1);
    ck_assert_int_eq(lh_blobs_open(folder_path(path, "file"), &(struct lh_blobs_options){0}, &blobs, &error),
                     LH_ERR_IO);
    ck_assert_int_eq(lh_blobs_open(folder_path(path, "no/such"), &(struct lh_blobs_options){0}, &blobs, &error),
                     LH_ERR_IO);
    ck_assert_ptr_null(blobs);
}
END_TEST

START_TEST(test_lists_in_order)
{
    struct lh_blobs *blobs = folder_open(path);
    for (uint64_t i = 0; i < 1000; i++) {
        folder_put(blobs, i, 8, LH_BLOBS_CACHED);
    }
    struct lh_blob items[7];
    struct lh_digest after = {{0}};
    size_t total = 0;
    for (;;) {
        size_t count = lh_blobs_list(blobs, total > 0 ? &after : NULL, items, 7);
        for (size_t i = 0; i < count; i++) {
            ck_assert(total + i == 0 || memcmp(&after, &items[i].digest, sizeof after) < 0);
            ck_assert_uint_eq(items[i].size, 8);
            ck_assert(lh_blobs_has(blobs, &items[i].digest, NULL));
            after = items[i].digest;
        }
        total += count;
        if (count < 7) {
            break;
        }
    }
    ck_assert_uint_eq(total, 1000);
    lh_blobs_close(blobs);
}
END_TEST

START_TEST(test_has_only_what_was_put)
{
    struct lh_blobs *blobs = folder_open(path);
    struct lh_digest digest = folder_put(blobs, 1, 5, LH_BLOBS_KEPT);
    struct lh_blob blob;
    ck_assert(lh_blobs_has(blobs, &digest, &blob));
    ck_assert_uint_eq(blob.size, 5);
    ck_assert_int_eq(blob.kind, LH_BLOBS_KEPT);
    digest.bytes[31] ^= 1;
    ck_assert(!lh_blobs_has(blobs, &digest, NULL));
    lh_blobs_close(blobs);
}
END_TEST

START_TEST(test_nth_allocation_fails)
{
    lh_blobs_close(folder_open(path));
    struct lh_blobs *seed = folder_open(path);
    for (uint64_t i = 0; i < 20; i++) {
        folder_put(seed, i, 10, LH_BLOBS_CACHED);
    }
    lh_blobs_close(seed);
    bool failed = true;
    for (size_t n = 1; failed; n++) {
        struct lh_blobs *blobs = NULL;
        struct lh_error error = LH_ERROR_INIT;
        testing_fail_allocation(n);
        enum lh_status status = lh_blobs_open(path, &(struct lh_blobs_options){0}, &blobs, &error);
        failed = testing_fail_allocation_end();
        ck_assert_int_eq(status, failed ? LH_ERR_NO_MEMORY : LH_OK);
        lh_blobs_close(blobs);
        ck_assert_uint_lt(n, 1000);
    }
    ck_assert_uint_eq(folder_verify(path), 20);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("common/blobs/blobs");
    TCase *tests = tcase_create("blobs");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, test_opens_fresh_folder);
    tcase_add_test(tests, test_counts_what_is_there_again);
    tcase_add_test(tests, test_refuses_second_owner);
    tcase_add_test(tests, test_refuses_what_is_no_folder);
    tcase_add_test(tests, test_lists_in_order);
    tcase_add_test(tests, test_has_only_what_was_put);
    tcase_add_test(tests, test_nth_allocation_fails);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
