/* SPDX-License-Identifier: MIT */
/* engine/instance/folder.c: made for one alone, and gone with whatever is in it. */
#include "engine/instance/folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/testing.h"

#define DEEP 600 /* with names of eight bytes: past PATH_MAX */

static char base[] = "/tmp/loophole-folder-XXXXXX";
static struct engine_folder folder;
static const char *const path = folder.path;
static struct lh_error error;

static void make(struct engine_folder *one)
{
    ck_assert_msg(engine_folder_new(one, &error) == LH_OK, "%s", error.message);
}

static void setup(void)
{
    strcpy(base, "/tmp/loophole-folder-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(base));
    ck_assert_int_eq(setenv("TMPDIR", base, 1), 0);
    make(&folder);
}

/* Nothing is left, not even the user's folder. */
static void teardown(void)
{
    ck_assert_int_eq(rmdir(base), 0);
}

/* Removed; its path is in `was`. */
static void remove_it(void)
{
    char was[PATH_MAX];
    strcpy(was, path);
    engine_folder_remove(&folder);
    ck_assert_str_eq(path, "");
    ck_assert_int_ne(access(was, F_OK), 0);
}

static void write_file(const char *where, const char *name)
{
    char file[PATH_MAX + 64];
    int length = snprintf(file, sizeof file, "%s/%s", where, name);
    ck_assert(length > 0 && (size_t)length < sizeof file);
    int fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    close(fd);
}

START_TEST(it_is_its_owners_alone)
{
    struct stat facts;
    ck_assert_int_eq(stat(path, &facts), 0);
    ck_assert_uint_eq(facts.st_mode & 0777, 0700);
    ck_assert_uint_eq(facts.st_uid, geteuid());
    remove_it();
    engine_folder_remove(&folder); /* already gone */
}
END_TEST

START_TEST(it_goes_where_temporary_files_go)
{
    ck_assert_int_eq(strncmp(path, base, strlen(base)), 0);
    remove_it();
    struct engine_folder other = ENGINE_FOLDER_NONE;
    ck_assert_int_eq(setenv("TMPDIR", "/nowhere/at/all", 1), 0);
    ck_assert_int_eq(engine_folder_new(&other, &error), LH_ERR_IO);
    ck_assert_str_eq(error.where, "/nowhere/at/all");
    char *endless = malloc(PATH_MAX);
    memset(endless, 'a', PATH_MAX - 8);
    endless[0] = '/';
    endless[PATH_MAX - 8] = '\0';
    ck_assert_int_eq(setenv("TMPDIR", endless, 1), 0);
    ck_assert_int_eq(engine_folder_new(&other, &error), LH_ERR_LIMIT);
    ck_assert_str_eq(other.path, "");
    free(endless);
}
END_TEST

/* What somebody was killed over goes with the next that is made; what somebody holds stays. */
START_TEST(the_dead_are_swept_up)
{
    char left[PATH_MAX];
    strcpy(left, path);
    write_file(left, "rest");
    struct engine_folder other;
    make(&other);
    ck_assert_int_eq(access(left, F_OK), 0);
    engine_folder_remove(&other);
    ck_assert_int_eq(access(left, F_OK), 0);
    close(folder.lock); /* as when its process ends */
    make(&other);
    ck_assert_int_ne(access(left, F_OK), 0);
    engine_folder_remove(&other);
}
END_TEST

/* Somebody else's folder, or one that others can write to, is not trusted. */
START_TEST(a_base_that_others_can_write_to)
{
    char shared[PATH_MAX];
    strcpy(shared, path);
    remove_it();
    *strrchr(shared, '/') = '\0';
    ck_assert_int_eq(mkdir(shared, 0700), 0);
    ck_assert_int_eq(chmod(shared, 0777), 0);
    struct engine_folder other = ENGINE_FOLDER_NONE;
    ck_assert_int_eq(engine_folder_new(&other, &error), LH_ERR_IO);
    ck_assert_int_eq(rmdir(shared), 0);
    ck_assert_int_eq(symlink("/tmp", shared), 0);
    ck_assert_int_eq(engine_folder_new(&other, &error), LH_ERR_IO);
    ck_assert_int_eq(unlink(shared), 0);
}
END_TEST

/* Many come and go at a time: each gets its own, and at the end there is nothing. */
START_TEST(many_at_a_time)
{
    remove_it();
    pid_t children[8];
    for (int i = 0; i < 8; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            for (int round = 0; round < 50; round++) {
                struct engine_folder own;
                if (engine_folder_new(&own, NULL) != LH_OK) {
                    _exit(1);
                }
                write_file(own.path, "mine");
                struct stat facts;
                int result = stat(own.path, &facts);
                engine_folder_remove(&own);
                if (result != 0) {
                    _exit(2);
                }
            }
            _exit(0);
        }
    }
    for (int i = 0; i < 8; i++) {
        int ended;
        ck_assert_int_eq(waitpid(children[i], &ended, 0), children[i]);
        ck_assert(WIFEXITED(ended));
        ck_assert_int_eq(WEXITSTATUS(ended), 0);
    }
}
END_TEST

