/* SPDX-License-Identifier: MIT */
/* common/math against quadruple precision, on CPUs with features masked, and at several optimisation levels. */
#include "common/math/exact.h"

#include <inttypes.h>
#include <math.h>
#include <quadmath.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/common/math/exact_digest.h"
#include "tests/support/testing.h"

#define POINTS 100000
#define ULPS_MAX 0.5005

/* argv: programs that print the digest, each built at another optimisation level. */
static int program_count;
static char **programs;

/* |value - exact| in units of the last place of the double nearest to `exact`. */
static double ulps(double value, __float128 exact)
{
    double nearest = (double)exact;
    if (isinf(value) && isinf(nearest)) {
        return 0.0;
    }
    double size = fabs(nearest);
    double unit = size < 0x1p-1022 ? 0x1p-1074 : ldexp(1.0, ilogb(size) - 52);
    return (double)(fabsq((__float128)value - exact) / unit);
}

struct function {
    const char *name;
    double (*ours)(double);
    __float128 (*exact)(__float128);
    double low, high; /* arguments are uniform in between */
    bool exponent;    /* ... or 2^that */
};

static __float128 exact_exp10(__float128 x)
{
    return powq(10.0Q, x);
}

static __float128 exact_sin(__float128 x)
{
    return sinq(x * M_PI_2q);
}

static __float128 exact_cos(__float128 x)
{
    return sinq((1.0Q - x) * M_PI_2q);
}

static __float128 exact_gain(__float128 x)
{
    return expq(x * M_LN10q / 20.0Q);
}

static const struct function functions[] = {
    {"exp", lh_exp, expq, -708.0, 709.7, false},
    {"exp small", lh_exp, expq, -1.0, 1.0, false},
    {"exp subnormal", lh_exp, expq, -746.0, -707.0, false},
    {"exp tiny", lh_exp, expq, -80.0, -1.0, true},
    {"exp10", lh_exp10, exact_exp10, -307.0, 308.2, false},
    {"exp10 small", lh_exp10, exact_exp10, -3.0, 3.0, false},
    {"log", lh_log, logq, 0.0, 10.0, false},
    {"log wide", lh_log, logq, -1074.0, 1023.0, true},
    {"log near 1", lh_log, logq, 0.99, 1.01, false},
    {"log1p", lh_log1p, log1pq, -0.999, 3.0, false},
    {"log1p small", lh_log1p, log1pq, -1000.0, -2.0, true},
    {"sin", lh_sin_half_pi, exact_sin, 0.0, 1.0, false},
    {"sin small", lh_sin_half_pi, exact_sin, -60.0, -1.0, true},
    {"cos", lh_cos_half_pi, exact_cos, 0.0, 1.0, false},
    {"gain", lh_gain_from_db, exact_gain, -160.0, 40.0, false},
};
#define FUNCTION_COUNT ((int)(sizeof functions / sizeof functions[0]))

START_TEST(test_nearest)
{
    const struct function *f = &functions[_i];
    uint64_t state = 1 + (uint64_t)_i;
    double worst = 0.0, worst_at = 0.0;
    for (int i = 0; i < POINTS; i++) {
        double x = f->low + exact_uniform(&state) * (f->high - f->low);
        if (f->exponent) {
            x = exp2(x);
        }
        double error = ulps(f->ours(x), f->exact((__float128)x));
        if (!(error <= worst)) {
            worst = error;
            worst_at = x;
        }
    }
    ck_assert_msg(worst < ULPS_MAX, "%s is %.6f ulp off at %a", f->name, worst, worst_at);
}
END_TEST

