/* SPDX-License-Identifier: MIT */
/* What every Check test shares: a main that prints TAP, and allocations that fail on purpose. */
#ifndef TESTS_SUPPORT_TESTING_H
#define TESTS_SUPPORT_TESTING_H

#include <check.h>
#include <stdbool.h>
#include <stddef.h>

/* Runs the suite and prints TAP on standard output. Returns main()'s exit status. */
int testing_main(Suite *suite);

/* From now on the n-th allocation (1 = the next) of our own objects fails, once. Works in tests linked with
   testing_alloc_dep, by the linker's --wrap. */
void testing_fail_allocation(size_t n);
/* Stops that; returns whether an allocation was failed. */
bool testing_fail_allocation_end(void);

#endif
