/* SPDX-License-Identifier: MIT */
/* engine/instance/protocol.c: what is written is read back; truncated, changed and overlong bodies are refused. */
#include "engine/instance/protocol.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/testing.h"

#define COUNT 3

/* The sizes of a graph's tables, all that the bodies of results know of it. */
static const struct graph shape = {.deliverable_count = COUNT, .insert_count = 2, .node_count = 9};

static struct lh_writer writer;

static void setup(void)
{
    lh_writer_init(&writer);
}

static void teardown(void)
{
    lh_writer_fini(&writer);
}

START_TEST(hello_round_trips)
{
    struct engine_hello hello = {
        .version = ENGINE_PROTOCOL_VERSION, .libraries = "a-1 b-2", .cpu_class = "x86-64-v3", .jail = "seccomp"};
    engine_hello_write(&writer, &hello);
    struct engine_hello read;
    memset(&read, 9, sizeof read);
    for (size_t size = 0; size < writer.size; size++) {
        ck_assert_int_eq(engine_hello_read(writer.data, size, &read), LH_ERR_FORMAT);
    }
    ck_assert_uint_eq(read.version, 0x09090909);
    ck_assert_int_eq(engine_hello_read(writer.data, writer.size, &read), LH_OK);
    ck_assert_uint_eq(read.version, ENGINE_PROTOCOL_VERSION);
    ck_assert_str_eq(read.libraries, "a-1 b-2");
    ck_assert_str_eq(read.cpu_class, "x86-64-v3");
    ck_assert_str_eq(read.jail, "seccomp");
}
END_TEST

/* Whatever it says, its version can be told. */
START_TEST(other_versions_are_read)
{
    lh_writer_u32(&writer, ENGINE_PROTOCOL_VERSION + 1);
    lh_writer_text(&writer, "something else");
    struct engine_hello read;
    ck_assert_int_eq(engine_hello_read(writer.data, writer.size, &read), LH_OK);
    ck_assert_uint_eq(read.version, ENGINE_PROTOCOL_VERSION + 1);
    ck_assert_str_eq(read.libraries, "");
}
END_TEST

START_TEST(long_texts_are_refused)
{
    char text[ENGINE_LIBRARIES_SIZE + 1];
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    lh_writer_u32(&writer, ENGINE_PROTOCOL_VERSION);
    lh_writer_text(&writer, text);
    lh_writer_text(&writer, "");
    lh_writer_text(&writer, "");
    struct engine_hello read;
    ck_assert_int_eq(engine_hello_read(writer.data, writer.size, &read), LH_ERR_FORMAT);
}
END_TEST

static void fill_probes(struct engine_probe *probes)
{
    memset(probes, 0, COUNT * sizeof *probes);
    for (int i = 0; i < COUNT; i++) {
        probes[i].facts = (struct engine_media_facts){
            .access = ENGINE_ACCESS_LINEAR, .rate = 96000, .channels = 16, .frames = 1234567, .bits = 24};
        strcpy(probes[i].facts.format, "WAV, 24 bit");
    }
    probes[1] = (struct engine_probe){.status = LH_ERR_FORMAT};
    lh_error_set(&probes[1].error, LH_ERR_FORMAT, "x.wav", "no\tsound \x1B]0;file\x7F");
}

START_TEST(facts_round_trip)
{
    struct engine_probe probes[COUNT];
    struct engine_probe read[COUNT];
    fill_probes(probes);
    engine_facts_write(&writer, probes, COUNT);
    memset(read, 0, sizeof read);
    for (size_t size = 0; size < writer.size; size++) {
        ck_assert_int_eq(engine_facts_read(writer.data, size, read, COUNT), LH_ERR_FORMAT);
    }
    ck_assert_int_eq(engine_facts_read(writer.data, writer.size, read, COUNT - 1), LH_ERR_FORMAT);
    ck_assert_int_eq(engine_facts_read(writer.data, writer.size, read, COUNT), LH_OK);
    ck_assert_uint_eq(read[2].facts.frames, 1234567);
    ck_assert_int_eq(read[2].facts.access, ENGINE_ACCESS_LINEAR);
    ck_assert_str_eq(read[0].facts.format, "WAV, 24 bit");
    ck_assert_int_eq(read[1].status, LH_ERR_FORMAT);
    ck_assert_int_eq(read[1].error.code, LH_ERR_FORMAT);
    ck_assert_str_eq(read[1].error.message, "no sound  ]0;file ");
    ck_assert_str_eq(read[1].error.where, "x.wav");
}
END_TEST

