/* SPDX-License-Identifier: MIT */
/* Who may connect over the network, and what hostile bytes do: nothing to the others. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zmq.h>

#include "tests/proto/link/ends.h"

#define MESSAGE_MAX 10000

static struct wire_keys server_keys, first_keys, second_keys;
static struct wire_link *server, *first;
static uint32_t router, dealer;
static char endpoint[WIRE_ENDPOINT_SIZE];
static uint64_t first_peer; /* as the server names it */

static void allow(bool first_too, bool second_too)
{
    const char *keys[2];
    size_t count = 0;
    if (first_too) {
        keys[count++] = first_keys.public_key;
    }
    if (second_too) {
        keys[count++] = second_keys.public_key;
    }
    ck_assert_int_eq(wire_link_allow(server, keys, count), LH_OK);
}

/* A server that knows the first peer, which is connected and has said so. */
static void start(void)
{
    ck_assert_int_eq(wire_keys_generate(&server_keys, NULL), LH_OK);
    ck_assert_int_eq(wire_keys_generate(&first_keys, NULL), LH_OK);
    ck_assert_int_eq(wire_keys_generate(&second_keys, NULL), LH_OK);
    server = ends_link(NULL);
    router = ends_open(server, &(struct wire_socket_options){.kind = WIRE_ROUTER,
                                                             .endpoint = "tcp://127.0.0.1:*",
                                                             .keys = &server_keys,
                                                             .message_max = MESSAGE_MAX,
                                                             .heartbeat_ms = 100,
                                                             .dead_ms = DEAD_MS});
    wire_link_endpoint(server, router, endpoint);
    allow(true, false);
    first = ends_link(NULL);
    dealer = ends_connect(first, endpoint, &first_keys, server_keys.public_key);
    ends_peer(first, WIRE_JOINED, NULL);
    ends_send(first, dealer, 0, "hello", 0);
    struct wire_event *joined = ends_expect(server, WIRE_JOINED, NULL);
    ck_assert_str_eq(joined->key, first_keys.public_key);
    first_peer = joined->peer;
    wire_event_free(joined);
    struct wire_event *hello = ends_expect(server, WIRE_MESSAGE, "hello");
    ck_assert_str_eq(hello->key, first_keys.public_key);
    wire_event_free(hello);
}

static void stop(void)
{
    wire_link_free(first, 0);
    wire_link_free(server, 0);
}

/* The first peer is still served, in both directions. */
static void first_is_served(void)
{
    ends_send(first, dealer, 0, "there?", 0);
    ck_assert_uint_eq(ends_peer(server, WIRE_MESSAGE, "there?"), first_peer);
    ends_send(server, router, first_peer, "here", 0);
    ends_peer(first, WIRE_MESSAGE, "here");
}

static void refused(const struct wire_keys *keys, const char *server_key)
{
    struct wire_link *other = ends_link(NULL);
    uint32_t socket = ends_connect(other, endpoint, keys, server_key);
    struct wire_event *event = ends_expect(other, WIRE_GONE, NULL);
    ck_assert_int_eq(event->gone, WIRE_GONE_REFUSED);
    ck_assert_uint_eq(event->peer, 0);
    wire_event_free(event);
    ends_send(other, socket, 0, "let me in", 0);
    ends_silence(other, 200); /* it is told once, though the link tries on */
    ends_silence(server, 0);
    ends_count(server, refused, 1);
    wire_link_free(other, 0);
    first_is_served();
}

START_TEST(keys_that_are_not_enrolled_are_refused)
{
    refused(&second_keys, server_keys.public_key);
}
END_TEST

START_TEST(a_server_that_is_not_who_we_expect_is_refused)
{
    refused(&first_keys, second_keys.public_key);
}
END_TEST

START_TEST(a_stolen_public_key_is_not_enough)
{
    struct wire_keys thief = second_keys;
    memcpy(thief.public_key, first_keys.public_key, sizeof thief.public_key);
    refused(&thief, server_keys.public_key);
}
END_TEST

START_TEST(a_key_that_is_enrolled_later_comes_in)
{
    struct wire_link *second = ends_link(NULL);
    uint32_t socket = ends_connect(second, endpoint, &second_keys, server_keys.public_key);
    struct wire_event *event = ends_expect(second, WIRE_GONE, NULL);
    wire_event_free(event);
    allow(true, true);
    ends_peer(second, WIRE_JOINED, NULL);
    ends_send(second, socket, 0, "now", 0);
    event = ends_expect(server, WIRE_JOINED, NULL);
    ck_assert_str_eq(event->key, second_keys.public_key);
    wire_event_free(event);
    ends_peer(server, WIRE_MESSAGE, "now");
    wire_link_free(second, 0);
}
END_TEST

