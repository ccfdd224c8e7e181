/* SPDX-License-Identifier: MIT */
/* What the files of the store share: the handle, statements run on it, many rows at once. */
#ifndef PULSE_STORE_PARTS_H
#define PULSE_STORE_PARTS_H

#include "pulse-daemon/store/sql.h"
#include "pulse-daemon/store/store.h"

struct pulse_store {
    struct pulse_sql *sql;
    enum pulse_store_access access;
    bool leads;
    bool open;   /* a transaction is, of ours to write or one snapshot to read */
    bool failed; /* something in it did: it can only be rolled back */
    uint64_t epoch;
    int64_t now_ms; /* of the transaction */
    uint64_t last_event;
    bool last_event_known;
};

/* A write inside the transaction; its failure may show in a later call, at the latest in pulse_store_settle(). */
LH_NODISCARD enum lh_status pulse_store_send(struct pulse_store *store, const struct pulse_sql_statement *statement,
                                             const struct pulse_sql_value *values, size_t rows, struct lh_error *error);
LH_NODISCARD enum lh_status pulse_store_settle(struct pulse_store *store, struct lh_error *error);
/* One with a result, inside a transaction or outside. */
LH_NODISCARD enum lh_status pulse_store_query(struct pulse_store *store, const struct pulse_sql_statement *statement,
                                              const struct pulse_sql_value *values, size_t rows, pulse_sql_take *take,
                                              void *context, struct lh_error *error);
/* A write that is settled at once. *changed (may be NULL): how many rows it gave back (RETURNING). */
LH_NODISCARD enum lh_status pulse_store_write(struct pulse_store *store, const struct pulse_sql_statement *statement,
                                              const struct pulse_sql_value *values, size_t *changed,
                                              struct lh_error *error);
/* One integer; `otherwise` when there is no row or it is NULL. */
LH_NODISCARD enum lh_status pulse_store_integer(struct pulse_store *store, const struct pulse_sql_statement *statement,
                                                const struct pulse_sql_value *values, int64_t otherwise, int64_t *value,
                                                struct lh_error *error);

/* All reads between the two see one moment. Not inside a transaction. */
LH_NODISCARD enum lh_status pulse_store_snapshot(struct pulse_store *store, struct lh_error *error);
void pulse_store_snapshot_end(struct pulse_store *store);

/* Any number of rows for one statement, in portions that fit: sent, or (with `take`) asked. */
struct pulse_rows {
    struct pulse_store *store;
    const struct pulse_sql_statement *statement;
    pulse_sql_take *take;
    void *context;
    struct lh_error *error;
    struct pulse_sql_value *values;
    size_t width, count, bytes;
    enum lh_status status; /* of the first failure */
};
void pulse_rows_init(struct pulse_rows *rows, struct pulse_store *store, const struct pulse_sql_statement *statement,
                     pulse_sql_take *take, void *context, struct lh_error *error);
/* One more, as many values as the statement takes; what they point to must live until the end. */
void pulse_rows_add(struct pulse_rows *rows, const struct pulse_sql_value *values);
/* The rest; frees. The status of all. */
LH_NODISCARD enum lh_status pulse_rows_end(struct pulse_rows *rows);

/* What came out of a database is checked like all that comes from outside. */
struct pulse_columns {
    const struct pulse_sql_value *values;
    bool sound; /* so far */
};
int64_t pulse_column_integer(struct pulse_columns *columns, size_t index, int64_t minimum, int64_t maximum);
uint64_t pulse_column_count(struct pulse_columns *columns, size_t index);
double pulse_column_real(struct pulse_columns *columns, size_t index);
const char *pulse_column_text(struct pulse_columns *columns, size_t index); /* without NUL inside; "" when unsound */
const void *pulse_column_blob(struct pulse_columns *columns, size_t index, size_t *size); /* NULL: NULL */
void pulse_column_digest(struct pulse_columns *columns, size_t index, struct lh_digest *digest);
/* LH_OK, or LH_ERR_FORMAT: a row of `table` makes no sense. */
LH_NODISCARD enum lh_status pulse_columns_end(const struct pulse_columns *columns, const char *table,
                                              struct lh_error *error);

#endif
