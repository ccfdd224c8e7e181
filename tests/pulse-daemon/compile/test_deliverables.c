/* SPDX-License-Identifier: MIT */
/* Deliverables: ranges, tails, loops, seeds, encodings, default ends. */
#include "pulse-daemon/compile/deliverables.h"

#include <stdio.h>
#include <string.h>

#include "tests/pulse-daemon/compile/compiling.h"
#include "tests/support/testing.h"

static void init(struct compiling *t, const char *deliverables)
{
    char text[4096];
    snprintf(text, sizeof text,
             "{'loophole': 1, 'name': 'song', 'sampleRate': 48000, 'media': {'st': {'file': 's.wav'}},"
             "'markers': [{'at': {'beats': 2}, 'name': 'two'}, {'at': {'seconds': 99}, 'name': 'far'}],"
             "'tracks': [{'id': 'a', 'type': 'audio', 'clips': [{'media': 'st', 'start': {'frames': 10}}]},"
             "{'id': 'm', 'type': 'audio', 'mute': true, 'clips': [{'media': 'st', 'start': {'beats': 1}, 'duration': "
             "{'beats': 8}, 'mute': true}]},"
             "{'id': 'i', 'type': 'instrument', 'mute': true, 'clips': [{'start': {'beats': 4}, 'notes': ["
             " {'at': {'beats': 5}, 'duration': {'beats': 1}, 'key': 60, 'velocity': 90}, {'at': {'beats': 0}, "
             "'duration': {'beats': 1}, 'key': 60, 'velocity': 90}]}]}]"
             "%s%s}",
             *deliverables == '\0' ? "" : ", 'deliverables': ", deliverables);
    compiling_init(t, text);
}

START_TEST(test_default)
{
    struct compiling t;
    init(&t, "");
    ck_assert_int_eq(t.status, LH_OK);
    const struct graph_deliverable *d = deliverable_named(&t, "song");
    ck_assert_str_eq(t.compiled->outputs[0].file, "song.wav");
    ck_assert(d->start == 0 && d->end == 240000 && d->preroll == 0 &&
              d->tail == GRAPH_TAIL_NONE); /* the last note ends at beat 10 */
    ck_assert(d->bit_depth == 24 && d->dither == GRAPH_DITHER_TPDF && d->rate == 48000 &&
              d->format == GRAPH_FORMAT_WAV);
    ck_assert_uint_eq(t.compiled->graph->marker_count, 2);
    ck_assert_int_eq(t.compiled->graph->markers[0].frame, 48000);
    compiling_fini(&t);
}
END_TEST

START_TEST(test_range)
{
    struct compiling t;
    init(&t, "[{'name': 'd', 'source': 'master', 'range': {'start': {'beats': 2}, 'end': {'seconds': 3}, 'preroll': "
             "{'beats': 1.5}, 'tail': {'seconds': 2}},"
             "  'loop': {'start': {'beats': 2}, 'end': {'beats': 4}}},"
             " {'name': 'e', 'source': 'master', 'range': {'start': {'frames': 100}, 'preroll': {'seconds': 9}, "
             "'tail': {'untilDb': -60, 'holdSeconds': 0.5, 'maxSeconds': 7}}}]");
    ck_assert_int_eq(t.status, LH_OK);
    const struct graph_deliverable *d = deliverable_named(&t, "d"), *e = deliverable_named(&t, "e");
    ck_assert(d->start == 48000 && d->end == 144000 && d->preroll == 36000);
    ck_assert(d->tail == GRAPH_TAIL_FRAMES && d->tail_frames == 96000);
    ck_assert(d->has_loop && d->loop_start == 48000 && d->loop_end == 96000);
    ck_assert(e->preroll == 100 && e->tail == GRAPH_TAIL_UNTIL && e->tail_level == 0.001f);
    ck_assert(e->tail_hold == 24000 && e->tail_frames == 336000);
    compiling_fini(&t);
}
END_TEST

START_TEST(test_refused)
{
    static const struct {
        const char *deliverables, *where;
    } cases[] = {
        {"[{'name': 'd', 'source': 'master', 'range': {'start': {'beats': 8}, 'end': {'seconds': 3}}}]",
         "/deliverables/0/range/end"},
        {"[{'name': 'd', 'source': 'master', 'range': {'start': {'beats': 80}}}]", "/deliverables/0/range/start"},
        {"[{'name': 'd', 'source': 'master', 'loop': {'start': {'beats': 8}, 'end': {'seconds': 3}}}]",
         "/deliverables/0/loop/end"},
    };
    for (size_t i = 0; i < 3; i++) {
        struct compiling t;
        init(&t, cases[i].deliverables);
        ck_assert_int_eq(t.status, LH_ERR_INVALID);
        ck_assert_msg(fault_at(&t, cases[i].where) != NULL, "%s", t.faults.items[0].where);
        compiling_fini(&t);
    }
}
END_TEST

