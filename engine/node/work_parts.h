/* SPDX-License-Identifier: MIT */
/* What the files of an attempt's work share. */
#ifndef ENGINE_NODE_WORK_PARTS_H
#define ENGINE_NODE_WORK_PARTS_H

#include "engine/node/pace.h"
#include "engine/node/work.h"
#include "graph/shard.h"

/* Where an attempt is: decides what its failure means. */
enum engine_phase {
    ENGINE_PHASE_UNPACK = 0,
    ENGINE_PHASE_PLUGINS,
    ENGINE_PHASE_INPUTS,
    ENGINE_PHASE_OUTPUTS,
    ENGINE_PHASE_START,
    ENGINE_PHASE_RUN,
    ENGINE_PHASE_PACK,
    ENGINE_PHASE_SHIP,
};

/* An attempt at work. What is made for it lies in the attempt's `assigned`. */
struct engine_job {
    const struct engine_tools *tools;
    struct engine_attempt *attempt;
    enum engine_phase phase;
    struct engine_pace pace;
    uint64_t memory_bytes; /* of the instance; 0: the usual */
    struct engine_claim claim;
    struct graph_shard shard;
    struct graph graph;          /* the shard's, with the bundles of this machine */
    int *inputs;                 /* descriptors by input of the shard; -1: not open */
    struct engine_crate *crates; /* by output of the shard */
    int scratch;                 /* -1: none */
    struct engine_instance *instance;
    bool was_killed;                    /* the instance, by somebody else */
    struct engine_delivered *delivered; /* of a render, by deliverable */
};

/* Whether to go on, and the time that has passed; `context` is the job. */
bool engine_job_goes_on(void *context);

/* The plugins of the job's graph where they are on this machine. LH_ERR_MISSING: one is not installed. */
LH_NODISCARD enum lh_status engine_job_place_plugins(struct engine_job *job, struct lh_error *error);
LH_NODISCARD enum lh_status engine_job_probe(struct engine_job *job, struct lh_error *error);
LH_NODISCARD enum lh_status engine_job_render(struct engine_job *job, struct lh_error *error);
/* Hashes and hands over all crates. */
LH_NODISCARD enum lh_status engine_job_pack(struct engine_job *job, struct lh_error *error);

/* What a failure is to Pulse. */
void engine_job_fail(struct engine_job *job, enum lh_status status, struct lh_error *error);

#endif
