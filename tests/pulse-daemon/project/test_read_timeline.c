/* SPDX-License-Identifier: MIT */
/* Tempo, time signatures, markers, media as the model has them. */
#include <math.h>

#include "tests/pulse-daemon/project/support.h"
#include "tests/support/testing.h"

#define TIMELINE                                                                                                       \
    P "\"tempo\":[{\"at\":{\"beats\":0},\"bpm\":90.5,\"curve\":\"ramp\"},{\"at\":{\"beats\":8},\"bpm\":120}],"         \
      "\"timeSignatures\":[{\"at\":{\"frames\":0},\"numerator\":7,\"denominator\":8}],"                                \
      "\"markers\":[{\"at\":{\"frames\":48000},\"name\":\"Verse\"},{\"at\":{\"seconds\":2.5}}],\"resampler\":"         \
      "\"samplerate\",\"media\":{\"a\":{\"file\":\"./x//y.wav\"},\"b\":{\"digest\":\"sha256:"                          \
      "00000000000000000000000000000000000000000000000000000000000000ff\",\"resampler\":\"soxr\"}}}"

START_TEST(the_timeline_is_read)
{
    struct pulse_project *project = project_of(TIMELINE);
    ck_assert_uint_eq(project->tempo_count, 2);
    ck_assert_double_eq(project->tempo[0].bpm, 90.5);
    ck_assert_int_eq(project->tempo[0].curve, PULSE_TEMPO_RAMP);
    ck_assert_double_eq(project->tempo[1].beats, 8);
    ck_assert_int_eq(project->tempo[1].curve, PULSE_TEMPO_STEP);
    ck_assert_uint_eq(project->signature_count, 1);
    ck_assert_uint_eq(project->signatures[0].numerator, 7);
    ck_assert_uint_eq(project->signatures[0].denominator, 8);
    ck_assert_uint_eq(project->marker_count, 2);
    ck_assert_int_eq(project->markers[0].at.unit, PULSE_UNIT_FRAMES);
    ck_assert_double_eq(project->markers[0].at.value, 48000);
    ck_assert_str_eq(project->markers[0].name, "Verse");
    ck_assert_str_eq(project->markers[1].name, "");
    pulse_project_free(project);
}
END_TEST

START_TEST(media_are_read)
{
    struct pulse_project *project = project_of(TIMELINE);
    ck_assert_uint_eq(project->media_count, 2);
    ck_assert_str_eq(project->media[0].id, "a");
    ck_assert_str_eq(project->media[0].file, "x/y.wav");
    ck_assert(!project->media[0].has_digest && !project->media[0].has_resampler);
    ck_assert_int_eq(project->media[0].resampler, PULSE_RESAMPLER_SAMPLERATE);
    ck_assert_ptr_null(project->media[1].file);
    ck_assert(project->media[1].has_digest && project->media[1].has_resampler);
    ck_assert_uint_eq(project->media[1].digest.bytes[31], 0xff);
    ck_assert_int_eq(project->media[1].resampler, PULSE_RESAMPLER_SOXR);
    pulse_project_free(project);
}
END_TEST

START_TEST(there_is_always_a_tempo)
{
    struct pulse_project *project = project_of(P "\"tempo\":[],\"timeSignatures\":[]}");
    ck_assert_uint_eq(project->tempo_count, 1);
    ck_assert_double_eq(project->tempo[0].bpm, 120);
    ck_assert_uint_eq(project->signature_count, 1);
    ck_assert_uint_eq(project->signatures[0].denominator, 4);
    pulse_project_free(project);
}
END_TEST

START_TEST(order_is_checked_within_a_unit)
{
    expect_fault(P
                 "\"tempo\":[{\"at\":{\"beats\":0},\"bpm\":1},{\"at\":{\"beats\":4},\"bpm\":1},{\"at\":{\"beats\":3.9},"
                 "\"bpm\":1}]}",
                 "/tempo/2/at", "ascending");
    pulse_project_free(
        project_of(P "\"timeSignatures\":[{\"at\":{\"beats\":0},\"numerator\":4,\"denominator\":4},{\"at\":"
                     "{\"seconds\":9},\"numerator\":4,\"denominator\":4},{\"at\":{\"beats\":1},"
                     "\"numerator\":4,\"denominator\":4}]}"));
}
END_TEST

START_TEST(memory_may_be_out)
{
    expect_out_of_memory(TIMELINE, LH_OK);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pulse-daemon/project/read_timeline");
    TCase *tests = tcase_create("read_timeline");
    tcase_add_test(tests, the_timeline_is_read);
    tcase_add_test(tests, media_are_read);
    tcase_add_test(tests, there_is_always_a_tempo);
    tcase_add_test(tests, order_is_checked_within_a_unit);
    tcase_add_test(tests, memory_may_be_out);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
