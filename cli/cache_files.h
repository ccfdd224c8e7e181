/* SPDX-License-Identifier: MIT */
/* Entries of the cache folder as files. Private to the cache. */
#ifndef CLI_CACHE_FILES_H
#define CLI_CACHE_FILES_H

#include <sys/stat.h>

#include "cli/cache.h"

/* "FOLDER/KIND/<hex>SUFFIX", NULL when memory is out. */
const char *cli_cache_path(struct lh_arena *arena, const struct cli_cache *cache, const char *kind,
                           const struct lh_digest *key, const char *suffix);
/* At most `size` bytes of a small file; 0 when there is none. */
size_t cli_cache_read(const char *path, void *data, size_t size);
LH_NODISCARD enum lh_status cli_cache_write(struct lh_arena *arena, const char *path, const void *data, size_t size,
                                            struct lh_error *error);
/* What a file is taken to be unchanged by. LH_ERR_NO_MEMORY. */
LH_NODISCARD enum lh_status cli_cache_identity(const struct stat *info, struct lh_digest *digest);
/* It was of use now: those that were not for the longest go first when there is no room. */
void cli_cache_touch(const char *path);

#endif
