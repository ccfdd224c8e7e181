/* SPDX-License-Identifier: MIT */
/* The collector: removes blobs that nothing refers to, and keeps the folder under its quota by letting go of outputs
   that can be made again, longest unused first, before it says that it is full. Media are never evicted: they go when
   no project refers to them and their upload pin (24 hours) has run out.

   One round: candidates from the store, marked in the folder (those that somebody holds are passed over; whoever puts a
   marked digest waits), looked at once more and struck from the rows in one transaction, then renamed into the trash,
   then unmarked. A stop at any moment leaves at worst a blob without a row, which the sweep finds, never a row without
   its blob. */
#ifndef PULSE_MEDIA_COLLECT_H
#define PULSE_MEDIA_COLLECT_H

#include "common/blobs/blobs.h"

struct pulse_store;

#define PULSE_COLLECT_BATCH 256              /* blobs of one round: one transaction */
#define PULSE_UPLOAD_PIN_SECONDS (24 * 3600) /* an upload stays that long without a project that refers to it */

struct pulse_collect_options {
    uint64_t
        room_bytes; /* make so much room under quota and floor, by evicting outputs; 0: only what nobody refers to */
    uint64_t unused_ms; /* outputs used later than so long ago are not evicted */
};

struct pulse_collected {
    uint64_t count, bytes; /* removed by this round */
    bool more;             /* there may be more to remove: call again */
};

/* One round, on the thread that owns the store. Unlinking is lh_blobs_empty_trash(), on any thread. */
LH_NODISCARD enum lh_status pulse_media_collect(struct lh_blobs *blobs, struct pulse_store *store,
                                                const struct pulse_collect_options *options,
                                                struct pulse_collected *collected, struct lh_error *error);

/* Compares folder and rows, a piece at a time from *cursor on (all zeros: from the first; all zeros again at the end of
   a round): blobs without a row are removed. */
LH_NODISCARD enum lh_status pulse_media_sweep(struct lh_blobs *blobs, struct pulse_store *store,
                                              struct lh_digest *cursor, struct pulse_collected *collected,
                                              struct lh_error *error);

#endif
