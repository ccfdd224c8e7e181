/* SPDX-License-Identifier: MIT */
/* The AVX2 sibling: most loops as the compiler lays them out for eight lanes, and by hand (wide_...) those where it
   misses a byte shuffle or an order of loads. Built with -mavx2 alone, never with FMA: every operation rounds as in
   plain C. */
#include <immintrin.h>

#include "engine/dsp/kernels_loops.h"
#include "engine/dsp/kernels_sets.h"

#define LANES 8

static inline __m128i load_half(const void *from)
{
    return _mm_loadu_si128((const __m128i *)from);
}

/* Eight samples of two bytes in lanes of four. */
static inline __m256i eight_s16_le(const uint8_t *in)
{
    return _mm256_cvtepi16_epi32(load_half(in));
}

static inline __m256i eight_s16_be(const uint8_t *in)
{
    const __m128i swap = _mm_setr_epi8(1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14);
    return _mm256_cvtepi16_epi32(_mm_shuffle_epi8(load_half(in), swap));
}

/* Eight samples of three bytes in the upper three of each lane (-1 makes a zero): four from the first sixteen of the 24
   bytes, four from the last sixteen, so that nothing beyond them is touched. */
static inline __m256i eight_s24(const uint8_t *in, __m256i places)
{
    __m256i raw = _mm256_inserti128_si256(_mm256_castsi128_si256(load_half(in)), load_half(in + 8), 1);
    return _mm256_shuffle_epi8(raw, places);
}

static inline __m256i eight_s24_le(const uint8_t *in)
{
    return eight_s24(in, _mm256_setr_epi8(-1, 0, 1, 2, -1, 3, 4, 5, -1, 6, 7, 8, -1, 9, 10, 11, /* second half: */
                                          -1, 4, 5, 6, -1, 7, 8, 9, -1, 10, 11, 12, -1, 13, 14, 15));
}

static inline __m256i eight_s24_be(const uint8_t *in)
{
    return eight_s24(in, _mm256_setr_epi8(-1, 2, 1, 0, -1, 5, 4, 3, -1, 8, 7, 6, -1, 11, 10, 9, /* second half: */
                                          -1, 6, 5, 4, -1, 9, 8, 7, -1, 12, 11, 10, -1, 15, 14, 13));
}

#define S16_SCALE 0x1p-15f
#define S24_SCALE 0x1p-31f /* of the upper three bytes of four */

static inline __m256 scaled(__m256i samples, float scale)
{
    return _mm256_mul_ps(_mm256_cvtepi32_ps(samples), _mm256_set1_ps(scale));
}

static void wide_decode_s16_le(float *restrict out, const uint8_t *restrict in, size_t count)
{
    size_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        _mm256_storeu_ps(out + i, scaled(eight_s16_le(in + 2 * i), S16_SCALE));
    }
    decode_s16_le(out + i, in + 2 * i, count - i);
}

static void wide_decode_s16_be(float *restrict out, const uint8_t *restrict in, size_t count)
{
    size_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        _mm256_storeu_ps(out + i, scaled(eight_s16_be(in + 2 * i), S16_SCALE));
    }
    decode_s16_be(out + i, in + 2 * i, count - i);
}

static void wide_decode_s24_le(float *restrict out, const uint8_t *restrict in, size_t count)
{
    size_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        _mm256_storeu_ps(out + i, scaled(eight_s24_le(in + 3 * i), S24_SCALE));
    }
    decode_s24_le(out + i, in + 3 * i, count - i);
}

static void wide_decode_s24_be(float *restrict out, const uint8_t *restrict in, size_t count)
{
    size_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        _mm256_storeu_ps(out + i, scaled(eight_s24_be(in + 3 * i), S24_SCALE));
    }
    decode_s24_be(out + i, in + 3 * i, count - i);
}

/* sum += grid(x) for four samples. The bias comes off the sum, which does not wait for the conversion. */
static inline void add_four(int64_t *sum, __m128 x)
{
    __m256i *at = (__m256i *)(void *)sum;
    __m256d biased = _mm256_add_pd(_mm256_cvtps_pd(x), _mm256_set1_pd(GRID_BIAS));
    __m256i rest = _mm256_sub_epi64(_mm256_loadu_si256(at), _mm256_set1_epi64x(GRID_BIAS_BITS));
    _mm256_storeu_si256(at, _mm256_add_epi64(rest, _mm256_castpd_si256(biased)));
}

static inline void add_eight(int64_t *sum, __m256 x)
{
    add_four(sum, _mm256_castps256_ps128(x));
    add_four(sum + 4, _mm256_extractf128_ps(x, 1));
}

