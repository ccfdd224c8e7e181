/* SPDX-License-Identifier: MIT */
/* The kernels in plain C: the definition of every bit. Loops are written so that compilers vectorise them: no branches,
   checks gathered as integers, gains laid out as a pattern instead of indexed by channel. */
#include "engine/dsp/kernels_scalar.h"
#include "engine/dsp/kernels_sets.h"

static void decode_u8(float *restrict out, const uint8_t *restrict in, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        out[i] = (float)(in[i] - 128) * 0x1p-7f;
    }
}

static void decode_s8(float *restrict out, const uint8_t *restrict in, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        out[i] = (float)(int8_t)in[i] * 0x1p-7f;
    }
}

static void decode_s16_le(float *restrict out, const uint8_t *restrict in, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        out[i] = from_s16_le(in + 2 * i);
    }
}

static void decode_s16_be(float *restrict out, const uint8_t *restrict in, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        out[i] = from_upper((uint32_t)in[2 * i + 1] << 16 | (uint32_t)in[2 * i] << 24);
    }
}

/* Four samples of three bytes are three whole words: a third of the loads. */
static inline void decode_four_s24_le(float *out, const uint8_t *in)
{
    uint32_t a = load_le32(in), b = load_le32(in + 4), c = load_le32(in + 8);
    out[0] = from_upper(a << 8);
    out[1] = from_upper((a >> 16 & 0xff00u) | b << 16);
    out[2] = from_upper((b >> 8 & 0xffff00u) | c << 24);
    out[3] = from_upper(c & 0xffffff00u);
}

static void decode_s24_le(float *restrict out, const uint8_t *restrict in, size_t count)
{
    size_t i = 0;
    for (; i + 4 <= count; i += 4) {
        decode_four_s24_le(out + i, in + 3 * i);
    }
    for (; i < count; i++) {
        out[i] = from_s24_le(in + 3 * i);
    }
}

static void decode_s24_be(float *restrict out, const uint8_t *restrict in, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const uint8_t *p = in + 3 * i;
        out[i] = from_upper((uint32_t)p[2] << 8 | (uint32_t)p[1] << 16 | (uint32_t)p[0] << 24);
    }
}

static void decode_s32_le(float *restrict out, const uint8_t *restrict in, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        out[i] = from_upper(load_le32(in + 4 * i));
    }
}

static void decode_s32_be(float *restrict out, const uint8_t *restrict in, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        out[i] = from_upper(load_be32(in + 4 * i));
    }
}

static void decode_f32_le(float *restrict out, const uint8_t *restrict in, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        out[i] = float_of((int32_t)load_le32(in + 4 * i));
    }
}

static void decode_f32_be(float *restrict out, const uint8_t *restrict in, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        out[i] = float_of((int32_t)load_be32(in + 4 * i));
    }
}

static inline float from_f64_bits(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return (float)x;
}

static void decode_f64_le(float *restrict out, const uint8_t *restrict in, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const uint8_t *p = in + 8 * i;
        out[i] = from_f64_bits((uint64_t)load_le32(p) | (uint64_t)load_le32(p + 4) << 32);
    }
}

