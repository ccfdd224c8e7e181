/* SPDX-License-Identifier: MIT */
/* pulse-daemon/shard/local.c: one graph for what a cache has not. What it sounds like is shown in tests/identity. */
#include "pulse-daemon/shard/local.h"

#include <stdlib.h>

#include "graph/span.h"
#include "pulse-daemon/shard/keyed.h"
#include "tests/pulse-daemon/shard/song.h"
#include "tests/support/testing.h"

#define MINUTE ((int64_t)SONG_RATE * 60)

/* A cache of keys, and a song to render with it. */
struct desk {
    struct sung sung;
    struct pulse_costs *costs;
    struct pulse_latencies *latencies;
    struct pulse_local_options options;
    struct pulse_keyed cache;
    unsigned asked;
    struct pulse_local *local;
};

static bool has(void *context, const struct lh_digest *key, uint64_t bytes)
{
    struct desk *desk = context;
    desk->asked++;
    return bytes > 0 && pulse_keyed_find(&desk->cache, key) != NULL;
}

static void desk_write(struct desk *desk, const struct song *song, double plugin_ns)
{
    *desk = (struct desk){.local = NULL};
    song_write(song, &desk->sung);
    desk->costs = song_costs(plugin_ns);
    desk->latencies = song_latencies(desk->sung.graph, &song_context);
    desk->options = (struct pulse_local_options){.plan = {.context = &song_context,
                                                          .media = desk->sung.media,
                                                          .costs = desk->costs,
                                                          .latencies = desk->latencies,
                                                          .slots = 1},
                                                 .least_seconds = 0.01,
                                                 .has = has,
                                                 .context = desk,
                                                 .keep_bytes = UINT64_C(1) << 40};
}

static void desk_plan(struct desk *desk)
{
    struct lh_error error = LH_ERROR_INIT;
    pulse_local_free(desk->local);
    desk->local = NULL;
    desk->options.context = desk;
    desk->asked = 0;
    ck_assert_msg(pulse_local_new(desk->sung.graph, &desk->options, &desk->local, &error) == LH_OK, "%s",
                  error.message);
    ck_assert_int_eq(graph_check(desk->local->graph, &error), LH_OK);
}

/* As after a render: what was to be kept is in the cache. */
static void desk_keep(struct desk *desk)
{
    for (uint32_t k = 0; k < desk->local->kept_count; k++) {
        ck_assert_int_eq(pulse_keyed_add(&desk->cache, &desk->local->kept[k].key, 1), LH_OK);
    }
}

static void desk_clear(struct desk *desk)
{
    pulse_local_free(desk->local);
    pulse_keyed_fini(&desk->cache);
    pulse_latencies_free(desk->latencies);
    pulse_costs_free(desk->costs);
    sung_free(&desk->sung);
}

static uint32_t count_plugins(const struct pulse_local *local)
{
    return local->graph->insert_count;
}

/* All that is kept on the way is fed from the run that feeds the files. */
static void expect_one_run(const struct desk *desk)
{
    const struct graph *graph = desk->local->graph;
    for (uint32_t d = 1; d < graph->deliverable_count; d++) {
        ck_assert(graph_pass_is_same(graph, &graph->deliverables[0], &graph->deliverables[d]));
    }
}

START_TEST(a_cold_cache_keeps_and_a_warm_one_gives)
{
    struct song song = {.seed = 31, .tracks = 24, .chain = 2, .groups = 3, .frames = MINUTE, .master_plugin = true};
    struct desk desk;
    desk_write(&desk, &song, 100);
    desk_plan(&desk);
    ck_assert_uint_eq(desk.local->graph->stored_count, 0);
    ck_assert_uint_eq(count_plugins(desk.local), desk.sung.graph->insert_count);
    ck_assert_uint_ge(desk.local->kept_count, 24);
    expect_one_run(&desk);
    for (uint32_t d = 0; d < desk.sung.graph->deliverable_count; d++) {
        uint32_t at = desk.local->deliverables[d];
        ck_assert_str_eq(desk.local->graph->deliverables[at].name, desk.sung.graph->deliverables[d].name);
    }
    for (uint32_t n = 0; n < desk.sung.graph->node_count; n++) {
        const struct graph_node *node = &desk.sung.graph->nodes[n];
        if (node->kind == GRAPH_NODE_PLUGIN) {
            const struct graph_node *same = &desk.local->graph->nodes[desk.local->plugins[n]];
            ck_assert_int_eq(same->kind, GRAPH_NODE_PLUGIN);
            ck_assert_str_eq(same->label, node->label);
        }
    }
    desk_keep(&desk);
    desk_plan(&desk);
    ck_assert_uint_eq(desk.asked, 1); /* the master's: nobody asks for what is behind it */
    ck_assert_uint_eq(count_plugins(desk.local), 0);
    ck_assert_uint_eq(desk.local->graph->media_count, 0);
    ck_assert_uint_eq(desk.local->kept_count, 0);
    ck_assert_uint_eq(desk.local->graph->stored_count, 1);
    ck_assert(desk.local->saved_seconds > 0);
    desk_clear(&desk);
}
END_TEST

