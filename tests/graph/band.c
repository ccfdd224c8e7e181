/* SPDX-License-Identifier: MIT */
/* A band of three nodes with plugins. */
#include "tests/graph/band.h"

#include <check.h>

#include "tests/graph/fixture.h"

struct making {
    const struct band *band;
    struct graph_builder *builder;
    uint32_t media, synth, comp, fuzz; /* plugins */
    uint32_t unity, drive;             /* curves */
};

static enum lh_status add_plugins(struct making *making)
{
    const char *bundle = making->band->bundle != NULL ? making->band->bundle : "/lv2/band.lv2/";
    const struct graph_plugin plugins[] = {
        {.uri = "lv2:urn:synth", .bundle = bundle, .version = "1.0", .digest = {{making->band->binary}}},
        {.uri = "lv2:urn:comp", .bundle = bundle, .version = "2.4", .digest = {{making->band->binary}}},
        {.uri = "lv2:urn:fuzz", .bundle = bundle, .version = "", .digest = {{making->band->binary}}},
    };
    uint32_t *const places[] = {&making->synth, &making->comp, &making->fuzz};
    enum lh_status status = LH_OK;
    for (size_t i = 0; status == LH_OK && i < 3; i++) {
        size_t at = making->band->reversed ? 2 - i : i;
        status = graph_builder_add_plugin(making->builder, &plugins[at], places[at]);
    }
    return status;
}

static enum lh_status add_curves(struct making *making)
{
    const struct graph_point one = {.frame = 0, .value = 1.0f};
    const struct graph_point ramp[] = {{0, -18.0f + making->band->drive}, {4800, -6.0f}};
    enum lh_status status = graph_builder_add_curve(making->builder, &one, 1, &making->unity);
    return status != LH_OK ? status : graph_builder_add_curve(making->builder, ramp, 2, &making->drive);
}

static enum lh_status add_instrument(struct making *making, uint32_t *node)
{
    const struct graph_event events[] = {
        {.frame = 100, .size = 3, .bytes = {0x90, (uint8_t)(60 + making->band->key), 100}},
        {.frame = 4000, .size = 3, .bytes = {0x80, (uint8_t)(60 + making->band->key), 64}},
        {.frame = 4000, .size = 2, .bytes = {0xC0, 5}},
    };
    const struct graph_plugin_node synth = {.plugin = making->synth,
                                            .channels = 2,
                                            .input = GRAPH_NONE,
                                            .sidechain = GRAPH_NONE,
                                            .events = events,
                                            .event_count = 3,
                                            .preset = "urn:synth#pad",
                                            .preset_bundle = "/lv2/pads/"};
    return graph_builder_add_plugin_node(making->builder, &synth, "track keys, node synth", node);
}

/* Clips through fuzz, then through a compressor that `key` keys. */
static enum lh_status add_effects(struct making *making, uint32_t key, const char *label, uint32_t *node)
{
    const struct graph_region region = {
        .media = making->media, .length = 48000, .gain = 1.0f, .fade_in = GRAPH_NONE, .fade_out = GRAPH_NONE};
    uint32_t clips;
    enum lh_status status = graph_builder_add_clips(making->builder, 2, false, &region, 1, "clips", &clips);
    const struct graph_plugin_node fuzz = {.plugin = making->fuzz,
                                           .channels = 2,
                                           .input = clips,
                                           .sidechain = GRAPH_NONE,
                                           .state = making->band->state,
                                           .folder = making->band->state != NULL ? "/songs/" : NULL,
                                           .identity = making->band->identity};
    uint32_t fuzzed = GRAPH_NONE;
    status = status != LH_OK ? status : graph_builder_add_plugin_node(making->builder, &fuzz, label, &fuzzed);
    const struct graph_parameter forth[] = {{"drive", making->drive}, {"mix", making->unity}};
    const struct graph_parameter back[] = {{"mix", making->unity}, {"drive", making->drive}};
    const struct graph_plugin_node comp = {.plugin = making->comp,
                                           .channels = 2,
                                           .input = fuzzed,
                                           .sidechain = key,
                                           .parameters = making->band->reversed ? back : forth,
                                           .parameter_count = 2};
    return status != LH_OK ? status : graph_builder_add_plugin_node(making->builder, &comp, label, node);
}

static enum lh_status add_all(struct making *making)
{
    const struct graph_media media = fixture_media(2, 48000, "drums");
    const struct graph_tempo tempo[] = {
        {.frame = 0, .bpm = 120 + making->band->bpm, .numerator = 4, .denominator = 4},
        {.frame = 96000, .beats = 4, .bpm = 90, .bar = 1, .numerator = 3, .denominator = 4},
    };
    enum lh_status status = graph_builder_add_media(making->builder, &media, &making->media);
    status = status != LH_OK ? status : graph_builder_set_tempo(making->builder, tempo, 2);
    status = status != LH_OK ? status : add_plugins(making);
    status = status != LH_OK ? status : add_curves(making);
    uint32_t inputs[3];
    uint32_t bus;
    uint32_t index;
    size_t count = 2;
    status = status != LH_OK ? status : add_instrument(making, &inputs[0]);
    status = status != LH_OK ? status : add_effects(making, inputs[0], "track drums", &inputs[1]);
    if (making->band->twin) {
        status = status != LH_OK ? status : add_effects(making, inputs[0], "track twin", &inputs[count++]);
    }
    if (status != LH_OK) {
        return status;
    }
    status = graph_builder_add_sum(making->builder, GRAPH_NODE_BUS, 2, false, inputs, count, "bus", &bus);
    struct graph_deliverable mix = fixture_deliverable(bus, "mix");
    return status != LH_OK ? status : graph_builder_add_deliverable(making->builder, &mix, NULL, 0, &index);
}

enum lh_status band_make(const struct band *band, const struct graph **graph)
{
    struct making making = {.band = band};
    enum lh_status status = graph_builder_new(48000, 1024, &making.builder);
    status = status != LH_OK ? status : add_all(&making);
    status = status != LH_OK ? status : graph_builder_finish(making.builder, graph, NULL);
    graph_builder_free(making.builder);
    return status;
}

const struct graph *band_new(const struct band *band)
{
    const struct graph *graph = NULL;
    ck_assert_int_eq(band_make(band, &graph), LH_OK);
    return graph;
}
