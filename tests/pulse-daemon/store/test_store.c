/* SPDX-License-Identifier: MIT */
/* Opening, migrating, leading, transactions. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "pulse-daemon/store/access.h"
#include "tests/pulse-daemon/store/fixture.h"
#include "tests/pulse-daemon/store/suites.h"

START_TEST(what_is_no_store_is_refused)
{
    static const char *const urls[] = {"", "sqlite:", "pulse.db", "mysql://x", "file:/tmp/x", "postgresql:/x"};
    struct pulse_store *store = NULL;
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        FAILS(pulse_store_open(urls[i], PULSE_STORE_WRITE, &store, &fixture_error), LH_ERR_USAGE);
    }
    FAILS(pulse_store_open("sqlite:/nowhere/at/all.db", PULSE_STORE_WRITE, &store, &fixture_error), LH_ERR_IO);
    FAILS(pulse_store_open("postgresql:///x?host=/nowhere/at/all", PULSE_STORE_WRITE, &store, &fixture_error),
          LH_ERR_UNAVAILABLE);
    FAILS(pulse_store_open("postgresql://x?nonsense=1", PULSE_STORE_WRITE, &store, &fixture_error), LH_ERR_USAGE);
    ck_assert_ptr_null(store);
    pulse_store_close(NULL);
}
END_TEST

START_TEST(a_migrated_store_stays_as_it_is)
{
    struct pulse_store *store = fixture_open(PULSE_STORE_WRITE);
    OK(pulse_store_migrate(store, NOW, &fixture_error));
    int64_t steps = fixture_count("SELECT count(*) FROM migrations");
    ck_assert_int_ge(steps, 1);
    ck_assert_int_eq(fixture_count("SELECT max(number) FROM migrations"), steps);
    OK(pulse_store_migrate(store, NOW + 1, &fixture_error));
    ck_assert_int_eq(fixture_count("SELECT count(*) FROM migrations"), steps);
    ck_assert_int_eq(fixture_count("SELECT max(applied_ms) FROM migrations"), NOW);
    pulse_store_close(store);
}
END_TEST

START_TEST(a_store_of_a_newer_pulse_is_left_alone)
{
    struct pulse_store *store = fixture_open(PULSE_STORE_WRITE);
    OK(pulse_store_migrate(store, NOW, &fixture_error));
    fixture_execute("INSERT INTO migrations (number, applied_ms) VALUES (999, 0)");
    FAILS(pulse_store_migrate(store, NOW, &fixture_error), LH_ERR_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(fixture_error.message, "999"));
    pulse_store_close(store);
}
END_TEST

static void *migrate_in_thread(void *context)
{
    struct pulse_store *store = NULL;
    struct lh_error error = LH_ERROR_INIT;
    enum lh_status status = pulse_store_open(fixture_url(), PULSE_STORE_WRITE, &store, &error);
    status = status == LH_OK ? pulse_store_migrate(store, NOW, &error) : status;
    pulse_store_close(store);
    *(enum lh_status *)context = status;
    return NULL;
}

START_TEST(several_migrate_at_once)
{
    pthread_t threads[4];
    enum lh_status statuses[4];
    for (size_t i = 0; i < 4; i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, migrate_in_thread, &statuses[i]), 0);
    }
    for (size_t i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        ck_assert_int_eq(statuses[i], LH_OK);
    }
}
END_TEST

START_TEST(only_who_leads_may_write)
{
    uint64_t epoch = 0, later = 0;
    struct pulse_store *first = fixture_open(PULSE_STORE_WRITE);
    struct pulse_store *second = fixture_open(PULSE_STORE_WRITE);
    OK(pulse_store_migrate(first, NOW, &fixture_error));
    FAILS(pulse_store_begin(first, NOW, &fixture_error), LH_ERR_TAKEN_OVER);
    OK(pulse_store_lead(first, "first", NOW, &epoch, &fixture_error));
    OK(pulse_store_begin(first, NOW, &fixture_error));
    OK(pulse_store_commit(first, &fixture_error));
    OK(pulse_store_lead(second, "second", NOW, &later, &fixture_error));
    ck_assert_uint_gt(later, epoch);
    FAILS(pulse_store_begin(first, NOW, &fixture_error), LH_ERR_TAKEN_OVER);
    OK(pulse_store_begin(second, NOW, &fixture_error));
    OK(pulse_store_commit(second, &fixture_error));
    OK(pulse_store_lead(first, "first", NOW, &epoch, &fixture_error));
    FAILS(pulse_store_begin(second, NOW, &fixture_error), LH_ERR_TAKEN_OVER);
    ck_assert_int_eq(fixture_count("SELECT count(*) FROM leader WHERE holder = 'first' AND epoch = 3"), 1);
    pulse_store_close(first);
    pulse_store_close(second);
}
END_TEST

static atomic_bool led;

static void *lead_in_thread(void *context)
{
    struct pulse_store *store = NULL;
    struct lh_error error = LH_ERROR_INIT;
    uint64_t epoch = 0;
    enum lh_status status = pulse_store_open(fixture_url(), PULSE_STORE_WRITE, &store, &error);
    status = status == LH_OK ? pulse_store_lead(store, "usurper", NOW, &epoch, &error) : status;
    atomic_store(&led, true);
    pulse_store_close(store);
    *(enum lh_status *)context = status;
    return NULL;
}

/* Two transactions that overlap would be the end: the usurper's load must see all of it or it must not commit. */
START_TEST(taking_over_waits_for_the_open_transaction)
{
    pthread_t thread;
    enum lh_status status = LH_ERR_INTERNAL;
    struct pulse_change job = fixture_job(1, 1, PULSE_JOB_QUEUED);
    fixture_begin();
    OK(pulse_store_apply(fixture_store, &job, 1, NULL, &fixture_error));
    ck_assert_int_eq(pthread_create(&thread, NULL, lead_in_thread, &status), 0);
    usleep(300000);
    ck_assert(!atomic_load(&led));
    fixture_commit();
    pthread_join(thread, NULL);
    ck_assert_int_eq(status, LH_OK);
    FAILS(pulse_store_begin(fixture_store, NOW, &fixture_error), LH_ERR_TAKEN_OVER);
    ck_assert_int_eq(fixture_count("SELECT count(*) FROM jobs"), 1);
}
END_TEST

