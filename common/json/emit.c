/* SPDX-License-Identifier: MIT */
/* Writing: canonical text, one call an item. Numbers rely on LC_NUMERIC being "C", as a program finds it at start. */
#include "common/json/json.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/utf8.h"

#define INTEGER_EXACT_MAX 9007199254740992.0 /* 2^53: up to here a double is written as a plain integer */
#define DIGITS_SAFE 15                       /* a decimal of so many digits survives the way through a normal double */
#define DIGITS_MAX 17                        /* so many tell any two doubles apart */
#define REPLACEMENT "\xEF\xBF\xBD"           /* U+FFFD */

static void write_raw(struct lh_json_emitter *emitter, const char *text)
{
    lh_writer_bytes(emitter->writer, text, strlen(text));
}

static void write_line_break(struct lh_json_emitter *emitter)
{
    if (emitter->compact) {
        return;
    }
    lh_writer_u8(emitter->writer, '\n');
    for (unsigned i = 0; i < emitter->depth; i++) {
        write_raw(emitter, "  ");
    }
}

/* What stands before a value or a name: comma, line and indentation, or nothing after a name. */
static void begin_item(struct lh_json_emitter *emitter)
{
    if (emitter->after_name) {
        emitter->after_name = false;
        return;
    }
    if (!emitter->first) {
        lh_writer_u8(emitter->writer, ',');
    }
    if (emitter->depth > 0) {
        write_line_break(emitter);
    }
    emitter->first = false;
}

static void end_item(struct lh_json_emitter *emitter)
{
    if (emitter->depth == 0) {
        lh_writer_u8(emitter->writer, '\n');
    }
}

static void begin_list(struct lh_json_emitter *emitter, char bracket)
{
    begin_item(emitter);
    lh_writer_u8(emitter->writer, (uint8_t)bracket);
    emitter->depth++;
    emitter->first = true;
}

static void end_list(struct lh_json_emitter *emitter, char bracket)
{
    emitter->depth--;
    if (!emitter->first) {
        write_line_break(emitter);
    }
    emitter->first = false;
    lh_writer_u8(emitter->writer, (uint8_t)bracket);
    end_item(emitter);
}

static void write_plain_value(struct lh_json_emitter *emitter, const char *text)
{
    begin_item(emitter);
    write_raw(emitter, text);
    end_item(emitter);
}

static void write_control(struct lh_json_emitter *emitter, char c)
{
    char escaped[8];
    switch (c) {
    case '\n':
        write_raw(emitter, "\\n");
        break;
    case '\t':
        write_raw(emitter, "\\t");
        break;
    case '\r':
        write_raw(emitter, "\\r");
        break;
    default:
        snprintf(escaped, sizeof escaped, "\\u%04x", (unsigned)(unsigned char)c);
        write_raw(emitter, escaped);
    }
}

/* Text from outside (a file name, say) need not be UTF-8: what isn't becomes U+FFFD, so that the output always is. */
static void write_string(struct lh_json_emitter *emitter, const char *text, size_t size)
{
    lh_writer_u8(emitter->writer, '"');
    size_t written = 0;
    size_t i = 0;
    while (i < size) {
        size_t length = lh_utf8_length(text + i, size - i);
        bool plain = length > 0 && (unsigned char)text[i] >= 0x20 && text[i] != '"' && text[i] != '\\';
        if (plain) {
            i += length;
            continue;
        }
        lh_writer_bytes(emitter->writer, text + written, i - written);
        if (length == 0) {
            write_raw(emitter, REPLACEMENT);
        } else if (text[i] == '"' || text[i] == '\\') {
            lh_writer_u8(emitter->writer, '\\');
            lh_writer_u8(emitter->writer, (uint8_t)text[i]);
        } else {
            write_control(emitter, text[i]);
        }
        written = ++i;
    }
    lh_writer_bytes(emitter->writer, text + written, size - written);
    lh_writer_u8(emitter->writer, '"');
}

void lh_json_emit_init(struct lh_json_emitter *emitter, struct lh_writer *writer, bool compact)
{
    *emitter = (struct lh_json_emitter){.writer = writer, .compact = compact, .first = true};
}

void lh_json_emit_object(struct lh_json_emitter *emitter)
{
    begin_list(emitter, '{');
}

void lh_json_emit_object_end(struct lh_json_emitter *emitter)
{
    end_list(emitter, '}');
}

