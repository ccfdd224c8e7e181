/* SPDX-License-Identifier: MIT */
/* The cases that both stores have to pass, one file each. */
#ifndef TESTS_PULSE_DAEMON_STORE_SUITES_H
#define TESTS_PULSE_DAEMON_STORE_SUITES_H

#include <check.h>

TCase *store_tests(void);
TCase *transaction_tests(void);
TCase *migration_tests(void);
TCase *apply_tests(void);
TCase *load_tests(void);
TCase *outputs_tests(void);
TCase *projects_tests(void);
TCase *jobs_tests(void);
TCase *media_tests(void);
TCase *access_tests(void);
TCase *learned_tests(void);
TCase *prune_tests(void);
TCase *check_tests(void);
TCase *memory_tests(void);

#endif