START_TEST(a_key_that_is_revoked_is_cut_off_and_stays_out)
{
    ends_send(first, dealer, 0, "queued", 0);
    ends_count(server, messages_in, 2);
    allow(false, true);
    /* What was queued is not told any more. */
    ends_gone(server, first_peer, WIRE_GONE_REVOKED);
    ends_send(server, router, first_peer, "secret", 0);
    struct wire_event *event = ends_expect(first, WIRE_GONE, NULL);
    ck_assert_int_eq(event->gone, WIRE_GONE_CLOSED);
    wire_event_free(event);
    event = ends_expect(first, WIRE_GONE, NULL);
    ck_assert_int_eq(event->gone, WIRE_GONE_REFUSED);
    wire_event_free(event);
    ends_send(first, dealer, 0, "still here", 0);
    ends_silence(server, 300);
    ends_silence(first, 0);
    struct wire_counters counters;
    wire_link_counters(server, &counters);
    ck_assert_uint_ge(counters.revoked, 1);
    ck_assert_uint_eq(counters.peers, 0);
    allow(true, true);
    ends_peer(first, WIRE_JOINED, NULL);
    ends_send(first, dealer, 0, "pardoned", 0);
    ck_assert_uint_ne(ends_peer(server, WIRE_JOINED, NULL), first_peer);
    ends_peer(server, WIRE_MESSAGE, "pardoned");
}
END_TEST

START_TEST(nobody_is_let_in_before_somebody_is_allowed)
{
    struct wire_link *fresh = ends_link(NULL);
    char place[WIRE_ENDPOINT_SIZE];
    wire_link_endpoint(fresh, ends_bind(fresh, "tcp://127.0.0.1:*", &server_keys), place);
    struct wire_link *other = ends_link(NULL);
    ends_connect(other, place, &first_keys, server_keys.public_key);
    struct wire_event *event = ends_expect(other, WIRE_GONE, NULL);
    ck_assert_int_eq(event->gone, WIRE_GONE_REFUSED);
    wire_event_free(event);
    wire_link_free(other, 0);
    wire_link_free(fresh, 0);
}
END_TEST

/* A bare ZeroMQ peer, whose frames may be anything; its context is *context. */
static void *bare_peer(void **context, const struct wire_keys *keys)
{
    *context = zmq_ctx_new();
    void *socket = zmq_socket(*context, ZMQ_DEALER);
    int zero = 0;
    zmq_setsockopt(socket, ZMQ_LINGER, &zero, sizeof zero);
    if (keys != NULL) {
        zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, keys->public_key, WIRE_KEY_SIZE);
        zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, keys->secret_key, WIRE_KEY_SIZE);
        zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, server_keys.public_key, WIRE_KEY_SIZE);
    }
    ck_assert_int_eq(zmq_connect(socket, endpoint), 0);
    return socket;
}

START_TEST(a_peer_without_curve_is_refused)
{
    void *context;
    void *socket = bare_peer(&context, NULL);
    zmq_send(socket, "plain", 5, ZMQ_DONTWAIT);
    ends_count(server, refused, 1);
    first_is_served();
    zmq_close(socket);
    zmq_ctx_term(context);
}
END_TEST

START_TEST(messages_of_the_wrong_shape_are_counted)
{
    allow(true, true);
    void *context;
    void *socket = bare_peer(&context, &second_keys);
    zmq_send(socket, "1", 1, ZMQ_SNDMORE);
    zmq_send(socket, "2", 1, ZMQ_SNDMORE);
    zmq_send(socket, "3", 1, 0);
    zmq_send(socket, "", 0, 0); /* a sign of life */
    ends_count(server, malformed, 1);
    zmq_send(socket, "\xFF\xFF\xFF", 3, ZMQ_SNDMORE); /* garbage is none of the link's business */
    zmq_send(socket, "", 0, 0);
    uint64_t peer = ends_peer(server, WIRE_JOINED, NULL);
    struct wire_event *event = ends_expect(server, WIRE_MESSAGE, "\xFF\xFF\xFF");
    ck_assert_uint_eq(event->payload_size, 0);
    ck_assert_ptr_nonnull(event->payload);
    wire_event_free(event);
    first_is_served();
    zmq_close(socket);
    zmq_ctx_term(context);
    ends_gone(server, peer, WIRE_GONE_CLOSED);
}
END_TEST