static void decode_f64_be(float *restrict out, const uint8_t *restrict in, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const uint8_t *p = in + 8 * i;
        out[i] = from_f64_bits((uint64_t)load_be32(p + 4) | (uint64_t)load_be32(p) << 32);
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

static void multiply(float *out, const float *in, const float *gain, size_t count)
{
    multiply_block(out, in, gain, count);
}

static inline size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static void gain(float *out, const float *in, size_t frames, size_t channels, const float *gains)
{
    float pattern[PATTERN_MAX];
    const size_t length = lay_pattern(pattern, gains, channels), count = frames * channels;
    for (size_t at = 0; at < count; at += length) {
        multiply_block(out + at, in + at, pattern, smaller(length, count - at));
    }
}

/* The checks of the accumulating kernels: LIMIT_BITS - 1 - magnitude is negative from the limit on, and so then is
   everything ORed together. */
static bool accumulate(int64_t *restrict sum, const float *restrict in, size_t count)
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

static bool accumulate_gain(int64_t *restrict sum, const float *restrict in, size_t frames, size_t channels,
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

static bool accumulate_pan(int64_t *restrict sum, const float *restrict in, size_t frames, const float *gains)
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
    int64_t *restrict sum, const uint8_t *restrict in, size_t count, const float *pattern, size_t length)
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

static void accumulate_s16(int64_t *restrict sum, const uint8_t *restrict in, size_t frames, size_t channels,
    const float *gains)
{
    float pattern[PATTERN_MAX];
    size_t length = lay_pattern(pattern, gains, channels);
    accumulate_decoded(decode_s16_le, 2, sum, in, frames * channels, pattern, length);
}

static void accumulate_s24(int64_t *restrict sum, const uint8_t *restrict in, size_t frames, size_t channels,
    const float *gains)
{
    float pattern[PATTERN_MAX];
    size_t length = lay_pattern(pattern, gains, channels);
    accumulate_decoded(decode_s24_le, 3, sum, in, frames * channels, pattern, length);
}

static void add(int64_t *restrict sum, const int64_t *restrict part, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        sum[i] = grid_add(sum[i], part[i]);
    }
}

/* Negating the integer rather than the float: a sum of zero stays +0. */
static bool complete(float *restrict out, const int64_t *restrict sum, size_t count, bool invert)
{
    const uint64_t sign = invert ? UINT64_MAX : 0;
    int64_t room = 0;
    for (size_t i = 0; i < count; i++) {
        room |= grid_overload(sum[i]);
        out[i] = (float)grid_value((int64_t)(((uint64_t)sum[i] ^ sign) - sign));
    }
    return room >= 0;
}

static void peak(float *peaks, const float *in, size_t frames, size_t channels)
{
    int32_t highest[PATTERN_MAX] = {0};
    const size_t length = PATTERN_MAX / channels * channels, count = frames * channels;
    for (size_t at = 0; at < count; at += length) {
        const float *restrict piece = in + at;
        size_t piece_count = smaller(length, count - at);
        for (size_t i = 0; i < piece_count; i++) {
            int32_t magnitude = magnitude_bits(piece[i]);
            highest[i] = magnitude > highest[i] ? magnitude : highest[i];
        }
    }
    engine_raise_peaks(peaks, channels, highest, length);
}

void engine_raise_peaks(float *peaks, size_t channels, const int32_t *highest, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        int32_t bits = highest[i] < INFINITY_BITS ? highest[i] : INFINITY_BITS;
        float *at = &peaks[i % channels];
        if (bits > magnitude_bits(*at)) {
            *at = float_of(bits);
        }
    }
}

static const struct engine_kernels table = {
    .name = "c",
    .decode = {
        [ENGINE_SAMPLE_U8] = decode_u8, [ENGINE_SAMPLE_S8] = decode_s8,
        [ENGINE_SAMPLE_S16_LE] = decode_s16_le, [ENGINE_SAMPLE_S16_BE] = decode_s16_be,
        [ENGINE_SAMPLE_S24_LE] = decode_s24_le, [ENGINE_SAMPLE_S24_BE] = decode_s24_be,
        [ENGINE_SAMPLE_S32_LE] = decode_s32_le, [ENGINE_SAMPLE_S32_BE] = decode_s32_be,
        [ENGINE_SAMPLE_F32_LE] = decode_f32_le, [ENGINE_SAMPLE_F32_BE] = decode_f32_be,
        [ENGINE_SAMPLE_F64_LE] = decode_f64_le, [ENGINE_SAMPLE_F64_BE] = decode_f64_be,
    },
    .gain = gain,
    .multiply = multiply,
    .accumulate = accumulate,
    .accumulate_gain = accumulate_gain,
    .accumulate_pan = accumulate_pan,
    .accumulate_s16 = accumulate_s16,
    .accumulate_s24 = accumulate_s24,
    .add = add,
    .complete = complete,
    .peak = peak,
};

const struct engine_kernels *engine_kernels_c(void)
{
    return &table;
}
