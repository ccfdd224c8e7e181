/* SPDX-License-Identifier: MIT */
/* Takes in what workers have made, before it counts: files handed over are adopted, deliverables are synchronised,
   facts are read, and only then the core is told. Facts that planning could not use would only be asked for again: the
   attempt has failed. A thread of its own, for disks are slow and beats must not wait for them. Whatever is said of one
   worker's results stays in its order. */
#ifndef PULSE_SERVICE_INTAKE_H
#define PULSE_SERVICE_INTAKE_H

#include "common/blobs/blobs.h"
#include "pulse-daemon/service/decider.h"
#include "pulse-daemon/service/file_facts.h"

struct pulse_intake;

/* A result as it came: in an arena of its own. */
struct pulse_arrival_output {
    struct lh_digest key, digest;
    uint64_t size;
    const char *incoming; /* its name in the folder of files handed over; NULL: it came over the network */
    enum lh_blobs_kind kind;
    bool is_facts;              /* as it was asked for; false as well when an earlier process of ours asked */
    struct pulse_probed probed; /* `is_facts`: of that file */
    const void *facts;
    size_t facts_size;
};
struct pulse_arrival {
    struct pulse_mail mail; /* first */
    struct lh_arena arena;
    const char *worker;
    uint64_t session, shard, tenant;
    uint32_t attempt;
    struct pulse_arrival_output *outputs;
    size_t output_count;
    struct pulse_task *after;                    /* no result: an event that must not overtake those before it */
    void (*deed)(struct pulse_arrival *arrival); /* no result: something else that takes its time; called once */
    void *deed_context;
};
struct pulse_arrival *pulse_arrival_new(void); /* NULL: memory is out */
void pulse_arrival_free(struct pulse_arrival *arrival);

struct pulse_intake_options {
    struct lh_blobs *blobs;
    struct pulse_decider *decider;
};

LH_NODISCARD enum lh_status pulse_intake_new(const struct pulse_intake_options *options, struct pulse_intake **intake,
                                             struct lh_error *error);
/* Takes in what is there and waits for what becomes of it, then stops. The decider has to live as long. Accepts NULL.
 */
void pulse_intake_free(struct pulse_intake *intake);
/* Takes it. */
void pulse_intake_put(struct pulse_intake *intake, struct pulse_arrival *arrival);

#endif
