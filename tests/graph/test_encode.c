/* SPDX-License-Identifier: MIT */
/* graph/encode.c: one encoding for each graph. */
#include "graph/encode.h"

#include "graph/layout.h"
#include "graph/partition.h"
#include "tests/graph/fixture.h"
#include "tests/graph/piece.h"
#include "tests/support/testing.h"

static void expect_round_trip(const struct graph *graph)
{
    struct lh_writer bytes;
    struct lh_writer again;
    lh_writer_init(&bytes);
    lh_writer_init(&again);
    ck_assert_int_eq(graph_encode(graph, &bytes), LH_OK);
    const struct graph *decoded = NULL;
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_msg(graph_decode(bytes.data, bytes.size, &decoded, &error) == LH_OK, "%s: %s", error.where,
                  error.message);
    ck_assert_int_eq(graph_encode(decoded, &again), LH_OK);
    ck_assert_uint_eq(bytes.size, again.size);
    ck_assert_mem_eq(bytes.data, again.data, bytes.size);
    ck_assert_uint_eq(decoded->node_count, graph->node_count);
    for (uint32_t i = 0; i < graph->node_count; i++) {
        ck_assert_uint_eq(decoded->nodes[i].first, graph->nodes[i].first);
        ck_assert_uint_eq(decoded->nodes[i].curves, graph->nodes[i].curves);
        ck_assert_str_eq(decoded->nodes[i].label, graph->nodes[i].label);
    }
    graph_unref(decoded);
    lh_writer_fini(&bytes);
    lh_writer_fini(&again);
}

START_TEST(graphs_round_trip)
{
    const struct graph *mix = fixture_mix_ordered(NULL, NULL);
    expect_round_trip(mix);
    for (uint64_t seed = 0; seed < 20; seed++) {
        const struct graph *cut = NULL;
        ck_assert_int_eq(graph_partition_seeded(mix, seed, &cut, NULL), LH_OK);
        expect_round_trip(cut);
        graph_unref(cut);
    }
    graph_unref(mix);
    const struct graph *large = fixture_large(20, 50);
    expect_round_trip(large);
    graph_unref(large);
    const struct graph *piece = piece_new();
    expect_round_trip(piece);
    graph_unref(piece);
}
END_TEST

/* The layout is public: a change of these bytes needs a new version. */
START_TEST(layout_is_fixed)
{
    struct graph_builder *builder;
    ck_assert_int_eq(graph_builder_new(48000, 1024, &builder), LH_OK);
    uint32_t index;
    ck_assert_int_eq(graph_builder_add_sum(builder, GRAPH_NODE_BUS, 2, true, NULL, 0, "hi", &index), LH_OK);
    struct graph_deliverable mix = fixture_deliverable(0, "m");
    ck_assert_int_eq(graph_builder_add_deliverable(builder, &mix, NULL, 0, &index), LH_OK);
    const struct graph *graph = NULL;
    ck_assert_int_eq(graph_builder_finish(builder, &graph, NULL), LH_OK);
    graph_builder_free(builder);
    struct lh_writer bytes;
    lh_writer_init(&bytes);
    ck_assert_int_eq(graph_encode(graph, &bytes), LH_OK);
    /* Head, counts, the node, the first members of its deliverable. */
    static const char expected[] = "LHgraph\0\3\0\0\0\x80\xBB\0\0\0\4\0\0"
                                   "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
                                   "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
                                   "\1\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0"
                                   "\2\1\2\0\0\0\0\0\0\0\2\0\0\0hi"
                                   "\0\0\0\0\0\0\0\0\0\0\0\0\x00\x53\x07\0\0\0\0";
    size_t head = sizeof expected - 20; /* without the deliverable's members; the last 0 ends the literal */
    ck_assert_uint_eq(bytes.size, head + GRAPH_DELIVERABLE_BYTES + 1);
    ck_assert_mem_eq(bytes.data, expected, sizeof expected);
    lh_writer_fini(&bytes);
    graph_unref(graph);
}
END_TEST

/* The same of what is stored: the table behind the media, and which entry a node plays. */
START_TEST(layout_of_stored_frames_is_fixed)
{
    struct graph_builder *builder;
    ck_assert_int_eq(graph_builder_new(48000, 1024, &builder), LH_OK);
    const struct graph_stored entries[] = {{.channels = 2, .sum = true, .begin = 1, .frames = 2},
                                           {.channels = 1, .begin = 0x0102030405, .frames = 3}};
    uint32_t nodes[2];
    uint32_t index;
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(graph_builder_add_stored(builder, &entries[i], "hi", &nodes[i]), LH_OK);
    }
    struct graph_deliverable mix = fixture_deliverable(nodes[1], "m");
    ck_assert_int_eq(graph_builder_add_deliverable(builder, &mix, NULL, 0, &index), LH_OK);
    const struct graph *graph = NULL;
    ck_assert_int_eq(graph_builder_finish(builder, &graph, NULL), LH_OK);
    graph_builder_free(builder);
    struct lh_writer bytes;
    lh_writer_init(&bytes);
    ck_assert_int_eq(graph_encode(graph, &bytes), LH_OK);
    static const char expected[] = "\2\0\0\0\1\1\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0"
                                   "\1\0\0\0\0\5\4\3\2\1\0\0\0\3\0\0\0\0\0\0\0"
                                   "\5\0\1\0\0\0\1\0\0\0\2\0\0\0hi\1\0\0\0";
    size_t head = bytes.size - (GRAPH_DELIVERABLE_BYTES + 1) - (sizeof expected - 1);
    ck_assert_uint_eq(head, 8 + 3 * 4 + 16 * 4);
    ck_assert_mem_eq(bytes.data + head, expected, sizeof expected - 1);
    lh_writer_fini(&bytes);
    graph_unref(graph);
}
END_TEST

START_TEST(allocations_may_fail)
{
    const struct graph *graph = fixture_mix_ordered(NULL, NULL);
    bool fired = true;
    for (size_t n = 1; fired; n++) {
        struct lh_writer bytes;
        lh_writer_init(&bytes);
        testing_fail_allocation(n);
        enum lh_status status = graph_encode(graph, &bytes);
        fired = testing_fail_allocation_end();
        ck_assert_int_eq(status, fired ? LH_ERR_NO_MEMORY : LH_OK);
        lh_writer_fini(&bytes);
    }
    graph_unref(graph);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("graph/encode");
    TCase *test = tcase_create("encode");
    tcase_add_test(test, graphs_round_trip);
    tcase_add_test(test, layout_is_fixed);
    tcase_add_test(test, layout_of_stored_frames_is_fixed);
    tcase_add_test(test, allocations_may_fail);
    suite_add_tcase(suite, test);
    return testing_main(suite);
}
