/* SPDX-License-Identifier: MIT */
/* engine/instance/protocol_plugins.c: what is written is read back; truncated, changed and absurd bodies are refused.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/instance/protocol.h"
#include "tests/support/testing.h"

static struct lh_writer writer;
static struct lh_arena arena;
static struct lh_error failure;
static enum lh_status outcome;

static void setup(void)
{
    lh_writer_init(&writer);
    lh_arena_init(&arena);
    failure = LH_ERROR_INIT;
    outcome = LH_ERR_INTERNAL;
}

static void teardown(void)
{
    lh_writer_fini(&writer);
    lh_arena_fini(&arena);
}

static void again(void)
{
    teardown();
    setup();
}

START_TEST(questions_round_trip)
{
    const char *bundles[] = {"/usr/lib/lv2/a.lv2/", "/home/me/ä.lv2/"};
    const char *uris[] = {"lv2:urn:a"};
    engine_describe_write(&writer, &(struct engine_describe){bundles, 2, uris, 1});
    struct engine_describe read = {.bundle_count = 99};
    for (size_t size = 0; size < writer.size; size++) {
        ck_assert_int_eq(engine_describe_read(writer.data, size, &arena, &read), LH_ERR_FORMAT);
    }
    ck_assert_uint_eq(read.bundle_count, 99);
    ck_assert_int_eq(engine_describe_read(writer.data, writer.size, &arena, &read), LH_OK);
    ck_assert(read.bundle_count == 2 && read.uri_count == 1);
    ck_assert_str_eq(read.bundles[1], bundles[1]);
    ck_assert_str_eq(read.uris[0], uris[0]);
    lh_writer_u8(&writer, 0);
    ck_assert_int_eq(engine_describe_read(writer.data, writer.size, &arena, &read), LH_ERR_FORMAT);
}
END_TEST

/* Counts beyond what is there, or allowed, allocate nothing. */
START_TEST(counts_are_bounded)
{
    static const uint32_t counts[] = {ENGINE_PLUGINS_MAX + 1, UINT32_MAX, 3};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        again();
        lh_writer_u32(&writer, counts[i]);
        lh_writer_text(&writer, "a");
        struct engine_describe read;
        ck_assert_int_eq(engine_describe_read(writer.data, writer.size, &arena, &read), LH_ERR_FORMAT);
        again();
        lh_writer_u32(&writer, LH_OK);
        lh_writer_u32(&writer, counts[i]);
        struct engine_described described;
        ck_assert_int_eq(engine_described_read(writer.data, writer.size, &arena, &described, &outcome, &failure),
                         LH_ERR_FORMAT);
        ck_assert_uint_lt(arena.used, 1000);
    }
    again();
    lh_writer_u32(&writer, 1);
    lh_writer_u32(&writer, 3);
    lh_writer_bytes(&writer, "a\0b", 3);
    lh_writer_u32(&writer, 0);
    struct engine_describe read;
    ck_assert_int_eq(engine_describe_read(writer.data, writer.size, &arena, &read), LH_ERR_FORMAT);
}
END_TEST

static void write_described(void)
{
    static const struct graph_port port = {.kind = GRAPH_PORT_CONTROL,
                                           .input = true,
                                           .symbol = "gain",
                                           .name = "Gain",
                                           .unit = "dB",
                                           .role = "",
                                           .minimum = -60.0f,
                                           .maximum = 12.0f};
    struct graph_plugin_facts facts[2];
    for (int i = 0; i < 2; i++) {
        facts[i] = (struct graph_plugin_facts){.uri = i == 0 ? "lv2:urn:a" : "lv2:urn:b",
                                               .name = "Clean \x1B]0;er\x07",
                                               .author = "",
                                               .licence = "",
                                               .category = "",
                                               .version = "1.0",
                                               .bundle = "/a.lv2/",
                                               .binary = "/a.lv2/a.so",
                                               .refused = "",
                                               .ports = &port,
                                               .port_count = 1};
    }
    struct engine_described described = {.facts = facts, .fact_count = 2, .notes = "b: odd\x1B[2J\nc: odd\n"};
    engine_described_write(&writer, LH_OK, &described, NULL);
}

