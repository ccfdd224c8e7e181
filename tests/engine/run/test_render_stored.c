/* SPDX-License-Identifier: MIT */
/* Renders that go on from stored frames and that store some: the bits of the whole, whatever reads them and by whatever
   kernels; faults and files that do not fit. Random cuts are in tests/identity. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/io/stored.h"
#include "graph/span.h"
#include "tests/support/graphs.h"
#include "tests/support/testing.h"

#define BEGIN 700
#define END 60700
#define FRAMES (END - BEGIN)
#define FILES_MAX 4

static uint32_t state;

static uint32_t draw(void)
{
    state = state * 1664525u + 1013904223u;
    return state;
}

static void setup(void)
{
    state = 5;
}

static int file_of(const void *data, size_t size)
{
    int fd = memfd_create("stored", MFD_CLOEXEC);
    ck_assert(fd >= 0 && pwrite(fd, data, size, 0) == (ssize_t)size);
    return fd;
}

static const struct graph_span span = {.begin = BEGIN, .silence = INT64_MAX, .stop = END};

static uint32_t play(struct graph_builder *builder, uint32_t channels, bool sum)
{
    struct graph_stored stored = graph_span_stored(&span, channels, sum);
    uint32_t node;
    ck_assert_int_eq(graph_builder_add_stored(builder, &stored, "track kick", &node), LH_OK);
    return node;
}

static void deliver(struct graph_builder *builder, uint32_t node, bool stored)
{
    struct graph_deliverable file = graphs_deliverable("file", node, BEGIN, END);
    if (stored) {
        graph_span_deliver(&span, 48000, &file);
    }
    graphs_deliver(builder, &file);
}

/* Files into *outputs, the caller's. */
static enum lh_status render(const struct graph *graph, const int *stored, uint32_t threads, uint32_t block,
                             const struct engine_kernels *kernels, int *outputs, struct engine_delivered *delivered,
                             struct lh_error *error)
{
    struct engine_render_job job = {
        .graph = graph, .stored_fds = stored, .threads = threads, .block = block, .report = true, .kernels = kernels};
    struct engine_render_result result = {.delivered = delivered};
    *error = LH_ERROR_INIT;
    return graphs_render_job(&job, outputs, &result, error);
}

static void *contents(int fd, size_t size)
{
    struct stat info;
    void *data = malloc(size + 1);
    ck_assert_int_eq(fstat(fd, &info), 0);
    ck_assert_uint_eq((size_t)info.st_size, size);
    ck_assert_int_eq(pread(fd, data, size, 0), (ssize_t)size);
    return data;
}

static const struct {
    uint32_t threads, block;
} ways[] = {{1, 1024}, {2, 4096}, {4, 0}, {3, 65536}};
#define WAYS (sizeof ways / sizeof *ways)

/* Any bits at all, among them denormals, infinities and NaN: nothing is judged, rounded or flushed. */
START_TEST(what_is_stored_is_handed_on_as_it_is)
{
    for (int sum = 0; sum < 2; sum++) {
        size_t size = (size_t)FRAMES * 2 * (sum == 1 ? sizeof(int64_t) : sizeof(float));
        uint32_t *bits = malloc(size);
        for (size_t i = 0; i < size / sizeof *bits; i++) {
            bits[i] = draw() % 4 == 0 ? draw() >> 10 : draw();
        }
        int fd = file_of(bits, size);
        for (size_t w = 0; w < WAYS; w++) {
            struct graph_builder *builder = graphs_builder();
            deliver(builder, play(builder, 2, sum == 1), true);
            const struct graph *graph = graphs_finish(builder);
            struct engine_delivered delivered;
            struct lh_error error;
            int output;
            enum lh_status status =
                render(graph, &fd, ways[w].threads, ways[w].block, NULL, &output, &delivered, &error);
            ck_assert_msg(status == LH_OK, "%s: %s", error.where, error.message);
            void *got = contents(output, size);
            ck_assert_mem_eq(got, bits, size);
            ck_assert(!delivered.has_loudness && !delivered.file.has_samples && delivered.gain_db == 0);
            ck_assert_uint_eq(delivered.file.frames, FRAMES);
            ck_assert_uint_eq(delivered.file.bytes, size);
            free(got);
            close(output);
            graph_unref(graph);
        }
        close(fd);
        free(bits);
    }
}
END_TEST

