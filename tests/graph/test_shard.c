/* SPDX-License-Identifier: MIT */
/* graph/shard.c: what a shard is, and its bytes. */
#include "graph/shard.h"

#include <stdlib.h>
#include <string.h>

#include "graph/span.h"
#include "tests/graph/fixture.h"
#include "tests/support/testing.h"

static struct lh_digest key(uint8_t first)
{
    return (struct lh_digest){{first}};
}

/* Two media (the second lossy), stored floats and a stored sum into a bus; delivered as a file, as frames and as a
   sum. */
static const struct graph *piece(void)
{
    struct graph_builder *builder;
    ck_assert_int_eq(graph_builder_new(48000, 1024, &builder), LH_OK);
    struct graph_media wav = fixture_media(2, 1000, "wav");
    struct graph_media mp3 = fixture_media(2, 1000, "mp3");
    mp3.conform = GRAPH_CONFORM_DECODE;
    uint32_t media[2], inputs[3], nodes[2], index;
    ck_assert_int_eq(graph_builder_add_media(builder, &wav, &media[0]), LH_OK);
    ck_assert_int_eq(graph_builder_add_media(builder, &mp3, &media[1]), LH_OK);
    struct graph_region regions[2] = {
        {.media = media[0], .length = 1000, .gain = 1, .fade_in = GRAPH_NONE, .fade_out = GRAPH_NONE},
        {.media = media[1], .length = 1000, .gain = 1, .fade_in = GRAPH_NONE, .fade_out = GRAPH_NONE}};
    struct graph_stored floats = {.channels = 2, .frames = 480000};
    struct graph_stored sums = {.channels = 2, .sum = true, .frames = 480000};
    ck_assert_int_eq(graph_builder_add_clips(builder, 2, false, regions, 2, "clips", &inputs[0]), LH_OK);
    ck_assert_int_eq(graph_builder_add_stored(builder, &floats, "floats", &inputs[1]), LH_OK);
    ck_assert_int_eq(graph_builder_add_stored(builder, &sums, "sums", &inputs[2]), LH_OK);
    ck_assert_int_eq(graph_builder_add_sum(builder, GRAPH_NODE_BUS, 2, false, inputs, 3, "bus", &nodes[0]), LH_OK);
    ck_assert_int_eq(graph_builder_add_sum(builder, GRAPH_NODE_PARTIAL, 2, false, inputs, 2, "part", &nodes[1]), LH_OK);
    struct graph_deliverable mix = fixture_deliverable(nodes[0], "mix");
    struct graph_deliverable frames = {.name = "frames", .node = nodes[0]};
    struct graph_deliverable part = {.name = "part", .node = nodes[1]};
    struct graph_span span = {.begin = 0, .silence = INT64_MAX, .stop = 480000};
    graph_span_deliver(&span, 48000, &frames);
    graph_span_deliver(&span, 48000, &part);
    ck_assert_int_eq(graph_builder_add_deliverable(builder, &mix, NULL, 0, &index), LH_OK);
    ck_assert_int_eq(graph_builder_add_deliverable(builder, &frames, NULL, 0, &index), LH_OK);
    ck_assert_int_eq(graph_builder_add_deliverable(builder, &part, NULL, 0, &index), LH_OK);
    const struct graph *graph = NULL;
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_msg(graph_builder_finish(builder, &graph, &error) == LH_OK, "%s: %s", error.where, error.message);
    graph_builder_free(builder);
    return graph;
}

/* The same media, nothing else. */
static const struct graph *media_alone(void)
{
    struct graph_builder *builder;
    ck_assert_int_eq(graph_builder_new(48000, 1024, &builder), LH_OK);
    struct graph_media mp3 = fixture_media(2, 1000, "mp3");
    uint32_t index;
    mp3.conform = GRAPH_CONFORM_DECODE;
    ck_assert_int_eq(graph_builder_add_media(builder, &mp3, &index), LH_OK);
    mp3.conform = GRAPH_CONFORM_IN_PLACE;
    ck_assert_int_eq(graph_builder_add_media(builder, &mp3, &index), LH_OK);
    const struct graph *graph = NULL;
    ck_assert_int_eq(graph_builder_finish(builder, &graph, NULL), LH_OK);
    graph_builder_free(builder);
    return graph;
}

/* A shard that holds, and room to break it. */
struct sample {
    struct graph_shard shard;
    struct graph_shard_input inputs[5];
    struct graph_shard_output outputs[4];
};

