/* SPDX-License-Identifier: MIT */
/* graph/check.c and sums.c: every rule for media, curves, regions and nodes, broken one at a time. */
#include <math.h>
#include <stdlib.h>

#include "tests/graph/spoil.h"
#include "tests/support/testing.h"

/* The first node of a kind. */
static struct graph_node *first_of(struct spoilt *s, enum graph_node_kind kind)
{
    struct graph_node *node = s->nodes;
    while (node->kind != kind) {
        node++;
    }
    return node;
}

static struct graph_region *mono_region(struct spoilt *s)
{
    struct graph_region *region = s->regions;
    while (s->media[region->media].channels != 1) {
        region++;
    }
    return region;
}

static void rate_low(struct spoilt *s)
{
    s->graph.sample_rate = GRAPH_RATE_MIN - 1;
}

static void rate_high(struct spoilt *s)
{
    s->graph.sample_rate = GRAPH_RATE_MAX + 1;
}

static void quantum_not_a_power(struct spoilt *s)
{
    s->graph.quantum = 1000;
}

static void quantum_small(struct spoilt *s)
{
    s->graph.quantum = GRAPH_QUANTUM_MIN / 2;
}

static void quantum_large(struct spoilt *s)
{
    s->graph.quantum = GRAPH_QUANTUM_MAX * 2;
}

static void media_no_channels(struct spoilt *s)
{
    s->media[0].channels = 0;
}

static void media_many_channels(struct spoilt *s)
{
    s->media[1].channels = 17;
}

static void media_rate(struct spoilt *s)
{
    s->media[1].rate = 0;
}

static void media_long(struct spoilt *s)
{
    s->media[1].frames = s->media[1].length = (uint64_t)GRAPH_FRAMES_MAX;
}

static void media_conform(struct spoilt *s)
{
    s->media[1].conform = (enum graph_conform)9;
}

static void media_converted_at_same_rate(struct spoilt *s)
{
    s->media[0].conform = GRAPH_CONFORM_SOXR;
}

static void media_other_rate_in_place(struct spoilt *s)
{
    s->media[3].conform = GRAPH_CONFORM_IN_PLACE;
}

static void media_length(struct spoilt *s)
{
    s->media[3].length++;
}

static void media_name(struct spoilt *s)
{
    s->media[0].name = "\xFF";
}

static void curve_gap(struct spoilt *s)
{
    s->curves[1].first++;
}

static void curve_empty(struct spoilt *s)
{
    s->curves[0].count = 0;
}

static void curve_long(struct spoilt *s)
{
    s->curves[0].count = s->graph.point_count + 1;
}

static void curve_huge(struct spoilt *s)
{
    s->curves[0].count = UINT32_MAX;
}

static void point_left_over(struct spoilt *s)
{
    s->graph.point_count++;
}

static void point_nan(struct spoilt *s)
{
    s->points[0].value = (float)NAN;
}

static void point_infinite(struct spoilt *s)
{
    s->points[0].value = -INFINITY;
}

static void point_far(struct spoilt *s)
{
    s->points[0].frame = -GRAPH_FRAMES_MAX;
}

static void points_decrease(struct spoilt *s)
{
    s->points[s->graph.point_count - 1].frame = -1;
}

static void points_share_a_frame(struct spoilt *s)
{
    struct graph_curve *c = &s->curves[s->graph.curve_count - 1];
    for (uint32_t i = 0; i < c->count; i++) {
        s->points[c->first + i].frame = 5;
    }
}

static void region_media(struct spoilt *s)
{
    s->regions[0].media = s->graph.media_count;
}

static void region_layout(struct spoilt *s)
{
    s->media[mono_region(s)->media].channels = 3;
}

static void region_negative(struct spoilt *s)
{
    s->regions[0].start = -1;
}

static void region_empty(struct spoilt *s)
{
    s->regions[0].length = 0;
}

static void region_far(struct spoilt *s)
{
    s->regions[2].start = GRAPH_FRAMES_MAX - 1;
}

static void region_wraps(struct spoilt *s)
{
    s->regions[2].start = s->regions[2].length = INT64_MAX;
}

static void region_offset(struct spoilt *s)
{
    s->regions[0].offset = -1;
}

