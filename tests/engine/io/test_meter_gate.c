/* SPDX-License-Identifier: MIT */
/* The gates against the definition, computed over the whole list of blocks. */
#include "engine/io/meter_gate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/testing.h"

#define BLOCKS 20000

static struct engine_gate gate;

static double gated_mean(const double *energies, size_t count, double below_lu)
{
    double sum = 0;
    size_t passed = 0;
    for (int pass = 0; pass < 2; pass++) {
        double threshold =
            pass == 0 ? engine_gate_energy(ENGINE_GATE_FLOOR_LUFS) : sum / (double)passed * pow(10, -below_lu / 10);
        threshold = fmax(threshold, engine_gate_energy(ENGINE_GATE_FLOOR_LUFS));
        sum = 0;
        passed = 0;
        for (size_t i = 0; i < count; i++) {
            if (energies[i] >= threshold) {
                sum += energies[i];
                passed++;
            }
        }
    }
    return sum / (double)passed;
}

START_TEST(test_units)
{
    ck_assert_double_eq_tol(engine_gate_lufs(1), -0.691, 1e-12);
    ck_assert_double_eq_tol(engine_gate_lufs(engine_gate_energy(-23.4)), -23.4, 1e-12);
    ck_assert(isinf(engine_gate_lufs(0)));
}
END_TEST

START_TEST(test_empty_and_quiet)
{
    memset(&gate, 0, sizeof gate);
    ck_assert_double_eq(engine_gate_mean(&gate, 10), 0);
    ck_assert_double_eq(engine_gate_range(&gate, 20, 0.1, 0.95), 0);
    engine_gate_add(&gate, 0);
    engine_gate_add(&gate, engine_gate_energy(-70.01));
    ck_assert_double_eq(engine_gate_mean(&gate, 10), 0);
    engine_gate_add(&gate, engine_gate_energy(-69.99));
    ck_assert_double_eq_tol(engine_gate_lufs(engine_gate_mean(&gate, 10)), -69.99, 1e-9);
}
END_TEST

START_TEST(test_absurdly_loud)
{
    memset(&gate, 0, sizeof gate);
    engine_gate_add(&gate, 1e30);
    ck_assert_double_eq_tol(engine_gate_lufs(engine_gate_mean(&gate, 10)), 299.309, 1e-6);
}
END_TEST

/* Levels spread over 60 LU: the one bin that the gate cuts is worth less than 0.01 LU. */
START_TEST(test_like_the_definition)
{
    static double energies[BLOCKS];
    uint32_t random = 99;
    memset(&gate, 0, sizeof gate);
    for (size_t i = 0; i < BLOCKS; i++) {
        random = random * 1664525u + 1013904223u;
        energies[i] = engine_gate_energy(-80 + 65.0 * (double)random / 4294967296.0);
        engine_gate_add(&gate, energies[i]);
    }
    double expected = engine_gate_lufs(gated_mean(energies, BLOCKS, 10));
    ck_assert_double_eq_tol(engine_gate_lufs(engine_gate_mean(&gate, 10)), expected, 0.01);
    /* Uniform in LU from -15 down to the gate at mean - 20: 85 % of that stretch lies between the percentiles. */
    double mean = engine_gate_lufs(gated_mean(energies, BLOCKS, 1000));
    ck_assert_double_eq_tol(engine_gate_range(&gate, 20, 0.1, 0.95), 0.85 * (-15 - (mean - 20)), 0.5);
}
END_TEST

/* A steady level is exact, wherever in its bin it lies. */
START_TEST(test_steady_levels_are_exact)
{
    for (int i = 0; i < 100; i++) {
        double level = -30 + i * 0.0137;
        memset(&gate, 0, sizeof gate);
        for (int j = 0; j < 100; j++) {
            engine_gate_add(&gate, engine_gate_energy(level));
        }
        ck_assert_double_eq_tol(engine_gate_lufs(engine_gate_mean(&gate, 10)), level, 1e-9);
        ck_assert_double_eq(engine_gate_range(&gate, 20, 0.1, 0.95), 0);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("engine/io/meter_gate");
    TCase *tests = tcase_create("gate");
    tcase_add_test(tests, test_units);
    tcase_add_test(tests, test_empty_and_quiet);
    tcase_add_test(tests, test_absurdly_loud);
    tcase_add_test(tests, test_like_the_definition);
    tcase_add_test(tests, test_steady_levels_are_exact);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
