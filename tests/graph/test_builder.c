/* SPDX-License-Identifier: MIT */
/* graph/builder.c and state.c: equal entries become one, arguments are checked. */
#include "graph/builder.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tests/graph/fixture.h"
#include "tests/support/testing.h"

static struct graph_builder *builder;
static uint32_t medium;

static void setup(void)
{
    ck_assert_int_eq(graph_builder_new(48000, 1024, &builder), LH_OK);
    struct graph_media media = fixture_media(1, 48000, "kick");
    ck_assert_int_eq(graph_builder_add_media(builder, &media, &medium), LH_OK);
}

static void teardown(void)
{
    graph_builder_free(builder);
    builder = NULL;
}

static uint32_t add_curve(const struct graph_point *points, size_t count)
{
    uint32_t index = GRAPH_NONE;
    ck_assert_int_eq(graph_builder_add_curve(builder, points, count, &index), LH_OK);
    return index;
}

static struct graph_region region(int64_t start)
{
    return (struct graph_region){
        .media = medium, .start = start, .length = 100, .gain = 1.0f, .fade_in = GRAPH_NONE, .fade_out = GRAPH_NONE};
}

static uint32_t add_clips(const struct graph_region *regions, size_t count, const char *label)
{
    uint32_t node = GRAPH_NONE;
    ck_assert_int_eq(graph_builder_add_clips(builder, 1, false, regions, count, label, &node), LH_OK);
    return node;
}

static uint32_t add_bus(const uint32_t *inputs, size_t count)
{
    uint32_t node = GRAPH_NONE;
    ck_assert_int_eq(graph_builder_add_sum(builder, GRAPH_NODE_BUS, 1, false, inputs, count, "bus", &node), LH_OK);
    return node;
}

static const struct graph *deliver(uint32_t node)
{
    struct graph_deliverable mix = fixture_deliverable(node, "mix");
    uint32_t index;
    ck_assert_int_eq(graph_builder_add_deliverable(builder, &mix, NULL, 0, &index), LH_OK);
    const struct graph *graph = NULL;
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_msg(graph_builder_finish(builder, &graph, &error) == LH_OK, "%s: %s", error.where, error.message);
    return graph;
}

START_TEST(equal_curves_are_one)
{
    uint32_t flat = add_curve((struct graph_point[]){{0, 0.5f}}, 1);
    ck_assert_uint_eq(flat, add_curve((struct graph_point[]){{7, 0.5f}, {10, 0.5f}, {20, 0.5f}}, 3));
    ck_assert_uint_ne(flat, add_curve((struct graph_point[]){{0, 0.25f}}, 1));
    uint32_t zero = add_curve((struct graph_point[]){{0, 0.0f}}, 1);
    ck_assert_uint_eq(zero, add_curve((struct graph_point[]){{0, -0.0f}}, 1));
    uint32_t ramp = add_curve((struct graph_point[]){{10, 0.0f}, {20, 1.0f}}, 2);
    struct graph_point redundant[] = {{0, 0.0f}, {5, 0.0f}, {10, 0.0f}, {10, 0.0f}, {20, 1.0f}, {30, 1.0f}, {31, 1.0f}};
    ck_assert_uint_eq(ramp, add_curve(redundant, 7));
}
END_TEST

/* Reducing must not change a single value: random curves with many equal values and steps. */
START_TEST(reduced_curves_keep_their_values)
{
    srand(7);
    for (int round = 0; round < 300; round++) {
        struct graph_point points[24];
        uint32_t count = 1 + (uint32_t)(rand() % 24);
        for (uint32_t i = 0; i < count; i++) {
            int64_t frame = i == 0 ? rand() % 5 : points[i - 1].frame + rand() % 3;
            if (i > 1 && frame == points[i - 2].frame) {
                frame++;
            }
            points[i] = (struct graph_point){.frame = frame, .value = (float)(rand() % 3) * 0.3f};
        }
        teardown();
        setup();
        uint32_t curve = add_curve(points, count);
        uint32_t one = add_clips((struct graph_region[]){region(0)}, 1, "one");
        uint32_t node;
        ck_assert_int_eq(graph_builder_add_gain(builder, one, 2, (uint32_t[]){curve, curve}, "gain", &node), LH_OK);
        const struct graph *graph = deliver(node);
        struct graph_curve whole = {.first = 0, .count = count};
        struct graph given = {.points = points, .curves = &whole, .curve_count = 1, .point_count = count};
        for (int64_t frame = -2; frame < 60; frame++) {
            ck_assert(graph_curve_at(graph, 0, frame) == graph_curve_at(&given, 0, frame));
        }
        graph_unref(graph);
    }
}
END_TEST

