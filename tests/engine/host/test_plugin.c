/* SPDX-License-Identifier: MIT */
/* Instances: what reaches a plugin and what is made of what it gives. */
#include <math.h>
#include <signal.h>
#include <string.h>

#include "tests/engine/host/stage.h"

#define TEST "lv2:urn:loophole:test:"
#define HOSTILE "lv2:urn:loophole:hostile:"

static struct engine_host *host;
static float ramp[8192];

static void check_held(const float *samples, uint32_t from, uint32_t to, float value)
{
    for (uint32_t i = from; i < to; i++) {
        ck_assert_msg(samples[i] == value, "frame %u is %.9g, not %.9g", i, (double)samples[i], (double)value);
    }
}

START_TEST(parameters_are_at_their_defaults_and_can_be_set)
{
    struct engine_plugin *plugin = stage_plugin(host, TEST "gain2");
    ck_assert_uint_eq(engine_plugin_audio_inputs(plugin), 2);
    ck_assert_uint_eq(engine_plugin_audio_outputs(plugin), 2);
    ck_assert_uint_eq(engine_plugin_parameter(plugin, "nothing"), GRAPH_NONE);
    ck_assert_uint_eq(engine_plugin_parameter(plugin, "in_l"), GRAPH_NONE);
    ck_assert(engine_plugin_get(plugin, engine_plugin_parameter(plugin, "gain")) == 1.0f);
    stage_run(plugin, 0, 1024, ramp);
    ck_assert_mem_eq(engine_plugin_audio_output(plugin, 1), ramp, 1024 * sizeof *ramp);
    stage_set(plugin, "gain", 2.0f);
    stage_run(plugin, 1024, 1024, ramp);
    for (uint32_t i = 0; i < 1024; i++) {
        ck_assert(engine_plugin_audio_output(plugin, 0)[i] == 2.0f * ramp[i]);
    }
    engine_plugin_free(plugin, NULL, 0);
    engine_plugin_free(NULL, NULL, 0);
}
END_TEST

START_TEST(a_parameter_set_before_the_first_run_is_there_at_frame_0)
{
    struct engine_plugin *plugin = stage_plugin(host, TEST "parameter-teller");
    stage_set(plugin, "value", -3.5f);
    stage_run(plugin, 0, 64, NULL);
    check_held(engine_plugin_audio_output(plugin, 0), 0, 64, -3.5f);
    engine_plugin_free(plugin, NULL, 0);
}
END_TEST

START_TEST(the_host_announces_its_blocks_and_rate)
{
    struct engine_plugin *plugin = stage_plugin(host, TEST "options-teller");
    stage_run(plugin, 0, 16, NULL);
    const float wanted[] = {1.0f / 8192, 1024.0f / 8192, 1024.0f / 8192, 1.0f, 0.5f};
    for (uint32_t i = 0; i < 5; i++) {
        check_held(engine_plugin_audio_output(plugin, i), 0, 16, wanted[i]);
    }
    engine_plugin_free(plugin, NULL, 0);
}
END_TEST

START_TEST(it_is_enabled_and_wheels_freely)
{
    struct engine_plugin *plugin = stage_plugin(host, TEST "enabled-teller");
    stage_run(plugin, 0, 16, NULL);
    check_held(engine_plugin_audio_output(plugin, 0), 0, 16, 1.0f);
    check_held(engine_plugin_audio_output(plugin, 1), 0, 16, 1.0f);
    stage_set(plugin, "enabled", 0.0f);
    stage_run(plugin, 16, 16, NULL);
    check_held(engine_plugin_audio_output(plugin, 0), 0, 16, 0.0f);
    engine_plugin_free(plugin, NULL, 0);
}
END_TEST

START_TEST(live_is_said_only_to_those_who_insist)
{
    struct engine_plugin *plugin = stage_plugin(host, TEST "is-live");
    stage_run(plugin, 0, 16, NULL);
    check_held(engine_plugin_audio_output(plugin, 0), 0, 16, 0.0f);
    engine_plugin_free(plugin, NULL, 0);
    plugin = stage_plugin(host, TEST "requires-live");
    stage_run(plugin, 0, 16, ramp);
    ck_assert_mem_eq(engine_plugin_audio_output(plugin, 0), ramp, 16 * sizeof *ramp);
    engine_plugin_free(plugin, NULL, 0);
}
END_TEST

