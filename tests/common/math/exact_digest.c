/* SPDX-License-Identifier: MIT */
/* The digest of common/math's results; as a program it prints it (exact_digest_main.c). */
#include "tests/common/math/exact_digest.h"

#include <stddef.h>
#include <string.h>

#include "common/math/exact.h"

#define POINTS 20000

uint64_t exact_next(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

double exact_uniform(uint64_t *state)
{
    return (double)(exact_next(state) >> 11) * 0x1p-53;
}

static uint64_t mix(uint64_t hash, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    for (unsigned i = 0; i < 8; i++) {
        hash = (hash ^ ((bits >> (8 * i)) & 255)) * UINT64_C(0x100000001b3);
    }
    return hash;
}

uint64_t exact_digest(void)
{
    uint64_t state = 20260722, hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < POINTS; i++) {
        double u = exact_uniform(&state);
        hash = mix(hash, lh_exp((u - 0.5) * 1480.0));
        hash = mix(hash, lh_exp10((u - 0.5) * 640.0));
        hash = mix(hash, lh_log(u * 1e6));
        hash = mix(hash, lh_log1p(u - 0.5));
        hash = mix(hash, lh_sin_half_pi(u));
        hash = mix(hash, lh_cos_half_pi(u));
        hash = mix(hash, lh_gain_from_db((u - 0.8) * 150.0));
    }
    return hash;
}
