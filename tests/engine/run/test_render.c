/* SPDX-License-Identifier: MIT */
/* A render as a whole, on small graphs: what comes out, what is named when something is wrong, and what a tail is. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "engine/run/conformed.h"
#include "tests/support/graphs.h"
#include "tests/support/testing.h"

#define LENGTH 40000

/* Noise that has bits below the exact grid of 2^-40. */
static float *noise(size_t count, uint32_t seed)
{
    float *samples = malloc(count * sizeof *samples);
    ck_assert_ptr_nonnull(samples);
    for (size_t i = 0; i < count; i++) {
        seed = seed * 1664525u + 1013904223u;
        samples[i] = (float)(int32_t)seed * 0x1p-32f * (i % 3 == 0 ? 0x1p-20f : 0.9f);
    }
    return samples;
}

static double on_grid(double x)
{
    return rint(x * 0x1p40) * 0x1p-40;
}

START_TEST(a_sum_is_exact_on_the_grid)
{
    float *a = noise(2 * LENGTH, 1);
    float *b = noise(2 * LENGTH, 2);
    int media[2] = {graphs_wav(a, LENGTH, 2), graphs_wav(b, LENGTH, 2)};
    struct graph_builder *builder = graphs_builder();
    uint32_t inputs[2];
    for (uint32_t m = 0; m < 2; m++) {
        uint32_t clip = graphs_clip(builder, graphs_media(builder, 2, LENGTH), 2, 0, LENGTH, "clips");
        inputs[m] = graphs_gain(builder, clip, 2, m == 0 ? (float[]){0.3f, 0.7f} : (float[]){1.1f, 0.01f}, "fader");
    }
    struct graph_deliverable mix = graphs_deliverable("mix", graphs_bus(builder, 2, inputs, 2, "bus"), 0, LENGTH);
    graphs_deliver(builder, &mix);
    const struct graph *graph = graphs_finish(builder);
    int output;
    struct engine_delivered delivered;
    struct engine_render_result result = {.delivered = &delivered};
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_int_eq(graphs_render(graph, media, 2, 0, &output, &result, &error), LH_OK);
    size_t frames;
    float *got = graphs_samples(output, 2, &frames);
    ck_assert_uint_eq(frames, LENGTH);
    for (size_t i = 0; i < 2 * LENGTH; i++) {
        float clip_a = (float)on_grid((double)a[i]);
        float clip_b = (float)on_grid((double)b[i]);
        float from_a = clip_a * (i % 2 == 0 ? 0.3f : 0.7f);
        float from_b = clip_b * (i % 2 == 0 ? 1.1f : 0.01f);
        float wanted = (float)(on_grid((double)from_a) + on_grid((double)from_b));
        ck_assert_msg(got[i] == wanted, "sample %zu: %a, wanted %a", i, (double)got[i], (double)wanted);
    }
    ck_assert_uint_eq(delivered.file.frames, LENGTH);
    free(got);
    free(a);
    free(b);
    close(media[0]);
    close(media[1]);
    close(output);
    graph_unref(graph);
}
END_TEST

/* Renders one mono medium through one CLIPS node and reports how it failed. */
static struct lh_error render_bad_medium(float *samples, float gain, enum lh_status wanted)
{
    int media = graphs_wav(samples, LENGTH, 1);
    struct graph_builder *builder = graphs_builder();
    uint32_t clip = graphs_clip(builder, graphs_media(builder, 1, LENGTH), 1, 5000, LENGTH, "track vox, clips");
    uint32_t fader = graphs_gain(builder, clip, 1, &gain, "track vox, fader");
    struct graph_deliverable mix =
        graphs_deliverable("mix", graphs_bus(builder, 1, &fader, 1, "bus"), 0, 5000 + LENGTH);
    graphs_deliver(builder, &mix);
    const struct graph *graph = graphs_finish(builder);
    int output;
    struct engine_delivered delivered;
    struct engine_render_result result = {.delivered = &delivered};
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_int_eq(graphs_render(graph, &media, 2, 1024, &output, &result, &error), wanted);
    graph_unref(graph);
    close(media);
    close(output);
    return error;
}

