/* SPDX-License-Identifier: MIT */
/* The little that the store asks of a database, so that every statement is written once: values in, rows out, many rows
   in one go. sqlite.c and postgres.c are the two drivers; nobody else knows a library of theirs.

   A statement's text is SQL that both understand, with parameters ?1, ?2, ... and words in braces where they differ:
       {int} {real} {text} {blob} {strict}    types, and the end of a CREATE TABLE
       {A|B}                                  A for SQLite, B for PostgreSQL
       {rows}                                 a table of the parameters with columns c1, c2, ...: any number of rows is
                                              given at once, to SQLite one after the other, to PostgreSQL as arrays */
#ifndef PULSE_STORE_SQL_H
#define PULSE_STORE_SQL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/bytes.h"
#include "common/base/status.h"
#include "common/digest/digest.h"

#define PULSE_SQL_COLUMNS_MAX 16

enum pulse_sql_kind {
    PULSE_SQL_NULL = 0,
    PULSE_SQL_INTEGER,
    PULSE_SQL_REAL,
    PULSE_SQL_BYTES,    /* of a text or blob; a text in a row has a NUL after its bytes */
    PULSE_SQL_OVERFLOW, /* a number that a database cannot hold: refused before it is sent */
};

struct pulse_sql_value {
    enum pulse_sql_kind kind;
    union {
        int64_t integer;
        double real;
        struct {
            const void *data;
            size_t size;
        } bytes;
    };
};

struct pulse_sql_value pulse_sql_integer(int64_t value);
struct pulse_sql_value pulse_sql_count(uint64_t value); /* OVERFLOW past INT64_MAX */
struct pulse_sql_value pulse_sql_real(double value);
struct pulse_sql_value pulse_sql_text(const char *text); /* NULL gives NULL */
struct pulse_sql_value pulse_sql_blob(const void *data, size_t size);
struct pulse_sql_value pulse_sql_digest(const struct lh_digest *digest);
struct pulse_sql_value pulse_sql_null(void);

/* Types by letter: i integer, r real, t text, b blob. A constant: drivers prepare it once and know it by its address.
 */
struct pulse_sql_statement {
    const char *text;
    const char *takes; /* of each parameter */
    const char *gives; /* of each column of the result */
    bool rows;         /* has {rows} */
    bool stream;       /* gives so many rows that they are not to be held at once */
    bool once;         /* of a migration: not worth keeping */
};

/* One row of the result; a status other than LH_OK ends the query and is returned. */
typedef enum lh_status pulse_sql_take(void *context, const struct pulse_sql_value *columns);

struct pulse_sql; /* begins with its driver */

struct pulse_sql_driver {
    /* `place` is what follows "sqlite:", or the whole of "postgresql://...". */
    enum lh_status (*open)(const char *place, bool read_only, struct pulse_sql **sql, struct lh_error *error);
    void (*close)(struct pulse_sql *sql);
    /* Connects anew when the connection is lost. Outside of transactions. */
    enum lh_status (*ready)(struct pulse_sql *sql, struct lh_error *error);
    /* Runs a statement whose result nobody wants, `rows` times or once. It may fail as late as in settle() or query().
     */
    enum lh_status (*send)(struct pulse_sql *sql, const struct pulse_sql_statement *statement,
                           const struct pulse_sql_value *values, size_t rows, struct lh_error *error);
    enum lh_status (*settle)(struct pulse_sql *sql, struct lh_error *error);
    /* Settles and runs one with a result. `take` may be NULL. */
    enum lh_status (*query)(struct pulse_sql *sql, const struct pulse_sql_statement *statement,
                            const struct pulse_sql_value *values, size_t rows, pulse_sql_take *take, void *context,
                            struct lh_error *error);
    /* Rolls back what is open, if anything is, whatever has failed before. */
    void (*abandon)(struct pulse_sql *sql);
    /* Statements may take as long as they need (true), or a server that does not answer is given up. */
    void (*patient)(struct pulse_sql *sql, bool patient);
    /* What the database itself finds wrong with its files; each a text. */
    enum lh_status (*examine)(struct pulse_sql *sql, void (*report)(void *context, const char *text), void *context,
                              struct lh_error *error);
};

struct pulse_sql {
    const struct pulse_sql_driver *driver;
};

extern const struct pulse_sql_driver pulse_sqlite_driver;
extern const struct pulse_sql_driver pulse_postgres_driver;

/* A statement's text for one of the two, ending in a NUL. LH_ERR_NO_MEMORY; LH_ERR_INTERNAL: braces that mean nothing.
 */
LH_NODISCARD enum lh_status pulse_sql_expand(const struct pulse_sql_statement *statement, bool postgres,
                                             struct lh_writer *text);
/* Whether the values can be told to a database: numbers that fit, texts of UTF-8, sizes within the store's limits.
   LH_ERR_INVALID, LH_ERR_LIMIT. */
LH_NODISCARD enum lh_status pulse_sql_check_values(const struct pulse_sql_statement *statement,
                                                   const struct pulse_sql_value *values, size_t rows,
                                                   struct lh_error *error);

#endif
