/* SPDX-License-Identifier: MIT */
/* What keeps house: blobs that nothing refers to go, outputs that can be made again make room before the folder is
   full or while a tenant keeps more than it may, what is long over is forgotten, and everything that is kept is read
   again in time. A thread of its own for what takes long; what needs the store or the core is asked of the decider, a
   small piece at a time. */
#ifndef PULSE_SERVICE_KEEPER_H
#define PULSE_SERVICE_KEEPER_H

#include "common/blobs/blobs.h"
#include "pulse-daemon/service/decider.h"

struct pulse_keeper;

struct pulse_keeper_options {
    struct lh_blobs *blobs;
    struct pulse_decider *decider;
    uint32_t turn_ms;     /* between two looks at how full the folder is; 0: 5000 */
    uint32_t round_s;     /* between two rounds of the sweep; 0: 600 */
    uint32_t retain_days; /* jobs and their events; 0: 30 */
    uint64_t scrub_bytes; /* that are read again in a second; 0: 1 MiB */
};

LH_NODISCARD enum lh_status pulse_keeper_new(const struct pulse_keeper_options *options, struct pulse_keeper **keeper,
                                             struct lh_error *error);
/* Accepts NULL. The decider has to live as long. */
void pulse_keeper_free(struct pulse_keeper *keeper);

struct pulse_keeper_figures {
    uint64_t swept_blobs, swept_bytes;     /* nothing referred to them */
    uint64_t evicted_blobs, evicted_bytes; /* they made room */
    uint64_t forgotten_rows;
    uint64_t scrubbed_bytes, damaged; /* read again; blobs that had other bytes */
};
void pulse_keeper_figures(struct pulse_keeper *keeper, struct pulse_keeper_figures *figures); /* any thread */

#endif
