/* SPDX-License-Identifier: MIT */
/* Songs, their definition, and the comparison. */
#include "tests/engine/run/song.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/testing.h"

/* ---- the definition ---- */

/* A node from the timeline's frame 0 to SONG_END. */
struct value {
    int64_t *sum; /* but for GAIN: in units of 2^-40 */
    float *samples;
};

static int64_t on_grid(float x)
{
    return llrint((double)x * 0x1p40);
}

static void define_region(const struct song *song, const struct graph *graph, const struct graph_region *region,
                          uint32_t channels, int64_t *sum)
{
    const struct graph_media *media = &graph->media[region->media];
    for (int64_t i = 0; i < region->length && region->start + i < SONG_END; i++) {
        int64_t played = region->reverse ? region->length - 1 - i : i;
        int64_t frame = region->offset + (region->loop_length > 0 ? played % region->loop_length : played);
        for (uint32_t c = 0; c < channels && frame < (int64_t)media->length; c++) {
            float x = song->samples[region->media][frame * media->channels + (media->channels == 1 ? 0 : c)];
            x *= region->gain;
            if (i < region->fade_in_length) {
                x *= graph_fade_at(graph, region->fade_in, region->fade_in_length, i);
            }
            if (region->length - i <= region->fade_out_length) {
                x *= graph_fade_at(graph, region->fade_out, region->fade_out_length, region->length - i);
            }
            sum[(region->start + i) * channels + c] += on_grid(x);
        }
    }
}

static void define_inputs(const struct graph *graph, const struct graph_node *node, const struct value *values,
                          int64_t *sum)
{
    for (uint32_t i = 0; i < node->count; i++) {
        uint32_t input = graph->inputs[node->first + i];
        bool partial = graph->nodes[input].kind == GRAPH_NODE_PARTIAL;
        for (size_t s = 0; s < (size_t)SONG_END * node->channels; s++) {
            sum[s] += partial ? values[input].sum[s] : on_grid(values[input].samples[s]);
        }
    }
}

static void define_gain(const struct graph *graph, const struct graph_node *node, const struct value *values,
                        float *samples)
{
    uint32_t input = graph->inputs[node->first];
    size_t inputs = graph->nodes[input].channels;
    for (size_t i = 0; i < SONG_END; i++) {
        for (size_t c = 0; c < node->channels; c++) {
            float gain = graph_curve_at(graph, graph->curve_refs[node->curves + c], (int64_t)i);
            samples[i * node->channels + c] = values[input].samples[i * inputs + (inputs == 1 ? 0 : c)] * gain;
        }
    }
}

static struct value *define(const struct song *song, const struct graph *graph)
{
    struct value *values = calloc(graph->node_count, sizeof *values);
    ck_assert_ptr_nonnull(values);
    for (uint32_t n = 0; n < graph->node_count; n++) {
        const struct graph_node *node = &graph->nodes[n];
        size_t count = (size_t)SONG_END * node->channels;
        int64_t *sum = calloc(count, sizeof *sum);
        float *samples = calloc(count, sizeof *samples);
        ck_assert(sum != NULL && samples != NULL);
        values[n] = (struct value){.sum = sum, .samples = samples};
        if (node->kind == GRAPH_NODE_GAIN) {
            define_gain(graph, node, values, samples);
            continue;
        }
        if (node->kind == GRAPH_NODE_CLIPS) {
            for (uint32_t r = 0; r < node->count; r++) {
                define_region(song, graph, &graph->regions[node->first + r], node->channels, sum);
            }
        } else {
            define_inputs(graph, node, values, sum);
        }
        for (size_t s = 0; s < count; s++) {
            samples[s] = (float)((double)(node->invert ? -sum[s] : sum[s]) * 0x1p-40);
        }
    }
    return values;
}

/* ---- songs ---- */

static uint32_t draw(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state;
}

struct song song_begin(void)
{
    return (struct song){.builder = graphs_builder()};
}

uint32_t song_add(struct song *song, int file, float *samples, uint32_t channels)
{
    ck_assert_uint_lt(song->media_count, SONG_MEDIA_MAX);
    song->files[song->media_count] = file;
    song->samples[song->media_count++] = samples;
    return graphs_media(song->builder, channels, SONG_FRAMES);
}

uint32_t song_integers(struct song *song, uint32_t channels, unsigned bits, unsigned quiet)
{
    size_t count = (size_t)SONG_FRAMES * channels;
    int32_t *whole = malloc(count * sizeof *whole);
    float *samples = malloc(count * sizeof *samples);
    ck_assert(whole != NULL && samples != NULL);
    uint32_t state = bits + channels;
    int32_t highest = (int32_t)(UINT32_C(1) << (bits - 1 - quiet)) - 1;
    for (size_t i = 0; i < count; i++) {
        whole[i] = (int32_t)(draw(&state) >> (32 - bits + quiet)) - highest - 1;
        whole[i] = i % 1000 == 0 ? highest : i % 1000 == 1 ? -highest - 1 : whole[i];
        samples[i] = (float)ldexp((double)whole[i], 1 - (int)bits);
    }
    int file = graphs_wav_integers(whole, SONG_FRAMES, channels, bits);
    free(whole);
    return song_add(song, file, samples, channels);
}

uint32_t song_floats(struct song *song, uint32_t channels)
{
    size_t count = (size_t)SONG_FRAMES * channels;
    float *samples = malloc(count * sizeof *samples);
    ck_assert_ptr_nonnull(samples);
    uint32_t state = 77 + channels;
    for (size_t i = 0; i < count; i++) {
        samples[i] = (float)(int32_t)draw(&state) * (i % 3 == 0 ? 0x1p-52f : 0x1p-31f);
    }
    samples[5000] = 0x1p-41f; /* a tie */
    samples[5001] = 0x1.8p-40f;
    return song_add(song, graphs_wav(samples, SONG_FRAMES, channels), samples, channels);
}

