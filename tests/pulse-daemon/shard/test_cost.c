/* SPDX-License-Identifier: MIT */
/* pulse-daemon/shard/cost.c: defaults, what is learned, and what is made of nonsense. */
#include "pulse-daemon/shard/cost.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/pulse-daemon/shard/song.h"
#include "tests/support/testing.h"

static struct pulse_costs *costs;

static void set_up(void)
{
    ck_assert_int_eq(pulse_costs_new(&costs), LH_OK);
}

static void tear_down(void)
{
    pulse_costs_free(costs);
    pulse_costs_free(NULL);
}

static void learn(const char *what, double ns_per_unit)
{
    ck_assert_int_eq(pulse_costs_learn(costs, what, 1e9, 1e9 * ns_per_unit), LH_OK);
}

static bool near(double a, double b)
{
    return fabs(a - b) <= 1e-9 * fabs(b);
}

START_TEST(everything_has_a_default)
{
    static const char *const names[] = {"mix", "conform", "meter", "store", "load", "shard", "plugin/sha256:ab"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        ck_assert(pulse_costs_ns(costs, names[i]) > 0);
    }
    for (unsigned format = 0; format < GRAPH_FORMAT_COUNT; format++) {
        char name[PULSE_COST_NAME_SIZE];
        pulse_cost_format_name((enum graph_format)format, name);
        ck_assert_msg(pulse_costs_ns(costs, name) > 0, "%s", name);
    }
    ck_assert(pulse_costs_ns(costs, "unheard of") == 0);
    ck_assert_ptr_null(pulse_costs_at(costs, 0));
}
END_TEST

START_TEST(plugins_are_learned_at_once_and_then_slowly)
{
    learn("plugin/x", 1000);
    ck_assert(near(pulse_costs_ns(costs, "plugin/x"), 1000));
    learn("plugin/x", 2000);
    ck_assert(near(pulse_costs_at(costs, 0)->ns, 1500));
    for (int i = 0; i < 200; i++) {
        learn("plugin/x", 3000);
    }
    ck_assert(fabs(pulse_costs_at(costs, 0)->ns - 3000) < 1);
    double before = pulse_costs_at(costs, 0)->ns;
    learn("plugin/x", 19000); /* one that was held up */
    ck_assert(near(pulse_costs_at(costs, 0)->ns - before, (19000 - before) / 16));
}
END_TEST

/* Two jobs are cut alike although something was learned between them. */
START_TEST(plans_go_by_what_has_moved)
{
    learn("plugin/x", 1000);
    for (int i = 0; i < 300; i++) {
        learn("plugin/x", 1450);
    }
    ck_assert(near(pulse_costs_ns(costs, "plugin/x"), 1000));
    for (int i = 0; i < 300; i++) {
        learn("plugin/x", 1600);
    }
    double now = pulse_costs_ns(costs, "plugin/x");
    ck_assert(now > 1500 && now < 1510);
}
END_TEST

START_TEST(what_is_native_stays_near_what_is_known)
{
    double known = pulse_costs_ns(costs, "mix");
    for (int i = 0; i < 300; i++) {
        learn("mix", known * 1000); /* a machine that does a hundred other things */
    }
    ck_assert(pulse_costs_at(costs, 0)->ns <= known * 8.0001);
    ck_assert(pulse_costs_at(costs, 0)->ns > known * 7.9);
}
END_TEST

START_TEST(nonsense_is_left_out)
{
    static const double wrong[] = {0, -1, NAN, INFINITY, 1e300};
    char name[PULSE_COST_NAME_SIZE + 1];
    memset(name, 'n', PULSE_COST_NAME_SIZE);
    name[PULSE_COST_NAME_SIZE] = '\0';
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        ck_assert_int_eq(pulse_costs_learn(costs, "mix", 1e9, wrong[i]), LH_OK);
        ck_assert_int_eq(pulse_costs_learn(costs, "mix", wrong[i], 1e9), LH_OK);
        ck_assert_int_eq(pulse_costs_set(costs, "mix", wrong[i], 1), LH_OK);
        ck_assert_int_eq(pulse_costs_set(costs, "mix", 1, wrong[i] > 1 ? -wrong[i] : wrong[i]), LH_OK);
    }
    ck_assert_int_eq(pulse_costs_learn(costs, "mix", 1000, 1000), LH_OK); /* too short to tell */
    ck_assert_int_eq(pulse_costs_set(costs, name, 1, 1), LH_OK);
    ck_assert_int_eq(pulse_costs_learn(costs, name, 1e9, 1e9), LH_OK);
    ck_assert_ptr_null(pulse_costs_at(costs, 0));
}
END_TEST

/* However quick a plugin is: it passed for one that takes long. */
START_TEST(what_turns_out_cheap_is_learned)
{
    ck_assert_int_eq(pulse_costs_learn(costs, "plugin/x", 1e4, 1e4), LH_OK); /* nobody thought that this takes long */
    ck_assert_ptr_null(pulse_costs_at(costs, 0));
    ck_assert_int_eq(pulse_costs_learn(costs, "plugin/x", 1e7, 1e7), LH_OK);
    ck_assert(near(pulse_costs_ns(costs, "plugin/x"), 1));
    ck_assert_int_eq(pulse_costs_learn(costs, "plugin/x", 1e7, 3e7), LH_OK); /* and now nobody does any more */
    ck_assert(pulse_costs_at(costs, 0)->weight == 1);
}
END_TEST

