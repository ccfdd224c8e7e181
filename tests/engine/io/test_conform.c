/* SPDX-License-Identifier: MIT */
/* Rate conversion: exact lengths, no delay, no dependence on the calls' sizes, and quality against analytic sines. */
#include "engine/io/conform.h"

#include <fcntl.h>
#include <math.h>
#include <sndfile.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/engine/io/sounds.h"
#include "tests/support/testing.h"

static const enum graph_conform resamplers[] = {GRAPH_CONFORM_SOXR, GRAPH_CONFORM_SAMPLERATE};
static const struct {
    uint32_t from, to;
} rates[] = {{44100, 48000}, {48000, 44100}, {48000, 96000}, {96000, 48000},
             {44100, 96000}, {96000, 44100}, {8000, 48000},  {192000, 44100}};
#define RATE_COUNT (sizeof(rates) / sizeof(rates[0]))

static float *new_samples(size_t count)
{
    float *samples = calloc(count > 0 ? count : 1, sizeof(*samples));
    ck_assert_ptr_nonnull(samples);
    return samples;
}

/* Converts `in`, `chunk` frames a call (0: sizes that vary), and returns all that came out. */
static float *convert(enum graph_conform resampler, uint32_t channels, uint32_t from, uint32_t to, const float *in,
                      size_t frames, size_t chunk, size_t *out_frames)
{
    struct engine_converter *converter = NULL;
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_int_eq(engine_converter_new(resampler, channels, from, to, &converter, &error), LH_OK);
    size_t length = (size_t)graph_converted_length(frames, from, to);
    size_t capacity_max = engine_converter_room(converter, frames);
    float *out = new_samples((length + capacity_max) * channels);
    size_t read = 0, got = 0;
    uint32_t state = 1;
    bool last = false;
    while (!last) {
        state = state * 1664525u + 1013904223u;
        size_t size = chunk != 0 ? chunk : state % 4 == 0 ? (state >> 8) % 7 : (state >> 8) % 5000;
        last = size >= frames - read;
        if (last) {
            size = frames - read;
        }
        size_t capacity = engine_converter_room(converter, size);
        size_t given = 0;
        ck_assert_int_eq(engine_converter_process(converter, in + read * channels, size, last, out + got * channels,
                                                  capacity, &given, &error),
                         LH_OK);
        read += size;
        got += given;
        while (last && given == capacity) {
            ck_assert_int_eq(
                engine_converter_process(converter, NULL, 0, true, out + got * channels, capacity, &given, &error),
                LH_OK);
            got += given;
        }
        ck_assert_uint_le(got, length);
    }
    engine_converter_free(converter);
    *out_frames = got;
    return out;
}

START_TEST(test_length_is_exact_for_short_and_odd_inputs)
{
    enum graph_conform resampler = resamplers[(size_t)_i / RATE_COUNT];
    uint32_t from = rates[(size_t)_i % RATE_COUNT].from, to = rates[(size_t)_i % RATE_COUNT].to;
    float in[2000];
    sounds_fill_noise(in, 2000, 24, 3);
    for (size_t frames = 0; frames < 1000; frames += frames < 40 ? 1 : 87) {
        size_t got;
        float *out = convert(resampler, 2, from, to, in, frames, 0, &got);
        ck_assert_uint_eq(got, graph_converted_length(frames, from, to));
        free(out);
    }
}
END_TEST

START_TEST(test_calls_of_any_size_give_the_same_bits)
{
    enum { FRAMES = 50001, CHANNELS = 3 };
    enum graph_conform resampler = resamplers[(size_t)_i / RATE_COUNT];
    uint32_t from = rates[(size_t)_i % RATE_COUNT].from, to = rates[(size_t)_i % RATE_COUNT].to;
    float *in = new_samples(FRAMES * CHANNELS);
    sounds_fill_noise(in, FRAMES * CHANNELS, 24, 7);
    size_t expected, got;
    float *whole = convert(resampler, CHANNELS, from, to, in, FRAMES, FRAMES, &expected);
    ck_assert_uint_eq(expected, graph_converted_length(FRAMES, from, to));
    static const size_t chunks[] = {0, 997, 16384};
    for (size_t i = 0; i < sizeof(chunks) / sizeof(chunks[0]); i++) {
        float *parts = convert(resampler, CHANNELS, from, to, in, FRAMES, chunks[i], &got);
        ck_assert_uint_eq(got, expected);
        ck_assert_mem_eq(parts, whole, expected * CHANNELS * sizeof(float));
        free(parts);
    }
    free(whole);
    free(in);
}
END_TEST

