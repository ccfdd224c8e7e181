/* SPDX-License-Identifier: MIT */
/* One sample at a time: what the sets of kernels share, for tails and as the definition. Private to engine/dsp. */
#ifndef ENGINE_DSP_KERNELS_SCALAR_H
#define ENGINE_DSP_KERNELS_SCALAR_H

#include <stdint.h>
#include <string.h>

#include "engine/dsp/kernels.h"

#define GRID_BIAS 0x1.8p12                         /* the last place of a double near it is 2^-40 */
#define GRID_BIAS_BITS INT64_C(0x40b8000000000000) /* the same double, as an integer */
#define GRID_SUM_LIMIT (INT64_C(1) << 51)          /* ENGINE_GRID_LIMIT in units of the grid */
#define LIMIT_BITS INT32_C(0x45000000)             /* ENGINE_GRID_LIMIT, as an integer */
#define MAGNITUDE_MASK UINT32_C(0x7fffffff)
#define INFINITY_BITS INT32_C(0x7f800000)

static inline int32_t float_bits(float x)
{
    int32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline float float_of(int32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* |x| as an integer: ordered like the magnitudes themselves, infinity above every number and NaN above infinity. */
static inline int32_t magnitude_bits(float x)
{
    return (int32_t)((uint32_t)float_bits(x) & MAGNITUDE_MASK);
}

/* Wraps: a sum that was spoilt by an overload may hold anything. */
static inline int64_t grid_add(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a + (uint64_t)b);
}

static inline int64_t grid_of(float x)
{
    double biased = (double)x + GRID_BIAS;
    int64_t bits;
    memcpy(&bits, &biased, sizeof bits);
    return grid_add(bits, -GRID_BIAS_BITS);
}

static inline double grid_value(int64_t sum)
{
    int64_t bits = grid_add(sum, GRID_BIAS_BITS);
    double biased;
    memcpy(&biased, &bits, sizeof biased);
    return biased - GRID_BIAS;
}

/* Negative when |sum| reaches the limit: one of the two differences is. Wraps like grid_add(). */
static inline int64_t grid_overload(int64_t sum)
{
    return grid_add(sum, GRID_SUM_LIMIT - 1) | grid_add(GRID_SUM_LIMIT - 1, (int64_t)(0 - (uint64_t)sum));
}

/* Whole loads, turned where the order is not this machine's: compilers vectorise these, and not single bytes. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define LITTLE_ENDIAN_HOST 1
#else
#define LITTLE_ENDIAN_HOST 0
#endif

static inline uint32_t load_32(const uint8_t *p, bool little_endian)
{
    uint32_t value;
    memcpy(&value, p, sizeof value);
    return little_endian == LITTLE_ENDIAN_HOST ? value : __builtin_bswap32(value);
}

static inline uint64_t load_64(const uint8_t *p, bool little_endian)
{
    uint64_t value;
    memcpy(&value, p, sizeof value);
    return little_endian == LITTLE_ENDIAN_HOST ? value : __builtin_bswap64(value);
}

/* Integers in the upper bits of 32, divided by 2^31: exact up to 24 bits, rounded to nearest beyond. */
static inline float from_upper(uint32_t bits)
{
    return (float)(int32_t)bits * 0x1p-31f;
}

static inline uint32_t upper_s16_le(const uint8_t *p)
{
    return (uint32_t)p[0] << 16 | (uint32_t)p[1] << 24;
}

static inline uint32_t upper_s24_le(const uint8_t *p)
{
    return (uint32_t)p[0] << 8 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 24;
}

static inline size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Values of whole frames side by side, so that inner loops need no channel index: as many frames as make a multiple of
   eight samples, at least 64 of them. */
#define PATTERN_MAX 128

static inline size_t pattern_length(size_t channels)
{
    return channels * 8 * ((7 + channels) / channels);
}

static inline size_t lay_pattern(float pattern[PATTERN_MAX], const float *gains, size_t channels)
{
    size_t length = pattern_length(channels);
    for (size_t i = 0; i < length; i++) {
        pattern[i] = gains[i % channels];
    }
    return length;
}

/* Raises each channel's peak to the largest magnitude (as bits) that its places in the pattern saw. */
static inline void raise_peaks(float *peaks, size_t channels, const int32_t *highest, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        int32_t bits = highest[i] < INFINITY_BITS ? highest[i] : INFINITY_BITS;
        float *at = &peaks[i % channels];
        if (bits > magnitude_bits(*at)) {
            *at = float_of(bits);
        }
    }
}

/* From a state of the dither's walk to its value in steps of 2^-16 LSB (quantise.h). */
static inline int32_t triangular(uint32_t h)
{
    h = (h ^ h >> 16) * UINT32_C(0x7feb352d);
    h = (h ^ h >> 15) * UINT32_C(0x846ca68b);
    h ^= h >> 16;
    return (int32_t)(h >> 16) - (int32_t)(h & 0xffffu);
}

#endif