START_TEST(descriptions_round_trip)
{
    write_described();
    struct engine_described read = {.fact_count = 99};
    for (size_t size = 0; size < writer.size; size++) {
        ck_assert_int_eq(engine_described_read(writer.data, size, &arena, &read, &outcome, &failure), LH_ERR_FORMAT);
    }
    ck_assert(read.fact_count == 99 && outcome == LH_ERR_INTERNAL);
    ck_assert_int_eq(engine_described_read(writer.data, writer.size, &arena, &read, &outcome, &failure), LH_OK);
    ck_assert(outcome == LH_OK && read.fact_count == 2);
    ck_assert_str_eq(read.facts[1].uri, "lv2:urn:b");
    ck_assert_str_eq(read.facts[1].ports[0].symbol, "gain");
    ck_assert_str_eq(read.facts[0].name, "Clean  ]0;er ");
    ck_assert_str_eq(read.notes, "b: odd [2J\nc: odd\n");
}
END_TEST

START_TEST(failures_round_trip)
{
    struct lh_error error = LH_ERROR_INIT;
    lh_error_set(&error, LH_ERR_MISSING, "/a.lv2", "no bundle");
    struct engine_described described = {.fact_count = 99};
    struct engine_trial_result result = {.latency = 5};
    engine_described_write(&writer, LH_ERR_MISSING, NULL, &error);
    ck_assert_int_eq(engine_described_read(writer.data, writer.size, &arena, &described, &outcome, &failure), LH_OK);
    ck_assert(outcome == LH_ERR_MISSING && failure.code == LH_ERR_MISSING && described.fact_count == 99);
    ck_assert_str_eq(failure.where, "/a.lv2");
    again();
    engine_tried_write(&writer, LH_ERR_MISSING, NULL, &error);
    ck_assert_int_eq(engine_tried_read(writer.data, writer.size, &result, &outcome, &failure), LH_OK);
    ck_assert(outcome == LH_ERR_MISSING && result.latency == 5);
    ck_assert_str_eq(failure.message, "no bundle");
}
END_TEST

static const struct engine_trial usual = {.uri = "lv2:urn:a",
                                          .bundle = "/a.lv2/",
                                          .sample_rate = 48000,
                                          .quantum = 1024,
                                          .block = 64,
                                          .frames = 96000,
                                          .twin = true,
                                          .silence = true};

START_TEST(trials_round_trip)
{
    engine_trial_write(&writer, &usual);
    struct engine_trial read = {.frames = 1};
    for (size_t size = 0; size < writer.size; size++) {
        ck_assert_int_eq(engine_trial_read(writer.data, size, &arena, &read), LH_ERR_FORMAT);
    }
    ck_assert_uint_eq(read.frames, 1);
    ck_assert_int_eq(engine_trial_read(writer.data, writer.size, &arena, &read), LH_OK);
    ck_assert_str_eq(read.uri, usual.uri);
    ck_assert_str_eq(read.bundle, usual.bundle);
    ck_assert(read.sample_rate == 48000 && read.quantum == 1024 && read.block == 64 && read.frames == 96000);
    ck_assert(read.twin && !read.unpinned_random && read.silence);
}
END_TEST

START_TEST(absurd_trials_are_refused)
{
    for (int i = 0; i < 8; i++) {
        struct engine_trial trial = usual;
        trial.uri = i == 0 ? "" : trial.uri;
        trial.bundle = i == 1 ? "a.lv2" : trial.bundle;
        trial.sample_rate = i == 2 ? GRAPH_RATE_MIN - 1 : i == 3 ? GRAPH_RATE_MAX + 1 : trial.sample_rate;
        trial.quantum = i == 4 ? 32 : i == 5 ? 16384 : trial.quantum;
        trial.block = i == 6 ? 1025 : trial.block;
        trial.frames = i == 7 ? (uint64_t)GRAPH_FRAMES_MAX : trial.frames;
        again();
        engine_trial_write(&writer, &trial);
        ck_assert_int_eq(engine_trial_read(writer.data, writer.size, &arena, &trial), LH_ERR_FORMAT);
    }
}
END_TEST

static const struct engine_trial_result found = {.status = LH_ERR_FAULT,
                                                 .message = "gives NaN\x1B",
                                                 .samples = {{1, 2, 3}},
                                                 .latency = 64,
                                                 .latency_changed = true,
                                                 .audible = true,
                                                 .tail_frames = -1,
                                                 .peak = 0.25f,
                                                 .ns_per_frame = 12.5};

