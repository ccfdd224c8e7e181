/* SPDX-License-Identifier: MIT */
/* compile/inserts.c: which plugin is used, the chain, side chains, contributions, states and presets, identities. */
#include "pulse-daemon/compile/inserts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tests/pulse-daemon/compile/compiling.h"
#include "tests/support/testing.h"

#define MEDIA "'media': {'st': {'file': 's.wav'}, 'mono': {'file': 'm.wav'}, 'six': {'file': 'x.wav'}}"
#define CLIP(media) "'clips': [{'media': '" media "'}]"
#define PROJECT(tracks) "{'loophole': 1, 'name': 'p', " MEDIA ", 'tracks': [" tracks "]}"
#define NODE(id, plugin, more) "{'id': '" id "', 'plugin': '" plugin "'" more "}"
#define STEREO(nodes) PROJECT("{'id': 'a', 'type': 'audio', 'invert': true, " CLIP("st") ", 'nodes': [" nodes "]}")

static const struct graph_node *input_of(const struct compiling *t, const struct graph_node *node, uint32_t index)
{
    const struct graph *graph = t->compiled->graph;
    return &graph->nodes[graph->inputs[node->first + index]];
}

START_TEST(nodes_stand_between_clips_and_fader)
{
    struct compiling t;
    compiling_init(
        &t, PROJECT("{'id': 'a', 'type': 'audio', 'invert': true, 'gainDb': -6, " CLIP("st") ", 'nodes': [" NODE(
                "n", "lv2:urn:stereo", "") "," NODE("off", "lv2:urn:gone",
                                                    ", 'enabled': false") "," NODE("m", "lv2:urn:comp", "") "]}"));
    const struct graph_node *last = plugin_node(&t, "track a, node m");
    ck_assert_ptr_nonnull(last);
    ck_assert_uint_eq(last->count, 1); /* no side chain was given */
    const struct graph_node *first = input_of(&t, last, 0);
    ck_assert_str_eq(first->label, "track a, node n");
    ck_assert_uint_eq(first->channels, 2);
    ck_assert_int_eq(input_of(&t, first, 0)->kind, GRAPH_NODE_CLIPS);
    ck_assert(input_of(&t, first, 0)->invert); /* polarity comes before the nodes */
    ck_assert(fabs(response(&t, "p", 0, "st", 9) + pow(10, -6 / 20.0)) < 1e-6);
    ck_assert_uint_eq(t.needs.plugin_count, 2); /* of the disabled one nobody asks */
    ck_assert_uint_eq(t.compiled->plugin_count, 2);
    const struct pulse_used_plugin *used = &t.compiled->plugins[1];
    ck_assert_str_eq(used->node, "m");
    ck_assert_str_eq(used->plugin, "lv2:urn:comp");
    ck_assert_uint_eq(used->facts, 1);
    ck_assert_str_eq(t.compiled->graph->nodes[used->graph_node].label, "track a, node m");
    const struct graph_plugin *plugin = &t.compiled->graph->plugins[insert_of(&t, "track a, node n")->plugin];
    ck_assert_str_eq(plugin->uri, "lv2:urn:stereo");
    ck_assert_str_eq(plugin->bundle, "/lv2/b.lv2/");
    ck_assert_str_eq(plugin->version, "1.2");
    compiling_fini(&t);
}
END_TEST

