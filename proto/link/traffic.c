/* SPDX-License-Identifier: MIT */
/* Messages in and out. */
#include <errno.h>
#include <string.h>

#include "common/base/clock.h"
#include "proto/link/link_parts.h"
#include "proto/link/signs.h"

#define ROUTE_SIZE 5 /* a zero, then a number: as ZeroMQ names peers that do not name themselves */

/* ---- in */

/* The frames of one message; more than two are counted only. False: nothing to read. */
static bool read_message(void *handle, bool routed, zmq_msg_t *route, zmq_msg_t frames[2], unsigned *frame_count)
{
    zmq_msg_t *first = routed ? route : &frames[0];
    if (zmq_msg_recv(first, handle, ZMQ_DONTWAIT) < 0) {
        return false;
    }
    unsigned got = routed ? 0 : 1;
    zmq_msg_t spare;
    zmq_msg_init(&spare);
    zmq_msg_t *last = first;
    while (zmq_msg_more(last)) { /* the rest of a message is there when its first frame is */
        last = got < 2 ? &frames[got] : &spare;
        if (zmq_msg_recv(last, handle, 0) < 0) {
            break;
        }
        got++;
    }
    zmq_msg_close(&spare);
    *frame_count = got;
    return true;
}

static void fill_event(struct wire_event_node *node, zmq_msg_t frames[2], unsigned frame_count)
{
    for (unsigned i = 0; i < frame_count; i++) {
        zmq_msg_init(&node->frames[i]);
        zmq_msg_move(&node->frames[i], &frames[i]);
        node->bytes += zmq_msg_size(&node->frames[i]);
    }
    node->frame_count = frame_count;
    node->event.envelope = zmq_msg_data(&node->frames[0]);
    node->event.envelope_size = zmq_msg_size(&node->frames[0]);
    if (frame_count == 2) {
        node->event.payload = zmq_msg_data(&node->frames[1]);
        node->event.payload_size = zmq_msg_size(&node->frames[1]);
    }
}

static void deliver(struct wire_link *link, uint32_t index, struct wire_peer *peer, zmq_msg_t frames[2],
                    unsigned frame_count)
{
    struct wire_event_node *node = wire_event_make(WIRE_MESSAGE, index, peer);
    if (node == NULL) { /* a gap is worse than an end */
        wire_peer_cut(link, index, peer, WIRE_GONE_CLOSED);
        return;
    }
    fill_event(node, frames, frame_count);
    node->event.at_ns = lh_clock_monotonic_ns();
    wire_count(&link->tallies.messages_in, 1);
    wire_count(&link->tallies.bytes_in, node->bytes);
    wire_event_tell(link, node);
}

static void take_sign(struct wire_link *link, const struct wire_socket *socket, struct wire_peer *peer,
                      enum wire_sign sign)
{
    wire_count(&link->tallies.malformed, sign == WIRE_SIGN_ODD);
    peer->beats = peer->beats || sign == WIRE_SIGN_BEAT;
    if ((sign == WIRE_SIGN_BEAT || sign == WIRE_SIGN_ASK) &&
        wire_send_route(socket->handle, peer->route) == WIRE_SENT) {
        wire_sign_send(socket->handle, WIRE_SIGN_ALIVE);
    }
}

static void take_routed(struct wire_link *link, uint32_t index, zmq_msg_t *route, zmq_msg_t frames[2],
                        unsigned frame_count)
{
    const uint8_t *name = zmq_msg_data(route);
    if (zmq_msg_size(route) != ROUTE_SIZE || name[0] != 0 || frame_count < 1 || frame_count > 2) {
        wire_count(&link->tallies.malformed, 1);
        return;
    }
    struct wire_socket *socket = &link->sockets[index];
    uint32_t number;
    memcpy(&number, name + 1, sizeof number);
    struct wire_peer *peer = wire_peers_by_route(&socket->peers, number);
    if (peer == NULL) {
        peer = wire_peer_enter(link, index, number, &frames[0]);
    }
    if (peer == NULL || peer->cut) {
        wire_count(&link->tallies.dropped, 1);
        return;
    }
    peer->heard_ns = link->now_ns;
    enum wire_sign sign = frame_count == 1 ? wire_sign_of(&frames[0]) : WIRE_SIGN_NONE;
    if (sign != WIRE_SIGN_NONE) {
        take_sign(link, socket, peer, sign);
        return;
    }
    if (!peer->told) {
        wire_peer_joined(link, index, peer);
    }
    deliver(link, index, peer, frames, frame_count);
}

