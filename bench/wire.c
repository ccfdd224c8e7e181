/* SPDX-License-Identifier: MIT */
/* What the wire costs: a question and its answer between two processes, beside bare czmq in the same run.

   wire [ROUNDS]

   Round trips: a client asks Ping and waits for Pong. "bare czmq" sends as many bytes to a czmq ROUTER that gives them
   back, and no one looks at them. Ours packs, checks, unpacks, and runs through the link. The servers live through all
   rounds; each round asks each of them in turn.
   Nobody spins before it sleeps: on two processors the spinner keeps ZeroMQ's own threads from running. */
#include <czmq.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "proto/envelope.h"
#include "proto/link/caller.h"

#define QUESTIONS 4000 /* of each server in a round */
#define ROUNDS_STANDARD 9

static char folder[] = "/tmp/loophole-wire.XXXXXX";

static void require(bool good, const char *what)
{
    if (!good) {
        fprintf(stderr, "wire: %s\n", what);
        exit(1);
    }
}

/* ---- servers, each a process */

static void endpoint_of(const char *name, char *endpoint)
{
    snprintf(endpoint, WIRE_ENDPOINT_SIZE, "ipc://%s/%s", folder, name);
}

static void serve_bare(void)
{
    char endpoint[WIRE_ENDPOINT_SIZE];
    endpoint_of("bare", endpoint);
    zsock_t *router = zsock_new_router(endpoint);
    require(router != NULL, "no bare server");
    for (;;) {
        zmsg_t *message = zmsg_recv(router);
        if (message == NULL) {
            break;
        }
        zmsg_send(&message, router);
    }
    zsock_destroy(&router);
}

static void answer_ping(struct wire_link *link, const struct wire_event *event)
{
    struct lh_arena arena;
    lh_arena_init(&arena);
    const Wire__Envelope *question;
    require(wire_envelope_unpack(event->envelope, event->envelope_size, &arena, &question, NULL) == LH_OK &&
                question->body_case == WIRE__ENVELOPE__BODY_PING,
            "a question that is no ping");
    Wire__Envelope answer = WIRE_ENVELOPE_INIT(question->id);
    Wire__Pong pong = WIRE__PONG__INIT;
    pong.software = wire_text("bench");
    pong.has_stamp = true;
    pong.stamp = question->ping->stamp;
    answer.has_correlation = true;
    answer.correlation = question->id;
    WIRE_BODY(&answer, PONG, pong, &pong);
    struct wire_buffer buffer = {0};
    uint8_t *data;
    require(wire_envelope_pack(&answer, &data, &buffer.size, NULL) == LH_OK, "an answer that cannot be packed");
    buffer.data = data;
    require(wire_link_send(link, event->socket, event->peer, &buffer, NULL) == LH_OK, "an answer that is not sent");
    lh_arena_fini(&arena);
}

static bool handle(void *context, struct wire_link *link, struct wire_event *event)
{
    (void)context;
    if (event->kind == WIRE_MESSAGE) {
        answer_ping(link, event);
    }
    wire_event_free(event);
    return true;
}

/* On the link's own thread, or by way of the queue and another thread. */
static void serve_link(const char *name, bool queued)
{
    char endpoint[WIRE_ENDPOINT_SIZE];
    endpoint_of(name, endpoint);
    struct wire_link *link;
    uint32_t socket;
    struct wire_link_options options = {.handler = queued ? NULL : handle};
    struct wire_socket_options router = {.kind = WIRE_ROUTER, .endpoint = endpoint};
    struct lh_error error = LH_ERROR_INIT;
    require(wire_link_new(&options, &link, &error) == LH_OK && wire_link_open(link, &router, &socket, &error) == LH_OK,
            error.message);
    for (;;) {
        struct wire_event *event = wire_link_wait(link, -1);
        if (event != NULL) {
            handle(NULL, link, event);
        }
    }
}

static void serve_handler(void)
{
    serve_link("handler", false);
}

static void serve_queue(void)
{
    serve_link("queue", true);
}

/* ---- clients */

static int by_time(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;
    return (left > right) - (left < right);
}

static double quantile(double *values, size_t count, double part)
{
    qsort(values, count, sizeof values[0], by_time);
    return values[(size_t)((double)(count - 1) * part)];
}

static uint8_t *pack_ping(uint64_t id, size_t *size)
{
    Wire__Envelope question = WIRE_ENVELOPE_INIT(id);
    Wire__Ping ping = WIRE__PING__INIT;
    ping.has_stamp = true;
    ping.stamp = id;
    WIRE_BODY(&question, PING, ping, &ping);
    uint8_t *data;
    require(wire_envelope_pack(&question, &data, size, NULL) == LH_OK, "a question that cannot be packed");
    return data;
}

static double ask_bare(zsock_t *dealer, uint64_t id)
{
    size_t size;
    uint8_t *data = pack_ping(id, &size);
    uint64_t begin = lh_clock_monotonic_ns();
    zframe_t *frame = zframe_new(data, size);
    zframe_send(&frame, dealer, 0);
    frame = zframe_recv(dealer);
    uint64_t end = lh_clock_monotonic_ns();
    require(frame != NULL && zframe_size(frame) == size, "the bare server does not answer");
    zframe_destroy(&frame);
    free(data);
    return (double)(end - begin) / 1000;
}

