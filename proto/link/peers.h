/* SPDX-License-Identifier: MIT */
/* The peers of one socket, found by the routing id that ZeroMQ gave them and by the number that we did. One thread. */
#ifndef WIRE_LINK_PEERS_H
#define WIRE_LINK_PEERS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "proto/link/keys.h"

#define WIRE_PEERS_MAX 65536 /* of a socket */

struct wire_command;

enum wire_peer_state {
    WIRE_PEER_ALIVE = 0,
    WIRE_PEER_DOUBTED,     /* a connection that may be its own has ended: it is asked */
    WIRE_PEER_UNREACHABLE, /* ended; what it had said before is still to be read */
};

struct wire_peer {
    uint64_t id; /* > 0 */
    uint32_t route;
    enum wire_peer_state state;
    bool told;  /* the user knows of it: JOINED was told, GONE was not */
    bool cut;   /* what it says is not heard any more */
    bool early; /* of a connecting socket: its first message came before the news of its connection */
    bool beats; /* its silence means something */
    uint64_t heard_ns;
    char key[WIRE_KEY_SIZE];
    int fd; /* of its connection, -1: not known; `device` and `inode` tell whether it still is */
    dev_t device;
    ino_t inode;
    unsigned probes; /* DOUBTED: how often it was asked */
    uint64_t look_ns;
    struct wire_command *backlog, *backlog_last; /* what it did not take yet, in order */
    uint32_t backlog_count;
    uint64_t backlog_ns; /* since when it takes nothing */
    struct wire_peer *next_by_route;
};

struct wire_peers {
    struct wire_peer **slots; /* NULL: free */
    uint32_t slot_count;      /* in use up to here, holes included */
    uint32_t capacity;
    uint32_t count;
    struct wire_peer **buckets; /* by route; a power of two */
    uint32_t bucket_count;
    bool troubled; /* one has a backlog or is not ALIVE */
};

void wire_peers_init(struct wire_peers *peers);
void wire_peers_fini(struct wire_peers *peers); /* backlogs must be gone */
struct wire_peer *wire_peers_by_route(const struct wire_peers *peers, uint32_t route);
struct wire_peer *wire_peers_by_id(const struct wire_peers *peers, uint64_t id);
struct wire_peer *wire_peers_by_fd(const struct wire_peers *peers, int fd);
/* A new one. Its id is `*serial`, which grows, and where it stands. NULL: no memory, or WIRE_PEERS_MAX. */
struct wire_peer *wire_peers_add(struct wire_peers *peers, uint32_t route, uint64_t *serial);
void wire_peers_remove(struct wire_peers *peers, struct wire_peer *peer);

#endif
