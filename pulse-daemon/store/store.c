/* SPDX-License-Identifier: MIT */
/* A handle's life: opened, migrated, leading, one transaction after the other. */
#include "pulse-daemon/store/store.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "pulse-daemon/store/migrations/migrations.h"
#include "pulse-daemon/store/parts.h"

enum lh_status pulse_store_open(const char *url, enum pulse_store_access access, struct pulse_store **store,
                                struct lh_error *error)
{
    static const char file[] = "sqlite:";
    const struct pulse_sql_driver *driver = NULL;
    const char *place = url;
    if (strncmp(url, file, sizeof file - 1) == 0 && url[sizeof file - 1] != '\0') {
        driver = &pulse_sqlite_driver;
        place = url + sizeof file - 1;
    } else if (strncmp(url, "postgresql://", 13) == 0 || strncmp(url, "postgres://", 11) == 0) {
        driver = &pulse_postgres_driver;
    } else {
        return lh_error_set(error, LH_ERR_USAGE, NULL, "a store is sqlite:PATH or postgresql://...");
    }
    struct pulse_store *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return lh_error_no_memory(error);
    }
    made->access = access;
    enum lh_status status = driver->open(place, access == PULSE_STORE_READ, &made->sql, error);
    if (status != LH_OK) {
        free(made);
        return status;
    }
    *store = made;
    return LH_OK;
}

void pulse_store_close(struct pulse_store *store)
{
    if (store != NULL) {
        pulse_store_rollback(store);
        store->sql->driver->close(store->sql);
        free(store);
    }
}

static const struct pulse_sql_statement begin = {
    .text = "{BEGIN IMMEDIATE|BEGIN}",
    .takes = "",
    .gives = "",
};
static const struct pulse_sql_statement commit = {
    .text = "COMMIT",
    .takes = "",
    .gives = "",
};

/* Opens a transaction; who leads is for the caller to check. */
static enum lh_status begin_any(struct pulse_store *store, const struct pulse_sql_statement *statement, int64_t now_ms,
                                struct lh_error *error)
{
    assert(!store->open);
    enum lh_status status = store->sql->driver->ready(store->sql, error);
    if (status == LH_OK) {
        store->open = true;
        store->failed = false;
        store->now_ms = now_ms;
        status = pulse_store_send(store, statement, NULL, 1, error);
    }
    return status;
}

/* ---- Migrating ---- */

static const struct pulse_sql_statement make_table = {
    .text = "CREATE TABLE IF NOT EXISTS migrations (number {int} PRIMARY KEY, applied_ms {int} NOT NULL) {strict}",
    .takes = "",
    .gives = "",
    .once = true,
};
/* Of all who try at once one goes first. SQLite's BEGIN has seen to that. */
static const struct pulse_sql_statement lock = {
    .text = "SELECT {1|CAST(1 AS BIGINT) FROM (SELECT pg_advisory_xact_lock(7811887438513235)) AS taken}",
    .takes = "",
    .gives = "i",
    .once = true,
};
static const struct pulse_sql_statement applied = {
    .text = "SELECT max(number) FROM migrations",
    .takes = "",
    .gives = "i",
    .once = true,
};
static const struct pulse_sql_statement note = {
    .text = "INSERT INTO migrations (number, applied_ms) VALUES (?1, ?2)",
    .takes = "ii",
    .gives = "",
    .once = true,
};

static enum lh_status run_step(struct pulse_store *store, size_t number, struct lh_error *error)
{
    const struct pulse_sql_value values[] = {pulse_sql_count(number), pulse_sql_integer(store->now_ms)};
    enum lh_status status = LH_OK;
    for (const char *const *text = pulse_migrations[number - 1].statements; status == LH_OK && *text != NULL; text++) {
        const struct pulse_sql_statement statement = {.text = *text, .takes = "", .gives = "", .once = true};
        status = pulse_store_send(store, &statement, NULL, 1, error);
    }
    return status == LH_OK ? pulse_store_send(store, &note, values, 1, error) : status;
}

