/* SPDX-License-Identifier: MIT */
/* Passes, and which frames of a node a pass is made of: what has to be stored of a node so that another graph can go on
   from it and give the very bits of the whole.

   A pass is one run over the timeline: every source and plugin begins at its first frame, and all its deliverables are
   fed from it. In a graph without plugins a frame depends on itself alone, and a pass begins where its deliverables do.

   How far a node is read, from the deliverables down:
       stop(node) = the largest of   end + tail                                  of each deliverable of it in the pass
                                     stop(consumer)                              native
                                     stop(consumer) + latency, up to the grid    PLUGIN
   The grid is that of the quantum: a plugin's chunks are whole whatever is wanted of it. The engine runs a graph by the
   same functions, so that a piece reads of what was stored exactly what the whole would have read of the node.

   Any thread. */
#ifndef GRAPH_SPAN_H
#define GRAPH_SPAN_H

#include "graph/graph.h"

/* A node's frames [begin, stop) in a pass that begins at `begin` and whose sources fall silent at `silence`. Together
   with the node's key they say what the bits are. */
struct graph_span {
    int64_t begin;
    int64_t silence; /* INT64_MAX: not before `stop` */
    int64_t stop;
};

/* Deliverables belong to one pass when they share start and end; in a graph with plugins, whose frames hang on where
   everything began and where the sources fell silent, when they share those two. What is stored on the way to a file is
   of the file's pass. */
bool graph_pass_is_same(const struct graph *graph, const struct graph_deliverable *a,
                        const struct graph_deliverable *b);
/* The first frame that the pass of a deliverable plays. */
int64_t graph_pass_begin(const struct graph *graph, const struct graph_deliverable *deliverable);
/* Where the sources of its pass fall silent: at its end, or never (INT64_MAX) where nothing but a plugin's look-ahead
   can hear what is behind it. */
int64_t graph_pass_silence(const struct graph *graph, const struct graph_deliverable *deliverable);
/* The most frames past its end that a deliverable may need. */
int64_t graph_deliverable_tail(const struct graph_deliverable *deliverable);

/* Up to where a PLUGIN of this latency reads its inputs when it is asked for its frames up to `stop`. */
int64_t graph_plugin_reads(int64_t stop, uint32_t latency, uint32_t quantum);

/* By node, what the pass of the deliverable `first` makes of it; nodes that it does not need have begin and stop 0.
   `latencies` are by insert, in frames, as measured in a pass with this begin (a plugin's latency may hang on its
   parameters there), or more: then more is stored than is read; GRAPH_NONE: not known, and then nobody knows how far
   the nodes upstream are read: their stop is INT64_MAX. NULL: no insert has any. */
void graph_spans(const struct graph *graph, uint32_t first, const uint32_t *latencies, struct graph_span *spans);

/* Makes `deliverable` one that stores its node over the span: sets its range, tail, format, depth and rate, and clears
   what stored frames have not. Name and node are left. */
void graph_span_deliver(const struct graph_span *span, uint32_t project_rate, struct graph_deliverable *deliverable);
/* What plays it: the entry of a STORED node. */
struct graph_stored graph_span_stored(const struct graph_span *span, uint32_t channels, bool sum);
/* The span that a STORED deliverable covers. */
struct graph_span graph_span_of(const struct graph_deliverable *deliverable);

#endif
