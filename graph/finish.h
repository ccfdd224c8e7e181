/* SPDX-License-Identifier: MIT */
/* What the two halves of finishing a graph share. Private to graph/. */
#ifndef GRAPH_FINISH_H
#define GRAPH_FINISH_H

#include "graph/owner.h"
#include "graph/state.h"

struct graph_finish {
    struct graph_builder *builder;
    uint32_t *heights;      /* old node -> 1 + the greatest of its inputs, 0: not delivered */
    uint32_t *ranks;        /* old node -> new */
    uint32_t *order;        /* new node -> old */
    uint32_t *curve_ranks;  /* old curve -> new, GRAPH_NONE: not used */
    uint32_t *curve_order;  /* new curve -> old */
    uint32_t *plugin_ranks; /* old plugin -> new, GRAPH_NONE: not used */
    uint32_t *plugin_order; /* new plugin -> old */
    uint32_t node_count, curve_count, plugin_count;
    uint32_t region_count, input_count, ref_count, point_count;
    uint32_t insert_count, parameter_count, event_count;
};

/* Notes that a delivered node uses the curve (GRAPH_NONE: none). */
void graph_finish_use_curve(struct graph_finish *finish, uint32_t curve);

/* Notes the curves of the delivered PLUGIN nodes; counts inserts, parameters and events; ranks plugins. */
void graph_finish_use_inserts(struct graph_finish *finish);
/* The inserts name their curves and plugins by rank. */
void graph_finish_rename_inserts(struct graph_finish *finish);
/* Writes plugins, inserts, parameters, events and tempo, and sets the nodes' inserts. */
LH_NODISCARD enum lh_status graph_finish_emit_inserts(const struct graph_finish *finish, struct graph_owner *owner,
                                                      struct graph_node *nodes);

#endif
