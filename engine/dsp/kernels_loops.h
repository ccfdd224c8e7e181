/* SPDX-License-Identifier: MIT */
/* The kernels in plain C: the definition of every bit. Each set includes them, so that the compiler also lays them out
   for that set's vectors; a set replaces those that it knows to do faster by hand. Loops are written so that compilers
   vectorise them: no branches, checks gathered as integers, gains laid out as a pattern instead of indexed by channel.
   Private to engine/dsp. */
#ifndef ENGINE_DSP_KERNELS_LOOPS_H
#define ENGINE_DSP_KERNELS_LOOPS_H

#include <math.h>

#include "engine/dsp/kernels_scalar.h"

static inline void decode_u8(float *restrict out, const uint8_t *restrict in, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        out[i] = (float)(in[i] - 128) * 0x1p-7f;
    }
}

static inline void decode_s8(float *restrict out, const uint8_t *restrict in, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        out[i] = (float)(int8_t)in[i] * 0x1p-7f;
    }
}

static inline void decode_s16_le(float *restrict out, const uint8_t *restrict in, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        out[i] = from_upper(upper_s16_le(in + 2 * i));
    }
}

static inline void decode_s16_be(float *restrict out, const uint8_t *restrict in, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        out[i] = from_upper((uint32_t)in[2 * i + 1] << 16 | (uint32_t)in[2 * i] << 24);
    }
}

/* Four samples of three bytes are three whole words: a third of the loads. */
static inline void decode_four_s24_le(float *out, const uint8_t *in)
{
    uint32_t a = load_32(in, true), b = load_32(in + 4, true), c = load_32(in + 8, true);
    out[0] = from_upper(a << 8);
    out[1] = from_upper((a >> 16 & 0xff00u) | b << 16);
    out[2] = from_upper((b >> 8 & 0xffff00u) | c << 24);
    out[3] = from_upper(c & 0xffffff00u);
}

static inline void decode_s24_le(float *restrict out, const uint8_t *restrict in, size_t count)
{
    size_t i = 0;
    for (; i + 4 <= count; i += 4) {
        decode_four_s24_le(out + i, in + 3 * i);
    }
    for (; i < count; i++) {
        out[i] = from_upper(upper_s24_le(in + 3 * i));
    }
}

static inline void decode_s24_be(float *restrict out, const uint8_t *restrict in, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const uint8_t *p = in + 3 * i;
        out[i] = from_upper((uint32_t)p[2] << 8 | (uint32_t)p[1] << 16 | (uint32_t)p[0] << 24);
    }
}

static inline void decode_s32_le(float *restrict out, const uint8_t *restrict in, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        out[i] = from_upper(load_32(in + 4 * i, true));
    }
}

static inline void decode_s32_be(float *restrict out, const uint8_t *restrict in, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        out[i] = from_upper(load_32(in + 4 * i, false));
    }
}

static inline void decode_f32_le(float *restrict out, const uint8_t *restrict in, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        out[i] = float_of((int32_t)load_32(in + 4 * i, true));
    }
}

static inline void decode_f32_be(float *restrict out, const uint8_t *restrict in, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        out[i] = float_of((int32_t)load_32(in + 4 * i, false));
    }
}

static inline float from_f64_bits(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return (float)x;
}

static inline void decode_f64_le(float *restrict out, const uint8_t *restrict in, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        out[i] = from_f64_bits(load_64(in + 8 * i, true));
    }
}

static inline void decode_f64_be(float *restrict out, const uint8_t *restrict in, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        out[i] = from_f64_bits(load_64(in + 8 * i, false));
    }
}

/* In place and apart are two loops: compilers give up vectors where they cannot tell. */
static inline void multiply_block(float *out, const float *in, const float *restrict gain, size_t count)
{
    if (out == in) {
        for (size_t i = 0; i < count; i++) {
            out[i] *= gain[i];
        }
        return;
    }
    float *restrict apart = out;
    const float *restrict from = in;
    for (size_t i = 0; i < count; i++) {
        apart[i] = from[i] * gain[i];
    }
}

static inline void multiply(float *out, const float *in, const float *gain, size_t count)
{
    multiply_block(out, in, gain, count);
}

static inline void gain(float *out, const float *in, size_t frames, size_t channels, const float *gains)
{
    float pattern[PATTERN_MAX];
    const size_t length = lay_pattern(pattern, gains, channels), count = frames * channels;
    for (size_t at = 0; at < count; at += length) {
        multiply_block(out + at, in + at, pattern, smaller(length, count - at));
    }
}

/* The checks of the accumulating kernels: LIMIT_BITS - 1 - magnitude is negative from the limit on, and so then is
   everything ORed together. */
static inline bool accumulate(int64_t *restrict sum, const float *restrict in, size_t count)
{
    int32_t room = 0;
    for (size_t i = 0; i < count; i++) {
        room |= LIMIT_BITS - 1 - magnitude_bits(in[i]);
        sum[i] = grid_add(sum[i], grid_of(in[i]));
    }
    return room >= 0;
}

