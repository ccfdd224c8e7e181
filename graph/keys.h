/* SPDX-License-Identifier: MIT */
/* Render keys: same key, same samples. A node's key is SHA-256 over its canonical description with the keys of what
   feeds it in place of indices (sums sort them) and media digests in place of media indices, plus the render context.
   Labels, names and the order of tracks do not enter. A deliverable's key adds its range and its encoding: same key,
   same file.

   The bytes that are hashed, little-endian, texts with a u32 length, flags and enums as one byte:
       every key  text domain ("loophole conform", "loophole node", "loophole deliverable", "loophole output"), u32
   GRAPH_KEY_VERSION, u32 sound version, text libraries conform    medium's digest, conform; if converted u32 from rate,
   u32 to rate; if not in place text CPU class node       kind, u32 channels, invert, then clips    u32 count, regions
   sorted as bytes: conform key; i64 start, length, offset, loop length; reverse; f32 gain; i64 fade lengths in, out;
   curve digests in, out (zeros for none) gain     input's key, a curve digest for each channel plugin   u32 rate,
   quantum; text CPU class; flags has input, has side chain, keys of the inputs; text uri, version, 32 bytes digest;
   text preset, state, identity; with an identity text job; u32 count of parameters, text symbol and curve digest; u32
   count of events, i64 frame, u32 size, 4 bytes; u32 count of tempo entries, each as in graph/encode.h sums     u32
   count, keys of the contributions sorted as bytes. A PARTIAL input stands for its own contributions, so a bus has one
   key however it is cut into partial sums curve digest   SHA-256 over u32 count, then i64 frame and f32 value of each
   point deliverable    node's key; u32 project rate; i64 start, end, pre-roll; tail kind, i64 tail frames, hold, f32
                      level, u32 quantum (UNTIL only, which is judged per quantum, else 0); format, u32 bit depth,
                      dither, u64 seed, u32 rate, resampler; quality flag, f64 quality, u32 bit rate; flag and f64 of
                      the integrated target and of the true peak; flag and key of the deliverable that its gain comes
                      from; loop flag, i64 start, end; u32 count of tags, texts; u32 count of markers, i64 frame and
                      text; if lossy, FLAC or converted text CPU class. Of one that is STORED its output's key
       output         node's key; flag sum; u32 project rate; i64 begin, silence, stop
   The quantum and the project's rate are not part of a native node's key: it does not sound different for them. What a
   plugin gave depends on where the range began as well: a deliverable's key has that, and so has an output's.

   Keys are those of whole graphs. What a STORED node stands for is not told in its graph, so one that has any is not
   keyed (LH_ERR_UNSUPPORTED): whoever cuts a graph takes the keys of all that the pieces make and need from the whole,
   and may cut buses into PARTIAL nodes first (graph/partition.h), which have keys of their own.

   Any thread. */
#ifndef GRAPH_KEYS_H
#define GRAPH_KEYS_H

#include "common/digest/digest.h"
#include "graph/graph.h"
#include "graph/span.h"

#define GRAPH_KEY_VERSION 1

/* What else decides over the bits. */
struct graph_key_context {
    uint32_t sound_version; /* the engine's ENGINE_SOUND_VERSION */
    const char *libraries;  /* versions of the libraries that touch sound, "libsndfile-1.2.0 soxr-0.1.3 ..." */
    const char *cpu_class;  /* enters only where a plugin, a lossy decoder, a resampler or an encoder but PCM's takes
                               part */
    const char *job;        /* what this job has and no other: enters only where a plugin that is not proven repeatable
                               takes part, so that what it gave is never taken for another job's. NULL is "" */
};

/* The key of one conformed medium: what it is converted from, to which rate, by what. LH_ERR_NO_MEMORY. */
LH_NODISCARD enum lh_status graph_key_conform(const struct graph *graph, uint32_t media, const struct lh_digest *digest,
                                              const struct graph_key_context *context, struct lh_digest *key);

/* The key of a node's frames over a span (graph/span.h), as they are stored: floats, or the sums of a PARTIAL.
   `node_key` is of graph_keys(). LH_ERR_NO_MEMORY. */
LH_NODISCARD enum lh_status graph_key_output(const struct graph_key_context *context, uint32_t project_rate,
                                             const struct lh_digest *node_key, bool is_sum,
                                             const struct graph_span *span, struct lh_digest *key);

/* media_digests has media_count entries; node_keys and deliverable_keys have room for all. Any of the two may be NULL.
   LH_ERR_NO_MEMORY and LH_ERR_UNSUPPORTED (STORED nodes) leave both untouched. */
LH_NODISCARD enum lh_status graph_keys(const struct graph *graph, const struct lh_digest *media_digests,
                                       const struct graph_key_context *context, struct lh_digest *node_keys,
                                       struct lh_digest *deliverable_keys);

/* By deliverable: whether a plugin that is not proven repeatable takes part, so that it must not be reused.
   LH_ERR_NO_MEMORY. */
LH_NODISCARD enum lh_status graph_keys_unproven(const struct graph *graph, bool *deliverables);

#endif
