/* SPDX-License-Identifier: MIT */
/* Files that are cut, damaged or lie: refused with a reason, or read to their end, and nothing else. */
#include <fcntl.h>
#include <sndfile.h>
#include <string.h>
#include <unistd.h>

#include "engine/io/media.h"
#include "tests/engine/io/sounds.h"
#include "tests/support/testing.h"

#define NOISE_FRAMES 3000
#define NOISE_CHANNELS 2

static struct engine_media *open_media(int fd)
{
    struct engine_media *media = NULL;
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_msg(engine_media_open(fd, &media, &error) == LH_OK, "%s", error.message);
    return media;
}

static void refuse(int fd, enum lh_status status, const char *words)
{
    struct engine_media *media = NULL;
    struct engine_media_facts facts = {.rate = 7};
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_int_eq(engine_media_open(fd, &media, &error), status);
    ck_assert_ptr_null(media);
    ck_assert_msg(strstr(error.message, words) != NULL, "'%s' in '%s'", words, error.message);
    ck_assert_int_eq(engine_media_probe(fd, &facts, NULL), status);
    ck_assert_uint_eq(facts.rate, 7);
}

/* A WAV by hand: `sound` bytes of 16-bit mono whose header says whatever is asked. */
static int write_wav(uint32_t riff_size, uint32_t data_size, uint16_t channels, uint32_t rate, uint16_t align,
                     size_t sound)
{
    uint8_t bytes[44 + 1000] = "RIFF----WAVEfmt ";
    uint32_t fmt_size = 16, byte_rate = rate * align;
    uint16_t tag = 1, bits = 16;
    memcpy(bytes + 4, &riff_size, 4);
    memcpy(bytes + 16, &fmt_size, 4);
    memcpy(bytes + 20, &tag, 2);
    memcpy(bytes + 22, &channels, 2);
    memcpy(bytes + 24, &rate, 4);
    memcpy(bytes + 28, &byte_rate, 4);
    memcpy(bytes + 32, &align, 2);
    memcpy(bytes + 34, &bits, 2);
    memcpy(bytes + 36, "data", 4);
    memcpy(bytes + 40, &data_size, 4);
    ck_assert_uint_le(sound, 1000);
    return sounds_from_bytes(bytes, 44 + sound);
}

START_TEST(test_wavs_of_unknown_length_reach_to_the_end)
{
    static const struct {
        uint32_t riff, data;
    } sizes[] = {{UINT32_MAX, UINT32_MAX}, {0x7ffff024, 0x7ffff000}, {0, UINT32_MAX}};
    int fd = write_wav(sizes[_i].riff, sizes[_i].data, 1, 48000, 2, 600);
    struct engine_media *media = open_media(fd);
    ck_assert_int_eq(engine_media_get_facts(media)->access, ENGINE_ACCESS_POSITIONED);
    ck_assert_uint_eq(engine_media_get_facts(media)->frames, 300);
    engine_media_close(media);
    close(fd);
}
END_TEST

START_TEST(test_headers_that_lie)
{
    static const struct {
        uint32_t riff, data;
        uint16_t channels;
        uint32_t rate;
        uint16_t align;
        size_t sound;
        const char *words;
    } lies[] = {
        {636, 600, 1, 0, 2, 600, "0 Hz"},
        {636, 600, 1, 4000000, 2, 600, "4000000 Hz"},
        {636, 600, 0, 48000, 2, 600, "0 channels"},
        {636, 600, 17, 48000, 34, 600, "17 channels: at most 16"},
        {636, 600, 1, 48000, 4, 600, "1 channels of 16 bits are 2 bytes a frame, not 4"},
        {636, 600, 1, 48000, 2, 599, "promises 600 bytes of sound and 599 are there"},
        {0x10000024, 0x10000000, 1, 48000, 2, 600, "truncated"},
        {36, 0, 1, 48000, 2, 0, "no sound"},
        {UINT32_MAX, UINT32_MAX, 1, 48000, 2, 0, "no sound"},
        {36, 0, 1, 48000, 2, 600, "never finished"},
        {0, 0, 1, 48000, 2, 600, "never finished"},
        {36 + 8, 0, 1, 48000, 2, 8, "no sound"},
        {637, 1, 1, 48000, 2, 1, "no sound"},
    };
    int fd = write_wav(lies[_i].riff, lies[_i].data, lies[_i].channels, lies[_i].rate, lies[_i].align, lies[_i].sound);
    refuse(fd, LH_ERR_FORMAT, lies[_i].words);
    close(fd);
}
END_TEST

