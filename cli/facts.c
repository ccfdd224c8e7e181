/* SPDX-License-Identifier: MIT */
/* The facts of a cached deliverable as bytes: as an instance tells them, behind a magic number. */
#include "cli/cache.h"
#include "engine/instance/protocol.h"

#define FACTS_MAGIC 0x3246484cu /* "LHF2": the last digit is the version */

void cli_facts_write(struct lh_writer *writer, const struct engine_delivered *delivered)
{
    lh_writer_u32(writer, FACTS_MAGIC);
    engine_delivered_write(writer, delivered);
}

enum lh_status cli_facts_read(const void *data, size_t size, struct engine_delivered *delivered)
{
    struct lh_reader reader;
    struct engine_delivered read = {0};
    lh_reader_init(&reader, data, size);
    bool known = lh_reader_u32(&reader) == FACTS_MAGIC;
    engine_delivered_read(&reader, &read);
    if (!known || !lh_reader_done(&reader)) {
        return LH_ERR_FORMAT;
    }
    *delivered = read;
    return LH_OK;
}