/* One step, or none when all are done. */
static enum lh_status migrate_once(struct pulse_store *store, int64_t now_ms, bool *done, struct lh_error *error)
{
    int64_t number = 0, ignored = 0;
    enum lh_status status = begin_any(store, &begin, now_ms, error);
    if (status == LH_OK) {
        status = pulse_store_integer(store, &lock, NULL, 0, &ignored, error);
    }
    if (status == LH_OK) {
        status = pulse_store_send(store, &make_table, NULL, 1, error);
    }
    if (status == LH_OK) {
        status = pulse_store_settle(store, error);
    }
    if (status == LH_OK) {
        status = pulse_store_integer(store, &applied, NULL, 0, &number, error);
    }
    if (status == LH_OK && (uint64_t)number > pulse_migration_count) {
        status = lh_error_set(error, LH_ERR_UNSUPPORTED, NULL,
                              "the store was migrated to number %lld by a newer Pulse; this one knows %zu",
                              (long long)number, pulse_migration_count);
    }
    *done = (uint64_t)number == pulse_migration_count;
    if (status == LH_OK && !*done) {
        status = run_step(store, (size_t)number + 1, error);
    }
    if (status == LH_OK) {
        status = pulse_store_commit(store, error);
    }
    pulse_store_rollback(store);
    return status;
}

enum lh_status pulse_store_migrate(struct pulse_store *store, int64_t now_ms, struct lh_error *error)
{
    bool done = false;
    enum lh_status status = LH_OK;
    store->sql->driver->patient(store->sql, true);
    while (status == LH_OK && !done) {
        status = migrate_once(store, now_ms, &done, error);
    }
    store->sql->driver->patient(store->sql, false);
    return status;
}

/* ---- Leading ---- */

static const struct pulse_sql_statement raise_epoch = {
    .text = "UPDATE leader SET epoch = epoch + 1, holder = ?1, since_ms = ?2 WHERE id = 1 RETURNING epoch",
    .takes = "ti",
    .gives = "i",
};
/* Held until the end of the transaction: who raises the epoch waits for it. */
static const struct pulse_sql_statement read_epoch = {
    .text = "SELECT epoch FROM leader WHERE id = 1{| FOR SHARE}",
    .takes = "",
    .gives = "i",
};

enum lh_status pulse_store_lead(struct pulse_store *store, const char *holder, int64_t now_ms, uint64_t *epoch,
                                struct lh_error *error)
{
    const struct pulse_sql_value values[] = {pulse_sql_text(holder), pulse_sql_integer(now_ms)};
    int64_t raised = 0;
    enum lh_status status = begin_any(store, &begin, now_ms, error);
    if (status == LH_OK) {
        status = pulse_store_integer(store, &raise_epoch, values, 0, &raised, error);
    }
    if (status == LH_OK && raised <= 0) {
        status = lh_error_set(error, LH_ERR_FORMAT, NULL, "the store has no row that says who leads");
    }
    if (status == LH_OK) {
        status = pulse_store_commit(store, error);
    }
    pulse_store_rollback(store);
    if (status == LH_OK) {
        store->leads = true;
        store->last_event_known = false;
        store->epoch = *epoch = (uint64_t)raised;
    }
    return status;
}

/* ---- Transactions ---- */

enum lh_status pulse_store_begin(struct pulse_store *store, int64_t now_ms, struct lh_error *error)
{
    int64_t epoch = 0;
    enum lh_status status = begin_any(store, &begin, now_ms, error);
    if (status == LH_OK) {
        status = pulse_store_integer(store, &read_epoch, NULL, 0, &epoch, error);
    }
    if (status == LH_OK && (!store->leads || (uint64_t)epoch != store->epoch)) {
        status = store->leads ? lh_error_set(error, LH_ERR_TAKEN_OVER, NULL, "another Pulse leads this store now")
                              : lh_error_set(error, LH_ERR_TAKEN_OVER, NULL, "this Pulse does not lead the store");
    }
    if (status != LH_OK) {
        pulse_store_rollback(store);
    }
    return status;
}

enum lh_status pulse_store_commit(struct pulse_store *store, struct lh_error *error)
{
    assert(store->open);
    if (store->failed) {
        return lh_error_set(error, LH_ERR_INTERNAL, NULL, "a transaction that failed cannot be committed");
    }
    enum lh_status status = pulse_store_send(store, &commit, NULL, 1, error);
    status = status == LH_OK ? pulse_store_settle(store, error) : status;
    if (status == LH_OK) {
        store->open = false;
    }
    return status;
}

