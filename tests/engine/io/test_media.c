/* SPDX-License-Identifier: MIT */
/* Probing and reading media: every container and encoding against the samples that were written, and many readers of
   one descriptor. */
#include "engine/io/media.h"

#include <pthread.h>
#include <sndfile.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/engine/io/sounds.h"
#include "tests/support/testing.h"

#define FRAMES 20011
#define CHANNELS 3
#define SAMPLES (FRAMES * CHANNELS)

static float noise[SAMPLES];
static int32_t integers[SAMPLES];

/* Noise of so many bits, as integers in the upper bits and as the same values in floats. */
static void fill(unsigned bits)
{
    sounds_fill_noise(noise, SAMPLES, bits, bits);
    for (size_t i = 0; i < SAMPLES; i++) {
        integers[i] = (int32_t)((double)noise[i] * 2147483648.0);
    }
}

static struct engine_media *open_media(int fd)
{
    struct engine_media *media = NULL;
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_msg(engine_media_open(fd, &media, &error) == LH_OK, "%s", error.message);
    return media;
}

/* Reads a positioned range and decodes it. */
static void read_positioned(const struct engine_media *media, int64_t frame, size_t frames, float *out)
{
    size_t channels = engine_media_get_facts(media)->channels;
    enum engine_sample_format format = engine_media_sample_format(media);
    size_t size = frames * channels * engine_sample_size(format);
    uint8_t *raw = malloc(size);
    ck_assert_ptr_nonnull(raw);
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_int_eq(engine_media_read_raw(media, frame, frames, raw, &error), LH_OK);
    engine_kernels_best()->decode[format](out, raw, frames * channels);
    free(raw);
}

struct encoding {
    int format;
    unsigned bits;
    const char *name;
};

static const struct encoding encodings[] = {
    {SF_FORMAT_PCM_S8, 8, "8 bit"},         {SF_FORMAT_PCM_U8, 8, "8 bit"},   {SF_FORMAT_PCM_16, 16, "16 bit"},
    {SF_FORMAT_PCM_24, 24, "24 bit"},       {SF_FORMAT_PCM_32, 32, "32 bit"}, {SF_FORMAT_FLOAT, 32, "32 bit float"},
    {SF_FORMAT_DOUBLE, 64, "64 bit float"},
};
static const int containers[] = {SF_FORMAT_WAV,  SF_FORMAT_WAVEX, SF_FORMAT_RF64, SF_FORMAT_W64,
                                 SF_FORMAT_AIFF, SF_FORMAT_CAF,   SF_FORMAT_AU};
static const int orders[] = {SF_ENDIAN_FILE, SF_ENDIAN_LITTLE, SF_ENDIAN_BIG};

static int write_encoded(const struct encoding *encoding, int container, int order)
{
    int format = container | order | encoding->format;
    SF_INFO info = {.samplerate = 44100, .channels = CHANNELS, .format = format};
    if (!sf_format_check(&info)) {
        return -1;
    }
    bool is_float = encoding->format == SF_FORMAT_FLOAT || encoding->format == SF_FORMAT_DOUBLE;
    fill(encoding->bits < 24 ? encoding->bits : 24);
    return is_float ? sounds_write(format, 44100, CHANNELS, noise, FRAMES)
                    : sounds_write_int(format, 44100, CHANNELS, integers, FRAMES);
}

START_TEST(test_pcm_is_read_in_place)
{
    static float got[SAMPLES];
    const struct encoding *encoding = &encodings[_i];
    size_t combinations = 0;
    for (size_t c = 0; c < sizeof(containers) / sizeof(containers[0]); c++) {
        for (size_t o = 0; o < sizeof(orders) / sizeof(orders[0]); o++) {
            int fd = write_encoded(encoding, containers[c], orders[o]);
            if (fd < 0) {
                continue;
            }
            combinations++;
            struct engine_media *media = open_media(fd);
            const struct engine_media_facts *facts = engine_media_get_facts(media);
            ck_assert_int_eq(facts->access, ENGINE_ACCESS_POSITIONED);
            ck_assert_uint_eq(facts->rate, 44100);
            ck_assert_uint_eq(facts->channels, CHANNELS);
            ck_assert_uint_eq(facts->frames, FRAMES);
            ck_assert_uint_eq(facts->bits, encoding->bits);
            ck_assert_msg(strstr(facts->format, encoding->name) != NULL, "%s", facts->format);
            read_positioned(media, 0, FRAMES, got);
            ck_assert_mem_eq(got, noise, sizeof(got));
            read_positioned(media, 12345, 777, got);
            ck_assert_mem_eq(got, noise + 12345 * CHANNELS, 777 * CHANNELS * sizeof(float));
            engine_media_close(media);
            close(fd);
        }
    }
    ck_assert_uint_ge(combinations, 4);
}
END_TEST

