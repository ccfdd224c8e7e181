/* SPDX-License-Identifier: MIT */
/* engine/instance/death.c, crash.c, ending.c and client_work.c with real children: whatever ends one, the report names
   node, plugin, frame and how. The program is $FAKE_SIGNAL. */
#include "engine/instance/death.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/instance/jail.h"
#include "tests/engine/instance/fake_engine.h"
#include "tests/engine/instance/plugged.h"
#include "tests/support/testing.h"

#define PLUGIN "the plugin " FAKE_URI

static struct lh_error error;

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static const struct end {
    const char *deed, *phase;
    const char *message; /* how it begins */
    const char *where;
} ends[] = {
    {"segv", "", PLUGIN "segv crashed: signal 11 (Segmentation fault) at address 0x8", "track 1, node 1, frame 4711"},
    {"overflow", "", PLUGIN "overflow crashed: signal 11 (Segmentation fault) at address 0x",
     "track 1, node 1, frame 4711"},
    {"fpe", "", PLUGIN "fpe crashed: signal 8 (Floating point exception)", "track 1, node 1, frame 4711"},
    {"trap", "", PLUGIN "trap crashed: signal 4 (Illegal instruction)", "track 1, node 1, frame 4711"},
    {"abort", "", PLUGIN "abort crashed: signal 6 (Aborted); its last words: assertion failed: it works",
     "track 1, node 1, frame 4711"},
    {"bad-alloc", "", PLUGIN "bad-alloc ran out of memory: signal 6 (Aborted), with 1024 MiB of address space; its",
     "track 1, node 1, frame 4711"},
    {"exit", "", PLUGIN "exit ended the process: exit(3)", "track 1, node 1, frame 4711"},
    {"_exit", "", PLUGIN "_exit ended the process: exit(0)", "track 1, node 1, frame 4711"},
    {"quick-exit", "", PLUGIN "quick-exit ended the process: exit(5)", "track 1, node 1, frame 4711"},
    {"exit-group", "", PLUGIN "exit-group ended the process with exit status 9", "track 1, node 1, frame 4711"},
    {"kill", "", PLUGIN "kill was running when signal 9 (Killed) ended it", "track 1, node 1, frame 4711"},
    {"ptrace", "", PLUGIN "ptrace was killed by the jail: a forbidden system call (ptrace)",
     "track 1, node 1, frame 4711"},
    {"hang", "", PLUGIN "hang hangs: one call took longer than 300 ms", "track 1, node 1, frame 4711"},
    {"shut", "", PLUGIN "shut garbled the conversation", "track 1, node 1, frame 4711"},
    {"garble", "", PLUGIN "garble garbled the conversation", "track 1, node 1, frame 4711"},
    {"alarm", "", PLUGIN "alarm was running when signal 14 (Alarm clock) ended it", "track 1, node 1, frame 4711"},
    {"after", "", PLUGIN "after crashed: signal 11 (Segmentation fault) at address 0x8 right after it returned",
     "track 1, node 1, frame 4711"},
    {"vanish", "",
     "the signal instance ended by itself with exit status 1, outside of every plugin's call; perhaps by " PLUGIN
     "vanish",
     ""},
    {"segv", "load", PLUGIN "segv crashed: signal 11 (Segmentation fault) at address 0x8 while it was loaded",
     "track 1, node 1"},
    {"exit", "restore", PLUGIN "exit ended the process: exit(3) while its preset or state was restored",
     "track 1, node 1"},
    {"hang", "activate", PLUGIN "hang hangs: one call took longer than 300 ms while it was activated",
     "track 1, node 1"},
    {"abort", "work", PLUGIN "abort crashed: signal 6 (Aborted) in its worker", "track 1, node 1, frame 4711"},
    {"fpe", "free", PLUGIN "fpe crashed: signal 8 (Floating point exception) while it was freed", "track 1, node 1"},
};

START_TEST(ends_are_told)
{
    const struct end *end = &ends[_i];
    double begun = now_s();
    ck_assert_int_eq(plugged_run(end->deed, end->phase, &error), LH_ERR_CRASHED);
    ck_assert_msg(strncmp(error.message, end->message, strlen(end->message)) == 0, "%s: %s", end->deed, error.message);
    ck_assert_str_eq(error.where, end->where);
    ck_assert(now_s() - begun < 10.0);
}
END_TEST

START_TEST(memory_that_runs_out_is_told)
{
    if (ENGINE_JAIL_SANITIZED) {
        return; /* there is no bound to run into */
    }
    ck_assert_int_eq(plugged_run("hog", "", &error), LH_ERR_CRASHED);
    ck_assert_str_eq(error.message, PLUGIN "hog ran out of memory: signal 6 (Aborted), with 1024 MiB of address space");
}
END_TEST

START_TEST(those_that_come_back_are_no_crash)
{
    ck_assert_int_eq(plugged_run("nothing", "", &error), LH_ERR_FAULT);
    ck_assert_str_eq(error.message, "they all came back");
}
END_TEST

