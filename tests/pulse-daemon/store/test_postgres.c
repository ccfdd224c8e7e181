/* SPDX-License-Identifier: MIT */
/* PostgreSQL that goes away, comes back, is full or is another than expected. The server is ours: it is really killed.
 */
#include <libpq-fe.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/pulse-daemon/store/fixture.h"

static void apply_job(uint64_t id)
{
    struct pulse_change job = fixture_job(1, id, PULSE_JOB_QUEUED);
    OK(pulse_store_apply(fixture_store, &job, 1, NULL, &fixture_error));
}

/* Makes sure that what was sent is with the server. */
static void look(void)
{
    struct lh_arena arena;
    struct pulse_spec spec;
    lh_arena_init(&arena);
    FAILS(pulse_store_spec(fixture_store, 1, 1, &arena, &spec, &fixture_error), LH_ERR_MISSING);
    lh_arena_fini(&arena);
}

START_TEST(killed_in_the_middle_of_a_transaction)
{
    static const char *const ways[] = {"restart immediate", "restart fast"};
    for (uint64_t i = 0; i < 2; i++) {
        fixture_begin();
        apply_job(2 * i + 1);
        look();
        fixture_control(ways[i]);
        FAILS(pulse_store_commit(fixture_store, &fixture_error), LH_ERR_UNAVAILABLE);
        FAILS(pulse_store_commit(fixture_store, NULL), LH_ERR_INTERNAL);
        pulse_store_rollback(fixture_store);
        ck_assert_int_eq(fixture_count("SELECT count(*) FROM jobs"), (int64_t)i);
        /* The same handle goes on, and still leads. */
        fixture_begin();
        apply_job(2 * i + 2);
        fixture_commit();
        ck_assert_int_eq(fixture_count("SELECT count(*) FROM jobs"), (int64_t)i + 1);
    }
}
END_TEST

START_TEST(a_write_notices_too)
{
    fixture_begin();
    look();
    fixture_control("restart immediate");
    struct pulse_change job = fixture_job(1, 1, PULSE_JOB_QUEUED);
    enum lh_status status = pulse_store_apply(fixture_store, &job, 1, NULL, &fixture_error);
    if (status == LH_OK) {
        status = pulse_store_commit(fixture_store, &fixture_error);
    }
    ck_assert_int_eq(status, LH_ERR_UNAVAILABLE);
    pulse_store_rollback(fixture_store);
    ck_assert_int_eq(fixture_count("SELECT count(*) FROM jobs"), 0);
}
END_TEST

static enum lh_status ignore(void *context, const struct pulse_change *change)
{
    (void)context;
    (void)change;
    return LH_OK;
}

START_TEST(gone_and_back)
{
    struct pulse_store_numbers numbers;
    struct pulse_store *another = NULL;
    fixture_control("stop immediate");
    for (int i = 0; i < 3; i++) {
        FAILS(pulse_store_begin(fixture_store, NOW, &fixture_error), LH_ERR_UNAVAILABLE);
        FAILS(pulse_store_load(fixture_store, ignore, NULL, &numbers, &fixture_error), LH_ERR_UNAVAILABLE);
        FAILS(pulse_store_open(fixture_url(), PULSE_STORE_WRITE, &another, &fixture_error), LH_ERR_UNAVAILABLE);
    }
    fixture_control("start");
    OK(pulse_store_load(fixture_store, ignore, NULL, &numbers, &fixture_error));
    fixture_begin();
    apply_job(1);
    fixture_commit();
}
END_TEST

/* A restart while nobody asked is not even noticed. */
START_TEST(restarted_while_idle)
{
    fixture_begin();
    apply_job(1);
    fixture_commit();
    fixture_control("restart fast");
    fixture_begin();
    apply_job(2);
    fixture_commit();
    ck_assert_int_eq(fixture_count("SELECT count(*) FROM jobs"), 2);
}
END_TEST

/* A session that the administrator ends, or the server because it idles in a transaction. */
START_TEST(a_session_that_is_ended)
{
    fixture_begin();
    apply_job(1);
    look();
    fixture_execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'loophole-pulse'");
    FAILS(pulse_store_commit(fixture_store, &fixture_error), LH_ERR_UNAVAILABLE);
    pulse_store_rollback(fixture_store);
    fixture_begin();
    apply_job(1);
    fixture_commit();
}
END_TEST

START_TEST(who_was_taken_over_during_an_outage)
{
    uint64_t epoch = 0;
    fixture_control("restart immediate");
    struct pulse_store *successor = fixture_open(PULSE_STORE_WRITE);
    OK(pulse_store_lead(successor, "successor", NOW, &epoch, &fixture_error));
    FAILS(pulse_store_begin(fixture_store, NOW, &fixture_error), LH_ERR_TAKEN_OVER);
    pulse_store_close(successor);
}
END_TEST

START_TEST(no_room_for_another_connection)
{
    struct pulse_store *stores[100] = {NULL};
    enum lh_status status = LH_OK;
    size_t count = 0;
    while (status == LH_OK && count < 100) {
        status = pulse_store_open(fixture_url(), PULSE_STORE_READ, &stores[count], &fixture_error);
        count += status == LH_OK;
    }
    ck_assert_int_eq(status, LH_ERR_UNAVAILABLE);
    for (size_t i = 0; i < count; i++) {
        pulse_store_close(stores[i]);
    }
}
END_TEST