static void region_loop_negative(struct spoilt *s)
{
    s->regions[0].loop_length = -1;
}

static void region_loop_long(struct spoilt *s)
{
    s->regions[0].loop_length = 200000;
}

static void region_gain(struct spoilt *s)
{
    s->regions[0].gain = (float)NAN;
}

static void region_fade_long(struct spoilt *s)
{
    s->regions[0].fade_in_length = s->regions[0].length + 1;
}

static void region_fade_negative(struct spoilt *s)
{
    s->regions[0].fade_out_length = -1;
}

static void region_fade_without_curve(struct spoilt *s)
{
    s->regions[0].fade_in_length = 1;
    s->regions[0].fade_in = GRAPH_NONE;
}

static void region_curve_without_fade(struct spoilt *s)
{
    s->regions[0].fade_out_length = 0;
    s->regions[0].fade_out = 0;
}

static void region_fade_curve(struct spoilt *s)
{
    s->regions[0].fade_in_length = 1;
    s->regions[0].fade_in = s->graph.curve_count;
}

static void regions_out_of_order(struct spoilt *s)
{
    s->regions[0].start = s->regions[1].start + 1;
}

static void region_left_over(struct spoilt *s)
{
    s->graph.region_count++;
}

static void input_left_over(struct spoilt *s)
{
    s->graph.input_count++;
}

static void curve_ref_left_over(struct spoilt *s)
{
    s->graph.curve_ref_count++;
}

static void node_kind(struct spoilt *s)
{
    s->nodes[0].kind = (enum graph_node_kind)4;
}

static void node_no_channels(struct spoilt *s)
{
    s->nodes[0].channels = 0;
}

static void node_channels(struct spoilt *s)
{
    s->nodes[0].channels = 17;
}

static void node_first(struct spoilt *s)
{
    s->nodes[1].first--;
}

static void node_count(struct spoilt *s)
{
    s->nodes[1].count = UINT32_MAX;
}

static void node_stray_curves(struct spoilt *s)
{
    s->nodes[0].curves = 1;
}

static void node_label(struct spoilt *s)
{
    s->nodes[0].label = "\xC0\x80";
}

static void gain_inverts(struct spoilt *s)
{
    first_of(s, GRAPH_NODE_GAIN)->invert = true;
}

static void partial_inverts(struct spoilt *s)
{
    first_of(s, GRAPH_NODE_PARTIAL)->invert = true;
}

static void gain_curve(struct spoilt *s)
{
    s->curve_refs[0] = s->graph.curve_count;
}

static void gain_first_curve(struct spoilt *s)
{
    first_of(s, GRAPH_NODE_GAIN)->curves++;
}

static void gain_without_input(struct spoilt *s)
{
    first_of(s, GRAPH_NODE_GAIN)->count = 0;
}

static void gain_layout(struct spoilt *s)
{
    first_of(s, GRAPH_NODE_CLIPS)->channels = 3;
}

static void gain_of_partial(struct spoilt *s)
{
    first_of(s, GRAPH_NODE_BUS)->kind = GRAPH_NODE_PARTIAL;
    s->nodes[s->graph.node_count - 1].kind = GRAPH_NODE_PARTIAL;
}

static void input_ahead(struct spoilt *s)
{
    s->inputs[0] = s->graph.node_count - 1;
}

static void input_self(struct spoilt *s)
{
    s->inputs[s->nodes[s->graph.node_count - 1].first] = s->graph.node_count - 1;
}

static void input_huge(struct spoilt *s)
{
    s->inputs[0] = GRAPH_NONE;
}

static void sum_layout(struct spoilt *s)
{
    s->inputs[s->nodes[s->graph.node_count - 1].first] = 0;
}

