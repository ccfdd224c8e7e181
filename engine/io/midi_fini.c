/* SPDX-License-Identifier: MIT */
/* Letting go of what a MIDI file played: also the business of programs that read none themselves. */
#include <stdlib.h>

#include "engine/io/midi.h"

void engine_midi_fini(struct engine_midi *midi)
{
    free(midi->events);
    *midi = (struct engine_midi){.events = NULL};
}
