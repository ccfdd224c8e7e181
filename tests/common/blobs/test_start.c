/* SPDX-License-Identifier: MIT */
/* What an owner finds and does first. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/blobs/blobs.h"
#include "tests/common/blobs/folder.h"
#include "tests/support/testing.h"

static char path[FOLDER_SIZE];

static void setup(void)
{
    folders_make(path, sizeof path);
    lh_blobs_close(folder_open(path));
}

static void teardown(void)
{
    folders_remove(path);
}

static void make_old(const char *name, long seconds)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    struct timespec times[2] = {{.tv_sec = now.tv_sec - seconds}, {.tv_sec = now.tv_sec - seconds}};
    ck_assert_int_eq(utimensat(AT_FDCWD, folder_path(path, "%s", name), times, 0), 0);
}

START_TEST(test_clears_what_was_left_half_done)
{
    folder_write(path, "incoming/put-1f", "x", 1);
    folder_write(path, "incoming/from-00", "x", 1);
    folder_write(path, "incoming/from-01", "x", 1);
    folder_write(path, "trash/7", "x", 1);
    folder_write(path, "damaged/x", "x", 1);
    make_old("incoming/from-00", 3601);
    make_old("incoming/from-01", 3000);
    struct lh_blobs *blobs = folder_open_with(path, &(struct lh_blobs_options){.handed_over_max_ms = 3600 * 1000});
    ck_assert_int_ne(access(folder_path(path, "incoming/put-1f"), F_OK), 0);
    ck_assert_int_ne(access(folder_path(path, "incoming/from-00"), F_OK), 0);
    ck_assert_int_eq(access(folder_path(path, "incoming/from-01"), F_OK), 0); /* may still be announced */
    ck_assert_uint_eq(folder_count(path, "trash"), 0);
    ck_assert_uint_eq(folder_count(path, "damaged"), 1);
    lh_blobs_close(blobs);
    lh_blobs_close(folder_open(path));
    ck_assert_uint_eq(folder_count(path, "incoming"), 0);
}
END_TEST

START_TEST(test_leaves_what_is_being_written)
{
    struct lh_blobs_options options = {.handed_over_max_ms = 3600 * 1000};
    char name[LH_BLOBS_NAME_SIZE], file[sizeof "incoming/" + LH_BLOBS_NAME_SIZE];
    int fd;
    ck_assert_int_eq(lh_blobs_hand_over(path, name, &fd, NULL), LH_OK);
    snprintf(file, sizeof file, "incoming/%s", name);
    make_old(file, 4000); /* a shard whose file is filled at its end */
    struct lh_blobs *blobs = folder_open_with(path, &options);
    lh_blobs_drop_strays(blobs);
    ck_assert_int_eq(access(folder_path(path, "%s", file), F_OK), 0);
    close(fd);
    make_old(file, 3000);
    lh_blobs_drop_strays(blobs);
    ck_assert_int_eq(access(folder_path(path, "%s", file), F_OK), 0); /* may still be announced */
    make_old(file, 4000);
    lh_blobs_drop_strays(blobs);
    ck_assert_int_ne(access(folder_path(path, "%s", file), F_OK), 0);
    lh_blobs_close(blobs);
}
END_TEST

START_TEST(test_ignores_what_is_not_ours)
{
    struct lh_blobs *blobs = folder_open(path);
    struct lh_digest digest = folder_put(blobs, 1, 10, LH_BLOBS_KEPT);
    lh_blobs_close(blobs);
    folder_write(path, "kept/ab/readme", "x", 1);
    folder_write(path, "kept/AB", "x", 1);
    char text[LH_DIGEST_TEXT_SIZE];
    digest.bytes[0] = 0xab;
    lh_digest_text(&digest, text);
    ck_assert_int_eq(symlink("/etc/passwd", folder_path(path, "kept/ab/%s", text + 7)), 0);
    blobs = folder_open(path);
    struct lh_blobs_usage usage;
    lh_blobs_usage(blobs, &usage);
    ck_assert_uint_eq(usage.count, 1);
    lh_blobs_close(blobs);
    ck_assert_int_eq(access(folder_path(path, "kept/ab/readme"), F_OK), 0);
}
END_TEST

