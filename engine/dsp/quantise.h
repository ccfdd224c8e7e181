/* SPDX-License-Identifier: MIT */
/* Float to integer PCM, with deterministic TPDF dither. For `bits` = 16 or 24, in double:
       v = rint(x * 2^(bits-1) + d)  clamped to [-2^(bits-1), 2^(bits-1) - 1]
   where d is 0 without dither, else triangular in (-1, 1) LSB: the difference of two uniform numbers that are a
   function of (seed, channel, frame) alone, so that blocks, threads and shards give the same bits. Samples that clamp
   are counted; NaN clamps to the lowest value.

   The dither, part of the sound version (all arithmetic wraps, z and key are 64 bits wide, n and h 32):
       mix(z):  z += 0x9e3779b97f4a7c15
                z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9,  z = (z ^ z >> 27) * 0x94d049bb133111eb,  result z ^ z >> 31
       key = mix(mix(seed) ^ channel << 48 ^ (frame >> 32))           n = the low 32 bits of frame
       h = n * ((key >> 32) | 1) + the low 32 bits of key
       h = (h ^ h >> 16) * 0x7feb352d,  h = (h ^ h >> 15) * 0x846ca68b,  h = h ^ h >> 16
       d = ((h >> 16) - (h & 0xffff)) * 2^-16
   mix() is a step of SplitMix64 (Steele, Lea, Flood 2014, with Stafford's constants); the second half is Chris Wellons'
   "lowbias32". Every channel and seed walks the 2^32 states with a stride of its own, so that streams are not shifted
   copies of each other. The variance is 1/6 LSB^2 less 2^-32 of it; with the rounding's 1/12 the noise is 1/4 LSB^2,
   which for 16 bits is -93.3 dB below a full-scale sine. */
#ifndef ENGINE_DSP_QUANTISE_H
#define ENGINE_DSP_QUANTISE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct engine_quantiser {
    unsigned bits; /* 16 or 24 */
    bool dither;
    uint64_t seed;
    size_t channels; /* 1..16 */
};

/* `frame` is the absolute frame (at the deliverable's rate) of in[0]. Returns how many samples clamped.
   Packed little-endian, 2 or 3 bytes a sample. */
uint64_t engine_quantise_packed(const struct engine_quantiser *quantiser, int64_t frame, uint8_t *out, const float *in,
                                size_t frames);

/* The dither alone, in LSB, for tests and documentation. */
double engine_dither(uint64_t seed, size_t channel, int64_t frame);

#endif