/* ---- who reads it ---- */

/* Adds what reads `source`, of one or two channels, and delivers it. */
typedef void reader(struct graph_builder *builder, uint32_t source, uint32_t channels);

static void read_by_bus(struct graph_builder *builder, uint32_t source, uint32_t channels)
{
    deliver(builder, graphs_bus(builder, channels, &source, 1, "bus"), false);
}

static void read_under_gain(struct graph_builder *builder, uint32_t source, uint32_t channels)
{
    uint32_t node = graphs_gain(builder, source, channels, (float[]){0.3f, 0.7f}, "fader");
    deliver(builder, graphs_bus(builder, channels, (uint32_t[]){node, source}, 2, "bus"), false);
}

static void read_panned(struct graph_builder *builder, uint32_t source, uint32_t channels)
{
    (void)channels;
    uint32_t node = graphs_gain(builder, source, 2, (float[]){-0.3f, 0.7f}, "pan");
    deliver(builder, graphs_bus(builder, 2, &node, 1, "bus"), false);
}

static void read_alone_under_gain(struct graph_builder *builder, uint32_t source, uint32_t channels)
{
    uint32_t node = graphs_gain(builder, source, channels, (float[]){0.123f, 3.21f}, "fader");
    deliver(builder, graphs_bus(builder, channels, &node, 1, "bus"), false);
}

static void read_into_six(struct graph_builder *builder, uint32_t source, uint32_t channels)
{
    float gains[6] = {0.1f, 0.2f, 0.3f, 0.4f, 0.5f, 0.6f};
    if (channels == 1) {
        uint32_t node = graphs_gain(builder, source, 6, gains, "six");
        deliver(builder, graphs_bus(builder, 6, &node, 1, "bus"), false);
    } else {
        deliver(builder, source, false);
    }
}

static void read_under_a_curve(struct graph_builder *builder, uint32_t source, uint32_t channels)
{
    const struct graph_point points[] = {{0, 0.1f}, {30001, 1.1f}, {70000, 0.2f}};
    uint32_t curve, node;
    ck_assert_int_eq(graph_builder_add_curve(builder, points, 3, &curve), LH_OK);
    ck_assert_int_eq(graph_builder_add_gain(builder, source, channels, (uint32_t[]){curve, curve}, "curve", &node),
                     LH_OK);
    deliver(builder, graphs_bus(builder, channels, &node, 1, "bus"), false);
    deliver(builder, node, true);
}

static void read_by_gains_on_gains(struct graph_builder *builder, uint32_t source, uint32_t channels)
{
    uint32_t node = source;
    for (int i = 0; i < 6; i++) {
        node = graphs_gain(builder, node, channels, (float[]){0.9f + 0.01f * (float)i, 1.1f}, "gain");
    }
    deliver(builder, graphs_bus(builder, channels, &node, 1, "bus"), false);
}

static void read_and_delivered(struct graph_builder *builder, uint32_t source, uint32_t channels)
{
    read_under_gain(builder, source, channels);
    deliver(builder, source, false);
    deliver(builder, source, true);
}

static reader *const readers[] = {
    read_by_bus,        read_under_gain,        read_panned,       read_alone_under_gain, read_into_six,
    read_under_a_curve, read_by_gains_on_gains, read_and_delivered};
#define READERS (sizeof readers / sizeof *readers)

/* Off the grid, as a fader leaves them: noise times a gain, which lie in a medium. */
static uint32_t compute(struct graph_builder *builder, uint32_t channels)
{
    uint32_t clip = graphs_clip(builder, graphs_media(builder, channels, END), channels, 0, END, "clip");
    return graphs_gain(builder, clip, channels, (float[]){0.777f, 0.333f}, "track kick");
}

static int noise(uint32_t channels)
{
    float *samples = malloc((size_t)END * channels * sizeof *samples);
    for (size_t i = 0; i < (size_t)END * channels; i++) {
        samples[i] = (float)((int32_t)draw() >> 8) * 0x1p-24f;
    }
    int fd = graphs_wav(samples, END, channels);
    free(samples);
    return fd;
}

