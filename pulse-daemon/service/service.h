/* SPDX-License-Identifier: MIT */
/* Pulse as a whole: its parts made in order, ended in the opposite one.

       workers ─┐                        ┌─ store
       bulk ────┼─▶ decider (the core) ──┤
       clients ─┘      │                 └─ orders back to workers, planner and clients
                       └─▶ planner

   Every part has a thread of its own and a mailbox; nothing else is shared but the folder of blobs, the roster of
   workers and the list of peers, each with a lock inside. */
#ifndef PULSE_SERVICE_SERVICE_H
#define PULSE_SERVICE_SERVICE_H

#include <stdint.h>

#include "common/base/status.h"

struct pulse_service;

struct pulse_service_options {
    const char *data;     /* folder */
    const char *store;    /* URL; NULL: a file in the folder */
    const char *software; /* "loophole-pulse 0.1.0" */
    /* Endpoints on the network beside the ipc sockets in the data folder, as pulse_listen_spread() says. NULL: none. */
    const char *listen; /* of all three; those that are named have their own */
    const char *workers, *clients, *bulk;
    uint32_t lease_ms, beat_ms;
    uint32_t no_progress_ms, hard_ms;  /* of an attempt, as struct pulse_farm_options */
    uint64_t memory_bytes;             /* the same, of address space; 0: as its worker thinks right */
    uint64_t quota_bytes, floor_bytes; /* of the media folder; as struct lh_blobs_options */
    /* The service cannot go on: another Pulse has taken over, say. Any thread, once. */
    void (*on_end)(void *context);
    void *context;
};

/* Looks for what is inconsistent in a data folder that no Pulse works in, and prints each finding on a line of standard
   output. *found: how many. LH_ERR_USAGE: a Pulse runs there: ask it. */
LH_NODISCARD enum lh_status pulse_service_check(const struct pulse_service_options *options, size_t *found,
                                                struct lh_error *error);

/* Serves from now on. */
LH_NODISCARD enum lh_status pulse_service_new(const struct pulse_service_options *options,
                                              struct pulse_service **service, struct lh_error *error);
/* Decides what has come in, says goodbye to workers, ends. Accepts NULL. */
void pulse_service_free(struct pulse_service *service);
/* Why it cannot go on; LH_OK: it can. */
enum lh_status pulse_service_verdict(struct pulse_service *service, struct lh_error *error);

#endif
