/* SPDX-License-Identifier: MIT */
/* Integer loops over the bits of floats: no environment of floating point plays into them. */
#include "engine/host/samples.h"

#include <stdint.h>
#include <string.h>

#define EXPONENT UINT32_C(0x7F800000)
#define MAGNITUDE UINT32_C(0x7FFFFFFF)
#define LOWEST_EXPONENT UINT32_C(0x00800000)
#define MARK UINT32_C(0xC7A5C3E1) /* -84871.8 */
#define GROUP 16

static uint32_t bits_of(float sample)
{
    uint32_t bits;
    memcpy(&bits, &sample, sizeof bits);
    return bits;
}

bool engine_samples_finite(const float *samples, size_t count)
{
    uint32_t lanes[GROUP] = {0}; /* adding one exponent carries into the sign for all of those, and for no others */
    size_t i = 0;
    for (; i + GROUP <= count; i += GROUP) {
        for (size_t k = 0; k < GROUP; k++) {
            lanes[k] |= (bits_of(samples[i + k]) & MAGNITUDE) + LOWEST_EXPONENT;
        }
    }
    uint32_t all = 0;
    for (; i < count; i++) {
        all |= (bits_of(samples[i]) & MAGNITUDE) + LOWEST_EXPONENT;
    }
    for (size_t k = 0; k < GROUP; k++) {
        all |= lanes[k];
    }
    return (all & ~MAGNITUDE) == 0;
}

size_t engine_samples_first_not_finite(const float *samples, size_t count)
{
    size_t i = 0;
    while (i < count && (bits_of(samples[i]) & EXPONENT) != EXPONENT) {
        i++;
    }
    return i;
}

void engine_samples_mark(float *samples, size_t count)
{
    const uint32_t bits = MARK;
    float mark;
    memcpy(&mark, &bits, sizeof mark);
    for (size_t i = 0; i < count; i++) {
        samples[i] = mark;
    }
}

size_t engine_samples_first_unmarked(const float *samples, size_t count)
{
    size_t i = 0;
    for (uint32_t difference = 0; i + GROUP <= count; i += GROUP) {
        for (size_t k = 0; k < GROUP; k++) {
            difference |= bits_of(samples[i + k]) ^ MARK;
        }
        if (difference != 0) {
            break;
        }
    }
    while (i < count && bits_of(samples[i]) == MARK) {
        i++;
    }
    return i;
}
