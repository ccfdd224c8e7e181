/* SPDX-License-Identifier: MIT */
/* The tempo map against numeric integration. */
#include "pulse-daemon/compile/tempo.h"

#include <math.h>

#include "graph/graph.h"
#include "tests/support/testing.h"

static struct lh_arena arena;
static struct pulse_tempo_map map;

static const struct pulse_tempo_point points[] = {
    {0, 120, PULSE_TEMPO_STEP},  {4, 60, PULSE_TEMPO_RAMP},           {12, 180, PULSE_TEMPO_RAMP},
    {20, 180, PULSE_TEMPO_RAMP}, {24, 179.9999999, PULSE_TEMPO_STEP}, {30, 33, PULSE_TEMPO_RAMP},
};
#define POINT_COUNT (sizeof points / sizeof *points)

static void set_up(void)
{
    const struct pulse_project project = {.sample_rate = 48000, .tempo = points, .tempo_count = POINT_COUNT};
    lh_arena_init(&arena);
    ck_assert_int_eq(pulse_tempo_map_init(&map, &arena, &project), LH_OK);
}

static void tear_down(void)
{
    lh_arena_fini(&arena);
}

static long double bpm_at(long double beats)
{
    size_t i = 0;
    while (i + 1 < POINT_COUNT && (long double)points[i + 1].beats <= beats) {
        i++;
    }
    if (i + 1 == POINT_COUNT || points[i].curve == PULSE_TEMPO_STEP) {
        return points[i].bpm;
    }
    long double part = (beats - points[i].beats) / (points[i + 1].beats - points[i].beats);
    return points[i].bpm + part * (points[i + 1].bpm - points[i].bpm);
}

/* Simpson's rule over quarter beats, none of which crosses a point. */
static long double integrate(long double to)
{
    long double sum = 0;
    for (long double from = 0; from < to; from += 0.25L) {
        long double end = from + 0.25L < to ? from + 0.25L : to;
        const int steps = 64;
        long double h = (end - from) / steps;
        for (int i = 0; i < steps; i++) {
            long double a = from + i * h;
            long double first = 60 / bpm_at(a), middle = 60 / bpm_at(a + h / 2);
            long double inside = a + h * (1 - 1e-15L); /* before a step at the end */
            sum += h / 6 * (first + 4 * middle + 60 / bpm_at(inside));
        }
    }
    return sum;
}

START_TEST(test_seconds)
{
    for (int i = 0; i <= 160; i++) {
        double beats = i * 0.25;
        long double expected = integrate(beats);
        ck_assert_msg(fabsl((long double)pulse_tempo_seconds(&map, beats) - expected) < 1e-11L,
                      "beat %g: %.15g, not %.15Lg", beats, pulse_tempo_seconds(&map, beats), expected);
    }
}
END_TEST

START_TEST(test_round_trip)
{
    for (int i = 0; i <= 4000; i++) {
        double beats = i * 0.01;
        double back = pulse_tempo_beats(&map, pulse_tempo_seconds(&map, beats));
        ck_assert_msg(fabs(back - beats) < 1e-12 * (1 + beats), "beat %g comes back as %.17g", beats, back);
    }
}
END_TEST

START_TEST(test_positions)
{
    int64_t frame;
    ck_assert(pulse_tempo_frame(&map, (struct pulse_time){PULSE_UNIT_BEATS, 3}, &frame) && frame == 72000);
    ck_assert(pulse_tempo_frame(&map, (struct pulse_time){PULSE_UNIT_SECONDS, 0.5 / 48000}, &frame) && frame == 0);
    ck_assert(pulse_tempo_frame(&map, (struct pulse_time){PULSE_UNIT_SECONDS, 1.5 / 48000}, &frame) && frame == 2);
    ck_assert(pulse_tempo_frame(&map, (struct pulse_time){PULSE_UNIT_FRAMES, 7}, &frame) && frame == 7);
    ck_assert(pulse_tempo_frame(&map, (struct pulse_time){PULSE_UNIT_NONE, 7}, &frame) && frame == 0);
    ck_assert(!pulse_tempo_frame(&map, (struct pulse_time){PULSE_UNIT_FRAMES, (double)GRAPH_FRAMES_MAX}, &frame));
    ck_assert(!pulse_tempo_frame(&map, (struct pulse_time){PULSE_UNIT_SECONDS, 1e300}, &frame));
    ck_assert(!pulse_tempo_round(-1.0, &frame) && !pulse_tempo_round((double)NAN, &frame));
}
END_TEST

