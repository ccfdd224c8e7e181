/* SPDX-License-Identifier: MIT */
/* WAV and BWF (EBU Tech 3285 v2): fmt, bext; then after the samples LIST/INFO, smpl, cue and LIST/adtl. The first chunk
   is JUNK, kept for the ds64 of an RF64 (EBU Tech 3306) when the file passes 4 GiB. Nothing tells when or where it was
   written: bext's date comes from the project's "date" tag or is empty, its time is always empty. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "engine/io/encode_pcm.h"

#define DS64_SIZE 28u
#define FORMAT_PCM 1u
#define FORMAT_FLOAT 3u
#define FORMAT_EXTENSIBLE 0xFFFEu
#define BEXT_DATE_LENGTH 10u
#define BEXT_LOUDNESS_UNKNOWN 0x7FFFu /* "shall be ignored": Tech 3285 v2, section 2.4 */
#define SMPL_UNITY_NOTE 60u           /* middle C plays the file as it is */

static const struct info_name {
    const char *tag, *id;
} info_names[] = {
    {"title", "INAM"},    {"artist", "IART"},   {"album", "IPRD"},   {"comment", "ICMT"},     {"copyright", "ICOP"},
    {"date", "ICRD"},     {"genre", "IGNR"},    {"track", "ITRK"},   {"tracknumber", "ITRK"}, {"software", "ISFT"},
    {"engineer", "IENG"}, {"keywords", "IKEY"}, {"subject", "ISBJ"}, {"composer", "IMUS"},    {"language", "ILNG"},
};

static const char *info_id(const char *tag)
{
    for (size_t i = 0; i < sizeof info_names / sizeof info_names[0]; i++) {
        if (strcasecmp(info_names[i].tag, tag) == 0) {
            return info_names[i].id;
        }
    }
    return NULL;
}

static bool wav_holds_tag(const char *name)
{
    return info_id(name) != NULL;
}

/* Tags that bext holds besides. */
static bool bwf_holds_tag(const char *name)
{
    return wav_holds_tag(name) || strcasecmp(name, "description") == 0 || strcasecmp(name, "originator") == 0 ||
           strcasecmp(name, "originatorReference") == 0;
}

/* A chunk whose size is filled in when it ends; both return and take the place of its size field. */
static size_t chunk_begin(struct lh_writer *writer, const char *id)
{
    engine_chunk_id(writer, id);
    lh_writer_u32(writer, 0);
    return writer->size;
}

static void chunk_end(struct lh_writer *writer, size_t begin)
{
    if (writer->failed) {
        return;
    }
    size_t size = writer->size - begin;
    for (unsigned i = 0; i < 4; i++) {
        writer->data[begin - 4 + i] = (uint8_t)(size >> (8 * i));
    }
    if ((size & 1) != 0) {
        lh_writer_u8(writer, 0);
    }
}

/* Speakers of the usual layouts (dwChannelMask); 0 where there is none. */
static uint32_t channel_mask(uint32_t channels)
{
    static const uint32_t masks[] = {0, 0x4, 0x3, 0x7, 0x33, 0x37, 0x3F, 0x70F, 0x63F};
    return channels < sizeof masks / sizeof masks[0] ? masks[channels] : 0;
}

static void put_fmt(const struct engine_file *file, struct lh_writer *writer)
{
    static const uint8_t guid_tail[14] = {0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xAA, 0, 0x38, 0x9B, 0x71};
    bool is_float = file->deliverable->bit_depth == 32;
    bool extensible = file->channels > 2;
    uint32_t frame_size = file->channels * file->sample_bytes;
    uint16_t bits = (uint16_t)(file->sample_bytes * 8);
    uint16_t format = is_float ? FORMAT_FLOAT : FORMAT_PCM;
    size_t begin = chunk_begin(writer, "fmt ");
    lh_writer_u16(writer, extensible ? FORMAT_EXTENSIBLE : format);
    lh_writer_u16(writer, (uint16_t)file->channels);
    lh_writer_u32(writer, file->deliverable->rate);
    lh_writer_u32(writer, file->deliverable->rate * frame_size);
    lh_writer_u16(writer, (uint16_t)frame_size);
    lh_writer_u16(writer, bits);
    if (extensible) {
        lh_writer_u16(writer, 22);
        lh_writer_u16(writer, bits);
        lh_writer_u32(writer, channel_mask(file->channels));
        lh_writer_u16(writer, format);
        lh_writer_bytes(writer, guid_tail, sizeof guid_tail);
    } else if (is_float) {
        lh_writer_u16(writer, 0);
    }
    chunk_end(writer, begin);
}