/* The master's and a group's, too; equal nodes on equal inputs are one. */
START_TEST(groups_and_the_master_have_nodes)
{
    struct compiling t;
    compiling_init(&t, PROJECT("{'id': 'g', 'type': 'group', 'nodes': [" NODE(
                           "n", "lv2:urn:stereo", "") "]},"
                                                      "{'id': 'a', 'type': 'audio', 'output': 'g', " CLIP(
                                                          "st") "},"
                                                                "{'id': 'master', 'type': 'master', 'nodes': [" NODE(
                                                                    "n", "lv2:urn:stereo", "") "]}"));
    ck_assert_int_eq(input_of(&t, plugin_node(&t, "track g, node n"), 0)->kind, GRAPH_NODE_BUS);
    ck_assert_ptr_nonnull(plugin_node(&t, "track master, node n"));
    compiling_fini(&t);
    compiling_init(&t, PROJECT("{'id': 'a', 'type': 'audio', " CLIP("st") ", 'nodes': [" NODE(
                           "n", "lv2:urn:stereo", "") "]},"
                                                      "{'id': 'b', 'type': 'audio', " CLIP("st") ", 'nodes': [" NODE(
                                                          "n", "lv2:urn:stereo", "") "]}"));
    ck_assert_uint_eq(t.compiled->graph->insert_count, 1);
    ck_assert_uint_eq(t.compiled->plugin_count, 2);
    ck_assert_uint_eq(t.compiled->plugins[0].graph_node, t.compiled->plugins[1].graph_node);
    compiling_fini(&t);
}
END_TEST

START_TEST(what_is_missing)
{
    static const struct {
        const char *node, *where, *message;
    } cases[] = {
        {NODE("n", "lv2:urn:gone", ""), "/tracks/0/nodes/0/plugin",
         "plugin \"lv2:urn:gone\" is not installed, and \"ifMissing\" names no stand-ins and does not say \"bypass\""},
        {NODE("n", "lv2:urn:sterio", ", 'ifMissing': 'fail'"), "/tracks/0/nodes/0/plugin",
         "plugin \"lv2:urn:sterio\" is not installed, and \"ifMissing\" names no stand-ins and does not say "
         "\"bypass\"; "
         "did you mean \"lv2:urn:stereo\" or \"lv2:urn:mono\"?"},
        {NODE("n", "lv2:urn:refused", ""), "/tracks/0/nodes/0/plugin",
         "plugin \"lv2:urn:refused\" cannot be run here: it needs the feature urn:window, and \"ifMissing\" names no "
         "stand-ins and does not say \"bypass\""},
        {NODE("n", "lv2:urn:gone", ", 'ifMissing': [" NODE("s", "lv2:urn:gone2", "") "]"), "/tracks/0/nodes/0/plugin",
         "plugin \"lv2:urn:gone\" is not installed, nor can any of its stand-ins be used"},
    };
    char text[2048];
    struct compiling t;
    snprintf(text, sizeof text, STEREO("%s"), cases[_i].node);
    compiling_init(&t, text);
    ck_assert_int_eq(t.status, LH_ERR_MISSING);
    ck_assert_uint_eq(t.faults.count, 1);
    ck_assert_str_eq(t.faults.items[0].where, cases[_i].where);
    ck_assert_str_eq(t.faults.items[0].message, cases[_i].message);
    compiling_fini(&t);
}
END_TEST

START_TEST(what_may_be_missing)
{
    struct compiling t;
    compiling_init(&t, STEREO(NODE("n", "lv2:urn:gone", ", 'ifMissing': 'bypass', 'parameters': {'anything': 1}")));
    ck_assert_int_eq(t.status, LH_OK);
    ck_assert_uint_eq(t.compiled->graph->insert_count, 0);
    ck_assert_uint_eq(t.compiled->graph->tempo_count, 0);
    ck_assert_uint_eq(t.compiled->plugin_count, 1);
    ck_assert_uint_eq(t.compiled->plugins[0].graph_node, GRAPH_NONE);
    ck_assert_str_eq(t.compiled->plugins[0].plugin, "lv2:urn:gone");
    compiling_fini(&t);
    compiling_init(
        &t,
        PROJECT("{'id': 'a', 'type': 'audio', " CLIP("st") ", 'nodes': [" NODE(
            "n", "lv2:urn:gone",
            ", 'parameters': {'x': 1}, 'ifMissing': [" NODE("s", "lv2:urn:refused", "") "," NODE(
                "d", "lv2:urn:mono",
                ", 'enabled': false") "," NODE("u", "lv2:urn:stereo",
                                               ", 'parameters': {'gain': 3}") "," NODE("v", "lv2:urn:mono",
                                                                                       "") "]") "],"
                                                                                                "'automation': "
                                                                                                "[{'parameter': "
                                                                                                "'nodes/u/prop', "
                                                                                                "'points': [{'at': "
                                                                                                "{'beats': 0}, "
                                                                                                "'value': "
                                                                                                "0.5}]}, {'parameter': "
                                                                                                "'nodes/n/x', "
                                                                                                "'points': [{'at': "
                                                                                                "{'beats': 0}, "
                                                                                                "'value': 5}]}]}"));
    ck_assert_uint_eq(t.needs.plugin_count, 4);
    ck_assert_double_eq(parameter_at(&t, "track a, node u", "gain", 0), 3);
    ck_assert_double_eq(parameter_at(&t, "track a, node u", "prop", 0), 0.5);
    ck_assert_uint_eq(t.compiled->plugin_count, 1);
    ck_assert(t.compiled->plugins[0].stands_in);
    ck_assert_str_eq(t.compiled->plugins[0].node, "u");
    compiling_fini(&t);
}
END_TEST