/* Another worker is inside a plugin as well: the one that crashed is known all the same, as it is of two that hang. */
START_TEST(the_one_among_many_is_found)
{
    static const char *const deeds[] = {"wait", "wait", "segv", "wait"};
    const struct graph *graph = plugged_graph(deeds, 4, "", "");
    struct engine_instance_options options = {.hang_ms = 60000};
    ck_assert_int_eq(plugged_render(&options, graph, FAKE_PLUGINS, &error), LH_ERR_CRASHED);
    ck_assert_msg(strstr(error.message, PLUGIN "segv crashed: signal 11 (Segmentation fault) at address 0x8") ==
                      error.message,
                  "%s", error.message);
    ck_assert_msg(strncmp(error.where, "track 3, node 3, frame 47", 25) == 0, "%s", error.where);
    graph_unref(graph);
}
END_TEST

START_TEST(a_stack_that_overflows_on_a_pool_thread)
{
    static const char *const deeds[] = {"wait", "overflow"};
    const struct graph *graph = plugged_graph(deeds, 2, "", "");
    struct engine_instance_options options = {.hang_ms = 60000};
    ck_assert_int_eq(plugged_render(&options, graph, FAKE_PLUGINS, &error), LH_ERR_CRASHED);
    ck_assert_msg(strstr(error.message, "plugin " FAKE_URI "overflow crashed: signal 11") != NULL, "%s", error.message);
    ck_assert_msg(strncmp(error.where, "track 2, node 2", 15) == 0, "%s", error.where);
    graph_unref(graph);
}
END_TEST

/* SIGKILL leaves no note: everyone who was inside is named. */
START_TEST(suspects_are_named)
{
    static const char *const deeds[] = {"wait", "kill", "hang", "wait", "hang"};
    const struct graph *graph = plugged_graph(deeds, 5, "", "");
    struct engine_instance_options options = {.hang_ms = 60000};
    ck_assert_int_eq(plugged_render(&options, graph, FAKE_PLUGINS, &error), LH_ERR_CRASHED);
    ck_assert_msg(strncmp(error.message, "one of the plugins " FAKE_URI, 32) == 0, "%s", error.message);
    ck_assert_msg(strstr(error.message, FAKE_URI "kill") != NULL && strstr(error.message, FAKE_URI "wait") != NULL &&
                      strstr(error.message, FAKE_URI "hang") != NULL &&
                      strstr(error.message, " was running when signal 9 (Killed) ended it") != NULL,
                  "%s", error.message);
    ck_assert_msg(strstr(error.where, "; track ") != NULL && strstr(error.where, ", frame ") != NULL, "%s",
                  error.where);
    graph_unref(graph);
}
END_TEST

START_TEST(threads_of_plugins_are_suspected)
{
    ck_assert_int_eq(plugged_run("stray", "", &error), LH_ERR_CRASHED);
    static const char start[] = "the signal instance was killed by signal 11 (Segmentation fault), outside of every "
                                "plugin's call; perhaps by the plugin " FAKE_URI "stray";
    ck_assert_msg(strncmp(error.message, start, sizeof start - 1) == 0, "%s", error.message);
}
END_TEST

/* Without a jail the call is let through, and is no crash. */
START_TEST(nothing_is_forbidden_without_a_jail)
{
    const char *deed = "ptrace";
    const struct graph *graph = plugged_graph(&deed, 1, "", "");
    struct engine_instance_options options = {.no_jail = true};
    ck_assert_int_eq(plugged_render(&options, graph, FAKE_PLUGINS, &error), LH_ERR_FAULT);
    ck_assert_str_eq(error.message, "they all came back");
    graph_unref(graph);
}
END_TEST

/* A page that a plugin wrote all over: words come of it, and no more. */
START_TEST(a_garbled_page_does_no_harm)
{
    static const char *const deeds[] = {"a", "b"};
    const struct graph *graph = plugged_graph(deeds, 2, "", "");
    struct engine_page *page = malloc(sizeof *page);
    srand(5);
    for (int round = 0; round < 300; round++) {
        for (size_t i = 0; i < sizeof *page; i++) {
            ((unsigned char *)page)[i] = (unsigned char)(rand() % (round % 5 == 0 ? 256 : 3));
        }
        struct engine_scene scene = {.page = page,
                                     .graph = round % 2 == 0 ? graph : NULL,
                                     .uri = FAKE_URI "trial",
                                     .memory_bytes = UINT64_C(1) << 32,
                                     .hang_ms = 1500};
        for (int kind = ENGINE_DEATH_SIGNAL; kind <= ENGINE_DEATH_HANG; kind++) {
            struct engine_death death = {.kind = (enum engine_death_kind)kind, .number = rand() % ENGINE_WATCH_SLOTS};
            error = LH_ERROR_INIT;
            ck_assert_int_eq(engine_death_tell(&death, &scene, &error), LH_ERR_CRASHED);
            ck_assert(error.message[0] != '\0');
        }
    }
    free(page);
    graph_unref(graph);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("engine/instance/death");
    TCase *test = tcase_create("death");
    tcase_set_timeout(test, 60);
    tcase_add_loop_test(test, ends_are_told, 0, (int)(sizeof ends / sizeof *ends));
    tcase_add_test(test, memory_that_runs_out_is_told);
    tcase_add_test(test, those_that_come_back_are_no_crash);
    tcase_add_test(test, the_one_among_many_is_found);
    tcase_add_test(test, a_stack_that_overflows_on_a_pool_thread);
    tcase_add_test(test, suspects_are_named);
    tcase_add_test(test, threads_of_plugins_are_suspected);
    tcase_add_test(test, nothing_is_forbidden_without_a_jail);
    tcase_add_test(test, a_garbled_page_does_no_harm);
    suite_add_tcase(suite, test);
    return testing_main(suite);
}
