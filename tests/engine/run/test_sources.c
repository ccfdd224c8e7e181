/* SPDX-License-Identifier: MIT */
/* Media that are not what the graph says, that cannot be read, or that somebody stops being conformed: what the render
   returns and which medium it names. */
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "engine/io/media.h"
#include "engine/run/conformed.h"
#include "tests/support/graphs.h"
#include "tests/support/testing.h"

#define FRAMES 200000 /* several chunks of conforming */
#define RATE 48000
#define NO_FILE 100000 /* a descriptor that is not open */

/* ---- reads: the linker puts this in front of the engine's (meson.build) ---- */

static _Atomic int reads;
static int cancel_at, fail_at; /* 0: never */
static struct engine_progress progress;

enum lh_status __real_engine_media_read_raw(const struct engine_media *media, int64_t frame, size_t frames,
                                            uint8_t *raw, struct lh_error *error);
enum lh_status __wrap_engine_media_read_raw(const struct engine_media *media, int64_t frame, size_t frames,
                                            uint8_t *raw, struct lh_error *error);

enum lh_status __wrap_engine_media_read_raw(const struct engine_media *media, int64_t frame, size_t frames,
                                            uint8_t *raw, struct lh_error *error)
{
    int read = atomic_fetch_add(&reads, 1) + 1;
    if (read == cancel_at) {
        atomic_store(&progress.cancel, 1);
    }
    if (read == fail_at) {
        return lh_error_set(error, LH_ERR_IO, NULL, "the disk is gone");
    }
    return __real_engine_media_read_raw(media, frame, frames, raw, error);
}

/* ---- two media, one clip of each, one mix ---- */

struct fixture {
    struct graph_media media[2];
    int files[2];
    int *conformed; /* NULL or two */
    int output, scratch;
    struct lh_error error;
};

static int silent_file(uint32_t channels)
{
    float *samples = calloc((size_t)FRAMES * channels, sizeof *samples);
    ck_assert_ptr_nonnull(samples);
    int file = graphs_wav(samples, FRAMES, channels);
    free(samples);
    return file;
}

/* Two mono files at the project's rate, as their entries say. */
static struct fixture begin(enum graph_conform conform)
{
    struct graph_media media = {
        .channels = 1, .rate = RATE, .frames = FRAMES, .length = FRAMES, .conform = conform, .name = "kick"};
    struct fixture fixture = {.media = {media, media}, .files = {silent_file(1), silent_file(1)}};
    fixture.media[1].name = "snare";
    reads = 0;
    cancel_at = fail_at = 0;
    return fixture;
}

static enum lh_status render(struct fixture *fixture, uint32_t threads)
{
    struct graph_builder *builder = graphs_builder();
    uint32_t clips[2];
    for (uint32_t m = 0; m < 2; m++) {
        uint32_t index;
        ck_assert_int_eq(graph_builder_add_media(builder, &fixture->media[m], &index), LH_OK);
        clips[m] = graphs_clip(builder, index, fixture->media[m].channels, 0, FRAMES, m == 0 ? "low" : "high");
        clips[m] = graphs_gain(builder, clips[m], 2, (float[]){0.5f, 0.25f}, "fader");
    }
    struct graph_deliverable mix = graphs_deliverable("mix", graphs_bus(builder, 2, clips, 2, "bus"), 0, FRAMES);
    graphs_deliver(builder, &mix);
    const struct graph *graph = graphs_finish(builder);
    memset(&progress, 0, sizeof progress);
    fixture->output = memfd_create("output", MFD_CLOEXEC);
    fixture->scratch = memfd_create("scratch", MFD_CLOEXEC);
    struct engine_delivered delivered;
    struct engine_render_result result = {.delivered = &delivered};
    struct engine_render_job job = {.graph = graph,
                                    .media_fds = fixture->files,
                                    .conformed_fds = fixture->conformed,
                                    .output_fds = &fixture->output,
                                    .scratch_fd = fixture->scratch,
                                    .threads = threads,
                                    .progress = &progress,
                                    .clock = lh_clock_monotonic_ns};
    fixture->error = LH_ERROR_INIT;
    enum lh_status status = engine_render(&job, &result, &fixture->error);
    graph_unref(graph);
    return status;
}

static void end_render(struct fixture *fixture)
{
    close(fixture->output);
    close(fixture->scratch);
}

static void end(struct fixture *fixture)
{
    close(fixture->files[0]);
    close(fixture->files[1]);
}