START_TEST(links_are_removed_and_not_followed)
{
    struct engine_folder other;
    make(&other);
    const char *outside = other.path;
    write_file(outside, "precious");
    char name[PATH_MAX + 64];
    snprintf(name, sizeof name, "%s/link", path);
    ck_assert_int_eq(symlink(outside, name), 0);
    snprintf(name, sizeof name, "%s/folder", path);
    ck_assert_int_eq(mkdir(name, 0700), 0);
    snprintf(name, sizeof name, "%s/folder/link", path);
    ck_assert_int_eq(symlink(outside, name), 0);
    remove_it();
    snprintf(name, sizeof name, "%s/precious", outside);
    ck_assert_int_eq(access(name, F_OK), 0);
    engine_folder_remove(&other);
}
END_TEST

/* Deeper than any path can say, and shut. */
START_TEST(however_deep_it_is)
{
    int at = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int i = 0; i < DEEP; i++) {
        ck_assert_int_eq(mkdirat(at, "00000000", 0700), 0);
        int next = openat(at, "00000000", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        ck_assert_int_ge(next, 0);
        int file = openat(next, "1", O_WRONLY | O_CREAT | O_CLOEXEC, 0);
        ck_assert_int_ge(file, 0);
        close(file);
        fchmod(at, i % 2 == 0 ? 0 : 0500);
        close(at);
        at = next;
    }
    close(at);
    remove_it();
}
END_TEST

START_TEST(however_much_it_is)
{
    for (int i = 0; i < 2000; i++) {
        char name[32];
        snprintf(name, sizeof name, "%x", (unsigned)i);
        if (i % 3 == 0) {
            char inner[PATH_MAX + 64];
            snprintf(inner, sizeof inner, "%s/%s", path, name);
            ck_assert_int_eq(mkdir(inner, 0700), 0);
            write_file(inner, "a");
            write_file(inner, "b");
        } else {
            write_file(path, name);
        }
    }
    remove_it();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("engine/instance/folder");
    TCase *test = tcase_create("folder");
    tcase_set_timeout(test, 60);
    tcase_add_checked_fixture(test, setup, teardown);
    tcase_add_test(test, it_is_its_owners_alone);
    tcase_add_test(test, it_goes_where_temporary_files_go);
    tcase_add_test(test, the_dead_are_swept_up);
    tcase_add_test(test, a_base_that_others_can_write_to);
    tcase_add_test(test, many_at_a_time);
    tcase_add_test(test, links_are_removed_and_not_followed);
    tcase_add_test(test, however_deep_it_is);
    tcase_add_test(test, however_much_it_is);
    suite_add_tcase(suite, test);
    return testing_main(suite);
}
