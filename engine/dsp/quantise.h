/* SPDX-License-Identifier: MIT */
/* Float to integer PCM, with deterministic TPDF dither. For `bits` = 16 or 24, in double:
       v = rint(x * 2^(bits-1) + d)  clamped to [-2^(bits-1), 2^(bits-1) - 1]
   where d is 0 without dither, else triangular in (-1, 1) LSB: the difference of two uniform numbers that are a function
   of (seed, channel, frame) alone, so that blocks, threads and shards give the same bits. Samples that clamp are counted. */
#ifndef ENGINE_DSP_QUANTISE_H
#define ENGINE_DSP_QUANTISE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct engine_quantiser {
    unsigned bits;  /* 16 or 24 */
    bool dither;
    uint64_t seed;
    size_t channels;
};

/* `frame` is the absolute frame (at the deliverable's rate) of in[0]. Returns how many samples clamped.
   Packed little-endian (2 or 3 bytes a sample) for WAV ... */
uint64_t engine_quantise_packed(const struct engine_quantiser *quantiser, int64_t frame, uint8_t *out, const float *in, size_t frames);
/* ... or as 32-bit integers with the value in the upper bits, as libsndfile takes them. */
uint64_t engine_quantise_int32(const struct engine_quantiser *quantiser, int64_t frame, int32_t *out, const float *in, size_t frames);

/* The dither alone, in LSB, for tests and documentation. */
double engine_dither(uint64_t seed, size_t channel, int64_t frame);

#endif
