/* SPDX-License-Identifier: MIT */
/* engine/dsp/curve.c: every value by the formula of graph/graph.h, wherever the filling starts and stops. */
#include <math.h>

#include "engine/dsp/kernels.h"
#include "tests/engine/dsp/guarded.h"
#include "tests/support/testing.h"

#define FRAMES 3000

/* The formula, word by word. */
static float reference(const struct graph_point *points, uint32_t count, int64_t n)
{
    uint32_t after = 0;
    while (after < count && points[after].frame <= n) {
        after++;
    }
    if (after == 0 || after == count) {
        return points[after == 0 ? 0 : count - 1].value;
    }
    const struct graph_point *a = &points[after - 1], *b = &points[after];
    double slope = ((double)b->value - a->value) / (double)(b->frame - a->frame);
    return (float)((double)a->value + slope * (double)(n - a->frame));
}

static void check(const struct graph_point *points, uint32_t count, int64_t frame, size_t frames, size_t stride)
{
    /* the curve stands behind another one, so that `first` matters */
    struct graph_point all[64] = {{0, -1.0f}};
    struct graph_curve curves[2] = {{0, 1}, {1, count}};
    struct graph graph = {.points = all, .point_count = count + 1, .curves = curves, .curve_count = 2};
    memcpy(all + 1, points, count * sizeof *points);
    float *out = malloc((frames * stride + 1) * sizeof *out);
    ck_assert_ptr_nonnull(out);
    for (size_t i = 0; i <= frames * stride; i++) {
        out[i] = 77.0f;
    }
    engine_curve_fill(&graph, 1, frame, frames, out, stride);
    size_t wrong = 0, touched = 0;
    for (size_t i = 0; i < frames; i++) {
        float expected = reference(points, count, frame + (int64_t)i);
        wrong += bits_of(out[i * stride]) != bits_of(expected);
        for (size_t k = 1; k < stride; k++) {
            touched += out[i * stride + k] != 77.0f;
        }
    }
    touched += out[frames * stride] != 77.0f;
    free(out);
    ck_assert_uint_eq(wrong, 0);
    ck_assert_uint_eq(touched, 0);
}

/* A fade is its shape's curve at distance x (span / length), in both directions and from any distance. */
START_TEST(fades_follow_their_shape)
{
    struct graph_point shape[] = {{0, 0.0f}, {1000, 0.01f}, {30000, 0.4f}, {GRAPH_FADE_SPAN, 1.0f}};
    struct graph_curve curve = {0, 4};
    struct graph graph = {.points = shape, .point_count = 4, .curves = &curve, .curve_count = 1};
    static const int64_t lengths[] = {1, 2, 480, 70000, INT64_C(1) << 38};
    float out[2 * 300];
    for (size_t k = 0; k < sizeof lengths / sizeof lengths[0]; k++) {
        int64_t length = lengths[k];
        size_t frames = length < 300 ? (size_t)length : 300;
        int64_t from = length / 3 < length - (int64_t)frames ? length / 3 : 0;
        for (int step = -1; step <= 1; step += 2) {
            int64_t distance = step > 0 ? from : from + (int64_t)frames;
            engine_fade_fill(&graph, 0, length, distance, step, frames, out, 2);
            for (size_t i = 0; i < frames; i++) {
                float expected = graph_fade_at(&graph, 0, length, distance + step * (int64_t)i);
                ck_assert_msg(bits_of(out[2 * i]) == bits_of(expected), "length %lld, step %d, frame %zu",
                              (long long)length, step, i);
            }
        }
    }
}
END_TEST

START_TEST(one_point_is_a_constant)
{
    const struct graph_point points[] = {{100, 0.25f}};
    check(points, 1, 0, FRAMES, 1);
    check(points, 1, 100, 7, 3);
    check(points, 1, 0, 0, 1);
}
END_TEST

START_TEST(a_ramp_holds_before_and_after)
{
    const struct graph_point points[] = {{100, 0.1f}, {1100, 0.9f}};
    check(points, 2, 0, FRAMES, 1);
    check(points, 2, 0, FRAMES, 2);
    check(points, 2, 1100, 5, 1);
    check(points, 2, 1099, 1, 1);
    check(points, 2, 99, 2, 1);
}
END_TEST

START_TEST(two_points_at_a_frame_are_a_step)
{
    const struct graph_point points[] = {{0, 1.0f}, {500, 0.5f}, {500, 2.0f}, {600, 0.0f}, {600, -0.0f}};
    check(points, 5, 0, FRAMES, 1);
    check(points, 5, 499, 2, 1);
    check(points, 5, 500, 1, 1);
    check(points, 5, 600, 10, 1);
    const struct graph_point at_once[] = {{0, 1.0f}, {0, 0.5f}};
    check(at_once, 2, 0, 10, 1);
}
END_TEST

START_TEST(level_stretches_are_exact_to_the_sign)
{
    const struct graph_point points[] = {{0, -0.0f}, {100, -0.0f}, {200, 0.0f}, {300, 0.7f}, {400, 0.7f}};
    check(points, 5, 0, 500, 1);
}
END_TEST

START_TEST(late_frames_and_long_ramps_are_exact)
{
    const int64_t late = GRAPH_FRAMES_MAX - 1;
    const struct graph_point points[] = {{0, 0.0f}, {late, 1.0f}};
    check(points, 2, late - FRAMES / 2, FRAMES, 1);
    check(points, 2, late / 3, FRAMES, 1);
    check(points, 2, 1, (1 << 20) + 100, 1); /* longer than one stretch */
}
END_TEST

START_TEST(any_piece_equals_the_whole)
{
    uint64_t state = 11;
    for (size_t round = 0; round < 300; round++) {
        struct graph_point points[40];
        uint32_t count = 1 + random_below(&state, 40);
        int64_t frame = random_below(&state, 100);
        for (uint32_t i = 0; i < count; i++) {
            bool step = i > 0 && random_below(&state, 5) == 0 && (i < 2 || points[i - 2].frame < frame);
            frame += step ? 0 : 1 + random_below(&state, 120);
            points[i] = (struct graph_point){frame, random_sample(&state) * 2.0f};
        }
        check(points, count, random_below(&state, 2000), random_below(&state, 2000), 1 + random_below(&state, 4));
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("engine/dsp/curve");
    TCase *tests = tcase_create("curve");
    tcase_add_test(tests, fades_follow_their_shape);
    tcase_add_test(tests, one_point_is_a_constant);
    tcase_add_test(tests, a_ramp_holds_before_and_after);
    tcase_add_test(tests, two_points_at_a_frame_are_a_step);
    tcase_add_test(tests, level_stretches_are_exact_to_the_sign);
    tcase_add_test(tests, late_frames_and_long_ramps_are_exact);
    tcase_add_test(tests, any_piece_equals_the_whole);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
