/* SPDX-License-Identifier: MIT */
/* The link: the only thing in a process that knows ZeroMQ. One thread owns all of its sockets and does no file I/O; the
   user talks to it through two bounded queues and an eventfd. (A program that only asks questions, one at a time, needs
   no thread: proto/link/caller.h.)

   What travels is a message of two frames: an envelope and, for bulk chunks, a payload that no one copies. What is in
   them is none of the link's business.

   Peers. A peer is one connection; it is named by a number that never comes back. For each there is JOINED, then
   messages in order and without a gap, then GONE, and after that nothing more is told of it. A peer that connects again
   is a new one. GONE has many causes and they are all alike: the peer closed, was killed (noticed at once), stopped or
   was cut off (noticed after `dead_ms` without a sign of life), let `queue` messages pile up, or its key was revoked.
   To send to a peer that is gone does nothing.

   A ROUTER binds and has many peers; JOINED comes with a peer's first message. A DEALER connects and has one peer at a
   time; JOINED comes when the handshake is done. The link connects again by itself, ever less often (up to
   `reconnect_max_ms`); what was not sent is dropped.

   Trust. tcp endpoints speak CURVE and nothing else: a ROUTER lets in the keys of its list (wire_link_allow) and tells
   the key of every peer; ipc endpoints must lie in a folder of mode 0700 that is ours.
   Frames larger than `message_max` end their connection before memory is taken for them. Messages of no or more than
   two frames are dropped and counted.

   No signal handler is installed and SIGPIPE is never raised. Never fork without exec after wire_link_new(). */
#ifndef WIRE_LINK_LINK_H
#define WIRE_LINK_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"
#include "proto/link/keys.h"

#define WIRE_ENDPOINT_SIZE 256
#define WIRE_SOCKETS_MAX 8

struct wire_link;

/* ---- sockets */

enum wire_socket_kind { WIRE_ROUTER = 0, WIRE_DEALER };

struct wire_socket_options {
    enum wire_socket_kind kind;
    const char *endpoint;         /* "ipc:///folder/name", "tcp://address:port", port 0 or "*": any */
    const struct wire_keys *keys; /* tcp: our pair */
    const char *server_key;       /* DEALER on tcp: whom we expect there */
    size_t message_max;           /* bytes of a frame; 0: 1 MiB and a bit */
    uint32_t queue;               /* messages on their way to one peer; 0: 1000 */
    uint32_t heartbeat_ms;        /* 0: 1000 */
    uint32_t dead_ms;             /* without a sign of life; 0: 5000 */
    uint32_t reconnect_ms;        /* 0: 50 */
    uint32_t reconnect_max_ms;    /* 0: 2000 */
};

/* ---- messages */

/* Bytes that change hands. `release` (NULL: free()) is called once with `data` and `hint`, on whichever thread. */
struct wire_buffer {
    void *data;
    size_t size;
    void (*release)(void *data, void *hint);
    void *hint;
};

enum wire_event_kind { WIRE_JOINED = 0, WIRE_MESSAGE, WIRE_GONE };

enum wire_gone {
    WIRE_GONE_CLOSED = 0, /* the connection ended: on one machine, the other process has, or means to */
    WIRE_GONE_SILENT,     /* given up without a sign of life: stopped, or cut off by the network; it may come back */
    WIRE_GONE_SLOW,       /* `queue` messages were on their way and it did not take them */
    WIRE_GONE_REVOKED,    /* its key is not allowed any more */
    WIRE_GONE_REFUSED,    /* DEALER: the other side does not let us in, or is not who we expect; without a JOINED before
                             it, once until something else happens */
};

/* The user's, to be freed; its bytes live as long. */
struct wire_event {
    enum wire_event_kind kind;
    uint32_t socket;
    uint64_t peer;
    char key[WIRE_KEY_SIZE]; /* tcp: the peer's public key, proven; else "" */
    enum wire_gone gone;     /* of GONE */
    const uint8_t *envelope; /* of MESSAGE */
    size_t envelope_size;
    const void *payload; /* NULL: none */
    size_t payload_size;
    uint64_t at_ns; /* of MESSAGE: when it came, CLOCK_MONOTONIC */
};
void wire_event_free(struct wire_event *event); /* accepts NULL; any thread */

