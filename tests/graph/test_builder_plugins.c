/* SPDX-License-Identifier: MIT */
/* graph/builder_plugins.c and finish_plugins.c: plugins in a graph are merged, ordered, encoded, cut and keyed like
   everything else. */
#include <string.h>

#include "graph/encode.h"
#include "graph/keys.h"
#include "graph/partition.h"
#include "tests/graph/band.h"
#include "tests/graph/fixture.h"
#include "tests/support/testing.h"

static struct lh_writer encoded(const struct graph *graph)
{
    struct lh_writer bytes;
    lh_writer_init(&bytes);
    ck_assert_int_eq(graph_encode(graph, &bytes), LH_OK);
    return bytes;
}

static void expect_equal(const struct graph *a, const struct graph *b, bool equal)
{
    struct lh_writer left = encoded(a);
    struct lh_writer right = encoded(b);
    bool same = left.size == right.size && memcmp(left.data, right.data, left.size) == 0;
    ck_assert(same == equal);
    lh_writer_fini(&left);
    lh_writer_fini(&right);
}

static struct lh_digest key_of(const struct band *band, const struct graph_key_context *context)
{
    const struct graph *graph = band_new(band);
    struct lh_digest media = {{7}};
    struct lh_digest key;
    ck_assert_int_eq(graph_keys(graph, &media, context, NULL, &key), LH_OK);
    graph_unref(graph);
    return key;
}

static const struct graph_key_context plain = {.sound_version = 1, .libraries = "lib-1", .cpu_class = "v3"};

START_TEST(holds_what_was_added)
{
    const struct graph *graph = band_new(&(struct band){.state = "<> a <urn:state> ."});
    ck_assert_uint_eq(graph->plugin_count, 3);
    ck_assert_uint_eq(graph->insert_count, 3);
    ck_assert_uint_eq(graph->parameter_count, 2);
    ck_assert_uint_eq(graph->event_count, 3);
    ck_assert_uint_eq(graph->tempo_count, 2);
    uint32_t keyed = 0;
    for (uint32_t i = 0; i < graph->node_count; i++) {
        const struct graph_node *node = &graph->nodes[i];
        if (node->kind != GRAPH_NODE_PLUGIN) {
            continue;
        }
        const struct graph_insert *insert = &graph->inserts[node->insert];
        const char *uri = graph->plugins[insert->plugin].uri;
        if (strcmp(uri, "lv2:urn:comp") == 0) {
            keyed++;
            ck_assert(insert->has_input && insert->has_sidechain);
            ck_assert_uint_eq(node->count, 2);
            const struct graph_node *key = &graph->nodes[graph->inputs[node->first + 1]];
            ck_assert_str_eq(graph->plugins[graph->inserts[key->insert].plugin].uri, "lv2:urn:synth");
            ck_assert_str_eq(graph->parameters[insert->parameter_first].symbol, "drive");
            ck_assert_str_eq(graph->parameters[insert->parameter_first + 1].symbol, "mix");
        } else if (strcmp(uri, "lv2:urn:synth") == 0) {
            ck_assert(!insert->has_input && !insert->has_sidechain);
            ck_assert_str_eq(insert->preset, "urn:synth#pad");
            ck_assert_str_eq(insert->preset_bundle, "/lv2/pads/");
            ck_assert_int_eq(graph->events[insert->event_first + 2].bytes[0], 0xC0);
        } else {
            ck_assert_str_eq(insert->state, "<> a <urn:state> .");
            ck_assert_str_eq(insert->folder, "/songs/");
        }
    }
    ck_assert_uint_eq(keyed, 1);
    graph_unref(graph);
}
END_TEST

START_TEST(order_of_adding_does_not_show)
{
    const struct graph *forth = band_new(&(struct band){.reversed = false});
    const struct graph *back = band_new(&(struct band){.reversed = true});
    expect_equal(forth, back, true);
    graph_unref(forth);
    graph_unref(back);
}
END_TEST

