/* SPDX-License-Identifier: MIT */
/* Messages written by hand from the table of limits. */
#include "tests/proto/forge.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5 };

void forge_varint(struct lh_writer *writer, uint64_t value)
{
    for (; value >= 0x80; value >>= 7) {
        lh_writer_u8(writer, (uint8_t)(value | 0x80));
    }
    lh_writer_u8(writer, (uint8_t)value);
}

static void tag(struct lh_writer *writer, unsigned number, unsigned type)
{
    forge_varint(writer, (uint64_t)number << 3 | type);
}

void forge_bytes(struct lh_writer *writer, unsigned number, const void *data, size_t size)
{
    tag(writer, number, BYTES);
    forge_varint(writer, size);
    lh_writer_bytes(writer, data, size);
}

static bool is_span(const struct wire_limit *limit)
{
    return limit->kind <= WIRE_LIMIT_BYTES;
}

static bool is_text(const struct wire_limit *limit)
{
    return limit->kind < WIRE_LIMIT_BYTES;
}

static bool is_narrow(const ProtobufCFieldDescriptor *field)
{
    return field->type == PROTOBUF_C_TYPE_UINT32 || field->type == PROTOBUF_C_TYPE_SINT32;
}

bool forge_applies(enum forge_spoil spoil, const struct wire_limits *message, unsigned index)
{
    const struct wire_limit *limit = &message->fields[index];
    const ProtobufCFieldDescriptor *field = &message->descriptor->fields[index];
    switch (spoil) {
    case FORGE_WHOLE:
    case FORGE_WRONG_TYPE:
        return true;
    case FORGE_TOO_LONG:
    case FORGE_LONGEST:
    case FORGE_SHORTEST:
        return is_span(limit);
    case FORGE_TOO_SHORT:
        return is_span(limit) && limit->minimum > 0;
    case FORGE_NO_UTF8:
    case FORGE_CONTROL:
        return is_text(limit) && limit->minimum <= 1;
    case FORGE_UPWARDS:
        return limit->kind == WIRE_LIMIT_FILE || limit->kind == WIRE_LIMIT_PATH || limit->kind == WIRE_LIMIT_NAME;
    case FORGE_TOO_LOW:
        return (limit->kind == WIRE_LIMIT_NUMBER && limit->minimum > 0) || limit->kind == WIRE_LIMIT_SIGNED ||
               (limit->kind == WIRE_LIMIT_REAL && limit->lowest > INT64_MIN);
    case FORGE_TOO_HIGH:
        return (limit->kind == WIRE_LIMIT_NUMBER && limit->maximum < (is_narrow(field) ? UINT32_MAX : UINT64_MAX)) ||
               limit->kind == WIRE_LIMIT_SIGNED || limit->kind == WIRE_LIMIT_FLAG || limit->kind == WIRE_LIMIT_CHOICE ||
               (limit->kind == WIRE_LIMIT_REAL && limit->highest < INT64_MAX);
    case FORGE_TOO_WIDE:
        return is_narrow(field) || limit->kind == WIRE_LIMIT_CHOICE;
    case FORGE_NO_NUMBER:
        return limit->kind == WIRE_LIMIT_REAL;
    case FORGE_MANY:
        return field->label == PROTOBUF_C_LABEL_REPEATED;
    case FORGE_TOO_MANY:
        return true;
    case FORGE_MISSING:
        return field->label == PROTOBUF_C_LABEL_REQUIRED;
    case FORGE_JUNK:
        return limit->kind == WIRE_LIMIT_MESSAGE;
    case FORGE_SPOILS:
        break;
    }
    return false;
}

enum lh_status forge_expected(enum forge_spoil spoil)
{
    switch (spoil) {
    case FORGE_WHOLE:
    case FORGE_LONGEST:
    case FORGE_SHORTEST:
    case FORGE_MANY:
        return LH_OK;
    case FORGE_NO_UTF8:
    case FORGE_CONTROL:
    case FORGE_UPWARDS:
    case FORGE_MISSING:
    case FORGE_WRONG_TYPE:
    case FORGE_JUNK:
        return LH_ERR_FORMAT;
    case FORGE_TOO_LONG:
    case FORGE_TOO_SHORT:
    case FORGE_TOO_LOW:
    case FORGE_TOO_HIGH:
    case FORGE_TOO_WIDE:
    case FORGE_NO_NUMBER:
    case FORGE_TOO_MANY:
    case FORGE_SPOILS:
        break;
    }
    return LH_ERR_LIMIT;
}

static void write_span(struct lh_writer *writer, const struct wire_limit *limit, unsigned number,
                       enum forge_spoil spoil)
{
    static const char odd[][3] = {[FORGE_NO_UTF8] = "\xC3(", [FORGE_CONTROL] = "\x1B[", [FORGE_UPWARDS] = ".."};
    if (spoil == FORGE_NO_UTF8 || spoil == FORGE_CONTROL || spoil == FORGE_UPWARDS) {
        forge_bytes(writer, number, odd[spoil], 2);
        return;
    }
    size_t size = limit->minimum > 6 ? limit->minimum : limit->maximum < 6 ? limit->maximum : 6;
    size = spoil == FORGE_TOO_LONG ? limit->maximum + 1 : spoil == FORGE_TOO_SHORT ? limit->minimum - 1 : size;
    size = spoil == FORGE_LONGEST ? limit->maximum : spoil == FORGE_SHORTEST ? limit->minimum : size;
    char *data = malloc(size + 1);
    if (data == NULL) {
        abort();
    }
    memset(data, is_text(limit) ? 'a' + (int)(number % 26) : 0x80 + (int)(number % 100), size);
    forge_bytes(writer, number, data, size);
    free(data);
}

