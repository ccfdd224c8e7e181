/* SPDX-License-Identifier: MIT */
/* ID3v2.4: known tags as text frames, a comment as COMM, any other as TXXX under its own name. */
#include "engine/io/encode_id3.h"

#include <string.h>
#include <strings.h>

#define ENCODING_UTF8 3u
#define ID3_SIZE_MAX ((size_t)1 << 28) /* four bytes of seven bits */

static const struct frame_name {
    const char *tag, *id;
} frame_names[] = {
    {"title", "TIT2"},     {"artist", "TPE1"},   {"album", "TALB"},     {"albumartist", "TPE2"}, {"date", "TDRC"},
    {"year", "TDRC"},      {"genre", "TCON"},    {"track", "TRCK"},     {"tracknumber", "TRCK"}, {"composer", "TCOM"},
    {"copyright", "TCOP"}, {"language", "TLAN"}, {"publisher", "TPUB"}, {"bpm", "TBPM"},         {"isrc", "TSRC"},
};

static const char *frame_id(const char *tag)
{
    for (size_t i = 0; i < sizeof frame_names / sizeof frame_names[0]; i++) {
        if (strcasecmp(frame_names[i].tag, tag) == 0) {
            return frame_names[i].id;
        }
    }
    return NULL;
}

static void put_syncsafe(struct lh_writer *writer, size_t value)
{
    for (unsigned shift = 28; shift > 0; shift -= 7) {
        lh_writer_u8(writer, (uint8_t)(value >> (shift - 7) & 0x7F));
    }
}

/* A frame: its encoding byte, `prefix` bytes, then the text without a terminator. */
static void put_frame(struct lh_writer *writer, const char *id, const char *prefix, size_t prefix_size,
                      const char *text)
{
    lh_writer_bytes(writer, id, 4);
    put_syncsafe(writer, 1 + prefix_size + strlen(text));
    lh_writer_u16(writer, 0);
    lh_writer_u8(writer, ENCODING_UTF8);
    lh_writer_bytes(writer, prefix, prefix_size);
    lh_writer_bytes(writer, text, strlen(text));
}

enum lh_status engine_id3_put(const struct engine_file *file, struct lh_writer *writer, struct lh_error *error)
{
    static const char comment_prefix[] = "eng"; /* and an empty description, which is the terminator */
    const struct graph_deliverable *deliverable = file->deliverable;
    const struct graph_tag *tags = engine_file_tags(file);
    if (deliverable->tag_count == 0) {
        return LH_OK;
    }
    struct lh_writer frames;
    lh_writer_init(&frames);
    for (uint32_t i = 0; i < deliverable->tag_count; i++) {
        const char *id = frame_id(tags[i].name);
        if (id != NULL) {
            put_frame(&frames, id, "", 0, tags[i].value);
        } else if (strcasecmp(tags[i].name, "comment") == 0) {
            put_frame(&frames, "COMM", comment_prefix, sizeof comment_prefix, tags[i].value);
        } else {
            put_frame(&frames, "TXXX", tags[i].name, strlen(tags[i].name) + 1, tags[i].value);
        }
    }
    enum lh_status status = LH_OK;
    if (frames.size >= ID3_SIZE_MAX) {
        status = lh_error_set(error, LH_ERR_LIMIT, deliverable->name,
                              "the tags are larger than an MP3 file can hold (256 MiB)");
    } else {
        lh_writer_bytes(writer, "ID3\4\0\0", 6);
        put_syncsafe(writer, frames.size);
        lh_writer_bytes(writer, frames.data, frames.size);
        writer->failed = writer->failed || frames.failed;
        status = writer->failed ? lh_error_no_memory(error) : LH_OK;
    }
    lh_writer_fini(&frames);
    return status;
}
