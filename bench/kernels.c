/* SPDX-License-Identifier: MIT */
/* bench/kernels: how fast each kernel of each set is, in 10^9 samples a second on data in the second cache. */
#include <ebur128.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/dsp/fpenv.h"
#include "engine/dsp/kernels.h"
#include "engine/dsp/quantise.h"
#include "engine/dsp/true_peak.h"

#define FRAMES 16384
#define CHANNELS_MOST 8
#define SAMPLES (FRAMES * CHANNELS_MOST)
#define STEREO_SAMPLES (FRAMES * 2)
#define ROUND_SECONDS 0.03
#define ROUNDS 5

struct data {
    const struct engine_kernels *kernels;
    int64_t *sum, *part;
    float *in, *out, *curve;
    uint8_t *bytes;
    int32_t *integers;
    uint32_t *states;
    float gains[GRAPH_CHANNELS_MAX], peaks[GRAPH_CHANNELS_MAX];
    size_t channels;
    enum engine_sample_format format;
};

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* The best of some rounds, each long enough for the clock. */
static void measure(const char *name, void (*run)(struct data *), struct data *data, double samples)
{
    double best = 0;
    for (int round = 0; round < ROUNDS; round++) {
        double start = seconds(), elapsed = 0;
        unsigned runs = 0;
        do {
            run(data);
            runs++;
            elapsed = seconds() - start;
        } while (elapsed < ROUND_SECONDS);
        best = fmax(best, runs * samples / elapsed);
    }
    printf("%-6s %-28s %7.2f G samples/s\n", data->kernels->name, name, best * 1e-9);
}

static void run_decode(struct data *d)
{
    d->kernels->decode[d->format](d->out, d->bytes, STEREO_SAMPLES);
}

static void run_gain(struct data *d)
{
    d->kernels->gain(d->out, d->in, STEREO_SAMPLES / d->channels, d->channels, d->gains);
}

static void run_gain_in_place(struct data *d)
{
    d->kernels->gain(d->out, d->out, FRAMES, 2, d->gains);
}

static void run_multiply(struct data *d)
{
    d->kernels->multiply(d->out, d->in, d->curve, STEREO_SAMPLES);
}

static void run_accumulate(struct data *d)
{
    if (!d->kernels->accumulate(d->sum, d->in, STEREO_SAMPLES)) {
        abort();
    }
}

static void run_accumulate_gain(struct data *d)
{
    if (!d->kernels->accumulate_gain(d->sum, d->in, STEREO_SAMPLES / d->channels, d->channels, d->gains)) {
        abort();
    }
}

static void run_accumulate_pan(struct data *d)
{
    if (!d->kernels->accumulate_pan(d->sum, d->in, FRAMES, d->gains)) {
        abort();
    }
}

static void run_accumulate_s16(struct data *d)
{
    d->kernels->accumulate_s16(d->sum, d->bytes, STEREO_SAMPLES / d->channels, d->channels, d->gains);
}

static void run_accumulate_s24(struct data *d)
{
    d->kernels->accumulate_s24(d->sum, d->bytes, STEREO_SAMPLES / d->channels, d->channels, d->gains);
}

static void run_add(struct data *d)
{
    d->kernels->add(d->sum, d->part, STEREO_SAMPLES);
}

static void run_complete(struct data *d)
{
    if (!d->kernels->complete(d->out, d->part, STEREO_SAMPLES, false)) {
        abort();
    }
}

static void run_peak(struct data *d)
{
    d->kernels->peak(d->peaks, d->in, FRAMES, 2);
}

static void run_true_peak(struct data *d)
{
    d->kernels->true_peak(d->peaks, d->in, FRAMES - ENGINE_TRUE_PEAK_HISTORY, 2, 4);
}

static void run_quantise(struct data *d)
{
    d->kernels->quantise(d->integers, d->in, d->states, STEREO_SAMPLES, 16);
}

static void run_quantise_packed(struct data *d)
{
    struct engine_quantiser quantiser = {.bits = 24, .dither = true, .seed = 1, .channels = 2};
    engine_quantise_packed(&quantiser, 0, d->bytes, d->in, FRAMES);
}

static void run_curve(struct data *d)
{
    const struct graph_point points[] = {{0, 0.0f}, {FRAMES * 2, 1.0f}};
    const struct graph_curve curve = {0, 2};
    const struct graph graph = {.points = points, .point_count = 2, .curves = &curve, .curve_count = 1};
    engine_curve_fill(&graph, 0, 0, FRAMES * 2, d->curve, 1);
}

