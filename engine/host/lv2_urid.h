/* SPDX-License-Identifier: MIT */
/* LV2's numbers for URIs: one table for all plugins of a host. Any thread, as plugins may ask from any. The numbers
   that the host itself uses are given first, so that they are the same in each process. */
#ifndef ENGINE_HOST_LV2_URID_H
#define ENGINE_HOST_LV2_URID_H

#include <lv2/urid/urid.h>

#include "common/base/status.h"

/* What the host speaks of in events, options, states and logs. */
struct engine_lv2_vocabulary {
    LV2_URID atom_bool, atom_chunk, atom_double, atom_event_transfer, atom_float, atom_int, atom_long, atom_object;
    LV2_URID atom_path, atom_sequence, atom_string, atom_urid;
    LV2_URID bufsz_maximum, bufsz_minimum, bufsz_nominal, bufsz_sequence;
    LV2_URID log_error, log_warning;
    LV2_URID midi_event;
    LV2_URID param_sample_rate;
    LV2_URID patch_property, patch_set, patch_value;
    LV2_URID time_bar, time_bar_beat, time_beat, time_beat_unit, time_beats_per_bar, time_beats_per_minute, time_frame;
    LV2_URID time_frames_per_second, time_position, time_speed;
};

struct engine_lv2_urids;

LH_NODISCARD enum lh_status engine_lv2_urids_new(struct engine_lv2_urids **urids, struct lh_error *error);
void engine_lv2_urids_free(struct engine_lv2_urids *urids); /* accepts NULL */
/* The features; valid as long as the table. map() gives 0 when memory or numbers are out. */
LV2_URID_Map *engine_lv2_urids_map(struct engine_lv2_urids *urids);
LV2_URID_Unmap *engine_lv2_urids_unmap(struct engine_lv2_urids *urids);
const struct engine_lv2_vocabulary *engine_lv2_urids_vocabulary(const struct engine_lv2_urids *urids);
LV2_URID engine_lv2_urids_number(struct engine_lv2_urids *urids, const char *uri);

#endif
