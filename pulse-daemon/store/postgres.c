/* SPDX-License-Identifier: MIT */
/* The database server. Everything goes through one pipeline in binary: what nobody waits for is sent without waiting,
   and a batch of rows is one statement over arrays. No call waits for ever: a server that does not answer is given up
   and the connection with it. */
#include <errno.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "pulse-daemon/store/postgres_values.h"
#include "pulse-daemon/store/sql.h"

#define ANSWER_MS 30000
#define CONNECT_MS 10000
#define STATEMENTS_MAX 192
#define NAME_SIZE 24

struct prepared {
    const struct pulse_sql_statement *statement;
    char name[NAME_SIZE];
};

struct postgres {
    struct pulse_sql base;
    char *url;
    bool read_only;
    bool patient;
    PGconn *connection; /* NULL: lost */
    struct prepared prepared[STATEMENTS_MAX];
    size_t prepared_count, settled_count; /* settled: those that the server is known to have */
    unsigned names;                       /* given in all; a name is never used twice in one connection */
    size_t queued;                        /* results still to come */
    struct pulse_postgres_values values;
};

static struct postgres *of(struct pulse_sql *sql)
{
    return (struct postgres *)(void *)sql;
}

/* ---- Failures ---- */

/* The first line of what libpq says. Never the URL: it may hold a password. */
static enum lh_status tell(struct lh_error *error, enum lh_status status, const char *what, const char *text)
{
    int length = (int)strcspn(text, "\n");
    return lh_error_set(error, status, "postgresql", length > 0 ? "%s: %.*s" : "%s", what, length, text);
}

static void drop(struct postgres *pg)
{
    PQfinish(pg->connection);
    pg->connection = NULL;
    pg->prepared_count = pg->settled_count = 0;
    pg->queued = 0;
}

static enum lh_status lost(struct postgres *pg, struct lh_error *error)
{
    enum lh_status status = tell(error, LH_ERR_UNAVAILABLE, "the database does not answer",
                                 pg->connection != NULL ? PQerrorMessage(pg->connection) : "");
    drop(pg);
    return status;
}

static bool begins(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

/* By SQLSTATE: classes 08 (connection), 40 (rolled back: serialization, deadlock) and what says that the server goes
   down, comes up, or has no room. */
static enum lh_status status_of(const char *state)
{
    static const char *const passing[] = {"08",    "40",    "57P01", "57P02", "57P03", "57P05", "57014", "55P03",
                                          "53300", "53200", "53000", "25P03", "25P02", "25006", "58"};
    if (begins(state, "53100")) {
        return LH_ERR_IO;
    }
    for (size_t i = 0; i < sizeof passing / sizeof *passing; i++) {
        if (begins(state, passing[i])) {
            return LH_ERR_UNAVAILABLE;
        }
    }
    if (begins(state, "XX001") || begins(state, "XX002")) {
        return LH_ERR_FORMAT;
    }
    if (begins(state, "28") || begins(state, "3D") || begins(state, "42501")) {
        return LH_ERR_USAGE;
    }
    return LH_ERR_INTERNAL;
}

static enum lh_status fail(const PGresult *result, struct lh_error *error)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    enum lh_status status = state != NULL ? status_of(state) : LH_ERR_UNAVAILABLE;
    const char *what = status == LH_ERR_UNAVAILABLE ? "the database cannot do it now"
                       : status == LH_ERR_IO        ? "the database's disk is full; nothing was changed"
                       : status == LH_ERR_FORMAT    ? "the database is damaged"
                       : status == LH_ERR_USAGE     ? "the database refuses"
                                                    : "the store refuses a row or statement";
    return tell(error, status, what, text != NULL ? text : PQresultErrorMessage(result));
}

/* ---- Waiting ---- */

/* Until the socket may be read, or written too. False: the time is over, or poll fails. */
static bool wait_for(struct postgres *pg, short events, int timeout_ms)
{
    uint64_t end = lh_clock_monotonic_ns() + (uint64_t)timeout_ms * 1000000;
    for (;;) {
        struct pollfd pollfd = {.fd = PQsocket(pg->connection), .events = events};
        uint64_t now = lh_clock_monotonic_ns();
        int left = pg->patient ? -1 : now < end ? (int)((end - now) / 1000000) + 1 : 0;
        int ready = poll(&pollfd, 1, left);
        if (ready > 0) {
            return true;
        }
        if (ready == 0 || errno != EINTR) {
            return false;
        }
    }
}

/* Everything that was queued goes out; what comes in meanwhile is taken, so that neither side waits for the other. */
static bool flush(struct postgres *pg)
{
    int left = 0;
    while ((left = PQflush(pg->connection)) == 1) {
        if (!wait_for(pg, POLLIN | POLLOUT, ANSWER_MS) || PQconsumeInput(pg->connection) == 0) {
            return false;
        }
    }
    return left == 0;
}

