/* SPDX-License-Identifier: MIT */
/* How the rows of the table of limits are written. Only for the proto/limit_ files. */
#ifndef WIRE_LIMITS_ROWS_H
#define WIRE_LIMITS_ROWS_H

#include "proto/bodies.h"
#include "proto/envelope.pb-c.h"
#include "proto/limit.h"

#define NAME_MAX_BYTES 64 /* of a worker, tag, role */
#define LINE_MAX_BYTES 1024
#define PROSE_MAX_BYTES 4096
#define TAGS_MAX 64
#define SHARD_EDGES_MAX 65536 /* pulse-daemon/farm/rows.h: PULSE_SHARD_EDGES_MAX */
#define MILLISECONDS_MAX (7u * 24 * 3600 * 1000)

/* Fields. */
#define SPAN(type, name, low, high, times)                                                                             \
    {                                                                                                                  \
        .field = (name), .kind = WIRE_LIMIT_##type, .minimum = (low), .maximum = (high), .count = (times)              \
    }
#define TEXT(name, low, high) SPAN(TEXT, name, low, high, 0)
#define LINE(name) TEXT(name, 0, LINE_MAX_BYTES)
#define PROSE(name) TEXT(name, 0, PROSE_MAX_BYTES)
#define NAME(name) SPAN(NAME, name, 1, NAME_MAX_BYTES, 0)
#define NAMES(name, times) SPAN(NAME, name, 1, NAME_MAX_BYTES, times)
#define FILE_NAME(name) SPAN(FILE, name, 1, 255, 0)
#define PATH(name) SPAN(PATH, name, 1, LINE_MAX_BYTES, 0)
#define BYTES(name, low, high) SPAN(BYTES, name, low, high, 0)
#define DIGEST(name) BYTES(name, 32, 32)
#define DIGESTS(name, times) SPAN(BYTES, name, 32, 32, times)
#define NUMBER(name, low, high) SPAN(NUMBER, name, low, high, 0)
#define ANY32(name) NUMBER(name, 0, UINT32_MAX)
#define ANY64(name) NUMBER(name, 0, UINT64_MAX)
#define ID(name) NUMBER(name, 1, UINT64_MAX)
#define FLAG(name)                                                                                                     \
    {                                                                                                                  \
        .field = (name), .kind = WIRE_LIMIT_FLAG                                                                       \
    }
#define CHOICE(name)                                                                                                   \
    {                                                                                                                  \
        .field = (name), .kind = WIRE_LIMIT_CHOICE                                                                     \
    }
#define SIGNED(name, low, high)                                                                                        \
    {                                                                                                                  \
        .field = (name), .kind = WIRE_LIMIT_SIGNED, .lowest = (low), .highest = (high)                                 \
    }
#define REAL(name, low, high)                                                                                          \
    {                                                                                                                  \
        .field = (name), .kind = WIRE_LIMIT_REAL, .lowest = (low), .highest = (high)                                   \
    }
#define MESSAGES(name, stem, times)                                                                                    \
    {                                                                                                                  \
        .field = (name), .kind = WIRE_LIMIT_MESSAGE, .count = (times), .message = &wire_##stem##_limits                \
    }
#define MESSAGE(name, stem) MESSAGES(name, stem, 0)

/* Messages. */
#define LIMITS(stem, ...)                                                                                              \
    static const struct wire_limit stem##_fields[] = {__VA_ARGS__};                                                    \
    const struct wire_limits wire_##stem##_limits = {.descriptor = &wire__##stem##__descriptor,                        \
                                                     .fields = stem##_fields,                                          \
                                                     .count = sizeof stem##_fields / sizeof stem##_fields[0]}
#define NO_FIELDS(stem) const struct wire_limits wire_##stem##_limits = {.descriptor = &wire__##stem##__descriptor}

#define DECLARE(kind, field, speakers, question) extern const struct wire_limits wire_##field##_limits;
WIRE_BODIES(DECLARE)
#undef DECLARE
extern const struct wire_limits wire_held_limits, wire_blob_limits, wire_host_media_limits, wire_shard_output_limits,
    wire_shard_input_limits, wire_shard_insert_limits, wire_shard_cost_limits, wire_shard_times_limits;

#endif
