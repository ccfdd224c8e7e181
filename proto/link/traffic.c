/* SPDX-License-Identifier: MIT */
/* Messages in and out, and peers that come and go.

   ZeroMQ tells of a connection's end by its descriptor, on another socket than the messages. So that nothing is lost
   between the two and no descriptor's second life is mistaken for its first:
       - an end is looked at only after everything that was there when it was told has been read;
       - it only raises a doubt about the peer with that descriptor: an empty message is tried, which every link
         ignores. A peer that is really gone cannot be reached;
       - what cannot be reached is gone once all that it had said has been read. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "common/base/clock.h"
#include "proto/link/link_parts.h"

#define MILLISECOND_NS UINT64_C(1000000)
#define RETRY_NS (2 * MILLISECOND_NS)
#define PROBES_MAX 9 /* 1, 2, 4 ... ms: half a second, then the doubt was wrong */
#define ROUTE_SIZE 5 /* a zero, then a number: as ZeroMQ names peers that do not name themselves */

static void count(atomic_uint_fast64_t *tally, uint64_t more)
{
    atomic_fetch_add_explicit(tally, more, memory_order_relaxed);
}

/* ---- peers */

void wire_peer_forget_backlog(struct wire_peer *peer)
{
    while (peer->backlog != NULL) {
        struct wire_command *next = peer->backlog->next;
        wire_command_free(peer->backlog);
        peer->backlog = next;
    }
    peer->backlog_last = NULL;
    peer->backlog_count = 0;
}

static void tell(struct wire_link *link, enum wire_event_kind kind, uint32_t index, const struct wire_peer *peer,
                 enum wire_gone why)
{
    struct wire_event_node *node = wire_event_make(kind, index, peer);
    if (node != NULL) {
        node->event.gone = why;
        wire_event_tell(link, node);
    }
}

void wire_peer_joined(struct wire_link *link, uint32_t index, struct wire_peer *peer)
{
    count(&link->tallies.peers, 1);
    tell(link, WIRE_JOINED, index, peer, WIRE_GONE_CLOSED);
}

void wire_peer_gone(struct wire_link *link, uint32_t index, struct wire_peer *peer)
{
    if (!peer->cut) {
        atomic_fetch_sub_explicit(&link->tallies.peers, 1, memory_order_relaxed);
        tell(link, WIRE_GONE, index, peer, WIRE_GONE_CLOSED);
    }
    count(&link->tallies.dropped, peer->backlog_count);
    wire_peer_forget_backlog(peer);
    wire_peers_remove(&link->sockets[index].peers, peer);
}

static void doubt(struct wire_socket *socket, struct wire_peer *peer)
{
    if (peer->state == WIRE_PEER_ALIVE) {
        peer->state = WIRE_PEER_DOUBTED;
        peer->probes = 0;
        peer->look_ns = 0;
        socket->peers.troubled = true;
    }
}

void wire_peer_unreachable(struct wire_socket *socket, struct wire_peer *peer)
{
    peer->state = WIRE_PEER_UNREACHABLE;
    socket->peers.troubled = true;
}

/* ZeroMQ has no call that ends one connection of many. Its descriptor is ours to shut, if it still is that socket. */
static void shut(const struct wire_peer *peer)
{
    struct stat facts;
    if (peer->fd >= 0 && fstat(peer->fd, &facts) == 0 && S_ISSOCK(facts.st_mode) && facts.st_dev == peer->device &&
        facts.st_ino == peer->inode) {
        shutdown(peer->fd, SHUT_RDWR);
    }
}

void wire_peer_cut(struct wire_link *link, uint32_t index, struct wire_peer *peer, enum wire_gone why)
{
    if (peer->cut) {
        return;
    }
    if (why == WIRE_GONE_SLOW) {
        count(&link->tallies.slow, 1);
    }
    atomic_fetch_sub_explicit(&link->tallies.peers, 1, memory_order_relaxed);
    count(&link->tallies.dropped, peer->backlog_count);
    peer->cut = true;
    wire_peer_forget_backlog(peer);
    struct wire_socket *socket = &link->sockets[index];
    if (socket->kind == WIRE_ROUTER) {
        shut(peer);
        doubt(socket, peer);
    } else {
        wire_socket_reconnect(socket);
    }
    tell(link, WIRE_GONE, index, peer, why);
}

/* A peer's first message; `frame` is its envelope (that of the route does not always know the connection). NULL: nobody
   knows who it is, or there is no memory for it. */
