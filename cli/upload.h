/* SPDX-License-Identifier: MIT */
/* Moving files between here and a farm: what it lacks goes there, what it has made comes here. On one host through the
   media folder, elsewhere in chunks. One thread. */
#ifndef CLI_UPLOAD_H
#define CLI_UPLOAD_H

#include "cli/farm.h"
#include "cli/gather.h"
#include "proto/link/bulk.h"

/* How the farm's blobs are reached. */
struct cli_media {
    struct cli_farm *farm;
    const char *token;
    const char *folder;                     /* of blobs on this host; NULL: elsewhere */
    struct wire_bulk *bulk;                 /* NULL: not connected yet */
    char bulk_endpoint[WIRE_ENDPOINT_SIZE]; /* "": not told */
    struct wire_caller_options bulk_options;
    uint64_t sent_bytes, shared_bytes; /* over the network; through the folder */
};

/* Asks the farm where its media are; texts in the arena. */
LH_NODISCARD enum lh_status cli_media_open(struct lh_arena *arena, struct cli_farm *farm,
                                           const struct cli_farm_place *place, struct cli_media *media,
                                           struct lh_error *error);
void cli_media_close(struct cli_media *media);

/* Asks which of the files this tenant lacks, and brings those. LH_ERR_FORMAT: a file changed meanwhile. */
LH_NODISCARD enum lh_status cli_media_bring(struct lh_arena *arena, struct cli_media *media,
                                            const struct cli_gathered *files, struct lh_error *error);
/* All bytes of a blob to an empty file; they have the digest. */
LH_NODISCARD enum lh_status cli_media_get(struct cli_media *media, const struct lh_digest *digest, uint64_t size,
                                          int fd, const char *where, struct lh_error *error);

#endif
