/* SPDX-License-Identifier: MIT */
/* Looking over samples: every place of every length. */
#include <float.h>
#include <math.h>

#include "engine/host/samples.h"
#include "tests/support/testing.h"

#define MOST 70

START_TEST(not_finite_is_seen_wherever_it_is)
{
    const float bad[] = {NAN, -NAN, INFINITY, -INFINITY};
    float samples[MOST];
    for (size_t count = 0; count <= MOST; count++) {
        for (size_t i = 0; i < count; i++) {
            samples[i] = i % 3 == 0 ? FLT_MAX : i % 3 == 1 ? -FLT_MIN / 2 : -FLT_MAX;
        }
        ck_assert(engine_samples_finite(samples, count));
        ck_assert_uint_eq(engine_samples_first_not_finite(samples, count), count);
        for (size_t i = 0; i < count; i++) {
            float kept = samples[i];
            samples[i] = bad[i % 4];
            ck_assert(!engine_samples_finite(samples, count));
            ck_assert_uint_eq(engine_samples_first_not_finite(samples, count), i);
            samples[i] = kept;
        }
    }
}
END_TEST

START_TEST(a_mark_is_seen_to_be_gone)
{
    float samples[MOST];
    for (size_t count = 0; count <= MOST; count++) {
        engine_samples_mark(samples, count);
        ck_assert(engine_samples_finite(samples, count));
        ck_assert_uint_eq(engine_samples_first_unmarked(samples, count), count);
        for (size_t i = 0; i < count; i++) {
            float kept = samples[i];
            samples[i] = 0.0f;
            ck_assert_uint_eq(engine_samples_first_unmarked(samples, count), i);
            samples[i] = kept;
        }
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("engine/host/samples");
    TCase *tests = tcase_create("samples");
    tcase_add_test(tests, not_finite_is_seen_wherever_it_is);
    tcase_add_test(tests, a_mark_is_seen_to_be_gone);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
