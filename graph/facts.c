/* SPDX-License-Identifier: MIT */
/* What a probe says, as bytes:
       u32 version; what came of it (0 it could be read, 1 LH_ERR_FORMAT, 2 LH_ERR_LIMIT, 3 LH_ERR_UNSUPPORTED) and flag
       MIDI, one byte each
       not read    text message
       a medium    u64 frames; u32 rate, channels; flag lossy; u32 bits; text format
       MIDI        flag seconds; u32 tracks; f64 length; u32 count of notes; f64 at, u32 track, size, 4 bytes */
#include "graph/facts.h"

#include <math.h>
#include <string.h>

#define VERSION 1
#define NOTE_BYTES (8 + 4 + 4 + 4)

static const enum lh_status outcomes[] = {LH_OK, LH_ERR_FORMAT, LH_ERR_LIMIT, LH_ERR_UNSUPPORTED};
#define OUTCOMES (sizeof outcomes / sizeof outcomes[0])

enum lh_status graph_key_facts(const struct lh_digest *file, bool is_midi, const struct graph_key_context *context,
                               struct lh_digest *key)
{
    struct lh_writer writer;
    lh_writer_init(&writer);
    lh_writer_text(&writer, "loophole facts");
    lh_writer_u32(&writer, VERSION);
    lh_writer_text(&writer, context->libraries);
    lh_writer_u8(&writer, is_midi ? 1 : 0);
    lh_writer_bytes(&writer, file->bytes, sizeof file->bytes);
    enum lh_status status = lh_writer_status(&writer);
    status = status == LH_OK ? lh_digest_bytes(writer.data, writer.size, key) : status;
    lh_writer_fini(&writer);
    return status;
}

static void write_notes(struct lh_writer *writer, const struct graph_file_facts *facts)
{
    lh_writer_u8(writer, facts->seconds ? 1 : 0);
    lh_writer_u32(writer, facts->tracks);
    lh_writer_f64(writer, facts->length);
    lh_writer_u32(writer, (uint32_t)facts->note_count);
    for (size_t i = 0; i < facts->note_count; i++) {
        lh_writer_f64(writer, facts->notes[i].at);
        lh_writer_u32(writer, facts->notes[i].track);
        lh_writer_u32(writer, facts->notes[i].size);
        lh_writer_bytes(writer, facts->notes[i].bytes, sizeof facts->notes[i].bytes);
    }
}

void graph_facts_write(struct lh_writer *writer, const struct graph_file_facts *facts)
{
    uint8_t outcome = 0;
    while (outcome < OUTCOMES - 1 && outcomes[outcome] != facts->status) {
        outcome++;
    }
    lh_writer_u32(writer, VERSION);
    lh_writer_u8(writer, outcome);
    lh_writer_u8(writer, facts->is_midi ? 1 : 0);
    if (facts->status != LH_OK) {
        lh_writer_text(writer, facts->message);
    } else if (facts->is_midi) {
        write_notes(writer, facts);
    } else {
        lh_writer_u64(writer, facts->frames);
        lh_writer_u32(writer, facts->rate);
        lh_writer_u32(writer, facts->channels);
        lh_writer_u8(writer, facts->lossy ? 1 : 0);
        lh_writer_u32(writer, facts->bits);
        lh_writer_text(writer, facts->format);
    }
}

static bool read_flag(struct lh_reader *reader)
{
    uint8_t value = lh_reader_u8(reader);
    reader->failed = reader->failed || value > 1;
    return value == 1;
}

/* NULL when memory is out. */
static const char *read_text(struct lh_reader *reader, struct lh_arena *arena)
{
    size_t length;
    const char *view = lh_reader_text(reader, GRAPH_FACTS_TEXT_MAX, &length);
    if (view == NULL) {
        return "";
    }
    reader->failed = reader->failed || memchr(view, '\0', length) != NULL;
    return lh_arena_strndup(arena, view, length);
}

