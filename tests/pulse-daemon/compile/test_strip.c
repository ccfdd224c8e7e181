/* SPDX-License-Identifier: MIT */
/* Tracks as nodes: taps, sends, mute and its automation, polarity, sends from closed faders, contributions. */
#include "pulse-daemon/compile/strip.h"

#include <math.h>
#include <stdio.h>

#include "tests/pulse-daemon/compile/compiling.h"
#include "tests/support/testing.h"

#define TOLERANCE 1e-6

/* One stereo source at `a` with members of its own, a return, and the taps of both as deliverables. */
static void init(struct compiling *t, const char *members, const char *send)
{
    char text[4096];
    snprintf(text, sizeof text,
             "{'loophole': 1, 'name': 'p', 'sampleRate': 48000, 'media': {'st': {'file': 's.wav'}, 'other': {'file': "
             "'o.wav'}},"
             "'tracks': [{'id': 'a', 'type': 'audio', 'clips': [{'media': 'st', 'start': {'frames': 0}}], 'sends': "
             "[{'to': 'r'%s}]%s},"
             "{'id': 'b', 'type': 'audio', 'clips': [{'media': 'other', 'start': {'frames': 0}}]},"
             "{'id': 'r', 'type': 'return', 'gainDb': -6, 'invert': true}],"
             "'deliverables': [{'name': 'mix', 'source': 'master'},"
             "{'name': 'pre', 'source': {'each': ['a', 'r'], 'tap': 'pre'}}, {'name': 'post', 'source': {'each': ['a', "
             "'r'], 'tap': 'post'}},"
             "{'name': 'con', 'source': {'each': ['a', 'b', 'r'], 'tap': 'contribution'}}]}",
             send, members);
    compiling_init(t, text);
    ck_assert_msg(t->status == LH_OK, "%s", t->faults.stored > 0 ? t->faults.items[0].message : "");
}

#define HEARS(name, channel, frame, gain) ck_assert(fabs(response(&t, name, channel, "st", frame) - (gain)) < TOLERANCE)

START_TEST(test_taps)
{
    struct compiling t;
    double fader = pow(10, -3 / 20.0), send = pow(10, -12 / 20.0), verb = pow(10, -6 / 20.0);
    init(&t, ", 'gainDb': -3, 'pan': 0.5", ", 'gainDb': -12");
    HEARS("pre-a", 0, 9, 1);
    HEARS("post-a", 0, 9, fader * 0.5);
    HEARS("post-a", 1, 9, fader);
    HEARS("pre-r", 0, 9, -fader * 0.5 * send);
    HEARS("post-r", 1, 9, -fader * send * verb);
    HEARS("mix", 1, 9, fader - fader * send * verb);
    HEARS("con-a", 1, 9, fader - fader * send * verb);
    HEARS("con-r", 1, 9, -fader * send * verb);
    HEARS("con-b", 1, 9, 0);
    compiling_fini(&t);
    init(&t, ", 'gainDb': -3, 'pan': 0.5", ", 'tap': 'pre', 'pan': -1");
    HEARS("pre-r", 0, 9, -1);
    HEARS("pre-r", 1, 9, 0);
    compiling_fini(&t);
}
END_TEST

START_TEST(test_mute)
{
    struct compiling t;
    init(&t, ", 'mute': true", ", 'tap': 'pre'");
    HEARS("pre-a", 0, 9, 0); /* the pre tap and what is sent from it, too */
    HEARS("post-a", 0, 9, 0);
    HEARS("pre-r", 0, 9, 0);
    HEARS("mix", 0, 9, 0);
    ck_assert(response(&t, "mix", 0, "other", 9) == 1.0);
    compiling_fini(&t);
    init(&t,
         ", 'mute': true, 'automation': [{'parameter': 'mute', 'points': [{'at': {'frames': 10}, 'value': 0}, {'at': "
         "{'frames': 20}, 'value': 1}]}]",
         ", 'tap': 'pre'");
    HEARS("pre-a", 0, 9, 1); /* automation replaces the static value, and holds before its first point */
    HEARS("pre-a", 0, 19, 1);
    HEARS("pre-a", 0, 20, 0);
    HEARS("pre-r", 0, 20, 0);
    HEARS("mix", 0, 20, 0);
    compiling_fini(&t);
}
END_TEST

START_TEST(test_closed_fader)
{
    struct compiling t;
    init(&t, ", 'gainDb': '-inf'", ", 'tap': 'pre'");
    HEARS("pre-a", 0, 9, 1);
    HEARS("post-a", 0, 9, 0);
    HEARS("pre-r", 0, 9, -1); /* a send before the fader stays open */
    HEARS("con-a", 0, 9, -pow(10, -6 / 20.0));
    compiling_fini(&t);
    init(&t, "", ", 'mute': true");
    HEARS("pre-r", 0, 9, 0);
    compiling_fini(&t);
}
END_TEST

START_TEST(test_automated_send)
{
    struct compiling t;
    init(&t,
         ", 'automation': [{'parameter': 'sends/r/gainDb', 'points': [{'at': {'frames': 100}, 'value': '-inf'}, {'at': "
         "{'frames': 200}, 'value': -20}, {'at': {'frames': 300}, 'value': 0}]}]",
         ", 'gainDb': -99");
    HEARS("pre-r", 0, 199, 0);
    HEARS("pre-r", 0, 200, -0.1);
    HEARS("pre-r", 0, 250, -pow(10, -0.5));
    HEARS("pre-r", 0, 300, -1);
    compiling_fini(&t);
}
END_TEST

/* Solo in place: the return is safe, a silenced track's taps are silent. */
START_TEST(test_solo)
{
    struct compiling t;
    init(&t, ", 'solo': true", "");
    ck_assert(response(&t, "mix", 0, "other", 9) == 0.0);
    HEARS("mix", 0, 9, 1 - pow(10, -6 / 20.0));
    ck_assert_uint_eq(t.compiled->graph->media_count, 1);
    compiling_fini(&t);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("strip");
    TCase *tests = tcase_create("strip");
    tcase_add_test(tests, test_taps);
    tcase_add_test(tests, test_mute);
    tcase_add_test(tests, test_closed_fader);
    tcase_add_test(tests, test_automated_send);
    tcase_add_test(tests, test_solo);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
