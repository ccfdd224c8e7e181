/* SPDX-License-Identifier: MIT */
/* Null tests: what goes through a latent plugin at neutral settings against its plain twin. Nothing may be left of the
   two, wherever in a mix the plugin sits, wherever the range begins and whatever the block. */
#include <stdlib.h>
#include <unistd.h>

#include "tests/support/racks.h"
#include "tests/support/testing.h"

#define FRAMES 90000

static const char *const limiters[] = {"dpl", "ZaMaximX2", NULL};
static float *samples;
static int medium_file;
static struct engine_host *host;

static void set_up(void)
{
    uint32_t state = 99;
    samples = malloc(sizeof *samples * FRAMES * 2);
    ck_assert_ptr_nonnull(samples);
    for (size_t i = 0; i < (size_t)FRAMES * 2; i++) {
        state = state * 1664525u + 1013904223u;
        samples[i] = (float)(int32_t)state * 0x1p-33f;
    }
    medium_file = graphs_wav(samples, FRAMES, 2);
    host = racks_host(limiters);
}

static void tear_down(void)
{
    engine_host_free(host);
    close(medium_file);
    free(samples);
}

/* Builds the pair to compare: a stereo node through the latent plugin, and the same without. */
struct scene {
    struct graph_builder *builder;
    uint32_t source; /* stereo noise */
    float latency;
};

static uint32_t stereo_latent(const struct scene *scene, uint32_t input)
{
    struct racks_value values[] = {{"delay", scene->latency}, {NULL, 0}};
    return racks_node(scene->builder, RACKS_OWN "latent2", 2, input, GRAPH_NONE, values);
}

/* Mono, so that two copies run side by side. */
static uint32_t paired_latent(const struct scene *scene, uint32_t input)
{
    struct racks_value values[] = {{"delay", scene->latency}, {NULL, 0}};
    return racks_node(scene->builder, RACKS_OWN "latent", 2, input, GRAPH_NONE, values);
}

static uint32_t gain(const struct scene *scene, uint32_t input, float factor)
{
    return graphs_gain(scene->builder, input, 2, (float[]){factor, factor * 0.75f}, "gain");
}

static uint32_t bus(const struct scene *scene, uint32_t a, uint32_t b)
{
    return graphs_bus(scene->builder, 2, (uint32_t[]){a, b}, 2, "bus");
}

typedef void scene_fn(const struct scene *scene, uint32_t *latent, uint32_t *plain);

static void directly(const struct scene *scene, uint32_t *latent, uint32_t *plain)
{
    *latent = stereo_latent(scene, scene->source);
    *plain = scene->source;
}

static void in_a_pair(const struct scene *scene, uint32_t *latent, uint32_t *plain)
{
    *latent = paired_latent(scene, scene->source);
    *plain = scene->source;
}

static void twice_in_series(const struct scene *scene, uint32_t *latent, uint32_t *plain)
{
    struct scene other = *scene;
    other.latency = 777;
    *latent = paired_latent(&other, gain(scene, stereo_latent(scene, scene->source), 0.5f));
    *plain = gain(scene, scene->source, 0.5f);
}

static void in_a_group(const struct scene *scene, uint32_t *latent, uint32_t *plain)
{
    uint32_t group = bus(scene, scene->source, gain(scene, scene->source, 0.3f));
    *latent = bus(scene, gain(scene, stereo_latent(scene, group), 0.9f), gain(scene, scene->source, 0.1f));
    *plain = bus(scene, gain(scene, group, 0.9f), gain(scene, scene->source, 0.1f));
}

/* The send goes through the plugin in the return while the dry path does not. */
static void in_a_return(const struct scene *scene, uint32_t *latent, uint32_t *plain)
{
    uint32_t track = gain(scene, scene->source, 0.8f);
    uint32_t sent = bus(scene, gain(scene, track, 0.4f), gain(scene, scene->source, 0.2f));
    *latent = bus(scene, track, gain(scene, stereo_latent(scene, sent), 0.6f));
    *plain = bus(scene, track, gain(scene, sent, 0.6f));
}

