/* SPDX-License-Identifier: MIT */
/* A piece of a cut graph, for the tests of graph/: it goes on from frames that were stored, floats and sums, and stores
   some itself. */
#ifndef TESTS_GRAPH_PIECE_H
#define TESTS_GRAPH_PIECE_H

#include "graph/builder.h"

/* Entries of `stored`: which nodes play all but the last of. */
enum { PIECE_TRACK = 0, PIECE_SUM, PIECE_UNUSED, PIECE_STORED };
#define PIECE_PLAYED 2

/* Deliverables. */
enum { PIECE_MIX = 0, PIECE_STORED_SUM, PIECE_STORED_TRACK };

/* LH_OK or what the builder said; used with failing allocations too. */
enum lh_status piece_make(const struct graph **graph);
/* It must work. */
const struct graph *piece_new(void);

#endif
