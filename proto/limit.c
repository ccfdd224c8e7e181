/* SPDX-License-Identifier: MIT */
/* Limits of envelope.proto, and the walk over a message's bytes. */
#include "proto/limit.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "common/base/utf8.h"
#include "proto/limit_rows.h"

LIMITS(error_detail, PROSE("message"), LINE("where"));
LIMITS(error, CHOICE("code"), PROSE("message"), LINE("where"), NUMBER("retry_after_ms", 0, MILLISECONDS_MAX),
       MESSAGES("details", error_detail, 1000));

#define BODY(kind, field, speakers, question) MESSAGE(#field, field),
LIMITS(envelope, NUMBER("version_min", 1, UINT32_MAX), NUMBER("version_max", 1, UINT32_MAX), ID("id"),
       ID("correlation"), ANY32("remaining_ms"), TEXT("trace", 55, 128), TEXT("token", 1, 256), WIRE_BODIES(BODY));
#undef BODY

/* ---- the walk */

enum wire_type { TYPE_VARINT = 0, TYPE_FIXED64 = 1, TYPE_BYTES = 2, TYPE_FIXED32 = 5 };

struct span {
    const uint8_t *at, *end;
};

/* A field as it stands in the bytes. */
struct item {
    uint32_t number;
    enum wire_type type;
    uint64_t value;   /* VARINT, FIXED64, FIXED32 */
    struct span span; /* BYTES */
};

struct walk {
    struct lh_error *error;
    const struct wire_limits *limits; /* of the message that is looked at */
    uint32_t unknown;                 /* fields so far, of the whole envelope */
};

static enum lh_status refuse(const struct walk *walk, enum lh_status status, const char *field, const char *what)
{
    char where[LH_ERROR_WHERE_SIZE];
    const char *message = walk->limits->descriptor->short_name;
    size_t length = strlen(message);
    if (walk->error == NULL || length + strlen(field) + 2 > sizeof where) {
        return lh_error_set(walk->error, status, message, "the message is refused: %s", what);
    }
    memcpy(where, message, length);
    where[length] = '.';
    memcpy(where + length + 1, field, strlen(field) + 1);
    return lh_error_set(walk->error, status, where, "the message is refused: %s", what);
}

static bool read_varint(struct span *span, uint64_t *value)
{
    uint64_t result = 0;
    for (unsigned shift = 0; shift < 64 && span->at < span->end; shift += 7) {
        uint8_t byte = *span->at++;
        if (shift == 63 && byte > 1) {
            return false;
        }
        result |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80) {
            *value = result;
            return true;
        }
    }
    return false;
}

static bool read_fixed(struct span *span, size_t size, uint64_t *value)
{
    if ((size_t)(span->end - span->at) < size) {
        return false;
    }
    uint64_t result = 0;
    for (size_t i = size; i-- > 0;) {
        result = result << 8 | span->at[i];
    }
    span->at += size;
    *value = result;
    return true;
}

/* Groups, which proto2 had once, are refused with everything else that is no field. */
static bool read_item(struct span *span, struct item *item)
{
    uint64_t tag;
    if (!read_varint(span, &tag) || tag >> 3 == 0 || tag >> 3 > (1u << 29) - 1) {
        return false;
    }
    item->number = (uint32_t)(tag >> 3);
    item->type = (enum wire_type)(tag & 7);
    uint64_t length;
    switch (item->type) {
    case TYPE_VARINT:
        return read_varint(span, &item->value);
    case TYPE_FIXED64:
        return read_fixed(span, 8, &item->value);
    case TYPE_FIXED32:
        return read_fixed(span, 4, &item->value);
    case TYPE_BYTES:
        if (!read_varint(span, &length) || length > (uint64_t)(span->end - span->at)) {
            return false;
        }
        item->span = (struct span){span->at, span->at + length};
        span->at += length;
        return true;
    }
    return false;
}