static const struct spoiler spoilers[] = {
    {"rate_low", rate_low, "sample_rate"},
    {"rate_high", rate_high, "sample_rate"},
    {"quantum_not_a_power", quantum_not_a_power, "quantum"},
    {"quantum_small", quantum_small, "quantum"},
    {"quantum_large", quantum_large, "quantum"},
    {"media_no_channels", media_no_channels, "media[0]"},
    {"media_many_channels", media_many_channels, "media[1]"},
    {"media_rate", media_rate, "media[1]"},
    {"media_long", media_long, "media[1]"},
    {"media_conform", media_conform, "media[1]"},
    {"media_converted_at_same_rate", media_converted_at_same_rate, "media[0]"},
    {"media_other_rate_in_place", media_other_rate_in_place, "media[3]"},
    {"media_length", media_length, "media[3]"},
    {"media_name", media_name, "media[0]"},
    {"curve_gap", curve_gap, "curves[1]"},
    {"curve_empty", curve_empty, "curves[0]"},
    {"curve_long", curve_long, "curves[0]"},
    {"curve_huge", curve_huge, "curves[0]"},
    {"point_left_over", point_left_over, "points"},
    {"point_nan", point_nan, "curves[0]"},
    {"point_infinite", point_infinite, "curves[0]"},
    {"point_far", point_far, "curves[0]"},
    {"points_decrease", points_decrease, "curves"},
    {"points_share_a_frame", points_share_a_frame, "curves"},
    {"region_media", region_media, "regions[0]"},
    {"region_layout", region_layout, "regions"},
    {"region_negative", region_negative, "regions[0]"},
    {"region_empty", region_empty, "regions[0]"},
    {"region_far", region_far, "regions"},
    {"region_wraps", region_wraps, "regions"},
    {"region_offset", region_offset, "regions[0]"},
    {"region_loop_negative", region_loop_negative, "regions[0]"},
    {"region_loop_long", region_loop_long, "regions[0]"},
    {"region_gain", region_gain, "regions[0]"},
    {"region_fade_long", region_fade_long, "regions[0]"},
    {"region_fade_negative", region_fade_negative, "regions[0]"},
    {"region_fade_without_curve", region_fade_without_curve, "regions[0]"},
    {"region_curve_without_fade", region_curve_without_fade, "regions[0]"},
    {"region_fade_curve", region_fade_curve, "regions[0]"},
    {"regions_out_of_order", regions_out_of_order, "regions[1]"},
    {"region_left_over", region_left_over, "nodes"},
    {"input_left_over", input_left_over, "nodes"},
    {"curve_ref_left_over", curve_ref_left_over, "nodes"},
    {"node_kind", node_kind, "nodes[0]"},
    {"node_no_channels", node_no_channels, "nodes[0]"},
    {"node_channels", node_channels, "nodes[0]"},
    {"node_first", node_first, "nodes[1]"},
    {"node_count", node_count, "nodes[1]"},
    {"node_stray_curves", node_stray_curves, "nodes[0]"},
    {"node_label", node_label, "nodes[0]"},
    {"gain_inverts", gain_inverts, "nodes"},
    {"partial_inverts", partial_inverts, "nodes"},
    {"gain_curve", gain_curve, "nodes"},
    {"gain_first_curve", gain_first_curve, "nodes"},
    {"gain_without_input", gain_without_input, "nodes"},
    {"gain_layout", gain_layout, "nodes"},
    {"gain_of_partial", gain_of_partial, "deliverables"},
    {"input_ahead", input_ahead, "nodes"},
    {"input_self", input_self, "nodes"},
    {"input_huge", input_huge, "nodes"},
    {"sum_layout", sum_layout, "nodes"},
};
#define SPOILER_COUNT ((int)(sizeof spoilers / sizeof *spoilers))

START_TEST(broken_rule_is_refused)
{
    spoiler_run(&spoilers[_i]);
}
END_TEST

/* A graph of one PARTIAL that a GAIN reads. */
START_TEST(gain_of_partial_is_refused)
{
    struct graph_node nodes[] = {
        {.kind = GRAPH_NODE_PARTIAL, .channels = 1, .label = ""},
        {.kind = GRAPH_NODE_GAIN, .channels = 1, .count = 1, .label = ""},
    };
    struct graph_point point = {0, 0.5f};
    struct graph_curve curve = {0, 1};
    uint32_t zero = 0;
    struct graph graph = {.sample_rate = 48000,
                          .quantum = 64,
                          .points = &point,
                          .point_count = 1,
                          .curves = &curve,
                          .curve_count = 1,
                          .inputs = &zero,
                          .input_count = 1,
                          .curve_refs = &zero,
                          .curve_ref_count = 1,
                          .nodes = nodes,
                          .node_count = 2};
    ck_assert_int_eq(graph_check(&graph, NULL), LH_ERR_FORMAT);
    nodes[0].kind = GRAPH_NODE_BUS;
    ck_assert_int_eq(graph_check(&graph, NULL), LH_OK);
}
END_TEST

