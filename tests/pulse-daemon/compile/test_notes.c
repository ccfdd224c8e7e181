/* SPDX-License-Identifier: MIT */
/* compile/notes.c: when notes begin and end, equal keys that overlap, who plays them. */
#include "pulse-daemon/compile/notes.h"

#include <stdio.h>
#include <string.h>

#include "tests/pulse-daemon/compile/compiling.h"
#include "tests/pulse-daemon/compile/events.h"
#include "tests/support/testing.h"

#define SYNTH "{'id': 's', 'plugin': 'lv2:urn:synth'}"
#define PROJECT(clips, nodes)                                                                                          \
    "{'loophole': 1, 'sampleRate': 48000, 'tempo': [{'at': {'beats': 0}, 'bpm': 120}, {'at': {'beats': 4}, 'bpm': "    \
    "60}], 'tracks': [{'id': 'i', 'type': 'instrument', 'clips': [" clips "], 'nodes': [" nodes "]}]}"
#define NOTE(at, duration, key) "{'at': {" at "}, 'duration': {" duration "}, 'key': " #key "}"

/* Beats count on the tempo map from the clip's start; seconds and frames as they are. */
START_TEST(notes_lie_on_the_tempo_map)
{
    struct compiling t;
    compiling_init(
        &t, PROJECT("{'start': {'beats': 3}, 'notes': ["
                    "{'at': {'beats': 0}, 'duration': {'beats': 2}, 'key': 60, 'velocity': 1, 'channel': 16}," NOTE(
                        "'beats': 2", "'beats': 1", 61) "," NOTE("'seconds': 0.5", "'seconds': 0.25",
                                                                 62) "," NOTE("'frames': 7", "'frames': 1", 63) "]}",
                    SYNTH));
    static const struct heard expected[] = {
        {72000, 0x9F, 60, 1},   {72007, 0x90, 63, 100}, {72008, 0x80, 63, 64},   {96000, 0x90, 62, 100},
        {108000, 0x80, 62, 64}, {144000, 0x8F, 60, 64}, {144000, 0x90, 61, 100}, {192000, 0x80, 61, 64},
    };
    expect_events(&t, "track i, node s", expected, 8);
    ck_assert_int_eq(t.compiled->graph->deliverables[0].end, 192000);
    ck_assert_uint_eq(plugin_node(&t, "track i, node s")->count, 0);
    compiling_fini(&t);
}
END_TEST

START_TEST(the_clips_end_cuts)
{
    struct compiling t;
    compiling_init(&t, PROJECT("{'start': {'frames': 100}, 'duration': {'frames': 50}, 'notes': [" NOTE(
                                   "'frames': 0", "'frames': 60", 60) "," NOTE("'frames': 49", "'frames': 9",
                                                                               61) "," NOTE("'frames': 50",
                                                                                            "'frames': 9", 62) "]}",
                               SYNTH));
    static const struct heard expected[] = {
        {100, 0x90, 60, 100}, {149, 0x90, 61, 100}, {150, 0x80, 60, 64}, {150, 0x80, 61, 64}};
    expect_events(&t, "track i, node s", expected, 4);
    ck_assert_int_eq(t.compiled->graph->deliverables[0].end, 150);
    compiling_fini(&t);
}
END_TEST

/* The later note ends the earlier one, whose own end is dropped; also between clips. A note lasts a frame at least; one
   that is struck again at once is not played. */
START_TEST(equal_keys_that_overlap)
{
    struct compiling t;
    compiling_init(
        &t, PROJECT("{'notes': [" NOTE("'frames': 0", "'frames': 100", 60) "," NOTE(
                        "'frames': 50", "'frames': 10",
                        60) "," NOTE("'frames': 60", "'frames': 0",
                                     60) "]}, {'notes': [" NOTE("'frames': 60", "'frames': 5",
                                                                60) "," NOTE("'frames': 70", "'frames': 0", 60) "]}",
                    SYNTH));
    static const struct heard expected[] = {
        {0, 0x90, 60, 100},  {50, 0x80, 60, 64}, {50, 0x90, 60, 100}, {60, 0x80, 60, 64},
        {60, 0x90, 60, 100}, {65, 0x80, 60, 64}, {70, 0x90, 60, 100}, {71, 0x80, 60, 64},
    };
    expect_events(&t, "track i, node s", expected, 8);
    compiling_fini(&t);
}
END_TEST

