/* SPDX-License-Identifier: MIT */
/* FLAC, Vorbis, Opus and MP3 as libsndfile reads them back: length, signal, order of channels, tags. */
#include <math.h>
#include <sndfile.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/io/encode_backend.h"
#include "tests/engine/io/encode_fixture.h"
#include "tests/support/testing.h"

#define FRAMES ((size_t)48000)

static struct encode_fixture fixture;

static void setup(void)
{
    fixture_init(&fixture);
    fixture_use_all(&fixture);
}

static void teardown(void)
{
    fixture_fini(&fixture);
}

static void use(enum graph_format format, uint32_t bits, uint32_t channels)
{
    fixture.deliverable.format = format;
    fixture.deliverable.bit_depth = bits;
    fixture.channels = channels;
}

/* To the order of Vorbis I, section 4.3.9, by the speakers' names. */
static void reorder(float *samples, size_t frames)
{
    static const char *const wav[] = {"", "", "", "LRC", "LRlr", "LRClr", "LRCElr", "LRCEBlr", "LRCElrab"};
    static const char *const vorbis[] = {"", "", "", "LCR", "LRlr", "LCRlr", "LCRlrE", "LCRlrBE", "LCRablrE"};
    uint32_t channels = fixture.channels;
    float frame[8];
    if (channels < 3) {
        return;
    }
    for (size_t i = 0; i < frames; i++) {
        memcpy(frame, samples + i * channels, channels * sizeof *frame);
        for (uint32_t c = 0; c < channels; c++) {
            samples[i * channels + c] = frame[strchr(wav[channels], vorbis[channels][c]) - wav[channels]];
        }
    }
}

/* Encodes, decodes, and gives the worst channel's signal to error ratio. */
static double round_trip(size_t expected_frames, int expected_rate)
{
    float *in = fixture_signal(FRAMES, fixture.channels);
    ck_assert_msg(fixture_encode(&fixture, in, FRAMES) == LH_OK, "%s", fixture.error.message);
    size_t frames;
    int rate;
    float *out = fixture_decode(&fixture, &frames, &rate);
    ck_assert_uint_eq(frames, expected_frames);
    ck_assert_int_eq(rate, expected_rate);
    bool vorbis_order =
        fixture.deliverable.format == GRAPH_FORMAT_VORBIS || fixture.deliverable.format == GRAPH_FORMAT_OPUS;
    if (vorbis_order) {
        reorder(in, frames); /* libsndfile gives channels as they stand in the stream */
    }
    double snr = fixture_snr_db(in, out, FRAMES, fixture.channels);
    free(out);
    free(in);
    return snr;
}

static void check_title(const char *expected)
{
    int fd = fixture_reopen(&fixture);
    SF_INFO info = {0};
    SNDFILE *file = sf_open_fd(fd, SFM_READ, &info, 1);
    ck_assert_ptr_nonnull(file);
    ck_assert_str_eq(sf_get_string(file, SF_STR_TITLE), expected);
    sf_close(file);
}

START_TEST(test_flac)
{
    for (uint32_t channels = 1; channels <= 8; channels++) {
        use(GRAPH_FORMAT_FLAC, 24, channels);
        ck_assert_double_gt(round_trip(FRAMES, 48000), 130);
        use(GRAPH_FORMAT_FLAC, 16, channels);
        ck_assert_double_gt(round_trip(FRAMES, 48000), 85);
    }
    check_title("N\xC3\xA4he");
}
END_TEST

START_TEST(test_flac_refuses_what_it_cannot_hold)
{
    const float in[2] = {0};
    use(GRAPH_FORMAT_FLAC, 24, 2);
    fixture.announced = INT64_C(1) << 36;
    ck_assert_int_eq(fixture_encode(&fixture, in, 1), LH_ERR_LIMIT);
}
END_TEST

/* A name that would break a Vorbis comment is left out, and said so. */
START_TEST(test_vorbis_comment_names)
{
    float *in = fixture_signal(2000, 2);
    static const char *const names[] = {"a=b", "t\xC3\xB6n", "a\nb", ""};
    static const enum graph_format formats[] = {GRAPH_FORMAT_FLAC, GRAPH_FORMAT_VORBIS, GRAPH_FORMAT_OPUS};
    for (size_t f = 0; f < 3; f++) {
        for (size_t n = 0; n < 4; n++) {
            use(formats[f], formats[f] == GRAPH_FORMAT_FLAC ? 16 : 0, 2);
            fixture.tags[2].name = names[n];
            ck_assert_int_eq(fixture_encode(&fixture, in, 2000), LH_OK);
            ck_assert_ptr_nonnull(strstr(fixture.result.notes, "holds no tag '"));
            ck_assert_uint_eq(fixture_find(&fixture, "calm", 0), SIZE_MAX);
            check_title("N\xC3\xA4he");
        }
    }
    free(in);
}
END_TEST

