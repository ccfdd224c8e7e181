/* SPDX-License-Identifier: MIT */
/* What a tenant may keep. Uploads and finished files stay whatever comes; outputs that are kept to be used again make
   room for them. So an upload is refused when uploads and files alone leave no room for it, and a job when what it has
   to make does not fit beside them and what other jobs were promised. What is kept in excess goes soon (keeper.h).

   Tenants without a quota cost one look at their row. Errors as the store's, and LH_ERR_QUOTA, which says what is used
   and by what. */
#ifndef PULSE_SERVICE_QUOTA_H
#define PULSE_SERVICE_QUOTA_H

#include "pulse-daemon/farm/farm.h"
#include "pulse-daemon/store/media.h"

/* May the tenant upload so many bytes? What it has uploaded before it may upload again. */
LH_NODISCARD enum lh_status pulse_quota_upload(struct pulse_store *store, uint64_t tenant,
                                               const struct lh_digest *digest, uint64_t size, struct lh_error *error);
/* May a job make what this plan still has to make? */
LH_NODISCARD enum lh_status pulse_quota_plan(struct pulse_store *store, uint64_t tenant,
                                             const struct pulse_farm_plan *plan, struct lh_arena *arena,
                                             struct lh_error *error);
/* How many bytes of outputs have to go; 0: none, or there is no quota. */
LH_NODISCARD enum lh_status pulse_quota_excess(struct pulse_store *store, uint64_t tenant, uint64_t *bytes,
                                               struct lh_error *error);

#endif
