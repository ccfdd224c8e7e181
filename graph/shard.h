/* SPDX-License-Identifier: MIT */
/* A shard: one piece of work for one signal instance, as Pulse plans it, the store keeps it and a worker does it. What
   to do is in `graph` (a PROBE has none); what it takes and gives are blobs, found by their keys.

       PROBE    looks into files: input i is a MEDIUM or MIDI file, output i the FACTS of it (graph/facts.h)
       CONVERT  a graph of media alone, at the project's rate: each output is CONFORMED
       RENDER   a graph: inputs are its media, conformed or not, and its stored frames; outputs its deliverables. Those
                that no output names are measured only, for another's gain

   The encoding, little-endian, without padding:
       magic    "LHshard\0"
       head     u32 GRAPH_SHARD_VERSION; kind, one byte; u32 counts of inputs, outputs; u64 size of the encoded graph
       inputs   kind, one byte; u32 index; 32 bytes key
       outputs  kind, one byte; u32 index; 32 bytes key
       graph    as in graph/encode.h; nothing for a PROBE

   Any thread. */
#ifndef GRAPH_SHARD_H
#define GRAPH_SHARD_H

#include "common/base/arena.h"
#include "common/base/bytes.h"
#include "common/digest/digest.h"
#include "graph/graph.h"

#define GRAPH_SHARD_VERSION 1
#define GRAPH_SHARD_EDGES_MAX 65536 /* inputs, or outputs */

enum graph_shard_kind { GRAPH_SHARD_PROBE = 0, GRAPH_SHARD_CONVERT, GRAPH_SHARD_RENDER };

enum graph_shard_input_kind {
    GRAPH_SHARD_MEDIUM = 0, /* a file as it was uploaded, by its digest. Index: into graph->media; PROBE: its own */
    GRAPH_SHARD_MIDI,       /* PROBE: the same of a MIDI file */
    GRAPH_SHARD_CONFORMED,  /* an output: graph->media[index] at the project's rate, so that the medium itself is not
                               needed */
    GRAPH_SHARD_STORED,     /* an output: the frames of graph->stored[index] */
};

struct graph_shard_input {
    enum graph_shard_input_kind kind;
    uint32_t index;
    struct lh_digest key; /* MEDIUM, MIDI: the file's digest; else the output's key */
};

/* As enum pulse_output_kind (pulse-daemon/farm/rows.h). */
enum graph_shard_output_kind {
    GRAPH_SHARD_OUT_FILE = 0,  /* index: into graph->deliverables */
    GRAPH_SHARD_OUT_STORED,    /* the same, of GRAPH_FORMAT_STORED: floats */
    GRAPH_SHARD_OUT_SUM,       /* the same: int64 sums */
    GRAPH_SHARD_OUT_CONFORMED, /* index: into graph->media */
    GRAPH_SHARD_OUT_FACTS,     /* index: the input's */
};

struct graph_shard_output {
    enum graph_shard_output_kind kind;
    uint32_t index;
    struct lh_digest key;
};

struct graph_shard {
    enum graph_shard_kind kind;
    const struct graph *graph; /* NULL for a PROBE */
    const struct graph_shard_input *inputs;
    size_t input_count;
    const struct graph_shard_output *outputs;
    size_t output_count;
};

/* What this header says holds: LH_ERR_FORMAT with "inputs[3]", "outputs[0]" in `where`. Every medium and every stored
   entry of the graph has exactly one input; an output fits what it names; no two inputs or outputs are one. */
LH_NODISCARD enum lh_status graph_shard_check(const struct graph_shard *shard, struct lh_error *error);
LH_NODISCARD enum lh_status graph_shard_encode(const struct graph_shard *shard, struct lh_writer *writer);
/* Bytes are hostile: LH_ERR_FORMAT on anything that graph_shard_encode() would not have written. The tables lie in the
   arena; the graph, if there is one, is a reference for the caller to drop. */
LH_NODISCARD enum lh_status graph_shard_decode(const void *data, size_t size, struct lh_arena *arena,
                                               struct graph_shard *shard, struct lh_error *error);
/* The kind and the tables alone: `graph` is NULL, and what else follows is not looked at. For who moves shards without
   doing them. LH_ERR_FORMAT, LH_ERR_NO_MEMORY. */
LH_NODISCARD enum lh_status graph_shard_edges(const void *data, size_t size, struct lh_arena *arena,
                                              struct graph_shard *shard, struct lh_error *error);

#endif
