/* SPDX-License-Identifier: MIT */
/* engine/dsp/kernels_c.c against integers and long double: the definition itself. */
#include <float.h>
#include <math.h>

#include "engine/dsp/kernels.h"
#include "tests/engine/dsp/guarded.h"
#include "tests/support/testing.h"

#define LENGTH_MOST 700

_Static_assert(LDBL_MANT_DIG >= 64, "the reference needs more digits than a double has");

static const struct engine_kernels *kernels;

static void set_up(void)
{
    kernels = engine_kernels_c();
}

/* x in units of 2^-40, to nearest, ties to even. */
static int64_t reference_grid(float x)
{
    return (int64_t)rintl((long double)x * 0x1p40L);
}

/* A sample's integer from its bytes, whatever its size and order. */
static int64_t integer_of(const uint8_t *bytes, size_t size, bool big_endian)
{
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++) {
        value |= (uint64_t)bytes[big_endian ? size - 1 - i : i] << (8 * i);
    }
    int64_t half = INT64_C(1) << (8 * size - 1);
    return (int64_t)value >= half ? (int64_t)value - 2 * half : (int64_t)value;
}

static void check_integers(enum engine_sample_format format, bool big_endian, const uint8_t *bytes, size_t count)
{
    const size_t size = engine_sample_size(format);
    float *out = calloc(count, sizeof *out);
    ck_assert_ptr_nonnull(out);
    kernels->decode[format](out, bytes, count);
    for (size_t i = 0; i < count; i++) {
        float expected = (float)((long double)integer_of(bytes + i * size, size, big_endian) /
                                 (long double)(INT64_C(1) << (8 * size - 1)));
        ck_assert_msg(bits_of(out[i]) == bits_of(expected), "format %d sample %zu", (int)format, i);
    }
    free(out);
}

START_TEST(bytes_decode_to_every_value)
{
    uint8_t bytes[256];
    float out[256];
    for (size_t i = 0; i < 256; i++) {
        bytes[i] = (uint8_t)i;
    }
    kernels->decode[ENGINE_SAMPLE_U8](out, bytes, 256);
    for (int i = 0; i < 256; i++) {
        ck_assert(out[i] == (float)(i - 128) / 128.0f);
    }
    check_integers(ENGINE_SAMPLE_S8, false, bytes, 256);
}
END_TEST

START_TEST(sixteen_bits_decode_to_every_value)
{
    static uint8_t bytes[2 * 65536];
    for (size_t i = 0; i < 65536; i++) {
        bytes[2 * i] = (uint8_t)i;
        bytes[2 * i + 1] = (uint8_t)(i >> 8);
    }
    check_integers(ENGINE_SAMPLE_S16_LE, false, bytes, 65536);
    check_integers(ENGINE_SAMPLE_S16_BE, true, bytes, 65536);
}
END_TEST

START_TEST(wide_integers_decode)
{
    static uint8_t bytes[4 * 100000 + 12];
    static const uint8_t edges[12] = {0, 0, 0x80, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff, 1, 0, 0};
    uint64_t state = 1;
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = i < 12 ? edges[i] : (uint8_t)(random_bits(&state) >> 56);
    }
    check_integers(ENGINE_SAMPLE_S24_LE, false, bytes, 100003);
    check_integers(ENGINE_SAMPLE_S24_BE, true, bytes, 100003);
    check_integers(ENGINE_SAMPLE_S32_LE, false, bytes, 100001);
    check_integers(ENGINE_SAMPLE_S32_BE, true, bytes, 100001);
}
END_TEST

