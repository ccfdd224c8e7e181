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
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pulse-daemon/project/read_nodes");
    TCase *tests = tcase_create("read_nodes");
    tcase_add_test(tests, nodes_are_read);
    tcase_add_test(tests, stand_ins_are_checked_like_nodes);
    tcase_add_test(tests, memory_may_be_out);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
