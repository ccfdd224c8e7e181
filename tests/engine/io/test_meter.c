/* SPDX-License-Identifier: MIT */
/* The meter on the signals of EBU Tech 3341 and 3342 (synthesised), and the gain that a loudness target asks for. */
#include "engine/io/meter.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "graph/graph.h"
#include "tests/support/testing.h"

#define RATE 48000u
#define LOUDNESS_TOLERANCE 0.1 /* LU: Tech 3341 */
#define RANGE_TOLERANCE 1.0    /* LU: Tech 3342 */

/* A stretch of a sine of 1 kHz in the front pair (and optionally more channels). */
struct part {
    double seconds;
    double dbfs; /* peak; -INFINITY: silence */
};

static struct engine_meter *new_meter(uint32_t channels, uint32_t rate)
{
    struct engine_meter *meter = NULL;
    ck_assert_int_eq(engine_meter_new(channels, rate, &meter), LH_OK);
    return meter;
}

/* Feeds a sine at each channel's level: `level_db` (channels of them) is added to the part's. */
static void feed(struct engine_meter *meter, uint32_t channels, const double *level_db, double seconds, double dbfs,
                 double hertz)
{
    static float block[GRAPH_CHANNELS_MAX * 1000];
    float gains[GRAPH_CHANNELS_MAX];
    for (uint32_t c = 0; c < channels; c++) {
        gains[c] = (float)pow(10, (dbfs + (level_db == NULL ? 0 : level_db[c])) / 20);
    }
    size_t frames = (size_t)lrint(seconds * RATE);
    for (size_t done = 0; done < frames;) {
        size_t piece = frames - done < 1000 ? frames - done : 1000;
        for (size_t i = 0; i < piece; i++) {
            float sine = (float)sin(2 * M_PI * hertz * (double)(done + i) / RATE);
            for (uint32_t c = 0; c < channels; c++) {
                block[i * channels + c] = sine * gains[c];
            }
        }
        ck_assert_int_eq(engine_meter_add(meter, block, piece), LH_OK);
        done += piece;
    }
}

static struct engine_loudness finish(struct engine_meter *meter)
{
    struct engine_loudness loudness;
    engine_meter_get(meter, &loudness);
    engine_meter_free(meter);
    return loudness;
}

static struct engine_loudness measure(const struct part *parts, size_t count)
{
    struct engine_meter *meter = new_meter(2, RATE);
    for (size_t i = 0; i < count; i++) {
        feed(meter, 2, NULL, parts[i].seconds, parts[i].dbfs, 1000);
    }
    return finish(meter);
}

/* Tech 3341, table 1, cases 1 to 5. */
static const struct integrated_case {
    double expected;
    size_t count;
    struct part parts[5];
} integrated_cases[] = {
    {-23, 1, {{20, -23}}},
    {-33, 1, {{20, -33}}},
    {-23, 3, {{10, -36}, {60, -23}, {10, -36}}},
    {-23, 5, {{10, -72}, {10, -36}, {60, -23}, {10, -36}, {10, -72}}},
    {-23, 3, {{20, -26}, {20.1, -20}, {20, -26}}},
};

START_TEST(test_3341_integrated)
{
    const struct integrated_case *test = &integrated_cases[_i];
    ck_assert_double_eq_tol(measure(test->parts, test->count).integrated_lufs, test->expected, LOUDNESS_TOLERANCE);
}
END_TEST

/* Case 6: 5.0, with -28 left and right, -24 in the centre, -30 in the surrounds: -23 LUFS. Here in a layout of 5 and in
   one of 6 whose LFE is loud and must not count. */
START_TEST(test_3341_surround)
{
    const double levels_5[] = {-28, -28, -24, -30, -30};
    struct engine_meter *meter = new_meter(5, RATE);
    feed(meter, 5, levels_5, 20, 0, 1000);
    ck_assert_double_eq_tol(finish(meter).integrated_lufs, -23, LOUDNESS_TOLERANCE);
    const double levels_6[] = {-28, -28, -24, -1, -30, -30};
    meter = new_meter(6, RATE);
    feed(meter, 6, levels_6, 20, 0, 1000);
    ck_assert_double_eq_tol(finish(meter).integrated_lufs, -23, LOUDNESS_TOLERANCE);
}
END_TEST

