/* SPDX-License-Identifier: MIT */
/* PLUGIN nodes in a render: what they are told and when, what they hear and what is heard of them, and how they fail.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "graph/span.h"
#include "tests/support/racks.h"
#include "tests/support/testing.h"

#define FRAMES 20000
#define FILES_MAX 4
#define NONE GRAPH_NONE

static struct engine_host *host;
static struct graph_builder *builder;
static float *noise; /* two channels */
static int media[2];

static void set_up(void)
{
    uint32_t state = 3;
    host = racks_host(NULL);
    builder = graphs_builder();
    noise = malloc(sizeof *noise * FRAMES * 2);
    float *mono = malloc(sizeof *mono * FRAMES);
    ck_assert(noise != NULL && mono != NULL);
    for (size_t i = 0; i < (size_t)FRAMES * 2; i++) {
        state = state * 1664525u + 1013904223u;
        noise[i] = (float)((int32_t)state >> 8) * 0x1p-24f; /* on the grid */
    }
    for (size_t i = 0; i < FRAMES; i++) {
        mono[i] = noise[2 * i];
    }
    media[0] = graphs_wav(mono, FRAMES, 1);
    media[1] = graphs_wav(noise, FRAMES, 2);
    free(mono);
}

static void tear_down(void)
{
    engine_host_free(host);
    free(noise);
    close(media[0]);
    close(media[1]);
}

/* Both media are there; a source of one or two channels plays its own from frame 0. */
static void make_sources(uint32_t *mono, uint32_t *stereo)
{
    *mono = graphs_clip(builder, graphs_media(builder, 1, FRAMES), 1, 0, FRAMES, "mono");
    *stereo = graphs_clip(builder, graphs_media(builder, 2, FRAMES), 2, 0, FRAMES, "stereo");
}

/* Frame i of channel c of the noise. */
static float source(int64_t i, uint32_t c)
{
    return i < FRAMES ? noise[2 * i + c] : 0;
}

struct heard {
    float *samples[FILES_MAX];
    size_t frames[FILES_MAX];
    struct engine_inserted inserted[FILES_MAX];
    struct engine_times times;
};

static struct heard render(const struct graph *graph, uint32_t threads, uint32_t block)
{
    struct heard heard = {.times = {0}};
    int outputs[FILES_MAX];
    struct engine_delivered delivered[FILES_MAX];
    struct engine_render_result result = {.delivered = delivered, .inserted = heard.inserted};
    struct lh_error error = LH_ERROR_INIT;
    enum lh_status status = racks_render(host, graph, media, threads, block, outputs, &result, &error);
    ck_assert_msg(status == LH_OK, "%s: %s", error.where, error.message);
    for (uint32_t d = 0; d < graph->deliverable_count; d++) {
        uint32_t channels = graph->nodes[graph->deliverables[d].node].channels;
        heard.samples[d] = graphs_samples(outputs[d], channels, &heard.frames[d]);
        close(outputs[d]);
    }
    heard.times = result.times;
    return heard;
}

/* One file of a node; the graph is gone afterwards. */
static struct heard hear(uint32_t node, int64_t start, int64_t end)
{
    struct graph_deliverable file = graphs_deliverable("file", node, start, end);
    graphs_deliver(builder, &file);
    const struct graph *graph = graphs_finish(builder);
    struct heard heard = render(graph, 2, 1024);
    ck_assert_uint_eq(heard.frames[0], (size_t)(end - start));
    graph_unref(graph);
    return heard;
}

#define EXPECT(heard, index, wanted, frame)                                                                            \
    ck_assert_msg((heard).samples[0][index] == (wanted), "frame %lld, sample %zu: %g, not %g", (long long)(frame),     \
                  (size_t)(index), (double)(heard).samples[0][index], (double)(wanted))

/* ---- what it is told ---- */

