/* SPDX-License-Identifier: MIT */
/* pulse-daemon/shard/latency.c: what a latency is known by. */
#include "pulse-daemon/shard/latency.h"

#include <stdio.h>

#include "tests/graph/fixture.h"
#include "tests/pulse-daemon/shard/song.h"
#include "tests/support/testing.h"

/* What a plugin is used like; one differs from another in one of these. */
struct use {
    const char *uri, *version, *preset, *state, *identity, *symbol;
    uint8_t digest;
    uint32_t channels, side; /* side: channels of the side chain; 0: none */
    bool input;
    float first, second; /* the parameter's value at 0 and at 1000 */
    uint32_t rate, quantum, sound;
    const char *cpu_class, *job;
};

static const struct use usual = {.uri = "lv2:urn:a",
                                 .version = "1",
                                 .preset = "",
                                 .state = "",
                                 .identity = "",
                                 .symbol = "look",
                                 .digest = 1,
                                 .channels = 2,
                                 .input = true,
                                 .first = 1,
                                 .second = 1,
                                 .rate = 48000,
                                 .quantum = 1024,
                                 .sound = 1,
                                 .cpu_class = "x",
                                 .job = "1"};

static struct lh_digest key_of(const struct use *use, int64_t begin)
{
    struct graph_builder *builder;
    ck_assert_int_eq(graph_builder_new(use->rate, use->quantum, &builder), LH_OK);
    uint32_t input = GRAPH_NONE, side = GRAPH_NONE, node, index;
    struct graph_point points[2] = {{0, use->first}, {1000, use->second}};
    struct graph_parameter parameter = {.symbol = use->symbol};
    struct graph_plugin plugin = {.uri = use->uri, .version = use->version, .bundle = "", .digest = {{use->digest}}};
    ck_assert_int_eq(graph_builder_add_curve(builder, points, 2, &parameter.curve), LH_OK);
    if (use->input) {
        ck_assert_int_eq(graph_builder_add_sum(builder, GRAPH_NODE_BUS, use->channels, false, NULL, 0, "", &input),
                         LH_OK);
    }
    if (use->side > 0) {
        ck_assert_int_eq(graph_builder_add_sum(builder, GRAPH_NODE_BUS, use->side, true, NULL, 0, "", &side), LH_OK);
    }
    struct graph_plugin_node description = {.channels = use->channels,
                                            .input = input,
                                            .sidechain = side,
                                            .parameters = &parameter,
                                            .parameter_count = 1,
                                            .preset = use->preset,
                                            .state = use->state,
                                            .folder = use->state[0] != '\0' ? "/" : "",
                                            .identity = use->identity};
    ck_assert_int_eq(graph_builder_add_plugin(builder, &plugin, &description.plugin), LH_OK);
    ck_assert_int_eq(graph_builder_add_plugin_node(builder, &description, "n", &node), LH_OK);
    struct graph_deliverable file = fixture_deliverable(node, "f");
    file.rate = use->rate;
    ck_assert_int_eq(graph_builder_add_deliverable(builder, &file, NULL, 0, &index), LH_OK);
    const struct graph *graph = NULL;
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_msg(graph_builder_finish(builder, &graph, &error) == LH_OK, "%s %s", error.where, error.message);
    struct graph_key_context context = {
        .sound_version = use->sound, .libraries = "l", .cpu_class = use->cpu_class, .job = use->job};
    struct lh_digest key;
    ck_assert_int_eq(pulse_latency_key(graph, graph_builder_place(builder, node), begin, &context, &key), LH_OK);
    graph_builder_free(builder);
    graph_unref(graph);
    return key;
}

START_TEST(keys_cover_what_decides)
{
    struct use uses[16];
    size_t count = sizeof uses / sizeof uses[0];
    for (size_t i = 0; i < count; i++) {
        uses[i] = usual;
    }
    uses[1].uri = "lv2:urn:b";
    uses[2].version = "2";
    uses[3].preset = "urn:p";
    uses[4].state = "<> a <> .";
    uses[5].symbol = "other";
    uses[6].digest = 2;
    uses[7].channels = 1;
    uses[8].side = 1;
    uses[9].side = 2;
    uses[10].input = false;
    uses[11].first = 2;
    uses[12].rate = 44100;
    uses[13].quantum = 512;
    uses[14].sound = 2;
    uses[15].cpu_class = "y";
    for (size_t i = 0; i < count; i++) {
        struct lh_digest one = key_of(&uses[i], 0);
        for (size_t j = 0; j < i; j++) {
            struct lh_digest other = key_of(&uses[j], 0);
            ck_assert_msg(!lh_digest_equal(&one, &other), "%zu and %zu", i, j);
        }
    }
}
END_TEST

START_TEST(keys_leave_out_what_does_not)
{
    struct use later = usual;
    later.second = 5;
    later.job = "2";
    struct lh_digest key = key_of(&usual, 0), same = key_of(&later, 0), moved = key_of(&later, 1000);
    ck_assert(lh_digest_equal(&key, &same));
    ck_assert(!lh_digest_equal(&key, &moved));
    /* What is not proven repeatable is asked for in each job. */
    struct use unproven = usual, other;
    unproven.identity = "track t, node n";
    other = unproven;
    other.job = "2";
    key = key_of(&unproven, 0);
    same = key_of(&other, 0);
    ck_assert(!lh_digest_equal(&key, &same));
}
END_TEST

START_TEST(latencies_are_found)
{
    struct pulse_latencies *latencies;
    struct lh_digest key = {{1}}, other = {{2}};
    ck_assert_int_eq(pulse_latencies_new(&latencies), LH_OK);
    ck_assert_int_eq(pulse_latencies_add(latencies, &key, 480), LH_OK);
    ck_assert_int_eq(pulse_latencies_add(latencies, &key, 481), LH_OK);
    ck_assert_uint_eq(pulse_latencies_find(latencies, &key), 480);
    ck_assert_uint_eq(pulse_latencies_find(latencies, &other), GRAPH_NONE);
    ck_assert(!pulse_latencies_has_none(latencies, &key));
    ck_assert_int_eq(pulse_latencies_add_none(latencies, &other), LH_OK);
    ck_assert(pulse_latencies_has_none(latencies, &other));
    pulse_latencies_free(latencies);
    pulse_latencies_free(NULL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pulse/shard/latency");
    TCase *tcase = tcase_create("latency");
    tcase_add_test(tcase, keys_cover_what_decides);
    tcase_add_test(tcase, keys_leave_out_what_does_not);
    tcase_add_test(tcase, latencies_are_found);
    suite_add_tcase(suite, tcase);
    return testing_main(suite);
}