/* Cases 9 to 14: short-term and momentary loudness of bursts that come every 3 s (1.34 s loud, 1.66 s soft) or 0.4 s
   (0.18 s, 0.22 s) stay at -23 wherever the window lies; single bursts reach -38 to -19 in steps of 1 LU. */
START_TEST(test_3341_short_term_and_momentary)
{
    struct engine_meter *meter = new_meter(2, RATE);
    for (int i = 0; i < 5; i++) {
        feed(meter, 2, NULL, 1.34, -20, 1000);
        feed(meter, 2, NULL, 1.66, -30, 1000);
    }
    ck_assert_double_eq_tol(finish(meter).max_short_term_lufs, -23, LOUDNESS_TOLERANCE);
    meter = new_meter(2, RATE);
    for (int i = 0; i < 25; i++) {
        feed(meter, 2, NULL, 0.18, -20, 1000);
        feed(meter, 2, NULL, 0.22, -30, 1000);
    }
    ck_assert_double_eq_tol(finish(meter).max_momentary_lufs, -23, LOUDNESS_TOLERANCE);
    for (int i = 0; i < 20; i++) {
        meter = new_meter(2, RATE);
        feed(meter, 2, NULL, 0.15 * i, -INFINITY, 1000);
        feed(meter, 2, NULL, 3, -38 + i, 1000);
        feed(meter, 2, NULL, 1, -INFINITY, 1000);
        struct engine_loudness loudness = finish(meter);
        ck_assert_double_eq_tol(loudness.max_short_term_lufs, -38 + i, LOUDNESS_TOLERANCE);
        ck_assert_double_eq_tol(loudness.max_momentary_lufs, -38 + i, LOUDNESS_TOLERANCE);
    }
    for (int i = 0; i < 20; i++) {
        meter = new_meter(2, RATE);
        feed(meter, 2, NULL, 0.02 * i, -INFINITY, 1000);
        feed(meter, 2, NULL, 0.4, -38 + i, 1000);
        feed(meter, 2, NULL, 1, -INFINITY, 1000);
        ck_assert_double_eq_tol(finish(meter).max_momentary_lufs, -38 + i, LOUDNESS_TOLERANCE);
    }
}
END_TEST

/* Cases 15 to 19: sines whose samples miss their crests. Frequencies as a part of the rate, phases in degrees, and the
   peak that is meant; +0.2/-0.4 dB. */
static const struct peak_case {
    double part, phase, amplitude, expected;
} peak_cases[] = {
    {1.0 / 4, 0, 0.5, -6},    {1.0 / 4, 45, 0.5, -6}, {1.0 / 6, 60, 0.5, -6},
    {1.0 / 8, 67.5, 0.5, -6}, {1.0 / 4, 45, 1.41, 3},
};

START_TEST(test_3341_true_peak)
{
    const struct peak_case *test = &peak_cases[_i];
    struct engine_meter *meter = new_meter(2, RATE);
    static float block[2 * 4800];
    size_t fade = 480; /* as the test signals: no click at the ends */
    for (size_t i = 0; i < 4800; i++) {
        double window = i < fade ? (double)i / (double)fade : i >= 4800 - fade ? (double)(4800 - i) / (double)fade : 1;
        float value =
            (float)(window * test->amplitude * sin(2 * M_PI * test->part * (double)i + test->phase * M_PI / 180));
        block[2 * i] = value;
        block[2 * i + 1] = value;
    }
    ck_assert_int_eq(engine_meter_add(meter, block, 4800), LH_OK);
    struct engine_loudness loudness = finish(meter);
    ck_assert_double_le(loudness.true_peak_dbtp, test->expected + 0.2);
    ck_assert_double_ge(loudness.true_peak_dbtp, test->expected - 0.4);
    ck_assert_double_le(loudness.sample_peak_dbfs, loudness.true_peak_dbtp);
}
END_TEST

