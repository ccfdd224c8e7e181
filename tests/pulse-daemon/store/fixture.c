/* SPDX-License-Identifier: MIT */
/* Stores for tests, and short ways to make rows. */
#include "tests/pulse-daemon/store/fixture.h"

#include <ftw.h>
#include <inttypes.h>
#include <libpq-fe.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pulse-daemon/store/access.h"
#include "pulse-daemon/store/media.h"
#include "pulse-daemon/store/projects.h"

struct pulse_store *fixture_store;
struct lh_error fixture_error;
static char folder[64];
static char path[128];
static char url[512];
static char schema[64];
static void disconnect(void);

bool fixture_is_postgres(void)
{
    return getenv("LOOPHOLE_TEST_POSTGRES") != NULL;
}

const char *fixture_url(void)
{
    return url;
}

const char *fixture_path(void)
{
    return path;
}

struct pulse_store *fixture_open(enum pulse_store_access access)
{
    struct pulse_store *store = NULL;
    OK(pulse_store_open(url, access, &store, &fixture_error));
    return store;
}

void fixture_set_up_empty(void)
{
    fixture_error = LH_ERROR_INIT;
    fixture_store = NULL;
    snprintf(folder, sizeof folder, "/tmp/loophole-store-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/pulse.db", folder);
    snprintf(url, sizeof url, "sqlite:%s", path);
    if (fixture_is_postgres()) {
        char sql[128];
        snprintf(schema, sizeof schema, "t%s", strrchr(folder, '-') + 1);
        snprintf(sql, sizeof sql, "CREATE SCHEMA \"%s\"", schema);
        snprintf(url, sizeof url, "%s", getenv("LOOPHOLE_TEST_POSTGRES"));
        fixture_execute(sql);
        disconnect(); /* from now on in the schema */
        snprintf(url, sizeof url, "%s&options=-csearch_path%%3D\"%s\"", getenv("LOOPHOLE_TEST_POSTGRES"), schema);
    }
}

void fixture_set_up(void)
{
    uint64_t epoch = 0, id = 0;
    fixture_set_up_empty();
    fixture_store = fixture_open(PULSE_STORE_WRITE);
    OK(pulse_store_migrate(fixture_store, NOW, &fixture_error));
    OK(pulse_store_lead(fixture_store, "test", NOW, &epoch, &fixture_error));
    fixture_begin();
    OK(pulse_store_tenant_put(fixture_store, &(struct pulse_tenant_row){.name = "one", .tags = ""}, &id,
                              &fixture_error));
    OK(pulse_store_tenant_put(fixture_store, &(struct pulse_tenant_row){.name = "two", .tags = "gpu"}, &id,
                              &fixture_error));
    fixture_commit();
}

static int remove_entry(const char *entry, const struct stat *stat, int type, struct FTW *ftw)
{
    (void)stat;
    (void)type;
    (void)ftw;
    return remove(entry);
}

void fixture_tear_down(void)
{
    pulse_store_close(fixture_store);
    fixture_store = NULL;
    disconnect();
    nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

/* One connection for a test's looks past the store; it goes with a server that is stopped. */
static PGconn *connection;

static PGresult *ask_server(const char *sql)
{
    if (connection == NULL) {
        connection = PQconnectdb(url);
        ck_assert_msg(PQstatus(connection) == CONNECTION_OK, "%s", PQerrorMessage(connection));
        PQclear(PQexec(connection, "SET session_replication_role = replica")); /* no foreign keys */
    }
    PGresult *result = PQexec(connection, sql);
    ExecStatusType state = PQresultStatus(result);
    ck_assert_msg(state == PGRES_COMMAND_OK || state == PGRES_TUPLES_OK, "%s", PQerrorMessage(connection));
    return result;
}

static void disconnect(void)
{
    PQfinish(connection);
    connection = NULL;
}

void fixture_execute(const char *sql)
{
    if (fixture_is_postgres()) {
        PQclear(ask_server(sql));
        return;
    }
    sqlite3 *db = NULL;
    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 5000);
    sqlite3_exec(db, "PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON", NULL, NULL, NULL);
    int code = sqlite3_exec(db, sql, NULL, NULL, NULL);
    ck_assert_msg(code == SQLITE_OK, "%s", sqlite3_errmsg(db));
    sqlite3_close(db);
}

int64_t fixture_count(const char *sql)
{
    int64_t count = -1;
    if (fixture_is_postgres()) {
        PGresult *result = ask_server(sql);
        count = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
        PQclear(result);
        return count;
    }
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    ck_assert_msg(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK, "%s", sqlite3_errmsg(db));
    ck_assert_int_eq(sqlite3_step(stmt), SQLITE_ROW);
    count = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    return count;
}

void fixture_control(const char *command)
{
    char line[512];
    disconnect();
    snprintf(line, sizeof line, "%s control %s %s", getenv("LOOPHOLE_TEST_POSTGRES_CONTROL"),
             getenv("LOOPHOLE_TEST_POSTGRES_FOLDER"), command);
    ck_assert_int_eq(system(line), 0);
}

/* ---- Rows ---- */

struct lh_digest fixture_digest(const char *kind, uint64_t i)
{
    char text[64];
    struct lh_digest digest;
    snprintf(text, sizeof text, "%s %" PRIu64, kind, i);
    ck_assert_int_eq(lh_digest_bytes(text, strlen(text), &digest), LH_OK);
    return digest;
}

