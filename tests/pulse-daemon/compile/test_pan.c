/* SPDX-License-Identifier: MIT */
/* Pan laws against their published levels. */
#include "pulse-daemon/compile/pan.h"

#include <math.h>

#include "tests/support/testing.h"

static double db(enum pulse_pan_law law, double pan, uint32_t side)
{
    return 20.0 * log10(pulse_pan_gain(PULSE_PAN_LAW, law, pan, side));
}

START_TEST(test_laws)
{
    static const struct {
        enum pulse_pan_law law;
        double centre, left, right; /* dB, at the centre and at p = 0.25 */
    } laws[] = {
        {PULSE_PAN_CONSTANT_POWER, -3.0103, -0.6877, -8.3432},
        {PULSE_PAN_LINEAR, -6.0206, -2.4988, -12.0412},
        {PULSE_PAN_COMPROMISE, -4.5154, -1.5932, -10.1922},
    };
    for (size_t i = 0; i < 3; i++) {
        for (uint32_t side = 0; side < 2; side++) {
            ck_assert(fabs(db(laws[i].law, 0.0, side) - laws[i].centre) < 5e-5);
            ck_assert(fabs(db(laws[i].law, -0.5, side) - (side == 0 ? laws[i].left : laws[i].right)) < 6e-5);
            ck_assert(fabs(db(laws[i].law, 0.5, side) - (side == 1 ? laws[i].left : laws[i].right)) < 6e-5);
            ck_assert(pulse_pan_gain(PULSE_PAN_LAW, laws[i].law, -1.0, side) == (side == 0 ? 1.0 : 0.0));
            ck_assert(pulse_pan_gain(PULSE_PAN_LAW, laws[i].law, 1.0, side) == (side == 0 ? 0.0 : 1.0));
        }
    }
}
END_TEST

START_TEST(test_balance)
{
    for (int i = -10; i <= 10; i++) {
        double pan = i / 10.0;
        for (int law = 0; law < 3; law++) {
            ck_assert(pulse_pan_gain(PULSE_PAN_BALANCE, (enum pulse_pan_law)law, pan, 0) ==
                      (pan > 0 ? 1.0 - pan : 1.0));
            ck_assert(pulse_pan_gain(PULSE_PAN_BALANCE, (enum pulse_pan_law)law, pan, 1) ==
                      (pan < 0 ? 1.0 + pan : 1.0));
            ck_assert(pulse_pan_gain(PULSE_PAN_NOT, (enum pulse_pan_law)law, pan, 5) == 1.0);
        }
    }
}
END_TEST

START_TEST(test_layouts)
{
    enum pulse_pan_kind kind;
    ck_assert(pulse_pan_between(1, 2, &kind) && kind == PULSE_PAN_LAW);
    ck_assert(pulse_pan_between(2, 2, &kind) && kind == PULSE_PAN_BALANCE);
    ck_assert(pulse_pan_between(1, 1, &kind) && kind == PULSE_PAN_NOT);
    ck_assert(pulse_pan_between(6, 6, &kind) && kind == PULSE_PAN_NOT);
    ck_assert(!pulse_pan_between(2, 1, &kind) && !pulse_pan_between(1, 6, &kind) && !pulse_pan_between(6, 2, &kind));
}
END_TEST

START_TEST(test_linear)
{
    ck_assert(pulse_pan_is_linear(PULSE_PAN_BALANCE, PULSE_PAN_CONSTANT_POWER));
    ck_assert(pulse_pan_is_linear(PULSE_PAN_LAW, PULSE_PAN_LINEAR));
    ck_assert(!pulse_pan_is_linear(PULSE_PAN_LAW, PULSE_PAN_COMPROMISE));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pan");
    TCase *tests = tcase_create("pan");
    tcase_add_test(tests, test_laws);
    tcase_add_test(tests, test_balance);
    tcase_add_test(tests, test_layouts);
    tcase_add_test(tests, test_linear);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
