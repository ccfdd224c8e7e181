/* SPDX-License-Identifier: MIT */
/* Peers that come and go.

   ZeroMQ tells of a connection's end by its descriptor, on another socket than the messages. So that nothing is lost
   between the two and no descriptor's second life is mistaken for its first:
       - an end is looked at only after everything that was there when it was told has been read;
       - it only raises a doubt about the peer with that descriptor: a sign of life is tried on it, which every link
         ignores. A peer that is really gone cannot be reached;
       - what cannot be reached is gone once all that it had said has been read. */
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "proto/link/link_parts.h"

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
    peer->heard_ns = link->now_ns;
    peer->told = true;
    wire_count(&link->tallies.peers, 1);
    tell(link, WIRE_JOINED, index, peer, WIRE_GONE_CLOSED);
}

/* GONE, if the user knows of the peer at all. */
static void tell_gone(struct wire_link *link, uint32_t index, struct wire_peer *peer, enum wire_gone why)
{
    wire_count(&link->tallies.dropped, peer->backlog_count);
    wire_peer_forget_backlog(peer);
    if (peer->told) {
        peer->told = false;
        atomic_fetch_sub_explicit(&link->tallies.peers, 1, memory_order_relaxed);
        tell(link, WIRE_GONE, index, peer, why);
    }
}

void wire_peer_gone(struct wire_link *link, uint32_t index, struct wire_peer *peer)
{
    tell_gone(link, index, peer, WIRE_GONE_CLOSED);
    wire_peers_remove(&link->sockets[index].peers, peer);
}

void wire_peer_doubt(struct wire_socket *socket, struct wire_peer *peer)
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
        wire_count(&link->tallies.slow, 1);
    }
    peer->cut = true;
    struct wire_socket *socket = &link->sockets[index];
    if (socket->kind == WIRE_ROUTER) {
        shut(peer);
        wire_peer_doubt(socket, peer);
    } else {
        wire_socket_reconnect(socket);
    }
    tell_gone(link, index, peer, why);
}

struct wire_peer *wire_peer_enter(struct wire_link *link, uint32_t index, uint32_t route, zmq_msg_t *frame)
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
        wire_peer_doubt(socket, former);
    }
    struct stat facts;
    peer->fd = fd;
    if (fd >= 0 && fstat(fd, &facts) == 0) {
        peer->device = facts.st_dev;
        peer->inode = facts.st_ino;
    } else {
        wire_peer_doubt(socket, peer);
    }
    if (socket->curve && !wire_zap_allows(link, key)) { /* it was let in, then its key was revoked */
        wire_count(&link->tallies.revoked, 1);
        wire_peer_cut(link, index, peer, WIRE_GONE_REVOKED);
    }
    return peer;
}
