/* SPDX-License-Identifier: MIT */
/* What a fuzz target gives: the function that libFuzzer calls, and a seed for the smoke run (tests/fuzz/smoke.c), which
   needs neither clang nor a corpus. */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A valid input to start from: malloc'd, the caller frees it. Only the smoke run links it. */
uint8_t *fuzz_seed(size_t *size);

#endif
