/* SPDX-License-Identifier: MIT */
/* AIFF 1.3 (16 and 24 bits) and AIFC (32-bit float, "fl32"): COMM, SSND; then after the samples MARK and INST (markers
   and the loop) and text chunks. At most 4 GiB. Channels stand in WAV's order. */
#include <string.h>
#include <strings.h>

#include "engine/io/encode_pcm.h"

#define AIFC_VERSION 0xA2805140u
#define LOOP_FORWARDS 1u
#define INST_BASE_NOTE 60u
#define INST_HIGHEST 127u
#define MARKS_MAX 65535u
#define PSTRING_MAX 255u

static const struct text_name {
    const char *tag, *id;
} text_names[] = {{"title", "NAME"}, {"artist", "AUTH"}, {"copyright", "(c) "}, {"comment", "ANNO"}};

static const char *text_id(const char *tag)
{
    for (size_t i = 0; i < sizeof text_names / sizeof text_names[0]; i++) {
        if (strcasecmp(text_names[i].tag, tag) == 0) {
            return text_names[i].id;
        }
    }
    return NULL;
}

static bool holds_tag(const char *name)
{
    return text_id(name) != NULL;
}

static void put_u16(struct lh_writer *writer, uint32_t value)
{
    lh_writer_u8(writer, (uint8_t)(value >> 8));
    lh_writer_u8(writer, (uint8_t)value);
}

static void put_u32(struct lh_writer *writer, uint32_t value)
{
    put_u16(writer, value >> 16);
    put_u16(writer, value & 0xFFFFu);
}

/* An integer as an 80-bit IEEE extended: the exponent of its highest bit, and the integer with that bit on top. */
static void put_extended(struct lh_writer *writer, uint32_t value)
{
    uint32_t shift = (uint32_t)__builtin_clz(value);
    put_u16(writer, 16383 + 31 - shift);
    put_u32(writer, value << shift);
    put_u32(writer, 0);
}

/* A Pascal string, padded to an even number of bytes with its length byte. */
static void put_pstring(struct lh_writer *writer, const char *text)
{
    size_t length = engine_text_prefix(text, PSTRING_MAX);
    lh_writer_u8(writer, (uint8_t)length);
    lh_writer_bytes(writer, text, length);
    if ((length & 1) == 0) {
        lh_writer_u8(writer, 0);
    }
}

static size_t chunk_begin(struct lh_writer *writer, const char *id)
{
    engine_chunk_id(writer, id);
    put_u32(writer, 0);
    return writer->size;
}

static void chunk_end(struct lh_writer *writer, size_t begin)
{
    if (writer->failed) {
        return;
    }
    size_t size = writer->size - begin;
    for (unsigned i = 0; i < 4; i++) {
        writer->data[begin - 1 - i] = (uint8_t)(size >> (8 * i));
    }
    if ((size & 1) != 0) {
        lh_writer_u8(writer, 0);
    }
}

static void put_head(const struct engine_file *file, uint64_t frames, uint64_t tail_size, struct lh_writer *writer)
{
    bool is_float = file->deliverable->bit_depth == 32;
    struct lh_writer rest;
    lh_writer_init(&rest);
    engine_chunk_id(&rest, is_float ? "AIFC" : "AIFF");
    if (is_float) {
        engine_chunk_id(&rest, "FVER");
        put_u32(&rest, 4);
        put_u32(&rest, AIFC_VERSION);
    }
    size_t begin = chunk_begin(&rest, "COMM");
    put_u16(&rest, file->channels);
    put_u32(&rest, (uint32_t)frames);
    put_u16(&rest, file->sample_bytes * 8);
    put_extended(&rest, file->deliverable->rate);
    if (is_float) {
        engine_chunk_id(&rest, "fl32");
        put_pstring(&rest, "32-bit floating point");
    }
    chunk_end(&rest, begin);
    uint64_t data_size = engine_pcm_data_size(file, frames);
    engine_chunk_id(writer, "FORM");
    put_u32(writer, (uint32_t)(rest.size + 16 + data_size + (data_size & 1) + tail_size));
    lh_writer_bytes(writer, rest.data, rest.size);
    engine_chunk_id(writer, "SSND");
    put_u32(writer, (uint32_t)(data_size + 8));
    put_u32(writer, 0); /* offset, block size: not aligned */
    put_u32(writer, 0);
    writer->failed = writer->failed || rest.failed;
    lh_writer_fini(&rest);
}