/* Tech 3342, table 1, cases 1 to 4. */
static const struct range_case {
    double expected;
    size_t count;
    struct part parts[5];
} range_cases[] = {
    {10, 2, {{20, -20}, {20, -30}}},
    {5, 2, {{20, -20}, {20, -15}}},
    {20, 2, {{20, -40}, {20, -20}}},
    {15, 5, {{20, -50}, {20, -35}, {20, -20}, {20, -35}, {20, -50}}},
};

START_TEST(test_3342_range)
{
    const struct range_case *test = &range_cases[_i];
    ck_assert_double_eq_tol(measure(test->parts, test->count).range_lu, test->expected, RANGE_TOLERANCE);
}
END_TEST

START_TEST(test_silence_and_short)
{
    const struct part silence = {5, -INFINITY}, brief = {0.3, -20}, second = {1, -20};
    struct engine_loudness loudness = measure(&silence, 1);
    ck_assert(isinf(loudness.integrated_lufs) && loudness.integrated_lufs < 0);
    ck_assert(isinf(loudness.true_peak_dbtp) && loudness.true_peak_dbtp < 0);
    ck_assert(isinf(loudness.sample_peak_dbfs) && isinf(loudness.max_momentary_lufs));
    ck_assert_double_eq(loudness.range_lu, 0);
    loudness = measure(&brief, 1);
    ck_assert(isinf(loudness.integrated_lufs));
    ck_assert_double_eq_tol(loudness.sample_peak_dbfs, -20, 0.01);
    loudness = measure(&second, 1);
    ck_assert_double_eq_tol(loudness.integrated_lufs, -20, LOUDNESS_TOLERANCE);
    ck_assert(isinf(loudness.max_short_term_lufs));
}
END_TEST

/* One front channel counts once: 3 LU below the same signal in two. Discrete channels above 8 count as front. */
START_TEST(test_channels)
{
    static const double expected[] = {-26.01, -23, -21.24, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, -13.97};
    for (uint32_t channels = 1; channels <= 16; channels++) {
        struct engine_meter *meter = new_meter(channels, RATE);
        feed(meter, channels, NULL, 2, -23, 1000);
        double lufs = finish(meter).integrated_lufs;
        ck_assert(isfinite(lufs));
        if (expected[channels - 1] < 0) {
            ck_assert_double_eq_tol(lufs, expected[channels - 1], LOUDNESS_TOLERANCE);
        }
    }
    struct engine_meter *meter;
    ck_assert_int_eq(engine_meter_new(0, RATE, &meter), LH_ERR_UNSUPPORTED);
    ck_assert_int_eq(engine_meter_new(17, RATE, &meter), LH_ERR_UNSUPPORTED);
    ck_assert_int_eq(engine_meter_new(2, 0, &meter), LH_ERR_UNSUPPORTED);
}
END_TEST

/* 7.1: the side pair weighs 1.5 dB more than the back pair; the LFE weighs nothing. */
START_TEST(test_weights_of_7_1)
{
    double lufs[8];
    for (uint32_t c = 0; c < 8; c++) {
        double levels[8];
        for (uint32_t i = 0; i < 8; i++) {
            levels[i] = i == c ? -20 : -INFINITY;
        }
        struct engine_meter *meter = new_meter(8, RATE);
        feed(meter, 8, levels, 2, 0, 1000);
        lufs[c] = finish(meter).integrated_lufs;
    }
    ck_assert(isinf(lufs[3]));
    ck_assert_double_eq_tol(lufs[4], lufs[0], 0.001);
    ck_assert_double_eq_tol(lufs[5], lufs[1], 0.001);
    ck_assert_double_eq_tol(lufs[6] - lufs[0], 1.49, 0.01);
    ck_assert_double_eq_tol(lufs[7] - lufs[2], 1.49, 0.01);
}
END_TEST