/* The parameter is the curve's value where the piece began that the frame is in. */
static float told_at(const struct graph_point *points, size_t count, int64_t frame)
{
    const struct graph_point *at = points;
    while (at + 1 < points + count && at[1].frame <= frame) {
        at++;
    }
    if (at + 1 == points + count || at[1].value == at[0].value || frame < at->frame) {
        return at->value;
    }
    double slope = ((double)at[1].value - (double)at->value) / (double)(at[1].frame - at->frame);
    return (float)((double)at->value + slope * (double)(frame - at->frame));
}

START_TEST(a_parameter_steps_at_its_frame_and_ramps_on_the_grid)
{
    static const struct graph_point points[] = {{0, 1},        {3001, 1},    {3001, 5},    {6000, 5},     {9000, -100},
                                                {12345, -100}, {12345, 700}, {12346, 700}, {12346, 0.5f}, {15000, 900}};
    size_t count = sizeof points / sizeof *points;
    int64_t start = 100;
    struct heard heard =
        hear(racks_moving(builder, RACKS_OWN "parameter-teller", 1, NONE, "value", points, count), start, FRAMES);
    int64_t piece = start;
    for (int64_t i = start; i < FRAMES; i++) {
        bool ramps = (i > 6000 && i <= 9000 + 63) || i > 12346;
        if (i % 1024 == 0 || (ramps && i % 64 == 0) || i == 3001 || i == 12345 || i == 12346) {
            piece = i;
        }
        EXPECT(heard, i - start, told_at(points, count, piece), i);
    }
    free(heard.samples[0]);
}
END_TEST

/* Pieces where one parameter steps and another does not move. */
START_TEST(runs_are_cut_where_they_must_be_and_nowhere_else)
{
    static const struct graph_point points[] = {{0, 0}, {2500, 0}, {2500, 1}, {4096, 1}, {4200, 0}};
    static const int64_t cuts[] = {900, 1024, 2048, 2500, 3072, 4096, 4160, 4224, 5120, 6144, 7168};
    struct heard heard = hear(racks_moving(builder, RACKS_OWN "offset-teller", 1, NONE, "knob", points, 5), 900, 7168);
    size_t cut = 0;
    for (int64_t i = 900; i < 7168; i++) {
        float wanted = 0;
        if (i == cuts[cut]) {
            wanted = (float)(cuts[cut + 1] - cuts[cut]) / 8192;
            cut++;
        }
        EXPECT(heard, i - 900, wanted, i);
    }
    free(heard.samples[0]);
}
END_TEST

START_TEST(a_ramping_property_is_told_as_a_message)
{
    static const struct graph_point points[] = {{0, 1}, {5000, 1}, {5000, 2}};
    uint32_t mono;
    uint32_t stereo;
    make_sources(&mono, &stereo);
    struct heard heard = hear(racks_moving(builder, RACKS_OWN "property", 1, mono, "level", points, 3), 0, 8000);
    for (int64_t i = 0; i < 8000; i++) {
        EXPECT(heard, i, source(i, 0) * (i < 5000 ? 1 : 2), i);
    }
    free(heard.samples[0]);
}
END_TEST

START_TEST(notes_sound_at_their_frames)
{
    static const struct graph_event events[] = {{500, 3, {0x90, 60, 127}},  {1023, 3, {0x80, 60, 0}},
                                                {1024, 3, {0x90, 61, 127}}, {7777, 3, {0x80, 61, 0}},
                                                {8000, 3, {0x91, 10, 127}}, {12000, 3, {0x81, 10, 0}}};
    struct heard heard = hear(racks_instrument(builder, RACKS_OWN "click-synth", 2, events, 6), 1000, 10000);
    for (int64_t i = 1000; i < 10000; i++) {
        /* the note-off at 1023 is of a note that was not played */
        float wanted = i == 1024 || i == 8000 ? 1.0f : i == 7777 ? -1.0f : 0;
        EXPECT(heard, 2 * (i - 1000), wanted, i);
        EXPECT(heard, 2 * (i - 1000) + 1, wanted, i);
    }
    free(heard.samples[0]);
}
END_TEST

