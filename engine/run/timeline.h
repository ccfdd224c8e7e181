/* SPDX-License-Identifier: MIT */
/* What a PLUGIN node is told as time goes by: its parameters' values, its events, the musical time, and where its run
   is cut for them. All are functions of the frame on the timeline, and of nothing that happened before. Private to
   engine/run. One thread at a time; frames are asked for in ascending order. */
#ifndef ENGINE_RUN_TIMELINE_H
#define ENGINE_RUN_TIMELINE_H

#include "engine/host/host.h"
#include "graph/graph.h"

#define ENGINE_RAMP_FRAMES 64 /* a ramp's value moves at multiples of this */

/* A parameter that moves. */
struct engine_motion {
    uint32_t parameter; /* of the insert */
    uint32_t curve;
    uint32_t cursor; /* the last point at or before the cell of ENGINE_RAMP_FRAMES that was asked for last */
};

struct engine_timeline {
    const struct graph *graph;
    struct engine_motion *motions;
    uint32_t motion_count;
    struct graph_event *events;
    uint32_t event_count, next_event;
    uint32_t tempo; /* entry that was told last; GRAPH_NONE: none yet */
};

/* From `begin` on. The events before it are not played, but what they set is set at `begin`: the last program
 * with its bank, controllers, pitch bend and pressure of each channel, and the last data entered for each of its
 * registered and unregistered parameters (the latest 96 of all channels; increments are left out). At `silence`
 * (INT64_MAX: never) the events end, and the notes that sound are released. LH_ERR_NO_MEMORY. */
LH_NODISCARD enum lh_status engine_timeline_init(struct engine_timeline *timeline, const struct graph *graph,
                                                 const struct graph_insert *insert, int64_t begin, int64_t silence);
void engine_timeline_fini(struct engine_timeline *timeline); /* a zeroed one too */

/* Where a run that begins at `from` must end: the first frame after it at which some parameter steps, or moves on its
   ramp, or another tempo or time signature begins; at most `to`. */
int64_t engine_timeline_cut(struct engine_timeline *timeline, int64_t from, int64_t to);

/* The events of [from, to). */
void engine_timeline_events(struct engine_timeline *timeline, int64_t to, const struct graph_event **events,
                            uint32_t *count);

/* The musical time at `frame`. False: another than was told before has not begun. */
bool engine_timeline_position(struct engine_timeline *timeline, int64_t frame, struct engine_position *position);

#endif
