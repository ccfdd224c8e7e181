/* SPDX-License-Identifier: MIT */
/* Big-endian numbers, arrays of one dimension. */
#include "pulse-daemon/store/postgres_values.h"

#include <string.h>

void pulse_postgres_values_init(struct pulse_postgres_values *values)
{
    for (size_t i = 0; i < PULSE_SQL_COLUMNS_MAX; i++) {
        lh_writer_init(&values->columns[i]);
    }
}

void pulse_postgres_values_fini(struct pulse_postgres_values *values)
{
    for (size_t i = 0; i < PULSE_SQL_COLUMNS_MAX; i++) {
        lh_writer_fini(&values->columns[i]);
    }
}

/* int8, float8, text, bytea. */
static unsigned type_of(char letter)
{
    return letter == 'i' ? 20 : letter == 'r' ? 701 : letter == 't' ? 25 : 17;
}

static unsigned array_of(char letter)
{
    return letter == 'i' ? 1016 : letter == 'r' ? 1022 : letter == 't' ? 1009 : 1001;
}

int pulse_postgres_types(const struct pulse_sql_statement *statement, unsigned types[PULSE_SQL_COLUMNS_MAX])
{
    int count = 0;
    for (; statement->takes[count] != '\0'; count++) {
        char letter = statement->takes[count];
        types[count] = statement->rows ? array_of(letter) : type_of(letter);
    }
    return count;
}

static void put(struct lh_writer *writer, uint64_t value, size_t size)
{
    uint8_t bytes[8];
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (uint8_t)(value >> (8 * (size - 1 - i)));
    }
    lh_writer_bytes(writer, bytes, size);
}

static void put_value(struct lh_writer *writer, const struct pulse_sql_value *value)
{
    uint64_t bits = 0;
    switch (value->kind) {
    case PULSE_SQL_INTEGER:
        put(writer, (uint64_t)value->integer, 8);
        return;
    case PULSE_SQL_REAL:
        memcpy(&bits, &value->real, sizeof bits);
        put(writer, bits, 8);
        return;
    case PULSE_SQL_BYTES:
        lh_writer_bytes(writer, value->bytes.data, value->bytes.size);
        return;
    case PULSE_SQL_NULL:
    case PULSE_SQL_OVERFLOW:
        return;
    }
}

static size_t size_of(const struct pulse_sql_value *value)
{
    return value->kind == PULSE_SQL_BYTES ? value->bytes.size : 8;
}

/* Dimensions (1), whether there are NULLs, the element's type, how many, the first index (1); then size and bytes of
   each, -1 for NULL. */
static void put_array(struct lh_writer *writer, char type, const struct pulse_sql_value *first, size_t step,
                      size_t count)
{
    put(writer, count > 0 ? 1 : 0, 4);
    put(writer, 1, 4);
    put(writer, type_of(type), 4);
    if (count > 0) {
        put(writer, count, 4);
        put(writer, 1, 4);
    }
    for (size_t i = 0; i < count; i++) {
        const struct pulse_sql_value *value = &first[i * step];
        if (value->kind == PULSE_SQL_NULL) {
            put(writer, UINT32_MAX, 4);
        } else {
            put(writer, size_of(value), 4);
            put_value(writer, value);
        }
    }
}

enum lh_status pulse_postgres_encode(struct pulse_postgres_values *values, const struct pulse_sql_statement *statement,
                                     const struct pulse_sql_value *rows, size_t count,
                                     struct pulse_postgres_parameters *parameters)
{
    int width = (int)strlen(statement->takes);
    parameters->count = width;
    for (int i = 0; i < width; i++) {
        struct lh_writer *writer = &values->columns[i];
        writer->size = 0;
        if (statement->rows) {
            put_array(writer, statement->takes[i], &rows[i], (size_t)width, count);
        } else if (rows[i].kind != PULSE_SQL_BYTES) {
            put_value(writer, &rows[i]);
        }
        if (lh_writer_status(writer) != LH_OK) {
            writer->failed = false;
            return LH_ERR_NO_MEMORY;
        }
        bool single_bytes = !statement->rows && rows[i].kind == PULSE_SQL_BYTES;
        bool null = !statement->rows && rows[i].kind == PULSE_SQL_NULL;
        parameters->values[i] = null ? NULL : single_bytes ? rows[i].bytes.data : (const char *)writer->data;
        parameters->lengths[i] = (int)(single_bytes ? rows[i].bytes.size : writer->size);
        parameters->formats[i] = 1;
    }
    return LH_OK;
}

static uint64_t get(const char *data, size_t size)
{
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++) {
        value = value << 8 | (uint8_t)data[i];
    }
    return value;
}

bool pulse_postgres_decode(char type, const char *data, size_t size, struct pulse_sql_value *value)
{
    uint64_t bits = get(data, size <= 8 ? size : 0);
    if (type == 'i') {
        if (size != 8 && size != 4) {
            return false;
        }
        *value = pulse_sql_integer(size == 8 ? (int64_t)bits : (int64_t)(int32_t)(uint32_t)bits);
        return true;
    }
    if (type == 'r') {
        if (size != 8) {
            return false;
        }
        *value = (struct pulse_sql_value){.kind = PULSE_SQL_REAL};
        memcpy(&value->real, &bits, sizeof bits);
        return true;
    }
    *value = pulse_sql_blob(data, size);
    return true;
}