START_TEST(databases_that_will_not_do)
{
    struct pulse_store *store = NULL;
    char url[512];
    snprintf(url, sizeof url, "postgresql:///nowhere?host=%s&user=loophole", getenv("LOOPHOLE_TEST_POSTGRES_FOLDER"));
    FAILS(pulse_store_open(url, PULSE_STORE_WRITE, &store, &fixture_error), LH_ERR_USAGE);
    snprintf(url, sizeof url, "postgresql:///postgres?host=%s&user=nobody&password=secret",
             getenv("LOOPHOLE_TEST_POSTGRES_FOLDER"));
    FAILS(pulse_store_open(url, PULSE_STORE_WRITE, &store, &fixture_error), LH_ERR_USAGE);
    ck_assert_ptr_null(strstr(fixture_error.message, "secret"));
    fixture_execute("CREATE DATABASE old ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0");
    snprintf(url, sizeof url, "postgresql:///old?host=%s&user=loophole", getenv("LOOPHOLE_TEST_POSTGRES_FOLDER"));
    FAILS(pulse_store_open(url, PULSE_STORE_WRITE, &store, &fixture_error), LH_ERR_UNSUPPORTED);
    ck_assert_ptr_null(store);
    fixture_execute("DROP DATABASE old");
}
END_TEST

/* ---- A writer beside a server that is killed ---- */

static atomic_bool stop;

/* Each transaction makes a job and the want of it; the numbers of those that were acknowledged are kept. */
struct diary {
    uint64_t acknowledged[100000];
    size_t count;
    size_t outages;
};

static enum lh_status write_job(struct pulse_store *store, uint64_t id)
{
    struct lh_digest key = fixture_digest("key", id);
    struct pulse_change changes[] = {fixture_job(1, id, PULSE_JOB_RUNNING), fixture_want(1, id, &key)};
    enum lh_status status = pulse_store_begin(store, NOW, NULL);
    status = status == LH_OK ? pulse_store_apply(store, changes, 2, NULL, NULL) : status;
    status = status == LH_OK ? pulse_store_commit(store, NULL) : status;
    pulse_store_rollback(store);
    return status;
}

static void *keep_writing(void *context)
{
    struct diary *diary = context;
    for (uint64_t id = 1; !atomic_load(&stop) && diary->count < 100000; id++) {
        enum lh_status status = write_job(fixture_store, id);
        if (status == LH_OK) {
            diary->acknowledged[diary->count++] = id;
        } else {
            ck_assert_int_eq(status, LH_ERR_UNAVAILABLE);
            diary->outages++;
            usleep(20000);
        }
    }
    return NULL;
}

START_TEST(what_was_acknowledged_is_there)
{
    static struct diary diary;
    pthread_t thread;
    char sql[128];
    srandom((unsigned)getpid());
    ck_assert_int_eq(pthread_create(&thread, NULL, keep_writing, &diary), 0);
    for (int i = 0; i < 4; i++) {
        usleep((useconds_t)(200000 + random() % 300000));
        fixture_control(i % 2 == 0 ? "restart immediate" : "restart fast");
    }
    usleep(300000);
    atomic_store(&stop, true);
    pthread_join(thread, NULL);
    ck_assert_uint_gt(diary.count, 10);
    ck_assert_uint_ge(diary.outages, 1);
    /* All that were acknowledged; of the others each whole or not at all. */
    ck_assert_int_ge(fixture_count("SELECT count(*) FROM jobs"), (int64_t)diary.count);
    ck_assert_int_le(fixture_count("SELECT count(*) FROM jobs"), (int64_t)(diary.count + diary.outages));
    ck_assert_int_eq(fixture_count("SELECT count(*) FROM jobs j WHERE NOT EXISTS"
                                   " (SELECT 1 FROM wants w WHERE w.tenant = j.tenant AND w.job = j.id)"),
                     0);
    for (size_t i = 0; i < diary.count; i += 1 + diary.count / 200) {
        snprintf(sql, sizeof sql, "SELECT count(*) FROM jobs WHERE id = %llu",
                 (unsigned long long)diary.acknowledged[i]);
        ck_assert_int_eq(fixture_count(sql), 1);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pulse-daemon/store/postgres");
    TCase *tests = tcase_create("outages");
    tcase_add_checked_fixture(tests, fixture_set_up, fixture_tear_down);
    tcase_add_test(tests, killed_in_the_middle_of_a_transaction);
    tcase_add_test(tests, a_write_notices_too);
    tcase_add_test(tests, gone_and_back);
    tcase_add_test(tests, restarted_while_idle);
    tcase_add_test(tests, a_session_that_is_ended);
    tcase_add_test(tests, who_was_taken_over_during_an_outage);
    tcase_add_test(tests, no_room_for_another_connection);
    tcase_add_test(tests, databases_that_will_not_do);
    tcase_add_test(tests, what_was_acknowledged_is_there);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