START_TEST(equals_merge_unless_they_have_an_identity)
{
    const struct graph *one = band_new(&(struct band){.twin = false});
    const struct graph *merged = band_new(&(struct band){.twin = true});
    ck_assert_uint_eq(merged->insert_count, one->insert_count);
    graph_unref(one);
    graph_unref(merged);
    /* The same identity is the same node; the builder of these two says so by giving both the same one. */
    struct graph_builder *builder;
    ck_assert_int_eq(graph_builder_new(48000, 1024, &builder), LH_OK);
    const struct graph_plugin noise = {.uri = "lv2:urn:noise"};
    uint32_t plugin;
    uint32_t nodes[3];
    ck_assert_int_eq(graph_builder_add_plugin(builder, &noise, &plugin), LH_OK);
    const char *const identities[] = {"track a, node n", "track b, node n", "track a, node n"};
    for (size_t i = 0; i < 3; i++) {
        const struct graph_plugin_node node = {
            .plugin = plugin, .channels = 1, .input = GRAPH_NONE, .sidechain = GRAPH_NONE, .identity = identities[i]};
        ck_assert_int_eq(graph_builder_add_plugin_node(builder, &node, identities[i], &nodes[i]), LH_OK);
    }
    ck_assert_uint_ne(nodes[0], nodes[1]);
    ck_assert_uint_eq(nodes[0], nodes[2]);
    graph_builder_free(builder);
}
END_TEST

START_TEST(encoding_and_partition_keep_everything)
{
    const struct graph *graph = band_new(&(struct band){.state = "state", .identity = "track drums, node fuzz"});
    struct lh_writer bytes = encoded(graph);
    const struct graph *again = NULL;
    ck_assert_int_eq(graph_decode(bytes.data, bytes.size, &again, NULL), LH_OK);
    expect_equal(graph, again, true);
    graph_unref(again);
    const struct graph_partition whole = {.levels = 0};
    ck_assert_int_eq(graph_partition(graph, &whole, &again, NULL), LH_OK);
    expect_equal(graph, again, true);
    graph_unref(again);
    for (size_t size = 0; size < bytes.size; size += 3) {
        ck_assert_int_eq(graph_decode(bytes.data, size, &again, NULL), LH_ERR_FORMAT);
    }
    lh_writer_fini(&bytes);
    graph_unref(graph);
}
END_TEST

START_TEST(keys_follow_what_decides_over_the_sound)
{
    struct lh_digest key = key_of(&(struct band){.drive = 0}, &plain);
    const struct band same[] = {{.reversed = true}, {.bundle = "/elsewhere/"}};
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        struct lh_digest other = key_of(&same[i], &plain);
        ck_assert_mem_eq(&other, &key, sizeof key);
    }
    const struct band changed[] = {
        {.drive = 1}, {.key = 1}, {.binary = 1}, {.identity = "track drums, node fuzz"}, {.state = "s"}, {.bpm = 1},
    };
    for (size_t i = 0; i < sizeof changed / sizeof *changed; i++) {
        struct lh_digest other = key_of(&changed[i], &plain);
        ck_assert_mem_ne(&other, &key, sizeof key);
    }
    struct graph_key_context elsewhere = plain;
    elsewhere.cpu_class = "v2";
    struct lh_digest other = key_of(&(struct band){.drive = 0}, &elsewhere);
    ck_assert_mem_ne(&other, &key, sizeof key);
}
END_TEST

START_TEST(a_job_is_in_the_keys_of_the_unproven_alone)
{
    struct graph_key_context jobs[] = {plain, plain};
    jobs[0].job = "one";
    jobs[1].job = "two";
    const struct band bands[] = {{.identity = NULL}, {.identity = "track drums, node fuzz"}};
    for (size_t i = 0; i < 2; i++) {
        struct lh_digest one = key_of(&bands[i], &jobs[0]);
        struct lh_digest two = key_of(&bands[i], &jobs[1]);
        ck_assert_int_eq(memcmp(&one, &two, sizeof one) == 0, i == 0);
        const struct graph *graph = band_new(&bands[i]);
        bool unproven = false;
        ck_assert_int_eq(graph_keys_unproven(graph, &unproven), LH_OK);
        ck_assert(unproven == (i == 1));
        graph_unref(graph);
    }
}
END_TEST