START_TEST(one_track_that_changed_is_all_that_is_made)
{
    struct song song = {.seed = 32, .tracks = 64, .chain = 3, .frames = MINUTE};
    struct desk desk, after;
    desk_write(&desk, &song, 100);
    desk_plan(&desk);
    desk_keep(&desk);
    song.changed = 9;
    desk_write(&after, &song, 100);
    after.cache = desk.cache;
    desk.cache = (struct pulse_keyed){.entries = NULL};
    desk_plan(&after);
    ck_assert_uint_le(count_plugins(after.local), 4); /* its own, and the return that it is sent to */
    ck_assert_uint_ge(after.local->graph->stored_count, 63);
    ck_assert_uint_le(after.local->graph->media_count, 1);
    expect_one_run(&after);
    desk_clear(&after);
    desk_clear(&desk);
}
END_TEST

/* What was not proven repeatable is neither kept nor asked for. */
START_TEST(unproven_plugins_run_each_time)
{
    struct song song = {.seed = 33, .tracks = 24, .chain = 2, .frames = MINUTE, .unproven = true};
    struct desk desk;
    desk_write(&desk, &song, 100);
    desk_plan(&desk);
    uint32_t unproven = 0, run_again = 0;
    for (uint32_t i = 0; i < desk.sung.graph->insert_count; i++) {
        unproven += desk.sung.graph->inserts[i].identity[0] != '\0' ? 1 : 0;
    }
    ck_assert_uint_gt(unproven, 3);
    desk_keep(&desk);
    desk_plan(&desk);
    for (uint32_t i = 0; i < desk.local->graph->insert_count; i++) {
        run_again += desk.local->graph->inserts[i].identity[0] != '\0' ? 1 : 0;
    }
    ck_assert_uint_eq(run_again, unproven);
    ck_assert_uint_gt(desk.local->graph->stored_count, 5);
    desk_clear(&desk);
}
END_TEST

START_TEST(little_room_is_for_what_saves_most)
{
    struct song song = {.seed = 34, .tracks = 24, .chain = 4, .frames = MINUTE};
    struct desk desk;
    desk_write(&desk, &song, 100);
    desk.options.keep_bytes = UINT64_C(8) * 2 * 61 * SONG_RATE; /* two tracks */
    desk_plan(&desk);
    ck_assert_uint_eq(desk.local->kept_count, 2);
    double least = 1e9;
    for (uint32_t k = 0; k < 2; k++) {
        least = desk.local->kept[k].seconds < least ? desk.local->kept[k].seconds : least;
    }
    ck_assert(least > 1.5); /* the longest chains, not the master's sum */
    desk.options.keep_bytes = 0;
    desk_plan(&desk);
    ck_assert_uint_eq(desk.local->kept_count, 0);
    desk_clear(&desk);
}
END_TEST

/* Files that are there already are left out, with all that they alone need. */
START_TEST(what_is_not_wanted_is_not_made)
{
    struct song song = {.seed = 35, .tracks = 8, .chain = 2, .frames = MINUTE, .stems = true, .gains = true};
    struct desk desk;
    desk_write(&desk, &song, 100);
    bool *wanted = calloc(desk.sung.graph->deliverable_count, sizeof *wanted);
    ck_assert_ptr_nonnull(wanted);
    wanted[3] = true; /* stem-1, with a gain of its own */
    desk.options.plan.wanted = wanted;
    desk_plan(&desk);
    ck_assert_uint_eq(desk.local->graph->media_count, 1);
    for (uint32_t d = 0; d < desk.sung.graph->deliverable_count; d++) {
        ck_assert_int_eq(desk.local->deliverables[d] != GRAPH_NONE, d == 3);
    }
    wanted[3] = false;
    wanted[2] = true; /* stem-0, whose gain comes from the mix */
    desk_plan(&desk);
    ck_assert_uint_ne(desk.local->deliverables[0], GRAPH_NONE);
    ck_assert_uint_ne(desk.local->deliverables[2], GRAPH_NONE);
    ck_assert_uint_eq(desk.local->deliverables[1], GRAPH_NONE);
    free(wanted);
    desk_clear(&desk);
}
END_TEST

START_TEST(memory_runs_out)
{
    struct song song = {.seed = 36, .tracks = 6, .chain = 2, .frames = MINUTE, .stems = true, .master_plugin = true};
    struct desk desk;
    desk_write(&desk, &song, 100);
    desk_plan(&desk);
    desk_keep(&desk);
    for (size_t n = 1;; n++) {
        struct pulse_local *local = NULL;
        testing_fail_allocation(n);
        enum lh_status status = pulse_local_new(desk.sung.graph, &desk.options, &local, NULL);
        bool failed = testing_fail_allocation_end();
        pulse_local_free(local);
        if (!failed) {
            ck_assert_int_eq(status, LH_OK);
            break;
        }
        ck_assert_int_eq(status, LH_ERR_NO_MEMORY);
    }
    desk_clear(&desk);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pulse/shard/local");
    TCase *tcase = tcase_create("local");
    tcase_add_test(tcase, a_cold_cache_keeps_and_a_warm_one_gives);
    tcase_add_test(tcase, one_track_that_changed_is_all_that_is_made);
    tcase_add_test(tcase, unproven_plugins_run_each_time);
    tcase_add_test(tcase, little_room_is_for_what_saves_most);
    tcase_add_test(tcase, what_is_not_wanted_is_not_made);
    tcase_add_test(tcase, memory_runs_out);
    suite_add_tcase(suite, tcase);
    return testing_main(suite);
}
