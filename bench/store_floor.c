/* SPDX-License-Identifier: MIT */
/* What store.py compares with: a queue as people write it, one shard a transaction, each commit synchronised. Claimed
   with FOR UPDATE SKIP LOCKED by one or more clients of PostgreSQL, or by one of SQLite. Prints claims and completions
   per second.

   usage: store_floor postgresql://... SECONDS CLIENTS | store_floor PATH SECONDS 1 */
#include <libpq-fe.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"

enum { CLIENTS_MAX = 16 };

struct client {
    const char *url;
    double seconds;
    size_t done;
};

static void fail(const char *what)
{
    fprintf(stderr, "%s\n", what);
    exit(1);
}

static double since(uint64_t begin)
{
    return (double)(lh_clock_monotonic_ns() - begin) / 1e9;
}

/* ---- PostgreSQL ---- */

static PGresult *run(PGconn *connection, const char *name, int count, const char *const *values)
{
    PGresult *result =
        count < 0 ? PQexec(connection, name) : PQexecPrepared(connection, name, count, values, NULL, NULL, 0);
    if (PQresultStatus(result) != PGRES_COMMAND_OK && PQresultStatus(result) != PGRES_TUPLES_OK) {
        fail(PQerrorMessage(connection));
    }
    return result;
}

static void prepare(PGconn *connection, const char *name, const char *sql)
{
    PGresult *result = PQprepare(connection, name, sql, 0, NULL);
    if (PQresultStatus(result) != PGRES_COMMAND_OK) {
        fail(PQerrorMessage(connection));
    }
    PQclear(result);
}

static void *work(void *context)
{
    struct client *client = context;
    PGconn *connection = PQconnectdb(client->url);
    prepare(connection, "claim",
            "UPDATE queue SET state = 2, owner = 'worker', attempt = attempt + 1 WHERE id = (SELECT id FROM queue"
            " WHERE state = 1 ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING id");
    prepare(connection, "complete",
            "WITH done AS (UPDATE queue SET state = 3, owner = '' WHERE id = $1 RETURNING id)"
            " INSERT INTO results (id, digest, size) SELECT id, sha256(id::text::bytea), 4096 FROM done");
    uint64_t begin = lh_clock_monotonic_ns();
    while (since(begin) < client->seconds) {
        PGresult *claimed = run(connection, "claim", 0, NULL);
        if (PQntuples(claimed) == 0) {
            fail("the queue is empty");
        }
        const char *const id = PQgetvalue(claimed, 0, 0);
        PQclear(run(connection, "complete", 1, &id));
        PQclear(claimed);
        client->done++;
    }
    PQfinish(connection);
    return NULL;
}

static double measure_postgres(const char *url, double seconds, size_t clients)
{
    PGconn *connection = PQconnectdb(url);
    PQclear(
        run(connection,
            "DROP TABLE IF EXISTS queue, results;"
            "CREATE TABLE queue (id bigint PRIMARY KEY, state int NOT NULL, owner text NOT NULL, attempt int NOT NULL,"
            " spec bytea NOT NULL);"
            "CREATE INDEX queue_ready ON queue (id) WHERE state = 1;"
            "CREATE TABLE results (id bigint PRIMARY KEY, digest bytea NOT NULL, size bigint NOT NULL);"
            "INSERT INTO queue SELECT i, 1, '', 0, repeat('s', 300)::bytea FROM generate_series(1, 60000) AS i;"
            "ANALYZE queue",
            -1, NULL));
    struct client work_of[CLIENTS_MAX];
    pthread_t threads[CLIENTS_MAX];
    size_t done = 0;
    uint64_t begin = lh_clock_monotonic_ns();
    for (size_t i = 0; i < clients; i++) {
        work_of[i] = (struct client){.url = url, .seconds = seconds};
        if (pthread_create(&threads[i], NULL, work, &work_of[i]) != 0) {
            fail("no thread");
        }
    }
    for (size_t i = 0; i < clients; i++) {
        pthread_join(threads[i], NULL);
        done += work_of[i].done;
    }
    PQfinish(connection);
    return (double)done / since(begin);
}

