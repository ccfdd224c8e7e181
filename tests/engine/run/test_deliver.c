/* SPDX-License-Identifier: MIT */
/* Deliveries by themselves: what a tail that rings becomes, whatever the blocks, and what is let go of at the end. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/run/deliver.h"
#include "tests/support/graphs.h"
#include "tests/support/testing.h"

#define QUANTUM 64 /* shorter than a converter's memory: what follows a tail's last quantum can be heard in it */
#define END 4000
#define TAIL 20000

/* Noise that rings on past the end of the range, as what a plugin adds will, and dies away; never quite silent. */
static float ring(int64_t frame)
{
    uint32_t seed = (uint32_t)frame * 2654435761u;
    seed ^= seed >> 15;
    float noise = (float)(int32_t)(seed * 2246822519u) * 0x1p-31f;
    return noise * (frame < END ? 0.5f : 0.5f * (float)exp(-(double)(frame - END) / 1500));
}

static const struct graph *one_deliverable(const struct graph_deliverable *model)
{
    struct graph_builder *builder;
    ck_assert_int_eq(graph_builder_new(48000, QUANTUM, &builder), LH_OK);
    struct graph_deliverable made = *model;
    made.node = graphs_clip(builder, graphs_media(builder, 1, END), 1, 0, END, "clips");
    graphs_deliver(builder, &made);
    return graphs_finish(builder);
}

static struct graph_deliverable resampled(void)
{
    struct graph_deliverable deliverable = graphs_deliverable("mix", 0, 0, END);
    deliverable.rate = 44100;
    deliverable.resampler = GRAPH_CONFORM_SOXR;
    return deliverable;
}

/* Feeds the delivery in blocks up to its end and finishes it. */
static void deliver(struct engine_delivery *delivery, const struct graph *graph, int fd, int scratch, int64_t block)
{
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_int_eq(engine_delivery_init(delivery, graph, 0, fd, scratch, 0, (uint32_t)block, true, &error), LH_OK);
    float *in = malloc((size_t)block * sizeof *in);
    for (int64_t from = 0; from < delivery->stop; from += block) {
        int64_t to = from + block < delivery->stop ? from + block : delivery->stop;
        for (int64_t i = from; i < to; i++) {
            in[i - from] = ring(i);
        }
        ck_assert_int_eq(engine_delivery_add(delivery, from, to, in, &error), LH_OK);
    }
    free(in);
    ck_assert_int_eq(engine_delivery_end_pass(delivery, &error), LH_OK);
    if (delivery->deferred) {
        _Atomic uint64_t done = 0;
        const _Atomic int cancel = 0;
        ck_assert_int_eq(engine_delivery_measure(delivery, &cancel, &error), LH_OK);
        ck_assert_int_eq(engine_delivery_finish(delivery, &done, &cancel, &error), LH_OK);
    }
}

START_TEST(a_tail_is_converted_alike_whatever_the_block)
{
    struct graph_deliverable deliverable = resampled();
    deliverable.tail = GRAPH_TAIL_UNTIL;
    deliverable.tail_frames = TAIL;
    deliverable.tail_hold = 1;
    deliverable.tail_level = 0.25f;
    const struct graph *graph = one_deliverable(&deliverable);
    struct engine_encoded first = {.frames = 0};
    static const int64_t blocks[] = {64, 128, 1024, 4096, 32768};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
        int fd = memfd_create("output", MFD_CLOEXEC);
        int scratch = memfd_create("scratch", MFD_CLOEXEC);
        struct engine_delivery delivery;
        deliver(&delivery, graph, fd, scratch, blocks[i]);
        ck_assert_int_gt(delivery.tail_frames, 0);
        ck_assert_int_lt(delivery.tail_frames, TAIL);
        first = i == 0 ? delivery.encoded : first;
        ck_assert_uint_eq(delivery.encoded.frames, first.frames);
        ck_assert_msg(lh_digest_equal(&delivery.encoded.samples, &first.samples), "block %lld", (long long)blocks[i]);
        engine_delivery_fini(&delivery);
        close(fd);
        close(scratch);
    }
    graph_unref(graph);
}
END_TEST

static void check_released(const struct graph_deliverable *deliverable)
{
    const struct graph *graph = one_deliverable(deliverable);
    int fd = memfd_create("output", MFD_CLOEXEC);
    int scratch = memfd_create("scratch", MFD_CLOEXEC);
    struct engine_delivery delivery;
    deliver(&delivery, graph, fd, scratch, 1024);
    ck_assert_uint_gt(delivery.encoded.bytes, 0);
    ck_assert(delivery.has_loudness);
    ck_assert(delivery.reached.integrated_lufs == delivery.measured.integrated_lufs);
    ck_assert_ptr_null(delivery.converter);
    ck_assert_ptr_null(delivery.converted);
    ck_assert_ptr_null(delivery.meter);
    ck_assert_ptr_null(delivery.encoder);
    engine_delivery_fini(&delivery);
    close(fd);
    close(scratch);
    graph_unref(graph);
}

/* A render of a thousand ranges runs a thousand passes: what one needed must not wait for the last. */
START_TEST(a_finished_delivery_holds_nothing)
{
    struct graph_deliverable deliverable = resampled();
    check_released(&deliverable);
    deliverable.tail = GRAPH_TAIL_UNTIL;
    deliverable.tail_frames = TAIL;
    deliverable.tail_hold = 4800;
    deliverable.tail_level = 0.01f;
    check_released(&deliverable);
}
END_TEST

START_TEST(measuring_and_finishing_can_be_cancelled)
{
    struct graph_deliverable deliverable = graphs_deliverable("mix", 0, 0, END);
    deliverable.tail = GRAPH_TAIL_UNTIL;
    deliverable.tail_frames = TAIL;
    deliverable.tail_hold = TAIL;
    deliverable.tail_level = 0.01f;
    const struct graph *graph = one_deliverable(&deliverable);
    int fd = memfd_create("output", MFD_CLOEXEC);
    int scratch = memfd_create("scratch", MFD_CLOEXEC);
    struct engine_delivery delivery;
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_int_eq(engine_delivery_init(&delivery, graph, 0, fd, scratch, 0, END, true, &error), LH_OK);
    static const float in[END];
    ck_assert_int_eq(engine_delivery_add(&delivery, 0, END, in, &error), LH_OK);
    ck_assert_int_eq(engine_delivery_end_pass(&delivery, &error), LH_OK);
    ck_assert_int_eq(ftruncate(scratch, (END + TAIL) * (off_t)sizeof(float)), 0);
    _Atomic uint64_t done = 0;
    const _Atomic int cancel = 1;
    ck_assert_int_eq(engine_delivery_measure(&delivery, &cancel, &error), LH_ERR_CANCELLED);
    ck_assert_str_eq(error.message, "interrupted");
    error = LH_ERROR_INIT;
    ck_assert_int_eq(engine_delivery_finish(&delivery, &done, &cancel, &error), LH_ERR_CANCELLED);
    ck_assert_str_eq(error.message, "interrupted");
    engine_delivery_fini(&delivery);
    close(fd);
    close(scratch);
    graph_unref(graph);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("engine/run/deliver");
    TCase *tests = tcase_create("deliver");
    tcase_add_test(tests, a_tail_is_converted_alike_whatever_the_block);
    tcase_add_test(tests, a_finished_delivery_holds_nothing);
    tcase_add_test(tests, measuring_and_finishing_can_be_cancelled);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
