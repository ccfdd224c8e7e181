/* SPDX-License-Identifier: MIT */
/* The planner: a thread that turns a job into a plan. It reads the project as the job pins it, gathers what compiling
   has to know, compiles, names everything by its key and cuts it into shards:

       revision -> project -> needs -> facts -> graph -> keys -> plan
                                        \--> what is not known yet becomes shards of its own (probes, latencies); when
                                             their outputs are there the core asks for a plan again

   What shards cost it learns from what attempts took, and cuts by that: a plan that is made again may be cut
   otherwise, which changes no bit of what is delivered, for keys do not hang on cuts.

   What is wrong with the project becomes the job's error, with a JSON Pointer to each fault. Planning writes nothing
   itself and can be done again at any time. */
#ifndef PULSE_SERVICE_PLANNING_H
#define PULSE_SERVICE_PLANNING_H

#include "common/blobs/blobs.h"
#include "pulse-daemon/service/decider.h"
#include "pulse-daemon/service/roster.h"

struct pulse_planning;

struct pulse_planning_options {
    const char *store; /* URL: read with a handle of its own */
    struct lh_blobs *blobs;
    struct pulse_decider *decider;
    struct pulse_roster *roster;
    struct pulse_mailbox *box; /* where the core's PLAN orders come, and lessons (learning.h) */
    uint32_t settle_ms;        /* after a start workers come back one by one: no plugin is missing before so long */
};

LH_NODISCARD enum lh_status pulse_planning_new(const struct pulse_planning_options *options,
                                               struct pulse_planning **planning, struct lh_error *error);
/* Waits for what was asked of the decider, then stops. Accepts NULL. */
void pulse_planning_free(struct pulse_planning *planning);

#endif
