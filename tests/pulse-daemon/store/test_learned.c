/* SPDX-License-Identifier: MIT */
/* Costs. */
#include "pulse-daemon/store/learned.h"

#include <math.h>

#include "tests/pulse-daemon/store/fixture.h"
#include "tests/pulse-daemon/store/suites.h"

static enum lh_status note_cost(void *context, const struct pulse_cost_row *row)
{
    double *values = context;
    values[row->name[0] - 'a'] = row->value * row->weight;
    return LH_OK;
}

START_TEST(costs)
{
    const struct pulse_cost_row rows[] = {{"a", 0.1, 3.0}, {"b", 1e300, 1e-300}, {"a", -0.3, 7.0}};
    const struct pulse_cost_row nonsense[] = {{"c", NAN, 1.0}, {"c", 1.0, INFINITY}};
    double values[3] = {0};
    fixture_begin();
    OK(pulse_store_costs_put(fixture_store, rows, 3, &fixture_error));
    fixture_commit();
    OK(pulse_store_costs(fixture_store, note_cost, values, &fixture_error));
    ck_assert(values[0] == -0.3 * 7.0 && values[1] == 1e300 * 1e-300 && values[2] == 0.0);
    for (size_t i = 0; i < 2; i++) {
        fixture_begin();
        FAILS(pulse_store_costs_put(fixture_store, &nonsense[i], 1, &fixture_error), LH_ERR_LIMIT);
        pulse_store_rollback(fixture_store);
    }
}
END_TEST

TCase *learned_tests(void)
{
    TCase *tests = tcase_create("learned");
    tcase_add_checked_fixture(tests, fixture_set_up, fixture_tear_down);
    tcase_add_test(tests, costs);
    return tests;
}
