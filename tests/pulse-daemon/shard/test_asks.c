/* SPDX-License-Identifier: MIT */
/* pulse-daemon/shard/asks.c: which latencies are asked for, and by what shard. */
#include <stdlib.h>
#include <string.h>

#include "graph/span.h"
#include "pulse-daemon/shard/plan.h"
#include "tests/pulse-daemon/shard/song.h"
#include "tests/support/testing.h"

#define MINUTE ((int64_t)SONG_RATE * 60)

static struct sung sung;
static struct pulse_costs *costs;
static struct pulse_latencies *latencies;
static struct pulse_plan_options options;
static struct lh_arena arena;
static struct pulse_latency_ask *asks;
static size_t count;

static void begin(const struct song *song)
{
    song_write(song, &sung);
    costs = song_costs(200);
    ck_assert_int_eq(pulse_latencies_new(&latencies), LH_OK);
    options = (struct pulse_plan_options){
        .context = &song_context, .media = sung.media, .costs = costs, .latencies = latencies, .slots = 2};
    lh_arena_init(&arena);
}

static void end(void)
{
    lh_arena_fini(&arena);
    pulse_latencies_free(latencies);
    pulse_costs_free(costs);
    sung_free(&sung);
}

static void ask(void)
{
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_msg(pulse_plan_asks(sung.graph, &options, &arena, &asks, &count, &error) == LH_OK, "%s", error.message);
}

/* Tracks end in plugins and nothing looks ahead behind them: nobody has to know. */
START_TEST(ends_of_chains_need_no_latency)
{
    struct song song = {.seed = 1, .tracks = 16, .chain = 1, .frames = MINUTE, .groups = 0};
    begin(&song);
    ask();
    for (size_t i = 0; i < count; i++) {
        ck_assert_str_ne(sung.graph->nodes[asks[i].node].label, "track 0");
    }
    end();
    song.frames = SONG_RATE / 10; /* and none of a job that stays whole */
    song.master_plugin = true;
    begin(&song);
    ask();
    ck_assert_uint_eq(count, 0);
    end();
}
END_TEST

START_TEST(what_is_behind_a_cut_is_asked_for_once)
{
    struct song song = {.seed = 2, .tracks = 16, .chain = 2, .frames = MINUTE, .master_plugin = true, .ranges = true};
    begin(&song);
    ask();
    ck_assert_uint_ge(count, 1);
    bool master = false;
    for (size_t i = 0; i < count; i++) {
        struct lh_digest key;
        ck_assert_int_eq(sung.graph->nodes[asks[i].node].kind, GRAPH_NODE_PLUGIN);
        ck_assert_int_eq(pulse_latency_key(sung.graph, asks[i].node, asks[i].begin, &song_context, &key), LH_OK);
        ck_assert(lh_digest_equal(&key, &asks[i].key));
        for (size_t j = 0; j < i; j++) {
            ck_assert(!lh_digest_equal(&asks[i].key, &asks[j].key));
        }
        master = master || strcmp(sung.graph->nodes[asks[i].node].label, "master") == 0;
    }
    ck_assert(master);
    for (size_t i = 0; i < count; i++) {
        ck_assert_int_eq(pulse_latencies_add(latencies, &asks[i].key, 100), LH_OK);
    }
    ask();
    ck_assert_uint_eq(count, 0); /* now all is known */
    end();
}
END_TEST

START_TEST(plugins_that_report_none_are_not_asked)
{
    struct song song = {.seed = 2, .tracks = 16, .chain = 2, .frames = MINUTE, .master_plugin = true};
    begin(&song);
    for (uint32_t p = 0; p < sung.graph->plugin_count; p++) {
        ck_assert_int_eq(pulse_latencies_add_none(latencies, &sung.graph->plugins[p].digest), LH_OK);
    }
    ask();
    ck_assert_uint_eq(count, 0);
    end();
}
END_TEST

/* One shard: every ask is an insert of its own that is fed with silence and asked for no frame. */
START_TEST(the_shard_asks_for_nothing_else)
{
    struct song song = {.seed = 3, .tracks = 32, .chain = 2, .groups = 6, .frames = MINUTE, .master_plugin = true};
    begin(&song);
    ask();
    ck_assert_uint_ge(count, 3);
    struct pulse_plan *plan = NULL;
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_int_eq(pulse_plan_latencies(sung.graph, asks, count, &plan, &error), LH_OK);
    ck_assert_uint_eq(plan->shard_count, 1);
    const struct graph_shard *work = &plan->shards[0].work;
    ck_assert_msg(graph_shard_check(work, &error) == LH_OK, "%s %s", error.where, error.message);
    ck_assert_uint_eq(work->graph->insert_count, count);
    ck_assert_uint_eq(work->output_count, count);
    ck_assert_uint_eq(work->graph->media_count, 0);
    ck_assert(plan->shards[0].cpu_class);
    for (uint32_t i = 0; i < count; i++) {
        const struct graph_deliverable *deliverable = &work->graph->deliverables[i];
        const struct graph_node *node = &work->graph->nodes[deliverable->node];
        ck_assert_int_eq(deliverable->end - deliverable->start, 0);
        ck_assert_uint_eq(node->insert, i);
        /* The plugin of the ask whose key the output has. */
        size_t asked = 0;
        while (!lh_digest_equal(&asks[asked].key, &work->outputs[i].key)) {
            asked++;
            ck_assert_uint_lt(asked, count);
        }
        const struct graph_insert *from = &sung.graph->inserts[sung.graph->nodes[asks[asked].node].insert];
        ck_assert_str_eq(work->graph->plugins[work->graph->inserts[i].plugin].uri,
                         sung.graph->plugins[from->plugin].uri);
        ck_assert_int_eq(work->graph->inserts[i].has_sidechain, from->has_sidechain);
    }
    pulse_plan_free(plan);
    end();
}
END_TEST

START_TEST(memory_runs_out)
{
    struct song song = {.seed = 3, .tracks = 8, .chain = 2, .groups = 2, .frames = MINUTE, .master_plugin = true};
    begin(&song);
    for (size_t n = 1;; n++) {
        struct lh_arena own;
        struct pulse_plan *plan = NULL;
        lh_arena_init(&own);
        testing_fail_allocation(n);
        enum lh_status status = pulse_plan_asks(sung.graph, &options, &own, &asks, &count, NULL);
        status = status == LH_OK ? pulse_plan_latencies(sung.graph, asks, count, &plan, NULL) : status;
        bool failed = testing_fail_allocation_end();
        pulse_plan_free(plan);
        lh_arena_fini(&own);
        if (!failed) {
            ck_assert_int_eq(status, LH_OK);
            break;
        }
        ck_assert_int_eq(status, LH_ERR_NO_MEMORY);
    }
    end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pulse/shard/asks");
    TCase *tcase = tcase_create("asks");
    tcase_add_test(tcase, ends_of_chains_need_no_latency);
    tcase_add_test(tcase, what_is_behind_a_cut_is_asked_for_once);
    tcase_add_test(tcase, plugins_that_report_none_are_not_asked);
    tcase_add_test(tcase, the_shard_asks_for_nothing_else);
    tcase_add_test(tcase, memory_runs_out);
    suite_add_tcase(suite, tcase);
    return testing_main(suite);
}