START_TEST(ranges_scale_with_the_rate)
{
    struct engine_plugin_config config = stage_config(TEST "scaled-range");
    config.sample_rate = 96000;
    struct engine_plugin *plugin;
    ck_assert_int_eq(engine_plugin_new(host, &config, NULL, 0, &plugin, NULL), LH_OK);
    ck_assert(engine_plugin_get(plugin, engine_plugin_parameter(plugin, "frequency")) == 24000.0f);
    stage_run(plugin, 0, 16, NULL);
    check_held(engine_plugin_audio_output(plugin, 0), 0, 16, 0.25f);
    engine_plugin_free(plugin, NULL, 0);
}
END_TEST

START_TEST(side_chains_and_optional_ports_have_buffers)
{
    struct engine_plugin *plugin = stage_plugin(host, TEST "sidechain-stereo");
    ck_assert_uint_eq(engine_plugin_audio_inputs(plugin), 2);
    ck_assert_uint_eq(engine_plugin_sidechain_inputs(plugin), 2);
    for (uint32_t i = 0; i < 64; i++) {
        engine_plugin_sidechain_input(plugin, 0)[i] = 0.5f;
        engine_plugin_sidechain_input(plugin, 1)[i] = 2.0f;
    }
    stage_run(plugin, 0, 64, ramp);
    for (uint32_t i = 0; i < 64; i++) {
        ck_assert(engine_plugin_audio_output(plugin, 0)[i] == 0.5f * ramp[i]);
        ck_assert(engine_plugin_audio_output(plugin, 1)[i] == 2.0f * ramp[i]);
    }
    engine_plugin_free(plugin, NULL, 0);
    plugin = stage_plugin(host, TEST "optional");
    ck_assert_uint_eq(engine_plugin_audio_inputs(plugin), 2);
    stage_run(plugin, 0, 64, ramp);
    ck_assert(engine_plugin_audio_output(plugin, 0)[3] == 2.0f * ramp[3]);
    engine_plugin_free(plugin, NULL, 0);
    plugin = stage_plugin(host, TEST "cv-in");
    stage_run(plugin, 0, 64, ramp);
    ck_assert_mem_eq(engine_plugin_audio_output(plugin, 0), ramp, 64 * sizeof *ramp);
    engine_plugin_free(plugin, NULL, 0);
}
END_TEST

START_TEST(notes_arrive_at_their_frames)
{
    struct engine_plugin *plugin = stage_plugin(host, TEST "event-teller");
    ck_assert(engine_plugin_takes_notes(plugin));
    const struct graph_event events[] = {
        {.frame = 2048, .size = 3, .bytes = {0x90, 64, 32}},
        {.frame = 2048 + 100, .size = 2, .bytes = {0xC3, 96}},
        {.frame = 2048 + 1023, .size = 1, .bytes = {0xD0}},
    };
    const struct engine_plugin_chunk chunk = {.frame = 2048, .frames = 1024, .events = events, .event_count = 3};
    stage_run_chunk(plugin, &chunk);
    const float *status = engine_plugin_audio_output(plugin, 0);
    const float *first = engine_plugin_audio_output(plugin, 1);
    const float *second = engine_plugin_audio_output(plugin, 2);
    ck_assert(status[0] == 144.0f / 256 && first[0] == 0.5f && second[0] == 0.25f);
    ck_assert(status[100] == 195.0f / 256 && first[100] == 0.75f && second[100] == 0.0f);
    ck_assert(status[1023] == 208.0f / 256 && first[1023] == 0.0f);
    check_held(status, 1, 100, 0.0f);
    check_held(status, 101, 1023, 0.0f);
    stage_run(plugin, 3072, 1024, NULL); /* none is told twice */
    check_held(status, 0, 1024, 0.0f);
    engine_plugin_free(plugin, NULL, 0);
}
END_TEST

