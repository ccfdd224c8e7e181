/* SPDX-License-Identifier: MIT */
/* One number over the bits of many results of common/math: equal wherever it is computed. */
#ifndef TESTS_COMMON_MATH_EXACT_DIGEST_H
#define TESTS_COMMON_MATH_EXACT_DIGEST_H

#include <stdint.h>

/* The next number of a seeded sequence (SplitMix64). */
uint64_t exact_next(uint64_t *state);
/* Uniform in 0..1, 53 bits. */
double exact_uniform(uint64_t *state);
/* FNV-1a over the results of every function at the same seeded arguments. */
uint64_t exact_digest(void);

#endif