/* Two beats across the step at beat 4: one at 120, then into the ramp from 60. */
START_TEST(test_lengths)
{
    int64_t length, start, end;
    const struct pulse_time three = {PULSE_UNIT_BEATS, 3}, two = {PULSE_UNIT_BEATS, 2}, five = {PULSE_UNIT_BEATS, 5};
    ck_assert(pulse_tempo_frame(&map, three, &start) && pulse_tempo_frame(&map, five, &end));
    ck_assert(pulse_tempo_length(&map, three, two, &length));
    ck_assert_int_eq(length, end - start);
    ck_assert(pulse_tempo_length_before(&map, five, two, &length));
    ck_assert_int_eq(length, end - start);
    ck_assert(pulse_tempo_length(&map, (struct pulse_time){PULSE_UNIT_SECONDS, 1.5}, two, &length));
    ck_assert_int_eq(length, end - start);
    ck_assert(pulse_tempo_length_before(&map, (struct pulse_time){PULSE_UNIT_BEATS, 1}, two, &length));
    ck_assert_int_eq(length, 24000); /* begins at beat 0 at the earliest */
    ck_assert(pulse_tempo_length(&map, three, (struct pulse_time){PULSE_UNIT_SECONDS, 2}, &length) && length == 96000);
}
END_TEST

/* A beginning in seconds that lies between two frames must not be rounded to one frame here and, by way of beats, to
   the other there: start + length is round(end), whatever the beginning's unit. */
START_TEST(test_lengths_from_ties)
{
    const struct pulse_time fifth = {PULSE_UNIT_BEATS, 0.2};
    for (int i = 0; i < 20000; i++) {
        const struct pulse_time at = {PULSE_UNIT_SECONDS, (i + 0.5) / 48000};
        double beat = pulse_tempo_beat(&map, at);
        int64_t start, end, before, length;
        ck_assert(pulse_tempo_frame(&map, at, &start));
        ck_assert(pulse_tempo_frame(&map, (struct pulse_time){PULSE_UNIT_BEATS, beat + fifth.value}, &end));
        ck_assert(pulse_tempo_length(&map, at, fifth, &length));
        ck_assert_int_eq(start + length, end);
        ck_assert(pulse_tempo_frame(
            &map, (struct pulse_time){PULSE_UNIT_BEATS, beat > fifth.value ? beat - fifth.value : 0}, &before));
        ck_assert(pulse_tempo_length_before(&map, at, fifth, &length));
        ck_assert_int_eq(start - length, before);
    }
}
END_TEST

START_TEST(test_no_memory)
{
    struct lh_arena empty;
    struct pulse_tempo_map other;
    const struct pulse_project project = {.sample_rate = 48000, .tempo = points, .tempo_count = POINT_COUNT};
    lh_arena_init(&empty);
    testing_fail_allocation(1);
    ck_assert_int_eq(pulse_tempo_map_init(&other, &empty, &project), LH_ERR_NO_MEMORY);
    ck_assert(testing_fail_allocation_end());
    lh_arena_fini(&empty);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tempo");
    TCase *tests = tcase_create("tempo");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, test_seconds);
    tcase_add_test(tests, test_round_trip);
    tcase_add_test(tests, test_positions);
    tcase_add_test(tests, test_lengths);
    tcase_add_test(tests, test_lengths_from_ties);
    tcase_add_test(tests, test_no_memory);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
