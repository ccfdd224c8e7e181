/* SPDX-License-Identifier: MIT */
/* Graphs and WAV files for the tests of the engine. */
#include "tests/support/graphs.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/bytes.h"
#include "common/base/clock.h"
#include "tests/support/testing.h"

#define RATE 48000u
#define WAVE_INTEGERS 1u
#define WAVE_FLOAT 3u

static void write_header(struct lh_writer *out, uint16_t encoding, size_t frames, uint32_t channels, unsigned bits)
{
    uint32_t frame_size = channels * (bits / 8);
    uint32_t bytes = (uint32_t)frames * frame_size;
    lh_writer_init(out);
    lh_writer_bytes(out, "RIFF", 4);
    lh_writer_u32(out, 36 + bytes + (bytes & 1));
    lh_writer_bytes(out, "WAVEfmt ", 8);
    lh_writer_u32(out, 16);
    lh_writer_u16(out, encoding);
    lh_writer_u16(out, (uint16_t)channels);
    lh_writer_u32(out, RATE);
    lh_writer_u32(out, RATE * frame_size);
    lh_writer_u16(out, (uint16_t)frame_size);
    lh_writer_u16(out, (uint16_t)bits);
    lh_writer_bytes(out, "data", 4);
    lh_writer_u32(out, bytes);
}

