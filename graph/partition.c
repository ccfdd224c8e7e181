/* SPDX-License-Identifier: MIT */
/* Rebuilds a graph with its buses cut into partial sums. */
#include "graph/partition.h"

#include <string.h>

#include "common/base/arena.h"
#include "graph/builder.h"

#define SEEDED_LEVELS_MAX 3
#define SEEDED_PARTS_MAX 5

struct rebuild {
    const struct graph *graph;
    const struct graph_partition *partition;
    struct graph_builder *builder;
    uint32_t *nodes;  /* old index -> new */
    uint32_t *curves; /* old index -> new */
    uint32_t *stored; /* entry -> its node, new index */
    /* Room for the inputs of the largest sum. */
    uint32_t *list;  /* what the sum adds at this level, new indices */
    uint32_t *next;  /* at the next */
    uint32_t *parts; /* of each position */
    uint32_t *group; /* one part's members */
};

static enum lh_status copy_media(const struct rebuild *rebuild)
{
    enum lh_status status = LH_OK;
    for (uint32_t i = 0; status == LH_OK && i < rebuild->graph->media_count; i++) {
        uint32_t index;
        status = graph_builder_add_media(rebuild->builder, &rebuild->graph->media[i], &index);
    }
    return status;
}

/* Entries keep their indices, so they are added before any node is, in their order. */
static enum lh_status copy_stored(const struct rebuild *rebuild, struct lh_arena *arena)
{
    const struct graph *graph = rebuild->graph;
    const char **labels = lh_arena_array(arena, graph->stored_count, sizeof *labels);
    enum lh_status status = labels != NULL ? LH_OK : LH_ERR_NO_MEMORY;
    for (uint32_t i = 0; status == LH_OK && i < graph->node_count; i++) {
        if (graph->nodes[i].kind == GRAPH_NODE_STORED) {
            labels[graph->nodes[i].first] = graph->nodes[i].label;
        }
    }
    for (uint32_t i = 0; status == LH_OK && i < graph->stored_count; i++) {
        status = graph_builder_add_stored(rebuild->builder, &graph->stored[i], labels[i], &rebuild->stored[i]);
    }
    return status;
}

static enum lh_status copy_curves(const struct rebuild *rebuild)
{
    const struct graph *graph = rebuild->graph;
    enum lh_status status = LH_OK;
    for (uint32_t i = 0; status == LH_OK && i < graph->curve_count; i++) {
        status = graph_builder_add_curve(rebuild->builder, graph->points + graph->curves[i].first,
                                         graph->curves[i].count, &rebuild->curves[i]);
    }
    return status;
}

