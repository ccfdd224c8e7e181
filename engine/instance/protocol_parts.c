/* SPDX-License-Identifier: MIT */
/* Reading and writing what the bodies share. */
#include "engine/instance/protocol_parts.h"

#include <math.h>
#include <string.h>

#define STATUS_LAST LH_ERR_INTERNAL

void engine_protocol_read_text(struct lh_reader *reader, char *text, size_t size)
{
    size_t length;
    const char *view = lh_reader_text(reader, size - 1, &length);
    for (size_t i = 0; i < length; i++) {
        text[i] = (unsigned char)view[i] < 0x20 || view[i] == 0x7F ? ' ' : view[i];
    }
    text[length] = '\0';
}

const char *engine_protocol_read_copy(struct lh_reader *reader, size_t limit, struct lh_arena *arena)
{
    size_t length;
    const char *view = lh_reader_text(reader, limit, &length);
    if (view == NULL) {
        return "";
    }
    if (memchr(view, '\0', length) != NULL) {
        reader->failed = true;
        return "";
    }
    return lh_arena_strndup(arena, view, length);
}

bool engine_protocol_read_flag(struct lh_reader *reader)
{
    uint8_t value = lh_reader_u8(reader);
    if (value > 1) {
        reader->failed = true;
    }
    return value == 1;
}

double engine_protocol_read_number(struct lh_reader *reader)
{
    double value = lh_reader_f64(reader);
    if (isnan(value)) {
        reader->failed = true;
    }
    return value;
}

enum lh_status engine_protocol_read_status(struct lh_reader *reader)
{
    uint32_t status = lh_reader_u32(reader);
    if (status > STATUS_LAST) {
        reader->failed = true;
        return LH_ERR_INTERNAL;
    }
    return (enum lh_status)status;
}

void engine_protocol_write_error(struct lh_writer *writer, const struct lh_error *error)
{
    lh_writer_text(writer, error->message);
    lh_writer_text(writer, error->where);
}

void engine_protocol_read_error(struct lh_reader *reader, enum lh_status status, struct lh_error *error)
{
    *error = (struct lh_error){.code = status};
    engine_protocol_read_text(reader, error->message, sizeof error->message);
    engine_protocol_read_text(reader, error->where, sizeof error->where);
}