/* The largest magnitudes so far, lane by lane: compared with the limit once, at the end. */
static inline __m256i raise_magnitudes(__m256i highest, __m256 x)
{
    __m256i magnitude = _mm256_and_si256(_mm256_castps_si256(x), _mm256_set1_epi32(INT32_MAX));
    return _mm256_max_epi32(highest, magnitude);
}

static inline bool all_below_limit(__m256i highest)
{
    return _mm256_movemask_epi8(_mm256_cmpgt_epi32(highest, _mm256_set1_epi32(LIMIT_BITS - 1))) == 0;
}

static bool wide_accumulate(int64_t *restrict sum, const float *restrict in, size_t count)
{
    __m256i highest = _mm256_setzero_si256();
    size_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        __m256 x = _mm256_loadu_ps(in + i);
        highest = raise_magnitudes(highest, x);
        add_eight(sum + i, x);
    }
    bool tail_is_below = accumulate(sum + i, in + i, count - i);
    return all_below_limit(highest) && tail_is_below;
}

/* Gains come as a pattern. Where eight samples are whole frames, one register of it serves a whole block (`step` 0, a
   constant once inlined); else the pattern is walked again and again (`step` 1). */
static inline __m256i gain_run(int64_t *sum, const float *in, size_t count, const float *pattern, size_t step,
                               __m256i highest, int32_t *room)
{
    size_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        __m256 x = _mm256_mul_ps(_mm256_loadu_ps(in + i), _mm256_loadu_ps(pattern + i * step));
        highest = raise_magnitudes(highest, x);
        add_eight(sum + i, x);
    }
    *room |= accumulate_products(sum + i, in + i, pattern + i * step, count - i);
    return highest;
}

static bool wide_accumulate_gain(int64_t *restrict sum, const float *restrict in, size_t frames, size_t channels,
                                 const float *gains)
{
    float pattern[PATTERN_MAX];
    const size_t length = lay_pattern(pattern, gains, channels), count = frames * channels;
    __m256i highest = _mm256_setzero_si256();
    int32_t room = 0;
    if (LANES % channels == 0) {
        highest = gain_run(sum, in, count, pattern, 0, highest, &room);
    } else {
        for (size_t at = 0; at < count; at += length) {
            highest = gain_run(sum + at, in + at, smaller(length, count - at), pattern, 1, highest, &room);
        }
    }
    return all_below_limit(highest) && room >= 0;
}

static bool wide_accumulate_pan(int64_t *restrict sum, const float *restrict in, size_t frames, const float *gains)
{
    const float left = gains[0], right = gains[1];
    const __m256 gain_pairs = _mm256_setr_ps(left, right, left, right, left, right, left, right);
    __m256i highest = _mm256_setzero_si256();
    size_t i = 0;
    for (; i + LANES <= frames; i += LANES) {
        __m256 x = _mm256_loadu_ps(in + i);
        __m256 pairs_0_2 = _mm256_unpacklo_ps(x, x), pairs_1_3 = _mm256_unpackhi_ps(x, x);
        __m256 first = _mm256_mul_ps(_mm256_permute2f128_ps(pairs_0_2, pairs_1_3, 0x20), gain_pairs);
        __m256 second = _mm256_mul_ps(_mm256_permute2f128_ps(pairs_0_2, pairs_1_3, 0x31), gain_pairs);
        highest = raise_magnitudes(raise_magnitudes(highest, first), second);
        add_eight(sum + 2 * i, first);
        add_eight(sum + 2 * i + LANES, second);
    }
    bool tail_is_below = accumulate_pan(sum + 2 * i, in + i, frames - i, gains);
    return all_below_limit(highest) && tail_is_below;
}

/* Straight from PCM: the integers are not divided first, the gains are. The product rounds to the same float as long as
   neither is denormal, and where one is the contribution is zero on the grid either way. */
static inline size_t lay_scaled_pattern(float pattern[PATTERN_MAX], const float *gains, size_t channels, float scale)
{
    const size_t length = lay_pattern(pattern, gains, channels);
    for (size_t i = 0; i < length; i++) {
        pattern[i] *= scale;
    }
    return length;
}

static inline void s16_run(int64_t *sum, const uint8_t *in, size_t count, const float *pattern, size_t step)
{
    size_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        __m256 x = _mm256_cvtepi32_ps(eight_s16_le(in + 2 * i));
        add_eight(sum + i, _mm256_mul_ps(x, _mm256_loadu_ps(pattern + i * step)));
    }
    for (const float *gain_at = pattern + i * step; i < count; i++, gain_at++) {
        float x = (float)((int32_t)upper_s16_le(in + 2 * i) >> 16);
        sum[i] = grid_add(sum[i], grid_of(x * *gain_at));
    }
}

