/* SPDX-License-Identifier: MIT */
/* The planner's decisions: what is fused, what is ordered, who waits for whom, how large a block may be. */
#include "engine/plan/plan.h"
#include "tests/support/graphs.h"
#include "tests/support/testing.h"

#define LENGTH 100000

static uint32_t count_chains(const struct engine_plan *plan, enum engine_chain_kind kind)
{
    uint32_t count = 0;
    for (uint32_t c = 0; c < plan->chain_count; c++) {
        count += plan->chains[c].kind == kind ? 1 : 0;
    }
    return count;
}

/* `tracks` mono stems under pans into one stereo bus, delivered once. */
static const struct graph *stem_mix(uint32_t tracks, uint32_t deliverables)
{
    struct graph_builder *builder = graphs_builder();
    uint32_t inputs[512];
    for (uint32_t t = 0; t < tracks; t++) {
        uint32_t clip = graphs_clip(builder, graphs_media(builder, 1, LENGTH), 1, 0, LENGTH, "clips");
        inputs[t] = graphs_gain(builder, clip, 2, (float[]){0.5f, 0.25f}, "fader");
    }
    uint32_t bus = graphs_bus(builder, 2, inputs, tracks, "bus");
    static const char *const names[] = {"a", "b", "c"};
    for (uint32_t d = 0; d < deliverables; d++) {
        struct graph_deliverable mix = graphs_deliverable(names[d], bus, 0, LENGTH);
        graphs_deliver(builder, &mix);
    }
    return graphs_finish(builder);
}

static struct engine_plan *plan_graph(const struct graph *graph, bool streams, uint32_t threads, uint32_t block)
{
    static bool media_streams[512];
    static bool meters[16];
    for (uint32_t m = 0; m < graph->media_count; m++) {
        media_streams[m] = streams;
    }
    for (uint32_t d = 0; d < graph->deliverable_count; d++) {
        meters[d] = true;
    }
    struct engine_plan_options options = {
        .media_streams = media_streams, .meter_in_pass = meters, .threads = threads, .block = block};
    struct engine_plan *plan;
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_int_eq(engine_plan_new(graph, 0, &options, &plan, &error), LH_OK);
    return plan;
}

START_TEST(plain_stems_are_fused_into_their_bus)
{
    const struct graph *graph = stem_mix(64, 1);
    struct engine_plan *plan = plan_graph(graph, false, 2, 0);
    ck_assert_uint_eq(count_chains(plan, ENGINE_CHAIN_MIX), 1);
    ck_assert_uint_eq(count_chains(plan, ENGINE_CHAIN_METER), 1);
    ck_assert_uint_eq(count_chains(plan, ENGINE_CHAIN_DELIVER), 1);
    ck_assert(!plan->chains[0].ordered);
    ck_assert_uint_eq(plan->chains[0].producers, 0);
    ck_assert_uint_eq(plan->chains[0].consumer_count, 2);
    ck_assert_uint_eq(plan->block % graph->quantum, 0);
    engine_plan_free(plan);
    graph_unref(graph);
}
END_TEST

START_TEST(decoders_make_ordered_chains_of_their_own)
{
    const struct graph *graph = stem_mix(8, 1);
    struct engine_plan *plan = plan_graph(graph, true, 2, 0);
    ck_assert_uint_eq(count_chains(plan, ENGINE_CHAIN_MIX), 9);
    uint32_t ordered = 0;
    for (uint32_t c = 0; c < plan->chain_count; c++) {
        ordered += plan->chains[c].kind == ENGINE_CHAIN_MIX && plan->chains[c].ordered ? 1 : 0;
    }
    ck_assert_uint_eq(ordered, 8);
    engine_plan_free(plan);
    graph_unref(graph);
}
END_TEST

START_TEST(equal_measurements_are_one_chain)
{
    const struct graph *graph = stem_mix(2, 3);
    struct engine_plan *plan = plan_graph(graph, false, 2, 0);
    ck_assert_uint_eq(count_chains(plan, ENGINE_CHAIN_METER), 1);
    ck_assert_uint_eq(count_chains(plan, ENGINE_CHAIN_DELIVER), 3);
    ck_assert_uint_eq(plan->meter_of[0], plan->meter_of[2]);
    engine_plan_free(plan);
    graph_unref(graph);
}
END_TEST

START_TEST(depth_grows_along_the_way_and_counts_agree)
{
    const struct graph *graph = stem_mix(16, 2);
    struct engine_plan *plan = plan_graph(graph, true, 4, 0);
    uint32_t waits = 0;
    for (uint32_t c = 0; c < plan->chain_count; c++) {
        const struct engine_chain *chain = &plan->chains[c];
        waits += chain->producers;
        for (uint32_t i = 0; i < chain->consumer_count; i++) {
            const struct engine_chain *consumer = &plan->chains[plan->consumers[chain->first_consumer + i]];
            ck_assert_uint_gt(consumer->depth, chain->depth);
        }
    }
    ck_assert_uint_eq(waits, plan->consumer_count);
    engine_plan_free(plan);
    graph_unref(graph);
}
END_TEST