static double to_db(double value)
{
    return 20 * log10(value);
}

/* The largest and the RMS difference from the analytic sine, in dB of full scale, away from both ends. */
START_TEST(test_sine_stays_a_sine)
{
    enum { EDGE = 4000 };
    const double amplitude = 0.9;
    size_t combination = (size_t)_i / 2;
    enum graph_conform resampler = resamplers[combination / RATE_COUNT];
    uint32_t from = rates[combination % RATE_COUNT].from, to = rates[combination % RATE_COUNT].to;
    double lower = from < to ? from : to;
    double hz = _i % 2 == 0 ? 997 : lower * 0.45; /* in the middle, and near the edge of what both rates hold */
    size_t frames = from;
    float *in = new_samples(frames);
    for (size_t i = 0; i < frames; i++) {
        in[i] = (float)(amplitude * sin(2 * M_PI * hz * (double)i / from));
    }
    size_t got;
    float *out = convert(resampler, 1, from, to, in, frames, 4096, &got);
    double largest = 0, power = 0;
    for (size_t i = EDGE; i + EDGE < got; i++) {
        double difference = fabs(out[i] - amplitude * sin(2 * M_PI * hz * (double)i / to));
        largest = fmax(largest, difference);
        power += difference * difference;
    }
    double rms = to_db(sqrt(power / (double)(got - 2 * EDGE)));
    if (getenv("SHOW_FIGURES") != NULL) {
        printf("# %s %u -> %u, %.0f Hz: largest %.1f dB, RMS %.1f dB\n",
               resampler == GRAPH_CONFORM_SOXR ? "soxr" : "samplerate", from, to, hz, to_db(largest), rms);
    }
    ck_assert_double_lt(to_db(largest), -120);
    ck_assert_double_lt(rms, -130);
    free(out);
    free(in);
}
END_TEST

START_TEST(test_impulse_stays_where_it_is)
{
    enum graph_conform resampler = resamplers[(size_t)_i / RATE_COUNT];
    uint32_t from = rates[(size_t)_i % RATE_COUNT].from, to = rates[(size_t)_i % RATE_COUNT].to;
    size_t frames = from / 10, at = from / 100 * 4;
    float *in = new_samples(frames);
    in[at] = 1;
    size_t got, peak = 0;
    float *out = convert(resampler, 1, from, to, in, frames, 1000, &got);
    for (size_t i = 0; i < got; i++) {
        if (fabsf(out[i]) > fabsf(out[peak])) {
            peak = i;
        }
    }
    ck_assert_uint_eq(peak, to / 100 * 4);
    /* Symmetric about it: not a fraction of a frame off. */
    for (size_t i = 1; i < 40; i++) {
        ck_assert_float_eq_tol(out[peak - i], out[peak + i], 2e-6f);
    }
    free(out);
    free(in);
}
END_TEST

START_TEST(test_ratio_past_libsamplerate)
{
    struct engine_converter *converter = NULL;
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_int_eq(engine_converter_new(GRAPH_CONFORM_SAMPLERATE, 1, 1000, 768000, &converter, &error),
                     LH_ERR_UNSUPPORTED);
    ck_assert_ptr_null(converter);
    ck_assert_ptr_nonnull(strstr(error.message, "soxr"));
    ck_assert_int_eq(engine_converter_new(GRAPH_CONFORM_DECODE, 1, 44100, 48000, &converter, &error), LH_ERR_USAGE);
    float in[1000] = {0};
    size_t got;
    free(convert(GRAPH_CONFORM_SOXR, 1, 1000, 768000, in, 1000, 100, &got));
    ck_assert_uint_eq(got, 768000);
    free(convert(GRAPH_CONFORM_SOXR, 1, 44101, 44100, in, 1000, 100, &got));
    ck_assert_uint_eq(got, 1000);
}
END_TEST

/* engine_conform() */

struct medium {
    int fd;
    struct engine_media *media;
    struct graph_media target;
};

static void open_medium(struct medium *medium, int fd, enum graph_conform resampler, uint32_t project_rate)
{
    struct lh_error error = LH_ERROR_INIT;
    medium->fd = fd;
    ck_assert_int_ge(fd, 0);
    ck_assert_msg(engine_media_open(fd, &medium->media, &error) == LH_OK, "%s", error.message);
    const struct engine_media_facts *facts = engine_media_get_facts(medium->media);
    medium->target = (struct graph_media){.channels = facts->channels,
                                          .rate = facts->rate,
                                          .frames = facts->frames,
                                          .length = graph_converted_length(facts->frames, facts->rate, project_rate),
                                          .conform = resampler,
                                          .name = "drums"};
}

