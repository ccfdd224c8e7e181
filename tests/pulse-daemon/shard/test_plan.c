/* SPDX-License-Identifier: MIT */
/* pulse-daemon/shard/plan.c: what holds of every plan, on many songs; and what plans of some songs look like. */
#include "pulse-daemon/shard/plan.h"

#include <stdlib.h>
#include <string.h>

#include "graph/span.h"
#include "pulse-daemon/shard/keyed.h"
#include "tests/pulse-daemon/shard/song.h"
#include "tests/support/testing.h"

#define MINUTE ((int64_t)SONG_RATE * 60)

static const struct song songs[] = {
    {.seed = 1, .tracks = 16, .chain = 3, .frames = MINUTE},
    {.seed = 2, .tracks = 24, .chain = 2, .groups = 4, .frames = 2 * MINUTE, .natives = true, .stems = true},
    {.seed = 3, .tracks = 12, .chain = 4, .groups = 2, .frames = MINUTE, .master_plugin = true, .ranges = true},
    {.seed = 4, .tracks = 20, .chain = 2, .frames = MINUTE, .unproven = true, .stems = true, .master_plugin = true},
    {.seed = 5,
     .tracks = 30,
     .chain = 2,
     .groups = 5,
     .frames = MINUTE,
     .lossy = true,
     .stems = true,
     .gains = true,
     .ranges = true},
    {.seed = 6, .tracks = 200, .chain = 1, .frames = MINUTE / 20, .natives = true},
    {.seed = 7, .tracks = 300, .chain = 0, .frames = 60 * MINUTE, .stems = false},
    {.seed = 8,
     .tracks = 64,
     .chain = 2,
     .frames = 3 * MINUTE,
     .master_plugin = true,
     .unproven = true,
     .ranges = true,
     .lossy = true,
     .gains = true,
     .stems = true},
};
#define SONGS (int)(sizeof songs / sizeof songs[0])

/* A song with all that a plan is made of. */
struct stage {
    struct sung sung;
    struct pulse_costs *costs;
    struct pulse_latencies *latencies;
    struct pulse_plan_options options;
    struct pulse_plan *plan;
};

static void stage_plan(struct stage *stage)
{
    struct lh_error error = LH_ERROR_INIT;
    pulse_plan_free(stage->plan);
    stage->plan = NULL;
    enum lh_status status = pulse_plan_new(stage->sung.graph, &stage->options, &stage->plan, &error);
    ck_assert_msg(status == LH_OK, "%s: %s", error.where, error.message);
}

static void stage_set(struct stage *stage, const struct song *song, double plugin_ns, uint32_t slots)
{
    *stage = (struct stage){.plan = NULL};
    song_write(song, &stage->sung);
    stage->costs = song_costs(plugin_ns);
    stage->latencies = song_latencies(stage->sung.graph, &song_context);
    stage->options = (struct pulse_plan_options){.context = &song_context,
                                                 .media = stage->sung.media,
                                                 .costs = stage->costs,
                                                 .latencies = stage->latencies,
                                                 .slots = slots};
    stage_plan(stage);
}

static void stage_strike(struct stage *stage)
{
    pulse_plan_free(stage->plan);
    pulse_latencies_free(stage->latencies);
    pulse_costs_free(stage->costs);
    sung_free(&stage->sung);
}

static size_t count_kind(const struct pulse_plan *plan, enum graph_shard_output_kind kind)
{
    size_t count = 0;
    for (size_t s = 0; s < plan->shard_count; s++) {
        for (size_t o = 0; o < plan->shards[s].work.output_count; o++) {
            count += plan->shards[s].work.outputs[o].kind == kind ? 1 : 0;
        }
    }
    return count;
}