static uint32_t keyed(const struct scene *scene, uint32_t input, uint32_t key)
{
    return racks_node(scene->builder, RACKS_OWN "sidechain-stereo", 2, input, key, NULL);
}

static void as_a_side_chain(const struct scene *scene, uint32_t *latent, uint32_t *plain)
{
    uint32_t key = gain(scene, scene->source, 0.5f);
    *latent = keyed(scene, scene->source, stereo_latent(scene, key));
    *plain = keyed(scene, scene->source, key);
}

static void before_a_keyed_plugin(const struct scene *scene, uint32_t *latent, uint32_t *plain)
{
    uint32_t key = gain(scene, scene->source, 0.5f);
    *latent = keyed(scene, stereo_latent(scene, scene->source), key);
    *plain = keyed(scene, scene->source, key);
}

/* Automation after the plugin acts where it is written. */
static void before_automation(const struct scene *scene, uint32_t *latent, uint32_t *plain)
{
    static const struct graph_point points[] = {{0, 1}, {500, 0.25f}, {30011, 0.25f}, {30011, 1}, {61000, 0.5f}};
    uint32_t curve;
    ck_assert_int_eq(graph_builder_add_curve(scene->builder, points, 5, &curve), LH_OK);
    uint32_t curves[] = {curve, curve};
    uint32_t through = stereo_latent(scene, scene->source);
    ck_assert_int_eq(graph_builder_add_gain(scene->builder, through, 2, curves, "moving", latent), LH_OK);
    ck_assert_int_eq(graph_builder_add_gain(scene->builder, scene->source, 2, curves, "moving", plain), LH_OK);
}

static const struct {
    const char *name;
    scene_fn *build;
} scenes[] = {
    {"directly", directly},
    {"in a pair", in_a_pair},
    {"twice in series", twice_in_series},
    {"in a group", in_a_group},
    {"in a return", in_a_return},
    {"as a side chain", as_a_side_chain},
    {"before a keyed plugin", before_a_keyed_plugin},
    {"before automation", before_automation},
};
#define SCENE_COUNT (sizeof scenes / sizeof *scenes)

struct range {
    int64_t start, end, tail, preroll;
};

static float loudest(int file, size_t frames)
{
    size_t count;
    float *heard = graphs_samples(file, 2, &count);
    ck_assert_uint_eq(count, frames);
    float peak = 0;
    for (size_t i = 0; i < count * 2; i++) {
        float level = heard[i] < 0 ? -heard[i] : heard[i];
        peak = level > peak ? level : peak;
    }
    free(heard);
    return peak;
}

static const struct graph *difference_of(uint32_t latency, scene_fn *build, const struct range *range)
{
    struct scene scene = {.builder = graphs_builder(), .latency = (float)latency};
    scene.source = graphs_clip(scene.builder, graphs_media(scene.builder, 2, FRAMES), 2, 0, FRAMES, "clips");
    uint32_t latent;
    uint32_t plain;
    build(&scene, &latent, &plain);
    uint32_t inverted = graphs_gain(scene.builder, plain, 2, (float[]){-1, -1}, "twin");
    uint32_t nodes[] = {bus(&scene, latent, inverted), latent};
    for (uint32_t d = 0; d < 2; d++) {
        struct graph_deliverable file =
            graphs_deliverable(d == 0 ? "difference" : "latent", nodes[d], range->start, range->end);
        file.preroll = range->preroll;
        file.tail = range->tail > 0 ? GRAPH_TAIL_FRAMES : GRAPH_TAIL_NONE;
        file.tail_frames = range->tail;
        graphs_deliver(scene.builder, &file);
    }
    return graphs_finish(scene.builder);
}

