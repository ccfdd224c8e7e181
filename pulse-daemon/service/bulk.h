/* SPDX-License-Identifier: MIT */
/* Pulse's side of the bulk conversation (proto/media.proto): blobs in and out by digest, many at once, in chunks with
   credits. Two threads of its own, one for the socket and one for the files, so that neither beats nor transactions
   wait for bytes. It knows no tenants and no jobs: what a peer may do is asked of the service, which answers when it
   can, from any thread.

   Memory is bounded: transfers, chunks under way and questions each have their limit; past it the peer gets a typed
   error that says to try again later. What was received of an upload when its connection broke is kept for a while, and
   goes on where it was. */
#ifndef PULSE_SERVICE_BULK_H
#define PULSE_SERVICE_BULK_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/status.h"
#include "common/blobs/blobs.h"

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
    const char *peer;  /* who it is by its certificate, "" on a local endpoint */
    const char *token; /* a client's bearer token, "" without */
    uint64_t shard;    /* a worker's claim; 0 without */
    uint32_t attempt;
    struct lh_digest digest;
    uint64_t size;
};

struct pulse_bulk_answer {
    enum lh_status status; /* LH_OK, or the error that the peer is told */
    const char *message;   /* of an error; copied */
    /* MAY_PUT: how it is to be stored. A peer may not learn from the answer whether somebody else has the same bytes:
       `present` only when this tenant has them. */
    enum lh_blobs_kind kind;
    bool present;
};

struct pulse_bulk_options {
    struct lh_blobs *blobs; /* borrowed, outlives the bulk */
    void *user;
    /* On the bulk's thread; must not block. Each ask has to be answered once. */
    void (*ask)(void *user, const struct pulse_bulk_ask *ask);
    uint32_t chunk_size;   /* bytes; 0: 256 KiB */
    uint32_t transfers;    /* at once, of all peers; 0: 256 */
    uint64_t window;       /* bytes under way of one transfer; 0: 4 MiB */
    uint32_t resumable_ms; /* how long a broken upload is kept; 0: ten minutes */
};

/* Any thread; false when the ticket is not known (the peer has gone). */
bool pulse_bulk_answer(struct pulse_bulk *bulk, uint64_t ticket, const struct pulse_bulk_answer *answer);

struct pulse_bulk_figures {
    uint64_t puts, gets, failed; /* transfers that ended */
    uint64_t bytes_received, bytes_sent;
    uint32_t active, waiting; /* transfers now; questions not answered */
};
void pulse_bulk_figures(struct pulse_bulk *bulk, struct pulse_bulk_figures *figures);

/* Ends transfers, stops both threads, frees. Accepts NULL. */
void pulse_bulk_free(struct pulse_bulk *bulk);

#endif
