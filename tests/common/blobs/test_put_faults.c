/* SPDX-License-Identifier: MIT */
/* Putting onto a disk that is full, broken or limited. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/blobs/blobs.h"
#include "tests/common/blobs/folder.h"
#include "tests/support/testing.h"

#define MEBIBYTE ((size_t)1 << 20)

static char path[FOLDER_SIZE];
static struct lh_error error;

/* The n-th call of one kind fails with this errno; 0: none does. */
static unsigned fsyncs_until, renames_until;
static int fsync_code, rename_code;

int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __real_renameat(int from_folder, const char *from, int to_folder, const char *to);
int __wrap_renameat(int from_folder, const char *from, int to_folder, const char *to);

int __wrap_fsync(int fd)
{
    if (fsync_code != 0 && --fsyncs_until == 0) {
        errno = fsync_code;
        fsync_code = 0;
        return -1;
    }
    return __real_fsync(fd);
}

int __wrap_renameat(int from_folder, const char *from, int to_folder, const char *to)
{
    if (rename_code != 0 && --renames_until == 0) {
        errno = rename_code;
        rename_code = 0;
        return -1;
    }
    return __real_renameat(from_folder, from, to_folder, to);
}

static void setup(void)
{
    folders_make(path, sizeof path);
    error = LH_ERROR_INIT;
}

static void teardown(void)
{
    folders_remove(path);
}

static enum lh_status put(struct lh_blobs *blobs, uint64_t seed, size_t size, enum lh_blobs_kind kind)
{
    struct lh_blob blob;
    uint8_t *bytes = folder_bytes(seed, size);
    enum lh_status status = lh_blobs_put_bytes(blobs, bytes, size, kind, &blob, &error);
    free(bytes);
    if (status == LH_OK) {
        lh_blobs_release(blobs, &blob.digest);
    }
    return status;
}

/* Nothing half done is left, and what the folder says of itself is true. */
static void expect_sound(struct lh_blobs *blobs, uint64_t count)
{
    struct lh_blobs_usage usage;
    lh_blobs_usage(blobs, &usage);
    ck_assert_uint_eq(usage.count, count);
    ck_assert_uint_eq(folder_count(path, "incoming"), 0);
    ck_assert_uint_eq(folder_verify(path), count);
}

/* A small file system of our own; false when this machine does not let us. */
static bool mount_small(void)
{
    bool own = unshare(CLONE_NEWNS) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0;
    return own && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("small", path, "tmpfs", 0, "size=3m,mode=0700") == 0;
}

START_TEST(test_full_disk)
{
    if (!mount_small()) {
        fprintf(stderr, "# no file system of our own here: %s\n", strerror(errno));
        return;
    }
    for (unsigned kind = 0; kind < 2; kind++) {
        struct lh_blobs *blobs = folder_open(path);
        /* Announced: there is no room from the beginning. Not announced: it runs full in the midst. */
        ck_assert_int_eq(put(blobs, 1, 4 * MEBIBYTE, (enum lh_blobs_kind)kind), LH_ERR_LIMIT);
        ck_assert_int_eq(put(blobs, 2, MEBIBYTE, (enum lh_blobs_kind)kind), LH_OK);
        struct lh_blobs_put *stream = NULL;
        uint8_t *bytes = folder_bytes(3, MEBIBYTE);
        enum lh_status status =
            lh_blobs_put_begin(blobs, NULL, LH_BLOBS_SIZE_UNKNOWN, (enum lh_blobs_kind)kind, &stream, &error);
        ck_assert_int_eq(status, LH_OK);
        unsigned written = 0;
        for (; status == LH_OK; written++) {
            status = lh_blobs_put_write(stream, bytes, MEBIBYTE / 2, &error);
        }
        ck_assert_int_eq(status, LH_ERR_LIMIT);
        ck_assert_uint_ge(written, 3);
        lh_blobs_put_free(stream);
        expect_sound(blobs, 1);
        ck_assert_int_eq(put(blobs, 4, MEBIBYTE, (enum lh_blobs_kind)kind), LH_OK); /* it works again */
        expect_sound(blobs, 2);
        /* The kernel itself says that it is full, however much we thought there was. */
        int fd = open(folder_path(path, "filler"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        ck_assert_int_eq(lh_blobs_put_begin(blobs, NULL, MEBIBYTE / 2, LH_BLOBS_CACHED, &stream, &error), LH_OK);
        while (write(fd, bytes, 4096) > 0) {
        }
        close(fd);
        ck_assert_int_eq(lh_blobs_put_write(stream, bytes, MEBIBYTE / 2, &error), LH_ERR_LIMIT);
        ck_assert_ptr_nonnull(strstr(error.message, "No space left"));
        lh_blobs_put_free(stream);
        ck_assert_int_eq(unlink(folder_path(path, "filler")), 0);
        expect_sound(blobs, 2);
        free(bytes);
        struct lh_digest digest = folder_digest(2, MEBIBYTE);
        ck_assert(lh_blobs_mark(blobs, &digest, 0));
        ck_assert_int_eq(lh_blobs_remove(blobs, &digest, NULL, &error), LH_OK);
        digest = folder_digest(4, MEBIBYTE);
        ck_assert(lh_blobs_mark(blobs, &digest, 0));
        ck_assert_int_eq(lh_blobs_remove(blobs, &digest, NULL, &error), LH_OK);
        lh_blobs_close(blobs);
    }
    ck_assert_int_eq(umount(path), 0);
}
END_TEST

START_TEST(test_limited_file)
{
    struct lh_blobs *blobs = folder_open(path);
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &(struct rlimit){.rlim_cur = 100000, .rlim_max = RLIM_INFINITY}), 0);
    ck_assert_int_eq(put(blobs, 1, 100001, LH_BLOBS_KEPT), LH_ERR_LIMIT);
    expect_sound(blobs, 0);
    ck_assert_int_eq(put(blobs, 1, 100000, LH_BLOBS_KEPT), LH_OK);
    expect_sound(blobs, 1);
    lh_blobs_close(blobs);
}
END_TEST

