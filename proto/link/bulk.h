/* SPDX-License-Identifier: MIT */
/* The far side of the bulk conversation (proto/media.proto), for who brings or fetches one blob after the other: a slot
   of a worker node, the command. No thread of ours; a connection that is made when it is needed and again after it was
   lost, so that a transfer goes on where it stopped. One thread at a time. */
#ifndef WIRE_LINK_BULK_H
#define WIRE_LINK_BULK_H

#include <stdbool.h>

#include "common/digest/digest.h"
#include "proto/link/caller.h"

struct wire_bulk;

/* The options' texts and keys are borrowed. Connects to nobody yet. LH_ERR_NO_MEMORY. */
LH_NODISCARD enum lh_status wire_bulk_new(const struct wire_caller_options *options, struct wire_bulk **bulk);
void wire_bulk_free(struct wire_bulk *bulk); /* accepts NULL */

/* One transfer. Zero is the standard. */
struct wire_transfer {
    struct lh_digest digest;
    uint64_t size;     /* of the whole blob */
    const char *token; /* a client's */
    uint64_t shard;    /* a worker's claim */
    uint32_t attempt;
    const char *trace;    /* W3C traceparent */
    uint32_t patience_ms; /* for a connection, and for the next sign of life; 0: 10 000 */
    /* Asked about 20 times a second: false ends the transfer, LH_ERR_CANCELLED. NULL: nobody asks. */
    bool (*go_on)(void *context);
    /* Told of each piece that has left or come, for progress. NULL: nobody is. */
    void (*moved)(void *context, size_t size);
    void *context;
};

/* Brings the first `size` bytes of `fd`, by positioned reads; the digest is theirs. LH_OK: verified and kept over
   there, or it was there already. LH_ERR_UNAVAILABLE: nobody answers, or not now; it may be tried again, and goes on
   where it was. LH_ERR_FORMAT: the bytes have another digest. Else what the other side says. */
LH_NODISCARD enum lh_status wire_bulk_put(struct wire_bulk *bulk, const struct wire_transfer *transfer, int fd,
                                          struct lh_error *error);
/* Fetches from `offset` to the end: `take` gets piece after piece in order; what it fails with ends the transfer. The
   digest is the caller's to check. LH_ERR_MISSING: there is no such blob, or not for us; LH_ERR_UNAVAILABLE as above,
   with `take` called for what came. */
LH_NODISCARD enum lh_status wire_bulk_get(struct wire_bulk *bulk, const struct wire_transfer *transfer, uint64_t offset,
                                          enum lh_status (*take)(void *context, const void *data, size_t size,
                                                                 struct lh_error *error),
                                          void *context, struct lh_error *error);

#endif