static const char *first_tag(const struct engine_file *file, const char *a, const char *b, const char *otherwise)
{
    const char *value = engine_file_tag(file, a);
    if (value == NULL && b != NULL) {
        value = engine_file_tag(file, b);
    }
    return value != NULL ? value : otherwise;
}

static bool is_date(const char *text)
{
    if (strlen(text) != BEXT_DATE_LENGTH) {
        return false;
    }
    for (size_t i = 0; i < BEXT_DATE_LENGTH; i++) {
        bool dash = i == 4 || i == 7;
        if (dash ? text[i] != '-' : (text[i] < '0' || text[i] > '9')) {
            return false;
        }
    }
    return true;
}

static void put_bext(const struct engine_file *file, struct lh_writer *writer)
{
    const struct graph_deliverable *deliverable = file->deliverable;
    const char *date = first_tag(file, "date", NULL, "");
    size_t begin = chunk_begin(writer, "bext");
    engine_chunk_text(writer, first_tag(file, "description", "title", ""), 256);
    engine_chunk_text(writer, first_tag(file, "originator", NULL, "Loophole"), 32);
    engine_chunk_text(writer, first_tag(file, "originatorReference", NULL, ""), 32);
    engine_chunk_text(writer, is_date(date) ? date : "", BEXT_DATE_LENGTH);
    engine_chunk_text(writer, "", 8);
    /* Where the file lies on the project's timeline, in frames from its beginning ("since midnight"). */
    lh_writer_u64(writer,
                  graph_converted_length((uint64_t)deliverable->start, file->graph->sample_rate, deliverable->rate));
    lh_writer_u16(writer, 2);
    engine_chunk_zeros(writer, 64);    /* no UMID */
    for (unsigned i = 0; i < 5; i++) { /* integrated, range, true peak, momentary, short-term */
        lh_writer_u16(writer, BEXT_LOUDNESS_UNKNOWN);
    }
    engine_chunk_zeros(writer, 180);
    char history[128];
    char mode[32];
    (void)snprintf(mode, sizeof mode, "%u channels", file->channels);
    (void)snprintf(history, sizeof history, "A=PCM,F=%u,W=%u,M=%s,T=Loophole\r\n", deliverable->rate,
                   file->sample_bytes * 8,
                   file->channels == 1   ? "mono"
                   : file->channels == 2 ? "stereo"
                                         : mode);
    engine_chunk_text(writer, history, strlen(history));
    chunk_end(writer, begin);
}

static uint32_t low_32(uint64_t value, bool large)
{
    return large ? UINT32_MAX : (uint32_t)value;
}

/* RIFF or RF64, and JUNK or ds64: 12 + 8 + DS64_SIZE bytes. */
static void put_sizes(const struct engine_file *file, uint64_t frames, uint64_t riff_size, struct lh_writer *writer)
{
    bool large = riff_size > file->riff_limit;
    engine_chunk_id(writer, large ? "RF64" : "RIFF");
    lh_writer_u32(writer, low_32(riff_size, large));
    engine_chunk_id(writer, "WAVE");
    engine_chunk_id(writer, large ? "ds64" : "JUNK");
    lh_writer_u32(writer, DS64_SIZE);
    lh_writer_u64(writer, large ? riff_size : 0);
    lh_writer_u64(writer, large ? engine_pcm_data_size(file, frames) : 0);
    lh_writer_u64(writer, large ? frames : 0);
    lh_writer_u32(writer, 0);
}

static void put_head(const struct engine_file *file, uint64_t frames, uint64_t tail_size, struct lh_writer *writer)
{
    struct lh_writer rest;
    lh_writer_init(&rest);
    put_fmt(file, &rest);
    if (file->deliverable->bit_depth == 32) {
        size_t begin = chunk_begin(&rest, "fact");
        lh_writer_u32(&rest, low_32(frames, frames > UINT32_MAX));
        chunk_end(&rest, begin);
    }
    if (file->deliverable->format == GRAPH_FORMAT_BWF) {
        put_bext(file, &rest);
    }
    uint64_t data_size = engine_pcm_data_size(file, frames);
    uint64_t riff_size = 4 + (8 + DS64_SIZE) + rest.size + 8 + data_size + (data_size & 1) + tail_size;
    put_sizes(file, frames, riff_size, writer);
    lh_writer_bytes(writer, rest.data, rest.size);
    engine_chunk_id(writer, "data");
    lh_writer_u32(writer, low_32(data_size, riff_size > file->riff_limit));
    writer->failed = writer->failed || rest.failed;
    lh_writer_fini(&rest);
}

