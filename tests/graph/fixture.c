/* SPDX-License-Identifier: MIT */
/* Graphs for the tests. */
#include "tests/graph/fixture.h"

#include <check.h>
#include <stdlib.h>

#define RATE 48000
#define LENGTH 480000

struct graph_media fixture_media(uint32_t channels, uint64_t frames, const char *name)
{
    return (struct graph_media){.channels = channels, .rate = RATE, .frames = frames, .length = frames, .name = name};
}

struct graph_deliverable fixture_deliverable(uint32_t node, const char *name)
{
    return (struct graph_deliverable){
        .name = name,
        .node = node,
        .end = LENGTH,
        .format = GRAPH_FORMAT_WAV,
        .bit_depth = 24,
        .dither = GRAPH_DITHER_TPDF,
        .dither_seed = 42,
        .rate = RATE,
        .gain_from = GRAPH_NONE,
    };
}

/* What a fixture is built with: each step is skipped once one has failed. */
struct making {
    struct graph_builder *builder;
    enum lh_status status;
    uint32_t media[FIXTURE_MEDIA]; /* the medium that the tracks know as i */
};

static void note(struct making *making, enum lh_status status)
{
    making->status = making->status != LH_OK ? making->status : status;
}

static uint32_t curve(struct making *making, const struct graph_point *points, size_t count)
{
    uint32_t index = GRAPH_NONE;
    if (making->status == LH_OK) {
        note(making, graph_builder_add_curve(making->builder, points, count, &index));
    }
    return index;
}

static uint32_t constant(struct making *making, float value)
{
    return curve(making, &(struct graph_point){.frame = 0, .value = value}, 1);
}

static uint32_t sum(struct making *making, bool invert, const uint32_t *inputs, size_t count, const char *label)
{
    uint32_t node = GRAPH_NONE;
    if (making->status == LH_OK) {
        note(making, graph_builder_add_sum(making->builder, GRAPH_NODE_BUS, 2, invert, inputs, count, label, &node));
    }
    return node;
}

static uint32_t gain(struct making *making, uint32_t input, uint32_t left, uint32_t right, const char *label)
{
    uint32_t node = GRAPH_NONE;
    if (making->status == LH_OK) {
        note(making, graph_builder_add_gain(making->builder, input, 2, (uint32_t[]){left, right}, label, &node));
    }
    return node;
}

static void add_media(struct making *making, const uint32_t *order)
{
    static const char *const names[FIXTURE_MEDIA] = {"kick", "snare", "bass", "vox"};
    for (uint32_t i = 0; making->status == LH_OK && i < FIXTURE_MEDIA; i++) {
        uint32_t which = order != NULL ? order[i] : i;
        struct graph_media media = fixture_media(which % 2 + 1, 100000 + 1000 * which, names[which]);
        if (which == 3) {
            media.rate = 44100;
            media.length = 112109; /* round(103000 x 480 / 441) */
            media.conform = GRAPH_CONFORM_SOXR;
        }
        note(making, graph_builder_add_media(making->builder, &media, &making->media[which]));
    }
}

/* One track: clips, fader, pan. */
static uint32_t add_track(struct making *making, uint32_t track)
{
    uint32_t medium = track % FIXTURE_MEDIA;
    bool mono = medium % 2 == 0;
    uint32_t rise = curve(making, (struct graph_point[]){{0, 0.0f}, {1000, 1.0f}}, 2);
    uint32_t fall = curve(making, (struct graph_point[]){{0, 1.0f}, {50, 0.7f}, {500, 0.0f}}, 3);
    struct graph_region regions[3] = {
        {.media = making->media[medium],
         .start = 4800 * (int64_t)track,
         .length = 90000,
         .gain = 0.5f,
         .fade_in_length = 1000,
         .fade_in = rise,
         .fade_out = GRAPH_NONE},
        {.media = making->media[medium],
         .start = 200000,
         .length = 60000,
         .offset = 100,
         .loop_length = 7000,
         .gain = 1.0f,
         .fade_in = GRAPH_NONE,
         .fade_out = fall,
         .fade_out_length = 500},
        {.media = making->media[medium],
         .start = 150,
         .length = 60000,
         .offset = 100,
         .reverse = true,
         .gain = 1.0f,
         .fade_in = GRAPH_NONE,
         .fade_out = GRAPH_NONE},
    };
    static const char *const labels[FIXTURE_TRACKS] = {"kick", "snare", "bass", "vox", "vox double", "tamb"};
    uint32_t node = GRAPH_NONE;
    if (making->status == LH_OK) {
        note(making,
             graph_builder_add_clips(making->builder, mono ? 1 : 2, track == 2, regions, 3, labels[track], &node));
    }
    uint32_t move = curve(making, (struct graph_point[]){{0, 0.25f}, {48000, 0.75f}, {48000, 0.5f}, {96000, 1.0f}}, 4);
    return gain(making, node, track == 1 ? move : constant(making, 0.5f + 0.1f * (float)track), constant(making, 0.25f),
                labels[track]);
}

