/* SPDX-License-Identifier: MIT */
/* Plugins, MIDI files and states that the compiler's tests know: facts without anything installed. */
#ifndef TESTS_PULSE_DAEMON_COMPILE_PLUGINS_H
#define TESTS_PULSE_DAEMON_COMPILE_PLUGINS_H

#include "pulse-daemon/compile/compile.h"

/* By the name in the project:
   lv2:urn:mono, stereo    1 and 2 channels; parameters below
   lv2:urn:comp            stereo with a side chain of two
   lv2:urn:wild            stereo, not proven repeatable
   lv2:urn:synth           2 outputs, plays notes; drone: 2 outputs, does not
   lv2:urn:vocoder         stereo, plays notes
   lv2:urn:meter           2 inputs; arp: takes notes, no audio
   lv2:urn:refused         cannot be run
   anything else           not installed; "lv2:urn:sterio" has near names
   Parameters of all: gain -60..24 dB, freq 0..0.5 of the rate, mode one of 0, 1, 4, on a switch, steps 1..16 whole,
   prop a property 0..1; level is an output. Presets "urn:warm" (Warm), "urn:cold" (Twice) and "urn:icy" (Twice). */
void plugins_know(const char *plugin, struct pulse_plugin_facts *facts);

/* "beats.mid": 2 tracks, 1 with notes; "code.mid": in seconds; else not known. */
void plugins_know_midi(const char *file, struct pulse_midi_facts *facts);
/* "plain.ttl", "path.ttl" (refers to files); else not readable. */
void plugins_know_state(const char *file, struct pulse_state_facts *facts);

#endif
