/* SPDX-License-Identifier: MIT */
/* Standard MIDI files. The format is small and its bytes are hostile: every length is held against what is left of its
   chunk before anything is read (docs/decisions/0010 says why no library does this). Lenient where writers are known
   to be careless (running status across meta events, no end of track), strict where guessing would play wrong notes. */
#include "engine/io/midi.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEADER_BYTES 6u
#define CHUNK_HEAD_BYTES 8u
#define CAPACITY_FIRST 1024u
#define VARIABLE_BYTES_MAX 4u

#define META 0xFFu
#define META_END_OF_TRACK 0x2Fu
#define SYSEX 0xF0u
#define SYSEX_MORE 0xF7u

/* What is left of a chunk. */
struct bytes {
    const uint8_t *at;
    size_t left;
};

struct reading {
    struct engine_midi midi; /* its events are in the order of the file; `at` in ticks */
    size_t capacity;
    double unit;      /* ticks a quarter note, or a second */
    uint64_t longest; /* ticks */
    struct lh_error *error;
};

static enum lh_status damaged(struct reading *reading, const char *what)
{
    return lh_error_set(reading->error, LH_ERR_FORMAT, NULL, "%s", what);
}

static uint32_t big_endian(const uint8_t *bytes, unsigned count)
{
    uint32_t value = 0;
    for (unsigned i = 0; i < count; i++) {
        value = value << 8 | bytes[i];
    }
    return value;
}

static bool take(struct bytes *bytes, size_t count, struct bytes *taken)
{
    if (count > bytes->left) {
        return false;
    }
    *taken = (struct bytes){bytes->at, count};
    bytes->at += count;
    bytes->left -= count;
    return true;
}

static bool take_byte(struct bytes *bytes, uint8_t *byte)
{
    struct bytes taken;
    if (!take(bytes, 1, &taken)) {
        return false;
    }
    *byte = *taken.at;
    return true;
}

/* A variable-length quantity: seven bits a byte, the top bit says that more follow. */
static bool take_variable(struct bytes *bytes, uint32_t *value)
{
    uint32_t made = 0;
    for (unsigned i = 0; i < VARIABLE_BYTES_MAX; i++) {
        uint8_t byte;
        if (!take_byte(bytes, &byte)) {
            return false;
        }
        made = made << 7 | (byte & 0x7Fu);
        if ((byte & 0x80u) == 0) {
            *value = made;
            return true;
        }
    }
    return false;
}

static enum lh_status add_event(struct reading *reading, const struct engine_midi_event *event)
{
    struct engine_midi *midi = &reading->midi;
    if (midi->event_count == ENGINE_MIDI_EVENTS_MAX) {
        return lh_error_set(reading->error, LH_ERR_LIMIT, NULL, "the MIDI file holds more than %u events",
                            ENGINE_MIDI_EVENTS_MAX);
    }
    if (midi->event_count == reading->capacity) {
        size_t capacity = reading->capacity == 0 ? CAPACITY_FIRST : 2 * reading->capacity;
        struct engine_midi_event *events = realloc(midi->events, capacity * sizeof *events);
        if (events == NULL) {
            return lh_error_no_memory(reading->error);
        }
        midi->events = events;
        reading->capacity = capacity;
    }
    midi->events[midi->event_count++] = *event;
    return LH_OK;
}

/* `first` is the first data byte when the status was running, which has been taken already. */
static enum lh_status read_channel_message(struct reading *reading, struct bytes *track, uint8_t status,
                                           const uint8_t *first, uint64_t tick)
{
    uint8_t kind = status & 0xF0u;
    struct engine_midi_event event = {.at = (double)tick, .track = reading->midi.tracks, .bytes = {status}};
    event.size = kind == 0xC0u || kind == 0xD0u ? 2 : 3;
    for (uint32_t i = 1; i < event.size; i++) {
        if (i == 1 && first != NULL) {
            event.bytes[i] = *first;
        } else if (!take_byte(track, &event.bytes[i])) {
            return damaged(reading, "the MIDI file is damaged: a track ends inside a message");
        }
        if (event.bytes[i] > 0x7Fu) {
            return damaged(reading, "the MIDI file is damaged: a message lacks its data");
        }
    }
    return add_event(reading, &event);
}

