/* SPDX-License-Identifier: MIT */
/* Two stored nodes and a clip on one bus, cut once more. */
#include "tests/graph/piece.h"

#include <check.h>

#include "graph/span.h"
#include "tests/graph/fixture.h"

static enum lh_status add_nodes(struct graph_builder *builder, uint32_t *track, uint32_t *sum, uint32_t *bus)
{
    static const struct graph_stored entries[PIECE_STORED] = {
        [PIECE_TRACK] = {.channels = 2, .begin = 100, .frames = 500000},
        [PIECE_SUM] = {.channels = 2, .sum = true, .begin = 0, .frames = 490000},
        [PIECE_UNUSED] = {.channels = 1, .begin = 7, .frames = 0},
    };
    static const char *const labels[PIECE_STORED] = {"track kick", "drums", "nobody"};
    uint32_t nodes[PIECE_STORED];
    uint32_t media, clips, curve, faded;
    const struct graph_media facts = fixture_media(2, 48000, "bass");
    enum lh_status status = graph_builder_add_media(builder, &facts, &media);
    for (uint32_t i = 0; status == LH_OK && i < PIECE_STORED; i++) {
        status = graph_builder_add_stored(builder, &entries[i], labels[i], &nodes[i]);
    }
    if (status != LH_OK) {
        return status;
    }
    const struct graph_region region = {
        .media = media, .start = 10, .length = 480, .gain = 1, .fade_in = GRAPH_NONE, .fade_out = GRAPH_NONE};
    status = graph_builder_add_clips(builder, 2, false, &region, 1, "bass", &clips);
    status = status != LH_OK
                 ? status
                 : graph_builder_add_curve(builder, &(struct graph_point){.frame = 0, .value = 0.5f}, 1, &curve);
    if (status != LH_OK) {
        return status;
    }
    status = graph_builder_add_gain(builder, nodes[PIECE_TRACK], 2, (uint32_t[]){curve, curve}, "fader", &faded);
    if (status != LH_OK) {
        return status;
    }
    status = graph_builder_add_sum(builder, GRAPH_NODE_PARTIAL, 2, false, (uint32_t[]){faded, nodes[PIECE_SUM]}, 2,
                                   "drums", sum);
    *track = faded;
    return status != LH_OK
               ? status
               : graph_builder_add_sum(builder, GRAPH_NODE_BUS, 2, false, (uint32_t[]){clips, *sum}, 2, "master", bus);
}

enum lh_status piece_make(const struct graph **graph)
{
    struct graph_builder *builder;
    enum lh_status status = graph_builder_new(48000, 1024, &builder);
    if (status != LH_OK) {
        return status;
    }
    uint32_t track, sum, bus, index;
    status = add_nodes(builder, &track, &sum, &bus);
    if (status == LH_OK) {
        struct graph_deliverable mix = fixture_deliverable(bus, "mix");
        status = graph_builder_add_deliverable(builder, &mix, NULL, 0, &index);
    }
    if (status == LH_OK) {
        struct graph_deliverable file = {.name = "sum", .node = sum};
        const struct graph_span span = {.begin = 100, .silence = 480000, .stop = 490000};
        graph_span_deliver(&span, 48000, &file);
        status = graph_builder_add_deliverable(builder, &file, NULL, 0, &index);
    }
    if (status == LH_OK) {
        struct graph_deliverable file = {.name = "track", .node = track};
        const struct graph_span span = {.begin = 200, .silence = INT64_MAX, .stop = 480000};
        graph_span_deliver(&span, 48000, &file);
        status = graph_builder_add_deliverable(builder, &file, NULL, 0, &index);
    }
    status = status != LH_OK ? status : graph_builder_finish(builder, graph, NULL);
    graph_builder_free(builder);
    return status;
}

const struct graph *piece_new(void)
{
    const struct graph *graph = NULL;
    ck_assert_int_eq(piece_make(&graph), LH_OK);
    return graph;
}