START_TEST(test_values_that_floats_round)
{
    /* 32-bit integers and doubles do not fit into a float: rounded to nearest, as libsndfile does; odd numbers pass. */
    static const int32_t extremes[] = {INT32_MIN, INT32_MAX, 1, -1, 0, 0x40000081, 0x7fffffbf, -0x7fffff81};
    int fd = sounds_write_int(SF_FORMAT_WAV | SF_FORMAT_PCM_32, 48000, 1, extremes, 8);
    struct engine_media *media = open_media(fd);
    ck_assert_int_eq(engine_media_get_facts(media)->access, ENGINE_ACCESS_POSITIONED);
    float got[8];
    read_positioned(media, 0, 8, got);
    for (size_t i = 0; i < 8; i++) {
        ck_assert_float_eq(got[i], (float)((double)extremes[i] / 2147483648.0));
    }
    engine_media_close(media);
    close(fd);
}
END_TEST

START_TEST(test_flac_is_exact_and_exact_to_seek_in)
{
    static const struct encoding flacs[] = {{SF_FORMAT_PCM_S8, 8, "FLAC, 8 bit"},
                                            {SF_FORMAT_PCM_16, 16, "FLAC, 16 bit"},
                                            {SF_FORMAT_PCM_24, 24, "FLAC, 24 bit"}};
    static float got[SAMPLES];
    fill(flacs[_i].bits);
    int fd = sounds_write_int(SF_FORMAT_FLAC | flacs[_i].format, 96000, CHANNELS, integers, FRAMES);
    struct engine_media *media = open_media(fd);
    const struct engine_media_facts *facts = engine_media_get_facts(media);
    ck_assert_int_eq(facts->access, ENGINE_ACCESS_STREAM);
    ck_assert_uint_eq(facts->frames, FRAMES);
    ck_assert_uint_eq(facts->bits, flacs[_i].bits);
    ck_assert_str_eq(facts->format, flacs[_i].name);
    struct engine_decoder *decoder = NULL;
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_int_eq(engine_decoder_new(media, &decoder, &error), LH_OK);
    ck_assert_int_eq(engine_decoder_read(decoder, 0, FRAMES, got, &error), LH_OK);
    ck_assert_mem_eq(got, noise, sizeof(got));
    for (int64_t at = FRAMES - 1; at > 0; at -= 1013) {
        size_t frames = (size_t)(FRAMES - at) < 500 ? (size_t)(FRAMES - at) : 500;
        ck_assert_int_eq(engine_decoder_read(decoder, at, frames, got, &error), LH_OK);
        ck_assert_mem_eq(got, noise + at * CHANNELS, frames * CHANNELS * sizeof(float));
    }
    ck_assert_int_eq(engine_decoder_read(decoder, FRAMES - 1, 2, got, &error), LH_ERR_FORMAT);
    ck_assert_int_eq(engine_decoder_read(decoder, 5, 2, got, &error), LH_OK);
    ck_assert_mem_eq(got, noise + 5 * CHANNELS, 2 * CHANNELS * sizeof(float));
    engine_decoder_free(decoder);
    engine_media_close(media);
    close(fd);
}
END_TEST

START_TEST(test_flac_without_a_length_is_counted)
{
    fill(16);
    int fd = sounds_write_int(SF_FORMAT_FLAC | SF_FORMAT_PCM_16, 48000, CHANNELS, integers, FRAMES);
    /* STREAMINFO's 36 bits of total samples: the lower half of byte 21 and the four after it. */
    uint8_t total[5];
    ck_assert_int_eq(pread(fd, total, sizeof(total), 21), sizeof(total));
    total[0] &= 0xf0;
    memset(total + 1, 0, 4);
    ck_assert_int_eq(pwrite(fd, total, sizeof(total), 21), sizeof(total));
    struct engine_media *media = open_media(fd);
    ck_assert_int_eq(engine_media_get_facts(media)->access, ENGINE_ACCESS_LINEAR);
    ck_assert_uint_eq(engine_media_get_facts(media)->frames, FRAMES);
    engine_media_close(media);
    close(fd);
}
END_TEST

