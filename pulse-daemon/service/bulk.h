/* SPDX-License-Identifier: MIT */
/* Pulse's side of the bulk conversation (proto/media.proto): blobs in and out by digest, many at once, in chunks with
   credits. It has a link of its own, a thread that moves bytes between link and files, and one for what may take long
   (synchronising, verifying), so that beats and transactions never wait for bytes. It knows no tenants and no jobs:
   what a peer may do is asked of the service, which answers when it can, from any thread.

   Memory is bounded: transfers, chunks under way and buffers each have their limit; past it the peer is told to try
   again later. What was received of an upload when its connection broke is kept for a while, and goes on where it was.

   An Error with the correlation of the message that began a transfer (or of the PutEnd) ends it at any time. */
#ifndef PULSE_SERVICE_BULK_H
#define PULSE_SERVICE_BULK_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/status.h"
#include "common/blobs/blobs.h"
#include "proto/link/link.h"

struct pulse_bulk;

enum pulse_bulk_question {
    PULSE_BULK_MAY_PUT = 0, /* may this peer upload so many bytes? */
    PULSE_BULK_MAY_GET,     /* may this peer have the blob? `size` is 0 */
    PULSE_BULK_PUT_DONE,    /* the bytes are there, verified and held: commit what refers to them, then answer */
};

/* The texts live for the call only. */
struct pulse_bulk_ask {
    enum pulse_bulk_question question;
    uint64_t ticket;   /* for pulse_bulk_answer() */
    const char *key;   /* the peer's public key, proven; "" on a local endpoint */
    const char *token; /* a client's bearer token, "" without; not told again with PUT_DONE */
    uint64_t owner;    /* PUT_DONE: what MAY_PUT was answered with */
    uint64_t shard;    /* a worker's claim; 0 without */
    uint32_t attempt;
    struct lh_digest digest;
    uint64_t size;
    enum lh_blobs_kind kind; /* PUT_DONE: as it was stored; KEPT also when it was KEPT before */
};

struct pulse_bulk_answer {
    enum lh_status status; /* LH_OK, or the error that the peer is told; LH_ERR_USAGE: it did not say who it is */
    const char *message;   /* of an error; copied, at most LH_ERROR_MESSAGE_SIZE of it */
    /* MAY_PUT: */
    uint64_t owner;          /* the tenant: what a broken upload left may be continued by the same owner alone */
    enum lh_blobs_kind kind; /* how it is to be stored */
    bool present; /* the owner has these bytes already: nothing is uploaded. That others have them must not show. */
};

struct pulse_bulk_options {
    struct lh_blobs *blobs; /* borrowed, outlives the bulk */
    void *user;
    /* On the bulk's thread; must not block, may answer at once. Each ask has to be answered once. */
    void (*ask)(void *user, const struct pulse_bulk_ask *ask);
    uint32_t chunk_size;   /* bytes; 0: WIRE_CHUNK_SIZE */
    uint32_t transfers;    /* at once, of all peers; 0: 256 */
    uint32_t credits;      /* chunks under way of one transfer; 0: WIRE_BULK_CREDITS */
    uint32_t buffers;      /* chunks read and not yet sent, of all transfers; 0: 64 */
    uint32_t resumable_ms; /* how long a broken upload is kept; 0: ten minutes */
};

LH_NODISCARD enum lh_status pulse_bulk_new(const struct pulse_bulk_options *options, struct pulse_bulk **bulk,
                                           struct lh_error *error);
/* Its link, for wire_link_open() of its endpoints (WIRE_ROUTER) and wire_link_allow(). Nobody else takes its events. */
struct wire_link *pulse_bulk_link(struct pulse_bulk *bulk);
/* Ends transfers, stops its threads, frees. No answer may come any more. Accepts NULL. */
void pulse_bulk_free(struct pulse_bulk *bulk);

/* Any thread; false when the ticket is not known. */
bool pulse_bulk_answer(struct pulse_bulk *bulk, uint64_t ticket, const struct pulse_bulk_answer *answer);

struct pulse_bulk_figures {
    uint64_t puts, gets; /* that ended well */
    uint64_t failed;     /* ended by an error that the peer was told, or by its going */
    uint64_t bytes_received, bytes_sent;
    uint64_t malformed, shut_out; /* messages; connections that were not let in */
    uint32_t active, parked;      /* transfers now; uploads that wait to be continued */
};
void pulse_bulk_figures(struct pulse_bulk *bulk, struct pulse_bulk_figures *figures);

#endif