static void render_medium(const struct graph *graph, int medium, int *outputs)
{
    struct engine_delivered delivered[FILES_MAX];
    struct engine_render_result result = {.delivered = delivered};
    struct lh_error error = LH_ERROR_INIT;
    enum lh_status status = graphs_render(graph, &medium, 2, 0, outputs, &result, &error);
    ck_assert_msg(status == LH_OK, "%s: %s", error.where, error.message);
}

static int stored_track(int medium, uint32_t channels)
{
    struct graph_builder *builder = graphs_builder();
    deliver(builder, compute(builder, channels), true);
    const struct graph *graph = graphs_finish(builder);
    int stored;
    render_medium(graph, medium, &stored);
    graph_unref(graph);
    return stored;
}

static void expect_same_files(const int *a, const int *b, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct stat info;
        ck_assert_int_eq(fstat(a[i], &info), 0);
        void *one = contents(a[i], (size_t)info.st_size);
        void *other = contents(b[i], (size_t)info.st_size);
        ck_assert_mem_eq(one, other, (size_t)info.st_size);
        free(one);
        free(other);
        close(b[i]);
    }
}

START_TEST(readers_hear_the_node_itself)
{
    const struct engine_kernels *kernels[] = {engine_kernels_c(), engine_kernels_best()};
    for (uint32_t channels = 1; channels <= 2; channels++) {
        if (channels == 2 && readers[_i] == read_panned) {
            continue;
        }
        int medium = noise(channels);
        int stored = stored_track(medium, channels);
        struct graph_builder *builder = graphs_builder();
        readers[_i](builder, compute(builder, channels), channels);
        const struct graph *whole = graphs_finish(builder);
        int expected[FILES_MAX];
        render_medium(whole, medium, expected);
        builder = graphs_builder();
        readers[_i](builder, play(builder, channels, false), channels);
        const struct graph *piece = graphs_finish(builder);
        for (size_t w = 0; w < WAYS * 2; w++) {
            struct engine_delivered delivered[FILES_MAX];
            struct lh_error error;
            int outputs[FILES_MAX];
            enum lh_status status = render(piece, &stored, ways[w / 2].threads, ways[w / 2].block, kernels[w % 2],
                                           outputs, delivered, &error);
            ck_assert_msg(status == LH_OK, "%s: %s", error.where, error.message);
            expect_same_files(expected, outputs, piece->deliverable_count);
        }
        for (uint32_t d = 0; d < whole->deliverable_count; d++) {
            close(expected[d]);
        }
        close(medium);
        close(stored);
        graph_unref(whole);
        graph_unref(piece);
    }
}
END_TEST

/* A sum that a bus and a further sum read, and one that this alone does: added on the grid, past full scale too. */
START_TEST(stored_sums_are_added_on_the_grid)
{
    const size_t count = (size_t)FRAMES * 2, size = count * sizeof(int64_t);
    int64_t *first = malloc(size), *second = malloc(size);
    for (size_t i = 0; i < count; i++) {
        first[i] = ((int64_t)draw() << 20) - (INT64_C(1) << 51) + (int64_t)draw() % 1000;
        second[i] = 5 - first[i] / 2 + (int64_t)draw() % 3000;
    }
    int fds[2] = {file_of(first, size), file_of(second, size)};
    for (size_t w = 0; w < WAYS; w++) {
        struct graph_builder *builder = graphs_builder();
        uint32_t nodes[2] = {play(builder, 2, true), play(builder, 2, true)};
        uint32_t both;
        ck_assert_int_eq(graph_builder_add_sum(builder, GRAPH_NODE_PARTIAL, 2, false, nodes, 2, "both", &both), LH_OK);
        deliver(builder, graphs_bus(builder, 2, (uint32_t[]){both, nodes[1]}, 2, "bus"), false);
        deliver(builder, both, true);
        const struct graph *graph = graphs_finish(builder);
        struct engine_delivered delivered[2];
        struct lh_error error;
        int outputs[2];
        enum lh_status status = render(graph, fds, ways[w].threads, ways[w].block, NULL, outputs, delivered, &error);
        ck_assert_msg(status == LH_OK, "%s: %s", error.where, error.message);
        size_t frames;
        float *heard = graphs_samples(outputs[0], 2, &frames);
        int64_t *added = contents(outputs[1], size);
        for (size_t i = 0; i < count; i++) {
            int64_t sum = first[i] + second[i];
            if (added[i] != sum || heard[i] != (float)((double)(sum + second[i]) * 0x1p-40)) {
                ck_abort_msg("sample %zu", i);
            }
        }
        free(heard);
        free(added);
        close(outputs[0]);
        close(outputs[1]);
        graph_unref(graph);
    }
    close(fds[0]);
    close(fds[1]);
    free(first);
    free(second);
}
END_TEST