START_TEST(test_lossy_media_know_their_length_and_do_not_seek)
{
    static const struct {
        int format, rate;
        const char *name;
        bool exact; /* the codec keeps the length */
    } lossy[] = {
        {SF_FORMAT_OGG | SF_FORMAT_VORBIS, 44100, "Ogg Vorbis", true},
        {SF_FORMAT_OGG | SF_FORMAT_OPUS, 48000, "Ogg Opus", true},
        {SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III, 44100, "MP3", false},
        {SF_FORMAT_WAV | SF_FORMAT_ALAW, 8000, "WAV, A-law", true},
        {SF_FORMAT_AU | SF_FORMAT_ULAW, 8000, "AU, u-law", true},
        {SF_FORMAT_WAV | SF_FORMAT_IMA_ADPCM, 22050, "WAV, IMA ADPCM", false},
        {SF_FORMAT_CAF | SF_FORMAT_ALAC_24, 48000, "CAF, ALAC, 24 bit", true},
    };
    static float got[2 * FRAMES * 2];
    fill(16);
    for (size_t i = 0; i < SAMPLES; i++) {
        noise[i] *= 0.25f;
    }
    int fd = sounds_write(lossy[_i].format, lossy[_i].rate, 2, noise, FRAMES);
    struct engine_media *media = open_media(fd);
    const struct engine_media_facts *facts = engine_media_get_facts(media);
    ck_assert_int_eq(facts->access, ENGINE_ACCESS_LINEAR);
    ck_assert_uint_eq(facts->rate, (uint32_t)lossy[_i].rate);
    ck_assert_str_eq(facts->format, lossy[_i].name);
    if (lossy[_i].exact) {
        ck_assert_uint_eq(facts->frames, FRAMES);
    }
    ck_assert_uint_ge(facts->frames, FRAMES);
    ck_assert_uint_lt(facts->frames, FRAMES + 4000);
    struct engine_decoder *decoder = NULL;
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_int_eq(engine_decoder_new(media, &decoder, &error), LH_OK);
    ck_assert_int_eq(engine_decoder_read(decoder, 0, 1000, got, &error), LH_OK);
    ck_assert_int_eq(engine_decoder_read(decoder, 1000, (size_t)facts->frames - 1000, got, &error), LH_OK);
    ck_assert_int_eq(engine_decoder_read(decoder, 1000, 1, got, &error), LH_ERR_INTERNAL);
    ck_assert_int_eq(engine_decoder_read(decoder, (int64_t)facts->frames, 1, got, &error), LH_ERR_FORMAT);
    engine_decoder_free(decoder);
    engine_media_close(media);
    close(fd);
}
END_TEST

/* Several decoders and positioned readers of one descriptor at once. */
struct reader {
    const struct engine_media *media;
    const float *expected;
    uint32_t seed;
    int failures;
};

static void *read_at_random(void *argument)
{
    enum { READS = 300, FRAMES_MAX = 400 };
    struct reader *reader = argument;
    struct engine_decoder *decoder = NULL;
    float got[FRAMES_MAX * CHANNELS];
    uint8_t raw[FRAMES_MAX * CHANNELS * 3];
    bool positioned = engine_media_get_facts(reader->media)->access == ENGINE_ACCESS_POSITIONED;
    if (!positioned && engine_decoder_new(reader->media, &decoder, NULL) != LH_OK) {
        reader->failures = READS;
        return NULL;
    }
    uint32_t state = reader->seed;
    for (int i = 0; i < READS; i++) {
        state = state * 1664525u + 1013904223u;
        int64_t frame = (state >> 8) % (FRAMES - FRAMES_MAX);
        enum lh_status status;
        if (positioned) {
            status = engine_media_read_raw(reader->media, frame, FRAMES_MAX, raw, NULL);
            engine_kernels_best()->decode[engine_media_sample_format(reader->media)](got, raw, FRAMES_MAX * CHANNELS);
        } else {
            status = engine_decoder_read(decoder, frame, FRAMES_MAX, got, NULL);
        }
        if (status != LH_OK || memcmp(got, reader->expected + frame * CHANNELS, sizeof(got)) != 0) {
            reader->failures++;
        }
    }
    engine_decoder_free(decoder);
    return NULL;
}