/* Every shard is one, makes what no other makes, and needs only what those before it make. */
static void expect_sound(const struct stage *stage)
{
    const struct pulse_plan *plan = stage->plan;
    struct pulse_keyed made = {.entries = NULL};
    double longest = 0;
    for (size_t s = 0; s < plan->shard_count; s++) {
        const struct graph_shard *work = &plan->shards[s].work;
        struct lh_error error = LH_ERROR_INIT;
        ck_assert_msg(graph_shard_check(work, &error) == LH_OK, "shard %zu: %s: %s", s, error.where, error.message);
        ck_assert_int_eq(graph_check(work->graph, &error), LH_OK);
        for (size_t i = 0; i < work->input_count; i++) {
            bool output = work->inputs[i].kind != GRAPH_SHARD_MEDIUM;
            ck_assert_int_eq(pulse_keyed_find(&made, &work->inputs[i].key) != NULL, output);
        }
        for (size_t o = 0; o < work->output_count; o++) {
            ck_assert_ptr_null(pulse_keyed_find(&made, &work->outputs[o].key));
            ck_assert_int_eq(pulse_keyed_add(&made, &work->outputs[o].key, (uint32_t)s), LH_OK);
        }
        for (uint32_t p = 0; p < work->graph->plugin_count; p++) {
            size_t at = 0;
            while (at < plan->shards[s].plugin_count &&
                   !lh_digest_equal(&plan->shards[s].plugins[at], &work->graph->plugins[p].digest)) {
                at++;
            }
            ck_assert_uint_lt(at, plan->shards[s].plugin_count);
        }
        ck_assert(work->graph->insert_count == 0 || plan->shards[s].cpu_class);
        ck_assert(plan->shards[s].cost_seconds > 0);
        longest = plan->shards[s].cost_seconds > longest ? plan->shards[s].cost_seconds : longest;
    }
    for (uint32_t d = 0; d < stage->sung.graph->deliverable_count; d++) {
        bool wanted = stage->options.wanted == NULL || stage->options.wanted[d];
        ck_assert_int_eq(pulse_keyed_find(&made, &plan->deliverables[d]) != NULL, wanted);
    }
    ck_assert(plan->critical_seconds >= longest && plan->critical_seconds <= plan->cost_seconds * 1.0000001);
    pulse_keyed_fini(&made);
}

/* What is read of stored frames lies in them, in every shard. */
static void expect_enough(const struct stage *stage)
{
    for (size_t s = 0; s < stage->plan->shard_count; s++) {
        const struct graph *graph = stage->plan->shards[s].work.graph;
        struct graph_span *spans = calloc((size_t)graph->node_count + 1, sizeof *spans);
        uint32_t *latencies = calloc((size_t)graph->insert_count + 1, sizeof *latencies);
        ck_assert(spans != NULL && latencies != NULL);
        for (uint32_t d = 0; d < graph->deliverable_count; d++) {
            for (uint32_t i = 0; i < graph->insert_count; i++) {
                latencies[i] = 100 * (graph->plugins[graph->inserts[i].plugin].digest.bytes[0] - 1u);
            }
            graph_spans(graph, d, latencies, spans);
            for (uint32_t n = 0; n < graph->node_count; n++) {
                if (graph->nodes[n].kind == GRAPH_NODE_STORED && spans[n].stop > spans[n].begin) {
                    const struct graph_stored *stored = &graph->stored[graph->nodes[n].first];
                    ck_assert_int_ge(spans[n].begin, stored->begin);
                    ck_assert_int_le(spans[n].stop, stored->begin + stored->frames);
                }
            }
        }
        free(spans);
        free(latencies);
    }
}

/* Each plugin node that is not proven repeatable is run by one shard for each pass: two that run it disagree. */
static void expect_unproven_once(const struct stage *stage)
{
    struct pulse_keyed seen = {.entries = NULL};
    for (size_t s = 0; s < stage->plan->shard_count; s++) {
        const struct graph *graph = stage->plan->shards[s].work.graph;
        for (uint32_t d = 0; d < graph->deliverable_count; d++) {
            struct graph_span *spans = calloc((size_t)graph->node_count + 1, sizeof *spans);
            ck_assert_ptr_nonnull(spans);
            graph_spans(graph, d, NULL, spans);
            for (uint32_t n = 0; n < graph->node_count; n++) {
                if (graph->nodes[n].kind != GRAPH_NODE_PLUGIN || spans[n].stop <= spans[n].begin ||
                    graph->inserts[graph->nodes[n].insert].identity[0] == '\0') {
                    continue;
                }
                struct lh_writer writer;
                struct lh_digest key;
                lh_writer_init(&writer);
                lh_writer_text(&writer, graph->inserts[graph->nodes[n].insert].identity);
                lh_writer_i64(&writer, spans[n].begin);
                lh_writer_i64(&writer, spans[n].silence);
                ck_assert_int_eq(lh_digest_bytes(writer.data, writer.size, &key), LH_OK);
                lh_writer_fini(&writer);
                const uint32_t *before = pulse_keyed_find(&seen, &key);
                ck_assert(before == NULL || *before == s);
                ck_assert_int_eq(pulse_keyed_add(&seen, &key, (uint32_t)s), LH_OK);
            }
            free(spans);
        }
    }
    pulse_keyed_fini(&seen);
}

