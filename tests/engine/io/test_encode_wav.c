/* SPDX-License-Identifier: MIT */
/* WAV, BWF and RF64 byte by byte. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine/io/encode_backend.h"
#include "tests/engine/io/encode_fixture.h"
#include "tests/support/testing.h"

static struct encode_fixture fixture;
static float *in;

static void setup(void)
{
    fixture_init(&fixture);
    in = fixture_signal(2001, 16);
}

static void teardown(void)
{
    fixture_fini(&fixture);
    free(in);
}

/* Chunks follow one another, padded to even sizes, up to exactly the end; returns the place of `id` or 0. */
static size_t walk(const char *id, size_t data_size)
{
    size_t found = 0, offset = 12;
    while (offset < fixture.size) {
        if (memcmp(fixture.bytes + offset, id, 4) == 0 && found == 0) {
            found = offset;
        }
        bool data = memcmp(fixture.bytes + offset, "data", 4) == 0;
        size_t size = data ? data_size : fixture_u32(&fixture, offset + 4);
        offset += 8 + size + (size & 1);
    }
    ck_assert_uint_eq(offset, fixture.size);
    return found;
}

START_TEST(test_plain_header)
{
    ck_assert_int_eq(fixture_encode(&fixture, in, 1001), LH_OK);
    static const uint8_t fmt[] = {'f',  'm',  't', ' ', 16,   0,    0,    0, 1, 0, 2,  0,
                                  0x80, 0xBB, 0,   0,   0x00, 0x65, 0x04, 0, 6, 0, 24, 0};
    ck_assert_int_eq(memcmp(fixture.bytes, "RIFF", 4), 0);
    ck_assert_uint_eq(fixture_u32(&fixture, 4), fixture.size - 8);
    ck_assert_int_eq(memcmp(fixture.bytes + 8, "WAVEJUNK", 8), 0);
    ck_assert_int_eq(memcmp(fixture.bytes + 48, fmt, sizeof fmt), 0);
    ck_assert_uint_eq(walk("data", 6006), 72);
    ck_assert_uint_eq(fixture.size, 80 + 6006);
}
END_TEST

START_TEST(test_odd_data_is_padded)
{
    fixture.channels = 1;
    fixture_use_all(&fixture);
    ck_assert_int_eq(fixture_encode(&fixture, in, 1001), LH_OK);
    size_t data = walk("data", 3003);
    ck_assert_uint_eq(fixture_u32(&fixture, data + 4), 3003);
    ck_assert_uint_eq(fixture.bytes[data + 8 + 3003], 0);
    ck_assert_uint_eq(fixture_u32(&fixture, 4), fixture.size - 8);
}
END_TEST

START_TEST(test_float)
{
    fixture.deliverable.bit_depth = 32;
    ck_assert_int_eq(fixture_encode(&fixture, in, 1001), LH_OK);
    size_t fmt = walk("fmt ", 8008), fact = walk("fact", 8008), data = walk("data", 8008);
    ck_assert_uint_eq(fixture_u32(&fixture, fmt + 4), 18);
    ck_assert_uint_eq(fixture.bytes[fmt + 8], 3);
    ck_assert_uint_eq(fixture_u32(&fixture, fact + 8), 1001);
    ck_assert_uint_eq(walk("PEAK", 8008), 0);
    ck_assert_int_eq(memcmp(fixture.bytes + data + 8, in, 8008), 0);
}
END_TEST

START_TEST(test_extensible_masks)
{
    static const uint32_t masks[] = {0, 4, 3, 7, 0x33, 0x37, 0x3F, 0x70F, 0x63F, 0, 0, 0, 0, 0, 0, 0, 0};
    for (uint32_t channels = 3; channels <= 16; channels++) {
        fixture.channels = channels;
        ck_assert_int_eq(fixture_encode(&fixture, in, 10), LH_OK);
        size_t fmt = walk("fmt ", 30 * channels);
        ck_assert_uint_eq(fixture_u32(&fixture, fmt + 4), 40);
        ck_assert_uint_eq(fixture_u32(&fixture, fmt + 8), 0xFFFEu | channels << 16);
        ck_assert_uint_eq(fixture_u32(&fixture, fmt + 28), masks[channels]);
        ck_assert_uint_eq(fixture_u32(&fixture, fmt + 32), 1);
    }
}
END_TEST

START_TEST(test_marks_loop_and_tags)
{
    fixture_use_all(&fixture);
    fixture.deliverable.start = 10; /* the marker at 0 lies before the file */
    ck_assert_int_eq(fixture_encode(&fixture, in, 2000), LH_OK);
    size_t data_size = 12000, smpl = walk("smpl", data_size), cue = walk("cue ", data_size);
    ck_assert_uint_eq(fixture_u32(&fixture, smpl + 8 + 8), 20833); /* ns of a frame */
    ck_assert_uint_eq(fixture_u32(&fixture, smpl + 8 + 28), 1);
    ck_assert_uint_eq(fixture_u32(&fixture, smpl + 8 + 44), 0);       /* first frame */
    ck_assert_uint_eq(fixture_u32(&fixture, smpl + 8 + 48), 990 - 1); /* last frame */
    ck_assert_uint_eq(fixture_u32(&fixture, cue + 8), 2);
    ck_assert_uint_eq(fixture_u32(&fixture, cue + 12 + 20), 0);
    ck_assert_uint_eq(fixture_u32(&fixture, cue + 36 + 20), 990);
    size_t label = fixture_find(&fixture, "labl", cue);
    ck_assert_str_eq((const char *)fixture.bytes + label + 12, "A");
    ck_assert_uint_eq(fixture_u32(&fixture, label + 8), 1);
    label = fixture_find(&fixture, "labl", label + 4);
    ck_assert_str_eq((const char *)fixture.bytes + label + 12, "Chorus");
    size_t title = fixture_find(&fixture, "INAM", 0);
    ck_assert_uint_eq(fixture_u32(&fixture, title + 4), 6);
    ck_assert_str_eq((const char *)fixture.bytes + title + 8, "N\xC3\xA4he");
    ck_assert_uint_ne(fixture_find(&fixture, "IART", title), SIZE_MAX);
}
END_TEST

