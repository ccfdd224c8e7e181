/* SPDX-License-Identifier: MIT */
/* graph/copy.c: copies are equal, pieces are what feeds a node, stand-ins cut. */
#include "graph/copy.h"

#include "graph/encode.h"
#include "tests/graph/band.h"
#include "tests/graph/fixture.h"
#include "tests/graph/piece.h"
#include "tests/support/testing.h"

#define DEEP 20000

static void expect_equal(const struct graph *a, const struct graph *b)
{
    struct lh_writer bytes[2];
    lh_writer_init(&bytes[0]);
    lh_writer_init(&bytes[1]);
    ck_assert_int_eq(graph_encode(a, &bytes[0]), LH_OK);
    ck_assert_int_eq(graph_encode(b, &bytes[1]), LH_OK);
    ck_assert_uint_eq(bytes[0].size, bytes[1].size);
    ck_assert_mem_eq(bytes[0].data, bytes[1].data, bytes[0].size);
    lh_writer_fini(&bytes[0]);
    lh_writer_fini(&bytes[1]);
}

static enum lh_status copy_whole(const struct graph *graph, const struct graph **out)
{
    struct graph_builder *builder;
    struct graph_copy *copy = NULL;
    enum lh_status status = graph_builder_new(graph->sample_rate, graph->quantum, &builder);
    if (status != LH_OK) {
        return status;
    }
    status = graph_copy_new(graph, builder, &copy);
    status = status != LH_OK ? status : graph_copy_sources(copy);
    for (uint32_t i = 0; status == LH_OK && i < graph->deliverable_count; i++) {
        uint32_t index;
        status = graph_copy_deliverable(copy, i, graph->deliverables[i].gain_from, &index);
    }
    status = status != LH_OK ? status : graph_copy_markers(copy);
    status = status != LH_OK ? status : graph_builder_finish(builder, out, NULL);
    graph_copy_free(copy);
    graph_builder_free(builder);
    return status;
}

static const struct graph *sample(int which)
{
    return which == 0   ? fixture_mix_ordered((uint32_t[]){5, 3, 1, 0, 2, 4}, NULL)
           : which == 1 ? band_new(&(struct band){.state = "<> <urn:a> 1 .", .identity = "me", .twin = true})
                        : piece_new();
}

START_TEST(a_whole_copy_is_equal)
{
    const struct graph *graph = sample(_i);
    const struct graph *copy = NULL;
    ck_assert_int_eq(copy_whole(graph, &copy), LH_OK);
    expect_equal(graph, copy);
    graph_unref(graph);
    graph_unref(copy);
}
END_TEST

static uint32_t node_of_kind(const struct graph *graph, enum graph_node_kind kind, uint32_t skip)
{
    for (uint32_t i = 0; i < graph->node_count; i++) {
        if (graph->nodes[i].kind == kind && skip-- == 0) {
            return i;
        }
    }
    ck_abort_msg("no such node");
}

/* A piece of the mix: one group, with its two media alone. */
START_TEST(a_piece_has_what_feeds_it)
{
    const struct graph *mix = fixture_mix_ordered(NULL, NULL);
    uint32_t drums = mix->deliverables[1].node;
    struct graph_builder *builder;
    struct graph_copy *copy;
    uint32_t node, again, index;
    ck_assert_int_eq(graph_builder_new(48000, 1024, &builder), LH_OK);
    ck_assert_int_eq(graph_copy_new(mix, builder, &copy), LH_OK);
    ck_assert_int_eq(graph_copy_node(copy, drums, &node), LH_OK);
    ck_assert_int_eq(graph_copy_node(copy, drums, &again), LH_OK);
    ck_assert_uint_eq(node, again);
    uint32_t count;
    const uint32_t *media = graph_copy_media(copy, &count);
    ck_assert_uint_eq(count, 2);
    struct graph_deliverable stem = fixture_deliverable(node, "drums");
    ck_assert_int_eq(graph_builder_add_deliverable(builder, &stem, NULL, 0, &index), LH_OK);
    const struct graph *piece = NULL;
    ck_assert_int_eq(graph_builder_finish(builder, &piece, NULL), LH_OK);
    ck_assert_uint_eq(piece->node_count, 5);
    for (uint32_t i = 0; i < count; i++) {
        ck_assert_str_eq(piece->media[i].name, mix->media[media[i]].name);
    }
    graph_copy_free(copy);
    graph_builder_free(builder);
    graph_unref(piece);
    graph_unref(mix);
}
END_TEST

