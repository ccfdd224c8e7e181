/* SPDX-License-Identifier: MIT */
/* engine/dsp/fpenv.h: denormals vanish inside, and come back outside. */
#include <fenv.h>

#include "engine/dsp/fpenv.h"
#include "tests/support/testing.h"

/* Through memory that the compiler must not see through: the product is to be made at run time, in place. */
static volatile float factors[2], result;

static float product(float a, float b)
{
    factors[0] = a;
    factors[1] = b;
    result = factors[0] * factors[1];
    return result;
}

START_TEST(denormals_are_flushed_until_restored)
{
    ck_assert(product(0x1p-100f, 0x1p-30f) == 0x1p-130f);
    ck_assert(product(0x1p-130f, 0x1p100f) == 0x1p-30f);
    struct engine_fpenv saved = engine_fpenv_enter();
#if ENGINE_FPENV_HAS_FLUSH
    float made = product(0x1p-100f, 0x1p-30f), read = product(0x1p-130f, 0x1p100f);
    engine_fpenv_restore(saved);
    ck_assert(made == 0.0f);
    ck_assert(read == 0.0f);
#else
    engine_fpenv_restore(saved);
#endif
    ck_assert(product(0x1p-100f, 0x1p-30f) == 0x1p-130f);
}
END_TEST

START_TEST(rounding_of_others_is_set_right_and_put_back)
{
    const float a = 0x1.000002p0f; /* its square lies just above a float */
    fesetround(FE_UPWARD);
    struct engine_fpenv saved = engine_fpenv_enter();
    float inside = product(a, a);
    engine_fpenv_restore(saved);
    float outside = product(a, a);
    fesetround(FE_TONEAREST);
    float nearest = product(a, a);
    ck_assert(outside > nearest);
#if ENGINE_FPENV_HAS_FLUSH
    ck_assert(inside == nearest);
#else
    ck_assert(inside == outside);
#endif
}
END_TEST

START_TEST(entering_twice_nests)
{
    struct engine_fpenv first = engine_fpenv_save();
    struct engine_fpenv outer = engine_fpenv_enter(), inner = engine_fpenv_enter();
    engine_fpenv_restore(inner);
    struct engine_fpenv between = engine_fpenv_save();
    engine_fpenv_restore(outer);
    struct engine_fpenv last = engine_fpenv_save();
    /* the sticky flags of exceptions may differ: the lowest six bits on x86 */
    ck_assert_uint_eq(first.control & ~UINT64_C(0x3f), last.control & ~UINT64_C(0x3f));
    ck_assert_uint_eq(inner.control & ~UINT64_C(0x3f), between.control & ~UINT64_C(0x3f));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("engine/dsp/fpenv");
    TCase *tests = tcase_create("fpenv");
    tcase_add_test(tests, denormals_are_flushed_until_restored);
    tcase_add_test(tests, rounding_of_others_is_set_right_and_put_back);
    tcase_add_test(tests, entering_twice_nests);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