START_TEST(more_events_than_fit_are_a_limit)
{
    static struct graph_event events[5000];
    for (size_t i = 0; i < 5000; i++) {
        events[i] = (struct graph_event){.frame = 0, .size = 3, .bytes = {0xB0, 1, 2}};
    }
    struct engine_plugin *plugin = stage_plugin(host, TEST "click-synth");
    struct engine_plugin_chunk chunk = {.frames = 64, .events = events, .event_count = 2700};
    int64_t frame = -1;
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_int_eq(engine_plugin_run(plugin, &chunk, NULL, 0, &frame, &error), LH_OK);
    chunk.event_count = 5000;
    ck_assert_int_eq(engine_plugin_run(plugin, &chunk, NULL, 0, &frame, &error), LH_ERR_LIMIT);
    ck_assert_str_eq(error.message, "more events at once than its port events holds (65536 bytes)");
    engine_plugin_free(plugin, NULL, 0);
}
END_TEST

START_TEST(musical_time_arrives)
{
    struct engine_plugin *plugin = stage_plugin(host, TEST "position-teller");
    const struct engine_position position = {
        .bpm = 90.0, .beat = 10.5, .bar = 3, .bar_beat = 2.0, .numerator = 6, .denominator = 8};
    const struct engine_plugin_chunk chunk = {.frame = 262144, .frames = 64, .position = &position};
    stage_run_chunk(plugin, &chunk);
    /* Beats are eighths: 180 a minute, the 21st from the start. */
    const float wanted[] = {0.18f, 3.0f, 2.0f, 21.0f, 6.0f, 8.0f, 1.0f, 0.25f};
    for (uint32_t i = 0; i < 8; i++) {
        check_held(engine_plugin_audio_output(plugin, i), 0, 64, wanted[i]);
    }
    engine_plugin_free(plugin, NULL, 0);
}
END_TEST

START_TEST(properties_are_sent_when_they_change)
{
    struct engine_plugin *plugin = stage_plugin(host, TEST "property");
    ck_assert(engine_plugin_get(plugin, engine_plugin_parameter(plugin, "level")) == 1.0f);
    stage_run(plugin, 0, 64, ramp);
    ck_assert(engine_plugin_audio_output(plugin, 0)[5] == ramp[5]);
    stage_set(plugin, "level", 3.0f);
    ck_assert(engine_plugin_get(plugin, engine_plugin_parameter(plugin, "level")) == 3.0f);
    stage_run(plugin, 64, 64, ramp);
    ck_assert(engine_plugin_audio_output(plugin, 0)[0] == 3.0f * ramp[0]);
    ck_assert(engine_plugin_audio_output(plugin, 0)[5] == 3.0f * ramp[5]);
    engine_plugin_free(plugin, NULL, 0);
}
END_TEST

START_TEST(event_outputs_have_the_room_that_they_ask_for)
{
    struct engine_plugin *plugin = stage_plugin(host, TEST "capacity-teller");
    for (int64_t frame = 0; frame < 256; frame += 64) {
        stage_run(plugin, frame, 64, NULL);
        check_held(engine_plugin_audio_output(plugin, 0), 0, 64, 65536.0f / 1048576);
    }
    engine_plugin_free(plugin, NULL, 0);
}
END_TEST

START_TEST(a_workers_responses_follow_the_run_that_asked)
{
    struct engine_plugin *plugin = stage_plugin(host, TEST "worker-doubler");
    stage_run(plugin, 0, 64, ramp);
    ck_assert_mem_eq(engine_plugin_audio_output(plugin, 0), ramp, 64 * sizeof *ramp);
    for (int64_t frame = 64; frame < 256; frame += 64) {
        stage_run(plugin, frame, 64, ramp);
        for (uint32_t i = 0; i < 64; i++) {
            ck_assert(engine_plugin_audio_output(plugin, 0)[i] == 2.0f * ramp[i]);
        }
    }
    engine_plugin_free(plugin, NULL, 0);
}
END_TEST

