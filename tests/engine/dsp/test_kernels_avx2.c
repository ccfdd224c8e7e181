/* SPDX-License-Identifier: MIT */
/* engine/dsp/kernels_avx2.c: every kernel of the widest set against plain C, bit by bit. Random lengths and channels,
   every misalignment, extreme values, buffers that end (and begin) at memory that nobody may touch; with denormals and
   without. */
#include <math.h>

#include "engine/dsp/fpenv.h"
#include "engine/dsp/kernels.h"
#include "tests/engine/dsp/guarded.h"
#include "tests/support/testing.h"

#define SAMPLES_MOST 5000
#define ROUNDS 2000
#define SLACK 16 /* samples by which a buffer may start later */

/* Room for inputs and for each set's results. */
struct bench {
    const struct engine_kernels *plain, *wide;
    struct guarded in, gain, results[2], sums[2];
    uint64_t state;
};

static struct bench bench;

static void set_up(void)
{
    const size_t samples = SAMPLES_MOST + SLACK + ENGINE_TRUE_PEAK_HISTORY * GRAPH_CHANNELS_MAX;
    bench.plain = engine_kernels_c();
    bench.wide = engine_kernels_best();
    bench.in = guarded_new(samples * sizeof(double));
    bench.gain = guarded_new(samples * sizeof(float));
    for (size_t i = 0; i < 2; i++) {
        bench.results[i] = guarded_new(samples * sizeof(float));
        bench.sums[i] = guarded_new(2 * samples * sizeof(int64_t));
    }
    bench.state = 0x5eed;
}

static void tear_down(void)
{
    guarded_free(&bench.in);
    guarded_free(&bench.gain);
    for (size_t i = 0; i < 2; i++) {
        guarded_free(&bench.results[i]);
        guarded_free(&bench.sums[i]);
    }
}

static float extreme(uint64_t *state)
{
    static const uint32_t values[] = {0x00000000, 0x80000000, 0x00000001, 0x807fffff, 0x00800000, 0x7f7fffff,
                                      0x7f800000, 0xff800000, 0x7fc00000, 0xffc12345, 0x44ffffff, 0xc4ffffff,
                                      0x45000000, 0xc5000000, 0x3f800000, 0x2b000001};
    return float_from(values[random_below(state, sizeof values / sizeof values[0])]);
}

/* Floats before the guard page behind, or (in one case of four) behind the one before. */
static float *floats(struct guarded *guarded, size_t count, bool extremes)
{
    float *at = guarded_last(guarded, count * sizeof *at);
    if (random_below(&bench.state, 4) == 0) {
        at = (float *)guarded_first(guarded) + random_below(&bench.state, SLACK);
    }
    for (size_t i = 0; i < count; i++) {
        bool rare = extremes && random_below(&bench.state, 50) == 0;
        at[i] = rare ? extreme(&bench.state) : random_sample(&bench.state) * (i % 3 == 0 ? 0x1p-20f : 3.0f);
    }
    return at;
}

static uint8_t *bytes(size_t count)
{
    uint8_t *at = guarded_last(&bench.in, count);
    if (random_below(&bench.state, 4) == 0) {
        at = (uint8_t *)guarded_first(&bench.in) + random_below(&bench.state, SLACK);
    }
    for (size_t i = 0; i < count; i++) {
        at[i] = (uint8_t)(random_bits(&bench.state) >> 56);
    }
    return at;
}

/* The same sums for each set. */
static void sums(int64_t *at[2], size_t count)
{
    size_t skip = random_below(&bench.state, SLACK);
    bool first = random_below(&bench.state, 4) == 0;
    for (size_t k = 0; k < 2; k++) {
        at[k] =
            first ? (int64_t *)guarded_first(&bench.sums[k]) + skip : guarded_last(&bench.sums[k], count * sizeof **at);
    }
    for (size_t i = 0; i < count; i++) {
        at[0][i] = at[1][i] = (int64_t)(random_bits(&bench.state) >> 16) - (INT64_C(1) << 47);
    }
}

static void results(float *at[2], size_t count)
{
    for (size_t k = 0; k < 2; k++) {
        at[k] = guarded_last(&bench.results[k], count * sizeof **at);
        memset(at[k], 0x55, count * sizeof **at);
    }
}

/* NaN for NaN: which of two payloads survives is the CPU's choice, and no NaN gets past a sum. */
static void same_floats(const float *a, const float *b, size_t count, const char *what)
{
    size_t i = 0;
    while (i < count && (bits_of(a[i]) == bits_of(b[i]) || (isnan(a[i]) && isnan(b[i])))) {
        i++;
    }
    ck_assert_msg(i == count, "%s: sample %zu of %zu differs", what, i, count);
}

static void same_sums(int64_t *const at[2], size_t count, const char *what)
{
    size_t i = 0;
    while (i < count && at[0][i] == at[1][i]) {
        i++;
    }
    ck_assert_msg(i == count, "%s: sample %zu of %zu differs", what, i, count);
}

/* Every other round with denormals flushed, as engine threads run. */
static struct engine_fpenv enter_round(size_t round)
{
    return round % 2 != 0 ? engine_fpenv_enter() : engine_fpenv_save();
}

