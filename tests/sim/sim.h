/* SPDX-License-Identifier: MIT */
/* A farm in a bottle: the real scheduler core between simulated clients, workers, network, disk and clocks. Everything
   follows from one seed, so that a run can be had again exactly. What must hold is looked at after every step
   (oracle.c), and at the end every job must have come to the right end.

   Time is virtual: things happen one after the other, each at its nanosecond. Until `calm_ns` things go wrong; then all
   is mended and what is under way must come to an end. */
#ifndef TESTS_SIM_SIM_H
#define TESTS_SIM_SIM_H

#include <stdio.h>

#include "common/base/arena.h"
#include "pulse-daemon/farm/farm.h"
#include "pulse-daemon/farm/table.h"
#include "tests/support/rowstore.h"

#define SIM_MS UINT64_C(1000000)
#define SIM_S UINT64_C(1000000000)
#define SIM_LEASE (15 * SIM_S)
#define SIM_BEAT (5 * SIM_S)
#define SIM_WELL_FOR (2 * SIM_LEASE) /* a worker with which nothing was wrong for so long must not lose a claim */
#define SIM_WORKERS_MOST 12
#define SIM_PULSES 2
#define SIM_TENANTS_MOST 3
#define SIM_NODES_MOST 64
#define SIM_JOBS_MOST 48
#define SIM_HELD_MOST 32

/* A protection that the simulated surroundings can take away, to see that its loss shows. */
enum sim_protection {
    SIM_ALL = 0,      /* none is taken away */
    SIM_FENCING,      /* reports of old attempts pass for the current one */
    SIM_EPOCH,        /* the store takes writes of a deposed leader */
    SIM_COMMIT_FIRST, /* answers leave before they are committed */
    SIM_FRESH_LEASE,  /* after a restart leases are as old as the claims */
    SIM_OWN_PAUSE,    /* the time in which Pulse itself stood still counts against workers */
    SIM_UNLISTED,     /* a claim that one beat does not list is given up */
    SIM_LEASE_ENDS,   /* leases never end */
    SIM_POISON,       /* failures are not counted */
    SIM_LOOK_UP,      /* the core is not told of outputs that it does not hold */
    SIM_REPLAN,       /* the core is not told when the blob of an output has vanished */
    SIM_GREET,        /* workers whose session is not known are not asked to present themselves */
    SIM_PROTECTIONS,
};
const char *sim_protection_name(enum sim_protection protection);

enum sim_fault {
    SIM_LOSS = 1 << 0,      /* messages get lost */
    SIM_DUPLICATE = 1 << 1, /* or come twice */
    SIM_DELAY = 1 << 2,     /* or late, and so in another order */
    SIM_PARTITION = 1 << 3, /* or not at all for a while, in one direction or both */
    SIM_CRASH = 1 << 4,     /* workers are killed */
    SIM_STOP = 1 << 5,      /* or stopped, and go on later */
    SIM_KILL = 1 << 6,      /* instances are killed */
    SIM_BAD_MACHINE = 1 << 7,
    SIM_HANG = 1 << 8,
    SIM_TROUBLE = 1 << 9, /* disks are full */
    SIM_DRAIN = 1 << 10,
    SIM_RESTART = 1 << 11,  /* Pulse is killed, at the worst moments too */
    SIM_TAKEOVER = 1 << 12, /* its standby takes over while it lives */
    SIM_PAUSE = 1 << 13,    /* it is stopped, and goes on later */
    SIM_COMMIT = 1 << 14,   /* commits fail, or seem to */
    SIM_CLOCK = 1 << 15,    /* its clock jumps */
    SIM_VANISH = 1 << 16,   /* blobs vanish */
    SIM_CANCEL = 1 << 17,
    SIM_BAD_SHARD = 1 << 18, /* some shards can never succeed */
    SIM_RARE = 1 << 19,      /* the only worker of a kind comes late */
    SIM_LATE_LIE = 1 << 20,  /* results come again when they count no more, with other bytes */
    SIM_CREDIT = 1 << 21,    /* workers change what they grant */
    SIM_GARBLED = 1 << 22,   /* what some jobs' probes say can never be read */
    SIM_FAULTS = 23,
};

struct sim;
typedef void sim_call(struct sim *sim, void *context, uint64_t number);

/* ---- World: what is to be rendered ---- */