/* The blocks in which samples come do not matter, to the last bit. */
START_TEST(test_blocks_do_not_matter)
{
    size_t frames = 5 * RATE + 17;
    float *in = malloc(frames * 2 * sizeof *in);
    uint32_t noise = 7;
    for (size_t i = 0; i < frames * 2; i++) {
        noise = noise * 1664525u + 1013904223u;
        in[i] = (float)noise / 4294967296.0f - 0.5f;
    }
    struct engine_loudness first;
    static const size_t splits[] = {SIZE_MAX, 1, 4799, 65536};
    for (size_t s = 0; s < 4; s++) {
        struct engine_meter *meter = new_meter(2, RATE);
        for (size_t done = 0; done < frames;) {
            size_t piece = frames - done < splits[s] ? frames - done : splits[s];
            ck_assert_int_eq(engine_meter_add(meter, in + done * 2, piece), LH_OK);
            done += piece;
        }
        struct engine_loudness loudness = finish(meter);
        if (s == 0) {
            first = loudness;
        }
        ck_assert_int_eq(memcmp(&first, &loudness, sizeof first), 0);
    }
    free(in);
}
END_TEST

START_TEST(test_gain)
{
    const struct engine_loudness mix = {.integrated_lufs = -18.3004, .true_peak_dbtp = -1.2344};
    const struct engine_loudness silence = {.integrated_lufs = -INFINITY, .true_peak_dbtp = -INFINITY};
    const struct engine_loudness blip = {.integrated_lufs = -INFINITY, .true_peak_dbtp = 2};
    ck_assert_double_eq(engine_loudness_gain_db(&mix, true, -23, false, 0), -4.7);
    ck_assert_double_eq(engine_loudness_gain_db(&mix, true, -14, false, 0), 4.3);
    ck_assert_double_eq(engine_loudness_gain_db(&mix, true, -14, true, -1), 0.234); /* downwards */
    ck_assert_double_eq(engine_loudness_gain_db(&mix, true, -23, true, -1), -4.7);
    ck_assert_double_eq(engine_loudness_gain_db(&mix, false, 0, true, -1), 0);
    ck_assert_double_eq(engine_loudness_gain_db(&mix, false, 0, true, -2), -0.766);
    ck_assert_double_eq(engine_loudness_gain_db(&mix, false, 0, false, 0), 0);
    ck_assert_double_eq(engine_loudness_gain_db(&silence, true, -14, true, -1), 0);
    ck_assert_double_eq(engine_loudness_gain_db(&blip, true, -14, true, -1), -3);
}
END_TEST

START_TEST(test_each_allocation_fails)
{
    bool fired = true;
    for (size_t n = 1; fired; n++) {
        struct engine_meter *meter = NULL;
        testing_fail_allocation(n);
        enum lh_status status = engine_meter_new(2, RATE, &meter);
        fired = testing_fail_allocation_end();
        ck_assert_int_eq(status, fired ? LH_ERR_NO_MEMORY : LH_OK);
        ck_assert(fired == (meter == NULL));
        engine_meter_free(meter);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("engine/io/meter");
    TCase *ebu = tcase_create("ebu");
    tcase_set_timeout(ebu, 60);
    tcase_add_loop_test(ebu, test_3341_integrated, 0, sizeof integrated_cases / sizeof integrated_cases[0]);
    tcase_add_test(ebu, test_3341_surround);
    tcase_add_test(ebu, test_3341_short_term_and_momentary);
    tcase_add_loop_test(ebu, test_3341_true_peak, 0, sizeof peak_cases / sizeof peak_cases[0]);
    tcase_add_loop_test(ebu, test_3342_range, 0, sizeof range_cases / sizeof range_cases[0]);
    suite_add_tcase(suite, ebu);
    TCase *meter = tcase_create("meter");
    tcase_set_timeout(meter, 60);
    tcase_add_test(meter, test_silence_and_short);
    tcase_add_test(meter, test_channels);
    tcase_add_test(meter, test_weights_of_7_1);
    tcase_add_test(meter, test_blocks_do_not_matter);
    tcase_add_test(meter, test_gain);
    tcase_add_test(meter, test_each_allocation_fails);
    suite_add_tcase(suite, meter);
    return testing_main(suite);
}
