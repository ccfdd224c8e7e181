/* SPDX-License-Identifier: MIT */
/* The seed of the envelopes' smoke run: an assignment with everything in it. */
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "tests/proto/forge.h"

uint8_t *fuzz_seed(size_t *size)
{
    struct forge forge = {.body = forge_first_body()};
    while (strcmp(wire_envelope_limits.fields[forge.body].field, "assign") != 0) {
        forge.body++;
    }
    struct lh_writer writer;
    lh_writer_init(&writer);
    forge_envelope(&forge, &writer);
    *size = writer.size;
    return writer.data;
}
