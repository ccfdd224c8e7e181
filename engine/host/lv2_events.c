/* SPDX-License-Identifier: MIT */
/* Building atoms in place. */
#include "engine/host/lv2_events.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define OBJECT_BYTES 512u /* more than a position needs */

enum lh_status engine_lv2_events_init(struct engine_lv2_events *events, const struct engine_lv2_facts *facts,
                                      const struct engine_lv2_vocabulary *words, uint32_t sample_rate,
                                      struct lh_error *error)
{
    uint32_t count = facts->facts.port_count;
    *events = (struct engine_lv2_events){.facts = facts, .words = words, .sample_rate = (float)sample_rate};
    size_t *sizes = calloc((size_t)count + 1, sizeof *sizes);
    void **places = calloc((size_t)count + 1, sizeof *places);
    enum lh_status status = sizes != NULL && places != NULL ? LH_OK : lh_error_no_memory(error);
    for (uint32_t i = 0; status == LH_OK && i < count; i++) {
        sizes[i] = facts->facts.ports[i].kind == GRAPH_PORT_EVENTS ? facts->ports[i].capacity : 0;
    }
    if (status == LH_OK) {
        status = engine_buffers_new(sizes, count, &events->buffers, places, error);
    }
    if (status == LH_OK) {
        events->sequences = calloc((size_t)count + 1, sizeof *events->sequences);
        status = events->sequences != NULL ? LH_OK : lh_error_no_memory(error);
    }
    for (uint32_t i = 0; status == LH_OK && i < count; i++) {
        events->sequences[i] = places[i];
    }
    free(sizes);
    free(places);
    return status;
}

void engine_lv2_events_fini(struct engine_lv2_events *events)
{
    engine_buffers_free(&events->buffers);
    free(events->sequences);
    events->sequences = NULL;
}

void engine_lv2_events_reset(struct engine_lv2_events *events)
{
    const struct graph_plugin_facts *facts = &events->facts->facts;
    for (uint32_t i = 0; i < facts->port_count; i++) {
        LV2_Atom_Sequence *sequence = events->sequences[i];
        if (sequence == NULL) {
            continue;
        }
        sequence->body = (LV2_Atom_Sequence_Body){0, 0};
        if (facts->ports[i].input) {
            sequence->atom = (LV2_Atom){sizeof sequence->body, events->words->atom_sequence};
        } else {
            sequence->atom = (LV2_Atom){events->facts->ports[i].capacity - (uint32_t)sizeof sequence->atom,
                                        events->words->atom_chunk};
        }
    }
}

static bool append(struct engine_lv2_events *events, uint32_t port, int64_t offset, LV2_URID type, const void *body,
                   uint32_t size)
{
    LV2_Atom_Sequence *sequence = events->sequences[port];
    uint32_t needed = (uint32_t)sizeof(LV2_Atom_Event) + (size + 7u) / 8u * 8u;
    uint32_t used = (uint32_t)sizeof sequence->atom + sequence->atom.size;
    if (needed > events->facts->ports[port].capacity - used) {
        return false;
    }
    LV2_Atom_Event *event = (LV2_Atom_Event *)(void *)((uint8_t *)sequence + used);
    event->time.frames = offset;
    event->body = (LV2_Atom){size, type};
    memcpy(event + 1, body, size);
    sequence->atom.size += needed;
    return true;
}

/* An object that grows; large enough for all that is put into it here. */
struct object {
    _Alignas(8) uint8_t bytes[OBJECT_BYTES];
    uint32_t size;
};

static void object_begin(struct object *object, LV2_URID type)
{
    LV2_Atom_Object_Body head = {.id = 0, .otype = type};
    memcpy(object->bytes, &head, sizeof head);
    object->size = sizeof head;
}

