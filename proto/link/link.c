/* SPDX-License-Identifier: MIT */
/* The link's life, and the calls that wait for its thread. */
#include "proto/link/link.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "proto/link/link_parts.h"

#define EVENTS_STANDARD 4096
#define EVENTS_BYTES_STANDARD ((size_t)256 << 20)
#define SENDS_STANDARD 65536

static void fill_in(struct wire_link_options *options)
{
    options->events_max = options->events_max == 0 ? EVENTS_STANDARD : options->events_max;
    options->events_bytes = options->events_bytes == 0 ? EVENTS_BYTES_STANDARD : options->events_bytes;
    options->sends_max = options->sends_max == 0 ? SENDS_STANDARD : options->sends_max;
}

/* The program's signals are for its other threads. */
static bool start_thread(struct wire_link *link)
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    link->running = pthread_create(&link->thread, NULL, wire_link_loop, link) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return link->running;
}

enum lh_status wire_link_new(const struct wire_link_options *options, struct wire_link **link, struct lh_error *error)
{
    struct wire_link *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return lh_error_no_memory(error);
    }
    made->options = options != NULL ? *options : (struct wire_link_options){0};
    fill_in(&made->options);
    enum lh_status status = wire_queues_init(made, error);
    if (status == LH_OK) {
        made->context = zmq_ctx_new();
        status =
            made->context == NULL ? lh_error_set(error, LH_ERR_IO, "", "ZeroMQ: %s", zmq_strerror(zmq_errno())) : LH_OK;
    }
    if (status == LH_OK && (wire_zap_open(made) != LH_OK || !start_thread(made))) {
        status = lh_error_set(error, LH_ERR_IO, "", "the link cannot start: %s", zmq_strerror(zmq_errno()));
        if (made->zap != NULL) {
            zmq_close(made->zap);
        }
    }
    if (status != LH_OK) {
        wire_link_free(made, 0);
        return status;
    }
    *link = made;
    return LH_OK;
}

void wire_link_free(struct wire_link *link, uint32_t linger_ms)
{
    if (link == NULL) {
        return;
    }
    if (link->running) {
        struct wire_call call = {.linger_ms = (int)linger_ms};
        while (wire_link_call(link, WIRE_COMMAND_STOP, &call) == LH_ERR_NO_MEMORY) {
        }
        pthread_join(link->thread, NULL);
    }
    if (link->context != NULL) {
        while (zmq_ctx_term(link->context) != 0 && zmq_errno() == EINTR) {
        }
    }
    wire_queues_fini(link);
    free(link->allowed);
    free(link);
}

enum lh_status wire_link_open(struct wire_link *link, const struct wire_socket_options *options, uint32_t *socket,
                              struct lh_error *error)
{
    struct wire_call call = {.options = options, .error = LH_ERROR_INIT};
    enum lh_status status = wire_link_call(link, WIRE_COMMAND_OPEN, &call);
    if (status != LH_OK) {
        if (error != NULL) {
            *error = call.error;
        }
        return call.error.code == LH_OK ? lh_error_no_memory(error) : status;
    }
    *socket = call.socket;
    return LH_OK;
}

/* Written before the socket's number was given away, and never again. */
void wire_link_endpoint(struct wire_link *link, uint32_t socket, char *endpoint)
{
    memcpy(endpoint, link->sockets[socket].endpoint, WIRE_ENDPOINT_SIZE);
}

enum lh_status wire_link_allow(struct wire_link *link, const char *const *keys, size_t count)
{
    char(*copies)[WIRE_KEY_SIZE] = calloc(count > 0 ? count : 1, sizeof *copies);
    if (copies == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < count; i++) {
        memcpy(copies[i], keys[i], strnlen(keys[i], WIRE_KEY_SIZE - 1));
    }
    struct wire_call call = {.keys = copies, .key_count = count};
    enum lh_status status = wire_link_call(link, WIRE_COMMAND_ALLOW, &call);
    if (status != LH_OK) {
        free(copies);
    }
    return status;
}

void wire_link_counters(struct wire_link *link, struct wire_counters *counters)
{
    struct wire_tallies *tallies = &link->tallies;
#define READ(name) .name = atomic_load_explicit(&tallies->name, memory_order_relaxed)
    *counters =
        (struct wire_counters){READ(messages_in), READ(messages_out), READ(bytes_in), READ(bytes_out), READ(malformed),
                               READ(refused),     READ(revoked),      READ(slow),     READ(dropped),   READ(peers)};
#undef READ
}