struct shape {
    size_t frames, channels, count;
    float gains[GRAPH_CHANNELS_MAX];
};

static struct shape any_shape(size_t round, bool extremes)
{
    struct shape shape = {.channels = 1 + round % GRAPH_CHANNELS_MAX};
    size_t most = SAMPLES_MOST / shape.channels;
    shape.frames = random_below(&bench.state, (uint32_t)(round % 3 == 0 ? 40 : most) + 1);
    shape.count = shape.frames * shape.channels;
    for (size_t i = 0; i < shape.channels; i++) {
        bool rare = extremes && random_below(&bench.state, 20) == 0;
        shape.gains[i] = rare ? extreme(&bench.state) : random_sample(&bench.state) * 4.0f;
    }
    return shape;
}

START_TEST(decoding_is_the_same)
{
    for (size_t round = 0; round < ROUNDS; round++) {
        enum engine_sample_format format = (enum engine_sample_format)(round % ENGINE_SAMPLE_FORMAT_COUNT);
        size_t count = random_below(&bench.state, round % 3 == 0 ? 40 : SAMPLES_MOST + 1);
        uint8_t *in = bytes(count * engine_sample_size(format));
        float *out[2];
        results(out, count);
        struct engine_fpenv saved = enter_round(round);
        bench.plain->decode[format](out[0], in, count);
        bench.wide->decode[format](out[1], in, count);
        engine_fpenv_restore(saved);
        same_floats(out[0], out[1], count, "decode");
    }
}
END_TEST

START_TEST(gains_are_the_same)
{
    for (size_t round = 0; round < ROUNDS; round++) {
        struct shape shape = any_shape(round, true);
        float *in = floats(&bench.in, shape.count, true), *curve = floats(&bench.gain, shape.count, true), *out[2];
        results(out, shape.count);
        struct engine_fpenv saved = enter_round(round);
        bench.plain->gain(out[0], in, shape.frames, shape.channels, shape.gains);
        bench.wide->gain(out[1], in, shape.frames, shape.channels, shape.gains);
        same_floats(out[0], out[1], shape.count, "gain");
        bench.plain->gain(out[0], out[0], shape.frames, shape.channels, shape.gains);
        bench.wide->gain(out[1], out[1], shape.frames, shape.channels, shape.gains);
        same_floats(out[0], out[1], shape.count, "gain in place");
        bench.plain->multiply(out[0], in, curve, shape.count);
        bench.wide->multiply(out[1], in, curve, shape.count);
        same_floats(out[0], out[1], shape.count, "multiply");
        bench.plain->multiply(out[0], out[0], curve, shape.count);
        bench.wide->multiply(out[1], out[1], curve, shape.count);
        engine_fpenv_restore(saved);
        same_floats(out[0], out[1], shape.count, "multiply in place");
    }
}
END_TEST

START_TEST(accumulating_is_the_same)
{
    for (size_t round = 0; round < ROUNDS; round++) {
        bool extremes = round % 4 == 0;
        struct shape shape = any_shape(round, extremes);
        float *in = floats(&bench.in, shape.count, extremes);
        int64_t *sum[2];
        struct engine_fpenv saved = enter_round(round);
        sums(sum, shape.count);
        bool fine = bench.plain->accumulate(sum[0], in, shape.count);
        ck_assert(bench.wide->accumulate(sum[1], in, shape.count) == fine);
        same_sums(sum, shape.count, "accumulate");
        sums(sum, shape.count);
        fine = bench.plain->accumulate_gain(sum[0], in, shape.frames, shape.channels, shape.gains);
        ck_assert(bench.wide->accumulate_gain(sum[1], in, shape.frames, shape.channels, shape.gains) == fine);
        if (fine) {
            same_sums(sum, shape.count, "accumulate gain");
        }
        float pan[2] = {shape.gains[0], shape.gains[shape.channels - 1]};
        sums(sum, 2 * shape.count);
        fine = bench.plain->accumulate_pan(sum[0], in, shape.count, pan);
        ck_assert(bench.wide->accumulate_pan(sum[1], in, shape.count, pan) == fine);
        if (fine) {
            same_sums(sum, 2 * shape.count, "accumulate pan");
        }
        engine_fpenv_restore(saved);
    }
}
END_TEST

START_TEST(accumulating_pcm_is_the_same)
{
    static const float tiny[] = {0x1p-95f, 0x1p-96f, 0x1p-126f,      0x1p-140f,
                                 0.0f,     -0.0f,    0x1.fffffep10f, -0x1.fffffep10f};
    for (size_t round = 0; round < ROUNDS; round++) {
        struct shape shape = any_shape(round, false);
        for (size_t i = 0; i < shape.channels && round % 5 == 0; i++) {
            shape.gains[i] = tiny[random_below(&bench.state, sizeof tiny / sizeof tiny[0])];
        }
        int64_t *sum[2];
        struct engine_fpenv saved = enter_round(round);
        sums(sum, shape.count);
        uint8_t *in = bytes(2 * shape.count);
        bench.plain->accumulate_s16(sum[0], in, shape.frames, shape.channels, shape.gains);
        bench.wide->accumulate_s16(sum[1], in, shape.frames, shape.channels, shape.gains);
        same_sums(sum, shape.count, "accumulate s16");
        sums(sum, shape.count);
        in = bytes(3 * shape.count);
        bench.plain->accumulate_s24(sum[0], in, shape.frames, shape.channels, shape.gains);
        bench.wide->accumulate_s24(sum[1], in, shape.frames, shape.channels, shape.gains);
        engine_fpenv_restore(saved);
        same_sums(sum, shape.count, "accumulate s24");
    }
}
END_TEST