/* With a tail, what still sounds at the end is released there. */
START_TEST(notes_end_with_their_range)
{
    static const struct graph_event events[] = {
        {500, 3, {0x90, 60, 127}}, {5000, 3, {0x90, 61, 127}}, {6000, 3, {0x80, 60, 0}}};
    struct graph_deliverable file =
        graphs_deliverable("file", racks_instrument(builder, RACKS_OWN "click-synth", 1, events, 3), 0, 4000);
    file.tail = GRAPH_TAIL_FRAMES;
    file.tail_frames = 5000;
    graphs_deliver(builder, &file);
    const struct graph *graph = graphs_finish(builder);
    struct heard heard = render(graph, 1, 0);
    for (int64_t i = 0; i < 9000; i++) {
        EXPECT(heard, i, i == 500 ? 1.0f : i == 4000 ? -1.0f : 0, i);
    }
    free(heard.samples[0]);
    graph_unref(graph);
}
END_TEST

START_TEST(the_musical_time_is_told_where_it_changes)
{
    static const struct graph_tempo tempo[] = {{.frame = 0, .bpm = 120, .numerator = 4, .denominator = 4},
                                               {.frame = 5000,
                                                .beats = 5000.0 / 24000,
                                                .bpm = 60,
                                                .bar_beat = 5000.0 / 24000,
                                                .numerator = 4,
                                                .denominator = 4}};
    ck_assert_int_eq(graph_builder_set_tempo(builder, tempo, 2), LH_OK);
    struct heard heard = hear(racks_node(builder, RACKS_OWN "position-teller", 8, NONE, NONE, NULL), 0, 8000);
    for (int64_t i = 0; i < 8000; i++) {
        EXPECT(heard, 8 * i, i < 5000 ? 0.12f : 0.06f, i);
        EXPECT(heard, 8 * i + 7, i < 5000 ? 0 : 5000.0f / 1048576, i);
    }
    free(heard.samples[0]);
}
END_TEST

/* ---- what it hears and what is heard of it ---- */

START_TEST(mono_plugins_run_in_pairs)
{
    static const struct racks_value values[] = {{"gain", 2}, {NULL, 0}};
    uint32_t mono;
    uint32_t stereo;
    make_sources(&mono, &stereo);
    struct heard heard = hear(racks_node(builder, RACKS_OWN "gain", 2, stereo, NONE, values), 333, 9000);
    for (int64_t i = 333; i < 9000; i++) {
        EXPECT(heard, 2 * (i - 333), source(i, 0) * 2, i);
        EXPECT(heard, 2 * (i - 333) + 1, source(i, 1) * 2, i);
    }
    ck_assert_uint_eq(heard.inserted[0].copies, 2);
    ck_assert_uint_eq(heard.inserted[0].latency, 0);
    ck_assert(!heard.inserted[0].latency_changed);
    ck_assert(heard.times.plugins > 0);
    free(heard.samples[0]);
}
END_TEST

START_TEST(stereo_plugins_on_mono_give_the_mean)
{
    static const struct racks_value values[] = {{"gain", 0.5f}, {NULL, 0}};
    uint32_t mono;
    uint32_t stereo;
    make_sources(&mono, &stereo);
    struct heard heard = hear(racks_node(builder, RACKS_OWN "gain2", 1, mono, NONE, values), 0, 9000);
    for (int64_t i = 0; i < 9000; i++) {
        EXPECT(heard, i, source(i, 0) * 0.5f, i);
    }
    ck_assert_uint_eq(heard.inserted[0].copies, 1);
    free(heard.samples[0]);
}
END_TEST

