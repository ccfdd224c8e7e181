/* SPDX-License-Identifier: MIT */
/* What an instrument plays: the notes of all clips of a track as MIDI messages on the timeline. */
#ifndef PULSE_COMPILE_NOTES_H
#define PULSE_COMPILE_NOTES_H

#include "pulse-daemon/compile/context.h"

#define PULSE_EVENTS_MAX (1u << 24) /* made or looked at in one compilation: a day of dense music */

/* The order of messages at one frame: what ends comes before what begins, and what a note needs before the note. */
enum pulse_message_order {
    PULSE_MESSAGE_NOTE_OFF = 0,
    PULSE_MESSAGE_RELEASE, /* of what a clip that ends had held: pedals */
    PULSE_MESSAGE_OTHER,
    PULSE_MESSAGE_NOTE_ON,
};

struct pulse_message {
    int64_t frame;
    uint32_t place; /* orders what is equal otherwise */
    uint32_t note;  /* of NOTE_OFF and NOTE_ON: which note begins or ends */
    uint8_t order;  /* enum pulse_message_order */
    uint8_t size, bytes[3];
};

/* The messages of a track in the making, in any order. Each note has one NOTE_ON and one NOTE_OFF. */
struct pulse_score {
    struct pulse_message *items; /* owned */
    size_t count, capacity;
    uint32_t notes; /* the next note's number */
};

/* Adds a message; its place is set here. LH_ERR_NO_MEMORY, LH_ERR_LIMIT: there are PULSE_EVENTS_MAX. */
LH_NODISCARD enum lh_status pulse_score_add(struct pulse_compiling *c, struct pulse_score *score,
                                            const struct pulse_message *message);

/* The end of the last note of a clip, in frames from the clip's start. False: past all time. */
bool pulse_notes_length(const struct pulse_compiling *c, const struct pulse_clip *clip, int64_t start, int64_t *length);

/* Fills in the events of c->inserts[track]. Faults (nobody who plays them, too many) are reported. */
LH_NODISCARD enum lh_status pulse_notes_compile(struct pulse_compiling *c, size_t track);

#endif
