/* SPDX-License-Identifier: MIT */
/* Where a node's inputs come from and its outputs go to. On Pulse's host blobs are opened by their path, and outputs
   are written into its media folder; elsewhere they travel in chunks, and what came once is kept in a cache by its
   digest. What came over the network was verified on the way; what lies on the disk is believed.

   The depot is shared by all threads; a carrier belongs to one slot. */
#ifndef ENGINE_NODE_DEPOT_H
#define ENGINE_NODE_DEPOT_H

#include <stdbool.h>

#include "common/blobs/blobs.h"
#include "engine/node/settings.h"
#include "proto/link/keys.h"

struct engine_depot;

/* Pulse as a Welcome describes it. */
struct engine_depot_view {
    const char *folder;   /* its media folder on this host; NULL: it is not said to be on this host */
    const uint8_t *token; /* LH_BLOBS_TOKEN_SIZE, with a folder */
    const char *endpoint; /* of bulk messages; NULL: the workers' */
};

/* Opens the cache, `settings->cache`/name. Settings and keys (NULL on ipc) must live as long. LH_ERR_USAGE: another
   node of that name runs on this host; LH_ERR_IO, LH_ERR_NO_MEMORY. */
LH_NODISCARD enum lh_status engine_depot_new(const struct engine_node_settings *settings, const struct wire_keys *keys,
                                             const char *server_key, struct engine_depot **depot,
                                             struct lh_error *error);
void engine_depot_free(struct engine_depot *depot); /* no carrier may be left; accepts NULL */

/* From now on this is Pulse. *local: its folder can be used. LH_ERR_NO_MEMORY. */
LH_NODISCARD enum lh_status engine_depot_point(struct engine_depot *depot, const struct engine_depot_view *view,
                                               bool *local, struct lh_error *error);
/* Whether the file systems that are written to have the room that is to stay free. */
bool engine_depot_has_room(struct engine_depot *depot);
/* Whether one of them is as good as full, so that what failed to be written failed for that. */
bool engine_depot_is_full(struct engine_depot *depot);

/* What entitles to a transfer, and who may break it off. */
struct engine_claim {
    uint64_t shard;
    uint32_t attempt;
    const char *trace;
    bool (*go_on)(void *context);
    void (*moved)(void *context, size_t size); /* bytes that have come or left; NULL: nobody is told */
    void *context;
};

struct engine_carrier;
LH_NODISCARD enum lh_status engine_carrier_new(struct engine_depot *depot, struct engine_carrier **carrier);
void engine_carrier_free(struct engine_carrier *carrier); /* accepts NULL */

/* Opens a blob for reading; *fetched grows by what came over the network. LH_ERR_MISSING: Pulse does not have it, or
   other bytes; LH_ERR_CANCELLED: the claim says so; LH_ERR_LIMIT: there is no room for it; LH_ERR_UNAVAILABLE: Pulse
   was out of reach for too long. */
LH_NODISCARD enum lh_status engine_carrier_open(struct engine_carrier *carrier, const struct engine_claim *claim,
                                                const struct lh_digest *digest, uint64_t size, int *fd,
                                                uint64_t *fetched, struct lh_error *error);

/* A file that becomes an output, where it need not be copied afterwards. */
struct engine_crate {
    int fd;                        /* readable and writable; -1: closed */
    char name[LH_BLOBS_NAME_SIZE]; /* in incoming/ of `folder`; "": it has none any more */
    char *folder;                  /* owned */
    bool local;                    /* Pulse's folder; else the cache's */
};
#define ENGINE_CRATE_NONE ((struct engine_crate){.fd = -1})
LH_NODISCARD enum lh_status engine_carrier_crate(struct engine_carrier *carrier, struct engine_crate *crate,
                                                 struct lh_error *error);
/* Hands over what is in it: nobody writes to it any more. A local one stays where it is and is for Pulse to adopt by
   its name; another is sent, and kept in the cache if it has room. The errors of engine_carrier_open(). */
LH_NODISCARD enum lh_status engine_carrier_ship(struct engine_carrier *carrier, const struct engine_claim *claim,
                                                struct engine_crate *crate, const struct lh_digest *digest,
                                                uint64_t size, struct lh_error *error);
/* Closes it, and nothing else: nobody reads it here any more. */
void engine_crate_close(struct engine_crate *crate);
/* Closes it; removes the file if it still has its name. */
void engine_crate_discard(struct engine_crate *crate);
/* Closes it; the file stays for Pulse. */
void engine_crate_leave(struct engine_crate *crate);

/* A file without a name, for bytes that nobody keeps. */
LH_NODISCARD enum lh_status engine_carrier_scratch(struct engine_carrier *carrier, int *fd, struct lh_error *error);

#endif