static struct sample *render(void)
{
    struct sample *sample = calloc(1, sizeof *sample);
    ck_assert_ptr_nonnull(sample);
    *sample = (struct sample){
        .inputs = {{GRAPH_SHARD_MEDIUM, 0, key(1)},
                   {GRAPH_SHARD_CONFORMED, 1, key(2)},
                   {GRAPH_SHARD_STORED, 0, key(3)},
                   {GRAPH_SHARD_STORED, 1, key(4)}},
        .outputs = {{GRAPH_SHARD_OUT_FILE, 0, key(5)},
                    {GRAPH_SHARD_OUT_STORED, 1, key(6)},
                    {GRAPH_SHARD_OUT_SUM, 2, key(7)}},
    };
    sample->shard = (struct graph_shard){.kind = GRAPH_SHARD_RENDER,
                                         .graph = piece(),
                                         .inputs = sample->inputs,
                                         .input_count = 4,
                                         .outputs = sample->outputs,
                                         .output_count = 3};
    return sample;
}

static struct sample *convert(void)
{
    struct sample *sample = calloc(1, sizeof *sample);
    ck_assert_ptr_nonnull(sample);
    *sample = (struct sample){.inputs = {{GRAPH_SHARD_MEDIUM, 0, key(1)}, {GRAPH_SHARD_MEDIUM, 1, key(2)}},
                              .outputs = {{GRAPH_SHARD_OUT_CONFORMED, 0, key(3)}}};
    sample->shard = (struct graph_shard){.kind = GRAPH_SHARD_CONVERT,
                                         .graph = media_alone(),
                                         .inputs = sample->inputs,
                                         .input_count = 2,
                                         .outputs = sample->outputs,
                                         .output_count = 1};
    return sample;
}

static struct sample *probe(void)
{
    struct sample *sample = calloc(1, sizeof *sample);
    ck_assert_ptr_nonnull(sample);
    *sample = (struct sample){.inputs = {{GRAPH_SHARD_MIDI, 0, key(1)}, {GRAPH_SHARD_MEDIUM, 1, key(2)}},
                              .outputs = {{GRAPH_SHARD_OUT_FACTS, 0, key(3)}, {GRAPH_SHARD_OUT_FACTS, 1, key(4)}}};
    sample->shard = (struct graph_shard){.kind = GRAPH_SHARD_PROBE,
                                         .inputs = sample->inputs,
                                         .input_count = 2,
                                         .outputs = sample->outputs,
                                         .output_count = 2};
    return sample;
}

static struct sample *(*const samples[])(void) = {render, convert, probe};

static void sample_free(struct sample *sample)
{
    graph_unref(sample->shard.graph);
    free(sample);
}

static void expect_refused(const struct sample *sample, const char *where)
{
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_int_eq(graph_shard_check(&sample->shard, &error), LH_ERR_FORMAT);
    ck_assert_str_eq(error.where, where);
    ck_assert(error.message[0] != '\0');
}

START_TEST(shards_round_trip)
{
    struct sample *sample = samples[_i]();
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_msg(graph_shard_check(&sample->shard, &error) == LH_OK, "%s: %s", error.where, error.message);
    struct lh_writer bytes, again;
    struct lh_arena arena;
    lh_writer_init(&bytes);
    lh_writer_init(&again);
    lh_arena_init(&arena);
    ck_assert_int_eq(graph_shard_encode(&sample->shard, &bytes), LH_OK);
    struct graph_shard read = {.graph = NULL};
    ck_assert_msg(graph_shard_decode(bytes.data, bytes.size, &arena, &read, &error) == LH_OK, "%s", error.message);
    ck_assert_int_eq(read.kind, sample->shard.kind);
    ck_assert_uint_eq(read.input_count, sample->shard.input_count);
    ck_assert_uint_eq(read.output_count, sample->shard.output_count);
    for (size_t i = 0; i < read.input_count; i++) {
        ck_assert_int_eq(read.inputs[i].kind, sample->inputs[i].kind);
        ck_assert(lh_digest_equal(&read.inputs[i].key, &sample->inputs[i].key));
    }
    ck_assert_int_eq(graph_shard_encode(&read, &again), LH_OK);
    ck_assert_uint_eq(again.size, bytes.size);
    ck_assert_mem_eq(again.data, bytes.data, bytes.size);
    /* No truncation of it is one. */
    for (size_t size = 0; size < bytes.size; size++) {
        struct graph_shard none = {.graph = NULL};
        ck_assert_int_eq(graph_shard_decode(bytes.data, size, &arena, &none, &error), LH_ERR_FORMAT);
        ck_assert_ptr_null(none.graph);
    }
    graph_unref(read.graph);
    lh_arena_fini(&arena);
    lh_writer_fini(&bytes);
    lh_writer_fini(&again);
    sample_free(sample);
}
END_TEST

