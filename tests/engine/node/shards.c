/* SPDX-License-Identifier: MIT */
/* Shards by the graph's builder. */
#include "tests/engine/node/shards.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/arena.h"
#include "graph/builder.h"
#include "tests/graph/fixture.h"

static void need(enum lh_status status)
{
    if (status != LH_OK) {
        fprintf(stderr, "shards: %s\n", lh_status_text(status));
        abort();
    }
}

/* What was made, for shards_end(). */
struct made {
    struct made *next;
    const struct graph *graph;
};
static struct made *graphs;
static struct lh_arena arena;

static void *room(size_t count, size_t size)
{
    void *made = lh_arena_array(&arena, count, size);
    need(made != NULL ? LH_OK : LH_ERR_NO_MEMORY);
    return made;
}

static void keep(const struct graph *graph)
{
    struct made *made = room(1, sizeof *made);
    *made = (struct made){.next = graphs, .graph = graph};
    graphs = made;
}

void shards_end(void)
{
    for (; graphs != NULL; graphs = graphs->next) {
        graph_unref(graphs->graph);
    }
    lh_arena_fini(&arena);
    lh_arena_init(&arena);
}

struct lh_digest shards_key(const char *text)
{
    struct lh_digest key;
    need(lh_digest_bytes(text, strlen(text), &key));
    return key;
}

static void put(uint8_t **at, uint32_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        *(*at)++ = (uint8_t)(value >> (8 * i));
    }
}

uint8_t *shards_wav(uint32_t rate, uint32_t channels, uint32_t frames, size_t *size)
{
    uint32_t bytes = frames * channels * 2;
    uint8_t *data = room(44 + bytes, 1), *at = data;
    memcpy(at, "RIFF", 4), at += 4;
    put(&at, 36 + bytes, 4);
    memcpy(at, "WAVEfmt ", 8), at += 8;
    put(&at, 16, 4), put(&at, 1, 2), put(&at, channels, 2), put(&at, rate, 4), put(&at, rate * channels * 2, 4);
    put(&at, channels * 2, 2), put(&at, 16, 2);
    memcpy(at, "data", 4), at += 4;
    put(&at, bytes, 4);
    for (uint32_t n = 0; n < frames; n++) {
        for (uint32_t c = 0; c < channels; c++) {
            put(&at, (uint32_t)(int16_t)(n * 7 + c * 1000), 2);
        }
    }
    *size = 44 + bytes;
    return data;
}

static struct graph_builder *begin(void)
{
    struct graph_builder *builder = NULL;
    need(graph_builder_new(SHARDS_RATE, 1024, &builder));
    return builder;
}

/* The shard of a finished graph; inputs and outputs are the caller's to fill. */
static struct graph_shard finish(struct graph_builder *builder, enum graph_shard_kind kind)
{
    struct graph_shard shard = {.kind = kind};
    struct lh_error error = LH_ERROR_INIT;
    enum lh_status status = graph_builder_finish(builder, &shard.graph, &error);
    if (status != LH_OK) {
        fprintf(stderr, "shards: %s: %s\n", error.where, error.message);
    }
    need(status);
    keep(shard.graph);
    graph_builder_free(builder);
    return shard;
}

static void deliver(struct graph_builder *builder, uint32_t node, int64_t frames, const char *name, bool stored)
{
    uint32_t index;
    struct graph_deliverable mix = fixture_deliverable(node, name);
    mix.start = 0;
    mix.end = frames;
    mix.format = stored ? GRAPH_FORMAT_STORED : GRAPH_FORMAT_WAV;
    mix.bit_depth = 32;
    mix.dither = GRAPH_DITHER_NONE;
    mix.tail = GRAPH_TAIL_NONE;
    need(graph_builder_add_deliverable(builder, &mix, NULL, 0, &index));
}

static void name_outputs(struct graph_shard *shard, const char *name)
{
    uint32_t count = shard->graph->deliverable_count;
    struct graph_shard_output *outputs = room(count, sizeof *outputs);
    for (uint32_t i = 0; i < count; i++) {
        char text[80];
        snprintf(text, sizeof text, "%s %u", name, i);
        outputs[i].index = i;
        outputs[i].key = shards_key(text);
        outputs[i].kind =
            shard->graph->deliverables[i].format == GRAPH_FORMAT_STORED ? GRAPH_SHARD_OUT_STORED : GRAPH_SHARD_OUT_FILE;
    }
    shard->outputs = outputs;
    shard->output_count = count;
}

static void set_input(struct graph_shard *shard, enum graph_shard_input_kind kind, const struct lh_digest *keys,
                      size_t count)
{
    struct graph_shard_input *inputs = room(count, sizeof *inputs);
    for (size_t i = 0; i < count; i++) {
        inputs[i] = (struct graph_shard_input){.kind = kind, .index = (uint32_t)i, .key = keys[i]};
    }
    shard->inputs = inputs;
    shard->input_count = count;
}

struct graph_shard shards_silence(uint32_t outputs, int64_t frames, const char *name)
{
    struct graph_builder *builder = begin();
    uint32_t bus;
    need(graph_builder_add_sum(builder, GRAPH_NODE_BUS, 2, false, NULL, 0, "bus", &bus));
    for (uint32_t i = 0; i < outputs; i++) {
        char text[80];
        snprintf(text, sizeof text, "%s %u", name, i);
        deliver(builder, bus, frames, text, false);
    }
    struct graph_shard shard = finish(builder, GRAPH_SHARD_RENDER);
    name_outputs(&shard, name);
    return shard;
}

