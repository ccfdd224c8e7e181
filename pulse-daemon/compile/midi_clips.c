/* SPDX-License-Identifier: MIT */
/* A file's messages fall where the project's tempo map puts its beats, as if the file began `offset` before the clip:
   a clip whose beginning is trimmed plays the rest where it was. Of what lies before the clip's start no note is
   played, but its controllers, programs and bends hold. */
#include "pulse-daemon/compile/midi_clips.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CHANNELS 16u
#define KEYS 128u
#define CONTROLLERS 120u /* those from 120 on are commands, of which nothing holds */
#define SECONDS_PER_MINUTE 60.0

#define KIND_NOTE_OFF 0x80u
#define KIND_NOTE_ON 0x90u
#define KIND_CONTROLLER 0xB0u
#define KIND_PROGRAM 0xC0u
#define KIND_PRESSURE 0xD0u
#define KIND_BEND 0xE0u
#define CONTROLLER_RESET 121u
#define PEDAL_DOWN 64u
#define NOT_SET 0xFFu
#define VELOCITY_OFF 64u /* of a note-off that nobody has said more of */

static const uint8_t pedals[] = {64, 66};                                 /* sustain and sostenuto: they hold notes */
static const uint8_t banks[] = {0, 32};                                   /* before the program that they belong to */
static const uint8_t reset[] = {1, 11, 64, 65, 66, 67, 98, 99, 100, 101}; /* by RP-015 of the MIDI Association */

static const struct pulse_midi_facts *facts_of(const struct pulse_compiling *c, const struct pulse_clip *clip)
{
    size_t found = clip->midi != NULL ? pulse_names_find(&c->midi_names, clip->midi) : PULSE_NONE;
    return found != PULSE_NONE && c->facts->midi[found].known ? &c->facts->midi[found] : NULL;
}

/* How the file's time lies on the timeline. */
struct placing {
    const struct pulse_tempo_map *map;
    bool seconds;
    double origin; /* of the file's start: beats, or frames; may lie before the project's */
};

/* Before the project the first tempo holds. */
static double beats_at(const struct pulse_tempo_map *map, double seconds)
{
    return seconds < 0.0 ? seconds * map->stretches[0].bpm / SECONDS_PER_MINUTE : pulse_tempo_beats(map, seconds);
}

static double seconds_at(const struct pulse_tempo_map *map, double beats)
{
    return beats < 0.0 ? beats * SECONDS_PER_MINUTE / map->stretches[0].bpm : pulse_tempo_seconds(map, beats);
}

static struct placing place(const struct pulse_compiling *c, const struct pulse_clip *clip, bool seconds)
{
    double offset = pulse_tempo_position(&c->tempo, clip->offset); /* in no beats */
    double start = pulse_tempo_position(&c->tempo, clip->start) - offset;
    struct placing placing = {.map = &c->tempo, .seconds = seconds, .origin = start};
    if (!seconds) {
        placing.origin =
            offset == 0.0 ? pulse_tempo_beat(&c->tempo, clip->start) : beats_at(&c->tempo, start / c->tempo.rate);
    }
    return placing;
}

/* To the nearest frame; may lie before the project, or past all time. */
static double frame_of(const struct placing *placing, double at)
{
    double rate = placing->map->rate;
    return rint(placing->seconds ? placing->origin + at * rate : seconds_at(placing->map, placing->origin + at) * rate);
}

bool pulse_midi_length(const struct pulse_compiling *c, const struct pulse_clip *clip, int64_t start, int64_t *length)
{
    const struct pulse_midi_facts *facts = facts_of(c, clip);
    *length = 0;
    if (facts == NULL) {
        return true;
    }
    struct placing placing = place(c, clip, facts->seconds);
    double end = frame_of(&placing, facts->length);
    if (!(end < (double)GRAPH_FRAMES_MAX)) {
        return false;
    }
    *length = end > (double)start ? (int64_t)end - start : 0;
    return true;
}

/* What holds on a channel, NOT_SET or a data byte. */
struct channel {
    uint8_t controllers[CONTROLLERS];
    uint8_t program, pressure, bend[2];
};

/* A key that is down: by how many note-ons, the last of which sounds. */
struct key {
    uint32_t count, note;
    int64_t struck;
};

