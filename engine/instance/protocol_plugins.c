/* SPDX-License-Identifier: MIT */
/* The bodies about plugins: describing them, and trying one. */
#include <math.h>
#include <string.h>

#include "engine/instance/protocol.h"
#include "engine/instance/protocol_parts.h"

#define TEXT_BYTES 4    /* the least that a text takes */
#define RECORD_BYTES 32 /* less than the least that a plugin's facts take */

static void write_texts(struct lh_writer *writer, const char *const *texts, size_t count)
{
    lh_writer_u32(writer, (uint32_t)count);
    for (size_t i = 0; i < count; i++) {
        lh_writer_text(writer, texts[i]);
    }
}

/* A count of entries that take at least `least` bytes each. 0 on failure. */
static size_t read_count(struct lh_reader *reader, size_t least)
{
    uint32_t count = lh_reader_u32(reader);
    if (!lh_reader_ok(reader) || count > ENGINE_PLUGINS_MAX || count > (reader->size - reader->offset) / least) {
        reader->failed = true;
        return 0;
    }
    return count;
}

/* NULL when memory is out. */
static const char *const *read_texts(struct lh_reader *reader, struct lh_arena *arena, size_t *count)
{
    size_t told = read_count(reader, TEXT_BYTES);
    const char **texts = lh_arena_array(arena, told, sizeof *texts);
    for (size_t i = 0; texts != NULL && i < told; i++) {
        texts[i] = engine_protocol_read_copy(reader, GRAPH_TEXT_MAX, arena);
        if (texts[i] == NULL) {
            return NULL;
        }
    }
    *count = told;
    return texts;
}

void engine_describe_write(struct lh_writer *writer, const struct engine_describe *describe)
{
    write_texts(writer, describe->bundles, describe->bundle_count);
    write_texts(writer, describe->uris, describe->uri_count);
}