/* Skips a meta event or system exclusive message; *end: it was the end of the track. */
static enum lh_status skip_message(struct reading *reading, struct bytes *track, uint8_t status, bool *end)
{
    uint8_t type = 0;
    uint32_t length;
    struct bytes skipped;
    if (status != META && status != SYSEX && status != SYSEX_MORE) {
        return damaged(reading, "the MIDI file is damaged: it holds messages that no file may hold");
    }
    if ((status == META && !take_byte(track, &type)) || !take_variable(track, &length) ||
        !take(track, length, &skipped)) {
        return damaged(reading, "the MIDI file is damaged: a track ends inside a message");
    }
    *end = status == META && type == META_END_OF_TRACK;
    return LH_OK;
}

static enum lh_status read_track(struct reading *reading, struct bytes track)
{
    uint64_t tick = 0;
    uint8_t running = 0;
    bool end = false;
    reading->midi.tracks++;
    while (!end && track.left > 0) {
        uint32_t delta;
        uint8_t byte;
        if (!take_variable(&track, &delta) || !take_byte(&track, &byte)) {
            return damaged(reading, "the MIDI file is damaged: a track ends inside a message");
        }
        tick += delta; /* at most 2^24 of 2^28 each */
        enum lh_status status;
        if (byte < 0x80u && running == 0) {
            status = damaged(reading, "the MIDI file is damaged: data without a message before it");
        } else if (byte < 0x80u) {
            status = read_channel_message(reading, &track, running, &byte, tick);
        } else if (byte < SYSEX) {
            running = byte;
            status = read_channel_message(reading, &track, running, NULL, tick);
        } else {
            status = skip_message(reading, &track, byte, &end);
        }
        if (status != LH_OK) {
            return status;
        }
    }
    reading->longest = tick > reading->longest ? tick : reading->longest;
    return LH_OK;
}

/* What a tick is. */
static enum lh_status read_division(struct reading *reading, uint32_t division)
{
    if ((division & 0x8000u) == 0) {
        reading->unit = (double)division;
        return division > 0 ? LH_OK : damaged(reading, "the MIDI file is damaged: it has no ticks a quarter note");
    }
    uint32_t frames = 256u - (division >> 8);
    uint32_t ticks = division & 0xFFu;
    if ((frames != 24 && frames != 25 && frames != 29 && frames != 30) || ticks == 0) {
        return damaged(reading, "the MIDI file is damaged: it counts in time code of a rate that does not exist");
    }
    reading->midi.seconds = true;
    reading->unit = (frames == 29 ? 30000.0 / 1001.0 : (double)frames) * (double)ticks;
    return LH_OK;
}

/* One chunk; what is neither header nor track is for other programs. */
static bool take_chunk(struct bytes *file, const uint8_t **type, struct bytes *body)
{
    struct bytes head;
    if (!take(file, CHUNK_HEAD_BYTES, &head)) {
        return false;
    }
    *type = head.at;
    return take(file, big_endian(head.at + 4, 4), body);
}

