/* SPDX-License-Identifier: MIT */
/* What a mix computes, sample by sample, against its definition written out plainly (song.h): every way that a
   contribution takes into a sum. */
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/engine/run/song.h"
#include "tests/support/testing.h"

static const uint32_t widths[] = {1, 2, 3, 6};
#define WIDTHS (sizeof widths / sizeof *widths)

/* Alone and under constant gains: below and from 2^11 on, where the gain alone says nothing of the product. */
START_TEST(integers_keep_their_bits)
{
    for (size_t w = 0; w < WIDTHS; w++) {
        for (unsigned bits = 8; bits <= 24; bits += 8) {
            struct song song = song_begin();
            uint32_t loud = song_integers(&song, widths[w], bits, 0);
            uint32_t quiet = song_integers(&song, widths[w], bits, 5);
            struct graph_region late = song_region(loud, 7000, 20000);
            late.offset = 1234;
            uint32_t ending = song_clips(&song, widths[w], false, &late, 1);
            uint32_t plain = song_bus(&song, widths[w], (uint32_t[]){song_clip(&song, loud, widths[w], 0), ending}, 2);
            uint32_t faders =
                song_bus(&song, widths[w],
                         (uint32_t[]){song_constant(&song, song_clip(&song, loud, widths[w], 3), widths[w], 0.7f),
                                      song_constant(&song, song_clip(&song, quiet, widths[w], 0), widths[w], -10.1f),
                                      song_constant(&song, song_clip(&song, quiet, widths[w], 1), widths[w], 5000.0f)},
                         3);
            song_holds(&song, (uint32_t[]){plain, faders}, 2);
        }
    }
}
END_TEST

START_TEST(floats_are_rounded_to_the_grid)
{
    for (size_t w = 0; w < WIDTHS; w++) {
        struct song song = song_begin();
        uint32_t media = song_floats(&song, widths[w]);
        uint32_t late = song_clip(&song, media, widths[w], 5001);
        uint32_t inputs[] = {song_clip(&song, media, widths[w], 0), song_constant(&song, late, widths[w], 0.7f),
                             song_constant(&song, song_clip(&song, media, widths[w], 9), widths[w], -0x1.8p-3f)};
        uint32_t mixed = song_bus(&song, widths[w], inputs, 3);
        uint32_t alone = song_bus(&song, widths[w], inputs + 1, 1);
        song_holds(&song, (uint32_t[]){mixed, alone, song_clip(&song, media, widths[w], 2)}, 3);
    }
}
END_TEST

START_TEST(mono_is_panned_into_any_layout)
{
    for (size_t w = 1; w < WIDTHS; w++) {
        struct song song = song_begin();
        uint32_t media[] = {song_integers(&song, 1, 16, 0), song_integers(&song, 1, 24, 0), song_floats(&song, 1)};
        uint32_t still[3], moved[3], wide[3];
        for (size_t m = 0; m < 3; m++) {
            still[m] = song_constant(&song, song_clip(&song, media[m], 1, (int64_t)m), widths[w], 0.9f);
            moved[m] = song_moving(&song, song_clip(&song, media[m], 1, 10 + (int64_t)m), widths[w], 0.2f, 0.8f);
            wide[m] = song_clip(&song, media[m], widths[w], 20 + (int64_t)m); /* at unity, by the clips themselves */
        }
        song_holds(&song,
                   (uint32_t[]){song_bus(&song, widths[w], still, 3), song_bus(&song, widths[w], moved, 3),
                                song_bus(&song, widths[w], wide, 3), song_constant(&song, wide[0], widths[w], 0.3f)},
                   4);
    }
}
END_TEST