/* Cut at the plugin that the compressor reads: it and its clips are gone, the instrument that keys it is not. */
START_TEST(a_stand_in_cuts)
{
    const struct graph *band = band_new(&(struct band){.bpm = 3});
    uint32_t bus = band->deliverables[0].node;
    uint32_t fuzz = GRAPH_NONE;
    for (uint32_t i = 0; i < band->node_count; i++) {
        const struct graph_node *node = &band->nodes[i];
        bool reads_clips = node->kind == GRAPH_NODE_PLUGIN && node->count == 1;
        fuzz = reads_clips ? i : fuzz;
    }
    struct graph_builder *builder;
    struct graph_copy *copy;
    struct graph_stored stored = {.channels = 2, .frames = 500000};
    uint32_t stand_in, index, count;
    ck_assert_int_eq(graph_builder_new(48000, 1024, &builder), LH_OK);
    ck_assert_int_eq(graph_copy_new(band, builder, &copy), LH_OK);
    ck_assert_int_eq(graph_builder_add_stored(builder, &stored, "fuzz", &stand_in), LH_OK);
    graph_copy_replace(copy, fuzz, stand_in);
    ck_assert_int_eq(graph_copy_deliverable(copy, 0, GRAPH_NONE, &index), LH_OK);
    const struct graph *piece = NULL;
    ck_assert_int_eq(graph_builder_finish(builder, &piece, NULL), LH_OK);
    graph_copy_media(copy, &count);
    ck_assert_uint_eq(count, 0);
    ck_assert_uint_eq(piece->node_count, band->node_count - 1);
    ck_assert_uint_eq(piece->insert_count, 2);
    ck_assert_uint_eq(piece->plugin_count, 2);
    ck_assert_uint_eq(piece->tempo_count, 2);
    ck_assert_uint_eq(piece->event_count, band->event_count);
    ck_assert_str_eq(piece->nodes[piece->deliverables[0].node].label, band->nodes[bus].label);
    node_of_kind(piece, GRAPH_NODE_STORED, 0);
    graph_copy_free(copy);
    graph_builder_free(builder);
    graph_unref(piece);
    graph_unref(band);
}
END_TEST

START_TEST(stored_entries_are_told_in_their_order)
{
    const struct graph *graph = piece_new();
    struct graph_builder *builder;
    struct graph_copy *copy;
    uint32_t node, count;
    ck_assert_int_eq(graph_builder_new(48000, 1024, &builder), LH_OK);
    ck_assert_int_eq(graph_copy_new(graph, builder, &copy), LH_OK);
    for (uint32_t i = graph->stored_count; i-- > 0;) {
        uint32_t n = 0;
        while (n < graph->node_count && (graph->nodes[n].kind != GRAPH_NODE_STORED || graph->nodes[n].first != i)) {
            n++;
        }
        if (n < graph->node_count) {
            ck_assert_int_eq(graph_copy_node(copy, n, &node), LH_OK);
        }
    }
    const uint32_t *order = graph_copy_stored(copy, &count);
    ck_assert_uint_eq(count, PIECE_PLAYED);
    ck_assert_uint_gt(order[0], order[1]);
    graph_copy_free(copy);
    graph_builder_free(builder);
    graph_unref(graph);
}
END_TEST

/* One copy for many pieces: each is what a copy of its own would have made. */
START_TEST(a_copy_starts_anew)
{
    const struct graph *graph = sample(0);
    struct graph_builder *builder;
    struct graph_copy *copy = NULL;
    ck_assert_int_eq(graph_builder_new(graph->sample_rate, graph->quantum, &builder), LH_OK);
    ck_assert_int_eq(graph_copy_new(graph, builder, &copy), LH_OK);
    for (uint32_t i = 0; i < graph->deliverable_count; i++) {
        uint32_t index, media_count, alone_count;
        graph_builder_free(builder);
        ck_assert_int_eq(graph_builder_new(graph->sample_rate, graph->quantum, &builder), LH_OK);
        ck_assert_int_eq(graph_copy_restart(copy, builder), LH_OK);
        ck_assert_int_eq(graph_copy_deliverable(copy, i, GRAPH_NONE, &index), LH_OK);
        struct graph_builder *other;
        struct graph_copy *alone = NULL;
        const struct graph *pieces[2] = {NULL, NULL};
        ck_assert_int_eq(graph_builder_new(graph->sample_rate, graph->quantum, &other), LH_OK);
        ck_assert_int_eq(graph_copy_new(graph, other, &alone), LH_OK);
        ck_assert_int_eq(graph_copy_deliverable(alone, i, GRAPH_NONE, &index), LH_OK);
        const uint32_t *media = graph_copy_media(copy, &media_count);
        const uint32_t *alone_media = graph_copy_media(alone, &alone_count);
        ck_assert_uint_eq(media_count, alone_count);
        ck_assert_mem_eq(media, alone_media, media_count * sizeof *media);
        ck_assert_int_eq(graph_builder_finish(builder, &pieces[0], NULL), LH_OK);
        ck_assert_int_eq(graph_builder_finish(other, &pieces[1], NULL), LH_OK);
        expect_equal(pieces[0], pieces[1]);
        graph_copy_free(alone);
        graph_builder_free(other);
        graph_unref(pieces[0]);
        graph_unref(pieces[1]);
    }
    graph_copy_free(copy);
    graph_builder_free(builder);
    graph_unref(graph);
}
END_TEST