static enum lh_status read_chunks(struct reading *reading, struct bytes file)
{
    const uint8_t *type;
    struct bytes body;
    if (file.left < CHUNK_HEAD_BYTES || memcmp(file.at, "MThd", 4) != 0) {
        return damaged(reading, "this is no MIDI file");
    }
    if (!take_chunk(&file, &type, &body) || body.left < HEADER_BYTES) {
        return damaged(reading, "the MIDI file is damaged: it ends inside its header");
    }
    uint32_t format = big_endian(body.at, 2);
    uint32_t tracks = big_endian(body.at + 2, 2);
    if (format > 2) {
        return damaged(reading, "the MIDI file is of a format that is not known: formats 0, 1 and 2 are");
    }
    enum lh_status status = read_division(reading, big_endian(body.at + 4, 2));
    while (status == LH_OK && reading->midi.tracks < tracks) {
        if (!take_chunk(&file, &type, &body)) {
            return damaged(reading, "the MIDI file is damaged: it ends before its last track does");
        }
        if (memcmp(type, "MTrk", 4) == 0) {
            status = read_track(reading, body);
        }
    }
    return status;
}

/* Events are told apart by their place in the file, which is the order of equal ticks. */
struct timed {
    double tick;
    uint32_t place;
};

static int compare_timed(const void *left, const void *right)
{
    const struct timed *a = left, *b = right;
    if (a->tick != b->tick) {
        return a->tick < b->tick ? -1 : 1;
    }
    return (a->place > b->place) - (a->place < b->place);
}

/* Merges the tracks by time and leaves ticks behind. */
static enum lh_status sort_events(struct reading *reading)
{
    struct engine_midi *midi = &reading->midi;
    size_t count = midi->event_count;
    midi->length = (double)reading->longest / reading->unit;
    if (count == 0) {
        return LH_OK;
    }
    struct timed *order = malloc(count * sizeof *order);
    struct engine_midi_event *sorted = malloc(count * sizeof *sorted);
    if (order == NULL || sorted == NULL) {
        free(order);
        free(sorted);
        return lh_error_no_memory(reading->error);
    }
    for (size_t i = 0; i < count; i++) {
        order[i] = (struct timed){midi->events[i].at, (uint32_t)i};
    }
    qsort(order, count, sizeof *order, compare_timed);
    for (size_t i = 0; i < count; i++) {
        sorted[i] = midi->events[order[i].place];
        sorted[i].at /= reading->unit;
    }
    free(order);
    free(midi->events);
    midi->events = sorted;
    return LH_OK;
}

static enum lh_status read_file(int fd, uint8_t **data, size_t *size, struct lh_error *error)
{
    struct stat facts;
    if (fstat(fd, &facts) != 0) {
        return lh_error_set(error, LH_ERR_IO, NULL, "the MIDI file cannot be looked at: %s", strerror(errno));
    }
    if (facts.st_size > (off_t)ENGINE_MIDI_BYTES_MAX) {
        return lh_error_set(error, LH_ERR_LIMIT, NULL, "the MIDI file is larger than %u MiB",
                            ENGINE_MIDI_BYTES_MAX >> 20);
    }
    size_t length = (size_t)facts.st_size, got = 0;
    uint8_t *made = malloc(length + 1);
    if (made == NULL) {
        return lh_error_no_memory(error);
    }
    while (got < length) {
        ssize_t count = pread(fd, made + got, length - got, (off_t)got);
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count < 0) {
            free(made);
            return lh_error_set(error, LH_ERR_IO, NULL, "the MIDI file cannot be read: %s", strerror(errno));
        }
        if (count == 0) {
            break; /* it became shorter meanwhile */
        }
        got += (size_t)count;
    }
    *data = made;
    *size = got;
    return LH_OK;
}

enum lh_status engine_midi_read(int fd, struct engine_midi *midi, struct lh_error *error)
{
    uint8_t *data = NULL;
    size_t size = 0;
    enum lh_status status = read_file(fd, &data, &size, error);
    if (status != LH_OK) {
        return status;
    }
    struct reading reading = {.error = error};
    status = read_chunks(&reading, (struct bytes){data, size});
    status = status == LH_OK ? sort_events(&reading) : status;
    free(data);
    if (status != LH_OK) {
        engine_midi_fini(&reading.midi);
        return status;
    }
    *midi = reading.midi;
    return LH_OK;
}