START_TEST(floats_decode_in_both_orders)
{
    const double values[] = {
        0.0, -0.0, 1.0, -0.5, 1.0 / 3.0, 1e-30, 1e30, 0x1.000001p0, 0x1.0000010000001p0, (double)INFINITY};
    const size_t count = sizeof values / sizeof values[0];
    uint8_t little[8 * 10], big[8 * 10];
    float out[10];
    for (size_t i = 0; i < count; i++) {
        uint64_t bits;
        memcpy(&bits, &values[i], sizeof bits);
        for (size_t k = 0; k < 8; k++) {
            little[8 * i + k] = (uint8_t)(bits >> (8 * k));
            big[8 * i + 7 - k] = (uint8_t)(bits >> (8 * k));
        }
    }
    kernels->decode[ENGINE_SAMPLE_F64_LE](out, little, count);
    for (size_t i = 0; i < count; i++) {
        ck_assert_uint_eq(bits_of(out[i]), bits_of((float)values[i]));
    }
    kernels->decode[ENGINE_SAMPLE_F64_BE](out, big, count);
    for (size_t i = 0; i < count; i++) {
        ck_assert_uint_eq(bits_of(out[i]), bits_of((float)values[i]));
    }
    const uint8_t third[4] = {0xab, 0xaa, 0xaa, 0x3e}, turned[4] = {0x3e, 0xaa, 0xaa, 0xab};
    kernels->decode[ENGINE_SAMPLE_F32_LE](out, third, 1);
    kernels->decode[ENGINE_SAMPLE_F32_BE](out + 1, turned, 1);
    ck_assert(out[0] == 1.0f / 3.0f && out[1] == 1.0f / 3.0f);
}
END_TEST

/* Values that round in every way: ties, tiny, large. */
static float any_contribution(uint64_t *state)
{
    switch (random_below(state, 6)) {
    case 0:
        return ((float)(random_below(state, 4096)) - 2048.0f + 0.5f) * 0x1p-40f; /* a tie */
    case 1:
        return random_sample(state) * 0x1.fffffep10f;
    case 2:
        return random_sample(state) * 0x1p-120f;
    case 3:
        return random_below(state, 2) != 0 ? 0.0f : -0.0f;
    default:
        return random_sample(state);
    }
}

START_TEST(contributions_round_to_the_grid)
{
    int64_t sum[LENGTH_MOST], expected[LENGTH_MOST];
    float in[LENGTH_MOST];
    uint64_t state = 2;
    for (size_t round = 0; round < 200; round++) {
        size_t count = random_below(&state, LENGTH_MOST + 1);
        for (size_t i = 0; i < count; i++) {
            in[i] = any_contribution(&state);
            sum[i] = (int64_t)(random_bits(&state) >> 16) - (INT64_C(1) << 47);
            expected[i] = sum[i] + reference_grid(in[i]);
        }
        ck_assert(kernels->accumulate(sum, in, count));
        ck_assert(memcmp(sum, expected, count * sizeof *sum) == 0);
    }
}
END_TEST

START_TEST(an_overload_is_seen_wherever_it_stands)
{
    const float bad[] = {0x1p11f, -0x1p11f, 1e30f, INFINITY, -INFINITY, NAN, -NAN};
    const float fine[] = {0x1.fffffep10f, -0x1.fffffep10f};
    const float gains[GRAPH_CHANNELS_MAX] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    int64_t sum[96];
    float in[48] = {0};
    for (size_t count = 1; count <= 48; count++) {
        for (size_t at = 0; at < count; at++) {
            for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++) {
                in[at] = bad[k];
                memset(sum, 0, sizeof sum);
                ck_assert(!kernels->accumulate(sum, in, count));
                ck_assert(!kernels->accumulate_gain(sum, in, count, 1, gains));
                ck_assert(!kernels->accumulate_pan(sum, in, count, gains));
            }
            for (size_t k = 0; k < 2; k++) {
                in[at] = fine[k];
                memset(sum, 0, sizeof sum);
                ck_assert(kernels->accumulate(sum, in, count));
                ck_assert(kernels->accumulate_gain(sum, in, count, 1, gains));
                ck_assert(kernels->accumulate_pan(sum, in, count, gains));
            }
            in[at] = 0.0f;
        }
    }
}
END_TEST

START_TEST(any_order_gives_the_same_sum)
{
    enum { COUNT = 100, PARTS = 64 };
    static float parts[PARTS][COUNT];
    int64_t forward[COUNT] = {0}, backward[COUNT] = {0}, halves[2][COUNT] = {0};
    uint64_t state = 3;
    for (size_t p = 0; p < PARTS; p++) {
        for (size_t i = 0; i < COUNT; i++) {
            parts[p][i] = random_sample(&state) * 3.0f;
        }
    }
    for (size_t p = 0; p < PARTS; p++) {
        ck_assert(kernels->accumulate(forward, parts[p], COUNT));
        ck_assert(kernels->accumulate(backward, parts[PARTS - 1 - p], COUNT));
        ck_assert(kernels->accumulate(halves[p % 3 == 0], parts[p], COUNT));
    }
    kernels->add(halves[0], halves[1], COUNT);
    ck_assert(memcmp(forward, backward, sizeof forward) == 0);
    ck_assert(memcmp(forward, halves[0], sizeof forward) == 0);
}
END_TEST

