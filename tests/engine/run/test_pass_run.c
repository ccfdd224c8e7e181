/* SPDX-License-Identifier: MIT */
/* engine/run/pass_run.c: files that are fed from one run although they begin and end at different frames. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/digest/digest.h"
#include "graph/span.h"
#include "tests/support/racks.h"
#include "tests/support/testing.h"

#define FRAMES 60000
#define FILES 5

static int medium_file;
static struct engine_host *host;

static void set_up(void)
{
    uint32_t state = 5;
    float *samples = malloc(sizeof *samples * FRAMES * 2);
    ck_assert_ptr_nonnull(samples);
    for (size_t i = 0; i < (size_t)FRAMES * 2; i++) {
        state = state * 1664525u + 1013904223u;
        samples[i] = (float)(int32_t)state * 0x1p-33f;
    }
    medium_file = graphs_wav(samples, FRAMES, 2);
    free(samples);
    host = racks_host(NULL);
}

static void tear_down(void)
{
    engine_host_free(host);
    close(medium_file);
}

/* Noise through a latent plugin, and what it is delivered as: `which` of the files, or (FILES) all of them. */
static const struct graph *rack(uint32_t which, bool tail)
{
    struct graph_builder *builder = graphs_builder();
    struct racks_value values[] = {{"delay", 700}, {NULL, 0}};
    uint32_t source = graphs_clip(builder, graphs_media(builder, 2, FRAMES), 2, 0, FRAMES, "noise");
    uint32_t node = racks_node(builder, RACKS_OWN "latent2", 2, source, GRAPH_NONE, values);
    struct graph_deliverable files[FILES] = {
        graphs_deliverable("whole", node, 3000, 40000), graphs_deliverable("late", node, 9000, 20000),
        graphs_deliverable("longest", node, 5000, 50000), graphs_deliverable("raw", node, 3000, 45000),
        graphs_deliverable("none", node, 12000, 12000)};
    for (int i = 0; i < FILES; i++) {
        files[i].preroll = files[i].start - 3000;
        files[i].end = tail ? 12000 : files[i].end;
        files[i].tail = tail ? GRAPH_TAIL_FRAMES : GRAPH_TAIL_NONE;
        files[i].tail_frames = tail ? 100 + 5000 * i : 0;
        files[i].has_integrated = i == 1;
        files[i].integrated_lufs = i == 1 ? -20 : 0;
    }
    struct graph_span span = {3000, tail ? 12000 : INT64_MAX, 45000};
    graph_span_deliver(&span, 48000, &files[3]);
    for (uint32_t i = 0; i < FILES; i++) {
        if (which == FILES || which == i) {
            graphs_deliver(builder, &files[i]);
        }
    }
    return graphs_finish(builder);
}

static struct lh_digest digest_of(int fd)
{
    struct lh_digest digest;
    ck_assert_int_eq(lh_digest_file(fd, &digest, NULL), LH_OK);
    close(fd);
    return digest;
}

/* Each file has the bits that it has alone, and the run is one. */
START_TEST(files_of_one_pass_begin_and_end_where_they_want)
{
    bool tail = _i == 1;
    const struct graph *together = rack(FILES, tail);
    for (uint32_t d = 0; d < FILES; d++) {
        ck_assert(graph_pass_is_same(together, &together->deliverables[0], &together->deliverables[d]));
    }
    static const uint32_t blocks[] = {0, 1024, 8192};
    for (size_t b = 0; b < sizeof blocks / sizeof blocks[0]; b++) {
        int outputs[FILES], output;
        struct engine_delivered delivered[FILES], one;
        struct engine_inserted inserted;
        struct engine_render_result result = {.delivered = delivered, .inserted = &inserted};
        struct engine_render_result alone = {.delivered = &one, .inserted = &inserted};
        struct lh_error error = LH_ERROR_INIT;
        enum lh_status status = racks_render(host, together, &medium_file, 2, blocks[b], outputs, &result, &error);
        ck_assert_msg(status == LH_OK, "%s: %s", error.where, error.message);
        for (uint32_t d = 0; d < FILES; d++) {
            const struct graph *single = rack(d, tail);
            ck_assert_int_eq(racks_render(host, single, &medium_file, 1, 0, &output, &alone, &error), LH_OK);
            struct lh_digest expected = digest_of(output), found = digest_of(outputs[d]);
            ck_assert_msg(lh_digest_equal(&expected, &found), "file %u, block %u", d, blocks[b]);
            ck_assert(delivered[d].measured.integrated_lufs == one.measured.integrated_lufs);
            graph_unref(single);
        }
    }
    graph_unref(together);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("engine/run/pass_run");
    TCase *tcase = tcase_create("pass_run");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, files_of_one_pass_begin_and_end_where_they_want, 0, 2);
    suite_add_tcase(suite, tcase);
    return testing_main(suite);
}
