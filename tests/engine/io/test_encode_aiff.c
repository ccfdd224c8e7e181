/* SPDX-License-Identifier: MIT */
/* AIFF and AIFC byte by byte, and the 4 GiB that they end at. */
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
    fixture.deliverable.format = GRAPH_FORMAT_AIFF;
    in = fixture_signal(2001, 2);
}

static void teardown(void)
{
    fixture_fini(&fixture);
    free(in);
}

static size_t walk(const char *id)
{
    size_t found = 0, offset = 12;
    while (offset < fixture.size) {
        if (memcmp(fixture.bytes + offset, id, 4) == 0 && found == 0) {
            found = offset;
        }
        size_t size = fixture_be32(&fixture, offset + 4);
        offset += 8 + size + (size & 1);
    }
    ck_assert_uint_eq(offset, fixture.size);
    return found;
}

START_TEST(test_header)
{
    ck_assert_int_eq(fixture_encode(&fixture, in, 1001), LH_OK);
    static const uint8_t comm[] = {'C',  'O', 'M', 'M',  0,    0,    0,    18, 0, 2, 0, 0, 3,
                                   0xE9, 0,   24,  0x40, 0x0E, 0xBB, 0x80, 0,  0, 0, 0, 0, 0};
    ck_assert_int_eq(memcmp(fixture.bytes, "FORM", 4), 0);
    ck_assert_uint_eq(fixture_be32(&fixture, 4), fixture.size - 8);
    ck_assert_int_eq(memcmp(fixture.bytes + 8, "AIFF", 4), 0);
    ck_assert_int_eq(memcmp(fixture.bytes + 12, comm, sizeof comm), 0);
    ck_assert_uint_eq(fixture_be32(&fixture, walk("SSND") + 4), 6006 + 8);
}
END_TEST

START_TEST(test_float_is_aifc)
{
    fixture.deliverable.bit_depth = 32;
    ck_assert_int_eq(fixture_encode(&fixture, in, 1001), LH_OK);
    ck_assert_int_eq(memcmp(fixture.bytes + 8, "AIFCFVER", 8), 0);
    ck_assert_int_eq(memcmp(fixture.bytes + walk("COMM") + 26, "fl32", 4), 0);
    ck_assert_uint_eq(walk("PEAK"), 0);
    size_t frames;
    int rate;
    float *out = fixture_decode(&fixture, &frames, &rate);
    ck_assert_uint_eq(frames, 1001);
    ck_assert_int_eq(rate, 48000);
    ck_assert_int_eq(memcmp(out, in, 8008), 0);
    free(out);
}
END_TEST

START_TEST(test_marks_loop_and_tags)
{
    char name[301];
    memset(name, 'n', 300);
    name[300] = '\0';
    fixture_use_all(&fixture);
    fixture.markers[1].name = name; /* a Pascal string ends at 255 bytes */
    ck_assert_int_eq(fixture_encode(&fixture, in, 2001), LH_OK);
    size_t mark = walk("MARK"), inst = walk("INST");
    ck_assert_uint_eq(fixture_be16(&fixture, mark + 8), 5);
    ck_assert_uint_eq(fixture_be16(&fixture, mark + 10), 1);
    ck_assert_uint_eq(fixture_be32(&fixture, mark + 12), 10);
    ck_assert_uint_eq(fixture_be32(&fixture, mark + 28), 1000);
    ck_assert_uint_eq(fixture_be16(&fixture, inst + 16), 1); /* forwards */
    ck_assert_uint_eq(fixture_be16(&fixture, inst + 18), 1);
    ck_assert_uint_eq(fixture_be16(&fixture, inst + 20), 2);
    ck_assert_uint_eq(fixture_be32(&fixture, walk("NAME") + 4), 5);
    ck_assert_uint_ne(walk("AUTH"), 0);
    ck_assert_str_eq(fixture.result.notes, "AIFF holds no tag 'mood'");
}
END_TEST

START_TEST(test_limit)
{
    int fd = memfd_create("limit", MFD_CLOEXEC);
    fixture.announced = 1000;
    ck_assert_int_eq(fixture_encode_to(&fixture, fd, 5999, in, 1000), LH_ERR_LIMIT);
    ck_assert_ptr_nonnull(strstr(fixture.error.message, "deliver WAV"));
    ck_assert_int_eq(lseek(fd, 0, SEEK_END), 0); /* refused before a byte is written */
    fixture.announced = -1;
    ck_assert_int_eq(fixture_encode_to(&fixture, fd, 5999, in, 1000), LH_ERR_LIMIT);
    ck_assert_int_eq(fixture_encode_to(&fixture, fd, 6000 + 46, in, 1000), LH_OK);
    ck_assert_int_eq(fixture_encode_to(&fixture, fd, 6000 + 45, in, 1000), LH_ERR_LIMIT);
    close(fd);
    fixture.announced = INT64_C(1) << 30;
    ck_assert_int_eq(fixture_encode(&fixture, in, 1), LH_ERR_LIMIT);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("engine/io/encode_aiff");
    TCase *tests = tcase_create("bytes");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, test_header);
    tcase_add_test(tests, test_float_is_aifc);
    tcase_add_test(tests, test_marks_loop_and_tags);
    tcase_add_test(tests, test_limit);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