/* The render fails over the second medium before it reads a sample or writes a byte. */
static void refuses(struct fixture *fixture, enum lh_status wanted, const char *words)
{
    struct stat info;
    enum lh_status status = render(fixture, 2);
    ck_assert_msg(status == wanted, "%s: %s: %s", lh_status_text(status), fixture->error.where, fixture->error.message);
    ck_assert_int_eq(fixture->error.code, wanted);
    ck_assert_str_eq(fixture->error.where, "media snare");
    ck_assert_msg(strstr(fixture->error.message, words) != NULL, "%s", fixture->error.message);
    ck_assert_int_eq(reads, 0);
    ck_assert_int_eq(fstat(fixture->output, &info), 0);
    ck_assert_int_eq(info.st_size, 0);
    end_render(fixture);
}

START_TEST(facts_that_do_not_agree_are_refused)
{
    static const enum graph_conform ways[] = {GRAPH_CONFORM_IN_PLACE, GRAPH_CONFORM_DECODE};
    for (size_t w = 0; w < sizeof ways / sizeof *ways; w++) {
        struct fixture fixture = begin(ways[w]);
        fixture.media[1].frames = fixture.media[1].length = FRAMES - 1;
        refuses(&fixture, LH_ERR_IO, "not what it was");
        fixture.media[1].frames = fixture.media[1].length = FRAMES + 1;
        refuses(&fixture, LH_ERR_IO, "not what it was");
        fixture.media[1].frames = fixture.media[1].length = FRAMES;
        fixture.media[1].channels = 2;
        refuses(&fixture, LH_ERR_IO, "not what it was");
        fixture.media[1].channels = 1;
        close(fixture.files[1]);
        fixture.files[1] = silent_file(2);
        refuses(&fixture, LH_ERR_IO, "not what it was");
        end(&fixture);
    }
    struct fixture fixture = begin(GRAPH_CONFORM_IN_PLACE);
    fixture.media[1].conform = GRAPH_CONFORM_SOXR;
    fixture.media[1].rate = RATE / 2;
    fixture.media[1].length = 2 * FRAMES;
    refuses(&fixture, LH_ERR_IO, "not what it was");
    end(&fixture);
}
END_TEST

/* A Vorbis file of silence, by the engine itself. */
static int lossy_file(void)
{
    int wav = silent_file(1);
    struct graph_builder *builder = graphs_builder();
    uint32_t node = graphs_clip(builder, graphs_media(builder, 1, FRAMES), 1, 0, FRAMES, "clips");
    struct graph_deliverable vorbis = graphs_deliverable("vorbis", node, 0, FRAMES);
    vorbis.format = GRAPH_FORMAT_VORBIS;
    vorbis.bit_depth = 0;
    graphs_deliver(builder, &vorbis);
    const struct graph *graph = graphs_finish(builder);
    int output;
    struct engine_delivered delivered;
    struct engine_render_result result = {.delivered = &delivered};
    struct lh_error error = LH_ERROR_INIT;
    enum lh_status status = graphs_render(graph, &wav, 1, 0, &output, &result, &error);
    ck_assert_msg(status == LH_OK, "%s", error.message);
    graph_unref(graph);
    close(wav);
    return output;
}

START_TEST(what_is_lossy_is_never_read_in_place)
{
    int lossy = lossy_file();
    struct fixture fixture = begin(GRAPH_CONFORM_IN_PLACE);
    close(fixture.files[1]);
    fixture.files[1] = lossy;
    refuses(&fixture, LH_ERR_IO, "not what it was");
    fixture.media[1].conform = GRAPH_CONFORM_DECODE;
    ck_assert_int_eq(render(&fixture, 2), LH_OK);
    end_render(&fixture);
    end(&fixture);
}
END_TEST

START_TEST(what_cannot_be_opened_is_named)
{
    struct fixture fixture = begin(GRAPH_CONFORM_IN_PLACE);
    int sound = fixture.files[1], text = memfd_create("text", MFD_CLOEXEC);
    ck_assert_int_eq(write(text, "This is no sound.", 17), 17);
    fixture.files[1] = text;
    refuses(&fixture, LH_ERR_FORMAT, "");
    ck_assert(fixture.error.message[0] != '\0');
    fixture.files[1] = sound;
    ck_assert_int_eq(ftruncate(sound, 1000), 0);
    refuses(&fixture, LH_ERR_FORMAT, "");
    ck_assert(fixture.error.message[0] != '\0');
    close(text);
    end(&fixture);
}
END_TEST