START_TEST(curves_move_by_the_frame)
{
    for (size_t w = 0; w < WIDTHS; w++) {
        struct song song = song_begin();
        uint32_t whole = song_integers(&song, widths[w], 24, 0);
        uint32_t real = song_floats(&song, widths[w]);
        struct graph_region faded = song_region(real, 2000, 30000);
        const struct graph_point shape[] = {{0, 0.0f}, {20000, 0.7f}, {GRAPH_FADE_SPAN, 1.0f}};
        uint32_t curve;
        ck_assert_int_eq(graph_builder_add_curve(song.builder, shape, 3, &curve), LH_OK);
        faded.gain = 0.77f;
        faded.fade_in = faded.fade_out = curve;
        faded.fade_in_length = 4000;
        faded.fade_out_length = 20000;
        uint32_t inputs[] = {
            song_moving(&song, song_clip(&song, whole, widths[w], 0), widths[w], 0.1f, 1.3f),
            song_moving(&song, song_clips(&song, widths[w], false, &faded, 1), widths[w], -0.5f, 0.9f)};
        song_holds(&song,
                   (uint32_t[]){song_bus(&song, widths[w], inputs, 2),
                                song_moving(&song, song_clip(&song, real, widths[w], 5), widths[w], 0.6f, -0.2f)},
                   2);
    }
}
END_TEST

/* Up to more than are computed on the fly, with mono becoming wider at any of them; into a sum and as a file. */
START_TEST(gains_on_gains_are_rounded_one_by_one)
{
    for (int deep = 2; deep <= 7; deep++) {
        struct song song = song_begin();
        uint32_t mono = song_integers(&song, 1, 16, 0), pair = song_floats(&song, 2);
        uint32_t late = song_clip(&song, mono, 1, 0), soon = song_clip(&song, mono, 1, 1);
        uint32_t moved = song_clip(&song, pair, 2, 0), still = song_clip(&song, pair, 2, 1);
        for (int i = 0; i < deep; i++) {
            float gain = 0.9f - 0.03f * (float)i;
            late = song_constant(&song, late, i + 1 == deep ? 2 : 1, gain);
            soon = i % 2 == 0 ? song_constant(&song, soon, 2, gain) : song_moving(&song, soon, 2, gain, 1.0f);
            moved = i % 2 == 0 ? song_moving(&song, moved, 2, gain, 1.0f) : song_constant(&song, moved, 2, gain);
            still = song_constant(&song, still, 2, -gain);
        }
        uint32_t mixed = song_bus(&song, 2, (uint32_t[]){late, soon, moved, still}, 4);
        uint32_t file = song_constant(&song, song_clip(&song, mono, 1, 2), 1, 0.7f);
        file = song_constant(&song, song_moving(&song, file, 2, 0.3f, 1.2f), 2, -0.8f);
        song_holds(&song, (uint32_t[]){mixed, file}, 2);
    }
}
END_TEST

START_TEST(partial_sums_change_nothing)
{
    struct song song = song_begin();
    uint32_t whole = song_integers(&song, 2, 24, 0);
    uint32_t real = song_floats(&song, 2);
    uint32_t a = song_clip(&song, whole, 2, 0), b = song_constant(&song, song_clip(&song, real, 2, 40), 2, 0.8f);
    uint32_t c = song_moving(&song, song_clip(&song, whole, 2, 4000), 2, 0.3f, 0.9f);
    uint32_t group = song_bus(&song, 2, (uint32_t[]){a, b}, 2);
    uint32_t fused = song_constant(&song, song_clip(&song, whole, 2, 8000), 2, 0.2f);
    uint32_t inner = song_sum(&song, GRAPH_NODE_PARTIAL, 2, false, (uint32_t[]){a, b, b, fused}, 4);
    uint32_t outer = song_sum(&song, GRAPH_NODE_PARTIAL, 2, false, (uint32_t[]){inner, c, group}, 3);
    uint32_t cut = song_bus(&song, 2, (uint32_t[]){outer, a, inner}, 3);
    uint32_t flat = song_bus(&song, 2, (uint32_t[]){a, b, b, c, group, a, a, b, b}, 9);
    uint32_t turned = song_sum(&song, GRAPH_NODE_BUS, 2, true, (uint32_t[]){outer}, 1);
    song_holds(&song, (uint32_t[]){cut, flat, turned}, 3);
}
END_TEST

