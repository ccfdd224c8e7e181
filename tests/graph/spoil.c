/* SPDX-License-Identifier: MIT */
/* Writable copies of a graph. */
#include "tests/graph/spoil.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "graph/partition.h"
#include "tests/graph/fixture.h"
#include "tests/graph/piece.h"

static void *copy(const void *table, size_t count, size_t size)
{
    void *made = calloc(count + 1, size);
    ck_assert_ptr_nonnull(made);
    if (count > 0) {
        memcpy(made, table, count * size);
    }
    return made;
}

static uint32_t pair_up(void *context, uint32_t bus, uint32_t level, uint32_t position, uint32_t count)
{
    (void)context;
    (void)bus;
    (void)level;
    (void)count;
    return position / 2;
}

/* Lets go of the graph. */
static void copy_graph(struct spoilt *spoilt, const struct graph *graph)
{
    spoilt->graph = *graph;
    spoilt->graph.stored = spoilt->stored = copy(graph->stored, graph->stored_count, sizeof *graph->stored);
    spoilt->graph.media = spoilt->media = copy(graph->media, graph->media_count, sizeof *graph->media);
    spoilt->graph.points = spoilt->points = copy(graph->points, graph->point_count, sizeof *graph->points);
    spoilt->graph.curves = spoilt->curves = copy(graph->curves, graph->curve_count, sizeof *graph->curves);
    spoilt->graph.regions = spoilt->regions = copy(graph->regions, graph->region_count, sizeof *graph->regions);
    spoilt->graph.inputs = spoilt->inputs = copy(graph->inputs, graph->input_count, sizeof *graph->inputs);
    spoilt->graph.curve_refs = spoilt->curve_refs =
        copy(graph->curve_refs, graph->curve_ref_count, sizeof *graph->curve_refs);
    spoilt->graph.nodes = spoilt->nodes = copy(graph->nodes, graph->node_count, sizeof *graph->nodes);
    spoilt->graph.deliverables = spoilt->deliverables =
        copy(graph->deliverables, graph->deliverable_count, sizeof *graph->deliverables);
    spoilt->graph.tags = spoilt->tags = copy(graph->tags, graph->tag_count, sizeof *graph->tags);
    spoilt->graph.markers = spoilt->markers = copy(graph->markers, graph->marker_count, sizeof *graph->markers);
    /* The texts belong to the graph that is let go: they become literals. */
    for (uint32_t i = 0; i < graph->media_count; i++) {
        spoilt->media[i].name = "medium";
    }
    for (uint32_t i = 0; i < graph->node_count; i++) {
        spoilt->nodes[i].label = "node";
    }
    for (uint32_t i = 0; i < graph->deliverable_count; i++) {
        spoilt->deliverables[i].name = "deliverable";
    }
    for (uint32_t i = 0; i < graph->tag_count; i++) {
        spoilt->tags[i] = (struct graph_tag){.name = "name", .value = "value"};
    }
    for (uint32_t i = 0; i < graph->marker_count; i++) {
        spoilt->markers[i].name = "marker";
    }
    graph_unref(graph);
}

void spoilt_init(struct spoilt *spoilt)
{
    const struct graph *mix = fixture_mix_ordered(NULL, NULL);
    struct graph_partition partition = {.levels = 2, .part = pair_up};
    const struct graph *graph = NULL;
    ck_assert_int_eq(graph_partition(mix, &partition, &graph, NULL), LH_OK);
    graph_unref(mix);
    copy_graph(spoilt, graph);
}

void spoilt_init_piece(struct spoilt *spoilt)
{
    copy_graph(spoilt, piece_new());
}

void spoilt_fini(struct spoilt *spoilt)
{
    free(spoilt->stored);
    free(spoilt->media);
    free(spoilt->points);
    free(spoilt->curves);
    free(spoilt->regions);
    free(spoilt->inputs);
    free(spoilt->curve_refs);
    free(spoilt->nodes);
    free(spoilt->deliverables);
    free(spoilt->tags);
    free(spoilt->markers);
}

static void run(const struct spoiler *spoiler, void (*init)(struct spoilt *))
{
    struct spoilt spoilt;
    init(&spoilt);
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_msg(graph_check(&spoilt.graph, &error) == LH_OK, "%s: %s", error.where, error.message);
    spoiler->spoil(&spoilt);
    enum lh_status status = graph_check(&spoilt.graph, &error);
    ck_assert_msg(status == LH_ERR_FORMAT, "not refused: %s", spoiler->name);
    ck_assert_msg(strncmp(error.where, spoiler->where, strlen(spoiler->where)) == 0, "%s is told at %s: %s",
                  spoiler->name, error.where, error.message);
    spoilt_fini(&spoilt);
}

void spoiler_run(const struct spoiler *spoiler)
{
    run(spoiler, spoilt_init);
}

void spoiler_run_piece(const struct spoiler *spoiler)
{
    run(spoiler, spoilt_init_piece);
}
