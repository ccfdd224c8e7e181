/* SPDX-License-Identifier: MIT */
/* graph/graph.c: references, and curves evaluated by their formula. */
#include "graph/graph.h"

#include "tests/graph/fixture.h"
#include "tests/support/testing.h"

/* A graph whose only curve has these points. */
static struct graph graph_of(const struct graph_point *points, struct graph_curve *curve)
{
    return (struct graph){.points = points, .point_count = curve->count, .curves = curve, .curve_count = 1};
}

START_TEST(curve_follows_its_formula)
{
    struct graph_point points[] = {{100, 0.1f}, {200, 0.9f}, {200, 0.3f}, {1000000007, -2.5f}};
    struct graph_curve curve = {.first = 0, .count = 4};
    struct graph graph = graph_of(points, &curve);
    ck_assert(graph_curve_at(&graph, 0, -5) == 0.1f);
    ck_assert(graph_curve_at(&graph, 0, 99) == 0.1f);
    ck_assert(graph_curve_at(&graph, 0, 100) == 0.1f);
    double slope = ((double)0.9f - 0.1f) / 100.0;
    ck_assert(graph_curve_at(&graph, 0, 150) == (float)((double)0.1f + slope * 50.0));
    ck_assert(graph_curve_at(&graph, 0, 199) == (float)((double)0.1f + slope * 99.0));
    ck_assert(graph_curve_at(&graph, 0, 200) == 0.3f);
    ck_assert(graph_curve_at(&graph, 0, 1000000007) == -2.5f);
    ck_assert(graph_curve_at(&graph, 0, GRAPH_FRAMES_MAX) == -2.5f);
}
END_TEST

START_TEST(constant_is_found)
{
    struct graph_point points[] = {{0, 0.5f}, {10, 0.5f}, {10, 0.5f}};
    struct graph_curve curve = {.first = 0, .count = 3};
    struct graph graph = graph_of(points, &curve);
    float value = 0.0f;
    ck_assert(graph_curve_is_constant(&graph, 0, &value));
    ck_assert(value == 0.5f);
    points[2].value = 0.25f;
    value = 7.0f;
    ck_assert(!graph_curve_is_constant(&graph, 0, &value));
    ck_assert(value == 7.0f);
}
END_TEST

START_TEST(references_keep_it_alive)
{
    const struct graph *graph = fixture_mix_ordered(NULL, NULL);
    graph_ref(graph);
    graph_unref(graph);
    ck_assert_uint_eq(graph->sample_rate, 48000);
    graph_unref(graph);
    graph_unref(NULL);
}
END_TEST

START_TEST(converted_length_is_rounded_to_nearest_ties_to_even)
{
    ck_assert_uint_eq(graph_converted_length(0, 44100, 48000), 0);
    ck_assert_uint_eq(graph_converted_length(44100, 44100, 48000), 48000);
    ck_assert_uint_eq(graph_converted_length(1, 96000, 48000), 0); /* 0.5 */
    ck_assert_uint_eq(graph_converted_length(3, 96000, 48000), 2); /* 1.5 */
    ck_assert_uint_eq(graph_converted_length(5, 96000, 48000), 2); /* 2.5 */
    ck_assert_uint_eq(graph_converted_length(2, 48000, 44100), 2); /* 1.8375 */
    ck_assert_uint_eq(graph_converted_length(1000001, 48000, 44100), 918751);
    ck_assert_uint_eq(graph_converted_length((UINT64_C(1) << 40) - 1, 768000, 768000), (UINT64_C(1) << 40) - 1);
    ck_assert_uint_eq(graph_converted_length((UINT64_C(1) << 40) - 1, 1000, 768000), ((UINT64_C(1) << 40) - 1) * 768);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("graph/graph");
    TCase *test = tcase_create("graph");
    tcase_add_test(test, curve_follows_its_formula);
    tcase_add_test(test, constant_is_found);
    tcase_add_test(test, references_keep_it_alive);
    tcase_add_test(test, converted_length_is_rounded_to_nearest_ties_to_even);
    suite_add_tcase(suite, test);
    return testing_main(suite);
}