struct sim_node {
    uint32_t inputs[3];
    size_t input_count;
    uint32_t cost_ms;
    const char *tag; /* NULL: any worker */
    bool bad, unproven, tainted;
};

struct sim_tenant {
    struct sim_node nodes[SIM_NODES_MOST];
    size_t count;
};

struct sim_job {
    uint64_t id, tenant;
    int32_t priority;
    uint32_t wants[3];
    size_t want_count;
    bool merges;  /* cuts its plan otherwise than others */
    bool fickle;  /* cuts it otherwise each time: what work costs was learned meanwhile */
    bool facts;   /* has to ask for some before it can be planned */
    bool garbled; /* the planner can make nothing of these, whoever is asked */
    bool unplannable;
    bool submit_answered, cancel_asked, cancel_answered;
    bool told; /* that a kind of worker is missing */
};

/* Of which node an output is. */
struct sim_key {
    struct lh_digest key;
    uint64_t tenant, scope; /* scope: the job whose alone it is; 0: anybody's */
    uint32_t node;
};

/* ---- Workers ---- */

enum sim_run_state { SIM_WAITS = 0, SIM_RUNS, SIM_ENDED };

struct sim_run {
    struct pulse_farm_action work; /* a deep copy */
    enum sim_run_state state;
    uint64_t begun_ns, length_ns;
    bool hangs;
    struct pulse_farm_event result; /* ENDED: sent until it is acknowledged */
};

struct sim_worker {
    char name[8];
    uint32_t index;
    uint64_t session;    /* 0: it does not run */
    uint64_t generation; /* of its callbacks: grows with each start and end */
    uint32_t slots, extra, credits;
    const char *tag;
    bool bad, troubled, draining, stopped, absent;
    unsigned pulse; /* whom it talks to */
    bool cut_up, cut_down;
    uint64_t sick_ns; /* when something last went wrong with it or on its way */
    struct sim_run runs[SIM_HELD_MOST];
    size_t run_count;
    struct rowstore_list stopped_inbox; /* of struct pulse_farm_action */
};

/* ---- Pulse ---- */

struct sim_pulse {
    struct pulse_farm *farm; /* NULL: it does not run */
    uint64_t epoch, generation;
    uint64_t clock_ns;          /* what its clock is ahead */
    struct rowstore_list inbox; /* of struct pulse_farm_event */
    bool step_due, busy, paused;
    uint64_t away_ns;                  /* since when it did not look, when it does not */
    struct pulse_farm_outcome outcome; /* between the step and its commit */
    struct rowstore_list batch;        /* the events of that step */
    uint64_t wake;                     /* the number of the wake-up that counts */
};

struct sim {
    uint64_t seed, random, now_ns, calm_ns;
    uint32_t faults;
    enum sim_protection without;
    FILE *trace; /* NULL: only hashed */
    uint64_t hash;
    struct lh_arena arena;
    struct sim_moment *moments; /* a heap */
    size_t moment_count, moment_room;
    uint64_t moment_order, moments_run;

    struct sim_tenant tenants[SIM_TENANTS_MOST];
    size_t tenant_count;
    struct sim_job jobs[SIM_JOBS_MOST];
    size_t job_count;
    struct pulse_table keys, blobs;

    struct sim_worker workers[SIM_WORKERS_MOST];
    size_t worker_count;
    uint64_t last_session;
    struct sim_pulse pulses[SIM_PULSES];
    unsigned leader;
    bool away; /* nobody leads: since then */
    uint64_t away_ns;
    uint64_t jumped_ns; /* when a clock last did */
    struct rowstore store;

    char broken[512]; /* the first thing that must not be; "" */
    uint64_t steps;
};

/* ---- sim.c: time, chance, trace ---- */
void sim_run(struct sim *sim, uint64_t seed, enum sim_protection without, FILE *trace);
void sim_fini(struct sim *sim);
void sim_at(struct sim *sim, uint64_t delay_ns, sim_call *call, void *context, uint64_t number);
uint64_t sim_random(struct sim *sim);
uint64_t sim_between(struct sim *sim, uint64_t least, uint64_t most);
bool sim_chance(struct sim *sim, unsigned per_mille);
bool sim_may(const struct sim *sim, enum sim_fault fault); /* whether a fault of that kind may happen now */
bool sim_is_calm(const struct sim *sim);
void sim_note(struct sim *sim, const char *format, ...) LH_PRINTF(2, 3);
void sim_break(struct sim *sim, const char *format, ...) LH_PRINTF(2, 3);
void *sim_alloc(struct sim *sim, size_t count, size_t size);
void *sim_copy(struct sim *sim, const void *data, size_t count, size_t size);
void sim_append(struct rowstore_list *list, void *item);