START_TEST(layouts_that_differ_meet_by_the_rule)
{
    uint32_t mono;
    uint32_t stereo;
    make_sources(&mono, &stereo);
    struct heard mean = hear(racks_node(builder, RACKS_OWN "one-to-two", 2, stereo, NONE, NULL), 0, 3000);
    for (int64_t i = 0; i < 3000; i++) {
        float middle = (source(i, 0) + source(i, 1)) * 0.5f;
        EXPECT(mean, 2 * i, middle, i);
        EXPECT(mean, 2 * i + 1, -middle, i);
    }
    free(mean.samples[0]);
    builder = graphs_builder();
    make_sources(&mono, &stereo);
    struct heard spread = hear(racks_node(builder, RACKS_OWN "two-to-one", 2, stereo, NONE, NULL), 0, 3000);
    for (int64_t i = 0; i < 3000; i++) {
        float folded = 0.75f * source(i, 0) + 0.25f * source(i, 1);
        EXPECT(spread, 2 * i, folded, i);
        EXPECT(spread, 2 * i + 1, folded, i);
    }
    free(spread.samples[0]);
    builder = graphs_builder();
    make_sources(&mono, &stereo);
    struct heard wide = hear(racks_node(builder, RACKS_OWN "eight-in", 2, stereo, NONE, NULL), 0, 3000);
    for (int64_t i = 0; i < 3000; i++) {
        float folded = source(i, 0) * 0.5f + source(i, 1) * 0.25f;
        EXPECT(wide, 2 * i, folded, i);
        EXPECT(wide, 2 * i + 1, folded, i);
    }
    free(wide.samples[0]);
    builder = graphs_builder();
    struct heard first = hear(racks_node(builder, RACKS_OWN "four-out", 2, NONE, NONE, NULL), 0, 3000);
    for (int64_t i = 0; i < 3000; i++) {
        EXPECT(first, 2 * i, 0.125f, i);
        EXPECT(first, 2 * i + 1, 0.25f, i);
    }
    free(first.samples[0]);
}
END_TEST

START_TEST(analysers_let_the_sound_pass)
{
    uint32_t mono;
    uint32_t stereo;
    make_sources(&mono, &stereo);
    struct heard heard = hear(racks_node(builder, RACKS_OWN "analyser", 2, stereo, NONE, NULL), 777, 12000);
    for (int64_t i = 777; i < 12000; i++) {
        EXPECT(heard, 2 * (i - 777), source(i, 0), i);
        EXPECT(heard, 2 * (i - 777) + 1, source(i, 1), i);
    }
    free(heard.samples[0]);
    builder = graphs_builder();
    struct heard nothing = hear(racks_node(builder, RACKS_OWN "analyser", 2, NONE, NONE, NULL), 0, 3000);
    for (int64_t i = 0; i < 6000; i++) {
        EXPECT(nothing, i, 0, i / 2);
    }
    free(nothing.samples[0]);
}
END_TEST

START_TEST(side_chains_may_have_another_layout)
{
    uint32_t mono;
    uint32_t stereo;
    make_sources(&mono, &stereo);
    struct heard keyed = hear(racks_node(builder, RACKS_OWN "sidechain-multiply", 1, mono, stereo, NULL), 0, 3000);
    for (int64_t i = 0; i < 3000; i++) {
        EXPECT(keyed, i, source(i, 0) * (source(i, 0) + source(i, 1)), i);
    }
    free(keyed.samples[0]);
    builder = graphs_builder();
    make_sources(&mono, &stereo);
    struct heard both = hear(racks_node(builder, RACKS_OWN "sidechain-stereo", 2, stereo, mono, NULL), 0, 3000);
    for (int64_t i = 0; i < 3000; i++) {
        EXPECT(both, 2 * i, source(i, 0) * source(i, 0), i);
        EXPECT(both, 2 * i + 1, source(i, 1) * source(i, 0), i);
    }
    free(both.samples[0]);
    builder = graphs_builder();
    make_sources(&mono, &stereo);
    struct heard none = hear(racks_node(builder, RACKS_OWN "sidechain-stereo", 2, stereo, NONE, NULL), 0, 3000);
    for (int64_t i = 0; i < 6000; i++) {
        EXPECT(none, i, 0, i / 2);
    }
    free(none.samples[0]);
}
END_TEST

/* ---- ranges ---- */

/* A delay that reports nothing: what it gives in a range tells what was played before. */
static uint32_t echo(uint32_t input)
{
    static const struct racks_value values[] = {{"feedback", 0.5f}, {"time", 1000}, {NULL, 0}};
    return racks_node(builder, RACKS_OWN "tail", 1, input, NONE, values);
}