START_TEST(equal_nodes_are_one)
{
    struct graph_region a[] = {region(0), region(500), region(200)};
    struct graph_region b[] = {region(200), region(0), region(500)};
    uint32_t clips = add_clips(a, 3, "kick");
    ck_assert_uint_eq(clips, add_clips(b, 3, "other name"));
    uint32_t fewer = add_clips(a, 2, "kick");
    ck_assert_uint_ne(clips, fewer);
    uint32_t bus = add_bus((uint32_t[]){clips, fewer, fewer}, 3);
    ck_assert_uint_eq(bus, add_bus((uint32_t[]){fewer, clips, fewer}, 3));
    ck_assert_uint_ne(bus, add_bus((uint32_t[]){fewer, clips}, 2));
    uint32_t inverted;
    ck_assert_int_eq(graph_builder_add_clips(builder, 1, true, a, 3, "kick", &inverted), LH_OK);
    ck_assert_uint_ne(clips, inverted);
}
END_TEST

START_TEST(unity_gain_folds)
{
    uint32_t clips = add_clips((struct graph_region[]){region(0)}, 1, "kick");
    uint32_t unity = add_curve((struct graph_point[]){{0, 1.0f}}, 1);
    uint32_t half = add_curve((struct graph_point[]){{0, 0.5f}}, 1);
    uint32_t node;
    ck_assert_int_eq(graph_builder_add_gain(builder, clips, 1, &unity, "fader", &node), LH_OK);
    ck_assert_uint_eq(node, clips);
    ck_assert_int_eq(graph_builder_add_gain(builder, clips, 2, (uint32_t[]){unity, unity}, "fader", &node), LH_OK);
    ck_assert_uint_ne(node, clips);
    uint32_t stereo = node;
    ck_assert_int_eq(graph_builder_add_gain(builder, stereo, 2, (uint32_t[]){unity, half}, "fader", &node), LH_OK);
    ck_assert_uint_ne(node, stereo);
}
END_TEST

START_TEST(lesser_label_wins)
{
    struct graph_region one = region(0);
    uint32_t node = add_clips(&one, 1, "b");
    add_clips(&one, 1, "c");
    add_clips(&one, 1, "a");
    add_clips(&one, 1, "");
    const struct graph *graph = deliver(node);
    ck_assert_str_eq(graph->nodes[0].label, "a");
    graph_unref(graph);
}
END_TEST

START_TEST(wrong_arguments_are_refused)
{
    uint32_t index = 77;
    struct graph_region bad = region(0);
    bad.media = 9;
    ck_assert_int_eq(graph_builder_add_clips(builder, 1, false, &bad, 1, "x", &index), LH_ERR_USAGE);
    bad = region(0);
    bad.fade_in_length = 5;
    bad.fade_in = 3;
    ck_assert_int_eq(graph_builder_add_clips(builder, 1, false, &bad, 1, "x", &index), LH_ERR_USAGE);
    ck_assert_int_eq(graph_builder_add_clips(builder, 0, false, NULL, 0, "x", &index), LH_ERR_USAGE);
    ck_assert_int_eq(graph_builder_add_clips(builder, 17, false, NULL, 0, "x", &index), LH_ERR_USAGE);
    ck_assert_int_eq(graph_builder_add_gain(builder, 0, 1, &index, "x", &index), LH_ERR_USAGE);
    ck_assert_int_eq(graph_builder_add_sum(builder, GRAPH_NODE_BUS, 1, false, &index, 1, "x", &index), LH_ERR_USAGE);
    ck_assert_int_eq(graph_builder_add_sum(builder, GRAPH_NODE_CLIPS, 1, false, NULL, 0, "x", &index), LH_ERR_USAGE);
    ck_assert_int_eq(graph_builder_add_curve(builder, NULL, 0, &index), LH_ERR_USAGE);
    struct graph_point nan = {0, NAN};
    ck_assert_int_eq(graph_builder_add_curve(builder, &nan, 1, &index), LH_ERR_USAGE);
    struct graph_point back[] = {{5, 0.0f}, {4, 1.0f}};
    ck_assert_int_eq(graph_builder_add_curve(builder, back, 2, &index), LH_ERR_USAGE);
    struct graph_deliverable mix = fixture_deliverable(0, "mix");
    ck_assert_int_eq(graph_builder_add_deliverable(builder, &mix, NULL, 0, &index), LH_ERR_USAGE);
    ck_assert_uint_eq(index, 77);
}
END_TEST

