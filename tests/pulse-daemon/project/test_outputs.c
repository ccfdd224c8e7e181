/* SPDX-License-Identifier: MIT */
/* Names of files, and the words of the format in the order of the model. */
#include "pulse-daemon/project/outputs.h"

#include "pulse-daemon/project/format.h"
#include "tests/support/testing.h"

START_TEST(files_are_named_after_their_deliverable)
{
    static const char *const endings[] = {"wav", "wav", "aiff", "flac", "ogg", "opus", "mp3"};
    struct lh_arena arena;
    lh_arena_init(&arena);
    const struct pulse_track track = {.id = "kick"};
    for (int format = PULSE_FORMAT_WAV; format <= PULSE_FORMAT_MP3; format++) {
        ck_assert_str_eq(pulse_format_ending((enum pulse_format)format), endings[format]);
    }
    struct pulse_deliverable item = {.name = "my mix", .format = PULSE_FORMAT_VORBIS};
    ck_assert_str_eq(pulse_output_file(&arena, &item, &track), "my mix.ogg");
    item.each = true;
    ck_assert_str_eq(pulse_output_file(&arena, &item, &track), "my mix-kick.ogg");
    lh_arena_fini(&arena);
}
END_TEST

START_TEST(words_stand_in_the_order_of_the_enums)
{
    ck_assert_str_eq(pulse_format_names[PULSE_FORMAT_AIFF], "aiff");
    ck_assert_str_eq(pulse_format_names[PULSE_FORMAT_MP3], "mp3");
    ck_assert_str_eq(pulse_pan_law_names[PULSE_PAN_LINEAR], "linear");
    ck_assert_str_eq(pulse_curve_names[PULSE_CURVE_HOLD], "hold");
    ck_assert_str_eq(pulse_tempo_curve_names[PULSE_TEMPO_RAMP], "ramp");
    ck_assert_str_eq(pulse_fade_shape_names[PULSE_FADE_EXPONENTIAL], "exponential");
    ck_assert_str_eq(pulse_fade_shape_names[PULSE_FADE_S_CURVE], "sCurve");
    ck_assert_str_eq(pulse_tap_names[PULSE_TAP_PRE], "pre");
    ck_assert_str_eq(pulse_tap_names[PULSE_TAP_CONTRIBUTION], "contribution");
    ck_assert_str_eq(pulse_cohort_names[PULSE_COHORT_ANTICIPATIVE], "anticipative");
    ck_assert_str_eq(pulse_resampler_names[PULSE_RESAMPLER_SAMPLERATE], "samplerate");
    ck_assert_str_eq(pulse_track_type_names[PULSE_TRACK_RETURN], "return");
    ck_assert_str_eq(pulse_track_type_names[PULSE_TRACK_MASTER], "master");
}
END_TEST

START_TEST(memory_may_be_out)
{
    struct lh_arena arena;
    const struct pulse_track track = {.id = "kick"};
    const struct pulse_deliverable item = {.name = "mix"};
    lh_arena_init(&arena);
    testing_fail_allocation(1);
    ck_assert_ptr_null(pulse_output_file(&arena, &item, &track));
    ck_assert(testing_fail_allocation_end());
    lh_arena_fini(&arena);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pulse-daemon/project/outputs");
    TCase *tests = tcase_create("outputs");
    tcase_add_test(tests, files_are_named_after_their_deliverable);
    tcase_add_test(tests, words_stand_in_the_order_of_the_enums);
    tcase_add_test(tests, memory_may_be_out);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