/* Facts that no sound file has. */
START_TEST(absurd_facts_are_refused)
{
    for (int i = 0; i < 6; i++) {
        struct engine_probe probes[COUNT];
        fill_probes(probes);
        struct engine_media_facts *facts = &probes[0].facts;
        facts->rate = i == 0 ? 0 : facts->rate;
        facts->channels = i == 1 ? 0 : i == 2 ? 17 : facts->channels;
        facts->frames = i == 3 ? (uint64_t)GRAPH_FRAMES_MAX : facts->frames;
        facts->bits = i == 4 ? 65 : facts->bits;
        facts->access = i == 5 ? (enum engine_access)3 : facts->access;
        teardown();
        engine_facts_write(&writer, probes, COUNT);
        ck_assert_int_eq(engine_facts_read(writer.data, writer.size, probes, COUNT), LH_ERR_FORMAT);
    }
}
END_TEST

START_TEST(requests_round_trip)
{
    uint8_t wanted[] = {1, 0, 1}, conformed[] = {0, 1, 1, 0};
    struct engine_request request = {.threads = 8,
                                     .block = 4096,
                                     .report = true,
                                     .keeps = true,
                                     .kernels = "avx2",
                                     .media_count = 4,
                                     .output_count = 3,
                                     .stored_count = 7,
                                     .conformed = conformed,
                                     .wanted = wanted};
    engine_request_write(&writer, &request);
    size_t head = writer.size;
    lh_writer_bytes(&writer, "graph", 5);
    struct engine_request read;
    for (size_t size = 0; size < head; size++) {
        ck_assert_int_eq(engine_request_read(writer.data, size, &read), LH_ERR_FORMAT);
    }
    ck_assert_int_eq(engine_request_read(writer.data, writer.size, &read), LH_OK);
    ck_assert(read.threads == 8 && read.block == 4096 && read.report && read.keeps && read.media_count == 4 &&
              read.output_count == 3 && read.stored_count == 7);
    ck_assert_str_eq(read.kernels, "avx2");
    ck_assert_mem_eq(read.wanted, wanted, 3);
    ck_assert_mem_eq(read.conformed, conformed, 4);
    ck_assert_uint_eq(read.graph_size, 5);
    ck_assert_mem_eq(read.graph, "graph", 5);
    writer.data[head - 1] = 2;
    ck_assert_int_eq(engine_request_read(writer.data, writer.size, &read), LH_ERR_FORMAT);
    writer.data[head - 1] = 1;
    writer.data[head - 4] = 2;
    ck_assert_int_eq(engine_request_read(writer.data, writer.size, &read), LH_ERR_FORMAT);
    writer.data[head - 4] = 0;
    memset(writer.data, 0, 4);
    ck_assert_int_eq(engine_request_read(writer.data, writer.size, &read), LH_ERR_FORMAT);
    memset(writer.data, 0xFF, 4);
    ck_assert_int_eq(engine_request_read(writer.data, writer.size, &read), LH_ERR_FORMAT);
    request.block = ENGINE_BLOCK_MAX;
    teardown();
    engine_request_write(&writer, &request);
    ck_assert_int_eq(engine_request_read(writer.data, writer.size, &read), LH_OK);
    request.keeps = false; /* a medium is given all the same */
    teardown();
    engine_request_write(&writer, &request);
    ck_assert_int_eq(engine_request_read(writer.data, writer.size, &read), LH_ERR_FORMAT);
    request.keeps = true;
    request.block++;
    teardown();
    engine_request_write(&writer, &request);
    ck_assert_int_eq(engine_request_read(writer.data, writer.size, &read), LH_ERR_FORMAT);
}
END_TEST

