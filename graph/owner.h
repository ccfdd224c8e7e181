/* SPDX-License-Identifier: MIT */
/* What stands behind a `const struct graph *`: its reference count and the arena that holds all its tables and texts.
   Private to graph/. */
#ifndef GRAPH_OWNER_H
#define GRAPH_OWNER_H

#include <stdatomic.h>

#include "common/base/arena.h"
#include "graph/graph.h"

struct graph_owner {
    struct graph graph; /* first: the address that callers hold is the owner's */
    struct lh_arena arena;
    _Atomic uint32_t references;
};

/* An empty graph with one reference; freed by graph_unref(). NULL when memory is out. */
struct graph_owner *graph_owner_new(void);

#endif
