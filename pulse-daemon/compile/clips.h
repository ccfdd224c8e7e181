/* SPDX-License-Identifier: MIT */
/* Media and clips: conformed lengths, layouts, and clips as regions of the render graph. */
#ifndef PULSE_COMPILE_CLIPS_H
#define PULSE_COMPILE_CLIPS_H

#include "pulse-daemon/compile/context.h"

/* graph_converted_length() of what a file says about itself. False when either length is past GRAPH_FRAMES_MAX or the
   file's rate is none. */
bool pulse_conformed_length(uint64_t frames, uint32_t from, uint32_t to, uint64_t *length);

/* Fills media_length, and adds the media of audible clips to the graph in the project's order. Faults: media without
   facts (rate or channels 0) that are needed. LH_ERR_NO_MEMORY. */
LH_NODISCARD enum lh_status pulse_compile_media(struct pulse_compiling *c);
/* The track's layout: what it says, or mono when all its media are mono, else stereo. */
uint32_t pulse_track_channels(const struct pulse_compiling *c, size_t track);

/* Checks that the media of a track's audible clips meet its layout: the same, or mono on stereo. Faults are reported.
 */
void pulse_check_clip_layouts(struct pulse_compiling *c, size_t track);

/* Where a clip lies; notes and MIDI too. *length may be 0. Faults are reported; false then. */
bool pulse_clip_extent(struct pulse_compiling *c, const struct pulse_clip *clip, int64_t *start, int64_t *length);
/* The end of the last clip or note of all tracks, muted ones too. */
int64_t pulse_project_end(struct pulse_compiling *c);

/* The sum of a track's audible clips as a node; GRAPH_NONE when there are none. Faults are reported. */
LH_NODISCARD enum lh_status pulse_compile_clips(struct pulse_compiling *c, size_t track, uint32_t *node);

#endif