static void close_medium(struct medium *medium)
{
    engine_media_close(medium->media);
    close(medium->fd);
}

START_TEST(test_conform_equals_the_converter_and_stays_in_its_place)
{
    enum { FRAMES = 200003, CHANNELS = 2, OFFSET = 4096 };
    static const int formats[] = {SF_FORMAT_WAV | SF_FORMAT_PCM_24, SF_FORMAT_FLAC | SF_FORMAT_PCM_24};
    float *in = new_samples(FRAMES * CHANNELS);
    sounds_fill_noise(in, FRAMES * CHANNELS, 24, 5);
    size_t expected_frames;
    float *expected = convert(GRAPH_CONFORM_SOXR, CHANNELS, 44100, 48000, in, FRAMES, 10000, &expected_frames);
    float *got = new_samples((expected_frames + 1) * CHANNELS);
    for (size_t i = 0; i < 2; i++) {
        struct medium medium;
        open_medium(&medium, sounds_write(formats[i], 44100, CHANNELS, in, FRAMES), GRAPH_CONFORM_SOXR, 48000);
        int scratch = sounds_empty();
        _Atomic uint64_t done = 5;
        struct lh_error error = LH_ERROR_INIT;
        ck_assert_int_eq(engine_conform(medium.media, &medium.target, 48000, medium.target.length, scratch, OFFSET,
                                        &done, NULL, &error),
                         LH_OK);
        ck_assert_uint_eq(done, expected_frames + 5);
        ck_assert_uint_eq(sounds_size(scratch), OFFSET + expected_frames * CHANNELS * sizeof(float));
        struct engine_media *conformed = NULL;
        ck_assert_int_eq(engine_media_open_scratch(scratch, OFFSET, CHANNELS, 48000, expected_frames, &conformed),
                         LH_OK);
        ck_assert_int_eq(engine_media_read_raw(conformed, 0, expected_frames, (uint8_t *)got, &error), LH_OK);
        ck_assert_mem_eq(got, expected, expected_frames * CHANNELS * sizeof(float));
        engine_media_close(conformed);
        close(scratch);
        close_medium(&medium);
    }
    free(got);
    free(expected);
    free(in);
}
END_TEST

/* The first frames are those of the whole, and what follows is not even read: here it is not finite. */
START_TEST(test_a_part_has_the_bits_of_the_whole)
{
    enum { FRAMES = 400000, WANTED = 100001 };
    float *in = new_samples(FRAMES);
    sounds_fill_noise(in, FRAMES, 24, 6);
    size_t expected_frames;
    float *expected = convert(GRAPH_CONFORM_SOXR, 1, 44100, 48000, in, FRAMES, 10000, &expected_frames);
    in[FRAMES - 1] = NAN;
    struct medium medium;
    open_medium(&medium, sounds_write(SF_FORMAT_WAV | SF_FORMAT_FLOAT, 44100, 1, in, FRAMES), GRAPH_CONFORM_SOXR,
                48000);
    int scratch = sounds_empty();
    _Atomic uint64_t done = 0;
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_int_eq(engine_conform(medium.media, &medium.target, 48000, WANTED, scratch, 0, &done, NULL, &error),
                     LH_OK);
    ck_assert_uint_eq(done, WANTED);
    float *got = new_samples(WANTED);
    ck_assert_int_eq(pread(scratch, got, WANTED * sizeof *got, 0), WANTED * (ssize_t)sizeof *got);
    ck_assert_mem_eq(got, expected, WANTED * sizeof *got);
    done = 0;
    ck_assert_int_eq(engine_conform(medium.media, &medium.target, 48000, 0, scratch, 0, &done, NULL, &error), LH_OK);
    ck_assert_uint_eq(done, 0);
    ck_assert_int_eq(
        engine_conform(medium.media, &medium.target, 48000, medium.target.length, scratch, 0, NULL, NULL, &error),
        LH_ERR_FAULT);
    close(scratch);
    close_medium(&medium);
    free(got);
    free(expected);
    free(in);
}
END_TEST

