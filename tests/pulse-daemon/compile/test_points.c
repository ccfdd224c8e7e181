/* SPDX-License-Identifier: MIT */
/* Sampling: straight lines, bends, steep places, limits. */
#include "pulse-daemon/compile/points.h"

#include <math.h>

#include "tests/support/testing.h"

static struct pulse_points points;

static void tear_down(void)
{
    pulse_points_fini(&points);
}

static double square(const void *context, int64_t frame)
{
    double x = (double)frame / *(const double *)context;
    return x * x;
}

START_TEST(test_refined_where_it_bends)
{
    const double steep = 40, flat = 1e6;
    ck_assert_int_eq(pulse_points_sample(&points, square, &steep, 0, 40, 64, PULSE_BEND_UNKNOWN), LH_OK);
    ck_assert_uint_eq(points.count, 41); /* every frame */
    pulse_points_clear(&points);
    ck_assert_int_eq(pulse_points_sample(&points, square, &flat, 0, 640, 64, PULSE_BEND_UNKNOWN), LH_OK);
    ck_assert_uint_eq(points.count, 11); /* cells only */
    pulse_points_clear(&points);
    ck_assert_int_eq(pulse_points_sample(&points, square, &flat, 0, 640, 64, 2e-12), LH_OK);
    ck_assert_uint_eq(points.count, 11); /* the bound says it before looking */
    pulse_points_clear(&points);
    ck_assert_int_eq(pulse_points_sample(&points, square, &steep, 0, 40, 64, 2.0 / 1600), LH_OK);
    ck_assert_uint_eq(points.count, 41);
    pulse_points_clear(&points);
    ck_assert_int_eq(pulse_points_sample(&points, square, &steep, 0, 40, 64, 0.0), LH_OK);
    ck_assert_uint_eq(points.count, 2);
    pulse_points_clear(&points);
    ck_assert_int_eq(pulse_points_sample(&points, square, &steep, 7, 7, 64, PULSE_BEND_UNKNOWN), LH_OK);
    ck_assert_uint_eq(points.count, 1);
}
END_TEST

START_TEST(test_flags)
{
    pulse_points_clear(&points);
    ck_assert_int_eq(pulse_points_add(&points, 0, 0.0), LH_OK);
    ck_assert_int_eq(pulse_points_add(&points, 0, 0.0), LH_OK);
    ck_assert(points.count == 1 && !points.audible && !points.overflow);
    ck_assert_int_eq(pulse_points_add(&points, 0, 1e-30), LH_OK);
    ck_assert(points.count == 2 && points.audible);
    ck_assert_int_eq(pulse_points_add(&points, 1, 1e39), LH_OK);
    ck_assert(points.overflow);
    pulse_points_clear(&points);
    ck_assert(!points.audible && !points.overflow && points.count == 0);
}
END_TEST

START_TEST(test_limit)
{
    const double k = 1;
    ck_assert_int_eq(pulse_points_sample(&points, square, &k, 0, GRAPH_FRAMES_MAX - 1, 64, PULSE_BEND_UNKNOWN),
                     LH_ERR_LIMIT);
}
END_TEST

START_TEST(test_no_memory)
{
    testing_fail_allocation(1);
    ck_assert_int_eq(pulse_points_add(&points, 0, 1), LH_ERR_NO_MEMORY);
    ck_assert(testing_fail_allocation_end());
    ck_assert_uint_eq(points.count, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("points");
    TCase *tests = tcase_create("points");
    tcase_add_checked_fixture(tests, NULL, tear_down);
    tcase_add_test(tests, test_refined_where_it_bends);
    tcase_add_test(tests, test_flags);
    tcase_add_test(tests, test_limit);
    tcase_add_test(tests, test_no_memory);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