/* Returns the latency of the first plugin. */
static uint32_t must_cancel(const struct graph *graph, uint32_t threads, uint32_t block, size_t frames,
                            const char *what)
{
    int outputs[2];
    struct engine_delivered delivered[2];
    struct engine_inserted inserted[4];
    struct engine_render_result result = {.delivered = delivered, .inserted = inserted};
    struct lh_error error = LH_ERROR_INIT;
    enum lh_status status = racks_render(host, graph, &medium_file, threads, block, outputs, &result, &error);
    ck_assert_msg(status == LH_OK, "%s: %s: %s", what, error.where, error.message);
    float left = loudest(outputs[0], frames);
    ck_assert_msg(left == 0, "%s: %g is left, %u threads, block %u", what, (double)left, threads, block);
    ck_assert_msg(loudest(outputs[1], frames) > 0.01f, "%s: nothing to hear", what);
    close(outputs[0]);
    close(outputs[1]);
    return inserted[0].latency;
}

static const struct range ranges[] = {
    {0, 40000, 0, 0}, {333, 40333, 0, 0}, {20001, 20100, 0, 777}, {1024, 30000, 9000, 0}, {4097, 4100, 3, 4096}};

START_TEST(a_latent_plugin_cancels_with_its_plain_twin)
{
    static const uint32_t latencies[] = {0, 1, 64, 480, 1024, 1500, 65536};
    static const uint32_t blocks[] = {0, 1024, 3072, 65536};
    for (size_t s = 0; s < SCENE_COUNT; s++) {
        for (size_t l = 0; l < sizeof latencies / sizeof *latencies; l++) {
            const struct range *range = &ranges[(size_t)_i];
            const struct graph *graph = difference_of(latencies[l], scenes[s].build, range);
            size_t b = (s + l + (size_t)_i) % 4;
            must_cancel(graph, 1 + (uint32_t)b, blocks[b], (size_t)(range->end - range->start + range->tail),
                        scenes[s].name);
            graph_unref(graph);
        }
    }
}
END_TEST

static void through_dpl(const struct scene *scene, uint32_t *latent, uint32_t *plain)
{
    static const struct racks_value values[] = {{"threshold", 0}, {"gain", 0}, {NULL, 0}};
    *latent =
        racks_node(scene->builder, "lv2:http://gareus.org/oss/lv2/dpl#stereo", 2, scene->source, GRAPH_NONE, values);
    *plain = scene->source;
}

static void through_zamaximx2(const struct scene *scene, uint32_t *latent, uint32_t *plain)
{
    static const struct racks_value values[] = {{"thresh", 0}, {"ceil", 0}, {NULL, 0}};
    *latent = racks_node(scene->builder, "lv2:urn:zamaudio:ZaMaximX2", 2, scene->source, GRAPH_NONE, values);
    *plain = scene->source;
}

/* Debian's, where the machine has them. */
START_TEST(limiters_with_nothing_to_limit_cancel)
{
    const struct range range = {100, 30000, 0, 0};
    if (access("/usr/lib/lv2/dpl.lv2", R_OK) == 0) {
        const struct graph *graph = difference_of(0, through_dpl, &range);
        ck_assert_uint_eq(must_cancel(graph, 2, 0, 29900, "dpl"), 64);
        graph_unref(graph);
    }
    if (access("/usr/lib/lv2/ZaMaximX2.lv2", R_OK) == 0) {
        const struct graph *graph = difference_of(0, through_zamaximx2, &range);
        ck_assert_uint_eq(must_cancel(graph, 2, 0, 29900, "ZaMaximX2"), 480);
        graph_unref(graph);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("engine/run/delay");
    TCase *tests = tcase_create("delay");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_loop_test(tests, a_latent_plugin_cancels_with_its_plain_twin, 0, sizeof ranges / sizeof *ranges);
    tcase_add_test(tests, limiters_with_nothing_to_limit_cancel);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
