/* SPDX-License-Identifier: MIT */
/* The folder as others on the host see it. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
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

START_TEST(test_knows_the_folder_by_its_token)
{
    uint8_t token[LH_BLOBS_TOKEN_SIZE], other[LH_BLOBS_TOKEN_SIZE];
    lh_blobs_token(blobs, token);
    ck_assert_int_eq(lh_blobs_visit(path, token, &error), LH_OK);
    memcpy(other, token, sizeof other);
    other[31] ^= 1;
    ck_assert_int_eq(lh_blobs_visit(path, other, &error), LH_ERR_MISSING);
    ck_assert_int_eq(lh_blobs_visit(folder_path(path, "kept"), token, &error), LH_ERR_MISSING);
    ck_assert_int_eq(lh_blobs_visit("/no/such/folder", token, &error), LH_ERR_MISSING);
    lh_blobs_close(blobs);
    blobs = folder_open(path);
    ck_assert_int_eq(lh_blobs_visit(path, token, &error), LH_ERR_MISSING); /* new at each start */
    folder_write(path, LH_BLOBS_TOKEN_FILE, token, sizeof token - 1);
    ck_assert_int_eq(lh_blobs_visit(path, token, &error), LH_ERR_MISSING);
}
END_TEST

START_TEST(test_reads_by_path)
{
    struct lh_digest cached = folder_put(blobs, 1, 1000, LH_BLOBS_CACHED),
                     kept = folder_put(blobs, 2, 50, LH_BLOBS_KEPT);
    struct lh_digest found;
    int fd = -1;
    ck_assert_int_eq(lh_blobs_visit_read(path, &cached, 1000, &fd, &error), LH_OK);
    ck_assert_int_eq(lh_digest_file(fd, &found, NULL), LH_OK);
    ck_assert(lh_digest_equal(&found, &cached));
    close(fd);
    ck_assert_int_eq(lh_blobs_visit_read(path, &kept, 50, &fd, &error), LH_OK);
    close(fd);
    ck_assert_int_eq(lh_blobs_visit_read(path, &kept, 51, &fd, &error), LH_ERR_MISSING);
    kept.bytes[0] ^= 1;
    ck_assert_int_eq(lh_blobs_visit_read(path, &kept, 50, &fd, &error), LH_ERR_MISSING);
    ck_assert_int_eq(lh_blobs_visit_read("/no/such/folder", &kept, 50, &fd, &error), LH_ERR_MISSING);
    ck_assert_int_eq(symlink("/etc/passwd", folder_blob_path(path, "cached", &kept)), -1); /* no such shard */
}
END_TEST

/* Another node of this host that was not started again. */
START_TEST(test_believes_no_more_than_the_owner_would)
{
    struct lh_digest cached = folder_put(blobs, 1, 1000, LH_BLOBS_CACHED),
                     kept = folder_put(blobs, 2, 50, LH_BLOBS_KEPT);
    int fd = -1;
    folder_power_cut(path);
    ck_assert_int_eq(lh_blobs_visit_read(path, &cached, 1000, &fd, &error), LH_ERR_MISSING);
    ck_assert_int_eq(lh_blobs_visit_read(path, &kept, 50, &fd, &error), LH_OK);
    close(fd);
    folder_write(path, "boot", "orderly\n", 8);
    ck_assert_int_eq(lh_blobs_visit_read(path, &cached, 1000, &fd, &error), LH_OK);
    close(fd);
}
END_TEST

START_TEST(test_hands_over_and_takes_back)
{
    char first[LH_BLOBS_NAME_SIZE], second[LH_BLOBS_NAME_SIZE];
    int fd = -1;
    ck_assert_int_eq(lh_blobs_hand_over(path, first, &fd, &error), LH_OK);
    ck_assert_int_eq(write(fd, "abc", 3), 3);
    close(fd);
    ck_assert_int_eq(lh_blobs_hand_over(path, second, &fd, &error), LH_OK);
    close(fd);
    ck_assert_str_ne(first, second);
    ck_assert_uint_eq(folder_count(path, "incoming"), 2);
    lh_blobs_hand_back(path, second);
    lh_blobs_hand_back(path, second);
    lh_blobs_hand_back(path, "../lock");
    lh_blobs_hand_back("/no/such/folder", first);
    ck_assert_uint_eq(folder_count(path, "incoming"), 1);
    ck_assert_int_eq(access(folder_path(path, "lock"), F_OK), 0);
    ck_assert_int_eq(lh_blobs_hand_over("/no/such/folder", first, &fd, &error), LH_ERR_IO);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("common/blobs/visit");
    TCase *tests = tcase_create("visit");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, test_knows_the_folder_by_its_token);
    tcase_add_test(tests, test_reads_by_path);
    tcase_add_test(tests, test_believes_no_more_than_the_owner_would);
    tcase_add_test(tests, test_hands_over_and_takes_back);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