/* ---- what cannot be ---- */

static enum lh_status attempt(void (*build)(struct graph_builder *), const int *fds, struct lh_error *error)
{
    struct graph_builder *builder = graphs_builder();
    build(builder);
    const struct graph *graph = graphs_finish(builder);
    struct engine_delivered delivered[FILES_MAX];
    int outputs[FILES_MAX];
    enum lh_status status = render(graph, fds, 2, 1024, NULL, outputs, delivered, error);
    for (uint32_t d = 0; d < graph->deliverable_count; d++) {
        close(outputs[d]);
    }
    graph_unref(graph);
    return status;
}

static void hear_it(struct graph_builder *builder)
{
    deliver(builder, play(builder, 1, false), false);
}

static void add_it(struct graph_builder *builder)
{
    uint32_t node = play(builder, 1, false);
    deliver(builder, graphs_bus(builder, 1, &node, 1, "bus"), false);
}

static void hear_it_late(struct graph_builder *builder)
{
    uint32_t node = play(builder, 1, false);
    struct graph_deliverable file = graphs_deliverable("file", node, BEGIN, END + 1);
    graphs_deliver(builder, &file);
}

static void add_it_early(struct graph_builder *builder)
{
    uint32_t node = play(builder, 1, false);
    struct graph_deliverable file = graphs_deliverable("file", graphs_bus(builder, 1, &node, 1, "bus"), BEGIN - 1, END);
    graphs_deliver(builder, &file);
}

/* The second entry is nobody's. */
static void hear_one_of_two(struct graph_builder *builder)
{
    hear_it(builder);
    play(builder, 2, true);
}

START_TEST(files_must_be_those_of_the_graph)
{
    float *samples = calloc(FRAMES, sizeof *samples);
    int fds[2] = {file_of(samples, FRAMES * sizeof *samples), -1};
    int shorter = file_of(samples, FRAMES * sizeof *samples - 4);
    struct lh_error error;
    ck_assert_int_eq(attempt(hear_it, fds, &error), LH_OK);
    ck_assert_int_eq(attempt(hear_one_of_two, fds, &error), LH_OK);
    ck_assert_int_eq(attempt(hear_it, &shorter, &error), LH_ERR_IO);
    ck_assert_str_eq(error.where, "track kick");
    ck_assert_int_eq(attempt(hear_it, &fds[1], &error), LH_ERR_IO);
    ck_assert_int_eq(attempt(hear_it, NULL, &error), LH_ERR_IO);
    ck_assert_str_eq(error.where, "track kick");
    close(fds[0]);
    close(shorter);
    free(samples);
}
END_TEST

START_TEST(what_was_not_stored_is_a_fault)
{
    float *samples = calloc(FRAMES, sizeof *samples);
    int fd = file_of(samples, FRAMES * sizeof *samples);
    struct lh_error error;
    ck_assert_int_eq(attempt(hear_it_late, &fd, &error), LH_ERR_FAULT);
    ck_assert_str_eq(error.where, "track kick");
    ck_assert_ptr_nonnull(strstr(error.message, "of which 700 to 60700 were stored"));
    ck_assert_int_eq(attempt(add_it_early, &fd, &error), LH_ERR_FAULT);
    ck_assert_str_eq(error.where, "track kick");
    close(fd);
    free(samples);
}
END_TEST