START_TEST(test_readers_share_a_descriptor)
{
    enum { THREADS = 4 };
    static const int formats[] = {SF_FORMAT_FLAC | SF_FORMAT_PCM_24, SF_FORMAT_WAV | SF_FORMAT_PCM_24};
    fill(24);
    int fd = sounds_write_int(formats[_i], 48000, CHANNELS, integers, FRAMES);
    struct engine_media *media = open_media(fd);
    pthread_t threads[THREADS];
    struct reader readers[THREADS];
    for (uint32_t i = 0; i < THREADS; i++) {
        readers[i] = (struct reader){.media = media, .expected = noise, .seed = i + 1};
        ck_assert_int_eq(pthread_create(&threads[i], NULL, read_at_random, &readers[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
        ck_assert_int_eq(readers[i].failures, 0);
    }
    /* The descriptor's own position was never used. */
    ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
    engine_media_close(media);
    close(fd);
}
END_TEST

START_TEST(test_scratch_is_read_in_place)
{
    fill(24);
    int fd = sounds_empty();
    ck_assert_int_eq(pwrite(fd, noise, sizeof(noise), 100), sizeof(noise));
    struct engine_media *media = NULL;
    ck_assert_int_eq(engine_media_open_scratch(fd, 100, CHANNELS, 48000, FRAMES, &media), LH_OK);
    static float got[SAMPLES];
    read_positioned(media, 0, FRAMES, got);
    ck_assert_mem_eq(got, noise, sizeof(got));
    struct engine_decoder *decoder = NULL;
    ck_assert_int_eq(engine_decoder_new(media, &decoder, NULL), LH_ERR_USAGE);
    engine_media_close(media);
    engine_media_close(NULL);
    engine_decoder_free(NULL);
    close(fd);
}
END_TEST

START_TEST(test_files_that_shrink_while_they_are_read)
{
    fill(16);
    int fd = sounds_write_int(SF_FORMAT_WAV | SF_FORMAT_PCM_16, 48000, CHANNELS, integers, FRAMES);
    struct engine_media *media = open_media(fd);
    uint8_t raw[100 * CHANNELS * 2];
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_int_eq(ftruncate(fd, (off_t)sounds_size(fd) - 1), 0);
    ck_assert_int_eq(engine_media_read_raw(media, FRAMES - 100, 100, raw, &error), LH_ERR_IO);
    ck_assert_ptr_nonnull(strstr(error.message, "shorter"));
    engine_media_close(media);
    close(fd);
    fd = sounds_write_int(SF_FORMAT_FLAC | SF_FORMAT_PCM_16, 48000, CHANNELS, integers, FRAMES);
    media = open_media(fd);
    struct engine_decoder *decoder = NULL;
    ck_assert_int_eq(engine_decoder_new(media, &decoder, &error), LH_OK);
    ck_assert_int_eq(ftruncate(fd, (off_t)sounds_size(fd) / 2), 0);
    static float got[SAMPLES];
    ck_assert_int_eq(engine_decoder_read(decoder, 0, FRAMES, got, &error), LH_ERR_FORMAT);
    engine_decoder_free(decoder);
    engine_media_close(media);
    close(fd);
}
END_TEST

START_TEST(test_allocations_that_fail)
{
    static const int formats[] = {SF_FORMAT_WAV | SF_FORMAT_PCM_16, SF_FORMAT_FLAC | SF_FORMAT_PCM_16,
                                  SF_FORMAT_OGG | SF_FORMAT_VORBIS};
    fill(16);
    int fd = sounds_write(formats[_i], 48000, CHANNELS, noise, 3000);
    for (size_t n = 1;; n++) {
        struct engine_media *media = NULL;
        struct engine_decoder *decoder = NULL;
        struct lh_error error = LH_ERROR_INIT;
        testing_fail_allocation(n);
        enum lh_status status = engine_media_open(fd, &media, &error);
        if (status == LH_OK) {
            status = engine_decoder_new(media, &decoder, &error);
        }
        bool fired = testing_fail_allocation_end();
        engine_decoder_free(decoder);
        engine_media_close(media);
        if (!fired) {
            ck_assert_int_eq(status, LH_OK);
            ck_assert_uint_eq(n, 3);
            break;
        }
        ck_assert_int_eq(status, LH_ERR_NO_MEMORY);
        ck_assert_int_eq(error.code, LH_ERR_NO_MEMORY);
    }
    testing_fail_allocation(1);
    struct engine_media *scratch = NULL;
    ck_assert_int_eq(engine_media_open_scratch(fd, 0, 1, 48000, 1, &scratch), LH_ERR_NO_MEMORY);
    testing_fail_allocation_end();
    ck_assert_ptr_null(scratch);
    close(fd);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("media");
    TCase *reading = tcase_create("reading");
    tcase_set_timeout(reading, 30);
    tcase_add_loop_test(reading, test_pcm_is_read_in_place, 0, (int)(sizeof(encodings) / sizeof(encodings[0])));
    tcase_add_test(reading, test_values_that_floats_round);
    tcase_add_loop_test(reading, test_flac_is_exact_and_exact_to_seek_in, 0, 3);
    tcase_add_test(reading, test_flac_without_a_length_is_counted);
    tcase_add_loop_test(reading, test_lossy_media_know_their_length_and_do_not_seek, 0, 7);
    tcase_add_loop_test(reading, test_readers_share_a_descriptor, 0, 2);
    tcase_add_test(reading, test_scratch_is_read_in_place);
    tcase_add_test(reading, test_files_that_shrink_while_they_are_read);
    tcase_add_loop_test(reading, test_allocations_that_fail, 0, 3);
    suite_add_tcase(suite, reading);
    return testing_main(suite);
}