/* The whole meter beside libebur128's. */
static void run_meter(struct data *d)
{
    struct engine_true_peak *meter = NULL;
    if (engine_true_peak_new(2, 48000, &meter) != LH_OK) {
        abort();
    }
    engine_true_peak_add(meter, d->in, FRAMES);
    d->peaks[0] = engine_true_peak_get(meter, 0);
    engine_true_peak_free(meter);
}

static void run_ebur128(struct data *d)
{
    ebur128_state *state = ebur128_init(2, 48000, EBUR128_MODE_TRUE_PEAK);
    if (state == NULL || ebur128_add_frames_float(state, d->in, FRAMES) != EBUR128_SUCCESS) {
        abort();
    }
    ebur128_destroy(&state);
}

static void bench_decoding(struct data *data)
{
    static const char *const names[ENGINE_SAMPLE_FORMAT_COUNT] = {
        "decode u8",     "decode s8",     "decode s16 le", "decode s16 be", "decode s24 le", "decode s24 be",
        "decode s32 le", "decode s32 be", "decode f32 le", "decode f32 be", "decode f64 le", "decode f64 be"};
    for (int format = 0; format < ENGINE_SAMPLE_FORMAT_COUNT; format++) {
        data->format = (enum engine_sample_format)format;
        measure(names[format], run_decode, data, STEREO_SAMPLES);
    }
}

static void bench_set(struct data *data)
{
    bench_decoding(data);
    data->channels = 2;
    measure("gain", run_gain, data, STEREO_SAMPLES);
    measure("gain in place", run_gain_in_place, data, STEREO_SAMPLES);
    measure("multiply", run_multiply, data, STEREO_SAMPLES);
    measure("accumulate", run_accumulate, data, STEREO_SAMPLES);
    measure("accumulate gain", run_accumulate_gain, data, STEREO_SAMPLES);
    measure("accumulate pan", run_accumulate_pan, data, STEREO_SAMPLES);
    measure("accumulate s16", run_accumulate_s16, data, STEREO_SAMPLES);
    measure("accumulate s24", run_accumulate_s24, data, STEREO_SAMPLES);
    data->channels = 6;
    const double whole = STEREO_SAMPLES / 6 * 6;
    measure("gain, 6 channels", run_gain, data, whole);
    measure("accumulate gain, 6 channels", run_accumulate_gain, data, whole);
    measure("accumulate s24, 6 channels", run_accumulate_s24, data, whole);
    measure("add", run_add, data, STEREO_SAMPLES);
    measure("complete", run_complete, data, STEREO_SAMPLES);
    measure("peak", run_peak, data, STEREO_SAMPLES);
    measure("true peak", run_true_peak, data, STEREO_SAMPLES);
    measure("quantise", run_quantise, data, STEREO_SAMPLES);
}

/* Zeros, on a cache line's border like the engine's blocks. */
static void *block(size_t count, size_t size)
{
    void *memory = aligned_alloc(64, count * size);
    if (memory == NULL) {
        fputs("kernels: out of memory\n", stderr);
        exit(1);
    }
    memset(memory, 0, count * size);
    return memory;
}

int main(void)
{
    struct data data = {0};
    data.sum = block(SAMPLES, sizeof *data.sum);
    data.part = block(SAMPLES, sizeof *data.part);
    data.in = block(SAMPLES, sizeof *data.in);
    data.out = block(SAMPLES, sizeof *data.out);
    data.curve = block(SAMPLES, sizeof *data.curve);
    data.bytes = block(SAMPLES, sizeof(double));
    data.integers = block(SAMPLES, sizeof *data.integers);
    data.states = block(SAMPLES, sizeof *data.states);
    for (size_t i = 0; i < SAMPLES; i++) {
        data.in[i] = (float)sin((double)i * 0.01) * 0.5f;
        data.curve[i] = 0.75f;
        data.states[i] = (uint32_t)i * UINT32_C(0x9e3779b1);
    }
    for (size_t i = 0; i < GRAPH_CHANNELS_MAX; i++) {
        data.gains[i] = 0.5f + (float)i * 0.01f;
    }
    engine_fpenv_enter();
    const char *const sets[] = {"c", "avx2"};
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        data.kernels = engine_kernels_named(sets[i]);
        if (data.kernels != NULL) {
            bench_set(&data);
        }
    }
    data.kernels = engine_kernels_best();
    measure("quantise packed 24, dither", run_quantise_packed, &data, STEREO_SAMPLES);
    measure("true peak meter", run_meter, &data, STEREO_SAMPLES);
    measure("true peak of libebur128", run_ebur128, &data, STEREO_SAMPLES);
    measure("curve, ramp", run_curve, &data, FRAMES * 2);
    free(data.sum);
    free(data.part);
    free(data.in);
    free(data.out);
    free(data.curve);
    free(data.bytes);
    free(data.integers);
    free(data.states);
    return 0;
}
