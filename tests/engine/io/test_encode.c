/* SPDX-License-Identifier: MIT */
/* The encoder's front: what is accepted, bytes that depend on nothing but the samples, digests, failures. */
#include "engine/io/encode.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "engine/dsp/quantise.h"
#include "engine/io/encode_backend.h"
#include "tests/engine/io/encode_fixture.h"
#include "tests/support/testing.h"

#define FRAMES ((size_t)30011) /* odd, and not a multiple of any piece */

static uint32_t depth_of(enum graph_format format)
{
    return format >= GRAPH_FORMAT_VORBIS ? 0 : 24;
}

static void wait_for_next_second(void)
{
    time_t start = time(NULL);
    while (time(NULL) == start) {
        const struct timespec pause = {.tv_nsec = 20000000};
        nanosleep(&pause, NULL);
    }
}

/* The same bytes again in another second, in writes of another size, beside other files, and whether or not the length
   was announced. */
START_TEST(test_bytes_depend_on_samples_alone)
{
    float *in = fixture_signal(FRAMES, 2);
    struct encode_fixture first[GRAPH_FORMAT_STORED][2];
    static const size_t splits[] = {SIZE_MAX, 4096, 1, 999};
    static const uint32_t files[] = {1, 64, 1000, 0};
    for (unsigned pass = 0; pass < 4; pass++) {
        for (unsigned format = 0; format < GRAPH_FORMAT_STORED; format++) {
            for (unsigned is_float = 0; is_float < 2; is_float++) {
                if (is_float == 1 && format >= GRAPH_FORMAT_FLAC) {
                    continue;
                }
                struct encode_fixture again, *fixture = pass == 0 ? &first[format][is_float] : &again;
                fixture_init(fixture);
                fixture_use_all(fixture);
                fixture->deliverable.format = (enum graph_format)format;
                fixture->deliverable.bit_depth = is_float ? 32 : depth_of((enum graph_format)format);
                fixture->deliverable.dither = GRAPH_DITHER_TPDF;
                fixture->split = splits[pass];
                fixture->graph.deliverable_count = files[pass];
                fixture->announced = pass % 2 == 0 ? -1 : (int64_t)FRAMES;
                ck_assert_msg(fixture_encode(fixture, in, FRAMES) == LH_OK, "%s", fixture->error.message);
                ck_assert_uint_eq(fixture->result.bytes, fixture->size);
                ck_assert_uint_eq(fixture->result.frames, FRAMES);
                if (pass == 0) {
                    continue;
                }
                ck_assert_uint_eq(again.size, first[format][is_float].size);
                ck_assert_msg(memcmp(again.bytes, first[format][is_float].bytes, again.size) == 0, "format %u pass %u",
                              format, pass);
                ck_assert(lh_digest_equal(&again.result.samples, &first[format][is_float].result.samples));
                fixture_fini(&again);
            }
        }
        wait_for_next_second();
    }
    for (unsigned format = 0; format < GRAPH_FORMAT_STORED; format++) {
        fixture_fini(&first[format][0]);
        if (format < GRAPH_FORMAT_FLAC) {
            fixture_fini(&first[format][1]);
        }
    }
    free(in);
}
END_TEST

/* The digest is that of the samples in the file; dither follows the timeline. */
START_TEST(test_digest_and_dither_place)
{
    float *in = fixture_signal(FRAMES, 2);
    uint8_t *packed = malloc(FRAMES * 6);
    for (unsigned bits = 16; bits <= 24; bits += 8) {
        struct encode_fixture fixture;
        fixture_init(&fixture);
        fixture.graph.sample_rate = 96000;
        fixture.deliverable.start = 2000;
        fixture.deliverable.end = 2000 + 2 * (int64_t)FRAMES;
        fixture.deliverable.bit_depth = bits;
        fixture.deliverable.dither = GRAPH_DITHER_TPDF;
        ck_assert_int_eq(fixture_encode(&fixture, in, FRAMES), LH_OK);
        const struct engine_quantiser quantiser = {
            .bits = bits, .dither = true, .seed = fixture.deliverable.dither_seed, .channels = 2};
        (void)engine_quantise_packed(&quantiser, 1000, packed, in, FRAMES);
        struct lh_digest digest;
        size_t size = FRAMES * 2 * bits / 8;
        ck_assert_int_eq(lh_digest_bytes(packed, size, &digest), LH_OK);
        ck_assert(lh_digest_equal(&digest, &fixture.result.samples));
        size_t data = fixture_find(&fixture, "data", 0);
        ck_assert_int_eq(memcmp(fixture.bytes + data + 8, packed, size), 0);
        fixture_fini(&fixture);
    }
    free(packed);
    free(in);
}
END_TEST

