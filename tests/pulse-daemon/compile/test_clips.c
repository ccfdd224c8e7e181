/* SPDX-License-Identifier: MIT */
/* Clips as regions: lengths, loops, reverse, offsets, fades, layouts. */
#include "pulse-daemon/compile/clips.h"

#include <stdio.h>

#include "tests/pulse-daemon/compile/compiling.h"
#include "tests/support/testing.h"

START_TEST(test_conformed_length)
{
    static const struct {
        uint64_t frames;
        uint32_t from, to;
        uint64_t length;
    } cases[] = {
        {0, 44100, 48000, 0}, {44100, 44100, 48000, 48000},
        {1, 44100, 48000, 1}, {1, 96000, 48000, 0}, /* a half: to even */
        {3, 96000, 48000, 2},                       /* one and a half: to even */
        {5, 96000, 48000, 2},                       /* two and a half: to even */
        {7, 96000, 48000, 4}, {UINT64_C(1000000000007), 44100, 48000, UINT64_C(1088435374157)}, /* ...157.27 */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t length;
        ck_assert(pulse_conformed_length(cases[i].frames, cases[i].from, cases[i].to, &length));
        ck_assert_uint_eq(length, cases[i].length);
    }
    uint64_t length;
    ck_assert(!pulse_conformed_length(UINT64_C(1) << 40, 48000, 48000, &length));
    ck_assert(!pulse_conformed_length((UINT64_C(1) << 40) - 1, 1000, 768000, &length));
    ck_assert(!pulse_conformed_length(1, 0, 48000, &length));
}
END_TEST

/* Media have 96000 frames. */
static struct graph_region region_of(const char *clip)
{
    char text[1024];
    struct compiling t;
    snprintf(text, sizeof text,
             "{'loophole': 1, 'name': 'p', 'sampleRate': 48000, 'media': {'st': {'file': 's.wav'}},"
             "'tempo': [{'at': {'beats': 0}, 'bpm': 120}, {'at': {'beats': 4}, 'bpm': 60}],"
             "'tracks': [{'id': 'a', 'type': 'audio', 'clips': [{'media': 'st', %s}]}]}",
             clip);
    compiling_init(&t, text);
    ck_assert_msg(t.status == LH_OK, "%s: %s", clip, t.faults.stored > 0 ? t.faults.items[0].message : "");
    struct graph_region region = {.length = 0};
    if (t.compiled->graph->region_count > 0) {
        region = t.compiled->graph->regions[0];
    }
    compiling_fini(&t);
    return region;
}

START_TEST(test_lengths)
{
    struct graph_region r = region_of("'start': {'beats': 3}");
    ck_assert(r.start == 72000 && r.length == 96000 && r.offset == 0 && r.loop_length == 0 && r.gain == 1.0f);
    r = region_of("'start': {'beats': 3}, 'duration': {'beats': 2}"); /* half a second, then a whole one */
    ck_assert(r.length == 24000 + 48000);
    r = region_of("'start': {'seconds': 1.5}, 'duration': {'beats': 2}");
    ck_assert(r.start == 72000 && r.length == 72000);
    r = region_of("'start': {'frames': 5}, 'offset': {'seconds': 0.5}");
    ck_assert(r.start == 5 && r.offset == 24000 && r.length == 72000);
    r = region_of("'start': {'frames': 5}, 'duration': {'frames': 500000}");
    ck_assert(r.length == 500000 && r.loop_length == 0); /* silence past the medium */
    r = region_of("'start': {'frames': 5}, 'offset': {'frames': 96000}, 'duration': {'frames': 9}");
    ck_assert_int_eq(r.length, 0); /* nothing is heard */
}
END_TEST

START_TEST(test_loops)
{
    struct graph_region r =
        region_of("'start': {'frames': 0}, 'offset': {'frames': 95000}, 'duration': {'frames': 2500}, 'loop': true");
    ck_assert(r.length == 2500 && r.loop_length == 1000 && r.offset == 95000 && !r.reverse);
    r = region_of("'start': {'frames': 0}, 'duration': {'frames': 2500}, 'loop': true, 'reverse': true");
    ck_assert(r.length == 2500 && r.loop_length == 0 && r.reverse); /* shorter than one pass */
}
END_TEST

START_TEST(test_fades)
{
    struct graph_region r =
        region_of("'start': {'beats': 3}, 'duration': {'beats': 2},"
                  "'fadeIn': {'duration': {'beats': 1.5}}, 'fadeOut': {'duration': {'beats': 1.5}}");
    ck_assert_int_eq(r.fade_in_length, 24000 + 24000);  /* from beat 3 to 4.5 */
    ck_assert_int_eq(r.fade_out_length, 12000 + 48000); /* from beat 3.5 to 5 */
    r = region_of("'start': {'beats': 0}, 'duration': {'frames': 100}, 'fadeIn': {'duration': {'seconds': 1}}, "
                  "'fadeOut': {'duration': {'seconds': 0}}");
    ck_assert(r.fade_in_length == 100 && r.fade_out_length == 0 && r.fade_out == GRAPH_NONE);
}
END_TEST

START_TEST(test_silent_clips)
{
    ck_assert_int_eq(region_of("'start': {'beats': 0}, 'mute': true").length, 0);
    ck_assert_int_eq(region_of("'start': {'beats': 0}, 'gainDb': '-inf'").length, 0);
    ck_assert(region_of("'start': {'beats': 0}, 'gainDb': -20").gain == 0.1f);
}
END_TEST

/* Mono when all its media are mono, muted clips too; what is not heard is not in the graph. */
START_TEST(test_layouts)
{
    static const struct {
        const char *clips;
        uint32_t channels;
    } cases[] = {
        {"{'media': 'mono', 'start': {'beats': 0}}", 1},
        {"{'media': 'mono', 'start': {'beats': 0}}, {'media': 'st', 'start': {'beats': 0}}", 2},
        {"{'media': 'mono', 'start': {'beats': 0}}, {'media': 'st', 'start': {'beats': 0}, 'mute': true}", 2},
        {"", 2},
    };
    for (size_t i = 0; i < 4; i++) {
        char text[1024];
        struct compiling t;
        snprintf(
            text, sizeof text,
            "{'loophole': 1, 'name': 'p', 'sampleRate': 48000, 'media': {'st': {'file': 's.wav'}, 'mono': {'file': "
            "'m.wav'}},"
            "'tracks': [{'id': 'a', 'type': 'audio', 'clips': [%s]}],"
            "'deliverables': [{'name': 'd', 'source': {'track': 'a', 'tap': 'pre'}, 'range': {'end': {'beats': 1}}}]}",
            cases[i].clips);
        compiling_init(&t, text);
        ck_assert_int_eq(t.status, LH_OK);
        const struct graph *graph = t.compiled->graph;
        ck_assert_uint_eq(graph->nodes[graph->deliverables[0].node].channels, cases[i].channels);
        ck_assert_uint_eq(graph->media_count, i == 3 ? 0 : i == 1 ? 2 : 1);
        compiling_fini(&t);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("clips");
    TCase *tests = tcase_create("clips");
    tcase_add_test(tests, test_conformed_length);
    tcase_add_test(tests, test_lengths);
    tcase_add_test(tests, test_loops);
    tcase_add_test(tests, test_fades);
    tcase_add_test(tests, test_silent_clips);
    tcase_add_test(tests, test_layouts);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