START_TEST(layouts_have_to_meet)
{
    struct compiling t;
    compiling_init(&t, PROJECT("{'id': 'master', 'type': 'master', 'channels': 6},"
                               "{'id': 'a', 'type': 'audio', 'channels': 6, " CLIP("six") ", 'nodes': [" NODE(
                                   "n", "lv2:urn:stereo", "") "]}"));
    ck_assert_int_eq(t.status, LH_ERR_INVALID);
    ck_assert_str_eq(fault_at(&t, "/tracks/1/nodes/0/plugin"),
                     "\"lv2:urn:stereo\" has 2 audio inputs and 2 outputs, and track \"a\" has 6 channels; give the "
                     "track \"channels\": 2 or use another plugin");
    compiling_fini(&t);
    compiling_init(&t, PROJECT("{'id': 'a', 'type': 'audio', " CLIP("mono") ", 'nodes': [" NODE(
                           "n", "lv2:urn:stereo", "") "," NODE("m", "lv2:urn:mono", "") "]}"));
    ck_assert_uint_eq(plugin_node(&t, "track a, node n")->channels, 1);
    compiling_fini(&t);
}
END_TEST

START_TEST(side_chains)
{
    struct compiling t;
    /* The bass is not in what is delivered, but it keys what is. */
    compiling_init(
        &t, "{'loophole': 1, " MEDIA ", 'tracks': ["
            "{'id': 'a', 'type': 'audio', " CLIP("st") ", 'nodes': [" NODE(
                "n", "lv2:urn:comp",
                ", 'sidechain': {'from': 'bass', 'tap': 'pre'}") "]},"
                                                                 "{'id': 'bass', 'type': 'audio', 'gainDb': -6, " CLIP(
                                                                     "mono") "}],"
                                                                             "'deliverables': [{'name': 'a', 'source': "
                                                                             "'a'}]}");
    const struct graph_node *node = plugin_node(&t, "track a, node n");
    ck_assert_ptr_nonnull(node);
    ck_assert_uint_eq(node->count, 2);
    ck_assert(insert_of(&t, "track a, node n")->has_sidechain);
    ck_assert_uint_eq(input_of(&t, node, 1)->channels, 1);
    ck_assert_int_eq(input_of(&t, node, 1)->kind, GRAPH_NODE_CLIPS); /* before its fader */
    ck_assert(t.needs.media[1]);
    compiling_fini(&t);
    compiling_init(
        &t, PROJECT("{'id': 'a', 'type': 'audio', " CLIP("st") ", 'nodes': [" NODE(
                "n", "lv2:urn:comp",
                ", 'sidechain': {'from': 'bass'}") "]},"
                                                   "{'id': 'bass', 'type': 'audio', 'mute': true, " CLIP("mono") "}"));
    ck_assert_uint_eq(plugin_node(&t, "track a, node n")->count, 1); /* a silent key is none */
    ck_assert(!t.needs.media[1] || t.compiled->graph->media_count == 1);
    compiling_fini(&t);
    compiling_init(&t, PROJECT("{'id': 'a', 'type': 'audio', " CLIP("st") ", 'nodes': [" NODE(
                           "n", "lv2:urn:stereo",
                           ", 'sidechain': {'from': 'b'}") "]},"
                                                           "{'id': 'b', 'type': 'audio', " CLIP("mono") "}"));
    ck_assert_str_eq(fault_at(&t, "/tracks/0/nodes/0/sidechain"),
                     "\"lv2:urn:stereo\" takes no side chain; remove \"sidechain\" or use another plugin");
    compiling_fini(&t);
}
END_TEST

