/* SPDX-License-Identifier: MIT */
/* Who is asking: bearer tokens to tenant and role, by the store's rows. What was found is believed for a few seconds,
   so that a store need not be asked for each question. One thread. */
#ifndef PULSE_SERVICE_ACCESS_H
#define PULSE_SERVICE_ACCESS_H

#include "pulse-daemon/store/access.h"

#define PULSE_TOKEN_PREFIX "lhk_"
#define PULSE_TOKEN_SIZE 48      /* of a new one with its NUL: the prefix and 43 URL-safe characters */
#define PULSE_TOKEN_TEXT_MAX 256 /* longer ones are nobody's */
#define PULSE_ACCESS_KEPT 64     /* tokens */
#define PULSE_ACCESS_BELIEVED_MS 5000

struct pulse_caller {
    uint64_t tenant;
    enum pulse_role role;
};

struct pulse_access {
    struct {
        struct lh_digest digest;
        struct pulse_caller caller;
        int64_t expires_ms, checked_ms;
        bool used;
    } kept[PULSE_ACCESS_KEPT];
    size_t next;
};

/* LH_ERR_MISSING: no such token, or it has expired or was revoked; the store's errors. */
LH_NODISCARD enum lh_status pulse_access_check(struct pulse_access *access, struct pulse_store *store,
                                               const char *token, int64_t now_ms, struct pulse_caller *caller,
                                               struct lh_error *error);
/* Nothing is believed any more: something was revoked. */
void pulse_access_forget(struct pulse_access *access);

/* "viewer", "editor", "operator", "admin". */
const char *pulse_role_name(enum pulse_role role);
bool pulse_role_parse(const char *text, enum pulse_role *role);
/* A new token. LH_ERR_IO: the system gives no random numbers. */
LH_NODISCARD enum lh_status pulse_token_make(char token[PULSE_TOKEN_SIZE], struct lh_error *error);
LH_NODISCARD enum lh_status pulse_token_digest(const char *token, struct lh_digest *digest);

#endif
