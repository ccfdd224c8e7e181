/* SPDX-License-Identifier: MIT */
/* Needs as bytes and back. */
#include "pulse-daemon/store/needs.h"

#include <string.h>

#include "common/base/bytes.h"
#include "pulse-daemon/store/store.h"

#define VERSION 1

enum lh_status pulse_needs_encode(const struct pulse_needs_row *needs, struct lh_arena *arena, const void **body,
                                  size_t *size)
{
    struct lh_writer writer;
    lh_writer_init(&writer);
    lh_writer_u8(&writer, VERSION);
    lh_writer_text(&writer, needs->engine);
    lh_writer_text(&writer, needs->cpu_class);
    lh_writer_u32(&writer, (uint32_t)needs->tag_count);
    for (size_t i = 0; i < needs->tag_count; i++) {
        lh_writer_text(&writer, needs->tags[i]);
    }
    lh_writer_u32(&writer, (uint32_t)needs->plugin_count);
    for (size_t i = 0; i < needs->plugin_count; i++) {
        lh_writer_bytes(&writer, needs->plugins[i].bytes, sizeof needs->plugins[i].bytes);
    }
    void *copy = lh_writer_status(&writer) == LH_OK ? lh_arena_alloc(arena, writer.size) : NULL;
    if (copy != NULL) {
        memcpy(copy, writer.data, writer.size);
        *body = copy;
        *size = writer.size;
    }
    lh_writer_fini(&writer);
    return copy != NULL ? LH_OK : LH_ERR_NO_MEMORY;
}

static const char *read_text(struct lh_reader *reader, struct lh_arena *arena, bool *no_memory)
{
    size_t length = 0;
    const char *text = lh_reader_text(reader, PULSE_STORE_TEXT_MAX, &length);
    const char *copy = text != NULL ? lh_arena_strndup(arena, text, length) : NULL;
    *no_memory = *no_memory || (text != NULL && copy == NULL);
    return copy != NULL ? copy : "";
}

enum lh_status pulse_needs_decode(const void *body, size_t size, struct lh_arena *arena, struct pulse_needs_row *needs,
                                  struct lh_error *error)
{
    struct pulse_needs_row read = {.id = needs->id};
    struct lh_reader reader;
    bool no_memory = false;
    lh_reader_init(&reader, body, size);
    bool sound = lh_reader_u8(&reader) == VERSION;
    read.engine = read_text(&reader, arena, &no_memory);
    read.cpu_class = read_text(&reader, arena, &no_memory);
    read.tag_count = lh_reader_u32(&reader);
    sound = sound && lh_reader_ok(&reader) && read.tag_count <= size; /* each takes a byte at least */
    const char **tags = sound ? lh_arena_array(arena, read.tag_count, sizeof *tags) : NULL;
    for (size_t i = 0; tags != NULL && i < read.tag_count; i++) {
        tags[i] = read_text(&reader, arena, &no_memory);
    }
    read.tags = tags;
    read.plugin_count = lh_reader_u32(&reader);
    sound = sound && lh_reader_ok(&reader) && read.plugin_count <= size / LH_DIGEST_SIZE;
    struct lh_digest *plugins = sound ? lh_arena_array(arena, read.plugin_count, sizeof *plugins) : NULL;
    const uint8_t *bytes = sound ? lh_reader_view(&reader, read.plugin_count * LH_DIGEST_SIZE) : NULL;
    if (plugins != NULL && bytes != NULL) {
        memcpy(plugins, bytes, read.plugin_count * LH_DIGEST_SIZE);
    }
    read.plugins = plugins;
    if (no_memory || (sound && (tags == NULL || plugins == NULL))) {
        return lh_error_no_memory(error);
    }
    if (!sound || !lh_reader_done(&reader)) {
        return lh_error_set(error, LH_ERR_FORMAT, NULL, "a row of table needs makes no sense");
    }
    *needs = read;
    return LH_OK;
}