START_TEST(a_fault_names_track_node_and_frame)
{
    float *samples = noise(LENGTH, 3);
    samples[12345] = NAN;
    struct lh_error error = render_bad_medium(samples, 0.5f, LH_ERR_FAULT);
    ck_assert_ptr_nonnull(strstr(error.where, "track vox, clips"));
    ck_assert_ptr_nonnull(strstr(error.where, "frame 17345"));
    ck_assert_ptr_nonnull(strstr(error.message, "NaN"));
    samples[12345] = INFINITY;
    error = render_bad_medium(samples, 0.5f, LH_ERR_FAULT);
    ck_assert_ptr_nonnull(strstr(error.message, "infinite"));
    samples[12345] = 1.0f;
    error = render_bad_medium(samples, 3000.0f, LH_ERR_FAULT);
    ck_assert_ptr_nonnull(strstr(error.where, "track vox, fader"));
    ck_assert_ptr_nonnull(strstr(error.message, "+66 dBFS"));
    free(samples);
}
END_TEST

/* A stem is its fader: no sum comes after it that would notice. */
START_TEST(a_delivered_gain_is_judged_too)
{
    float *samples = noise(LENGTH, 3);
    samples[12345] = 1.0f;
    int media = graphs_wav(samples, LENGTH, 1);
    struct graph_builder *builder = graphs_builder();
    uint32_t clip = graphs_clip(builder, graphs_media(builder, 1, LENGTH), 1, 0, LENGTH, "track vox, clips");
    uint32_t fader = graphs_gain(builder, clip, 1, &(float){2048.0f}, "track vox, post fader");
    struct graph_deliverable stem = graphs_deliverable("stem", fader, 0, LENGTH);
    graphs_deliver(builder, &stem);
    const struct graph *graph = graphs_finish(builder);
    int output;
    struct engine_delivered delivered;
    struct engine_render_result result = {.delivered = &delivered};
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_int_eq(graphs_render(graph, &media, 2, 1024, &output, &result, &error), LH_ERR_FAULT);
    ck_assert_str_eq(error.where, "track vox, post fader, frame 12345, channel 1");
    graph_unref(graph);
    close(media);
    close(output);
    free(samples);
}
END_TEST

START_TEST(partial_sums_past_full_scale_are_not_judged)
{
    /* 1500 + 1500 is past 2^11, but the completed sum, 1500 + 1500 - 1500, is not */
    float samples[1024];
    for (size_t i = 0; i < 1024; i++) {
        samples[i] = 1.0f;
    }
    int media = graphs_wav(samples, 1024, 1);
    struct graph_builder *builder = graphs_builder();
    uint32_t clip = graphs_clip(builder, graphs_media(builder, 1, 1024), 1, 0, 1024, "clips");
    uint32_t loud = graphs_gain(builder, clip, 1, &(float){1500.0f}, "loud");
    uint32_t other = graphs_gain(builder, clip, 1, &(float){-1500.0f}, "other");
    uint32_t part;
    ck_assert_int_eq(
        graph_builder_add_sum(builder, GRAPH_NODE_PARTIAL, 1, false, (uint32_t[]){loud, loud}, 2, "part", &part),
        LH_OK);
    struct graph_deliverable mix =
        graphs_deliverable("mix", graphs_bus(builder, 1, (uint32_t[]){part, other}, 2, "bus"), 0, 1024);
    graphs_deliver(builder, &mix);
    const struct graph *graph = graphs_finish(builder);
    int output;
    struct engine_delivered delivered;
    struct engine_render_result result = {.delivered = &delivered};
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_int_eq(graphs_render(graph, &media, 1, 0, &output, &result, &error), LH_OK);
    size_t frames;
    float *got = graphs_samples(output, 1, &frames);
    ck_assert(got[0] == 1500.0f);
    free(got);
    close(media);
    close(output);
    graph_unref(graph);
}
END_TEST

