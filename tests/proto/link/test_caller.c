/* SPDX-License-Identifier: MIT */
/* A program that asks without a thread of its own. */
#include "proto/link/caller.h"

#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "tests/proto/link/ends.h"

extern char **environ;

static struct wire_link *server;
static uint32_t router;

static void start(void)
{
    server = ends_link(NULL);
    router = ends_bind(server, ends_ipc("s"), NULL);
}

static void stop(void)
{
    wire_link_free(server, 0);
    ends_folder_remove();
}

static struct wire_caller *caller_to(const char *endpoint)
{
    struct wire_caller_options options = {.endpoint = endpoint};
    struct wire_caller *caller = NULL;
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_msg(wire_caller_new(&options, ENDS_PATIENCE_MS, &caller, &error) == LH_OK, "%s", error.message);
    return caller;
}

static void ask(struct wire_caller *caller, const char *text, size_t payload_size)
{
    struct wire_buffer envelope = {.data = strdup(text), .size = strlen(text)};
    struct wire_buffer payload = {.data = calloc(1, payload_size + 1), .size = payload_size};
    struct lh_error error = LH_ERROR_INIT;
    if (payload_size == 0) {
        free(payload.data);
    }
    ck_assert_msg(wire_caller_send(caller, &envelope, payload_size > 0 ? &payload : NULL, &error) == LH_OK, "%s",
                  error.message);
}

static void answered(struct wire_caller *caller, const char *text)
{
    struct wire_answer answer;
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_msg(wire_caller_receive(caller, ENDS_PATIENCE_MS, &answer, &error) == LH_OK, "%s", error.message);
    ck_assert_uint_eq(answer.envelope_size, strlen(text));
    ck_assert_mem_eq(answer.envelope, text, strlen(text));
}

START_TEST(questions_are_answered)
{
    struct wire_caller *caller = caller_to(ends_ipc("s"));
    ask(caller, "question", 0);
    uint64_t peer = ends_peer(server, WIRE_JOINED, NULL);
    ends_peer(server, WIRE_MESSAGE, "question");
    ends_send(server, router, peer, "answer", 0);
    ends_send(server, router, peer, "event", 3);
    answered(caller, "answer");
    struct wire_answer answer;
    ck_assert_int_eq(wire_caller_receive(caller, ENDS_PATIENCE_MS, &answer, NULL), LH_OK);
    ck_assert_uint_eq(answer.payload_size, 3);
    ck_assert_mem_eq(answer.payload, "ppp", 3);
    ask(caller, "with payload", 1000);
    struct wire_event *event = ends_expect(server, WIRE_MESSAGE, "with payload");
    ck_assert_uint_eq(event->payload_size, 1000);
    wire_event_free(event);
    wire_caller_free(caller);
    ends_gone(server, peer, WIRE_GONE_CLOSED);
}
END_TEST

START_TEST(a_caller_that_speaks_and_goes_is_heard)
{
    struct wire_caller *caller = caller_to(ends_ipc("s"));
    ask(caller, "and off", 100000);
    wire_caller_free(caller);
    uint64_t peer = ends_peer(server, WIRE_JOINED, NULL);
    ends_peer(server, WIRE_MESSAGE, "and off");
    ends_gone(server, peer, WIRE_GONE_CLOSED);
}
END_TEST

START_TEST(nobody_there_is_told_at_once)
{
    struct wire_caller_options options = {.endpoint = ends_ipc("nobody")};
    struct wire_caller *caller = NULL;
    struct lh_error error = LH_ERROR_INIT;
    uint64_t begin = lh_clock_monotonic_ns();
    ck_assert_int_eq(wire_caller_new(&options, ENDS_PATIENCE_MS, &caller, &error), LH_ERR_UNAVAILABLE);
    ck_assert_uint_lt((lh_clock_monotonic_ns() - begin) / 1000000, ENDS_PATIENCE_MS / 2);
    ck_assert_str_eq(error.message, "nobody is there");
    options.endpoint = "tcp://127.0.0.1:1"; /* without keys */
    ck_assert_int_eq(wire_caller_new(&options, 1000, &caller, &error), LH_ERR_USAGE);
    ck_assert_ptr_null(caller);
}
END_TEST

START_TEST(a_caller_with_the_wrong_key_is_told_so)
{
    struct wire_keys server_keys;
    struct wire_keys keys;
    char endpoint[WIRE_ENDPOINT_SIZE];
    ck_assert_int_eq(wire_keys_generate(&server_keys, NULL), LH_OK);
    ck_assert_int_eq(wire_keys_generate(&keys, NULL), LH_OK);
    wire_link_endpoint(server, ends_bind(server, "tcp://127.0.0.1:*", &server_keys), endpoint);
    struct wire_caller_options options = {.endpoint = endpoint, .keys = &keys, .server_key = server_keys.public_key};
    struct wire_caller *caller = NULL;
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_int_eq(wire_caller_new(&options, ENDS_PATIENCE_MS, &caller, &error), LH_ERR_UNAVAILABLE);
    ck_assert_str_eq(error.message, "the other side does not let us in, or is not who we expect");
    const char *allowed = keys.public_key;
    ck_assert_int_eq(wire_link_allow(server, &allowed, 1), LH_OK);
    ck_assert_int_eq(wire_caller_new(&options, ENDS_PATIENCE_MS, &caller, &error), LH_OK);
    ask(caller, "enrolled", 0);
    struct wire_event *event = ends_expect(server, WIRE_JOINED, NULL);
    ck_assert_str_eq(event->key, keys.public_key);
    wire_event_free(event);
    wire_caller_free(caller);
}
END_TEST