START_TEST(test_clipping_is_counted)
{
    const float in[] = {0.5f, 1.5f, -1.0f, -1.001f, 1.0f, 0.0f};
    struct encode_fixture fixture;
    fixture_init(&fixture);
    ck_assert_int_eq(fixture_encode(&fixture, in, 3), LH_OK);
    ck_assert_uint_eq(fixture.result.clipped, 3);
    ck_assert_str_eq(fixture.result.notes, "");
    fixture.deliverable.bit_depth = 32;
    ck_assert_int_eq(fixture_encode(&fixture, in, 3), LH_OK);
    ck_assert_uint_eq(fixture.result.clipped, 0);
    fixture_fini(&fixture);
}
END_TEST

START_TEST(test_nothing_and_little)
{
    const float in[32] = {0.25f};
    for (size_t frames = 0; frames < 3; frames++) {
        for (unsigned format = 0; format < GRAPH_FORMAT_STORED; format++) {
            struct encode_fixture fixture;
            fixture_init(&fixture);
            fixture.deliverable.format = (enum graph_format)format;
            fixture.deliverable.bit_depth = depth_of((enum graph_format)format);
            ck_assert_msg(fixture_encode(&fixture, in, frames) == LH_OK, "format %u: %s", format,
                          fixture.error.message);
            ck_assert_uint_eq(fixture.result.frames, frames);
            ck_assert_uint_gt(fixture.size, 40);
            fixture_fini(&fixture);
        }
    }
}
END_TEST

START_TEST(test_notes)
{
    float *in = fixture_signal(2000, 2);
    struct encode_fixture fixture;
    fixture_init(&fixture);
    fixture_use_all(&fixture);
    fixture.deliverable.format = GRAPH_FORMAT_FLAC;
    ck_assert_int_eq(fixture_encode(&fixture, in, 2000), LH_OK);
    ck_assert_str_eq(fixture.result.notes, "FLAC holds no loop points; FLAC holds no markers");
    fixture.deliverable.format = GRAPH_FORMAT_WAV;
    ck_assert_int_eq(fixture_encode(&fixture, in, 2000), LH_OK);
    ck_assert_str_eq(fixture.result.notes, "WAV holds no tag 'mood'");
    ck_assert_int_eq(fixture_encode(&fixture, in, 999), LH_OK);
    ck_assert_str_eq(fixture.result.notes,
                     "the loop lies outside the file and is not written; WAV holds no tag 'mood'");
    ck_assert_uint_eq(fixture_find(&fixture, "smpl", 0), SIZE_MAX);
    char name[400];
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    fixture.tags[0].name = fixture.tags[1].name = name;
    ck_assert_int_eq(fixture_encode(&fixture, in, 999), LH_OK);
    ck_assert_uint_lt(strlen(fixture.result.notes), ENGINE_NOTES_SIZE);
    fixture_fini(&fixture);
    free(in);
}
END_TEST

