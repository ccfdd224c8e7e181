/* SPDX-License-Identifier: MIT */
/* The index file's bytes. Those that come from the disk are believed only as far as their digest goes, and checked. */
#include "inventory/index_file.h"

#include <string.h>

#define MAGIC 0x4950484cu /* "LHPI" */
#define VERSION 2
#define TEXT_MAX GRAPH_TEXT_MAX
#define PATHS_MAX (1u << 20) /* bytes of a search path */

static void write_digest(struct lh_writer *writer, const struct lh_digest *digest)
{
    lh_writer_bytes(writer, digest->bytes, sizeof digest->bytes);
}

void inventory_index_content_write(struct lh_writer *writer, const struct inventory_index_stamp *stamp,
                                   const struct inventory_index_content *content)
{
    lh_writer_u32(writer, MAGIC);
    lh_writer_u32(writer, VERSION);
    lh_writer_text(writer, stamp->describer);
    lh_writer_text(writer, stamp->search_path);
    write_digest(writer, &content->state);
    lh_writer_u8(writer, content->complete);
    lh_writer_u32(writer, (uint32_t)content->bundle_count);
    for (size_t i = 0; i < content->bundle_count; i++) {
        lh_writer_text(writer, content->bundles[i].folder);
        write_digest(writer, &content->bundles[i].identity);
        lh_writer_u8(writer, content->bundles[i].holds_plugins);
    }
    lh_writer_u32(writer, (uint32_t)content->entry_count);
    for (size_t i = 0; i < content->entry_count; i++) {
        const struct inventory_index_entry *entry = &content->entries[i];
        lh_writer_text(writer, entry->uri);
        lh_writer_text(writer, entry->name);
        lh_writer_u32(writer, (uint32_t)entry->bundle);
        lh_writer_text(writer, entry->outside);
        write_digest(writer, &entry->outside_identity);
        lh_writer_u32(writer, (uint32_t)entry->record_size);
    }
    lh_writer_u32(writer, (uint32_t)content->absent_count);
    for (size_t i = 0; i < content->absent_count; i++) {
        lh_writer_text(writer, content->absent[i]);
    }
    for (size_t i = 0; i < content->entry_count; i++) {
        lh_writer_bytes(writer, content->entries[i].record, content->entries[i].record_size);
    }
    struct lh_digest digest;
    if (lh_writer_status(writer) == LH_OK && lh_digest_bytes(writer->data, writer->size, &digest) == LH_OK) {
        write_digest(writer, &digest);
    } else {
        writer->failed = true;
    }
}

/* A file's bytes and what is made of them. `no_memory` tells a failure from damage. */
struct source {
    struct lh_reader reader;
    struct lh_arena *arena;
    bool no_memory;
};

static const char *read_text(struct source *source)
{
    size_t length = 0;
    const char *text = lh_reader_text(&source->reader, TEXT_MAX, &length);
    if (text == NULL) {
        return "";
    }
    const char *copy = lh_arena_strndup(source->arena, text, length);
    source->no_memory = source->no_memory || copy == NULL;
    return copy != NULL ? copy : "";
}

static bool read_same_text(struct source *source, const char *expected)
{
    size_t length = 0;
    const char *text = lh_reader_text(&source->reader, PATHS_MAX, &length);
    return text != NULL && length == strlen(expected) && memcmp(text, expected, length) == 0;
}

static void read_digest(struct source *source, struct lh_digest *digest)
{
    const uint8_t *bytes = lh_reader_view(&source->reader, sizeof digest->bytes);
    if (bytes != NULL) {
        memcpy(digest->bytes, bytes, sizeof digest->bytes);
    }
}

/* A table of as many as the reader says, at least one byte each; NULL when there cannot be so many. */
static void *read_table(struct source *source, size_t most, size_t size, size_t *count)
{
    uint32_t told = lh_reader_u32(&source->reader);
    if (!lh_reader_ok(&source->reader) || told > most || told > source->reader.size - source->reader.offset) {
        source->reader.failed = true;
        return NULL;
    }
    void *table = lh_arena_array(source->arena, told, size);
    source->no_memory = source->no_memory || table == NULL;
    *count = table != NULL ? told : 0;
    return table;
}

static void read_bundles(struct source *source, struct inventory_index_content *content)
{
    size_t count = 0;
    struct inventory_index_bundle *bundles = read_table(source, INVENTORY_BUNDLES_MAX, sizeof *bundles, &count);
    for (size_t i = 0; i < count; i++) {
        bundles[i].folder = read_text(source);
        read_digest(source, &bundles[i].identity);
        bundles[i].holds_plugins = lh_reader_u8(&source->reader) != 0;
    }
    content->bundles = bundles;
    content->bundle_count = count;
}

static bool read_entries(struct source *source, struct inventory_index_content *content)
{
    size_t count = 0;
    struct inventory_index_entry *entries = read_table(source, INVENTORY_INDEX_PLUGINS_MAX, sizeof *entries, &count);
    bool sound = true;
    for (size_t i = 0; i < count; i++) {
        entries[i].uri = read_text(source);
        entries[i].name = read_text(source);
        entries[i].bundle = lh_reader_u32(&source->reader);
        entries[i].outside = read_text(source);
        read_digest(source, &entries[i].outside_identity);
        entries[i].record_size = lh_reader_u32(&source->reader);
        sound = sound && entries[i].bundle < content->bundle_count &&
                (i == 0 || strcmp(entries[i - 1].uri, entries[i].uri) < 0);
    }
    content->entries = entries;
    content->entry_count = count;
    return sound;
}

static void read_absent(struct source *source, struct inventory_index_content *content)
{
    size_t count = 0;
    const char **absent = read_table(source, INVENTORY_INDEX_PLUGINS_MAX, sizeof *absent, &count);
    for (size_t i = 0; i < count; i++) {
        absent[i] = read_text(source);
    }
    content->absent = absent;
    content->absent_count = count;
}

enum lh_status inventory_index_content_read(struct lh_arena *arena, const void *data, size_t size,
                                            const struct inventory_index_stamp *stamp,
                                            struct inventory_index_content *content)
{
    struct lh_digest told, found;
    struct source source = {.arena = arena};
    struct inventory_index_content read = {.complete = false};
    if (size < sizeof told.bytes) {
        return LH_ERR_FORMAT;
    }
    size -= sizeof told.bytes;
    memcpy(told.bytes, (const uint8_t *)data + size, sizeof told.bytes);
    lh_reader_init(&source.reader, data, size);
    /* Whose it is comes first: a file of another version need not be hashed. */
    if (lh_reader_u32(&source.reader) != MAGIC || lh_reader_u32(&source.reader) != VERSION ||
        !read_same_text(&source, stamp->describer) || !read_same_text(&source, stamp->search_path)) {
        return LH_ERR_FORMAT;
    }
    enum lh_status status = lh_digest_bytes(data, size, &found);
    if (status != LH_OK || !lh_digest_equal(&told, &found)) {
        return status != LH_OK ? status : LH_ERR_FORMAT;
    }
    read_digest(&source, &read.state);
    read.complete = lh_reader_u8(&source.reader) != 0;
    read_bundles(&source, &read);
    bool sound = read_entries(&source, &read);
    read_absent(&source, &read);
    for (size_t i = 0; sound && i < read.entry_count; i++) {
        read.entries[i].record = lh_reader_view(&source.reader, read.entries[i].record_size);
    }
    if (source.no_memory) {
        return LH_ERR_NO_MEMORY;
    }
    if (!sound || !lh_reader_done(&source.reader)) {
        return LH_ERR_FORMAT;
    }
    *content = read;
    return LH_OK;
}
