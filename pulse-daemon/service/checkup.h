/* SPDX-License-Identifier: MIT */
/* Looks for what must never be: in the store's rows, in what a scheduler core makes of them, and between the rows and
   the folder of blobs. Changes nothing. */
#ifndef PULSE_SERVICE_CHECKUP_H
#define PULSE_SERVICE_CHECKUP_H

#include "common/blobs/blobs.h"
#include "pulse-daemon/store/store.h"

/* One finding: where, what is wrong there, and what to do. The texts live for the call. */
typedef void pulse_checkup_report(void *context, const char *where, const char *what);

/* Beside a living Pulse or without one. *found: how many findings. Errors as the store's. */
LH_NODISCARD enum lh_status pulse_checkup_store(struct pulse_store *store, pulse_checkup_report *report, void *context,
                                                size_t *found, struct lh_error *error);
LH_NODISCARD enum lh_status pulse_checkup_blobs(struct pulse_store *store, struct lh_blobs *blobs,
                                                pulse_checkup_report *report, void *context, size_t *found,
                                                struct lh_error *error);
/* The rows as a core would load them: only without a living Pulse, whose core looks at itself. */
LH_NODISCARD enum lh_status pulse_checkup_core(struct pulse_store *store, pulse_checkup_report *report, void *context,
                                               size_t *found, struct lh_error *error);

#endif
