/* SPDX-License-Identifier: MIT */
/* Raw frames in files: what is written is read, and nothing else. */
#include "engine/io/stored.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/support/testing.h"

#define BEGIN 1000
#define FRAMES 5000
#define CHANNELS 3

static uint32_t floats[FRAMES * CHANNELS]; /* as bits: any of them */
static uint64_t sums[FRAMES * CHANNELS];
static const struct graph_stored as_floats = {.channels = CHANNELS, .begin = BEGIN, .frames = FRAMES};
static const struct graph_stored as_sums = {.channels = CHANNELS, .sum = true, .begin = BEGIN, .frames = FRAMES};

static int store(const void *data, size_t size)
{
    int fd = memfd_create("stored", MFD_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    size_t at = size / 3; /* in two calls */
    ck_assert_int_eq(engine_stored_write(fd, (const char *)data + at, size - at, at, NULL), LH_OK);
    ck_assert_int_eq(engine_stored_write(fd, data, at, 0, NULL), LH_OK);
    return fd;
}

static void setup(void)
{
    uint64_t state = 9;
    for (size_t i = 0; i < FRAMES * CHANNELS; i++) {
        state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
        floats[i] = (uint32_t)(state >> 32);
        sums[i] = state;
    }
}

START_TEST(any_bits_come_back)
{
    int fd = store(floats, sizeof floats);
    ck_assert_uint_eq(engine_stored_size(&as_floats), sizeof floats);
    ck_assert_int_eq(engine_stored_check(fd, &as_floats, NULL), LH_OK);
    static uint32_t some[FRAMES * CHANNELS];
    ck_assert_int_eq(engine_stored_read(fd, &as_floats, BEGIN, FRAMES, some, NULL), LH_OK);
    ck_assert_mem_eq(some, floats, sizeof floats);
    ck_assert_int_eq(engine_stored_read(fd, &as_floats, BEGIN + 17, 100, some, NULL), LH_OK);
    ck_assert_mem_eq(some, floats + 17 * CHANNELS, 100 * CHANNELS * sizeof *floats);
    close(fd);
    fd = store(sums, sizeof sums);
    ck_assert_uint_eq(engine_stored_size(&as_sums), sizeof sums);
    ck_assert_int_eq(engine_stored_check(fd, &as_sums, NULL), LH_OK);
    static uint64_t more[FRAMES * CHANNELS];
    ck_assert_int_eq(engine_stored_read(fd, &as_sums, BEGIN + FRAMES - 1, 1, more, NULL), LH_OK);
    ck_assert_mem_eq(more, sums + (FRAMES - 1) * CHANNELS, CHANNELS * sizeof *sums);
    close(fd);
}
END_TEST

START_TEST(nothing_is_read_past_the_ends)
{
    static const struct {
        int64_t from;
        size_t frames;
        enum lh_status status;
    } reads[] = {
        {BEGIN - 1, 1, LH_ERR_FAULT},      {BEGIN - 1, 100, LH_ERR_FAULT},      {BEGIN + FRAMES, 1, LH_ERR_FAULT},
        {BEGIN, FRAMES + 1, LH_ERR_FAULT}, {BEGIN + 1, SIZE_MAX, LH_ERR_FAULT}, {BEGIN + FRAMES + 1, 0, LH_ERR_FAULT},
        {INT64_MIN, 1, LH_ERR_FAULT},      {INT64_MAX, 1, LH_ERR_FAULT},        {BEGIN + FRAMES, 0, LH_OK},
    };
    int fd = store(floats, sizeof floats);
    for (size_t i = 0; i < sizeof reads / sizeof *reads; i++) {
        struct lh_error error = LH_ERROR_INIT;
        uint32_t out[CHANNELS] = {1, 2, 3};
        ck_assert_int_eq(engine_stored_read(fd, &as_floats, reads[i].from, reads[i].frames, out, &error),
                         reads[i].status);
        ck_assert(out[0] == 1 && out[1] == 2 && out[2] == 3);
        ck_assert_int_eq(error.message[0] != '\0', reads[i].status != LH_OK);
    }
    close(fd);
}
END_TEST

START_TEST(other_files_are_refused)
{
    int fd = store(floats, sizeof floats);
    ck_assert_int_eq(engine_stored_check(fd, &as_sums, NULL), LH_ERR_IO);
    ck_assert_int_eq(ftruncate(fd, (off_t)sizeof floats - 1), 0);
    ck_assert_int_eq(engine_stored_check(fd, &as_floats, NULL), LH_ERR_IO);
    static uint32_t out[FRAMES * CHANNELS]; /* it shrank after it was looked at */
    ck_assert_int_eq(engine_stored_read(fd, &as_floats, BEGIN, FRAMES, out, NULL), LH_ERR_IO);
    ck_assert_int_eq(ftruncate(fd, (off_t)sizeof floats + 1), 0);
    ck_assert_int_eq(engine_stored_check(fd, &as_floats, NULL), LH_ERR_IO);
    close(fd);
    ck_assert_int_eq(engine_stored_check(-1, &as_floats, NULL), LH_ERR_IO);
    int pipes[2];
    ck_assert_int_eq(pipe(pipes), 0);
    static const struct graph_stored none = {.channels = 1};
    ck_assert_int_eq(engine_stored_check(pipes[0], &none, NULL), LH_ERR_IO);
    close(pipes[0]);
    close(pipes[1]);
}
END_TEST

START_TEST(a_full_disk_is_told)
{
    int fd = open("/dev/full", O_WRONLY);
    ck_assert_int_ge(fd, 0);
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_int_eq(engine_stored_write(fd, floats, 8, 0, &error), LH_ERR_IO);
    ck_assert_ptr_nonnull(strstr(error.message, "the disk is full"));
    close(fd);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("engine/io/stored");
    TCase *test = tcase_create("stored");
    tcase_add_checked_fixture(test, setup, NULL);
    tcase_add_test(test, any_bits_come_back);
    tcase_add_test(test, nothing_is_read_past_the_ends);
    tcase_add_test(test, other_files_are_refused);
    tcase_add_test(test, a_full_disk_is_told);
    suite_add_tcase(suite, test);
    return testing_main(suite);
}