/* Called on the link's thread for every event, in order, before it is queued: what takes the event returns true and
   frees it. It must not block; it may send. So an answer that needs nobody else costs no change of threads. */
typedef bool wire_handler(void *context, struct wire_link *link, struct wire_event *event);

/* ---- life */

struct wire_link_options {
    wire_handler *handler; /* NULL: everything is queued */
    void *handler_context;
    uint32_t events_max; /* queued to the user: when there are so many, sockets are not read until some are taken and
                            the senders feel it; 0: 4096 */
    size_t events_bytes; /* the same in bytes of frames; 0: 256 MiB */
    uint32_t sends_max;  /* queued by the user; 0: 65536 */
    uint32_t spin_us;    /* the link's thread looks for more so long before it sleeps; 0: it sleeps at once */
};

/* LH_ERR_NO_MEMORY, LH_ERR_IO. */
LH_NODISCARD enum lh_status wire_link_new(const struct wire_link_options *options, struct wire_link **link,
                                          struct lh_error *error);
/* Sends what is queued for at most `linger_ms`, then closes everything. Accepts NULL. */
void wire_link_free(struct wire_link *link, uint32_t linger_ms);

/* Adds a socket; *socket is its number. Before traffic or in the midst of it, on any thread but the handler's.
   LH_ERR_USAGE: tcp without keys, no such kind of endpoint; LH_ERR_INVALID: the ipc folder is not ours alone;
   LH_ERR_LIMIT: the path is too long for a socket, too many sockets; LH_ERR_IO: the address is taken, say. */
LH_NODISCARD enum lh_status wire_link_open(struct wire_link *link, const struct wire_socket_options *options,
                                           uint32_t *socket, struct lh_error *error);
/* Where it is bound: with the port that was chosen. WIRE_ENDPOINT_SIZE bytes. */
void wire_link_endpoint(struct wire_link *link, uint32_t socket, char *endpoint);

/* The keys that may connect to bound tcp sockets, `count` of them: replaces what was allowed before (nothing at first).
   Peers whose key is not among them are gone when this returns: no message of theirs is told after it.
   LH_ERR_NO_MEMORY. */
LH_NODISCARD enum lh_status wire_link_allow(struct wire_link *link, const char *const *keys, size_t count);

/* ---- traffic; any thread */

/* Readable while there are events. For poll(); never to be read from. */
int wire_link_fd(const struct wire_link *link);
/* The next event, NULL: none now. */
struct wire_event *wire_link_next(struct wire_link *link);
/* The same after waiting for at most `timeout_ms` (-1: for ever). */
struct wire_event *wire_link_wait(struct wire_link *link, int timeout_ms);

/* Takes both buffers, whatever comes of it; `payload` may be NULL. `peer` 0 is a DEALER's only peer. LH_ERR_LIMIT:
   `sends_max` are queued, nothing was sent; LH_ERR_NO_MEMORY. LH_OK says that it was queued, GONE that it was in vain.
 */
LH_NODISCARD enum lh_status wire_link_send(struct wire_link *link, uint32_t socket, uint64_t peer,
                                           struct wire_buffer *envelope, struct wire_buffer *payload);
/* Forgets a ROUTER's peer, one whose bytes are garbage, say: GONE is told (CLOSED), what it still says makes it a new
   one. */
void wire_link_drop(struct wire_link *link, uint32_t socket, uint64_t peer);

struct wire_counters {
    uint64_t messages_in, messages_out, bytes_in, bytes_out;
    uint64_t malformed; /* messages of the wrong number of frames */
    uint64_t refused;   /* handshakes: a key not allowed, no CURVE, not ZMTP */
    uint64_t revoked;   /* messages of peers whose key is not allowed any more */
    uint64_t slow;      /* peers that were given up because they were too slow */
    uint64_t dropped;   /* sends to peers that were gone */
    uint64_t peers;     /* now */
};
void wire_link_counters(struct wire_link *link, struct wire_counters *counters);

#endif