START_TEST(many_buffers_make_small_blocks)
{
    const struct graph *graph = stem_mix(400, 1);
    struct engine_plan *few = plan_graph(graph, false, 2, 0);
    struct engine_plan *many = plan_graph(graph, true, 2, 0);
    ck_assert_uint_lt(many->block, few->block);
    ck_assert_uint_ge(many->block, graph->quantum);
    ck_assert_uint_le(many->slot_bytes * many->slots, (size_t)24 << 20);
    struct engine_plan *asked = plan_graph(graph, true, 2, 65536);
    ck_assert_uint_eq(asked->block, 65536);
    engine_plan_free(few);
    engine_plan_free(many);
    engine_plan_free(asked);
    graph_unref(graph);
}
END_TEST

START_TEST(absurd_buffers_are_refused)
{
    const struct graph *graph = stem_mix(400, 1);
    bool streams[400];
    bool meter = false;
    for (size_t m = 0; m < 400; m++) {
        streams[m] = true;
    }
    struct engine_plan_options options = {
        .media_streams = streams, .meter_in_pass = &meter, .threads = 256, .block = 1 << 20};
    struct engine_plan *plan = NULL;
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_int_eq(engine_plan_new(graph, 0, &options, &plan, &error), LH_ERR_LIMIT);
    ck_assert_ptr_null(plan);
    options.threads = 1;
    ck_assert_int_eq(engine_plan_new(graph, 0, &options, &plan, &error), LH_OK);
    engine_plan_free(plan);
    graph_unref(graph);
}
END_TEST

/* A wide medium beside the pass does not shorten its strides. */
START_TEST(strides_are_those_of_what_is_used)
{
    struct graph_builder *builder = graphs_builder();
    uint32_t narrow = graphs_clip(builder, graphs_media(builder, 1, LENGTH), 2, 0, LENGTH, "clips");
    uint32_t wide = graphs_clip(builder, graphs_media(builder, 16, LENGTH), 16, 0, LENGTH, "clips");
    struct graph_deliverable mix = graphs_deliverable("mix", narrow, 0, LENGTH);
    struct graph_deliverable other = graphs_deliverable("other", wide, 0, LENGTH / 2);
    graphs_deliver(builder, &mix);
    graphs_deliver(builder, &other);
    const struct graph *graph = graphs_finish(builder);
    bool streams[2] = {false}, meters[2] = {false};
    struct engine_plan_options options = {.media_streams = streams, .meter_in_pass = meters, .threads = 1};
    for (uint32_t d = 0; d < 2; d++) {
        struct engine_plan *plan;
        ck_assert_int_eq(engine_plan_new(graph, d, &options, &plan, NULL), LH_OK);
        ck_assert_uint_eq(plan->widest, d == 0 ? 2 : 16);
        ck_assert_uint_eq(plan->stride * plan->widest, ENGINE_STRIDE_SAMPLES);
        engine_plan_free(plan);
    }
    graph_unref(graph);
}
END_TEST

START_TEST(long_chains_of_gains_are_cut)
{
    struct graph_builder *builder = graphs_builder();
    uint32_t node = graphs_clip(builder, graphs_media(builder, 1, LENGTH), 1, 0, LENGTH, "clips");
    for (uint32_t i = 0; i < 5000; i++) {
        node = graphs_gain(builder, node, 1, &(float){0.5f + (float)i * 1e-5f}, "gain");
    }
    struct graph_deliverable mix = graphs_deliverable("mix", graphs_bus(builder, 1, &node, 1, "bus"), 0, LENGTH);
    graphs_deliver(builder, &mix);
    const struct graph *graph = graphs_finish(builder);
    struct engine_plan *plan = plan_graph(graph, false, 1, 1024);
    ck_assert_uint_gt(count_chains(plan, ENGINE_CHAIN_MIX), 500);
    engine_plan_free(plan);
    graph_unref(graph);
}
END_TEST

START_TEST(memory_that_runs_out_is_a_status)
{
    const struct graph *graph = stem_mix(4, 1);
    bool streams[4] = {false};
    bool meter = true;
    struct engine_plan_options options = {.media_streams = streams, .meter_in_pass = &meter, .threads = 1};
    for (size_t n = 1;; n++) {
        struct engine_plan *plan = NULL;
        struct lh_error error = LH_ERROR_INIT;
        testing_fail_allocation(n);
        enum lh_status status = engine_plan_new(graph, 0, &options, &plan, &error);
        bool failed = testing_fail_allocation_end();
        if (!failed) {
            ck_assert_int_eq(status, LH_OK);
            engine_plan_free(plan);
            break;
        }
        ck_assert_int_eq(status, LH_ERR_NO_MEMORY);
        ck_assert_ptr_null(plan);
    }
    graph_unref(graph);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("engine/plan/plan");
    TCase *tests = tcase_create("plan");
    tcase_add_test(tests, plain_stems_are_fused_into_their_bus);
    tcase_add_test(tests, decoders_make_ordered_chains_of_their_own);
    tcase_add_test(tests, equal_measurements_are_one_chain);
    tcase_add_test(tests, depth_grows_along_the_way_and_counts_agree);
    tcase_add_test(tests, many_buffers_make_small_blocks);
    tcase_add_test(tests, absurd_buffers_are_refused);
    tcase_add_test(tests, strides_are_those_of_what_is_used);
    tcase_add_test(tests, long_chains_of_gains_are_cut);
    tcase_add_test(tests, memory_that_runs_out_is_a_status);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
