/* SPDX-License-Identifier: MIT */
/* Curves of faders and sends: within 2^-20 of the exact gain at every frame, in long double. */
#include "pulse-daemon/compile/gain.h"

#include <math.h>

#include "tests/support/testing.h"

static struct pulse_points points;

static void tear_down(void)
{
    pulse_points_fini(&points);
}

/* By the formula of graph.h. */
static double at(int64_t frame)
{
    if (frame < points.items[0].frame) {
        return (double)points.items[0].value;
    }
    size_t i = 0, high = points.count;
    while (high - i > 1) {
        size_t middle = i + (high - i) / 2;
        *(points.items[middle].frame <= frame ? &i : &high) = middle;
    }
    if (i + 1 == points.count) {
        return (double)points.items[i].value;
    }
    const struct graph_point *a = &points.items[i], *b = a + 1;
    double slope = ((double)b->value - (double)a->value) / (double)(b->frame - a->frame);
    return (double)(float)((double)a->value + slope * (double)(frame - a->frame));
}

static long double lane_at(const struct pulse_lane *lane, int64_t frame)
{
    if (lane->count == 0) {
        return lane->constant;
    }
    if (frame < lane->points[0].frame) {
        return lane->points[0].reached;
    }
    size_t i = lane->count - 1;
    while (lane->points[i].frame > frame) {
        i--;
    }
    const struct pulse_lane_point *p = &lane->points[i];
    if (!p->ramp) {
        return p->value;
    }
    return p->value + ((long double)p[1].reached - p->value) * (long double)(frame - p->frame) /
                          (long double)(p[1].frame - p->frame);
}

static long double exact(const struct pulse_gain *gain, uint32_t channel, int64_t frame)
{
    const long double quarter = 0.78539816339744830961566084581987572L;
    long double level = powl(10.0L, lane_at(&gain->level, frame) / 20.0L);
    long double pan = lane_at(&gain->pan, frame), p = (pan + 1) / 2;
    if (gain->kind == PULSE_PAN_NOT) {
        return level;
    }
    if (gain->kind == PULSE_PAN_BALANCE) {
        return level * fminl(1, channel == 0 ? 1 - pan : 1 + pan);
    }
    long double linear = channel == 0 ? 1 - p : p;
    long double power = channel == 0 ? cosl(p * 2 * quarter) : sinl(p * 2 * quarter);
    switch (gain->law) {
    case PULSE_PAN_LINEAR:
        return level * linear;
    case PULSE_PAN_CONSTANT_POWER:
        return level * power;
    case PULSE_PAN_COMPROMISE:
        return level * sqrtl(linear * fmaxl(power, 0));
    }
    return 0;
}

static const struct pulse_lane_point steep[] = {{100, -144, -144, true}, {131, 0, 6, true},    {700, -3, -3, true},
                                                {9000, -60, -60, false}, {9500, -1, -1, true}, {50000, 24, 24, false}};
static const struct pulse_lane_point slow[] = {{0, -60, -60, true}, {60000, 0, 0, false}};
static const struct pulse_lane_point wide[] = {{50, -1, -1, true},
                                               {777, 1, 1, true},
                                               {20011, -0.7, -0.2, true},
                                               {20012, 0.3, 0.3, true},
                                               {41003, -0.3, -0.3, false}};
static const struct pulse_lane_point short_wide[] = {{10, -1, -1, true}, {73, 1, 1, false}};

START_TEST(test_within_tolerance)
{
    const struct pulse_lane levels[] = {{steep, 6, 0}, {slow, 2, 0}, {NULL, 0, -3.5}};
    const struct pulse_lane pans[] = {{wide, 5, 0}, {short_wide, 2, 0}, {NULL, 0, 0.25}};
    const struct pulse_gain gain = {.level = levels[_i % 3],
                                    .pan = pans[_i / 3 % 3],
                                    .kind = (enum pulse_pan_kind)(_i / 9 % 3),
                                    .law = (enum pulse_pan_law)(_i / 27)};
    for (uint32_t channel = 0; channel < 2; channel++) {
        ck_assert_int_eq(pulse_gain_sample(&gain, channel, &points), LH_OK);
        for (size_t i = 1; i < points.count; i++) {
            if (points.items[i].frame < points.items[i - 1].frame ||
                (i >= 2 && points.items[i].frame <= points.items[i - 2].frame)) {
                ck_abort_msg("point %zu is out of order", i);
            }
        }
        for (int64_t frame = 0; frame < 60100; frame++) {
            long double want = exact(&gain, channel, frame);
            long double error = fabsl((long double)at(frame) - want) / fmaxl(1, fabsl(want));
            if (!(error <= 0x1p-20L)) { /* ck_assert costs a system call each time */
                ck_abort_msg("channel %u frame %lld: %.9g, not %.9Lg", channel, (long long)frame, at(frame), want);
            }
        }
    }
}
END_TEST