static int to_memory_file(struct lh_writer *out)
{
    if (out->size % 2 != 0) {
        lh_writer_u8(out, 0);
    }
    int fd = memfd_create("wav", MFD_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(pwrite(fd, out->data, out->size, 0), (ssize_t)out->size);
    lh_writer_fini(out);
    return fd;
}

int graphs_wav(const float *samples, size_t frames, uint32_t channels)
{
    struct lh_writer out;
    write_header(&out, WAVE_FLOAT, frames, channels, 32);
    lh_writer_bytes(&out, samples, frames * channels * sizeof *samples);
    return to_memory_file(&out);
}

int graphs_wav_integers(const int32_t *samples, size_t frames, uint32_t channels, unsigned bits)
{
    struct lh_writer out;
    write_header(&out, WAVE_INTEGERS, frames, channels, bits);
    for (size_t i = 0; i < frames * channels; i++) {
        uint32_t value = (uint32_t)samples[i] + (bits == 8 ? 128 : 0);
        for (unsigned shift = 0; shift < bits; shift += 8) {
            lh_writer_u8(&out, (uint8_t)(value >> shift));
        }
    }
    return to_memory_file(&out);
}

struct graph_builder *graphs_builder(void)
{
    struct graph_builder *builder;
    ck_assert_int_eq(graph_builder_new(RATE, 1024, &builder), LH_OK);
    return builder;
}

uint32_t graphs_media(struct graph_builder *builder, uint32_t channels, uint64_t frames)
{
    struct graph_media media = {
        .channels = channels, .rate = RATE, .frames = frames, .length = frames, .name = "medium"};
    uint32_t index;
    ck_assert_int_eq(graph_builder_add_media(builder, &media, &index), LH_OK);
    return index;
}

uint32_t graphs_clip(struct graph_builder *builder, uint32_t media, uint32_t channels, int64_t start, int64_t length,
                     const char *label)
{
    struct graph_region region = {
        .media = media, .start = start, .length = length, .gain = 1.0f, .fade_in = GRAPH_NONE, .fade_out = GRAPH_NONE};
    uint32_t node;
    ck_assert_int_eq(graph_builder_add_clips(builder, channels, false, &region, 1, label, &node), LH_OK);
    return node;
}

uint32_t graphs_gain(struct graph_builder *builder, uint32_t input, uint32_t channels, const float *gains,
                     const char *label)
{
    uint32_t curves[GRAPH_CHANNELS_MAX];
    uint32_t node;
    for (uint32_t c = 0; c < channels; c++) {
        struct graph_point point = {.frame = 0, .value = gains[c]};
        ck_assert_int_eq(graph_builder_add_curve(builder, &point, 1, &curves[c]), LH_OK);
    }
    ck_assert_int_eq(graph_builder_add_gain(builder, input, channels, curves, label, &node), LH_OK);
    return node;
}

uint32_t graphs_bus(struct graph_builder *builder, uint32_t channels, const uint32_t *inputs, size_t count,
                    const char *label)
{
    uint32_t node;
    ck_assert_int_eq(graph_builder_add_sum(builder, GRAPH_NODE_BUS, channels, false, inputs, count, label, &node),
                     LH_OK);
    return node;
}

struct graph_deliverable graphs_deliverable(const char *name, uint32_t node, int64_t start, int64_t end)
{
    return (struct graph_deliverable){.name = name,
                                      .node = node,
                                      .start = start,
                                      .end = end,
                                      .format = GRAPH_FORMAT_WAV,
                                      .bit_depth = 32,
                                      .rate = RATE,
                                      .resampler = GRAPH_CONFORM_SOXR,
                                      .gain_from = GRAPH_NONE};
}

uint32_t graphs_deliver(struct graph_builder *builder, const struct graph_deliverable *deliverable)
{
    uint32_t index;
    ck_assert_int_eq(graph_builder_add_deliverable(builder, deliverable, NULL, 0, &index), LH_OK);
    return index;
}

const struct graph *graphs_finish(struct graph_builder *builder)
{
    const struct graph *graph;
    struct lh_error error = LH_ERROR_INIT;
    enum lh_status status = graph_builder_finish(builder, &graph, &error);
    ck_assert_msg(status == LH_OK, "%s: %s", error.where, error.message);
    graph_builder_free(builder);
    return graph;
}

enum lh_status graphs_render(const struct graph *graph, const int *media, uint32_t threads, uint32_t block,
                             int *outputs, struct engine_render_result *result, struct lh_error *error)
{
    return graphs_render_with(NULL, graph, media, threads, block, outputs, result, error);
}

enum lh_status graphs_render_with(const struct engine_kernels *kernels, const struct graph *graph, const int *media,
                                  uint32_t threads, uint32_t block, int *outputs, struct engine_render_result *result,
                                  struct lh_error *error)
{
    struct engine_render_job job = {
        .graph = graph, .media_fds = media, .threads = threads, .block = block, .report = true, .kernels = kernels};
    return graphs_render_job(&job, outputs, result, error);
}

enum lh_status graphs_render_job(struct engine_render_job *job, int *outputs, struct engine_render_result *result,
                                 struct lh_error *error)
{
    static struct engine_progress progress;
    memset(&progress, 0, sizeof progress);
    for (uint32_t d = 0; d < job->graph->deliverable_count; d++) {
        outputs[d] = memfd_create("output", MFD_CLOEXEC);
    }
    job->output_fds = outputs;
    job->scratch_fd = memfd_create("scratch", MFD_CLOEXEC);
    job->progress = &progress;
    job->clock = lh_clock_monotonic_ns;
    enum lh_status status = engine_render(job, result, error);
    close(job->scratch_fd);
    return status;
}

float *graphs_samples(int fd, uint32_t channels, size_t *frames)
{
    struct stat info;
    ck_assert_int_eq(fstat(fd, &info), 0);
    uint8_t *bytes = malloc((size_t)info.st_size);
    ck_assert_ptr_nonnull(bytes);
    ck_assert_int_eq(pread(fd, bytes, (size_t)info.st_size, 0), info.st_size);
    struct lh_reader in;
    lh_reader_init(&in, bytes, (size_t)info.st_size);
    ck_assert_ptr_nonnull(lh_reader_view(&in, 12));
    for (;;) {
        const uint8_t *name = lh_reader_view(&in, 4);
        uint32_t size = lh_reader_u32(&in);
        const uint8_t *body = lh_reader_view(&in, size + (size & 1));
        ck_assert_ptr_nonnull(body);
        if (memcmp(name, "data", 4) == 0) {
            *frames = size / (channels * sizeof(float));
            float *samples = malloc(size + 1);
            ck_assert_ptr_nonnull(samples);
            memcpy(samples, body, size);
            free(bytes);
            return samples;
        }
    }
}