/* A share goes through the group's nodes by itself, with the whole key. */
START_TEST(contributions_go_through_the_same_nodes)
{
    struct compiling t;
    compiling_init(
        &t,
        "{'loophole': 1, " MEDIA ", 'tracks': ["
        "{'id': 'g', 'type': 'group', 'nodes': [" NODE("n", "lv2:urn:wild", ", 'parameters': {'gain': -3}") "," NODE(
            "k", "lv2:urn:comp",
            ", 'sidechain': {'from': 'b'}") "]},"
                                            "{'id': 'a', 'type': 'audio', 'output': 'g', " CLIP(
                                                "st") "},"
                                                      "{'id': 'b', 'type': 'audio', 'output': 'c', " CLIP(
                                                          "mono") "},"
                                                                  "{'id': 'c', 'type': 'group'}, {'id': 'd', 'type': "
                                                                  "'audio', 'output': 'g', " CLIP(
                                                                      "mono") "}],"
                                                                              "'deliverables': [{'name': 'mix'}, "
                                                                              "{'name': 'con', 'source': {'each': "
                                                                              "['a', 'd'], 'tap': "
                                                                              "'contribution'}}]}");
    ck_assert_ptr_nonnull(t.compiled);
    const struct graph *graph = t.compiled->graph;
    ck_assert_uint_eq(graph->insert_count, 6);
    for (uint32_t i = 0; i < graph->insert_count; i++) {
        if (graph->inserts[i].parameter_count > 0) {
            ck_assert_str_eq(graph->inserts[i].identity, "track g, node n");
        } else {
            ck_assert(graph->inserts[i].has_sidechain);
        }
    }
    ck_assert(fabs(response(&t, "con-a", 0, "st", 5) - response(&t, "mix", 0, "st", 5)) < 1e-12);
    ck_assert(response(&t, "con-a", 0, "mono", 5) == 0.0);
    ck_assert_uint_eq(t.compiled->plugin_count, 2);
    compiling_fini(&t);
    /* Only a stem: the group is passed through, the key is needed all the same. */
    compiling_init_only(
        &t,
        "{'loophole': 1, " MEDIA ", 'tracks': ["
        "{'id': 'g', 'type': 'group', 'nodes': [" NODE(
            "k", "lv2:urn:comp",
            ", 'sidechain': {'from': "
            "'b'}") "]}, {'id': 'a', 'type': 'audio', 'output': 'g', " CLIP("st") "},"
                                                                                  "{'id': 'b', 'type': 'audio', " CLIP(
                                                                                      "mono") "}],"
                                                                                              "'deliverables': "
                                                                                              "[{'name': 'mix'}, "
                                                                                              "{'name': 'con', "
                                                                                              "'source': {'track': "
                                                                                              "'a', 'tap': "
                                                                                              "'contribution'}}]}",
        "con");
    ck_assert_uint_eq(plugin_node(&t, "track g, node k")->count, 2);
    ck_assert_uint_eq(t.compiled->plugin_count, 1);
    compiling_fini(&t);
}
END_TEST

