/* SPDX-License-Identifier: MIT */
/* bench/stored: what a cut costs. Stereo stems under faders are stored, and others go on from what was stored, beside
   the same render uncut and beside the bare reads and writes of the same bytes. Nanoseconds of CPU time for a frame of
   one stem, on one thread, medians of rounds that take turns.

   stored [STEMS] [SECONDS] [ROUNDS] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "engine/run/render.h"
#include "graph/builder.h"
#include "graph/span.h"

#define RATE 48000
#define WAV_HEADER 44
#define FRAME_BYTES 8                    /* stereo floats */
#define PIECE_BYTES ((size_t)128 * 1024) /* what a stride reads */
#define STEMS_MAX 256
#define ROUNDS_MAX 32
#define WAYS 7

static uint32_t stems = 16, rounds = 5;
static int64_t frames = 60 * RATE;
static int media[STEMS_MAX]; /* WAV, float */
static int stored[STEMS_MAX], sum = -1;

static void need(bool good, const char *what)
{
    if (!good) {
        fprintf(stderr, "stored: %s\n", what);
        exit(1);
    }
}

static void put32(uint8_t *at, uint32_t value)
{
    memcpy(at, &value, sizeof value);
}

static int make_stem(uint32_t index)
{
    size_t bytes = (size_t)frames * FRAME_BYTES;
    int fd = memfd_create("stem", MFD_CLOEXEC);
    uint8_t *file = malloc(WAV_HEADER + bytes);
    need(fd >= 0 && file != NULL, "no memory for the stems");
    memcpy(file, "RIFF....WAVEfmt ", 16);
    put32(file + 4, (uint32_t)(WAV_HEADER - 8 + bytes));
    put32(file + 16, 16);
    put32(file + 20, 2u << 16 | 3);
    put32(file + 24, RATE);
    put32(file + 28, RATE * FRAME_BYTES);
    put32(file + 32, 32u << 16 | FRAME_BYTES);
    memcpy(file + 36, "data", 4);
    put32(file + 40, (uint32_t)bytes);
    uint32_t state = index + 1;
    for (size_t i = 0; i < bytes / sizeof(float); i++) {
        state = state * 1664525u + 1013904223u;
        float sample = (float)((int32_t)state >> 8) * 0x1p-26f;
        memcpy(file + WAV_HEADER + i * sizeof sample, &sample, sizeof sample);
    }
    need(write(fd, file, WAV_HEADER + bytes) == (ssize_t)(WAV_HEADER + bytes), "the stems do not fit");
    free(file);
    return fd;
}

/* ---- graphs ---- */

enum source { FROM_MEDIA, FROM_STORED, FROM_SUM };

static uint32_t add_source(struct graph_builder *builder, enum source source, const struct graph_span *span)
{
    uint32_t node = GRAPH_NONE;
    if (source != FROM_MEDIA) {
        struct graph_stored entry = graph_span_stored(span, 2, source == FROM_SUM);
        need(graph_builder_add_stored(builder, &entry, "stem", &node) == LH_OK, "stored");
        return node;
    }
    struct graph_media facts = {
        .channels = 2, .rate = RATE, .frames = (uint64_t)frames, .length = (uint64_t)frames, .name = "stem"};
    struct graph_region region = {.length = frames, .gain = 1, .fade_in = GRAPH_NONE, .fade_out = GRAPH_NONE};
    need(graph_builder_add_media(builder, &facts, &region.media) == LH_OK &&
             graph_builder_add_clips(builder, 2, false, &region, 1, "stem", &node) == LH_OK,
         "clips");
    return node;
}

static uint32_t add_fader(struct graph_builder *builder, uint32_t input, uint32_t stem)
{
    struct graph_point point = {.value = 0.5f + 0.001f * (float)stem};
    uint32_t curve = GRAPH_NONE, node = GRAPH_NONE;
    need(graph_builder_add_curve(builder, &point, 1, &curve) == LH_OK &&
             graph_builder_add_gain(builder, input, 2, (uint32_t[]){curve, curve}, "fader", &node) == LH_OK,
         "fader");
    return node;
}

static void deliver(struct graph_builder *builder, uint32_t node, const struct graph_span *span)
{
    struct graph_deliverable file = {.name = "file", .node = node};
    uint32_t index;
    graph_span_deliver(span, RATE, &file);
    need(graph_builder_add_deliverable(builder, &file, NULL, 0, &index) == LH_OK, "deliverable");
}

