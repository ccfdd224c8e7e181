/* SPDX-License-Identifier: MIT */
/* Graphs that the tests of graph/ share: made through the builder, small or large, in a given order of tracks. */
#ifndef TESTS_GRAPH_FIXTURE_H
#define TESTS_GRAPH_FIXTURE_H

#include "graph/builder.h"

#define FIXTURE_MEDIA 4
#define FIXTURE_TRACKS 6

/* A whole mix: clips with fades and loops, pan, a group, a return, a curve, three deliverables, tags and markers.
   `order` permutes the tracks (NULL: as they are); `media_order` permutes the media (NULL: as they are). LH_OK or what
   the builder said; used with failing allocations too. */
enum lh_status fixture_mix(const uint32_t *order, const uint32_t *media_order, const struct graph **graph);
/* The same, and it must work. */
const struct graph *fixture_mix_ordered(const uint32_t *order, const uint32_t *media_order);
/* `tracks` tracks with `clips` clips each into one bus, delivered. */
const struct graph *fixture_large(uint32_t tracks, uint32_t clips);

/* One deliverable of `node` with plain settings. */
struct graph_deliverable fixture_deliverable(uint32_t node, const char *name);
/* A medium in place at 48 kHz. */
struct graph_media fixture_media(uint32_t channels, uint64_t frames, const char *name);

#endif