START_TEST(latency_is_read_after_each_run)
{
    struct engine_plugin *plugin = stage_plugin(host, TEST "late");
    stage_set(plugin, "after", 1000.0f);
    stage_run(plugin, 0, 1000, NULL);
    ck_assert_uint_eq(engine_plugin_latency(plugin), 480);
    stage_run(plugin, 1000, 1000, NULL);
    ck_assert_uint_eq(engine_plugin_latency(plugin), 960);
    engine_plugin_free(plugin, NULL, 0);
    const char *symbol = "delay";
    const float value = 77.0f;
    uint32_t latency = 0;
    struct engine_plugin_config config = stage_config(TEST "latent");
    ck_assert_int_eq(engine_plugin_measure_latency(host, &config, &symbol, &value, 1, NULL, 0, &latency, NULL), LH_OK);
    ck_assert_uint_eq(latency, 77);
}
END_TEST

static const struct {
    const char *uri;
    uint32_t latency;
} odd[] = {{HOSTILE "latency-negative", 0}, {HOSTILE "latency-huge", ENGINE_LATENCY_MAX}, {HOSTILE "latency-nan", 0}};

START_TEST(odd_latencies_are_bounded)
{
    struct engine_host *hostile = stage_host(STAGE_HOSTILE);
    struct engine_plugin *plugin = stage_plugin(hostile, odd[_i].uri);
    stage_set(plugin, "after", 0.0f);
    stage_run(plugin, 0, 1024, NULL);
    stage_run(plugin, 1024, 1024, NULL);
    ck_assert_uint_eq(engine_plugin_latency(plugin), odd[_i].latency);
    engine_plugin_free(plugin, NULL, 0);
    engine_host_free(hostile);
}
END_TEST

START_TEST(denormals_are_zero_inside)
{
    struct engine_plugin *plugin = stage_plugin(host, TEST "denormal-teller");
    stage_run(plugin, 0, 16, NULL);
    check_held(engine_plugin_audio_output(plugin, 0), 0, 16, 0.0f);
    engine_plugin_free(plugin, NULL, 0);
}
END_TEST

/* A plugin that leaves an output alone does not give what the host keeps there between runs. */
START_TEST(lengths_change_from_run_to_run)
{
    struct engine_plugin *plugin = stage_plugin(host, TEST "gain");
    const uint32_t lengths[] = {1024, 1, 64, 1000, 7, 1024, 512, 513};
    int64_t frame = 0;
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        stage_run(plugin, frame, lengths[i], ramp);
        ck_assert_mem_eq(engine_plugin_audio_output(plugin, 0), ramp, lengths[i] * sizeof *ramp);
        frame += lengths[i];
    }
    engine_plugin_free(plugin, NULL, 0);
}
END_TEST

static const struct {
    const char *uri, *message;
} faulty[] = {{HOSTILE "nan", "gives NaN, output out_r"}, {HOSTILE "inf", "gives infinity, output out_r"}};

START_TEST(faults_are_named_with_their_frame)
{
    struct engine_host *hostile = stage_host(STAGE_HOSTILE);
    struct engine_plugin *plugin = stage_plugin(hostile, faulty[_i].uri);
    stage_set(plugin, "after", 3000.0f);
    struct lh_error error = LH_ERROR_INIT;
    int64_t fault_frame = -1;
    enum lh_status status = LH_OK;
    int64_t frame = 0;
    for (; status == LH_OK && frame < 8192; frame += 1024) {
        const struct engine_plugin_chunk chunk = {.frame = frame, .frames = 1024};
        status = engine_plugin_run(plugin, &chunk, NULL, 0, &fault_frame, &error);
    }
    ck_assert_int_eq(status, LH_ERR_FAULT);
    ck_assert_str_eq(error.message, faulty[_i].message);
    ck_assert_str_eq(error.where, faulty[_i].uri);
    ck_assert_int_ge(fault_frame, 2048);
    ck_assert_int_lt(fault_frame, frame);
    engine_plugin_free(plugin, NULL, 0);
    engine_host_free(hostile);
}
END_TEST

START_TEST(writing_past_a_port_ends_in_a_guard_page)
{
    struct engine_host *hostile = stage_host(STAGE_HOSTILE);
    struct engine_plugin *plugin = stage_plugin(hostile, HOSTILE "write-past");
    stage_set(plugin, "after", 0.0f);
    for (int64_t frame = 0; frame < 8192; frame += 1024) {
        stage_run(plugin, frame, 1024, NULL);
    }
}
END_TEST