/* Silence through an effect is silence; a generator sounds, but its sound is nobody's share. */
START_TEST(silence_and_generators)
{
    struct compiling t;
    compiling_init(&t, PROJECT("{'id': 'a', 'type': 'audio', " CLIP(
                           "st") "},"
                                 "{'id': 'r', 'type': 'return', 'nodes': [" NODE("n", "lv2:urn:stereo", "") "]}"));
    ck_assert_uint_eq(t.compiled->graph->insert_count, 0);
    ck_assert_uint_eq(t.compiled->plugin_count, 0);
    compiling_fini(&t);
    compiling_init(&t, "{'loophole': 1, " MEDIA ", 'tracks': ["
                       "{'id': 'g', 'type': 'group', 'nodes': [" NODE("e", "lv2:urn:stereo", "") "," NODE(
                           "d", "lv2:urn:drone",
                           "") "," NODE("f", "lv2:urn:comp", "") "]},"
                                                                 "{'id': 'a', 'type': 'audio', 'output': 'g', " CLIP(
                                                                     "st") "}],"
                                                                           "'deliverables': [{'name': 'mix'}, {'name': "
                                                                           "'con', 'source': {'track': 'a', 'tap': "
                                                                           "'contribution'}}, {'name': 'g', 'source': "
                                                                           "{'track': 'g', 'tap': 'contribution'}}]}");
    ck_assert_ptr_nonnull(t.compiled);
    ck_assert_uint_eq(plugin_node(&t, "track g, node d")->count, 0);
    ck_assert_ptr_nonnull(plugin_node(&t, "track g, node f"));
    ck_assert_ptr_null(plugin_node(&t, "track g, node e")); /* what comes before a generator ends there */
    ck_assert_uint_eq(t.compiled->graph->nodes[deliverable_named(&t, "con")->node].count, 0);
    ck_assert(deliverable_named(&t, "g")->node == deliverable_named(&t, "mix")->node ||
              plugin_node(&t, "track g, node f") != NULL);
    ck_assert_uint_eq(t.compiled->plugin_count, 2);
    compiling_fini(&t);
    compiling_init(&t, STEREO(NODE("m", "lv2:urn:meter", "") "," NODE("p", "lv2:urn:arp", "")));
    ck_assert_uint_eq(plugin_node(&t, "track a, node p")->count, 1); /* neither takes anything away */
    compiling_fini(&t);
}
END_TEST

START_TEST(states_presets_and_identities)
{
    static const struct {
        const char *more, *preset, *state, *identity;
    } cases[] = {
        {"", "", "", ""},
        {", 'preset': 'urn:warm'", "urn:warm", "", "track a, node n"},
        {", 'preset': 'Warm'", "urn:warm", "", "track a, node n"},
        {", 'state': {'file': 'plain.ttl'}", "", "<> <urn:key> 1 .", ""},
        {", 'state': {'file': 'path.ttl'}", "", "<> <urn:key> \"kick.wav\"^^atom:Path .", "track a, node n"},
        {", 'state': {'file': 'gone.ttl'}", "", "", ""},
    };
    char text[2048];
    struct compiling t;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        snprintf(text, sizeof text, STEREO(NODE("n", "lv2:urn:stereo", "%s")), cases[i].more);
        compiling_init(&t, text);
        const struct graph_insert *insert = insert_of(&t, "track a, node n");
        ck_assert_str_eq(insert->preset, cases[i].preset);
        ck_assert_str_eq(insert->preset_bundle, *cases[i].preset != '\0' ? "/lv2/warm/" : "");
        ck_assert_str_eq(insert->state, cases[i].state);
        ck_assert_str_eq(insert->folder, *cases[i].state != '\0' ? "/project/" : "");
        ck_assert_str_eq(insert->identity, cases[i].identity);
        compiling_fini(&t);
    }
    compiling_init(&t, STEREO(NODE("n", "lv2:urn:stereo", ", 'preset': 'urn:worm'")));
    ck_assert_int_eq(t.status, LH_ERR_MISSING);
    ck_assert_str_eq(fault_at(&t, "/tracks/0/nodes/0/preset"),
                     "\"lv2:urn:stereo\" has no preset \"urn:worm\" that is installed; did you mean \"urn:warm\"?");
    compiling_fini(&t);
    compiling_init(&t, STEREO(NODE("n", "lv2:urn:stereo", ", 'preset': 'Twice'")));
    ck_assert_str_eq(fault_at(&t, "/tracks/0/nodes/0/preset"),
                     "2 presets of \"lv2:urn:stereo\" are labelled \"Twice\": give the URI of the one that is meant");
    compiling_fini(&t);
}
END_TEST