START_TEST(rows_come_back)
{
    struct pulse_costs *other;
    ck_assert_int_eq(pulse_costs_new(&other), LH_OK);
    for (int i = 99; i >= 0; i--) {
        char name[32];
        snprintf(name, sizeof name, "plugin/%02d", i);
        learn(name, 10 + i);
        learn(name, 12 + i);
    }
    const struct pulse_cost *cost;
    for (size_t i = 0; (cost = pulse_costs_at(costs, i)) != NULL; i++) {
        ck_assert(i == 0 || strcmp(pulse_costs_at(costs, i - 1)->what, cost->what) < 0);
        ck_assert_int_eq(pulse_costs_set(other, cost->what, cost->ns, cost->weight), LH_OK);
    }
    for (size_t i = 0; i < 100; i++) {
        ck_assert_str_eq(pulse_costs_at(other, i)->what, pulse_costs_at(costs, i)->what);
        ck_assert(pulse_costs_at(other, i)->ns == pulse_costs_at(costs, i)->ns);
        ck_assert(pulse_costs_at(other, i)->weight == 2);
    }
    ck_assert_ptr_null(pulse_costs_at(other, 100));
    pulse_costs_free(other);
}
END_TEST

static double cost_of_kind(uint8_t kind)
{
    char name[PULSE_COST_NAME_SIZE];
    pulse_cost_plugin_name(&(struct lh_digest){{(uint8_t)(kind + 1)}}, name);
    return pulse_costs_ns(costs, name);
}

/* Each plugin by what its nodes took, together. */
START_TEST(renders_teach)
{
    static const double truth[SONG_PLUGINS] = {20, 40, 80, 160, 320, 640};
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct song song = {.seed = seed, .tracks = 8, .chain = 3, .frames = SONG_RATE * 60};
        struct sung sung;
        song_write(&song, &sung);
        const struct graph *graph = sung.graph;
        double *inserts = calloc(graph->insert_count, sizeof *inserts);
        ck_assert_ptr_nonnull(inserts);
        struct pulse_spent spent = {.mix = 1e8, .encode = 4e8, .meter = 1e8, .inserts = inserts};
        for (uint32_t n = 0; n < graph->node_count; n++) {
            if (graph->nodes[n].kind == GRAPH_NODE_PLUGIN) {
                uint32_t kind = graph->plugins[graph->inserts[graph->nodes[n].insert].plugin].digest.bytes[0] - 1u;
                inserts[graph->nodes[n].insert] = truth[kind] * 2 * 60 * SONG_RATE;
            }
        }
        ck_assert_int_eq(pulse_costs_learn_render(costs, graph, &spent), LH_OK);
        free(inserts);
        sung_free(&sung);
    }
    for (uint8_t kind = 0; kind < SONG_PLUGINS; kind++) {
        double found = cost_of_kind(kind);
        ck_assert_msg(fabs(found - truth[kind]) < truth[kind] * 1e-3, "kind %u: %g", kind, found);
    }
}
END_TEST

/* What came converted was converted elsewhere. */
START_TEST(conforming_is_learned_where_it_was_done)
{
    struct song song = {.seed = 3, .tracks = 6, .frames = SONG_RATE * 600, .lossy = true};
    struct sung sung;
    song_write(&song, &sung);
    bool *conformed = calloc(sung.graph->media_count, sizeof *conformed);
    ck_assert_ptr_nonnull(conformed);
    struct pulse_spent spent = {.conform = 1e9, .conformed = conformed};
    memset(conformed, true, sung.graph->media_count);
    ck_assert_int_eq(pulse_costs_learn_render(costs, sung.graph, &spent), LH_OK);
    ck_assert_ptr_null(pulse_costs_at(costs, 0));
    ck_assert_uint_eq(pulse_costs_lessons(costs), 0);
    spent.conformed = NULL;
    ck_assert_int_eq(pulse_costs_learn_render(costs, sung.graph, &spent), LH_OK);
    ck_assert_str_eq(pulse_costs_at(costs, 0)->what, "conform");
    ck_assert_uint_eq(pulse_costs_at(costs, 0)->lesson, 1);
    ck_assert_uint_eq(pulse_costs_lessons(costs), 1);
    free(conformed);
    sung_free(&sung);
}
END_TEST

START_TEST(memory_runs_out)
{
    struct song song = {.seed = 3, .tracks = 2, .chain = 2, .frames = SONG_RATE * 600};
    struct sung sung;
    song_write(&song, &sung);
    double *inserts = calloc(sung.graph->insert_count, sizeof *inserts);
    ck_assert_ptr_nonnull(inserts);
    inserts[0] = 1e9;
    struct pulse_spent spent = {1e9, 1e9, 1e9, 1e9, inserts, NULL};
    for (size_t n = 1;; n++) {
        struct pulse_costs *mine = NULL;
        testing_fail_allocation(n);
        enum lh_status status = pulse_costs_new(&mine);
        status = status == LH_OK ? pulse_costs_learn_render(mine, sung.graph, &spent) : status;
        bool failed = testing_fail_allocation_end();
        pulse_costs_free(mine);
        if (!failed) {
            ck_assert_int_eq(status, LH_OK);
            break;
        }
        ck_assert_int_eq(status, LH_ERR_NO_MEMORY);
    }
    free(inserts);
    sung_free(&sung);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pulse/shard/cost");
    TCase *tcase = tcase_create("cost");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, everything_has_a_default);
    tcase_add_test(tcase, plugins_are_learned_at_once_and_then_slowly);
    tcase_add_test(tcase, plans_go_by_what_has_moved);
    tcase_add_test(tcase, what_is_native_stays_near_what_is_known);
    tcase_add_test(tcase, nonsense_is_left_out);
    tcase_add_test(tcase, what_turns_out_cheap_is_learned);
    tcase_add_test(tcase, rows_come_back);
    tcase_add_test(tcase, renders_teach);
    tcase_add_test(tcase, conforming_is_learned_where_it_was_done);
    tcase_add_test(tcase, memory_runs_out);
    suite_add_tcase(suite, tcase);
    return testing_main(suite);
}
