/* SPDX-License-Identifier: MIT */
/* graph/span.c: how far nodes are read, and the deliverables that store them. That the engine reads by the same rule is
   in tests/engine/plan, that the bits are the whole's in tests/identity. */
#include "graph/span.h"

#include <string.h>

#include "tests/graph/band.h"
#include "tests/graph/fixture.h"
#include "tests/graph/piece.h"
#include "tests/support/testing.h"

#define NODES_MAX 64

/* The band: keys = synth; comp(fuzz(clips), keyed by synth); bus(synth, comp). 480 000 frames; 468.75 quanta. */
struct nodes {
    uint32_t clips, fuzz, synth, comp, bus;
};

static struct nodes nodes_of(const struct graph *graph)
{
    struct nodes nodes = {.bus = graph->deliverables[0].node};
    for (uint32_t i = 0; i < graph->node_count; i++) {
        const struct graph_node *node = &graph->nodes[i];
        if (node->kind == GRAPH_NODE_CLIPS) {
            nodes.clips = i;
        } else if (node->kind == GRAPH_NODE_PLUGIN) {
            *(node->count == 0 ? &nodes.synth : node->count == 1 ? &nodes.fuzz : &nodes.comp) = i;
        }
    }
    return nodes;
}

static void expect_span(const struct graph_span *span, int64_t begin, int64_t silence, int64_t stop)
{
    ck_assert_int_eq(span->begin, begin);
    ck_assert_int_eq(span->silence, silence);
    ck_assert_int_eq(span->stop, stop);
}

START_TEST(plugins_read_ahead_to_the_grid)
{
    const struct graph *graph = band_new(&(struct band){.bpm = 0});
    struct nodes nodes = nodes_of(graph);
    struct graph_span spans[NODES_MAX];
    uint32_t latencies[3];
    latencies[graph->nodes[nodes.fuzz].insert] = 1;
    latencies[graph->nodes[nodes.comp].insert] = 769; /* 480 000 + 768 would still be on the grid */
    latencies[graph->nodes[nodes.synth].insert] = 50000;
    graph_spans(graph, 0, latencies, spans);
    expect_span(&spans[nodes.bus], 0, INT64_MAX, 480000);
    expect_span(&spans[nodes.comp], 0, INT64_MAX, 480000);
    expect_span(&spans[nodes.synth], 0, INT64_MAX, 481280); /* as a side chain; in the dry path it is read less far */
    expect_span(&spans[nodes.fuzz], 0, INT64_MAX, 481280);
    expect_span(&spans[nodes.clips], 0, INT64_MAX, 482304);
    graph_spans(graph, 0, NULL, spans);
    expect_span(&spans[nodes.bus], 0, INT64_MAX, 480000);
    expect_span(&spans[nodes.clips], 0, INT64_MAX, 480256);
    graph_unref(graph);
}
END_TEST

START_TEST(what_is_upstream_of_an_unknown_latency_is_unknown)
{
    const struct graph *graph = band_new(&(struct band){.bpm = 0});
    struct nodes nodes = nodes_of(graph);
    struct graph_span spans[NODES_MAX];
    uint32_t latencies[3] = {0, 0, 0};
    latencies[graph->nodes[nodes.comp].insert] = GRAPH_NONE;
    graph_spans(graph, 0, latencies, spans);
    ck_assert_int_eq(spans[nodes.bus].stop, 480000);
    ck_assert_int_eq(spans[nodes.comp].stop, 480000);
    ck_assert_int_eq(spans[nodes.synth].stop, INT64_MAX);
    ck_assert_int_eq(spans[nodes.fuzz].stop, INT64_MAX);
    ck_assert_int_eq(spans[nodes.clips].stop, INT64_MAX);
    graph_unref(graph);
}
END_TEST

