/* SPDX-License-Identifier: MIT */
/* The body of a render's result. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/instance/protocol.h"
#include "engine/instance/protocol_parts.h"

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
    loudness->integrated_lufs = engine_protocol_read_number(reader);
    loudness->range_lu = engine_protocol_read_number(reader);
    loudness->true_peak_dbtp = engine_protocol_read_number(reader);
    loudness->sample_peak_dbfs = engine_protocol_read_number(reader);
    loudness->max_momentary_lufs = engine_protocol_read_number(reader);
    loudness->max_short_term_lufs = engine_protocol_read_number(reader);
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
    delivered->file.has_samples = engine_protocol_read_flag(reader);
    const uint8_t *digest = lh_reader_view(reader, sizeof delivered->file.samples.bytes);
    if (digest != NULL) {
        memcpy(delivered->file.samples.bytes, digest, sizeof delivered->file.samples.bytes);
    }
    engine_protocol_read_text(reader, delivered->file.notes, sizeof delivered->file.notes);
    delivered->has_loudness = engine_protocol_read_flag(reader);
    read_loudness(reader, &delivered->measured);
    read_loudness(reader, &delivered->reached);
    delivered->gain_db = engine_protocol_read_number(reader);
    delivered->tail_frames = lh_reader_i64(reader);
    if (!isfinite(delivered->gain_db) || delivered->tail_frames < 0 || delivered->tail_frames >= GRAPH_FRAMES_MAX) {
        reader->failed = true;
    }
}

static void write_times(struct lh_writer *writer, const struct engine_times *times)
{
    lh_writer_f64(writer, times->conform);
    lh_writer_f64(writer, times->mix);
    lh_writer_f64(writer, times->plugins);
    lh_writer_f64(writer, times->meter);
    lh_writer_f64(writer, times->encode);
    lh_writer_f64(writer, times->wall);
}

static void read_times(struct lh_reader *reader, struct engine_times *times)
{
    times->conform = engine_protocol_read_number(reader);
    times->mix = engine_protocol_read_number(reader);
    times->plugins = engine_protocol_read_number(reader);
    times->meter = engine_protocol_read_number(reader);
    times->encode = engine_protocol_read_number(reader);
    times->wall = engine_protocol_read_number(reader);
}

static void write_inserted(struct lh_writer *writer, const struct engine_inserted *inserted)
{
    lh_writer_u32(writer, inserted->node);
    lh_writer_u32(writer, inserted->latency);
    lh_writer_u32(writer, inserted->copies);
    lh_writer_u8(writer, inserted->latency_changed ? 1 : 0);
    lh_writer_f64(writer, inserted->seconds);
}

static void read_inserted(struct lh_reader *reader, const struct graph *graph, struct engine_inserted *inserted)
{
    inserted->node = lh_reader_u32(reader);
    inserted->latency = lh_reader_u32(reader);
    inserted->copies = lh_reader_u32(reader);
    inserted->latency_changed = engine_protocol_read_flag(reader);
    inserted->seconds = engine_protocol_read_number(reader);
    if (inserted->node >= graph->node_count || inserted->latency > ENGINE_LATENCY_MAX || inserted->copies < 1 ||
        inserted->copies > GRAPH_CHANNELS_MAX) {
        reader->failed = true;
    }
}

void engine_result_write(struct lh_writer *writer, enum lh_status status, const struct engine_render_result *result,
                         const struct graph *graph, const struct lh_error *error)
{
    lh_writer_u32(writer, (uint32_t)status);
    if (status != LH_OK) {
        engine_protocol_write_error(writer, error);
        return;
    }
    lh_writer_u32(writer, result->block);
    lh_writer_u32(writer, result->blocks_in_flight);
    lh_writer_u64(writer, result->conformed_media);
    write_times(writer, &result->times);
    for (uint32_t i = 0; i < graph->deliverable_count; i++) {
        engine_delivered_write(writer, &result->delivered[i]);
    }
    for (uint32_t i = 0; i < graph->insert_count; i++) {
        write_inserted(writer, &result->inserted[i]);
    }
}

static void read_result(struct lh_reader *reader, const struct graph *graph, struct engine_render_result *result)
{
    result->block = lh_reader_u32(reader);
    result->blocks_in_flight = lh_reader_u32(reader);
    result->conformed_media = lh_reader_u64(reader);
    read_times(reader, &result->times);
    for (uint32_t i = 0; i < graph->deliverable_count && lh_reader_ok(reader); i++) {
        engine_delivered_read(reader, &result->delivered[i]);
    }
    for (uint32_t i = 0; i < graph->insert_count && lh_reader_ok(reader); i++) {
        read_inserted(reader, graph, &result->inserted[i]);
    }
}

/* Moves what was read into the caller's tables. */
static void hand_over(const struct engine_render_result *read, const struct graph *graph,
                      struct engine_render_result *result)
{
    struct engine_render_result whole = *read;
    whole.delivered = result->delivered;
    whole.inserted = result->inserted;
    if (graph->deliverable_count > 0) {
        memcpy(whole.delivered, read->delivered, graph->deliverable_count * sizeof *whole.delivered);
    }
    if (graph->insert_count > 0 && whole.inserted != NULL) {
        memcpy(whole.inserted, read->inserted, graph->insert_count * sizeof *whole.inserted);
    }
    *result = whole;
}

enum lh_status engine_result_read(const void *data, size_t size, const struct graph *graph,
                                  struct engine_render_result *result, enum lh_status *status, struct lh_error *failure)
{
    struct lh_reader reader;
    lh_reader_init(&reader, data, size);
    struct engine_render_result read = {
        .delivered = calloc((size_t)graph->deliverable_count + 1, sizeof *read.delivered),
        .inserted = calloc((size_t)graph->insert_count + 1, sizeof *read.inserted),
    };
    if (read.delivered == NULL || read.inserted == NULL) {
        free(read.delivered);
        free(read.inserted);
        return LH_ERR_NO_MEMORY;
    }
    struct lh_error told = LH_ERROR_INIT;
    enum lh_status outcome = engine_protocol_read_status(&reader);
    if (outcome == LH_OK) {
        read_result(&reader, graph, &read);
    } else {
        engine_protocol_read_error(&reader, outcome, &told);
    }
    bool done = lh_reader_done(&reader);
    if (done && outcome == LH_OK) {
        hand_over(&read, graph, result);
    }
    free(read.delivered);
    free(read.inserted);
    if (!done) {
        return LH_ERR_FORMAT;
    }
    *status = outcome;
    if (outcome != LH_OK) {
        *failure = told;
    }
    return LH_OK;
}
