/* SPDX-License-Identifier: MIT */
/* Sizes of the canonical encoding's entries, shared by its writer and reader. Private to graph/. */
#ifndef GRAPH_LAYOUT_H
#define GRAPH_LAYOUT_H

#define GRAPH_MAGIC "LHgraph" /* with its terminator */
#define GRAPH_MAGIC_SIZE 8

/* The least bytes that an entry takes (texts empty): what bounds a count before anything is allocated. */
#define GRAPH_TEXT_BYTES 4
#define GRAPH_MEDIA_BYTES (25 + GRAPH_TEXT_BYTES)
#define GRAPH_STORED_BYTES 21
#define GRAPH_CURVE_BYTES 4
#define GRAPH_POINT_BYTES 12
#define GRAPH_REGION_BYTES 65
#define GRAPH_INDEX_BYTES 4
#define GRAPH_PLUGIN_BYTES (3 * GRAPH_TEXT_BYTES + 32)
#define GRAPH_PARAMETER_BYTES (4 + GRAPH_TEXT_BYTES)
#define GRAPH_EVENT_BYTES 16
#define GRAPH_INSERT_BYTES (14 + 5 * GRAPH_TEXT_BYTES)
#define GRAPH_TEMPO_BYTES 48
#define GRAPH_NODE_BYTES (10 + GRAPH_TEXT_BYTES)
#define GRAPH_DELIVERABLE_BYTES (124 + GRAPH_TEXT_BYTES)
#define GRAPH_TAG_BYTES (2 * GRAPH_TEXT_BYTES)
#define GRAPH_MARKER_BYTES (8 + GRAPH_TEXT_BYTES)

#endif