static uint32_t add_medium(struct graph_builder *builder, uint32_t rate, uint32_t frames)
{
    uint32_t index;
    struct graph_media medium = fixture_media(2, frames, "medium");
    medium.rate = rate;
    medium.length = graph_converted_length(frames, rate, SHARDS_RATE);
    medium.conform = rate == SHARDS_RATE ? GRAPH_CONFORM_IN_PLACE : GRAPH_CONFORM_SOXR;
    need(graph_builder_add_media(builder, &medium, &index));
    return index;
}

static uint32_t add_clip(struct graph_builder *builder, uint32_t medium, int64_t length)
{
    uint32_t node;
    struct graph_region region = {
        .media = medium, .length = length, .gain = 1.0F, .fade_in = GRAPH_NONE, .fade_out = GRAPH_NONE};
    need(graph_builder_add_clips(builder, 2, false, &region, 1, "track clip", &node));
    return node;
}

static struct graph_shard clip(uint32_t rate, uint32_t frames, bool stored)
{
    struct graph_builder *builder = begin();
    int64_t length = (int64_t)graph_converted_length(frames, rate, SHARDS_RATE);
    uint32_t node = add_clip(builder, add_medium(builder, rate, frames), length);
    deliver(builder, node, length, stored ? "stored" : "mix", stored);
    struct graph_shard shard = finish(builder, GRAPH_SHARD_RENDER);
    name_outputs(&shard, stored ? "stored" : "mix");
    return shard;
}

struct graph_shard shards_clip(const struct lh_digest *medium, uint32_t rate, uint32_t frames, bool stored)
{
    struct graph_shard shard = clip(rate, frames, stored);
    set_input(&shard, GRAPH_SHARD_MEDIUM, medium, 1);
    return shard;
}

struct graph_shard shards_clip_conformed(const struct lh_digest *key, uint32_t rate, uint32_t frames)
{
    struct graph_shard shard = clip(rate, frames, false);
    set_input(&shard, GRAPH_SHARD_CONFORMED, key, 1);
    return shard;
}

struct graph_shard shards_play(const struct lh_digest *stored, uint32_t frames)
{
    struct graph_builder *builder = begin();
    struct graph_stored source = {.channels = 2, .frames = frames};
    uint32_t node, bus;
    need(graph_builder_add_stored(builder, &source, "stored", &node));
    need(graph_builder_add_sum(builder, GRAPH_NODE_BUS, 2, false, &node, 1, "bus", &bus));
    deliver(builder, bus, frames, "mix", false);
    struct graph_shard shard = finish(builder, GRAPH_SHARD_RENDER);
    name_outputs(&shard, "played");
    set_input(&shard, GRAPH_SHARD_STORED, stored, 1);
    return shard;
}

struct graph_shard shards_convert(const struct lh_digest *media, uint32_t count, uint32_t frames)
{
    struct graph_builder *builder = begin();
    for (uint32_t i = 0; i < count; i++) {
        (void)add_medium(builder, 44100, frames + i); /* different ones: equal media are not merged, but keys are */
    }
    struct graph_shard shard = finish(builder, GRAPH_SHARD_CONVERT);
    struct graph_shard_output *outputs = room(count, sizeof *outputs);
    for (uint32_t i = 0; i < count; i++) {
        char text[40];
        snprintf(text, sizeof text, "conformed %u", i);
        outputs[i] =
            (struct graph_shard_output){.kind = GRAPH_SHARD_OUT_CONFORMED, .index = i, .key = shards_key(text)};
    }
    shard.outputs = outputs;
    shard.output_count = count;
    set_input(&shard, GRAPH_SHARD_MEDIUM, media, count);
    return shard;
}

struct graph_shard shards_plugin(const struct lh_digest *medium, uint32_t frames, const struct graph_plugin *plugin)
{
    struct graph_builder *builder = begin();
    uint32_t index, node, source = add_clip(builder, add_medium(builder, SHARDS_RATE, frames), frames);
    need(graph_builder_add_plugin(builder, plugin, &index));
    struct graph_plugin_node description = {.plugin = index, .channels = 2, .input = source, .sidechain = GRAPH_NONE};
    need(graph_builder_add_plugin_node(builder, &description, "track clip, node fx", &node));
    deliver(builder, node, frames, "mix", false);
    struct graph_shard shard = finish(builder, GRAPH_SHARD_RENDER);
    name_outputs(&shard, "plugged");
    set_input(&shard, GRAPH_SHARD_MEDIUM, medium, 1);
    return shard;
}

struct graph_shard shards_probe(const struct lh_digest *files, const bool *midi, size_t count)
{
    struct graph_shard shard = {.kind = GRAPH_SHARD_PROBE};
    struct graph_shard_input *inputs = room(count, sizeof *inputs);
    struct graph_shard_output *outputs = room(count, sizeof *outputs);
    for (size_t i = 0; i < count; i++) {
        char text[40];
        snprintf(text, sizeof text, "facts %zu", i);
        inputs[i] = (struct graph_shard_input){
            .kind = midi[i] ? GRAPH_SHARD_MIDI : GRAPH_SHARD_MEDIUM, .index = (uint32_t)i, .key = files[i]};
        outputs[i] =
            (struct graph_shard_output){.kind = GRAPH_SHARD_OUT_FACTS, .index = (uint32_t)i, .key = shards_key(text)};
    }
    shard.inputs = inputs;
    shard.input_count = count;
    shard.outputs = outputs;
    shard.output_count = count;
    return shard;
}
