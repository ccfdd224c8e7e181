/* SPDX-License-Identifier: MIT */
/* Clips are gathered as they come and sorted; then the ends of notes whose key is struck again are moved to where that
   happens. */
#include "pulse-daemon/compile/notes.h"

#include <stdlib.h>
#include <string.h>

#include "pulse-daemon/compile/clips.h"
#include "pulse-daemon/compile/inserts.h"
#include "pulse-daemon/compile/midi_clips.h"

#define CAPACITY_FIRST 256u
#define NOTE_OFF 0x80u
#define NOTE_ON 0x90u
#define VELOCITY_OFF 64u /* of a note-off that nobody has said more of */
#define CHANNELS 16u
#define KEYS 128u

enum lh_status pulse_score_add(struct pulse_compiling *c, struct pulse_score *score,
                               const struct pulse_message *message)
{
    if (c->events >= PULSE_EVENTS_MAX) {
        return LH_ERR_LIMIT;
    }
    if (score->count == score->capacity) {
        size_t capacity = score->capacity == 0 ? CAPACITY_FIRST : 2 * score->capacity;
        struct pulse_message *items = realloc(score->items, capacity * sizeof *items);
        if (items == NULL) {
            return LH_ERR_NO_MEMORY;
        }
        score->items = items;
        score->capacity = capacity;
    }
    c->events++;
    score->items[score->count] = *message;
    score->items[score->count].place = (uint32_t)score->count;
    score->count++;
    return LH_OK;
}

/* Where a note begins and ends; `origin` is the clip's start in beats. A note lasts a frame at least. */
static bool note_extent(const struct pulse_compiling *c, const struct pulse_note *note, int64_t start, double origin,
                        int64_t *from, int64_t *to)
{
    int64_t length;
    struct pulse_time at = note->at;
    if (at.unit == PULSE_UNIT_BEATS) {
        at.value += origin;
    } else {
        at = (struct pulse_time){PULSE_UNIT_FRAMES, (double)start + pulse_tempo_position(&c->tempo, at)};
    }
    if (!pulse_tempo_frame(&c->tempo, at, from) || !pulse_tempo_length(&c->tempo, at, note->duration, &length)) {
        return false;
    }
    *to = *from + (length > 0 ? length : 1);
    return true;
}

bool pulse_notes_length(const struct pulse_compiling *c, const struct pulse_clip *clip, int64_t start, int64_t *length)
{
    double origin = pulse_tempo_beat(&c->tempo, clip->start);
    *length = 0;
    for (size_t i = 0; i < clip->note_count; i++) {
        int64_t from, to;
        if (!note_extent(c, &clip->notes[i], start, origin, &from, &to)) {
            return false;
        }
        *length = to - start > *length ? to - start : *length;
    }
    return true;
}

static enum lh_status add_note(struct pulse_compiling *c, struct pulse_score *score, const struct pulse_note *note,
                               int64_t from, int64_t to)
{
    uint8_t channel = (uint8_t)(note->channel - 1), key = (uint8_t)note->key;
    struct pulse_message message = {.frame = from, .note = score->notes++, .order = PULSE_MESSAGE_NOTE_ON, .size = 3};
    message.bytes[0] = (uint8_t)(NOTE_ON | channel);
    message.bytes[1] = key;
    message.bytes[2] = (uint8_t)note->velocity;
    enum lh_status status = pulse_score_add(c, score, &message);
    if (status != LH_OK) {
        return status;
    }
    message.frame = to;
    message.order = PULSE_MESSAGE_NOTE_OFF;
    message.bytes[0] = (uint8_t)(NOTE_OFF | channel);
    message.bytes[2] = VELOCITY_OFF;
    return pulse_score_add(c, score, &message);
}

/* A note that begins after the clip's end is not played, one that lasts past it ends there. */
static enum lh_status add_notes(struct pulse_compiling *c, struct pulse_score *score, const struct pulse_clip *clip,
                                int64_t start, int64_t end)
{
    double origin = pulse_tempo_beat(&c->tempo, clip->start);
    enum lh_status status = LH_OK;
    for (size_t i = 0; status == LH_OK && i < clip->note_count; i++) {
        int64_t from, to;
        if (note_extent(c, &clip->notes[i], start, origin, &from, &to) && from < end) {
            status = add_note(c, score, &clip->notes[i], from, to < end ? to : end);
        }
    }
    return status;
}

static enum lh_status add_clip(struct pulse_compiling *c, struct pulse_score *score, const struct pulse_clip *clip)
{
    int64_t start, length;
    if (!pulse_clip_extent(c, clip, &start, &length)) {
        return LH_OK;
    }
    return clip->kind == PULSE_CLIP_NOTES ? add_notes(c, score, clip, start, start + length)
                                          : pulse_midi_add(c, score, clip, start, start + length);
}

