/* SPDX-License-Identifier: MIT */
/* The canonical encoding of a render graph: what is sent to the signal instance and stored. Little-endian, versioned,
   one encoding for each graph: decode(encode(g)) equals g, and encode(decode(b)) equals b or decode refuses b.

   The layout, without padding. Texts are a u32 length and bytes (UTF-8, no NUL); flags, kinds and formats are one byte.
       magic      "LHgraph\0"
       head       u32 version, sample rate, quantum; u32 counts of media, stored, curves, points, regions, inputs, curve
   refs, plugins, parameters, events, inserts, tempo, nodes, deliverables, tags, markers media      u32 channels, rate;
   u64 frames, length; conform; text name stored     u32 channels; sum; i64 begin, frames curves     u32 count of points
       points     i64 frame, f32 value
       regions    u32 media; i64 start, length, offset, loop length; reverse; f32 gain; i64 fade lengths in, out;
                  u32 fade curves in, out
       inputs     u32 node          curve refs   u32 curve
       plugins    text uri, bundle, version; 32 bytes digest
       parameters text symbol; u32 curve
       events     i64 frame; u32 size; 4 bytes
       inserts    u32 plugin; flags has input, has side chain; u32 counts of parameters, events; text preset,
                  preset bundle, state, folder, identity. The n-th belongs to the n-th PLUGIN node
       tempo      i64 frame; f64 beats, bpm; i64 bar; f64 bar beat; u32 numerator, denominator
       nodes      kind; invert; u32 channels, count; text label; if STORED u32 stored
       deliverables  the members of struct graph_deliverable in their order, but the u32 count of its tags and then the
                  text of its name at the end
       tags       text name, value
       markers    i64 frame; text name
   Where ranges begin in their tables is not written: they tile them (graph/graph.h).

   Any thread. */
#ifndef GRAPH_ENCODE_H
#define GRAPH_ENCODE_H

#include "common/base/bytes.h"
#include "graph/graph.h"

#define GRAPH_ENCODING_VERSION 3

LH_NODISCARD enum lh_status graph_encode(const struct graph *graph, struct lh_writer *writer);
/* Bytes are hostile: every count is bounded by what is left of `size` before anything is allocated. One reference. */
LH_NODISCARD enum lh_status graph_decode(const void *data, size_t size, const struct graph **graph,
                                         struct lh_error *error);

#endif