START_TEST(frames_that_are_too_large_end_their_connection_alone)
{
    allow(true, true);
    void *context;
    void *socket = bare_peer(&context, &second_keys);
    static char large[MESSAGE_MAX + 100];
    zmq_send(socket, "small", 5, 0);
    uint64_t peer = ends_peer(server, WIRE_JOINED, NULL);
    ends_peer(server, WIRE_MESSAGE, "small");
    zmq_send(socket, large, sizeof large, 0);
    ends_gone(server, peer, WIRE_GONE_CLOSED);
    first_is_served();
    zmq_close(socket);
    zmq_ctx_term(context);
}
END_TEST

/* A ZeroMQ peer that names itself: names are ours to give. */
START_TEST(peers_do_not_choose_their_names)
{
    allow(true, true);
    void *context = zmq_ctx_new();
    void *socket = zmq_socket(context, ZMQ_DEALER);
    int zero = 0;
    zmq_setsockopt(socket, ZMQ_LINGER, &zero, sizeof zero);
    zmq_setsockopt(socket, ZMQ_ROUTING_ID, "admin", 5);
    zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, second_keys.public_key, WIRE_KEY_SIZE);
    zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, second_keys.secret_key, WIRE_KEY_SIZE);
    zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, server_keys.public_key, WIRE_KEY_SIZE);
    ck_assert_int_eq(zmq_connect(socket, endpoint), 0);
    zmq_send(socket, "it is me", 8, 0);
    ends_count(server, malformed, 1);
    first_is_served();
    zmq_close(socket);
    zmq_ctx_term(context);
}
END_TEST

static int raw_connection(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    address.sin_port = htons((uint16_t)atoi(strrchr(endpoint, ':') + 1));
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

START_TEST(garbage_on_the_line_harms_nobody)
{
    static const char greeting[] = "\xFF\0\0\0\0\0\0\0\x01\x7F\x03\0CURVE\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    uint64_t state = 88172645463325252u;
    for (int round = 0; round < 100; round++) {
        int fd = raw_connection();
        char bytes[512];
        for (size_t i = 0; i < sizeof bytes; i++) {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            bytes[i] = (char)state;
        }
        if (round % 3 == 0) { /* a handshake that begins well */
            memcpy(bytes, greeting, sizeof greeting - 1);
        } else if (round % 3 == 1) {
            memcpy(bytes, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 27);
        }
        ssize_t sent = send(fd, bytes, sizeof bytes, MSG_NOSIGNAL);
        (void)sent;
        if (round % 2 == 0) {
            shutdown(fd, SHUT_WR);
        }
        close(fd);
        if (round % 20 == 0) {
            first_is_served();
        }
    }
    int silent = raw_connection(); /* says nothing at all: given up after a while */
    char byte;
    while (recv(silent, &byte, 1, 0) > 0) { /* the server's greeting, then the end */
    }
    close(silent);
    first_is_served();
    ends_silence(server, 0);
    struct wire_counters counters;
    wire_link_counters(server, &counters);
    ck_assert_uint_eq(counters.peers, 1);
    ck_assert_uint_ge(counters.refused, 1);
}
END_TEST

int main(void)
{
    TCase *group = tcase_create("zap");
    tcase_add_checked_fixture(group, start, stop);
    tcase_add_test(group, keys_that_are_not_enrolled_are_refused);
    tcase_add_test(group, a_server_that_is_not_who_we_expect_is_refused);
    tcase_add_test(group, a_stolen_public_key_is_not_enough);
    tcase_add_test(group, a_key_that_is_enrolled_later_comes_in);
    tcase_add_test(group, a_key_that_is_revoked_is_cut_off_and_stays_out);
    tcase_add_test(group, nobody_is_let_in_before_somebody_is_allowed);
    tcase_add_test(group, a_peer_without_curve_is_refused);
    tcase_add_test(group, messages_of_the_wrong_shape_are_counted);
    tcase_add_test(group, frames_that_are_too_large_end_their_connection_alone);
    tcase_add_test(group, peers_do_not_choose_their_names);
    tcase_add_test(group, garbage_on_the_line_harms_nobody);
    Suite *suite = suite_create("proto/link/zap");
    suite_add_tcase(suite, group);
    return testing_main(suite);
}