START_TEST(gain_multiplies_each_channel)
{
    float in[LENGTH_MOST], out[LENGTH_MOST], gains[GRAPH_CHANNELS_MAX], curve[LENGTH_MOST];
    uint64_t state = 4;
    for (size_t channels = 1; channels <= GRAPH_CHANNELS_MAX; channels++) {
        size_t frames = LENGTH_MOST / channels;
        for (size_t i = 0; i < LENGTH_MOST; i++) {
            in[i] = random_sample(&state);
        }
        for (size_t i = 0; i < channels; i++) {
            gains[i] = random_sample(&state) * 2.0f;
        }
        kernels->gain(out, in, frames, channels, gains);
        for (size_t i = 0; i < frames * channels; i++) {
            curve[i] = gains[i % channels];
            ck_assert(out[i] == in[i] * gains[i % channels]);
        }
        kernels->multiply(in, in, curve, frames * channels);
        ck_assert(memcmp(in, out, frames * channels * sizeof *in) == 0);
    }
}
END_TEST

START_TEST(fused_kernels_equal_their_steps)
{
    int64_t fused[LENGTH_MOST], stepped[LENGTH_MOST];
    uint8_t bytes[3 * LENGTH_MOST];
    float decoded[LENGTH_MOST], product[LENGTH_MOST], gains[GRAPH_CHANNELS_MAX];
    uint64_t state = 5;
    for (size_t channels = 1; channels <= GRAPH_CHANNELS_MAX; channels++) {
        size_t frames = LENGTH_MOST / channels, count = frames * channels;
        for (size_t i = 0; i < sizeof bytes; i++) {
            bytes[i] = (uint8_t)(random_bits(&state) >> 56);
        }
        for (size_t i = 0; i < channels; i++) {
            gains[i] = any_contribution(&state);
        }
        for (int wide = 0; wide < 2; wide++) {
            memset(fused, 0, sizeof fused);
            memset(stepped, 0, sizeof stepped);
            kernels->decode[wide ? ENGINE_SAMPLE_S24_LE : ENGINE_SAMPLE_S16_LE](decoded, bytes, count);
            kernels->gain(product, decoded, frames, channels, gains);
            for (size_t i = 0; i < count; i++) {
                stepped[i] = reference_grid(product[i]);
            }
            (wide ? kernels->accumulate_s24 : kernels->accumulate_s16)(fused, bytes, frames, channels, gains);
            ck_assert(memcmp(fused, stepped, count * sizeof *fused) == 0);
            memset(fused, 0, sizeof fused);
            ck_assert(kernels->accumulate_gain(fused, decoded, frames, channels, gains));
            ck_assert(memcmp(fused, stepped, count * sizeof *fused) == 0);
        }
    }
}
END_TEST

START_TEST(pan_feeds_two_channels)
{
    const float in[5] = {0.5f, -0.25f, 0.1f, 1.0f, -1.0f}, gains[2] = {0.7f, 0.3f};
    int64_t sum[10] = {0};
    ck_assert(kernels->accumulate_pan(sum, in, 5, gains));
    for (size_t i = 0; i < 10; i++) {
        ck_assert_int_eq(sum[i], reference_grid(in[i / 2] * gains[i % 2]));
    }
}
END_TEST

