/* SPDX-License-Identifier: MIT */
/* Friendly plugins that take events: MIDI, musical time, patch messages. */
#include <lv2/atom/util.h>
#include <lv2/midi/midi.h>
#include <lv2/patch/patch.h>
#include <lv2/time/time.h>
#include <string.h>

#include "tests/plugins/friendly.lv2/friendly.h"

#define POSITIONS 8

static void silence(const struct friendly *self, uint32_t first, uint32_t count, uint32_t frames)
{
    for (uint32_t port = first; port < first + count; port++)
        memset(friendly_out(self, port), 0, frames * sizeof(float));
}

static const uint8_t *midi_message(const struct friendly *self, const LV2_Atom_Event *event)
{
    static const size_t longest = 3;
    bool midi = event->body.type == friendly_urid(self, LV2_MIDI__MidiEvent);
    return midi && event->body.size >= 1 && event->body.size <= longest ? (const uint8_t *)(event + 1) : NULL;
}

static void click_synth(LV2_Handle handle, uint32_t frames)
{
    struct friendly *self = handle;
    const LV2_Atom_Sequence *events = self->port[0];
    silence(self, 1, 1, frames);
    LV2_ATOM_SEQUENCE_FOREACH(events, event)
    {
        const uint8_t *message = midi_message(self, event);
        if (message == NULL || event->body.size != 3 || event->time.frames < 0 || event->time.frames >= frames)
            continue;
        uint8_t *velocity = &self->velocity[message[0] & 15][message[1] & 127];
        float *out = friendly_out(self, 1) + event->time.frames;
        if ((message[0] & 0xF0) == LV2_MIDI_MSG_NOTE_ON && message[2] != 0) {
            *velocity = message[2];
            *out += (float)*velocity / 127;
        } else if ((message[0] & 0xE0) == LV2_MIDI_MSG_NOTE_OFF) { /* note-off, and note-on without velocity */
            *out -= (float)*velocity / 127;
            *velocity = 0;
        }
    }
}

static void event_teller(LV2_Handle handle, uint32_t frames)
{
    const struct friendly *self = handle;
    const LV2_Atom_Sequence *events = self->port[0];
    silence(self, 1, 3, frames);
    LV2_ATOM_SEQUENCE_FOREACH(events, event)
    {
        const uint8_t *message = midi_message(self, event);
        if (message == NULL || event->time.frames < 0 || event->time.frames >= frames)
            continue;
        friendly_out(self, 1)[event->time.frames] += (float)message[0] / 256;
        for (uint32_t i = 1; i < event->body.size; i++)
            friendly_out(self, 1 + i)[event->time.frames] += (float)message[i] / 128;
    }
}

/* A host may tell a number as any of these. */
static float number(const struct friendly *self, const LV2_Atom *atom, float otherwise)
{
    if (atom == NULL)
        return otherwise;
    const void *body = atom + 1;
    if (atom->type == friendly_urid(self, LV2_ATOM__Float))
        return *(const float *)body;
    if (atom->type == friendly_urid(self, LV2_ATOM__Double))
        return (float)*(const double *)body;
    if (atom->type == friendly_urid(self, LV2_ATOM__Int))
        return (float)*(const int32_t *)body;
    if (atom->type == friendly_urid(self, LV2_ATOM__Long))
        return (float)*(const int64_t *)body;
    return otherwise;
}

static bool is_object_of(const struct friendly *self, const LV2_Atom_Event *event, const char *type)
{
    const LV2_Atom_Object *object = (const LV2_Atom_Object *)&event->body;
    LV2_URID kind = event->body.type;
    return (kind == friendly_urid(self, LV2_ATOM__Object) || kind == friendly_urid(self, LV2_ATOM__Blank)) &&
           object->body.otype == friendly_urid(self, type);
}