struct playing {
    struct pulse_compiling *c;
    struct pulse_score *score;
    int64_t start, end;
    struct channel channels[CHANNELS];
    struct key keys[CHANNELS][KEYS];
};

static enum lh_status say(struct playing *playing, int64_t frame, enum pulse_message_order order, uint32_t note,
                          const uint8_t bytes[3], uint8_t size)
{
    struct pulse_message message = {.frame = frame, .note = note, .order = (uint8_t)order, .size = size};
    memcpy(message.bytes, bytes, size);
    return pulse_score_add(playing->c, playing->score, &message);
}

/* Remembers what holds. */
static void hold(struct playing *playing, const uint8_t bytes[3])
{
    struct channel *channel = &playing->channels[bytes[0] & 0x0Fu];
    switch (bytes[0] & 0xF0u) {
    case KIND_CONTROLLER:
        if (bytes[1] < CONTROLLERS) {
            channel->controllers[bytes[1]] = bytes[2];
        } else if (bytes[1] == CONTROLLER_RESET) {
            for (size_t i = 0; i < sizeof reset; i++) {
                channel->controllers[reset[i]] = NOT_SET;
            }
            channel->pressure = channel->bend[0] = channel->bend[1] = NOT_SET;
        }
        break;
    case KIND_PROGRAM:
        channel->program = bytes[1];
        break;
    case KIND_PRESSURE:
        channel->pressure = bytes[1];
        break;
    case KIND_BEND:
        memcpy(channel->bend, bytes + 1, sizeof channel->bend);
        break;
    default:
        break;
    }
}

/* A held value at the clip's start. */
static enum lh_status chase(struct playing *playing, uint32_t status, uint8_t first, uint8_t second, uint8_t size)
{
    const uint8_t bytes[3] = {(uint8_t)status, first, second};
    bool set = first != NOT_SET && second != NOT_SET;
    return set ? say(playing, playing->start, PULSE_MESSAGE_OTHER, 0, bytes, size) : LH_OK;
}

static bool is_bank(uint32_t controller)
{
    return controller == banks[0] || controller == banks[1];
}

static enum lh_status chase_channel(struct playing *playing, uint32_t number)
{
    const struct channel *channel = &playing->channels[number];
    enum lh_status status = LH_OK;
    for (size_t i = 0; status == LH_OK && i < sizeof banks; i++) {
        status = chase(playing, KIND_CONTROLLER | number, banks[i], channel->controllers[banks[i]], 3);
    }
    if (status == LH_OK) {
        status = chase(playing, KIND_PROGRAM | number, channel->program, 0, 2);
    }
    for (uint32_t i = CONTROLLERS; status == LH_OK && i-- > 0;) { /* downwards: a parameter's number before its data */
        if (!is_bank(i)) {
            status = chase(playing, KIND_CONTROLLER | number, (uint8_t)i, channel->controllers[i], 3);
        }
    }
    if (status == LH_OK) {
        status = chase(playing, KIND_PRESSURE | number, channel->pressure, 0, 2);
    }
    return status == LH_OK ? chase(playing, KIND_BEND | number, channel->bend[0], channel->bend[1], 3) : status;
}

static enum lh_status chase_all(struct playing *playing)
{
    enum lh_status status = LH_OK;
    for (uint32_t i = 0; status == LH_OK && i < CHANNELS; i++) {
        status = chase_channel(playing, i);
    }
    return status;
}

/* Of a key that is struck several times the last note sounds, until it was let go as often. */
static enum lh_status play_note(struct playing *playing, const struct pulse_midi_event *event, int64_t frame)
{
    struct key *key = &playing->keys[event->bytes[0] & 0x0Fu][event->bytes[1] & 0x7Fu];
    bool on = (event->bytes[0] & 0xF0u) == KIND_NOTE_ON && event->bytes[2] > 0;
    if (on) {
        const uint8_t off[3] = {(uint8_t)(KIND_NOTE_OFF | (event->bytes[0] & 0x0Fu)), event->bytes[1], VELOCITY_OFF};
        if (key->count > 0) {
            enum lh_status status = say(playing, frame, PULSE_MESSAGE_NOTE_OFF, key->note, off, 3);
            if (status != LH_OK) {
                return status;
            }
        }
        *key = (struct key){key->count + 1, playing->score->notes++, frame};
        return say(playing, frame, PULSE_MESSAGE_NOTE_ON, key->note, event->bytes, 3);
    }
    if (key->count == 0 || --key->count > 0) {
        return LH_OK;
    }
    int64_t end = frame > key->struck ? frame : key->struck + 1; /* a note lasts a frame at least */
    return say(playing, end, PULSE_MESSAGE_NOTE_OFF, key->note, event->bytes, 3);
}