static enum wire_type expected_type(ProtobufCType type)
{
    switch (type) {
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_BYTES:
    case PROTOBUF_C_TYPE_MESSAGE:
        return TYPE_BYTES;
    case PROTOBUF_C_TYPE_DOUBLE:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_SFIXED64:
        return TYPE_FIXED64;
    case PROTOBUF_C_TYPE_FLOAT:
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_SFIXED32:
        return TYPE_FIXED32;
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_BOOL:
    case PROTOBUF_C_TYPE_ENUM:
        return TYPE_VARINT;
    }
    return TYPE_VARINT;
}

static bool is_name(struct span span)
{
    for (const uint8_t *at = span.at; at < span.end; at++) {
        bool word = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') || (*at >= '0' && *at <= '9');
        if (!word && *at != '_' && *at != '-' && (*at != '.' || at == span.at)) {
            return false;
        }
    }
    return true;
}

static bool is_text(struct span span)
{
    while (span.at < span.end) {
        size_t length = lh_utf8_length((const char *)span.at, (size_t)(span.end - span.at));
        if (length == 0 || (*span.at < 0x20 && *span.at != '\n' && *span.at != '\t') || *span.at == 0x7F) {
            return false;
        }
        span.at += length;
    }
    return true;
}

static bool is_file(struct span span)
{
    size_t size = (size_t)(span.end - span.at);
    bool dots = (size == 1 || size == 2) && memcmp(span.at, "..", size) == 0;
    return size > 0 && !dots && memchr(span.at, '/', size) == NULL && is_text(span);
}

static bool is_path(struct span span)
{
    for (;;) {
        const uint8_t *slash = memchr(span.at, '/', (size_t)(span.end - span.at));
        if (!is_file((struct span){span.at, slash != NULL ? slash : span.end})) {
            return false;
        }
        if (slash == NULL) {
            return true;
        }
        span.at = slash + 1;
    }
}

static enum lh_status check_text(const struct walk *walk, const struct wire_limit *limit, struct span span)
{
    size_t size = (size_t)(span.end - span.at);
    if (size < limit->minimum || size > limit->maximum) {
        return refuse(walk, LH_ERR_LIMIT, limit->field, size < limit->minimum ? "too short" : "too long");
    }
    if (limit->kind == WIRE_LIMIT_NAME && !is_name(span)) {
        return refuse(walk, LH_ERR_FORMAT, limit->field,
                      "a name has letters, digits, '_', '-' and '.', and no '.' in front");
    }
    if (limit->kind == WIRE_LIMIT_TEXT && !is_text(span)) {
        return refuse(walk, LH_ERR_FORMAT, limit->field, "no text, or control characters in it");
    }
    if (limit->kind == WIRE_LIMIT_FILE && !is_file(span)) {
        return refuse(walk, LH_ERR_FORMAT, limit->field, "no name of a file");
    }
    if (limit->kind == WIRE_LIMIT_PATH && !is_path(span)) {
        return refuse(walk, LH_ERR_FORMAT, limit->field, "no path downwards");
    }
    return LH_OK;
}

/* The number as the field's type reads it. False for one that the type cannot hold. */
static bool fits_type(ProtobufCType type, uint64_t value)
{
    bool narrow = type == PROTOBUF_C_TYPE_UINT32 || type == PROTOBUF_C_TYPE_SINT32;
    return !narrow || value <= UINT32_MAX;
}

