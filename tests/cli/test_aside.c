/* SPDX-License-Identifier: MIT */
/* cli/aside: nothing under the name before it is whole, and nothing left behind. */
#include "cli/aside.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/testing.h"

/* Every test runs twice: with unnamed files, and as on a file system that has none. The linker wraps open() for that,
   under the name that it has where offsets are 64 bits wide by request, too. */
static bool no_unnamed;
int __wrap_open(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...);

static int open_as_told(const char *path, int flags, mode_t mode)
{
    if (no_unnamed && (flags & O_TMPFILE) == O_TMPFILE) {
        errno = EOPNOTSUPP;
        return -1;
    }
    return openat(AT_FDCWD, path, flags, mode);
}

#define WRAP(name)                                                                                                     \
    int __wrap_##name(const char *path, int flags, ...)                                                                \
    {                                                                                                                  \
        va_list arguments;                                                                                             \
        va_start(arguments, flags);                                                                                    \
        mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(arguments, mode_t) : 0;                            \
        va_end(arguments);                                                                                             \
        return open_as_told(path, flags, mode);                                                                        \
    }

WRAP(open)
WRAP(open64)

static char folder[64];
static struct lh_arena arena;

static void set_up(void)
{
    strcpy(folder, "aside-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    lh_arena_init(&arena);
}

static void clear_folder(void)
{
    DIR *dir = opendir(folder);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        char path[400];
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (entry->d_name[0] != '.' || strlen(entry->d_name) > 2) {
            unlink(path);
        }
    }
    closedir(dir);
}

static void tear_down(void)
{
    clear_folder();
    rmdir(folder);
    lh_arena_fini(&arena);
}

static int entries(void)
{
    int count = 0;
    DIR *dir = opendir(folder);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    }
    closedir(dir);
    return count;
}

