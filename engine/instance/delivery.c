/* SPDX-License-Identifier: MIT */
/* A magic number, the digest of the file, and what an instance tells. */
#include "engine/instance/delivery.h"

#include <string.h>

#include "engine/instance/protocol.h"

#define DELIVERY_MAGIC 0x3346484cu /* "LHF3": the last digit is the version */

void engine_delivery_write(struct lh_writer *writer, const struct engine_delivered *delivered,
                           const struct lh_digest *file)
{
    lh_writer_u32(writer, DELIVERY_MAGIC);
    lh_writer_bytes(writer, file->bytes, sizeof file->bytes);
    engine_delivered_write(writer, delivered);
}

enum lh_status engine_delivery_read(const void *data, size_t size, struct engine_delivered *delivered,
                                    struct lh_digest *file)
{
    struct lh_reader reader;
    struct engine_delivered read = {0};
    lh_reader_init(&reader, data, size);
    bool known = lh_reader_u32(&reader) == DELIVERY_MAGIC;
    const uint8_t *digest = lh_reader_view(&reader, sizeof file->bytes);
    engine_delivered_read(&reader, &read);
    if (!known || digest == NULL || !lh_reader_done(&reader)) {
        return LH_ERR_FORMAT;
    }
    *delivered = read;
    memcpy(file->bytes, digest, sizeof file->bytes);
    return LH_OK;
}