/* Partial sums that double at each step: 2^12 contributions are allowed, 2^13 are not, and 2^31 do not wrap. */
static enum lh_status check_doubling(uint32_t steps)
{
    struct graph_node nodes[40] = {{.kind = GRAPH_NODE_CLIPS, .channels = 1, .label = ""}};
    uint32_t inputs[80];
    for (uint32_t i = 1; i <= steps; i++) {
        nodes[i] = (struct graph_node){.kind = i < steps ? GRAPH_NODE_PARTIAL : GRAPH_NODE_BUS,
                                       .channels = 1,
                                       .first = 2 * i - 2,
                                       .count = 2,
                                       .label = ""};
        inputs[2 * i - 2] = inputs[2 * i - 1] = i - 1;
    }
    struct graph graph = {.sample_rate = 48000,
                          .quantum = 64,
                          .inputs = inputs,
                          .input_count = 2 * steps,
                          .nodes = nodes,
                          .node_count = steps + 1};
    return graph_check(&graph, NULL);
}

START_TEST(contributions_are_bounded)
{
    ck_assert_int_eq(check_doubling(12), LH_OK);
    ck_assert_int_eq(check_doubling(13), LH_ERR_FORMAT);
    ck_assert_int_eq(check_doubling(32), LH_ERR_FORMAT);
    ck_assert_int_eq(check_doubling(39), LH_ERR_FORMAT);
}
END_TEST

/* More clips than a sum may have, one after the other or all at once. */
static enum lh_status check_clips(int64_t step, uint32_t count)
{
    struct graph_region *regions = calloc(count, sizeof *regions);
    for (uint32_t i = 0; i < count; i++) {
        regions[i] = (struct graph_region){
            .start = step * i, .length = 10, .gain = 1.0f, .fade_in = GRAPH_NONE, .fade_out = GRAPH_NONE};
    }
    struct graph_media media = {.channels = 1, .rate = 48000, .frames = 5, .length = 5, .name = "m"};
    struct graph_node node = {.kind = GRAPH_NODE_CLIPS, .channels = 1, .count = count, .label = ""};
    struct graph graph = {.sample_rate = 48000,
                          .quantum = 64,
                          .media = &media,
                          .media_count = 1,
                          .regions = regions,
                          .region_count = count,
                          .nodes = &node,
                          .node_count = 1};
    enum lh_status status = graph_check(&graph, NULL);
    free(regions);
    return status;
}

START_TEST(overlapping_clips_are_bounded)
{
    ck_assert_int_eq(check_clips(10, 20000), LH_OK);
    ck_assert_int_eq(check_clips(0, GRAPH_INPUTS_MAX), LH_OK);
    ck_assert_int_eq(check_clips(0, GRAPH_INPUTS_MAX + 1), LH_ERR_FORMAT);
}
END_TEST

START_TEST(allocations_may_fail)
{
    struct spoilt spoilt;
    spoilt_init(&spoilt);
    bool fired = true;
    for (size_t n = 1; fired; n++) {
        testing_fail_allocation(n);
        enum lh_status status = graph_check(&spoilt.graph, NULL);
        fired = testing_fail_allocation_end();
        ck_assert_int_eq(status, fired ? LH_ERR_NO_MEMORY : LH_OK);
        ck_assert(fired || n > 2);
    }
    spoilt_fini(&spoilt);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("graph/check");
    TCase *test = tcase_create("rules");
    tcase_add_loop_test(test, broken_rule_is_refused, 0, SPOILER_COUNT);
    tcase_add_test(test, gain_of_partial_is_refused);
    tcase_add_test(test, contributions_are_bounded);
    tcase_add_test(test, overlapping_clips_are_bounded);
    tcase_add_test(test, allocations_may_fail);
    suite_add_tcase(suite, test);
    return testing_main(suite);
}
