/* SPDX-License-Identifier: MIT */
/* Picking channels apart and weaving them together, for lengths around every width of vectors. */
#include "engine/dsp/planar.h"

#include <string.h>

#include "tests/support/testing.h"

#define FRAMES_MAX 70
#define CHANNELS_MAX 16

static float interleaved[FRAMES_MAX * CHANNELS_MAX + 1];
static float planes[CHANNELS_MAX][FRAMES_MAX + 8];

/* Channel c of frame i; no two are equal, and every bit is kept by being moved. */
static float sample(size_t i, size_t c)
{
    return (float)(i * CHANNELS_MAX + c + 1) * 0.3f;
}

START_TEST(what_is_picked_apart_weaves_together)
{
    for (size_t channels = 1; channels <= CHANNELS_MAX; channels++) {
        for (size_t frames = 0; frames <= FRAMES_MAX; frames++) {
            for (size_t i = 0; i < frames * channels; i++) {
                interleaved[i] = sample(i / channels, i % channels);
            }
            const float *list[CHANNELS_MAX];
            for (size_t c = 0; c < channels; c++) {
                planes[c][3 + frames] = 99;
                engine_planar_pick(planes[c] + 3, interleaved, frames, channels, c);
                list[c] = planes[c];
                for (size_t i = 0; i < frames; i++) {
                    ck_assert(planes[c][3 + i] == sample(i, c));
                }
                ck_assert(planes[c][3 + frames] == 99);
            }
            float woven[FRAMES_MAX * CHANNELS_MAX + 1];
            woven[frames * channels] = 99;
            engine_planar_weave(woven, list, 3, frames, channels);
            ck_assert(memcmp(woven, interleaved, frames * channels * sizeof *woven) == 0);
            ck_assert(woven[frames * channels] == 99);
        }
    }
}
END_TEST

START_TEST(a_plane_may_feed_several_channels)
{
    const float plane[] = {1, 2, 3};
    const float *list[] = {plane, plane};
    float woven[4];
    engine_planar_weave(woven, list, 1, 2, 2);
    ck_assert(woven[0] == 2 && woven[1] == 2 && woven[2] == 3 && woven[3] == 3);
}
END_TEST

/* From left to right: another order would round otherwise. */
START_TEST(sums_are_rounded_from_left_to_right)
{
    const float in[] = {0x1p24f, 1, -0x1p24f, 1, 1, 0x1p24f};
    float out[3];
    engine_planar_sum(out, in, 2, 3, 0.5f);
    ck_assert(out[0] == 0 && out[1] == (0x1p24f + 2) * 0.5f);
    engine_planar_sum(out, in, 3, 2, 1);
    ck_assert(out[0] == 0x1p24f && out[1] == -0x1p24f + 1 && out[2] == 0x1p24f);
}
END_TEST

START_TEST(the_mean_of_equal_sides_is_themselves)
{
    float a[FRAMES_MAX], b[FRAMES_MAX], out[FRAMES_MAX];
    for (size_t i = 0; i < FRAMES_MAX; i++) {
        a[i] = sample(i, 0);
        b[i] = i % 2 == 0 ? a[i] : -a[i];
    }
    engine_planar_mean(out, a, b, FRAMES_MAX);
    for (size_t i = 0; i < FRAMES_MAX; i++) {
        ck_assert(out[i] == (i % 2 == 0 ? a[i] : 0));
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("engine/dsp/planar");
    TCase *tests = tcase_create("planar");
    tcase_add_test(tests, what_is_picked_apart_weaves_together);
    tcase_add_test(tests, a_plane_may_feed_several_channels);
    tcase_add_test(tests, sums_are_rounded_from_left_to_right);
    tcase_add_test(tests, the_mean_of_equal_sides_is_themselves);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