static void object_put(struct object *object, LV2_URID key, LV2_URID type, const void *value, uint32_t size)
{
    LV2_Atom_Property_Body head = {.key = key, .context = 0, .value = {.size = size, .type = type}};
    uint32_t padded = (size + 7u) / 8u * 8u;
    uint8_t *place = object->bytes + object->size;
    memset(place, 0, sizeof head + padded);
    memcpy(place, &head, sizeof head);
    memcpy(place + sizeof head, value, size);
    object->size += (uint32_t)sizeof head + padded;
}

bool engine_lv2_events_position(struct engine_lv2_events *events, int64_t frame, const struct engine_position *position)
{
    const struct engine_lv2_vocabulary *words = events->words;
    if (events->facts->position_port == GRAPH_NONE) {
        return true;
    }
    /* A beat is the signature's: its tempo and number follow from quarter notes. */
    double per_quarter = (double)position->denominator / 4.0;
    double beat = position->beat * per_quarter;
    float bar_beat = (float)position->bar_beat;
    float per_minute = (float)(position->bpm * per_quarter);
    float per_bar = (float)position->numerator;
    float speed = 1.0f;
    int32_t unit = (int32_t)position->denominator;
    struct object object;
    object_begin(&object, words->time_position);
    object_put(&object, words->time_frame, words->atom_long, &frame, sizeof frame);
    object_put(&object, words->time_speed, words->atom_float, &speed, sizeof speed);
    object_put(&object, words->time_bar, words->atom_long, &position->bar, sizeof position->bar);
    object_put(&object, words->time_bar_beat, words->atom_float, &bar_beat, sizeof bar_beat);
    object_put(&object, words->time_beat, words->atom_double, &beat, sizeof beat);
    object_put(&object, words->time_beat_unit, words->atom_int, &unit, sizeof unit);
    object_put(&object, words->time_beats_per_bar, words->atom_float, &per_bar, sizeof per_bar);
    object_put(&object, words->time_beats_per_minute, words->atom_float, &per_minute, sizeof per_minute);
    object_put(&object, words->time_frames_per_second, words->atom_float, &events->sample_rate,
               sizeof events->sample_rate);
    return append(events, events->facts->position_port, 0, words->atom_object, object.bytes, object.size);
}

static void put_number(struct object *object, const struct engine_lv2_vocabulary *words, LV2_URID type, float value)
{
    int32_t whole = (int32_t)lrintf(fminf(fmaxf(value, -0x1p31f), 0x1.fffffep30f));
    int32_t truth = value != 0.0f ? 1 : 0;
    int64_t large = (int64_t)llrintf(fminf(fmaxf(value, -0x1p62f), 0x1p62f));
    double precise = (double)value;
    if (type == words->atom_int) {
        object_put(object, words->patch_value, type, &whole, sizeof whole);
    } else if (type == words->atom_bool) {
        object_put(object, words->patch_value, type, &truth, sizeof truth);
    } else if (type == words->atom_long) {
        object_put(object, words->patch_value, type, &large, sizeof large);
    } else if (type == words->atom_double) {
        object_put(object, words->patch_value, type, &precise, sizeof precise);
    } else {
        object_put(object, words->patch_value, words->atom_float, &value, sizeof value);
    }
}

bool engine_lv2_events_patch(struct engine_lv2_events *events, uint32_t property, float value)
{
    const struct engine_lv2_vocabulary *words = events->words;
    const struct engine_lv2_port *port = &events->facts->ports[property];
    if (events->facts->message_port == GRAPH_NONE) {
        return true;
    }
    struct object object;
    object_begin(&object, words->patch_set);
    object_put(&object, words->patch_property, words->atom_urid, &port->property, sizeof port->property);
    put_number(&object, words, port->type, value);
    return append(events, events->facts->message_port, 0, words->atom_object, object.bytes, object.size);
}

bool engine_lv2_events_note(struct engine_lv2_events *events, int64_t offset, const struct graph_event *event)
{
    uint32_t port = events->facts->note_port;
    return port == GRAPH_NONE || append(events, port, offset, events->words->midi_event, event->bytes, event->size);
}