static uint64_t zigzag(int64_t value)
{
    return (uint64_t)value << 1 ^ (uint64_t)(value >> 63);
}

static uint64_t number_of(const struct wire_limit *limit, const ProtobufCFieldDescriptor *field, enum forge_spoil spoil)
{
    uint64_t good = limit->minimum + field->id <= limit->maximum ? limit->minimum + field->id : limit->minimum;
    uint64_t low = limit->minimum - 1;
    uint64_t high = limit->maximum + 1;
    if (limit->kind == WIRE_LIMIT_FLAG) {
        good = 1;
        high = 2;
    } else if (limit->kind == WIRE_LIMIT_CHOICE) {
        good = (uint64_t)((const ProtobufCEnumDescriptor *)field->descriptor)->values[1].value;
        high = 9999;
    } else if (limit->kind == WIRE_LIMIT_SIGNED) {
        good = zigzag(limit->lowest);
        low = zigzag(limit->lowest - 1);
        high = zigzag(limit->highest + 1);
    }
    uint64_t wide = good + ((uint64_t)1 << 32);
    return spoil == FORGE_TOO_LOW ? low : spoil == FORGE_TOO_HIGH ? high : spoil == FORGE_TOO_WIDE ? wide : good;
}

static void write_real(struct lh_writer *writer, const struct wire_limit *limit, unsigned number,
                       enum forge_spoil spoil)
{
    double value = spoil == FORGE_TOO_LOW     ? (double)limit->lowest - 0.25
                   : spoil == FORGE_TOO_HIGH  ? (double)limit->highest + 0.25
                   : spoil == FORGE_NO_NUMBER ? (double)NAN
                                              : 0.75;
    tag(writer, number, FIXED64);
    lh_writer_f64(writer, value);
}

static void write_message(struct forge *forge, const struct wire_limits *message, struct lh_writer *writer);

static void write_field(struct forge *forge, const struct wire_limits *message, unsigned index, enum forge_spoil spoil,
                        struct lh_writer *writer)
{
    const struct wire_limit *limit = &message->fields[index];
    const ProtobufCFieldDescriptor *field = &message->descriptor->fields[index];
    if (spoil == FORGE_WRONG_TYPE) {
        tag(writer, field->id, FIXED32);
        lh_writer_u32(writer, 0x01010101);
    } else if (spoil == FORGE_JUNK) {
        forge_bytes(writer, field->id, "\xFF\xFF\xFF", 3);
    } else if (is_span(limit)) {
        write_span(writer, limit, field->id, spoil);
    } else if (limit->kind == WIRE_LIMIT_REAL) {
        write_real(writer, limit, field->id, spoil);
    } else if (limit->kind == WIRE_LIMIT_MESSAGE) {
        struct lh_writer inner;
        lh_writer_init(&inner);
        write_message(forge, limit->message, &inner);
        forge_bytes(writer, field->id, inner.data, inner.size);
        lh_writer_fini(&inner);
    } else {
        tag(writer, field->id, VARINT);
        forge_varint(writer, number_of(limit, field, spoil));
    }
}

static size_t times(const struct forge *forge, const struct wire_limit *limit, const ProtobufCFieldDescriptor *field,
                    enum forge_spoil spoil)
{
    bool repeated = field->label == PROTOBUF_C_LABEL_REPEATED;
    if (spoil == FORGE_MISSING) {
        return 0;
    }
    if (spoil == FORGE_MANY) {
        return limit->count;
    }
    if (spoil == FORGE_TOO_MANY) {
        return repeated ? limit->count + (size_t)1 : 2;
    }
    if (spoil == FORGE_WHOLE) {
        return forge->bare && field->label != PROTOBUF_C_LABEL_REQUIRED ? 0 : repeated ? 2 : 1;
    }
    return 1;
}

static void write_message(struct forge *forge, const struct wire_limits *message, struct lh_writer *writer)
{
    for (unsigned i = 0; i < message->count; i++) {
        const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
        bool body = (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0;
        if (body && i != forge->body) {
            continue;
        }
        bool spoils = !forge->done && message == forge->message && i == forge->field;
        enum forge_spoil spoil = spoils ? forge->spoil : FORGE_WHOLE;
        forge->done = forge->done || spoils;
        size_t count = body && spoil == FORGE_WHOLE ? 1 : times(forge, &message->fields[i], field, spoil);
        for (size_t n = 0; n < count; n++) {
            write_field(forge, message, i, spoil, writer);
        }
    }
}

void forge_envelope(struct forge *forge, struct lh_writer *writer)
{
    forge->done = false;
    write_message(forge, &wire_envelope_limits, writer);
}

unsigned forge_first_body(void)
{
    unsigned first = 0;
    while ((wire_envelope_limits.descriptor->fields[first].flags & PROTOBUF_C_FIELD_FLAG_ONEOF) == 0) {
        first++;
    }
    return first;
}