/* A bend has no cell longer than 64 frames; a straight line needs its ends only. */
START_TEST(test_sizes)
{
    struct pulse_gain gain = {.level = {slow, 2, 0}};
    ck_assert_int_eq(pulse_gain_sample(&gain, 0, &points), LH_OK);
    for (size_t i = 1; i < points.count; i++) {
        ck_assert_int_le(points.items[i].frame - points.items[i - 1].frame, PULSE_CELL_FRAMES);
    }
    ck_assert_uint_ge(points.count, 60000 / 64);
    ck_assert_uint_lt(points.count, 2 * 60000 / 64);
    gain = (struct pulse_gain){.pan = {short_wide, 2, 0}, .kind = PULSE_PAN_LAW, .law = PULSE_PAN_LINEAR};
    ck_assert_int_eq(pulse_gain_sample(&gain, 0, &points), LH_OK);
    ck_assert_uint_eq(points.count, 2);
}
END_TEST

START_TEST(test_too_long)
{
    const struct pulse_lane_point endless[] = {{0, -60, -60, true}, {GRAPH_FRAMES_MAX - 1, 0, 0, false}};
    const struct pulse_gain gain = {.level = {endless, 2, 0}};
    ck_assert_int_eq(pulse_gain_sample(&gain, 0, &points), LH_ERR_LIMIT);
}
END_TEST

START_TEST(test_build)
{
    struct graph_builder *builder;
    struct pulse_gain_curves curves;
    struct pulse_gain gain = {.level = pulse_lane_constant(-6), .kind = PULSE_PAN_BALANCE};
    ck_assert_int_eq(graph_builder_new(48000, 1024, &builder), LH_OK);
    ck_assert_int_eq(pulse_gain_build(&gain, 2, builder, &points, &curves), LH_OK);
    ck_assert(curves.audible && curves.channels == 2 && curves.curves[0] == curves.curves[1]);
    gain.level = pulse_lane_constant(-INFINITY);
    ck_assert_int_eq(pulse_gain_build(&gain, 2, builder, &points, &curves), LH_OK);
    ck_assert(!curves.audible);
    gain.level = pulse_lane_constant(1000);
    ck_assert_int_eq(pulse_gain_build(&gain, 2, builder, &points, &curves), LH_ERR_UNSUPPORTED);
    graph_builder_free(builder);
}
END_TEST

START_TEST(test_gate)
{
    static const struct pulse_lane_point mute[] = {{100, 1, 0, false}, {200, 1, 1, false}, {300, 0, 0, false}};
    const struct pulse_lane lane = {mute, 3, 0};
    struct graph_builder *builder;
    struct pulse_gain_curves curves;
    ck_assert_int_eq(graph_builder_new(48000, 1024, &builder), LH_OK);
    ck_assert_int_eq(pulse_gain_gate(&lane, 6, builder, &points, &curves), LH_OK);
    ck_assert(curves.audible && curves.channels == 6 && curves.curves[5] == curves.curves[0]);
    ck_assert(at(99) == 0 && at(100) == 1 && at(199) == 1 && at(200) == 0 && at(299) == 0 && at(300) == 1);
    const struct pulse_lane on = pulse_lane_constant(1);
    ck_assert_int_eq(pulse_gain_gate(&on, 1, builder, &points, &curves), LH_OK);
    ck_assert(!curves.audible);
    graph_builder_free(builder);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("gain");
    TCase *tests = tcase_create("gain");
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, NULL, tear_down);
    tcase_add_loop_test(tests, test_within_tolerance, 0, 81);
    tcase_add_test(tests, test_sizes);
    tcase_add_test(tests, test_too_long);
    tcase_add_test(tests, test_build);
    tcase_add_test(tests, test_gate);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
