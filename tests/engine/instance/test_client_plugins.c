/* SPDX-License-Identifier: MIT */
/* engine/instance/client_plugins.c and serve_plugins.c against a double of the plugins' host. The program is
   $FAKE_SIGNAL. */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine/instance/client.h"
#include "tests/engine/instance/fake_engine.h"
#include "tests/support/testing.h"

static struct engine_instance *instance;
static struct lh_arena arena;
static struct lh_error error;

static void setup(void)
{
    error = LH_ERROR_INIT;
    lh_arena_init(&arena);
    struct engine_instance_options options = {.program = getenv("FAKE_SIGNAL"), .hang_ms = 300};
    ck_assert_msg(engine_instance_spawn(&options, &instance, &error) == LH_OK, "%s", error.message);
}

static void teardown(void)
{
    engine_instance_free(instance);
    lh_arena_fini(&arena);
}

static int open_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    int count = 0;
    while (readdir(folder) != NULL) {
        count++;
    }
    closedir(folder);
    return count;
}

static int file_of(off_t size)
{
    int fd = memfd_create("file", MFD_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(ftruncate(fd, size), 0);
    return fd;
}

START_TEST(plugins_are_described)
{
    const char *bundle = "/somewhere/fake.lv2/";
    struct graph_plugin_facts *facts = NULL;
    size_t count = 0;
    const char *notes = NULL;
    ck_assert_msg(engine_instance_describe(instance, &arena, &bundle, 1, NULL, 0, &facts, &count, &notes, &error) ==
                      LH_OK,
                  "%s", error.message);
    ck_assert_uint_eq(count, 2);
    ck_assert_str_eq(facts[0].uri, FAKE_URI "eq");
    ck_assert_str_eq(facts[1].uri, FAKE_URI "reverb");
    ck_assert_str_eq(facts[1].name, "Fake  [31mplugin");
    ck_assert_str_eq(facts[1].bundle, bundle);
    ck_assert_uint_eq(facts[1].port_count, 2);
    ck_assert_str_eq(notes, FAKE_ODD ": its data [2J make no sense\n");
    const char *uris[] = {FAKE_URI "nothing", FAKE_URI "reverb"};
    ck_assert_int_eq(engine_instance_describe(instance, &arena, &bundle, 1, uris, 2, &facts, &count, &notes, &error),
                     LH_OK);
    ck_assert_uint_eq(count, 1);
    ck_assert_str_eq(facts[0].uri, uris[1]);
    ck_assert_str_eq(notes, "");
    ck_assert_int_eq(engine_instance_describe(instance, &arena, NULL, 0, NULL, 0, &facts, &count, &notes, &error),
                     LH_ERR_MISSING);
    ck_assert_str_eq(error.message, "no bundle");
    ck_assert_int_eq(
        engine_instance_describe(instance, &arena, NULL, (size_t)1 << 20, NULL, 0, &facts, &count, &notes, &error),
        LH_ERR_LIMIT);
}
END_TEST

START_TEST(midi_files_are_read)
{
    enum { COUNT = 300 };
    static struct engine_midi_probe midi[COUNT];
    int fds[COUNT];
    for (int i = 0; i < COUNT; i++) {
        fds[i] = file_of(i % 7 == 0 ? 0 : 10 + i);
    }
    int before = open_descriptors();
    ck_assert_msg(engine_instance_read_midi(instance, fds, COUNT, midi, &error) == LH_OK, "%s", error.message);
    for (int i = 0; i < COUNT; i++) {
        ck_assert_int_eq(midi[i].status, i % 7 == 0 ? LH_ERR_FORMAT : LH_OK);
        ck_assert(i % 7 == 0 || midi[i].midi.event_count == (size_t)(10 + i));
        engine_midi_fini(&midi[i].midi);
        close(fds[i]);
    }
    ck_assert_int_eq(open_descriptors(), before - COUNT);
    ck_assert_str_eq(midi[0].error.message, "this is no MIDI file");
    ck_assert_int_eq(engine_instance_read_midi(instance, NULL, 0, NULL, &error), LH_OK);
}
END_TEST

static enum lh_status try_one(const char *uri, struct engine_trial_result *result)
{
    struct engine_trial trial = {
        .uri = uri, .bundle = "/fake.lv2/", .sample_rate = 48000, .quantum = 1024, .block = 7, .frames = 4800};
    return engine_instance_try(instance, &trial, result, &error);
}

START_TEST(plugins_are_tried)
{
    int before = open_descriptors();
    struct engine_trial_result result = {.latency = 0};
    for (int i = 0; i < 3; i++) {
        ck_assert_msg(try_one(FAKE_URI "eq", &result) == LH_OK, "%s", error.message);
    }
    ck_assert(result.status == LH_OK && result.latency == 1024 && result.samples.bytes[31] == 7 && result.audible);
    ck_assert(result.tail_frames == 4800 && result.peak == 0.5f && result.ns_per_frame == 2.5);
    ck_assert_int_eq(try_one(FAKE_URI "missing", &result), LH_ERR_MISSING);
    ck_assert_str_eq(error.message, "there is no such plugin in /fake.lv2/");
    ck_assert_int_eq(try_one("", &result), LH_ERR_FORMAT);
    struct engine_trial silent = {
        .uri = FAKE_URI "eq", .bundle = "/fake.lv2/", .sample_rate = 48000, .quantum = 64, .silence = true};
    ck_assert_int_eq(engine_instance_try(instance, &silent, &result, &error), LH_OK);
    ck_assert_int_eq(result.status, LH_ERR_FAULT);
    ck_assert_str_eq(result.message, "gives NaN");
    ck_assert_int_eq(open_descriptors(), before);
}
END_TEST

START_TEST(what_ends_a_trial_is_told)
{
    struct engine_trial_result result;
    ck_assert_int_eq(try_one(FAKE_URI "segv", &result), LH_ERR_CRASHED);
    ck_assert_str_eq(error.message, "the plugin " FAKE_URI "segv crashed: signal 11 (Segmentation fault)");
    ck_assert_str_eq(error.where, "frame 512");
    ck_assert_int_eq(try_one(FAKE_URI "eq", &result), LH_ERR_CRASHED);
    teardown();
    setup();
    ck_assert_int_eq(try_one(FAKE_URI "hang", &result), LH_ERR_CRASHED);
    ck_assert_str_eq(error.message, "the plugin " FAKE_URI "hang hangs: one call took longer than 300 ms");
}
END_TEST

static bool go_on(void *context)
{
    return ++*(int *)context < 3;
}

START_TEST(a_trial_can_be_left)
{
    int calls = 0;
    engine_instance_watch(instance, go_on, &calls);
    struct engine_trial_result result;
    ck_assert_int_eq(try_one(FAKE_URI "hang", &result), LH_ERR_CANCELLED);
    ck_assert_int_eq(try_one(FAKE_URI "eq", &result), LH_ERR_CRASHED);
}
END_TEST

START_TEST(allocations_may_fail)
{
    bool fired = true;
    struct engine_trial_result result;
    for (size_t n = 1; fired; n++) {
        teardown();
        setup();
        ck_assert_int_eq(engine_instance_probe(instance, NULL, 0, NULL, &error), LH_OK);
        testing_fail_allocation(n);
        enum lh_status status = try_one(FAKE_URI "eq", &result);
        fired = testing_fail_allocation_end();
        ck_assert_int_eq(status, fired ? LH_ERR_NO_MEMORY : LH_OK);
    }
    fired = true;
    for (size_t n = 1; fired; n++) {
        teardown();
        setup();
        ck_assert_int_eq(engine_instance_probe(instance, NULL, 0, NULL, &error), LH_OK);
        const char *bundle = "/fake.lv2/";
        struct graph_plugin_facts *facts = NULL;
        size_t count = 0;
        const char *notes = NULL;
        testing_fail_allocation(n);
        enum lh_status status =
            engine_instance_describe(instance, &arena, &bundle, 1, NULL, 0, &facts, &count, &notes, &error);
        fired = testing_fail_allocation_end();
        ck_assert_int_eq(status, fired ? LH_ERR_NO_MEMORY : LH_OK);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("engine/instance/client_plugins");
    TCase *test = tcase_create("plugins");
    tcase_set_timeout(test, 60);
    tcase_add_checked_fixture(test, setup, teardown);
    tcase_add_test(test, plugins_are_described);
    tcase_add_test(test, midi_files_are_read);
    tcase_add_test(test, plugins_are_tried);
    tcase_add_test(test, what_ends_a_trial_is_told);
    tcase_add_test(test, a_trial_can_be_left);
    tcase_add_test(test, allocations_may_fail);
    suite_add_tcase(suite, test);
    return testing_main(suite);
}