static enum lh_status check_number(const struct walk *walk, const ProtobufCFieldDescriptor *field,
                                   const struct wire_limit *limit, uint64_t value)
{
    bool good = true;
    if (limit->kind == WIRE_LIMIT_FLAG) {
        good = value <= 1;
    } else if (limit->kind == WIRE_LIMIT_CHOICE) {
        good = value <= INT32_MAX && protobuf_c_enum_descriptor_get_value(field->descriptor, (int)value) != NULL;
    } else if (limit->kind == WIRE_LIMIT_REAL) {
        double real;
        memcpy(&real, &value, sizeof real);
        good = isfinite(real) && real >= (double)limit->lowest && real <= (double)limit->highest;
    } else if (limit->kind == WIRE_LIMIT_SIGNED) {
        int64_t number = (int64_t)(value >> 1) ^ -(int64_t)(value & 1); /* zigzag */
        good = number >= limit->lowest && number <= limit->highest;
    } else {
        good = value >= limit->minimum && value <= limit->maximum;
    }
    if (!good || !fits_type(field->type, value)) {
        return refuse(walk, LH_ERR_LIMIT, limit->field, "a value that it cannot have");
    }
    return LH_OK;
}

static enum lh_status check_message(struct walk *walk, const struct wire_limits *limits, struct span span);

static enum lh_status check_item(struct walk *walk, const ProtobufCFieldDescriptor *field,
                                 const struct wire_limit *limit, const struct item *item)
{
    if (item->type != expected_type(field->type)) {
        return refuse(walk, LH_ERR_FORMAT, limit->field, "of another type");
    }
    if (limit->kind == WIRE_LIMIT_MESSAGE) {
        const struct wire_limits *outer = walk->limits;
        enum lh_status status = check_message(walk, limit->message, item->span);
        walk->limits = outer;
        return status;
    }
    return item->type == TYPE_BYTES ? check_text(walk, limit, item->span)
                                    : check_number(walk, field, limit, item->value);
}

/* `seen` counts by field. A field that is not repeated stands once, of a oneof one stands: no writer does otherwise,
   and readers would disagree about which counts. */
static enum lh_status check_presence(const struct walk *walk, const struct wire_limits *limits, const uint32_t *seen)
{
    bool one = false;
    for (uint32_t i = 0; i < limits->count; i++) {
        const ProtobufCFieldDescriptor *field = &limits->descriptor->fields[i];
        if (field->label == PROTOBUF_C_LABEL_REQUIRED && seen[i] == 0) {
            return refuse(walk, LH_ERR_FORMAT, field->name, "missing");
        }
        if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0 && seen[i] > 0) {
            if (one) {
                return refuse(walk, LH_ERR_FORMAT, field->name, "more than one body");
            }
            one = true;
        }
    }
    return LH_OK;
}

/* As deep as the schemas: no message holds itself, and what is not known is not entered. */
static enum lh_status check_message(struct walk *walk, const struct wire_limits *limits, struct span span)
{
    uint32_t seen[WIRE_FIELDS_MAX];
    memset(seen, 0, limits->count * sizeof seen[0]);
    walk->limits = limits;
    while (span.at < span.end) {
        struct item item = {0};
        if (!read_item(&span, &item)) {
            return refuse(walk, LH_ERR_FORMAT, "?", "its bytes are no fields");
        }
        const ProtobufCFieldDescriptor *field =
            protobuf_c_message_descriptor_get_field(limits->descriptor, item.number);
        if (field == NULL) {
            if (++walk->unknown > WIRE_UNKNOWN_FIELDS_MAX) {
                return refuse(walk, LH_ERR_LIMIT, "?", "too many fields that are not known");
            }
            continue;
        }
        size_t index = (size_t)(field - limits->descriptor->fields);
        const struct wire_limit *limit = &limits->fields[index];
        bool repeated = field->label == PROTOBUF_C_LABEL_REPEATED;
        if (seen[index]++ >= (repeated ? limit->count : 1)) {
            return refuse(walk, LH_ERR_LIMIT, limit->field, repeated ? "too many" : "given twice");
        }
        enum lh_status status = check_item(walk, field, limit, &item);
        if (status != LH_OK) {
            return status;
        }
    }
    return check_presence(walk, limits, seen);
}

enum lh_status wire_limits_check(const struct wire_limits *limits, const void *data, size_t size,
                                 struct lh_error *error)
{
    struct walk walk = {.error = error, .limits = limits};
    return check_message(&walk, limits, (struct span){data, (const uint8_t *)data + size});
}