START_TEST(what_cannot_be_read_on_the_way_is_named)
{
    struct fixture fixture = begin(GRAPH_CONFORM_IN_PLACE);
    fail_at = 2; /* one thread: the first stride of the second clip */
    ck_assert_int_eq(render(&fixture, 1), LH_ERR_IO);
    ck_assert_str_eq(fixture.error.where, "high, media snare");
    ck_assert_str_eq(fixture.error.message, "the disk is gone");
    end_render(&fixture);
    end(&fixture);
    fixture = begin(GRAPH_CONFORM_IN_PLACE);
    fixture.media[1].conform = GRAPH_CONFORM_DECODE;
    fail_at = 3; /* its third chunk */
    ck_assert_int_eq(render(&fixture, 1), LH_ERR_IO);
    ck_assert_str_eq(fixture.error.where, "media snare");
    ck_assert_str_eq(fixture.error.message, "the disk is gone");
    ck_assert_int_eq(reads, 3);
    end_render(&fixture);
    end(&fixture);
}
END_TEST

START_TEST(a_sample_that_is_no_number_is_named_while_conforming)
{
    struct fixture fixture = begin(GRAPH_CONFORM_DECODE);
    float nan = NAN;
    off_t behind = lseek(fixture.files[1], 0, SEEK_END);
    ck_assert_int_eq(pwrite(fixture.files[1], &nan, sizeof nan, behind - (off_t)sizeof nan), (ssize_t)sizeof nan);
    ck_assert_int_eq(render(&fixture, 2), LH_ERR_FAULT);
    ck_assert_str_eq(fixture.error.where, "media snare");
    ck_assert_ptr_nonnull(strstr(fixture.error.message, "medium snare, frame 199999"));
    end_render(&fixture);
    end(&fixture);
}
END_TEST

START_TEST(given_media_of_another_size_are_refused)
{
    struct fixture fixture = begin(GRAPH_CONFORM_DECODE);
    off_t whole = FRAMES * (off_t)sizeof(float);
    int given = memfd_create("given", MFD_CLOEXEC);
    const off_t wrong[] = {0, 1, whole - 1, whole + 1, 2 * whole};
    fixture.conformed = (int[]){given, given};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        fixture.conformed[0] = -1; /* conformed as if nothing were given: the fault is the second's */
        ck_assert_int_eq(ftruncate(given, wrong[i]), 0);
        refuses(&fixture, LH_ERR_IO, "another size");
    }
    fixture.conformed[1] = NO_FILE;
    refuses(&fixture, LH_ERR_IO, "cannot be read");
    ck_assert_int_eq(ftruncate(given, whole), 0);
    fixture.conformed[0] = fixture.conformed[1] = given;
    ck_assert_int_eq(render(&fixture, 2), LH_OK);
    end_render(&fixture);
    /* What is read in place has no use for one, whatever it is. */
    fixture.media[0].conform = fixture.media[1].conform = GRAPH_CONFORM_IN_PLACE;
    ck_assert_int_eq(ftruncate(given, 1), 0);
    ck_assert_int_eq(render(&fixture, 2), LH_OK);
    end_render(&fixture);
    close(given);
    end(&fixture);
}
END_TEST

START_TEST(conforming_can_be_cancelled)
{
    for (uint32_t threads = 1; threads <= 2; threads++) {
        struct fixture fixture = begin(GRAPH_CONFORM_DECODE);
        struct stat info;
        cancel_at = 2;
        ck_assert_int_eq(render(&fixture, threads), LH_ERR_CANCELLED);
        ck_assert_int_eq(fixture.error.code, LH_ERR_CANCELLED);
        ck_assert(fixture.error.message[0] != '\0');
        ck_assert_int_le(reads, 1 + (int)threads); /* who was at a chunk has ended it */
        ck_assert_uint_lt(progress.done, progress.total);
        ck_assert_uint_eq(progress.frames, 0);
        ck_assert_int_eq(fstat(fixture.output, &info), 0);
        ck_assert_int_eq(info.st_size, 0);
        end_render(&fixture);
        cancel_at = 0;
        ck_assert_int_eq(render(&fixture, threads), LH_OK); /* nothing is left behind */
        end_render(&fixture);
        end(&fixture);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("engine/run/sources");
    TCase *tests = tcase_create("sources");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, facts_that_do_not_agree_are_refused);
    tcase_add_test(tests, what_is_lossy_is_never_read_in_place);
    tcase_add_test(tests, what_cannot_be_opened_is_named);
    tcase_add_test(tests, what_cannot_be_read_on_the_way_is_named);
    tcase_add_test(tests, a_sample_that_is_no_number_is_named_while_conforming);
    tcase_add_test(tests, given_media_of_another_size_are_refused);
    tcase_add_test(tests, conforming_can_be_cancelled);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
