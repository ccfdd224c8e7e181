/* SPDX-License-Identifier: MIT */
/* graph/finish.c: what is not delivered goes, and the order follows from the content alone. */
#include <string.h>

#include "graph/encode.h"
#include "tests/graph/fixture.h"
#include "tests/support/testing.h"

static struct lh_writer encoded(const struct graph *graph)
{
    struct lh_writer writer;
    lh_writer_init(&writer);
    ck_assert_int_eq(graph_encode(graph, &writer), LH_OK);
    return writer;
}

START_TEST(permuted_tracks_encode_alike)
{
    const uint32_t orders[][FIXTURE_TRACKS] = {{5, 4, 3, 2, 1, 0}, {2, 0, 4, 1, 5, 3}, {1, 2, 3, 4, 5, 0}};
    const struct graph *first = fixture_mix_ordered(NULL, NULL);
    struct lh_writer expected = encoded(first);
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
        const struct graph *graph = fixture_mix_ordered(orders[i], NULL);
        struct lh_writer bytes = encoded(graph);
        ck_assert_uint_eq(bytes.size, expected.size);
        ck_assert_mem_eq(bytes.data, expected.data, bytes.size);
        lh_writer_fini(&bytes);
        graph_unref(graph);
    }
    lh_writer_fini(&expected);
    graph_unref(first);
}
END_TEST

START_TEST(undelivered_entries_are_dropped)
{
    struct graph_builder *builder;
    ck_assert_int_eq(graph_builder_new(48000, 64, &builder), LH_OK);
    struct graph_media media = fixture_media(1, 100, "kick");
    uint32_t index;
    ck_assert_int_eq(graph_builder_add_media(builder, &media, &index), LH_OK);
    uint32_t used;
    uint32_t unused;
    ck_assert_int_eq(graph_builder_add_curve(builder, (struct graph_point[]){{0, 0.5f}}, 1, &unused), LH_OK);
    ck_assert_int_eq(graph_builder_add_curve(builder, (struct graph_point[]){{0, 0.1f}, {9, 2.0f}}, 2, &used), LH_OK);
    struct graph_region region = {
        .media = 0, .length = 10, .gain = 1.0f, .fade_in = GRAPH_NONE, .fade_out = GRAPH_NONE};
    uint32_t clips;
    uint32_t other;
    uint32_t node;
    ck_assert_int_eq(graph_builder_add_clips(builder, 1, false, &region, 1, "kept", &clips), LH_OK);
    region.start = 5;
    ck_assert_int_eq(graph_builder_add_clips(builder, 1, false, &region, 1, "dropped", &other), LH_OK);
    ck_assert_int_eq(graph_builder_add_gain(builder, other, 1, &unused, "dropped", &node), LH_OK);
    ck_assert_int_eq(graph_builder_add_gain(builder, clips, 1, &used, "kept", &node), LH_OK);
    struct graph_deliverable mix = fixture_deliverable(node, "mix");
    ck_assert_int_eq(graph_builder_add_deliverable(builder, &mix, NULL, 0, &index), LH_OK);
    const struct graph *graph = NULL;
    ck_assert_int_eq(graph_builder_finish(builder, &graph, NULL), LH_OK);
    ck_assert_uint_eq(graph->node_count, 2);
    ck_assert_uint_eq(graph_builder_place(builder, node), graph->deliverables[0].node);
    ck_assert_uint_eq(graph_builder_place(builder, clips), graph->inputs[graph->nodes[1].first]);
    ck_assert_uint_eq(graph_builder_place(builder, other), GRAPH_NONE);
    ck_assert_uint_eq(graph_builder_place(builder, 77), GRAPH_NONE);
    ck_assert_uint_eq(graph->region_count, 1);
    ck_assert_uint_eq(graph->curve_count, 1);
    ck_assert_uint_eq(graph->point_count, 2);
    ck_assert_uint_eq(graph->curve_ref_count, 1);
    ck_assert_uint_eq(graph->input_count, 1);
    ck_assert_str_eq(graph->nodes[graph->deliverables[0].node].label, "kept");
    graph_unref(graph);
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_int_eq(graph_builder_finish(builder, &graph, &error), LH_ERR_USAGE);
    graph_builder_free(builder);
}
END_TEST

START_TEST(empty_graph_is_valid)
{
    struct graph_builder *builder;
    ck_assert_int_eq(graph_builder_new(44100, 1024, &builder), LH_OK);
    const struct graph *graph = NULL;
    ck_assert_int_eq(graph_builder_finish(builder, &graph, NULL), LH_OK);
    ck_assert_uint_eq(graph->node_count, 0);
    graph_unref(graph);
    graph_builder_free(builder);
    graph_builder_free(NULL);
}
END_TEST

START_TEST(faults_are_told)
{
    struct graph_builder *builder;
    ck_assert_int_eq(graph_builder_new(44100, 1000, &builder), LH_OK);
    const struct graph *graph = NULL;
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_int_eq(graph_builder_finish(builder, &graph, &error), LH_ERR_FORMAT);
    ck_assert_str_eq(error.where, "quantum");
    ck_assert_ptr_null(graph);
    graph_builder_free(builder);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("graph/finish");
    TCase *test = tcase_create("finish");
    tcase_add_test(test, permuted_tracks_encode_alike);
    tcase_add_test(test, undelivered_entries_are_dropped);
    tcase_add_test(test, empty_graph_is_valid);
    tcase_add_test(test, faults_are_told);
    suite_add_tcase(suite, test);
    return testing_main(suite);
}