void lh_json_emit_array(struct lh_json_emitter *emitter)
{
    begin_list(emitter, '[');
}

void lh_json_emit_array_end(struct lh_json_emitter *emitter)
{
    end_list(emitter, ']');
}

void lh_json_emit_name(struct lh_json_emitter *emitter, const char *name)
{
    begin_item(emitter);
    write_string(emitter, name, strlen(name));
    write_raw(emitter, emitter->compact ? ":" : ": ");
    emitter->after_name = true;
}

void lh_json_emit_text(struct lh_json_emitter *emitter, const char *text)
{
    if (text == NULL) {
        lh_json_emit_null(emitter);
        return;
    }
    begin_item(emitter);
    write_string(emitter, text, strlen(text));
    end_item(emitter);
}

void lh_json_emit_integer(struct lh_json_emitter *emitter, int64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRId64, value);
    write_plain_value(emitter, text);
}

/* The fewest digits that read back as the same double. A normal double that has a decimal of up to DIGITS_SAFE digits
   is found by that very precision, since %g drops trailing zeros; a subnormal one has fewer digits of its own. */
static void format_real(double value, char *text, size_t size)
{
    int digits = fabs(value) < DBL_MIN ? 1 : DIGITS_SAFE;
    do {
        snprintf(text, size, "%.*g", digits, value);
    } while (digits++ < DIGITS_MAX && strtod(text, NULL) != value);
}

void lh_json_emit_real(struct lh_json_emitter *emitter, double value)
{
    char text[40];
    if (!isfinite(value)) {
        lh_json_emit_null(emitter);
        return;
    }
    if (value == 0 && signbit(value)) {
        snprintf(text, sizeof text, "-0.0"); /* "-0" would read back as an integer, without its sign */
    } else if (fabs(value) <= INTEGER_EXACT_MAX && value == floor(value)) {
        snprintf(text, sizeof text, "%.0f", value);
    } else {
        format_real(value, text, sizeof text);
    }
    write_plain_value(emitter, text);
}

void lh_json_emit_bool(struct lh_json_emitter *emitter, bool value)
{
    write_plain_value(emitter, value ? "true" : "false");
}

void lh_json_emit_null(struct lh_json_emitter *emitter)
{
    write_plain_value(emitter, "null");
}

static void emit_items(struct lh_json_emitter *emitter, const struct lh_json *list)
{
    for (size_t i = 0; i < list->value.list.count; i++) {
        const struct lh_json *item = list->value.list.items[i];
        if (item->name != NULL) {
            lh_json_emit_name(emitter, item->name);
        }
        lh_json_emit_value(emitter, item);
    }
}

void lh_json_emit_value(struct lh_json_emitter *emitter, const struct lh_json *value)
{
    switch (value->kind) {
    case LH_JSON_NULL:
        lh_json_emit_null(emitter);
        break;
    case LH_JSON_FALSE:
    case LH_JSON_TRUE:
        lh_json_emit_bool(emitter, value->kind == LH_JSON_TRUE);
        break;
    case LH_JSON_INTEGER:
        lh_json_emit_integer(emitter, value->value.integer);
        break;
    case LH_JSON_REAL:
        lh_json_emit_real(emitter, value->value.real);
        break;
    case LH_JSON_STRING:
        lh_json_emit_text(emitter, value->value.string.text);
        break;
    case LH_JSON_ARRAY:
        lh_json_emit_array(emitter);
        emit_items(emitter, value);
        lh_json_emit_array_end(emitter);
        break;
    case LH_JSON_OBJECT:
        lh_json_emit_object(emitter);
        emit_items(emitter, value);
        lh_json_emit_object_end(emitter);
        break;
    }
}

void lh_json_put_text(struct lh_json_emitter *emitter, const char *name, const char *text)
{
    lh_json_emit_name(emitter, name);
    lh_json_emit_text(emitter, text);
}

void lh_json_put_integer(struct lh_json_emitter *emitter, const char *name, int64_t value)
{
    lh_json_emit_name(emitter, name);
    lh_json_emit_integer(emitter, value);
}

void lh_json_put_real(struct lh_json_emitter *emitter, const char *name, double value)
{
    lh_json_emit_name(emitter, name);
    lh_json_emit_real(emitter, value);
}

void lh_json_put_bool(struct lh_json_emitter *emitter, const char *name, bool value)
{
    lh_json_emit_name(emitter, name);
    lh_json_emit_bool(emitter, value);
}