static struct wire_peer *join(struct wire_link *link, uint32_t index, uint32_t route, zmq_msg_t *frame)
{
    struct wire_socket *socket = &link->sockets[index];
    const char *key = socket->curve ? zmq_msg_gets(frame, "User-Id") : "";
    if (key == NULL || strlen(key) >= WIRE_KEY_SIZE) {
        return NULL;
    }
    struct wire_peer *peer = wire_peers_add(&socket->peers, route, &link->serial);
    if (peer == NULL) {
        return NULL;
    }
    memcpy(peer->key, key, strlen(key) + 1);
    int fd = zmq_msg_get(frame, ZMQ_SRCFD);
    struct wire_peer *former = fd >= 0 ? wire_peers_by_fd(&socket->peers, fd) : NULL;
    if (former != NULL) { /* two cannot have one: its end will be told late */
        former->fd = -1;
        doubt(socket, former);
    }
    struct stat facts;
    peer->fd = fd;
    if (fd >= 0 && fstat(fd, &facts) == 0) {
        peer->device = facts.st_dev;
        peer->inode = facts.st_ino;
    } else {
        doubt(socket, peer);
    }
    if (socket->curve && !wire_zap_allows(link, key)) { /* it was let in, then its key was revoked */
        count(&link->tallies.revoked, 1);
        peer->cut = true;
        shut(peer);
        doubt(socket, peer);
        return peer;
    }
    wire_peer_joined(link, index, peer);
    return peer;
}

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

static bool fill_event(struct wire_event_node *node, enum wire_socket_kind kind, zmq_msg_t frames[2],
                       unsigned frame_count)
{
    for (unsigned i = 0; i < frame_count; i++) {
        zmq_msg_init(&node->frames[i]);
        zmq_msg_move(&node->frames[i], &frames[i]);
        node->bytes += zmq_msg_size(&node->frames[i]);
    }
    node->frame_count = frame_count;
    zmq_msg_t *envelope = &node->frames[kind == WIRE_SUBSCRIBER ? 1 : 0];
    node->event.envelope = zmq_msg_data(envelope);
    node->event.envelope_size = zmq_msg_size(envelope);
    if (kind == WIRE_SUBSCRIBER) {
        const char *topic = zmq_msg_data(&node->frames[0]);
        size_t size = zmq_msg_size(&node->frames[0]);
        node->event.topic = topic;
        return size > 0 && size <= WIRE_TOPIC_MAX && memchr(topic, '\0', size) == topic + size - 1;
    }
    if (frame_count == 2) {
        node->event.payload = zmq_msg_data(&node->frames[1]);
        node->event.payload_size = zmq_msg_size(&node->frames[1]);
    }
    return true;
}

static void deliver(struct wire_link *link, uint32_t index, struct wire_peer *peer, zmq_msg_t frames[2],
                    unsigned frame_count)
{
    struct wire_event_node *node = wire_event_make(WIRE_MESSAGE, index, peer);
    if (node == NULL) { /* a gap is worse than an end */
        wire_peer_cut(link, index, peer, WIRE_GONE_CLOSED);
        return;
    }
    if (!fill_event(node, link->sockets[index].kind, frames, frame_count)) {
        count(&link->tallies.malformed, 1);
        wire_event_free(&node->event);
        return;
    }
    count(&link->tallies.messages_in, 1);
    count(&link->tallies.bytes_in, node->bytes);
    wire_event_tell(link, node);
}

static void take_routed(struct wire_link *link, uint32_t index, zmq_msg_t *route, zmq_msg_t frames[2],
                        unsigned frame_count)
{
    const uint8_t *name = zmq_msg_data(route);
    if (zmq_msg_size(route) != ROUTE_SIZE || name[0] != 0 || frame_count < 1 || frame_count > 2) {
        count(&link->tallies.malformed, 1);
        return;
    }
    if (frame_count == 1 && zmq_msg_size(&frames[0]) == 0) { /* "are you there" */
        return;
    }
    uint32_t number;
    memcpy(&number, name + 1, sizeof number);
    struct wire_peer *peer = wire_peers_by_route(&link->sockets[index].peers, number);
    if (peer == NULL) {
        peer = join(link, index, number, &frames[0]);
    }
    if (peer == NULL || peer->cut) {
        count(&link->tallies.dropped, 1);
        return;
    }
    deliver(link, index, peer, frames, frame_count);
}

