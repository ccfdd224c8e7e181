/* SPDX-License-Identifier: MIT */
/* The scheduler core: which job is planned, which shard runs where, and what is done when something fails. A pure
   function: what it knows, events and the time go in; changes of rows, sends and replies come out. It has no clock, no
   sockets, no store, no threads and no chance of its own: time and a seed are given to it, and the same calls give the
   same results on every machine. docs/farm.md says what it promises.

   The program around it (one thread):

       pulse_farm_new
       pulse_farm_load each live row of the store, pulse_farm_load_end
       for ever:
           wait for messages, at most until pulse_farm_wake_ns()
           for each PLANNED, COMPLETE: look up in the store what pulse_farm_holds() says is not held (see `known`)
           pulse_farm_step(the events that are there, now) -> changes, actions
           commit the changes in one transaction that checks the leader's epoch
           committed: carry out the actions, in their order
           not committed: carry out none; answer the events' senders "not now"; pulse_farm_forget, load anew

   Workers and clients repeat what was not answered, so that an event that a failed commit lost comes again, and events
   may come twice, late and in any order.

   Nothing here is thread-safe. After a function returned LH_ERR_NO_MEMORY the farm may only be forgotten and loaded
   anew, or freed. */
#ifndef PULSE_FARM_FARM_H
#define PULSE_FARM_FARM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"
#include "pulse-daemon/farm/rows.h"

struct pulse_farm;

/* Zero of any member is its standard. */
struct pulse_farm_options {
    uint64_t seed;          /* of the jitter before a retry */
    uint64_t lease_ns;      /* 15 s: a claim that no beat has listed for that long is lost */
    uint64_t stall_ns;      /* 120 s: a running shard whose progress stands still for that long has failed */
    uint64_t hard_ns;       /* 3600 s: a shard that runs longer than this and 64 times its cost, or than a week, has
                               failed. Workers are told both limits and go by them: the core steps in a lease later */
    uint64_t retry_most_ns; /* 300 s: the longest wait before a retry */
    uint64_t quarantine_ns; /* 600 s: after which a worker is forgiven */
    uint64_t aging_ns;      /* 10 s: who waits unserved for that long counts as one priority higher */
    uint64_t tell_ns;       /* 2 s: a shard that nobody can run is told after that time */
    uint64_t forget_ns;     /* 3600 s: a worker gone for that long is forgotten, its faults too */
    uint32_t plans;         /* 8: jobs that are planned at once */
    uint32_t shards_most;   /* 400 000: no further job is planned while so many shards live, and no plan has more */
};

/* ---- Events ---- */

enum pulse_farm_event_kind {
    /* From workers, by name. Each is ignored when it is out of date. Results, and that it drains, a worker says again
       with each beat until it is answered. */
    PULSE_FARM_WELCOME = 0, /* a worker is there, anew or again: worker, session, slots, credits, traits */
    PULSE_FARM_CREDITS,     /* worker, session, credits */
    PULSE_FARM_BEAT,        /* worker, session, held */
    PULSE_FARM_PROGRESS,    /* the same: how far these are, for people who watch. Renews no lease */
    PULSE_FARM_GONE,        /* worker, session: its process has ended for sure, and with it all that it held */
    PULSE_FARM_DRAIN,       /* worker, session (0: an operator says so), flag: it gets no more shards, or again */
    PULSE_FARM_COMPLETE,    /* worker, shard, attempt, tenant, results (one for each output, in their order), known */
    PULSE_FARM_FAILED,      /* worker, shard, attempt, text: JSON, the crash report; flag: it was not the shard */
    PULSE_FARM_LOST,        /* worker, shard, attempt, text: the instance was killed from outside */
    PULSE_FARM_RETURNED,    /* worker, shard, attempt: not begun, as when the worker drains. Costs the shard nothing */
    PULSE_FARM_MISSING,     /* tenant, key: the blob of a present output is gone (the caller looked). If a worker found
                               it: worker, shard, attempt, which then is given up; else shard 0 */
    /* From clients and from the program itself. */
    PULSE_FARM_SUBMIT,      /* token, job: a new one, QUEUED; its id is the caller's to choose, above all others */
    PULSE_FARM_CANCEL,      /* token, job.{id,tenant} */
    PULSE_FARM_PLANNED,     /* plan, known */
    PULSE_FARM_PLAN_FAILED, /* job.id, text: JSON, why it cannot be planned (facts, compile): the job has failed */
    PULSE_FARM_TENANT,      /* tenant, weight: its share among tenants of one priority. Not kept over a forget */
    PULSE_FARM_TICK,        /* nothing happened; what is due is done in every step */
};

/* What a worker is, as pulse_needs_row asks. Sets in any order. */
struct pulse_farm_traits {
    const char *engine, *cpu_class;
    const char *const *tags;
    size_t tag_count;
    const struct lh_digest *plugins;
    size_t plugin_count;
};