/* Positions are converted to the deliverable's rate. */
START_TEST(test_positions_at_another_rate)
{
    fixture_use_all(&fixture);
    fixture.deliverable.rate = 96000;
    ck_assert_int_eq(fixture_encode(&fixture, in, 2001), LH_OK);
    size_t smpl = walk("smpl", 12006), cue = walk("cue ", 12006);
    ck_assert_uint_eq(fixture_u32(&fixture, smpl + 8 + 44), 20);
    ck_assert_uint_eq(fixture_u32(&fixture, smpl + 8 + 48), 1999);
    ck_assert_uint_eq(fixture_u32(&fixture, cue + 8), 3);
    ck_assert_uint_eq(fixture_u32(&fixture, cue + 60 + 20), 2000);
}
END_TEST

START_TEST(test_bext)
{
    fixture_use_all(&fixture);
    fixture.deliverable.format = GRAPH_FORMAT_BWF;
    fixture.tags[1] = (struct graph_tag){"date", "2031-05-06"};
    fixture.deliverable.start = 5;
    ck_assert_int_eq(fixture_encode(&fixture, in, 2000), LH_OK);
    size_t bext = walk("bext", 12000) + 8;
    const char *text = (const char *)fixture.bytes + bext;
    ck_assert_str_eq(text, "N\xC3\xA4he");
    ck_assert_str_eq(text + 256, "Loophole");
    ck_assert_int_eq(memcmp(text + 320, "2031-05-06", 10), 0);
    static const char no_time[8];
    ck_assert_int_eq(memcmp(text + 330, no_time, 8), 0);
    ck_assert_uint_eq(fixture_u64(&fixture, bext + 338), 5);
    ck_assert_uint_eq(fixture.bytes[bext + 346], 2);
    ck_assert_uint_eq(fixture_u32(&fixture, bext + 412), 0x7FFF7FFFu);
    ck_assert_int_eq(memcmp(text + 602, "A=PCM,F=48000,W=24,M=stereo,T=Loophole\r\n", 40), 0);
    fixture.tags[1].value = "2031-5-6 and late";
    ck_assert_int_eq(fixture_encode(&fixture, in, 2000), LH_OK);
    ck_assert_uint_eq(fixture.bytes[walk("bext", 12000) + 8 + 320], 0);
}
END_TEST

static void encode_limited(uint64_t limit, size_t frames)
{
    fixture_fini(&fixture);
    int fd = memfd_create("rf64", MFD_CLOEXEC);
    ck_assert_int_eq(fixture_encode_to(&fixture, fd, limit, in, frames), LH_OK);
    fixture.size = (size_t)lseek(fd, 0, SEEK_END);
    fixture.bytes = malloc(fixture.size);
    ck_assert_int_eq(pread(fd, fixture.bytes, fixture.size, 0), (ssize_t)fixture.size);
    close(fd);
}

/* Exactly at the limit it is RIFF, one byte more and it is RF64, announced or not. */
START_TEST(test_rf64)
{
    fixture_use_all(&fixture);
    for (int announced = 0; announced < 2; announced++) {
        fixture.announced = announced ? 1001 : -1;
        encode_limited(ENGINE_RIFF_LIMIT, 1001);
        uint64_t riff_size = fixture_u32(&fixture, 4);
        encode_limited(riff_size, 1001);
        ck_assert_int_eq(memcmp(fixture.bytes, "RIFF", 4), 0);
        encode_limited(riff_size - 1, 1001);
        ck_assert_int_eq(memcmp(fixture.bytes, "RF64\xFF\xFF\xFF\xFFWAVEds64", 16), 0);
        ck_assert_uint_eq(fixture_u32(&fixture, 16), 28);
        ck_assert_uint_eq(fixture_u64(&fixture, 20), riff_size);
        ck_assert_uint_eq(fixture_u64(&fixture, 28), 6006);
        ck_assert_uint_eq(fixture_u64(&fixture, 36), 1001);
        ck_assert_uint_eq(fixture_u32(&fixture, 44), 0);
        ck_assert_uint_eq(fixture_u32(&fixture, walk("data", 6006) + 4), UINT32_MAX);
        size_t frames;
        int rate;
        float *out = fixture_decode(&fixture, &frames, &rate);
        ck_assert_uint_eq(frames, 1001);
        free(out);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("engine/io/encode_wav");
    TCase *tests = tcase_create("bytes");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, test_plain_header);
    tcase_add_test(tests, test_odd_data_is_padded);
    tcase_add_test(tests, test_float);
    tcase_add_test(tests, test_extensible_masks);
    tcase_add_test(tests, test_marks_loop_and_tags);
    tcase_add_test(tests, test_positions_at_another_rate);
    tcase_add_test(tests, test_bext);
    tcase_add_test(tests, test_rf64);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