START_TEST(test_lossy_media_are_decoded_from_the_start)
{
    enum { FRAMES = 100000 };
    static const int formats[] = {SF_FORMAT_OGG | SF_FORMAT_VORBIS, SF_FORMAT_OGG | SF_FORMAT_OPUS,
                                  SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III, SF_FORMAT_WAV | SF_FORMAT_MS_ADPCM};
    float *in = new_samples(FRAMES);
    for (size_t i = 0; i < FRAMES; i++) {
        in[i] = (float)(0.5 * sin(2 * M_PI * 440 * (double)i / 48000));
    }
    int fd = sounds_write(formats[_i], 48000, 1, in, FRAMES);
    struct medium medium;
    open_medium(&medium, fd, GRAPH_CONFORM_DECODE, 48000);
    size_t frames = (size_t)medium.target.length;
    ck_assert_int_eq(engine_media_get_facts(medium.media)->access, ENGINE_ACCESS_LINEAR);
    int scratch = sounds_empty();
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_int_eq(
        engine_conform(medium.media, &medium.target, 48000, medium.target.length, scratch, 0, NULL, NULL, &error),
        LH_OK);
    ck_assert_uint_eq(sounds_size(scratch), frames * sizeof(float));
    float *got = new_samples(frames);
    ck_assert_int_eq(pread(scratch, got, frames * sizeof(float), 0), (ssize_t)(frames * sizeof(float)));
    /* Near the sine, wherever the codec's padding puts it. */
    double power = 0;
    for (size_t i = frames / 4; i < frames / 4 + 48000; i++) {
        power += (double)got[i] * (double)got[i];
    }
    ck_assert_double_eq_tol(power / 48000, 0.125, 0.005);
    free(got);
    free(in);
    close(scratch);
    close_medium(&medium);
}
END_TEST

START_TEST(test_samples_that_are_no_numbers_are_named)
{
    enum { FRAMES = 100000, CHANNELS = 2, AT = 70001 };
    static const float values[] = {NAN, INFINITY, -INFINITY};
    for (size_t i = 0; i < 3; i++) {
        for (uint32_t rate = 44100; rate <= 48000; rate += 3900) {
            float *in = new_samples(FRAMES * CHANNELS);
            in[AT * CHANNELS + 1] = values[i];
            struct medium medium;
            open_medium(&medium, sounds_write(SF_FORMAT_WAV | SF_FORMAT_FLOAT, 48000, CHANNELS, in, FRAMES),
                        GRAPH_CONFORM_SOXR, rate);
            int scratch = sounds_empty();
            struct lh_error error = LH_ERROR_INIT;
            ck_assert_int_eq(engine_conform(medium.media, &medium.target, rate, medium.target.length, scratch, 0, NULL,
                                            NULL, &error),
                             LH_ERR_FAULT);
            ck_assert_ptr_nonnull(strstr(error.message, "drums, frame 70001 "));
            ck_assert_ptr_nonnull(strstr(error.message, "channel 2"));
            close(scratch);
            close_medium(&medium);
            free(in);
        }
    }
}
END_TEST

START_TEST(test_finite_input_that_overflows_is_a_fault)
{
    enum { FRAMES = 20000 };
    float *in = new_samples(FRAMES);
    for (size_t i = 0; i < FRAMES; i++) {
        in[i] = (i / 3) % 2 == 0 ? 3.4e38f : -3.4e38f;
    }
    struct medium medium;
    open_medium(&medium, sounds_write(SF_FORMAT_WAV | SF_FORMAT_FLOAT, 48000, 1, in, FRAMES), GRAPH_CONFORM_SOXR,
                96000);
    int scratch = sounds_empty();
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_int_eq(
        engine_conform(medium.media, &medium.target, 96000, medium.target.length, scratch, 0, NULL, NULL, &error),
        LH_ERR_FAULT);
    close(scratch);
    close_medium(&medium);
    free(in);
}
END_TEST

