/* SPDX-License-Identifier: MIT */
/* What link.h promises of peers and messages, on a local endpoint. */
#include "proto/link/link.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/proto/link/ends.h"

static struct wire_link *server, *client;
static uint32_t router, dealer;

static void open_both(void)
{
    server = ends_link(NULL);
    client = ends_link(NULL);
    router = ends_bind(server, ends_ipc("s"), NULL);
    dealer = ends_connect(client, ends_ipc("s"), NULL, NULL);
}

static void close_both(void)
{
    wire_link_free(client, 0);
    wire_link_free(server, 0);
    ends_folder_remove();
}

START_TEST(messages_go_both_ways_in_order)
{
    uint64_t pulse = ends_peer(client, WIRE_JOINED, NULL);
    ends_send(client, dealer, 0, "one", 0);
    ends_send(client, dealer, pulse, "two", 5);
    uint64_t peer = ends_peer(server, WIRE_JOINED, NULL);
    ck_assert_uint_eq(ends_peer(server, WIRE_MESSAGE, "one"), peer);
    struct wire_event *two = ends_expect(server, WIRE_MESSAGE, "two");
    ck_assert_uint_eq(two->peer, peer);
    ck_assert_uint_eq(two->socket, router);
    ck_assert_uint_eq(two->payload_size, 5);
    ck_assert_mem_eq(two->payload, "ppppp", 5);
    ck_assert_str_eq(two->key, "");
    wire_event_free(two);
    char text[16];
    for (int i = 0; i < 500; i++) {
        snprintf(text, sizeof text, "answer %d", i);
        ends_send(server, router, peer, text, 0);
    }
    for (int i = 0; i < 500; i++) {
        snprintf(text, sizeof text, "answer %d", i);
        ck_assert_uint_eq(ends_peer(client, WIRE_MESSAGE, text), pulse);
    }
    ends_silence(server, 50);
    ends_silence(client, 0);
}
END_TEST

START_TEST(what_was_said_before_going_is_heard)
{
    ends_peer(client, WIRE_JOINED, NULL);
    for (int i = 0; i < 100; i++) {
        ends_send(client, dealer, 0, "words", 1000);
    }
    ends_send(client, dealer, 0, "bye", 0);
    wire_link_free(client, 1000);
    client = NULL;
    uint64_t peer = ends_peer(server, WIRE_JOINED, NULL);
    for (int i = 0; i < 100; i++) {
        ck_assert_uint_eq(ends_peer(server, WIRE_MESSAGE, "words"), peer);
    }
    ck_assert_uint_eq(ends_peer(server, WIRE_MESSAGE, "bye"), peer);
    ends_gone(server, peer, WIRE_GONE_CLOSED);
    ends_send(server, router, peer, "anybody?", 0);
    ends_count(server, dropped, 1);
    ends_silence(server, 0);
    struct wire_counters counters;
    wire_link_counters(server, &counters);
    ck_assert_uint_eq(counters.peers, 0);
    ck_assert_uint_eq(counters.messages_in, 101);
    ck_assert_uint_eq(counters.bytes_in, 100 * 1005 + 3);
}
END_TEST

START_TEST(a_server_that_comes_back_is_a_new_peer)
{
    uint64_t first = ends_peer(client, WIRE_JOINED, NULL);
    wire_link_free(server, 0);
    ends_gone(client, first, WIRE_GONE_CLOSED);
    ends_send(client, dealer, 0, "into the void", 0); /* nobody is there: it is not kept for the next */
    ends_count(client, dropped, 1);
    server = ends_link(NULL);
    router = ends_bind(server, ends_ipc("s"), NULL);
    uint64_t second = ends_peer(client, WIRE_JOINED, NULL);
    ck_assert_uint_ne(first, second);
    ends_send(client, dealer, first, "to the first", 0);
    ends_send(client, dealer, second, "to the second", 0);
    ends_peer(server, WIRE_JOINED, NULL);
    ends_peer(server, WIRE_MESSAGE, "to the second");
}
END_TEST

