/* SPDX-License-Identifier: MIT */
/* Values, and one text for two dialects. */
#include "pulse-daemon/store/sql.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/base/utf8.h"
#include "pulse-daemon/store/store.h"

struct pulse_sql_value pulse_sql_integer(int64_t value)
{
    return (struct pulse_sql_value){.kind = PULSE_SQL_INTEGER, .integer = value};
}

struct pulse_sql_value pulse_sql_count(uint64_t value)
{
    if (value > INT64_MAX) {
        return (struct pulse_sql_value){.kind = PULSE_SQL_OVERFLOW};
    }
    return pulse_sql_integer((int64_t)value);
}

struct pulse_sql_value pulse_sql_real(double value)
{
    if (!isfinite(value)) {
        return (struct pulse_sql_value){.kind = PULSE_SQL_OVERFLOW};
    }
    return (struct pulse_sql_value){.kind = PULSE_SQL_REAL, .real = value};
}

struct pulse_sql_value pulse_sql_blob(const void *data, size_t size)
{
    /* Of no bytes at all, not NULL. */
    return (struct pulse_sql_value){.kind = PULSE_SQL_BYTES, .bytes = {data != NULL ? data : "", size}};
}

struct pulse_sql_value pulse_sql_text(const char *text)
{
    return text != NULL ? pulse_sql_blob(text, strlen(text)) : pulse_sql_null();
}

struct pulse_sql_value pulse_sql_digest(const struct lh_digest *digest)
{
    return pulse_sql_blob(digest->bytes, sizeof digest->bytes);
}

struct pulse_sql_value pulse_sql_null(void)
{
    return (struct pulse_sql_value){.kind = PULSE_SQL_NULL};
}

static void add(struct lh_writer *text, const char *piece)
{
    lh_writer_bytes(text, piece, strlen(piece));
}

static const char *array_type(char letter)
{
    return letter == 'i' ? "bigint[]" : letter == 'r' ? "float8[]" : letter == 't' ? "text[]" : "bytea[]";
}

/* (SELECT ?1 AS c1, ...) AS r, or the same of unnest($1::bigint[]) AS c1, ...: arrays of one length, side by side. */
static void add_rows(struct lh_writer *text, const char *takes, bool postgres)
{
    char piece[96];
    for (size_t i = 0; takes[i] != '\0'; i++) {
        const char *before = i > 0 ? ", " : "(SELECT ";
        if (postgres) {
            snprintf(piece, sizeof piece, "%sunnest($%zu::%s) AS c%zu", before, i + 1, array_type(takes[i]), i + 1);
        } else {
            snprintf(piece, sizeof piece, "%s?%zu AS c%zu", before, i + 1, i + 1);
        }
        add(text, piece);
    }
    add(text, ") AS r");
}

static bool add_word(struct lh_writer *text, const struct pulse_sql_statement *statement, const char *word,
                     size_t length, bool postgres)
{
    static const struct {
        const char *word, *sqlite, *postgres;
    } words[] = {
        {"int", "INTEGER", "BIGINT"},
        {"real", "REAL", "DOUBLE PRECISION"},
        {"text", "TEXT", "TEXT COLLATE \"C\""},
        {"blob", "BLOB", "BYTEA"},
        {"strict", "STRICT", ""},
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strlen(words[i].word) == length && memcmp(words[i].word, word, length) == 0) {
            add(text, postgres ? words[i].postgres : words[i].sqlite);
            return true;
        }
    }
    if (length == 4 && memcmp(word, "rows", 4) == 0 && statement->rows) {
        add_rows(text, statement->takes, postgres);
        return true;
    }
    const char *bar = memchr(word, '|', length);
    if (bar == NULL) {
        return false;
    }
    size_t first = (size_t)(bar - word);
    lh_writer_bytes(text, postgres ? bar + 1 : word, postgres ? length - first - 1 : first);
    return true;
}

enum lh_status pulse_sql_expand(const struct pulse_sql_statement *statement, bool postgres, struct lh_writer *text)
{
    for (const char *at = statement->text; *at != '\0';) {
        if (*at == '{') {
            const char *end = strchr(at, '}');
            if (end == NULL || !add_word(text, statement, at + 1, (size_t)(end - at - 1), postgres)) {
                return LH_ERR_INTERNAL;
            }
            at = end + 1;
        } else if (*at == '?' && postgres) {
            add(text, "$");
            at++;
        } else {
            size_t length = strcspn(at, postgres ? "{?" : "{");
            lh_writer_bytes(text, at, length);
            at += length;
        }
    }
    lh_writer_u8(text, 0);
    return lh_writer_status(text);
}

static bool is_utf8(const char *text, size_t size)
{
    for (size_t at = 0; at < size;) {
        size_t length = lh_utf8_length(text + at, size - at);
        if (length == 0 || text[at] == '\0') {
            return false;
        }
        at += length;
    }
    return true;
}

enum lh_status pulse_sql_check_values(const struct pulse_sql_statement *statement, const struct pulse_sql_value *values,
                                      size_t rows, struct lh_error *error)
{
    size_t width = strlen(statement->takes);
    for (size_t i = 0; i < width * rows; i++) {
        const struct pulse_sql_value *value = &values[i];
        bool text = statement->takes[i % width] == 't';
        if (value->kind == PULSE_SQL_OVERFLOW) {
            return lh_error_set(error, LH_ERR_LIMIT, NULL, "a number is too large for the store");
        }
        if (value->kind != PULSE_SQL_BYTES) {
            continue;
        }
        if (value->bytes.size > (text ? PULSE_STORE_TEXT_MAX : PULSE_STORE_BLOB_MAX)) {
            return lh_error_set(error, LH_ERR_LIMIT, NULL, "%zu bytes are too many for the store", value->bytes.size);
        }
        if (text && !is_utf8(value->bytes.data, value->bytes.size)) {
            return lh_error_set(error, LH_ERR_INVALID, NULL, "a text is not UTF-8");
        }
    }
    return LH_OK;
}