static void take_connected(struct wire_link *link, uint32_t index, zmq_msg_t frames[2], unsigned frame_count)
{
    struct wire_socket *socket = &link->sockets[index];
    if (frame_count > 2) {
        wire_count(&link->tallies.malformed, 1);
        return;
    }
    struct wire_peer *peer = wire_peers_by_route(&socket->peers, 0);
    if (peer != NULL) {
        peer->heard_ns = link->now_ns;
    }
    if (frame_count == 1 && wire_sign_of(&frames[0]) != WIRE_SIGN_NONE) {
        return;
    }
    if (peer == NULL) { /* its JOINED is on its way */
        peer = wire_peers_add(&socket->peers, 0, &link->serial);
        if (peer == NULL) {
            return;
        }
        peer->early = true;
        wire_peer_joined(link, index, peer);
    }
    if (!peer->cut) {
        deliver(link, index, peer, frames, frame_count);
    }
}

bool wire_socket_receive(struct wire_link *link, uint32_t index)
{
    struct wire_socket *socket = &link->sockets[index];
    bool routed = socket->kind == WIRE_ROUTER;
    for (unsigned i = 0; i < WIRE_BATCH; i++) {
        zmq_msg_t route;
        zmq_msg_t frames[2];
        unsigned frame_count = 0;
        zmq_msg_init(&route);
        zmq_msg_init(&frames[0]);
        zmq_msg_init(&frames[1]);
        bool there = read_message(socket->handle, routed, &route, frames, &frame_count);
        if (there && routed) {
            take_routed(link, index, &route, frames, frame_count);
        } else if (there) {
            take_connected(link, index, frames, frame_count);
        }
        zmq_msg_close(&route);
        zmq_msg_close(&frames[0]);
        zmq_msg_close(&frames[1]);
        if (!there) {
            return false;
        }
        link->busy = true;
    }
    return true;
}

/* ---- out */

/* Sends the route of a ROUTER's peer; what follows belongs to the same message. */
enum wire_outcome wire_send_route(void *handle, uint32_t route)
{
    uint8_t name[ROUTE_SIZE] = {0};
    memcpy(name + 1, &route, sizeof route);
    if (zmq_send(handle, name, sizeof name, ZMQ_SNDMORE | ZMQ_DONTWAIT) >= 0) {
        return WIRE_SENT;
    }
    return zmq_errno() == EHOSTUNREACH ? WIRE_UNREACHABLE : WIRE_FULL;
}

/* The frames of a command. Once the first is accepted the others are: a message goes out whole or not at all. */
enum wire_outcome wire_send_frames(struct wire_link *link, struct wire_socket *socket, const struct wire_peer *peer,
                                   struct wire_command *command)
{
    enum wire_outcome outcome = socket->kind == WIRE_ROUTER ? wire_send_route(socket->handle, peer->route) : WIRE_SENT;
    size_t bytes = 0;
    for (unsigned i = 0; outcome == WIRE_SENT && i < command->frame_count; i++) {
        bytes += zmq_msg_size(&command->frames[i]);
        int more = i + 1 < command->frame_count ? ZMQ_SNDMORE : 0;
        if (zmq_msg_send(&command->frames[i], socket->handle, more | ZMQ_DONTWAIT) < 0) {
            outcome = zmq_errno() == EHOSTUNREACH ? WIRE_UNREACHABLE : WIRE_FULL;
        }
    }
    if (outcome == WIRE_SENT) {
        wire_count(&link->tallies.messages_out, 1);
        wire_count(&link->tallies.bytes_out, bytes);
    }
    return outcome;
}

static void send_to_peer(struct wire_link *link, uint32_t index, struct wire_peer *peer, struct wire_command *command)
{
    struct wire_socket *socket = &link->sockets[index];
    enum wire_outcome outcome = peer->backlog != NULL ? WIRE_FULL : wire_send_frames(link, socket, peer, command);
    if (outcome == WIRE_FULL && peer->backlog_count < socket->queue) {
        if (peer->backlog == NULL) {
            peer->backlog_ns = link->now_ns;
            peer->backlog = command;
        } else {
            peer->backlog_last->next = command;
        }
        peer->backlog_last = command;
        peer->backlog_count++;
        socket->peers.troubled = true;
        return;
    }
    if (outcome == WIRE_FULL) {
        wire_peer_cut(link, index, peer, WIRE_GONE_SLOW);
    } else if (outcome == WIRE_UNREACHABLE) {
        wire_peer_unreachable(socket, peer);
    }
    wire_count(&link->tallies.dropped, outcome == WIRE_SENT ? 0 : 1);
    wire_command_free(command);
}

void wire_socket_send(struct wire_link *link, struct wire_command *command)
{
    struct wire_socket *socket = command->socket < link->socket_count ? &link->sockets[command->socket] : NULL;
    struct wire_peer *peer = NULL;
    if (socket != NULL) {
        bool only = socket->kind == WIRE_DEALER && command->peer == 0;
        peer = only ? wire_peers_by_route(&socket->peers, 0) : wire_peers_by_id(&socket->peers, command->peer);
    }
    if (peer == NULL || peer->cut || peer->state == WIRE_PEER_UNREACHABLE) {
        wire_count(&link->tallies.dropped, 1);
        wire_command_free(command);
        return;
    }
    send_to_peer(link, command->socket, peer, command);
}
