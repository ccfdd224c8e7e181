/* SPDX-License-Identifier: MIT */
/* A socket of the link: opened, watched by its monitor, closed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/link/endpoint.h"
#include "proto/link/link_parts.h"

/* ZeroMQ tells about connections on a socket of its own. */
static bool open_monitor(struct wire_link *link, struct wire_socket *socket)
{
    char name[40]; /* never twice: that of a socket which could not be opened may linger */
    snprintf(name, sizeof name, "inproc://monitor-%u", ++link->monitor_serial);
    int events = ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |
                 ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH;
    int unlimited = 0; /* events are few and small, and none may be lost */
    if (zmq_socket_monitor(socket->handle, name, events) != 0) {
        return false;
    }
    socket->monitor = zmq_socket(link->context, ZMQ_PAIR);
    return socket->monitor != NULL && zmq_setsockopt(socket->monitor, ZMQ_RCVHWM, &unlimited, sizeof unlimited) == 0 &&
           zmq_setsockopt(socket->monitor, ZMQ_LINGER, &unlimited, sizeof unlimited) == 0 &&
           zmq_connect(socket->monitor, name) == 0;
}

enum lh_status wire_socket_open(struct wire_link *link, struct wire_call *call)
{
    uint32_t index = link->socket_count;
    if (index == WIRE_SOCKETS_MAX) {
        return lh_error_set(&call->error, LH_ERR_LIMIT, call->options->endpoint, "a link has at most %d sockets",
                            WIRE_SOCKETS_MAX);
    }
    struct wire_socket_options options = *call->options;
    enum lh_status status = wire_endpoint_check(&options, &call->error);
    if (status != LH_OK) {
        return status;
    }
    struct wire_socket *socket = &link->sockets[index];
    *socket = (struct wire_socket){.kind = options.kind, .queue = options.queue, .dead_ms = options.dead_ms};
    socket->heartbeat_ms = options.heartbeat_ms;
    socket->reconnect_ms = options.reconnect_ms;
    socket->reconnect_max_ms = options.reconnect_max_ms;
    socket->curve = options.keys != NULL && strncmp(options.endpoint, "tcp:", 4) == 0;
    wire_peers_init(&socket->peers);
    status = wire_endpoint_socket(link->context, &options, &socket->handle, &call->error);
    if (status != LH_OK) {
        return status;
    }
    bool binds = options.kind == WIRE_ROUTER;
    size_t length = sizeof socket->endpoint;
    if (!open_monitor(link, socket) ||
        (binds ? zmq_bind(socket->handle, options.endpoint) : zmq_connect(socket->handle, options.endpoint)) != 0 ||
        zmq_getsockopt(socket->handle, ZMQ_LAST_ENDPOINT, socket->endpoint, &length) != 0) {
        status = lh_error_set(&call->error, LH_ERR_IO, options.endpoint, "the endpoint cannot be %s: %s",
                              binds ? "bound" : "connected", zmq_strerror(zmq_errno()));
        wire_socket_close(socket, 0);
        return status;
    }
    call->socket = index;
    link->socket_count = index + 1;
    return LH_OK;
}

void wire_socket_close(struct wire_socket *socket, int linger_ms)
{
    for (uint32_t i = 0; i < socket->peers.slot_count; i++) {
        if (socket->peers.slots[i] != NULL) {
            wire_peer_forget_backlog(socket->peers.slots[i]);
        }
    }
    wire_peers_fini(&socket->peers);
    zmq_socket_monitor(socket->handle, NULL, 0);
    if (socket->monitor != NULL) {
        zmq_close(socket->monitor);
    }
    zmq_setsockopt(socket->handle, ZMQ_LINGER, &linger_ms, sizeof linger_ms);
    zmq_close(socket->handle);
    free(socket->ended);
    *socket = (struct wire_socket){0};
}

