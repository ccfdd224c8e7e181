/* SPDX-License-Identifier: MIT */
/* engine/dsp/quantise.c: the formula, the dither's statistics, and that nothing but position decides. The limits of the
   statistics lie five to six standard deviations out; the numbers are fixed, so a pass stays a pass. */
#include <math.h>

#include "engine/dsp/quantise.h"
#include "tests/engine/dsp/guarded.h"
#include "tests/support/testing.h"

#define COUNT ((size_t)1 << 20)
#define FIVE_SIGMA (5.0 / 1024.0) /* of a correlation over COUNT values */
#define PI 3.14159265358979323846

static int32_t unpack(const uint8_t *p, unsigned bits)
{
    uint32_t value = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (bits == 24 ? (uint32_t)p[2] << 16 : 0);
    uint32_t sign = UINT32_C(1) << (bits - 1);
    return (int32_t)((value ^ sign) - sign);
}

static int32_t reference(const struct engine_quantiser *quantiser, float x, size_t channel, int64_t frame,
                         uint64_t *clamped)
{
    const double half = quantiser->bits == 16 ? 32768.0 : 8388608.0;
    double v = rint((double)x * half + (quantiser->dither ? engine_dither(quantiser->seed, channel, frame) : 0.0));
    *clamped += v < -half || v > half - 1.0;
    return (int32_t)fmin(fmax(v, -half), half - 1.0);
}

START_TEST(every_sample_follows_the_formula)
{
    enum { FRAMES = 700 };
    static float in[FRAMES * 16];
    static uint8_t packed[FRAMES * 16 * 3];
    uint64_t state = 21;
    for (unsigned round = 0; round < 64; round++) {
        struct engine_quantiser quantiser = {.bits = round % 2 != 0 ? 16 : 24,
                                             .dither = round % 4 < 2,
                                             .seed = random_bits(&state),
                                             .channels = 1 + round % 16};
        /* also over the frame at which the upper 32 bits step */
        int64_t frame = round % 8 == 0 ? (INT64_C(1) << 32) - 350 : (int64_t)(random_bits(&state) >> 25);
        uint64_t clamped = 0, wrong = 0;
        for (size_t i = 0; i < FRAMES * quantiser.channels; i++) {
            in[i] = i % 5 == 0 ? (float)((int)random_below(&state, 65536) - 32768) * 0x1p-15f + 0x1p-16f /* ties */
                               : random_sample(&state) * 1.01f;
        }
        uint64_t told = engine_quantise_packed(&quantiser, frame, packed, in, FRAMES);
        for (size_t i = 0; i < FRAMES * quantiser.channels; i++) {
            int32_t expected = reference(&quantiser, in[i], i % quantiser.channels,
                                         frame + (int64_t)(i / quantiser.channels), &clamped);
            wrong += unpack(packed + i * (quantiser.bits / 8), quantiser.bits) != expected;
        }
        ck_assert_uint_eq(wrong, 0);
        ck_assert_uint_eq(clamped, told);
    }
}
END_TEST

START_TEST(out_of_range_clamps_and_counts)
{
    const float in[] = {1.0f, -1.0f, 2000.0f, -1e30f, INFINITY, -INFINITY, NAN, 0.0f, 0x1.fffffep-1f};
    const int32_t expected[] = {32767, -32768, 32767, -32768, 32767, -32768, -32768, 0, 32767};
    struct engine_quantiser quantiser = {.bits = 16, .dither = false, .seed = 0, .channels = 1};
    uint8_t out[9 * 2];
    /* -1.0 is the lowest value and fits; the last but one step below 1.0 rounds up to 32768 */
    ck_assert_uint_eq(engine_quantise_packed(&quantiser, 0, out, in, 9), 7);
    for (size_t i = 0; i < 9; i++) {
        ck_assert_int_eq(unpack(out + 2 * i, 16), expected[i]);
    }
}
END_TEST

START_TEST(pieces_equal_the_whole)
{
    enum { FRAMES = 5000, CHANNELS = 3 };
    static float in[FRAMES * CHANNELS];
    static uint8_t whole[FRAMES * CHANNELS * 3], pieces[FRAMES * CHANNELS * 3];
    uint64_t state = 22;
    struct engine_quantiser quantiser = {.bits = 24, .dither = true, .seed = 99, .channels = CHANNELS};
    for (size_t i = 0; i < FRAMES * CHANNELS; i++) {
        in[i] = random_sample(&state);
    }
    engine_quantise_packed(&quantiser, 12345, whole, in, FRAMES);
    for (size_t at = 0, piece; at < FRAMES; at += piece) {
        piece = random_below(&state, 700);
        piece = piece < FRAMES - at ? piece : FRAMES - at;
        engine_quantise_packed(&quantiser, 12345 + (int64_t)at, pieces + at * CHANNELS * 3, in + at * CHANNELS, piece);
    }
    ck_assert(memcmp(whole, pieces, sizeof whole) == 0);
}
END_TEST

