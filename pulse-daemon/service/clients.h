/* SPDX-License-Identifier: MIT */
/* Pulse's side of the conversation with clients (proto/client.proto): a link and a thread of its own, a handle of the
   store for reading. Each question has a token, which says whose it is and what it may ask (the table in clients.c).
   What is to be written is asked of the decider; what people are told comes from it. */
#ifndef PULSE_SERVICE_CLIENTS_H
#define PULSE_SERVICE_CLIENTS_H

#include "common/blobs/blobs.h"
#include "proto/link/link.h"
#include "pulse-daemon/service/bulk.h"
#include "pulse-daemon/service/decider.h"
#include "pulse-daemon/service/intake.h"
#include "pulse-daemon/service/keeper.h"
#include "pulse-daemon/service/peers.h"
#include "pulse-daemon/service/roster.h"
#include "pulse-daemon/service/workers.h"

struct pulse_clients;

struct pulse_clients_options {
    struct pulse_place place; /* where to listen */
    const char *bulk_local;   /* where bulk data goes: of clients on this host */
    const char *bulk_remote;  /* of others; as pulse_listen_told() */
    const char *media_folder; /* of `blobs`; absolute */
    const char *store;        /* URL */
    const char *software;     /* "loophole-pulse 0.1.0" */
    struct lh_blobs *blobs;
    struct pulse_decider *decider;
    struct pulse_roster *roster;
    struct pulse_workers *workers;
    struct pulse_peers *peers;
    struct pulse_intake *intake; /* that adopts what clients hand over */
    struct pulse_keeper *keeper;
    struct pulse_mailbox *box; /* where the decider's orders come */
    struct pulse_bulk *bulk;   /* whose questions are answered */
};

/* Listens from now on. */
LH_NODISCARD enum lh_status pulse_clients_new(const struct pulse_clients_options *options,
                                              struct pulse_clients **clients, struct lh_error *error);
/* Waits for what was asked of the decider, then stops. Accepts NULL. */
void pulse_clients_free(struct pulse_clients *clients);

/* Where it listens on the network; "": nowhere. */
const char *pulse_clients_endpoint(const struct pulse_clients *clients);
LH_NODISCARD enum lh_status pulse_clients_allow(struct pulse_clients *clients, const char *const *keys, size_t count);
/* Reads who is enrolled, and tells the links of workers, clients and bulk data whom to let in. */
LH_NODISCARD enum lh_status pulse_clients_let_in(struct pulse_clients *clients, struct pulse_store *store,
                                                 struct lh_error *error);

/* What the bulk part asks (pulse_bulk_options.ask): `user` is the mailbox of the clients, whose thread answers. */
void pulse_clients_bulk_ask(void *user, const struct pulse_bulk_ask *ask);

#endif