static float echoed(int64_t i, int64_t begin, int64_t silence)
{
    float sum = 0;
    for (int64_t n = 9; n >= 0; n--) {
        int64_t at = i - n * 1000;
        sum = sum * 0.5f + (at >= begin && at < silence ? source(at, 0) : 0);
    }
    return sum;
}

START_TEST(a_preroll_is_played_but_not_delivered)
{
    uint32_t mono;
    uint32_t stereo;
    make_sources(&mono, &stereo);
    uint32_t node = echo(mono);
    static const int64_t prerolls[] = {0, 700, 3000};
    for (uint32_t d = 0; d < 3; d++) {
        struct graph_deliverable file = graphs_deliverable((const char *[]){"a", "b", "c"}[d], node, 5000, 9000);
        file.preroll = prerolls[d];
        graphs_deliver(builder, &file);
    }
    const struct graph *graph = graphs_finish(builder);
    struct heard heard = render(graph, 2, 2048);
    for (uint32_t d = 0; d < 3; d++) {
        ck_assert_uint_eq(heard.frames[d], 4000);
        for (int64_t i = 5000; i < 9000; i++) {
            float wanted = echoed(i, 5000 - prerolls[d], INT64_MAX);
            ck_assert_msg(heard.samples[d][i - 5000] == wanted, "preroll %lld, frame %lld: %g, not %g",
                          (long long)prerolls[d], (long long)i, (double)heard.samples[d][i - 5000], (double)wanted);
        }
        free(heard.samples[d]);
    }
    graph_unref(graph);
}
END_TEST

START_TEST(a_tail_rings_after_the_sources_are_silent)
{
    uint32_t mono;
    uint32_t stereo;
    make_sources(&mono, &stereo);
    struct graph_deliverable file = graphs_deliverable("file", echo(mono), 1000, 4000);
    file.tail = GRAPH_TAIL_FRAMES;
    file.tail_frames = 5000;
    graphs_deliver(builder, &file);
    const struct graph *graph = graphs_finish(builder);
    struct heard heard = render(graph, 3, 1024);
    ck_assert_uint_eq(heard.frames[0], 8000);
    for (int64_t i = 1000; i < 9000; i++) {
        EXPECT(heard, i - 1000, echoed(i, 1000, 4000), i);
    }
    free(heard.samples[0]);
    graph_unref(graph);
}
END_TEST

/* ---- what goes wrong ---- */

START_TEST(a_latency_that_changes_is_told)
{
    static const struct racks_value values[] = {{"delay", 100}, {"later", 200}, {"after", 3000}, {NULL, 0}};
    uint32_t mono;
    uint32_t stereo;
    make_sources(&mono, &stereo);
    struct heard heard = hear(racks_node(builder, RACKS_OWN "late", 1, mono, NONE, values), 0, 8000);
    for (int64_t i = 0; i < 8000; i++) {
        EXPECT(heard, i, source(i, 0), i); /* what it says is not what it does */
    }
    ck_assert_uint_eq(heard.inserted[0].latency, 100);
    ck_assert(heard.inserted[0].latency_changed);
    free(heard.samples[0]);
}
END_TEST

static struct lh_error must_fail(uint32_t node, struct engine_host *with, enum lh_status wanted)
{
    struct graph_deliverable file = graphs_deliverable("file", node, 0, FRAMES);
    graphs_deliver(builder, &file);
    const struct graph *graph = graphs_finish(builder);
    int outputs[1];
    struct engine_delivered delivered[1];
    struct engine_inserted inserted[4];
    struct engine_render_result result = {.delivered = delivered, .inserted = inserted};
    struct lh_error error = LH_ERROR_INIT;
    enum lh_status status = racks_render(with, graph, media, 2, 1024, outputs, &result, &error);
    ck_assert_msg(status == wanted, "%d, %s: %s", (int)status, error.where, error.message);
    close(outputs[0]);
    graph_unref(graph);
    builder = graphs_builder();
    return error;
}

