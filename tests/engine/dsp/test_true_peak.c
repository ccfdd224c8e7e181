/* SPDX-License-Identifier: MIT */
/* engine/dsp/true_peak.c on the true-peak signals of EBU Tech 3341 (15 to 19), on tones of every frequency and phase,
   and beside libebur128. */
#include <ebur128.h>
#include <math.h>

#include "engine/dsp/true_peak.h"
#include "tests/engine/dsp/guarded.h"
#include "tests/support/testing.h"

#define PI 3.14159265358979323846
#define FADE 480
#define FRAMES 48000

/* A tone that fades in and out, so that no filter rings. */
static void tone(float *out, size_t frames, double frequency, double degrees, double amplitude)
{
    for (size_t i = 0; i < frames; i++) {
        size_t edge = i < frames - 1 - i ? i : frames - 1 - i;
        double fade = edge < FADE ? 0.5 - 0.5 * cos(PI * (double)edge / FADE) : 1.0;
        out[i] = (float)(amplitude * fade * sin(2 * PI * frequency * (double)i + degrees * PI / 180.0));
    }
}

static double decibels(double linear)
{
    return 20.0 * log10(linear);
}

static double measure(const float *in, size_t frames, uint32_t rate)
{
    struct engine_true_peak *meter = NULL;
    ck_assert_int_eq(engine_true_peak_new(1, rate, &meter), LH_OK);
    engine_true_peak_add(meter, in, frames);
    double peak = (double)engine_true_peak_get(meter, 0);
    engine_true_peak_free(meter);
    return decibels(peak);
}

static double measure_ebur128(const float *in, size_t frames, unsigned long rate)
{
    ebur128_state *state = ebur128_init(1, rate, EBUR128_MODE_TRUE_PEAK);
    double peak = 0;
    ck_assert_ptr_nonnull(state);
    ck_assert_int_eq(ebur128_add_frames_float(state, in, frames), EBUR128_SUCCESS);
    ck_assert_int_eq(ebur128_true_peak(state, 0, &peak), EBUR128_SUCCESS);
    ebur128_destroy(&state);
    return decibels(peak);
}

static const struct {
    double divisor, degrees, amplitude, expected;
} ebu_signals[] = {
    {4, 0, 0.5, -6.0}, {4, 45, 0.5, -6.0}, {6, 60, 0.5, -6.0}, {8, 67.5, 0.5, -6.0}, {4, 45, 1.41, 3.0},
};

START_TEST(the_ebu_signals_read_as_they_should)
{
    static float in[FRAMES];
    for (size_t i = 0; i < sizeof ebu_signals / sizeof ebu_signals[0]; i++) {
        tone(in, FRAMES, 1.0 / ebu_signals[i].divisor, ebu_signals[i].degrees, ebu_signals[i].amplitude);
        double read = measure(in, FRAMES, 48000), theirs = measure_ebur128(in, FRAMES, 48000);
        ck_assert_msg(read - ebu_signals[i].expected < 0.2 && read - ebu_signals[i].expected > -0.4, "%zu: %g", i,
                      read);
        ck_assert_msg(fabs(read - theirs) < 0.1, "%zu: %g, libebur128 %g", i, read, theirs);
    }
}
END_TEST

/* The ripple is 0.06 dB up to 20 kHz at 48 kHz; the grid of quarters misses a peak by an eighth of a sample. */
START_TEST(tones_of_every_frequency_and_phase_read_right)
{
    static float in[6000];
    for (int step = 1; step <= 41; step++) {
        double frequency = step * 0.01, most_missed = decibels(cos(2 * PI * frequency / 8.0));
        for (int degrees = 0; degrees < 180; degrees += 15) {
            tone(in, 6000, frequency, degrees, 0.7);
            double error = measure(in, 6000, 48000) - decibels(0.7);
            ck_assert_msg(error < 0.061 && error > most_missed - 0.061, "%g, %d: %g", frequency, degrees, error);
            tone(in, 6000, frequency / 2.0, degrees, 0.7);
            error = measure(in, 6000, 96000) - decibels(0.7);
            ck_assert_msg(error < 0.061 && error > most_missed - 0.061, "%g at 96 kHz: %g", frequency, error);
        }
    }
}
END_TEST

START_TEST(programme_reads_like_libebur128)
{
    static float in[FRAMES];
    uint64_t state = 31;
    for (int round = 0; round < 10; round++) {
        double low = 0, lower = 0;
        for (size_t i = 0; i < FRAMES; i++) { /* noise with little above 10 kHz */
            low += 0.5 * ((double)random_sample(&state) - low);
            lower += 0.5 * (low - lower);
            in[i] = (float)lower;
        }
        double read = measure(in, FRAMES, 48000), theirs = measure_ebur128(in, FRAMES, 48000);
        ck_assert_msg(fabs(read - theirs) < 0.1, "%g, libebur128 %g", read, theirs);
    }
}
END_TEST

