/* SPDX-License-Identifier: MIT */
/* What the files of graph/ share about plugins in a graph. Private to graph/. */
#ifndef GRAPH_INSERT_H
#define GRAPH_INSERT_H

#include "common/base/bytes.h"
#include "graph/graph.h"

/* The same bytes in encodings and in keys. */
void graph_event_write(struct lh_writer *writer, const struct graph_event *event);
void graph_tempo_write(struct lh_writer *writer, const struct graph *graph);

/* The parts of graph_check() that look at plugins, inserts, parameters and events, and at the musical time. */
LH_NODISCARD enum lh_status graph_check_inserts(const struct graph *graph, struct lh_error *error);
LH_NODISCARD enum lh_status graph_check_tempo(const struct graph *graph, struct lh_error *error);

#endif
