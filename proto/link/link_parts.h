/* SPDX-License-Identifier: MIT */
/* What the files of the link share. Of what is here the link's thread owns everything, but for the two queues, which
   have locks, and the counters, which are atomic. */
#ifndef WIRE_LINK_PARTS_H
#define WIRE_LINK_PARTS_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>
#include <zmq.h>

#include "proto/link/link.h"
#include "proto/link/peers.h"

#define WIRE_MILLISECOND_NS UINT64_C(1000000)
#define WIRE_BATCH 64 /* messages of one socket, or commands, before the others have their turn */

/* ---- events: link -> user */

struct wire_event_node {
    struct wire_event event; /* first: its address is the user's handle */
    zmq_msg_t frames[2];     /* envelope and payload */
    unsigned frame_count;
    size_t bytes;
    struct wire_event_node *next;
};

struct wire_events {
    pthread_mutex_t lock;
    struct wire_event_node *first, *last;
    size_t count, bytes;
    int fd; /* readable while count > 0 */
};

/* ---- commands: user -> link */

enum wire_command_kind {
    WIRE_COMMAND_SEND = 0,
    WIRE_COMMAND_DROP,
    WIRE_COMMAND_OPEN,
    WIRE_COMMAND_ALLOW,
    WIRE_COMMAND_STOP,
};

struct wire_command {
    enum wire_command_kind kind;
    uint32_t socket;
    uint64_t peer;
    zmq_msg_t frames[2]; /* SEND: envelope and payload */
    unsigned frame_count;
    struct wire_command *next;
    /* Of those that somebody waits for: */
    struct wire_call *call;
};

struct wire_call {
    const struct wire_socket_options *options; /* OPEN */
    char (*keys)[WIRE_KEY_SIZE];               /* ALLOW: taken */
    size_t key_count;
    int linger_ms; /* STOP */
    uint32_t socket;
    enum lh_status status;
    struct lh_error error;
    bool done;
};

struct wire_commands {
    pthread_mutex_t lock;
    pthread_cond_t done;
    struct wire_command *first, *last;
    size_t count;
    int fd; /* wakes the thread, which is asleep when `sleeping` */
    atomic_bool sleeping;
    atomic_bool waiting; /* there are some: looked at without the lock */
};

/* ---- sockets */

struct wire_socket {
    enum wire_socket_kind kind;
    void *handle, *monitor;
    char endpoint[WIRE_ENDPOINT_SIZE];
    uint32_t queue, heartbeat_ms, dead_ms, reconnect_ms, reconnect_max_ms;
    uint64_t beat_ns, looked_ns; /* the next sign of life; when peers were looked at last */
    bool curve;
    bool refusal_told; /* DEALER */
    uint64_t retry_ns; /* DEALER: when to try again after a refusal, which ZeroMQ does not; 0: never */
    uint32_t refusals; /* in a row */
    int *ended;        /* descriptors of connections that ended, not yet looked at */
    size_t ended_count, ended_capacity;
    struct wire_peers peers; /* ROUTER: many; DEALER: one */
};

struct wire_tallies {
    atomic_uint_fast64_t messages_in, messages_out, bytes_in, bytes_out, malformed, refused, revoked, slow, dropped,
        peers;
};

static inline void wire_count(atomic_uint_fast64_t *tally, uint64_t more)
{
    atomic_fetch_add_explicit(tally, more, memory_order_relaxed);
}

struct wire_link {
    struct wire_link_options options;
    void *context;
    pthread_t thread;
    bool running;
    struct wire_events events;
    struct wire_commands commands;
    struct wire_tallies tallies;
    struct wire_socket sockets[WIRE_SOCKETS_MAX];
    _Atomic uint32_t socket_count;
    atomic_bool stalled; /* the user's queue is full: nothing is read until it takes some */
    bool stopping;
    bool busy;       /* something was read or sent in this round */
    uint64_t now_ns; /* when the round began */
    int linger_ms;
    uint64_t serial; /* of the last peer */
    unsigned monitor_serial;
    void *zap;                      /* REP, inproc://zeromq.zap.01 */
    char (*allowed)[WIRE_KEY_SIZE]; /* ascending */
    size_t allowed_count;
};