START_TEST(test_disk_that_does_not_take_it)
{
    struct lh_blobs *blobs = folder_open(path);
    /* First the file is synchronised, then the folder with its new name. */
    for (unsigned n = 1; n <= 2; n++) {
        fsyncs_until = n;
        fsync_code = EIO;
        ck_assert_int_eq(put(blobs, n, 1000, LH_BLOBS_KEPT), LH_ERR_IO);
        ck_assert_int_eq(fsync_code, 0);
        ck_assert_ptr_nonnull(strstr(error.message, "Input/output error"));
        expect_sound(blobs, 0);
    }
    fsyncs_until = 1;
    fsync_code = EDQUOT;
    ck_assert_int_eq(put(blobs, 1, 1000, LH_BLOBS_KEPT), LH_ERR_LIMIT);
    renames_until = 1;
    rename_code = EIO;
    ck_assert_int_eq(put(blobs, 1, 1000, LH_BLOBS_CACHED), LH_ERR_IO);
    expect_sound(blobs, 0);
    /* Nothing is synchronised for what can be made again. */
    fsyncs_until = 1;
    fsync_code = EIO;
    ck_assert_int_eq(put(blobs, 1, 1000, LH_BLOBS_CACHED), LH_OK);
    ck_assert_int_eq(fsync_code, EIO);
    /* Promoting fails, and it is a cached one as before. */
    struct lh_digest digest = folder_digest(1, 1000);
    for (unsigned n = 1; n <= 2; n++) {
        fsyncs_until = n;
        fsync_code = EIO;
        ck_assert_int_eq(lh_blobs_keep(blobs, &digest, &error), LH_ERR_IO);
        ck_assert_str_eq(folder_place(path, &digest), "cached");
        fsyncs_until = n;
        fsync_code = EIO;
        ck_assert_int_eq(put(blobs, 1, 1000, LH_BLOBS_KEPT), LH_ERR_IO);
        ck_assert_str_eq(folder_place(path, &digest), "cached");
        expect_sound(blobs, 1);
    }
    ck_assert_int_eq(lh_blobs_keep(blobs, &digest, &error), LH_OK);
    /* Removing fails, and it stays. */
    ck_assert(lh_blobs_mark(blobs, &digest, 0));
    renames_until = 1;
    rename_code = EIO;
    ck_assert_int_eq(lh_blobs_remove(blobs, &digest, NULL, &error), LH_ERR_IO);
    expect_sound(blobs, 1);
    ck_assert(lh_blobs_has(blobs, &digest, NULL));
    lh_blobs_close(blobs);
}
END_TEST

START_TEST(test_folder_that_cannot_be_made_ready)
{
    struct lh_blobs *blobs = NULL;
    lh_blobs_close(folder_open(path));
    for (unsigned n = 1; n <= 3; n++) {
        fsyncs_until = n;
        fsync_code = EIO;
        ck_assert_int_eq(lh_blobs_open(path, &(struct lh_blobs_options){0}, &blobs, &error), LH_ERR_IO);
        ck_assert_ptr_null(blobs);
    }
    fsync_code = 0;
    lh_blobs_close(folder_open(path));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("common/blobs/put_faults");
    TCase *tests = tcase_create("faults");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, test_full_disk);
    tcase_add_test(tests, test_limited_file);
    tcase_add_test(tests, test_disk_that_does_not_take_it);
    tcase_add_test(tests, test_folder_that_cannot_be_made_ready);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
