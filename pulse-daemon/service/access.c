/* SPDX-License-Identifier: MIT */
/* Tokens. */
#include "pulse-daemon/service/access.h"

#include <string.h>
#include <sys/random.h>

#define RANDOM_BYTES 32

static const char *const role_names[] = {"viewer", "editor", "operator", "admin"};

const char *pulse_role_name(enum pulse_role role)
{
    return role_names[role];
}

bool pulse_role_parse(const char *text, enum pulse_role *role)
{
    for (size_t i = 0; i < sizeof role_names / sizeof *role_names; i++) {
        if (strcmp(text, role_names[i]) == 0) {
            *role = (enum pulse_role)i;
            return true;
        }
    }
    return false;
}

enum lh_status pulse_token_make(char token[PULSE_TOKEN_SIZE], struct lh_error *error)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    uint8_t random[RANDOM_BYTES];
    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random) {
        return lh_error_set(error, LH_ERR_IO, NULL, "the system gives no random numbers");
    }
    size_t at = strlen(PULSE_TOKEN_PREFIX);
    memcpy(token, PULSE_TOKEN_PREFIX, at);
    uint32_t bits = 0, held = 0;
    for (size_t i = 0; i < sizeof random || held > 0;) {
        if (held < 6 && i < sizeof random) {
            bits = bits << 8 | random[i++];
            held += 8;
        }
        uint32_t shift = held >= 6 ? held - 6 : 0;
        token[at++] = letters[(held >= 6 ? bits >> shift : bits << (6 - held)) & 63];
        held = shift;
        bits &= (1u << held) - 1;
    }
    token[at] = '\0';
    return LH_OK;
}

enum lh_status pulse_token_digest(const char *token, struct lh_digest *digest)
{
    return lh_digest_bytes(token, strlen(token), digest);
}

static enum lh_status unknown(struct lh_error *error)
{
    return lh_error_set(error, LH_ERR_MISSING, NULL, "this token is not one of this farm's, or it is no longer valid");
}

static enum lh_status look_up(struct pulse_store *store, const struct lh_digest *digest, struct pulse_token_row *row,
                              struct lh_error *error)
{
    struct lh_arena arena;
    lh_arena_init(&arena);
    enum lh_status status = pulse_store_token(store, digest, &arena, row, error);
    row->name = NULL; /* it was in the arena */
    lh_arena_fini(&arena);
    if (status == LH_OK && row->revoked_ms != 0) {
        status = LH_ERR_MISSING;
    }
    return status;
}

enum lh_status pulse_access_check(struct pulse_access *access, struct pulse_store *store, const char *token,
                                  int64_t now_ms, struct pulse_caller *caller, struct lh_error *error)
{
    struct lh_digest digest;
    if (token == NULL || strnlen(token, PULSE_TOKEN_TEXT_MAX) == PULSE_TOKEN_TEXT_MAX) {
        return unknown(error);
    }
    if (pulse_token_digest(token, &digest) != LH_OK) {
        return lh_error_no_memory(error);
    }
    size_t at = 0;
    while (at < PULSE_ACCESS_KEPT && !(access->kept[at].used && lh_digest_equal(&access->kept[at].digest, &digest) &&
                                       now_ms >= access->kept[at].checked_ms &&
                                       now_ms - access->kept[at].checked_ms < PULSE_ACCESS_BELIEVED_MS)) {
        at++;
    }
    if (at == PULSE_ACCESS_KEPT) {
        struct pulse_token_row row;
        enum lh_status status = look_up(store, &digest, &row, error);
        if (status != LH_OK) {
            return status == LH_ERR_MISSING ? unknown(error) : status;
        }
        at = access->next++ % PULSE_ACCESS_KEPT;
        access->kept[at].digest = digest;
        access->kept[at].caller = (struct pulse_caller){.tenant = row.tenant, .role = row.role};
        access->kept[at].expires_ms = row.expires_ms;
        access->kept[at].checked_ms = now_ms;
        access->kept[at].used = true;
    }
    if (access->kept[at].expires_ms != 0 && now_ms >= access->kept[at].expires_ms) {
        return unknown(error);
    }
    *caller = access->kept[at].caller;
    return LH_OK;
}

void pulse_access_forget(struct pulse_access *access)
{
    *access = (struct pulse_access){0};
}
