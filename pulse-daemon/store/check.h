/* SPDX-License-Identifier: MIT */
/* Reporting faults of a store, and the check of what is alive in it. */
#ifndef PULSE_STORE_CHECK_H
#define PULSE_STORE_CHECK_H

#include "pulse-daemon/store/store.h"

struct pulse_checking {
    pulse_store_report *report;
    void *context;
    size_t found;
};

/* `where` as printf has it, with what follows. */
void pulse_check_report(struct pulse_checking *checking, const char *fault, const char *where, ...) LH_PRINTF(3, 4);

/* Live jobs, shards and the outputs that they speak of, as one graph. Inside a snapshot. */
LH_NODISCARD enum lh_status pulse_check_live(struct pulse_store *store, struct pulse_checking *checking,
                                             struct lh_error *error);

#endif
