/* SPDX-License-Identifier: MIT */
/* One job's way to its plan, from one file of the planner to the next. Internal to it; one thread. */
#ifndef PULSE_SERVICE_PLAN_JOB_H
#define PULSE_SERVICE_PLAN_JOB_H

#include "common/base/faults.h"
#include "common/blobs/blobs.h"
#include "graph/facts.h"
#include "graph/keys.h"
#include "pulse-daemon/compile/compile.h"
#include "pulse-daemon/project/load.h"
#include "pulse-daemon/service/decider.h"
#include "pulse-daemon/service/plan_cache.h"
#include "pulse-daemon/service/request.h"
#include "pulse-daemon/service/roster.h"
#include "pulse-daemon/shard/plan.h"
#include "pulse-daemon/store/projects.h"

/* What planning works with. */
struct pulse_planner {
    struct pulse_store *store;
    struct lh_blobs *blobs;
    struct pulse_decider *decider;
    struct pulse_roster *roster;
    struct pulse_costs *costs;
    struct pulse_plan_cache compiled;
    bool settled; /* whoever is to come has come */
};

/* A file that the project needs, and its facts. */
struct pulse_needed_file {
    const char *where; /* JSON Pointer */
    struct lh_digest digest;
    uint64_t size;
    bool is_midi, is_state;
    bool there;           /* this tenant has it */
    struct lh_digest key; /* of its facts */
    bool known;
    struct graph_file_facts facts;
};

struct pulse_job_plan {
    struct lh_arena arena;
    uint64_t tenant, job;
    struct pulse_job_record record;
    struct pulse_request request;
    const char *const *tags; /* that a worker must have: the tenant's and the request's */
    size_t tag_count;
    struct pulse_revision_row revision;
    struct pulse_project *project;
    struct pulse_compile_options options;
    struct pulse_needs needs;
    struct pulse_crew crew;
    struct graph_key_context context;
    struct pulse_needed_file *media; /* by project media; those that are not needed are zero */
    struct pulse_needed_file *midi;  /* by needs.midi */
    struct pulse_needed_file *states;
    struct pulse_facts facts;
    struct lh_faults faults;
    const struct pulse_compiled *compiled; /* the planner's */
    struct lh_digest *media_digests;       /* by graph media */
    struct pulse_plan *plan;
    bool again; /* the plan is of facts that planning itself needs */
};

enum pulse_planned {
    PULSE_PLANNED_READY = 0, /* `plan`, and `again` */
    PULSE_PLANNED_FAULTY,    /* `faults`: the job cannot be done */
    PULSE_PLANNED_LATER,     /* nobody is there to plan for, or not everybody is back */
};

void pulse_job_plan_init(struct pulse_job_plan *plan, uint64_t tenant, uint64_t job);
void pulse_job_plan_fini(struct pulse_job_plan *plan);
/* From the job's number to a plan. The store's errors; LH_ERR_NO_MEMORY; all else is in *outcome. */
LH_NODISCARD enum lh_status pulse_job_plan_make(struct pulse_planner *planner, struct pulse_job_plan *plan,
                                                enum pulse_planned *outcome, struct lh_error *error);

/* plan_facts.c: fills plan->facts; *unknown: a plan of probes was made in its place. */
LH_NODISCARD enum lh_status pulse_job_plan_facts(struct pulse_planner *planner, struct pulse_job_plan *plan,
                                                 bool *unknown, struct lh_error *error);
/* plan_plugins.c: the plugins' facts; *later: one is missing and workers may still come. */
LH_NODISCARD enum lh_status pulse_job_plan_plugins(struct pulse_planner *planner, struct pulse_job_plan *plan,
                                                   bool *later, struct lh_error *error);
/* plan_cut.c: the compiled graph to a plan, or to one of latencies. */
LH_NODISCARD enum lh_status pulse_job_plan_cut(struct pulse_planner *planner, struct pulse_job_plan *plan,
                                               struct lh_error *error);
/* plan_event.c: the task that tells the core. NULL: memory is out. */
struct pulse_task *pulse_job_plan_task(const struct pulse_job_plan *plan);

#endif
