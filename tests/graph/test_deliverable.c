/* SPDX-License-Identifier: MIT */
/* graph/deliverable.c: every rule for deliverables, tags and markers, broken one at a time. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "graph/deliverable.h"
#include "tests/graph/piece.h"
#include "tests/graph/spoil.h"
#include "tests/support/testing.h"

static void node_missing(struct spoilt *s)
{
    s->deliverables[0].node = s->graph.node_count;
}

static void node_partial(struct spoilt *s)
{
    for (uint32_t i = 0; i < s->graph.node_count; i++) {
        if (s->nodes[i].kind == GRAPH_NODE_PARTIAL) {
            s->deliverables[0].node = i;
        }
    }
}

static void backwards(struct spoilt *s)
{
    s->deliverables[0].end = -1;
}

static void starts_late(struct spoilt *s)
{
    s->deliverables[0].start = s->deliverables[0].end + 1;
}

static void starts_early(struct spoilt *s)
{
    s->deliverables[0].start = -1;
}

static void ends_late(struct spoilt *s)
{
    s->deliverables[0].end = GRAPH_FRAMES_MAX;
}

static void preroll_long(struct spoilt *s)
{
    s->deliverables[0].preroll = 1;
}

static void preroll_negative(struct spoilt *s)
{
    s->deliverables[0].preroll = -1;
}

static void tail_kind(struct spoilt *s)
{
    s->deliverables[0].tail = (enum graph_tail_kind)3;
}

static void tail_negative(struct spoilt *s)
{
    s->deliverables[0].tail_frames = -1;
}

static void tail_late(struct spoilt *s)
{
    s->deliverables[0].tail_frames = GRAPH_FRAMES_MAX - s->deliverables[0].end;
}

static void tail_huge(struct spoilt *s)
{
    s->deliverables[0].tail_frames = INT64_MAX;
}

static void tail_hold(struct spoilt *s)
{
    s->deliverables[0].tail_hold = -1;
}

static void tail_level(struct spoilt *s)
{
    s->deliverables[0].tail_level = (float)NAN;
}

static void tail_unused(struct spoilt *s)
{
    s->deliverables[1].tail_frames = 1;
}

static void format(struct spoilt *s)
{
    s->deliverables[0].format = (enum graph_format)GRAPH_FORMAT_COUNT;
}

static void bits(struct spoilt *s)
{
    s->deliverables[0].bit_depth = 20;
}

static void flac_float(struct spoilt *s)
{
    s->deliverables[1].bit_depth = 32;
    s->deliverables[1].dither = GRAPH_DITHER_NONE;
    s->deliverables[1].dither_seed = 0;
}

static void lossy_bits(struct spoilt *s)
{
    s->deliverables[2].bit_depth = 16;
}

static void dither(struct spoilt *s)
{
    s->deliverables[0].dither = (enum graph_dither)2;
}

static void float_dithered(struct spoilt *s)
{
    s->deliverables[0].bit_depth = 32;
}

static void stray_seed(struct spoilt *s)
{
    s->deliverables[0].dither = GRAPH_DITHER_NONE;
}

static void rate(struct spoilt *s)
{
    s->deliverables[0].rate = 0;
}

static void rate_without_resampler(struct spoilt *s)
{
    s->deliverables[0].rate = 44100;
}

static void stray_resampler(struct spoilt *s)
{
    s->deliverables[0].resampler = GRAPH_CONFORM_SOXR;
}

static void quality(struct spoilt *s)
{
    s->deliverables[2].has_quality = true;
    s->deliverables[2].bitrate_kbps = 0;
    s->deliverables[2].quality = 1.5;
}

static void quality_nan(struct spoilt *s)
{
    s->deliverables[2].has_quality = true;
    s->deliverables[2].bitrate_kbps = 0;
    s->deliverables[2].quality = (double)NAN;
}

static void stray_quality(struct spoilt *s)
{
    s->deliverables[2].quality = 0.5;
}

static void stray_bitrate(struct spoilt *s)
{
    s->deliverables[0].bitrate_kbps = 100;
}

static void bitrate(struct spoilt *s)
{
    s->deliverables[2].bitrate_kbps = UINT32_MAX;
}

static void target(struct spoilt *s)
{
    s->deliverables[0].integrated_lufs = (double)-INFINITY;
}

static void ceiling(struct spoilt *s)
{
    s->deliverables[0].true_peak_dbtp = (double)NAN;
}

static void stray_target(struct spoilt *s)
{
    s->deliverables[2].integrated_lufs = -0.0;
}

static void gain_from_itself(struct spoilt *s)
{
    s->deliverables[0].gain_from = 0;
}

static void gain_from_nothing(struct spoilt *s)
{
    s->deliverables[1].gain_from = 3;
}

static void gain_from_no_target(struct spoilt *s)
{
    s->deliverables[1].gain_from = 2;
}

static void gain_chain(struct spoilt *s)
{
    s->deliverables[2].gain_from = 1;
}

static void gain_and_target(struct spoilt *s)
{
    s->deliverables[1].has_integrated = true;
}

static void loop_empty(struct spoilt *s)
{
    s->deliverables[2].loop_end = s->deliverables[2].loop_start;
}

static void loop_late(struct spoilt *s)
{
    s->deliverables[2].loop_end = GRAPH_FRAMES_MAX;
}

static void stray_loop(struct spoilt *s)
{
    s->deliverables[0].loop_end = 1;
}

static void name(struct spoilt *s)
{
    s->deliverables[0].name = "a\xED\xA0\x80";
}

static void tags_first(struct spoilt *s)
{
    s->deliverables[1].tag_first = 0;
}

static void tags_many(struct spoilt *s)
{
    s->deliverables[2].tag_count = 9;
}

static void tags_left_over(struct spoilt *s)
{
    s->graph.tag_count++;
}

static void tag_value(struct spoilt *s)
{
    s->tags[0].value = "\xE2\x82";
}

static void tag_name(struct spoilt *s)
{
    s->tags[1].name = "\xF5";
}

static void marker_early(struct spoilt *s)
{
    s->markers[0].frame = -1;
}

static void marker_name(struct spoilt *s)
{
    s->markers[1].name = "\x80";
}

static const struct spoiler spoilers[] = {
    {"node_missing", node_missing, "deliverables[0]"},
    {"node_partial", node_partial, "deliverables[0]"},
    {"backwards", backwards, "deliverables[0]"},
    {"starts_late", starts_late, "deliverables[0]"},
    {"starts_early", starts_early, "deliverables[0]"},
    {"ends_late", ends_late, "deliverables[0]"},
    {"preroll_long", preroll_long, "deliverables[0]"},
    {"preroll_negative", preroll_negative, "deliverables[0]"},
    {"tail_kind", tail_kind, "deliverables[0]"},
    {"tail_negative", tail_negative, "deliverables[0]"},
    {"tail_late", tail_late, "deliverables[0]"},
    {"tail_huge", tail_huge, "deliverables[0]"},
    {"tail_hold", tail_hold, "deliverables[0]"},
    {"tail_level", tail_level, "deliverables[0]"},
    {"tail_unused", tail_unused, "deliverables[1]"},
    {"format", format, "deliverables[0]"},
    {"bits", bits, "deliverables[0]"},
    {"flac_float", flac_float, "deliverables[1]"},
    {"lossy_bits", lossy_bits, "deliverables[2]"},
    {"dither", dither, "deliverables[0]"},
    {"float_dithered", float_dithered, "deliverables[0]"},
    {"stray_seed", stray_seed, "deliverables[0]"},
    {"rate", rate, "deliverables[0]"},
    {"rate_without_resampler", rate_without_resampler, "deliverables[0]"},
    {"stray_resampler", stray_resampler, "deliverables[0]"},
    {"quality", quality, "deliverables[2]"},
    {"quality_nan", quality_nan, "deliverables[2]"},
    {"stray_quality", stray_quality, "deliverables[2]"},
    {"stray_bitrate", stray_bitrate, "deliverables[0]"},
    {"bitrate", bitrate, "deliverables[2]"},
    {"target", target, "deliverables[0]"},
    {"ceiling", ceiling, "deliverables[0]"},
    {"stray_target", stray_target, "deliverables[2]"},
    {"gain_from_itself", gain_from_itself, "deliverables[0]"},
    {"gain_from_nothing", gain_from_nothing, "deliverables[1]"},
    {"gain_from_no_target", gain_from_no_target, "deliverables[1]"},
    {"gain_chain", gain_chain, "deliverables[2]"},
    {"gain_and_target", gain_and_target, "deliverables[1]"},
    {"loop_empty", loop_empty, "deliverables[2]"},
    {"loop_late", loop_late, "deliverables[2]"},
    {"stray_loop", stray_loop, "deliverables[0]"},
    {"name", name, "deliverables[0]"},
    {"tags_first", tags_first, "deliverables[1]"},
    {"tags_many", tags_many, "deliverables[2]"},
    {"tags_left_over", tags_left_over, "tags"},
    {"tag_value", tag_value, "tags[0]"},
    {"tag_name", tag_name, "tags[1]"},
    {"marker_early", marker_early, "markers[0]"},
    {"marker_name", marker_name, "markers[1]"},
};
#define SPOILER_COUNT ((int)(sizeof spoilers / sizeof *spoilers))

START_TEST(broken_rule_is_refused)
{
    spoiler_run(&spoilers[_i]);
}
END_TEST

static void stored_of_24_bits(struct spoilt *s)
{
    s->deliverables[PIECE_STORED_SUM].bit_depth = 24;
}

static void stored_at_another_rate(struct spoilt *s)
{
    s->deliverables[PIECE_STORED_SUM].rate = 44100;
    s->deliverables[PIECE_STORED_SUM].resampler = GRAPH_CONFORM_SOXR;
}

static void stored_with_a_preroll(struct spoilt *s)
{
    s->deliverables[PIECE_STORED_TRACK].preroll = 1;
}

static void stored_until(struct spoilt *s)
{
    s->deliverables[PIECE_STORED_SUM].tail = GRAPH_TAIL_UNTIL;
}

static void stored_with_a_target(struct spoilt *s)
{
    s->deliverables[PIECE_STORED_TRACK].has_integrated = true;
}

static void stored_with_a_ceiling(struct spoilt *s)
{
    s->deliverables[PIECE_STORED_TRACK].has_true_peak = true;
}

static void stored_with_a_gain(struct spoilt *s)
{
    s->deliverables[PIECE_MIX].has_integrated = true;
    s->deliverables[PIECE_STORED_TRACK].gain_from = PIECE_MIX;
}

static void stored_with_a_loop(struct spoilt *s)
{
    s->deliverables[PIECE_STORED_TRACK].has_loop = true;
    s->deliverables[PIECE_STORED_TRACK].loop_end = 5;
}

static void stored_with_dither(struct spoilt *s)
{
    s->deliverables[PIECE_STORED_TRACK].dither = GRAPH_DITHER_TPDF;
}

static void heard_sum(struct spoilt *s)
{
    s->deliverables[PIECE_MIX].node = s->deliverables[PIECE_STORED_SUM].node;
}

static void heard_stored_sum(struct spoilt *s)
{
    for (uint32_t i = 0; i < s->graph.node_count; i++) {
        if (s->nodes[i].kind == GRAPH_NODE_STORED && s->nodes[i].first == PIECE_SUM) {
            s->deliverables[PIECE_MIX].node = i;
        }
    }
}

static const struct spoiler piece_spoilers[] = {
    {"stored in 24 bits", stored_of_24_bits, "deliverables[1]"},
    {"stored at another rate", stored_at_another_rate, "deliverables[1]"},
    {"stored with a pre-roll", stored_with_a_preroll, "deliverables[2]"},
    {"stored until it is silent", stored_until, "deliverables[1]"},
    {"stored with a loudness", stored_with_a_target, "deliverables[2]"},
    {"stored with a ceiling", stored_with_a_ceiling, "deliverables[2]"},
    {"stored with another's gain", stored_with_a_gain, "deliverables[2]"},
    {"stored with a loop", stored_with_a_loop, "deliverables[2]"},
    {"stored with dither", stored_with_dither, "deliverables[2]"},
    {"a partial sum to be heard", heard_sum, "deliverables[0]"},
    {"a stored sum to be heard", heard_stored_sum, "deliverables[0]"},
};

START_TEST(broken_rule_of_a_piece_is_refused)
{
    spoiler_run_piece(&piece_spoilers[_i]);
}
END_TEST

START_TEST(texts_are_utf8)
{
    ck_assert_ptr_null(graph_text_fault(""));
    ck_assert_ptr_null(graph_text_fault("Zo\xC3\xAB \xE2\x82\xAC \xF0\x9D\x84\x9E \xF4\x8F\xBF\xBF"));
    const char *const wrong[] = {"\xC1\x81", "\xE0\x80\x80", "\xF4\x90\x80\x80", "\xF0\x8F\xBF\xBF", "a\xC3"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        ck_assert_ptr_nonnull(graph_text_fault(wrong[i]));
    }
    char *long_text = malloc(GRAPH_TEXT_MAX + 2);
    memset(long_text, 'a', GRAPH_TEXT_MAX + 1);
    long_text[GRAPH_TEXT_MAX + 1] = '\0';
    ck_assert_ptr_nonnull(graph_text_fault(long_text));
    long_text[GRAPH_TEXT_MAX] = '\0';
    ck_assert_ptr_null(graph_text_fault(long_text));
    free(long_text);
}
END_TEST

START_TEST(normalising_clears_what_is_unused)
{
    struct graph_deliverable d = {.format = GRAPH_FORMAT_WAV,
                                  .bit_depth = 32,
                                  .dither = GRAPH_DITHER_TPDF,
                                  .dither_seed = 5,
                                  .rate = 48000,
                                  .resampler = GRAPH_CONFORM_SAMPLERATE,
                                  .tail_frames = 4,
                                  .tail_hold = 3,
                                  .tail_level = 0.5f,
                                  .has_quality = true,
                                  .quality = 0.5,
                                  .bitrate_kbps = 9,
                                  .integrated_lufs = -14.0,
                                  .loop_end = 4};
    graph_deliverable_normalise(&d, 48000);
    ck_assert_int_eq(d.dither, GRAPH_DITHER_NONE);
    ck_assert_int_eq(d.resampler, GRAPH_CONFORM_IN_PLACE);
    ck_assert(d.dither_seed == 0 && d.tail_frames == 0 && d.tail_hold == 0 && !d.has_quality && d.bitrate_kbps == 0);
    ck_assert(d.loop_end == 0 && d.bit_depth == 32 && d.integrated_lufs == 0.0 && d.tail_level == 0.0f);
    d.resampler = GRAPH_CONFORM_SAMPLERATE;
    graph_deliverable_normalise(&d, 44100);
    ck_assert_int_eq(d.resampler, GRAPH_CONFORM_SAMPLERATE);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("graph/deliverable");
    TCase *test = tcase_create("rules");
    tcase_add_loop_test(test, broken_rule_is_refused, 0, SPOILER_COUNT);
    tcase_add_loop_test(test, broken_rule_of_a_piece_is_refused, 0,
                        (int)(sizeof piece_spoilers / sizeof *piece_spoilers));
    tcase_add_test(test, texts_are_utf8);
    tcase_add_test(test, normalising_clears_what_is_unused);
    suite_add_tcase(suite, test);
    return testing_main(suite);
}
