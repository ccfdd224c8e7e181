/* SPDX-License-Identifier: MIT */
/* Delivering: what happens to a node's samples once they are computed. A deliverable is either encoded (or stored) as
   it comes, or spilled to the scratch file and finished after the pass, when it waits for a measurement: a loudness
   gain, or a tail whose end is known only afterwards. Private to engine/run. */
#ifndef ENGINE_RUN_DELIVER_H
#define ENGINE_RUN_DELIVER_H

#include "engine/io/conform.h"
#include "engine/io/encode.h"
#include "engine/io/meter.h"
#include "engine/run/render.h"

struct engine_delivery {
    const struct graph *graph;
    const struct graph_deliverable *deliverable;
    uint32_t channels;
    int fd; /* -1: only measured */
    int scratch_fd;
    uint64_t spill_offset; /* bytes, in the scratch file */
    bool deferred;
    int64_t stop;                       /* timeline frame: range's end plus the longest tail */
    int64_t tail_frames;                /* delivered past the end; final once the pass is over */
    int64_t quiet_since;                /* UNTIL: first frame of the quiet run, -1 while loud */
    bool ended;                         /* UNTIL: the hold is complete; the rest is not wanted */
    size_t stored_bytes;                /* of one frame, when it is stored; else 0 */
    uint64_t written;                   /* frames at the deliverable's rate, spilled, stored or encoded */
    struct engine_converter *converter; /* when the rates differ */
    float *converted;
    size_t converted_capacity;  /* frames */
    struct engine_meter *meter; /* measures what the converter gives; NULL when a METER chain measures */
    struct engine_encoder *encoder;
    bool report;       /* measure whatever is delivered */
    bool has_loudness; /* measured is filled */
    struct engine_loudness measured;
    struct engine_encoded encoded;
    double gain_db;
    struct engine_loudness reached;
};

/* Whether a deliverable must wait for the end of its pass. */
bool engine_delivery_is_deferred(const struct graph_deliverable *deliverable);
/* Whether a METER chain of the pass measures it: somebody wants to know, and what is delivered is the node itself, to a
   length known now. */
bool engine_delivery_meters_in_pass(const struct graph_deliverable *deliverable, uint32_t project_rate, bool report);
/* The most bytes that it may spill: 0 unless deferred. */
uint64_t engine_delivery_spill_bytes(const struct graph *graph, uint32_t index);

/* Prepares the delivery of graph->deliverables[index]; `block` is the largest number of frames of one call to add. */
LH_NODISCARD enum lh_status engine_delivery_init(struct engine_delivery *delivery, const struct graph *graph,
                                                 uint32_t index, int fd, int scratch_fd, uint64_t spill_offset,
                                                 uint32_t block, bool report, struct lh_error *error);
/* Lets go of everything but the results. May be called again. */
void engine_delivery_fini(struct engine_delivery *delivery);

/* The node's frames [from, to) of the timeline, in order: floats, or int64 when they are sums. */
LH_NODISCARD enum lh_status engine_delivery_add(struct engine_delivery *delivery, int64_t from, int64_t to,
                                                const void *in, struct lh_error *error);
/* After the pass: ends a file that was encoded as it came, and lets go of what the pass needed. */
LH_NODISCARD enum lh_status engine_delivery_end_pass(struct engine_delivery *delivery, struct lh_error *error);
/* Deferred: measures what was spilled, unless it was measured already, and sets gain_db from the deliverable's target.
 */
LH_NODISCARD enum lh_status engine_delivery_measure(struct engine_delivery *delivery, const _Atomic int *cancel,
                                                    struct lh_error *error);
/* Deferred: writes the file with the gain in gain_db, and measures what was reached. */
LH_NODISCARD enum lh_status engine_delivery_finish(struct engine_delivery *delivery, _Atomic uint64_t *done,
                                                   const _Atomic int *cancel, struct lh_error *error);

#endif
