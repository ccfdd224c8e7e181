/* SPDX-License-Identifier: MIT */
/* The embedded database: a file beside which the write-ahead log stands. Every commit is synchronised. */
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "pulse-daemon/store/sql.h"

#define BUSY_MS 5000
#define STATEMENTS_MAX 192

struct prepared {
    const struct pulse_sql_statement *statement;
    sqlite3_stmt *stmt;
};

struct sqlite {
    struct pulse_sql base;
    sqlite3 *db;
    char *path;
    struct prepared prepared[STATEMENTS_MAX];
    size_t prepared_count;
};

static struct sqlite *of(struct pulse_sql *sql)
{
    return (struct sqlite *)(void *)sql;
}

static enum lh_status fail(struct sqlite *sqlite, int code, struct lh_error *error)
{
    const char *text = sqlite->db != NULL ? sqlite3_errmsg(sqlite->db) : sqlite3_errstr(code);
    switch (code & 0xff) {
    case SQLITE_NOMEM:
        return lh_error_no_memory(error);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
        return lh_error_set(error, LH_ERR_UNAVAILABLE, sqlite->path, "another process holds the database's lock");
    case SQLITE_FULL:
        return lh_error_set(error, LH_ERR_IO, sqlite->path, "the disk is full; nothing was changed");
    case SQLITE_CORRUPT:
        return lh_error_set(error, LH_ERR_FORMAT, sqlite->path, "the database is damaged: %s", text);
    case SQLITE_NOTADB:
        return lh_error_set(error, LH_ERR_FORMAT, sqlite->path, "this is not a database");
    case SQLITE_CANTOPEN:
        return lh_error_set(error, LH_ERR_IO, sqlite->path, "the database cannot be opened: %s", text);
    case SQLITE_CONSTRAINT:
        return lh_error_set(error, LH_ERR_INTERNAL, sqlite->path, "the store refuses a row: %s", text);
    case SQLITE_TOOBIG:
        return lh_error_set(error, LH_ERR_LIMIT, sqlite->path, "a value is too large for the database");
    case SQLITE_IOERR:
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return lh_error_set(error, LH_ERR_IO, sqlite->path, "the database cannot be read or written: %s", text);
    default:
        return lh_error_set(error, LH_ERR_INTERNAL, sqlite->path, "the database says: %s", text);
    }
}

static void sqlite_close(struct pulse_sql *sql)
{
    struct sqlite *sqlite = of(sql);
    for (size_t i = 0; i < sqlite->prepared_count; i++) {
        sqlite3_finalize(sqlite->prepared[i].stmt);
    }
    sqlite3_close(sqlite->db);
    free(sqlite->path);
    free(sqlite);
}

static const char settings[] = "PRAGMA foreign_keys = ON;"
                               "PRAGMA trusted_schema = OFF;"
                               "PRAGMA temp_store = MEMORY;";
/* A reader for each thread that asks: what it reads again and again is little. */
static const char settings_of_reader[] = "PRAGMA query_only = ON;"
                                         "PRAGMA cache_size = -8192;";
/* A few megabytes of log between checkpoints: of batches that touch pages all over the file most are written home once
   instead of once a batch. */
static const char settings_of_writer[] = "PRAGMA cache_size = -65536;"
                                         "PRAGMA journal_mode = WAL;"
                                         "PRAGMA synchronous = FULL;"
                                         "PRAGMA wal_autocheckpoint = 4000;"
                                         "PRAGMA journal_size_limit = 67108864;";

