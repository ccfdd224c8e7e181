/* SPDX-License-Identifier: MIT */
/* The workers that are connected: one session each, found by its connection and by its name. One thread. */
#ifndef PULSE_SERVICE_SESSIONS_H
#define PULSE_SERVICE_SESSIONS_H

#include "common/base/arena.h"
#include "common/base/bytes.h"
#include "common/blobs/blobs.h"
#include "proto/link/keys.h"
#include "pulse-daemon/farm/farm.h"
#include "pulse-daemon/service/file_facts.h"
#include "pulse-daemon/service/roster.h"

/* An attempt that the worker was given by this process. */
struct pulse_claim {
    struct pulse_claim *next;
    struct lh_arena arena;
    uint64_t shard, tenant;
    uint32_t attempt;
    const char *trace; /* NULL: not known */
    bool ended;        /* its result has come */
    enum pulse_shard_kind kind;
    const struct pulse_output_row *inputs;
    size_t input_count;
    const struct pulse_farm_promise *outputs;
    const struct pulse_probed *probed; /* of a probe: the file of each output; else NULL */
    size_t output_count;
    struct pulse_upload { /* a blob that came over the network for it, held */
        struct pulse_upload *next;
        struct lh_digest digest;
    } * uploads;
};

enum pulse_session_state {
    PULSE_SESSION_NEW = 0,   /* it has not said who it is */
    PULSE_SESSION_INVENTORY, /* its inventory is on its way */
    PULSE_SESSION_WELCOME,   /* the core knows it */
};

struct pulse_session {
    struct pulse_session *by_peer, *by_name; /* the next of the same bucket */
    uint32_t socket;
    uint64_t peer;
    char key[WIRE_KEY_SIZE]; /* "" on a local endpoint */
    enum pulse_session_state state;
    char name[PULSE_NAME_SIZE];
    uint64_t number;       /* what tells one process from another */
    uint64_t last_id;      /* of the envelopes that it was sent */
    struct lh_arena arena; /* of what it said of itself */
    const char *engine, *cpu_class, *software, *host;
    const char *const *tags;
    size_t tag_count;
    uint32_t slots;
    uint64_t granted;        /* assignments, since it said hello */
    uint64_t ended, carried; /* assignments that ended since; those that it had before */
    bool beaten;             /* it has told what it holds */
    bool replaced;           /* by a newer connection of the same name */
    uint32_t credits;        /* as the core was told */
    uint64_t heard_ns;
    struct lh_digest inventory_id;
    struct pulse_inventory *inventory; /* one reference */
    struct lh_writer chunks;           /* of an inventory that is on its way: as it is hashed */
    uint32_t next_chunk;
    size_t chunk_plugins; /* in them so far */
    struct pulse_claim *claims;
};

/* It is on this host, and when its connection ends its process has ended. */
static inline bool pulse_session_is_local(const struct pulse_session *session)
{
    return session->key[0] == '\0';
}

struct pulse_sessions {
    struct lh_blobs *blobs;                /* where what claims hold is held */
    struct pulse_session **peers, **names; /* buckets */
    size_t count;
};

LH_NODISCARD enum lh_status pulse_sessions_init(struct pulse_sessions *sessions, struct lh_blobs *blobs);
/* With an end for each session that is left. */
void pulse_sessions_fini(struct pulse_sessions *sessions, struct pulse_roster *roster);
/* NULL: memory is out. */
struct pulse_session *pulse_sessions_add(struct pulse_sessions *sessions, uint32_t socket, uint64_t peer);
void pulse_sessions_remove(struct pulse_sessions *sessions, struct pulse_session *session, struct pulse_roster *roster);
/* NULL: there is none. */
struct pulse_session *pulse_sessions_by_peer(const struct pulse_sessions *sessions, uint32_t socket, uint64_t peer);
struct pulse_session *pulse_sessions_by_name(const struct pulse_sessions *sessions, const char *name);
/* It is found by this name from now on; nobody else has it. */
void pulse_sessions_name(struct pulse_sessions *sessions, struct pulse_session *session, const char *name);
/* One after the other, NULL: the first, then NULL behind the last. In no order. */
struct pulse_session *pulse_sessions_next(const struct pulse_sessions *sessions, const struct pulse_session *session);

/* NULL: there is no such claim. */
struct pulse_claim *pulse_session_claim(const struct pulse_session *session, uint64_t shard, uint32_t attempt);
void pulse_session_add_claim(struct pulse_session *session, struct pulse_claim *claim); /* takes it */
/* Takes it out of the session; the caller's to free. NULL: there is none. */
struct pulse_claim *pulse_session_take_claim(struct pulse_session *session, uint64_t shard, uint32_t attempt);
struct pulse_claim *pulse_claim_new(void); /* NULL: memory is out */
/* Lets go of what it holds. Accepts NULL. */
void pulse_claim_free(struct pulse_claim *claim, struct lh_blobs *blobs);

#endif