enum lh_status engine_describe_read(const void *data, size_t size, struct lh_arena *arena,
                                    struct engine_describe *describe)
{
    struct lh_reader reader;
    lh_reader_init(&reader, data, size);
    struct engine_describe read = {.bundle_count = 0};
    read.bundles = read_texts(&reader, arena, &read.bundle_count);
    read.uris = read_texts(&reader, arena, &read.uri_count);
    if (read.bundles == NULL || read.uris == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    if (!lh_reader_done(&reader)) {
        return LH_ERR_FORMAT;
    }
    *describe = read;
    return LH_OK;
}

void engine_described_write(struct lh_writer *writer, enum lh_status status, const struct engine_described *described,
                            const struct lh_error *error)
{
    lh_writer_u32(writer, (uint32_t)status);
    if (status != LH_OK) {
        engine_protocol_write_error(writer, error);
        return;
    }
    lh_writer_u32(writer, (uint32_t)described->fact_count);
    for (size_t i = 0; i < described->fact_count; i++) {
        graph_plugin_facts_write(writer, &described->facts[i]);
    }
    size_t length = strlen(described->notes);
    length = length < ENGINE_NOTES_BYTES_MAX ? length : ENGINE_NOTES_BYTES_MAX;
    lh_writer_u32(writer, (uint32_t)length);
    lh_writer_bytes(writer, described->notes, length);
}

/* Lines of text; of control characters the line's end alone is kept. NULL when memory is out. */
static const char *read_notes(struct lh_reader *reader, struct lh_arena *arena)
{
    size_t length;
    const char *view = lh_reader_text(reader, ENGINE_NOTES_BYTES_MAX, &length);
    if (view == NULL) {
        return "";
    }
    char *notes = lh_arena_alloc(arena, length + 1);
    for (size_t i = 0; notes != NULL && i < length; i++) {
        bool control = ((unsigned char)view[i] < ' ' && view[i] != '\n') || view[i] == 0x7F;
        notes[i] = control ? ' ' : view[i];
    }
    return notes;
}

static enum lh_status read_found(struct lh_reader *reader, struct lh_arena *arena, struct engine_described *described)
{
    described->fact_count = read_count(reader, RECORD_BYTES);
    described->facts = lh_arena_array(arena, described->fact_count, sizeof *described->facts);
    if (described->facts == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < described->fact_count; i++) {
        enum lh_status status = graph_plugin_facts_read(reader, arena, &described->facts[i]);
        if (status != LH_OK) {
            return status;
        }
    }
    described->notes = read_notes(reader, arena);
    return described->notes != NULL ? LH_OK : LH_ERR_NO_MEMORY;
}

enum lh_status engine_described_read(const void *data, size_t size, struct lh_arena *arena,
                                     struct engine_described *described, enum lh_status *status,
                                     struct lh_error *failure)
{
    struct lh_reader reader;
    lh_reader_init(&reader, data, size);
    struct engine_described read = {.fact_count = 0};
    struct lh_error told = LH_ERROR_INIT;
    enum lh_status outcome = engine_protocol_read_status(&reader);
    if (outcome != LH_OK) {
        engine_protocol_read_error(&reader, outcome, &told);
    } else {
        enum lh_status result = read_found(&reader, arena, &read);
        if (result != LH_OK) {
            return result;
        }
    }
    if (!lh_reader_done(&reader)) {
        return LH_ERR_FORMAT;
    }
    *status = outcome;
    if (outcome == LH_OK) {
        *described = read;
    } else {
        *failure = told;
    }
    return LH_OK;
}

void engine_trial_write(struct lh_writer *writer, const struct engine_trial *trial)
{
    lh_writer_text(writer, trial->uri);
    lh_writer_text(writer, trial->bundle);
    lh_writer_u32(writer, trial->sample_rate);
    lh_writer_u32(writer, trial->quantum);
    lh_writer_u32(writer, trial->block);
    lh_writer_u64(writer, trial->frames);
    lh_writer_u8(writer, trial->twin ? 1 : 0);
    lh_writer_u8(writer, trial->unpinned_random ? 1 : 0);
    lh_writer_u8(writer, trial->silence ? 1 : 0);
}

static bool trial_makes_sense(const struct engine_trial *trial)
{
    return trial->uri[0] != '\0' && trial->bundle[0] == '/' && trial->sample_rate >= GRAPH_RATE_MIN &&
           trial->sample_rate <= GRAPH_RATE_MAX && trial->quantum >= GRAPH_QUANTUM_MIN &&
           trial->quantum <= GRAPH_QUANTUM_MAX && trial->block <= trial->quantum &&
           trial->frames < (uint64_t)GRAPH_FRAMES_MAX;
}

enum lh_status engine_trial_read(const void *data, size_t size, struct lh_arena *arena, struct engine_trial *trial)
{
    struct lh_reader reader;
    lh_reader_init(&reader, data, size);
    struct engine_trial read = {.uri = engine_protocol_read_copy(&reader, GRAPH_TEXT_MAX, arena)};
    read.bundle = engine_protocol_read_copy(&reader, GRAPH_TEXT_MAX, arena);
    if (read.uri == NULL || read.bundle == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    read.sample_rate = lh_reader_u32(&reader);
    read.quantum = lh_reader_u32(&reader);
    read.block = lh_reader_u32(&reader);
    read.frames = lh_reader_u64(&reader);
    read.twin = engine_protocol_read_flag(&reader);
    read.unpinned_random = engine_protocol_read_flag(&reader);
    read.silence = engine_protocol_read_flag(&reader);
    if (!lh_reader_done(&reader) || !trial_makes_sense(&read)) {
        return LH_ERR_FORMAT;
    }
    *trial = read;
    return LH_OK;
}

void engine_tried_write(struct lh_writer *writer, enum lh_status status, const struct engine_trial_result *result,
                        const struct lh_error *error)
{
    lh_writer_u32(writer, (uint32_t)status);
    if (status != LH_OK) {
        engine_protocol_write_error(writer, error);
        return;
    }
    lh_writer_u32(writer, (uint32_t)result->status);
    lh_writer_text(writer, result->message);
    lh_writer_bytes(writer, result->samples.bytes, sizeof result->samples.bytes);
    lh_writer_u32(writer, result->latency);
    lh_writer_u8(writer, result->latency_changed ? 1 : 0);
    lh_writer_u8(writer, result->audible ? 1 : 0);
    lh_writer_i64(writer, result->tail_frames);
    lh_writer_f32(writer, result->peak);
    lh_writer_f64(writer, result->ns_per_frame);
}

static void read_trial_result(struct lh_reader *reader, struct engine_trial_result *result)
{
    result->status = engine_protocol_read_status(reader);
    engine_protocol_read_text(reader, result->message, sizeof result->message);
    const uint8_t *digest = lh_reader_view(reader, sizeof result->samples.bytes);
    if (digest != NULL) {
        memcpy(result->samples.bytes, digest, sizeof result->samples.bytes);
    }
    result->latency = lh_reader_u32(reader);
    result->latency_changed = engine_protocol_read_flag(reader);
    result->audible = engine_protocol_read_flag(reader);
    result->tail_frames = lh_reader_i64(reader);
    result->peak = lh_reader_f32(reader);
    result->ns_per_frame = engine_protocol_read_number(reader);
    if (result->latency > ENGINE_LATENCY_MAX || result->tail_frames < -1 || result->tail_frames >= GRAPH_FRAMES_MAX ||
        isnan(result->peak) || result->peak < 0.0f || !isfinite(result->ns_per_frame) || result->ns_per_frame < 0.0) {
        reader->failed = true;
    }
}

enum lh_status engine_tried_read(const void *data, size_t size, struct engine_trial_result *result,
                                 enum lh_status *status, struct lh_error *failure)
{
    struct lh_reader reader;
    lh_reader_init(&reader, data, size);
    struct engine_trial_result read = {.latency = 0};
    struct lh_error told = LH_ERROR_INIT;
    enum lh_status outcome = engine_protocol_read_status(&reader);
    if (outcome == LH_OK) {
        read_trial_result(&reader, &read);
    } else {
        engine_protocol_read_error(&reader, outcome, &told);
    }
    if (!lh_reader_done(&reader)) {
        return LH_ERR_FORMAT;
    }
    *status = outcome;
    if (outcome == LH_OK) {
        *result = read;
    } else {
        *failure = told;
    }
    return LH_OK;
}
