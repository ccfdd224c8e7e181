/* SPDX-License-Identifier: MIT */
/* Regions against the formula of graph/graph.h: loops of any length, forwards and backwards, from any place; and as
   many at once as there may be, with few decoders. */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/io/media.h"
#include "tests/support/graphs.h"
#include "tests/support/testing.h"

#define MEDIUM 5000
#define LENGTH 40000
#define START 333

/* Read calls of this process so far; -1 where the kernel does not count them. */
static long reads_so_far(void)
{
    FILE *file = fopen("/proc/self/io", "r");
    long reads = -1;
    char line[64];
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        sscanf(line, "syscr: %ld", &reads);
    }
    if (file != NULL) {
        fclose(file);
    }
    return reads;
}

/* Renders one looped region of a medium that counts its frames; returns how many reads that took. */
static long render_loop(int64_t loop_length, bool reverse)
{
    float samples[MEDIUM];
    for (size_t i = 0; i < MEDIUM; i++) {
        samples[i] = (float)(i + 1) * 0x1p-14f;
    }
    int media = graphs_wav(samples, MEDIUM, 1);
    struct graph_builder *builder = graphs_builder();
    struct graph_region region = {.media = graphs_media(builder, 1, MEDIUM),
                                  .start = START,
                                  .length = LENGTH,
                                  .offset = MEDIUM - loop_length,
                                  .loop_length = loop_length,
                                  .reverse = reverse,
                                  .gain = 1.0f,
                                  .fade_in = GRAPH_NONE,
                                  .fade_out = GRAPH_NONE};
    uint32_t node;
    ck_assert_int_eq(graph_builder_add_clips(builder, 1, false, &region, 1, "clips", &node), LH_OK);
    struct graph_deliverable mix = graphs_deliverable("mix", node, 0, START + LENGTH + 100);
    graphs_deliver(builder, &mix);
    const struct graph *graph = graphs_finish(builder);
    int output;
    struct engine_delivered delivered;
    struct engine_render_result result = {.delivered = &delivered};
    struct lh_error error = LH_ERROR_INIT;
    long before = reads_so_far();
    ck_assert_int_eq(graphs_render(graph, &media, 1, 0, &output, &result, &error), LH_OK);
    long reads = reads_so_far() - before;
    size_t frames;
    float *got = graphs_samples(output, 1, &frames);
    ck_assert_uint_eq(frames, START + LENGTH + 100);
    for (int64_t i = 0; i < (int64_t)frames; i++) {
        int64_t clip = reverse ? LENGTH - 1 - (i - START) : i - START;
        bool plays = i >= START && i < START + LENGTH;
        float wanted = plays ? samples[region.offset + clip % loop_length] : 0.0f;
        ck_assert_msg(got[i] == wanted, "loop of %lld, frame %lld: %a, wanted %a", (long long)loop_length, (long long)i,
                      (double)got[i], (double)wanted);
    }
    free(got);
    close(media);
    close(output);
    graph_unref(graph);
    return reads;
}

START_TEST(loops_repeat_exactly)
{
    static const int64_t lengths[] = {1, 2, 3, 7, 1000, 1024, 4999, MEDIUM};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        render_loop(lengths[i], false);
        render_loop(lengths[i], true);
    }
}
END_TEST

/* A read for each repetition would be a seek for each in compressed media: minutes of work for a second of sound. */
START_TEST(a_short_loop_is_not_read_again_for_each_repetition)
{
    ck_assert_int_lt(render_loop(1, false), 200);
    ck_assert_int_lt(render_loop(1, true), 200);
}
END_TEST

/* ---- decoders: the linker puts these in front of the engine's (meson.build) ---- */

#define OVERLAPPING 300
#define STREAM_LENGTH 9000
#define DECODERS_MAX 256 /* engine/run/pass_run.c */

static _Atomic int decoders_open;
static _Atomic int decoders_most;

enum lh_status __real_engine_decoder_new(const struct engine_media *media, struct engine_decoder **decoder,
                                         struct lh_error *error);
enum lh_status __wrap_engine_decoder_new(const struct engine_media *media, struct engine_decoder **decoder,
                                         struct lh_error *error);
void __real_engine_decoder_free(struct engine_decoder *decoder);
void __wrap_engine_decoder_free(struct engine_decoder *decoder);

enum lh_status __wrap_engine_decoder_new(const struct engine_media *media, struct engine_decoder **decoder,
                                         struct lh_error *error)
{
    enum lh_status status = __real_engine_decoder_new(media, decoder, error);
    if (status == LH_OK) {
        int open = atomic_fetch_add(&decoders_open, 1) + 1;
        int most = atomic_load(&decoders_most);
        while (open > most && !atomic_compare_exchange_weak(&decoders_most, &most, open)) {
        }
    }
    return status;
}