START_TEST(results_of_trials_round_trip)
{
    engine_tried_write(&writer, LH_OK, &found, NULL);
    struct engine_trial_result read = {.latency = 99};
    for (size_t size = 0; size < writer.size; size++) {
        ck_assert_int_eq(engine_tried_read(writer.data, size, &read, &outcome, &failure), LH_ERR_FORMAT);
    }
    ck_assert_uint_eq(read.latency, 99);
    ck_assert_int_eq(engine_tried_read(writer.data, writer.size, &read, &outcome, &failure), LH_OK);
    ck_assert(outcome == LH_OK && read.status == LH_ERR_FAULT && read.samples.bytes[2] == 3 && read.latency == 64);
    ck_assert(read.latency_changed && read.audible && read.tail_frames == -1 && read.peak == 0.25f);
    ck_assert(read.ns_per_frame == 12.5);
    ck_assert_str_eq(read.message, "gives NaN ");
}
END_TEST

START_TEST(absurd_results_are_refused)
{
    for (int i = 0; i < 6; i++) {
        struct engine_trial_result result = found;
        result.latency = i == 0 ? ENGINE_LATENCY_MAX + 1 : result.latency;
        result.tail_frames = i == 1 ? -2 : i == 2 ? GRAPH_FRAMES_MAX : result.tail_frames;
        result.peak = i == 3 ? (float)NAN : result.peak;
        result.ns_per_frame = i == 4 ? (double)INFINITY : i == 5 ? -1.0 : result.ns_per_frame;
        again();
        engine_tried_write(&writer, LH_OK, &result, NULL);
        ck_assert_int_eq(engine_tried_read(writer.data, writer.size, &result, &outcome, &failure), LH_ERR_FORMAT);
    }
}
END_TEST

/* Random changes are read or refused, and never more. */
static void shake(void)
{
    uint8_t *bytes = malloc(writer.size);
    for (int round = 0; round < 5000; round++) {
        memcpy(bytes, writer.data, writer.size);
        bytes[(size_t)rand() % writer.size] ^= (uint8_t)(1 << rand() % 8);
        bytes[(size_t)rand() % writer.size] = (uint8_t)rand();
        struct engine_describe describe;
        struct engine_described described;
        struct engine_trial trial;
        struct engine_trial_result result;
        enum lh_status statuses[] = {
            engine_describe_read(bytes, writer.size, &arena, &describe),
            engine_described_read(bytes, writer.size, &arena, &described, &outcome, &failure),
            engine_trial_read(bytes, writer.size, &arena, &trial),
            engine_tried_read(bytes, writer.size, &result, &outcome, &failure),
        };
        for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
            ck_assert(statuses[i] == LH_OK || statuses[i] == LH_ERR_FORMAT);
        }
        lh_arena_fini(&arena);
    }
    free(bytes);
}

START_TEST(changed_bytes_do_no_harm)
{
    srand(4);
    write_described();
    shake();
    again();
    engine_trial_write(&writer, &usual);
    shake();
    again();
    engine_tried_write(&writer, LH_OK, &found, NULL);
    shake();
}
END_TEST

START_TEST(allocations_may_fail)
{
    write_described();
    bool fired = true;
    for (size_t n = 1; fired; n++) {
        struct engine_described described;
        lh_arena_fini(&arena);
        testing_fail_allocation(n);
        enum lh_status status = engine_described_read(writer.data, writer.size, &arena, &described, &outcome, &failure);
        fired = testing_fail_allocation_end();
        ck_assert_int_eq(status, fired ? LH_ERR_NO_MEMORY : LH_OK);
    }
    again();
    engine_trial_write(&writer, &usual);
    struct engine_trial trial;
    testing_fail_allocation(1);
    ck_assert_int_eq(engine_trial_read(writer.data, writer.size, &arena, &trial), LH_ERR_NO_MEMORY);
    ck_assert(testing_fail_allocation_end());
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("engine/instance/protocol_plugins");
    TCase *test = tcase_create("plugins");
    tcase_add_checked_fixture(test, setup, teardown);
    tcase_add_test(test, questions_round_trip);
    tcase_add_test(test, counts_are_bounded);
    tcase_add_test(test, descriptions_round_trip);
    tcase_add_test(test, failures_round_trip);
    tcase_add_test(test, trials_round_trip);
    tcase_add_test(test, absurd_trials_are_refused);
    tcase_add_test(test, results_of_trials_round_trip);
    tcase_add_test(test, absurd_results_are_refused);
    tcase_add_test(test, changed_bytes_do_no_harm);
    tcase_add_test(test, allocations_may_fail);
    suite_add_tcase(suite, test);
    return testing_main(suite);
}
