/* SPDX-License-Identifier: MIT */
/* Renders a graph in pieces: it is cut at random nodes, partial sums among them, each piece is a render of its own that
   stores what others go on from, and the last ones deliver. A plan of the farm, without its sense. */
#ifndef TESTS_IDENTITY_CUTTER_H
#define TESTS_IDENTITY_CUTTER_H

#include "engine/run/render.h"

struct cutter {
    const struct graph *graph; /* whole */
    const int *media;
    struct engine_host *host; /* may be NULL */
    uint64_t seed;
};

/* What was cut, over all calls. */
struct cutter_tally {
    unsigned pieces, stored, sums, ahead; /* ahead: stored past what is delivered, for a plugin's look-ahead */
};

/* Files and what is told of them, by deliverable; `outputs` are memory files, the caller's, also when it fails: the
   status of the first piece that did. */
enum lh_status cutter_render(const struct cutter *cutter, int *outputs, struct engine_delivered *delivered,
                             struct cutter_tally *tally, struct lh_error *error);

#endif