static void take_connected(struct wire_link *link, uint32_t index, zmq_msg_t frames[2], unsigned frame_count)
{
    struct wire_socket *socket = &link->sockets[index];
    bool subscriber = socket->kind == WIRE_SUBSCRIBER;
    if (frame_count > 2 || (subscriber && frame_count != 2)) {
        count(&link->tallies.malformed, 1);
        return;
    }
    if (frame_count == 1 && zmq_msg_size(&frames[0]) == 0) {
        return;
    }
    struct wire_peer *peer = wire_peers_by_route(&socket->peers, 0);
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

static void take_subscription(struct wire_link *link, zmq_msg_t *frame)
{
    const uint8_t *data = zmq_msg_data(frame);
    if (zmq_msg_size(frame) > 0 && data[0] == 1) {
        count(&link->tallies.subscriptions, 1);
    } else if (zmq_msg_size(frame) > 0 && data[0] == 0) {
        atomic_fetch_sub_explicit(&link->tallies.subscriptions, 1, memory_order_relaxed);
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
        if (there && socket->kind == WIRE_PUBLISHER) {
            take_subscription(link, &frames[0]);
        } else if (there && routed) {
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

enum outcome { SENT = 0, FULL, UNREACHABLE };

/* Sends the route of a ROUTER's peer; what follows belongs to the same message. */
static enum outcome send_route(void *handle, uint32_t route)
{
    uint8_t name[ROUTE_SIZE] = {0};
    memcpy(name + 1, &route, sizeof route);
    if (zmq_send(handle, name, sizeof name, ZMQ_SNDMORE | ZMQ_DONTWAIT) >= 0) {
        return SENT;
    }
    return zmq_errno() == EHOSTUNREACH ? UNREACHABLE : FULL;
}

/* The frames of a command. Once the first is accepted the others are: a message goes out whole or not at all. */
static enum outcome send_frames(struct wire_link *link, struct wire_socket *socket, const struct wire_peer *peer,
                                struct wire_command *command)
{
    enum outcome outcome = socket->kind == WIRE_ROUTER ? send_route(socket->handle, peer->route) : SENT;
    size_t bytes = 0;
    for (unsigned i = 0; outcome == SENT && i < command->frame_count; i++) {
        bytes += zmq_msg_size(&command->frames[i]);
        int more = i + 1 < command->frame_count ? ZMQ_SNDMORE : 0;
        if (zmq_msg_send(&command->frames[i], socket->handle, more | ZMQ_DONTWAIT) < 0) {
            outcome = zmq_errno() == EHOSTUNREACH ? UNREACHABLE : FULL;
        }
    }
    if (outcome == SENT) {
        count(&link->tallies.messages_out, 1);
        count(&link->tallies.bytes_out, bytes);
    }
    return outcome;
}

static void send_to_peer(struct wire_link *link, uint32_t index, struct wire_peer *peer, struct wire_command *command)
{
    struct wire_socket *socket = &link->sockets[index];
    enum outcome outcome = peer->backlog != NULL ? FULL : send_frames(link, socket, peer, command);
    if (outcome == FULL && peer->backlog_count < socket->queue) {
        if (peer->backlog == NULL) {
            peer->backlog_ns = lh_clock_monotonic_ns();
            peer->backlog = command;
        } else {
            peer->backlog_last->next = command;
        }
        peer->backlog_last = command;
        peer->backlog_count++;
        socket->peers.troubled = true;
        return;
    }
    if (outcome == FULL) {
        wire_peer_cut(link, index, peer, WIRE_GONE_SLOW);
    } else if (outcome == UNREACHABLE) {
        wire_peer_unreachable(socket, peer);
    }
    count(&link->tallies.dropped, outcome == SENT ? 0 : 1);
    wire_command_free(command);
}

void wire_socket_send(struct wire_link *link, struct wire_command *command)
{
    struct wire_socket *socket = command->socket < link->socket_count ? &link->sockets[command->socket] : NULL;
    bool publishes = command->kind == WIRE_COMMAND_PUBLISH;
    if (socket == NULL || publishes != (socket->kind == WIRE_PUBLISHER) || socket->kind == WIRE_SUBSCRIBER) {
        count(&link->tallies.dropped, 1);
        wire_command_free(command);
        return;
    }
    if (publishes) { /* nobody waits for a subscriber */
        enum outcome outcome = send_frames(link, socket, NULL, command);
        count(&link->tallies.dropped, outcome == SENT ? 0 : 1);
        wire_command_free(command);
        return;
    }
    bool only = socket->kind == WIRE_DEALER && command->peer == 0;
    struct wire_peer *peer =
        only ? wire_peers_by_route(&socket->peers, 0) : wire_peers_by_id(&socket->peers, command->peer);
    if (peer == NULL || peer->cut || peer->state == WIRE_PEER_UNREACHABLE) {
        count(&link->tallies.dropped, 1);
        wire_command_free(command);
        return;
    }
    send_to_peer(link, command->socket, peer, command);
}

/* ---- what waits */

/* True: the backlog is gone. */
static bool send_backlog(struct wire_link *link, struct wire_socket *socket, struct wire_peer *peer, uint64_t now)
{
    while (peer->backlog != NULL) {
        struct wire_command *command = peer->backlog;
        enum outcome outcome = send_frames(link, socket, peer, command);
        if (outcome == UNREACHABLE) {
            wire_peer_unreachable(socket, peer);
        }
        if (outcome != SENT) {
            return false;
        }
        peer->backlog = command->next;
        peer->backlog_count--;
        peer->backlog_ns = now;
        wire_command_free(command);
    }
    peer->backlog_last = NULL;
    return true;
}

static void probe(struct wire_socket *socket, struct wire_peer *peer, uint64_t now)
{
    enum outcome outcome = send_route(socket->handle, peer->route);
    if (outcome == SENT) {
        zmq_send(socket->handle, "", 0, ZMQ_DONTWAIT);
    }
    if (outcome == UNREACHABLE) {
        peer->state = WIRE_PEER_UNREACHABLE;
    } else if (++peer->probes > PROBES_MAX) {
        peer->state = WIRE_PEER_ALIVE;
    } else {
        peer->look_ns = now + (MILLISECOND_NS << peer->probes) / 2;
    }
}

/* Returns when to look at the peer again; UINT64_MAX: it is well, or no more. */
static uint64_t tend_peer(struct wire_link *link, uint32_t index, struct wire_peer *peer, uint64_t now, bool drained)
{
    struct wire_socket *socket = &link->sockets[index];
    if (peer->state == WIRE_PEER_UNREACHABLE) {
        if (drained) {
            wire_peer_gone(link, index, peer);
        }
        return drained ? UINT64_MAX : now + RETRY_NS;
    }
    uint64_t next = UINT64_MAX;
    if (peer->state == WIRE_PEER_DOUBTED) {
        if (now >= peer->look_ns) {
            probe(socket, peer, now);
        }
        next = peer->state == WIRE_PEER_DOUBTED ? peer->look_ns : next;
    }
    if (peer->state != WIRE_PEER_UNREACHABLE && peer->backlog != NULL && !send_backlog(link, socket, peer, now)) {
        if (peer->state != WIRE_PEER_UNREACHABLE && now - peer->backlog_ns > socket->dead_ms * MILLISECOND_NS) {
            wire_peer_cut(link, index, peer, WIRE_GONE_SLOW);
        }
        next = now + RETRY_NS < next ? now + RETRY_NS : next;
    }
    return peer->state == WIRE_PEER_UNREACHABLE ? now : next;
}

uint64_t wire_socket_tend(struct wire_link *link, uint32_t index, bool drained)
{
    struct wire_socket *socket = &link->sockets[index];
    struct wire_peers *peers = &socket->peers;
    if (drained) {
        for (size_t i = 0; i < socket->ended_count; i++) {
            struct wire_peer *peer = wire_peers_by_fd(peers, socket->ended[i]);
            if (peer != NULL) {
                doubt(socket, peer);
            }
        }
        socket->ended_count = 0;
    }
    uint64_t soonest = UINT64_MAX;
    uint64_t now = peers->troubled || socket->retry_ns != 0 ? lh_clock_monotonic_ns() : 0;
    if (socket->retry_ns != 0 && now >= socket->retry_ns) {
        wire_socket_reconnect(socket);
    }
    if (peers->troubled) {
        for (uint32_t i = 0; i < peers->slot_count; i++) {
            uint64_t next =
                peers->slots[i] != NULL ? tend_peer(link, index, peers->slots[i], now, drained) : UINT64_MAX;
            soonest = next < soonest ? next : soonest;
        }
        peers->troubled = soonest != UINT64_MAX;
    }
    if (socket->retry_ns != 0 && socket->retry_ns < soonest) {
        soonest = socket->retry_ns;
    }
    return soonest;
}
