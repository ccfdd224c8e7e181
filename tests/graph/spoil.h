/* SPDX-License-Identifier: MIT */
/* A graph that can be written to, for tests that break one rule at a time. */
#ifndef TESTS_GRAPH_SPOIL_H
#define TESTS_GRAPH_SPOIL_H

#include "graph/graph.h"

/* The same tables twice: as the graph sees them, and writable. */
struct spoilt {
    struct graph graph;
    struct graph_media *media;
    struct graph_stored *stored;
    struct graph_point *points;
    struct graph_curve *curves;
    struct graph_region *regions;
    uint32_t *inputs;
    uint32_t *curve_refs;
    struct graph_node *nodes;
    struct graph_deliverable *deliverables;
    struct graph_tag *tags;
    struct graph_marker *markers;
};

/* One rule to break, and the table that the error must name. */
struct spoiler {
    const char *name;
    void (*spoil)(struct spoilt *spoilt);
    const char *where; /* a prefix */
};

/* A copy of the fixture's mix with a partial sum; leaks nothing when freed. */
void spoilt_init(struct spoilt *spoilt);
/* The same of the piece. */
void spoilt_init_piece(struct spoilt *spoilt);
void spoilt_fini(struct spoilt *spoilt);
/* Breaks the rule in a fresh copy and demands the refusal. */
void spoiler_run(const struct spoiler *spoiler);
void spoiler_run_piece(const struct spoiler *spoiler);

#endif