void pulse_store_rollback(struct pulse_store *store)
{
    if (store->open) {
        store->sql->driver->abandon(store->sql);
        store->open = false;
        store->last_event_known = false;
    }
}

static const struct pulse_sql_statement begin_reading = {
    .text = "{BEGIN|BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY}",
    .takes = "",
    .gives = "",
};

/* Here whole tables are read. */
static const struct pulse_sql_statement read_tables = {
    .text = "{SELECT 1|SET LOCAL enable_seqscan = on}",
    .takes = "",
    .gives = "",
};

enum lh_status pulse_store_snapshot(struct pulse_store *store, struct lh_error *error)
{
    enum lh_status status = begin_any(store, &begin_reading, 0, error);
    status = status == LH_OK ? pulse_store_send(store, &read_tables, NULL, 1, error) : status;
    if (status != LH_OK) {
        pulse_store_rollback(store);
    }
    return status;
}

void pulse_store_snapshot_end(struct pulse_store *store)
{
    bool known = store->last_event_known; /* nothing was written that would be lost */
    pulse_store_rollback(store);
    store->last_event_known = known;
}

/* ---- Statements ---- */

static enum lh_status fail(struct pulse_store *store, enum lh_status status)
{
    store->failed = store->failed || (store->open && status != LH_OK);
    return status;
}

static enum lh_status refuse_failed(struct lh_error *error)
{
    return lh_error_set(error, LH_ERR_INTERNAL, NULL, "the transaction has failed before");
}

enum lh_status pulse_store_send(struct pulse_store *store, const struct pulse_sql_statement *statement,
                                const struct pulse_sql_value *values, size_t rows, struct lh_error *error)
{
    assert(store->open);
    if (store->failed) {
        return refuse_failed(error);
    }
    enum lh_status status = pulse_sql_check_values(statement, values, rows, error);
    if (status == LH_OK) {
        status = store->sql->driver->send(store->sql, statement, values, rows, error);
    }
    return fail(store, status);
}

enum lh_status pulse_store_settle(struct pulse_store *store, struct lh_error *error)
{
    return store->failed ? refuse_failed(error) : fail(store, store->sql->driver->settle(store->sql, error));
}

enum lh_status pulse_store_query(struct pulse_store *store, const struct pulse_sql_statement *statement,
                                 const struct pulse_sql_value *values, size_t rows, pulse_sql_take *take, void *context,
                                 struct lh_error *error)
{
    enum lh_status status = pulse_sql_check_values(statement, values, rows, error);
    if (store->open && store->failed) {
        return refuse_failed(error);
    }
    if (status == LH_OK && !store->open) {
        status = store->sql->driver->ready(store->sql, error);
    }
    if (status == LH_OK) {
        status = store->sql->driver->query(store->sql, statement, values, rows, take, context, error);
    }
    return fail(store, status);
}

static enum lh_status count_row(void *context, const struct pulse_sql_value *columns)
{
    (void)columns;
    ++*(size_t *)context;
    return LH_OK;
}

enum lh_status pulse_store_write(struct pulse_store *store, const struct pulse_sql_statement *statement,
                                 const struct pulse_sql_value *values, size_t *changed, struct lh_error *error)
{
    size_t count = 0;
    assert(store->open);
    enum lh_status status = pulse_store_query(store, statement, values, 1, count_row, &count, error);
    if (status == LH_OK && changed != NULL) {
        *changed = count;
    }
    return status;
}

static enum lh_status take_integer(void *context, const struct pulse_sql_value *columns)
{
    if (columns[0].kind == PULSE_SQL_INTEGER) {
        *(int64_t *)context = columns[0].integer;
    }
    return LH_OK;
}

enum lh_status pulse_store_integer(struct pulse_store *store, const struct pulse_sql_statement *statement,
                                   const struct pulse_sql_value *values, int64_t otherwise, int64_t *value,
                                   struct lh_error *error)
{
    int64_t taken = otherwise;
    enum lh_status status = pulse_store_query(store, statement, values, 1, take_integer, &taken, error);
    if (status == LH_OK) {
        *value = taken;
    }
    return status;
}
