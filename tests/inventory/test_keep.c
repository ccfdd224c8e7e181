/* SPDX-License-Identifier: MIT */
/* inventory/keep: whole files, or none. */
#include "inventory/keep.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/inventory/folders.h"
#include "tests/support/testing.h"

static struct lh_arena arena;
static struct lh_error error;
static uint8_t *data;
static size_t size;

static void set_up(void)
{
    folders_begin();
    lh_arena_init(&arena);
    error = LH_ERROR_INIT;
}

static void tear_down(void)
{
    lh_arena_fini(&arena);
    folders_end();
}

START_TEST(written_is_read)
{
    const char *folder = folders_path("a/b/c");
    ck_assert_int_eq(inventory_keep_write(&arena, folder, "file", "one", 3, &error), LH_OK);
    ck_assert_int_eq(inventory_keep_write(&arena, folder, "file", "other", 5, &error), LH_OK);
    ck_assert_int_eq(inventory_keep_read(&arena, folders_path("a/b/c/file"), 5, &data, &size), LH_OK);
    ck_assert_uint_eq(size, 5);
    ck_assert_str_eq((const char *)data, "other");
    struct stat info;
    ck_assert_int_eq(stat(folder, &info), 0);
    ck_assert_uint_eq(info.st_mode & 0777, 0700);
}
END_TEST

START_TEST(what_is_no_file_of_that_size_is_missing)
{
    folders_write("six", "6bytes");
    ck_assert_int_eq(inventory_keep_read(&arena, folders_path("six"), 5, &data, &size), LH_ERR_MISSING);
    ck_assert_int_eq(inventory_keep_read(&arena, folders_path("none"), 5, &data, &size), LH_ERR_MISSING);
    ck_assert_int_eq(inventory_keep_read(&arena, folders_path("."), 5, &data, &size), LH_ERR_MISSING);
    ck_assert_int_eq(mkfifo(folders_path("fifo"), 0600), 0);
    ck_assert_int_eq(inventory_keep_read(&arena, folders_path("fifo"), 5, &data, &size), LH_ERR_MISSING);
}
END_TEST

START_TEST(what_cannot_be_written_leaves_nothing)
{
    folders_write("file", "");
    ck_assert_int_eq(inventory_keep_write(&arena, folders_path("file/below"), "x", "1", 1, &error), LH_ERR_IO);
    ck_assert_ptr_nonnull(strstr(error.message, "cannot be written"));
    folders_make("folder");
    folders_make("folder/taken");
    ck_assert_int_eq(inventory_keep_write(&arena, folders_path("folder"), "taken", "1", 1, &error), LH_ERR_IO);
    ck_assert_int_eq(rmdir(folders_path("folder/taken")), 0);
    ck_assert_int_eq(rmdir(folders_path("folder")), 0);
}
END_TEST

START_TEST(memory_runs_out)
{
    for (size_t n = 1;; n++) {
        struct lh_arena own;
        lh_arena_init(&own);
        testing_fail_allocation(n);
        enum lh_status status = inventory_keep_write(&own, folders_path("a"), "file", "one", 3, &error);
        status = status == LH_OK ? inventory_keep_read(&own, folders_path("a/file"), 3, &data, &size) : status;
        bool fired = testing_fail_allocation_end();
        lh_arena_fini(&own);
        ck_assert_int_eq(status, fired ? LH_ERR_NO_MEMORY : LH_OK);
        if (!fired) {
            break;
        }
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("inventory/keep");
    TCase *tests = tcase_create("keep");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, written_is_read);
    tcase_add_test(tests, what_is_no_file_of_that_size_is_missing);
    tcase_add_test(tests, what_cannot_be_written_leaves_nothing);
    tcase_add_test(tests, memory_runs_out);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