/* What two read is computed once and lies in a buffer. */
START_TEST(computed_inputs_are_read_in_every_way)
{
    for (size_t w = 0; w < WIDTHS; w++) {
        uint32_t channels = widths[w];
        struct song song = song_begin();
        uint32_t medium = song_floats(&song, channels), mono_medium = song_integers(&song, 1, 24, 0);
        uint32_t pair = song_clip(&song, medium, channels, 17), mono = song_clip(&song, mono_medium, 1, 5);
        uint32_t group = song_bus(&song, channels, (uint32_t[]){pair, song_constant(&song, pair, channels, 0.11f)}, 2);
        uint32_t fader = song_constant(&song, pair, channels, 0.37f);
        uint32_t inputs[] = {group,
                             fader,
                             song_constant(&song, group, channels, -0.6f),
                             song_constant(&song, pair, channels, 0.5f),
                             song_constant(&song, mono, channels, 0.8f),
                             song_moving(&song, group, channels, 0.1f, 0.9f),
                             song_moving(&song, mono, channels, 1.1f, 0.2f),
                             song_constant(&song, song_constant(&song, group, channels, 0.9f), channels, 0.8f),
                             pair};
        size_t count = sizeof inputs / sizeof *inputs;
        uint32_t all = song_bus(&song, channels, inputs, count);
        uint32_t others[] = {song_constant(&song, mono, channels, 0.7f),
                             song_moving(&song, group, channels, 0.3f, 0.4f), fader};
        uint32_t some = song_bus(&song, channels, others, 3);
        song_holds(&song,
                   (uint32_t[]){all, some, song_constant(&song, group, channels, 0.2f),
                                song_moving(&song, mono, channels, 0, 1)},
                   4);
    }
}
END_TEST

/* Two short pieces with a stride and many blocks of nothing between them. */
static uint32_t sparse(struct song *song, uint32_t media, uint32_t channels, int64_t start)
{
    struct graph_region regions[] = {song_region(media, start, 3000), song_region(media, start + 34301, 3000)};
    return song_clips(song, channels, false, regions, 2);
}

/* What is delivered of silence has the sign that the product has, however long the silence is. */
START_TEST(silence_has_the_bits_of_the_product)
{
    for (size_t w = 0; w < WIDTHS; w++) {
        for (int sign = -1; sign <= 1; sign += 2) {
            uint32_t channels = widths[w];
            float gain = 0.8f * (float)sign;
            struct song song = song_begin();
            uint32_t real = song_floats(&song, channels), mono = song_integers(&song, 1, 16, 0);
            uint32_t inputs[] = {
                song_constant(&song, sparse(&song, real, channels, 700), channels, gain),
                song_moving(&song, sparse(&song, real, channels, 701), channels, gain, gain),
                song_moving(&song, song_constant(&song, sparse(&song, mono, 1, 702), 1, 0.7f), channels, gain, gain),
                song_constant(&song, song_constant(&song, sparse(&song, mono, 1, 703), 1, -0.7f), channels, gain),
                sparse(&song, mono, channels, 704),
                sparse(&song, real, channels, 705)};
            uint32_t files[] = {
                song_bus(&song, channels, inputs, sizeof inputs / sizeof *inputs),
                song_constant(&song, song_constant(&song, sparse(&song, mono, 1, 706), 1, -0.9f), channels, gain),
                song_moving(&song, song_constant(&song, sparse(&song, real, channels, 707), channels, 0.9f), channels,
                            gain, gain),
                sparse(&song, real, channels, 708)};
            song_holds(&song, files, 4);
        }
    }
}
END_TEST

