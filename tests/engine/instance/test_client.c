/* SPDX-License-Identifier: MIT */
/* engine/instance/client.c and process.c against a double of Signal, and against a child that lies. The programs are
   $FAKE_SIGNAL and $FAKE_LIAR. */
#include "engine/instance/client.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/engine/instance/fake_engine.h"
#include "tests/graph/fixture.h"
#include "tests/support/testing.h"

#define MANY_OUTPUTS 100

static struct engine_instance *instance;
static struct lh_error error;

static void start(const char *variable)
{
    error = LH_ERROR_INIT;
    struct engine_instance_options options = {.program = getenv(variable)};
    ck_assert_msg(engine_instance_spawn(&options, &instance, &error) == LH_OK, "%s", error.message);
}

static void setup(void)
{
    start("FAKE_SIGNAL");
}

static void teardown(void)
{
    engine_instance_free(instance);
    instance = NULL;
}

static int file_of(off_t size)
{
    int fd = memfd_create("medium", MFD_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(ftruncate(fd, size), 0);
    return fd;
}

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* One silent bus, delivered `outputs` times. */
static const struct graph *silence(uint32_t outputs)
{
    struct graph_builder *builder;
    ck_assert_int_eq(graph_builder_new(48000, 1024, &builder), LH_OK);
    uint32_t index;
    ck_assert_int_eq(graph_builder_add_sum(builder, GRAPH_NODE_BUS, 1, false, NULL, 0, "bus", &index), LH_OK);
    for (uint32_t i = 0; i < outputs; i++) {
        struct graph_deliverable mix = fixture_deliverable(0, "mix");
        ck_assert_int_eq(graph_builder_add_deliverable(builder, &mix, NULL, 0, &index), LH_OK);
    }
    const struct graph *graph = NULL;
    ck_assert_int_eq(graph_builder_finish(builder, &graph, NULL), LH_OK);
    graph_builder_free(builder);
    return graph;
}

/* What on_progress saw, and what it is to say. */
struct watching {
    int calls;
    int cancel_at; /* 0: never */
    bool first_seen;
    uint64_t child;
    int report_fd; /* where the child's process id goes, or -1 */
};

static bool on_progress(void *context, const struct engine_progress *progress)
{
    struct watching *watching = context;
    watching->calls++;
    watching->first_seen = watching->first_seen || atomic_load(&progress->first_block_ns) != 0;
    watching->child = atomic_load(&progress->frames);
    if (watching->report_fd >= 0 && watching->child != 0) {
        if (write(watching->report_fd, &watching->child, sizeof watching->child) < 0) {
            abort();
        }
        watching->report_fd = -1;
    }
    return watching->cancel_at == 0 || watching->calls < watching->cancel_at;
}

static enum lh_status render(uint32_t threads, uint32_t outputs, struct watching *watching,
                             struct engine_render_result *result)
{
    const struct graph *graph = silence(outputs);
    int *fds = malloc(outputs * sizeof *fds);
    for (uint32_t i = 0; i < outputs; i++) {
        fds[i] = i % 3 == 1 ? -1 : file_of(0);
    }
    int scratch = file_of(0);
    struct engine_instance_render request = {.graph = graph,
                                             .output_fds = fds,
                                             .scratch_fd = scratch,
                                             .threads = threads,
                                             .block = 2048,
                                             .report = true,
                                             .on_progress = watching != NULL ? on_progress : NULL,
                                             .context = watching};
    enum lh_status status = engine_instance_render(instance, &request, result, &error);
    for (uint32_t i = 0; i < outputs; i++) {
        uint32_t written = UINT32_MAX;
        if (fds[i] >= 0) {
            /* Each output got what was meant for it. */
            ck_assert(status != LH_OK || pread(fds[i], &written, sizeof written, 0) == (ssize_t)sizeof written);
            ck_assert(status != LH_OK || written == i);
            close(fds[i]);
        }
    }
    close(scratch);
    free(fds);
    graph_unref(graph);
    return status;
}

static enum lh_status render_plainly(uint32_t threads, struct watching *watching)
{
    struct engine_delivered delivered[2];
    struct engine_render_result result = {.delivered = delivered};
    return render(threads, 2, watching, &result);
}

START_TEST(media_are_probed)
{
    enum { COUNT = 450 };
    static struct engine_probe probes[COUNT];
    int fds[COUNT];
    for (int i = 0; i < COUNT; i++) {
        fds[i] = file_of(i % 7 == 0 ? 0 : 1000 + i);
    }
    ck_assert_msg(engine_instance_probe(instance, fds, COUNT, probes, &error) == LH_OK, "%s", error.message);
    for (int i = 0; i < COUNT; i++) {
        ck_assert_int_eq(probes[i].status, i % 7 == 0 ? LH_ERR_FORMAT : LH_OK);
        ck_assert(i % 7 == 0 || probes[i].facts.frames == (uint64_t)(1000 + i));
        close(fds[i]);
    }
    ck_assert_str_eq(probes[0].error.message, "this is no [31m sound file");
    ck_assert_str_eq(engine_instance_libraries(instance), "fake-1.0 host-2.0");
    ck_assert_uint_gt(strlen(engine_instance_cpu_class(instance)), 0);
    ck_assert_int_eq(engine_instance_probe(instance, NULL, 0, NULL, &error), LH_OK);
}
END_TEST

START_TEST(results_come_back)
{
    struct engine_delivered *delivered = calloc(MANY_OUTPUTS, sizeof *delivered);
    struct engine_render_result result = {.delivered = delivered};
    struct watching watching = {.report_fd = -1};
    ck_assert_msg(render(2, MANY_OUTPUTS, &watching, &result) == LH_OK, "%s", error.message);
    ck_assert_uint_eq(result.block, 2048);
    for (uint32_t i = 0; i < MANY_OUTPUTS; i++) {
        ck_assert_uint_eq(delivered[i].file.frames, 1000 + i);
        ck_assert(delivered[i].has_loudness && isinf(delivered[i].measured.integrated_lufs));
        ck_assert_uint_eq(strlen(delivered[i].file.notes), ENGINE_NOTES_SIZE - 1);
    }
    ck_assert(watching.first_seen);
    /* And the instance is ready for the next. */
    ck_assert_int_eq(render(2, MANY_OUTPUTS, NULL, &result), LH_OK);
    free(delivered);
}
END_TEST

START_TEST(node_faults_are_told)
{
    ck_assert_int_eq(render_plainly(FAKE_FAULT, NULL), LH_ERR_FAULT);
    ck_assert_str_eq(error.where, "track kick, frame 4711");
    ck_assert_str_eq(error.message, "the sample is not a number");
    ck_assert_int_eq(render_plainly(1, NULL), LH_OK);
}
END_TEST

START_TEST(kernels_are_named)
{
    const struct graph *graph = silence(1);
    struct engine_delivered delivered;
    struct engine_render_result result = {.delivered = &delivered};
    int none = -1;
    int scratch = file_of(0);
    struct engine_instance_render request = {
        .graph = graph, .output_fds = &none, .scratch_fd = scratch, .threads = 1, .kernels = FAKE_KERNELS};
    ck_assert_int_eq(engine_instance_render(instance, &request, &result, &error), LH_OK);
    request.kernels = "mmx";
    ck_assert_int_eq(engine_instance_render(instance, &request, &result, &error), LH_ERR_USAGE);
    close(scratch);
    graph_unref(graph);
}
END_TEST

START_TEST(crashes_are_told)
{
    double begun = now_s();
    ck_assert_int_eq(render_plainly(FAKE_CRASH, NULL), LH_ERR_CRASHED);
    ck_assert_msg(strstr(error.message, "signal 11") != NULL, "%s", error.message);
    ck_assert(now_s() - begun < 1.0);
    ck_assert(!engine_instance_was_killed(instance));
    ck_assert_int_eq(render_plainly(1, NULL), LH_ERR_CRASHED);
    ck_assert_int_eq(engine_instance_probe(instance, NULL, 0, NULL, &error), LH_ERR_CRASHED);
    teardown();
    setup();
    ck_assert_int_eq(render_plainly(FAKE_EXIT, NULL), LH_ERR_CRASHED);
    ck_assert_str_eq(error.message,
                     "the signal instance ended by itself with exit status 7; its last words: out of? order");
    teardown();
    setup();
    int fd = file_of(FAKE_PROBE_CRASH);
    struct engine_probe probe;
    ck_assert_int_eq(engine_instance_probe(instance, &fd, 1, &probe, &error), LH_ERR_CRASHED);
    close(fd);
}
END_TEST

START_TEST(settings_of_libraries_do_not_reach_it)
{
    teardown();
    setenv("SOXR_TRACE", "1", 1);
    setenv("GLIBC_TUNABLES", "glibc.malloc.check=0", 1);
    setup();
    ck_assert_int_eq(render_plainly(FAKE_SETTINGS, NULL), LH_ERR_FAULT);
    ck_assert_str_eq(error.message, "0 1");
}
END_TEST

START_TEST(talk_does_not_block_it)
{
    ck_assert_int_eq(render_plainly(FAKE_TALK, NULL), LH_OK);
}
END_TEST

START_TEST(nonsense_is_a_crash)
{
    ck_assert_int_eq(render_plainly(FAKE_NONSENSE, NULL), LH_ERR_CRASHED);
}
END_TEST

static bool kill_it(void *context, const struct engine_progress *progress)
{
    bool *killed = context;
    uint64_t child = atomic_load(&progress->frames);
    if (child != 0 && !*killed) {
        *killed = kill((pid_t)child, SIGKILL) == 0;
    }
    return true;
}

START_TEST(a_killed_child_is_noticed_at_once)
{
    const struct graph *graph = silence(1);
    bool killed = false;
    int none = -1;
    int scratch = file_of(0);
    struct engine_delivered delivered;
    struct engine_render_result result = {.delivered = &delivered};
    struct engine_instance_render request = {.graph = graph,
                                             .output_fds = &none,
                                             .scratch_fd = scratch,
                                             .threads = FAKE_HANG,
                                             .on_progress = kill_it,
                                             .context = &killed};
    double begun = now_s();
    ck_assert(!engine_instance_was_killed(instance));
    ck_assert_int_eq(engine_instance_render(instance, &request, &result, &error), LH_ERR_CRASHED);
    ck_assert_msg(killed && strstr(error.message, "signal 9") != NULL, "%s", error.message);
    ck_assert(now_s() - begun < 1.0);
    ck_assert(engine_instance_was_killed(instance));
    close(scratch);
    graph_unref(graph);
}
END_TEST

START_TEST(cancelling_ends_a_render)
{
    struct watching watching = {.cancel_at = 2, .report_fd = -1};
    double begun = now_s();
    ck_assert_int_eq(render_plainly(FAKE_WAIT, &watching), LH_ERR_CANCELLED);
    ck_assert(now_s() - begun < 0.9);
    ck_assert_int_eq(render_plainly(1, NULL), LH_OK); /* it heeded, so it lives */
}
END_TEST

START_TEST(a_deaf_child_is_killed)
{
    struct watching watching = {.cancel_at = 1, .report_fd = -1};
    double begun = now_s();
    ck_assert_int_eq(render_plainly(FAKE_HANG, &watching), LH_ERR_CANCELLED);
    double took = now_s() - begun;
    ck_assert(took > 0.9 && took < 2.0);
    ck_assert_int_eq(kill((pid_t)watching.child, 0), -1);
    ck_assert_int_eq(errno, ESRCH);
    ck_assert_int_eq(render_plainly(1, NULL), LH_ERR_CRASHED);
}
END_TEST

static bool refuse(void *context, const struct engine_progress *progress)
{
    (void)context;
    (void)progress;
    return false;
}

START_TEST(an_abrupt_end_waits_for_nobody)
{
    const struct graph *graph = silence(1);
    int none = -1;
    int scratch = file_of(0);
    struct engine_delivered delivered;
    struct engine_render_result result = {.delivered = &delivered};
    struct engine_instance_render request = {.graph = graph,
                                             .output_fds = &none,
                                             .scratch_fd = scratch,
                                             .threads = FAKE_HANG,
                                             .on_progress = refuse,
                                             .abrupt = true};
    double begun = now_s();
    ck_assert_int_eq(engine_instance_render(instance, &request, &result, &error), LH_ERR_CANCELLED);
    ck_assert(now_s() - begun < 0.5);
    ck_assert(!engine_instance_was_killed(instance));
    close(scratch);
    graph_unref(graph);
}
END_TEST

static bool go_on(void *context)
{
    return ++*(int *)context < 3;
}

START_TEST(a_probe_can_be_left)
{
    int calls = 0;
    engine_instance_watch(instance, go_on, &calls);
    int fd = file_of(FAKE_PROBE_HANG);
    struct engine_probe probe;
    ck_assert_int_eq(engine_instance_probe(instance, &fd, 1, &probe, &error), LH_ERR_CANCELLED);
    ck_assert_int_eq(calls, 3);
    close(fd);
}
END_TEST

START_TEST(the_terminals_signals_do_not_reach_it)
{
    struct watching watching = {.report_fd = -1};
    ck_assert_int_eq(render_plainly(1, &watching), LH_OK);
    ck_assert_int_ne(getpgid((pid_t)watching.child), getpgrp());
    ck_assert_int_eq(kill((pid_t)watching.child, SIGINT), 0);
    ck_assert_int_eq(kill((pid_t)watching.child, SIGPIPE), 0);
    ck_assert_int_eq(render_plainly(1, NULL), LH_OK);
}
END_TEST

static const struct lie {
    const char *name;
    enum lh_status status;
} lies[] = {
    {"mute", LH_ERR_CRASHED},  {"garbage", LH_ERR_CRASHED},  {"version", LH_ERR_UNSUPPORTED},
    {"kind", LH_ERR_CRASHED},  {"facts", LH_ERR_CRASHED},    {"descriptor", LH_ERR_CRASHED},
    {"close", LH_ERR_CRASHED}, {"unsealed", LH_ERR_CRASHED},
};

START_TEST(lies_are_found_out)
{
    ck_assert_int_eq(setenv("LOOPHOLE_LIAR", lies[_i].name, 1), 0);
    start("FAKE_LIAR");
    int fd = file_of(100);
    struct engine_probe probe = {.status = LH_ERR_INTERNAL};
    ck_assert_msg(engine_instance_probe(instance, &fd, 1, &probe, &error) == lies[_i].status, "%s: %s", lies[_i].name,
                  error.message);
    ck_assert_int_eq(probe.status, LH_ERR_INTERNAL);
    ck_assert_int_eq(engine_instance_probe(instance, &fd, 1, &probe, &error), LH_ERR_CRASHED);
    close(fd);
    teardown();
}
END_TEST

START_TEST(a_program_that_is_not_there)
{
    struct engine_instance_options options = {.program = "/nowhere/loophole-signal"};
    ck_assert_int_eq(engine_instance_spawn(&options, &instance, &error), LH_ERR_IO);
    ck_assert_str_eq(error.where, "/nowhere/loophole-signal");
    engine_instance_free(NULL);
}
END_TEST

/* A parent that is killed takes its child with it, idle or rendering. The child is handed to this process, which so
   sees its end. */
START_TEST(no_child_outlives_its_parent)
{
    ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    pid_t parent = fork();
    ck_assert_int_ge(parent, 0);
    if (parent == 0) {
        setup();
        struct watching watching = {.report_fd = ends[1]};
        if (_i == 0) {
            (void)!render_plainly(1, &watching);
        } else {
            (void)!render_plainly(FAKE_HANG, &watching);
        }
        for (;;) {
            pause();
        }
    }
    uint64_t child = 0;
    ck_assert_int_eq(read(ends[0], &child, sizeof child), (ssize_t)sizeof child);
    ck_assert_int_eq(kill((pid_t)child, 0), 0);
    ck_assert_int_eq(kill(parent, SIGKILL), 0);
    ck_assert_int_eq(waitpid(parent, NULL, 0), parent);
    double begun = now_s();
    ck_assert_int_eq(waitpid((pid_t)child, NULL, 0), (pid_t)child);
    ck_assert(now_s() - begun < 1.0);
}
END_TEST

START_TEST(allocations_may_fail)
{
    bool fired = true;
    for (size_t n = 1; fired; n++) {
        struct engine_instance *one = NULL;
        testing_fail_allocation(n);
        struct engine_instance_options options = {.program = getenv("FAKE_SIGNAL")};
        enum lh_status status = engine_instance_spawn(&options, &one, &error);
        fired = testing_fail_allocation_end();
        ck_assert_int_eq(status, fired ? LH_ERR_NO_MEMORY : LH_OK);
        engine_instance_free(one);
    }
    const struct graph *graph = silence(1);
    int none = -1;
    int scratch = file_of(0);
    fired = true;
    for (size_t n = 1; fired; n++) {
        teardown();
        setup();
        struct engine_delivered delivered;
        struct engine_render_result result = {.delivered = &delivered};
        struct engine_instance_render request = {
            .graph = graph, .output_fds = &none, .scratch_fd = scratch, .threads = 1};
        testing_fail_allocation(n);
        enum lh_status status = engine_instance_render(instance, &request, &result, &error);
        fired = testing_fail_allocation_end();
        ck_assert_int_eq(status, fired ? LH_ERR_NO_MEMORY : LH_OK);
    }
    close(scratch);
    graph_unref(graph);
}
END_TEST

/* How long until the child has said hello: printed, and held to a loose bound. */
START_TEST(it_starts_fast)
{
    double best = 1e9;
    for (int i = 0; i < 10; i++) {
        teardown();
        double begun = now_s();
        setup();
        ck_assert_int_eq(engine_instance_probe(instance, NULL, 0, NULL, &error), LH_OK);
        double took = now_s() - begun;
        best = took < best ? took : best;
    }
    printf("# spawn to hello: %.2f ms\n", best * 1e3);
    ck_assert(best < 0.5);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("engine/instance/client");
    TCase *test = tcase_create("client");
    tcase_set_timeout(test, 30);
    tcase_add_checked_fixture(test, setup, teardown);
    tcase_add_test(test, media_are_probed);
    tcase_add_test(test, results_come_back);
    tcase_add_test(test, node_faults_are_told);
    tcase_add_test(test, kernels_are_named);
    tcase_add_test(test, crashes_are_told);
    tcase_add_test(test, settings_of_libraries_do_not_reach_it);
    tcase_add_test(test, talk_does_not_block_it);
    tcase_add_test(test, nonsense_is_a_crash);
    tcase_add_test(test, a_killed_child_is_noticed_at_once);
    tcase_add_test(test, cancelling_ends_a_render);
    tcase_add_test(test, a_deaf_child_is_killed);
    tcase_add_test(test, an_abrupt_end_waits_for_nobody);
    tcase_add_test(test, a_probe_can_be_left);
    tcase_add_test(test, the_terminals_signals_do_not_reach_it);
    tcase_add_test(test, allocations_may_fail);
    tcase_add_test(test, it_starts_fast);
    suite_add_tcase(suite, test);
    TCase *other = tcase_create("other");
    tcase_add_loop_test(other, lies_are_found_out, 0, (int)(sizeof lies / sizeof *lies));
    tcase_add_test(other, a_program_that_is_not_there);
    tcase_add_loop_test(other, no_child_outlives_its_parent, 0, 2);
    suite_add_tcase(suite, other);
    return testing_main(suite);
}
