/* SPDX-License-Identifier: MIT */
/* The bodies of the messages. Readers bound every text and number, then demand that nothing is left. */
#include "engine/instance/protocol.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define STATUS_LAST LH_ERR_INTERNAL
#define SAMPLE_BITS_MAX 64

/* Copies a text into an array of `size` bytes. Control characters become spaces: a child that went wrong must not be
   able to write commands to a terminal. */
static void read_text(struct lh_reader *reader, char *text, size_t size)
{
    size_t length;
    const char *view = lh_reader_text(reader, size - 1, &length);
    for (size_t i = 0; i < length; i++) {
        text[i] = (unsigned char)view[i] < 0x20 || view[i] == 0x7F ? ' ' : view[i];
    }
    text[length] = '\0';
}

static bool read_bool(struct lh_reader *reader)
{
    uint8_t value = lh_reader_u8(reader);
    if (value > 1) {
        reader->failed = true;
    }
    return value == 1;
}

static double read_number(struct lh_reader *reader)
{
    double value = lh_reader_f64(reader);
    if (isnan(value)) {
        reader->failed = true;
    }
    return value;
}

static void write_error(struct lh_writer *writer, const struct lh_error *error)
{
    lh_writer_text(writer, error->message);
    lh_writer_text(writer, error->where);
}

static void read_error(struct lh_reader *reader, enum lh_status status, struct lh_error *error)
{
    *error = (struct lh_error){.code = status};
    read_text(reader, error->message, sizeof error->message);
    read_text(reader, error->where, sizeof error->where);
}

static enum lh_status read_status(struct lh_reader *reader)
{
    uint32_t status = lh_reader_u32(reader);
    if (status > STATUS_LAST) {
        reader->failed = true;
        return LH_ERR_INTERNAL;
    }
    return (enum lh_status)status;
}

void engine_hello_write(struct lh_writer *writer, const struct engine_hello *hello)
{
    lh_writer_u32(writer, hello->version);
    lh_writer_text(writer, hello->libraries);
    lh_writer_text(writer, hello->cpu_class);
}

enum lh_status engine_hello_read(const void *data, size_t size, struct engine_hello *hello)
{
    struct lh_reader reader;
    lh_reader_init(&reader, data, size);
    struct engine_hello read = {.version = lh_reader_u32(&reader)};
    read_text(&reader, read.libraries, sizeof read.libraries);
    read_text(&reader, read.cpu_class, sizeof read.cpu_class);
    if (!lh_reader_done(&reader)) {
        return LH_ERR_FORMAT;
    }
    *hello = read;
    return LH_OK;
}

void engine_facts_write(struct lh_writer *writer, const struct engine_probe *probes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct engine_media_facts *facts = &probes[i].facts;
        lh_writer_u32(writer, (uint32_t)probes[i].status);
        if (probes[i].status != LH_OK) {
            write_error(writer, &probes[i].error);
            continue;
        }
        lh_writer_u8(writer, (uint8_t)facts->access);
        lh_writer_u32(writer, facts->rate);
        lh_writer_u32(writer, facts->channels);
        lh_writer_u64(writer, facts->frames);
        lh_writer_u32(writer, facts->bits);
        lh_writer_text(writer, facts->format);
    }
}

static void read_facts(struct lh_reader *reader, struct engine_media_facts *facts)
{
    uint8_t access = lh_reader_u8(reader);
    *facts = (struct engine_media_facts){.access = access <= ENGINE_ACCESS_LINEAR ? (enum engine_access)access
                                                                                  : ENGINE_ACCESS_LINEAR};
    facts->rate = lh_reader_u32(reader);
    facts->channels = lh_reader_u32(reader);
    facts->frames = lh_reader_u64(reader);
    facts->bits = lh_reader_u32(reader);
    read_text(reader, facts->format, sizeof facts->format);
    if (access > ENGINE_ACCESS_LINEAR || facts->rate == 0 || facts->channels == 0 ||
        facts->channels > GRAPH_CHANNELS_MAX || facts->frames >= (uint64_t)GRAPH_FRAMES_MAX ||
        facts->bits > SAMPLE_BITS_MAX) {
        reader->failed = true;
    }
}

