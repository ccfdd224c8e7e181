/* SPDX-License-Identifier: MIT */
/* The file beneath: damaged, locked, no space left, its writer killed. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pulse-daemon/store/access.h"
#include "tests/pulse-daemon/store/fixture.h"

#define READER_MOST (10 << 20) /* bytes */

static enum lh_status ignore(void *context, const struct pulse_change *change)
{
    (void)context;
    (void)change;
    return LH_OK;
}

static void ignore_fault(void *context, const char *where, const char *fault)
{
    (void)context;
    (void)where;
    (void)fault;
}

static void fill(uint64_t count)
{
    struct pulse_change *changes = calloc(3 * count + 1, sizeof *changes);
    struct lh_digest *keys = calloc(count, sizeof *keys);
    for (uint64_t i = 0; i < count; i++) {
        keys[i] = fixture_digest("key", i);
        changes[3 * i] = fixture_shard(1, i + 1, PULSE_SHARD_READY);
        changes[3 * i + 1] = fixture_spec(1, i + 1, NULL, 0, &keys[i], 1);
        changes[3 * i + 2] = fixture_output(1, &keys[i], PULSE_OUTPUT_PROMISED, i + 1);
    }
    fixture_needs(&changes[3 * count]);
    fixture_apply(changes, 3 * count + 1);
    free(keys);
    free(changes);
}

static void overwrite(off_t from, off_t to)
{
    int fd = open(fixture_path(), O_WRONLY);
    ck_assert_int_ge(fd, 0);
    for (off_t at = from; at < to; at += 64) {
        char garbage[64];
        memset(garbage, 0xA5, sizeof garbage);
        ck_assert_int_eq(pwrite(fd, garbage, sizeof garbage, at), sizeof garbage);
    }
    close(fd);
}

START_TEST(what_is_no_database)
{
    struct pulse_store *store = NULL;
    pulse_store_close(fixture_store);
    fixture_store = NULL;
    overwrite(0, 4096);
    FAILS(pulse_store_open(fixture_url(), PULSE_STORE_WRITE, &store, &fixture_error), LH_ERR_FORMAT);
    FAILS(pulse_store_open(fixture_url(), PULSE_STORE_READ, &store, &fixture_error), LH_ERR_FORMAT);
    ck_assert_str_eq(fixture_error.where, fixture_path());
    ck_assert_int_eq(unlink(fixture_path()), 0);
    /* Who only reads makes no file. */
    FAILS(pulse_store_open(fixture_url(), PULSE_STORE_READ, &store, &fixture_error), LH_ERR_IO);
    ck_assert_int_ne(access(fixture_path(), F_OK), 0);
    ck_assert_ptr_null(store);
}
END_TEST

START_TEST(a_damaged_database)
{
    struct pulse_store_numbers numbers;
    struct stat stat;
    size_t found = 0;
    fill(3000);
    pulse_store_close(fixture_store); /* the log goes into the file */
    ck_assert_int_eq(lstat(fixture_path(), &stat), 0);
    ck_assert_int_gt(stat.st_size, 500000);
    overwrite(stat.st_size / 3, stat.st_size / 3 * 2);
    fixture_store = fixture_open(PULSE_STORE_WRITE);
    FAILS(pulse_store_load(fixture_store, ignore, NULL, &numbers, &fixture_error), LH_ERR_FORMAT);
    ck_assert_ptr_nonnull(strstr(fixture_error.message, "damaged"));
    enum lh_status status = pulse_store_check(fixture_store, ignore_fault, NULL, &found, &fixture_error);
    ck_assert(status == LH_ERR_FORMAT || (status == LH_OK && found > 0));
}
END_TEST

/* There is a reader for each thread that asks. */
START_TEST(a_reader_keeps_little_of_it)
{
    struct pulse_store_numbers numbers;
    struct stat stat;
    fill(120000);
    pulse_store_close(fixture_store); /* the log goes into the file */
    fixture_store = fixture_open(PULSE_STORE_READ);
    ck_assert_int_eq(lstat(fixture_path(), &stat), 0);
    ck_assert_int_gt(stat.st_size, 2 * READER_MOST);
    OK(pulse_store_load(fixture_store, ignore, NULL, &numbers, &fixture_error));
    ck_assert_int_gt(sqlite3_memory_used(), 0);
    ck_assert_int_lt(sqlite3_memory_used(), READER_MOST);
}
END_TEST

