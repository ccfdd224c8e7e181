/* SPDX-License-Identifier: MIT */
/* Envelopes to bytes and back. Before anything is taken apart, the bytes are walked once against the table of limits
   (proto/limit.h): every length, count, number, enumeration and text. What passes costs no more memory than a small
   multiple of its size; what does not is refused as a whole. Any thread. */
#ifndef WIRE_ENVELOPE_H
#define WIRE_ENVELOPE_H

#include <stdbool.h>

#include "common/base/arena.h"
#include "common/base/status.h"
#include "proto/envelope.pb-c.h"

/* The versions of the conversations that this build speaks. A change that N-1 would misread raises the second. */
#define WIRE_VERSION_MIN 1
#define WIRE_VERSION_MAX 1

#define WIRE_MESSAGE_MAX (80u << 20) /* bytes of an envelope, to any endpoint */
#define WIRE_CHUNK_SIZE (1u << 20)   /* bytes of a bulk chunk's payload */
#define WIRE_BULK_CREDITS 8          /* chunks on their way, unless somebody says otherwise */

/* Who speaks. WORKER and CLIENT speak to Pulse. */
enum wire_speaker { WIRE_WORKER = 1, WIRE_CLIENT = 2, WIRE_PULSE = 4 };

/* An envelope of our versions with that id, without a body. */
#define WIRE_ENVELOPE_INIT(number)                                                                                     \
    ((Wire__Envelope){.base = PROTOBUF_C_MESSAGE_INIT(&wire__envelope__descriptor),                                    \
                      .version_min = WIRE_VERSION_MIN,                                                                 \
                      .version_max = WIRE_VERSION_MAX,                                                                 \
                      .id = (number)})

/* The body of an envelope, by its field: WIRE_BODY(&envelope, HELLO, hello, &hello). */
#define WIRE_BODY(envelope, kind, field, message)                                                                      \
    ((envelope)->body_case = WIRE__ENVELOPE__BODY_##kind, (envelope)->field = (message))

/* The bytes of an envelope, malloc'd. LH_ERR_NO_MEMORY; LH_ERR_LIMIT or LH_ERR_INTERNAL for what the other side would
   refuse: nothing of the kind leaves the house. */
LH_NODISCARD enum lh_status wire_envelope_pack(const Wire__Envelope *envelope, uint8_t **data, size_t *size,
                                               struct lh_error *error);

/* Checks and takes apart, into the arena. Fields that are not known are ignored; an envelope whose body is not known
   has none (WIRE__ENVELOPE__BODY__NOT_SET). Versions are not compared: wire_version_common() does. LH_ERR_FORMAT:
   malformed, LH_ERR_LIMIT: past a limit; both say which field; LH_ERR_NO_MEMORY. */
LH_NODISCARD enum lh_status wire_envelope_unpack(const void *data, size_t size, struct lh_arena *arena,
                                                 const Wire__Envelope **envelope, struct lh_error *error);

/* The newest version that both speak; 0: none. */
uint32_t wire_version_common(uint32_t version_min, uint32_t version_max);

/* What to answer to bytes that wire_envelope_unpack() refused: the `id` if the bytes give one, else 0. */
uint64_t wire_envelope_id(const void *data, size_t size);

/* "hello", as the schema names the body; "nothing" without one. */
const char *wire_body_name(Wire__Envelope__BodyCase body);
/* Who may say that: a set of enum wire_speaker. 0 for what is no body. */
unsigned wire_body_speakers(Wire__Envelope__BodyCase body);
/* A question: exactly one envelope answers it, by its correlation. */
bool wire_body_is_question(Wire__Envelope__BodyCase body);

/* Fields of a message that is only packed: views of what protobuf-c would not take as read-only. */
char *wire_text(const char *text);
ProtobufCBinaryData wire_bytes(const void *data, size_t size);

/* The code that tells of a status, and back. */
Wire__ErrorCode wire_error_code(enum lh_status status);
enum lh_status wire_error_status(Wire__ErrorCode code);
/* An Error that says the same; its texts are views of `error`. */
void wire_error_make(const struct lh_error *error, Wire__Error *message);
/* What an Error says, into `error` (which may be NULL). Returns its code. */
enum lh_status wire_error_read(const Wire__Error *message, struct lh_error *error);

#endif