START_TEST(blocks_do_not_matter)
{
    enum { CHANNELS = 3, LENGTH = 4000 };
    static float in[LENGTH * CHANNELS];
    uint64_t state = 32;
    struct engine_true_peak *whole = NULL, *pieces = NULL;
    ck_assert_int_eq(engine_true_peak_new(CHANNELS, 44100, &whole), LH_OK);
    ck_assert_int_eq(engine_true_peak_new(CHANNELS, 44100, &pieces), LH_OK);
    for (size_t i = 0; i < LENGTH * CHANNELS; i++) {
        in[i] = random_sample(&state) * (float)(1 + i % CHANNELS);
    }
    engine_true_peak_add(whole, in, LENGTH);
    for (size_t at = 0, piece; at < LENGTH; at += piece) {
        piece = random_below(&state, 40);
        piece = piece < LENGTH - at ? piece : LENGTH - at;
        engine_true_peak_add(pieces, in + at * CHANNELS, piece);
        (void)engine_true_peak_get(pieces, 0); /* looking does not change it */
    }
    for (size_t channel = 0; channel < CHANNELS; channel++) {
        ck_assert(engine_true_peak_get(whole, channel) == engine_true_peak_get(pieces, channel));
        ck_assert(engine_true_peak_get(whole, channel) > (float)channel + 0.5f);
    }
    engine_true_peak_free(whole);
    engine_true_peak_free(pieces);
}
END_TEST

START_TEST(channels_are_told_apart)
{
    for (size_t channels = 1; channels <= 16; channels++) {
        float in[16 * 40] = {0};
        struct engine_true_peak *meter = NULL;
        ck_assert_int_eq(engine_true_peak_new(channels, 48000, &meter), LH_OK);
        for (size_t channel = 0; channel < channels; channel++) {
            in[20 * channels + channel] = (channel % 2 != 0 ? -1.0f : 1.0f) / (float)(channel + 1);
        }
        engine_true_peak_add(meter, in, 40);
        for (size_t channel = 0; channel < channels; channel++) {
            ck_assert(engine_true_peak_get(meter, channel) == 1.0f / (float)(channel + 1));
        }
        engine_true_peak_free(meter);
    }
}
END_TEST

START_TEST(the_end_runs_out)
{
    /* the peak between the last two samples, and behind the last, needs silence after it */
    float in[17] = {0};
    in[15] = in[16] = 0.9f;
    ck_assert(measure(in, 17, 48000) > decibels(1.1));
    in[15] = 0.0f;
    ck_assert(fabs(measure(in, 17, 48000) - decibels((double)0.9f)) < 1e-6);
    ck_assert(fabs(measure(in, 1, 48000)) > 100.0); /* silence: minus infinity */
}
END_TEST

START_TEST(high_rates_oversample_less)
{
    static float in[6000];
    tone(in, 6000, 0.25, 45.0, 1.0);
    ck_assert(fabs(measure(in, 6000, 191999)) < 0.06);          /* the middle is met */
    ck_assert(fabs(measure(in, 6000, 192000) + 3.0103) < 0.01); /* samples alone */
    tone(in, 6000, 0.25, 22.5, 1.0);
    ck_assert(measure(in, 6000, 96000) < -0.5); /* a quarter is not */
    ck_assert(fabs(measure(in, 6000, 95999)) < 0.06);
}
END_TEST

START_TEST(broken_samples_read_as_infinite)
{
    float in[100] = {0};
    in[50] = NAN;
    ck_assert(isinf(measure(in, 100, 48000)));
    ck_assert(isinf(measure(in, 100, 192000)));
    in[50] = -INFINITY;
    ck_assert(isinf(measure(in, 100, 48000)));
}
END_TEST

START_TEST(no_memory_is_a_status)
{
    struct engine_true_peak *meter = NULL;
    testing_fail_allocation(1);
    enum lh_status status = engine_true_peak_new(2, 48000, &meter);
    ck_assert(testing_fail_allocation_end());
    ck_assert_int_eq(status, LH_ERR_NO_MEMORY);
    ck_assert_ptr_null(meter);
    engine_true_peak_free(NULL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("engine/dsp/true_peak");
    TCase *tests = tcase_create("true_peak");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, the_ebu_signals_read_as_they_should);
    tcase_add_test(tests, tones_of_every_frequency_and_phase_read_right);
    tcase_add_test(tests, programme_reads_like_libebur128);
    tcase_add_test(tests, blocks_do_not_matter);
    tcase_add_test(tests, channels_are_told_apart);
    tcase_add_test(tests, the_end_runs_out);
    tcase_add_test(tests, high_rates_oversample_less);
    tcase_add_test(tests, broken_samples_read_as_infinite);
    tcase_add_test(tests, no_memory_is_a_status);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
