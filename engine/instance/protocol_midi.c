/* SPDX-License-Identifier: MIT */
/* The body that holds what MIDI files play. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/instance/channel.h"
#include "engine/instance/protocol.h"
#include "engine/instance/protocol_parts.h"

#define EVENT_BYTES 16 /* f64 at, u32 track, u8 size, 3 bytes */
#define MESSAGE_BYTES 3
#define FILE_BYTES 1024 /* more than an error takes, or all that comes before the events */

static void write_events(struct lh_writer *writer, const struct engine_midi *midi)
{
    lh_writer_u8(writer, midi->seconds ? 1 : 0);
    lh_writer_u32(writer, midi->tracks);
    lh_writer_f64(writer, midi->length);
    lh_writer_u32(writer, (uint32_t)midi->event_count);
    for (size_t i = 0; i < midi->event_count; i++) {
        const struct engine_midi_event *event = &midi->events[i];
        lh_writer_f64(writer, event->at);
        lh_writer_u32(writer, event->track);
        lh_writer_u8(writer, (uint8_t)event->size);
        lh_writer_bytes(writer, event->bytes, MESSAGE_BYTES);
    }
}

void engine_scores_write(struct lh_writer *writer, const struct engine_midi_probe *files, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t others = (uint64_t)(count - i) * FILE_BYTES; /* that something can still be said of */
        uint64_t size = writer->size + others + (uint64_t)files[i].midi.event_count * EVENT_BYTES;
        if (files[i].status == LH_OK && size <= ENGINE_CHANNEL_BODY_MAX) {
            lh_writer_u32(writer, LH_OK);
            write_events(writer, &files[i].midi);
        } else if (files[i].status == LH_OK) {
            struct lh_error error = LH_ERROR_INIT;
            lh_error_set(&error, LH_ERR_LIMIT, NULL, "the MIDI files hold more events than can be read at a time");
            lh_writer_u32(writer, LH_ERR_LIMIT);
            engine_protocol_write_error(writer, &error);
        } else {
            lh_writer_u32(writer, (uint32_t)files[i].status);
            engine_protocol_write_error(writer, &files[i].error);
        }
    }
}

static bool is_time(double value)
{
    return isfinite(value) && value >= 0.0;
}

static bool is_message(const struct engine_midi_event *event)
{
    return event->size >= 1 && event->size <= MESSAGE_BYTES && event->bytes[0] >= 0x80 && event->bytes[0] < 0xF0;
}

/* `earlier`: when the event before it is. */
static void read_event(struct lh_reader *reader, uint32_t tracks, double earlier, struct engine_midi_event *event)
{
    event->at = lh_reader_f64(reader);
    event->track = lh_reader_u32(reader);
    event->size = lh_reader_u8(reader);
    const uint8_t *bytes = lh_reader_view(reader, MESSAGE_BYTES);
    if (bytes != NULL) {
        memcpy(event->bytes, bytes, MESSAGE_BYTES);
    }
    if (!is_time(event->at) || event->at < earlier || event->track < 1 || event->track > tracks || !is_message(event)) {
        reader->failed = true;
    }
}

/* LH_ERR_NO_MEMORY; anything else shows in the reader. */
static enum lh_status read_midi(struct lh_reader *reader, struct engine_midi *midi)
{
    midi->seconds = engine_protocol_read_flag(reader);
    midi->tracks = lh_reader_u32(reader);
    midi->length = lh_reader_f64(reader);
    uint32_t count = lh_reader_u32(reader);
    if (!lh_reader_ok(reader) || !is_time(midi->length) || count > ENGINE_MIDI_EVENTS_MAX ||
        count > (reader->size - reader->offset) / EVENT_BYTES) {
        reader->failed = true;
        return LH_OK;
    }
    midi->events = calloc((size_t)count + 1, sizeof *midi->events);
    if (midi->events == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    midi->event_count = count;
    for (uint32_t i = 0; i < count && lh_reader_ok(reader); i++) {
        read_event(reader, midi->tracks, i > 0 ? midi->events[i - 1].at : 0.0, &midi->events[i]);
    }
    return LH_OK;
}

enum lh_status engine_scores_read(const void *data, size_t size, struct engine_midi_probe *files, size_t count)
{
    struct lh_reader reader;
    lh_reader_init(&reader, data, size);
    struct engine_midi_probe *read = calloc(count > 0 ? count : 1, sizeof *read);
    enum lh_status status = read != NULL ? LH_OK : LH_ERR_NO_MEMORY;
    for (size_t i = 0; i < count && status == LH_OK && lh_reader_ok(&reader); i++) {
        read[i].status = engine_protocol_read_status(&reader);
        if (read[i].status != LH_OK) {
            engine_protocol_read_error(&reader, read[i].status, &read[i].error);
        } else {
            status = read_midi(&reader, &read[i].midi);
        }
    }
    if (status == LH_OK && !lh_reader_done(&reader)) {
        status = LH_ERR_FORMAT;
    }
    if (status == LH_OK && count > 0) {
        memcpy(files, read, count * sizeof *files);
    }
    for (size_t i = 0; status != LH_OK && read != NULL && i < count; i++) {
        free(read[i].midi.events);
    }
    free(read);
    return status;
}