static int compare_messages(const void *left, const void *right)
{
    const struct pulse_message *a = left, *b = right;
    if (a->frame != b->frame) {
        return a->frame < b->frame ? -1 : 1;
    }
    if (a->order != b->order) {
        return a->order < b->order ? -1 : 1;
    }
    return (a->place > b->place) - (a->place < b->place);
}

/* Where a note's messages stand among those of the score; `on` is GRAPH_NONE when it is not played after all. */
struct note_places {
    uint32_t on, off;
};

/* Which note each key sounds, GRAPH_NONE: none. */
struct keys {
    uint32_t sounding[CHANNELS][KEYS];
};

static bool is_note(const struct pulse_message *message)
{
    return message->order == PULSE_MESSAGE_NOTE_OFF || message->order == PULSE_MESSAGE_NOTE_ON;
}

/* A key that is struck while it sounds ends what it sounded; a note that would not last a frame is not played. The
   messages are in order, and out of order afterwards. */
static void end_struck_again(struct keys *keys, const struct pulse_score *score, struct note_places *places)
{
    for (size_t i = 0; i < score->count; i++) {
        const struct pulse_message *message = &score->items[i];
        if (is_note(message)) {
            uint32_t *place =
                message->order == PULSE_MESSAGE_NOTE_ON ? &places[message->note].on : &places[message->note].off;
            *place = (uint32_t)i;
        }
    }
    memset(keys, 0xFF, sizeof *keys);
    for (size_t i = 0; i < score->count; i++) {
        const struct pulse_message *message = &score->items[i];
        if (!is_note(message)) {
            continue;
        }
        uint32_t *sounding = &keys->sounding[message->bytes[0] & 0x0Fu][message->bytes[1] & 0x7Fu];
        if (message->order == PULSE_MESSAGE_NOTE_OFF) {
            *sounding = *sounding == message->note ? GRAPH_NONE : *sounding;
            continue;
        }
        if (*sounding != GRAPH_NONE) {
            struct note_places *earlier = &places[*sounding];
            score->items[earlier->off].frame = message->frame;
            earlier->on = score->items[earlier->on].frame == message->frame ? GRAPH_NONE : earlier->on;
        }
        *sounding = message->note;
    }
}

static size_t write_messages(const struct pulse_score *score, const struct note_places *places,
                             struct graph_event *events)
{
    size_t count = 0;
    for (size_t i = 0; i < score->count; i++) {
        const struct pulse_message *message = &score->items[i];
        if (is_note(message) && places[message->note].on == GRAPH_NONE) {
            continue;
        }
        events[count] = (struct graph_event){.frame = message->frame, .size = message->size};
        memcpy(events[count++].bytes, message->bytes, message->size);
    }
    return count;
}

static enum lh_status gather(struct pulse_compiling *c, const struct pulse_track *track, struct pulse_score *score)
{
    enum lh_status status = LH_OK;
    for (size_t i = 0; status == LH_OK && i < track->clip_count; i++) {
        const struct pulse_clip *clip = &track->clips[i];
        if (clip->kind != PULSE_CLIP_AUDIO && pulse_clip_is_heard(clip)) {
            status = add_clip(c, score, clip);
        }
    }
    return status;
}

static enum lh_status write_events(struct pulse_compiling *c, struct pulse_score *score, struct pulse_inserts *inserts)
{
    struct graph_event *events = lh_arena_array(&c->arena, score->count, sizeof *events);
    struct keys *keys = lh_arena_alloc(&c->arena, sizeof *keys);
    struct note_places *places = lh_arena_array(&c->arena, score->notes, sizeof *places);
    if (events == NULL || keys == NULL || places == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    qsort(score->items, score->count, sizeof *score->items, compare_messages);
    end_struck_again(keys, score, places);
    qsort(score->items, score->count, sizeof *score->items, compare_messages);
    inserts->event_count = write_messages(score, places, events);
    inserts->events = events;
    return LH_OK;
}

enum lh_status pulse_notes_compile(struct pulse_compiling *c, size_t track)
{
    const struct pulse_track *item = &c->project->tracks[track];
    struct pulse_inserts *inserts = &c->inserts[track];
    struct pulse_score score = {.items = NULL};
    enum lh_status status = gather(c, item, &score);
    if (status == LH_ERR_LIMIT) {
        pulse_fault(c, item->json, "/clips", LH_ERR_LIMIT, "the project plays more than %u notes and MIDI messages",
                    PULSE_EVENTS_MAX);
        status = LH_OK;
    } else if (status == LH_OK && score.count > 0 && inserts->player != PULSE_NONE) {
        status = write_events(c, &score, inserts);
    } else if (status == LH_OK && score.count > 0 && !inserts->may_lack_player) {
        pulse_fault(c, item->json, "", LH_ERR_INVALID,
                    "track \"%s\" has notes, but no plugin among its \"nodes\" that plays them: add an instrument, or "
                    "mute the clips",
                    item->id);
    }
    free(score.items);
    return status;
}