static inline int32_t accumulate_products(int64_t *restrict sum, const float *restrict in, const float *restrict gain,
                                          size_t count)
{
    int32_t room = 0;
    for (size_t i = 0; i < count; i++) {
        float product = in[i] * gain[i];
        room |= LIMIT_BITS - 1 - magnitude_bits(product);
        sum[i] = grid_add(sum[i], grid_of(product));
    }
    return room;
}

static inline bool accumulate_gain(int64_t *restrict sum, const float *restrict in, size_t frames, size_t channels,
                                   const float *gains)
{
    float pattern[PATTERN_MAX];
    const size_t length = lay_pattern(pattern, gains, channels), count = frames * channels;
    int32_t room = 0;
    for (size_t at = 0; at < count; at += length) {
        room |= accumulate_products(sum + at, in + at, pattern, smaller(length, count - at));
    }
    return room >= 0;
}

static inline bool accumulate_pan(int64_t *restrict sum, const float *restrict in, size_t frames, const float *gains)
{
    const float left_gain = gains[0], right_gain = gains[1];
    int32_t room = 0;
    for (size_t i = 0; i < frames; i++) {
        float left = in[i] * left_gain, right = in[i] * right_gain;
        room |= (LIMIT_BITS - 1 - magnitude_bits(left)) | (LIMIT_BITS - 1 - magnitude_bits(right));
        sum[2 * i] = grid_add(sum[2 * i], grid_of(left));
        sum[2 * i + 1] = grid_add(sum[2 * i + 1], grid_of(right));
    }
    return room >= 0;
}

/* Decoded in small pieces that stay in the innermost cache. */
static inline void accumulate_decoded(void (*decode)(float *, const uint8_t *, size_t), size_t sample_size,
                                      int64_t *restrict sum, const uint8_t *restrict in, size_t count,
                                      const float *pattern, size_t length)
{
    float decoded[PATTERN_MAX];
    for (size_t at = 0; at < count; at += length) {
        size_t piece = smaller(length, count - at);
        decode(decoded, in + at * sample_size, piece);
        for (size_t i = 0; i < piece; i++) {
            sum[at + i] = grid_add(sum[at + i], grid_of(decoded[i] * pattern[i]));
        }
    }
}

static inline void accumulate_s16(int64_t *restrict sum, const uint8_t *restrict in, size_t frames, size_t channels,
                                  const float *gains)
{
    float pattern[PATTERN_MAX];
    size_t length = lay_pattern(pattern, gains, channels);
    accumulate_decoded(decode_s16_le, 2, sum, in, frames * channels, pattern, length);
}

static inline void accumulate_s24(int64_t *restrict sum, const uint8_t *restrict in, size_t frames, size_t channels,
                                  const float *gains)
{
    float pattern[PATTERN_MAX];
    size_t length = lay_pattern(pattern, gains, channels);
    accumulate_decoded(decode_s24_le, 3, sum, in, frames * channels, pattern, length);
}

static inline void add(int64_t *restrict sum, const int64_t *restrict part, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        sum[i] = grid_add(sum[i], part[i]);
    }
}

/* Negating the integer rather than the float: a sum of zero stays +0. */
static inline bool complete(float *restrict out, const int64_t *restrict sum, size_t count, bool invert)
{
    const uint64_t sign = invert ? UINT64_MAX : 0;
    int64_t room = 0;
    for (size_t i = 0; i < count; i++) {
        room |= grid_overload(sum[i]);
        out[i] = (float)grid_value((int64_t)(((uint64_t)sum[i] ^ sign) - sign));
    }
    return room >= 0;
}