/* A claim that a worker has: running, waiting there, or ended and not yet acknowledged. */
struct pulse_farm_held {
    uint64_t shard;
    uint32_t attempt;
    bool running;
    uint64_t progress; /* any measure that grows with what is done */
    float done;        /* 0 to 1, for people */
};

struct pulse_farm_result {
    struct lh_digest key; /* of one of the shard's outputs */
    struct lh_digest digest;
    uint64_t size;
    const void *facts;
    size_t facts_size;
};

struct pulse_farm_promise {
    struct lh_digest key;
    enum pulse_output_kind kind;
    bool unproven;
    uint64_t size; /* as estimated; 0: not known. For quotas alone */
};

struct pulse_farm_shard {
    enum pulse_shard_kind kind;
    const struct pulse_needs_row *needs;
    uint32_t cost_ms;
    const struct lh_digest *inputs; /* keys of outputs; a medium is none of these */
    size_t input_count;
    const struct pulse_farm_promise *outputs;
    size_t output_count;
    const void *spec;
    size_t spec_size;
};

/* What a job waits for, and all shards that could be needed for it, whether they are there already or not. Inputs are
   made by shards that stand before, or are present. */
struct pulse_farm_plan {
    uint64_t job;
    const char *trace; /* goes to the store with each spec; NULL: "" */
    bool again;        /* these are facts that the plan itself needs: when they are present the job is planned again */
    const struct pulse_farm_shard *shards;
    size_t shard_count;
    const struct lh_digest *wants; /* keys of outputs */
    size_t want_count;
};

/* Texts and arrays are borrowed until the step's changes are committed: changes refer to them. */
struct pulse_farm_event {
    enum pulse_farm_event_kind kind;
    const char *worker; /* its name, pulse_farm_name_ok() */
    uint64_t session;   /* > 0, drawn by the worker's process at its start: the same means the same process */
    uint32_t slots;     /* shards that it runs at once */
    uint32_t credits;   /* shards that it may hold at once, from `slots` (else a little more, so that none waits) on.
                           Absolute: a repeated grant grants nothing more */
    struct pulse_farm_traits traits;
    const struct pulse_farm_held *held;
    size_t held_count;
    uint64_t shard;
    uint32_t attempt;
    const struct pulse_farm_result *results;
    size_t result_count;
    uint64_t tenant;
    uint32_t weight; /* 1 to 1000; 1 unless told */
    struct lh_digest key;
    const char *text;
    bool flag;
    uint64_t token; /* comes back with the reply */
    struct pulse_job_row job;
    struct pulse_farm_plan plan;
    /* Rows of outputs that the event names (PLANNED: wants, inputs and outputs of shards; COMPLETE: results) and that
       pulse_farm_holds() did not hold just before this step: those that the store has. */
    const struct pulse_output_row *known;
    size_t known_count;
};

/* ---- Actions ---- */

enum pulse_farm_action_kind {
    PULSE_FARM_ASSIGN = 0,  /* to worker: run this attempt. shard, attempt, tenant, shard_kind, cost_ms, limits, inputs,
                               outputs; the spec is the store's */
    PULSE_FARM_WITHDRAW,    /* to worker: stop this attempt and drop what it gave; text says why. Also told of claims
                               that it believes in and that are none (any more); not answered */
    PULSE_FARM_ACKNOWLEDGE, /* to worker: its result of this attempt was dealt with and may be dropped; verdict */
    PULSE_FARM_DRAINED,     /* to worker: it drains and holds nothing any more */
    PULSE_FARM_GREET,       /* to worker, session: it is not known (this program is new); it is to send WELCOME again */
    PULSE_FARM_PLAN,        /* to the planner: plan this job. Answered by PLANNED or PLAN_FAILED */
    PULSE_FARM_REPLY,       /* to the client: token, job, status, text */
};

enum pulse_farm_verdict {
    PULSE_FARM_COMMITTED = 0, /* it counts */
    PULSE_FARM_IDENTICAL,     /* too late, but what it gave is what is there */
    PULSE_FARM_STALE,         /* refused: the shard is not, or no longer, this worker's */
    PULSE_FARM_DIFFERENT,     /* refused: other bytes for a key that is present already. The first are kept */
    PULSE_FARM_MALFORMED,     /* refused: not the outputs that were asked for. Counts as a failure */
};

struct pulse_farm_action {
    enum pulse_farm_action_kind kind;
    const char *worker;
    uint64_t session; /* of the worker; 0: not known since the restart, send by name */
    uint64_t shard;
    uint32_t attempt;
    uint64_t tenant;
    enum pulse_shard_kind shard_kind;
    uint32_t cost_ms;
    uint32_t no_progress_ms, hard_ms;      /* ASSIGN: how long the attempt may stand still, and how long it may run */
    const struct pulse_output_row *inputs; /* present; without facts; in the order of the shard's inputs */
    size_t input_count;
    const struct pulse_farm_promise *outputs;
    size_t output_count;
    enum pulse_farm_verdict verdict;
    uint64_t job;
    uint64_t token;
    enum lh_status status; /* REPLY: LH_OK; LH_ERR_MISSING: no such job; LH_ERR_USAGE: it is final already, or (SUBMIT)
                              its id is taken or its row makes no sense */
    const char *text;
};