static enum lh_status play_event(struct playing *playing, const struct pulse_midi_event *event, int64_t frame)
{
    uint32_t kind = event->bytes[0] & 0xF0u;
    if (kind == KIND_NOTE_ON || kind == KIND_NOTE_OFF) {
        return play_note(playing, event, frame);
    }
    hold(playing, event->bytes);
    return say(playing, frame, PULSE_MESSAGE_OTHER, 0, event->bytes, (uint8_t)event->size);
}

/* Nothing outlasts the clip: keys and pedals are let go. */
static enum lh_status let_go(struct playing *playing)
{
    enum lh_status status = LH_OK;
    for (uint32_t i = 0; status == LH_OK && i < CHANNELS; i++) {
        for (uint32_t k = 0; status == LH_OK && k < KEYS; k++) {
            const uint8_t off[3] = {(uint8_t)(KIND_NOTE_OFF | i), (uint8_t)k, VELOCITY_OFF};
            if (playing->keys[i][k].count > 0) {
                status = say(playing, playing->end, PULSE_MESSAGE_NOTE_OFF, playing->keys[i][k].note, off, 3);
            }
        }
        for (size_t k = 0; status == LH_OK && k < sizeof pedals; k++) {
            const uint8_t up[3] = {(uint8_t)(KIND_CONTROLLER | i), pedals[k], 0};
            uint8_t value = playing->channels[i].controllers[pedals[k]];
            if (value != NOT_SET && value >= PEDAL_DOWN) {
                status = say(playing, playing->end, PULSE_MESSAGE_RELEASE, 0, up, 3);
            }
        }
    }
    return status;
}

static enum lh_status play_file(struct playing *playing, const struct pulse_clip *clip,
                                const struct pulse_midi_facts *facts)
{
    struct placing placing = place(playing->c, clip, facts->seconds);
    bool started = false;
    enum lh_status status = LH_OK;
    for (size_t i = 0; status == LH_OK && i < facts->event_count; i++) {
        const struct pulse_midi_event *event = &facts->events[i];
        if (clip->midi_track != 0 && event->track != clip->midi_track) {
            continue;
        }
        double frame = frame_of(&placing, event->at);
        if (!(frame < (double)playing->end)) {
            break;
        }
        if (frame < (double)playing->start) {
            hold(playing, event->bytes);
            continue;
        }
        status = started ? LH_OK : chase_all(playing);
        started = true;
        status = status == LH_OK ? play_event(playing, event, (int64_t)frame) : status;
    }
    if (status == LH_OK && !started) {
        status = chase_all(playing);
    }
    return status == LH_OK ? let_go(playing) : status;
}

enum lh_status pulse_midi_add(struct pulse_compiling *c, struct pulse_score *score, const struct pulse_clip *clip,
                              int64_t start, int64_t end)
{
    const struct pulse_midi_facts *facts = facts_of(c, clip);
    if (facts == NULL || end <= start) {
        return LH_OK;
    }
    if (clip->midi_track > facts->tracks) {
        pulse_fault(c, clip->json, "/midiTrack", LH_ERR_INVALID, "\"%.200s\" has %u track%s", clip->midi, facts->tracks,
                    facts->tracks == 1 ? "" : "s");
        return LH_OK;
    }
    if (facts->event_count > PULSE_EVENTS_MAX - c->events) {
        return LH_ERR_LIMIT;
    }
    c->events += facts->event_count; /* looked at: a file that is used a million times takes its time */
    struct playing *playing = calloc(1, sizeof *playing); /* not in the arena: a project may have a million clips */
    if (playing == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    playing->c = c;
    playing->score = score;
    playing->start = start;
    playing->end = end;
    memset(playing->channels, NOT_SET, sizeof playing->channels);
    enum lh_status status = play_file(playing, clip, facts);
    free(playing);
    return status;
}
