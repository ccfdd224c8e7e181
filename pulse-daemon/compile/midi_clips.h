/* SPDX-License-Identifier: MIT */
/* Clips of MIDI files: their messages on the timeline. */
#ifndef PULSE_COMPILE_MIDI_CLIPS_H
#define PULSE_COMPILE_MIDI_CLIPS_H

#include "pulse-daemon/compile/notes.h"

/* From the clip's offset to the end of its file, in frames; 0 when the file is not known. False: past all time. */
bool pulse_midi_length(const struct pulse_compiling *c, const struct pulse_clip *clip, int64_t start, int64_t *length);

/* Adds what the clip plays from `start` to before `end`. Faults are reported. LH_ERR_NO_MEMORY, LH_ERR_LIMIT. */
LH_NODISCARD enum lh_status pulse_midi_add(struct pulse_compiling *c, struct pulse_score *score,
                                           const struct pulse_clip *clip, int64_t start, int64_t end);

#endif
