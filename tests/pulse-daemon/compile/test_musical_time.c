/* SPDX-License-Identifier: MIT */
/* compile/musical_time.c: tempo, bars and beats as frames. */
#include "pulse-daemon/compile/musical_time.h"

#include <math.h>
#include <stdio.h>

#include "tests/pulse-daemon/compile/compiling.h"
#include "tests/support/testing.h"

static void init(struct compiling *t, const char *time)
{
    char text[2048];
    snprintf(text, sizeof text,
             "{'loophole': 1, 'sampleRate': 48000, %s 'media': {'st': {'file': 's.wav'}}, 'tracks': [{'id': 'a', "
             "'type': 'audio', 'clips': [{'media': 'st'}], 'nodes': [{'id': 'n', 'plugin': 'lv2:urn:stereo'}]}]}",
             time);
    compiling_init(t, text);
}

static void expect_entry(const struct compiling *t, uint32_t index, int64_t frame, double beats, double bpm,
                         int64_t bar, double bar_beat, uint32_t numerator, uint32_t denominator)
{
    ck_assert_ptr_nonnull(t->compiled);
    ck_assert_uint_lt(index, t->compiled->graph->tempo_count);
    const struct graph_tempo *entry = &t->compiled->graph->tempo[index];
    ck_assert_int_eq(entry->frame, frame);
    ck_assert_double_eq_tol(entry->beats, beats, 1e-9);
    ck_assert_double_eq_tol(entry->bpm, bpm, 1e-9);
    ck_assert_int_eq(entry->bar, bar);
    ck_assert_double_eq_tol(entry->bar_beat, bar_beat, 1e-8);
    ck_assert_uint_eq(entry->numerator, numerator);
    ck_assert_uint_eq(entry->denominator, denominator);
}

START_TEST(defaults)
{
    struct compiling t;
    init(&t, "");
    ck_assert_uint_eq(t.compiled->graph->tempo_count, 1);
    expect_entry(&t, 0, 0, 0, 120, 0, 0, 4, 4);
    compiling_fini(&t);
}
END_TEST

START_TEST(steps_and_signatures)
{
    struct compiling t;
    init(&t, "'tempo': [{'at': {'beats': 0}, 'bpm': 130}, {'at': {'beats': 6}, 'bpm': 90}], 'timeSignatures': ["
             "{'at': {'beats': 0}, 'numerator': 3, 'denominator': 4}, {'at': {'beats': 10}, 'numerator': 7, "
             "'denominator': 8}, {'at': {'beats': 17}, 'numerator': 4, 'denominator': 4}],");
    ck_assert_uint_eq(t.compiled->graph->tempo_count, 4);
    expect_entry(&t, 0, 0, 0, 130, 0, 0, 3, 4);
    int64_t tempo = llrint(6 * 60 / 130.0 * 48000), seven = llrint((6 * 60 / 130.0 + 4 * 60 / 90.0) * 48000);
    double late = ((double)tempo / 48000 - 6 * 60 / 130.0) * 130 / 60; /* of the frame, against beat 6 */
    expect_entry(&t, 1, tempo, 6 + (late > 0 ? late * 90 / 130 : late), 90, late > -1e-9 ? 2 : 1,
                 late > -1e-9 ? fmax(late, 0) * 90 / 130 : 3 + late, 3, 4);
    ck_assert_int_eq(t.compiled->graph->tempo[2].frame, seven);
    ck_assert_int_eq(t.compiled->graph->tempo[2].bar, 4); /* the broken bar counts */
    ck_assert_uint_eq(t.compiled->graph->tempo[2].denominator, 8);
    ck_assert_double_lt(t.compiled->graph->tempo[2].bar_beat, 1e-3);
    ck_assert_int_eq(t.compiled->graph->tempo[3].bar, 6); /* two bars of 7/8 are seven quarters */
    compiling_fini(&t);
}
END_TEST

/* Beats go on from entry to entry, and the last of a ramp leads to where it ends. */
START_TEST(ramps_are_told_in_cells)
{
    struct compiling t;
    init(&t, "'tempo': [{'at': {'beats': 0}, 'bpm': 60, 'curve': 'ramp'}, {'at': {'beats': 8}, 'bpm': 180}],");
    const struct graph *graph = t.compiled->graph;
    ck_assert_uint_gt(graph->tempo_count, 200);
    for (uint32_t i = 0; i + 1 < graph->tempo_count; i++) {
        const struct graph_tempo *entry = &graph->tempo[i];
        int64_t frames = entry[1].frame - entry->frame;
        ck_assert_int_le(frames, PULSE_TEMPO_CELL_FRAMES);
        ck_assert_double_eq_tol(entry->beats + entry->bpm / 60 * (double)frames / 48000, entry[1].beats, 1e-9);
        ck_assert_double_eq_tol((double)entry->bar * 4 + entry->bar_beat, entry->beats, 1e-8);
        ck_assert(entry->bpm > 60 && entry->bpm < 180);
    }
    const struct graph_tempo *last = &graph->tempo[graph->tempo_count - 1];
    ck_assert_double_eq(last->bpm, 180);
    ck_assert_double_eq_tol(last->beats, 8, 1e-4);
    ck_assert_int_eq(last->frame, llrint(8 * 60 / 120.0 * log(3) * 48000));
    compiling_fini(&t);
}
END_TEST

START_TEST(what_is_refused)
{
    struct compiling t;
    init(&t, "'tempo': [{'at': {'beats': 0}, 'bpm': 60, 'curve': 'ramp'}, {'at': {'beats': 1e6}, 'bpm': 61}],");
    ck_assert_int_eq(t.status, LH_ERR_LIMIT);
    ck_assert_ptr_nonnull(fault_at(&t, "/tempo"));
    compiling_fini(&t);
    init(&t, "'timeSignatures': [{'at': {'beats': 0}, 'numerator': 3, 'denominator': 4}, {'at': {'seconds': 9}, "
             "'numerator': 3, 'denominator': 4}, {'at': {'beats': 1}, 'numerator': 3, 'denominator': 4}],");
    ck_assert_int_eq(t.status, LH_ERR_INVALID);
    ck_assert_ptr_nonnull(fault_at(&t, "/timeSignatures/2/at"));
    compiling_fini(&t);
}
END_TEST

/* Nobody is told the time where nobody listens. */
START_TEST(without_plugins_there_is_none)
{
    struct compiling t;
    compiling_init(&t, "{'loophole': 1, 'tempo': [{'at': {'beats': 0}, 'bpm': 60, 'curve': 'ramp'}, {'at': {'beats': "
                       "1e6}, 'bpm': 61}], 'media': {'st': {'file': 's.wav'}}, 'tracks': [{'id': 'a', 'type': 'audio', "
                       "'clips': [{'media': 'st'}]}]}");
    ck_assert_int_eq(t.status, LH_OK);
    ck_assert_uint_eq(t.compiled->graph->tempo_count, 0);
    compiling_fini(&t);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("musical_time");
    TCase *tests = tcase_create("musical_time");
    tcase_add_test(tests, defaults);
    tcase_add_test(tests, steps_and_signatures);
    tcase_add_test(tests, ramps_are_told_in_cells);
    tcase_add_test(tests, what_is_refused);
    tcase_add_test(tests, without_plugins_there_is_none);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