START_TEST(test_of_two_with_the_same_bytes_the_kept_one_stays)
{
    struct lh_blobs *blobs = folder_open(path);
    struct lh_digest digest = folder_put(blobs, 1, 10, LH_BLOBS_CACHED);
    char cached[2 * FOLDER_SIZE];
    snprintf(cached, sizeof cached, "%s", folder_blob_path(path, "cached", &digest));
    ck_assert_int_eq(link(cached, folder_path(path, "copy")), 0);
    folder_put(blobs, 1, 10, LH_BLOBS_KEPT);
    lh_blobs_close(blobs);
    ck_assert_int_eq(rename(folder_path(path, "copy"), cached), 0); /* as if killed between the two names */
    blobs = folder_open(path);
    struct lh_blobs_usage usage;
    lh_blobs_usage(blobs, &usage);
    ck_assert_uint_eq(usage.count, 1);
    ck_assert_uint_eq(usage.cached_count, 0);
    ck_assert_str_eq(folder_place(path, &digest), "kept");
    ck_assert_int_ne(access(cached, F_OK), 0);
    lh_blobs_close(blobs);
}
END_TEST

static uint64_t suspects_after(const struct lh_blobs_options *before, const char *boot)
{
    struct lh_blobs *blobs = folder_open_with(path, before);
    folder_put(blobs, 1, 10, LH_BLOBS_CACHED);
    folder_put(blobs, 2, 10, LH_BLOBS_KEPT);
    lh_blobs_close(blobs);
    if (boot != NULL) {
        folder_write(path, "boot", boot, strlen(boot));
    }
    blobs = folder_open(path);
    struct lh_blobs_usage usage;
    lh_blobs_usage(blobs, &usage);
    ck_assert_uint_eq(usage.count, 2);
    lh_blobs_close(blobs);
    return usage.suspect_count;
}

START_TEST(test_believes_what_cannot_be_torn)
{
    const struct lh_blobs_options standard = {0}, orderly = {.sync_at_close = true};
    ck_assert_uint_eq(suspects_after(&standard, NULL), 0); /* the same start of the machine */
    ck_assert_uint_eq(suspects_after(&orderly, NULL), 0);
    ck_assert_uint_eq(suspects_after(&orderly, "orderly\n"), 0); /* another one, but all was on the disk */
    ck_assert_uint_eq(suspects_after(&standard, "another start of the machine\n"), 1);
}
END_TEST

START_TEST(test_a_torn_mark_is_no_mark)
{
    const struct lh_blobs_options standard = {0};
    ck_assert_uint_eq(suspects_after(&standard, ""), 1);
}
END_TEST

START_TEST(test_orderly_stop_is_marked)
{
    lh_blobs_close(folder_open_with(path, &(struct lh_blobs_options){.sync_at_close = true}));
    char text[32] = "";
    int fd = open(folder_path(path, "boot"), O_RDONLY | O_CLOEXEC);
    ck_assert_int_gt(read(fd, text, sizeof text - 1), 0);
    close(fd);
    ck_assert_str_eq(text, "orderly\n");
    /* While somebody writes it says so: a power cut now is not orderly. */
    struct lh_blobs *blobs = folder_open(path);
    fd = open(folder_path(path, "boot"), O_RDONLY | O_CLOEXEC);
    ck_assert_int_gt(read(fd, text, sizeof text - 1), 0);
    close(fd);
    ck_assert_str_ne(text, "orderly\n");
    lh_blobs_close(blobs);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("common/blobs/start");
    TCase *tests = tcase_create("start");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, test_clears_what_was_left_half_done);
    tcase_add_test(tests, test_leaves_what_is_being_written);
    tcase_add_test(tests, test_ignores_what_is_not_ours);
    tcase_add_test(tests, test_of_two_with_the_same_bytes_the_kept_one_stays);
    tcase_add_test(tests, test_believes_what_cannot_be_torn);
    tcase_add_test(tests, test_a_torn_mark_is_no_mark);
    tcase_add_test(tests, test_orderly_stop_is_marked);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
