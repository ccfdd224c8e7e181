/* SPDX-License-Identifier: MIT */
/* graph/partition.c: cuts are made as asked, and are functions of the seed. That keys stay is in test_keys.c. */
#include "graph/partition.h"

#include "graph/encode.h"
#include "tests/graph/fixture.h"
#include "tests/graph/piece.h"
#include "tests/support/testing.h"

static uint32_t count_kind(const struct graph *graph, enum graph_node_kind kind)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < graph->node_count; i++) {
        count += graph->nodes[i].kind == kind ? 1 : 0;
    }
    return count;
}

/* Pairs at every level, until one is left. */
static uint32_t pairs(void *context, uint32_t bus, uint32_t level, uint32_t position, uint32_t count)
{
    (void)context;
    (void)bus;
    (void)level;
    return count == 1 ? GRAPH_NONE : position / 2;
}

static uint32_t out_of_range(void *context, uint32_t bus, uint32_t level, uint32_t position, uint32_t count)
{
    (void)context;
    (void)bus;
    (void)level;
    (void)position;
    return count;
}

START_TEST(a_tree_of_pairs)
{
    const struct graph *graph = fixture_large(8, 2);
    struct graph_partition partition = {.levels = 3, .part = pairs};
    const struct graph *cut = NULL;
    ck_assert_int_eq(graph_partition(graph, &partition, &cut, NULL), LH_OK);
    ck_assert_uint_eq(count_kind(cut, GRAPH_NODE_PARTIAL), 4 + 2 + 1);
    ck_assert_uint_eq(count_kind(cut, GRAPH_NODE_BUS), 1);
    ck_assert_uint_eq(cut->nodes[cut->deliverables[0].node].count, 1);
    ck_assert_uint_eq(cut->region_count, graph->region_count);
    graph_unref(cut);
    graph_unref(graph);
}
END_TEST

START_TEST(seeds_give_different_but_repeatable_cuts)
{
    const struct graph *graph = fixture_mix_ordered(NULL, NULL);
    uint32_t different = 0;
    size_t last_size = 0;
    for (uint64_t seed = 0; seed < 30; seed++) {
        struct lh_writer bytes[2];
        for (int i = 0; i < 2; i++) {
            const struct graph *cut = NULL;
            ck_assert_int_eq(graph_partition_seeded(graph, seed, &cut, NULL), LH_OK);
            lh_writer_init(&bytes[i]);
            ck_assert_int_eq(graph_encode(cut, &bytes[i]), LH_OK);
            graph_unref(cut);
        }
        ck_assert_uint_eq(bytes[0].size, bytes[1].size);
        ck_assert_mem_eq(bytes[0].data, bytes[1].data, bytes[0].size);
        different += bytes[0].size != last_size ? 1 : 0;
        last_size = bytes[0].size;
        lh_writer_fini(&bytes[0]);
        lh_writer_fini(&bytes[1]);
    }
    ck_assert_uint_gt(different, 5);
    graph_unref(graph);
}
END_TEST

START_TEST(no_levels_is_a_copy)
{
    const struct graph *graph = fixture_mix_ordered(NULL, NULL);
    struct graph_partition partition = {.levels = 0, .part = pairs};
    const struct graph *cut = NULL;
    ck_assert_int_eq(graph_partition(graph, &partition, &cut, NULL), LH_OK);
    struct lh_writer a;
    struct lh_writer b;
    lh_writer_init(&a);
    lh_writer_init(&b);
    ck_assert_int_eq(graph_encode(graph, &a), LH_OK);
    ck_assert_int_eq(graph_encode(cut, &b), LH_OK);
    ck_assert_uint_eq(a.size, b.size);
    ck_assert_mem_eq(a.data, b.data, a.size);
    lh_writer_fini(&a);
    lh_writer_fini(&b);
    graph_unref(cut);
    graph_unref(graph);
}
END_TEST

START_TEST(stored_entries_stay_where_they_are)
{
    const struct graph *graph = piece_new();
    for (uint64_t seed = 0; seed < 10; seed++) {
        const struct graph *cut = NULL;
        ck_assert_int_eq(graph_partition_seeded(graph, seed, &cut, NULL), LH_OK);
        ck_assert_uint_eq(cut->stored_count, PIECE_STORED);
        ck_assert_mem_eq(cut->stored, graph->stored, PIECE_STORED * sizeof *cut->stored);
        ck_assert_uint_eq(count_kind(cut, GRAPH_NODE_STORED), PIECE_PLAYED);
        graph_unref(cut);
    }
    graph_unref(graph);
}
END_TEST

START_TEST(wrong_cuts_are_refused)
{
    const struct graph *graph = fixture_mix_ordered(NULL, NULL);
    const struct graph *cut = NULL;
    struct lh_error error = LH_ERROR_INIT;
    struct graph_partition partition = {.levels = 1, .part = out_of_range};
    ck_assert_int_eq(graph_partition(graph, &partition, &cut, &error), LH_ERR_USAGE);
    partition.levels = GRAPH_PARTITION_LEVELS_MAX + 1;
    ck_assert_int_eq(graph_partition(graph, &partition, &cut, &error), LH_ERR_USAGE);
    ck_assert_ptr_null(cut);
    graph_unref(graph);
}
END_TEST

START_TEST(allocations_may_fail)
{
    const struct graph *graph = fixture_mix_ordered(NULL, NULL);
    bool fired = true;
    for (size_t n = 1; fired; n++) {
        const struct graph *cut = NULL;
        testing_fail_allocation(n);
        enum lh_status status = graph_partition_seeded(graph, 5, &cut, NULL);
        fired = testing_fail_allocation_end();
        ck_assert_int_eq(status, fired ? LH_ERR_NO_MEMORY : LH_OK);
        graph_unref(cut);
    }
    graph_unref(graph);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("graph/partition");
    TCase *test = tcase_create("partition");
    tcase_add_test(test, a_tree_of_pairs);
    tcase_add_test(test, seeds_give_different_but_repeatable_cuts);
    tcase_add_test(test, no_levels_is_a_copy);
    tcase_add_test(test, stored_entries_stay_where_they_are);
    tcase_add_test(test, wrong_cuts_are_refused);
    tcase_add_test(test, allocations_may_fail);
    suite_add_tcase(suite, test);
    return testing_main(suite);
}
