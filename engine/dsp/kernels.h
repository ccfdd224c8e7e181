/* SPDX-License-Identifier: MIT */
/* Signal's inner loops, behind one table for each instruction set. Every set gives the same bits: the plain C is the
   definition, a sibling ships only because the tests compare it bit by bit (tests/engine/dsp).

   Samples are interleaved 32-bit floats, 1.0 = 0 dBFS; `frames` x `channels` of them, channels 1..16. The exact grid:
   a contribution x is rounded (to nearest, ties to even) to a multiple of 2^-40 and added as a 64-bit integer:
       grid(x) = bits((double)x + 0x1.8p12) - bits(0x1.8p12)         for |x| < 2^11
   Integer addition is associative, so any order and any partition of a sum gives the same bits.
   Nothing here allocates, locks or looks at a clock. Buffers need no more alignment than their type's (on 64 bytes they
   are fastest); in and out never overlap unless said, and no byte beyond the samples named is touched. */
#ifndef ENGINE_DSP_KERNELS_H
#define ENGINE_DSP_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "graph/graph.h"

#define ENGINE_GRID_LIMIT 0x1p11f /* a contribution or completed sum that reaches this is a fault (+66 dBFS) */

/* Positioned PCM as it lies in a file. */
enum engine_sample_format {
    ENGINE_SAMPLE_U8 = 0,
    ENGINE_SAMPLE_S8,
    ENGINE_SAMPLE_S16_LE,
    ENGINE_SAMPLE_S16_BE,
    ENGINE_SAMPLE_S24_LE,
    ENGINE_SAMPLE_S24_BE,
    ENGINE_SAMPLE_S32_LE,
    ENGINE_SAMPLE_S32_BE,
    ENGINE_SAMPLE_F32_LE,
    ENGINE_SAMPLE_F32_BE,
    ENGINE_SAMPLE_F64_LE,
    ENGINE_SAMPLE_F64_BE,
};
#define ENGINE_SAMPLE_FORMAT_COUNT 12

size_t engine_sample_size(enum engine_sample_format format); /* bytes of one sample */
/* Integers of up to 24 bits: decoded floats lie on the exact grid and stay below 1, so that sums of them alone need no
   rounding and no check. */
bool engine_sample_is_on_grid(enum engine_sample_format format);

struct engine_kernels {
    const char *name; /* "c", "avx2" */

    /* Bytes of a file to floats: integers divided by 2^(bits-1) (S32 and F64 rounded to nearest). `count` samples. */
    void (*decode[ENGINE_SAMPLE_FORMAT_COUNT])(float *out, const uint8_t *in, size_t count);

    /* out = in x gains[channel], one rounding each. out may be in. */
    void (*gain)(float *out, const float *in, size_t frames, size_t channels, const float *gains);
    /* out = in x gain, sample by sample, for curves laid out by engine_curve_fill(). out may be in. */
    void (*multiply)(float *out, const float *in, const float *gain, size_t count);

    /* sum += grid(in), `count` samples. True when every |in| < 2^11; otherwise (overload, NaN, Inf) `sum` is spoilt and
       the caller names the fault. */
    bool (*accumulate)(int64_t *sum, const float *in, size_t count);
    /* sum += grid(in x gains[channel]), the product rounded to float first: the bits of gain() then accumulate(). */
    bool (*accumulate_gain)(int64_t *sum, const float *in, size_t frames, size_t channels, const float *gains);
    /* The same from a mono input into two channels (pan): in[frame] x gains[0], in[frame] x gains[1]. */
    bool (*accumulate_pan)(int64_t *sum, const float *in, size_t frames, const float *gains);
    /* The same straight from 16- or 24-bit little-endian PCM (S16_LE, S24_LE) without a float buffer between; `in`
       holds frames x channels samples. The gains must be finite and below 2^11. */
    void (*accumulate_s16)(int64_t *sum, const uint8_t *in, size_t frames, size_t channels, const float *gains);
    void (*accumulate_s24)(int64_t *sum, const uint8_t *in, size_t frames, size_t channels, const float *gains);
    /* sum += part, on the grid. */
    void (*add)(int64_t *sum, const int64_t *part, size_t count);

    /* A completed sum becomes float, once: out = (float)(sum x 2^-40), negated if `invert`. False when any |sum|
       reaches 2^51 (2^11 in units of the grid): a fault. A zero is always +0. */
    bool (*complete)(float *out, const int64_t *sum, size_t count, bool invert);

    /* Largest |sample| of each channel, raised in peaks[channel]. NaN counts as infinite. */
    void (*peak)(float *peaks, const float *in, size_t frames, size_t channels);
    /* Largest |interpolated sample| of each channel (true_peak.h), raised in peaks[channel]; `factor` is 4 or 2. `in`
       holds ENGINE_TRUE_PEAK_HISTORY frames more than `frames`: those of the filter's length before. */
    void (*true_peak)(float *peaks, const float *in, size_t frames, size_t channels, unsigned factor);

    /* out = in as integers of `bits` bits (16 or 24) with the dither of `states`, one a sample, or without where that
       is NULL; by the formula of quantise.h. Returns how many of the `count` samples clamped. count < 2^32. */
    uint64_t (*quantise)(int32_t *out, const float *in, const uint32_t *states, size_t count, unsigned bits);
    /* The lower two or three bytes of each integer, little-endian. */
    void (*pack_s16)(uint8_t *out, const int32_t *in, size_t count);
    void (*pack_s24)(uint8_t *out, const int32_t *in, size_t count);
};

#define ENGINE_TRUE_PEAK_HISTORY 15

/* The table of plain C, and the fastest that this CPU and this build have. `engine_kernels_named` finds one by name for
   tests and `LOOPHOLE_KERNELS`; NULL when this build or CPU lacks it. */
const struct engine_kernels *engine_kernels_c(void);
const struct engine_kernels *engine_kernels_best(void);
const struct engine_kernels *engine_kernels_named(const char *name);

/* The set that everything in the process computes with: one choice, so that the mix, the meters and the encoders are
   tested together. NULL: the fastest, as before the first choice. Any thread; what runs meanwhile gives the same bits
   with either. */
void engine_kernels_select(const struct engine_kernels *kernels);
const struct engine_kernels *engine_kernels_current(void);

/* A curve's values for `frames` frames from `frame` on, out[i x stride]; by the formula in graph/graph.h. */
void engine_curve_fill(const struct graph *graph, uint32_t curve, int64_t frame, size_t frames, float *out,
                       size_t stride);
/* A fade of `length` frames, from `distance` frames off its silent end on, away from it (step 1, fading in) or towards
   it (step -1, fading out): out[i x stride] is the gain at distance + i x step, by the formula in graph/graph.h. */
void engine_fade_fill(const struct graph *graph, uint32_t curve, int64_t length, int64_t distance, int step,
                      size_t frames, float *out, size_t stride);

#endif