START_TEST(writing_behind_a_short_chunk_is_a_fault)
{
    struct engine_host *hostile = stage_host(STAGE_HOSTILE);
    struct engine_plugin *plugin = stage_plugin(hostile, HOSTILE "write-past");
    stage_set(plugin, "after", 0.0f);
    struct lh_error error = LH_ERROR_INIT;
    int64_t fault_frame = -1;
    enum lh_status status = LH_OK;
    for (int64_t frame = 0; status == LH_OK && frame < 1000; frame += 100) {
        const struct engine_plugin_chunk chunk = {.frame = frame, .frames = 100};
        status = engine_plugin_run(plugin, &chunk, NULL, 0, &fault_frame, &error);
    }
    ck_assert_int_eq(status, LH_ERR_FAULT);
    ck_assert_ptr_nonnull(strstr(error.message, "writes behind the 100 frames that it was asked for, output out_"));
    engine_plugin_free(plugin, NULL, 0);
    engine_host_free(hostile);
}
END_TEST

static const struct {
    const char *bundle, *uri;
    enum lh_status status;
    const char *message;
} unmade[] = {
    {STAGE_FRIENDLY, TEST "nobody", LH_ERR_MISSING, "no bundle that was named holds this plugin"},
    {STAGE_FRIENDLY, TEST "requires-unknown", LH_ERR_UNSUPPORTED, "needs the feature urn:nobody"},
    {STAGE_LIAR, HOSTILE "liar-refuses", LH_ERR_FAULT, "gave no instance"},
    {STAGE_LIAR, HOSTILE "liar-not-in-binary", LH_ERR_FAULT, "its binary does not hold it"},
    {STAGE_LIAR, HOSTILE "liar-no-functions", LH_ERR_FAULT, "its binary lacks functions that it must have"},
    {STAGE_LIAR, HOSTILE "liar-text-binary", LH_ERR_FAULT, "its binary cannot be loaded: "},
    {STAGE_UNRESOLVED, HOSTILE "unresolved", LH_ERR_FAULT, "its binary cannot be loaded: "},
};

START_TEST(no_instance_says_why)
{
    struct engine_host *other = stage_host(unmade[_i].bundle);
    struct engine_plugin_config config = stage_config(unmade[_i].uri);
    struct engine_plugin *plugin = NULL;
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_int_eq(engine_plugin_new(other, &config, NULL, 0, &plugin, &error), unmade[_i].status);
    ck_assert_ptr_null(plugin);
    ck_assert_msg(strncmp(error.message, unmade[_i].message, strlen(unmade[_i].message)) == 0, "%s", error.message);
    ck_assert_str_eq(error.where, unmade[_i].uri);
    engine_host_free(other);
}
END_TEST

START_TEST(instances_are_independent)
{
    struct engine_plugin *alone = stage_plugin(host, TEST "tail");
    float wanted[4096];
    for (uint32_t i = 0; i < 4; i++) {
        stage_run(alone, i * 1024, 1024, ramp + i * 1024);
        memcpy(wanted + i * 1024, engine_plugin_audio_output(alone, 0), 1024 * sizeof *wanted);
    }
    engine_plugin_free(alone, NULL, 0);
    struct engine_plugin *one = stage_plugin(host, TEST "tail");
    struct engine_plugin *two = stage_plugin(host, TEST "tail");
    for (uint32_t i = 0; i < 4; i++) {
        stage_run(two, i * 1024, 1024, ramp + 2048);
        stage_run(one, i * 1024, 1024, ramp + i * 1024);
        ck_assert_mem_eq(engine_plugin_audio_output(one, 0), wanted + i * 1024, 1024 * sizeof *wanted);
    }
    engine_plugin_free(two, NULL, 0);
    engine_plugin_free(one, NULL, 0);
}
END_TEST