START_TEST(test_what_is_no_sound_file)
{
    int fd = sounds_empty();
    refuse(fd, LH_ERR_FORMAT, "empty");
    close(fd);
    fd = sounds_from_bytes("R", 1);
    refuse(fd, LH_ERR_FORMAT, "not a sound file");
    close(fd);
    fd = sounds_from_bytes("This is a letter to my aunt.", 28);
    refuse(fd, LH_ERR_FORMAT, "FLAC, Ogg Vorbis");
    close(fd);
    fd = sounds_from_bytes("\0\0\0\x20"
                           "ftypM4A and so on",
                           21);
    refuse(fd, LH_ERR_FORMAT, "MP4");
    close(fd);
    fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    refuse(fd, LH_ERR_FORMAT, "not a regular file");
    close(fd);
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    refuse(ends[0], LH_ERR_FORMAT, "not a regular file");
    close(ends[0]);
    close(ends[1]);
    refuse(-1, LH_ERR_IO, "cannot be looked at");
}
END_TEST

/* Everything of a medium can be read, or reading says why not. */
static void read_everything(int fd)
{
    enum { CHUNK = 512 };
    struct engine_media *media = NULL;
    struct lh_error error = LH_ERROR_INIT;
    if (engine_media_open(fd, &media, &error) != LH_OK) {
        ck_assert_str_ne(error.message, "");
        return;
    }
    const struct engine_media_facts *facts = engine_media_get_facts(media);
    ck_assert_uint_ge(facts->frames, 1);
    ck_assert_uint_ge(facts->channels, 1);
    ck_assert_uint_le(facts->channels, GRAPH_CHANNELS_MAX);
    static float out[CHUNK * GRAPH_CHANNELS_MAX];
    static uint8_t raw[CHUNK * GRAPH_CHANNELS_MAX * sizeof(double)];
    struct engine_decoder *decoder = NULL;
    bool positioned = facts->access == ENGINE_ACCESS_POSITIONED;
    enum lh_status status = positioned ? LH_OK : engine_decoder_new(media, &decoder, &error);
    for (uint64_t frame = 0; status == LH_OK && frame < facts->frames; frame += CHUNK) {
        size_t frames = facts->frames - frame < CHUNK ? (size_t)(facts->frames - frame) : CHUNK;
        if (positioned) {
            ck_assert_int_eq(engine_media_read_raw(media, (int64_t)frame, frames, raw, &error), LH_OK);
        } else {
            status = engine_decoder_read(decoder, (int64_t)frame, frames, out, &error);
        }
    }
    engine_decoder_free(decoder);
    engine_media_close(media);
}

static const int hostile[] = {
    SF_FORMAT_WAV | SF_FORMAT_PCM_16,  SF_FORMAT_WAVEX | SF_FORMAT_PCM_24, SF_FORMAT_RF64 | SF_FORMAT_FLOAT,
    SF_FORMAT_W64 | SF_FORMAT_PCM_16,  SF_FORMAT_AIFF | SF_FORMAT_PCM_24,  SF_FORMAT_CAF | SF_FORMAT_PCM_16,
    SF_FORMAT_AU | SF_FORMAT_PCM_16,   SF_FORMAT_FLAC | SF_FORMAT_PCM_16,  SF_FORMAT_OGG | SF_FORMAT_VORBIS,
    SF_FORMAT_OGG | SF_FORMAT_OPUS,    SF_FORMAT_WAV | SF_FORMAT_MS_ADPCM, SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III,
    SF_FORMAT_CAF | SF_FORMAT_ALAC_16,
};
#define HOSTILE_COUNT ((int)(sizeof(hostile) / sizeof(hostile[0])))

static int write_hostile(int index)
{
    static float noise[NOISE_FRAMES * NOISE_CHANNELS];
    sounds_fill_noise(noise, NOISE_FRAMES * NOISE_CHANNELS, 16, 16);
    return sounds_write(hostile[index], 48000, NOISE_CHANNELS, noise, NOISE_FRAMES);
}