START_TEST(somebody_else_holds_the_lock)
{
    sqlite3 *other = NULL;
    ck_assert_int_eq(sqlite3_open(fixture_path(), &other), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    FAILS(pulse_store_begin(fixture_store, NOW, &fixture_error), LH_ERR_UNAVAILABLE);
    ck_assert_int_eq(sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(other);
    fixture_begin();
    fixture_commit();
}
END_TEST

/* So many bytes in new rows. */
static enum lh_status put_large(struct pulse_store *store, size_t size)
{
    static unsigned number;
    static char tags[PULSE_STORE_TEXT_MAX / 2 + 1];
    enum lh_status status = LH_OK;
    while (status == LH_OK && size > 0) {
        char name[32];
        uint64_t id = 0;
        size_t piece = size < sizeof tags - 1 ? size : sizeof tags - 1;
        const struct pulse_tenant_row row = {.name = name, .tags = tags};
        snprintf(name, sizeof name, "large %u", ++number);
        memset(tags, 'x', piece);
        tags[piece] = '\0';
        status = pulse_store_tenant_put(store, &row, &id, &fixture_error);
        size -= piece;
    }
    return status;
}

START_TEST(no_space_is_left)
{
    struct rlimit limit;
    const size_t size = 4 << 20;
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
    struct rlimit small = {.rlim_cur = 1 << 20, .rlim_max = limit.rlim_max};
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
    fixture_begin();
    enum lh_status status = put_large(fixture_store, size);
    if (status == LH_OK) {
        status = pulse_store_commit(fixture_store, &fixture_error);
    }
    ck_assert_int_eq(status, LH_ERR_IO);
    pulse_store_rollback(fixture_store);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    ck_assert_int_eq(fixture_count("SELECT count(*) FROM tenants"), 2);
    size_t found = 0;
    OK(pulse_store_check(fixture_store, ignore_fault, NULL, &found, &fixture_error));
    ck_assert_uint_eq(found, 0);
    fixture_begin();
    OK(put_large(fixture_store, size));
    fixture_commit();
}
END_TEST

/* A small file system of our own; false when this machine does not let us. */
static bool mount_small(const char *place)
{
    bool own = unshare(CLONE_NEWNS) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0;
    return own && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("small", place, "tmpfs", 0, "size=6m,mode=0700") == 0;
}

static enum lh_status count_tenant(void *context, const struct pulse_tenant_row *row)
{
    (void)row;
    ++*(size_t *)context;
    return LH_OK;
}

START_TEST(a_full_disk)
{
    char place[128], url[160];
    struct pulse_store *store = NULL;
    const size_t size = 3 << 20;
    size_t found = 0;
    uint64_t epoch = 0;
    snprintf(place, sizeof place, "%s", fixture_path());
    *strrchr(place, '/') = '\0';
    pulse_store_close(fixture_store);
    fixture_store = NULL;
    if (!mount_small(place)) {
        fprintf(stderr, "# no file system of our own here: %s\n", strerror(errno));
        return;
    }
    snprintf(url, sizeof url, "sqlite:%s/small.db", place);
    OK(pulse_store_open(url, PULSE_STORE_WRITE, &store, &fixture_error));
    OK(pulse_store_migrate(store, NOW, &fixture_error));
    OK(pulse_store_lead(store, "small", NOW, &epoch, &fixture_error));
    for (int i = 0; i < 2; i++) {
        OK(pulse_store_begin(store, NOW, &fixture_error));
        OK(put_large(store, size / 3));
        enum lh_status status = put_large(store, 2 * size);
        status = status == LH_OK ? pulse_store_commit(store, &fixture_error) : status;
        ck_assert_int_eq(status, LH_ERR_IO);
        ck_assert_ptr_nonnull(strstr(fixture_error.message, "disk is full"));
        pulse_store_rollback(store);
        OK(pulse_store_check(store, ignore_fault, NULL, &found, &fixture_error));
        ck_assert_uint_eq(found, 0);
        size_t count = 0;
        OK(pulse_store_tenants(store, count_tenant, &count, &fixture_error));
        ck_assert_uint_eq(count, 0);
    }
    /* What fits goes in all the same. */
    OK(pulse_store_begin(store, NOW, &fixture_error));
    OK(put_large(store, 100000));
    OK(pulse_store_commit(store, &fixture_error));
    pulse_store_close(store);
    ck_assert_int_eq(umount(place), 0);
}
END_TEST

/* A child writes and tells each number it has committed through a pipe, until it is killed. */
static void write_for_ever(int out)
{
    struct pulse_store *store = fixture_open(PULSE_STORE_WRITE);
    uint64_t epoch = 0;
    OK(pulse_store_lead(store, "child", NOW, &epoch, &fixture_error));
    for (uint64_t id = 1;; id++) {
        struct lh_digest key = fixture_digest("key", id);
        struct pulse_change changes[] = {fixture_job(1, id, PULSE_JOB_RUNNING), fixture_want(1, id, &key)};
        OK(pulse_store_begin(store, NOW, &fixture_error));
        OK(pulse_store_apply(store, changes, 2, NULL, &fixture_error));
        OK(pulse_store_commit(store, &fixture_error));
        if (write(out, &id, sizeof id) != sizeof id) {
            _exit(1);
        }
    }
}

START_TEST(killed_while_it_writes)
{
    pulse_store_close(fixture_store);
    fixture_store = NULL;
    for (int round = 0; round < 5; round++) {
        int ends[2];
        uint64_t id = 0, last = 0;
        fixture_execute("DELETE FROM wants; DELETE FROM jobs");
        ck_assert_int_eq(pipe(ends), 0);
        pid_t child = fork();
        if (child == 0) {
            write_for_ever(ends[1]);
        }
        close(ends[1]);
        ck_assert_int_eq(read(ends[0], &last, sizeof last), sizeof last);
        usleep((useconds_t)(20000 * (round + 1)));
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        while (read(ends[0], &id, sizeof id) == sizeof id) {
            last = id;
        }
        close(ends[0]);
        int64_t jobs = fixture_count("SELECT count(*) FROM jobs");
        ck_assert(jobs == (int64_t)last || jobs == (int64_t)last + 1);
        ck_assert_int_eq(fixture_count("SELECT count(*) FROM wants"), jobs);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pulse-daemon/store/sqlite");
    TCase *tests = tcase_create("file");
    tcase_add_checked_fixture(tests, fixture_set_up, fixture_tear_down);
    tcase_add_test(tests, what_is_no_database);
    tcase_add_test(tests, a_damaged_database);
    tcase_add_test(tests, a_reader_keeps_little_of_it);
    tcase_add_test(tests, somebody_else_holds_the_lock);
    tcase_add_test(tests, no_space_is_left);
    tcase_add_test(tests, a_full_disk);
    tcase_add_test(tests, killed_while_it_writes);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