START_TEST(plans_are_sound)
{
    static const uint32_t slots[] = {1, 2, 7, 64};
    static const double prices[] = {1, 50, 1000};
    for (size_t i = 0; i < sizeof slots / sizeof slots[0]; i++) {
        for (size_t p = 0; p < sizeof prices / sizeof prices[0]; p++) {
            struct stage stage;
            stage_set(&stage, &songs[_i], prices[p], slots[i]);
            expect_sound(&stage);
            expect_enough(&stage);
            expect_unproven_once(&stage);
            stage_strike(&stage);
        }
    }
}
END_TEST

/* All keys of a plan's outputs. */
static struct pulse_keyed keys_of(const struct pulse_plan *plan)
{
    struct pulse_keyed keys = {.entries = NULL};
    for (size_t s = 0; s < plan->shard_count; s++) {
        for (size_t o = 0; o < plan->shards[s].work.output_count; o++) {
            ck_assert_int_eq(pulse_keyed_add(&keys, &plan->shards[s].work.outputs[o].key, 1), LH_OK);
        }
    }
    return keys;
}

static size_t count_common(const struct pulse_keyed *a, const struct pulse_keyed *b)
{
    size_t count = 0;
    for (size_t i = 0; i < a->room; i++) {
        count += a->entries[i].used && pulse_keyed_find(b, &a->entries[i].key) != NULL ? 1 : 0;
    }
    return count;
}

/* The order of the tracks and the number of slots change no output's key. */
START_TEST(plans_meet)
{
    struct stage stage, other;
    stage_set(&stage, &songs[_i], 100, 2);
    struct pulse_keyed keys = keys_of(stage.plan);
    for (uint64_t order = 1; order <= 3; order++) {
        struct song song = songs[_i];
        song.order = order;
        stage_set(&other, &song, 100, (uint32_t)(order * order));
        struct pulse_keyed others = keys_of(other.plan);
        ck_assert_uint_eq(others.count, keys.count);
        ck_assert_uint_eq(count_common(&keys, &others), keys.count);
        ck_assert_uint_eq(other.plan->shard_count > 0, 1);
        pulse_keyed_fini(&others);
        stage_strike(&other);
    }
    pulse_keyed_fini(&keys);
    stage_strike(&stage);
}
END_TEST

/* The same again is the same plan, to the byte. */
START_TEST(plans_repeat)
{
    struct stage stage;
    struct lh_writer writers[2];
    stage_set(&stage, &songs[_i], 100, 4);
    for (int i = 0; i < 2; i++) {
        lh_writer_init(&writers[i]);
        for (size_t s = 0; s < stage.plan->shard_count; s++) {
            ck_assert_int_eq(graph_shard_encode(&stage.plan->shards[s].work, &writers[i]), LH_OK);
        }
        stage_plan(&stage);
    }
    ck_assert_uint_eq(writers[0].size, writers[1].size);
    ck_assert_mem_eq(writers[0].data, writers[1].data, writers[0].size);
    lh_writer_fini(&writers[0]);
    lh_writer_fini(&writers[1]);
    stage_strike(&stage);
}
END_TEST

/* Seconds of the shards that make what `known` does not have, walked from the deliverables backwards. */
static double seconds_to_do(const struct pulse_plan *plan, const struct pulse_keyed *known, size_t *shards)
{
    struct pulse_keyed needed = {.entries = NULL};
    double seconds = 0;
    *shards = 0;
    for (size_t s = plan->shard_count; s-- > 0;) {
        const struct graph_shard *work = &plan->shards[s].work;
        bool take = false;
        for (size_t o = 0; o < work->output_count; o++) {
            bool wanted = work->outputs[o].kind == GRAPH_SHARD_OUT_FILE ||
                          pulse_keyed_find(&needed, &work->outputs[o].key) != NULL;
            take = take || (wanted && pulse_keyed_find(known, &work->outputs[o].key) == NULL);
        }
        for (size_t i = 0; take && i < work->input_count; i++) {
            ck_assert_int_eq(pulse_keyed_add(&needed, &work->inputs[i].key, 1), LH_OK);
        }
        seconds += take ? plan->shards[s].cost_seconds : 0;
        *shards += take ? 1 : 0;
    }
    pulse_keyed_fini(&needed);
    return seconds;
}