START_TEST(test_truncated_files_are_refused)
{
    int fd = write_hostile(_i);
    size_t size = sounds_size(fd);
    /* What the container says comes first; an MP3 without a tag is whole wherever it ends. */
    bool can_tell = (hostile[_i] & SF_FORMAT_TYPEMASK) != SF_FORMAT_MPEG;
    for (size_t cut = 1; cut < size; cut += cut < 200 || cut + 200 > size ? 1 : 97) {
        int part = sounds_cut(fd, cut);
        struct engine_media_facts facts;
        struct lh_error error = LH_ERROR_INIT;
        enum lh_status status = engine_media_probe(part, &facts, &error);
        /* Chunks after the sound may go: CAF's padding, RIFF's PEAK. */
        if (can_tell && cut < size * 9 / 10) {
            ck_assert_msg(status == LH_ERR_FORMAT, "%x cut at %zu of %zu", (unsigned)hostile[_i], cut, size);
        }
        if (status == LH_OK) {
            read_everything(part);
        }
        close(part);
    }
    close(fd);
}
END_TEST

START_TEST(test_damaged_headers_do_no_harm)
{
    enum { HEADER = 160 };
    static const uint8_t values[] = {0x00, 0x01, 0x7f, 0x80, 0xff};
    int fd = write_hostile(_i);
    for (off_t at = 0; at < HEADER; at++) {
        uint8_t kept;
        ck_assert_int_eq(pread(fd, &kept, 1, at), 1);
        for (size_t v = 0; v < sizeof(values); v++) {
            ck_assert_int_eq(pwrite(fd, &values[v], 1, at), 1);
            read_everything(fd);
        }
        ck_assert_int_eq(pwrite(fd, &kept, 1, at), 1);
    }
    close(fd);
}
END_TEST

START_TEST(test_damage_anywhere_does_no_harm)
{
    enum { ROUNDS = 150 };
    int fd = write_hostile(_i);
    size_t size = sounds_size(fd);
    uint32_t state = 99;
    for (int round = 0; round < ROUNDS; round++) {
        off_t at[4];
        uint8_t kept[4];
        for (size_t i = 0; i < 4; i++) {
            state = state * 1664525u + 1013904223u;
            at[i] = (off_t)((state >> 4) % size);
            uint8_t value = (uint8_t)(state >> 24);
            ck_assert_int_eq(pread(fd, &kept[i], 1, at[i]), 1);
            ck_assert_int_eq(pwrite(fd, &value, 1, at[i]), 1);
        }
        read_everything(fd);
        for (size_t i = 4; i-- > 0;) {
            ck_assert_int_eq(pwrite(fd, &kept[i], 1, at[i]), 1);
        }
    }
    read_everything(fd);
    close(fd);
}
END_TEST

START_TEST(test_a_header_without_end_ends)
{
    /* Ten million empty chunks. */
    enum { CHUNKS = 10000000 };
    int fd = sounds_from_bytes("RIFF\0\0\0\0WAVE", 12);
    static uint8_t chunks[8000];
    for (size_t i = 0; i < sizeof(chunks); i += 8) {
        memcpy(chunks + i, "junk\0\0\0\0", 8);
    }
    for (size_t i = 0; i < CHUNKS / 1000; i++) {
        ck_assert_int_eq(pwrite(fd, chunks, sizeof(chunks), (off_t)(12 + i * sizeof(chunks))), sizeof(chunks));
    }
    refuse(fd, LH_ERR_FORMAT, "damaged");
    close(fd);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("truncation");
    TCase *broken = tcase_create("broken");
    tcase_set_timeout(broken, 120);
    tcase_add_loop_test(broken, test_wavs_of_unknown_length_reach_to_the_end, 0, 3);
    tcase_add_loop_test(broken, test_headers_that_lie, 0, 13);
    tcase_add_test(broken, test_what_is_no_sound_file);
    tcase_add_loop_test(broken, test_truncated_files_are_refused, 0, HOSTILE_COUNT);
    tcase_add_loop_test(broken, test_damaged_headers_do_no_harm, 0, HOSTILE_COUNT);
    tcase_add_loop_test(broken, test_damage_anywhere_does_no_harm, 0, HOSTILE_COUNT);
    tcase_add_test(broken, test_a_header_without_end_ends);
    suite_add_tcase(suite, broken);
    return testing_main(suite);
}