START_TEST(a_sum_of_nothing_is_positive_zero)
{
    struct song song = song_begin();
    struct graph_region region = song_region(song_floats(&song, 2), 20000, 50);
    uint32_t piece = song_clips(&song, 2, true, &region, 1);
    uint32_t inputs[] = {song_constant(&song, piece, 2, -0.5f), song_moving(&song, piece, 2, -1.0f, -2.0f)};
    uint32_t nodes[] = {song_sum(&song, GRAPH_NODE_BUS, 2, true, inputs, 2),
                        song_sum(&song, GRAPH_NODE_BUS, 2, true, NULL, 0), piece};
    const struct graph *graph = song_deliver(&song, nodes, 3);
    int outputs[3];
    struct engine_delivered delivered[3];
    struct engine_render_result result = {.delivered = delivered};
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_int_eq(graphs_render(graph, song.files, 1, 1024, outputs, &result, &error), LH_OK);
    for (size_t d = 0; d < 3; d++) {
        size_t frames;
        float *got = graphs_samples(outputs[d], 2, &frames);
        ck_assert_uint_eq(frames, SONG_END - SONG_START);
        size_t others = 0;
        for (size_t s = 0; s < 2 * frames; s++) {
            bool plays = d != 1 && s / 2 + SONG_START >= 20000 && s / 2 + SONG_START < 20050;
            others += !plays && (got[s] != 0.0f || signbit(got[s])) ? 1 : 0;
        }
        ck_assert_uint_eq(others, 0);
        free(got);
        close(outputs[d]);
    }
    song_close(&song);
    graph_unref(graph);
}
END_TEST

START_TEST(polarity_is_turned_on_clips_and_buses)
{
    for (size_t w = 0; w < WIDTHS; w++) {
        uint32_t channels = widths[w];
        struct song song = song_begin();
        struct graph_region whole = song_region(song_integers(&song, channels, 16, 0), 0, SONG_FRAMES);
        struct graph_region both[] = {song_region(song_floats(&song, channels), 100, 20000), whole};
        uint32_t raw = song_clips(&song, channels, true, &whole, 1);
        uint32_t mixed = song_clips(&song, channels, true, both, 2);
        uint32_t inputs[] = {raw, song_constant(&song, mixed, channels, 0.6f),
                             song_clips(&song, channels, false, &whole, 1)};
        song_holds(&song,
                   (uint32_t[]){song_sum(&song, GRAPH_NODE_BUS, channels, true, inputs, 2),
                                song_bus(&song, channels, inputs, 3), mixed},
                   3);
    }
}
END_TEST

/* ---- faults: the same ways, and each names the node that made the sample, not the sum that met it ---- */

#define LOUD_FRAME 23456

/* One sample of full scale, in the last channel; everything else is silence. */
static uint32_t impulse(struct song *song, uint32_t channels, unsigned bits)
{
    size_t count = (size_t)SONG_FRAMES * channels, at = (size_t)LOUD_FRAME * channels + channels - 1;
    float *samples = calloc(count, sizeof *samples);
    int32_t *whole = calloc(count, sizeof *whole);
    ck_assert(samples != NULL && whole != NULL);
    samples[at] = -1.0f;
    whole[at] = bits > 0 ? -(1 << (bits - 1)) : 0;
    int file =
        bits > 0 ? graphs_wav_integers(whole, SONG_FRAMES, channels, bits) : graphs_wav(samples, SONG_FRAMES, channels);
    free(whole);
    return song_add(song, file, samples, channels);
}

