/* SPDX-License-Identifier: MIT */
/* Nodes as the model has them. */
#include "tests/pulse-daemon/project/support.h"
#include "tests/support/testing.h"

#define NODES                                                                                                          \
    P "\"tracks\":[{\"id\":\"a\",\"type\":\"audio\",\"nodes\":[{\"id\":\"x\",\"plugin\":\"lv2:urn:x\"},{\"id\":\"y\"," \
      "\"plugin\":\"lv2:urn:y\",\"enabled\":false,\"sidechain\":{\"from\":\"b\",\"tap\":\"pre\"},\"ifMissing\":[{"     \
      "\"id\":"                                                                                                        \
      "\"z\",\"plugin\":\"lv2:urn:z\",\"sidechain\":{\"from\":\"b\"}}]}]},{\"id\":\"b\",\"type\":\"audio\"}]}"

START_TEST(nodes_are_read)
{
    struct pulse_project *project = project_of(NODES);
    const struct pulse_track *track = &project->tracks[0];
    ck_assert_uint_eq(track->node_count, 2);
    ck_assert_str_eq(track->nodes[0].plugin, "lv2:urn:x");
    ck_assert(track->nodes[0].enabled && !track->nodes[1].enabled);
    ck_assert_uint_eq(track->nodes[0].sidechain_from, PULSE_NONE);
    ck_assert_uint_eq(track->nodes[1].sidechain_from, 1);
    ck_assert_int_eq(track->nodes[1].sidechain_tap, PULSE_TAP_PRE);
    pulse_project_free(project);
}
END_TEST

#define RICH                                                                                                           \
    P "\"tracks\":[{\"id\":\"a\",\"type\":\"audio\",\"nodes\":[{\"id\":\"x\",\"plugin\":\"lv2:urn:gone\","             \
      "\"parameters\":{\"z\":-0.25,\"a\":1e3},\"preset\":\"urn:warm\",\"state\":{\"file\":\"./st//x.ttl\"},"           \
      "\"ext\":{\"k\":[1,2]},"                                                                                         \
      "\"ifMissing\":[{\"id\":\"y\",\"plugin\":\"lv2:urn:spare\",\"parameters\":{\"b\":2},\"state\":{\"digest\":"      \
      "\"sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"}}]},"                               \
      "{\"id\":\"w\",\"plugin\":\"lv2:urn:w\",\"ifMissing\":\"bypass\"}],"                                             \
      "\"automation\":[{\"parameter\":\"nodes/x/z\",\"points\":[{\"at\":{\"beats\":1},\"value\":0.5}]},"               \
      "{\"parameter\":\"nodes/y/b\",\"points\":[]}]}]}"

START_TEST(what_a_missing_plugin_was_set_to_is_kept)
{
    struct pulse_project *project = project_of(RICH);
    const struct pulse_track *track = &project->tracks[0];
    const struct pulse_node *node = &track->nodes[0];
    ck_assert_uint_eq(node->parameter_count, 2);
    ck_assert_str_eq(node->parameters[0].symbol, "z");
    ck_assert_double_eq(node->parameters[0].value, -0.25);
    ck_assert_double_eq(node->parameters[1].value, 1000);
    ck_assert_str_eq(node->preset, "urn:warm");
    ck_assert_str_eq(node->state_file, "st/x.ttl");
    ck_assert_int_eq(node->if_missing, PULSE_MISSING_STAND_INS);
    ck_assert_uint_eq(node->stand_in_count, 1);
    const struct pulse_node *stand_in = &node->stand_ins[0];
    ck_assert_str_eq(stand_in->id, "y");
    ck_assert_double_eq(stand_in->parameters[0].value, 2);
    ck_assert(stand_in->state != NULL && stand_in->state_file == NULL && stand_in->preset == NULL);
    ck_assert_uint_eq(stand_in->state_digest.bytes[1], 0x23);
    ck_assert_int_eq(stand_in->if_missing, PULSE_MISSING_FAIL);
    ck_assert_int_eq(track->nodes[1].if_missing, PULSE_MISSING_BYPASS);
    ck_assert(track->nodes[1].state == NULL && track->nodes[1].parameter_count == 0);
    ck_assert_uint_eq(track->automation[0].index, 0);
    ck_assert_uint_eq(track->automation[1].index, PULSE_NONE); /* of a stand-in: found by its id */
    ck_assert_ptr_nonnull(track->automation[0].json);
    pulse_project_free(project);
}
END_TEST

START_TEST(stand_ins_are_checked_like_nodes)
{
    expect_fault(P "\"tracks\":[{\"id\":\"a\",\"type\":\"audio\",\"nodes\":[{\"id\":\"x\",\"plugin\":\"lv2:urn:x\","
                   "\"ifMissing\":[{\"id\":\"y\",\"plugin\":\"lv2:urn:y\",\"sidechain\":{\"from\":\"nobody\"}}]}]}]}",
                 "/tracks/0/nodes/0/ifMissing/0/sidechain/from", "there is no track \"nobody\"");
    expect_fault(P "\"tracks\":[{\"id\":\"a\",\"type\":\"audio\",\"nodes\":[{\"id\":\"x\",\"plugin\":\"lv2:urn:x\","
                   "\"ifMissing\":[{\"id\":\"x\",\"plugin\":\"lv2:urn:y\"}]}]}]}",
                 "/tracks/0/nodes/0/ifMissing/0/id", "already taken");
}
END_TEST

START_TEST(memory_may_be_out)
{
    expect_out_of_memory(NODES, LH_OK);
    expect_out_of_memory(RICH, LH_OK);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pulse-daemon/project/read_nodes");
    TCase *tests = tcase_create("read_nodes");
    tcase_add_test(tests, nodes_are_read);
    tcase_add_test(tests, what_a_missing_plugin_was_set_to_is_kept);
    tcase_add_test(tests, stand_ins_are_checked_like_nodes);
    tcase_add_test(tests, memory_may_be_out);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