static double ask_link(struct wire_caller *caller, uint64_t id)
{
    uint64_t begin = lh_clock_monotonic_ns();
    struct wire_buffer buffer = {0};
    buffer.data = pack_ping(id, &buffer.size);
    struct wire_answer answer;
    struct lh_error error = LH_ERROR_INIT;
    require(wire_caller_send(caller, &buffer, NULL, &error) == LH_OK &&
                wire_caller_receive(caller, 10000, &answer, &error) == LH_OK,
            error.message);
    struct lh_arena arena;
    lh_arena_init(&arena);
    const Wire__Envelope *envelope;
    require(wire_envelope_unpack(answer.envelope, answer.envelope_size, &arena, &envelope, NULL) == LH_OK &&
                envelope->correlation == id && envelope->pong->stamp == id,
            "an answer to another question");
    lh_arena_fini(&arena);
    return (double)(lh_clock_monotonic_ns() - begin) / 1000;
}

static struct wire_caller *connect_link(const char *name)
{
    char endpoint[WIRE_ENDPOINT_SIZE];
    endpoint_of(name, endpoint);
    struct wire_caller_options options = {.endpoint = endpoint};
    struct wire_caller *caller = NULL;
    for (int tries = 0; tries < 500 && wire_caller_new(&options, 1000, &caller, NULL) != LH_OK; tries++) {
        usleep(10000);
    }
    require(caller != NULL, "no server");
    return caller;
}

static void report(const char *name, double *times, size_t count, double bare)
{
    double p50 = quantile(times, count, 0.5);
    printf("  %-34s p50 %6.1f us  p99 %7.1f us", name, p50, quantile(times, count, 0.99));
    if (bare > 0) {
        printf("  %.2f x bare czmq", p50 / bare);
    }
    printf("\n");
}

static double median_ratio(const double *ours, const double *bare, size_t rounds)
{
    double ratios[1000];
    for (size_t i = 0; i < rounds; i++) {
        ratios[i] = ours[i] / bare[i];
    }
    return quantile(ratios, rounds, 0.5);
}

static void round_trips(size_t rounds)
{
    char endpoint[WIRE_ENDPOINT_SIZE];
    endpoint_of("bare", endpoint);
    struct wire_caller *handler = connect_link("handler");
    struct wire_caller *queue = connect_link("queue");
    zsock_t *dealer = zsock_new_dealer(endpoint);
    double *times[3];
    double middle[3][1000];
    for (int i = 0; i < 3; i++) {
        times[i] = calloc(rounds * QUESTIONS, sizeof(double));
        require(times[i] != NULL, "no memory");
    }
    uint64_t id = 0;
    for (size_t round = 0; round <= rounds; round++) { /* the first warms up */
        size_t at = round == 0 ? 0 : (round - 1) * QUESTIONS;
        for (size_t turn = 0; turn < 3; turn++) {
            size_t who = (turn + round) % 3;
            for (size_t i = 0; i < QUESTIONS; i++) {
                id++;
                times[who][at + i] = who == 0   ? ask_bare(dealer, id)
                                     : who == 1 ? ask_link(handler, id)
                                                : ask_link(queue, id);
            }
            double copy[QUESTIONS];
            memcpy(copy, times[who] + at, sizeof copy);
            middle[who][round == 0 ? 0 : round - 1] = quantile(copy, QUESTIONS, 0.5);
        }
    }
    double bare = quantile(times[0], rounds * QUESTIONS, 0.5);
    printf("question and answer, %zu x %d:\n", rounds, QUESTIONS);
    report("bare czmq", times[0], rounds * QUESTIONS, 0);
    report("link, answered on its thread", times[1], rounds * QUESTIONS, bare);
    report("link, answered by another thread", times[2], rounds * QUESTIONS, bare);
    printf("  median of the rounds' ratios of p50: %.2f on its thread, %.2f by another\n",
           median_ratio(middle[1], middle[0], rounds), median_ratio(middle[2], middle[0], rounds));
    for (int i = 0; i < 3; i++) {
        free(times[i]);
    }
    wire_caller_free(handler);
    wire_caller_free(queue);
    zsock_destroy(&dealer);
}

/* ---- */

static pid_t start(void (*serve)(void))
{
    pid_t child = fork(); /* before this process has any context */
    require(child >= 0, "no process");
    if (child == 0) {
        serve();
        exit(0);
    }
    return child;
}

int main(int count, char **arguments)
{
    size_t rounds = count > 1 ? (size_t)atoi(arguments[1]) : ROUNDS_STANDARD;
    require(rounds > 0 && rounds <= 1000 && mkdtemp(folder) != NULL, "usage: wire [ROUNDS]");
    void (*const servers[])(void) = {serve_bare, serve_handler, serve_queue};
    pid_t children[3];
    for (size_t i = 0; i < 3; i++) {
        children[i] = start(servers[i]);
    }
    round_trips(rounds);
    for (size_t i = 0; i < 3; i++) {
        kill(children[i], SIGKILL);
        waitpid(children[i], NULL, 0);
    }
    char command[100];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command) == 0 ? 0 : 1;
}