START_TEST(an_answer_that_does_not_come_is_not_waited_for)
{
    struct wire_caller *caller = caller_to(ends_ipc("s"));
    struct wire_answer answer;
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_int_eq(wire_caller_receive(caller, 0, &answer, &error), LH_ERR_CANCELLED);
    ck_assert_int_eq(wire_caller_receive(caller, 50, &answer, &error), LH_ERR_CANCELLED);
    wire_caller_free(caller);
}
END_TEST

/* The server's beats are told to callers that wait, and a caller that does not is left in peace. */
START_TEST(a_caller_may_be_silent_for_long)
{
    struct wire_caller *caller = caller_to(ends_ipc("s"));
    ask(caller, "first", 0);
    uint64_t peer = ends_peer(server, WIRE_JOINED, NULL);
    ends_peer(server, WIRE_MESSAGE, "first");
    ends_sleep(3 * DEAD_MS);
    struct wire_answer answer;
    ck_assert_int_eq(wire_caller_receive(caller, 5 * DEAD_MS, &answer, NULL),
                     LH_ERR_CANCELLED); /* asks twice meanwhile */
    ends_sleep(2 * DEAD_MS);
    ends_silence(server, 0);
    ends_send(server, router, peer, "late", 0);
    answered(caller, "late");
    wire_caller_free(caller);
}
END_TEST

START_TEST(a_server_that_goes_is_told)
{
    struct wire_caller *caller = caller_to(ends_ipc("s"));
    ask(caller, "question", 0);
    uint64_t peer = ends_peer(server, WIRE_JOINED, NULL);
    ends_send(server, router, peer, "last words", 0);
    answered(caller, "last words");
    wire_link_free(server, 1000);
    server = NULL;
    struct wire_answer answer;
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_int_eq(wire_caller_receive(caller, ENDS_PATIENCE_MS, &answer, &error), LH_ERR_UNAVAILABLE);
    ck_assert_str_eq(error.message, "the other side is gone");
    struct wire_buffer envelope = {.data = strdup("anybody"), .size = 7};
    struct wire_buffer payload = {.data = strdup("anybody"), .size = 7};
    ck_assert_int_eq(wire_caller_send(caller, &envelope, &payload, &error), LH_ERR_UNAVAILABLE);
    wire_caller_free(caller);
}
END_TEST

START_TEST(a_server_that_is_stopped_is_given_up)
{
    char endpoint[WIRE_ENDPOINT_SIZE];
    char program[] = PEER;
    char mode[] = "serve";
    strcpy(endpoint, ends_ipc("other"));
    char *arguments[] = {program, mode, endpoint, NULL};
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[0], STDIN_FILENO);
    pid_t child;
    ck_assert_int_eq(posix_spawn(&child, PEER, &actions, NULL, arguments, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    struct wire_caller *caller = NULL;
    struct wire_caller_options options = {.endpoint = endpoint};
    for (int i = 0; i < 1000 && wire_caller_new(&options, 1000, &caller, NULL) != LH_OK; i++) {
        ends_sleep(10);
    }
    ask(caller, "echo", 0);
    answered(caller, "echo");
    kill(child, SIGSTOP);
    ask(caller, "unheard", 0);
    struct wire_answer answer;
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_int_eq(wire_caller_receive(caller, ENDS_PATIENCE_MS, &answer, &error), LH_ERR_UNAVAILABLE);
    ck_assert_str_eq(error.message, "the other side does not answer any more");
    wire_caller_free(caller);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}
END_TEST

int main(void)
{
    TCase *group = tcase_create("caller");
    tcase_add_checked_fixture(group, start, stop);
    tcase_add_test(group, questions_are_answered);
    tcase_add_test(group, a_caller_that_speaks_and_goes_is_heard);
    tcase_add_test(group, nobody_there_is_told_at_once);
    tcase_add_test(group, a_caller_with_the_wrong_key_is_told_so);
    tcase_add_test(group, an_answer_that_does_not_come_is_not_waited_for);
    tcase_add_test(group, a_caller_may_be_silent_for_long);
    tcase_add_test(group, a_server_that_goes_is_told);
    tcase_add_test(group, a_server_that_is_stopped_is_given_up);
    Suite *suite = suite_create("proto/link/caller");
    suite_add_tcase(suite, group);
    return testing_main(suite);
}