START_TEST(a_tail_ends_where_its_hold_began)
{
    float *samples = noise(LENGTH, 4);
    int media = graphs_wav(samples, LENGTH, 1);
    struct graph_builder *builder = graphs_builder();
    uint32_t clip = graphs_clip(builder, graphs_media(builder, 1, LENGTH), 1, 0, LENGTH, "clips");
    struct graph_deliverable mix = graphs_deliverable("mix", clip, 0, 30000);
    mix.tail = GRAPH_TAIL_UNTIL;
    mix.tail_frames = 96000;
    mix.tail_hold = 4800;
    mix.tail_level = 0.001f;
    graphs_deliver(builder, &mix);
    mix.name = "fixed";
    mix.tail = GRAPH_TAIL_FRAMES;
    mix.tail_frames = 7000;
    graphs_deliver(builder, &mix);
    const struct graph *graph = graphs_finish(builder);
    int outputs[2];
    struct engine_delivered delivered[2];
    struct engine_render_result result = {.delivered = delivered};
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_int_eq(graphs_render(graph, &media, 2, 2048, outputs, &result, &error), LH_OK);
    /* the sources fall silent at the range's end, so a native tail is silence: its hold begins at once */
    ck_assert_int_eq(delivered[0].tail_frames, 0);
    ck_assert_uint_eq(delivered[0].file.frames, 30000);
    ck_assert_uint_eq(delivered[1].file.frames, 37000);
    size_t frames;
    float *got = graphs_samples(outputs[1], 1, &frames);
    for (size_t i = 30000; i < 37000; i++) {
        ck_assert(got[i] == 0.0f);
    }
    free(got);
    free(samples);
    close(media);
    close(outputs[0]);
    close(outputs[1]);
    graph_unref(graph);
}
END_TEST

START_TEST(loudness_is_reached_or_held_by_the_peak)
{
    float *samples = malloc(2 * 240000 * sizeof *samples);
    for (size_t i = 0; i < 240000; i++) {
        samples[2 * i] = samples[2 * i + 1] = 0.05f * (float)sin(0.13 * (double)i);
    }
    int media = graphs_wav(samples, 240000, 2);
    struct graph_builder *builder = graphs_builder();
    uint32_t clip = graphs_clip(builder, graphs_media(builder, 2, 240000), 2, 0, 240000, "clips");
    struct graph_deliverable mix = graphs_deliverable("free", clip, 0, 240000);
    mix.has_integrated = true;
    mix.integrated_lufs = -20;
    graphs_deliver(builder, &mix);
    mix.name = "held";
    mix.integrated_lufs = -3;
    mix.has_true_peak = true;
    mix.true_peak_dbtp = -6;
    uint32_t held = graphs_deliver(builder, &mix);
    struct graph_deliverable follow = graphs_deliverable("follow", clip, 0, 240000);
    follow.gain_from = held;
    graphs_deliver(builder, &follow);
    const struct graph *graph = graphs_finish(builder);
    int outputs[3];
    struct engine_delivered delivered[3];
    struct engine_render_result result = {.delivered = delivered};
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_int_eq(graphs_render(graph, &media, 2, 0, outputs, &result, &error), LH_OK);
    ck_assert_double_eq_tol(delivered[0].reached.integrated_lufs, -20, 0.01);
    ck_assert_double_le(delivered[1].reached.true_peak_dbtp, -6.0);
    ck_assert_double_ge(delivered[1].reached.true_peak_dbtp, -6.01);
    ck_assert(delivered[2].gain_db == delivered[1].gain_db);
    ck_assert(lh_digest_equal(&delivered[1].file.samples, &delivered[2].file.samples));
    for (size_t d = 0; d < 3; d++) {
        close(outputs[d]);
    }
    free(samples);
    close(media);
    graph_unref(graph);
}
END_TEST

