/* SPDX-License-Identifier: MIT */
/* A folder of finished deliverables by their render keys, of converted media, of frames that were stored on the way to
   deliverables, and of what was learned. Plain files, each written aside and renamed, so that any number of renders may
   share a folder:

       deliverables/<key>        the file
       deliverables/<key>.facts  what the report says of it
       conformed/<key>           a medium at the project's rate: raw interleaved floats
       conformed/<key>.digest    of these
       stored/<key>              frames of a node (graph/graph.h): raw, as a STORED deliverable has them
       stored/<key>.facts        digest of these; what the file was like then, and which boot of the machine that was
       sources/<hash>            digest of the source with this device, inode, size, time of change, ...
       latencies/<key>           of a plugin as it is used (pulse-daemon/shard/latency.h)
       costs                     what work has cost (pulse-daemon/shard/cost.h)
       lock                      held by who deletes

   Entries never change: a key says all that decides over a file's bytes (graph/keys.h). Anything may be deleted at any
   time. Files are copied by reference where the file system can. Whoever adds deletes what was of no use for the
   longest when all together is too much. */
#ifndef CLI_CACHE_H
#define CLI_CACHE_H

#include "cli/aside.h"
#include "cli/sources.h"
#include "engine/run/render.h"
#include "pulse-daemon/shard/cost.h"

struct cli_cache {
    const char *folder;
    uint64_t hashed_bytes; /* of sources whose digest was not known */
};

/* Where the digests of sources are kept when no cache is asked for: loophole in $XDG_CACHE_HOME or ~/.cache; in the
   arena. NULL: there is no such place, or memory is out. */
const char *cli_cache_standard(struct lh_arena *arena);
/* Makes the folder if it is not there. */
LH_NODISCARD enum lh_status cli_cache_open(struct lh_arena *arena, const char *folder, struct cli_cache *cache,
                                           struct lh_error *error);
/* Fills the digests of all open sources: from the folder when a file has not changed since, else by hashing. */
LH_NODISCARD enum lh_status cli_cache_digest(struct lh_arena *arena, struct cli_cache *cache,
                                             struct cli_sources *sources, struct lh_error *error);
/* No source has changed since then, as far as its size and times tell. */
bool cli_cache_unchanged(const struct cli_sources *sources);
/* Whether there is a file for the key; if so *fd is it, for the caller to close, and `delivered` what is told of it. An
   entry whose file has another size than was told, or without the figures that `report` asks for, is not there; the
   file's bytes are not looked at. */
LH_NODISCARD enum lh_status cli_cache_find(struct lh_arena *arena, const struct cli_cache *cache,
                                           const struct lh_digest *key, bool report, int *fd,
                                           struct engine_delivered *delivered, struct lh_error *error);
/* Keeps a copy of the file. */
LH_NODISCARD enum lh_status cli_cache_store(struct lh_arena *arena, const struct cli_cache *cache,
                                            const struct lh_digest *key, int fd,
                                            const struct engine_delivered *delivered, struct lh_error *error);
/* Whether there is a converted medium of `size` bytes for the key; if so *fd is it, for the caller to close, otherwise
   -1. Its bytes are held against their digest. */
LH_NODISCARD enum lh_status cli_cache_find_conformed(struct lh_arena *arena, const struct cli_cache *cache,
                                                     const struct lh_digest *key, uint64_t size, int *fd,
                                                     struct lh_error *error);
/* Keeps a copy of `size` bytes at `offset` of a file. */
LH_NODISCARD enum lh_status cli_cache_store_conformed(struct lh_arena *arena, const struct cli_cache *cache,
                                                      const struct lh_digest *key, int fd, uint64_t offset,
                                                      uint64_t size, struct lh_error *error);
/* Whether there are stored frames of `size` bytes for the key; if so *fd is them, for the caller to close, otherwise
   -1. Their bytes are held against their digest only when the file has changed since that was taken, or the machine was
   started anew: reading them is all that they cost. */
LH_NODISCARD enum lh_status cli_cache_find_stored(struct lh_arena *arena, const struct cli_cache *cache,
                                                  const struct lh_digest *key, uint64_t size, int *fd,
                                                  struct lh_error *error);
/* A file to be filled with them, and what keeps it once it is. */
LH_NODISCARD enum lh_status cli_cache_open_stored(struct lh_arena *arena, const struct cli_cache *cache,
                                                  const struct lh_digest *key, struct cli_aside *aside,
                                                  struct lh_error *error);
LH_NODISCARD enum lh_status cli_cache_store_stored(struct lh_arena *arena, const struct cli_cache *cache,
                                                   const struct lh_digest *key, struct cli_aside *aside,
                                                   struct lh_error *error);
/* GRAPH_NONE: not known. */
uint32_t cli_cache_find_latency(struct lh_arena *arena, const struct cli_cache *cache, const struct lh_digest *key);
LH_NODISCARD enum lh_status cli_cache_store_latency(struct lh_arena *arena, const struct cli_cache *cache,
                                                    const struct lh_digest *key, uint32_t frames,
                                                    struct lh_error *error);
/* Costs by name; what makes no sense is left out. */
LH_NODISCARD enum lh_status cli_cache_load_costs(struct lh_arena *arena, const struct cli_cache *cache,
                                                 struct pulse_costs *costs);
LH_NODISCARD enum lh_status cli_cache_store_costs(struct lh_arena *arena, const struct cli_cache *cache,
                                                  const struct pulse_costs *costs, struct lh_error *error);

/* Deletes the entries that were of no use for the longest until at most `most` bytes are left. Does nothing while
   somebody else does. */
LH_NODISCARD enum lh_status cli_cache_trim(const struct cli_cache *cache, uint64_t most, struct lh_error *error);
/* Bytes that its file system has left. */
uint64_t cli_cache_free_bytes(const struct cli_cache *cache);

/* All of `from` to the beginning of `to`, an empty file. */
LH_NODISCARD enum lh_status cli_copy(int from, int to, const char *where, struct lh_error *error);

#endif