START_TEST(adding_and_completing_are_the_same)
{
    for (size_t round = 0; round < ROUNDS; round++) {
        size_t count = random_below(&bench.state, round % 3 == 0 ? 40 : SAMPLES_MOST + 1);
        int64_t *sum[2], *part = guarded_last(&bench.in, count * sizeof *part);
        float *out[2];
        sums(sum, count);
        results(out, count);
        for (size_t i = 0; i < count; i++) {
            part[i] = (int64_t)random_bits(&bench.state) >> (round % 2 != 0 ? 13 : 20 + i % 20);
        }
        if (round % 5 == 0 && count > 0) {
            part[random_below(&bench.state, (uint32_t)count)] = (int64_t)random_bits(&bench.state);
        }
        bench.plain->add(sum[0], part, count);
        bench.wide->add(sum[1], part, count);
        same_sums(sum, count, "add");
        for (int invert = 0; invert < 2; invert++) {
            bool fine = bench.plain->complete(out[0], sum[0], count, invert != 0);
            ck_assert(bench.wide->complete(out[1], sum[1], count, invert != 0) == fine);
            same_floats(out[0], out[1], count, "complete");
        }
    }
}
END_TEST

START_TEST(peaks_are_the_same)
{
    for (size_t round = 0; round < ROUNDS; round++) {
        struct shape shape = any_shape(round, false);
        size_t history = ENGINE_TRUE_PEAK_HISTORY * shape.channels;
        float *in = floats(&bench.in, shape.count + history, round % 4 == 0);
        float peaks[2][GRAPH_CHANNELS_MAX] = {0};
        struct engine_fpenv saved = enter_round(round);
        bench.plain->peak(peaks[0], in, shape.frames, shape.channels);
        bench.wide->peak(peaks[1], in, shape.frames, shape.channels);
        ck_assert(memcmp(peaks[0], peaks[1], sizeof peaks[0]) == 0);
        for (unsigned factor = 2; factor <= 4; factor += 2) {
            memset(peaks, 0, sizeof peaks);
            bench.plain->true_peak(peaks[0], in, shape.frames, shape.channels, factor);
            bench.wide->true_peak(peaks[1], in, shape.frames, shape.channels, factor);
            ck_assert(memcmp(peaks[0], peaks[1], sizeof peaks[0]) == 0);
        }
        engine_fpenv_restore(saved);
    }
}
END_TEST

START_TEST(quantising_and_packing_are_the_same)
{
    for (size_t round = 0; round < ROUNDS; round++) {
        struct shape shape = any_shape(round, false);
        float *in = floats(&bench.in, shape.count, round % 4 == 0);
        uint32_t *states = guarded_last(&bench.gain, shape.count * sizeof *states);
        int32_t *out[2];
        for (size_t i = 0; i < shape.count; i++) {
            states[i] = (uint32_t)random_bits(&bench.state);
        }
        for (size_t k = 0; k < 2; k++) {
            out[k] = guarded_last(&bench.results[k], shape.count * sizeof **out);
        }
        unsigned bits = round % 2 != 0 ? 16 : 24;
        const uint32_t *dither = round % 3 != 0 ? states : NULL;
        uint64_t clamped = bench.plain->quantise(out[0], in, dither, shape.count, bits);
        ck_assert_uint_eq(bench.wide->quantise(out[1], in, dither, shape.count, bits), clamped);
        ck_assert(memcmp(out[0], out[1], shape.count * sizeof **out) == 0);
        uint8_t *packed[2];
        for (size_t k = 0; k < 2; k++) {
            packed[k] = guarded_last(&bench.sums[k], shape.count * (bits / 8));
            const struct engine_kernels *set = k == 0 ? bench.plain : bench.wide;
            (bits == 16 ? set->pack_s16 : set->pack_s24)(packed[k], out[k], shape.count);
        }
        ck_assert(memcmp(packed[0], packed[1], shape.count * (bits / 8)) == 0);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("engine/dsp/kernels_avx2");
    TCase *tests = tcase_create("kernels_avx2");
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, decoding_is_the_same);
    tcase_add_test(tests, gains_are_the_same);
    tcase_add_test(tests, accumulating_is_the_same);
    tcase_add_test(tests, accumulating_pcm_is_the_same);
    tcase_add_test(tests, adding_and_completing_are_the_same);
    tcase_add_test(tests, peaks_are_the_same);
    tcase_add_test(tests, quantising_and_packing_are_the_same);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