/* The next result; *result NULL at the end of one statement's. False: the connection is lost. */
static bool next_result(struct postgres *pg, PGresult **result)
{
    while (PQisBusy(pg->connection) == 1) {
        if (!flush(pg) || !wait_for(pg, POLLIN, ANSWER_MS) || PQconsumeInput(pg->connection) == 0) {
            return false;
        }
    }
    *result = PQgetResult(pg->connection);
    return *result != NULL || PQstatus(pg->connection) == CONNECTION_OK;
}

/* ---- Connecting ---- */

static void be_silent(void *context, const char *message)
{
    (void)context;
    (void)message;
}

static bool connect_in_time(struct postgres *pg)
{
    PostgresPollingStatusType state = PGRES_POLLING_WRITING;
    while (state != PGRES_POLLING_OK) {
        if (state == PGRES_POLLING_FAILED || PQstatus(pg->connection) == CONNECTION_BAD ||
            !wait_for(pg, state == PGRES_POLLING_READING ? POLLIN : POLLOUT, CONNECT_MS)) {
            return false;
        }
        state = PQconnectPoll(pg->connection);
    }
    return true;
}

/* A Pulse that is stopped in the middle of a transaction must not keep its successor out for ever. Plans are kept, and
   one that was made while a table was small must still be good when it is large: by index, always. */
static const char settings[] = "SET synchronous_commit = on;"
                               "SET idle_in_transaction_session_timeout = '20s';"
                               "SET lock_timeout = '25s';"
                               "SET enable_seqscan = off;"
                               "SET jit = off;";
static const char settings_of_reader[] = "SET default_transaction_read_only = on;"
                                         "SET enable_seqscan = off;"
                                         "SET jit = off;";

static enum lh_status set_up(struct postgres *pg, struct lh_error *error)
{
    const char *encoding = PQparameterStatus(pg->connection, "server_encoding");
    enum lh_status status = LH_OK;
    PGresult *result = NULL;
    if (PQserverVersion(pg->connection) < 120000) {
        return lh_error_set(error, LH_ERR_UNSUPPORTED, "postgresql", "PostgreSQL 12 or newer is needed");
    }
    if (encoding == NULL || strcmp(encoding, "UTF8") != 0) {
        return lh_error_set(error, LH_ERR_UNSUPPORTED, "postgresql", "the database's encoding has to be UTF8");
    }
    if (PQsetnonblocking(pg->connection, 1) != 0 ||
        PQsendQuery(pg->connection, pg->read_only ? settings_of_reader : settings) != 1) {
        return lost(pg, error);
    }
    do {
        if (!next_result(pg, &result)) {
            return lost(pg, error);
        }
        if (result != NULL && PQresultStatus(result) != PGRES_COMMAND_OK && status == LH_OK) {
            status = fail(result, error);
        }
        PQclear(result);
    } while (result != NULL);
    return status == LH_OK && PQenterPipelineMode(pg->connection) != 1 ? lost(pg, error) : status;
}

/* What the URL says goes before our own wishes but the encoding. */
static enum lh_status connect_to(struct postgres *pg, struct lh_error *error)
{
    const char *const names[] = {"application_name",
                                 "tcp_user_timeout",
                                 "keepalives_idle",
                                 "keepalives_interval",
                                 "dbname",
                                 "client_encoding",
                                 NULL};
    const char *const values[] = {"loophole-pulse", "10000", "5", "5", pg->url, "UTF8", NULL};
    pg->connection = PQconnectStartParams(names, values, 1);
    if (pg->connection == NULL) {
        return lh_error_no_memory(error);
    }
    PQsetNoticeProcessor(pg->connection, be_silent, NULL);
    if (!connect_in_time(pg)) {
        /* Before there is a session libpq tells no SQLSTATE. These do not pass by waiting. */
        const char *text = PQerrorMessage(pg->connection);
        bool ours = strstr(text, "authentication failed") != NULL || strstr(text, "does not exist") != NULL ||
                    strstr(text, "no password supplied") != NULL || strstr(text, "pg_hba.conf") != NULL ||
                    strstr(text, "invalid") != NULL;
        enum lh_status status = tell(error, ours ? LH_ERR_USAGE : LH_ERR_UNAVAILABLE,
                                     ours ? "the database refuses" : "the database does not answer", text);
        drop(pg);
        return status;
    }
    enum lh_status status = set_up(pg, error);
    if (status != LH_OK && pg->connection != NULL) {
        drop(pg);
    }
    return status;
}

static void postgres_close(struct pulse_sql *sql)
{
    struct postgres *pg = of(sql);
    drop(pg);
    pulse_postgres_values_fini(&pg->values);
    free(pg->url);
    free(pg);
}