struct graph_region song_region(uint32_t media, int64_t start, int64_t length)
{
    return (struct graph_region){
        .media = media, .start = start, .length = length, .gain = 1.0f, .fade_in = GRAPH_NONE, .fade_out = GRAPH_NONE};
}

uint32_t song_clips(struct song *song, uint32_t channels, bool invert, const struct graph_region *regions, size_t count)
{
    uint32_t node;
    ck_assert_int_eq(graph_builder_add_clips(song->builder, channels, invert, regions, count, "clips", &node), LH_OK);
    return node;
}

uint32_t song_clip(struct song *song, uint32_t media, uint32_t channels, int64_t start)
{
    return graphs_clip(song->builder, media, channels, start, SONG_FRAMES, "clip");
}

uint32_t song_constant(struct song *song, uint32_t input, uint32_t channels, float gain)
{
    float gains[GRAPH_CHANNELS_MAX];
    for (uint32_t c = 0; c < channels; c++) {
        gains[c] = gain * (1.0f - 0.13f * (float)c);
    }
    return graphs_gain(song->builder, input, channels, gains, "constant");
}

uint32_t song_moving(struct song *song, uint32_t input, uint32_t channels, float first, float last)
{
    uint32_t curves[GRAPH_CHANNELS_MAX];
    uint32_t node;
    for (uint32_t c = 0; c < channels; c++) {
        float turn = 0.07f * (float)c;
        struct graph_point points[] = {{100, first + turn},
                                       {1500, 1.1f - turn},
                                       {1500, 0.4f},
                                       {17000 + (int64_t)c * 11, last + turn},
                                       {39000, first - turn}};
        ck_assert_int_eq(graph_builder_add_curve(song->builder, points, sizeof points / sizeof *points, &curves[c]),
                         LH_OK);
    }
    ck_assert_int_eq(graph_builder_add_gain(song->builder, input, channels, curves, "moving", &node), LH_OK);
    return node;
}

uint32_t song_sum(struct song *song, enum graph_node_kind kind, uint32_t channels, bool invert, const uint32_t *inputs,
                  size_t count)
{
    uint32_t node;
    ck_assert_int_eq(graph_builder_add_sum(song->builder, kind, channels, invert, inputs, count, "sum", &node), LH_OK);
    return node;
}

uint32_t song_bus(struct song *song, uint32_t channels, const uint32_t *inputs, size_t count)
{
    return song_sum(song, GRAPH_NODE_BUS, channels, false, inputs, count);
}

const struct graph *song_deliver(struct song *song, const uint32_t *nodes, size_t count)
{
    static const char *const names[SONG_FILES_MAX] = {"first", "second", "third", "fourth"};
    for (size_t i = 0; i < count; i++) {
        struct graph_deliverable file = graphs_deliverable(names[i], nodes[i], SONG_START, SONG_END);
        graphs_deliver(song->builder, &file);
    }
    return graphs_finish(song->builder);
}

void song_close(struct song *song)
{
    for (uint32_t m = 0; m < song->media_count; m++) {
        close(song->files[m]);
        free(song->samples[m]);
    }
}

/* ---- the comparison ---- */

static void compare(const struct graph *graph, uint32_t file, const struct value *values, int output, const char *way)
{
    uint32_t node = graph->deliverables[file].node;
    uint32_t channels = graph->nodes[node].channels;
    size_t frames;
    float *got = graphs_samples(output, channels, &frames);
    const float *wanted = values[node].samples + (size_t)SONG_START * channels;
    ck_assert_uint_eq(frames, SONG_END - SONG_START);
    for (size_t s = 0; s < frames * channels; s++) {
        if (memcmp(&got[s], &wanted[s], sizeof *got) != 0) {
            ck_abort_msg("%s, file %s, frame %zu, channel %zu: %a, not %a", way, graph->deliverables[file].name,
                         SONG_START + s / channels, s % channels + 1, (double)got[s], (double)wanted[s]);
        }
    }
    free(got);
}

void song_holds(struct song *song, const uint32_t *nodes, size_t count)
{
    static const struct {
        uint32_t threads, block;
    } ways[] = {{1, SONG_BLOCK}, {2, 1024}, {3, 0}};
    const struct engine_kernels *kernels[] = {engine_kernels_c(), engine_kernels_best()};
    const struct graph *graph = song_deliver(song, nodes, count);
    struct value *values = define(song, graph);
    for (size_t k = 0; k < 2; k++) {
        for (size_t w = 0; w < sizeof ways / sizeof *ways; w++) {
            int outputs[SONG_FILES_MAX];
            struct engine_delivered delivered[SONG_FILES_MAX];
            struct engine_render_result result = {.delivered = delivered};
            struct lh_error error = LH_ERROR_INIT;
            char way[64];
            snprintf(way, sizeof way, "%s, %u threads, blocks of %u", kernels[k]->name, ways[w].threads, ways[w].block);
            enum lh_status status = graphs_render_with(kernels[k], graph, song->files, ways[w].threads, ways[w].block,
                                                       outputs, &result, &error);
            ck_assert_msg(status == LH_OK, "%s: %s: %s", way, error.where, error.message);
            for (uint32_t d = 0; d < graph->deliverable_count; d++) {
                compare(graph, d, values, outputs[d], way);
                close(outputs[d]);
            }
        }
    }
    for (uint32_t n = 0; n < graph->node_count; n++) {
        free(values[n].sum);
        free(values[n].samples);
    }
    free(values);
    song_close(song);
    graph_unref(graph);
}