/* The layout is public: a change of these bytes needs a new version. */
START_TEST(layout_is_fixed)
{
    struct sample *sample = probe();
    sample->shard.input_count = sample->shard.output_count = 1;
    struct lh_writer bytes;
    lh_writer_init(&bytes);
    ck_assert_int_eq(graph_shard_encode(&sample->shard, &bytes), LH_OK);
    uint8_t expected[8 + 4 + 1 + 4 + 4 + 8 + 2 * (1 + 4 + 32)] = "LHshard\0\1\0\0\0\0\1\0\0\0\1";
    expected[29] = GRAPH_SHARD_MIDI;
    expected[34] = 1;
    expected[66] = GRAPH_SHARD_OUT_FACTS;
    expected[71] = 3;
    ck_assert_uint_eq(bytes.size, sizeof expected);
    ck_assert_mem_eq(bytes.data, expected, sizeof expected);
    lh_writer_fini(&bytes);
    sample_free(sample);
}
END_TEST

START_TEST(inputs_fit_the_graph)
{
    struct sample *sample = render();
    sample->shard.input_count = 3;
    expect_refused(sample, "inputs");
    sample->shard.input_count = 5;
    expect_refused(sample, "inputs");
    sample->shard.input_count = 4;
    sample->inputs[0].kind = GRAPH_SHARD_CONFORMED; /* the WAV is read in place */
    expect_refused(sample, "inputs[0]");
    sample->inputs[0].kind = GRAPH_SHARD_MIDI;
    expect_refused(sample, "inputs[0]");
    sample->inputs[0].kind = GRAPH_SHARD_MEDIUM;
    sample->inputs[1].index = 0;
    expect_refused(sample, "inputs[1]");
    sample->inputs[1].index = 1;
    sample->inputs[3].index = 0;
    expect_refused(sample, "inputs[3]");
    sample->inputs[3].index = 1;
    sample->inputs[2].kind = GRAPH_SHARD_MEDIUM;
    expect_refused(sample, "inputs[2]");
    sample_free(sample);
}
END_TEST

START_TEST(outputs_fit_the_graph)
{
    struct sample *sample = render();
    sample->outputs[1].kind = GRAPH_SHARD_OUT_SUM;
    expect_refused(sample, "outputs[1]");
    sample->outputs[1].kind = GRAPH_SHARD_OUT_FILE;
    expect_refused(sample, "outputs[1]");
    sample->outputs[1].kind = GRAPH_SHARD_OUT_STORED;
    sample->outputs[2].index = 3;
    expect_refused(sample, "outputs[2]");
    sample->outputs[2].index = 2;
    sample->outputs[0].kind = GRAPH_SHARD_OUT_CONFORMED;
    expect_refused(sample, "outputs[0]");
    sample->outputs[0].kind = GRAPH_SHARD_OUT_FILE;
    sample->outputs[0].index = 1;
    expect_refused(sample, "outputs[0]");
    sample->outputs[0].index = 0;
    sample->outputs[2].key = sample->outputs[0].key;
    expect_refused(sample, "outputs");
    sample->outputs[2].key = key(7);
    sample->shard.output_count = 0;
    expect_refused(sample, "outputs");
    sample->shard.output_count = 1; /* the others are measured only */
    ck_assert_int_eq(graph_shard_check(&sample->shard, NULL), LH_OK);
    sample_free(sample);
}
END_TEST

START_TEST(conversions_have_media_alone)
{
    struct sample *sample = convert();
    sample->outputs[0].index = 1; /* read in place */
    expect_refused(sample, "outputs[0]");
    sample->outputs[0].index = 0;
    sample->inputs[0].kind = GRAPH_SHARD_CONFORMED;
    expect_refused(sample, "inputs[0]");
    sample_free(sample);
    sample = render();
    sample->shard.kind = GRAPH_SHARD_CONVERT;
    expect_refused(sample, "graph");
    sample_free(sample);
}
END_TEST

