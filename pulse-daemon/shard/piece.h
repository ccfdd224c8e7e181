/* SPDX-License-Identifier: MIT */
/* Pieces of a graph that was cut: which nodes one needs, what it costs, and its graph. Private to pulse-daemon/shard.
 */
#ifndef PULSE_SHARD_PIECE_H
#define PULSE_SHARD_PIECE_H

#include "graph/copy.h"
#include "pulse-daemon/shard/draft.h"

/* A walk up from what is to be made to the sources and to what is read from where it is stored. */
struct pulse_walk {
    uint32_t *mark; /* by node: the walk that came by */
    bool *read;     /* by node: that walk reads it, and does not make it */
    uint32_t walk;
    uint32_t *cut_of; /* by node: into draft->cuts, of the pass that is loaded; GRAPH_NONE */
    uint32_t pass;    /* GRAPH_NONE: none is loaded */
    uint32_t *stack;
    uint32_t *nodes; /* found so far, in no order */
    uint32_t count;
};

LH_NODISCARD enum lh_status pulse_walk_init(struct pulse_walk *walk, const struct pulse_draft *draft);
/* The places where this pass is cut. */
void pulse_walk_load(struct pulse_walk *walk, const struct pulse_draft *draft, uint32_t pass);
void pulse_walk_begin(struct pulse_walk *walk);
/* Adds `node` and what it needs. `read` says of each cut whether it is read where it is met; NULL: each of them.
   `made`: but for the node itself. */
void pulse_walk_from(struct pulse_walk *walk, const struct pulse_draft *draft, uint32_t node, const bool *read,
                     bool made);
/* Seconds that it takes to make what was found, and the level that its result has: one above all that it reads. The
   sweep is of the pass that is loaded. */
double pulse_walk_seconds(const struct pulse_walk *walk, const struct pulse_draft *draft,
                          const struct pulse_sweep *sweep, uint32_t *level);

/* What a piece is to give: the frames of a cut, or a deliverable. */
struct pulse_root {
    uint32_t cut;         /* GRAPH_NONE: a deliverable */
    uint32_t deliverable; /* of draft->graph */
};

struct pulse_piece {
    const struct graph *graph; /* one reference */
    uint32_t *media;           /* by its media: into draft->graph's */
    uint32_t *stored;          /* by its stored: into draft->cuts */
    uint32_t *roots;           /* by its deliverables: into the roots; GRAPH_NONE: measured only, for another's gain */
    uint32_t *delivered;       /* by draft->graph's deliverables: its own; GRAPH_NONE. NULL unless asked for */
    uint32_t *places;          /* by draft->graph's nodes: one of its own; GRAPH_NONE. NULL unless asked for */
    bool cpu_class;            /* the bits of what it makes hang on the class of the CPU */
};

/* What making pieces needs: one for all pieces of a draft whose cuts are found. */
struct pulse_piecer {
    const struct pulse_draft *draft;
    struct pulse_walk walk;
    struct graph_copy *copy;
    uint32_t *stored_at; /* by cut: the node of the piece under way; GRAPH_NONE */
};
LH_NODISCARD enum lh_status pulse_piecer_init(struct pulse_piecer *piecer, const struct pulse_draft *draft);
void pulse_piecer_fini(struct pulse_piecer *piecer); /* a zeroed one too */
/* A graph of just what the roots need, each named once. `read`, by cut: it is read from where it is stored; false for
   those that are roots. `whole`: fill `delivered` and `places`. Tables lie in the draft's arena. LH_ERR_LIMIT,
   LH_ERR_NO_MEMORY. */
LH_NODISCARD enum lh_status pulse_piece_make(struct pulse_piecer *piecer, const struct pulse_root *roots, size_t count,
                                             const bool *read, bool whole, struct pulse_piece *piece,
                                             struct lh_error *error);

#endif