START_TEST(test_disk_full)
{
    float *in = fixture_signal(FRAMES * 10, 2);
    for (unsigned format = 0; format < GRAPH_FORMAT_STORED; format++) {
        struct encode_fixture fixture;
        fixture_init(&fixture);
        fixture.deliverable.format = (enum graph_format)format;
        fixture.deliverable.bit_depth = depth_of((enum graph_format)format);
        int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(fixture_encode_to(&fixture, fd, ENGINE_RIFF_LIMIT, in, FRAMES * 10), LH_ERR_IO);
        ck_assert_ptr_nonnull(strstr(fixture.error.message, "the disk is full (No space left on device)"));
        ck_assert_str_eq(fixture.error.where, "mix");
        close(fd);
    }
    free(in);
}
END_TEST

/* After a failure nothing succeeds any more, not even finish. */
START_TEST(test_failure_sticks)
{
    float *in = fixture_signal(FRAMES * 4, 2);
    struct encode_fixture fixture;
    fixture_init(&fixture);
    int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
    struct engine_encoder_spec spec = {
        .graph = &fixture.graph, .deliverable = &fixture.deliverable, .channels = 2, .frames = -1, .fd = fd};
    struct engine_encoder *encoder;
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_int_eq(engine_encoder_new(&spec, &encoder, &error), LH_OK);
    ck_assert_int_eq(engine_encoder_write(encoder, in, FRAMES * 4, NULL), LH_ERR_IO);
    ck_assert_int_eq(engine_encoder_write(encoder, in, 1, &error), LH_ERR_IO);
    ck_assert_ptr_nonnull(strstr(error.message, "full"));
    ck_assert_int_eq(engine_encoder_finish(encoder, &fixture.result, &error), LH_ERR_IO);
    ck_assert_uint_eq(fixture.result.frames, 0);
    engine_encoder_free(encoder);
    engine_encoder_free(NULL);
    close(fd);
    free(in);
}
END_TEST

START_TEST(test_file_size_limit)
{
    float *in = fixture_signal(FRAMES * 10, 2);
    (void)signal(SIGXFSZ, SIG_IGN);
    const struct rlimit limit = {.rlim_cur = 100000, .rlim_max = RLIM_INFINITY};
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    struct encode_fixture fixture;
    fixture_init(&fixture);
    char path[] = "/tmp/loophole-encode-XXXXXX";
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    unlink(path);
    ck_assert_int_eq(fixture_encode_to(&fixture, fd, ENGINE_RIFF_LIMIT, in, FRAMES * 10), LH_ERR_IO);
    ck_assert_ptr_nonnull(strstr(fixture.error.message, "larger than its file system or this process may write"));
    close(fd);
    free(in);
}
END_TEST

/* Reads a pipe to its end in a child, which tells by its status whether it got exactly `expected`. */
static pid_t read_pipe_in_child(const int *ends, const uint8_t *expected, size_t size)
{
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child != 0) {
        return child;
    }
    close(ends[1]);
    uint8_t *got = malloc(size + 1);
    size_t fill = 0;
    ssize_t step;
    while (fill <= size && (step = read(ends[0], got + fill, size + 1 - fill)) > 0) {
        fill += (size_t)step;
    }
    _exit(fill == size && memcmp(got, expected, size) == 0 ? 0 : 1);
}

START_TEST(test_pipe)
{
    float *in = fixture_signal(FRAMES, 2);
    for (unsigned format = 0; format < GRAPH_FORMAT_STORED; format++) {
        struct encode_fixture fixture;
        fixture_init(&fixture);
        fixture_use_all(&fixture);
        fixture.deliverable.format = (enum graph_format)format;
        fixture.deliverable.bit_depth = depth_of((enum graph_format)format);
        bool ogg = format == GRAPH_FORMAT_VORBIS || format == GRAPH_FORMAT_OPUS;
        int ends[2];
        ck_assert_int_eq(pipe(ends), 0);
        if (!ogg) {
            ck_assert_int_eq(fixture_encode_to(&fixture, ends[1], ENGINE_RIFF_LIMIT, in, FRAMES), LH_ERR_UNSUPPORTED);
        }
        fixture.announced = (int64_t)FRAMES;
        if (format != GRAPH_FORMAT_MP3 && format != GRAPH_FORMAT_FLAC) { /* FLAC's checksum comes last */
            ck_assert_int_eq(fixture_encode(&fixture, in, FRAMES), LH_OK);
            pid_t child = read_pipe_in_child(ends, fixture.bytes, fixture.size);
            ck_assert_msg(fixture_encode_to(&fixture, ends[1], ENGINE_RIFF_LIMIT, in, FRAMES) == LH_OK, "%u: %s",
                          format, fixture.error.message);
            close(ends[1]);
            ends[1] = -1;
            int status;
            ck_assert_int_eq(waitpid(child, &status, 0), child);
            ck_assert_msg(status == 0, "format %u", format);
        }
        close(ends[0]);
        if (ends[1] >= 0) {
            close(ends[1]);
        }
        fixture_fini(&fixture);
    }
    free(in);
}
END_TEST

