/* SPDX-License-Identifier: MIT */
/* Opening media: what is there, what is not, what leads out. */
#include "pulse-daemon/project/files.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/testing.h"

static char folder[64];

static void make_file(const char *name, const char *content)
{
    FILE *file = fopen(name, "w");
    ck_assert_ptr_nonnull(file);
    fputs(content, file);
    fclose(file);
}

static void set_up(void)
{
    strcpy(folder, "/tmp/loophole-files-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(chdir(folder), 0);
    ck_assert_int_eq(mkdir("project", 0700), 0);
    ck_assert_int_eq(mkdir("project/stems", 0700), 0);
    make_file("outside.wav", "secret");
    make_file("project/stems/kick.wav", "kick");
    ck_assert_int_eq(symlink("stems/kick.wav", "project/inside"), 0);
    ck_assert_int_eq(symlink("../outside.wav", "project/outside"), 0);
    ck_assert_int_eq(symlink("..", "project/up"), 0);
    ck_assert_int_eq(symlink("/etc/hostname", "project/absolute"), 0);
    ck_assert_int_eq(symlink("stems", "project/link"), 0);
    ck_assert_int_eq(symlink("loop", "project/loop"), 0);
    ck_assert_int_eq(mkfifo("project/fifo", 0600), 0);
}

static void tear_down(void)
{
    static const char *const names[] = {"project/fifo", "project/loop",    "project/link",   "project/absolute",
                                        "project/up",   "project/outside", "project/inside", "project/stems/kick.wav",
                                        "outside.wav"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        unlink(names[i]);
    }
    rmdir("project/stems");
    rmdir("project");
    rmdir(folder);
}

static enum lh_status try_open(const char *path, struct lh_error *error)
{
    const struct pulse_media media = {.id = "m", .file = path};
    const struct pulse_project project = {.folder = "project", .media = &media, .media_count = 1};
    int fd = -1;
    enum lh_status status = pulse_media_open(&project, 0, &fd, error);
    ck_assert((fd >= 0) == (status == LH_OK));
    if (fd >= 0) {
        char byte = 0;
        ck_assert_int_eq(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
        ck_assert_int_eq(read(fd, &byte, 1), 1);
        ck_assert_int_eq(byte, 'k');
        close(fd);
    }
    return status;
}

static void expect(const char *path, enum lh_status status, const char *words)
{
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_msg(try_open(path, &error) == status, "%s: %s", path, error.message);
    ck_assert_str_eq(error.where, "/media/m");
    ck_assert_msg(strstr(error.message, words) != NULL, "%s: %s", path, error.message);
}

START_TEST(files_beneath_the_folder_are_opened)
{
    ck_assert_int_eq(try_open("stems/kick.wav", NULL), LH_OK);
    ck_assert_int_eq(try_open("inside", NULL), LH_OK);
    ck_assert_int_eq(try_open("link/kick.wav", NULL), LH_OK);
}
END_TEST

START_TEST(links_do_not_lead_out)
{
    expect("outside", LH_ERR_INVALID, "leads out of the project's folder");
    expect("up/outside.wav", LH_ERR_INVALID, "leads out");
    expect("absolute", LH_ERR_INVALID, "leads out");
    expect("loop", LH_ERR_INVALID, "symbolic link");
}
END_TEST

START_TEST(what_is_missing_has_a_near_name)
{
    expect("stems/kik.wav", LH_ERR_MISSING, "did you mean \"stems/kick.wav\"?");
    expect("stem/kick.wav", LH_ERR_MISSING, "did you mean \"stems\"?");
    expect("trombone.flac", LH_ERR_MISSING, "there is no file \"trombone.flac\"");
    expect("stems/kick.wav/x", LH_ERR_MISSING, "there is no file");
}
END_TEST

START_TEST(only_regular_files_are_media)
{
    expect("fifo", LH_ERR_MISSING, "no regular file");
    expect("stems", LH_ERR_MISSING, "is a folder");
    if (geteuid() != 0) { /* root may read everything */
        ck_assert_int_eq(chmod("project/stems/kick.wav", 0), 0);
        expect("stems/kick.wav", LH_ERR_MISSING, "permission denied");
    }
}
END_TEST

START_TEST(media_without_a_file_are_missing)
{
    struct lh_error error = LH_ERROR_INIT;
    const struct pulse_media media[] = {{.id = "d", .has_digest = true}, {.id = "f", .file = "a.wav"}};
    struct pulse_project project = {.folder = "nowhere", .media = media, .media_count = 2};
    int fd = -1;
    ck_assert_int_eq(pulse_media_open(&project, 0, &fd, &error), LH_ERR_MISSING);
    ck_assert_ptr_nonnull(strstr(error.message, "media store"));
    ck_assert_int_eq(pulse_media_open(&project, 1, &fd, &error), LH_ERR_MISSING);
    ck_assert_ptr_nonnull(strstr(error.message, "nowhere"));
    project.folder = NULL;
    ck_assert_int_eq(pulse_media_open(&project, 1, &fd, &error), LH_ERR_MISSING);
    ck_assert_int_eq(pulse_media_open(&project, 2, &fd, &error), LH_ERR_USAGE);
    ck_assert_int_eq(fd, -1);
}
END_TEST

/* Any file of the project by its path; where it is named is the caller's to say. */
START_TEST(other_files_are_opened_alike)
{
    struct lh_error error = LH_ERROR_INIT;
    const struct pulse_project project = {.folder = "project"};
    int fd = -1;
    ck_assert_int_eq(pulse_file_open(&project, "stems/kick.wav", &fd, &error), LH_OK);
    ck_assert_int_eq(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
    close(fd);
    fd = -1;
    ck_assert_int_eq(pulse_file_open(&project, "stems/kik.wav", &fd, &error), LH_ERR_MISSING);
    ck_assert_ptr_nonnull(strstr(error.message, "did you mean \"stems/kick.wav\"?"));
    ck_assert_str_eq(error.where, "");
    ck_assert_int_eq(pulse_file_open(&project, "outside", &fd, &error), LH_ERR_INVALID);
    ck_assert_int_eq(pulse_file_open(&project, "fifo", &fd, &error), LH_ERR_MISSING);
    ck_assert_int_eq(fd, -1);
}
END_TEST

/* From here on the process has no openat2(), like an old kernel. */
static void forbid_openat2(void)
{
    struct sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof rules / sizeof *rules, .filter = rules};
    ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    ck_assert_int_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

START_TEST(without_openat2_no_link_is_followed)
{
    /* Check forks for every test, so the filter ends with this one. */
    forbid_openat2();
    ck_assert_int_eq(try_open("stems/kick.wav", NULL), LH_OK);
    expect("inside", LH_ERR_INVALID, "cannot be followed safely");
    expect("outside", LH_ERR_INVALID, "cannot be followed safely");
    expect("up/outside.wav", LH_ERR_INVALID, "cannot be followed safely");
    expect("link/kick.wav", LH_ERR_INVALID, "cannot be followed safely");
    expect("stems/kik.wav", LH_ERR_MISSING, "did you mean \"stems/kick.wav\"?");
    expect("fifo", LH_ERR_MISSING, "no regular file");
}
END_TEST

START_TEST(memory_may_be_out)
{
    const struct pulse_media media = {.id = "m", .file = "stems/kik.wav"};
    const struct pulse_project project = {.folder = "project", .media = &media, .media_count = 1};
    bool failed = true;
    for (size_t n = 1; failed; n++) {
        int fd = -1;
        testing_fail_allocation(n);
        enum lh_status status = pulse_media_open(&project, 0, &fd, NULL);
        failed = testing_fail_allocation_end();
        ck_assert_int_eq(status, LH_ERR_MISSING); /* without a near name, if need be */
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pulse-daemon/project/files");
    TCase *tests = tcase_create("files");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, files_beneath_the_folder_are_opened);
    tcase_add_test(tests, links_do_not_lead_out);
    tcase_add_test(tests, what_is_missing_has_a_near_name);
    tcase_add_test(tests, only_regular_files_are_media);
    tcase_add_test(tests, media_without_a_file_are_missing);
    tcase_add_test(tests, other_files_are_opened_alike);
    tcase_add_test(tests, without_openat2_no_link_is_followed);
    tcase_add_test(tests, memory_may_be_out);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
