/* SPDX-License-Identifier: MIT */
/* Rebuilds a graph with its buses cut into partial sums. */
#include "graph/partition.h"

#include "common/base/arena.h"
#include "graph/copy.h"

#define SEEDED_LEVELS_MAX 3
#define SEEDED_PARTS_MAX 5

struct rebuild {
    const struct graph *graph;
    const struct graph_partition *partition;
    struct graph_builder *builder;
    struct graph_copy *copy;
    /* Room for the inputs of the largest sum. */
    uint32_t *list;  /* what the sum adds at this level, the builder's nodes */
    uint32_t *next;  /* at the next */
    uint32_t *parts; /* of each position */
    uint32_t *group; /* one part's members */
};

/* One level of one bus: the positions of `list` become those of `next`. Returns their number in *count. */
static enum lh_status group_level(const struct rebuild *rebuild, uint32_t bus, uint32_t level, uint32_t *count)
{
    const struct graph_partition *partition = rebuild->partition;
    const struct graph_node *node = &rebuild->graph->nodes[bus];
    uint32_t next_count = 0;
    for (uint32_t i = 0; i < *count; i++) {
        rebuild->parts[i] = partition->part(partition->context, bus, level, i, *count);
        if (rebuild->parts[i] != GRAPH_NONE && rebuild->parts[i] >= *count) {
            return LH_ERR_USAGE;
        }
        if (rebuild->parts[i] == GRAPH_NONE) {
            rebuild->next[next_count++] = rebuild->list[i];
        }
    }
    for (uint32_t i = 0; i < *count; i++) {
        uint32_t part = rebuild->parts[i];
        uint32_t size = 0;
        for (uint32_t j = i; part != GRAPH_NONE && j < *count; j++) {
            if (rebuild->parts[j] == part) {
                rebuild->group[size++] = rebuild->list[j];
                rebuild->parts[j] = GRAPH_NONE;
            }
        }
        if (size > 0) {
            uint32_t partial;
            enum lh_status status = graph_builder_add_sum(rebuild->builder, GRAPH_NODE_PARTIAL, node->channels, false,
                                                          rebuild->group, size, node->label, &partial);
            if (status != LH_OK) {
                return status;
            }
            rebuild->next[next_count++] = partial;
        }
    }
    *count = next_count;
    return LH_OK;
}

/* The bus, rebuilt; the copy of all that reads it goes on from there. */
static enum lh_status cut_bus(struct rebuild *rebuild, uint32_t index)
{
    const struct graph_node *node = &rebuild->graph->nodes[index];
    uint32_t count = node->count;
    enum lh_status status = LH_OK;
    for (uint32_t i = 0; status == LH_OK && i < count; i++) {
        status = graph_copy_node(rebuild->copy, rebuild->graph->inputs[node->first + i], &rebuild->list[i]);
    }
    for (uint32_t level = 0; status == LH_OK && level < rebuild->partition->levels; level++) {
        status = group_level(rebuild, index, level, &count);
        uint32_t *swap = rebuild->list;
        rebuild->list = rebuild->next;
        rebuild->next = swap;
    }
    uint32_t bus;
    status = status != LH_OK ? status
                             : graph_builder_add_sum(rebuild->builder, GRAPH_NODE_BUS, node->channels, node->invert,
                                                     rebuild->list, count, node->label, &bus);
    if (status == LH_OK) {
        graph_copy_replace(rebuild->copy, index, bus);
    }
    return status;
}

static enum lh_status rebuild_all(struct rebuild *rebuild, struct lh_arena *arena)
{
    const struct graph *graph = rebuild->graph;
    uint32_t largest = 0;
    for (uint32_t i = 0; i < graph->node_count; i++) {
        bool bus = graph->nodes[i].kind == GRAPH_NODE_BUS;
        largest = bus && graph->nodes[i].count > largest ? graph->nodes[i].count : largest;
    }
    rebuild->list = lh_arena_array(arena, largest, sizeof *rebuild->list);
    rebuild->next = lh_arena_array(arena, largest, sizeof *rebuild->next);
    rebuild->parts = lh_arena_array(arena, largest, sizeof *rebuild->parts);
    rebuild->group = lh_arena_array(arena, largest, sizeof *rebuild->group);
    if (rebuild->list == NULL || rebuild->next == NULL || rebuild->parts == NULL || rebuild->group == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    enum lh_status status = graph_copy_sources(rebuild->copy);
    for (uint32_t i = 0; status == LH_OK && i < graph->node_count; i++) {
        status = graph->nodes[i].kind == GRAPH_NODE_BUS ? cut_bus(rebuild, i) : LH_OK;
    }
    for (uint32_t i = 0; status == LH_OK && i < graph->deliverable_count; i++) {
        uint32_t index;
        status = graph_copy_deliverable(rebuild->copy, i, graph->deliverables[i].gain_from, &index);
    }
    return status != LH_OK ? status : graph_copy_markers(rebuild->copy);
}

enum lh_status graph_partition(const struct graph *graph, const struct graph_partition *partition,
                               const struct graph **out, struct lh_error *error)
{
    if (partition->levels > GRAPH_PARTITION_LEVELS_MAX) {
        return lh_error_set(error, LH_ERR_USAGE, NULL, "partial sums nest at most %d deep", GRAPH_PARTITION_LEVELS_MAX);
    }
    struct rebuild rebuild = {.graph = graph, .partition = partition};
    if (graph_builder_new(graph->sample_rate, graph->quantum, &rebuild.builder) != LH_OK) {
        return lh_error_no_memory(error);
    }
    struct lh_arena arena;
    lh_arena_init(&arena);
    enum lh_status status = graph_copy_new(graph, rebuild.builder, &rebuild.copy);
    status = status != LH_OK ? status : rebuild_all(&rebuild, &arena);
    graph_copy_free(rebuild.copy);
    lh_arena_fini(&arena);
    if (status == LH_OK) {
        status = graph_builder_finish(rebuild.builder, out, error);
    } else {
        lh_error_set(error, status, NULL, "the graph cannot be cut: %s", lh_status_text(status));
    }
    graph_builder_free(rebuild.builder);
    return status;
}

/* SplitMix64's finaliser: a well mixed function of one word. */
static uint64_t scramble(uint64_t word)
{
    word += UINT64_C(0x9E3779B97F4A7C15);
    word = (word ^ (word >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    word = (word ^ (word >> 27)) * UINT64_C(0x94D049BB133111EB);
    return word ^ (word >> 31);
}

static uint32_t seeded_part(void *context, uint32_t bus, uint32_t level, uint32_t position, uint32_t count)
{
    uint64_t cut = scramble(*(const uint64_t *)context ^ scramble((uint64_t)bus << 32 | level));
    uint64_t most = count < SEEDED_PARTS_MAX ? count : SEEDED_PARTS_MAX;
    uint64_t part = scramble(cut ^ position) % (1 + cut % most + 1); /* one more choice than parts: stays alone */
    return part == 0 ? GRAPH_NONE : (uint32_t)(part - 1);
}

enum lh_status graph_partition_seeded(const struct graph *graph, uint64_t seed, const struct graph **out,
                                      struct lh_error *error)
{
    struct graph_partition partition = {
        .levels = 1 + (uint32_t)(scramble(seed) % SEEDED_LEVELS_MAX), .part = seeded_part, .context = &seed};
    return graph_partition(graph, &partition, out, error);
}