static enum lh_status postgres_open(const char *place, bool read_only, struct pulse_sql **sql, struct lh_error *error)
{
    struct postgres *pg = calloc(1, sizeof *pg);
    if (pg == NULL) {
        return lh_error_no_memory(error);
    }
    pg->base.driver = &pulse_postgres_driver;
    pg->read_only = read_only;
    pulse_postgres_values_init(&pg->values);
    pg->url = malloc(strlen(place) + 1);
    enum lh_status status = pg->url != NULL ? LH_OK : lh_error_no_memory(error);
    if (status == LH_OK) {
        memcpy(pg->url, place, strlen(place) + 1);
        status = connect_to(pg, error);
    }
    if (status != LH_OK) {
        postgres_close(&pg->base);
        return status;
    }
    *sql = &pg->base;
    return LH_OK;
}

/* Whether a server that went away while nobody asked has said so by now: its last words first, then the end. */
static bool has_ended(struct postgres *pg)
{
    struct pollfd pollfd = {.fd = PQsocket(pg->connection), .events = POLLIN};
    while (poll(&pollfd, 1, 0) > 0) {
        if (PQconsumeInput(pg->connection) == 0 || PQstatus(pg->connection) != CONNECTION_OK) {
            return true;
        }
    }
    return false;
}

static enum lh_status postgres_ready(struct pulse_sql *sql, struct lh_error *error)
{
    struct postgres *pg = of(sql);
    if (pg->connection != NULL && has_ended(pg)) {
        drop(pg);
    }
    return pg->connection != NULL ? LH_OK : connect_to(pg, error);
}

/* ---- Statements ---- */

/* Queues what makes the server know the statement, unless it does. */
static enum lh_status prepare(struct postgres *pg, const struct pulse_sql_statement *statement, const char **name,
                              struct lh_error *error)
{
    for (size_t i = 0; i < pg->prepared_count; i++) {
        if (pg->prepared[i].statement == statement) {
            *name = pg->prepared[i].name;
            return LH_OK;
        }
    }
    if (!statement->once && pg->prepared_count == STATEMENTS_MAX) {
        return lh_error_set(error, LH_ERR_INTERNAL, "postgresql", "too many statements");
    }
    struct lh_writer text;
    unsigned types[PULSE_SQL_COLUMNS_MAX];
    char made[NAME_SIZE] = "";
    lh_writer_init(&text);
    enum lh_status status = pulse_sql_expand(statement, true, &text);
    if (status != LH_OK) {
        status = lh_error_set(error, status, "postgresql", "%s", lh_status_text(status));
        goto cleanup;
    }
    if (!statement->once) {
        snprintf(made, sizeof made, "s%u", pg->names++);
    }
    int count = pulse_postgres_types(statement, types);
    if (PQsendPrepare(pg->connection, made, (const char *)text.data, count, types) != 1) {
        status = lost(pg, error);
        goto cleanup;
    }
    pg->queued++;
    *name = "";
    if (!statement->once) {
        struct prepared *prepared = &pg->prepared[pg->prepared_count++];
        prepared->statement = statement;
        memcpy(prepared->name, made, sizeof made);
        *name = prepared->name;
    }
cleanup:
    lh_writer_fini(&text);
    return status;
}

static enum lh_status postgres_send(struct pulse_sql *sql, const struct pulse_sql_statement *statement,
                                    const struct pulse_sql_value *values, size_t rows, struct lh_error *error)
{
    struct postgres *pg = of(sql);
    const char *name = NULL;
    struct pulse_postgres_parameters parameters;
    if (pg->connection == NULL) {
        return lost(pg, error);
    }
    enum lh_status status = prepare(pg, statement, &name, error);
    if (status != LH_OK) {
        return status;
    }
    if (pulse_postgres_encode(&pg->values, statement, values, rows, &parameters) != LH_OK) {
        return lh_error_no_memory(error);
    }
    if (PQsendQueryPrepared(pg->connection, name, parameters.count, parameters.values, parameters.lengths,
                            parameters.formats, 1) != 1) {
        return lost(pg, error);
    }
    pg->queued++;
    return LH_OK;
}

/* What is done with the rows that a statement gives. */
struct delivery {
    const struct pulse_sql_statement *statement;
    pulse_sql_take *take; /* NULL: nothing is done with them */
    void *context;
    enum lh_status status; /* of take() */
};

