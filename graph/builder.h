/* SPDX-License-Identifier: MIT */
/* Builds a render graph bottom-up. Each add returns the index of an equal entry when there is one (hash-consing), so
   equal sub-graphs become one node whatever the order in which tracks were visited. One thread. */
#ifndef GRAPH_BUILDER_H
#define GRAPH_BUILDER_H

#include "graph/graph.h"

struct graph_builder;

LH_NODISCARD enum lh_status graph_builder_new(uint32_t sample_rate, uint32_t quantum, struct graph_builder **builder);
void graph_builder_free(struct graph_builder *builder); /* accepts NULL */

/* Media are not merged: index i is the i-th descriptor that the signal instance is given. The name is copied. */
LH_NODISCARD enum lh_status graph_builder_add_media(struct graph_builder *builder, const struct graph_media *media,
                                                    uint32_t *index);
/* A STORED node. Nor are these merged or dropped: the i-th that is added is entry i of graph->stored, whose frames the
   signal instance is given as its i-th stored descriptor. */
LH_NODISCARD enum lh_status graph_builder_add_stored(struct graph_builder *builder, const struct graph_stored *stored,
                                                     const char *label, uint32_t *node);
/* Points as in struct graph_curve: copied. Redundant points (collinear constants) are dropped. */
LH_NODISCARD enum lh_status graph_builder_add_curve(struct graph_builder *builder, const struct graph_point *points,
                                                    size_t count, uint32_t *index);
/* The exact sum of regions, in any order: they are sorted, so that permuted clips are the same node. */
LH_NODISCARD enum lh_status graph_builder_add_clips(struct graph_builder *builder, uint32_t channels, bool invert,
                                                    const struct graph_region *regions, size_t count, const char *label,
                                                    uint32_t *node);
/* `curves` has `channels` entries. A gain of constant 1 on an equal layout is its input. */
LH_NODISCARD enum lh_status graph_builder_add_gain(struct graph_builder *builder, uint32_t input, uint32_t channels,
                                                   const uint32_t *curves, const char *label, uint32_t *node);
/* kind is BUS or PARTIAL; inputs in any order, duplicates count twice. */
LH_NODISCARD enum lh_status graph_builder_add_sum(struct graph_builder *builder, enum graph_node_kind kind,
                                                  uint32_t channels, bool invert, const uint32_t *inputs, size_t count,
                                                  const char *label, uint32_t *node);
/* An equal plugin is one entry. Texts are copied. */
LH_NODISCARD enum lh_status graph_builder_add_plugin(struct graph_builder *builder, const struct graph_plugin *plugin,
                                                     uint32_t *index);

/* What a PLUGIN node is made of. */
struct graph_plugin_node {
    uint32_t plugin;
    uint32_t channels;
    uint32_t input;                           /* node, or GRAPH_NONE: an instrument */
    uint32_t sidechain;                       /* node, or GRAPH_NONE */
    const struct graph_parameter *parameters; /* in any order; symbols are distinct */
    size_t parameter_count;
    const struct graph_event *events; /* frames never decrease; those of one frame keep their order */
    size_t event_count;
    const char *preset, *preset_bundle, *state, *folder, *identity; /* as in struct graph_insert; NULL is "" */
};
/* Everything is copied. Nodes with an identity merge only with those of the same identity. */
LH_NODISCARD enum lh_status graph_builder_add_plugin_node(struct graph_builder *builder,
                                                          const struct graph_plugin_node *description,
                                                          const char *label, uint32_t *node);
/* Replaces the tempo of the graph. Copied. A graph without PLUGIN nodes is finished without it. */
LH_NODISCARD enum lh_status graph_builder_set_tempo(struct graph_builder *builder, const struct graph_tempo *tempo,
                                                    size_t count);
LH_NODISCARD enum lh_status graph_builder_add_marker(struct graph_builder *builder, int64_t frame, const char *name);
/* Name and tags are copied; the deliverable's tag_first and tag_count are set here. */
LH_NODISCARD enum lh_status graph_builder_add_deliverable(struct graph_builder *builder,
                                                          const struct graph_deliverable *deliverable,
                                                          const struct graph_tag *tags, size_t tag_count,
                                                          uint32_t *index);
/* Drops nodes that nothing delivers, checks, and hands the graph over (one reference). The builder is empty afterwards
   and can only be freed. */
LH_NODISCARD enum lh_status graph_builder_finish(struct graph_builder *builder, const struct graph **graph,
                                                 struct lh_error *error);
/* After the finish: where in the graph the node stands that an add called `node`; GRAPH_NONE: nothing delivers it. */
uint32_t graph_builder_place(const struct graph_builder *builder, uint32_t node);

#endif
