/* SPDX-License-Identifier: MIT */
/* Automation points to frames: order, equals, holds, -inf. */
#include "pulse-daemon/compile/lane.h"

#include <math.h>

#include "tests/support/testing.h"

static struct lh_arena arena;
static struct pulse_tempo_map map;
static const struct pulse_tempo_point tempo[] = {{0, 120, PULSE_TEMPO_STEP}};

static void set_up(void)
{
    const struct pulse_project project = {.sample_rate = 48000, .tempo = tempo, .tempo_count = 1};
    lh_arena_init(&arena);
    ck_assert_int_eq(pulse_tempo_map_init(&map, &arena, &project), LH_OK);
}

static void tear_down(void)
{
    lh_arena_fini(&arena);
}

static struct pulse_lane resolve(enum pulse_target target, const struct pulse_point *points, size_t count)
{
    const struct pulse_automation automation = {.target = target, .points = points, .point_count = count};
    struct pulse_lane lane;
    size_t beyond;
    ck_assert_int_eq(pulse_lane_resolve(&arena, &map, &automation, &lane, &beyond), LH_OK);
    return lane;
}

static double value_at(const struct pulse_lane *lane, int64_t frame)
{
    struct pulse_lane_stretch stretch = pulse_lane_stretch(lane, frame);
    return pulse_lane_value(&stretch, frame);
}

#define FRAMES(n)                                                                                                      \
    {                                                                                                                  \
        PULSE_UNIT_FRAMES, (n)                                                                                         \
    }

START_TEST(test_sorted_and_merged)
{
    static const struct pulse_point points[] = {
        {FRAMES(300), 5, PULSE_CURVE_LINEAR}, {FRAMES(100), 1, PULSE_CURVE_LINEAR},
        {FRAMES(200), 3, PULSE_CURVE_LINEAR}, {FRAMES(200), 99, PULSE_CURVE_LINEAR},
        {FRAMES(200), -1, PULSE_CURVE_HOLD},  {{PULSE_UNIT_BEATS, 0.0125}, 7, PULSE_CURVE_LINEAR},
    };
    struct pulse_lane lane = resolve(PULSE_TARGET_PAN, points, 6); /* beat 0.0125 is frame 300 too */
    ck_assert_uint_eq(lane.count, 3);
    ck_assert(value_at(&lane, 0) == 1 && value_at(&lane, 100) == 1 && value_at(&lane, 150) == 2);
    ck_assert(value_at(&lane, 199) == 1 + 2 * 0.99);
    ck_assert(value_at(&lane, 200) == -1 && value_at(&lane, 299) == -1); /* the last of equals, and it holds */
    ck_assert(value_at(&lane, 300) == 7 && value_at(&lane, 1000000) == 7);
    ck_assert(lane.points[1].reached == 3 && lane.points[2].reached == 5);
}
END_TEST

/* Equal are points at one frame: a position in beats and the same in seconds differ in their last place. */
START_TEST(test_equal_by_frame)
{
    static const struct pulse_point points[] = {{{PULSE_UNIT_SECONDS, 300.2 / 48000}, 0.5, PULSE_CURVE_LINEAR},
                                                {FRAMES(300), -0.5, PULSE_CURVE_LINEAR},
                                                {{PULSE_UNIT_SECONDS, 299.9 / 48000}, 0.25, PULSE_CURVE_LINEAR}};
    struct pulse_lane lane = resolve(PULSE_TARGET_PAN, points, 3);
    ck_assert_uint_eq(lane.count, 1);
    ck_assert(value_at(&lane, 299) == 0.5 && value_at(&lane, 300) == 0.25);
}
END_TEST

START_TEST(test_infinity_and_mute_hold)
{
    static const struct pulse_point gain[] = {{FRAMES(0), -INFINITY, PULSE_CURVE_LINEAR},
                                              {FRAMES(100), 0, PULSE_CURVE_LINEAR},
                                              {FRAMES(200), -INFINITY, PULSE_CURVE_LINEAR}};
    static const struct pulse_point mute[] = {{FRAMES(0), 1, PULSE_CURVE_LINEAR}, {FRAMES(100), 0, PULSE_CURVE_LINEAR}};
    struct pulse_lane lane = resolve(PULSE_TARGET_GAIN, gain, 3);
    ck_assert(isinf(value_at(&lane, 99)) && value_at(&lane, 100) == 0 && value_at(&lane, 199) == 0);
    ck_assert(isinf(value_at(&lane, 200)));
    lane = resolve(PULSE_TARGET_MUTE, mute, 2);
    ck_assert(value_at(&lane, 99) == 1 && value_at(&lane, 100) == 0);
}
END_TEST

START_TEST(test_limits)
{
    static const struct pulse_point far[] = {{FRAMES(0), 1, PULSE_CURVE_LINEAR}, {FRAMES(2e12), 0, PULSE_CURVE_LINEAR}};
    const struct pulse_automation automation = {.target = PULSE_TARGET_PAN, .points = far, .point_count = 2};
    struct pulse_lane lane = pulse_lane_constant(3);
    size_t beyond = 9;
    ck_assert(value_at(&lane, 5) == 3);
    ck_assert_int_eq(pulse_lane_resolve(&arena, &map, &automation, &lane, &beyond), LH_ERR_LIMIT);
    ck_assert_uint_eq(beyond, 1);
    ck_assert(lane.constant == 3);
}
END_TEST

START_TEST(test_no_memory)
{
    struct pulse_point points[500] = {{FRAMES(0), 1, PULSE_CURVE_LINEAR}}; /* more than what a chunk has left */
    const struct pulse_automation automation = {.target = PULSE_TARGET_PAN, .points = points, .point_count = 500};
    for (size_t n = 1; n <= 2; n++) {
        struct lh_arena own;
        struct pulse_lane lane;
        size_t beyond;
        lh_arena_init(&own);
        testing_fail_allocation(n);
        ck_assert_int_eq(pulse_lane_resolve(&own, &map, &automation, &lane, &beyond), LH_ERR_NO_MEMORY);
        ck_assert(testing_fail_allocation_end());
        lh_arena_fini(&own);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lane");
    TCase *tests = tcase_create("lane");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, test_sorted_and_merged);
    tcase_add_test(tests, test_equal_by_frame);
    tcase_add_test(tests, test_infinity_and_mute_hold);
    tcase_add_test(tests, test_limits);
    tcase_add_test(tests, test_no_memory);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
