/* SPDX-License-Identifier: MIT */
/* Packing and unpacking: protobuf-c between two walks over the limits. */
#include "proto/envelope.h"

#include <inttypes.h>
#include <stdlib.h>

#include "proto/bodies.h"
#include "proto/limit.h"

enum lh_status wire_envelope_pack(const Wire__Envelope *envelope, uint8_t **data, size_t *size, struct lh_error *error)
{
    size_t need = wire__envelope__get_packed_size(envelope);
    if (need > WIRE_MESSAGE_MAX) {
        return lh_error_set(error, LH_ERR_LIMIT, "", "a message of %zu bytes is larger than %u", need,
                            WIRE_MESSAGE_MAX);
    }
    uint8_t *packed = malloc(need > 0 ? need : 1);
    if (packed == NULL) {
        return lh_error_no_memory(error);
    }
    size_t written = wire__envelope__pack(envelope, packed);
    enum lh_status status = wire_limits_check(&wire_envelope_limits, packed, written, error);
    if (status != LH_OK) {
        free(packed);
        if (status == LH_ERR_FORMAT) { /* a mistake of ours, not of a peer */
            status = LH_ERR_INTERNAL;
            if (error != NULL) {
                error->code = status;
            }
        }
        return status;
    }
    *data = packed;
    *size = written;
    return LH_OK;
}

static void *take(void *arena, size_t size)
{
    return lh_arena_alloc(arena, size);
}

/* The arena lets go of everything at once. */
static void give_back(void *arena, void *pointer)
{
    (void)arena;
    (void)pointer;
}

enum lh_status wire_envelope_unpack(const void *data, size_t size, struct lh_arena *arena,
                                    const Wire__Envelope **envelope, struct lh_error *error)
{
    if (size > WIRE_MESSAGE_MAX) {
        return lh_error_set(error, LH_ERR_LIMIT, "", "a message of %zu bytes is larger than %u", size,
                            WIRE_MESSAGE_MAX);
    }
    enum lh_status status = wire_limits_check(&wire_envelope_limits, data, size, error);
    if (status != LH_OK) {
        return status;
    }
    ProtobufCAllocator allocator = {.alloc = take, .free = give_back, .allocator_data = arena};
    const Wire__Envelope *unpacked = wire__envelope__unpack(&allocator, size, data);
    if (unpacked == NULL) { /* the walk let nothing through that could be malformed */
        return lh_error_no_memory(error);
    }
    *envelope = unpacked;
    return LH_OK;
}

uint32_t wire_version_common(uint32_t version_min, uint32_t version_max)
{
    uint32_t low = version_min > WIRE_VERSION_MIN ? version_min : WIRE_VERSION_MIN;
    uint32_t high = version_max < WIRE_VERSION_MAX ? version_max : WIRE_VERSION_MAX;
    return low <= high ? high : 0;
}

/* Fields 1 to 3 stand first in whatever protobuf writes; anything else gives no id. */
uint64_t wire_envelope_id(const void *data, size_t size)
{
    const uint8_t *at = data;
    const uint8_t *end = at + size;
    for (unsigned field = 1; field <= 3; field++) {
        if (at == end || *at++ != field << 3) {
            return 0;
        }
        uint64_t value = 0;
        unsigned shift = 0;
        for (; at < end && *at >= 0x80 && shift < 63; shift += 7) {
            value |= (uint64_t)(*at++ & 0x7F) << shift;
        }
        if (at == end || *at >= 0x80) {
            return 0;
        }
        value |= (uint64_t)*at++ << shift;
        if (field == 3) {
            return value;
        }
    }
    return 0;
}

/* protobuf-c never writes through what it packs. */
char *wire_text(const char *text)
{
    union {
        const char *read;
        char *write;
    } alias = {.read = text};
    return alias.write;
}

ProtobufCBinaryData wire_bytes(const void *data, size_t size)
{
    union {
        const void *read;
        uint8_t *write;
    } alias = {.read = data};
    return (ProtobufCBinaryData){.len = size, .data = alias.write};
}

/* ---- bodies */

struct body_row {
    const char *name;
    unsigned speakers;
    bool question;
};

#define BODY(kind, field, who, asks)                                                                                   \
    [WIRE__ENVELOPE__BODY_##kind] = {.name = #field, .speakers = (who), .question = (asks)},
static const struct body_row bodies[] = {WIRE_BODIES(BODY)};
#undef BODY

static const struct body_row *row_of(Wire__Envelope__BodyCase body)
{
    static const struct body_row none = {.name = "nothing"};
    bool known = body >= 0 && (size_t)body < sizeof bodies / sizeof bodies[0] && bodies[body].name != NULL;
    return known ? &bodies[body] : &none;
}

const char *wire_body_name(Wire__Envelope__BodyCase body)
{
    return row_of(body)->name;
}

unsigned wire_body_speakers(Wire__Envelope__BodyCase body)
{
    return row_of(body)->speakers;
}

bool wire_body_is_question(Wire__Envelope__BodyCase body)
{
    return row_of(body)->question;
}