/* Of 64 tracks full of plugins one changes: hardly anything is left to do. */
START_TEST(one_change_costs_little)
{
    struct song song = {.seed = 11, .tracks = 64, .chain = 2, .frames = 3 * MINUTE};
    struct stage before, after;
    size_t shards;
    stage_set(&before, &song, 100, 2);
    song.changed = 17;
    stage_set(&after, &song, 100, 2);
    struct pulse_keyed known = keys_of(before.plan);
    double left = seconds_to_do(after.plan, &known, &shards);
    ck_assert_msg(left * 15 < before.plan->cost_seconds, "%g of %g s", left, before.plan->cost_seconds);
    ck_assert_uint_le(shards, 8);
    /* And nothing when nothing changed. */
    ck_assert(seconds_to_do(before.plan, &known, &shards) == 0);
    pulse_keyed_fini(&known);
    stage_strike(&before);
    stage_strike(&after);
}
END_TEST

/* Many small contributions: partial sums take the place of storing each. */
START_TEST(wide_buses_are_shared_out)
{
    struct song song = {.seed = 12, .tracks = 256, .chain = 1, .frames = MINUTE};
    struct stage before, after;
    size_t shards;
    stage_set(&before, &song, 6, 4); /* too cheap to store each */
    ck_assert_uint_eq(count_kind(before.plan, GRAPH_SHARD_OUT_STORED) < 8, 1);
    ck_assert_uint_ge(count_kind(before.plan, GRAPH_SHARD_OUT_SUM), 8);
    song.changed = 100;
    stage_set(&after, &song, 6, 4);
    struct pulse_keyed known = keys_of(before.plan);
    double left = seconds_to_do(after.plan, &known, &shards);
    ck_assert_msg(left * 4 < before.plan->cost_seconds, "%g of %g s", left, before.plan->cost_seconds);
    pulse_keyed_fini(&known);
    stage_strike(&before);
    stage_strike(&after);
}
END_TEST

START_TEST(light_jobs_stay_whole)
{
    struct song song = {.seed = 13, .tracks = 16, .chain = 0, .frames = 3 * MINUTE, .stems = false};
    struct stage stage;
    stage_set(&stage, &song, 100, 8);
    ck_assert_uint_eq(count_kind(stage.plan, GRAPH_SHARD_OUT_STORED), 0);
    stage_strike(&stage);
    song = (struct song){.seed = 14, .tracks = 8, .chain = 2, .frames = SONG_RATE / 2, .stems = true, .gains = true};
    stage_set(&stage, &song, 100, 8);
    ck_assert_uint_eq(stage.plan->shard_count, 1);
    ck_assert_uint_eq(stage.plan->shards[0].work.output_count, stage.sung.graph->deliverable_count);
    stage_strike(&stage);
}
END_TEST

START_TEST(heavy_jobs_fill_the_slots)
{
    static const uint32_t slots[] = {1, 2, 4, 7};
    struct song song = {.seed = 15, .tracks = 64, .chain = 2, .frames = 2 * MINUTE};
    for (size_t i = 0; i < sizeof slots / sizeof slots[0]; i++) {
        struct stage stage;
        stage_set(&stage, &song, 150, slots[i]);
        /* What a list scheduler can reach is bounded by these two. */
        double share = stage.plan->cost_seconds / slots[i];
        ck_assert_msg(stage.plan->critical_seconds < share * 1.1 || slots[i] == 1 ||
                          stage.plan->critical_seconds < stage.plan->cost_seconds / 7,
                      "%g of %g s", stage.plan->critical_seconds, stage.plan->cost_seconds);
        ck_assert_uint_ge(stage.plan->shard_count, 8);
        stage_strike(&stage);
    }
}
END_TEST

/* What several shards would conform, one converts for all of them. */
START_TEST(shared_media_are_converted_once)
{
    struct song song = {.seed = 16, .tracks = 24, .chain = 2, .frames = 2 * MINUTE, .lossy = true, .ranges = true};
    struct stage stage;
    stage_set(&stage, &song, 200, 4);
    size_t converts = 0;
    for (size_t s = 0; s < stage.plan->shard_count; s++) {
        const struct graph_shard *work = &stage.plan->shards[s].work;
        converts += work->kind == GRAPH_SHARD_CONVERT ? 1 : 0;
        for (size_t i = 0; work->kind == GRAPH_SHARD_RENDER && i < work->graph->media_count; i++) {
            /* A range of its own makes every track twice. */
            ck_assert_int_eq(work->inputs[i].kind == GRAPH_SHARD_CONFORMED,
                             work->graph->media[i].conform != GRAPH_CONFORM_IN_PLACE);
        }
    }
    ck_assert_uint_gt(converts, 0);
    stage_strike(&stage);
}
END_TEST

