/* SPDX-License-Identifier: MIT */
/* A folder of finished deliverables by their render keys, of converted media, and of the digests of sources. Plain
   files, each written aside and renamed, so that any number of renders may share a folder:

       deliverables/<key>        the file
       deliverables/<key>.facts  what the report says of it
       conformed/<key>           a medium at the project's rate: raw interleaved floats
       conformed/<key>.digest    of these
       sources/<hash>            digest of the source with this device, inode, size, time of change, ...

   Entries never change: a key says all that decides over a file's bytes (graph/keys.h). Anything may be deleted at any
   time. Files are copied by reference where the file system can. */
#ifndef CLI_CACHE_H
#define CLI_CACHE_H

#include "cli/sources.h"
#include "engine/run/render.h"

struct cli_cache {
    const char *folder;
    uint64_t hashed_bytes; /* of sources whose digest was not known */
};

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
/* All of `from` to the beginning of `to`, an empty file. */
LH_NODISCARD enum lh_status cli_copy(int from, int to, const char *where, struct lh_error *error);

#endif
