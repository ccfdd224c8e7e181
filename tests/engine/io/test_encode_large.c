/* SPDX-License-Identifier: MIT */
/* Files that really pass 4 GiB. The samples are silence and the linker gives us pwrite(), which leaves holes for zeros:
   the file is as long as it says but takes no room. */
#include <sndfile.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/io/encode_backend.h"
#include "tests/engine/io/encode_fixture.h"
#include "tests/support/testing.h"

#define CHANNELS 16u
#define BLOCK_FRAMES ((size_t)65536)
#define LARGE_BLOCKS 1030u /* of 4 MiB: 4.02 GiB */

ssize_t __real_pwrite64(int fd, const void *data, size_t size, off_t offset);
ssize_t __wrap_pwrite64(int fd, const void *data, size_t size, off_t offset);

ssize_t __wrap_pwrite64(int fd, const void *data, size_t size, off_t offset)
{
    const uint8_t *bytes = data;
    if (size < 2 || bytes[0] != 0 || memcmp(bytes, bytes + 1, size - 1) != 0) {
        return __real_pwrite64(fd, data, size, offset);
    }
    struct stat file;
    ck_assert_int_eq(fstat(fd, &file), 0);
    if (file.st_size < offset + (off_t)size) {
        ck_assert_int_eq(ftruncate(fd, offset + (off_t)size), 0);
    }
    return (ssize_t)size;
}

static int new_file(void)
{
    char path[] = "/tmp/loophole-large-XXXXXX";
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    unlink(path);
    return fd;
}

static enum lh_status encode_silence(struct encode_fixture *fixture, int fd, unsigned blocks)
{
    struct engine_encoder_spec spec = {.graph = &fixture->graph,
                                       .deliverable = &fixture->deliverable,
                                       .channels = CHANNELS,
                                       .frames = fixture->announced,
                                       .fd = fd};
    struct engine_encoder *encoder = NULL;
    float *silence = calloc(BLOCK_FRAMES * CHANNELS, sizeof *silence);
    enum lh_status status = engine_encoder_new(&spec, &encoder, &fixture->error);
    for (unsigned i = 0; status == LH_OK && i < blocks; i++) {
        status = engine_encoder_write(encoder, silence, BLOCK_FRAMES, &fixture->error);
    }
    if (status == LH_OK) {
        status = engine_encoder_finish(encoder, &fixture->result, &fixture->error);
    }
    engine_encoder_free(encoder);
    free(silence);
    return status;
}

START_TEST(test_wav_becomes_rf64)
{
    for (int announced = 0; announced < 2; announced++) {
        struct encode_fixture fixture;
        fixture_init(&fixture);
        fixture_use_all(&fixture);
        fixture.deliverable.bit_depth = 32;
        fixture.announced = announced ? (int64_t)(LARGE_BLOCKS * BLOCK_FRAMES) : -1;
        int fd = new_file();
        ck_assert_msg(encode_silence(&fixture, fd, LARGE_BLOCKS) == LH_OK, "%s", fixture.error.message);
        ck_assert_uint_gt(fixture.result.bytes, UINT32_MAX);
        ck_assert_int_eq(lseek(fd, 0, SEEK_END), (off_t)fixture.result.bytes);
        ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
        SF_INFO info = {0};
        SNDFILE *file = sf_open_fd(fd, SFM_READ, &info, 0);
        ck_assert_msg(file != NULL, "%s", sf_strerror(NULL));
        ck_assert_int_eq(info.format & SF_FORMAT_TYPEMASK, SF_FORMAT_RF64);
        ck_assert_int_eq(info.frames, (sf_count_t)(LARGE_BLOCKS * BLOCK_FRAMES));
        sf_close(file);
        close(fd);
    }
}
END_TEST

START_TEST(test_aiff_stops)
{
    struct encode_fixture fixture;
    fixture_init(&fixture);
    fixture.deliverable.format = GRAPH_FORMAT_AIFF;
    fixture.deliverable.bit_depth = 32;
    int fd = new_file();
    ck_assert_int_eq(encode_silence(&fixture, fd, LARGE_BLOCKS), LH_ERR_LIMIT);
    ck_assert_ptr_nonnull(strstr(fixture.error.message, "RF64"));
    close(fd);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("engine/io/encode_large");
    TCase *tests = tcase_create("past 4 GiB");
    tcase_set_timeout(tests, 300);
    tcase_add_test(tests, test_wav_becomes_rf64);
    tcase_add_test(tests, test_aiff_stops);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