static const char *in_folder(const char *name)
{
    static char path[400];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void ck_content(const char *path, const char *text)
{
    char buffer[64] = "";
    int fd = open(path, O_RDONLY);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_ge(read(fd, buffer, sizeof buffer - 1), 0);
    close(fd);
    ck_assert_str_eq(buffer, text);
}

static void publish(const char *path, const char *text)
{
    struct cli_aside aside = CLI_ASIDE_NONE;
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_int_eq(cli_aside_open(&arena, path, &aside, &error), LH_OK);
    ck_assert_int_eq(cli_aside_write(&aside, text, strlen(text), &error), LH_OK);
    cli_aside_flush(&aside);
    ck_assert_int_eq(cli_aside_sync(&aside, &error), LH_OK);
    ck_assert_int_eq(cli_aside_publish(&aside, &error), LH_OK);
    ck_assert_int_eq(aside.fd, -1);
}

START_TEST(appears_when_published_only)
{
    no_unnamed = _i == 1;
    struct cli_aside aside = CLI_ASIDE_NONE;
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_int_eq(cli_aside_open(&arena, in_folder("mix.wav"), &aside, &error), LH_OK);
    ck_assert_int_ne(access(in_folder("mix.wav"), F_OK), 0);
    ck_assert_int_eq(write(aside.fd, "new", 3), 3);
    ck_assert_int_eq(cli_aside_publish(&aside, &error), LH_OK);
    ck_content(in_folder("mix.wav"), "new");
    ck_assert_int_eq(entries(), 1);
}
END_TEST

START_TEST(replaces_in_one_step)
{
    no_unnamed = _i == 1;
    publish(in_folder("mix.wav"), "old and long");
    publish(in_folder("mix.wav"), "new");
    ck_content(in_folder("mix.wav"), "new");
    ck_assert_int_eq(entries(), 1);
}
END_TEST

START_TEST(mode_follows_the_umask)
{
    no_unnamed = _i == 1;
    mode_t before = umask(027);
    publish(in_folder("mix.wav"), "x");
    umask(before);
    struct stat info;
    ck_assert_int_eq(stat(in_folder("mix.wav"), &info), 0);
    ck_assert_uint_eq(info.st_mode & 0777, 0640);
}
END_TEST

START_TEST(discard_leaves_the_old_file)
{
    no_unnamed = _i == 1;
    publish(in_folder("mix.wav"), "old");
    struct cli_aside aside = CLI_ASIDE_NONE;
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_int_eq(cli_aside_open(&arena, in_folder("mix.wav"), &aside, &error), LH_OK);
    ck_assert_int_eq(write(aside.fd, "new", 3), 3);
    cli_aside_discard(&aside);
    cli_aside_discard(&aside);
    ck_content(in_folder("mix.wav"), "old");
    ck_assert_int_eq(entries(), 1);
}
END_TEST

START_TEST(refuses_folders_and_devices)
{
    no_unnamed = _i == 1;
    struct cli_aside aside = CLI_ASIDE_NONE;
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_int_eq(cli_aside_open(&arena, folder, &aside, &error), LH_ERR_IO);
    ck_assert_str_eq(error.message, "is a folder; name a file");
    ck_assert_int_eq(cli_aside_open(&arena, "/dev/null", &aside, &error), LH_ERR_IO);
    ck_assert_str_eq(error.message, "is not a plain file; name a file");
    ck_assert_int_eq(cli_aside_open(&arena, in_folder("none/mix.wav"), &aside, &error), LH_ERR_IO);
    ck_assert_ptr_nonnull(strstr(error.message, strerror(ENOENT)));
    ck_assert_int_eq(aside.fd, -1);
}
END_TEST

START_TEST(long_names_fit)
{
    no_unnamed = _i == 1;
    char name[256];
    memset(name, 'n', 255);
    name[255] = '\0';
    publish(in_folder(name), "one");
    publish(in_folder(name), "two");
    ck_content(in_folder(name), "two");
    ck_assert_int_eq(entries(), 1);
}
END_TEST

START_TEST(abandoning_leaves_nothing)
{
    no_unnamed = _i == 1;
    struct cli_aside asides[3] = {CLI_ASIDE_NONE, CLI_ASIDE_NONE, CLI_ASIDE_NONE};
    struct lh_error error = LH_ERROR_INIT;
    for (size_t i = 0; i < 3; i++) {
        ck_assert_int_eq(cli_aside_open(&arena, in_folder("mix.wav"), &asides[i], &error), LH_OK);
    }
    ck_assert_int_eq(entries(), no_unnamed ? 3 : 0);
    cli_aside_discard(&asides[1]);
    ck_assert_int_eq(entries(), no_unnamed ? 2 : 0);
    cli_aside_abandon_all();
    ck_assert_int_eq(entries(), 0);
}
END_TEST

START_TEST(scratch_has_no_name)
{
    no_unnamed = _i == 1;
    int fd = -1;
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_int_eq(cli_scratch_open(&arena, folder, &fd, &error), LH_OK);
    ck_assert_int_eq(pwrite(fd, "x", 1, 4096), 1);
    ck_assert_int_eq(entries(), 0);
    close(fd);
    ck_assert_int_eq(cli_scratch_open(&arena, in_folder("none"), &fd, &error), LH_ERR_IO);
    ck_assert_ptr_nonnull(strstr(error.message, "TMPDIR"));
}
END_TEST

START_TEST(parts_of_paths)
{
    ck_assert_str_eq(cli_folder_of(&arena, "a.wav"), ".");
    ck_assert_str_eq(cli_folder_of(&arena, "/a.wav"), "/");
    ck_assert_str_eq(cli_folder_of(&arena, "x/y/a.wav"), "x/y");
    ck_assert_str_eq(cli_name_of("x/y/a.wav"), "a.wav");
    ck_assert_str_eq(cli_name_of("a.wav"), "a.wav");
}
END_TEST

START_TEST(memory_runs_out)
{
    no_unnamed = _i == 1;
    for (size_t n = 1;; n++) {
        struct lh_arena own;
        struct cli_aside aside = CLI_ASIDE_NONE;
        struct lh_error error = LH_ERROR_INIT;
        lh_arena_init(&own);
        testing_fail_allocation(n);
        enum lh_status status = cli_aside_open(&own, in_folder("mix.wav"), &aside, &error);
        bool fired = testing_fail_allocation_end();
        ck_assert(status == LH_OK || status == LH_ERR_NO_MEMORY);
        cli_aside_discard(&aside);
        lh_arena_fini(&own);
        ck_assert_int_eq(entries(), 0);
        if (!fired) {
            break;
        }
        ck_assert_int_eq(status, LH_ERR_NO_MEMORY);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cli/aside");
    TCase *tests = tcase_create("aside");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_loop_test(tests, appears_when_published_only, 0, 2);
    tcase_add_loop_test(tests, replaces_in_one_step, 0, 2);
    tcase_add_loop_test(tests, mode_follows_the_umask, 0, 2);
    tcase_add_loop_test(tests, discard_leaves_the_old_file, 0, 2);
    tcase_add_loop_test(tests, refuses_folders_and_devices, 0, 2);
    tcase_add_loop_test(tests, long_names_fit, 0, 2);
    tcase_add_loop_test(tests, abandoning_leaves_nothing, 0, 2);
    tcase_add_loop_test(tests, scratch_has_no_name, 0, 2);
    tcase_add_test(tests, parts_of_paths);
    tcase_add_loop_test(tests, memory_runs_out, 0, 2);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
