/* SPDX-License-Identifier: MIT */
/* What the files of the bulk conversation share. Not for others.

       put:  ASKED -> RECEIVING -> FINISHING -> COMMITTING -> gone        get:  ASKED -> OPENING -> SENDING -> gone
                          |  ^
                          v  |  the connection broke; the same owner begins again
                         PARKED

   ASKED and COMMITTING wait for the service, FINISHING and OPENING for the slow thread; a transfer in one of them
   belongs to whom it waits for until the mail with it comes back. */
#ifndef PULSE_SERVICE_BULK_IMPL_H
#define PULSE_SERVICE_BULK_IMPL_H

#include <pthread.h>
#include <stdatomic.h>

#include "proto/envelope.h"
#include "pulse-daemon/service/bulk.h"
#include "pulse-daemon/service/mailbox.h"

enum pulse_bulk_state {
    PULSE_BULK_FREE = 0,
    PULSE_BULK_ASKED,
    PULSE_BULK_RECEIVING,
    PULSE_BULK_PARKED,
    PULSE_BULK_FINISHING,
    PULSE_BULK_COMMITTING,
    PULSE_BULK_OPENING,
    PULSE_BULK_SENDING,
};

struct pulse_bulk_transfer {
    struct pulse_mail mail; /* from the service's answer or the slow thread */
    enum pulse_bulk_state state;
    bool is_put;
    bool gone; /* the peer is: nothing more is said to it */
    uint32_t socket;
    uint64_t peer, name; /* which the peer has given it */
    uint64_t question;   /* id of the message that is to be answered: the begin, then the PutEnd */
    char key[WIRE_KEY_SIZE];
    uint64_t shard;
    uint32_t attempt;
    struct lh_digest digest;
    uint64_t size;  /* of the blob */
    uint64_t owner; /* as answered */
    struct pulse_bulk_answer answer;
    struct lh_error error; /* of the answer or the slow thread; its code counts */
    uint32_t credits;      /* put: chunks that the peer may send; get: that we may */
    /* Put */
    struct lh_blobs_put *put;
    enum lh_blobs_kind kind;
    struct lh_blob blob; /* stored; held while `held` */
    bool held;
    uint32_t owed; /* credits taken and not given back */
    uint64_t parked_ns;
    /* Get */
    int fd;
    uint64_t offset, end;
};

/* A chunk on its way out; on the free list or at the link. */
struct pulse_bulk_buffer {
    struct pulse_bulk_buffer *next;
    struct pulse_bulk *bulk;
    uint8_t data[];
};

struct pulse_bulk {
    struct pulse_bulk_options options;
    struct wire_link *link;
    struct pulse_mailbox mails;   /* to the mover: transfers that come back, `room` */
    struct pulse_mailbox errands; /* to the slow thread: transfers */
    pthread_t mover, slow;
    bool mover_runs, slow_runs;
    /* The mover's own. */
    struct pulse_bulk_transfer *transfers; /* options.transfers */
    uint32_t turn;                         /* whose chunk is sent next */
    uint64_t sent;                         /* messages: their ids */
    uint64_t tickets;
    bool choked; /* the link takes no more just now */
    /* Shared. */
    pthread_mutex_t lock;
    uint64_t *asked;                   /* tickets, by transfer; 0: nothing is asked */
    struct pulse_bulk_buffer *buffers; /* free ones */
    uint32_t buffers_made;
    bool starved;           /* the mover waits for one */
    bool told;              /* `room` is in the mail */
    struct pulse_mail room; /* there is one */
    _Atomic uint64_t puts, gets, failed, received, sent_bytes, malformed;
    _Atomic uint32_t active, parked;
};

/* bulk_transfers.c. A free place in the table, that of the upload parked longest if need be; NULL: none. */
struct pulse_bulk_transfer *pulse_bulk_transfer_new(struct pulse_bulk *bulk, const struct wire_event *event,
                                                    uint64_t name, uint64_t question);
/* Lets go of all it has. */
void pulse_bulk_transfer_end(struct pulse_bulk *bulk, struct pulse_bulk_transfer *transfer);
/* The peer's transfer of that name; NULL: none. */
struct pulse_bulk_transfer *pulse_bulk_transfer_find(struct pulse_bulk *bulk, uint64_t peer, uint64_t name);
uint32_t pulse_bulk_transfers_of(const struct pulse_bulk *bulk, uint64_t peer);
/* The peer is gone, or gives the transfer up: an upload is parked, what others work on ends when it comes back. */
void pulse_bulk_transfer_leave(struct pulse_bulk *bulk, struct pulse_bulk_transfer *transfer);
/* Takes over what was parked of the same upload; false: nothing was. */
bool pulse_bulk_transfer_resume(struct pulse_bulk *bulk, struct pulse_bulk_transfer *transfer);
/* Ends what was parked for too long. Milliseconds until the next is due, -1: nothing is parked. */
int pulse_bulk_transfers_expire(struct pulse_bulk *bulk);

/* Asks the service; the answer comes by mail. */
void pulse_bulk_ask(struct pulse_bulk *bulk, struct pulse_bulk_transfer *transfer, enum pulse_bulk_question question,
                    const char *token);

/* bulk_send.c. An envelope with our next id; takes the payload, which may be NULL. False: the link takes no more now,
   and nothing was sent. */
bool pulse_bulk_send(struct pulse_bulk *bulk, uint32_t socket, uint64_t peer, Wire__Envelope *envelope,
                     struct wire_buffer *payload);
void pulse_bulk_send_error(struct pulse_bulk *bulk, uint32_t socket, uint64_t peer, uint64_t correlation,
                           Wire__ErrorCode code, const char *message);
/* Tells the peer why and ends the transfer. */
void pulse_bulk_fail(struct pulse_bulk *bulk, struct pulse_bulk_transfer *transfer, Wire__ErrorCode code,
                     const char *message);
/* By a status of the folder of blobs. */
void pulse_bulk_fail_status(struct pulse_bulk *bulk, struct pulse_bulk_transfer *transfer,
                            const struct lh_error *error);

/* bulk_begin.c, bulk_put.c, bulk_get.c: what a peer says, and what comes back by mail. */
void pulse_bulk_put_begin(struct pulse_bulk *bulk, const struct wire_event *event, const Wire__Envelope *envelope);
void pulse_bulk_put_chunk(struct pulse_bulk *bulk, const struct wire_event *event, const Wire__PutChunk *chunk);
void pulse_bulk_put_end(struct pulse_bulk *bulk, const struct wire_event *event, const Wire__Envelope *envelope);
void pulse_bulk_put_back(struct pulse_bulk *bulk, struct pulse_bulk_transfer *transfer);
void pulse_bulk_get_begin(struct pulse_bulk *bulk, const struct wire_event *event, const Wire__Envelope *envelope);
void pulse_bulk_get_credit(struct pulse_bulk *bulk, const struct wire_event *event, const Wire__BulkCredit *credit);
void pulse_bulk_get_back(struct pulse_bulk *bulk, struct pulse_bulk_transfer *transfer);
/* Sends a chunk of each transfer that may; whether any was sent. */
bool pulse_bulk_get_pump(struct pulse_bulk *bulk);
/* The slow thread's part. */
void pulse_bulk_put_finish(struct pulse_bulk_transfer *transfer);
void pulse_bulk_get_open(struct pulse_bulk *bulk, struct pulse_bulk_transfer *transfer);
void pulse_bulk_buffers_fini(struct pulse_bulk *bulk);

#endif
