/* SPDX-License-Identifier: MIT */
/* A peer of its own process, to be killed and stopped by the tests.

   usage: link_peer MODE ENDPOINT
       talk    connects, says "hello", gives back whatever it hears
       patient the same, but gives nobody up for a while
       deaf    connects, says "hello", and takes nothing that it hears
       serve   binds and gives back whatever it hears
       ignore  binds and takes nothing that it hears
   It ends with its standard input. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/link/link.h"

static void say(struct wire_link *link, uint32_t socket, uint64_t peer, const void *text, size_t size)
{
    struct wire_buffer buffer = {.data = malloc(size), .size = size};
    if (buffer.data == NULL) {
        abort();
    }
    memcpy(buffer.data, text, size);
    if (wire_link_send(link, socket, peer, &buffer, NULL) != LH_OK) {
        abort();
    }
}

static void hear(struct wire_link *link, bool greets)
{
    struct wire_event *event;
    while ((event = wire_link_next(link)) != NULL) {
        if (event->kind == WIRE_JOINED && greets) {
            say(link, event->socket, event->peer, "hello", 5);
        } else if (event->kind == WIRE_MESSAGE) {
            say(link, event->socket, event->peer, event->envelope, event->envelope_size);
        }
        wire_event_free(event);
    }
}

int main(int count, char **arguments)
{
    if (count != 3) {
        return 2;
    }
    const char *mode = arguments[1];
    bool binds = strcmp(mode, "serve") == 0 || strcmp(mode, "ignore") == 0;
    bool patient = strcmp(mode, "patient") == 0;
    bool hears = patient || strcmp(mode, "talk") == 0 || strcmp(mode, "serve") == 0;
    struct wire_link_options narrow = {.events_max = 1};
    struct wire_link *link;
    uint32_t socket;
    struct lh_error error = LH_ERROR_INIT;
    if (wire_link_new(hears ? NULL : &narrow, &link, &error) != LH_OK) {
        return 1;
    }
    struct wire_socket_options options = {.kind = binds ? WIRE_ROUTER : WIRE_DEALER,
                                          .endpoint = arguments[2],
                                          .heartbeat_ms = 100,
                                          .dead_ms = patient ? 0 : DEAD_MS,
                                          .reconnect_ms = 10,
                                          .reconnect_max_ms = 50,
                                          .queue = hears ? 0 : 10};
    if (wire_link_open(link, &options, &socket, &error) != LH_OK) {
        fprintf(stderr, "%s: %s\n", error.where, error.message);
        return 1;
    }
    if (strcmp(mode, "deaf") == 0) {
        wire_event_free(wire_link_wait(link, -1)); /* JOINED */
        say(link, socket, 0, "hello", 5);
    }
    struct pollfd items[] = {{.fd = STDIN_FILENO, .events = POLLIN}, {.fd = wire_link_fd(link), .events = POLLIN}};
    while (poll(items, hears ? 2 : 1, -1) >= 0 && items[0].revents == 0) {
        hear(link, !binds);
    }
    wire_link_free(link, 0);
    return 0;
}