static enum lh_status copy_clips(const struct rebuild *rebuild, struct lh_arena *arena, uint32_t index)
{
    const struct graph_node *node = &rebuild->graph->nodes[index];
    struct graph_region *regions = lh_arena_array(arena, node->count, sizeof *regions);
    if (regions == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    for (uint32_t i = 0; i < node->count; i++) {
        struct graph_region *region = &regions[i];
        *region = rebuild->graph->regions[node->first + i];
        region->fade_in = region->fade_in == GRAPH_NONE ? GRAPH_NONE : rebuild->curves[region->fade_in];
        region->fade_out = region->fade_out == GRAPH_NONE ? GRAPH_NONE : rebuild->curves[region->fade_out];
    }
    return graph_builder_add_clips(rebuild->builder, node->channels, node->invert, regions, node->count, node->label,
                                   &rebuild->nodes[index]);
}

static enum lh_status copy_gain(const struct rebuild *rebuild, uint32_t index)
{
    const struct graph *graph = rebuild->graph;
    const struct graph_node *node = &graph->nodes[index];
    uint32_t curves[GRAPH_CHANNELS_MAX];
    for (uint32_t i = 0; i < node->channels; i++) {
        curves[i] = rebuild->curves[graph->curve_refs[node->curves + i]];
    }
    return graph_builder_add_gain(rebuild->builder, rebuild->nodes[graph->inputs[node->first]], node->channels, curves,
                                  node->label, &rebuild->nodes[index]);
}

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

static enum lh_status copy_sum(struct rebuild *rebuild, uint32_t index)
{
    const struct graph_node *node = &rebuild->graph->nodes[index];
    uint32_t count = node->count;
    for (uint32_t i = 0; i < count; i++) {
        rebuild->list[i] = rebuild->nodes[rebuild->graph->inputs[node->first + i]];
    }
    uint32_t levels = node->kind == GRAPH_NODE_BUS ? rebuild->partition->levels : 0;
    for (uint32_t level = 0; level < levels; level++) {
        enum lh_status status = group_level(rebuild, index, level, &count);
        if (status != LH_OK) {
            return status;
        }
        uint32_t *swap = rebuild->list;
        rebuild->list = rebuild->next;
        rebuild->next = swap;
    }
    return graph_builder_add_sum(rebuild->builder, node->kind, node->channels, node->invert, rebuild->list, count,
                                 node->label, &rebuild->nodes[index]);
}

static enum lh_status copy_plugin(const struct rebuild *rebuild, struct lh_arena *arena, uint32_t index)
{
    const struct graph *graph = rebuild->graph;
    const struct graph_node *node = &graph->nodes[index];
    const struct graph_insert *insert = &graph->inserts[node->insert];
    struct graph_plugin_node description = {
        .channels = node->channels,
        .input = insert->has_input ? rebuild->nodes[graph->inputs[node->first]] : GRAPH_NONE,
        .sidechain = insert->has_sidechain ? rebuild->nodes[graph->inputs[node->first + node->count - 1]] : GRAPH_NONE,
        .parameter_count = insert->parameter_count,
        .events = graph->events + insert->event_first,
        .event_count = insert->event_count,
        .preset = insert->preset,
        .preset_bundle = insert->preset_bundle,
        .state = insert->state,
        .folder = insert->folder,
        .identity = insert->identity,
    };
    struct graph_parameter *parameters = lh_arena_array(arena, insert->parameter_count, sizeof *parameters);
    if (parameters == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    for (uint32_t i = 0; i < insert->parameter_count; i++) {
        const struct graph_parameter *parameter = &graph->parameters[insert->parameter_first + i];
        parameters[i] = (struct graph_parameter){parameter->symbol, rebuild->curves[parameter->curve]};
    }
    description.parameters = parameters;
    enum lh_status status =
        graph_builder_add_plugin(rebuild->builder, &graph->plugins[insert->plugin], &description.plugin);
    return status != LH_OK
               ? status
               : graph_builder_add_plugin_node(rebuild->builder, &description, node->label, &rebuild->nodes[index]);
}

static enum lh_status copy_node(struct rebuild *rebuild, struct lh_arena *arena, uint32_t index)
{
    switch (rebuild->graph->nodes[index].kind) {
    case GRAPH_NODE_CLIPS:
        return copy_clips(rebuild, arena, index);
    case GRAPH_NODE_GAIN:
        return copy_gain(rebuild, index);
    case GRAPH_NODE_BUS:
    case GRAPH_NODE_PARTIAL:
        return copy_sum(rebuild, index);
    case GRAPH_NODE_PLUGIN:
        return copy_plugin(rebuild, arena, index);
    case GRAPH_NODE_STORED:
        rebuild->nodes[index] = rebuild->stored[rebuild->graph->nodes[index].first];
        return LH_OK;
    }
    return LH_ERR_INTERNAL;
}

static enum lh_status copy_deliveries(const struct rebuild *rebuild)
{
    const struct graph *graph = rebuild->graph;
    enum lh_status status = LH_OK;
    for (uint32_t i = 0; status == LH_OK && i < graph->deliverable_count; i++) {
        struct graph_deliverable deliverable = graph->deliverables[i];
        deliverable.node = rebuild->nodes[deliverable.node];
        uint32_t index;
        status = graph_builder_add_deliverable(rebuild->builder, &deliverable,
                                               deliverable.tag_count > 0 ? &graph->tags[deliverable.tag_first] : NULL,
                                               deliverable.tag_count, &index);
    }
    for (uint32_t i = 0; status == LH_OK && i < graph->marker_count; i++) {
        status = graph_builder_add_marker(rebuild->builder, graph->markers[i].frame, graph->markers[i].name);
    }
    return status;
}

static enum lh_status copy_all(struct rebuild *rebuild, struct lh_arena *arena)
{
    const struct graph *graph = rebuild->graph;
    uint32_t largest = 0;
    for (uint32_t i = 0; i < graph->node_count; i++) {
        bool sum = graph->nodes[i].kind == GRAPH_NODE_BUS || graph->nodes[i].kind == GRAPH_NODE_PARTIAL;
        largest = sum && graph->nodes[i].count > largest ? graph->nodes[i].count : largest;
    }
    rebuild->nodes = lh_arena_array(arena, graph->node_count, sizeof *rebuild->nodes);
    rebuild->curves = lh_arena_array(arena, graph->curve_count, sizeof *rebuild->curves);
    rebuild->stored = lh_arena_array(arena, graph->stored_count, sizeof *rebuild->stored);
    rebuild->list = lh_arena_array(arena, largest, sizeof *rebuild->list);
    rebuild->next = lh_arena_array(arena, largest, sizeof *rebuild->next);
    rebuild->parts = lh_arena_array(arena, largest, sizeof *rebuild->parts);
    rebuild->group = lh_arena_array(arena, largest, sizeof *rebuild->group);
    if (rebuild->nodes == NULL || rebuild->curves == NULL || rebuild->stored == NULL || rebuild->list == NULL ||
        rebuild->next == NULL || rebuild->parts == NULL || rebuild->group == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    enum lh_status status = copy_media(rebuild);
    status = status != LH_OK ? status : copy_stored(rebuild, arena);
    status = status != LH_OK ? status : copy_curves(rebuild);
    status = status != LH_OK ? status : graph_builder_set_tempo(rebuild->builder, graph->tempo, graph->tempo_count);
    for (uint32_t i = 0; status == LH_OK && i < graph->node_count; i++) {
        status = copy_node(rebuild, arena, i);
    }
    return status != LH_OK ? status : copy_deliveries(rebuild);
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
    enum lh_status status = copy_all(&rebuild, &arena);
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
