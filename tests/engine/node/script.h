/* SPDX-License-Identifier: MIT */
/* A Pulse that does what a test says, for the real program loophole-node: a real link, a real media folder, the real
   bulk service, real processes. Every call aborts the test when it fails. */
#ifndef TESTS_ENGINE_NODE_SCRIPT_H
#define TESTS_ENGINE_NODE_SCRIPT_H

#include <sys/types.h>

#include "common/blobs/blobs.h"
#include "graph/shard.h"
#include "proto/envelope.h"
#include "proto/link/link.h"
#include "pulse-daemon/service/bulk.h"

#define SCRIPT_PATIENCE_MS 20000
#define SCRIPT_HELD_MAX 64

struct script {
    char folder[256]; /* with run/, media/, cache/ beneath */
    char endpoint[300], bulk_endpoint[300];
    bool remote; /* the node is not told of the media folder: everything travels */
    struct lh_blobs *media;
    struct pulse_bulk *bulk;
    struct wire_link *link;
    uint32_t socket;
    uint64_t peer; /* 0: nobody */
    uint64_t said;
    const char *disk; /* options of a tmpfs that the node gets for its cache; NULL: none */
    pid_t node;
    uint32_t beat_ms;
    /* what the node said, as far as it was heard */
    struct lh_arena arena; /* of `heard` */
    const Wire__Envelope *heard;
    char name[65], engine[1024], cpu_class[64];
    uint8_t session[16], inventory[32];
    uint64_t granted;
    unsigned hellos, beats, progresses;
    unsigned repeats; /* results told again */
    struct {
        uint64_t shard;
        uint32_t attempt;
        bool finished;
        uint64_t done;
    } held[SCRIPT_HELD_MAX]; /* of the last beat */
    size_t held_count;
};

/* `remote`: as if on another host. Opens everything but the node. */
void script_begin(struct script *script, bool remote);
/* Ends the node, if it still runs, and removes all. */
void script_end(struct script *script);

/* Starts the node with these arguments (NULL at the end) beside the usual; `variables` are "NAME=VALUE", NULL for none.
 */
void script_start(struct script *script, const char *const *arguments, const char *const *variables);
/* Whether this machine lets a node have a `disk`. */
bool script_may_mount(void);
/* Its exit status; 1000 + the signal that ended it. */
int script_wait(struct script *script);
/* Ends and starts Pulse's sockets and media anew, as a new process would. */
void script_restart(struct script *script);
/* Only the first half, and only the second. */
void script_leave(struct script *script);
void script_return(struct script *script);

/* The next message of that kind, before which only beats, credits, progress and inventories may come. In the script's
   arena until the next call. */
const Wire__Envelope *script_hear(struct script *script, Wire__Envelope__BodyCase body);
/* Looks at what comes for so long; whatever it is must be beats, credits, progress or inventories. */
void script_listen(struct script *script, int milliseconds);
void script_say(struct script *script, Wire__Envelope *envelope);

/* Hello, and a Welcome. */
void script_welcome(struct script *script, bool wants_inventory);
/* The usual: starts the node, welcomes it, waits for credits. */
void script_greet(struct script *script, const char *const *arguments, const char *const *variables);

void script_put(struct script *script, const void *data, size_t size, struct lh_blob *blob);
/* An input of an assignment. */
struct script_input {
    struct lh_digest key;
    struct lh_blob blob;
};
struct script_limits {
    uint32_t threads, no_progress_ms, hard_ms; /* 0: not said */
    uint64_t memory;                           /* the same */
};
void script_assign(struct script *script, uint64_t shard, uint32_t attempt, const struct graph_shard *work,
                   const struct script_input *inputs, size_t count, const struct script_limits *limits);
void script_cancel(struct script *script, uint64_t shard, uint32_t attempt);
void script_ack(struct script *script, uint64_t shard, uint32_t attempt, Wire__Ack__Verdict verdict);
/* Takes an output into the media folder and opens it. */
int script_adopt(struct script *script, const Wire__ShardOutput *output, struct lh_blob *blob);

/* What has travelled. */
struct pulse_bulk_figures script_figures(const struct script *script);
bool script_holds(const struct script *script, uint64_t shard, uint32_t attempt);
/* How many children the node has (signal instances), and the first of their process ids. */
size_t script_instances(const struct script *script, pid_t *pids, size_t most);

/* Until a beat lists so many attempts. */
void script_await_held(struct script *script, size_t count);
/* So many further beats. */
void script_hear_beats(struct script *script, unsigned count);
/* Until the node has so many instances. */
void script_await_instances(const struct script *script, size_t count);

#endif
