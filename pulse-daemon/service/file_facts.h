/* SPDX-License-Identifier: MIT */
/* What workers say of files, out of the media store. Nothing in it is believed before it was read here: by who takes a
   result in, and by who plans with it. Any thread. */
#ifndef PULSE_SERVICE_FILE_FACTS_H
#define PULSE_SERVICE_FILE_FACTS_H

#include "common/base/arena.h"
#include "common/blobs/blobs.h"
#include "graph/facts.h"

/* The file that an output of a probe tells of. */
struct pulse_probed {
    struct lh_digest file;
    bool is_midi;
};

/* All bytes of a blob in the arena, and a zero byte behind them. LH_ERR_MISSING: it is gone. LH_ERR_LIMIT: it has more
   than `most`. LH_ERR_IO, LH_ERR_NO_MEMORY. */
LH_NODISCARD enum lh_status pulse_blob_bytes(struct lh_blobs *blobs, const struct lh_digest *digest, uint64_t most,
                                             struct lh_arena *arena, char **data, size_t *size, struct lh_error *error);
/* The facts of a file, in the arena. Beside the errors above LH_ERR_FORMAT: they are none, or not of such a file. */
LH_NODISCARD enum lh_status pulse_file_facts(struct lh_blobs *blobs, const struct lh_digest *digest, bool is_midi,
                                             struct lh_arena *arena, struct graph_file_facts *facts,
                                             struct lh_error *error);
/* Facts that could not be read: when these are not even the bytes of their name, and nobody holds them, they go, since
   the right ones could not take their place. What is kept, or too large for facts, is left to the scrub. */
void pulse_facts_doubt(struct lh_blobs *blobs, const struct lh_digest *digest);

#endif