void __wrap_engine_decoder_free(struct engine_decoder *decoder)
{
    if (decoder != NULL) {
        atomic_fetch_sub(&decoders_open, 1);
    }
    __real_engine_decoder_free(decoder);
}

/* The same samples as a 16-bit FLAC file, by the engine itself. */
static int to_flac(int wav)
{
    struct graph_builder *builder = graphs_builder();
    uint32_t node = graphs_clip(builder, graphs_media(builder, 1, STREAM_LENGTH), 1, 0, STREAM_LENGTH, "clips");
    struct graph_deliverable flac = graphs_deliverable("flac", node, 0, STREAM_LENGTH);
    flac.format = GRAPH_FORMAT_FLAC;
    flac.bit_depth = 16;
    flac.dither = GRAPH_DITHER_NONE;
    graphs_deliver(builder, &flac);
    const struct graph *graph = graphs_finish(builder);
    int output;
    struct engine_delivered delivered;
    struct engine_render_result result = {.delivered = &delivered};
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_int_eq(graphs_render(graph, &wav, 1, 0, &output, &result, &error), LH_OK);
    graph_unref(graph);
    return output;
}

/* OVERLAPPING regions over `nodes` nodes, all playing at once for a while, every third one backwards. */
static float *render_overlapping(int media, uint32_t nodes, uint32_t threads, size_t *frames)
{
    struct graph_builder *builder = graphs_builder();
    uint32_t medium = graphs_media(builder, 1, STREAM_LENGTH);
    uint32_t clips[2];
    struct graph_region regions[OVERLAPPING];
    uint32_t count = OVERLAPPING / nodes;
    for (uint32_t n = 0; n < nodes; n++) {
        for (uint32_t i = 0; i < count; i++) {
            regions[i] = (struct graph_region){.media = medium,
                                               .start = (int64_t)(i * 7 + n),
                                               .length = STREAM_LENGTH - (int64_t)(i * 5),
                                               .gain = 0x1p-8f,
                                               .reverse = i % 3 == 0,
                                               .fade_in = GRAPH_NONE,
                                               .fade_out = GRAPH_NONE};
        }
        ck_assert_int_eq(graph_builder_add_clips(builder, 1, false, regions, count, "clips", &clips[n]), LH_OK);
    }
    uint32_t bus = graphs_bus(builder, 1, clips, nodes, "bus");
    struct graph_deliverable mix = graphs_deliverable("mix", bus, 0, STREAM_LENGTH + OVERLAPPING * 7);
    graphs_deliver(builder, &mix);
    const struct graph *graph = graphs_finish(builder);
    int output;
    struct engine_delivered delivered;
    struct engine_render_result result = {.delivered = &delivered};
    struct lh_error error = LH_ERROR_INIT;
    enum lh_status status = graphs_render(graph, &media, threads, 1024, &output, &result, &error);
    ck_assert_msg(status == LH_OK, "%s: %s", error.where, error.message);
    graph_unref(graph);
    float *samples = graphs_samples(output, 1, frames);
    close(output);
    return samples;
}

START_TEST(many_streams_at_once_need_few_decoders)
{
    float samples[STREAM_LENGTH];
    uint32_t state = 1;
    for (size_t i = 0; i < STREAM_LENGTH; i++) {
        state = state * 1664525u + 1013904223u;
        samples[i] = (float)((int32_t)state >> 16) * 0x1p-15f;
    }
    int wav = graphs_wav(samples, STREAM_LENGTH, 1);
    int flac = to_flac(wav);
    for (uint32_t nodes = 1; nodes <= 2; nodes++) {
        size_t frames;
        size_t wanted_frames;
        float *wanted = render_overlapping(wav, nodes, 2, &wanted_frames);
        ck_assert_int_eq(decoders_most, 0);
        float *got = render_overlapping(flac, nodes, 2, &frames);
        ck_assert_uint_eq(frames, wanted_frames);
        ck_assert_mem_eq(got, wanted, frames * sizeof *got);
        /* One more for each node while it reads. */
        ck_assert_int_gt(decoders_most, DECODERS_MAX / 2);
        ck_assert_int_le(decoders_most, DECODERS_MAX + (int)nodes);
        ck_assert_int_eq(decoders_open, 0);
        decoders_most = 0;
        free(wanted);
        free(got);
    }
    close(wav);
    close(flac);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("engine/run/clips");
    TCase *tests = tcase_create("clips");
    tcase_add_test(tests, loops_repeat_exactly);
    tcase_add_test(tests, a_short_loop_is_not_read_again_for_each_repetition);
    tcase_add_test(tests, many_streams_at_once_need_few_decoders);
    tcase_set_timeout(tests, 60);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
