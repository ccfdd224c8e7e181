/* SPDX-License-Identifier: MIT */
/* Whole spans, however the kernel cuts them: pread() and pwrite() are played by the test. */
#include "common/base/file.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/testing.h"

#define STORE_SIZE 16u
#define PIECE 3u

static uint8_t store[STORE_SIZE];
static unsigned calls;
static unsigned fail_at; /* the call that fails, from 1; 0: none */
static int fail_with;    /* its errno; 0: it moves nothing */

/* How much this call moves: at most PIECE bytes and none past the store. */
static ssize_t moved(size_t size, off_t offset)
{
    if (++calls == fail_at) {
        errno = fail_with;
        return fail_with == 0 ? 0 : -1;
    }
    size_t left = (size_t)offset < STORE_SIZE ? STORE_SIZE - (size_t)offset : 0;
    size = size < left ? size : left;
    return (ssize_t)(size < PIECE ? size : PIECE);
}

ssize_t __wrap_pread64(int fd, void *data, size_t size, off_t offset)
{
    ck_assert_int_eq(fd, 7);
    ssize_t count = moved(size, offset);
    if (count > 0) {
        memcpy(data, store + offset, (size_t)count);
    }
    return count;
}

ssize_t __wrap_pwrite64(int fd, const void *data, size_t size, off_t offset)
{
    ck_assert_int_eq(fd, 7);
    ssize_t count = moved(size, offset);
    if (count > 0) {
        memcpy(store + offset, data, (size_t)count);
    }
    return count;
}

static void start(unsigned call, int code)
{
    for (unsigned i = 0; i < STORE_SIZE; i++) {
        store[i] = (uint8_t)i;
    }
    calls = 0;
    fail_at = call;
    fail_with = code;
}

START_TEST(short_and_interrupted_reads_go_on)
{
    uint8_t bytes[10];
    start(2, EINTR);
    ck_assert_int_eq(lh_file_read_at(7, bytes, sizeof bytes, 4), 0);
    ck_assert_mem_eq(bytes, store + 4, sizeof bytes);
    ck_assert_uint_eq(calls, 5);
}
END_TEST

START_TEST(a_file_that_ends_early_is_an_error)
{
    uint8_t bytes[10];
    size_t done;
    start(0, 0);
    ck_assert_int_eq(lh_file_read_at(7, bytes, sizeof bytes, 8), EIO);
    ck_assert_int_eq(lh_file_read_some_at(7, bytes, sizeof bytes, 8, &done), 0);
    ck_assert_uint_eq(done, 8);
    ck_assert_mem_eq(bytes, store + 8, 8);
    ck_assert_int_eq(lh_file_read_at(7, bytes, 8, 8), 0);
}
END_TEST

START_TEST(a_failing_read_tells_its_errno)
{
    uint8_t bytes[10];
    size_t done;
    start(2, EISDIR);
    ck_assert_int_eq(lh_file_read_at(7, bytes, sizeof bytes, 0), EISDIR);
    start(2, EISDIR);
    ck_assert_int_eq(lh_file_read_some_at(7, bytes, sizeof bytes, 0, &done), EISDIR);
    ck_assert_uint_eq(done, PIECE);
}
END_TEST

START_TEST(short_and_interrupted_writes_go_on)
{
    static const uint8_t bytes[10] = {90, 91, 92, 93, 94, 95, 96, 97, 98, 99};
    start(3, EINTR);
    ck_assert_int_eq(lh_file_write_at(7, bytes, sizeof bytes, 5), 0);
    ck_assert_mem_eq(store + 5, bytes, sizeof bytes);
    ck_assert_uint_eq(store[4], 4);
    ck_assert_uint_eq(store[15], 15);
    ck_assert_uint_eq(calls, 5);
}
END_TEST

START_TEST(a_failing_write_tells_its_errno)
{
    static const uint8_t bytes[10] = {0};
    start(2, EDQUOT);
    ck_assert_int_eq(lh_file_write_at(7, bytes, sizeof bytes, 0), EDQUOT);
    start(2, 0);
    ck_assert_int_eq(lh_file_write_at(7, bytes, sizeof bytes, 0), ENOSPC);
}
END_TEST

START_TEST(nothing_is_asked_for_nothing)
{
    start(1, EIO);
    ck_assert_int_eq(lh_file_read_at(7, store, 0, 0), 0);
    ck_assert_int_eq(lh_file_write_at(7, store, 0, 0), 0);
    ck_assert_uint_eq(calls, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("common/base/file");
    TCase *test = tcase_create("file");
    tcase_add_test(test, short_and_interrupted_reads_go_on);
    tcase_add_test(test, a_file_that_ends_early_is_an_error);
    tcase_add_test(test, a_failing_read_tells_its_errno);
    tcase_add_test(test, short_and_interrupted_writes_go_on);
    tcase_add_test(test, a_failing_write_tells_its_errno);
    tcase_add_test(test, nothing_is_asked_for_nothing);
    suite_add_tcase(suite, test);
    return testing_main(suite);
}
