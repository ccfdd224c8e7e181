/* SPDX-License-Identifier: MIT */
/* Stored frames through the real program in its jail: files of the disk that it may only read, sums and floats, handed
   on and added up. The program is $LOOPHOLE_SIGNAL. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine/instance/client.h"
#include "graph/builder.h"
#include "graph/span.h"
#include "tests/support/testing.h"

#define FRAMES 30000
#define RATE 48000

static struct engine_instance *instance;
static char paths[2][32];
static float track[FRAMES];
static int64_t sum[FRAMES];

static void setup(void)
{
    struct lh_error error = LH_ERROR_INIT;
    struct engine_instance_options options = {.program = getenv("LOOPHOLE_SIGNAL")};
    for (size_t i = 0; i < FRAMES; i++) {
        track[i] = (float)((int)(i * 7919 % 20011) - 10000) * 0x1p-37f; /* on the grid */
        sum[i] = ((int64_t)i - 15000) * 12345678;
    }
    const void *contents[2] = {track, sum};
    const size_t sizes[2] = {sizeof track, sizeof sum};
    for (size_t i = 0; i < 2; i++) {
        strcpy(paths[i], "/tmp/loophole-stored-XXXXXX");
        int fd = mkstemp(paths[i]);
        ck_assert(fd >= 0 && write(fd, contents[i], sizes[i]) == (ssize_t)sizes[i]);
        close(fd);
    }
    ck_assert_msg(engine_instance_spawn(&options, &instance, &error) == LH_OK, "%s", error.message);
}

static void teardown(void)
{
    engine_instance_free(instance);
    unlink(paths[0]);
    unlink(paths[1]);
}

static const struct graph *piece(void)
{
    const struct graph_span span = {.begin = 0, .silence = INT64_MAX, .stop = FRAMES};
    const struct graph_stored entries[2] = {graph_span_stored(&span, 1, false), graph_span_stored(&span, 1, true)};
    struct graph_builder *builder;
    uint32_t nodes[2], partial, bus, index;
    ck_assert_int_eq(graph_builder_new(RATE, 1024, &builder), LH_OK);
    for (size_t i = 0; i < 2; i++) {
        ck_assert_int_eq(graph_builder_add_stored(builder, &entries[i], "track kick", &nodes[i]), LH_OK);
    }
    ck_assert_int_eq(graph_builder_add_sum(builder, GRAPH_NODE_PARTIAL, 1, false, nodes, 2, "drums", &partial), LH_OK);
    ck_assert_int_eq(graph_builder_add_sum(builder, GRAPH_NODE_BUS, 1, false, &partial, 1, "master", &bus), LH_OK);
    const uint32_t delivered[3] = {nodes[0], partial, bus};
    for (size_t i = 0; i < 3; i++) {
        struct graph_deliverable file = {.name = "file", .node = delivered[i]};
        graph_span_deliver(&span, RATE, &file);
        ck_assert_int_eq(graph_builder_add_deliverable(builder, &file, NULL, 0, &index), LH_OK);
    }
    const struct graph *graph = NULL;
    ck_assert_int_eq(graph_builder_finish(builder, &graph, NULL), LH_OK);
    graph_builder_free(builder);
    return graph;
}

static enum lh_status render(int *outputs, struct engine_delivered *delivered, struct lh_error *error)
{
    int stored[2], scratch = memfd_create("scratch", MFD_CLOEXEC);
    for (size_t i = 0; i < 2; i++) {
        stored[i] = open(paths[i], O_RDONLY | O_CLOEXEC);
    }
    for (size_t i = 0; i < 3; i++) {
        outputs[i] = memfd_create("output", MFD_CLOEXEC);
    }
    const struct graph *graph = piece();
    struct engine_instance_render request = {.graph = graph,
                                             .stored_fds = stored,
                                             .output_fds = outputs,
                                             .scratch_fd = scratch,
                                             .threads = 2,
                                             .report = true};
    struct engine_render_result result = {.delivered = delivered};
    enum lh_status status = engine_instance_render(instance, &request, &result, error);
    close(scratch);
    close(stored[0]);
    close(stored[1]);
    graph_unref(graph);
    return status;
}

START_TEST(stored_frames_go_through_the_jail)
{
    int outputs[3];
    struct engine_delivered delivered[3];
    struct lh_error error = LH_ERROR_INIT;
    enum lh_status status = render(outputs, delivered, &error);
    ck_assert_msg(status == LH_OK, "%s: %s", error.where, error.message);
    static float again[FRAMES], heard[FRAMES];
    static int64_t added[FRAMES];
    ck_assert_int_eq(pread(outputs[0], again, sizeof again, 0), (ssize_t)sizeof again);
    ck_assert_int_eq(pread(outputs[1], added, sizeof added, 0), (ssize_t)sizeof added);
    ck_assert_int_eq(pread(outputs[2], heard, sizeof heard, 0), (ssize_t)sizeof heard);
    ck_assert_mem_eq(again, track, sizeof track);
    for (size_t i = 0; i < FRAMES; i++) {
        double on_grid = (double)track[i] * 0x1p40; /* exact */
        if (added[i] != sum[i] + (int64_t)on_grid || heard[i] != (float)((double)added[i] * 0x1p-40)) {
            ck_abort_msg("frame %zu", i);
        }
    }
    for (size_t i = 0; i < 3; i++) {
        ck_assert_uint_eq(delivered[i].file.frames, FRAMES);
        ck_assert_uint_eq(delivered[i].file.bytes, FRAMES * (i == 1 ? sizeof(int64_t) : sizeof(float)));
        ck_assert(!delivered[i].has_loudness && !delivered[i].file.has_samples);
        close(outputs[i]);
    }
}
END_TEST

START_TEST(a_damaged_file_is_named)
{
    int outputs[3];
    struct engine_delivered delivered[3];
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_int_eq(truncate(paths[1], (off_t)sizeof sum - 8), 0);
    ck_assert_int_eq(render(outputs, delivered, &error), LH_ERR_IO);
    ck_assert_str_eq(error.where, "track kick");
    for (size_t i = 0; i < 3; i++) {
        close(outputs[i]);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("engine/instance/client_stored");
    TCase *test = tcase_create("stored");
    tcase_set_timeout(test, 30);
    tcase_add_checked_fixture(test, setup, teardown);
    tcase_add_test(test, stored_frames_go_through_the_jail);
    tcase_add_test(test, a_damaged_file_is_named);
    suite_add_tcase(suite, test);
    return testing_main(suite);
}
