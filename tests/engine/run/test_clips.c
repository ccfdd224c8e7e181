/* SPDX-License-Identifier: MIT */
/* Regions against the formula of graph/graph.h: loops of any length, forwards and backwards, from any place. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/graphs.h"
#include "tests/support/testing.h"

#define MEDIUM 5000
#define LENGTH 40000
#define START 333

/* Read calls of this process so far; -1 where the kernel does not count them. */
static long reads_so_far(void)
{
    FILE *file = fopen("/proc/self/io", "r");
    long reads = -1;
    char line[64];
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        sscanf(line, "syscr: %ld", &reads);
    }
    if (file != NULL) {
        fclose(file);
    }
    return reads;
}

/* Renders one looped region of a medium that counts its frames; returns how many reads that took. */
static long render_loop(int64_t loop_length, bool reverse)
{
    float samples[MEDIUM];
    for (size_t i = 0; i < MEDIUM; i++) {
        samples[i] = (float)(i + 1) * 0x1p-14f;
    }
    int media = graphs_wav(samples, MEDIUM, 1);
    struct graph_builder *builder = graphs_builder();
    struct graph_region region = {.media = graphs_media(builder, 1, MEDIUM),
                                  .start = START,
                                  .length = LENGTH,
                                  .offset = MEDIUM - loop_length,
                                  .loop_length = loop_length,
                                  .reverse = reverse,
                                  .gain = 1.0f,
                                  .fade_in = GRAPH_NONE,
                                  .fade_out = GRAPH_NONE};
    uint32_t node;
    ck_assert_int_eq(graph_builder_add_clips(builder, 1, false, &region, 1, "clips", &node), LH_OK);
    struct graph_deliverable mix = graphs_deliverable("mix", node, 0, START + LENGTH + 100);
    graphs_deliver(builder, &mix);
    const struct graph *graph = graphs_finish(builder);
    int output;
    struct engine_delivered delivered;
    struct engine_render_result result = {.delivered = &delivered};
    struct lh_error error = LH_ERROR_INIT;
    long before = reads_so_far();
    ck_assert_int_eq(graphs_render(graph, &media, 1, 0, &output, &result, &error), LH_OK);
    long reads = reads_so_far() - before;
    size_t frames;
    float *got = graphs_samples(output, 1, &frames);
    ck_assert_uint_eq(frames, START + LENGTH + 100);
    for (int64_t i = 0; i < (int64_t)frames; i++) {
        int64_t clip = reverse ? LENGTH - 1 - (i - START) : i - START;
        bool plays = i >= START && i < START + LENGTH;
        float wanted = plays ? samples[region.offset + clip % loop_length] : 0.0f;
        ck_assert_msg(got[i] == wanted, "loop of %lld, frame %lld: %a, wanted %a", (long long)loop_length, (long long)i,
                      (double)got[i], (double)wanted);
    }
    free(got);
    close(media);
    close(output);
    graph_unref(graph);
    return reads;
}

START_TEST(loops_repeat_exactly)
{
    static const int64_t lengths[] = {1, 2, 3, 7, 1000, 1024, 4999, MEDIUM};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        render_loop(lengths[i], false);
        render_loop(lengths[i], true);
    }
}
END_TEST

/* A read for each repetition would be a seek for each in compressed media: minutes of work for a second of sound. */
START_TEST(a_short_loop_is_not_read_again_for_each_repetition)
{
    ck_assert_int_lt(render_loop(1, false), 200);
    ck_assert_int_lt(render_loop(1, true), 200);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("engine/run/clips");
    TCase *tests = tcase_create("clips");
    tcase_add_test(tests, loops_repeat_exactly);
    tcase_add_test(tests, a_short_loop_is_not_read_again_for_each_repetition);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
