/* SPDX-License-Identifier: MIT */
/* Fades against their formulas, at every frame. */
#include "pulse-daemon/compile/fades.h"

#include <math.h>

#include "tests/support/testing.h"

static long double shape_at(enum pulse_fade_shape shape, long double x)
{
    const long double pi = 3.14159265358979323846264338327950288L;
    switch (shape) {
    case PULSE_FADE_LINEAR:
        return x;
    case PULSE_FADE_CONSTANT_POWER:
        return sinl(x * pi / 2);
    case PULSE_FADE_EXPONENTIAL:
        return (powl(10, 3 * x) - 1) / 999;
    case PULSE_FADE_S_CURVE:
        return (1 - cosl(x * pi)) / 2;
    }
    return 0;
}

/* A graph with one region whose fades are looked at. */
static const struct graph *graph_with(struct graph_builder *builder, int64_t length, uint32_t in, uint32_t out)
{
    const struct graph_media media = {.channels = 1, .rate = 48000, .frames = 1, .length = 1, .name = "m"};
    struct graph_region region = {.length = length,
                                  .gain = 1,
                                  .fade_in_length = length,
                                  .fade_out_length = length,
                                  .fade_in = in,
                                  .fade_out = out};
    struct graph_deliverable deliverable = {
        .name = "d", .end = 1, .bit_depth = 24, .rate = 48000, .gain_from = GRAPH_NONE};
    uint32_t index;
    const struct graph *graph = NULL;
    ck_assert_int_eq(graph_builder_add_media(builder, &media, &region.media), LH_OK);
    ck_assert_int_eq(graph_builder_add_clips(builder, 1, false, &region, 1, "c", &deliverable.node), LH_OK);
    ck_assert_int_eq(graph_builder_add_deliverable(builder, &deliverable, NULL, 0, &index), LH_OK);
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_msg(graph_builder_finish(builder, &graph, &error) == LH_OK, "%s", error.message);
    return graph;
}

START_TEST(test_shapes)
{
    static const int64_t lengths[] = {1, 2, 3, 100, 480, 4801, 47999, 200001};
    enum pulse_fade_shape shape = (enum pulse_fade_shape)(_i % 4);
    int64_t length = lengths[_i / 4];
    struct pulse_fades fades = {.made = {false}};
    struct pulse_points points = {.items = NULL};
    struct graph_builder *builder;
    uint32_t in, out;
    ck_assert_int_eq(graph_builder_new(48000, 1024, &builder), LH_OK);
    ck_assert_int_eq(pulse_fades_curve(&fades, builder, &points, shape, &out), LH_OK);
    ck_assert_int_eq(pulse_fades_curve(&fades, builder, &points, shape, &in), LH_OK);
    const struct graph *graph = graph_with(builder, length, in, out);
    in = graph->regions[0].fade_in;
    out = graph->regions[0].fade_out;
    for (int64_t i = 0; i < length; i++) {
        long double x = (long double)i / (long double)length;
        if (fabsl((long double)graph_fade_at(graph, in, length, i) - shape_at(shape, x)) > 0x1p-20L ||
            fabsl((long double)graph_fade_at(graph, out, length, length - i) - shape_at(shape, 1 - x)) > 0x1p-20L) {
            ck_abort_msg("shape %d of %lld frames at %lld", (int)shape, (long long)length, (long long)i);
        }
    }
    graph_unref(graph);
    graph_builder_free(builder);
    pulse_points_fini(&points);
}
END_TEST

START_TEST(test_made_once)
{
    struct pulse_fades fades = {.made = {false}};
    struct pulse_points points = {.items = NULL};
    struct graph_builder *builder;
    uint32_t first[PULSE_FADE_SHAPES], again;
    ck_assert_int_eq(graph_builder_new(48000, 1024, &builder), LH_OK);
    for (unsigned i = 0; i < 2 * PULSE_FADE_SHAPES; i++) {
        unsigned shape = i % PULSE_FADE_SHAPES;
        ck_assert_int_eq(pulse_fades_curve(&fades, builder, &points, (enum pulse_fade_shape)shape, &again), LH_OK);
        if (i < PULSE_FADE_SHAPES) {
            first[shape] = again;
        }
        ck_assert_uint_eq(again, first[shape]);
        ck_assert(shape == 0 || first[shape] != first[shape - 1]);
    }
    graph_builder_free(builder);
    pulse_points_fini(&points);
}
END_TEST

START_TEST(test_no_memory)
{
    bool fired = true;
    for (size_t n = 1; fired; n++) {
        struct pulse_fades fades = {.made = {false}};
        struct pulse_points points = {.items = NULL};
        struct graph_builder *builder;
        uint32_t curve = 77;
        ck_assert_int_eq(graph_builder_new(48000, 1024, &builder), LH_OK);
        testing_fail_allocation(n);
        enum lh_status status = pulse_fades_curve(&fades, builder, &points, PULSE_FADE_S_CURVE, &curve);
        fired = testing_fail_allocation_end();
        ck_assert_int_eq(status, fired ? LH_ERR_NO_MEMORY : LH_OK);
        ck_assert(!fired || (curve == 77 && !fades.made[PULSE_FADE_S_CURVE]));
        graph_builder_free(builder);
        pulse_points_fini(&points);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fades");
    TCase *tests = tcase_create("fades");
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, test_shapes, 0, 32);
    tcase_add_test(tests, test_made_once);
    tcase_add_test(tests, test_no_memory);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