static void read_position(struct friendly *self, const LV2_Atom_Object *object)
{
    static const char *const keys[POSITIONS] = {LV2_TIME__beatsPerMinute, LV2_TIME__bar,         LV2_TIME__barBeat,
                                                LV2_TIME__beat,           LV2_TIME__beatsPerBar, LV2_TIME__beatUnit,
                                                LV2_TIME__speed,          LV2_TIME__frame};
    static const float scales[POSITIONS] = {1000, 1, 1, 1, 1, 1, 1, 1048576};
    for (size_t i = 0; i < POSITIONS; i++) {
        const LV2_Atom *atom = NULL;
        lv2_atom_object_get(object, friendly_urid(self, keys[i]), &atom, 0);
        if (atom != NULL)
            self->value[i] = number(self, atom, 0) / scales[i];
    }
}

static void tell_position(const struct friendly *self, uint32_t from, uint32_t to)
{
    for (uint32_t i = 0; i < POSITIONS; i++)
        for (uint32_t at = from; at < to; at++)
            friendly_out(self, 2 + i)[at] = self->value[i];
}

/* Before the frame of an event, what was told before it holds. */
static uint32_t event_frame(const LV2_Atom_Event *event, uint32_t from, uint32_t frames)
{
    return event->time.frames < from ? from : event->time.frames < frames ? (uint32_t)event->time.frames : frames;
}

static void position_teller(LV2_Handle handle, uint32_t frames)
{
    struct friendly *self = handle;
    const LV2_Atom_Sequence *events = self->port[1];
    uint32_t at = 0;
    LV2_ATOM_SEQUENCE_FOREACH(events, event)
    {
        if (!is_object_of(self, event, LV2_TIME__Position))
            continue;
        uint32_t next = event_frame(event, at, frames);
        tell_position(self, at, next);
        read_position(self, (const LV2_Atom_Object *)&event->body);
        at = next;
    }
    tell_position(self, at, frames);
}

static void capacity_teller(LV2_Handle handle, uint32_t frames)
{
    const struct friendly *self = handle;
    LV2_Atom_Sequence *events = self->port[2];
    float capacity = (float)(events->atom.size + sizeof(LV2_Atom)) / 1048576;
    events->atom.type = friendly_urid(self, LV2_ATOM__Sequence);
    events->atom.size = sizeof(LV2_Atom_Sequence_Body);
    events->body.unit = 0;
    events->body.pad = 0;
    for (uint32_t i = 0; i < frames; i++)
        friendly_out(self, 1)[i] = capacity;
}

static LV2_Handle instantiate_property(const LV2_Descriptor *descriptor, double rate, const char *bundle,
                                       const LV2_Feature *const *features)
{
    struct friendly *self = friendly_instantiate(descriptor, rate, bundle, features);
    if (self != NULL)
        self->factor = 1;
    return self;
}

static void read_level(struct friendly *self, const LV2_Atom_Object *object)
{
    const LV2_Atom *property = NULL, *value = NULL;
    lv2_atom_object_get(object, friendly_urid(self, LV2_PATCH__property), &property,
                        friendly_urid(self, LV2_PATCH__value), &value, 0);
    if (property != NULL && property->type == friendly_urid(self, LV2_ATOM__URID) &&
        ((const LV2_Atom_URID *)property)->body == friendly_urid(self, "urn:loophole:test:level"))
        self->factor = number(self, value, self->factor);
}

static void property(LV2_Handle handle, uint32_t frames)
{
    struct friendly *self = handle;
    const LV2_Atom_Sequence *events = self->port[2];
    uint32_t at = 0;
    LV2_ATOM_SEQUENCE_FOREACH(events, event)
    {
        if (!is_object_of(self, event, LV2_PATCH__Set))
            continue;
        for (uint32_t next = event_frame(event, at, frames); at < next; at++)
            friendly_out(self, 1)[at] = friendly_in(self, 0)[at] * self->factor;
        read_level(self, (const LV2_Atom_Object *)&event->body);
    }
    for (; at < frames; at++)
        friendly_out(self, 1)[at] = friendly_in(self, 0)[at] * self->factor;
}

const LV2_Descriptor friendly_notes[] = {
    FRIENDLY("click-synth", click_synth),
    FRIENDLY("event-teller", event_teller),
    FRIENDLY("position-teller", position_teller),
    FRIENDLY("capacity-teller", capacity_teller),
    FRIENDLY_WITH("property", instantiate_property, friendly_activate, property, NULL),
    {0},
};