/* Copied once more into the same builder a node is the same; with something else standing in it is another. */
START_TEST(what_is_forgotten_is_copied_anew)
{
    const struct graph *graph = sample(0);
    struct graph_builder *builder;
    struct graph_copy *copy = NULL;
    uint32_t first, again, other, silence, before, after;
    ck_assert_int_eq(graph_builder_new(graph->sample_rate, graph->quantum, &builder), LH_OK);
    ck_assert_int_eq(graph_copy_new(graph, builder, &copy), LH_OK);
    uint32_t mix = graph->deliverables[0].node, track = node_of_kind(graph, GRAPH_NODE_CLIPS, 0);
    ck_assert_int_eq(graph_copy_node(copy, mix, &first), LH_OK);
    graph_copy_media(copy, &before);
    graph_copy_forget(copy);
    ck_assert_int_eq(graph_copy_node(copy, mix, &again), LH_OK);
    ck_assert_uint_eq(first, again);
    graph_copy_forget(copy);
    ck_assert_int_eq(
        graph_builder_add_sum(builder, GRAPH_NODE_BUS, graph->nodes[track].channels, true, NULL, 0, "", &silence),
        LH_OK);
    graph_copy_replace(copy, track, silence);
    ck_assert_int_eq(graph_copy_node(copy, mix, &other), LH_OK);
    ck_assert_uint_ne(first, other);
    graph_copy_media(copy, &after);
    ck_assert_uint_eq(before, after);
    graph_copy_free(copy);
    graph_builder_free(builder);
    graph_unref(graph);
}
END_TEST

/* As deep as it is long: no recursion. */
START_TEST(a_deep_graph_is_copied)
{
    struct graph_builder *builder;
    uint32_t node, curve, index;
    ck_assert_int_eq(graph_builder_new(48000, 1024, &builder), LH_OK);
    ck_assert_int_eq(graph_builder_add_clips(builder, 1, false, NULL, 0, "", &node), LH_OK);
    ck_assert_int_eq(graph_builder_add_curve(builder, &(struct graph_point){.value = 0.5f}, 1, &curve), LH_OK);
    for (int i = 0; i < DEEP; i++) {
        ck_assert_int_eq(graph_builder_add_gain(builder, node, 1, &curve, "", &node), LH_OK);
    }
    struct graph_deliverable mix = fixture_deliverable(node, "mix");
    ck_assert_int_eq(graph_builder_add_deliverable(builder, &mix, NULL, 0, &index), LH_OK);
    const struct graph *graph = NULL;
    const struct graph *copy = NULL;
    ck_assert_int_eq(graph_builder_finish(builder, &graph, NULL), LH_OK);
    graph_builder_free(builder);
    ck_assert_int_eq(copy_whole(graph, &copy), LH_OK);
    expect_equal(graph, copy);
    graph_unref(graph);
    graph_unref(copy);
}
END_TEST

START_TEST(allocations_may_fail)
{
    const struct graph *graph = sample(_i);
    bool fired = true;
    for (size_t n = 1; fired; n++) {
        const struct graph *copy = NULL;
        testing_fail_allocation(n);
        enum lh_status status = copy_whole(graph, &copy);
        fired = testing_fail_allocation_end();
        ck_assert_int_eq(status, fired ? LH_ERR_NO_MEMORY : LH_OK);
        graph_unref(copy);
    }
    graph_unref(graph);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("graph/copy");
    TCase *test = tcase_create("copy");
    tcase_add_loop_test(test, a_whole_copy_is_equal, 0, 3);
    tcase_add_test(test, a_piece_has_what_feeds_it);
    tcase_add_test(test, a_stand_in_cuts);
    tcase_add_test(test, stored_entries_are_told_in_their_order);
    tcase_add_test(test, a_copy_starts_anew);
    tcase_add_test(test, what_is_forgotten_is_copied_anew);
    tcase_add_test(test, a_deep_graph_is_copied);
    tcase_add_loop_test(test, allocations_may_fail, 0, 3);
    suite_add_tcase(suite, test);
    return testing_main(suite);
}
