/* SPDX-License-Identifier: MIT */
/* Render keys: same key, same samples. A node's key is SHA-256 over its canonical description with the keys of what
   feeds it in place of indices (sums sort them) and media digests in place of media indices, plus the render context.
   Labels, names and the order of tracks do not enter. A deliverable's key adds its range and its encoding. */
#ifndef GRAPH_KEYS_H
#define GRAPH_KEYS_H

#include "common/digest/digest.h"
#include "graph/graph.h"

/* What else decides over the bits. */
struct graph_key_context {
    uint32_t sound_version;    /* the engine's ENGINE_SOUND_VERSION */
    const char *libraries;     /* versions of the libraries that touch sound, "libsndfile-1.2.0 soxr-0.1.3 ..." */
    const char *cpu_class;     /* enters only where a lossy decoder or a resampler takes part */
};

/* The key of one conformed medium: what it is converted from, to which rate, by what. */
void graph_key_conform(const struct graph *graph, uint32_t media, const struct lh_digest *digest,
                       const struct graph_key_context *context, struct lh_digest *key);

/* media_digests has media_count entries; node_keys and deliverable_keys have room for all. Any of the two may be NULL. */
LH_NODISCARD enum lh_status graph_keys(const struct graph *graph, const struct lh_digest *media_digests,
                                       const struct graph_key_context *context, struct lh_digest *node_keys,
                                       struct lh_digest *deliverable_keys);

#endif