/* As the node itself would be judged: where it is added up, and where it is heard. */
START_TEST(faults_name_the_node_that_it_stands_for)
{
    float *samples = calloc(FRAMES, sizeof *samples);
    samples[4000] = NAN;
    int fd = file_of(samples, FRAMES * sizeof *samples);
    struct lh_error error;
    ck_assert_int_eq(attempt(hear_it, &fd, &error), LH_ERR_FAULT);
    ck_assert_str_eq(error.where, "track kick, frame 4700, channel 1");
    ck_assert_int_eq(attempt(add_it, &fd, &error), LH_ERR_FAULT);
    ck_assert_str_eq(error.where, "track kick, frame 4700, channel 1");
    close(fd);
    free(samples);
}
END_TEST

/* A level that a fader turns down again is no fault of the whole, so it is none of the piece that stores it. */
START_TEST(what_is_stored_is_not_judged)
{
    for (int heard = 0; heard < 2; heard++) {
        struct graph_builder *builder = graphs_builder();
        uint32_t clip = graphs_clip(builder, graphs_media(builder, 1, END), 1, 0, END, "clip");
        uint32_t loud = graphs_gain(builder, clip, 1, (float[]){1e6f}, "loud");
        deliver(builder, loud, heard == 0);
        const struct graph *graph = graphs_finish(builder);
        int medium = noise(1);
        int output;
        struct engine_delivered delivered;
        struct engine_render_result result = {.delivered = &delivered};
        struct lh_error error = LH_ERROR_INIT;
        ck_assert_int_eq(graphs_render(graph, &medium, 2, 0, &output, &result, &error),
                         heard == 0 ? LH_OK : LH_ERR_FAULT);
        close(output);
        close(medium);
        graph_unref(graph);
    }
}
END_TEST

/* Media that are not there, and one that would be converted: nobody asks for a frame. */
START_TEST(no_frames_need_no_files)
{
    struct graph_builder *builder = graphs_builder();
    const struct graph_media media = {.channels = 1,
                                      .rate = 44100,
                                      .frames = 44100,
                                      .length = 48000,
                                      .conform = GRAPH_CONFORM_SOXR,
                                      .name = "far away"};
    uint32_t medium;
    ck_assert_int_eq(graph_builder_add_media(builder, &media, &medium), LH_OK);
    uint32_t clip = graphs_clip(builder, medium, 1, 0, 48000, "clip");
    uint32_t bus = graphs_bus(builder, 1, (uint32_t[]){clip, play(builder, 1, false)}, 2, "bus");
    struct graph_deliverable file = graphs_deliverable("nothing", bus, 500, 500);
    graphs_deliver(builder, &file);
    const struct graph *graph = graphs_finish(builder);
    int none = -1;
    struct engine_render_job job = {.graph = graph, .media_fds = &none, .threads = 1};
    struct engine_delivered delivered;
    struct engine_render_result result = {.delivered = &delivered};
    struct lh_error error = LH_ERROR_INIT;
    int output;
    enum lh_status status = graphs_render_job(&job, &output, &result, &error);
    ck_assert_msg(status == LH_OK, "%s: %s", error.where, error.message);
    ck_assert_uint_eq(delivered.file.frames, 0);
    ck_assert_uint_eq(result.conformed_media, 0);
    job.conformed_fds = &none; /* whoever wants it converted needs it */
    close(output);
    ck_assert_int_ne(graphs_render_job(&job, &output, &result, &error), LH_OK);
    close(output);
    graph_unref(graph);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("engine/run/render_stored");
    TCase *test = tcase_create("stored");
    tcase_set_timeout(test, 60);
    tcase_add_checked_fixture(test, setup, NULL);
    tcase_add_test(test, what_is_stored_is_handed_on_as_it_is);
    tcase_add_loop_test(test, readers_hear_the_node_itself, 0, (int)READERS);
    tcase_add_test(test, stored_sums_are_added_on_the_grid);
    tcase_add_test(test, files_must_be_those_of_the_graph);
    tcase_add_test(test, what_was_not_stored_is_a_fault);
    tcase_add_test(test, faults_name_the_node_that_it_stands_for);
    tcase_add_test(test, what_is_stored_is_not_judged);
    tcase_add_test(test, no_frames_need_no_files);
    suite_add_tcase(suite, test);
    return testing_main(suite);
}