START_TEST(faults_name_track_node_plugin_and_frame)
{
    static const struct racks_value loud[] = {{"feedback", 1e30f}, {"time", 1}, {NULL, 0}};
    uint32_t mono;
    uint32_t stereo;
    make_sources(&mono, &stereo);
    struct lh_error error = must_fail(racks_node(builder, RACKS_OWN "tail", 1, mono, NONE, loud), host, LH_ERR_FAULT);
    ck_assert_str_eq(error.where, "track t, node n (lv2:urn:loophole:test:tail), frame 2");
    ck_assert_ptr_nonnull(strstr(error.message, "infinity"));
    /* finite, but more than a sum takes */
    static const struct racks_value louder[] = {{"value", 5000}, {NULL, 0}};
    error = must_fail(racks_node(builder, RACKS_OWN "parameter-teller", 1, NONE, NONE, louder), host, LH_ERR_FAULT);
    ck_assert_str_eq(error.where, "track t, node n, frame 0, channel 1");
}
END_TEST

START_TEST(what_cannot_be_hosted_is_named)
{
    uint32_t mono;
    uint32_t stereo;
    make_sources(&mono, &stereo);
    struct lh_error error =
        must_fail(racks_node(builder, "lv2:urn:nobody:knows", 1, mono, NONE, NULL), host, LH_ERR_MISSING);
    ck_assert_str_eq(error.where, "track t, node n (lv2:urn:nobody:knows)");
    make_sources(&mono, &stereo);
    error = must_fail(racks_node(builder, RACKS_OWN "requires-unknown", 1, mono, NONE, NULL), host, LH_ERR_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(error.where, "track t, node n"));
    static const struct racks_value unknown[] = {{"no-such-thing", 1}, {NULL, 0}};
    make_sources(&mono, &stereo);
    error = must_fail(racks_node(builder, RACKS_OWN "gain", 1, mono, NONE, unknown), host, LH_ERR_MISSING);
    ck_assert_ptr_nonnull(strstr(error.message, "no-such-thing"));
    make_sources(&mono, &stereo);
    error = must_fail(racks_node(builder, RACKS_OWN "four-out", 8, NONE, NONE, NULL), host, LH_ERR_UNSUPPORTED);
    make_sources(&mono, &stereo);
    error = must_fail(racks_node(builder, RACKS_OWN "gain", 1, mono, NONE, NULL), NULL, LH_ERR_UNSUPPORTED);
    ck_assert_str_eq(error.where, "track t, node n");
}
END_TEST

START_TEST(memory_that_runs_out_is_a_status)
{
    static const struct racks_value values[] = {{"delay", 100}, {NULL, 0}};
    uint32_t mono;
    uint32_t stereo;
    make_sources(&mono, &stereo);
    uint32_t inputs[] = {mono, racks_node(builder, RACKS_OWN "latent", 1, mono, NONE, values)};
    struct graph_deliverable file = graphs_deliverable("file", graphs_bus(builder, 1, inputs, 2, "bus"), 0, 3000);
    graphs_deliver(builder, &file);
    const struct graph *graph = graphs_finish(builder);
    int outputs[1];
    struct engine_delivered delivered[1];
    struct engine_inserted inserted[1];
    struct engine_render_result result = {.delivered = delivered, .inserted = inserted};
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_int_eq(racks_render(host, graph, media, 1, 1024, outputs, &result, &error), LH_OK); /* data are read */
    close(outputs[0]);
    for (size_t n = 1;; n++) {
        testing_fail_allocation(n);
        enum lh_status status = racks_render(host, graph, media, 1, 1024, outputs, &result, &error);
        bool failed = testing_fail_allocation_end();
        close(outputs[0]);
        if (!failed) {
            ck_assert_int_eq(status, LH_OK);
            break;
        }
        ck_assert_msg(status == LH_ERR_NO_MEMORY, "allocation %zu: %d", n, (int)status);
    }
    graph_unref(graph);
}
END_TEST

