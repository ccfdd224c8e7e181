/* SPDX-License-Identifier: MIT */
/* engine/dsp/kernels.c: which sets there are, and what is known of the formats. */
#include "engine/dsp/kernels.h"
#include "tests/support/testing.h"

START_TEST(sets_are_found_by_name)
{
    ck_assert_ptr_eq(engine_kernels_named("c"), engine_kernels_c());
    ck_assert_str_eq(engine_kernels_c()->name, "c");
    ck_assert_ptr_eq(engine_kernels_named(engine_kernels_best()->name), engine_kernels_best());
    ck_assert_ptr_null(engine_kernels_named("avx1024"));
    ck_assert_ptr_null(engine_kernels_named(""));
}
END_TEST

START_TEST(the_best_set_is_the_widest_that_runs)
{
    const struct engine_kernels *avx2 = engine_kernels_named("avx2");
    ck_assert_ptr_eq(engine_kernels_best(), avx2 != NULL ? avx2 : engine_kernels_c());
}
END_TEST

START_TEST(every_set_is_whole)
{
    const struct engine_kernels *sets[] = {engine_kernels_c(), engine_kernels_best()};
    for (size_t i = 0; i < 2; i++) {
        const struct engine_kernels *set = sets[i];
        for (int format = 0; format < ENGINE_SAMPLE_FORMAT_COUNT; format++) {
            ck_assert(set->decode[format] != NULL);
        }
        ck_assert(set->gain != NULL && set->multiply != NULL && set->accumulate != NULL);
        ck_assert(set->accumulate_gain != NULL && set->accumulate_pan != NULL && set->accumulate_s16 != NULL);
        ck_assert(set->accumulate_s24 != NULL && set->add != NULL && set->complete != NULL && set->peak != NULL);
        ck_assert(set->true_peak != NULL && set->quantise != NULL && set->pack_s16 != NULL && set->pack_s24 != NULL);
    }
}
END_TEST

START_TEST(one_set_is_selected_for_all)
{
    ck_assert_ptr_eq(engine_kernels_current(), engine_kernels_best());
    engine_kernels_select(engine_kernels_c());
    ck_assert_ptr_eq(engine_kernels_current(), engine_kernels_c());
    engine_kernels_select(NULL);
    ck_assert_ptr_eq(engine_kernels_current(), engine_kernels_best());
}
END_TEST

START_TEST(formats_know_their_size)
{
    const size_t sizes[ENGINE_SAMPLE_FORMAT_COUNT] = {1, 1, 2, 2, 3, 3, 4, 4, 4, 4, 8, 8};
    for (int format = 0; format < ENGINE_SAMPLE_FORMAT_COUNT; format++) {
        ck_assert_uint_eq(engine_sample_size((enum engine_sample_format)format), sizes[format]);
        ck_assert(engine_sample_is_on_grid((enum engine_sample_format)format) == (sizes[format] <= 3));
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("engine/dsp/kernels");
    TCase *tests = tcase_create("kernels");
    tcase_add_test(tests, sets_are_found_by_name);
    tcase_add_test(tests, the_best_set_is_the_widest_that_runs);
    tcase_add_test(tests, every_set_is_whole);
    tcase_add_test(tests, one_set_is_selected_for_all);
    tcase_add_test(tests, formats_know_their_size);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