START_TEST(a_block_must_be_a_multiple_of_the_quantum)
{
    float samples[1] = {0};
    int media = graphs_wav(samples, 1, 1);
    struct graph_builder *builder = graphs_builder();
    struct graph_deliverable mix =
        graphs_deliverable("mix", graphs_clip(builder, graphs_media(builder, 1, 1), 1, 0, 1, "clips"), 0, 1);
    graphs_deliver(builder, &mix);
    const struct graph *graph = graphs_finish(builder);
    int output;
    struct engine_delivered delivered;
    struct engine_render_result result = {.delivered = &delivered};
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_int_eq(graphs_render(graph, &media, 1, 1000, &output, &result, &error), LH_ERR_USAGE);
    ck_assert_ptr_nonnull(strstr(error.message, "1024"));
    close(output);
    ck_assert_int_eq(graphs_render(graph, &media, 1, 2048, &output, &result, &error), LH_OK);
    close(output);
    close(media);
    graph_unref(graph);
}
END_TEST

/* The samples' digest when `given` stands for the medium; what the scratch file has for it goes to `kept`. */
static enum lh_status render_given(const struct graph *graph, int media, int given, int kept, uint64_t *conformed,
                                   struct lh_digest *samples)
{
    struct engine_progress progress = {.done = 0};
    struct engine_delivered delivered;
    struct engine_render_result result = {.delivered = &delivered};
    struct lh_error error = LH_ERROR_INIT;
    int output = memfd_create("output", MFD_CLOEXEC), scratch = memfd_create("scratch", MFD_CLOEXEC);
    struct engine_render_job job = {.graph = graph,
                                    .media_fds = &media,
                                    .conformed_fds = &given,
                                    .output_fds = &output,
                                    .scratch_fd = scratch,
                                    .threads = 2,
                                    .progress = &progress,
                                    .clock = lh_clock_monotonic_ns,
                                    .report = true};
    enum lh_status status = engine_render(&job, &result, &error);
    if (status == LH_OK) {
        *conformed = result.conformed_media;
        *samples = delivered.file.samples;
        ck_assert_uint_eq(progress.done, progress.total);
        static char bytes[LENGTH * 2 * sizeof(float)];
        if (kept >= 0) {
            ck_assert_uint_eq(engine_conformed_size(&graph->media[0]), sizeof bytes);
            ck_assert_int_eq(pread(scratch, bytes, sizeof bytes, 0), (ssize_t)sizeof bytes);
            ck_assert_int_eq(pwrite(kept, bytes, sizeof bytes, 0), (ssize_t)sizeof bytes);
        }
    } else {
        ck_assert_str_eq(error.where, "media medium");
    }
    close(output);
    close(scratch);
    return status;
}

START_TEST(a_medium_that_is_given_conformed_gives_the_same_bits)
{
    float *samples = noise(2 * LENGTH, 7);
    int media = graphs_wav(samples, LENGTH, 2), kept = memfd_create("kept", MFD_CLOEXEC);
    struct graph_builder *builder = graphs_builder();
    struct graph_media medium = {.channels = 2,
                                 .rate = 48000,
                                 .frames = LENGTH,
                                 .length = LENGTH,
                                 .conform = GRAPH_CONFORM_DECODE,
                                 .name = "medium"};
    uint32_t index;
    ck_assert_int_eq(graph_builder_add_media(builder, &medium, &index), LH_OK);
    struct graph_deliverable mix =
        graphs_deliverable("mix", graphs_clip(builder, index, 2, 0, LENGTH, "clips"), 0, LENGTH);
    graphs_deliver(builder, &mix);
    const struct graph *graph = graphs_finish(builder);
    struct lh_digest first, second;
    uint64_t conformed = 0;
    ck_assert_int_eq(render_given(graph, media, -1, kept, &conformed, &first), LH_OK);
    ck_assert_uint_eq(conformed, 1);
    ck_assert_int_eq(render_given(graph, -1, kept, -1, &conformed, &second), LH_OK); /* the source is not looked at */
    ck_assert_uint_eq(conformed, 0);
    ck_assert(lh_digest_equal(&first, &second));
    ck_assert_int_eq(ftruncate(kept, 100), 0);
    ck_assert_int_eq(render_given(graph, media, kept, -1, &conformed, &second), LH_ERR_IO);
    free(samples);
    close(kept);
    close(media);
    graph_unref(graph);
}
END_TEST