/* `each`: every stem's fader is delivered; else their sum, as a bus or partial. */
static const struct graph *make_graph(enum source source, bool each, enum graph_node_kind kind)
{
    const struct graph_span span = {.begin = 0, .silence = INT64_MAX, .stop = frames};
    struct graph_builder *builder;
    uint32_t nodes[STEMS_MAX], bus;
    uint32_t count = source == FROM_SUM ? 1 : stems;
    need(graph_builder_new(RATE, 1024, &builder) == LH_OK, "builder");
    for (uint32_t i = 0; i < count; i++) {
        nodes[i] = add_source(builder, source, &span);
        nodes[i] = source == FROM_MEDIA ? add_fader(builder, nodes[i], i) : nodes[i];
        if (each) {
            deliver(builder, nodes[i], &span);
        }
    }
    if (!each) {
        need(graph_builder_add_sum(builder, kind, 2, false, nodes, count, "bus", &bus) == LH_OK, "bus");
        deliver(builder, bus, &span);
    }
    const struct graph *graph;
    need(graph_builder_finish(builder, &graph, NULL) == LH_OK, "graph");
    graph_builder_free(builder);
    return graph;
}

/* ---- runs ---- */

static double cpu_seconds(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
}

static double render(const struct graph *graph, const int *stored_fds, const int *outputs)
{
    static struct engine_delivered delivered[STEMS_MAX];
    struct engine_progress progress = {.cancel = 0};
    struct lh_error error = LH_ERROR_INIT;
    struct engine_render_job job = {.graph = graph,
                                    .media_fds = media,
                                    .stored_fds = stored_fds,
                                    .output_fds = outputs,
                                    .scratch_fd = memfd_create("scratch", MFD_CLOEXEC),
                                    .threads = 1,
                                    .progress = &progress,
                                    .clock = lh_clock_monotonic_ns};
    struct engine_render_result result = {.delivered = delivered};
    double began = cpu_seconds();
    need(engine_render(&job, &result, &error) == LH_OK, error.message);
    double spent = cpu_seconds() - began;
    close(job.scratch_fd);
    return spent;
}

static double copy_bare(bool writes)
{
    static uint8_t piece[PIECE_BYTES];
    double began = cpu_seconds();
    for (uint32_t i = 0; i < stems; i++) {
        for (size_t at = 0; at < (size_t)frames * FRAME_BYTES; at += PIECE_BYTES) {
            size_t left = (size_t)frames * FRAME_BYTES - at;
            size_t size = left < PIECE_BYTES ? left : PIECE_BYTES;
            ssize_t done =
                writes ? pwrite(stored[i], piece, size, (off_t)at) : pread(stored[i], piece, size, (off_t)at);
            need(done == (ssize_t)size, "bare copy");
        }
    }
    return cpu_seconds() - began;
}

static int compare(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static void tell(const char *what, double *seconds)
{
    qsort(seconds, rounds, sizeof *seconds, compare);
    printf("%-72s %6.2f ns\n", what, seconds[rounds / 2] * 1e9 / ((double)frames * stems));
}

int main(int argc, char **argv)
{
    stems = argc > 1 ? (uint32_t)atoi(argv[1]) : stems;
    frames = argc > 2 ? (int64_t)atoi(argv[2]) * RATE : frames;
    rounds = argc > 3 ? (uint32_t)atoi(argv[3]) : rounds;
    need(stems >= 1 && stems <= STEMS_MAX && frames > 0 && rounds >= 1 && rounds <= ROUNDS_MAX, "usage");
    int none[STEMS_MAX];
    for (uint32_t i = 0; i < stems; i++) {
        media[i] = make_stem(i);
        stored[i] = memfd_create("stored", MFD_CLOEXEC);
        none[i] = -1;
    }
    sum = memfd_create("sum", MFD_CLOEXEC);
    const struct graph *each = make_graph(FROM_MEDIA, true, GRAPH_NODE_BUS);
    const struct graph *mix = make_graph(FROM_MEDIA, false, GRAPH_NODE_BUS);
    const struct graph *partial = make_graph(FROM_MEDIA, false, GRAPH_NODE_PARTIAL);
    const struct graph *from_stored = make_graph(FROM_STORED, false, GRAPH_NODE_BUS);
    const struct graph *from_sum = make_graph(FROM_SUM, false, GRAPH_NODE_BUS);
    static double spent[WAYS][ROUNDS_MAX];
    render(each, NULL, stored); /* so that pages are there */
    render(partial, NULL, &sum);
    for (uint32_t r = 0; r < rounds; r++) {
        spent[0][r] = render(mix, NULL, none);
        spent[1][r] = render(each, NULL, none);
        spent[2][r] = render(each, NULL, stored);
        spent[3][r] = render(from_stored, stored, none);
        spent[4][r] = render(from_sum, &sum, none);
        spent[5][r] = copy_bare(true);
        render(each, NULL, stored);
        spent[6][r] = copy_bare(false);
    }
    printf("%u stems of %lld s\n", stems, (long long)(frames / RATE));
    tell("uncut: stems under faders on one bus", spent[0]);
    tell("every fader into a buffer, not stored", spent[1]);
    tell("every fader stored", spent[2]);
    tell("the bus from stored faders", spent[3]);
    tell("the bus from one stored sum", spent[4]);
    tell("bare writes of the stored bytes", spent[5]);
    tell("bare reads of the stored bytes", spent[6]);
    graph_unref(each);
    graph_unref(mix);
    graph_unref(partial);
    graph_unref(from_stored);
    graph_unref(from_sum);
    return 0;
}