START_TEST(completing_rounds_once)
{
    int64_t sum[LENGTH_MOST];
    float out[LENGTH_MOST], turned[LENGTH_MOST];
    uint64_t state = 6;
    for (size_t i = 0; i < LENGTH_MOST; i++) {
        int64_t full = (int64_t)(random_bits(&state) >> 12) - (INT64_C(1) << 51);
        sum[i] = full / (INT64_C(1) << random_below(&state, 50));
        sum[i] = sum[i] == -(INT64_C(1) << 51) ? 0 : sum[i];
    }
    sum[0] = (INT64_C(1) << 51) - 1;
    sum[1] = -sum[0];
    sum[2] = 0;
    ck_assert(kernels->complete(out, sum, LENGTH_MOST, false));
    ck_assert(kernels->complete(turned, sum, LENGTH_MOST, true));
    for (size_t i = 0; i < LENGTH_MOST; i++) {
        float expected = (float)((long double)sum[i] * 0x1p-40L);
        ck_assert_uint_eq(bits_of(out[i]), bits_of(expected));
        ck_assert_uint_eq(bits_of(turned[i]), sum[i] == 0 ? 0 : bits_of(-expected));
    }
}
END_TEST

START_TEST(a_completed_overload_is_a_fault)
{
    const int64_t limit = INT64_C(1) << 51;
    const int64_t bad[] = {limit, -limit, limit + 1, -limit - 1, INT64_MAX, INT64_MIN, INT64_MIN + 1};
    int64_t sum[40] = {0};
    float out[40];
    for (size_t count = 1; count <= 40; count++) {
        for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++) {
            sum[count - 1] = bad[k];
            ck_assert(!kernels->complete(out, sum, count, false));
            ck_assert(!kernels->complete(out, sum, count, true));
        }
        sum[count - 1] = count % 2 != 0 ? limit - 1 : 1 - limit;
        ck_assert(kernels->complete(out, sum, count, false));
    }
}
END_TEST

START_TEST(peaks_rise_and_never_fall)
{
    float in[LENGTH_MOST];
    uint64_t state = 7;
    for (size_t channels = 1; channels <= GRAPH_CHANNELS_MAX; channels++) {
        float peaks[GRAPH_CHANNELS_MAX] = {0}, expected[GRAPH_CHANNELS_MAX] = {0};
        size_t frames = LENGTH_MOST / channels;
        peaks[0] = expected[0] = 5.0f;
        for (size_t i = 0; i < frames * channels; i++) {
            in[i] = random_sample(&state);
            expected[i % channels] = fmaxf(expected[i % channels], fabsf(in[i]));
        }
        kernels->peak(peaks, in, frames, channels);
        ck_assert(memcmp(peaks, expected, channels * sizeof *peaks) == 0);
        in[channels - 1] = -NAN;
        kernels->peak(peaks, in, frames, channels);
        ck_assert(isinf(peaks[channels - 1]) && peaks[channels - 1] > 0);
    }
}
END_TEST

START_TEST(packing_writes_the_low_bytes)
{
    const int32_t in[3] = {0x123456, -2, -0x800000};
    uint8_t out[9];
    const uint8_t narrow[6] = {0x56, 0x34, 0xfe, 0xff, 0, 0};
    const uint8_t wide[9] = {0x56, 0x34, 0x12, 0xfe, 0xff, 0xff, 0, 0, 0x80};
    kernels->pack_s16(out, in, 3);
    ck_assert(memcmp(out, narrow, sizeof narrow) == 0);
    kernels->pack_s24(out, in, 3);
    ck_assert(memcmp(out, wide, sizeof wide) == 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("engine/dsp/kernels_c");
    TCase *tests = tcase_create("kernels_c");
    tcase_add_checked_fixture(tests, set_up, NULL);
    tcase_add_test(tests, bytes_decode_to_every_value);
    tcase_add_test(tests, sixteen_bits_decode_to_every_value);
    tcase_add_test(tests, wide_integers_decode);
    tcase_add_test(tests, floats_decode_in_both_orders);
    tcase_add_test(tests, contributions_round_to_the_grid);
    tcase_add_test(tests, an_overload_is_seen_wherever_it_stands);
    tcase_add_test(tests, any_order_gives_the_same_sum);
    tcase_add_test(tests, gain_multiplies_each_channel);
    tcase_add_test(tests, fused_kernels_equal_their_steps);
    tcase_add_test(tests, pan_feeds_two_channels);
    tcase_add_test(tests, completing_rounds_once);
    tcase_add_test(tests, a_completed_overload_is_a_fault);
    tcase_add_test(tests, peaks_rise_and_never_fall);
    tcase_add_test(tests, packing_writes_the_low_bytes);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