START_TEST(test_edges)
{
    ck_assert(lh_exp(0.0) == 1.0 && lh_exp10(0.0) == 1.0 && lh_gain_from_db(0.0) == 1.0);
    ck_assert(lh_exp(INFINITY) == INFINITY && lh_exp(-INFINITY) == 0.0 && lh_exp(1000.0) == INFINITY);
    ck_assert(lh_exp(709.79) == INFINITY && isfinite(lh_exp(709.78)));
    ck_assert(lh_exp(-745.2) == 0.0 && lh_exp(-745.1) == 0x1p-1074);
    ck_assert(isnan(lh_exp((double)NAN)) && isnan(lh_log((double)NAN)) && isnan(lh_log1p((double)NAN)));
    ck_assert(lh_log(1.0) == 0.0 && lh_log(0.0) == -INFINITY && lh_log(INFINITY) == INFINITY && isnan(lh_log(-1.0)));
    ck_assert(lh_log1p(0.0) == 0.0 && lh_log1p(-1.0) == -INFINITY && isnan(lh_log1p(-1.5)));
    ck_assert(lh_log1p(INFINITY) == INFINITY && lh_log1p(0x1p-1074) == 0x1p-1074);
    ck_assert(lh_gain_from_db(-INFINITY) == 0.0);
    ck_assert(lh_gain_from_db(20.0) == 10.0 && lh_gain_from_db(-20.0) == 0.1 && lh_gain_from_db(120.0) == 1e6);
    ck_assert(lh_sin_half_pi(0.0) == 0.0 && lh_sin_half_pi(1.0) == 1.0);
    ck_assert(lh_cos_half_pi(0.0) == 1.0 && lh_cos_half_pi(1.0) == 0.0);
    ck_assert(lh_sin_half_pi(0.5) == lh_cos_half_pi(0.5) && lh_sin_half_pi(0.5) == sqrt(0.5));
    for (int n = 0; n <= 22; n++) {
        char text[16];
        snprintf(text, sizeof text, "1e%d", n);
        double power = strtod(text, NULL);
        ck_assert_msg(lh_exp10(n) == power, "10^%d", n);
    }
}
END_TEST

/* A ladder in dB goes up at every rung, and so does the sine, which is the cosine backwards. */
START_TEST(test_ladder)
{
    double before = 0.0;
    for (int i = -200000; i <= 40000; i++) {
        double db = i / 1000.0;
        double gain = lh_gain_from_db(db);
        if (!(gain > before)) { /* ck_assert is slow here */
            ck_abort_msg("%f dB is not above the rung below", db);
        }
        before = gain;
    }
    before = -1.0;
    for (int i = 0; i <= 65536; i++) {
        double x = i / 65536.0, sine = lh_sin_half_pi(x);
        if (!(sine > before) || sine != lh_cos_half_pi(1.0 - x)) {
            ck_abort_msg("sin(%a pi/2) is not above the one before, or not the cosine of the rest", x);
        }
        before = sine;
    }
}
END_TEST

static uint64_t printed_digest(const char *command)
{
    FILE *pipe = popen(command, "r");
    ck_assert_ptr_nonnull(pipe);
    uint64_t digest = 0;
    ck_assert_int_eq(fscanf(pipe, "%" SCNx64, &digest), 1);
    ck_assert_int_eq(pclose(pipe), 0);
    return digest;
}

/* libm takes its FMA paths by the CPU's features: with those masked, ours must not change. */
START_TEST(test_same_bits_everywhere)
{
    ck_assert_int_gt(program_count, 0);
    uint64_t expected = exact_digest();
    for (int i = 0; i < program_count; i++) {
        char command[4096 + 128];
        ck_assert_uint_eq(printed_digest(programs[i]), expected);
        snprintf(command, sizeof command, "GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX2,-FMA,-FMA4,-AVX512F '%s'",
                 programs[i]);
        ck_assert_uint_eq(printed_digest(command), expected);
    }
}
END_TEST

static Suite *exact_suite(void)
{
    Suite *suite = suite_create("exact");
    TCase *values = tcase_create("values");
    tcase_set_timeout(values, 60);
    tcase_add_loop_test(values, test_nearest, 0, FUNCTION_COUNT);
    tcase_add_test(values, test_edges);
    tcase_add_test(values, test_ladder);
    tcase_add_test(values, test_same_bits_everywhere);
    suite_add_tcase(suite, values);
    return suite;
}

int main(int argc, char **argv)
{
    program_count = argc - 1;
    programs = argv + 1;
    return testing_main(exact_suite());
}
