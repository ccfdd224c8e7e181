/* SPDX-License-Identifier: MIT */
/* The facts of a cached deliverable as bytes: a magic number, the digest of its file, and what an instance tells. */
#include <string.h>

#include "cli/cache.h"
#include "engine/instance/protocol.h"

#define FACTS_MAGIC 0x3346484cu /* "LHF3": the last digit is the version */

void cli_facts_write(struct lh_writer *writer, const struct engine_delivered *delivered, const struct lh_digest *file)
{
    lh_writer_u32(writer, FACTS_MAGIC);
    lh_writer_bytes(writer, file->bytes, sizeof file->bytes);
    engine_delivered_write(writer, delivered);
}

enum lh_status cli_facts_read(const void *data, size_t size, struct engine_delivered *delivered, struct lh_digest *file)
{
    struct lh_reader reader;
    struct engine_delivered read = {0};
    lh_reader_init(&reader, data, size);
    bool known = lh_reader_u32(&reader) == FACTS_MAGIC;
    const uint8_t *digest = lh_reader_view(&reader, sizeof file->bytes);
    engine_delivered_read(&reader, &read);
    if (!known || digest == NULL || !lh_reader_done(&reader)) {
        return LH_ERR_FORMAT;
    }
    *delivered = read;
    memcpy(file->bytes, digest, sizeof file->bytes);
    return LH_OK;
}