enum lh_status engine_facts_read(const void *data, size_t size, struct engine_probe *probes, size_t count)
{
    struct lh_reader reader;
    lh_reader_init(&reader, data, size);
    struct engine_probe *read = calloc(count > 0 ? count : 1, sizeof *read);
    if (read == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < count && lh_reader_ok(&reader); i++) {
        read[i].status = read_status(&reader);
        if (read[i].status != LH_OK) {
            read_error(&reader, read[i].status, &read[i].error);
        } else {
            read_facts(&reader, &read[i].facts);
        }
    }
    bool done = lh_reader_done(&reader);
    if (done && count > 0) {
        memcpy(probes, read, count * sizeof *probes);
    }
    free(read);
    return done ? LH_OK : LH_ERR_FORMAT;
}

void engine_request_write(struct lh_writer *writer, const struct engine_request *request)
{
    lh_writer_u32(writer, request->threads);
    lh_writer_u32(writer, request->block);
    lh_writer_u8(writer, request->report ? 1 : 0);
    lh_writer_u8(writer, request->keeps ? 1 : 0);
    lh_writer_text(writer, request->kernels);
    lh_writer_u32(writer, request->media_count);
    lh_writer_u32(writer, request->output_count);
    lh_writer_bytes(writer, request->conformed, request->media_count);
    lh_writer_bytes(writer, request->wanted, request->output_count);
}

static bool are_flags(const uint8_t *flags, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (flags[i] > 1) {
            return false;
        }
    }
    return true;
}

enum lh_status engine_request_read(const void *data, size_t size, struct engine_request *request)
{
    struct lh_reader reader;
    lh_reader_init(&reader, data, size);
    struct engine_request read = {.threads = lh_reader_u32(&reader)};
    read.block = lh_reader_u32(&reader);
    read.report = read_bool(&reader);
    read.keeps = read_bool(&reader);
    read_text(&reader, read.kernels, sizeof read.kernels);
    read.media_count = lh_reader_u32(&reader);
    read.output_count = lh_reader_u32(&reader);
    read.conformed = lh_reader_view(&reader, read.media_count);
    read.wanted = lh_reader_view(&reader, read.output_count);
    if (!lh_reader_ok(&reader) || read.threads < 1 || read.threads > ENGINE_THREADS_MAX ||
        read.block > ENGINE_BLOCK_MAX) {
        return LH_ERR_FORMAT;
    }
    if (!are_flags(read.conformed, read.media_count) || !are_flags(read.wanted, read.output_count) ||
        (!read.keeps && memchr(read.conformed, 1, read.media_count) != NULL)) {
        return LH_ERR_FORMAT;
    }
    read.graph_size = size - reader.offset;
    read.graph = lh_reader_view(&reader, read.graph_size);
    *request = read;
    return LH_OK;
}

static void write_loudness(struct lh_writer *writer, const struct engine_loudness *loudness)
{
    lh_writer_f64(writer, loudness->integrated_lufs);
    lh_writer_f64(writer, loudness->range_lu);
    lh_writer_f64(writer, loudness->true_peak_dbtp);
    lh_writer_f64(writer, loudness->sample_peak_dbfs);
    lh_writer_f64(writer, loudness->max_momentary_lufs);
    lh_writer_f64(writer, loudness->max_short_term_lufs);
}

static void read_loudness(struct lh_reader *reader, struct engine_loudness *loudness)
{
    loudness->integrated_lufs = read_number(reader);
    loudness->range_lu = read_number(reader);
    loudness->true_peak_dbtp = read_number(reader);
    loudness->sample_peak_dbfs = read_number(reader);
    loudness->max_momentary_lufs = read_number(reader);
    loudness->max_short_term_lufs = read_number(reader);
}