START_TEST(a_dropped_peer_is_cut_off_and_may_come_back)
{
    uint64_t pulse = ends_peer(client, WIRE_JOINED, NULL);
    ends_send(client, dealer, 0, "garbage", 0);
    uint64_t peer = ends_peer(server, WIRE_JOINED, NULL);
    ends_peer(server, WIRE_MESSAGE, "garbage");
    wire_link_drop(server, router, peer);
    ends_gone(server, peer, WIRE_GONE_CLOSED);
    ends_gone(client, pulse, WIRE_GONE_CLOSED);
    pulse = ends_peer(client, WIRE_JOINED, NULL);
    ends_send(client, dealer, pulse, "better", 0);
    ck_assert_uint_ne(ends_peer(server, WIRE_JOINED, NULL), peer);
    ends_peer(server, WIRE_MESSAGE, "better");
    wire_link_drop(server, router, peer); /* long gone: nothing happens */
    wire_link_drop(server, 7, peer);
    ends_silence(server, 100);
}
END_TEST

START_TEST(the_descriptor_is_readable_while_there_are_events)
{
    ends_peer(client, WIRE_JOINED, NULL);
    struct pollfd item = {.fd = wire_link_fd(server), .events = POLLIN};
    ck_assert_int_eq(poll(&item, 1, 0), 0);
    ends_send(client, dealer, 0, "hello", 0);
    ck_assert_int_eq(poll(&item, 1, ENDS_PATIENCE_MS), 1);
    ends_peer(server, WIRE_JOINED, NULL);
    ends_peer(server, WIRE_MESSAGE, "hello");
    ck_assert_int_eq(poll(&item, 1, 0), 0);
    ck_assert_ptr_null(wire_link_next(server));
}
END_TEST

static bool answer_pings(void *context, struct wire_link *link, struct wire_event *event)
{
    unsigned *answered = context;
    if (event->kind != WIRE_MESSAGE || event->envelope_size != 4 || memcmp(event->envelope, "ping", 4) != 0) {
        return false;
    }
    ++*answered;
    ends_send(link, event->socket, event->peer, "pong", 0);
    wire_event_free(event);
    return true;
}

START_TEST(a_handler_takes_what_it_wants)
{
    unsigned answered = 0;
    wire_link_free(server, 0);
    server = ends_link(&(struct wire_link_options){.handler = answer_pings, .handler_context = &answered});
    router = ends_bind(server, ends_ipc("h"), NULL);
    dealer = ends_connect(client, ends_ipc("h"), NULL, NULL);
    for (uint64_t peer = 0; peer == 0;) { /* the old socket's news come first, or not */
        struct wire_event *event = wire_link_wait(client, ENDS_PATIENCE_MS);
        ck_assert_ptr_nonnull(event);
        peer = event->kind == WIRE_JOINED && event->socket == dealer ? event->peer : 0;
        wire_event_free(event);
    }
    ends_send(client, dealer, 0, "ping", 0);
    ends_send(client, dealer, 0, "question", 0);
    ends_peer(server, WIRE_JOINED, NULL);
    ends_peer(server, WIRE_MESSAGE, "question");
    for (;;) {
        struct wire_event *event = wire_link_wait(client, ENDS_PATIENCE_MS);
        ck_assert_ptr_nonnull(event);
        bool pong = event->kind == WIRE_MESSAGE && memcmp(event->envelope, "pong", 4) == 0;
        wire_event_free(event);
        if (pong) {
            break;
        }
    }
    wire_link_free(server, 0);
    server = NULL;
    ck_assert_uint_eq(answered, 1);
}
END_TEST

static void refuse(const struct wire_socket_options *options, enum lh_status expected)
{
    uint32_t socket = 77;
    struct lh_error error = LH_ERROR_INIT;
    ck_assert_int_eq(wire_link_open(server, options, &socket, &error), expected);
    ck_assert_int_eq(error.code, expected);
    ck_assert_str_ne(error.message, "");
    ck_assert_uint_eq(socket, 77);
}

