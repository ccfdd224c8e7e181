/* SPDX-License-Identifier: MIT */
/* Pulse's side of the conversation with workers (proto/worker.proto): a link and a thread of its own. What workers say
   becomes events for the decider, what it decides becomes messages. Results go by way of the intake, which takes their
   bytes in first. */
#ifndef PULSE_SERVICE_WORKERS_H
#define PULSE_SERVICE_WORKERS_H

#include "common/blobs/blobs.h"
#include "proto/link/link.h"
#include "pulse-daemon/service/decider.h"
#include "pulse-daemon/service/intake.h"
#include "pulse-daemon/service/listen.h"
#include "pulse-daemon/service/roster.h"

struct pulse_workers;

struct pulse_workers_options {
    struct pulse_place place; /* where to listen */
    const char *bulk_local;   /* where bulk data goes: of workers on this host */
    const char *bulk_remote;  /* of others; as pulse_listen_told() */
    const char *media_folder; /* of `blobs`, for workers of this host; absolute */
    const char *store;        /* URL: specs are read with a handle of its own */
    struct lh_blobs *blobs;
    struct pulse_decider *decider;
    struct pulse_roster *roster;
    struct pulse_intake *intake;
    struct pulse_mailbox *box;     /* where the decider's orders come */
    struct pulse_mailbox *lessons; /* where what attempts took goes (learning.h) */
    uint32_t lease_ms, beat_ms;
    uint64_t memory_bytes; /* of address space that an attempt may have; 0: as its worker thinks right */
    /* Whether that key may be a worker of this name with these tags, and why not: tcp only. */
    bool (*admits)(void *context, const char *key, const char *name, const char *const *tags, size_t count,
                   char why[LH_ERROR_MESSAGE_SIZE]);
    void *context;
};

/* Listens from now on. */
LH_NODISCARD enum lh_status pulse_workers_new(const struct pulse_workers_options *options,
                                              struct pulse_workers **workers, struct lh_error *error);
/* Tells the workers that Pulse goes, and stops. Accepts NULL. */
void pulse_workers_free(struct pulse_workers *workers);

/* Where it listens on the network; "": nowhere. */
const char *pulse_workers_endpoint(const struct pulse_workers *workers);
/* The keys that may connect over tcp. */
LH_NODISCARD enum lh_status pulse_workers_allow(struct pulse_workers *workers, const char *const *keys, size_t count);

/* What is known of the connected ones, for people: a copy in the arena. Any thread. LH_ERR_NO_MEMORY. */
struct pulse_worker_view {
    const char *name, *engine, *cpu_class, *software, *host;
    const char *const *tags;
    size_t tag_count;
    uint32_t slots;
    size_t plugins;
    uint64_t beat_age_ms;
};
LH_NODISCARD enum lh_status pulse_workers_view(struct pulse_workers *workers, struct lh_arena *arena,
                                               struct pulse_worker_view **views, size_t *count);

/* A worker of that key ("" on a local endpoint) works on this attempt. Any thread. */
bool pulse_workers_has_claim(struct pulse_workers *workers, const char *key, uint64_t shard, uint32_t attempt);
/* A blob that was uploaded for this attempt is there and held: it stays held until the attempt is over. False: the
   attempt is over already. Any thread. */
bool pulse_workers_uploaded(struct pulse_workers *workers, uint64_t shard, uint32_t attempt,
                            const struct lh_digest *digest);

/* Whether anybody wants to see how far attempts are: else nobody is told between beats. Any thread. Accepts NULL. */
void pulse_workers_watch(struct pulse_workers *workers, bool watched);

/* Asks a worker to drain. Any thread; false: memory is out. */
bool pulse_workers_drain(struct pulse_workers *workers, const char *name);

struct pulse_workers_figures {
    uint64_t malformed, refused, assigned;
    uint64_t shut_out; /* connections that were not let in */
    size_t connected;
};
void pulse_workers_figures(struct pulse_workers *workers, struct pulse_workers_figures *figures);

#endif