/* Worked out apart from this program, from the formula in the header: a change of these is a change of the sound. */
START_TEST(the_dither_is_pinned)
{
    const struct {
        uint64_t seed;
        size_t channel;
        int64_t frame;
        int steps;
    } pinned[] = {
        {UINT64_C(0), 0, INT64_C(0), -33744},
        {UINT64_C(0), 0, INT64_C(1), 26064},
        {UINT64_C(1), 0, INT64_C(0), 9650},
        {UINT64_C(0), 1, INT64_C(0), 43069},
        {UINT64_C(18364758544493064720), 15, INT64_C(48000), 11373},
        {UINT64_C(42), 1, INT64_C(4294967295), 4823},
        {UINT64_C(42), 1, INT64_C(4294967296), -47759},
        {UINT64_C(42), 7, INT64_C(1099511627775), 8679},
    };
    for (size_t i = 0; i < sizeof pinned / sizeof pinned[0]; i++) {
        double d = engine_dither(pinned[i].seed, pinned[i].channel, pinned[i].frame);
        ck_assert(d * 65536.0 == (double)pinned[i].steps);
    }
}
END_TEST

static double *dither_of(uint64_t seed, size_t channel)
{
    double *values = malloc(COUNT * sizeof *values);
    ck_assert_ptr_nonnull(values);
    for (size_t i = 0; i < COUNT; i++) {
        values[i] = engine_dither(seed, channel, (int64_t)i);
    }
    return values;
}

static double mean_of(const double *values)
{
    double sum = 0;
    for (size_t i = 0; i < COUNT; i++) {
        sum += values[i];
    }
    return sum / (double)COUNT;
}

/* In units of the variance of both, which is taken as 1/6. */
static double correlation(const double *a, const double *b, size_t lag)
{
    double sum = 0;
    for (size_t i = 0; i + lag < COUNT; i++) {
        sum += a[i] * b[i + lag];
    }
    return sum / (double)(COUNT - lag) * 6.0;
}

START_TEST(the_dither_is_triangular)
{
    enum { BINS = 32 };
    for (uint64_t seed = 0; seed < 4; seed++) {
        double *d = dither_of(seed, seed % 2), counts[BINS] = {0}, chi = 0;
        size_t outside = 0;
        for (size_t i = 0; i < COUNT; i++) {
            outside += d[i] <= -1.0 || d[i] >= 1.0;
            counts[(size_t)((d[i] + 1.0) * (BINS / 2)) % BINS]++;
        }
        ck_assert_uint_eq(outside, 0);
        for (size_t bin = 0; bin < BINS; bin++) {
            double near = (double)(bin < BINS / 2 ? bin : BINS - 1 - bin); /* (2 near + 1) of 2 (BINS/2)^2 parts */
            double expected = (double)COUNT * (2.0 * near + 1.0) / (2.0 * (BINS / 2) * (BINS / 2));
            chi += (counts[bin] - expected) * (counts[bin] - expected) / expected;
        }
        ck_assert_msg(chi < 31.0 + 5.0 * sqrt(62.0), "chi squared %g", chi);
        ck_assert(fabs(mean_of(d)) < 5.0 * sqrt(1.0 / 6.0) / 1024.0);
        ck_assert(fabs(correlation(d, d, 0) - 1.0) < 6.0 * 5.0 * 0.198 / 1024.0);
        free(d);
    }
}
END_TEST

START_TEST(the_dither_is_white)
{
    enum { BLOCK = 64, BLOCKS = COUNT / BLOCK };
    double *d = dither_of(7, 0), power[BLOCK / 2 + 1] = {0};
    for (size_t lag = 1; lag <= 64; lag++) {
        ck_assert_msg(fabs(correlation(d, d, lag)) < FIVE_SIGMA, "lag %zu", lag);
    }
    for (size_t bin = 1; bin < BLOCK / 2; bin++) {
        const double turn_re = cos(2 * PI * (double)bin / BLOCK), turn_im = sin(2 * PI * (double)bin / BLOCK);
        for (size_t block = 0; block < BLOCKS; block++) {
            double re = 0, im = 0;
            for (size_t i = 0; i < BLOCK; i++) { /* Horner: the sum of d[i] e^(j 2 pi bin i / BLOCK) */
                double next = re * turn_re - im * turn_im + d[block * BLOCK + BLOCK - 1 - i];
                im = re * turn_im + im * turn_re;
                re = next;
            }
            power[bin] += re * re + im * im;
        }
        double relative = power[bin] / ((double)COUNT / 6.0);
        ck_assert_msg(fabs(relative - 1.0) < 5.0 / sqrt((double)BLOCKS), "bin %zu: %g", bin, relative);
    }
    free(d);
}
END_TEST