void fixture_needs(struct pulse_change *change)
{
    static const char *const tags[] = {"big", "gpu"};
    static struct lh_digest plugins[2];
    plugins[0] = fixture_digest("plugin", 0);
    plugins[1] = fixture_digest("plugin", 1);
    *change = (struct pulse_change){.kind = PULSE_CHANGE_NEEDS,
                                    .needs = {.id = fixture_digest("needs", 1),
                                              .engine = "1 libsndfile-1.2.0",
                                              .cpu_class = "x86-64-v3",
                                              .tags = tags,
                                              .tag_count = 2,
                                              .plugins = plugins,
                                              .plugin_count = 2}};
}

struct pulse_change fixture_shard(uint64_t tenant, uint64_t id, enum pulse_shard_state state)
{
    struct pulse_change change = {
        .kind = PULSE_CHANGE_SHARD,
        .shard = {.id = id,
                  .tenant = tenant,
                  .kind = PULSE_SHARD_RENDER,
                  .state = state,
                  .needs = fixture_digest("needs", 1),
                  .cost_ms = 1000,
                  .attempt = state == PULSE_SHARD_CLAIMED ? 3 : 0,
                  .losses = 1,
                  .failures = 2},
    };
    snprintf(change.shard.owner, sizeof change.shard.owner, "%s", state == PULSE_SHARD_CLAIMED ? "worker-1" : "");
    snprintf(change.shard.failed_on, sizeof change.shard.failed_on, "worker-2");
    return change;
}

struct pulse_change fixture_spec(uint64_t tenant, uint64_t id, const struct lh_digest *inputs, size_t input_count,
                                 const struct lh_digest *outputs, size_t output_count)
{
    struct pulse_change change = {.kind = PULSE_CHANGE_SPEC, .spec = "what\0to do", .spec_size = 10};
    change.shard.id = id;
    change.shard.tenant = tenant;
    change.inputs = inputs;
    change.input_count = input_count;
    change.outputs = outputs;
    change.output_count = output_count;
    return change;
}

struct pulse_change fixture_output(uint64_t tenant, const struct lh_digest *key, enum pulse_output_state state,
                                   uint64_t shard)
{
    struct pulse_change change = {
        .kind = PULSE_CHANGE_OUTPUT,
        .output = {.tenant = tenant, .key = *key, .kind = PULSE_OUTPUT_STORED, .state = state, .shard = shard},
    };
    if (state == PULSE_OUTPUT_PRESENT) {
        change.output.digest = fixture_digest("blob", shard);
        change.output.size = 4096 + shard;
        change.output.unproven = true;
        change.output.facts = "facts\0";
        change.output.facts_size = 6;
    }
    return change;
}

struct pulse_change fixture_job(uint64_t tenant, uint64_t id, enum pulse_job_state state)
{
    return (struct pulse_change){
        .kind = PULSE_CHANGE_JOB,
        .job = {.id = id,
                .tenant = tenant,
                .priority = -7,
                .state = state,
                .error = state == PULSE_JOB_FAILED ? "{\"message\": \"caf\xC3\xA9\"}" : ""},
    };
}

struct pulse_change fixture_want(uint64_t tenant, uint64_t job, const struct lh_digest *key)
{
    struct pulse_change change = {.kind = PULSE_CHANGE_WANT};
    change.job.id = job;
    change.job.tenant = change.output.tenant = tenant;
    change.output.key = *key;
    return change;
}

void fixture_begin(void)
{
    OK(pulse_store_begin(fixture_store, NOW, &fixture_error));
}

void fixture_commit(void)
{
    OK(pulse_store_commit(fixture_store, &fixture_error));
}

void fixture_apply(const struct pulse_change *changes, size_t count)
{
    fixture_begin();
    OK(pulse_store_apply(fixture_store, changes, count, NULL, &fixture_error));
    fixture_commit();
}

void fixture_refuse(const struct pulse_change *changes, size_t count, enum lh_status expected)
{
    fixture_begin();
    enum lh_status status = pulse_store_apply(fixture_store, changes, count, NULL, &fixture_error);
    if (status == LH_OK) {
        status = pulse_store_commit(fixture_store, &fixture_error);
    }
    ck_assert_int_eq(status, expected);
    FAILS(pulse_store_commit(fixture_store, NULL), LH_ERR_INTERNAL);
    pulse_store_rollback(fixture_store);
}

uint64_t fixture_project(uint64_t tenant)
{
    struct pulse_media_row medium = {
        .tenant = tenant, .digest = fixture_digest("medium", 1), .size = 1000, .pinned_until_ms = NOW + 1};
    const struct pulse_manifest_file file = {"drums.wav", medium.digest, 1000};
    const struct pulse_revision_row first = {
        .author = "ann", .message = "", .document = "{}", .document_size = 2, .files = &file, .file_count = 1};
    uint64_t project = 0;
    fixture_begin();
    OK(pulse_store_media_put(fixture_store, &medium, 1, &fixture_error));
    OK(pulse_store_project_new(fixture_store, tenant, "lantern", &first, &project, &fixture_error));
    fixture_commit();
    return project;
}

void fixture_request(uint64_t tenant, uint64_t job, uint64_t project)
{
    const struct pulse_request_row request = {
        .tenant = tenant, .job = job, .project = project, .revision = 1, .options = "{\"only\": [\"mix\"]}"};
    OK(pulse_store_request_put(fixture_store, &request, &fixture_error));
}