START_TEST(test_conform_stops_when_it_must)
{
    enum { FRAMES = 100000 };
    float *in = new_samples(FRAMES);
    struct medium medium;
    open_medium(&medium, sounds_write(SF_FORMAT_WAV | SF_FORMAT_PCM_16, 44100, 1, in, FRAMES), GRAPH_CONFORM_SOXR,
                48000);
    int scratch = sounds_empty();
    struct lh_error error = LH_ERROR_INIT;
    const _Atomic int cancel = 1;
    ck_assert_int_eq(
        engine_conform(medium.media, &medium.target, 48000, medium.target.length, scratch, 0, NULL, &cancel, &error),
        LH_ERR_CANCELLED);

    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    ck_assert_int_ge(full, 0);
    ck_assert_int_eq(
        engine_conform(medium.media, &medium.target, 48000, medium.target.length, full, 0, NULL, NULL, &error),
        LH_ERR_IO);
    ck_assert_ptr_nonnull(strstr(error.message, "No space left"));
    close(full);

    struct graph_media other = medium.target;
    other.frames++;
    ck_assert_int_eq(engine_conform(medium.media, &other, 48000, other.length, scratch, 0, NULL, NULL, &error),
                     LH_ERR_IO);
    other = medium.target;
    other.length++;
    ck_assert_int_eq(engine_conform(medium.media, &other, 48000, other.length, scratch, 0, NULL, NULL, &error),
                     LH_ERR_FORMAT);
    other = medium.target;
    other.conform = GRAPH_CONFORM_DECODE;
    ck_assert_int_eq(engine_conform(medium.media, &other, 48000, other.length, scratch, 0, NULL, NULL, &error),
                     LH_ERR_FORMAT);

    ck_assert_int_eq(ftruncate(medium.fd, 50000), 0);
    ck_assert_int_eq(
        engine_conform(medium.media, &medium.target, 48000, medium.target.length, scratch, 0, NULL, NULL, &error),
        LH_ERR_IO);
    close(scratch);
    close_medium(&medium);
    free(in);
}
END_TEST

START_TEST(test_allocations_that_fail)
{
    enum { FRAMES = 3000 };
    static const int formats[] = {SF_FORMAT_WAV | SF_FORMAT_PCM_16, SF_FORMAT_FLAC | SF_FORMAT_PCM_16};
    float *in = new_samples(FRAMES);
    for (size_t i = 0; i < 2; i++) {
        struct medium medium;
        open_medium(&medium, sounds_write(formats[i], 44100, 1, in, FRAMES), GRAPH_CONFORM_SOXR, 48000);
        int scratch = sounds_empty();
        for (size_t n = 1;; n++) {
            struct lh_error error = LH_ERROR_INIT;
            testing_fail_allocation(n);
            enum lh_status status = engine_conform(medium.media, &medium.target, 48000, medium.target.length, scratch,
                                                   0, NULL, NULL, &error);
            if (!testing_fail_allocation_end()) {
                ck_assert_int_eq(status, LH_OK);
                ck_assert_uint_gt(n, 3);
                break;
            }
            ck_assert_int_eq(status, LH_ERR_NO_MEMORY);
        }
        close(scratch);
        close_medium(&medium);
    }
    free(in);
}
END_TEST

START_TEST(test_libraries_are_named_with_their_versions)
{
    const char *text = engine_io_libraries();
    ck_assert_ptr_eq(text, engine_io_libraries());
    static const char *const names[] = {"libsndfile-1", "libFLAC-1", "libvorbis-1", "libopus-1",       "libopusenc-0",
                                        "libmpg123-1",  "liblame-3", "libsoxr-0",   "libsamplerate-0", "libebur128-1"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        ck_assert_msg(strstr(text, names[i]) != NULL, "%s in %s", names[i], text);
    }
    ck_assert_ptr_null(strchr(text, '('));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("conform");
    TCase *converter = tcase_create("converter");
    tcase_set_timeout(converter, 60);
    int combinations = 2 * (int)RATE_COUNT;
    tcase_add_loop_test(converter, test_length_is_exact_for_short_and_odd_inputs, 0, combinations);
    tcase_add_loop_test(converter, test_calls_of_any_size_give_the_same_bits, 0, combinations);
    tcase_add_loop_test(converter, test_sine_stays_a_sine, 0, 2 * combinations);
    tcase_add_loop_test(converter, test_impulse_stays_where_it_is, 0, combinations);
    tcase_add_test(converter, test_ratio_past_libsamplerate);
    suite_add_tcase(suite, converter);
    TCase *conform = tcase_create("conform");
    tcase_set_timeout(conform, 60);
    tcase_add_test(conform, test_conform_equals_the_converter_and_stays_in_its_place);
    tcase_add_test(conform, test_a_part_has_the_bits_of_the_whole);
    tcase_add_loop_test(conform, test_lossy_media_are_decoded_from_the_start, 0, 4);
    tcase_add_test(conform, test_samples_that_are_no_numbers_are_named);
    tcase_add_test(conform, test_finite_input_that_overflows_is_a_fault);
    tcase_add_test(conform, test_conform_stops_when_it_must);
    tcase_add_test(conform, test_allocations_that_fail);
    tcase_add_test(conform, test_libraries_are_named_with_their_versions);
    suite_add_tcase(suite, conform);
    return testing_main(suite);
}
