/* SPDX-License-Identifier: MIT */
/* The canonical encoding of a render graph: what is sent to the signal instance and stored. Little-endian, versioned,
   one encoding for each graph: decode(encode(g)) equals g, and encode(decode(b)) equals b or decode refuses b. */
#ifndef GRAPH_ENCODE_H
#define GRAPH_ENCODE_H

#include "common/base/bytes.h"
#include "graph/graph.h"

#define GRAPH_ENCODING_VERSION 1

LH_NODISCARD enum lh_status graph_encode(const struct graph *graph, struct lh_writer *writer);
/* Bytes are hostile: every count is bounded by what is left of `size` before anything is allocated. One reference. */
LH_NODISCARD enum lh_status graph_decode(const void *data, size_t size, const struct graph **graph,
                                         struct lh_error *error);

#endif
