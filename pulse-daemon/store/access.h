/* SPDX-License-Identifier: MIT */
/* Who may do what: tenants, bearer tokens of clients, public keys of peers. Handles, transactions and errors: store.h.
   LH_ERR_MISSING when what is asked for is not there. */
#ifndef PULSE_STORE_ACCESS_H
#define PULSE_STORE_ACCESS_H

#include "pulse-daemon/store/store.h"

#define PULSE_PEER_KEY_SIZE 32 /* CURVE25519, binary */

enum pulse_role { PULSE_ROLE_VIEWER = 0, PULSE_ROLE_EDITOR, PULSE_ROLE_OPERATOR, PULSE_ROLE_ADMIN };
enum pulse_peer_role { PULSE_PEER_WORKER = 0, PULSE_PEER_CLIENT };

#define PULSE_TENANT_WEIGHT_MAX 1000
#define PULSE_TENANTS_MAX 1024u /* of a farm: who makes them counts */

struct pulse_tenant_row {
    uint64_t id;
    const char *name;     /* unique */
    uint64_t quota_bytes; /* of media, finished files and cached outputs; 0: none */
    const char *tags;     /* that a worker must have to work for it, ascending, with a space between; "": any worker */
    uint32_t weight;      /* its share among tenants of one priority: 1 to PULSE_TENANT_WEIGHT_MAX; written as 0: 1 */
};
/* `id` 0: a new one, or the one that has this name, all of whose settings are replaced. *id is its number. */
LH_NODISCARD enum lh_status pulse_store_tenant_put(struct pulse_store *store, const struct pulse_tenant_row *row,
                                                   uint64_t *id, struct lh_error *error);
/* By its number, or (`id` 0) by its name. Texts in the arena. */
LH_NODISCARD enum lh_status pulse_store_tenant(struct pulse_store *store, uint64_t id, const char *name,
                                               struct lh_arena *arena, struct pulse_tenant_row *row,
                                               struct lh_error *error);
/* By id. */
typedef enum lh_status pulse_store_take_tenant(void *context, const struct pulse_tenant_row *row);
LH_NODISCARD enum lh_status pulse_store_tenants(struct pulse_store *store, pulse_store_take_tenant *take, void *context,
                                                struct lh_error *error);

struct pulse_token_row {
    struct lh_digest digest; /* SHA-256 of the token; the token itself is nowhere */
    uint64_t tenant;
    enum pulse_role role;
    const char *name;
    int64_t created_ms, expires_ms, revoked_ms; /* 0: never, not */
};
/* New or replaced; `created_ms` and `revoked_ms` are not looked at. */
LH_NODISCARD enum lh_status pulse_store_token_put(struct pulse_store *store, const struct pulse_token_row *row,
                                                  struct lh_error *error);
LH_NODISCARD enum lh_status pulse_store_token_revoke(struct pulse_store *store, uint64_t tenant,
                                                     const struct lh_digest *digest, struct lh_error *error);
/* Also one that is expired or revoked: the caller knows what time it is. */
LH_NODISCARD enum lh_status pulse_store_token(struct pulse_store *store, const struct lh_digest *digest,
                                              struct lh_arena *arena, struct pulse_token_row *row,
                                              struct lh_error *error);
typedef enum lh_status pulse_store_take_token(void *context, const struct pulse_token_row *row);
LH_NODISCARD enum lh_status pulse_store_tokens(struct pulse_store *store, uint64_t tenant, pulse_store_take_token *take,
                                               void *context, struct lh_error *error);

struct pulse_peer_row {
    uint8_t key[PULSE_PEER_KEY_SIZE];
    const char *name; /* unique among those not revoked */
    enum pulse_peer_role role;
    const char *tags;                /* with a space between */
    int64_t enrolled_ms, revoked_ms; /* 0: not */
};
/* New or replaced; the times are not looked at. LH_ERR_CONFLICT: another key has this name. */
LH_NODISCARD enum lh_status pulse_store_peer_put(struct pulse_store *store, const struct pulse_peer_row *row,
                                                 struct lh_error *error);
LH_NODISCARD enum lh_status pulse_store_peer_revoke(struct pulse_store *store, const uint8_t key[PULSE_PEER_KEY_SIZE],
                                                    struct lh_error *error);
/* All, revoked ones too, by name. */
typedef enum lh_status pulse_store_take_peer(void *context, const struct pulse_peer_row *row);
LH_NODISCARD enum lh_status pulse_store_peers(struct pulse_store *store, pulse_store_take_peer *take, void *context,
                                              struct lh_error *error);

#endif