START_TEST(endpoints_that_others_could_reach_are_refused)
{
    struct wire_socket_options options = {.kind = WIRE_ROUTER};
    char path[300];
    snprintf(path, sizeof path, "ipc://%s/sub/s", ends_folder());
    options.endpoint = path;
    refuse(&options, LH_ERR_UNAVAILABLE);
    snprintf(path, sizeof path, "%s/sub", ends_folder());
    ck_assert_int_eq(mkdir(path, 0750), 0);
    ck_assert_int_eq(chmod(path, 0750), 0);
    snprintf(path, sizeof path, "ipc://%s/sub/s", ends_folder());
    refuse(&options, LH_ERR_INVALID);
    snprintf(path, sizeof path, "%s/sub", ends_folder());
    ck_assert_int_eq(rmdir(path), 0);
    snprintf(path, sizeof path, "ipc://%s/%0120d", ends_folder(), 0);
    refuse(&options, LH_ERR_LIMIT);
    options.endpoint = "ipc://relative";
    refuse(&options, LH_ERR_USAGE);
    options.endpoint = "inproc://x";
    refuse(&options, LH_ERR_USAGE);
    options.endpoint = "tcp://127.0.0.1:*"; /* without keys */
    refuse(&options, LH_ERR_USAGE);
    struct wire_keys keys;
    ck_assert_int_eq(wire_keys_generate(&keys, NULL), LH_OK);
    options.keys = &keys;
    options.kind = WIRE_DEALER;
    options.endpoint = "tcp://127.0.0.1:1"; /* without the server's */
    refuse(&options, LH_ERR_USAGE);
}
END_TEST

START_TEST(a_bad_address_leaves_the_link_usable)
{
    char endpoint[WIRE_ENDPOINT_SIZE];
    struct wire_keys keys;
    ck_assert_int_eq(wire_keys_generate(&keys, NULL), LH_OK);
    struct wire_socket_options options = {.kind = WIRE_ROUTER, .keys = &keys, .endpoint = "tcp://127.0.0.1:*"};
    wire_link_endpoint(server, ends_open(server, &options), endpoint);
    ck_assert_msg(strncmp(endpoint, "tcp://127.0.0.1:", 16) == 0 && atoi(endpoint + 16) > 0, "%s", endpoint);
    options.endpoint = endpoint; /* taken */
    refuse(&options, LH_ERR_IO);
    options.endpoint = "tcp://300.1.1.1:1";
    refuse(&options, LH_ERR_IO);
    for (unsigned i = 2; i < WIRE_SOCKETS_MAX; i++) {
        options.endpoint = "tcp://127.0.0.1:*";
        ends_open(server, &options);
    }
    refuse(&options, LH_ERR_LIMIT);
    ends_peer(client, WIRE_JOINED, NULL);
    ends_send(client, dealer, 0, "still here", 0);
    ends_peer(server, WIRE_JOINED, NULL);
    ends_peer(server, WIRE_MESSAGE, "still here");
}
END_TEST

START_TEST(sends_are_bounded)
{
    struct wire_link *narrow = ends_link(&(struct wire_link_options){.sends_max = 1});
    enum lh_status status = LH_OK;
    for (int i = 0; i < 1000000 && status == LH_OK; i++) {
        struct wire_buffer envelope = {.data = strdup("x"), .size = 1};
        status = wire_link_send(narrow, 0, 0, &envelope, NULL);
    }
    ck_assert_int_eq(status, LH_ERR_LIMIT);
    wire_link_free(narrow, 0);
}
END_TEST

int main(void)
{
    TCase *group = tcase_create("link");
    tcase_add_checked_fixture(group, open_both, close_both);
    tcase_add_test(group, messages_go_both_ways_in_order);
    tcase_add_test(group, what_was_said_before_going_is_heard);
    tcase_add_test(group, a_server_that_comes_back_is_a_new_peer);
    tcase_add_test(group, a_dropped_peer_is_cut_off_and_may_come_back);
    tcase_add_test(group, the_descriptor_is_readable_while_there_are_events);
    tcase_add_test(group, a_handler_takes_what_it_wants);
    tcase_add_test(group, endpoints_that_others_could_reach_are_refused);
    tcase_add_test(group, a_bad_address_leaves_the_link_usable);
    tcase_add_test(group, sends_are_bounded);
    Suite *suite = suite_create("proto/link");
    suite_add_tcase(suite, group);
    return testing_main(suite);
}
