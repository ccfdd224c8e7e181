/* SPDX-License-Identifier: MIT */
/* One suite for both stores: the same calls have to give the same results. */
#include "tests/pulse-daemon/store/fixture.h"
#include "tests/pulse-daemon/store/suites.h"

int main(void)
{
    TCase *(*const cases[])(void) = {
        store_tests, migration_tests, transaction_tests, apply_tests,   load_tests,  outputs_tests, projects_tests,
        jobs_tests,  media_tests,     access_tests,      learned_tests, prune_tests, check_tests,   memory_tests,
    };
    Suite *suite = suite_create(fixture_is_postgres() ? "postgresql" : "sqlite");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        suite_add_tcase(suite, cases[i]());
    }
    return testing_main(suite);
}
