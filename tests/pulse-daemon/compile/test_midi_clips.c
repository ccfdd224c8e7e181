/* SPDX-License-Identifier: MIT */
/* compile/midi_clips.c: files on the tempo map, their tracks, offsets, what holds and what is let go. */
#include "pulse-daemon/compile/midi_clips.h"

#include <stdio.h>
#include <string.h>

#include "tests/pulse-daemon/compile/compiling.h"
#include "tests/pulse-daemon/compile/events.h"
#include "tests/support/testing.h"

/* A beat is 24000 frames up to beat 4, then 48000. */
static void init(struct compiling *t, const char *clip)
{
    char text[2048];
    snprintf(text, sizeof text,
             "{'loophole': 1, 'sampleRate': 48000, 'tempo': [{'at': {'beats': 0}, 'bpm': 120}, {'at': {'beats': 4}, "
             "'bpm': 60}], 'tracks': [{'id': 'i', 'type': 'instrument', 'clips': [%s], 'nodes': [{'id': 's', "
             "'plugin': 'lv2:urn:synth'}]}]}",
             clip);
    compiling_init(t, text);
}

#define SYNTH "track i, node s"

START_TEST(a_file_lies_on_the_tempo_map)
{
    struct compiling t;
    init(&t, "{'midi': 'beats.mid', 'start': {'beats': 3}}");
    static const struct heard expected[] = {
        {72000, 0xB0, 32, 2},   {72000, 0xB0, 0, 1},    {72000, 0xC0, 9, 0},    {72000, 0x90, 60, 100},
        {84000, 0x80, 60, 64}, /* struck again */
        {84000, 0xE0, 0, 64},   {84000, 0x90, 60, 90},  {96000, 0xB0, 64, 127}, {120000, 0x90, 60, 0},
        {144000, 0xB0, 7, 101}, {144000, 0x91, 64, 80}, {192000, 0x81, 64, 0},  {192000, 0x91, 65, 70},
        {240000, 0x81, 65, 64}, {240000, 0xB0, 64, 0}, /* the file's end lets go of keys and pedals */
    };
    expect_events(&t, SYNTH, expected, 15);
    ck_assert_int_eq(t.compiled->graph->deliverables[0].end, 240000); /* beat 7 */
    compiling_fini(&t);
}
END_TEST

START_TEST(one_track_of_it)
{
    struct compiling t;
    init(&t, "{'midi': 'beats.mid', 'midiTrack': 2, 'duration': {'beats': 1.75}}");
    static const struct heard expected[] = {
        {0, 0x90, 60, 100}, {12000, 0x80, 60, 64}, {12000, 0x90, 60, 90}, {36000, 0x90, 60, 0}};
    expect_events(&t, SYNTH, expected, 4);
    compiling_fini(&t);
    init(&t, "{'midi': 'beats.mid', 'midiTrack': 3}");
    ck_assert_int_eq(t.status, LH_ERR_INVALID);
    ck_assert_str_eq(fault_at(&t, "/tracks/0/clips/0/midiTrack"), "\"beats.mid\" has 2 tracks");
    compiling_fini(&t);
}
END_TEST

/* Banks before programs; notes that began before are not taken up. */
START_TEST(what_held_before_the_offset_holds)
{
    struct compiling t;
    init(&t, "{'midi': 'beats.mid', 'start': {'frames': 1000}, 'offset': {'seconds': 0.75}, 'duration': {'frames': "
             "30000}}");
    static const struct heard expected[] = {
        {1000, 0xB0, 0, 1},    {1000, 0xB0, 32, 2},   {1000, 0xC0, 9, 0},    {1000, 0xB0, 64, 127}, {1000, 0xE0, 0, 64},
        {13000, 0xB0, 7, 101}, {13000, 0x91, 64, 80}, {31000, 0x81, 64, 64}, {31000, 0xB0, 64, 0},
    };
    expect_events(&t, SYNTH, expected, 9);
    compiling_fini(&t);
    init(&t, "{'midi': 'beats.mid', 'offset': {'seconds': 1.75}}"); /* to the file's end */
    ck_assert_int_eq(t.compiled->graph->deliverables[0].end, 12000);
    compiling_fini(&t);
    init(&t, "{'midi': 'beats.mid', 'offset': {'seconds': 9}}, {'midi': 'beats.mid'}"); /* nothing is left of it */
    ck_assert_int_eq(t.compiled->graph->deliverables[0].end, 96000);
    compiling_fini(&t);
}
END_TEST