/* An only deliverable whose gain comes from another that is not wanted. */
START_TEST(gains_are_measured_where_they_are_needed)
{
    struct song song = {.seed = 17, .tracks = 8, .chain = 2, .frames = MINUTE, .stems = true, .gains = true};
    struct stage stage;
    stage_set(&stage, &song, 200, 2);
    bool *wanted = calloc(stage.sung.graph->deliverable_count, sizeof *wanted);
    ck_assert_ptr_nonnull(wanted);
    wanted[2] = true; /* stem-0, whose gain is the mix's */
    stage.options.wanted = wanted;
    stage_plan(&stage);
    expect_sound(&stage);
    ck_assert_uint_eq(count_kind(stage.plan, GRAPH_SHARD_OUT_FILE), 1);
    const struct graph_shard *last = &stage.plan->shards[stage.plan->shard_count - 1].work;
    const struct graph_shard_output *file = &last->outputs[last->output_count - 1];
    ck_assert_int_eq(file->kind, GRAPH_SHARD_OUT_FILE);
    ck_assert_uint_ne(last->graph->deliverables[file->index].gain_from, GRAPH_NONE);
    free(wanted);
    stage_strike(&stage);
}
END_TEST

/* Two files of one key are one output. */
START_TEST(equal_files_are_made_once)
{
    struct song song = {.seed = 18, .tracks = 4, .chain = 1, .frames = MINUTE};
    struct stage stage;
    stage_set(&stage, &song, 200, 2);
    size_t files = count_kind(stage.plan, GRAPH_SHARD_OUT_FILE);
    ck_assert_uint_eq(files, stage.sung.graph->deliverable_count);
    stage_strike(&stage);
}
END_TEST

/* Nothing is cut upstream of a plugin whose latency is not known. */
START_TEST(unknown_latencies_hold_cuts_back)
{
    struct song song = {.seed = 19, .tracks = 16, .chain = 2, .frames = MINUTE, .master_plugin = true};
    struct stage stage;
    stage_set(&stage, &song, 200, 4);
    ck_assert_uint_ge(count_kind(stage.plan, GRAPH_SHARD_OUT_STORED), 16);
    stage.options.latencies = NULL;
    stage_plan(&stage);
    expect_sound(&stage);
    /* The master's plugin itself has nothing downstream that looks ahead. */
    ck_assert_uint_eq(count_kind(stage.plan, GRAPH_SHARD_OUT_STORED), 1);
    stage_strike(&stage);
}
END_TEST

START_TEST(memory_runs_out)
{
    struct song song = {.seed = 20,
                        .tracks = 6,
                        .chain = 2,
                        .frames = MINUTE,
                        .lossy = true,
                        .gains = true,
                        .stems = true,
                        .ranges = true,
                        .unproven = true};
    struct stage stage;
    stage_set(&stage, &song, 300, 2);
    for (size_t n = 1;; n++) {
        struct pulse_plan *plan = NULL;
        struct lh_error error = LH_ERROR_INIT;
        testing_fail_allocation(n);
        enum lh_status status = pulse_plan_new(stage.sung.graph, &stage.options, &plan, &error);
        bool failed = testing_fail_allocation_end();
        pulse_plan_free(plan);
        if (!failed) {
            ck_assert_int_eq(status, LH_OK);
            ck_assert_uint_gt(n, 100);
            break;
        }
        ck_assert_int_eq(status, LH_ERR_NO_MEMORY);
        ck_assert_ptr_null(plan);
    }
    stage_strike(&stage);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pulse/shard/plan");
    TCase *tcase = tcase_create("plan");
    tcase_add_loop_test(tcase, plans_are_sound, 0, SONGS);
    tcase_add_loop_test(tcase, plans_meet, 0, SONGS);
    tcase_add_loop_test(tcase, plans_repeat, 0, SONGS);
    tcase_add_test(tcase, one_change_costs_little);
    tcase_add_test(tcase, wide_buses_are_shared_out);
    tcase_add_test(tcase, light_jobs_stay_whole);
    tcase_add_test(tcase, heavy_jobs_fill_the_slots);
    tcase_add_test(tcase, shared_media_are_converted_once);
    tcase_add_test(tcase, gains_are_measured_where_they_are_needed);
    tcase_add_test(tcase, equal_files_are_made_once);
    tcase_add_test(tcase, unknown_latencies_hold_cuts_back);
    tcase_add_test(tcase, memory_runs_out);
    suite_add_tcase(suite, tcase);
    return testing_main(suite);
}
