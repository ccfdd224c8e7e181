/* SPDX-License-Identifier: MIT */
/* The agent's state, for the files that make it up. All of it is the agent's thread's but what says otherwise. */
#ifndef ENGINE_NODE_NODE_PARTS_H
#define ENGINE_NODE_NODE_PARTS_H

#include <pthread.h>

#include "engine/node/attempt.h"
#include "engine/node/node.h"
#include "engine/node/scout.h"
#include "engine/node/slot.h"
#include "proto/link/link.h"

#define ENGINE_SESSION_SIZE 16

enum engine_node_state { ENGINE_NODE_AWAY = 0, ENGINE_NODE_GREETING, ENGINE_NODE_AT_WORK };
enum engine_node_end { ENGINE_NODE_STAYS = 0, ENGINE_NODE_DRAINS, ENGINE_NODE_HANDS_BACK };

/* What other threads have for the agent. */
struct engine_inbox {
    pthread_mutex_t lock;
    int wake;                    /* eventfd */
    struct engine_attempt *done; /* under the lock, newest first */
    struct engine_slot **free;   /* the same: slots that have become free */
    size_t free_count;
    struct engine_stock *stock; /* the same: a newer one; NULL: none */
    bool changed;               /* the same: an instance was another engine */
};

struct engine_node {
    const struct engine_node_settings *settings;
    struct wire_keys keys;
    char server_key[WIRE_KEY_SIZE];
    char host[2 * 64 + 2]; /* identity of the machine and its boot */
    uint8_t session[ENGINE_SESSION_SIZE];
    struct wire_link *link;
    uint32_t socket;
    struct engine_depot *depot;
    struct engine_scout *scout;
    struct engine_slot **slots, **free; /* all, and those without an attempt */
    size_t slot_count, free_count;
    struct engine_inbox inbox;
    struct engine_stock *stock; /* NULL: not known yet */
    struct engine_attempt *attempts;
    enum engine_node_state state;
    enum engine_node_end end;
    bool joined;             /* the link has Pulse */
    uint64_t said;           /* envelopes of this connection */
    uint64_t beats;          /* the same of beats */
    uint64_t granted, taken; /* assignments of this session */
    bool has_room;           /* on the disk */
    bool told_drain;         /* in this session */
    uint32_t beat_ms;
    uint64_t next_beat_ns, next_look_ns, greet_again_ns;
    uint64_t tell_away_ns;  /* when it is told that Pulse does not answer; UINT64_MAX: it was met, or that was told */
    uint64_t idle_since_ns; /* while ending: nothing is at work since; 0: something is */
    bool lost_results;
};

/* ---- node.c: attempts */

struct engine_attempt *engine_node_find(struct engine_node *node, uint64_t shard, uint32_t number);
/* Takes it out of the list and frees it. */
void engine_node_drop(struct engine_node *node, struct engine_attempt *attempt, bool adopted);
void engine_node_stop(struct engine_attempt *attempt, enum engine_stop stop);
/* Gives it to a free slot: there is one. */
void engine_node_start(struct engine_node *node, struct engine_attempt *attempt);
void engine_node_end(struct engine_node *node, enum engine_node_end end, const char *why);
/* Credits for the slots that are free; none when there is no room or the node ends. */
uint64_t engine_node_grant(const struct engine_node *node);

/* ---- session.c: what Pulse says */

void engine_session_event(struct engine_node *node, struct wire_event *event);
/* What is due: beats, credits, results that are to be said again. */
void engine_session_tick(struct engine_node *node, uint64_t now_ns);
/* An attempt has come back from its slot. */
void engine_session_finished(struct engine_node *node, struct engine_attempt *attempt);
void engine_session_greet(struct engine_node *node);
void engine_session_drain(struct engine_node *node);
void engine_session_bye(struct engine_node *node);
/* When it wants to be called again. */
uint64_t engine_session_wake_ns(const struct engine_node *node);

/* ---- speech.c: what Pulse is told */

/* Sends the envelope whose body is set; its id, or 0: it could not be sent. */
uint64_t engine_say(struct engine_node *node, Wire__Envelope *envelope, uint64_t correlation, const char *trace);
void engine_say_hello(struct engine_node *node);
void engine_say_inventory(struct engine_node *node);
void engine_say_beat(struct engine_node *node);
void engine_say_progress(struct engine_node *node, struct engine_attempt *attempt);
void engine_say_credit(struct engine_node *node);
/* Complete or Failed. */
void engine_say_outcome(struct engine_node *node, struct engine_attempt *attempt);
/* Of an attempt that is not held. */
void engine_say_failed(struct engine_node *node, uint64_t shard, uint32_t number, Wire__Failed__Kind kind,
                       const char *message);

#endif
