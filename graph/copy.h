/* SPDX-License-Identifier: MIT */
/* Copies parts of a graph into a builder: how a graph is cut, and rebuilt with some of its nodes replaced. What is
   copied is what feeds the nodes that are asked for, down to the sources or to nodes that something else stands for.
   One thread. */
#ifndef GRAPH_COPY_H
#define GRAPH_COPY_H

#include "graph/builder.h"

struct graph_copy;

/* `graph` and `builder` are borrowed. The builder has the graph's rate and quantum, and gets its musical time here.
   LH_ERR_NO_MEMORY, LH_ERR_LIMIT, as all that follow. */
LH_NODISCARD enum lh_status graph_copy_new(const struct graph *graph, struct graph_builder *builder,
                                           struct graph_copy **copy);
void graph_copy_free(struct graph_copy *copy); /* accepts NULL */
/* Starts anew with another builder, as a new copy would: for many small parts of one large graph. */
LH_NODISCARD enum lh_status graph_copy_restart(struct graph_copy *copy, struct graph_builder *builder);

/* `stand_in`, a node of the builder, stands for `node` from here on: it is not copied, nor is what feeds it alone.
   Nodes that were copied before keep what they read. */
void graph_copy_replace(struct graph_copy *copy, uint32_t node, uint32_t stand_in);
/* Nodes that were copied or replaced before are copied anew from here on, and read what is copied or stands in then;
   what comes out equal is one node in the builder. Media and stored entries stay. */
void graph_copy_forget(struct graph_copy *copy);
/* The node in the builder, copied with all that feeds it unless it was before. */
LH_NODISCARD enum lh_status graph_copy_node(struct graph_copy *copy, uint32_t node, uint32_t *copied);
/* With its tags and its node. `gain_from` is the builder's. */
LH_NODISCARD enum lh_status graph_copy_deliverable(struct graph_copy *copy, uint32_t deliverable, uint32_t gain_from,
                                                   uint32_t *index);
LH_NODISCARD enum lh_status graph_copy_markers(struct graph_copy *copy);

/* Media and stored entries are copied when a node plays them, in that order; or all of them at once, before any node,
   so that they keep their indices. */
LH_NODISCARD enum lh_status graph_copy_sources(struct graph_copy *copy);
/* The graph's media in the order of the builder's: media[i] is where entry i of the copy came from. */
const uint32_t *graph_copy_media(const struct graph_copy *copy, uint32_t *count);
/* The same of stored entries. Those that a caller adds to the builder itself do not count. */
const uint32_t *graph_copy_stored(const struct graph_copy *copy, uint32_t *count);

#endif