/* A region that plays the middle of a medium, once or in a loop: without a use for the rest nothing of it is made. */
START_TEST(media_are_conformed_as_far_as_they_are_played)
{
    enum { FRAMES = 400000, OFFSET = 1000, PLAYED = 3000, LOOP = 500 };
    float *samples = noise(FRAMES, 11);
    int media = graphs_wav(samples, FRAMES, 1), given = -1;
    for (int round = 0; round < 3; round++) {
        struct graph_builder *builder = graphs_builder();
        struct graph_media medium = {.channels = 1,
                                     .rate = 48000,
                                     .frames = FRAMES,
                                     .length = FRAMES,
                                     .conform = GRAPH_CONFORM_DECODE,
                                     .name = "medium"};
        struct graph_region region = {.length = PLAYED,
                                      .offset = OFFSET,
                                      .loop_length = round == 1 ? LOOP : 0,
                                      .reverse = round == 1,
                                      .gain = 1.0f,
                                      .fade_in = GRAPH_NONE,
                                      .fade_out = GRAPH_NONE};
        uint32_t node;
        ck_assert_int_eq(graph_builder_add_media(builder, &medium, &region.media), LH_OK);
        ck_assert_int_eq(graph_builder_add_clips(builder, 1, false, &region, 1, "clips", &node), LH_OK);
        struct graph_deliverable mix = graphs_deliverable("mix", node, 0, PLAYED);
        graphs_deliver(builder, &mix);
        const struct graph *graph = graphs_finish(builder);
        struct engine_progress progress = {.cancel = 0};
        int output = memfd_create("output", MFD_CLOEXEC), scratch = memfd_create("scratch", MFD_CLOEXEC);
        struct engine_render_job job = {.graph = graph,
                                        .media_fds = &media,
                                        .conformed_fds = round == 2 ? &given : NULL,
                                        .output_fds = &output,
                                        .scratch_fd = scratch,
                                        .threads = 1,
                                        .progress = &progress,
                                        .clock = lh_clock_monotonic_ns};
        struct engine_delivered delivered;
        struct engine_render_result result = {.delivered = &delivered};
        ck_assert_int_eq(engine_render(&job, &result, NULL), LH_OK);
        ck_assert_uint_eq(progress.done, progress.total);
        off_t whole = FRAMES * (off_t)sizeof *samples;
        off_t size = lseek(scratch, 0, SEEK_END);
        ck_assert(round == 2 ? size == whole : size < whole / 2);
        size_t frames;
        float *got = graphs_samples(output, 1, &frames);
        ck_assert_uint_eq(frames, PLAYED);
        for (size_t i = 0; i < PLAYED; i++) {
            size_t at = OFFSET + (round == 1 ? (PLAYED - 1 - i) % LOOP : i);
            ck_assert(got[i] == (float)on_grid((double)samples[at]));
        }
        free(got);
        close(output);
        close(scratch);
        graph_unref(graph);
    }
    free(samples);
    close(media);
}
END_TEST

static _Atomic int counted_quantise, counted_peak, counted_true_peak, counted_complete;

static uint64_t count_quantise(int32_t *out, const float *in, const uint32_t *states, size_t count, unsigned bits)
{
    atomic_fetch_add(&counted_quantise, 1);
    return engine_kernels_c()->quantise(out, in, states, count, bits);
}