START_TEST(refuses_what_is_not_there)
{
    struct graph_builder *builder;
    ck_assert_int_eq(graph_builder_new(48000, 1024, &builder), LH_OK);
    const struct graph_plugin plugin = {.uri = "lv2:urn:x"};
    uint32_t index;
    ck_assert_int_eq(graph_builder_add_plugin(builder, &plugin, &index), LH_OK);
    const struct graph_event late[] = {{.frame = 2, .size = 1, .bytes = {0xF8}}, {.frame = 1, .size = 1}};
    const struct graph_parameter nowhere = {"gain", 5};
    const struct graph_plugin_node wrong[] = {
        {.plugin = 1, .channels = 1, .input = GRAPH_NONE, .sidechain = GRAPH_NONE},
        {.plugin = 0, .channels = 0, .input = GRAPH_NONE, .sidechain = GRAPH_NONE},
        {.plugin = 0, .channels = 17, .input = GRAPH_NONE, .sidechain = GRAPH_NONE},
        {.plugin = 0, .channels = 1, .input = 0, .sidechain = GRAPH_NONE},
        {.plugin = 0, .channels = 1, .input = GRAPH_NONE, .sidechain = 3},
        {.plugin = 0, .channels = 1, .input = GRAPH_NONE, .sidechain = GRAPH_NONE, .events = late, .event_count = 2},
        {.plugin = 0,
         .channels = 1,
         .input = GRAPH_NONE,
         .sidechain = GRAPH_NONE,
         .parameters = &nowhere,
         .parameter_count = 1},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        ck_assert_int_eq(graph_builder_add_plugin_node(builder, &wrong[i], "x", &index), LH_ERR_USAGE);
    }
    graph_builder_free(builder);
}
END_TEST

START_TEST(a_graph_without_plugins_has_no_tempo)
{
    struct graph_builder *builder;
    ck_assert_int_eq(graph_builder_new(48000, 1024, &builder), LH_OK);
    const struct graph_tempo tempo = {.bpm = 120, .numerator = 4, .denominator = 4};
    ck_assert_int_eq(graph_builder_set_tempo(builder, &tempo, 1), LH_OK);
    const struct graph_plugin plugin = {.uri = "lv2:urn:unused"};
    uint32_t index;
    ck_assert_int_eq(graph_builder_add_plugin(builder, &plugin, &index), LH_OK);
    uint32_t bus;
    ck_assert_int_eq(graph_builder_add_sum(builder, GRAPH_NODE_BUS, 2, false, NULL, 0, "bus", &bus), LH_OK);
    struct graph_deliverable mix = fixture_deliverable(bus, "mix");
    ck_assert_int_eq(graph_builder_add_deliverable(builder, &mix, NULL, 0, &index), LH_OK);
    const struct graph *graph = NULL;
    ck_assert_int_eq(graph_builder_finish(builder, &graph, NULL), LH_OK);
    ck_assert_uint_eq(graph->tempo_count, 0);
    ck_assert_uint_eq(graph->plugin_count, 0);
    graph_unref(graph);
    graph_builder_free(builder);
}
END_TEST

START_TEST(allocations_may_fail)
{
    const struct band band = {.state = "state", .identity = "track drums, node fuzz"};
    for (size_t n = 1;; n++) {
        const struct graph *graph = NULL;
        testing_fail_allocation(n);
        enum lh_status status = band_make(&band, &graph);
        if (!testing_fail_allocation_end()) {
            ck_assert_int_eq(status, LH_OK);
            graph_unref(graph);
            ck_assert_uint_gt(n, 10);
            return;
        }
        ck_assert_int_eq(status, LH_ERR_NO_MEMORY);
        ck_assert_ptr_null(graph);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("builder_plugins");
    TCase *test = tcase_create("plugins");
    tcase_add_test(test, holds_what_was_added);
    tcase_add_test(test, order_of_adding_does_not_show);
    tcase_add_test(test, equals_merge_unless_they_have_an_identity);
    tcase_add_test(test, encoding_and_partition_keep_everything);
    tcase_add_test(test, keys_follow_what_decides_over_the_sound);
    tcase_add_test(test, a_job_is_in_the_keys_of_the_unproven_alone);
    tcase_add_test(test, refuses_what_is_not_there);
    tcase_add_test(test, a_graph_without_plugins_has_no_tempo);
    tcase_add_test(test, allocations_may_fail);
    suite_add_tcase(suite, test);
    return testing_main(suite);
}
