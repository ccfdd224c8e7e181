/* SPDX-License-Identifier: MIT */
/* Deliverables as the model has them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/pulse-daemon/project/support.h"
#include "tests/support/testing.h"

#define DELIVERABLES                                                                                                   \
    P "\"name\":\"x\",\"tracks\":[{\"id\":\"a\",\"type\":\"audio\"},{\"id\":\"b\",\"type\":\"audio\"}],"               \
      "\"deliverables\":["                                                                                             \
      "{\"name\":\"mix\",\"source\":\"master\",\"format\":\"bwf\",\"bitDepth\":16,\"dither\":\"none\",\"sampleRate\":" \
      "44100,\"range\":{\"start\":{\"seconds\":1},\"end\":{\"beats\":64},\"preroll\":{\"frames\":5},\"tail\":"         \
      "{\"untilDb\":-90}},\"loudness\":{\"integrated\":-14,\"truePeak\":-1.5},\"tags\":{\"title\":\"T\",\"artist\":"   \
      "\"A\"},\"loop\":{\"start\":{\"beats\":0},\"end\":{\"beats\":4}}},"                                              \
      "{\"name\":\"stems\",\"source\":{\"each\":[\"b\",\"a\"],\"tap\":\"contribution\"},\"format\":\"flac\","          \
      "\"gainFrom\":\"mix\"},{\"name\":\"one\",\"source\":{\"track\":\"b\",\"tap\":\"pre\"},\"bitDepth\":32,"          \
      "\"range\":{\"tail\":{\"seconds\":2}}},{\"name\":\"web\",\"format\":\"ogg\",\"quality\":0.7},"                   \
      "{\"name\":\"web\",\"format\":\"opus\",\"bitrateKbps\":160}]}"

START_TEST(a_deliverable_is_read)
{
    expect_fault(DELIVERABLES, "/deliverables/4/name", "already taken");
    char *text = strdup(DELIVERABLES);
    ck_assert_ptr_nonnull(text);
    strstr(text, "{\"name\":\"web\",\"format\":\"opus\"")[11] = 'n'; /* the second "web" is "wen" */
    struct pulse_project *project = project_of(text);
    free(text);
    ck_assert_uint_eq(project->deliverable_count, 5);
    const struct pulse_deliverable *mix = &project->deliverables[0];
    ck_assert_int_eq(mix->format, PULSE_FORMAT_BWF);
    ck_assert_uint_eq(mix->bit_depth, 16);
    ck_assert(!mix->dither && !mix->each);
    ck_assert_uint_eq(mix->sample_rate, 44100);
    ck_assert_uint_eq(mix->source_count, 1);
    ck_assert_uint_eq(mix->sources[0], 2);
    ck_assert_double_eq(mix->range.end.value, 64);
    ck_assert_int_eq(mix->range.preroll.unit, PULSE_UNIT_FRAMES);
    ck_assert(mix->range.tail.until);
    ck_assert_double_eq(mix->range.tail.until_db, -90);
    ck_assert_double_eq(mix->range.tail.hold_seconds, 1);
    ck_assert_double_eq(mix->range.tail.max_seconds, 60);
    ck_assert(mix->has_integrated && mix->has_true_peak && mix->has_loop);
    ck_assert_double_eq(mix->true_peak_dbtp, -1.5);
    ck_assert_uint_eq(mix->gain_from, PULSE_NONE);
    ck_assert_uint_eq(mix->tag_count, 2);
    ck_assert_str_eq(mix->tags[1].name, "artist");
    ck_assert_str_eq(mix->tags[1].value, "A");
    const struct pulse_deliverable *stems = &project->deliverables[1];
    ck_assert(stems->each && stems->dither);
    ck_assert_int_eq(stems->tap, PULSE_TAP_CONTRIBUTION);
    ck_assert_uint_eq(stems->source_count, 2);
    ck_assert_uint_eq(stems->sources[0], 1);
    ck_assert_uint_eq(stems->gain_from, 0);
    ck_assert_uint_eq(stems->bit_depth, 24);
    const struct pulse_deliverable *one = &project->deliverables[2];
    ck_assert(!one->each && !one->dither && !one->range.tail.until);
    ck_assert_int_eq(one->tap, PULSE_TAP_PRE);
    ck_assert_double_eq(one->range.tail.seconds, 2);
    ck_assert_int_eq(one->range.start.unit, PULSE_UNIT_NONE);
    ck_assert_int_eq(project->deliverables[3].format, PULSE_FORMAT_VORBIS);
    ck_assert(project->deliverables[3].has_quality && !project->deliverables[3].dither);
    ck_assert_uint_eq(project->deliverables[3].bit_depth, 0);
    ck_assert_uint_eq(project->deliverables[4].bitrate_kbps, 160);
    ck_assert_uint_eq(project->deliverables[4].sample_rate, 0);
    pulse_project_free(project);
}
END_TEST

START_TEST(without_deliverables_there_is_a_mix)
{
    static const char *const names[][2] = {
        {"Night Drive", "Night Drive"},
        {"Café/2", "Caf__2"},
        {"..", "_"},
        {" a. ", "_a"},
        {"", "untitled"},
        {"-x", "_x"},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char text[128];
        snprintf(text, sizeof text, P "\"name\":\"%s\",\"deliverables\":[]}", names[i][0]);
        struct pulse_project *project = project_of(text);
        const struct pulse_deliverable *item = &project->deliverables[0];
        ck_assert_str_eq(item->name, names[i][1]);
        ck_assert_int_eq(item->format, PULSE_FORMAT_WAV);
        ck_assert_uint_eq(item->bit_depth, 24);
        ck_assert(item->dither && !item->each);
        ck_assert_uint_eq(item->sources[0], project->master);
        ck_assert_uint_eq(item->gain_from, PULSE_NONE);
        ck_assert_ptr_null(item->json);
        pulse_project_free(project);
    }
}
END_TEST

START_TEST(memory_may_be_out)
{
    expect_out_of_memory(DELIVERABLES, LH_ERR_INVALID);
    expect_out_of_memory(P "\"name\":\"a b\"}", LH_OK);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pulse-daemon/project/read_deliverables");
    TCase *tests = tcase_create("read_deliverables");
    tcase_add_test(tests, a_deliverable_is_read);
    tcase_add_test(tests, without_deliverables_there_is_a_mix);
    tcase_add_test(tests, memory_may_be_out);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