static enum lh_status read_medium(struct lh_reader *reader, struct lh_arena *arena, struct graph_file_facts *facts)
{
    facts->frames = lh_reader_u64(reader);
    facts->rate = lh_reader_u32(reader);
    facts->channels = lh_reader_u32(reader);
    facts->lossy = read_flag(reader);
    facts->bits = lh_reader_u32(reader);
    facts->format = read_text(reader, arena);
    bool sane = facts->frames < (uint64_t)GRAPH_FRAMES_MAX && facts->rate > 0 && facts->channels >= 1 &&
                facts->channels <= GRAPH_CHANNELS_MAX;
    reader->failed = reader->failed || !sane;
    return facts->format != NULL ? LH_OK : LH_ERR_NO_MEMORY;
}

static bool is_time(double value)
{
    return isfinite(value) && value >= 0;
}

static bool is_note(const struct graph_midi_note *note, double before)
{
    bool whole = note->size >= 1 && note->size <= 3 && note->bytes[0] >= 0x80 && note->bytes[0] < 0xF0;
    for (uint32_t i = 1; i < sizeof note->bytes; i++) {
        whole = whole && note->bytes[i] < 0x80 && (i < note->size || note->bytes[i] == 0);
    }
    return whole && is_time(note->at) && note->at >= before;
}

static enum lh_status read_notes(struct lh_reader *reader, struct lh_arena *arena, struct graph_file_facts *facts)
{
    facts->seconds = read_flag(reader);
    facts->tracks = lh_reader_u32(reader);
    facts->length = lh_reader_f64(reader);
    uint32_t count = lh_reader_u32(reader);
    if (!lh_reader_ok(reader) || !is_time(facts->length) || count > GRAPH_FACTS_EVENTS_MAX ||
        count > (reader->size - reader->offset) / NOTE_BYTES) {
        return LH_ERR_FORMAT;
    }
    struct graph_midi_note *notes = lh_arena_array(arena, count, sizeof *notes);
    if (notes == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    for (uint32_t i = 0; i < count; i++) {
        notes[i].at = lh_reader_f64(reader);
        notes[i].track = lh_reader_u32(reader);
        notes[i].size = lh_reader_u32(reader);
        const uint8_t *bytes = lh_reader_view(reader, sizeof notes[i].bytes);
        if (bytes == NULL) {
            return LH_ERR_FORMAT;
        }
        memcpy(notes[i].bytes, bytes, sizeof notes[i].bytes);
        if (!is_note(&notes[i], i > 0 ? notes[i - 1].at : 0)) {
            return LH_ERR_FORMAT;
        }
    }
    facts->notes = notes;
    facts->note_count = count;
    return LH_OK;
}

static enum lh_status read_failure(struct lh_reader *reader, struct lh_arena *arena, struct graph_file_facts *facts)
{
    facts->message = read_text(reader, arena);
    return facts->message != NULL ? LH_OK : LH_ERR_NO_MEMORY;
}

enum lh_status graph_facts_read(const void *data, size_t size, struct lh_arena *arena, struct graph_file_facts *facts)
{
    struct lh_reader reader;
    lh_reader_init(&reader, data, size);
    if (lh_reader_u32(&reader) != VERSION) {
        return LH_ERR_FORMAT;
    }
    size_t outcome = lh_reader_u8(&reader);
    struct graph_file_facts read = {.message = "", .format = "", .is_midi = read_flag(&reader)};
    if (!lh_reader_ok(&reader) || outcome >= OUTCOMES) {
        return LH_ERR_FORMAT;
    }
    read.status = outcomes[outcome];
    enum lh_status result;
    if (read.status != LH_OK) {
        result = read_failure(&reader, arena, &read);
    } else {
        result = read.is_midi ? read_notes(&reader, arena, &read) : read_medium(&reader, arena, &read);
    }
    if (result == LH_OK && !lh_reader_done(&reader)) {
        result = LH_ERR_FORMAT;
    }
    if (result == LH_OK) {
        *facts = read;
    }
    return result;
}