START_TEST(allocations_may_fail)
{
    bool fired = true;
    for (size_t n = 1; fired; n++) {
        const struct graph *graph = NULL;
        testing_fail_allocation(n);
        enum lh_status status = fixture_mix(NULL, NULL, &graph);
        fired = testing_fail_allocation_end();
        ck_assert_int_eq(status, fired ? LH_ERR_NO_MEMORY : LH_OK);
        ck_assert((graph == NULL) == fired);
        graph_unref(graph);
    }
}
END_TEST

/* 10 000 clips in 200 tracks: a few milliseconds; the bound is loose, for loaded machines and sanitizers. */
START_TEST(large_graphs_build_fast)
{
    struct timespec begin;
    struct timespec end;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    const struct graph *graph = fixture_large(200, 50);
    clock_gettime(CLOCK_MONOTONIC, &end);
    ck_assert_uint_eq(graph->region_count, 10000);
    ck_assert_uint_eq(graph->node_count, 401);
    graph_unref(graph);
    double ms = (double)(end.tv_sec - begin.tv_sec) * 1e3 + (double)(end.tv_nsec - begin.tv_nsec) / 1e6;
    printf("# 10000 clips in 200 tracks: %.2f ms\n", ms);
    ck_assert(ms < 500.0);
}
END_TEST

/* As media: entry i is the i-th that was added, equal or not, delivered or not. */
START_TEST(stored_frames_are_neither_merged_nor_dropped)
{
    const struct graph_stored entry = {.channels = 1, .begin = 5, .frames = 100};
    const struct graph_stored longer = {.channels = 1, .begin = 5, .frames = 200};
    uint32_t nodes[4];
    ck_assert_int_eq(graph_builder_add_stored(builder, &longer, "unused", &nodes[0]), LH_OK);
    ck_assert_int_eq(graph_builder_add_stored(builder, &entry, "b", &nodes[1]), LH_OK);
    ck_assert_int_eq(graph_builder_add_stored(builder, &entry, "a", &nodes[2]), LH_OK);
    ck_assert_int_eq(graph_builder_add_stored(builder, &longer, "unused too", &nodes[3]), LH_OK);
    const struct graph *graph = deliver(add_bus((uint32_t[]){nodes[2], nodes[1]}, 2));
    ck_assert_uint_eq(graph->stored_count, 4);
    ck_assert_int_eq(graph->stored[3].frames, 200);
    ck_assert_uint_eq(graph->node_count, 3);
    const struct graph_node *first = &graph->nodes[graph_builder_place(builder, nodes[1])];
    const struct graph_node *second = &graph->nodes[graph_builder_place(builder, nodes[2])];
    ck_assert(first->kind == GRAPH_NODE_STORED && first->first == 1 && first->count == 1);
    ck_assert(second->kind == GRAPH_NODE_STORED && second->first == 2 && second->count == 1);
    ck_assert_str_eq(first->label, "b");
    ck_assert_str_eq(second->label, "a");
    ck_assert_uint_eq(graph_builder_place(builder, nodes[0]), GRAPH_NONE);
    graph_unref(graph);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("graph/builder");
    TCase *test = tcase_create("builder");
    tcase_add_checked_fixture(test, setup, teardown);
    tcase_add_test(test, stored_frames_are_neither_merged_nor_dropped);
    tcase_add_test(test, equal_curves_are_one);
    tcase_add_test(test, reduced_curves_keep_their_values);
    tcase_add_test(test, equal_nodes_are_one);
    tcase_add_test(test, unity_gain_folds);
    tcase_add_test(test, lesser_label_wins);
    tcase_add_test(test, wrong_arguments_are_refused);
    suite_add_tcase(suite, test);
    TCase *whole = tcase_create("whole");
    tcase_add_test(whole, allocations_may_fail);
    tcase_add_test(whole, large_graphs_build_fast);
    suite_add_tcase(suite, whole);
    return testing_main(suite);
}
