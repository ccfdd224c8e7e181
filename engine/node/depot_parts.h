/* SPDX-License-Identifier: MIT */
/* What the depot and its carriers share. */
#ifndef ENGINE_NODE_DEPOT_PARTS_H
#define ENGINE_NODE_DEPOT_PARTS_H

#include <pthread.h>

#include "engine/node/depot.h"

/* Where Pulse is; never changed, shared by counting under the depot's lock. */
struct engine_place {
    unsigned references;
    char *folder;   /* of its media, to be used from here; NULL: it is elsewhere */
    char *endpoint; /* of bulk messages */
};

/* A blob that some slot fetches: others that want it wait. */
struct engine_fetch {
    struct lh_digest digest;
    struct engine_fetch *next;
};

struct engine_depot {
    const struct engine_node_settings *settings;
    const struct wire_keys *keys;
    const char *server_key;
    char *parent, *folder; /* of all nodes' caches on this host, and of ours */
    struct lh_blobs *cache;
    pthread_mutex_t lock;
    pthread_cond_t fetched;
    struct engine_place *place;   /* under the lock */
    struct engine_fetch *fetches; /* the same */
};

struct engine_place *engine_depot_place(struct engine_depot *depot);
void engine_depot_leave(struct engine_depot *depot, struct engine_place *place);

#endif