static void put_mark(struct lh_writer *writer, uint32_t id, uint32_t position, const char *name)
{
    put_u16(writer, id);
    put_u32(writer, position);
    put_pstring(writer, name);
}

/* The loop's ends are marks 1 and 2, the project's markers follow. */
static void put_marks(const struct engine_file *file, uint64_t frames, bool loop, uint32_t loop_start,
                      uint32_t loop_end, struct lh_writer *writer)
{
    struct lh_writer marks;
    lh_writer_init(&marks);
    uint32_t count = 0, position;
    const char *name;
    if (loop) {
        put_mark(&marks, ++count, loop_start, "beg loop");
        put_mark(&marks, ++count, loop_end, "end loop");
    }
    for (uint32_t i = 0; i < file->graph->marker_count && count < MARKS_MAX; i++) {
        if (engine_file_marker(file, frames, i, &position, &name)) {
            put_mark(&marks, ++count, position, name);
        }
    }
    if (count > 0) {
        size_t begin = chunk_begin(writer, "MARK");
        put_u16(writer, count);
        lh_writer_bytes(writer, marks.data, marks.size);
        chunk_end(writer, begin);
    }
    writer->failed = writer->failed || marks.failed;
    lh_writer_fini(&marks);
}

static void put_inst(struct lh_writer *writer)
{
    size_t begin = chunk_begin(writer, "INST");
    lh_writer_u8(writer, INST_BASE_NOTE);
    lh_writer_u8(writer, 0); /* detune */
    lh_writer_u8(writer, 0); /* notes and velocities: all */
    lh_writer_u8(writer, INST_HIGHEST);
    lh_writer_u8(writer, 1);
    lh_writer_u8(writer, INST_HIGHEST);
    put_u16(writer, 0); /* gain */
    put_u16(writer, LOOP_FORWARDS);
    put_u16(writer, 1); /* sustain loop: marks 1 and 2; no release loop */
    put_u16(writer, 2);
    put_u16(writer, 0);
    put_u16(writer, 0);
    put_u16(writer, 0);
    chunk_end(writer, begin);
}

static void put_tail(const struct engine_file *file, uint64_t frames, struct lh_writer *writer)
{
    uint32_t loop_start = 0, loop_end = 0;
    bool loop = engine_file_loop(file, frames, &loop_start, &loop_end);
    put_marks(file, frames, loop, loop_start, loop_end, writer);
    if (loop) {
        put_inst(writer);
    }
    const struct graph_tag *tags = engine_file_tags(file);
    for (uint32_t i = 0; i < file->deliverable->tag_count; i++) {
        const char *id = text_id(tags[i].name);
        if (id == NULL) {
            continue;
        }
        size_t begin = chunk_begin(writer, id);
        lh_writer_bytes(writer, tags[i].value, strlen(tags[i].value));
        chunk_end(writer, begin);
    }
}

static enum lh_status aiff_open(struct engine_file *file, void **state, struct lh_error *error)
{
    static const struct engine_container container = {.big_endian = true, .head = put_head, .tail = put_tail};
    return engine_pcm_open(file, &container, state, error);
}

const struct engine_backend engine_backend_aiff = {
    .name = "AIFF",
    .packed = true,
    .holds_markers = true,
    .holds_loop = true,
    .holds_tag = holds_tag,
    .open = aiff_open,
    .write = engine_pcm_write,
    .finish = engine_pcm_finish,
    .free = engine_pcm_free,
};