/* ---- SQLite ---- */

static void step(sqlite3 *db, sqlite3_stmt *stmt, sqlite3_int64 id, sqlite3_int64 *given)
{
    if (id > 0) {
        sqlite3_bind_int64(stmt, 1, id);
    }
    int code = sqlite3_step(stmt);
    if (code == SQLITE_ROW && given != NULL) {
        *given = sqlite3_column_int64(stmt, 0);
        code = sqlite3_step(stmt);
    }
    if (code != SQLITE_DONE) {
        fail(sqlite3_errmsg(db));
    }
    sqlite3_reset(stmt);
}

static double measure_sqlite(const char *path, double seconds)
{
    static const char claim[] =
        "UPDATE queue SET state = 2, owner = 'worker', attempt = attempt + 1 WHERE id = (SELECT id FROM queue"
        " WHERE state = 1 ORDER BY id LIMIT 1) RETURNING id";
    static const char *const texts[] = {
        claim,
        "BEGIN IMMEDIATE",
        "UPDATE queue SET state = 3, owner = '' WHERE id = ?1",
        "INSERT INTO results (id, digest, size) VALUES (?1, randomblob(32), 4096)",
        "COMMIT",
    };
    sqlite3 *db = NULL;
    sqlite3_stmt *stmts[5];
    size_t done = 0;
    if (sqlite3_open(path, &db) != SQLITE_OK ||
        sqlite3_exec(db,
                     "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                     "DROP TABLE IF EXISTS queue; DROP TABLE IF EXISTS results;"
                     "CREATE TABLE queue (id INTEGER PRIMARY KEY, state INT NOT NULL, owner TEXT NOT NULL,"
                     " attempt INT NOT NULL, spec BLOB NOT NULL) STRICT;"
                     "CREATE INDEX queue_ready ON queue (id) WHERE state = 1;"
                     "CREATE TABLE results (id INTEGER PRIMARY KEY, digest BLOB NOT NULL, size INT NOT NULL) STRICT;"
                     "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000)"
                     " INSERT INTO queue SELECT i, 1, '', 0, zeroblob(300) FROM n",
                     NULL, NULL, NULL) != SQLITE_OK) {
        fail(sqlite3_errmsg(db));
    }
    for (size_t i = 0; i < 5; i++) {
        if (sqlite3_prepare_v2(db, texts[i], -1, &stmts[i], NULL) != SQLITE_OK) {
            fail(sqlite3_errmsg(db));
        }
    }
    uint64_t begin = lh_clock_monotonic_ns();
    while (since(begin) < seconds) {
        sqlite3_int64 id = 0;
        step(db, stmts[0], 0, &id);
        step(db, stmts[1], 0, NULL);
        step(db, stmts[2], id, NULL);
        step(db, stmts[3], id, NULL);
        step(db, stmts[4], 0, NULL);
        done++;
    }
    double rate = (double)done / since(begin);
    for (size_t i = 0; i < 5; i++) {
        sqlite3_finalize(stmts[i]);
    }
    sqlite3_close(db);
    return rate;
}

int main(int count, char **arguments)
{
    size_t clients = count == 4 ? strtoul(arguments[3], NULL, 10) : 0;
    if (clients == 0 || clients > CLIENTS_MAX) {
        fprintf(stderr, "usage: store_floor postgresql://...|PATH SECONDS CLIENTS\n");
        return 2;
    }
    double seconds = strtod(arguments[2], NULL);
    bool server = strncmp(arguments[1], "postgresql:", 11) == 0;
    printf("%.1f\n", server ? measure_postgres(arguments[1], seconds, clients) : measure_sqlite(arguments[1], seconds));
    return 0;
}