/* What a step gave. Valid until the next call that changes the farm. */
struct pulse_farm_outcome {
    const struct pulse_change *changes;
    size_t change_count;
    const struct pulse_farm_action *actions;
    size_t action_count;
};

/* ---- Life ---- */

/* LH_ERR_NO_MEMORY. `options` NULL: all standard. */
LH_NODISCARD enum lh_status pulse_farm_new(const struct pulse_farm_options *options, struct pulse_farm **farm);
void pulse_farm_free(struct pulse_farm *farm); /* accepts NULL */

/* Forgets all rows, ready to load them anew. Workers stay, as connected as they were, with nothing in their hands. */
void pulse_farm_forget(struct pulse_farm *farm);

/* Takes one row of the store, as the change that would write it. In this order: NEEDS; JOB (those that are not final);
   OUTPUT (promised; and inputs, outputs and wants of what is live, if present); SHARD (not final) each followed by its
   SPEC (the edges; `spec` may be NULL); WANT (of the jobs). LH_ERR_FORMAT: the row makes no sense or does not fit the
   others; it is left out, and `error` says what is wrong with it. */
LH_NODISCARD enum lh_status pulse_farm_load(struct pulse_farm *farm, const struct pulse_change *row,
                                            struct lh_error *error);
/* All rows are there. `last_shard`: the highest id that a shard ever had. Every claim gets a fresh lease; jobs that
   were being planned are planned again. Heals what does not fit together (a promise that nobody keeps: its jobs are
   planned again; a shard that nobody waits for: cancelled); the first step tells the changes. *healed: how many such
   places. */
LH_NODISCARD enum lh_status pulse_farm_load_end(struct pulse_farm *farm, uint64_t last_shard, uint64_t now_ns,
                                                size_t *healed);

/* Takes the events in their order, does what is due at `now_ns` and hands out work. Time that jumps back stands still;
   of time that jumps ahead (this program was stopped, or the machine) only a third of a lease counts.
   LH_ERR_NO_MEMORY. */
LH_NODISCARD enum lh_status pulse_farm_step(struct pulse_farm *farm, uint64_t now_ns,
                                            const struct pulse_farm_event *events, size_t count,
                                            struct pulse_farm_outcome *outcome);
/* When the next step is due if no event comes before, in the time of the last step. Never more than a third of a lease
   ahead. */
uint64_t pulse_farm_wake_ns(const struct pulse_farm *farm);

/* ---- Looking ---- */

/* Whether the farm knows the state of this output, so that nobody need look it up. What is held must not be evicted. */
bool pulse_farm_holds(const struct pulse_farm *farm, uint64_t tenant, const struct lh_digest *key);
/* [A-Za-z0-9_.-]{1,64} */
bool pulse_farm_name_ok(const char *name);

struct pulse_farm_job_view {
    uint64_t tenant;
    int32_t priority;
    enum pulse_job_state state;
    uint32_t shards;           /* not final, that it waits for */
    uint32_t ready, claimed;   /* of these */
    double progress;           /* 0 to 1 by cost, since it was planned or this program started */
    bool waiting_for_a_worker; /* at least one shard that nobody who is there can run: told by an event */
};
/* False: no such job, or it is final. Linear in the live shards of the job; changes nothing but marks of its own. */
bool pulse_farm_job_view(struct pulse_farm *farm, uint64_t job, struct pulse_farm_job_view *view);

struct pulse_farm_worker_view {
    const char *name;
    uint64_t session; /* 0: not there */
    uint32_t slots, credits, held;
    bool silent; /* nothing was heard of it for a lease */
    bool draining;
    bool quarantined;
};
/* By any index from 0 on; false past the last. Indices are good until the next step. */
bool pulse_farm_worker_view(const struct pulse_farm *farm, size_t index, struct pulse_farm_worker_view *view);

struct pulse_farm_counts {
    size_t jobs, queued, planning;                               /* not final */
    size_t shards, waiting, ready, claimed;                      /* not final */
    size_t outputs, needs, tenants, workers, bytes;              /* held; bytes of the heap */
    uint64_t assigned, completed, failed, lost, refused, alarms; /* since pulse_farm_new */
};
void pulse_farm_counts(const struct pulse_farm *farm, struct pulse_farm_counts *counts);

/* Whether what must always hold (docs/farm.md) does. Looks at everything: for tests and `loophole doctor`.
   LH_ERR_INTERNAL, and `error` names the first thing that does not; LH_ERR_NO_MEMORY. */
LH_NODISCARD enum lh_status pulse_farm_check(const struct pulse_farm *farm, struct lh_error *error);

#endif
