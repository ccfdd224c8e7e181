/* SPDX-License-Identifier: MIT */
/* Which keys may connect over a network, and as what: the store's peers, kept in memory for the links' threads. Any
   thread. */
#ifndef PULSE_SERVICE_PEERS_H
#define PULSE_SERVICE_PEERS_H

#include <stdbool.h>

#include "common/base/arena.h"
#include "proto/link/keys.h"
#include "pulse-daemon/store/access.h"

struct pulse_peers;

struct pulse_peer {
    char key[WIRE_KEY_SIZE]; /* Z85 */
    const char *name;
    enum pulse_peer_role role;
    const char *tags; /* with a space between; "": any */
    bool revoked;
};

LH_NODISCARD enum lh_status pulse_peers_new(struct pulse_peers **peers);
void pulse_peers_free(struct pulse_peers *peers); /* accepts NULL */
/* Reads them all anew. Errors as the store's. */
LH_NODISCARD enum lh_status pulse_peers_load(struct pulse_peers *peers, struct pulse_store *store,
                                             struct lh_error *error);
/* The keys of a role that are not revoked: an array in the arena. LH_ERR_NO_MEMORY. */
LH_NODISCARD enum lh_status pulse_peers_keys(struct pulse_peers *peers, enum pulse_peer_role role,
                                             struct lh_arena *arena, const char *const **keys, size_t *count);
/* Whether a worker of this key may have this name and claim these tags. `why` not is for its operator: who has proven
   its key may know what it was enrolled as. */
bool pulse_peers_admit_worker(struct pulse_peers *peers, const char *key, const char *name, const char *const *tags,
                              size_t count, char why[LH_ERROR_MESSAGE_SIZE]);

/* From 32 bytes to 40 characters of Z85 and back. */
void pulse_key_text(const uint8_t key[PULSE_PEER_KEY_SIZE], char text[WIRE_KEY_SIZE]);
bool pulse_key_bytes(const char *text, uint8_t key[PULSE_PEER_KEY_SIZE]);

#endif