/* What is wrong with a range does not wait until the tracks are mended. */
START_TEST(test_told_beside_the_tracks)
{
    struct compiling t;
    compiling_init(&t, "{'loophole': 1, 'media': {'st': {'file': 's.wav'}}, 'tracks': [{'id': 'a', 'type': 'audio', "
                       "'channels': 1, 'clips': [{'media': 'st'}]}], 'deliverables': [{'name': 'd', 'range': {'start': "
                       "{'beats': 8}, 'end': {'seconds': 3}}}, {'name': 'e', 'loop': {'start': {'beats': 8}, 'end': "
                       "{'seconds': 3}}}]}");
    ck_assert_int_eq(t.status, LH_ERR_INVALID);
    ck_assert_ptr_nonnull(fault_at(&t, "/tracks/0/clips/0/media"));
    ck_assert_ptr_nonnull(fault_at(&t, "/deliverables/0/range/end"));
    ck_assert_ptr_nonnull(fault_at(&t, "/deliverables/1/loop/end"));
    ck_assert_uint_eq(t.faults.count, 3);
    compiling_fini(&t);
}
END_TEST

/* Rates and converters that follow from the project. */
START_TEST(test_rates)
{
    struct compiling t;
    compiling_init(&t, "{'loophole': 1, 'sampleRate': 44100, 'resampler': 'samplerate', 'media': {'st': {'file': "
                       "'s.wav'}, 'mono': {'file': 'm.wav', 'resampler': 'soxr'}, 'mono44': {'file': 'n.wav'}}, "
                       "'tracks': [{'id': 'a', 'type': 'audio', 'clips': [{'media': 'st'}, {'media': 'mono'}, "
                       "{'media': 'mono44'}]}], 'deliverables': [{'name': 'o', 'format': 'opus'}, {'name': 'm', "
                       "'format': 'mp3'}]}");
    ck_assert_int_eq(t.status, LH_OK);
    const struct graph_deliverable *opus = deliverable_named(&t, "o"), *mp3 = deliverable_named(&t, "m");
    ck_assert(opus->rate == 48000 && opus->resampler == GRAPH_CONFORM_SAMPLERATE && mp3->rate == 44100);
    const struct graph *graph = t.compiled->graph;
    ck_assert_uint_eq(graph->media_count, 3);
    for (uint32_t i = 0; i < graph->media_count; i++) {
        static const enum graph_conform conform[] = {GRAPH_CONFORM_SAMPLERATE, GRAPH_CONFORM_SOXR,
                                                     GRAPH_CONFORM_IN_PLACE};
        ck_assert_int_eq(graph->media[i].conform, conform[t.compiled->media[i]]);
    }
    compiling_fini(&t);
}
END_TEST

START_TEST(test_encodings)
{
    struct compiling t;
    init(&t, "[{'name': 'a', 'source': 'master', 'format': 'opus', 'bitrateKbps': 96}, {'name': 'b', 'source': "
             "'master', 'format': 'bwf', 'bitDepth': 16, 'dither': 'none', 'sampleRate': 44100},"
             " {'name': 'c', 'source': 'master', 'bitDepth': 32, 'gainFrom': 'd'}, {'name': 'd', 'source': 'master', "
             "'loudness': {'integrated': -14, 'truePeak': -1}, 'tags': {'title': 'T'}}]");
    ck_assert_int_eq(t.status, LH_OK);
    const struct graph_deliverable *a = deliverable_named(&t, "a"), *b = deliverable_named(&t, "b");
    const struct graph_deliverable *c = deliverable_named(&t, "c"), *d = deliverable_named(&t, "d");
    ck_assert(a->format == GRAPH_FORMAT_OPUS && a->rate == 48000 && a->bitrate_kbps == 96 && a->bit_depth == 0);
    ck_assert(b->format == GRAPH_FORMAT_BWF && b->bit_depth == 16 && b->dither == GRAPH_DITHER_NONE);
    ck_assert(b->rate == 44100 && b->resampler == GRAPH_CONFORM_SOXR);
    ck_assert_str_eq(t.compiled->outputs[1].file, "b.wav");
    ck_assert(c->dither == GRAPH_DITHER_NONE && c->gain_from == 3 && d->gain_from == GRAPH_NONE); /* forwards, too */
    ck_assert(d->has_integrated && d->integrated_lufs == -14 && d->has_true_peak && d->true_peak_dbtp == -1);
    ck_assert_uint_eq(d->tag_count, 1);
    ck_assert_str_eq(t.compiled->graph->tags[d->tag_first].value, "T");
    compiling_fini(&t);
}
END_TEST

START_TEST(test_seed)
{
    uint64_t seed = 0;
    ck_assert_int_eq(pulse_dither_seed("abc", &seed), LH_OK); /* SHA-256 begins ba 78 16 bf 8f 01 cf ea */
    ck_assert_uint_eq(seed, UINT64_C(0xeacf018fbf1678ba));
    struct compiling t;
    init(&t, "[{'name': 'abc', 'source': 'master'}]");
    ck_assert_uint_eq(deliverable_named(&t, "abc")->dither_seed, seed);
    compiling_fini(&t);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("deliverables");
    TCase *tests = tcase_create("deliverables");
    tcase_add_test(tests, test_default);
    tcase_add_test(tests, test_range);
    tcase_add_test(tests, test_refused);
    tcase_add_test(tests, test_told_beside_the_tracks);
    tcase_add_test(tests, test_rates);
    tcase_add_test(tests, test_encodings);
    tcase_add_test(tests, test_seed);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
