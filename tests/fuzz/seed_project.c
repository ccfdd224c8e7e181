/* SPDX-License-Identifier: MIT */
/* The seed of the project reader's smoke run: a project in which everything occurs, from the file SEED_PROJECT. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/fuzz/fuzz.h"

#define SEED_MAX (1u << 20)

uint8_t *fuzz_seed(size_t *size)
{
    FILE *file = fopen(SEED_PROJECT, "rb");
    uint8_t *seed = file == NULL ? NULL : malloc(SEED_MAX);
    *size = seed == NULL ? 0 : fread(seed, 1, SEED_MAX, file);
    if (file != NULL) {
        fclose(file);
    }
    return seed;
}