/* The first that turns notes into sound. Effects before it have nothing to do. */
START_TEST(who_plays)
{
    struct compiling t;
    compiling_init(&t, PROJECT("{'notes': [" NOTE("'frames': 0", "'frames': 9", 60) "]}",
                               "{'id': 'e', 'plugin': 'lv2:urn:stereo'}, {'id': 'p', 'plugin': 'lv2:urn:arp'},"
                               "{'id': 'v', 'plugin': 'lv2:urn:vocoder'}, {'id': 'w', 'plugin': 'lv2:urn:vocoder'}"));
    ck_assert_ptr_null(plugin_node(&t, "track i, node e"));
    ck_assert_ptr_null(plugin_node(&t, "track i, node p"));
    ck_assert_uint_eq(insert_of(&t, "track i, node v")->event_count, 2);
    const struct graph *graph = t.compiled->graph;
    const struct graph_node *node = plugin_node(&t, "track i, node v");
    ck_assert_uint_eq(graph->nodes[graph->inputs[node->first]].count, 0); /* it works on silence */
    ck_assert_uint_eq(insert_of(&t, "track i, node w")->event_count, 0);
    compiling_fini(&t);
    compiling_init(&t, PROJECT("{'notes': [" NOTE("'frames': 0", "'frames': 9", 60) "]}",
                               "{'id': 'p', 'plugin': 'lv2:urn:drone'}"));
    ck_assert_int_eq(t.status, LH_ERR_INVALID);
    ck_assert_ptr_nonnull(strstr(fault_at(&t, "/tracks/0"), "no plugin among its \"nodes\" that plays them"));
    compiling_fini(&t);
    static const char *const excused[] = {"{'id': 'n', 'plugin': 'lv2:urn:gone', 'ifMissing': 'bypass'}",
                                          "{'id': 'n', 'plugin': 'lv2:urn:synth', 'enabled': false}"};
    for (size_t i = 0; i < 2; i++) {
        char text[1024];
        snprintf(text, sizeof text, PROJECT("{'notes': [" NOTE("'frames': 0", "'frames': 9", 60) "]}", "%s"),
                 excused[i]);
        compiling_init(&t, text);
        ck_assert_msg(t.status == LH_OK, "%s", lh_status_text(t.status));
        ck_assert_uint_eq(t.compiled->graph->insert_count, 0);
        compiling_fini(&t);
    }
}
END_TEST

START_TEST(muted_clips_are_not_played)
{
    struct compiling t;
    compiling_init(&t,
                   PROJECT("{'mute': true, 'notes': [" NOTE("'frames': 0", "'frames': 9", 60) "]}, {'notes': [" NOTE(
                               "'frames': 2", "'frames': 3", 60) "]}",
                           SYNTH));
    static const struct heard expected[] = {{2, 0x90, 60, 100}, {5, 0x80, 60, 64}};
    expect_events(&t, "track i, node s", expected, 2);
    ck_assert_int_eq(t.compiled->graph->deliverables[0].end, 9); /* but it is there */
    compiling_fini(&t);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("notes");
    TCase *tests = tcase_create("notes");
    tcase_add_test(tests, notes_lie_on_the_tempo_map);
    tcase_add_test(tests, the_clips_end_cuts);
    tcase_add_test(tests, equal_keys_that_overlap);
    tcase_add_test(tests, who_plays);
    tcase_add_test(tests, muted_clips_are_not_played);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