START_TEST(memory_may_be_out)
{
    struct compiling t;
    compiling_init(
        &t,
        "{'loophole': 1, " MEDIA ", 'tracks': ["
        "{'id': 'g', 'type': 'group', 'nodes': [" NODE(
            "k", "lv2:urn:comp",
            ", 'sidechain': {'from': "
            "'b'}, 'preset': 'Warm', 'state': {'file': 'path.ttl'}") "]},"
                                                                     "{'id': 'a', 'type': 'audio', 'output': "
                                                                     "'g', " CLIP("st") ", 'nodes': [" NODE(
                                                                         "n", "lv2:urn:gone",
                                                                         ", 'ifMissing': [" NODE(
                                                                             "s", "lv2:urn:stereo",
                                                                             ", 'parameters': "
                                                                             "{'gain': 1, "
                                                                             "'on': 1}") "]") "], 'automation': "
                                                                                              "[{'parameter': "
                                                                                              "'nodes/s/prop', "
                                                                                              "'points': [{'at': "
                                                                                              "{'beats': 1}, 'value': "
                                                                                              "0.5}, {'at': {'beats': "
                                                                                              "2}, 'value': 0.75}]}]},"
                                                                                              "{'id': 'b', 'type': "
                                                                                              "'audio', " CLIP(
                                                                                                  "mono") "},"
                                                                                                          "{'id': 'i', "
                                                                                                          "'type': "
                                                                                                          "'instrument'"
                                                                                                          ", 'clips': "
                                                                                                          "[{'midi': "
                                                                                                          "'beats.mid'}"
                                                                                                          "], 'nodes': "
                                                                                                          "[" NODE(
                                                                                                              "s",
                                                                                                              "lv2:urn:"
                                                                                                              "synth",
                                                                                                              "") "]}],"
                                                                                                                  "'del"
                                                                                                                  "iver"
                                                                                                                  "able"
                                                                                                                  "s': "
                                                                                                                  "[{'"
                                                                                                                  "name"
                                                                                                                  "': "
                                                                                                                  "'mix"
                                                                                                                  "'}, "
                                                                                                                  "{'"
                                                                                                                  "name"
                                                                                                                  "': "
                                                                                                                  "'con"
                                                                                                                  "', "
                                                                                                                  "'sou"
                                                                                                                  "rce'"
                                                                                                                  ": "
                                                                                                                  "{'"
                                                                                                                  "trac"
                                                                                                                  "k': "
                                                                                                                  "'a',"
                                                                                                                  " '"
                                                                                                                  "tap'"
                                                                                                                  ": "
                                                                                                                  "'con"
                                                                                                                  "trib"
                                                                                                                  "utio"
                                                                                                                  "n'}}"
                                                                                                                  "]}");
    ck_assert_msg(t.status == LH_OK, "%s", t.faults.stored > 0 ? t.faults.items[0].message : "");
    compiling_without_memory(&t);
    compiling_fini(&t);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("inserts");
    TCase *tests = tcase_create("inserts");
    tcase_add_test(tests, nodes_stand_between_clips_and_fader);
    tcase_add_test(tests, groups_and_the_master_have_nodes);
    tcase_add_loop_test(tests, what_is_missing, 0, 4);
    tcase_add_test(tests, what_may_be_missing);
    tcase_add_test(tests, layouts_have_to_meet);
    tcase_add_test(tests, side_chains);
    tcase_add_test(tests, contributions_go_through_the_same_nodes);
    tcase_add_test(tests, silence_and_generators);
    tcase_add_test(tests, states_presets_and_identities);
    tcase_add_test(tests, memory_may_be_out);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
