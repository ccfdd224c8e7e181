/* SPDX-License-Identifier: MIT */
/* What may stand in each field of each message: a table beside the schemas, and the walk over a message's bytes that
   holds them to it. The table follows the descriptors that protoc-c generates, field by field, so that none can be
   forgotten (a test compares them). Not for other folders: they get it with proto/envelope.h. */
#ifndef WIRE_LIMITS_H
#define WIRE_LIMITS_H

#include <protobuf-c/protobuf-c.h>
#include <stdint.h>

#include "common/base/status.h"

#define WIRE_FIELDS_MAX 128         /* of a message: more than any of ours has */
#define WIRE_UNKNOWN_FIELDS_MAX 256 /* of a whole envelope: what newer peers add */

enum wire_limit_kind {
    WIRE_LIMIT_TEXT = 0, /* UTF-8 without control characters but line break and tab: it may end up on a terminal */
    WIRE_LIMIT_NAME,     /* [A-Za-z0-9_.-], no dot in front */
    WIRE_LIMIT_FILE,     /* a text that is one file's name: no slash, not "." or ".." */
    WIRE_LIMIT_PATH,     /* a text that is a path downwards: file names with slashes between them */
    WIRE_LIMIT_BYTES,
    WIRE_LIMIT_NUMBER, /* unsigned */
    WIRE_LIMIT_SIGNED,
    WIRE_LIMIT_REAL,   /* finite */
    WIRE_LIMIT_FLAG,   /* 0 or 1 */
    WIRE_LIMIT_CHOICE, /* a value of the enumeration */
    WIRE_LIMIT_MESSAGE,
};

struct wire_limits;

struct wire_limit {
    const char *field;
    enum wire_limit_kind kind;
    uint64_t minimum, maximum; /* bytes of texts and bytes; the value of a NUMBER */
    int64_t lowest, highest;   /* the value of a SIGNED or a REAL */
    uint32_t count;            /* of a repeated field: at most so many */
    const struct wire_limits *message;
};

struct wire_limits {
    const ProtobufCMessageDescriptor *descriptor;
    const struct wire_limit *fields; /* one for each of the descriptor's, in its order: by number */
    uint32_t count;
};

extern const struct wire_limits wire_envelope_limits;

/* Walks `size` bytes of a message: LH_ERR_FORMAT for what no writer of ours can have written, LH_ERR_LIMIT for what is
   past a limit; `where` names the field. Takes no memory. */
LH_NODISCARD enum lh_status wire_limits_check(const struct wire_limits *limits, const void *data, size_t size,
                                              struct lh_error *error);

#endif