static enum lh_status sqlite_open(const char *place, bool read_only, struct pulse_sql **sql, struct lh_error *error)
{
    struct sqlite *sqlite = calloc(1, sizeof *sqlite);
    enum lh_status status = LH_OK;
    if (sqlite == NULL) {
        return lh_error_no_memory(error);
    }
    sqlite->base.driver = &pulse_sqlite_driver;
    sqlite->path = malloc(strlen(place) + 1);
    if (sqlite->path == NULL) {
        free(sqlite);
        return lh_error_no_memory(error);
    }
    memcpy(sqlite->path, place, strlen(place) + 1);
    /* A reader too needs to write beside the file, for its place in the log; query_only keeps it from the rest. */
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    int code = sqlite3_open_v2(place, &sqlite->db, flags | (read_only ? 0 : SQLITE_OPEN_CREATE), NULL);
    if (code == SQLITE_OK) {
        sqlite3_busy_timeout(sqlite->db, BUSY_MS);
        sqlite3_db_config(sqlite->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
        code = sqlite3_exec(sqlite->db, settings, NULL, NULL, NULL);
    }
    if (code == SQLITE_OK) {
        code = sqlite3_exec(sqlite->db, read_only ? settings_of_reader : settings_of_writer, NULL, NULL, NULL);
    }
    if (code == SQLITE_OK) {
        code = sqlite3_exec(sqlite->db, "SELECT count(*) FROM sqlite_schema", NULL, NULL, NULL);
    }
    if (code != SQLITE_OK) {
        status = fail(sqlite, code, error);
        sqlite_close(&sqlite->base);
        return status;
    }
    *sql = &sqlite->base;
    return LH_OK;
}

static enum lh_status sqlite_ready(struct pulse_sql *sql, struct lh_error *error)
{
    (void)sql;
    (void)error;
    return LH_OK;
}

static enum lh_status prepare(struct sqlite *sqlite, const struct pulse_sql_statement *statement, sqlite3_stmt **stmt,
                              struct lh_error *error)
{
    for (size_t i = 0; i < sqlite->prepared_count; i++) {
        if (sqlite->prepared[i].statement == statement) {
            *stmt = sqlite->prepared[i].stmt;
            return LH_OK;
        }
    }
    if (!statement->once && sqlite->prepared_count == STATEMENTS_MAX) {
        return lh_error_set(error, LH_ERR_INTERNAL, sqlite->path, "too many statements");
    }
    struct lh_writer text;
    lh_writer_init(&text);
    enum lh_status status = pulse_sql_expand(statement, false, &text);
    if (status != LH_OK) {
        status = lh_error_set(error, status, sqlite->path, "%s", lh_status_text(status));
    } else {
        unsigned flags = statement->once ? 0 : SQLITE_PREPARE_PERSISTENT;
        int code = sqlite3_prepare_v3(sqlite->db, (const char *)text.data, -1, flags, stmt, NULL);
        if (code != SQLITE_OK) {
            status = fail(sqlite, code, error);
        } else if (!statement->once) {
            sqlite->prepared[sqlite->prepared_count++] = (struct prepared){statement, *stmt};
        }
    }
    lh_writer_fini(&text);
    return status;
}

/* The values live until the statement is reset. */
static int bind(sqlite3_stmt *stmt, const char *takes, const struct pulse_sql_value *values)
{
    int code = SQLITE_OK;
    for (int i = 0; code == SQLITE_OK && takes[i] != '\0'; i++) {
        const struct pulse_sql_value *value = &values[i];
        switch (value->kind) {
        case PULSE_SQL_INTEGER:
            code = sqlite3_bind_int64(stmt, i + 1, value->integer);
            break;
        case PULSE_SQL_REAL:
            code = sqlite3_bind_double(stmt, i + 1, value->real);
            break;
        case PULSE_SQL_BYTES:
            code =
                takes[i] == 't'
                    ? sqlite3_bind_text64(stmt, i + 1, value->bytes.data, value->bytes.size, SQLITE_STATIC, SQLITE_UTF8)
                    : sqlite3_bind_blob64(stmt, i + 1, value->bytes.data, value->bytes.size, SQLITE_STATIC);
            break;
        case PULSE_SQL_NULL:
        case PULSE_SQL_OVERFLOW:
            code = sqlite3_bind_null(stmt, i + 1);
            break;
        }
    }
    return code;
}

static struct pulse_sql_value column(sqlite3_stmt *stmt, int i, char type)
{
    if (sqlite3_column_type(stmt, i) == SQLITE_NULL) {
        return pulse_sql_null();
    }
    if (type == 'i') {
        return pulse_sql_integer(sqlite3_column_int64(stmt, i));
    }
    if (type == 'r') {
        return (struct pulse_sql_value){.kind = PULSE_SQL_REAL, .real = sqlite3_column_double(stmt, i)};
    }
    const void *data = type == 't' ? (const void *)sqlite3_column_text(stmt, i) : sqlite3_column_blob(stmt, i);
    if (data == NULL && sqlite3_errcode(sqlite3_db_handle(stmt)) == SQLITE_NOMEM) {
        return (struct pulse_sql_value){.kind = PULSE_SQL_OVERFLOW};
    }
    return pulse_sql_blob(data, (size_t)sqlite3_column_bytes(stmt, i));
}

static enum lh_status run_once(struct sqlite *sqlite, sqlite3_stmt *stmt, const struct pulse_sql_statement *statement,
                               const struct pulse_sql_value *values, pulse_sql_take *take, void *context,
                               struct lh_error *error)
{
    struct pulse_sql_value columns[PULSE_SQL_COLUMNS_MAX];
    enum lh_status status = LH_OK;
    int code = bind(stmt, statement->takes, values);
    while (code == SQLITE_OK && (code = sqlite3_step(stmt)) == SQLITE_ROW) {
        code = SQLITE_OK;
        for (int i = 0; statement->gives[i] != '\0'; i++) {
            columns[i] = column(stmt, i, statement->gives[i]);
            code = columns[i].kind == PULSE_SQL_OVERFLOW ? SQLITE_NOMEM : code;
        }
        if (code != SQLITE_OK) {
            break;
        }
        if (take != NULL && (status = take(context, columns)) != LH_OK) {
            break;
        }
    }
    if (status == LH_OK && code != SQLITE_DONE) {
        status = fail(sqlite, code, error);
    }
    sqlite3_reset(stmt);
    return status;
}

static enum lh_status sqlite_query(struct pulse_sql *sql, const struct pulse_sql_statement *statement,
                                   const struct pulse_sql_value *values, size_t rows, pulse_sql_take *take,
                                   void *context, struct lh_error *error)
{
    struct sqlite *sqlite = of(sql);
    sqlite3_stmt *stmt = NULL;
    size_t width = strlen(statement->takes);
    enum lh_status status = prepare(sqlite, statement, &stmt, error);
    for (size_t i = 0; status == LH_OK && i < rows; i++) {
        status = run_once(sqlite, stmt, statement, width > 0 ? values + i * width : values, take, context, error);
    }
    if (statement->once) {
        sqlite3_finalize(stmt);
    } else if (stmt != NULL) {
        sqlite3_clear_bindings(stmt); /* the values were borrowed */
    }
    return status;
}

static enum lh_status sqlite_send(struct pulse_sql *sql, const struct pulse_sql_statement *statement,
                                  const struct pulse_sql_value *values, size_t rows, struct lh_error *error)
{
    return sqlite_query(sql, statement, values, rows, NULL, NULL, error);
}

static enum lh_status sqlite_settle(struct pulse_sql *sql, struct lh_error *error)
{
    (void)sql;
    (void)error;
    return LH_OK;
}

static void sqlite_abandon(struct pulse_sql *sql)
{
    /* Some failures have rolled back already; of a rollback that fails the file's journal takes care. */
    if (sqlite3_get_autocommit(of(sql)->db) == 0) {
        sqlite3_exec(of(sql)->db, "ROLLBACK", NULL, NULL, NULL);
    }
}

static void sqlite_patient(struct pulse_sql *sql, bool patient)
{
    sqlite3_busy_timeout(of(sql)->db, patient ? 12 * BUSY_MS : BUSY_MS);
}

struct examination {
    void (*report)(void *context, const char *text);
    void *context;
};

static int told(void *context, int count, char **texts, char **names)
{
    struct examination *examination = context;
    (void)names;
    if (count == 1 && texts[0] != NULL && strcmp(texts[0], "ok") != 0) {
        examination->report(examination->context, texts[0]);
    } else if (count > 1) {
        char text[256];
        sqlite3_snprintf(sizeof text, text, "a row of table %s refers to one of table %s that is not there", texts[0],
                         count > 2 ? texts[2] : "?");
        examination->report(examination->context, text);
    }
    return 0;
}

static enum lh_status sqlite_examine(struct pulse_sql *sql, void (*report)(void *context, const char *text),
                                     void *context, struct lh_error *error)
{
    struct examination examination = {report, context};
    struct sqlite *sqlite = of(sql);
    int code = sqlite3_exec(sqlite->db, "PRAGMA integrity_check; PRAGMA foreign_key_check", told, &examination, NULL);
    return code == SQLITE_OK ? LH_OK : fail(sqlite, code, error);
}

const struct pulse_sql_driver pulse_sqlite_driver = {
    .open = sqlite_open,
    .close = sqlite_close,
    .ready = sqlite_ready,
    .send = sqlite_send,
    .settle = sqlite_settle,
    .query = sqlite_query,
    .abandon = sqlite_abandon,
    .patient = sqlite_patient,
    .examine = sqlite_examine,
};
