/* SPDX-License-Identifier: MIT */
/* From every earlier number to the newest, and a step that fails half-way. */
#include <stdio.h>
#include <string.h>

#include "pulse-daemon/store/migrations/migrations.h"
#include "pulse-daemon/store/sql.h"
#include "tests/pulse-daemon/store/fixture.h"
#include "tests/pulse-daemon/store/suites.h"

/* The store as it was when `number` was the newest. */
static void make_old(size_t number)
{
    char sql[128];
    fixture_execute(fixture_is_postgres() ? "CREATE TABLE migrations (number BIGINT PRIMARY KEY, applied_ms BIGINT)"
                                          : "CREATE TABLE migrations (number INTEGER PRIMARY KEY, applied_ms INTEGER)");
    for (size_t i = 0; i < number; i++) {
        for (const char *const *text = pulse_migrations[i].statements; *text != NULL; text++) {
            struct lh_writer expanded;
            lh_writer_init(&expanded);
            OK(pulse_sql_expand(&(struct pulse_sql_statement){.text = *text, .takes = ""}, fixture_is_postgres(),
                                &expanded));
            fixture_execute((const char *)expanded.data);
            lh_writer_fini(&expanded);
        }
        snprintf(sql, sizeof sql, "INSERT INTO migrations (number, applied_ms) VALUES (%zu, 1)", i + 1);
        fixture_execute(sql);
    }
}

START_TEST(from_every_number)
{
    uint64_t epoch = 0;
    make_old((size_t)_i);
    fixture_store = fixture_open(PULSE_STORE_WRITE);
    OK(pulse_store_migrate(fixture_store, NOW, &fixture_error));
    ck_assert_int_eq(fixture_count("SELECT count(*) FROM migrations"), (int64_t)pulse_migration_count);
    ck_assert_int_eq(fixture_count("SELECT count(*) FROM migrations WHERE applied_ms > 1"),
                     (int64_t)pulse_migration_count - _i);
    OK(pulse_store_lead(fixture_store, "test", NOW, &epoch, &fixture_error));
    ck_assert_int_eq(fixture_count("SELECT count(*) FROM requests WHERE trace <> ''"), 0);
    ck_assert_int_eq(fixture_count("SELECT count(*) FROM specs WHERE trace <> ''"), 0);
    fixture_begin();
    fixture_commit();
}
END_TEST

START_TEST(a_step_that_fails_leaves_nothing)
{
    struct pulse_store *store = fixture_open(PULSE_STORE_WRITE);
    fixture_execute("CREATE TABLE outputs (stranger INT)");
    FAILS(pulse_store_migrate(store, NOW, &fixture_error), LH_ERR_INTERNAL);
    fixture_execute("DROP TABLE outputs");
    OK(pulse_store_migrate(store, NOW, &fixture_error)); /* nothing of before is in its way */
    pulse_store_close(store);
}
END_TEST

TCase *migration_tests(void)
{
    TCase *tests = tcase_create("migrations");
    tcase_add_checked_fixture(tests, fixture_set_up_empty, fixture_tear_down);
    tcase_add_loop_test(tests, from_every_number, 0, (int)pulse_migration_count);
    tcase_add_test(tests, a_step_that_fails_leaves_nothing);
    return tests;
}