/* A question: what do they delay by? No frame is played, no medium is opened. */
START_TEST(a_render_of_no_frames_tells_latencies)
{
    uint32_t mono, stereo;
    make_sources(&mono, &stereo);
    static const struct graph_point points[] = {{0, 100}, {5000, 100}, {5000, 300}};
    uint32_t first =
        racks_node(builder, RACKS_OWN "latent2", 2, stereo, NONE, (struct racks_value[]){{"delay", 77}, {0}});
    uint32_t copies = racks_node(builder, RACKS_OWN "latent", 2, first, NONE, (struct racks_value[]){{0}});
    uint32_t moving = racks_moving(builder, RACKS_OWN "latent", 1, mono, "delay", points, 3);
    uint32_t gain = racks_node(builder, RACKS_OWN "gain", 1, moving, NONE, (struct racks_value[]){{0}});
    const struct graph_span nothing = {.begin = 6000, .silence = INT64_MAX, .stop = 6000};
    const uint32_t nodes[] = {copies, gain};
    for (size_t i = 0; i < 2; i++) {
        struct graph_deliverable file = {.name = "nothing", .node = nodes[i]};
        graph_span_deliver(&nothing, 48000, &file);
        graphs_deliver(builder, &file);
    }
    struct graph_builder *kept = builder;
    const struct graph *graph = NULL;
    ck_assert_int_eq(graph_builder_finish(kept, &graph, NULL), LH_OK);
    ck_assert_uint_eq(graph->insert_count, 4);
    int outputs[2];
    struct engine_delivered delivered[2];
    struct engine_inserted inserted[4];
    struct engine_render_result result = {.delivered = delivered, .inserted = inserted};
    struct lh_error error = LH_ERROR_INIT;
    struct engine_render_job job = {.graph = graph, .threads = 1, .host = host}; /* no media at all */
    enum lh_status status = graphs_render_job(&job, outputs, &result, &error);
    ck_assert_msg(status == LH_OK, "%s: %s", error.where, error.message);
    const struct {
        uint32_t node, latency, copies;
    } wanted[] = {{first, 77, 1}, {copies, 480, 2}, {moving, 300, 1}, {gain, 0, 1}};
    for (size_t i = 0; i < 4; i++) {
        uint32_t place = graph_builder_place(kept, wanted[i].node);
        const struct engine_inserted *told = &inserted[graph->nodes[place].insert];
        ck_assert_uint_eq(told->node, place);
        ck_assert_uint_eq(told->latency, wanted[i].latency);
        ck_assert_uint_eq(told->copies, wanted[i].copies);
    }
    for (size_t i = 0; i < 2; i++) {
        ck_assert_uint_eq(delivered[i].file.frames, 0);
        close(outputs[i]);
    }
    ck_assert(result.times.plugins == 0); /* nothing ran but what measures */
    graph_unref(graph);
    graph_builder_free(kept);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("engine/run/plugins");
    TCase *tests = tcase_create("plugins");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, a_parameter_steps_at_its_frame_and_ramps_on_the_grid);
    tcase_add_test(tests, runs_are_cut_where_they_must_be_and_nowhere_else);
    tcase_add_test(tests, a_ramping_property_is_told_as_a_message);
    tcase_add_test(tests, notes_sound_at_their_frames);
    tcase_add_test(tests, notes_end_with_their_range);
    tcase_add_test(tests, the_musical_time_is_told_where_it_changes);
    tcase_add_test(tests, mono_plugins_run_in_pairs);
    tcase_add_test(tests, stereo_plugins_on_mono_give_the_mean);
    tcase_add_test(tests, layouts_that_differ_meet_by_the_rule);
    tcase_add_test(tests, analysers_let_the_sound_pass);
    tcase_add_test(tests, side_chains_may_have_another_layout);
    tcase_add_test(tests, a_preroll_is_played_but_not_delivered);
    tcase_add_test(tests, a_tail_rings_after_the_sources_are_silent);
    tcase_add_test(tests, a_latency_that_changes_is_told);
    tcase_add_test(tests, faults_name_track_node_plugin_and_frame);
    tcase_add_test(tests, what_cannot_be_hosted_is_named);
    tcase_add_test(tests, memory_that_runs_out_is_a_status);
    tcase_add_test(tests, a_render_of_no_frames_tells_latencies);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