START_TEST(probes_look_into_files)
{
    struct sample *sample = probe();
    sample->inputs[1].kind = GRAPH_SHARD_STORED;
    expect_refused(sample, "inputs[1]");
    sample->inputs[1].kind = GRAPH_SHARD_MEDIUM;
    sample->inputs[1].index = 0;
    expect_refused(sample, "inputs[1]");
    sample->inputs[1].index = 1;
    sample->outputs[0].kind = GRAPH_SHARD_OUT_FILE;
    expect_refused(sample, "outputs[0]");
    sample->outputs[0].kind = GRAPH_SHARD_OUT_FACTS;
    sample->shard.output_count = 1;
    expect_refused(sample, "outputs");
    sample->shard.output_count = 2;
    sample->shard.graph = media_alone();
    expect_refused(sample, "graph");
    graph_unref(sample->shard.graph);
    sample->shard.graph = NULL;
    sample->shard.kind = GRAPH_SHARD_RENDER;
    expect_refused(sample, "graph");
    sample_free(sample);
}
END_TEST

START_TEST(bytes_are_hostile)
{
    struct sample *sample = render();
    struct lh_writer bytes;
    struct lh_arena arena;
    lh_writer_init(&bytes);
    lh_arena_init(&arena);
    ck_assert_int_eq(graph_shard_encode(&sample->shard, &bytes), LH_OK);
    static const struct {
        size_t at;
        uint8_t value;
    } spoils[] = {{0, 'X'}, {8, 2}, {12, 3}, {16, 0x7F}, {20, 0xFF}, {24, 0xFF}, {29, 4}, {66 + 37 * 3, 5}};
    for (size_t i = 0; i < sizeof spoils / sizeof spoils[0]; i++) {
        uint8_t *at = bytes.data + spoils[i].at, before = *at;
        struct graph_shard none = {.graph = NULL};
        struct lh_error error = LH_ERROR_INIT;
        *at = spoils[i].value;
        ck_assert_int_eq(graph_shard_decode(bytes.data, bytes.size, &arena, &none, &error), LH_ERR_FORMAT);
        ck_assert(error.message[0] != '\0');
        ck_assert_ptr_null(none.graph);
        *at = before;
    }
    lh_writer_u8(&bytes, 0);
    struct graph_shard none = {.graph = NULL};
    ck_assert_int_eq(graph_shard_decode(bytes.data, bytes.size, &arena, &none, NULL), LH_ERR_FORMAT);
    lh_arena_fini(&arena);
    lh_writer_fini(&bytes);
    sample_free(sample);
}
END_TEST

START_TEST(memory_runs_out)
{
    struct sample *sample = render();
    struct lh_writer bytes;
    lh_writer_init(&bytes);
    ck_assert_int_eq(graph_shard_encode(&sample->shard, &bytes), LH_OK);
    size_t failures = 0;
    for (size_t n = 1;; n++) {
        struct lh_arena arena;
        struct graph_shard read = {.graph = NULL};
        struct lh_writer again;
        lh_arena_init(&arena);
        lh_writer_init(&again);
        testing_fail_allocation(n);
        enum lh_status decoded = graph_shard_decode(bytes.data, bytes.size, &arena, &read, NULL);
        enum lh_status encoded = decoded == LH_OK ? graph_shard_encode(&read, &again) : decoded;
        bool failed = testing_fail_allocation_end();
        graph_unref(read.graph);
        lh_writer_fini(&again);
        lh_arena_fini(&arena);
        if (!failed) {
            ck_assert_int_eq(encoded, LH_OK);
            break;
        }
        ck_assert_int_eq(encoded, LH_ERR_NO_MEMORY);
        failures++;
    }
    ck_assert_uint_ge(failures, 5);
    lh_writer_fini(&bytes);
    sample_free(sample);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("graph/shard");
    TCase *tcase = tcase_create("shard");
    tcase_add_loop_test(tcase, shards_round_trip, 0, sizeof samples / sizeof samples[0]);
    tcase_add_test(tcase, layout_is_fixed);
    tcase_add_test(tcase, inputs_fit_the_graph);
    tcase_add_test(tcase, outputs_fit_the_graph);
    tcase_add_test(tcase, conversions_have_media_alone);
    tcase_add_test(tcase, probes_look_into_files);
    tcase_add_test(tcase, bytes_are_hostile);
    tcase_add_test(tcase, memory_runs_out);
    suite_add_tcase(suite, tcase);
    return testing_main(suite);
}