START_TEST(the_watch_sees_every_call)
{
    struct engine_watch_slot slot = {.phase = ENGINE_WATCH_OUTSIDE};
    struct engine_plugin_config config = stage_config(TEST "gain");
    struct engine_plugin *plugin;
    ck_assert_int_eq(engine_plugin_new(host, &config, &slot, 12, &plugin, NULL), LH_OK);
    uint64_t made = slot.calls;
    ck_assert_uint_ge(made, 2);
    const struct engine_plugin_chunk chunk = {.frame = 5000, .frames = 64};
    int64_t frame;
    ck_assert_int_eq(engine_plugin_run(plugin, &chunk, &slot, 12, &frame, NULL), LH_OK);
    ck_assert_uint_eq(slot.calls, made + 2); /* activated, run */
    ck_assert_int_eq(slot.frame, 5000);
    ck_assert_uint_eq(slot.node, 12);
    ck_assert_uint_eq(slot.phase, ENGINE_WATCH_OUTSIDE);
    engine_plugin_free(plugin, &slot, 12);
    ck_assert_uint_eq(slot.calls, made + 3);
}
END_TEST

START_TEST(memory_that_runs_out_is_a_status)
{
    for (size_t n = 1;; n++) {
        struct engine_plugin_config config = stage_config(TEST "state-holder");
        config.preset = "urn:loophole:test:twice";
        struct engine_host *own = stage_host(STAGE_FRIENDLY);
        struct engine_plugin *plugin = NULL;
        testing_fail_allocation(n);
        enum lh_status status = engine_plugin_new(own, &config, NULL, 0, &plugin, NULL);
        bool failed = testing_fail_allocation_end();
        engine_plugin_free(plugin, NULL, 0);
        engine_host_free(own);
        if (!failed) {
            ck_assert_int_eq(status, LH_OK);
            break;
        }
        ck_assert_int_eq(status, LH_ERR_NO_MEMORY);
        ck_assert_ptr_null(plugin);
    }
}
END_TEST

static void set_up(void)
{
    host = stage_host(STAGE_FRIENDLY);
    for (uint32_t i = 0; i < 8192; i++) {
        ramp[i] = ((float)(i % 997) - 498.0f) / 1024.0f;
    }
}

static void tear_down(void)
{
    engine_host_free(host);
}

int main(void)
{
    Suite *suite = suite_create("engine/host/plugin");
    TCase *tests = tcase_create("plugin");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, parameters_are_at_their_defaults_and_can_be_set);
    tcase_add_test(tests, a_parameter_set_before_the_first_run_is_there_at_frame_0);
    tcase_add_test(tests, the_host_announces_its_blocks_and_rate);
    tcase_add_test(tests, it_is_enabled_and_wheels_freely);
    tcase_add_test(tests, live_is_said_only_to_those_who_insist);
    tcase_add_test(tests, ranges_scale_with_the_rate);
    tcase_add_test(tests, side_chains_and_optional_ports_have_buffers);
    tcase_add_test(tests, notes_arrive_at_their_frames);
    tcase_add_test(tests, more_events_than_fit_are_a_limit);
    tcase_add_test(tests, musical_time_arrives);
    tcase_add_test(tests, properties_are_sent_when_they_change);
    tcase_add_test(tests, event_outputs_have_the_room_that_they_ask_for);
    tcase_add_test(tests, a_workers_responses_follow_the_run_that_asked);
    tcase_add_test(tests, latency_is_read_after_each_run);
    tcase_add_loop_test(tests, odd_latencies_are_bounded, 0, (int)(sizeof odd / sizeof *odd));
    tcase_add_test(tests, denormals_are_zero_inside);
    tcase_add_test(tests, lengths_change_from_run_to_run);
    tcase_add_loop_test(tests, faults_are_named_with_their_frame, 0, (int)(sizeof faulty / sizeof *faulty));
    tcase_add_test_raise_signal(tests, writing_past_a_port_ends_in_a_guard_page, SIGSEGV);
    tcase_add_test(tests, writing_behind_a_short_chunk_is_a_fault);
    tcase_add_loop_test(tests, no_instance_says_why, 0, (int)(sizeof unmade / sizeof *unmade));
    tcase_add_test(tests, instances_are_independent);
    tcase_add_test(tests, the_watch_sees_every_call);
    tcase_add_test(tests, memory_that_runs_out_is_a_status);
    suite_add_tcase(suite, tests);
    return testing_main(suite);
}