static inline void s24_run(int64_t *sum, const uint8_t *in, size_t count, const float *pattern, size_t step)
{
    size_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        __m256 x = _mm256_cvtepi32_ps(eight_s24_le(in + 3 * i));
        add_eight(sum + i, _mm256_mul_ps(x, _mm256_loadu_ps(pattern + i * step)));
    }
    for (const float *gain_at = pattern + i * step; i < count; i++, gain_at++) {
        float x = (float)(int32_t)upper_s24_le(in + 3 * i);
        sum[i] = grid_add(sum[i], grid_of(x * *gain_at));
    }
}

static void wide_accumulate_s16(int64_t *restrict sum, const uint8_t *restrict in, size_t frames, size_t channels,
                                const float *gains)
{
    float pattern[PATTERN_MAX];
    const size_t length = lay_scaled_pattern(pattern, gains, channels, S16_SCALE), count = frames * channels;
    if (LANES % channels == 0) {
        s16_run(sum, in, count, pattern, 0);
        return;
    }
    for (size_t at = 0; at < count; at += length) {
        s16_run(sum + at, in + 2 * at, smaller(length, count - at), pattern, 1);
    }
}

static void wide_accumulate_s24(int64_t *restrict sum, const uint8_t *restrict in, size_t frames, size_t channels,
                                const float *gains)
{
    float pattern[PATTERN_MAX];
    const size_t length = lay_scaled_pattern(pattern, gains, channels, S24_SCALE), count = frames * channels;
    if (LANES % channels == 0) {
        s24_run(sum, in, count, pattern, 0);
        return;
    }
    for (size_t at = 0; at < count; at += length) {
        s24_run(sum + at, in + 3 * at, smaller(length, count - at), pattern, 1);
    }
}

/* Packing writes sixteen bytes of which twelve count: the last samples of a block go one at a time. */
static void wide_pack_s24(uint8_t *restrict out, const int32_t *restrict in, size_t count)
{
    const __m256i places = _mm256_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1, /* second half: */
                                            0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1);
    size_t i = 0;
    for (; i + LANES + 2 <= count; i += LANES) {
        __m256i samples = _mm256_loadu_si256((const __m256i *)(const void *)(in + i));
        __m256i packed = _mm256_shuffle_epi8(samples, places);
        _mm_storeu_si128((__m128i *)(void *)(out + 3 * i), _mm256_castsi256_si128(packed));
        _mm_storeu_si128((__m128i *)(void *)(out + 3 * i + 12), _mm256_extracti128_si256(packed, 1));
    }
    pack_s24(out + 3 * i, in + i, count - i);
}

static const struct engine_kernels table = {
    .name = "avx2",
    .decode =
        {
            [ENGINE_SAMPLE_U8] = decode_u8,
            [ENGINE_SAMPLE_S8] = decode_s8,
            [ENGINE_SAMPLE_S16_LE] = wide_decode_s16_le,
            [ENGINE_SAMPLE_S16_BE] = wide_decode_s16_be,
            [ENGINE_SAMPLE_S24_LE] = wide_decode_s24_le,
            [ENGINE_SAMPLE_S24_BE] = wide_decode_s24_be,
            [ENGINE_SAMPLE_S32_LE] = decode_s32_le,
            [ENGINE_SAMPLE_S32_BE] = decode_s32_be,
            [ENGINE_SAMPLE_F32_LE] = decode_f32_le,
            [ENGINE_SAMPLE_F32_BE] = decode_f32_be,
            [ENGINE_SAMPLE_F64_LE] = decode_f64_le,
            [ENGINE_SAMPLE_F64_BE] = decode_f64_be,
        },
    .gain = gain,
    .multiply = multiply,
    .accumulate = wide_accumulate,
    .accumulate_gain = wide_accumulate_gain,
    .accumulate_pan = wide_accumulate_pan,
    .accumulate_s16 = wide_accumulate_s16,
    .accumulate_s24 = wide_accumulate_s24,
    .add = add,
    .complete = complete,
    .peak = peak,
    .true_peak = true_peak,
    .quantise = quantise,
    .pack_s16 = pack_s16,
    .pack_s24 = wide_pack_s24,
};

const struct engine_kernels *engine_kernels_avx2(void)
{
    return &table;
}