/* Trimming the beginning leaves the rest where it was, tempo changes or not. */
START_TEST(a_trimmed_clip_plays_the_rest_where_it_was)
{
    struct compiling whole, trimmed;
    init(&whole, "{'midi': 'beats.mid', 'midiTrack': 2, 'start': {'seconds': 1}}");
    init(&trimmed, "{'midi': 'beats.mid', 'midiTrack': 2, 'start': {'seconds': 1.9}, 'offset': {'seconds': 0.9}}");
    const struct graph_insert *all = insert_of(&whole, SYNTH), *rest = insert_of(&trimmed, SYNTH);
    ck_assert_uint_eq(all->event_count, 8);
    ck_assert_uint_eq(rest->event_count, 4);
    for (uint32_t i = 0; i < 4; i++) {
        ck_assert_mem_eq(&whole.compiled->graph->events[all->event_first + 4 + i],
                         &trimmed.compiled->graph->events[rest->event_first + i], sizeof(struct graph_event));
    }
    ck_assert_int_eq(whole.compiled->graph->deliverables[0].end, trimmed.compiled->graph->deliverables[0].end);
    compiling_fini(&whole);
    compiling_fini(&trimmed);
}
END_TEST

START_TEST(a_file_in_time_code_keeps_its_seconds)
{
    struct compiling t;
    init(&t, "{'midi': 'code.mid', 'start': {'beats': 5}, 'offset': {'frames': 4800}}");
    static const struct heard expected[] = {{144000 + 12000 - 4800, 0x90, 60, 100},
                                            {144000 + 24000 - 4800, 0x80, 60, 0}};
    expect_events(&t, SYNTH, expected, 2);
    ck_assert_int_eq(t.compiled->graph->deliverables[0].end, 144000 + 48000 - 4800);
    compiling_fini(&t);
}
END_TEST

/* What could not be read was told elsewhere. */
START_TEST(a_file_that_is_not_known_is_silent)
{
    struct compiling t;
    init(&t, "{'midi': 'gone.mid'}, {'midi': 'beats.mid', 'midiTrack': 2}");
    ck_assert_uint_eq(insert_of(&t, SYNTH)->event_count, 8);
    compiling_fini(&t);
}
END_TEST

START_TEST(too_much_is_refused)
{
    struct compiling t;
    init(&t, "{'midi': 'beats.mid'}");
    struct pulse_midi_facts large = {
        .known = true, .tracks = 1, .event_count = (size_t)PULSE_EVENTS_MAX + 1, .length = 1.0};
    t.facts.midi = &large;
    pulse_compiled_free(t.compiled);
    t.compiled = NULL;
    ck_assert_int_eq(pulse_compile(t.project, &t.needs, &t.facts, NULL, &t.faults, &t.compiled), LH_ERR_LIMIT);
    ck_assert_ptr_nonnull(fault_at(&t, "/tracks/0/clips"));
    compiling_fini(&t);
}
END_TEST

START_TEST(past_all_time)
{
    struct compiling t;
    init(&t, "{'midi': 'beats.mid', 'start': {'frames': 1099511627775}}");
    ck_assert_int_eq(t.status, LH_ERR_LIMIT);
    compiling_fini(&t);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("midi_clips");
    TCase *tests = tcase_create("midi_clips");
    tcase_add_test(tests, a_file_lies_on_the_tempo_map);
    tcase_add_test(tests, one_track_of_it);
    tcase_add_test(tests, what_held_before_the_offset_holds);
    tcase_add_test(tests, a_trimmed_clip_plays_the_rest_where_it_was);
    tcase_add_test(tests, a_file_in_time_code_keeps_its_seconds);
    tcase_add_test(tests, a_file_that_is_not_known_is_silent);
    tcase_add_test(tests, too_much_is_refused);
    tcase_add_test(tests, past_all_time);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
