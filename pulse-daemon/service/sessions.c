/* SPDX-License-Identifier: MIT */
/* Two tables of buckets: a farm has some thousands of workers at most. */
#include "pulse-daemon/service/sessions.h"

#include <stdlib.h>
#include <string.h>

#define BUCKETS 1024u

static size_t peer_bucket(uint32_t socket, uint64_t peer)
{
    return (size_t)((peer + socket) % BUCKETS); /* peers are numbered one after the other */
}

static size_t name_bucket(const char *name)
{
    uint32_t hash = 2166136261u; /* FNV-1a */
    for (; *name != '\0'; name++) {
        hash = (hash ^ (uint8_t)*name) * 16777619u;
    }
    return hash % BUCKETS;
}

enum lh_status pulse_sessions_init(struct pulse_sessions *sessions, struct lh_blobs *blobs)
{
    struct pulse_session **buckets = calloc((size_t)2 * BUCKETS, sizeof *buckets);
    if (buckets == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    *sessions = (struct pulse_sessions){.blobs = blobs, .peers = buckets, .names = buckets + BUCKETS};
    return LH_OK;
}

static void end_session(struct pulse_session *session, struct pulse_roster *roster, struct lh_blobs *blobs)
{
    while (session->claims != NULL) {
        struct pulse_claim *claim = session->claims;
        session->claims = claim->next;
        pulse_claim_free(claim, blobs);
    }
    pulse_roster_drop(roster, session->inventory);
    lh_writer_fini(&session->chunks);
    lh_arena_fini(&session->arena);
    free(session);
}

void pulse_sessions_fini(struct pulse_sessions *sessions, struct pulse_roster *roster)
{
    for (size_t i = 0; sessions->peers != NULL && i < BUCKETS; i++) {
        while (sessions->peers[i] != NULL) {
            pulse_sessions_remove(sessions, sessions->peers[i], roster);
        }
    }
    free(sessions->peers);
    *sessions = (struct pulse_sessions){0};
}

struct pulse_session *pulse_sessions_add(struct pulse_sessions *sessions, uint32_t socket, uint64_t peer)
{
    struct pulse_session *session = calloc(1, sizeof *session);
    if (session == NULL) {
        return NULL;
    }
    session->socket = socket;
    session->peer = peer;
    session->engine = session->cpu_class = session->software = session->host = "";
    lh_arena_init(&session->arena);
    lh_writer_init(&session->chunks);
    struct pulse_session **bucket = &sessions->peers[peer_bucket(socket, peer)];
    session->by_peer = *bucket;
    *bucket = session;
    sessions->count++;
    return session;
}

static void forget_name(struct pulse_sessions *sessions, struct pulse_session *session)
{
    struct pulse_session **at = &sessions->names[name_bucket(session->name)];
    while (session->name[0] != '\0' && *at != NULL) {
        if (*at == session) {
            *at = session->by_name;
            break;
        }
        at = &(*at)->by_name;
    }
    session->name[0] = '\0';
}

void pulse_sessions_remove(struct pulse_sessions *sessions, struct pulse_session *session, struct pulse_roster *roster)
{
    forget_name(sessions, session);
    struct pulse_session **at = &sessions->peers[peer_bucket(session->socket, session->peer)];
    while (*at != session) {
        at = &(*at)->by_peer;
    }
    *at = session->by_peer;
    sessions->count--;
    end_session(session, roster, sessions->blobs);
}

struct pulse_session *pulse_sessions_by_peer(const struct pulse_sessions *sessions, uint32_t socket, uint64_t peer)
{
    struct pulse_session *session = sessions->peers[peer_bucket(socket, peer)];
    while (session != NULL && (session->peer != peer || session->socket != socket)) {
        session = session->by_peer;
    }
    return session;
}

struct pulse_session *pulse_sessions_by_name(const struct pulse_sessions *sessions, const char *name)
{
    struct pulse_session *session = sessions->names[name_bucket(name)];
    while (session != NULL && strcmp(session->name, name) != 0) {
        session = session->by_name;
    }
    return session;
}

void pulse_sessions_name(struct pulse_sessions *sessions, struct pulse_session *session, const char *name)
{
    forget_name(sessions, session);
    memccpy(session->name, name, '\0', sizeof session->name - 1);
    struct pulse_session **bucket = &sessions->names[name_bucket(session->name)];
    session->by_name = *bucket;
    *bucket = session;
}

struct pulse_session *pulse_sessions_next(const struct pulse_sessions *sessions, const struct pulse_session *session)
{
    if (session != NULL && session->by_peer != NULL) {
        return session->by_peer;
    }
    size_t bucket = session != NULL ? peer_bucket(session->socket, session->peer) + 1 : 0;
    while (bucket < BUCKETS && sessions->peers[bucket] == NULL) {
        bucket++;
    }
    return bucket < BUCKETS ? sessions->peers[bucket] : NULL;
}

/* ---- claims ---- */

struct pulse_claim *pulse_claim_new(void)
{
    struct pulse_claim *claim = calloc(1, sizeof *claim);
    if (claim != NULL) {
        lh_arena_init(&claim->arena);
    }
    return claim;
}

void pulse_claim_free(struct pulse_claim *claim, struct lh_blobs *blobs)
{
    if (claim != NULL) {
        for (const struct pulse_upload *upload = claim->uploads; upload != NULL; upload = upload->next) {
            lh_blobs_release(blobs, &upload->digest);
        }
        lh_arena_fini(&claim->arena);
        free(claim);
    }
}

struct pulse_claim *pulse_session_claim(const struct pulse_session *session, uint64_t shard, uint32_t attempt)
{
    struct pulse_claim *claim = session->claims;
    while (claim != NULL && (claim->shard != shard || claim->attempt != attempt)) {
        claim = claim->next;
    }
    return claim;
}

void pulse_session_add_claim(struct pulse_session *session, struct pulse_claim *claim)
{
    claim->next = session->claims;
    session->claims = claim;
}

struct pulse_claim *pulse_session_take_claim(struct pulse_session *session, uint64_t shard, uint32_t attempt)
{
    struct pulse_claim **at = &session->claims;
    while (*at != NULL && ((*at)->shard != shard || (*at)->attempt != attempt)) {
        at = &(*at)->next;
    }
    struct pulse_claim *claim = *at;
    if (claim != NULL) {
        *at = claim->next;
        claim->next = NULL;
    }
    return claim;
}