/* Passes differ by their pre-roll and by whether there is a tail; the longest of a pass counts. */
START_TEST(each_pass_has_its_own_spans)
{
    const struct graph *whole = band_new(&(struct band){.bpm = 0});
    struct nodes nodes = nodes_of(whole);
    struct graph_deliverable files[4];
    struct graph graph = *whole;
    for (size_t i = 0; i < 4; i++) {
        files[i] = whole->deliverables[0];
        files[i].start = 5000;
    }
    files[1].preroll = 700;
    files[2].tail = files[3].tail = GRAPH_TAIL_FRAMES;
    files[2].tail_frames = 10;
    files[3].tail_frames = 2000;
    files[3].node = nodes.fuzz;
    graph.deliverables = files;
    graph.deliverable_count = 4;
    struct graph_span spans[NODES_MAX];
    graph_spans(&graph, 1, NULL, spans);
    expect_span(&spans[nodes.bus], 4300, INT64_MAX, 480000);
    expect_span(&spans[nodes.fuzz], 4300, INT64_MAX, 480256);
    graph_spans(&graph, 2, NULL, spans);
    expect_span(&spans[nodes.bus], 5000, 480000, 480010);
    expect_span(&spans[nodes.comp], 5000, 480000, 480010);
    expect_span(&spans[nodes.fuzz], 5000, 480000, 482000);
    expect_span(&spans[nodes.clips], 5000, 480000, 482304);
    graph_unref(whole);
}
END_TEST

/* Without plugins a pass begins at the start; what no deliverable of the pass needs has no frames. */
START_TEST(native_passes)
{
    const struct graph *mix = fixture_mix_ordered(NULL, NULL);
    struct graph_deliverable files[2] = {mix->deliverables[1], mix->deliverables[0]};
    struct graph graph = *mix;
    files[0].gain_from = GRAPH_NONE;
    files[0].start = files[0].preroll = 900;
    graph.deliverables = files;
    graph.deliverable_count = 2;
    struct graph_span spans[NODES_MAX];
    graph_spans(&graph, 0, NULL, spans);
    expect_span(&spans[files[0].node], 900, INT64_MAX, 480000);
    expect_span(&spans[files[1].node], 0, INT64_MAX, 0);
    graph_spans(&graph, 1, NULL, spans);
    expect_span(&spans[files[1].node], 0, 480000, 576000);
    expect_span(&spans[files[0].node], 0, 480000, 576000);
    graph_unref(mix);
}
END_TEST

START_TEST(a_span_and_its_deliverable_say_the_same)
{
    static const struct graph_span spans[] = {
        {0, INT64_MAX, 480000}, {300, 1000, 1001}, {300, 300, 900}, {7, INT64_MAX, 7}};
    for (size_t i = 0; i < sizeof spans / sizeof *spans; i++) {
        struct graph_deliverable file;
        memset(&file, 0x55, sizeof file);
        file.name = "piece";
        file.node = 3;
        graph_span_deliver(&spans[i], 44100, &file);
        ck_assert(file.format == GRAPH_FORMAT_STORED && file.rate == 44100 && file.node == 3 && !file.has_integrated);
        struct graph_span again = graph_span_of(&file);
        expect_span(&again, spans[i].begin, spans[i].silence, spans[i].stop);
        struct graph_stored stored = graph_span_stored(&spans[i], 3, true);
        ck_assert(stored.channels == 3 && stored.sum && stored.begin == spans[i].begin);
        ck_assert_int_eq(stored.begin + stored.frames, spans[i].stop);
        /* The pass of that deliverable is the span's, with plugins and without. */
        struct graph graph = {.insert_count = 1};
        ck_assert_int_eq(graph_pass_begin(&graph, &file), spans[i].begin);
        ck_assert_int_eq(graph_pass_silence(&graph, &file), spans[i].silence);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("graph/span");
    TCase *test = tcase_create("span");
    tcase_add_test(test, plugins_read_ahead_to_the_grid);
    tcase_add_test(test, what_is_upstream_of_an_unknown_latency_is_unknown);
    tcase_add_test(test, each_pass_has_its_own_spans);
    tcase_add_test(test, native_passes);
    tcase_add_test(test, a_span_and_its_deliverable_say_the_same);
    suite_add_tcase(suite, test);
    return testing_main(suite);
}
