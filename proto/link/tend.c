/* SPDX-License-Identifier: MIT */
/* What waits: messages that a peer did not take yet, doubts about peers, and silence. */
#include "proto/link/link_parts.h"
#include "proto/link/signs.h"

#define RETRY_NS (2 * WIRE_MILLISECOND_NS)
#define PROBES_MAX 9 /* 1, 2, 4 ... ms: half a second, then the doubt was wrong */

/* True: the backlog is gone. */
static bool send_backlog(struct wire_link *link, struct wire_socket *socket, struct wire_peer *peer, uint64_t now)
{
    while (peer->backlog != NULL) {
        struct wire_command *command = peer->backlog;
        enum wire_outcome outcome = wire_send_frames(link, socket, peer, command);
        if (outcome == WIRE_UNREACHABLE) {
            wire_peer_unreachable(socket, peer);
        }
        if (outcome != WIRE_SENT) {
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
    enum wire_outcome outcome = wire_send_route(socket->handle, peer->route);
    if (outcome == WIRE_SENT) {
        wire_sign_send(socket->handle, WIRE_SIGN_ALIVE);
    }
    if (outcome == WIRE_UNREACHABLE) {
        peer->state = WIRE_PEER_UNREACHABLE;
    } else if (++peer->probes > PROBES_MAX) {
        peer->state = WIRE_PEER_ALIVE;
    } else {
        peer->look_ns = now + (WIRE_MILLISECOND_NS << peer->probes) / 2;
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
        if (peer->state != WIRE_PEER_UNREACHABLE && now - peer->backlog_ns > socket->dead_ms * WIRE_MILLISECOND_NS) {
            wire_peer_cut(link, index, peer, WIRE_GONE_SLOW);
        }
        next = now + RETRY_NS < next ? now + RETRY_NS : next;
    }
    return peer->state == WIRE_PEER_UNREACHABLE ? now : next;
}

/* Says that we live, and gives up who does not. What a peer said is known only when all was read; when we slept longer
   than we meant to (stopped, or a machine that is far too busy) the silence was ours. */
static void beat_peer(struct wire_link *link, uint32_t index, struct wire_peer *peer, bool drained)
{
    struct wire_socket *socket = &link->sockets[index];
    bool judged = socket->kind != WIRE_ROUTER || peer->beats;
    if (peer->cut || peer->state == WIRE_PEER_UNREACHABLE) {
        return;
    }
    if (judged && drained && link->now_ns - peer->heard_ns > socket->dead_ms * WIRE_MILLISECOND_NS) {
        wire_peer_cut(link, index, peer, WIRE_GONE_SILENT);
    } else if (socket->kind == WIRE_DEALER) {
        wire_sign_send(socket->handle, WIRE_SIGN_BEAT);
    } else if (!drained && peer->beats && wire_send_route(socket->handle, peer->route) == WIRE_SENT) {
        wire_sign_send(socket->handle, WIRE_SIGN_ALIVE); /* it asked, but its question is not read yet */
    }
}

static uint64_t beat(struct wire_link *link, uint32_t index, bool drained)
{
    struct wire_socket *socket = &link->sockets[index];
    struct wire_peers *peers = &socket->peers;
    uint64_t now = link->now_ns;
    if (peers->count == 0) {
        return UINT64_MAX;
    }
    bool overslept = now - socket->looked_ns > socket->dead_ms * WIRE_MILLISECOND_NS / 2;
    socket->looked_ns = now;
    for (uint32_t i = 0; overslept && i < peers->slot_count; i++) {
        if (peers->slots[i] != NULL) {
            peers->slots[i]->heard_ns = now;
        }
    }
    if (now >= socket->beat_ns) {
        socket->beat_ns = now + socket->heartbeat_ms * WIRE_MILLISECOND_NS;
        for (uint32_t i = 0; i < peers->slot_count; i++) {
            if (peers->slots[i] != NULL) {
                beat_peer(link, index, peers->slots[i], drained);
            }
        }
    }
    return socket->beat_ns;
}

uint64_t wire_socket_tend(struct wire_link *link, uint32_t index, bool drained)
{
    struct wire_socket *socket = &link->sockets[index];
    struct wire_peers *peers = &socket->peers;
    uint64_t now = link->now_ns;
    if (drained) {
        for (size_t i = 0; i < socket->ended_count; i++) {
            struct wire_peer *peer = wire_peers_by_fd(peers, socket->ended[i]);
            if (peer != NULL) {
                wire_peer_doubt(socket, peer);
            }
        }
        socket->ended_count = 0;
    }
    if (socket->retry_ns != 0 && now >= socket->retry_ns) {
        wire_socket_reconnect(socket);
    }
    uint64_t soonest = beat(link, index, drained);
    uint64_t troubled = UINT64_MAX;
    for (uint32_t i = 0; peers->troubled && i < peers->slot_count; i++) {
        uint64_t next = peers->slots[i] != NULL ? tend_peer(link, index, peers->slots[i], now, drained) : UINT64_MAX;
        troubled = next < troubled ? next : troubled;
    }
    peers->troubled = troubled != UINT64_MAX;
    soonest = troubled < soonest ? troubled : soonest;
    return socket->retry_ns != 0 && socket->retry_ns < soonest ? socket->retry_ns : soonest;
}
