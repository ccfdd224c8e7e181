/* SPDX-License-Identifier: MIT */
/* Peers that are killed, stopped, deaf, slow or many: real processes. And a user that is slow itself. */
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zmq.h>

#include "common/base/clock.h"
#include "tests/proto/link/ends.h"

extern char **environ;

static struct wire_link *server;
static uint32_t router;
static pid_t children[4];
static int inputs[4];
static unsigned child_count;

static void start(void)
{
    server = ends_link(NULL);
    router = ends_bind(server, ends_ipc("s"), NULL);
    child_count = 0;
}

static void stop(void)
{
    wire_link_free(server, 0);
    for (unsigned i = 0; i < child_count; i++) {
        close(inputs[i]);
        kill(children[i], SIGKILL);
        waitpid(children[i], NULL, 0);
    }
    ends_folder_remove();
}

static pid_t spawn(const char *mode, const char *endpoint)
{
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[0], STDIN_FILENO);
    posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    char program[] = PEER;
    char *arguments[] = {program, strdup(mode), strdup(endpoint), NULL};
    pid_t child;
    ck_assert_int_eq(posix_spawn(&child, PEER, &actions, NULL, arguments, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    free(arguments[1]);
    free(arguments[2]);
    close(ends[0]);
    inputs[child_count] = ends[1];
    children[child_count++] = child;
    return child;
}

/* A child that has said hello; its process into *child (may be NULL). */
static uint64_t hello(const char *mode, pid_t *child)
{
    pid_t made = spawn(mode, ends_ipc("s"));
    uint64_t peer = ends_peer(server, WIRE_JOINED, NULL);
    ck_assert_uint_eq(ends_peer(server, WIRE_MESSAGE, "hello"), peer);
    if (child != NULL) {
        *child = made;
    }
    return peer;
}

static uint64_t since_ms(uint64_t start_ns)
{
    return (lh_clock_monotonic_ns() - start_ns) / 1000000;
}

static void echoes(uint64_t peer)
{
    ends_send(server, router, peer, "echo", 0);
    ck_assert_uint_eq(ends_peer(server, WIRE_MESSAGE, "echo"), peer);
}

START_TEST(a_killed_peer_is_gone_at_once)
{
    pid_t child;
    uint64_t other = hello("talk", NULL);
    uint64_t peer = hello("talk", &child);
    echoes(peer);
    uint64_t begin = lh_clock_monotonic_ns();
    kill(child, SIGKILL);
    ends_gone(server, peer, WIRE_GONE_CLOSED);
    ck_assert_uint_lt(since_ms(begin), 400); /* before any heartbeat could tell */
    echoes(other);
}
END_TEST

START_TEST(a_stopped_peer_is_gone_and_comes_back)
{
    pid_t child;
    uint64_t peer = hello("talk", &child);
    uint64_t begin = lh_clock_monotonic_ns();
    kill(child, SIGSTOP);
    ends_gone(server, peer, WIRE_GONE_SILENT);
    ck_assert_uint_ge(since_ms(begin), 300);
    ck_assert_uint_lt(since_ms(begin), DEAD_MS + 2500);
    ends_silence(server, 300);
    kill(child, SIGCONT);
    uint64_t again = ends_peer(server, WIRE_JOINED, NULL);
    ck_assert_uint_ne(again, peer);
    ends_peer(server, WIRE_MESSAGE, "hello");
    echoes(again);
}
END_TEST

START_TEST(a_server_that_is_killed_and_started_again_is_found)
{
    char endpoint[WIRE_ENDPOINT_SIZE];
    strcpy(endpoint, ends_ipc("other"));
    pid_t child = spawn("serve", endpoint);
    struct wire_link *client = ends_link(NULL);
    uint32_t dealer = ends_connect(client, endpoint, NULL, NULL);
    for (int round = 0; round < 3; round++) {
        uint64_t peer = ends_peer(client, WIRE_JOINED, NULL);
        ends_send(client, dealer, 0, "ping", 0);
        ck_assert_uint_eq(ends_peer(client, WIRE_MESSAGE, "ping"), peer);
        kill(child, round == 1 ? SIGSTOP : SIGKILL);
        ends_gone(client, peer, round == 1 ? WIRE_GONE_SILENT : WIRE_GONE_CLOSED);
        kill(child, SIGKILL);
        child = spawn("serve", endpoint);
    }
    ends_peer(client, WIRE_JOINED, NULL);
    wire_link_free(client, 0);
}
END_TEST

/* Sends until the peer is given up, then looks at how much was. */
static void send_until_slow(struct wire_link *link, uint32_t socket, uint64_t peer)
{
    struct wire_counters counters = {0};
    for (int i = 0; i < 100000 && counters.slow == 0; i++) {
        ends_send(link, socket, peer, "are you listening?", 10000);
        if (i % 100 == 99) {
            ends_sleep(5);
        }
        wire_link_counters(link, &counters);
    }
    ck_assert_uint_eq(counters.slow, 1);
    /* What waits for one peer is bounded: two queues of ours, what the kernel holds, what its side took. */
    ck_assert_uint_lt(counters.messages_out, 4000);
}

START_TEST(a_deaf_peer_is_given_up_and_the_others_are_served)
{
    uint64_t other = hello("talk", NULL);
    uint64_t deaf = hello("deaf", NULL);
    send_until_slow(server, router, deaf);
    ends_gone(server, deaf, WIRE_GONE_SLOW);
    ends_send(server, router, deaf, "still there?", 0);
    echoes(other);
    struct wire_counters counters;
    wire_link_counters(server, &counters);
    ck_assert_uint_eq(counters.peers, 1);
}
END_TEST

START_TEST(a_deaf_server_is_given_up_and_tried_anew)
{
    char endpoint[WIRE_ENDPOINT_SIZE];
    strcpy(endpoint, ends_ipc("other"));
    spawn("ignore", endpoint);
    struct wire_link *client = ends_link(NULL);
    uint32_t dealer = ends_connect(client, endpoint, NULL, NULL);
    uint64_t peer = ends_peer(client, WIRE_JOINED, NULL);
    send_until_slow(client, dealer, 0);
    ends_gone(client, peer, WIRE_GONE_SLOW);
    ck_assert_uint_ne(ends_peer(client, WIRE_JOINED, NULL), peer);
    wire_link_free(client, 0);
}
END_TEST

/* Our own user is slow: the senders feel it, and nothing is lost. */
START_TEST(a_slow_user_slows_the_senders)
{
    enum { EVENTS = 20, MESSAGES = 5000 };
    struct wire_link *narrow = ends_link(&(struct wire_link_options){.events_max = EVENTS});
    ends_open(narrow, &(struct wire_socket_options){.kind = WIRE_ROUTER, .endpoint = ends_ipc("n"), .queue = 10});
    struct wire_link *client = ends_link(NULL);
    uint32_t dealer =
        ends_open(client, &(struct wire_socket_options){
                              .kind = WIRE_DEALER, .endpoint = ends_ipc("n"), .queue = MESSAGES, .dead_ms = 60000});
    ends_peer(client, WIRE_JOINED, NULL);
    char text[32];
    for (int i = 0; i < MESSAGES; i++) {
        snprintf(text, sizeof text, "%06d", i);
        ends_send(client, dealer, 0, text, 5000);
    }
    ends_sleep(300);
    struct wire_counters counters;
    wire_link_counters(narrow, &counters);
    ck_assert_uint_le(counters.messages_in, EVENTS + 64);
    ends_peer(narrow, WIRE_JOINED, NULL);
    for (int i = 0; i < MESSAGES; i++) {
        snprintf(text, sizeof text, "%06d", i);
        ends_peer(narrow, WIRE_MESSAGE, text);
    }
    wire_link_free(client, 0);
    wire_link_free(narrow, 0);
}
END_TEST

START_TEST(a_thousand_peers_come_speak_and_go)
{
    enum { PEERS = 1000 };
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    ck_assert_uint_ge(limit.rlim_cur, 4096);
    uint32_t patient = ends_open(
        server, &(struct wire_socket_options){.kind = WIRE_ROUTER, .endpoint = ends_ipc("t"), .dead_ms = 60000});
    void *context = zmq_ctx_new();
    zmq_ctx_set(context, ZMQ_MAX_SOCKETS, 2 * PEERS);
    static void *sockets[PEERS];
    static uint64_t peers[PEERS];
    int zero = 0;
    char text[16];
    for (int i = 0; i < PEERS; i++) {
        sockets[i] = zmq_socket(context, ZMQ_DEALER);
        ck_assert_ptr_nonnull(sockets[i]);
        zmq_setsockopt(sockets[i], ZMQ_LINGER, &zero, sizeof zero);
        ck_assert_int_eq(zmq_connect(sockets[i], ends_ipc("t")), 0);
        snprintf(text, sizeof text, "%06d", i);
        zmq_send(sockets[i], text, strlen(text), 0);
    }
    for (int i = 0; i < PEERS; i++) {
        uint64_t joined = ends_peer(server, WIRE_JOINED, NULL);
        struct wire_event *event = ends_expect(server, WIRE_MESSAGE, NULL);
        ck_assert_uint_eq(event->peer, joined);
        char number[16] = "";
        memcpy(number, event->envelope, event->envelope_size < 15 ? event->envelope_size : 15);
        int index = atoi(number);
        ck_assert(index >= 0 && index < PEERS && peers[index] == 0);
        peers[index] = joined;
        wire_event_free(event);
    }
    for (int i = 0; i < PEERS; i++) {
        snprintf(text, sizeof text, "to %d", i);
        ends_send(server, patient, peers[i], text, 0);
    }
    for (int i = 0; i < PEERS; i++) {
        char heard[16] = "";
        ck_assert_int_gt(zmq_recv(sockets[i], heard, sizeof heard - 1, 0), 0);
        snprintf(text, sizeof text, "to %d", i);
        ck_assert_str_eq(heard, text);
        zmq_close(sockets[i]);
    }
    zmq_ctx_term(context);
    static bool gone[PEERS];
    for (int i = 0; i < PEERS; i++) {
        uint64_t peer = ends_peer(server, WIRE_GONE, NULL);
        int index = 0;
        while (index < PEERS && (peers[index] != peer || gone[index])) {
            index++;
        }
        ck_assert_int_lt(index, PEERS);
        gone[index] = true;
    }
    ends_silence(server, 100);
    struct wire_counters counters;
    wire_link_counters(server, &counters);
    ck_assert_uint_eq(counters.peers, 0);
}
END_TEST

/* Connections that come and go use the same descriptors again: each is told once, in order. */
START_TEST(short_lives_are_told_apart)
{
    for (int i = 0; i < 200; i++) {
        void *context = zmq_ctx_new();
        void *socket = zmq_socket(context, ZMQ_DEALER);
        ck_assert_int_eq(zmq_connect(socket, ends_ipc("s")), 0);
        zmq_send(socket, "short", 5, 0);
        zmq_close(socket); /* lingers until it is sent */
        zmq_ctx_term(context);
    }
    static uint64_t known[200];
    int joined = 0;
    int gone = 0;
    while (gone < 200) {
        struct wire_event *event = wire_link_wait(server, ENDS_PATIENCE_MS);
        ck_assert_msg(event != NULL, "%d joined, %d gone", joined, gone);
        if (event->kind == WIRE_JOINED) {
            ck_assert_int_lt(joined, 200);
            known[joined++] = event->peer;
        } else {
            int index = 0;
            while (index < joined && known[index] != event->peer) {
                index++;
            }
            ck_assert_int_lt(index, joined);
            if (event->kind == WIRE_GONE) {
                known[index] = 0;
                gone++;
            }
        }
        wire_event_free(event);
    }
    ck_assert_int_eq(joined, 200);
    ends_silence(server, 50);
}
END_TEST

static void *send_many(void *argument)
{
    uint64_t peer = *(uint64_t *)argument;
    for (int i = 0; i < 200; i++) {
        ends_send(server, router, peer, "from many threads", 100);
    }
    return NULL;
}

/* Nobody is to be given up here, however slow the machine and the sanitizer make them. */
START_TEST(any_thread_may_send)
{
    router = ends_open(server, &(struct wire_socket_options){.kind = WIRE_ROUTER, .endpoint = ends_ipc("patient")});
    (void)spawn("patient", ends_ipc("patient"));
    uint64_t peer = ends_peer(server, WIRE_JOINED, NULL);
    ck_assert_uint_eq(ends_peer(server, WIRE_MESSAGE, "hello"), peer);
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, send_many, &peer), 0);
    }
    for (int i = 0; i < 800; i++) {
        ck_assert_uint_eq(ends_peer(server, WIRE_MESSAGE, "from many threads"), peer);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
    }
}
END_TEST

int main(void)
{
    TCase *group = tcase_create("traffic");
    tcase_add_checked_fixture(group, start, stop);
    tcase_add_test(group, a_killed_peer_is_gone_at_once);
    tcase_add_test(group, a_stopped_peer_is_gone_and_comes_back);
    tcase_add_test(group, a_server_that_is_killed_and_started_again_is_found);
    tcase_add_test(group, a_deaf_peer_is_given_up_and_the_others_are_served);
    tcase_add_test(group, a_deaf_server_is_given_up_and_tried_anew);
    tcase_add_test(group, a_slow_user_slows_the_senders);
    tcase_add_test(group, a_thousand_peers_come_speak_and_go);
    tcase_add_test(group, short_lives_are_told_apart);
    tcase_add_test(group, any_thread_may_send);
    Suite *suite = suite_create("proto/link/traffic");
    suite_add_tcase(suite, group);
    return testing_main(suite);
}