static inline int32_t higher(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

static inline void peak(float *peaks, const float *in, size_t frames, size_t channels)
{
    int32_t highest[PATTERN_MAX] = {0};
    const size_t length = pattern_length(channels), count = frames * channels;
    for (size_t at = 0; at < count; at += length) {
        const float *restrict piece = in + at;
        size_t piece_count = smaller(length, count - at);
        for (size_t i = 0; i < piece_count; i++) {
            highest[i] = higher(highest[i], magnitude_bits(piece[i]));
        }
    }
    raise_peaks(peaks, channels, highest, length);
}

/* The interpolators of true_peak.h. Sixteen frames around the gap between p[7] and p[8] are taken as sums and
   differences of pairs about its middle: the value at a quarter of the gap is the even part plus the odd part, at three
   quarters it is their difference, so that the larger magnitude of the two is |even| + |odd|. The middle needs the sums
   alone. Written out, and in this order, because it decides the bits. */
static inline float interpolated_half(const float *p, size_t stride)
{
    return (p[7 * stride] + p[8 * stride]) * 0.632392704f + (p[6 * stride] + p[9 * stride]) * -0.199786723f +
           (p[5 * stride] + p[10 * stride]) * 0.107467242f + (p[4 * stride] + p[11 * stride]) * -0.0648196191f +
           (p[3 * stride] + p[12 * stride]) * 0.0397958048f + (p[2 * stride] + p[13 * stride]) * -0.0237158686f +
           (p[1 * stride] + p[14 * stride]) * 0.0131750135f + (p[0 * stride] + p[15 * stride]) * -0.00788861141f;
}

static inline float interpolated_even(const float *p, size_t stride)
{
    return (p[7 * stride] + p[8 * stride]) * 0.597218692f + (p[6 * stride] + p[9 * stride]) * -0.145548478f +
           (p[5 * stride] + p[10 * stride]) * 0.0768855736f + (p[4 * stride] + p[11 * stride]) * -0.0461453199f +
           (p[3 * stride] + p[12 * stride]) * 0.0282730814f + (p[2 * stride] + p[13 * stride]) * -0.0168314409f +
           (p[1 * stride] + p[14 * stride]) * 0.00934467185f + (p[0 * stride] + p[15 * stride]) * -0.00559195736f;
}

static inline float interpolated_odd(const float *p, size_t stride)
{
    return (p[7 * stride] - p[8 * stride]) * 0.29855147f + (p[6 * stride] - p[9 * stride]) * -0.0242028423f +
           (p[5 * stride] - p[10 * stride]) * 0.00763824768f + (p[4 * stride] - p[11 * stride]) * -0.00325253862f +
           (p[3 * stride] - p[12 * stride]) * 0.00153505348f + (p[2 * stride] - p[13 * stride]) * -0.000737650087f +
           (p[1 * stride] - p[14 * stride]) * 0.000339834689f + (p[0 * stride] - p[15 * stride]) * -0.000170521307f;
}

static inline void raise_fourfold(int32_t *restrict highest, const float *restrict in, size_t count, size_t stride)
{
    for (size_t i = 0; i < count; i++) {
        const float *p = in + i;
        float quarters = fabsf(interpolated_even(p, stride)) + fabsf(interpolated_odd(p, stride));
        int32_t between = higher(magnitude_bits(quarters), magnitude_bits(interpolated_half(p, stride)));
        highest[i] = higher(highest[i], higher(magnitude_bits(p[7 * stride]), between));
    }
}

static inline void raise_twofold(int32_t *restrict highest, const float *restrict in, size_t count, size_t stride)
{
    for (size_t i = 0; i < count; i++) {
        const float *p = in + i;
        int32_t between = magnitude_bits(interpolated_half(p, stride));
        highest[i] = higher(highest[i], higher(magnitude_bits(p[7 * stride]), between));
    }
}

static inline void true_peak(float *peaks, const float *in, size_t frames, size_t channels, unsigned factor)
{
    int32_t highest[PATTERN_MAX] = {0};
    const size_t length = pattern_length(channels), count = frames * channels;
    for (size_t at = 0; at < count; at += length) {
        if (factor == 4) {
            raise_fourfold(highest, in + at, smaller(length, count - at), channels);
        } else {
            raise_twofold(highest, in + at, smaller(length, count - at), channels);
        }
    }
    raise_peaks(peaks, channels, highest, length);
}

/* Adding it rounds a double to a whole number, which then stands in the low bits. */
#define ROUND_BIAS 0x1.8p52

static inline uint64_t quantise(int32_t *restrict out, const float *restrict in, const uint32_t *restrict states,
                                size_t count, unsigned bits)
{
    const double scale = (double)(INT32_C(1) << (bits - 1));
    const int32_t lowest = -(INT32_C(1) << (bits - 1)), highest = -(lowest + 1);
    const double below = (double)lowest - 1.0, above = (double)highest + 1.0; /* these still count as clamped */
    uint32_t clamped = 0;
    for (size_t i = 0; i < count; i++) {
        double wanted = (double)in[i] * scale + (states != NULL ? (double)triangular(states[i]) * 0x1p-16 : 0.0);
        wanted = wanted > below ? wanted : below;
        wanted = wanted < above ? wanted : above;
        double biased = wanted + ROUND_BIAS;
        uint64_t rounded;
        memcpy(&rounded, &biased, sizeof rounded);
        int32_t value = (int32_t)(uint32_t)rounded;
        clamped += (uint32_t)((value < lowest) | (value > highest));
        value = value < lowest ? lowest : value;
        out[i] = value > highest ? highest : value;
    }
    return clamped;
}

static inline void pack_s16(uint8_t *restrict out, const int32_t *restrict in, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        out[2 * i] = (uint8_t)in[i];
        out[2 * i + 1] = (uint8_t)((uint32_t)in[i] >> 8);
    }
}

static inline void pack_s24(uint8_t *restrict out, const int32_t *restrict in, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        out[3 * i] = (uint8_t)in[i];
        out[3 * i + 1] = (uint8_t)((uint32_t)in[i] >> 8);
        out[3 * i + 2] = (uint8_t)((uint32_t)in[i] >> 16);
    }
}

#endif
