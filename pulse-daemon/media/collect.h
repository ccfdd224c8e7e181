/* SPDX-License-Identifier: MIT */
/* The collector: what the store's rows no longer refer to leaves the folder of blobs, and outputs that can be made
   again are let go of, longest unused first, before the folder is full. Media are never evicted: their rows go when no
   revision names them and their upload pin has run out.

   Blobs go in this order: marked in the folder (those that somebody holds are passed over, whoever puts or wants a
   marked one waits), asked about in the store, and only then removed. So a row never points to a blob that was
   collected: who commits one holds the blob until it is committed. A stop at any moment leaves at worst a blob without
   a row, which the next sweep finds.

   All calls belong on the thread that owns the store's handle, with no transaction open. Unlinking, which may take
   long, is lh_blobs_empty_trash(), on any thread. Errors: those of the store and of the folder. */
#ifndef PULSE_MEDIA_COLLECT_H
#define PULSE_MEDIA_COLLECT_H

#include "common/blobs/blobs.h"
#include "pulse-daemon/store/media.h"

#define PULSE_COLLECT_BATCH 256              /* blobs or rows of one call: it stays short */
#define PULSE_UPLOAD_PIN_SECONDS (24 * 3600) /* an upload stays so long though no revision names it */
/* A blob that was touched later than so long ago is left alone by the sweep: whoever brought it may be about to say
   what it is, over a connection that was lost, or to a Pulse that has just been started. */
#define PULSE_SWEEP_UNUSED_MS (UINT64_C(15) * 60 * 1000)

struct pulse_collected {
    uint64_t blobs, bytes; /* removed from the folder by this call */
    size_t rows;           /* removed from the store */
    bool more;             /* call again: there may be more to do */
};

/* Removes those of the blobs (at most PULSE_COLLECT_BATCH) that nothing refers to and nobody has used for `unused_ms`.
 */
LH_NODISCARD enum lh_status pulse_media_release(struct lh_blobs *blobs, struct pulse_store *store,
                                                const struct lh_digest *digests, size_t count, uint64_t unused_ms,
                                                struct pulse_collected *collected, struct lh_error *error);

/* One step of the endless round: forgets media rows whose time is over, and looks at the next blobs after *cursor.
   `more` is false at the end of a round; the next step begins anew. */
struct pulse_sweep {
    struct lh_digest cursor;
    bool started;
};
LH_NODISCARD enum lh_status pulse_media_sweep(struct lh_blobs *blobs, struct pulse_store *store,
                                              struct pulse_sweep *sweep, int64_t now_ms, uint64_t unused_ms,
                                              struct pulse_collected *collected, struct lh_error *error);

/* Lets go of outputs of a tenant that no live job wants, longest unused first, until `bytes` are freed
   (lh_blobs_excess() tells how many have to be) or there are no more: their rows become absent in one transaction, then
   their blobs go. `is_held` tells which outputs the scheduler core counts on; NULL: none. `more` is false when nothing
   is left to let go of. */
struct pulse_eviction {
    uint64_t tenant, bytes;
    int64_t now_ms;
    bool (*is_held)(void *context, uint64_t tenant, const struct lh_digest *key);
    void *context;
};
LH_NODISCARD enum lh_status pulse_media_evict(struct lh_blobs *blobs, struct pulse_store *store,
                                              const struct pulse_eviction *eviction, struct pulse_collected *collected,
                                              struct lh_error *error);

#endif
