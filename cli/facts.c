/* SPDX-License-Identifier: MIT */
/* The facts of a cached deliverable as bytes. */
#include <math.h>
#include <string.h>

#include "cli/cache.h"
#include "common/base/bytes.h"

#define FACTS_MAGIC 0x3246484cu /* "LHF2": the last digit is the version */

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
    loudness->integrated_lufs = lh_reader_f64(reader);
    loudness->range_lu = lh_reader_f64(reader);
    loudness->true_peak_dbtp = lh_reader_f64(reader);
    loudness->sample_peak_dbfs = lh_reader_f64(reader);
    loudness->max_momentary_lufs = lh_reader_f64(reader);
    loudness->max_short_term_lufs = lh_reader_f64(reader);
}

void cli_facts_write(struct lh_writer *writer, const struct engine_delivered *delivered)
{
    lh_writer_u32(writer, FACTS_MAGIC);
    lh_writer_u64(writer, delivered->file.frames);
    lh_writer_u64(writer, delivered->file.clipped);
    lh_writer_u64(writer, delivered->file.bytes);
    lh_writer_u8(writer, delivered->file.has_samples ? 1 : 0);
    lh_writer_bytes(writer, delivered->file.samples.bytes, LH_DIGEST_SIZE);
    lh_writer_text(writer, delivered->file.notes);
    lh_writer_u8(writer, delivered->has_loudness ? 1 : 0);
    write_loudness(writer, &delivered->measured);
    write_loudness(writer, &delivered->reached);
    lh_writer_f64(writer, delivered->gain_db);
    lh_writer_i64(writer, delivered->tail_frames);
}

enum lh_status cli_facts_read(const void *data, size_t size, struct engine_delivered *delivered)
{
    struct lh_reader reader;
    struct engine_delivered read = {0};
    lh_reader_init(&reader, data, size);
    bool known = lh_reader_u32(&reader) == FACTS_MAGIC;
    read.file.frames = lh_reader_u64(&reader);
    read.file.clipped = lh_reader_u64(&reader);
    read.file.bytes = lh_reader_u64(&reader);
    uint8_t has_samples = lh_reader_u8(&reader);
    const uint8_t *digest = lh_reader_view(&reader, LH_DIGEST_SIZE);
    size_t length = 0;
    const char *notes = lh_reader_text(&reader, ENGINE_NOTES_SIZE - 1, &length);
    uint8_t has_loudness = lh_reader_u8(&reader);
    read_loudness(&reader, &read.measured);
    read_loudness(&reader, &read.reached);
    read.gain_db = lh_reader_f64(&reader);
    read.tail_frames = lh_reader_i64(&reader);
    bool sane = lh_reader_done(&reader) && known && digest != NULL && has_samples <= 1 && has_loudness <= 1 &&
                isfinite(read.gain_db) && read.tail_frames >= 0 && read.tail_frames < GRAPH_FRAMES_MAX;
    if (!sane) {
        return LH_ERR_FORMAT;
    }
    read.file.has_samples = has_samples == 1;
    read.has_loudness = has_loudness == 1;
    memcpy(read.file.samples.bytes, digest, LH_DIGEST_SIZE);
    if (length > 0) {
        memcpy(read.file.notes, notes, length);
    }
    *delivered = read;
    return LH_OK;
}