void engine_delivered_write(struct lh_writer *writer, const struct engine_delivered *delivered)
{
    lh_writer_u64(writer, delivered->file.frames);
    lh_writer_u64(writer, delivered->file.clipped);
    lh_writer_u64(writer, delivered->file.bytes);
    lh_writer_u8(writer, delivered->file.has_samples ? 1 : 0);
    lh_writer_bytes(writer, delivered->file.samples.bytes, sizeof delivered->file.samples.bytes);
    lh_writer_text(writer, delivered->file.notes);
    lh_writer_u8(writer, delivered->has_loudness ? 1 : 0);
    write_loudness(writer, &delivered->measured);
    write_loudness(writer, &delivered->reached);
    lh_writer_f64(writer, delivered->gain_db);
    lh_writer_i64(writer, delivered->tail_frames);
}

void engine_delivered_read(struct lh_reader *reader, struct engine_delivered *delivered)
{
    delivered->file.frames = lh_reader_u64(reader);
    delivered->file.clipped = lh_reader_u64(reader);
    delivered->file.bytes = lh_reader_u64(reader);
    delivered->file.has_samples = read_bool(reader);
    const uint8_t *digest = lh_reader_view(reader, sizeof delivered->file.samples.bytes);
    if (digest != NULL) {
        memcpy(delivered->file.samples.bytes, digest, sizeof delivered->file.samples.bytes);
    }
    read_text(reader, delivered->file.notes, sizeof delivered->file.notes);
    delivered->has_loudness = read_bool(reader);
    read_loudness(reader, &delivered->measured);
    read_loudness(reader, &delivered->reached);
    delivered->gain_db = read_number(reader);
    delivered->tail_frames = lh_reader_i64(reader);
    if (!isfinite(delivered->gain_db) || delivered->tail_frames < 0 || delivered->tail_frames >= GRAPH_FRAMES_MAX) {
        reader->failed = true;
    }
}

void engine_result_write(struct lh_writer *writer, enum lh_status status, const struct engine_render_result *result,
                         size_t count, const struct lh_error *error)
{
    lh_writer_u32(writer, (uint32_t)status);
    if (status != LH_OK) {
        write_error(writer, error);
        return;
    }
    lh_writer_u32(writer, result->block);
    lh_writer_u32(writer, result->blocks_in_flight);
    lh_writer_u64(writer, result->conformed_media);
    lh_writer_f64(writer, result->times.conform);
    lh_writer_f64(writer, result->times.mix);
    lh_writer_f64(writer, result->times.meter);
    lh_writer_f64(writer, result->times.encode);
    lh_writer_f64(writer, result->times.wall);
    for (size_t i = 0; i < count; i++) {
        engine_delivered_write(writer, &result->delivered[i]);
    }
}

static void read_deliveries(struct lh_reader *reader, struct engine_render_result *result, size_t count)
{
    result->block = lh_reader_u32(reader);
    result->blocks_in_flight = lh_reader_u32(reader);
    result->conformed_media = lh_reader_u64(reader);
    result->times.conform = read_number(reader);
    result->times.mix = read_number(reader);
    result->times.meter = read_number(reader);
    result->times.encode = read_number(reader);
    result->times.wall = read_number(reader);
    for (size_t i = 0; i < count && lh_reader_ok(reader); i++) {
        engine_delivered_read(reader, &result->delivered[i]);
    }
}

enum lh_status engine_result_read(const void *data, size_t size, struct engine_render_result *result, size_t count,
                                  enum lh_status *status, struct lh_error *failure)
{
    struct lh_reader reader;
    lh_reader_init(&reader, data, size);
    struct engine_delivered *delivered = calloc(count > 0 ? count : 1, sizeof *delivered);
    if (delivered == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    struct engine_render_result read = {.delivered = delivered};
    struct lh_error told = LH_ERROR_INIT;
    enum lh_status outcome = read_status(&reader);
    if (outcome == LH_OK) {
        read_deliveries(&reader, &read, count);
    } else {
        read_error(&reader, outcome, &told);
    }
    bool done = lh_reader_done(&reader);
    if (done && outcome == LH_OK) {
        if (count > 0) {
            memcpy(result->delivered, delivered, count * sizeof *delivered);
        }
        read.delivered = result->delivered;
        *result = read;
    }
    free(delivered);
    if (!done) {
        return LH_ERR_FORMAT;
    }
    *status = outcome;
    if (outcome != LH_OK) {
        *failure = told;
    }
    return LH_OK;
}