/* ---- world.c ---- */
void sim_world_make(struct sim *sim);
struct lh_digest sim_key_of(struct sim *sim, uint64_t tenant, uint32_t node, uint64_t job);
const struct sim_key *sim_key_find(const struct sim *sim, const struct lh_digest *key);
const struct sim_node *sim_node_of(const struct sim *sim, const struct sim_key *key);
/* The answer of the planner, in the arena. */
struct pulse_farm_event sim_plan(struct sim *sim, const struct sim_job *job);
/* What the bytes of an output are, made of these inputs; salt for what is not repeatable. */
struct lh_digest sim_content(const struct lh_digest *key, const struct pulse_output_row *inputs, size_t count,
                             uint64_t salt);
/* The same of an output of a shard, which has some of what the node hangs on as inputs and makes the rest itself. */
struct lh_digest sim_made(struct sim *sim, const struct lh_digest *key, const struct pulse_farm_action *work);
/* Whether making it that way fails, on every machine. */
bool sim_is_bad(struct sim *sim, const struct lh_digest *key, const struct pulse_farm_action *work);
/* What they must be; false: nobody can say. */
bool sim_expected(struct sim *sim, const struct lh_digest *key, struct lh_digest *digest);
/* Whether the job needs a node that can never succeed. */
bool sim_is_doomed(const struct sim *sim, const struct sim_job *job);
bool sim_blob_there(const struct sim *sim, const struct lh_digest *digest);
void sim_blob_put(struct sim *sim, const struct lh_digest *digest);
void sim_blob_drop(struct sim *sim, const struct lh_digest *digest);

/* ---- network.c ---- */
void sim_send_up(struct sim *sim, struct sim_worker *worker, const struct pulse_farm_event *event);
void sim_send_down(struct sim *sim, const struct pulse_farm_action *action);
void sim_faults_begin(struct sim *sim);
void sim_calm(struct sim *sim, void *context, uint64_t number); /* everything is mended */

/* ---- worker.c ---- */
void sim_worker_start(struct sim *sim, void *worker, uint64_t generation);
void sim_worker_end(struct sim *sim, struct sim_worker *worker, bool told); /* dies; told: its link says so */
void sim_worker_stop(struct sim *sim, struct sim_worker *worker, uint64_t for_ns);
void sim_worker_kill_instance(struct sim *sim, struct sim_worker *worker);
void sim_worker_drain(struct sim *sim, struct sim_worker *worker);
void sim_worker_receive(struct sim *sim, struct sim_worker *worker, const struct pulse_farm_action *action);
void sim_worker_grant(struct sim *sim, struct sim_worker *worker, uint32_t credits);
/* Its way leads to that Pulse from now on. */
void sim_worker_reconnect(struct sim *sim, void *worker, uint64_t pulse);
struct sim_worker *sim_worker_named(struct sim *sim, const char *name);
void sim_worker_sicken(struct sim *sim, struct sim_worker *worker);

/* ---- pulse.c ---- */
void sim_pulse_start(struct sim *sim, void *context, uint64_t index); /* takes over the store */
void sim_pulse_crash(struct sim *sim, unsigned index);
void sim_pulse_pause(struct sim *sim, unsigned index, uint64_t for_ns);
void sim_pulse_receive(struct sim *sim, unsigned index, const struct pulse_farm_event *event);

/* ---- client.c ---- */
void sim_clients_begin(struct sim *sim);
void sim_client_reply(struct sim *sim, const struct pulse_farm_action *action);
struct sim_job *sim_job_of(struct sim *sim, uint64_t id);

/* ---- oracle.c ---- */
void sim_look_at_step(struct sim *sim, const struct sim_pulse *pulse);
void sim_look_at_commit(struct sim *sim, const struct sim_pulse *pulse); /* just before it */
void sim_look_at_answer(struct sim *sim, const struct pulse_farm_action *action);
bool sim_is_over(const struct sim *sim);
void sim_look_at_end(struct sim *sim);

#endif
