/* SPDX-License-Identifier: MIT */
/* cli/cache_trim.c: what was of no use for the longest goes. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli/cache.h"
#include "tests/support/testing.h"

static char base[64];
static struct lh_arena arena;
static struct lh_error error;
static struct cli_cache cache;

static void set_up(void)
{
    strcpy(base, "cache-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(base));
    lh_arena_init(&arena);
    error = LH_ERROR_INIT;
    ck_assert_int_eq(cli_cache_open(&arena, base, &cache, &error), LH_OK);
}

static void tear_down(void)
{
    lh_arena_fini(&arena);
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", base);
    ck_assert_int_eq(system(command), 0);
}

static void path_of(const char *folder, int number, const char *suffix, char path[256])
{
    snprintf(path, 256, "%s/%s/%064x%s", base, folder, (unsigned)number, suffix);
}

static void write_file(const char *path, off_t size, time_t age)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(ftruncate(fd, size), 0);
    struct timespec when = {.tv_sec = time(NULL) - age};
    ck_assert_int_eq(futimens(fd, (struct timespec[]){when, when}), 0);
    close(fd);
}

/* An entry of `size` bytes that was last of use `age` seconds ago. */
static void add(const char *folder, const char *suffix, int number, off_t size, time_t age)
{
    char path[256];
    path_of(folder, number, "", path);
    write_file(path, size, 100000); /* how old the large one is says nothing */
    path_of(folder, number, suffix, path);
    write_file(path, 100, age);
}

static bool is_there(const char *folder, const char *suffix, int number)
{
    char path[256];
    path_of(folder, number, "", path);
    bool large = access(path, F_OK) == 0;
    path_of(folder, number, suffix, path);
    bool small = access(path, F_OK) == 0;
    ck_assert_int_eq(large, small);
    return large;
}

START_TEST(the_least_useful_goes_first)
{
    add("deliverables", ".facts", 1, 1000, 50);
    add("conformed", ".digest", 2, 1000, 40);
    add("stored", ".facts", 3, 1000, 60);
    add("stored", ".facts", 4, 1000, 10);
    ck_assert_int_eq(cli_cache_trim(&cache, 4000, &error), LH_OK);
    ck_assert(is_there("stored", ".facts", 3));
    ck_assert_int_eq(cli_cache_trim(&cache, 3999, &error), LH_OK);
    ck_assert(!is_there("stored", ".facts", 3));
    ck_assert(is_there("deliverables", ".facts", 1));
    ck_assert_int_eq(cli_cache_trim(&cache, 1500, &error), LH_OK);
    ck_assert(!is_there("deliverables", ".facts", 1));
    ck_assert(!is_there("conformed", ".digest", 2));
    ck_assert(is_there("stored", ".facts", 4));
    ck_assert_int_eq(cli_cache_trim(&cache, 0, &error), LH_OK);
    ck_assert(!is_there("stored", ".facts", 4));
}
END_TEST

/* A file whose facts are still to come is left alone, one that lost them is not; what is not ours is not looked at. */
START_TEST(orphans_and_strangers)
{
    char young[256], old[256], stranger[256], link_path[256];
    path_of("stored", 1, "", young);
    path_of("stored", 2, "", old);
    snprintf(stranger, sizeof stranger, "%s/stored/notes.txt", base);
    path_of("stored", 3, "", link_path);
    write_file(young, 1000, 5);
    write_file(old, 1000, 7200);
    write_file(stranger, 1000, 7200);
    ck_assert_int_eq(symlink("/etc/hostname", link_path), 0);
    ck_assert_int_eq(cli_cache_trim(&cache, 0, &error), LH_OK);
    ck_assert_int_eq(access(young, F_OK), 0);
    ck_assert_int_ne(access(old, F_OK), 0);
    ck_assert_int_eq(access(stranger, F_OK), 0);
    struct stat info;
    ck_assert_int_eq(lstat(link_path, &info), 0);
}
END_TEST

START_TEST(one_at_a_time)
{
    char path[256];
    add("stored", ".facts", 1, 1000, 50);
    snprintf(path, sizeof path, "%s/lock", base);
    int lock = open(path, O_RDWR | O_CREAT, 0644);
    ck_assert_int_eq(flock(lock, LOCK_EX), 0);
    ck_assert_int_eq(cli_cache_trim(&cache, 0, &error), LH_OK);
    ck_assert(is_there("stored", ".facts", 1)); /* somebody else is at it */
    close(lock);
    ck_assert_int_eq(cli_cache_trim(&cache, 0, &error), LH_OK);
    ck_assert(!is_there("stored", ".facts", 1));
}
END_TEST

START_TEST(memory_runs_out)
{
    for (int i = 0; i < 300; i++) {
        add("stored", ".facts", i, 10, i);
    }
    for (size_t n = 1;; n++) {
        testing_fail_allocation(n);
        enum lh_status status = cli_cache_trim(&cache, 1000, &error);
        if (!testing_fail_allocation_end()) {
            ck_assert_int_eq(status, LH_OK);
            break;
        }
        ck_assert_int_eq(status, LH_ERR_NO_MEMORY);
    }
    ck_assert(is_there("stored", ".facts", 99));
    ck_assert(!is_there("stored", ".facts", 100));
}
END_TEST

START_TEST(a_folder_that_is_gone)
{
    struct cli_cache nowhere = {.folder = "not-there"};
    ck_assert_int_eq(cli_cache_trim(&nowhere, 0, &error), LH_ERR_IO);
    ck_assert_uint_eq(cli_cache_free_bytes(&nowhere), 0);
    ck_assert_uint_gt(cli_cache_free_bytes(&cache), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cli/cache_trim");
    TCase *tests = tcase_create("cache_trim");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, the_least_useful_goes_first);
    tcase_add_test(tests, orphans_and_strangers);
    tcase_add_test(tests, one_at_a_time);
    tcase_add_test(tests, memory_runs_out);
    tcase_add_test(tests, a_folder_that_is_gone);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