static void count_peak(float *peaks, const float *in, size_t frames, size_t channels)
{
    atomic_fetch_add(&counted_peak, 1);
    engine_kernels_c()->peak(peaks, in, frames, channels);
}

static void count_true_peak(float *peaks, const float *in, size_t frames, size_t channels, unsigned factor)
{
    atomic_fetch_add(&counted_true_peak, 1);
    engine_kernels_c()->true_peak(peaks, in, frames, channels, factor);
}

static bool count_complete(float *out, const int64_t *sum, size_t count, bool invert)
{
    atomic_fetch_add(&counted_complete, 1);
    return engine_kernels_c()->complete(out, sum, count, invert);
}

START_TEST(the_kernels_of_the_job_serve_mix_meters_and_encoders)
{
    float *samples = noise(2 * LENGTH, 9);
    int media = graphs_wav(samples, LENGTH, 2);
    struct graph_builder *builder = graphs_builder();
    uint32_t clip = graphs_clip(builder, graphs_media(builder, 2, LENGTH), 2, 0, LENGTH, "clips");
    struct graph_deliverable mix = graphs_deliverable("mix", clip, 0, LENGTH);
    mix.bit_depth = 16;
    graphs_deliver(builder, &mix);
    const struct graph *graph = graphs_finish(builder);
    struct engine_kernels counting = *engine_kernels_c();
    counting.quantise = count_quantise;
    counting.peak = count_peak;
    counting.true_peak = count_true_peak;
    counting.complete = count_complete;
    struct engine_progress progress = {.cancel = 0};
    int output = memfd_create("output", MFD_CLOEXEC), scratch = memfd_create("scratch", MFD_CLOEXEC);
    struct engine_render_job job = {.graph = graph,
                                    .media_fds = &media,
                                    .output_fds = &output,
                                    .scratch_fd = scratch,
                                    .threads = 2,
                                    .progress = &progress,
                                    .clock = lh_clock_monotonic_ns,
                                    .report = true,
                                    .kernels = &counting};
    struct engine_delivered delivered;
    struct engine_render_result result = {.delivered = &delivered};
    ck_assert_int_eq(engine_render(&job, &result, NULL), LH_OK);
    ck_assert_int_gt(counted_quantise, 0);
    ck_assert_int_gt(counted_peak, 0);
    ck_assert_int_gt(counted_true_peak, 0);
    ck_assert_int_gt(counted_complete, 0);
    struct lh_digest first = delivered.file.samples;
    counted_quantise = counted_peak = counted_true_peak = counted_complete = 0;
    job.kernels = NULL;
    ck_assert_int_eq(engine_render(&job, &result, NULL), LH_OK);
    ck_assert_int_eq(counted_quantise + counted_peak + counted_true_peak + counted_complete, 0);
    ck_assert(lh_digest_equal(&first, &delivered.file.samples));
    free(samples);
    close(media);
    close(output);
    close(scratch);
    graph_unref(graph);
}
END_TEST

static _Atomic uint64_t slow_ns, computed_ns;

static uint64_t slow_clock(void)
{
    return atomic_fetch_add(&slow_ns, 1000000);
}

static uint64_t cpu_clock(void)
{
    return atomic_fetch_add(&computed_ns, 40000);
}

