/* SPDX-License-Identifier: MIT */
/* The rows beside the media store's files: who uploaded what, what is known of it, and what still refers to a blob.
   Handles, transactions and errors: store.h. */
#ifndef PULSE_STORE_MEDIA_H
#define PULSE_STORE_MEDIA_H

#include "pulse-daemon/store/store.h"

/* A tenant has uploaded these bytes. Another tenant's row says nothing about this one. */
struct pulse_media_row {
    uint64_t tenant;
    struct lh_digest digest;
    uint64_t size;
    int64_t uploaded_ms;
    int64_t pinned_until_ms; /* kept until then, though no revision names it */
};

/* New, or uploaded once more: then the pin only grows. The time is the transaction's. */
LH_NODISCARD enum lh_status pulse_store_media_put(struct pulse_store *store, const struct pulse_media_row *rows,
                                                  size_t count, struct lh_error *error);
/* Those of the digests that the tenant has are pinned until then, if they are not for longer. */
LH_NODISCARD enum lh_status pulse_store_media_pin(struct pulse_store *store, uint64_t tenant,
                                                  const struct lh_digest *digests, size_t count,
                                                  int64_t pinned_until_ms, struct lh_error *error);
/* Those of the digests that the tenant has, in any order; `index` into `digests`. */
typedef enum lh_status pulse_store_take_medium(void *context, size_t index, const struct pulse_media_row *row);
LH_NODISCARD enum lh_status pulse_store_media(struct pulse_store *store, uint64_t tenant,
                                              const struct lh_digest *digests, size_t count,
                                              pulse_store_take_medium *take, void *context, struct lh_error *error);

/* Which blobs some row refers to: media, present outputs, artifacts. `referenced` has `count` entries. The collector
   asks after it has marked the blobs, so that nobody can begin to refer to them in between. */
LH_NODISCARD enum lh_status pulse_store_referenced(struct pulse_store *store, const struct lh_digest *digests,
                                                   size_t count, bool *referenced, struct lh_error *error);
/* Every blob that some row refers to, once or several times, in ascending order of digests after `after` (NULL: from
   the first), up to `limit`: for a comparison with the folder. */
typedef enum lh_status pulse_store_take_blob(void *context, const struct lh_digest *digest, uint64_t size);
LH_NODISCARD enum lh_status pulse_store_blobs(struct pulse_store *store, const struct lh_digest *after, size_t limit,
                                              pulse_store_take_blob *take, void *context, struct lh_error *error);
/* A tenant has had these bytes: its outputs that have them are used now, as by pulse_store_outputs_touch(). */
struct pulse_blob_use {
    uint64_t tenant;
    struct lh_digest digest;
};
LH_NODISCARD enum lh_status pulse_store_blobs_touch(struct pulse_store *store, const struct pulse_blob_use *uses,
                                                    size_t count, struct lh_error *error);
/* Whether a client of this tenant may have the blob: as a medium that it uploaded, or as an artifact. */
LH_NODISCARD enum lh_status pulse_store_holds(struct pulse_store *store, uint64_t tenant,
                                              const struct lh_digest *digest, bool *held, struct lh_error *error);
/* Removes up to `limit` media rows, of any tenant, whose pin is over and that no revision names. */
LH_NODISCARD enum lh_status pulse_store_media_forget(struct pulse_store *store, size_t limit, size_t *removed,
                                                     struct lh_error *error);

/* What a tenant holds. Equal bytes count once as a medium, and once as a file or else as an output. */
struct pulse_usage {
    uint64_t quota_bytes; /* 0: none */
    uint64_t media_count, media_bytes;
    uint64_t file_count, file_bytes;         /* artifacts */
    uint64_t output_count, output_bytes;     /* present; bytes of those that are no artifacts: they can be evicted */
    uint64_t promised_count, promised_bytes; /* as estimated */
};
/* LH_ERR_MISSING: no such tenant. Looks at all rows of the tenant. */
LH_NODISCARD enum lh_status pulse_store_usage(struct pulse_store *store, uint64_t tenant, struct pulse_usage *usage,
                                              struct lh_error *error);
/* The quota and what is never evicted, media and files; outputs, of which there may be many more, stay 0. */
LH_NODISCARD enum lh_status pulse_store_usage_kept(struct pulse_store *store, uint64_t tenant,
                                                   struct pulse_usage *usage, struct lh_error *error);

#endif
