/* SPDX-License-Identifier: MIT */
/* engine/instance/jail.c and its parts with real children: what fake_jail.c tries in a jail, and without one. The
   program is $FAKE_SIGNAL. */
#include "engine/instance/jail.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/engine/instance/fake_engine.h"
#include "tests/engine/instance/plugged.h"
#include "tests/support/testing.h"

static struct lh_error error;
static char marked[] = "/tmp/loophole-test-XXXXXX";

static void setup(void)
{
    strcpy(marked, "/tmp/loophole-test-XXXXXX");
    int fd = mkstemp(marked);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, "x", 1), 1);
    close(fd);
}

static void teardown(void)
{
    unlink(marked);
    unlink("/tmp/loophole-was-here");
    unlink("/dev/shm/loophole-was-here");
    unlink("/tmp/loophole-device");
}

/* error.message: what came of every attempt. */
static void attempt(bool no_jail, bool readable)
{
    const char *deed = "eq";
    const char *path = marked;
    const struct graph *graph = plugged_graph(&deed, 1, "", marked);
    struct engine_instance_options options = {
        .no_jail = no_jail, .readable = &path, .readable_count = readable ? 1 : 0};
    ck_assert_msg(plugged_render(&options, graph, FAKE_JAIL, &error) == LH_ERR_FAULT, "%s", error.message);
    graph_unref(graph);
}

static int outcome(const char *what)
{
    char start[64];
    snprintf(start, sizeof start, "%s ", what);
    const char *found = strstr(error.message, start);
    ck_assert_msg(found != NULL, "%s is not in: %s", what, error.message);
    return atoi(found + strlen(start));
}

static const struct {
    const char *what;
    int inside; /* errno */
} forbidden[] = {
    {"shadow", EACCES}, {"passwd", EACCES},  {"init", EACCES}, {"marked", EACCES}, {"tmp", EACCES},
    {"dev", EACCES},    {"connect", EPERM},  {"fork", EPERM},  {"spawn", EPERM},   {"exec", EPERM},
    {"parent", EPERM},  {"niceness", EPERM}, {"mknod", EPERM}, {"clone3", ENOSYS},
};

START_TEST(nothing_gets_out)
{
    attempt(false, false);
    for (size_t i = 0; i < sizeof forbidden / sizeof *forbidden; i++) {
        ck_assert_msg(outcome(forbidden[i].what) == forbidden[i].inside, "%s: %s", forbidden[i].what, error.message);
    }
    ck_assert_int_ne(access("/tmp/loophole-was-here", F_OK), 0);
}
END_TEST

START_TEST(what_is_needed_is_there)
{
    static const char *const allowed[] = {"self", "share",  "library", "home",       "scratch",
                                          "null", "itself", "thread",  "privileges", "core"};
    attempt(false, false);
    for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++) {
        ck_assert_msg(outcome(allowed[i]) == 0, "%s: %s", allowed[i], error.message);
    }
}
END_TEST

START_TEST(what_is_handed_in_can_be_read)
{
    attempt(false, true);
    ck_assert_int_eq(outcome("marked"), 0);
    ck_assert_int_eq(outcome("shadow"), EACCES);
}
END_TEST

/* The same attempts succeed, so it is the jail that stops them. */
START_TEST(without_it_all_is_as_ever)
{
    static const char *const let_out[] = {"passwd", "marked", "tmp", "connect", "fork", "spawn", "parent", "home"};
    attempt(true, false);
    for (size_t i = 0; i < sizeof let_out / sizeof *let_out; i++) {
        ck_assert_msg(outcome(let_out[i]) == 0, "%s: %s", let_out[i], error.message);
    }
    ck_assert_int_eq(outcome("exec"), ENOENT);
    ck_assert_int_ne(outcome("privileges"), 0);
}
END_TEST

START_TEST(what_holds_is_told)
{
    for (int off = 0; off < 2; off++) {
        struct engine_instance_options options = {.program = getenv("FAKE_SIGNAL"), .no_jail = off == 1};
        struct engine_instance *instance = NULL;
        ck_assert_int_eq(engine_instance_spawn(&options, &instance, &error), LH_OK);
        ck_assert_msg(engine_instance_probe(instance, NULL, 0, NULL, &error) == LH_OK, "%s", error.message);
        const char *note = engine_instance_jail(instance);
        ck_assert_msg(off == 1 ? strcmp(note, "off") == 0 : strncmp(note, "seccomp", 7) == 0, "%s", note);
        engine_instance_free(instance);
    }
}
END_TEST

START_TEST(hostile_calls_have_names)
{
    ck_assert_str_eq(engine_jail_hostile_name(SYS_ptrace), "ptrace");
    ck_assert_str_eq(engine_jail_hostile_name(SYS_mount), "mount");
    ck_assert_ptr_null(engine_jail_hostile_name(SYS_read));
    ck_assert_ptr_null(engine_jail_hostile_name(UINT64_MAX));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("engine/instance/jail");
    TCase *test = tcase_create("jail");
    tcase_set_timeout(test, 60);
    tcase_add_checked_fixture(test, setup, teardown);
    tcase_add_test(test, nothing_gets_out);
    tcase_add_test(test, what_is_needed_is_there);
    tcase_add_test(test, what_is_handed_in_can_be_read);
    tcase_add_test(test, without_it_all_is_as_ever);
    tcase_add_test(test, what_holds_is_told);
    tcase_add_test(test, hostile_calls_have_names);
    suite_add_tcase(suite, test);
    return testing_main(suite);
}
