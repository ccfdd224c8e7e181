/* SPDX-License-Identifier: MIT */
/* One attempt at a shard: what Pulse assigned, and what came of it. The agent's thread makes it, hands it to a slot,
   gets it back finished, and keeps it until Pulse has acknowledged the result. Members are of whoever holds it at the
   time; the atomic ones are for both. */
#ifndef ENGINE_NODE_ATTEMPT_H
#define ENGINE_NODE_ATTEMPT_H

#include <stdatomic.h>

#include "common/base/arena.h"
#include "engine/node/depot.h"
#include "engine/run/render.h"
#include "proto/envelope.h"

/* Why an attempt is to end before it is done. */
enum engine_stop {
    ENGINE_STOP_NOT = 0,
    ENGINE_STOP_CANCELLED,   /* Pulse wants it no more */
    ENGINE_STOP_HANDED_BACK, /* this node ends */
};

/* One output as made. */
struct engine_made {
    struct lh_digest key, digest;
    uint64_t size;
    struct engine_crate crate; /* local: until Pulse has adopted it */
    const uint8_t *facts;      /* engine_delivery_write() of a file; NULL: none */
    size_t facts_size;
};

struct engine_spent {
    uint64_t wall_ns, fetch_ns, hash_ns;
    struct engine_times times; /* of a render */
    uint64_t frames;           /* the same */
    uint64_t fetched_bytes;
    uint64_t begun_ns, first_block_ns; /* CLOCK_MONOTONIC; 0: did not come to it */
};

struct engine_outcome {
    bool complete;
    struct engine_made *made; /* complete */
    size_t made_count;
    const struct engine_inserted *inserted; /* the same, of a render */
    size_t inserted_count;
    Wire__Failed__Kind kind;         /* not complete */
    struct lh_error error;           /* the same */
    const struct lh_digest *missing; /* keys of inputs */
    size_t missing_count;
    const char *report; /* of a crash, JSON; "" */
    struct engine_spent spent;
};

struct engine_attempt {
    uint64_t shard, tenant;
    uint32_t number;          /* the fencing token */
    char trace[64];           /* W3C traceparent; "" */
    struct lh_arena assigned; /* `assign` is in it; empty once the attempt is finished */
    const Wire__Assign *assign;
    uint64_t received_ns;
    _Atomic int stop;             /* enum engine_stop */
    _Atomic uint64_t done, total; /* of the render's progress */
    _Atomic uint64_t moved;       /* bytes fetched before it, and packed and shipped after it */
    _Atomic bool running;         /* a slot has taken it up */
    bool finished;                /* the agent has it back */
    struct engine_outcome outcome;
    struct lh_arena arena; /* the outcome's */
    uint64_t told_done;    /* the agent's: what was last told of its progress */
    uint64_t said;         /* id of the envelope that told of the result in this session; 0: none */
    uint64_t said_ns, retry_ns;
    struct engine_attempt *next;      /* of those that the agent holds */
    struct engine_attempt *done_next; /* of those that have come back from their slots */
};

/* Takes `assigned`, in which `assign` is; it is empty afterwards. NULL when memory is out: then it is left alone. */
struct engine_attempt *engine_attempt_new(struct lh_arena *assigned, const Wire__Assign *assign, const char *trace);
/* Outputs that Pulse has not adopted go too, unless `adopted`. Accepts NULL. */
void engine_attempt_free(struct engine_attempt *attempt, bool adopted);

/* A failure with its message; the first one counts. */
void engine_attempt_fail(struct engine_attempt *attempt, Wire__Failed__Kind kind, const struct lh_error *error);

#endif