/* queue.c: the two queues and what travels in them. */
LH_NODISCARD enum lh_status wire_queues_init(struct wire_link *link, struct lh_error *error);
void wire_queues_fini(struct wire_link *link);
struct wire_command *wire_command_take(struct wire_commands *commands); /* NULL: none; the link's thread */
void wire_command_free(struct wire_command *command);                   /* frames included */
/* A command that is waited for, and its end: on the user's thread, on the link's. */
LH_NODISCARD enum lh_status wire_link_call(struct wire_link *link, enum wire_command_kind kind, struct wire_call *call);
void wire_link_called(struct wire_link *link, struct wire_call *call, enum lh_status status);
/* Link's thread: to the handler or into the queue. Takes the node. */
void wire_event_tell(struct wire_link *link, struct wire_event_node *node);
struct wire_event_node *wire_event_make(enum wire_event_kind kind, uint32_t socket,
                                        const struct wire_peer *peer); /* NULL: no memory; `peer` may be NULL */
/* Removes queued messages of peers whose key is not allowed. */
void wire_events_purge(struct wire_link *link);
bool wire_events_full(struct wire_link *link);

/* socket.c: opening, closing, what the monitor tells. */
LH_NODISCARD enum lh_status wire_socket_open(struct wire_link *link, struct wire_call *call);
void wire_socket_close(struct wire_socket *socket, int linger_ms);
bool wire_socket_monitor(struct wire_link *link, uint32_t index); /* reads what there is; false: nothing */
void wire_socket_reconnect(struct wire_socket *socket);

/* traffic.c: messages in and out. */
enum wire_outcome { WIRE_SENT = 0, WIRE_FULL, WIRE_UNREACHABLE };
/* Up to WIRE_BATCH; true: there may be more. */
bool wire_socket_receive(struct wire_link *link, uint32_t index);
/* Takes the command. */
void wire_socket_send(struct wire_link *link, struct wire_command *command);
/* The route of a ROUTER's peer; what is sent next belongs to the same message. */
enum wire_outcome wire_send_route(void *handle, uint32_t route);
/* The frames of a command, after the route if there is one. Once the first is accepted the others are: a message goes
   out whole or not at all. `peer` is not looked at but for a ROUTER. */
enum wire_outcome wire_send_frames(struct wire_link *link, struct wire_socket *socket, const struct wire_peer *peer,
                                   struct wire_command *command);

/* life.c: peers that come and go. */
/* A new connection that said something; `frame` is the first of what it said (that of the route does not always know
   the connection). The user is not told before wire_peer_joined(). NULL: nobody knows who it is, or there is no memory
   for it; it may be cut already. */
struct wire_peer *wire_peer_enter(struct wire_link *link, uint32_t index, uint32_t route, zmq_msg_t *frame);
void wire_peer_joined(struct wire_link *link, uint32_t index, struct wire_peer *peer); /* tells it */
/* Tells GONE and ends the connection; the entry stays until the connection's end is seen. */
void wire_peer_cut(struct wire_link *link, uint32_t index, struct wire_peer *peer, enum wire_gone why);
void wire_peer_gone(struct wire_link *link, uint32_t index, struct wire_peer *peer); /* tells it, removes the entry */
void wire_peer_doubt(struct wire_socket *socket, struct wire_peer *peer);
void wire_peer_unreachable(struct wire_socket *socket, struct wire_peer *peer);
void wire_peer_forget_backlog(struct wire_peer *peer);

/* tend.c: what waits. `drained`: all was read that had come before this round. Returns when to look again, ns of the
   monotonic clock; UINT64_MAX: never. */
uint64_t wire_socket_tend(struct wire_link *link, uint32_t index, bool drained);

/* zap.c: who may connect. */
LH_NODISCARD enum lh_status wire_zap_open(struct wire_link *link);
bool wire_zap_answer(struct wire_link *link); /* false: nobody asked */
bool wire_zap_allows(const struct wire_link *link, const char *key);
/* Takes the keys, in any order; cuts the peers whose key is not among them. */
void wire_zap_replace(struct wire_link *link, char (*keys)[WIRE_KEY_SIZE], size_t count);

/* loop.c */
void *wire_link_loop(void *link);

#endif