static void note_ended(struct wire_socket *socket, int fd)
{
    if (socket->ended_count == socket->ended_capacity) {
        size_t capacity = socket->ended_capacity == 0 ? 16 : socket->ended_capacity * 2;
        int *grown = realloc(socket->ended, capacity * sizeof *grown);
        if (grown == NULL) { /* a later send finds that the peer is gone */
            return;
        }
        socket->ended = grown;
        socket->ended_capacity = capacity;
    }
    socket->ended[socket->ended_count++] = fd;
}

void wire_socket_reconnect(struct wire_socket *socket)
{
    zmq_disconnect(socket->handle, socket->endpoint);
    zmq_connect(socket->handle, socket->endpoint);
    socket->retry_ns = 0;
}

/* As ZeroMQ's own pauses: twice as long each time. */
static void retry_later(const struct wire_link *link, struct wire_socket *socket)
{
    uint64_t pause = (uint64_t)socket->reconnect_ms << (socket->refusals < 16 ? socket->refusals : 16);
    pause = pause < socket->reconnect_max_ms ? pause : socket->reconnect_max_ms;
    socket->refusals++;
    socket->retry_ns = link->now_ns + pause * WIRE_MILLISECOND_NS;
}

/* A handshake that just ends may be a server that dies; one that fails twice in a row is meant. Local endpoints let in
   whoever reaches them. */
static bool is_refusal(const struct wire_socket *socket, int event)
{
    return socket->curve && !socket->refusal_told &&
           (event != ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL || socket->refusals > 1);
}

static void connector_event(struct wire_link *link, uint32_t index, int event)
{
    struct wire_socket *socket = &link->sockets[index];
    struct wire_peer *peer = wire_peers_by_route(&socket->peers, 0);
    if (event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED) {
        socket->refusal_told = false;
        socket->refusals = 0;
        socket->retry_ns = 0;
        if (peer != NULL && peer->early) {
            peer->early = false;
            return;
        }
        if (peer != NULL) { /* its end was lost, or is still to be told */
            wire_peer_gone(link, index, peer);
        }
        peer = wire_peers_add(&socket->peers, 0, &link->serial);
        if (peer != NULL) {
            wire_peer_joined(link, index, peer);
        }
    } else if (event == ZMQ_EVENT_DISCONNECTED) {
        if (peer != NULL) {
            wire_peer_unreachable(socket, peer);
        }
    } else {
        wire_count(&link->tallies.refused, 1);
        retry_later(link, socket);
        bool refusal = is_refusal(socket, event);
        struct wire_event_node *node = refusal ? wire_event_make(WIRE_GONE, index, NULL) : NULL;
        socket->refusal_told = socket->refusal_told || refusal;
        if (node != NULL) {
            node->event.gone = WIRE_GONE_REFUSED;
            wire_event_tell(link, node);
        }
    }
}

bool wire_socket_monitor(struct wire_link *link, uint32_t index)
{
    struct wire_socket *socket = &link->sockets[index];
    bool any = false;
    zmq_msg_t frame;
    zmq_msg_init(&frame);
    while (zmq_msg_recv(&frame, socket->monitor, ZMQ_DONTWAIT) >= 0) {
        uint16_t event = 0;
        int32_t value = -1;
        bool whole = zmq_msg_size(&frame) == sizeof event + sizeof value && zmq_msg_more(&frame);
        if (whole) {
            memcpy(&event, zmq_msg_data(&frame), sizeof event);
            memcpy(&value, (const char *)zmq_msg_data(&frame) + sizeof event, sizeof value);
        }
        while (zmq_msg_more(&frame) && zmq_msg_recv(&frame, socket->monitor, 0) >= 0) { /* the address */
        }
        if (!whole) {
            continue;
        }
        any = true;
        if (socket->kind == WIRE_DEALER) {
            connector_event(link, index, event);
        } else if (event == ZMQ_EVENT_DISCONNECTED) {
            note_ended(socket, value);
        } else if (event != ZMQ_EVENT_HANDSHAKE_SUCCEEDED) {
            wire_count(&link->tallies.refused, 1);
        }
    }
    zmq_msg_close(&frame);
    return any;
}