START_TEST(what_is_rolled_back_never_was)
{
    struct pulse_change changes[] = {fixture_job(1, 1, PULSE_JOB_QUEUED),
                                     {.kind = PULSE_CHANGE_EVENT, .job = {.tenant = 1, .id = 1}, .event = "{}"}};
    uint64_t event = 0;
    for (int i = 0; i < 2; i++) {
        fixture_begin();
        OK(pulse_store_apply(fixture_store, changes, 2, &event, &fixture_error));
        ck_assert_uint_eq(event, 1);
        pulse_store_rollback(fixture_store);
        pulse_store_rollback(fixture_store);
    }
    ck_assert_int_eq(fixture_count("SELECT count(*) FROM jobs"), 0);
    fixture_apply(changes, 2);
    ck_assert_int_eq(fixture_count("SELECT count(*) FROM jobs"), 1);
}
END_TEST

START_TEST(a_handle_that_is_closed_rolls_back)
{
    struct pulse_change job = fixture_job(1, 1, PULSE_JOB_QUEUED);
    fixture_begin();
    OK(pulse_store_apply(fixture_store, &job, 1, NULL, &fixture_error));
    pulse_store_close(fixture_store);
    fixture_store = NULL;
    ck_assert_int_eq(fixture_count("SELECT count(*) FROM jobs"), 0);
}
END_TEST

static enum lh_status count_tenant(void *context, const struct pulse_tenant_row *row)
{
    ++*(size_t *)context;
    return row->id > 0 ? LH_OK : LH_ERR_INTERNAL;
}

/* A reader sees what is committed, beside an open transaction, and can write nothing. */
START_TEST(a_reader_reads)
{
    uint64_t id = 0;
    size_t count = 0;
    struct pulse_store *reader = fixture_open(PULSE_STORE_READ);
    fixture_begin();
    OK(pulse_store_tenant_put(fixture_store, &(struct pulse_tenant_row){.name = "three", .tags = ""}, &id,
                              &fixture_error));
    OK(pulse_store_tenants(reader, count_tenant, &count, &fixture_error));
    ck_assert_uint_eq(count, 2);
    fixture_commit();
    OK(pulse_store_tenants(reader, count_tenant, &count, &fixture_error));
    ck_assert_uint_eq(count, 5);
    ck_assert_int_ne(pulse_store_lead(reader, "reader", NOW, &id, &fixture_error), LH_OK);
    ck_assert_int_ne(pulse_store_begin(reader, NOW, &fixture_error), LH_OK);
    pulse_store_close(reader);
}
END_TEST

TCase *store_tests(void)
{
    TCase *empty = tcase_create("store");
    tcase_add_checked_fixture(empty, fixture_set_up_empty, fixture_tear_down);
    tcase_add_test(empty, what_is_no_store_is_refused);
    tcase_add_test(empty, a_migrated_store_stays_as_it_is);
    tcase_add_test(empty, a_store_of_a_newer_pulse_is_left_alone);
    tcase_add_test(empty, several_migrate_at_once);
    tcase_add_test(empty, only_who_leads_may_write);
    return empty;
}

TCase *transaction_tests(void)
{
    TCase *tests = tcase_create("transactions");
    tcase_add_checked_fixture(tests, fixture_set_up, fixture_tear_down);
    tcase_add_test(tests, taking_over_waits_for_the_open_transaction);
    tcase_add_test(tests, what_is_rolled_back_never_was);
    tcase_add_test(tests, a_handle_that_is_closed_rolls_back);
    tcase_add_test(tests, a_reader_reads);
    return tests;
}
