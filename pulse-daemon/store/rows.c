/* SPDX-License-Identifier: MIT */
/* Many rows in portions, and columns that are checked. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "pulse-daemon/store/parts.h"

#define PORTION_ROWS 1024
#define PORTION_BYTES (8u << 20)

void pulse_rows_init(struct pulse_rows *rows, struct pulse_store *store, const struct pulse_sql_statement *statement,
                     pulse_sql_take *take, void *context, struct lh_error *error)
{
    *rows = (struct pulse_rows){
        .store = store,
        .statement = statement,
        .take = take,
        .context = context,
        .error = error,
        .width = strlen(statement->takes),
    };
}

static void flush(struct pulse_rows *rows)
{
    if (rows->status == LH_OK && rows->count > 0) {
        rows->status = rows->take != NULL
                           ? pulse_store_query(rows->store, rows->statement, rows->values, rows->count, rows->take,
                                               rows->context, rows->error)
                           : pulse_store_send(rows->store, rows->statement, rows->values, rows->count, rows->error);
    }
    rows->count = 0;
    rows->bytes = 0;
}

void pulse_rows_add(struct pulse_rows *rows, const struct pulse_sql_value *values)
{
    size_t bytes = 0;
    if (rows->values == NULL && rows->status == LH_OK) {
        rows->values = malloc(PORTION_ROWS * rows->width * sizeof *rows->values);
        rows->status = rows->values != NULL ? LH_OK : lh_error_no_memory(rows->error);
    }
    if (rows->status != LH_OK) {
        return;
    }
    for (size_t i = 0; i < rows->width; i++) {
        bytes += values[i].kind == PULSE_SQL_BYTES ? values[i].bytes.size : sizeof values[i];
    }
    if (rows->count == PORTION_ROWS || rows->bytes + bytes > PORTION_BYTES) {
        flush(rows);
    }
    memcpy(rows->values + rows->count * rows->width, values, rows->width * sizeof *values);
    rows->count++;
    rows->bytes += bytes;
}

enum lh_status pulse_rows_end(struct pulse_rows *rows)
{
    flush(rows);
    free(rows->values);
    rows->values = NULL;
    if (rows->status != LH_OK && rows->store->open) {
        rows->store->failed = true;
    }
    return rows->status;
}

static const struct pulse_sql_value *column(struct pulse_columns *columns, size_t index, enum pulse_sql_kind kind)
{
    columns->sound = columns->sound && columns->values[index].kind == kind;
    return columns->sound ? &columns->values[index] : NULL;
}

int64_t pulse_column_integer(struct pulse_columns *columns, size_t index, int64_t minimum, int64_t maximum)
{
    const struct pulse_sql_value *value = column(columns, index, PULSE_SQL_INTEGER);
    if (value == NULL || value->integer < minimum || value->integer > maximum) {
        columns->sound = false;
        return minimum;
    }
    return value->integer;
}

uint64_t pulse_column_count(struct pulse_columns *columns, size_t index)
{
    return (uint64_t)pulse_column_integer(columns, index, 0, INT64_MAX);
}

double pulse_column_real(struct pulse_columns *columns, size_t index)
{
    const struct pulse_sql_value *value = column(columns, index, PULSE_SQL_REAL);
    if (value == NULL || !isfinite(value->real)) {
        columns->sound = false;
        return 0.0;
    }
    return value->real;
}

const char *pulse_column_text(struct pulse_columns *columns, size_t index)
{
    const struct pulse_sql_value *value = column(columns, index, PULSE_SQL_BYTES);
    if (value == NULL || memchr(value->bytes.data, '\0', value->bytes.size) != NULL) {
        columns->sound = false;
        return "";
    }
    return value->bytes.data;
}

const void *pulse_column_blob(struct pulse_columns *columns, size_t index, size_t *size)
{
    const struct pulse_sql_value *value = NULL;
    *size = 0;
    if (columns->values[index].kind != PULSE_SQL_NULL) {
        value = column(columns, index, PULSE_SQL_BYTES);
    }
    if (value == NULL) {
        return NULL;
    }
    *size = value->bytes.size;
    return value->bytes.data;
}

void pulse_column_digest(struct pulse_columns *columns, size_t index, struct lh_digest *digest)
{
    const struct pulse_sql_value *value = column(columns, index, PULSE_SQL_BYTES);
    if (value == NULL || value->bytes.size != sizeof digest->bytes) {
        columns->sound = false;
        return;
    }
    memcpy(digest->bytes, value->bytes.data, sizeof digest->bytes);
}

enum lh_status pulse_columns_end(const struct pulse_columns *columns, const char *table, struct lh_error *error)
{
    return columns->sound ? LH_OK : lh_error_set(error, LH_ERR_FORMAT, NULL, "a row of table %s makes no sense", table);
}
