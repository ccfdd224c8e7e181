/* SPDX-License-Identifier: MIT */
/* The files that a job delivers, by name: which outputs they are is known once it is planned, what they are once it has
   succeeded. Between the two the names are kept with the job's request, so that a restart forgets none. */
#ifndef PULSE_SERVICE_ARTIFACTS_H
#define PULSE_SERVICE_ARTIFACTS_H

#include "pulse-daemon/service/request.h"
#include "pulse-daemon/store/store.h"

/* In the transaction of these changes, after they were applied: the artifacts of the jobs that succeeded with them.
   Errors as the store's. */
LH_NODISCARD enum lh_status pulse_artifacts_write(struct pulse_store *store, const struct pulse_change *changes,
                                                  size_t count, struct lh_error *error);

#endif
