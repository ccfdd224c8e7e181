/* SPDX-License-Identifier: MIT */
/* Standard MIDI files: what they play, in their own time. Bytes are hostile: sizes and counts are bounded. */
#ifndef ENGINE_IO_MIDI_H
#define ENGINE_IO_MIDI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"

#define ENGINE_MIDI_BYTES_MAX (16u << 20)
#define ENGINE_MIDI_EVENTS_MAX (1u << 22)

struct engine_midi_event {
    double at;        /* quarter notes from the file's start; seconds when the file counts in SMPTE frames */
    uint32_t track;   /* 1 = the file's first */
    uint32_t size;    /* 1..3 */
    uint8_t bytes[4]; /* a channel message: status 0x80..0xEF and its data */
};

struct engine_midi {
    bool seconds; /* `at` is in seconds */
    uint32_t tracks;
    struct engine_midi_event *events; /* owned; in order of time, those of one moment in the file's order */
    size_t event_count;
    double length; /* the last event or end-of-track, in the unit of `at` */
};

/* Reads a whole file from `fd` (its offset is not moved). Meta events (tempo, names) and system exclusive messages are
   left out: a project has its own tempo. LH_ERR_FORMAT: not a MIDI file, or damaged; LH_ERR_LIMIT; LH_ERR_IO. */
LH_NODISCARD enum lh_status engine_midi_read(int fd, struct engine_midi *midi, struct lh_error *error);
void engine_midi_fini(struct engine_midi *midi);

#endif
