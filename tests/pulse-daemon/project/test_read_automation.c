/* SPDX-License-Identifier: MIT */
/* Automation as the model has them. */
#include <math.h>

#include "tests/pulse-daemon/project/support.h"
#include "tests/support/testing.h"

#define NODES                                                                                                          \
    P "\"tracks\":[{\"id\":\"a\",\"type\":\"audio\",\"sends\":[{\"to\":\"r\"},{\"to\":\"q\"}],\"nodes\":[{\"id\":"     \
      "\"x\","                                                                                                         \
      "\"plugin\":\"lv2:urn:x\"},{\"id\":\"y\",\"plugin\":\"lv2:urn:y\",\"enabled\":false,\"sidechain\":{\"from\":"    \
      "\"b\",\"tap\":\"pre\"},\"ifMissing\":[{\"id\":\"z\",\"plugin\":\"lv2:urn:z\"}]}],\"automation\":["              \
      "{\"parameter\":\"gainDb\",\"points\":[{\"at\":{\"beats\":0},\"value\":\"-inf\"},{\"at\":{\"frames\":9},"        \
      "\"value\":-6,\"curve\":\"hold\"}]},{\"parameter\":\"pan\",\"points\":[]},{\"parameter\":\"mute\",\"points\":["  \
      "{\"at\":{\"beats\":0},\"value\":true},{\"at\":{\"beats\":1},\"value\":0,\"curve\":\"linear\"}]},"               \
      "{\"parameter\":\"sends/q/gainDb\",\"points\":[]},{\"parameter\":\"nodes/y/cutoff\",\"points\":[{\"at\":"        \
      "{\"seconds\":1},\"value\":440}]},{\"parameter\":\"nodes/z/cutoff\",\"points\":[]}]},"                           \
      "{\"id\":\"b\",\"type\":\"audio\"},{\"id\":\"r\",\"type\":\"return\"},{\"id\":\"q\",\"type\":\"return\"}]}"

START_TEST(automation_finds_its_target)
{
    static const struct {
        enum pulse_target target;
        size_t index, points;
    } expected[] = {
        {PULSE_TARGET_GAIN, PULSE_NONE, 2}, {PULSE_TARGET_PAN, PULSE_NONE, 0}, {PULSE_TARGET_MUTE, PULSE_NONE, 2},
        {PULSE_TARGET_SEND_GAIN, 1, 0},     {PULSE_TARGET_PLUGIN, 1, 1},       {PULSE_TARGET_PLUGIN, PULSE_NONE, 0},
    };
    struct pulse_project *project = project_of(NODES);
    const struct pulse_track *track = &project->tracks[0];
    ck_assert_uint_eq(track->automation_count, 6);
    for (size_t i = 0; i < 6; i++) {
        ck_assert_int_eq(track->automation[i].target, expected[i].target);
        ck_assert_uint_eq(track->automation[i].index, expected[i].index);
        ck_assert_uint_eq(track->automation[i].point_count, expected[i].points);
    }
    pulse_project_free(project);
}
END_TEST

START_TEST(points_have_values_of_their_parameter)
{
    struct pulse_project *project = project_of(NODES);
    const struct pulse_track *track = &project->tracks[0];
    ck_assert(isinf(track->automation[0].points[0].value));
    ck_assert_int_eq(track->automation[0].points[0].curve, PULSE_CURVE_LINEAR);
    ck_assert_double_eq(track->automation[0].points[1].value, -6);
    ck_assert_int_eq(track->automation[0].points[1].curve, PULSE_CURVE_HOLD);
    ck_assert_double_eq(track->automation[2].points[0].value, 1);
    ck_assert_double_eq(track->automation[2].points[1].value, 0);
    ck_assert_int_eq(track->automation[2].points[1].curve, PULSE_CURVE_HOLD); /* mute only holds */
    ck_assert_double_eq(track->automation[4].points[0].value, 440);
    pulse_project_free(project);
}
END_TEST

START_TEST(a_prefix_of_a_name_is_not_the_name)
{
    expect_fault(
        P "\"tracks\":[{\"id\":\"a\",\"type\":\"audio\",\"sends\":[{\"to\":\"verb\"}],\"automation\":[{\"parameter\":"
          "\"sends/ver/gainDb\",\"points\":[]}]},{\"id\":\"verb\",\"type\":\"return\"}]}",
        "/tracks/0/automation/0/parameter", "did you mean \"verb\"?");
}
END_TEST

START_TEST(memory_may_be_out)
{
    expect_out_of_memory(NODES, LH_OK);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pulse-daemon/project/read_automation");
    TCase *tests = tcase_create("read_automation");
    tcase_add_test(tests, automation_finds_its_target);
    tcase_add_test(tests, points_have_values_of_their_parameter);
    tcase_add_test(tests, a_prefix_of_a_name_is_not_the_name);
    tcase_add_test(tests, memory_may_be_out);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