static void write_result(void)
{
    struct engine_delivered delivered[COUNT];
    memset(delivered, 0, sizeof delivered);
    for (int i = 0; i < COUNT; i++) {
        delivered[i].file = (struct engine_encoded){.frames = 10, .clipped = 2, .bytes = 99, .has_samples = true};
        strcpy(delivered[i].file.notes, "FLAC holds no loop points");
        delivered[i].has_loudness = true;
        delivered[i].measured.integrated_lufs = (double)-INFINITY;
        delivered[i].reached.true_peak_dbtp = -1.0;
        delivered[i].gain_db = 3.25;
        delivered[i].tail_frames = 480;
    }
    struct engine_inserted inserted[] = {
        {.node = 8, .latency = 480, .copies = 2, .latency_changed = true, .seconds = 0.125}, {.node = 3, .copies = 1}};
    struct engine_render_result result = {.delivered = delivered,
                                          .inserted = inserted,
                                          .block = 1024,
                                          .blocks_in_flight = 4,
                                          .conformed_media = 1,
                                          .times = {.mix = 0.25, .plugins = 0.5, .wall = 1.0}};
    engine_result_write(&writer, LH_OK, &result, &shape, NULL);
}

START_TEST(results_round_trip)
{
    write_result();
    struct engine_delivered delivered[COUNT];
    memset(delivered, 0, sizeof delivered);
    struct engine_inserted inserted[2] = {{.copies = 0}};
    struct engine_render_result result = {.delivered = delivered, .inserted = inserted, .block = 5};
    enum lh_status outcome = LH_ERR_INTERNAL;
    struct lh_error failure = LH_ERROR_INIT;
    struct graph larger = shape;
    larger.deliverable_count++;
    for (size_t size = 0; size < writer.size; size++) {
        ck_assert_int_eq(engine_result_read(writer.data, size, &shape, &result, &outcome, &failure), LH_ERR_FORMAT);
    }
    ck_assert_int_eq(engine_result_read(writer.data, writer.size, &larger, &result, &outcome, &failure), LH_ERR_FORMAT);
    ck_assert(result.block == 5 && outcome == LH_ERR_INTERNAL && delivered[0].file.bytes == 0);
    ck_assert_int_eq(engine_result_read(writer.data, writer.size, &shape, &result, &outcome, &failure), LH_OK);
    ck_assert_int_eq(outcome, LH_OK);
    ck_assert(result.delivered == delivered && result.block == 1024 && result.times.mix == 0.25);
    ck_assert(result.inserted == inserted && result.times.plugins == 0.5);
    ck_assert(inserted[0].node == 8 && inserted[0].latency == 480 && inserted[0].copies == 2);
    ck_assert(inserted[0].latency_changed && !inserted[1].latency_changed && inserted[0].seconds == 0.125);
    ck_assert(delivered[2].file.bytes == 99 && delivered[2].tail_frames == 480 && delivered[2].gain_db == 3.25);
    ck_assert(isinf(delivered[1].measured.integrated_lufs) && delivered[1].reached.true_peak_dbtp == -1.0);
    ck_assert_str_eq(delivered[1].file.notes, "FLAC holds no loop points");
}
END_TEST

/* What no node of the graph can have come to. */
START_TEST(absurd_results_are_refused)
{
    for (int i = 0; i < 4; i++) {
        struct engine_inserted inserted[2] = {{.node = 1, .copies = 1}, {.node = 1, .copies = 1}};
        inserted[1].node = i == 0 ? 9 : 1;
        inserted[1].latency = i == 1 ? ENGINE_LATENCY_MAX + 1 : 0;
        inserted[1].copies = i == 2 ? 0 : i == 3 ? GRAPH_CHANNELS_MAX + 1 : 1;
        struct graph plugins = {.insert_count = 2, .node_count = 9};
        struct engine_render_result result = {.inserted = inserted};
        enum lh_status outcome;
        struct lh_error failure;
        teardown();
        engine_result_write(&writer, LH_OK, &result, &plugins, NULL);
        ck_assert_int_eq(engine_result_read(writer.data, writer.size, &plugins, &result, &outcome, &failure),
                         LH_ERR_FORMAT);
    }
}
END_TEST

