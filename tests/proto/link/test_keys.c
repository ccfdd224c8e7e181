/* SPDX-License-Identifier: MIT */
/* Keys in files. */
#include "proto/link/keys.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/proto/link/ends.h"

static char path[128];

static void start(void)
{
    snprintf(path, sizeof path, "%s/key", ends_folder());
}

static void write_file(const char *text, size_t size, mode_t mode)
{
    unlink(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    ck_assert_int_eq(write(fd, text, size), (ssize_t)size);
    ck_assert_int_eq(fchmod(fd, mode), 0);
    close(fd);
}

static void refused(enum lh_status expected)
{
    struct wire_keys keys = {.public_key = "untouched"};
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_int_eq(wire_keys_load(path, &keys, &error), expected);
    ck_assert_str_eq(error.where, path);
    ck_assert_str_eq(keys.public_key, "untouched");
}

START_TEST(a_pair_is_kept_and_found_again)
{
    struct wire_keys made;
    struct wire_keys other;
    struct wire_keys read;
    struct stat facts;
    ck_assert_int_eq(wire_keys_generate(&made, NULL), LH_OK);
    ck_assert_int_eq(wire_keys_generate(&other, NULL), LH_OK);
    ck_assert_str_ne(made.secret_key, other.secret_key);
    umask(0777); /* would leave nobody anything */
    ck_assert_int_eq(wire_keys_save(&made, path, NULL), LH_OK);
    umask(022);
    ck_assert_int_eq(stat(path, &facts), 0);
    ck_assert_int_eq(facts.st_mode & 0777, 0600);
    ck_assert_int_eq(wire_keys_load(path, &read, NULL), LH_OK);
    ck_assert_str_eq(read.public_key, made.public_key);
    ck_assert_str_eq(read.secret_key, made.secret_key);
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_int_eq(wire_keys_save(&other, path, &error), LH_ERR_IO); /* never over another */
    ck_assert_int_eq(wire_keys_ensure(path, &read, NULL), LH_OK);
    ck_assert_str_eq(read.secret_key, made.secret_key);
}
END_TEST

START_TEST(a_pair_is_made_when_there_is_none)
{
    struct wire_keys made;
    struct wire_keys again;
    ck_assert_int_eq(wire_keys_ensure(path, &made, NULL), LH_OK);
    ck_assert_int_eq(wire_keys_ensure(path, &again, NULL), LH_OK);
    ck_assert_str_eq(made.secret_key, again.secret_key);
    ck_assert(wire_key_valid(made.public_key));
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_int_ne(wire_keys_ensure("/nowhere/at/all", &made, &error), LH_OK);
}
END_TEST

START_TEST(files_that_are_no_pair_are_refused)
{
    refused(LH_ERR_MISSING);
    struct wire_keys a;
    struct wire_keys b;
    char text[128];
    ck_assert_int_eq(wire_keys_generate(&a, NULL), LH_OK);
    ck_assert_int_eq(wire_keys_generate(&b, NULL), LH_OK);
    int size = snprintf(text, sizeof text, "loophole-curve %s %s\n", a.public_key, a.secret_key);
    write_file(text, (size_t)size, 0640); /* others may read it */
    refused(LH_ERR_INVALID);
    write_file(text, (size_t)size - 1, 0600);
    refused(LH_ERR_INVALID);
    write_file("", 0, 0600);
    refused(LH_ERR_INVALID);
    text[size] = 'x';
    write_file(text, (size_t)size + 1, 0600);
    refused(LH_ERR_INVALID);
    text[20] = '"'; /* not in Z85's alphabet */
    write_file(text, (size_t)size, 0600);
    refused(LH_ERR_INVALID);
    size = snprintf(text, sizeof text, "loophole-curve %s %s\n", a.public_key, b.secret_key);
    write_file(text, (size_t)size, 0600); /* no pair */
    refused(LH_ERR_INVALID);
    unlink(path);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    refused(LH_ERR_INVALID);
    rmdir(path);
    ck_assert_int_eq(symlink("/etc/passwd", path), 0);
    refused(LH_ERR_IO);
}
END_TEST

START_TEST(keys_are_known_by_their_form)
{
    ck_assert(!wire_key_valid(""));
    ck_assert(!wire_key_valid("too short"));
    ck_assert(wire_key_valid("0123456789012345678901234567890123456789"));
    ck_assert(!wire_key_valid("01234567890123456789012345678901234567890"));
    ck_assert(!wire_key_valid("012345678901234567890123456789012345678 "));
}
END_TEST

int main(void)
{
    TCase *group = tcase_create("keys");
    tcase_add_checked_fixture(group, start, ends_folder_remove);
    tcase_add_test(group, a_pair_is_kept_and_found_again);
    tcase_add_test(group, a_pair_is_made_when_there_is_none);
    tcase_add_test(group, files_that_are_no_pair_are_refused);
    tcase_add_test(group, keys_are_known_by_their_form);
    Suite *suite = suite_create("proto/link/keys");
    suite_add_tcase(suite, group);
    return testing_main(suite);
}
