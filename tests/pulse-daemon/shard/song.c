/* SPDX-License-Identifier: MIT */
/* Made-up songs. */
#include "tests/pulse-daemon/shard/song.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "graph/span.h"
#include "tests/support/testing.h"

#define CHANNELS 2
#define TRACKS_MAX 4096

const struct graph_key_context song_context = {
    .sound_version = 1, .libraries = "test-1", .cpu_class = "test cpu", .job = "job 1"};

static uint64_t scramble(uint64_t word)
{
    word += UINT64_C(0x9E3779B97F4A7C15);
    word = (word ^ (word >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    word = (word ^ (word >> 27)) * UINT64_C(0x94D049BB133111EB);
    return word ^ (word >> 31);
}

/* A number below `limit`, the same for the same track and purpose. */
static uint32_t chance(const struct song *song, uint32_t track, uint32_t purpose, uint32_t limit)
{
    return (uint32_t)(scramble(song->seed ^ scramble(((uint64_t)track << 32) | purpose)) % limit);
}

static void must(enum lh_status status)
{
    ck_assert_int_eq(status, LH_OK);
}

static uint32_t constant(struct graph_builder *builder, float value)
{
    struct graph_point point = {.value = value};
    uint32_t curve;
    must(graph_builder_add_curve(builder, &point, 1, &curve));
    return curve;
}

static uint32_t gain(struct graph_builder *builder, uint32_t input, float value, const char *label)
{
    uint32_t curves[CHANNELS] = {constant(builder, value), constant(builder, value)};
    uint32_t node;
    must(graph_builder_add_gain(builder, input, CHANNELS, curves, label, &node));
    return node;
}

static uint32_t insert(struct graph_builder *builder, uint32_t kind, uint32_t input, uint32_t sidechain, float value,
                       const char *identity, const char *label)
{
    struct graph_plugin plugin = {.version = "1", .bundle = "/lv2/", .digest = {{(uint8_t)(kind + 1)}}};
    char uri[32];
    snprintf(uri, sizeof uri, "lv2:urn:song:%u", kind);
    plugin.uri = uri;
    struct graph_parameter parameter = {"amount", constant(builder, value)};
    struct graph_plugin_node node = {.channels = CHANNELS,
                                     .input = input,
                                     .sidechain = sidechain,
                                     .parameters = &parameter,
                                     .parameter_count = 1,
                                     .identity = identity};
    uint32_t index;
    must(graph_builder_add_plugin(builder, &plugin, &node.plugin));
    must(graph_builder_add_plugin_node(builder, &node, label, &index));
    return index;
}

/* Everything that is put together. */
struct writing {
    const struct song *song;
    struct graph_builder *builder;
    struct lh_digest *media;
    uint32_t media_count;
    uint32_t medium_of[TRACKS_MAX];
    uint32_t post[TRACKS_MAX];
};

static void add_media(struct writing *writing)
{
    const struct song *song = writing->song;
    writing->media = calloc(song->tracks, sizeof *writing->media);
    ck_assert_ptr_nonnull(writing->media);
    for (uint32_t t = 0; t < song->tracks; t++) {
        struct graph_media media = {.channels = CHANNELS,
                                    .rate = SONG_RATE,
                                    .frames = (uint64_t)song->frames,
                                    .length = (uint64_t)song->frames,
                                    .name = "medium"};
        if (song->lossy && chance(song, t, 1, 3) == 0) {
            media.conform = GRAPH_CONFORM_DECODE;
        }
        must(graph_builder_add_media(writing->builder, &media, &writing->medium_of[t]));
        memcpy(writing->media[t].bytes, &t, sizeof t);
        writing->media[t].bytes[31] = 1;
    }
}

static uint32_t add_track(struct writing *writing, uint32_t t)
{
    const struct song *song = writing->song;
    char label[64], identity[64];
    snprintf(label, sizeof label, "track %u", t);
    struct graph_region region = {.media = writing->medium_of[t],
                                  .length = song->frames,
                                  .gain = 1,
                                  .fade_in = GRAPH_NONE,
                                  .fade_out = GRAPH_NONE};
    uint32_t node;
    must(graph_builder_add_clips(writing->builder, CHANNELS, false, &region, 1, label, &node));
    uint32_t length = song->chain > 0 ? 1 + chance(song, t, 2, song->chain) : 0;
    if (song->natives && chance(song, t, 3, 3) == 0) {
        length = 0;
    }
    for (uint32_t p = 0; p < length; p++) {
        uint32_t kind = chance(song, t, 10 + p, SONG_PLUGINS);
        bool proven = !song->unproven || chance(song, t, 30 + p, 4) != 0;
        float value = (float)chance(song, t, 50 + p, 1000) + (t + 1 == song->changed && p + 1 == length ? 0.5f : 0);
        snprintf(identity, sizeof identity, "track %u, plugin %u", t, p);
        node = insert(writing->builder, kind, node, GRAPH_NONE, value, proven ? "" : identity, label);
    }
    return gain(writing->builder, node, 0.25f + (float)chance(song, t, 4, 100) / 128, label);
}

/* Tracks in the order that is asked for, their names and all else as ever. */
static void add_tracks(struct writing *writing)
{
    uint32_t order[TRACKS_MAX], count = writing->song->tracks;
    for (uint32_t t = 0; t < count; t++) {
        order[t] = t;
    }
    for (uint32_t t = count; writing->song->order > 0 && t-- > 1;) {
        uint32_t other = (uint32_t)(scramble(writing->song->order + t) % (t + 1));
        uint32_t swap = order[t];
        order[t] = order[other];
        order[other] = swap;
    }
    for (uint32_t t = 0; t < count; t++) {
        writing->post[order[t]] = add_track(writing, order[t]);
    }
}

static uint32_t add_sum(struct writing *writing, const uint32_t *inputs, uint32_t count, const char *label)
{
    uint32_t node;
    must(graph_builder_add_sum(writing->builder, GRAPH_NODE_BUS, CHANNELS, false, inputs, count, label, &node));
    return node;
}

static uint32_t add_group(struct writing *writing, uint32_t group)
{
    const struct song *song = writing->song;
    uint32_t inputs[TRACKS_MAX], count = 0;
    for (uint32_t t = 0; t < song->tracks; t++) {
        if (chance(song, t, 5, song->groups) == group) {
            inputs[count++] = writing->post[t];
        }
    }
    uint32_t node = add_sum(writing, inputs, count, "group");
    if (chance(song, group, 6, 2) == 0) {
        /* Ducked by the first track. */
        node = insert(writing->builder, chance(song, group, 7, SONG_PLUGINS), node, writing->post[0], (float)group, "",
                      "group");
    }
    return node;
}

static uint32_t add_master(struct writing *writing)
{
    const struct song *song = writing->song;
    uint32_t inputs[2 * TRACKS_MAX], sends[TRACKS_MAX], count = 0, send_count = 0;
    for (uint32_t t = 0; t < song->tracks; t++) {
        if (song->groups == 0) {
            inputs[count++] = writing->post[t];
        }
        if (song->chain > 0 && chance(song, t, 8, 3) == 0) {
            sends[send_count++] = gain(writing->builder, writing->post[t], 0.5f, "send");
        }
    }
    for (uint32_t g = 0; g < song->groups; g++) {
        inputs[count++] = add_group(writing, g);
    }
    if (send_count > 0) {
        uint32_t bus = add_sum(writing, sends, send_count, "return");
        inputs[count++] = insert(writing->builder, 3, bus, GRAPH_NONE, 1, "", "return");
    }
    uint32_t node = add_sum(writing, inputs, count, "master");
    return song->master_plugin ? insert(writing->builder, 2, node, GRAPH_NONE, 0.5f, "", "master") : node;
}

static struct graph_deliverable file_of(const char *name, uint32_t node, int64_t start, int64_t end)
{
    return (struct graph_deliverable){.name = name,
                                      .node = node,
                                      .start = start,
                                      .end = end,
                                      .format = GRAPH_FORMAT_WAV,
                                      .bit_depth = 24,
                                      .rate = SONG_RATE,
                                      .gain_from = GRAPH_NONE};
}

static uint32_t deliver(struct writing *writing, const struct graph_deliverable *deliverable)
{
    static const struct graph_tag tag = {"title", "Song"};
    uint32_t index;
    must(graph_builder_add_deliverable(writing->builder, deliverable, &tag, 1, &index));
    return index;
}

static void add_deliverables(struct writing *writing, uint32_t master)
{
    const struct song *song = writing->song;
    struct graph_deliverable mix = file_of("mix", master, 0, song->frames);
    mix.has_integrated = song->gains;
    mix.integrated_lufs = song->gains ? -16 : 0;
    uint32_t mix_index = deliver(writing, &mix);
    struct graph_deliverable flac = file_of("mix-flac", master, 0, song->frames);
    flac.format = GRAPH_FORMAT_FLAC;
    deliver(writing, &flac);
    for (uint32_t t = 0; song->stems && t < song->tracks; t++) {
        char name[32];
        snprintf(name, sizeof name, "stem-%u", t);
        struct graph_deliverable stem = file_of(name, writing->post[t], 0, song->frames);
        stem.gain_from = song->gains && t % 2 == 0 ? mix_index : GRAPH_NONE;
        deliver(writing, &stem);
    }
    if (song->ranges) {
        struct graph_deliverable part = file_of("part", master, song->frames / 3, song->frames / 2);
        part.preroll = song->frames / 10;
        deliver(writing, &part);
        part.name = "part-tail";
        part.tail = GRAPH_TAIL_FRAMES;
        part.tail_frames = SONG_RATE;
        deliver(writing, &part);
        part.name = "part-until";
        part.tail = GRAPH_TAIL_UNTIL;
        part.tail_hold = SONG_RATE / 10;
        part.tail_level = 0.001f;
        deliver(writing, &part);
    }
    must(graph_builder_add_marker(writing->builder, 4800, "verse"));
}

void song_write(const struct song *song, struct sung *sung)
{
    static const struct graph_tempo tempo = {.bpm = 120, .numerator = 4, .denominator = 4};
    struct writing *writing = calloc(1, sizeof *writing);
    ck_assert_ptr_nonnull(writing);
    ck_assert_uint_le(song->tracks, TRACKS_MAX);
    writing->song = song;
    must(graph_builder_new(SONG_RATE, 1024, &writing->builder));
    must(graph_builder_set_tempo(writing->builder, &tempo, 1));
    add_media(writing);
    add_tracks(writing);
    add_deliverables(writing, add_master(writing));
    struct lh_error error = LH_ERROR_INIT;
    enum lh_status status = graph_builder_finish(writing->builder, &sung->graph, &error);
    ck_assert_msg(status == LH_OK, "%s: %s", error.where, error.message);
    graph_builder_free(writing->builder);
    sung->media = writing->media;
    free(writing);
}

void sung_free(struct sung *sung)
{
    graph_unref(sung->graph);
    free(sung->media);
}

struct pulse_latencies *song_latencies(const struct graph *graph, const struct graph_key_context *context)
{
    struct pulse_latencies *latencies = NULL;
    must(pulse_latencies_new(&latencies));
    int64_t before = -1;
    for (uint32_t d = 0; d < graph->deliverable_count; d++) {
        int64_t begin = graph_pass_begin(graph, &graph->deliverables[d]);
        for (uint32_t n = 0; begin != before && n < graph->node_count; n++) {
            if (graph->nodes[n].kind == GRAPH_NODE_PLUGIN) {
                struct lh_digest key;
                uint32_t kind = graph->plugins[graph->inserts[graph->nodes[n].insert].plugin].digest.bytes[0] - 1u;
                must(pulse_latency_key(graph, n, begin, context, &key));
                must(pulse_latencies_add(latencies, &key, 100 * kind));
            }
        }
        before = begin;
    }
    return latencies;
}

struct pulse_costs *song_costs(double plugin_ns)
{
    struct pulse_costs *costs = NULL;
    must(pulse_costs_new(&costs));
    for (uint8_t kind = 0; kind < SONG_PLUGINS; kind++) {
        char name[PULSE_COST_NAME_SIZE];
        pulse_cost_plugin_name(&(struct lh_digest){{(uint8_t)(kind + 1)}}, name);
        must(pulse_costs_set(costs, name, plugin_ns, 1));
    }
    return costs;
}
