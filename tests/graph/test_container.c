/* SPDX-License-Identifier: MIT */
/* graph/container.c: the tables against what the formats allow, and against the codecs' own rules. */
#include "graph/container.h"

#include <FLAC/format.h>
#include <string.h>
#include <vorbis/vorbisenc.h>

#include "tests/support/testing.h"

static bool accepted(enum graph_format format, uint32_t bits, uint32_t channels, uint32_t rate, uint32_t kbps)
{
    struct graph_deliverable deliverable = {
        .name = "x", .format = format, .bit_depth = bits, .rate = rate, .bitrate_kbps = kbps};
    struct lh_error error = LH_ERROR_INIT;
    enum lh_status status = graph_container_check(&deliverable, channels, &error);
    if (status != LH_OK) {
        ck_assert_int_eq(status, LH_ERR_UNSUPPORTED);
        ck_assert_uint_gt(strlen(error.message), 10);
        ck_assert_str_eq(error.where, "x");
    }
    return status == LH_OK;
}

START_TEST(test_check_accepts)
{
    for (uint32_t channels = 1; channels <= 16; channels++) {
        for (uint32_t bits = 16; bits <= 32; bits += 8) {
            ck_assert(accepted(GRAPH_FORMAT_WAV, bits, channels, 1000, 0));
            ck_assert(accepted(GRAPH_FORMAT_BWF, bits, channels, 48000, 0));
            ck_assert(accepted(GRAPH_FORMAT_AIFF, bits, channels, 768000, 0));
        }
        ck_assert_int_eq(accepted(GRAPH_FORMAT_FLAC, 24, channels, 96000, 0), channels <= 8);
        ck_assert_int_eq(accepted(GRAPH_FORMAT_VORBIS, 0, channels, 48000, 0), channels <= 8);
        ck_assert_int_eq(accepted(GRAPH_FORMAT_OPUS, 0, channels, 48000, 0), channels <= 8);
        ck_assert_int_eq(accepted(GRAPH_FORMAT_MP3, 0, channels, 48000, 0), channels <= 2);
    }
}
END_TEST

START_TEST(test_check_refuses)
{
    ck_assert(!accepted(GRAPH_FORMAT_WAV, 8, 2, 48000, 0));
    ck_assert(!accepted(GRAPH_FORMAT_WAV, 24, 0, 48000, 0));
    ck_assert(!accepted(GRAPH_FORMAT_WAV, 24, 17, 48000, 0));
    ck_assert(!accepted(GRAPH_FORMAT_WAV, 24, 2, 0, 0));
    ck_assert(!accepted(GRAPH_FORMAT_FLAC, 32, 2, 48000, 0));
    ck_assert(!accepted(GRAPH_FORMAT_FLAC, 24, 2, 767999, 0));
    ck_assert(!accepted(GRAPH_FORMAT_OPUS, 0, 2, 44100, 0));
    ck_assert(accepted(GRAPH_FORMAT_OPUS, 0, 2, 24000, 0));
    ck_assert(!accepted(GRAPH_FORMAT_OPUS, 0, 2, 48000, 5));
    ck_assert(!accepted(GRAPH_FORMAT_OPUS, 0, 2, 48000, 600));
    ck_assert(accepted(GRAPH_FORMAT_OPUS, 0, 2, 48000, 160));
    ck_assert(!accepted(GRAPH_FORMAT_MP3, 0, 2, 96000, 0));
    ck_assert(!accepted(GRAPH_FORMAT_MP3, 0, 2, 48000, 144));
    ck_assert(accepted(GRAPH_FORMAT_MP3, 0, 2, 48000, 320));
    ck_assert(accepted(GRAPH_FORMAT_MP3, 0, 2, 22050, 144));
    ck_assert(!accepted(GRAPH_FORMAT_MP3, 0, 2, 22050, 320));
    ck_assert(!accepted(GRAPH_FORMAT_MP3, 0, 1, 8000, 80));
    ck_assert(!accepted(GRAPH_FORMAT_VORBIS, 0, 2, 768000, 0));
    ck_assert(!accepted(GRAPH_FORMAT_VORBIS, 0, 2, 48000, 5000));
    ck_assert(!accepted((enum graph_format)99, 24, 2, 48000, 0));
}
END_TEST

START_TEST(test_flac_rates_are_libflacs)
{
    for (uint32_t rate = GRAPH_RATE_MIN; rate <= GRAPH_RATE_MAX; rate++) {
        bool held = FLAC__format_sample_rate_is_valid(rate) && FLAC__format_sample_rate_is_subset(rate);
        ck_assert_msg(accepted(GRAPH_FORMAT_FLAC, 24, 2, rate, 0) == held, "%u Hz", rate);
    }
}
END_TEST

static bool vorbis_takes(uint32_t channels, uint32_t rate, uint32_t kbps)
{
    vorbis_info info;
    vorbis_info_init(&info);
    int refused = kbps > 0 ? vorbis_encode_init(&info, (long)channels, (long)rate, -1, (long)kbps * 1000, -1)
                           : vorbis_encode_init_vbr(&info, (long)channels, (long)rate, 0.6F);
    vorbis_info_clear(&info);
    return refused == 0;
}

static void ck_vorbis(uint32_t channels, uint32_t rate, uint32_t kbps)
{
    bool held = vorbis_takes(channels, rate, kbps);
    ck_assert_msg(accepted(GRAPH_FORMAT_VORBIS, 0, channels, rate, kbps) == held, "%u channels, %u Hz, %u kbit/s",
                  channels, rate, kbps);
}

/* Around every rate at which the codec's tuning changes, each bit rate near an end of what is held. */
START_TEST(test_vorbis_bitrates_are_libvorbisencs)
{
    static const uint32_t edges[] = {1000,  8000,  9000,  11025, 15000, 19000,  22050,  26000,  32000,
                                     40000, 44100, 48000, 50000, 70000, 192000, 200000, 384000, 767999};
    for (size_t i = 0; i < sizeof edges / sizeof edges[0]; i++) {
        for (uint32_t rate = edges[i] == 1000 ? 1000 : edges[i] - 1; rate <= edges[i] + 1; rate++) {
            for (uint32_t channels = 1; channels <= 8; channels++) {
                ck_vorbis(channels, rate, 0);
                bool before = false;
                for (uint32_t kbps = 1; kbps <= 2000; kbps++) {
                    bool now = accepted(GRAPH_FORMAT_VORBIS, 0, channels, rate, kbps);
                    if (now != before || kbps % 97 == 0) {
                        ck_vorbis(channels, rate, kbps);
                        ck_vorbis(channels, rate, kbps > 1 ? kbps - 1 : 1);
                    }
                    before = now;
                }
            }
        }
    }
}
END_TEST

START_TEST(test_mp3_rates_have_a_most)
{
    ck_assert_uint_eq(graph_mp3_most_kbps(44100), 320);
    ck_assert_uint_eq(graph_mp3_most_kbps(22050), 160);
    ck_assert_uint_eq(graph_mp3_most_kbps(8000), 64);
    ck_assert_uint_eq(graph_mp3_most_kbps(96000), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("graph/container");
    TCase *tests = tcase_create("container");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, test_check_accepts);
    tcase_add_test(tests, test_check_refuses);
    tcase_add_test(tests, test_flac_rates_are_libflacs);
    tcase_add_test(tests, test_vorbis_bitrates_are_libvorbisencs);
    tcase_add_test(tests, test_mp3_rates_have_a_most);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