START_TEST(channels_and_seeds_are_independent)
{
    double *streams[4] = {dither_of(7, 0), dither_of(7, 1), dither_of(8, 0), dither_of(7, 2)};
    for (size_t a = 0; a < 4; a++) {
        for (size_t b = 0; b < 4; b++) {
            for (size_t lag = a == b; lag <= 8; lag++) {
                ck_assert_msg(fabs(correlation(streams[a], streams[b], lag)) < FIVE_SIGMA, "%zu %zu %zu", a, b, lag);
            }
        }
    }
    /* nor do their squares hang together, which a shared magnitude would show */
    for (size_t k = 0; k < 4; k++) {
        for (size_t i = 0; i < COUNT; i++) {
            streams[k][i] = (streams[k][i] * streams[k][i] - 1.0 / 6.0) * sqrt((1.0 / 6.0) / (7.0 / 180.0));
        }
    }
    for (size_t k = 1; k < 4; k++) {
        ck_assert(fabs(correlation(streams[0], streams[k], 0)) < FIVE_SIGMA);
        ck_assert(fabs(correlation(streams[k], streams[k], 1)) < FIVE_SIGMA);
    }
    for (size_t k = 0; k < 4; k++) {
        free(streams[k]);
    }
}
END_TEST

/* What 16 bits with dither add to a signal, in LSB. */
static double *error_of(const float *signal)
{
    struct engine_quantiser quantiser = {.bits = 16, .dither = true, .seed = 5, .channels = 1};
    uint8_t *out = malloc(COUNT * 2);
    double *error = malloc(COUNT * sizeof *error);
    ck_assert(out != NULL && error != NULL);
    ck_assert_uint_eq(engine_quantise_packed(&quantiser, 0, out, signal, COUNT), 0);
    for (size_t i = 0; i < COUNT; i++) {
        error[i] = (double)unpack(out + 2 * i, 16) - (double)signal[i] * 32768.0;
    }
    free(out);
    return error;
}

START_TEST(the_error_does_not_know_the_level)
{
    float *signal = malloc(COUNT * sizeof *signal);
    ck_assert_ptr_nonnull(signal);
    for (int tenth = 0; tenth <= 10; tenth++) {
        for (size_t i = 0; i < COUNT; i++) {
            signal[i] = ((float)tenth * 0.1f + 3.0f) * 0x1p-15f;
        }
        double *error = error_of(signal);
        ck_assert_msg(fabs(mean_of(error)) < 5.0 * 0.5 / 1024.0, "mean at %d tenths", tenth);
        ck_assert_msg(fabs(correlation(error, error, 0) / 6.0 - 0.25) < 0.002, "power at %d tenths", tenth);
        ck_assert_msg(fabs(correlation(error, error, 1)) < 1.5 * FIVE_SIGMA, "lag 1 at %d tenths", tenth);
        free(error);
    }
    free(signal);
}
END_TEST

/* sin(2 pi turns / 48000) from a table: whole turns are all that a tone of whole Hz at 48 kHz needs. */
static double sine(size_t turns)
{
    static double table[48000];
    if (table[12000] == 0) {
        for (size_t i = 0; i < 48000; i++) {
            table[i] = sin(2 * PI * (double)i / 48000.0);
        }
    }
    return table[turns % 48000];
}

START_TEST(the_noise_floor_is_where_it_belongs)
{
    float *signal = malloc(COUNT * sizeof *signal);
    ck_assert_ptr_nonnull(signal);
    const double levels[] = {0.89, 1.5 / 32768.0, 0.3 / 32768.0};
    for (size_t level = 0; level < 3; level++) {
        for (size_t i = 0; i < COUNT; i++) {
            signal[i] = (float)(levels[level] * sine(997 * i));
        }
        double *error = error_of(signal);
        double power = correlation(error, error, 0) / 6.0, full_sine = 32768.0 * 32768.0 / 2.0;
        ck_assert_msg(fabs(10.0 * log10(power / full_sine) + 93.32) < 0.05, "%g dB", 10.0 * log10(power / full_sine));
        /* no trace of the signal and its harmonics: without dither the third stands at half an LSB */
        for (size_t harmonic = 1; harmonic <= 9; harmonic++) {
            double re = 0, im = 0;
            for (size_t i = 0; i < COUNT; i++) {
                re += error[i] * sine(997 * harmonic * i + 12000);
                im += error[i] * sine(997 * harmonic * i);
            }
            ck_assert_msg(hypot(re, im) / (double)COUNT * 2.0 < 5.0 / 1024.0, "harmonic %zu", harmonic);
        }
        free(error);
    }
    free(signal);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("engine/dsp/quantise");
    TCase *tests = tcase_create("quantise");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, every_sample_follows_the_formula);
    tcase_add_test(tests, out_of_range_clamps_and_counts);
    tcase_add_test(tests, pieces_equal_the_whole);
    tcase_add_test(tests, the_dither_is_pinned);
    tcase_add_test(tests, the_dither_is_triangular);
    tcase_add_test(tests, the_dither_is_white);
    tcase_add_test(tests, channels_and_seeds_are_independent);
    tcase_add_test(tests, the_error_does_not_know_the_level);
    tcase_add_test(tests, the_noise_floor_is_where_it_belongs);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