START_TEST(waiting_for_a_processor_is_no_work)
{
    float *samples = noise(2 * LENGTH, 5);
    int media = graphs_wav(samples, LENGTH, 2);
    struct graph_builder *builder = graphs_builder();
    uint32_t clip = graphs_clip(builder, graphs_media(builder, 2, LENGTH), 2, 0, LENGTH, "clips");
    struct graph_deliverable mix = graphs_deliverable("mix", clip, 0, LENGTH);
    graphs_deliver(builder, &mix);
    const struct graph *graph = graphs_finish(builder);
    struct engine_progress progress = {.cancel = 0};
    int output = memfd_create("output", MFD_CLOEXEC), scratch = memfd_create("scratch", MFD_CLOEXEC);
    struct engine_render_job job = {.graph = graph,
                                    .media_fds = &media,
                                    .output_fds = &output,
                                    .scratch_fd = scratch,
                                    .threads = 2,
                                    .progress = &progress,
                                    .clock = slow_clock,
                                    .cpu_clock = cpu_clock,
                                    .report = true};
    struct engine_delivered delivered;
    struct engine_render_result result = {.delivered = &delivered};
    ck_assert_int_eq(engine_render(&job, &result, NULL), LH_OK);
    const struct engine_times *times = &result.times;
    ck_assert_double_gt(times->mix, 0);
    ck_assert_double_gt(times->encode, 0);
    ck_assert_double_eq_tol(times->conform + times->mix + times->plugins + times->meter + times->encode, 40e-6, 1e-12);
    ck_assert_double_ge(times->wall, 2e-3); /* which waits */
    job.cpu_clock = NULL;
    ck_assert_int_eq(engine_render(&job, &result, NULL), LH_OK);
    ck_assert_double_ge(times->mix + times->meter + times->encode, 2e-3);
    free(samples);
    close(media);
    close(output);
    close(scratch);
    graph_unref(graph);
}
END_TEST

START_TEST(memory_that_runs_out_is_a_status)
{
    float *samples = noise(2 * LENGTH, 5);
    int media = graphs_wav(samples, LENGTH, 2);
    struct graph_builder *builder = graphs_builder();
    struct graph_media medium = {.channels = 2,
                                 .rate = 48000,
                                 .frames = LENGTH,
                                 .length = LENGTH,
                                 .conform = GRAPH_CONFORM_DECODE,
                                 .name = "medium"};
    uint32_t conformed;
    ck_assert_int_eq(graph_builder_add_media(builder, &medium, &conformed), LH_OK);
    uint32_t clip = graphs_clip(builder, conformed, 2, 0, LENGTH, "clips");
    struct graph_deliverable mix = graphs_deliverable("mix", clip, 0, LENGTH);
    mix.has_integrated = true;
    mix.integrated_lufs = -20;
    graphs_deliver(builder, &mix);
    const struct graph *graph = graphs_finish(builder);
    for (size_t n = 1; n < 10000; n++) {
        int output;
        struct engine_delivered delivered;
        struct engine_render_result result = {.delivered = &delivered};
        struct lh_error error = LH_ERROR_INIT;
        testing_fail_allocation(n);
        enum lh_status status = graphs_render(graph, &media, 2, 0, &output, &result, &error);
        bool failed = testing_fail_allocation_end();
        close(output);
        if (!failed) {
            ck_assert_int_eq(status, LH_OK);
            break;
        }
        ck_assert_msg(status == LH_ERR_NO_MEMORY, "allocation %zu: %s", n, lh_status_text(status));
        ck_assert_msg(error.message[0] != '\0', "allocation %zu fails without a word", n);
    }
    free(samples);
    close(media);
    graph_unref(graph);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("engine/run/render");
    TCase *tests = tcase_create("render");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, a_sum_is_exact_on_the_grid);
    tcase_add_test(tests, a_fault_names_track_node_and_frame);
    tcase_add_test(tests, a_delivered_gain_is_judged_too);
    tcase_add_test(tests, partial_sums_past_full_scale_are_not_judged);
    tcase_add_test(tests, a_tail_ends_where_its_hold_began);
    tcase_add_test(tests, loudness_is_reached_or_held_by_the_peak);
    tcase_add_test(tests, a_block_must_be_a_multiple_of_the_quantum);
    tcase_add_test(tests, a_medium_that_is_given_conformed_gives_the_same_bits);
    tcase_add_test(tests, media_are_conformed_as_far_as_they_are_played);
    tcase_add_test(tests, the_kernels_of_the_job_serve_mix_meters_and_encoders);
    tcase_add_test(tests, waiting_for_a_processor_is_no_work);
    tcase_add_test(tests, memory_that_runs_out_is_a_status);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