/* A header that is already gone cannot be put right. */
START_TEST(test_pipe_with_wrong_length)
{
    float *in = fixture_signal(100, 2);
    struct encode_fixture fixture;
    fixture_init(&fixture);
    fixture.announced = 101;
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(fixture_encode_to(&fixture, ends[1], ENGINE_RIFF_LIMIT, in, 100), LH_ERR_INTERNAL);
    close(ends[0]);
    close(ends[1]);
    ck_assert_int_eq(fixture_encode(&fixture, in, 100), LH_OK);
    ck_assert_uint_eq(fixture_u32(&fixture, fixture_find(&fixture, "data", 0) + 4), 600);
    fixture_fini(&fixture);
    free(in);
}
END_TEST

START_TEST(test_each_allocation_fails)
{
    float *in = fixture_signal(3000, 2);
    int fd = memfd_create("allocation", MFD_CLOEXEC);
    for (unsigned format = 0; format < GRAPH_FORMAT_STORED; format++) {
        bool fired = true;
        for (size_t n = 1; fired; n++) {
            ck_assert_uint_lt(n, 1000);
            struct encode_fixture fixture;
            fixture_init(&fixture);
            fixture_use_all(&fixture);
            fixture.deliverable.format = (enum graph_format)format;
            fixture.deliverable.bit_depth = depth_of((enum graph_format)format);
            testing_fail_allocation(n);
            enum lh_status status = fixture_encode_to(&fixture, fd, ENGINE_RIFF_LIMIT, in, 3000);
            fired = testing_fail_allocation_end();
            ck_assert_int_eq(status, fired ? LH_ERR_NO_MEMORY : LH_OK);
        }
    }
    close(fd);
    free(in);
}
END_TEST

START_TEST(test_many_files_share_their_buffers)
{
    ck_assert_uint_eq(engine_output_capacity(0), 128 * 1024);
    ck_assert_uint_eq(engine_output_capacity(32), 128 * 1024);
    ck_assert_uint_eq(engine_output_capacity(64), 64 * 1024);
    ck_assert_uint_eq(engine_output_capacity(1000), 8 * 1024);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("engine/io/encode");
    TCase *fast = tcase_create("front");
    tcase_set_timeout(fast, 60);
    tcase_add_test(fast, test_bytes_depend_on_samples_alone);
    tcase_add_test(fast, test_digest_and_dither_place);
    tcase_add_test(fast, test_clipping_is_counted);
    tcase_add_test(fast, test_nothing_and_little);
    tcase_add_test(fast, test_notes);
    tcase_add_test(fast, test_many_files_share_their_buffers);
    suite_add_tcase(suite, fast);
    TCase *failures = tcase_create("failures");
    tcase_set_timeout(failures, 60);
    tcase_add_test(failures, test_disk_full);
    tcase_add_test(failures, test_failure_sticks);
    tcase_add_test(failures, test_file_size_limit);
    tcase_add_test(failures, test_pipe);
    tcase_add_test(failures, test_pipe_with_wrong_length);
    tcase_add_test(failures, test_each_allocation_fails);
    suite_add_tcase(suite, failures);
    return testing_main(suite);
}