START_TEST(test_vorbis)
{
    for (uint32_t channels = 1; channels <= 8; channels++) {
        use(GRAPH_FORMAT_VORBIS, 0, channels);
        ck_assert_double_gt(round_trip(FRAMES, 48000), 10); /* the LFE is coded coarsely; a wrong order gives -3 */
    }
    check_title("N\xC3\xA4he");
    ck_assert_uint_eq(fixture_u32(&fixture, 14), 0xFEEDC0DEu ^ 0x12345678u); /* the page's serial number */
    fixture.deliverable.rate = 44100;
    ck_assert_double_gt(round_trip(FRAMES, 44100), 15);
}
END_TEST

START_TEST(test_opus)
{
    for (uint32_t channels = 1; channels <= 8; channels++) {
        use(GRAPH_FORMAT_OPUS, 0, channels);
        ck_assert_double_gt(round_trip(FRAMES, 48000), 12);
    }
    check_title("N\xC3\xA4he");
    ck_assert_uint_eq(fixture_u32(&fixture, 14), 0xFEEDC0DEu ^ 0x12345678u);
}
END_TEST

START_TEST(test_mp3)
{
    for (uint32_t channels = 1; channels <= 2; channels++) {
        use(GRAPH_FORMAT_MP3, 0, channels);
        ck_assert_double_gt(round_trip(FRAMES, 48000), 15);
    }
    check_title("N\xC3\xA4he");
}
END_TEST

/* More bits for more quality or bit rate. */
START_TEST(test_quality_and_bitrate)
{
    float *in = fixture_signal(FRAMES, 2);
    for (unsigned format = GRAPH_FORMAT_VORBIS; format <= GRAPH_FORMAT_MP3; format++) {
        use((enum graph_format)format, 0, 2);
        size_t last = 0;
        for (unsigned kbps = 64; kbps <= 256; kbps *= 2) {
            fixture.deliverable.bitrate_kbps = kbps;
            ck_assert_int_eq(fixture_encode(&fixture, in, FRAMES), LH_OK);
            ck_assert_msg(fixture.size > last, "format %u, %u kbit/s: %zu bytes after %zu", format, kbps, fixture.size,
                          last);
            last = fixture.size;
            if (format == GRAPH_FORMAT_MP3) {
                ck_assert_uint_le((size_t)labs((long)fixture.size - (long)kbps * 125),
                                  kbps * 25); /* one second, a few frames more */
            }
        }
        last = 0;
        fixture.deliverable.has_quality = true;
        for (int quality = 0; quality <= 10; quality += 5) {
            fixture.deliverable.quality = quality / 10.0;
            ck_assert_int_eq(fixture_encode(&fixture, in, FRAMES), LH_OK);
            ck_assert_uint_gt(fixture.size, last);
            last = fixture.size;
        }
        fixture.deliverable.has_quality = false;
    }
    free(in);
}
END_TEST

/* A tag that MP3 has no frame for is kept under its own name. */
START_TEST(test_id3)
{
    float *in = fixture_signal(2000, 2);
    use(GRAPH_FORMAT_MP3, 0, 2);
    ck_assert_int_eq(fixture_encode(&fixture, in, 2000), LH_OK);
    static const uint8_t head[] = {'I', 'D', '3', 4, 0, 0, 0, 0, 0,   55,   'T',  'I', 'T',
                                   '2', 0,   0,   0, 6, 0, 0, 3, 'N', 0xC3, 0xA4, 'h', 'e'};
    static const char mood[] = "TXXX\0\0\0\x0a\0\0\3mood\0calm";
    ck_assert_int_eq(memcmp(fixture.bytes, head, sizeof head), 0);
    ck_assert_int_eq(memcmp(fixture.bytes + fixture_find(&fixture, "TXXX", 0), mood, sizeof mood - 1), 0);
    ck_assert_uint_eq(fixture.bytes[10 + 55], 0xFF); /* the first MPEG frame */
    fixture.deliverable.tag_count = 0;
    ck_assert_int_eq(fixture_encode(&fixture, in, 2000), LH_OK);
    ck_assert_uint_eq(fixture.bytes[0], 0xFF);
    free(in);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("engine/io/encode_codecs");
    TCase *tests = tcase_create("codecs");
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, test_flac);
    tcase_add_test(tests, test_flac_refuses_what_it_cannot_hold);
    tcase_add_test(tests, test_vorbis_comment_names);
    tcase_add_test(tests, test_vorbis);
    tcase_add_test(tests, test_opus);
    tcase_add_test(tests, test_mp3);
    tcase_add_test(tests, test_quality_and_bitrate);
    tcase_add_test(tests, test_id3);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