static void put_info(const struct engine_file *file, struct lh_writer *writer)
{
    const struct graph_tag *tags = engine_file_tags(file);
    size_t list = 0;
    for (uint32_t i = 0; i < file->deliverable->tag_count; i++) {
        const char *id = info_id(tags[i].name);
        if (id == NULL) {
            continue;
        }
        if (list == 0) {
            list = chunk_begin(writer, "LIST");
            engine_chunk_id(writer, "INFO");
        }
        size_t begin = chunk_begin(writer, id);
        lh_writer_bytes(writer, tags[i].value, strlen(tags[i].value) + 1);
        chunk_end(writer, begin);
    }
    if (list != 0) {
        chunk_end(writer, list);
    }
}

static void put_smpl(const struct engine_file *file, uint64_t frames, struct lh_writer *writer)
{
    uint32_t start, end;
    if (!engine_file_loop(file, frames, &start, &end)) {
        return;
    }
    const uint64_t nanoseconds = 1000000000;
    size_t begin = chunk_begin(writer, "smpl");
    lh_writer_u32(writer, 0); /* manufacturer, product */
    lh_writer_u32(writer, 0);
    lh_writer_u32(writer, (uint32_t)((nanoseconds + file->deliverable->rate / 2) / file->deliverable->rate));
    lh_writer_u32(writer, SMPL_UNITY_NOTE);
    engine_chunk_zeros(writer, 12); /* pitch fraction, SMPTE format and offset */
    lh_writer_u32(writer, 1);       /* loops */
    lh_writer_u32(writer, 0);       /* sampler data */
    lh_writer_u32(writer, 0);       /* the loop: identifier, forwards, first and last frame, fraction, for ever */
    lh_writer_u32(writer, 0);
    lh_writer_u32(writer, start);
    lh_writer_u32(writer, end - 1);
    lh_writer_u32(writer, 0);
    lh_writer_u32(writer, 0);
    chunk_end(writer, begin);
}

static uint32_t marker_count(const struct engine_file *file, uint64_t frames)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < file->graph->marker_count; i++) {
        uint32_t position;
        const char *name;
        count += engine_file_marker(file, frames, i, &position, &name) ? 1 : 0;
    }
    return count;
}

static void put_cue(const struct engine_file *file, uint64_t frames, struct lh_writer *writer)
{
    uint32_t count = marker_count(file, frames), id = 0, position;
    const char *name;
    if (count == 0) {
        return;
    }
    size_t begin = chunk_begin(writer, "cue ");
    lh_writer_u32(writer, count);
    for (uint32_t i = 0; i < file->graph->marker_count; i++) {
        if (!engine_file_marker(file, frames, i, &position, &name)) {
            continue;
        }
        lh_writer_u32(writer, ++id);
        lh_writer_u32(writer, position);
        engine_chunk_id(writer, "data");
        lh_writer_u32(writer, 0);
        lh_writer_u32(writer, 0);
        lh_writer_u32(writer, position);
    }
    chunk_end(writer, begin);
    begin = chunk_begin(writer, "LIST");
    engine_chunk_id(writer, "adtl");
    id = 0;
    for (uint32_t i = 0; i < file->graph->marker_count; i++) {
        if (!engine_file_marker(file, frames, i, &position, &name)) {
            continue;
        }
        size_t label = chunk_begin(writer, "labl");
        lh_writer_u32(writer, ++id);
        lh_writer_bytes(writer, name, strlen(name) + 1);
        chunk_end(writer, label);
    }
    chunk_end(writer, begin);
}

static void put_tail(const struct engine_file *file, uint64_t frames, struct lh_writer *writer)
{
    put_info(file, writer);
    put_smpl(file, frames, writer);
    put_cue(file, frames, writer);
}

static enum lh_status wav_open(struct engine_file *file, void **state, struct lh_error *error)
{
    static const struct engine_container container = {.grows = true, .head = put_head, .tail = put_tail};
    return engine_pcm_open(file, &container, state, error);
}

const struct engine_backend engine_backend_wav = {
    .name = "WAV",
    .packed = true,
    .holds_markers = true,
    .holds_loop = true,
    .holds_tag = wav_holds_tag,
    .open = wav_open,
    .write = engine_pcm_write,
    .finish = engine_pcm_finish,
    .free = engine_pcm_free,
};

const struct engine_backend engine_backend_bwf = {
    .name = "BWF",
    .packed = true,
    .holds_markers = true,
    .holds_loop = true,
    .holds_tag = bwf_holds_tag,
    .open = wav_open,
    .write = engine_pcm_write,
    .finish = engine_pcm_finish,
    .free = engine_pcm_free,
};