static void deliver(struct making *making, uint32_t master, uint32_t stem)
{
    struct graph_deliverable mix = fixture_deliverable(master, "mix");
    mix.has_integrated = true;
    mix.integrated_lufs = -14.0;
    mix.has_true_peak = true;
    mix.true_peak_dbtp = -1.0;
    mix.tail = GRAPH_TAIL_UNTIL;
    mix.tail_frames = 96000;
    mix.tail_hold = 48000;
    mix.tail_level = 0.0001f;
    struct graph_deliverable stems = fixture_deliverable(stem, "stems-drums");
    stems.gain_from = 0;
    stems.format = GRAPH_FORMAT_FLAC;
    struct graph_deliverable web = fixture_deliverable(master, "web");
    web.format = GRAPH_FORMAT_OPUS;
    web.bit_depth = 0;
    web.bitrate_kbps = 160;
    web.has_loop = true;
    web.loop_start = 1000;
    web.loop_end = 40000;
    struct graph_tag tags[] = {{"title", "Night Drive"}, {"artist", "Zo\xC3\xAB"}};
    uint32_t index;
    if (making->status == LH_OK) {
        note(making, graph_builder_add_deliverable(making->builder, &mix, tags, 2, &index));
    }
    if (making->status == LH_OK) {
        note(making, graph_builder_add_deliverable(making->builder, &stems, NULL, 0, &index));
    }
    if (making->status == LH_OK) {
        note(making, graph_builder_add_deliverable(making->builder, &web, tags, 1, &index));
    }
    if (making->status == LH_OK) {
        note(making, graph_builder_add_marker(making->builder, 96000, "chorus"));
    }
    if (making->status == LH_OK) {
        note(making, graph_builder_add_marker(making->builder, 0, "start"));
    }
}

enum lh_status fixture_mix(const uint32_t *order, const uint32_t *media_order, const struct graph **graph)
{
    struct making making = {.status = graph_builder_new(RATE, 1024, &making.builder)};
    if (making.status != LH_OK) {
        return making.status;
    }
    add_media(&making, media_order);
    uint32_t tracks[FIXTURE_TRACKS];
    for (uint32_t i = 0; i < FIXTURE_TRACKS; i++) {
        uint32_t track = order != NULL ? order[i] : i;
        tracks[track] = add_track(&making, track);
    }
    uint32_t drums = sum(&making, false, (uint32_t[]){tracks[1], tracks[0]}, 2, "drums");
    uint32_t send = gain(&making, tracks[3], constant(&making, 0.125f), constant(&making, 0.125f), "send");
    uint32_t verb = sum(&making, true, (uint32_t[]){send}, 1, "verb");
    uint32_t inputs[FIXTURE_TRACKS] = {drums, verb};
    uint32_t count = 2;
    for (uint32_t i = 0; i < FIXTURE_TRACKS; i++) {
        uint32_t track = order != NULL ? order[i] : i;
        if (track >= 2) {
            inputs[count++] = tracks[track];
        }
    }
    uint32_t master = sum(&making, false, inputs, count, "master");
    deliver(&making, master, drums);
    if (making.status == LH_OK) {
        making.status = graph_builder_finish(making.builder, graph, NULL);
    }
    graph_builder_free(making.builder);
    return making.status;
}

const struct graph *fixture_mix_ordered(const uint32_t *order, const uint32_t *media_order)
{
    const struct graph *graph = NULL;
    ck_assert_int_eq(fixture_mix(order, media_order, &graph), LH_OK);
    return graph;
}

const struct graph *fixture_large(uint32_t tracks, uint32_t clips)
{
    struct graph_builder *builder;
    ck_assert_int_eq(graph_builder_new(RATE, 1024, &builder), LH_OK);
    struct graph_media media = fixture_media(2, 1000000, "stem");
    uint32_t medium;
    ck_assert_int_eq(graph_builder_add_media(builder, &media, &medium), LH_OK);
    uint32_t fade;
    struct graph_point points[] = {{0, 0.0f}, {100, 1.0f}};
    ck_assert_int_eq(graph_builder_add_curve(builder, points, 2, &fade), LH_OK);
    uint32_t *nodes = calloc(tracks, sizeof *nodes);
    struct graph_region *regions = calloc(clips, sizeof *regions);
    for (uint32_t track = 0; track < tracks; track++) {
        for (uint32_t i = 0; i < clips; i++) {
            regions[i] = (struct graph_region){.media = medium,
                                               .start = (int64_t)(clips - i) * 5000 + track,
                                               .length = 4800,
                                               .offset = i * 10,
                                               .gain = 1.0f,
                                               .fade_in = fade,
                                               .fade_in_length = 100,
                                               .fade_out = GRAPH_NONE};
        }
        ck_assert_int_eq(graph_builder_add_clips(builder, 2, false, regions, clips, "track", &nodes[track]), LH_OK);
        uint32_t level;
        struct graph_point point = {0, 0.5f + (float)track / 1000.0f};
        ck_assert_int_eq(graph_builder_add_curve(builder, &point, 1, &level), LH_OK);
        ck_assert_int_eq(
            graph_builder_add_gain(builder, nodes[track], 2, (uint32_t[]){level, level}, "track", &nodes[track]),
            LH_OK);
    }
    uint32_t master;
    ck_assert_int_eq(graph_builder_add_sum(builder, GRAPH_NODE_BUS, 2, false, nodes, tracks, "master", &master), LH_OK);
    struct graph_deliverable mix = fixture_deliverable(master, "mix");
    uint32_t index;
    ck_assert_int_eq(graph_builder_add_deliverable(builder, &mix, NULL, 0, &index), LH_OK);
    const struct graph *graph = NULL;
    ck_assert_int_eq(graph_builder_finish(builder, &graph, NULL), LH_OK);
    graph_builder_free(builder);
    free(nodes);
    free(regions);
    return graph;
}