START_TEST(failures_round_trip)
{
    struct lh_error error = LH_ERROR_INIT;
    lh_error_set(&error, LH_ERR_FAULT, "track kick, frame 5", "NaN");
    engine_result_write(&writer, LH_ERR_FAULT, NULL, NULL, &error);
    struct engine_render_result result = {.block = 5};
    enum lh_status outcome = LH_OK;
    struct lh_error failure = LH_ERROR_INIT;
    ck_assert_int_eq(engine_result_read(writer.data, writer.size, &shape, &result, &outcome, &failure), LH_OK);
    ck_assert_int_eq(outcome, LH_ERR_FAULT);
    ck_assert_int_eq(failure.code, LH_ERR_FAULT);
    ck_assert_str_eq(failure.where, "track kick, frame 5");
    writer.data[0] = 200; /* no status of ours */
    ck_assert_int_eq(engine_result_read(writer.data, writer.size, &shape, &result, &outcome, &failure), LH_ERR_FORMAT);
}
END_TEST

START_TEST(changed_bytes_do_no_harm)
{
    write_result();
    uint8_t *bytes = malloc(writer.size);
    srand(3);
    for (int round = 0; round < 20000; round++) {
        memcpy(bytes, writer.data, writer.size);
        bytes[(size_t)rand() % writer.size] ^= (uint8_t)(1 << rand() % 8);
        bytes[(size_t)rand() % writer.size] = (uint8_t)rand();
        struct engine_delivered delivered[COUNT];
        struct engine_render_result result = {.delivered = delivered};
        enum lh_status outcome;
        struct lh_error failure;
        struct engine_probe probes[COUNT];
        struct engine_hello hello;
        struct engine_request request;
        enum lh_status status = engine_result_read(bytes, writer.size, &shape, &result, &outcome, &failure);
        ck_assert(status == LH_OK || status == LH_ERR_FORMAT);
        ck_assert_int_eq(engine_facts_read(bytes, writer.size, probes, COUNT), LH_ERR_FORMAT);
        status = engine_hello_read(bytes, writer.size, &hello);
        ck_assert(status == LH_ERR_FORMAT || (status == LH_OK && hello.version != ENGINE_PROTOCOL_VERSION));
        status = engine_request_read(bytes, writer.size, &request);
        ck_assert(status == LH_OK || status == LH_ERR_FORMAT);
    }
    free(bytes);
}
END_TEST

START_TEST(allocations_may_fail)
{
    write_result();
    struct engine_delivered delivered[COUNT];
    struct engine_render_result result = {.delivered = delivered};
    enum lh_status outcome;
    struct lh_error failure;
    for (size_t n = 1; n <= 2; n++) {
        testing_fail_allocation(n);
        ck_assert_int_eq(engine_result_read(writer.data, writer.size, &shape, &result, &outcome, &failure),
                         LH_ERR_NO_MEMORY);
        ck_assert(testing_fail_allocation_end());
    }
    struct engine_probe probes[COUNT];
    testing_fail_allocation(1);
    ck_assert_int_eq(engine_facts_read(writer.data, writer.size, probes, COUNT), LH_ERR_NO_MEMORY);
    ck_assert(testing_fail_allocation_end());
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("engine/instance/protocol");
    TCase *test = tcase_create("protocol");
    tcase_add_checked_fixture(test, setup, teardown);
    tcase_add_test(test, hello_round_trips);
    tcase_add_test(test, other_versions_are_read);
    tcase_add_test(test, long_texts_are_refused);
    tcase_add_test(test, facts_round_trip);
    tcase_add_test(test, absurd_facts_are_refused);
    tcase_add_test(test, requests_round_trip);
    tcase_add_test(test, results_round_trip);
    tcase_add_test(test, absurd_results_are_refused);
    tcase_add_test(test, failures_round_trip);
    tcase_add_test(test, changed_bytes_do_no_harm);
    tcase_add_test(test, allocations_may_fail);
    suite_add_tcase(suite, test);
    return testing_main(suite);
}
