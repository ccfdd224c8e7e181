/* SPDX-License-Identifier: MIT */
/* Envelopes from anywhere: what passes the walk comes through protobuf-c, costs no more memory than it may, and is
   written again so that it reads the same. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/envelope.h"
#include "tests/fuzz/fuzz.h"

#define MEMORY_PER_BYTE 64 /* an unknown field of two bytes is kept in a struct of its own */

static void require(bool condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "%s\n", what);
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct lh_arena arena;
    lh_arena_init(&arena);
    const Wire__Envelope *envelope = NULL;
    struct lh_error error = LH_ERROR_INIT;
    (void)wire_envelope_id(data, size);
    enum lh_status status = wire_envelope_unpack(data, size, &arena, &envelope, &error);
    require(arena.used <= MEMORY_PER_BYTE * size + 4096, "more memory than the bytes are worth");
    if (status != LH_OK) {
        require(error.message[0] != '\0' && error.code == status, "refused without a word");
        require(status != LH_ERR_NO_MEMORY, "the walk and protobuf-c do not agree");
        lh_arena_fini(&arena);
        return 0;
    }
    uint8_t *packed = NULL;
    uint8_t *again = NULL;
    size_t packed_size = 0;
    size_t again_size = 0;
    require(wire_envelope_pack(envelope, &packed, &packed_size, &error) == LH_OK, "read but not to be written");
    require(wire_envelope_unpack(packed, packed_size, &arena, &envelope, &error) == LH_OK,
            "written but not to be read");
    require(wire_envelope_pack(envelope, &again, &again_size, &error) == LH_OK, "written once only");
    require(again_size == packed_size && memcmp(packed, again, again_size) == 0, "it changes with each writing");
    free(packed);
    free(again);
    lh_arena_fini(&arena);
    return 0;
}