static enum lh_status deliver(struct delivery *delivery, const PGresult *result, struct lh_error *error)
{
    struct pulse_sql_value columns[PULSE_SQL_COLUMNS_MAX];
    const char *gives = delivery->statement->gives;
    if (PQnfields(result) != (int)strlen(gives)) {
        return lh_error_set(error, LH_ERR_INTERNAL, "postgresql", "another number of columns than expected");
    }
    for (int row = 0; delivery->status == LH_OK && row < PQntuples(result); row++) {
        for (int i = 0; gives[i] != '\0'; i++) {
            if (PQgetisnull(result, row, i) == 1) {
                columns[i] = pulse_sql_null();
            } else if (!pulse_postgres_decode(gives[i], PQgetvalue(result, row, i), (size_t)PQgetlength(result, row, i),
                                              &columns[i])) {
                return lh_error_set(error, LH_ERR_INTERNAL, "postgresql", "another type than expected");
            }
        }
        delivery->status = delivery->take(delivery->context, columns);
    }
    return LH_OK;
}

/* Takes the results of all that was queued; rows are delivered when `delivery` is told. The first failure counts. */
static enum lh_status collect(struct postgres *pg, struct delivery *delivery, struct lh_error *error)
{
    enum lh_status status = LH_OK;
    bool synced = false;
    if (PQpipelineSync(pg->connection) != 1 || !flush(pg)) {
        return lost(pg, error);
    }
    if (delivery != NULL && delivery->statement->stream) {
        PQsetSingleRowMode(pg->connection);
    }
    while (!synced) {
        PGresult *result = NULL;
        if (!next_result(pg, &result)) {
            return status != LH_OK ? (drop(pg), status) : lost(pg, error);
        }
        if (result == NULL) {
            continue;
        }
        ExecStatusType state = PQresultStatus(result);
        synced = state == PGRES_PIPELINE_SYNC;
        if (state == PGRES_FATAL_ERROR && status == LH_OK) {
            status = fail(result, error);
        } else if ((state == PGRES_TUPLES_OK || state == PGRES_SINGLE_TUPLE) && status == LH_OK && delivery != NULL &&
                   delivery->take != NULL) {
            status = deliver(delivery, result, error);
        }
        PQclear(result);
    }
    pg->queued = 0;
    pg->prepared_count = status == LH_OK ? pg->prepared_count : pg->settled_count;
    pg->settled_count = pg->prepared_count;
    return status;
}

static enum lh_status postgres_settle(struct pulse_sql *sql, struct lh_error *error)
{
    struct postgres *pg = of(sql);
    if (pg->connection == NULL) {
        return lost(pg, error);
    }
    return pg->queued > 0 ? collect(pg, NULL, error) : LH_OK;
}

static enum lh_status postgres_query(struct pulse_sql *sql, const struct pulse_sql_statement *statement,
                                     const struct pulse_sql_value *values, size_t rows, pulse_sql_take *take,
                                     void *context, struct lh_error *error)
{
    struct delivery delivery = {.statement = statement, .take = take, .context = context};
    const char *name = NULL;
    enum lh_status status = LH_OK;
    if (of(sql)->connection != NULL && statement->stream) {
        /* Row by row works for the statement whose results come next alone. */
        status = prepare(of(sql), statement, &name, error);
        status = status == LH_OK ? postgres_settle(sql, error) : status;
    }
    if (status == LH_OK) {
        status = postgres_send(sql, statement, values, rows, error);
    }
    if (status == LH_OK) {
        status = collect(of(sql), &delivery, error);
    }
    return status != LH_OK ? status : delivery.status;
}

static void postgres_abandon(struct pulse_sql *sql)
{
    struct postgres *pg = of(sql);
    if (pg->connection == NULL) {
        return;
    }
    /* What is still queued may have failed; the pipeline is at peace again after that. */
    enum lh_status status = postgres_settle(sql, NULL);
    if (pg->connection != NULL && PQtransactionStatus(pg->connection) != PQTRANS_IDLE) {
        bool sent = PQsendQueryParams(pg->connection, "ROLLBACK", 0, NULL, NULL, NULL, NULL, 1) == 1;
        pg->queued++;
        status = sent ? postgres_settle(sql, NULL) : LH_ERR_UNAVAILABLE;
        if (status != LH_OK && pg->connection != NULL) {
            drop(pg);
        }
    }
}

static void postgres_patient(struct pulse_sql *sql, bool patient)
{
    of(sql)->patient = patient;
}

static enum lh_status postgres_examine(struct pulse_sql *sql, void (*report)(void *context, const char *text),
                                       void *context, struct lh_error *error)
{
    /* The server checks its constraints and pages itself. */
    (void)sql;
    (void)report;
    (void)context;
    (void)error;
    return LH_OK;
}

const struct pulse_sql_driver pulse_postgres_driver = {
    .open = postgres_open,
    .close = postgres_close,
    .ready = postgres_ready,
    .send = postgres_send,
    .settle = postgres_settle,
    .query = postgres_query,
    .abandon = postgres_abandon,
    .patient = postgres_patient,
    .examine = postgres_examine,
};