static void faults(struct song *song, const uint32_t *nodes, size_t count, const char *where)
{
    const struct graph *graph = song_deliver(song, nodes, count);
    const struct engine_kernels *kernels[] = {engine_kernels_c(), engine_kernels_best()};
    for (size_t k = 0; k < 2; k++) {
        for (uint32_t block = 1024; block <= SONG_BLOCK; block += SONG_BLOCK - 1024) {
            int outputs[SONG_FILES_MAX];
            struct engine_delivered delivered[SONG_FILES_MAX];
            struct engine_render_result result = {.delivered = delivered};
            struct lh_error error = LH_ERROR_INIT;
            ck_assert_int_eq(graphs_render_with(kernels[k], graph, song->files, 2, block, outputs, &result, &error),
                             LH_ERR_FAULT);
            ck_assert_str_eq(error.where, where);
            for (uint32_t d = 0; d < graph->deliverable_count; d++) {
                close(outputs[d]);
            }
        }
    }
    song_close(song);
    graph_unref(graph);
}

static uint32_t loud(struct song *song, uint32_t input, uint32_t channels)
{
    float gains[GRAPH_CHANNELS_MAX];
    for (uint32_t c = 0; c < channels; c++) {
        gains[c] = c + 1 == channels ? 2048.0f : 2047.0f;
    }
    return graphs_gain(song->builder, input, channels, gains, "loud");
}

START_TEST(a_fault_names_its_node_whatever_way_it_went)
{
    static const char stereo[] = "loud, frame 23456, channel 2";
    for (unsigned bits = 0; bits <= 24; bits += 8) {
        struct song song = song_begin();
        uint32_t node = loud(&song, song_clip(&song, impulse(&song, 2, bits), 2, 0), 2);
        faults(&song, (uint32_t[]){song_bus(&song, 2, &node, 1)}, 1, stereo);
        song = song_begin();
        node = loud(&song, song_clip(&song, impulse(&song, 1, bits), 1, 0), 2); /* panned */
        faults(&song, (uint32_t[]){song_bus(&song, 2, &node, 1)}, 1, stereo);
        song = song_begin();
        node = loud(&song, song_clip(&song, impulse(&song, 1, bits), 1, 0), 6);
        faults(&song, (uint32_t[]){song_bus(&song, 6, &node, 1)}, 1, "loud, frame 23456, channel 6");
    }
    for (uint32_t inputs = 1; inputs <= 2; inputs++) {
        struct song song = song_begin();
        uint32_t source = song_clip(&song, impulse(&song, inputs, 16), inputs, 0); /* computed: it is delivered too */
        uint32_t node = loud(&song, source, 2);
        faults(&song, (uint32_t[]){song_bus(&song, 2, &node, 1), source}, 2, stereo);
        song = song_begin();
        node = loud(&song, song_clip(&song, impulse(&song, inputs, 16), inputs, 0), 2);
        uint32_t other =
            song_bus(&song, 2, (uint32_t[]){node, node}, 2); /* computed, with nobody to judge it but sums */
        faults(&song, (uint32_t[]){song_bus(&song, 2, (uint32_t[]){node, other}, 2)}, 1, stereo);
        song = song_begin();
        node = song_clip(&song, impulse(&song, inputs, 16), inputs, 0);
        node = loud(&song, graphs_gain(song.builder, node, inputs, (float[]){1.0001f, 1.0001f}, "more"), 2);
        faults(&song, (uint32_t[]){song_bus(&song, 2, &node, 1)}, 1, stereo);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("engine/run/mix");
    TCase *tests = tcase_create("mix");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, integers_keep_their_bits);
    tcase_add_test(tests, floats_are_rounded_to_the_grid);
    tcase_add_test(tests, mono_is_panned_into_any_layout);
    tcase_add_test(tests, curves_move_by_the_frame);
    tcase_add_test(tests, gains_on_gains_are_rounded_one_by_one);
    tcase_add_test(tests, partial_sums_change_nothing);
    tcase_add_test(tests, computed_inputs_are_read_in_every_way);
    tcase_add_test(tests, silence_has_the_bits_of_the_product);
    tcase_add_test(tests, a_sum_of_nothing_is_positive_zero);
    tcase_add_test(tests, polarity_is_turned_on_clips_and_buses);
    tcase_add_test(tests, a_fault_names_its_node_whatever_way_it_went);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
