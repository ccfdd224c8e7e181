/* SPDX-License-Identifier: MIT */
/* The builder's insides, shared by the files that build and finish a graph. Private to graph/. */
#ifndef GRAPH_STATE_H
#define GRAPH_STATE_H

#include "common/base/arena.h"
#include "graph/builder.h"

/* Indices and counts stay below this in every table, so that adding a few never overflows. */
#define GRAPH_TABLE_MAX (UINT32_C(1) << 28)

/* A growing array of one entry type; `items` moves when it grows. */
struct graph_table {
    void *items;
    uint32_t count, capacity;
};

/* Room for `extra` entries of `size` bytes past the count. LH_ERR_NO_MEMORY, LH_ERR_LIMIT. */
LH_NODISCARD enum lh_status graph_table_reserve(struct graph_table *table, size_t extra, size_t size);

struct graph_intern_slot {
    uint64_t hash;
    uint32_t index; /* GRAPH_NONE: free */
};

/* A set of table indices by the hash of what they refer to: open addressing, linear probing, at most half full. */
struct graph_intern {
    struct graph_intern_slot *slots;
    uint32_t count, capacity; /* capacity: 0 or a power of two */
};

struct graph_builder {
    uint32_t sample_rate, quantum;
    bool finished;
    struct lh_arena texts;
    struct graph_table media, points, curves, regions, inputs, curve_refs, nodes, deliverables, tags, markers;
    struct graph_table stored;
    struct graph_table plugins, parameters, events, inserts, tempo;
    struct graph_intern curve_set, node_set;
    uint32_t *places; /* owned; once finished: node -> where it stands in the graph, or GRAPH_NONE */
};

/* A copy that lives as long as the builder, then as the graph; NULL becomes "". LH_ERR_NO_MEMORY. */
LH_NODISCARD enum lh_status graph_builder_copy_text(struct graph_builder *builder, const char *text, const char **copy);
/* Takes the node that stands behind the table's end, or finds its equal. `taken` says which. */
LH_NODISCARD enum lh_status graph_builder_take_node(struct graph_builder *builder, const char *label, uint32_t *node,
                                                    bool *taken);

/* Room for one more. */
LH_NODISCARD enum lh_status graph_intern_reserve(struct graph_intern *intern);
/* An index of equal hash for which `equal` says yes to (builder, index, candidate), or GRAPH_NONE. */
uint32_t graph_intern_find(const struct graph_intern *intern, uint64_t hash, const struct graph_builder *builder,
                           uint32_t candidate,
                           int (*compare)(const struct graph_builder *builder, uint32_t a, uint32_t b));
/* After a reserve; the index is not in the set yet. */
void graph_intern_insert(struct graph_intern *intern, uint64_t hash, uint32_t index);

/* Total orders by content, negative, 0 or positive; equal means interchangeable. Indices of other tables that occur in
   the content (media, curves, nodes) are compared as they are. Labels are not content. */
int graph_region_compare(const struct graph_region *a, const struct graph_region *b);
int graph_curve_compare(const struct graph_builder *builder, uint32_t a, uint32_t b);
int graph_node_compare(const struct graph_builder *builder, uint32_t a, uint32_t b);
uint64_t graph_curve_hash(const struct graph_builder *builder, uint32_t curve);
uint64_t graph_node_hash(const struct graph_builder *builder, uint32_t node);
int graph_plugin_compare(const struct graph_plugin *a, const struct graph_plugin *b);
int graph_insert_compare(const struct graph_builder *builder, uint32_t a, uint32_t b);
uint64_t graph_insert_hash(const struct graph_builder *builder, uint32_t insert, uint64_t hash);
/* Mixes one more word into a hash. */
uint64_t graph_hash_word(uint64_t hash, uint64_t word);

/* qsort() comparisons of plain entries. */
int graph_compare_regions(const void *a, const void *b);
int graph_compare_indices(const void *a, const void *b);

#endif
