/* SPDX-License-Identifier: MIT */
/* Tracks and sends as the model has them. */
#include <math.h>

#include "tests/pulse-daemon/project/support.h"
#include "tests/support/testing.h"

#define TRACKS                                                                                                         \
    P "\"tracks\":[{\"id\":\"kick\",\"name\":\"Kick\",\"type\":\"audio\",\"channels\":1,\"output\":\"drums\","         \
      "\"gainDb\":"                                                                                                    \
      "\"-inf\",\"pan\":-0.25,\"mute\":true,\"solo\":true,\"invert\":true,\"cohort\":\"live\",\"sends\":[{\"to\":"     \
      "\"verb\",\"gainDb\":-12.5,\"pan\":1,\"tap\":\"pre\",\"mute\":true},{\"to\":\"out\"}]},"                         \
      "{\"id\":\"out\",\"type\":\"master\",\"gainDb\":-1},{\"id\":\"drums\",\"type\":\"group\"},"                      \
      "{\"id\":\"verb\",\"type\":\"return\"}]}"

START_TEST(tracks_are_read)
{
    struct pulse_project *project = project_of(TRACKS);
    ck_assert_uint_eq(project->track_count, 4);
    ck_assert_uint_eq(project->master, 1);
    const struct pulse_track *kick = &project->tracks[0];
    ck_assert_str_eq(kick->name, "Kick");
    ck_assert_int_eq(kick->type, PULSE_TRACK_AUDIO);
    ck_assert_uint_eq(kick->channels, 1);
    ck_assert_uint_eq(kick->output, 2);
    ck_assert(isinf(kick->gain_db) && kick->gain_db < 0);
    ck_assert_double_eq(kick->pan, -0.25);
    ck_assert(kick->mute && kick->solo && kick->invert);
    ck_assert_int_eq(kick->cohort, PULSE_COHORT_LIVE);
    const struct pulse_track *drums = &project->tracks[2];
    ck_assert_str_eq(drums->name, "drums");
    ck_assert_uint_eq(drums->channels, 0);
    ck_assert_uint_eq(drums->output, project->master);
    ck_assert(!drums->mute && !drums->solo && !drums->invert);
    ck_assert_uint_eq(project->tracks[1].output, PULSE_NONE);
    ck_assert_double_eq(project->tracks[1].gain_db, -1);
    pulse_project_free(project);
}
END_TEST

START_TEST(sends_are_read)
{
    struct pulse_project *project = project_of(TRACKS);
    const struct pulse_track *kick = &project->tracks[0];
    ck_assert_uint_eq(kick->send_count, 2);
    ck_assert_uint_eq(kick->sends[0].to, 3);
    ck_assert_double_eq(kick->sends[0].gain_db, -12.5);
    ck_assert_double_eq(kick->sends[0].pan, 1);
    ck_assert_int_eq(kick->sends[0].tap, PULSE_TAP_PRE);
    ck_assert(kick->sends[0].mute);
    ck_assert_uint_eq(kick->sends[1].to, 1);
    ck_assert_int_eq(kick->sends[1].tap, PULSE_TAP_POST);
    ck_assert(!kick->sends[1].mute);
    pulse_project_free(project);
}
END_TEST

START_TEST(the_implied_master_is_a_track_like_others)
{
    struct pulse_project *project = project_of(
        P "\"tracks\":[{\"id\":\"a\",\"type\":\"audio\",\"output\":\"master\"}],\"deliverables\":[{\"name\":\"m\","
          "\"source\":\"master\"}]}");
    ck_assert_uint_eq(project->track_count, 2);
    ck_assert_uint_eq(project->master, 1);
    ck_assert_uint_eq(project->tracks[0].output, 1);
    ck_assert_uint_eq(project->deliverables[0].sources[0], 1);
    pulse_project_free(project);
    expect_fault(P "\"tracks\":[{\"id\":\"out\",\"type\":\"master\"},{\"id\":\"a\",\"type\":\"audio\",\"output\":"
                   "\"master\"}]}",
                 "/tracks/1/output", "there is no track \"master\"");
}
END_TEST

START_TEST(a_broken_type_brings_no_other_faults)
{
    expect_fault(P "\"media\":{},\"tracks\":[{\"id\":\"a\",\"type\":\"grup\",\"clips\":[{\"notes\":[]}]},{\"id\":\"b\","
                   "\"type\":\"audio\",\"output\":\"a\"}]}",
                 "/tracks/0/type", "did you mean \"group\"?");
}
END_TEST

START_TEST(memory_may_be_out)
{
    expect_out_of_memory(TRACKS, LH_OK);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pulse-daemon/project/read_tracks");
    TCase *tests = tcase_create("read_tracks");
    tcase_add_test(tests, tracks_are_read);
    tcase_add_test(tests, sends_are_read);
    tcase_add_test(tests, the_implied_master_is_a_track_like_others);
    tcase_add_test(tests, a_broken_type_brings_no_other_faults);
    tcase_add_test(tests, memory_may_be_out);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
