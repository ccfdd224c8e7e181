/* SPDX-License-Identifier: MIT */
/* Clips, fades and notes as the model has them. */
#include <math.h>

#include "tests/pulse-daemon/project/support.h"
#include "tests/support/testing.h"

#define CLIPS                                                                                                          \
    P "\"media\":{\"m\":{\"file\":\"m.wav\"},\"n\":{\"file\":\"n.wav\"}},\"tracks\":[{\"id\":\"a\",\"type\":"          \
      "\"audio\","                                                                                                     \
      "\"clips\":[{\"id\":\"c\",\"media\":\"n\",\"start\":{\"beats\":1},\"offset\":{\"frames\":7},\"duration\":"       \
      "{\"seconds\":3},\"gainDb\":-2,\"mute\":true,\"loop\":true,\"reverse\":true,\"fadeIn\":{\"duration\":"           \
      "{\"frames\":10},\"shape\":\"sCurve\"},\"fadeOut\":{\"duration\":{\"beats\":0.5}}},{\"media\":\"m\"}]},"         \
      "{\"id\":\"i\",\"type\":\"instrument\",\"clips\":[{\"notes\":[{\"at\":{\"beats\":1},\"duration\":{\"beats\":2}," \
      "\"key\":36},{\"at\":{\"beats\":1},\"duration\":{\"beats\":2},\"key\":127,\"velocity\":1,\"channel\":16}]},"     \
      "{\"midi\":\"./a.mid\",\"midiTrack\":2,\"offset\":{\"seconds\":1}}]}]}"

START_TEST(audio_clips_are_read)
{
    struct pulse_project *project = project_of(CLIPS);
    ck_assert_uint_eq(project->tracks[0].clip_count, 2);
    const struct pulse_clip *clip = &project->tracks[0].clips[0];
    ck_assert_int_eq(clip->kind, PULSE_CLIP_AUDIO);
    ck_assert_str_eq(clip->id, "c");
    ck_assert_uint_eq(clip->media, 1);
    ck_assert_int_eq(clip->start.unit, PULSE_UNIT_BEATS);
    ck_assert_int_eq(clip->offset.unit, PULSE_UNIT_FRAMES);
    ck_assert_double_eq(clip->offset.value, 7);
    ck_assert_double_eq(clip->duration.value, 3);
    ck_assert_double_eq(clip->gain_db, -2);
    ck_assert(clip->mute && clip->loop && clip->reverse);
    ck_assert_double_eq(clip->fade_in.duration.value, 10);
    ck_assert_int_eq(clip->fade_in.shape, PULSE_FADE_S_CURVE);
    ck_assert_int_eq(clip->fade_out.shape, PULSE_FADE_LINEAR);
    const struct pulse_clip *plain = &project->tracks[0].clips[1];
    ck_assert_ptr_null(plain->id);
    ck_assert_uint_eq(plain->media, 0);
    ck_assert_int_eq(plain->start.unit, PULSE_UNIT_FRAMES);
    ck_assert_double_eq(plain->start.value, 0);
    ck_assert_int_eq(plain->duration.unit, PULSE_UNIT_NONE);
    ck_assert_int_eq(plain->offset.unit, PULSE_UNIT_NONE);
    ck_assert_int_eq(plain->fade_in.duration.unit, PULSE_UNIT_NONE);
    pulse_project_free(project);
}
END_TEST

START_TEST(notes_and_midi_files_are_read)
{
    struct pulse_project *project = project_of(CLIPS);
    const struct pulse_clip *notes = &project->tracks[1].clips[0];
    ck_assert_int_eq(notes->kind, PULSE_CLIP_NOTES);
    ck_assert_uint_eq(notes->note_count, 2);
    ck_assert_uint_eq(notes->notes[0].key, 36);
    ck_assert_uint_eq(notes->notes[0].velocity, 100);
    ck_assert_uint_eq(notes->notes[0].channel, 1);
    ck_assert_double_eq(notes->notes[0].duration.value, 2);
    ck_assert_uint_eq(notes->notes[1].channel, 16);
    const struct pulse_clip *midi = &project->tracks[1].clips[1];
    ck_assert_int_eq(midi->kind, PULSE_CLIP_MIDI);
    ck_assert_str_eq(midi->midi, "a.mid");
    ck_assert_uint_eq(midi->midi_track, 2);
    ck_assert_uint_eq(midi->media, PULSE_NONE);
    pulse_project_free(project);
}
END_TEST

START_TEST(clip_ids_are_of_their_track)
{
    pulse_project_free(
        project_of(P "\"media\":{\"m\":{\"file\":\"m\"}},\"tracks\":[{\"id\":\"a\",\"type\":\"audio\",\"clips\":"
                     "[{\"id\":\"c\",\"media\":\"m\"}]},{\"id\":\"b\",\"type\":\"audio\",\"clips\":[{\"id\":"
                     "\"c\",\"media\":\"m\"}]}]}"));
}
END_TEST

START_TEST(memory_may_be_out)
{
    expect_out_of_memory(CLIPS, LH_OK);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pulse-daemon/project/read_clips");
    TCase *tests = tcase_create("read_clips");
    tcase_add_test(tests, audio_clips_are_read);
    tcase_add_test(tests, notes_and_midi_files_are_read);
    tcase_add_test(tests, clip_ids_are_of_their_track);
    tcase_add_test(tests, memory_may_be_out);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
