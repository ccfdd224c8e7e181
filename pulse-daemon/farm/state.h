/* SPDX-License-Identifier: MIT */
/* What the core holds in memory, for the files of this folder alone. Everything that is not final hangs together here;
   what became final during a step stays until the step's end, so that later events of the batch still find it.

       job --want--> output <--edge-- shard      the shard needs it
                     output --maker-> shard      the shard has promised it

   A failed allocation sets `no_memory` and leaves everything well enough linked to be freed; the step then fails. */
#ifndef PULSE_FARM_STATE_H
#define PULSE_FARM_STATE_H

#include "common/base/arena.h"
#include "pulse-daemon/farm/farm.h"
#include "pulse-daemon/farm/heap.h"
#include "pulse-daemon/farm/table.h"

#define PULSE_FARM_LOSSES 5   /* so many are a failure */
#define PULSE_FARM_STRIKES 3  /* so many put a worker into quarantine */
#define PULSE_FARM_REPLANS 16 /* so often may outputs of a job vanish */
#define PULSE_FARM_URGENCY_NONE UINT64_MAX
#define PULSE_FARM_STUCK 8 /* needs that a job is told of at once */
#define PULSE_FARM_ENDED 4 /* sessions of a worker that are remembered as over */

struct pulse_farm_tenant {
    uint64_t id;
    uint32_t weight;
    size_t jobs, shards, outputs, shares; /* that are held; with none and a weight of 1 it is forgotten */
    uint32_t planning;                    /* jobs that the planner has */
    struct pulse_heap queued;             /* jobs that wait for the planner */
};

/* Something that is due at a time. One of the farm's, of a shard or of a worker. */
enum pulse_farm_timer_kind {
    PULSE_FARM_TIMER_LEASE = 0,
    PULSE_FARM_TIMER_RETRY,
    PULSE_FARM_TIMER_WORKER,
    PULSE_FARM_TIMER_SILENCE,
};
struct pulse_farm_timer {
    uint64_t due_ns;
    uint64_t order; /* among those of one moment */
    uint32_t place; /* in the heap */
    enum pulse_farm_timer_kind kind;
};

/* A kind of worker: those with equal traits are one. */
struct pulse_farm_class {
    const char *engine, *cpu_class;
    const char *const *tags; /* ascending */
    size_t tag_count;
    const struct lh_digest *plugins; /* ascending */
    size_t plugin_count;
    struct lh_arena arena; /* holds all of these */
    uint32_t hash;
    uint32_t index;         /* its bit in a group's set */
    size_t workers;         /* that are of it, there or not */
    uint32_t active;        /* that may get shards at all */
    struct pulse_heap free; /* active workers with room, the emptiest first */
};

struct pulse_farm_worker {
    char name[PULSE_NAME_SIZE];
    uint64_t order; /* by first appearance */
    uint64_t session;
    uint64_t ended[PULSE_FARM_ENDED]; /* sessions that others have replaced */
    uint32_t slots, credits;
    struct pulse_farm_class *class; /* NULL: was never welcomed, a name in a row */
    struct pulse_farm_claim *claims;
    uint32_t claim_count;
    uint32_t refs;  /* shards that name it as the one where they failed last */
    uint32_t place; /* in its class' heap of free ones */
    bool draining, drained_told, drained_listed, active;
    bool silent;       /* nothing was heard of it for a lease: it gets nothing until it is heard again */
    uint64_t heard_ns; /* when its session last said something of itself */
    uint32_t strikes;
    uint64_t strike_ns;            /* of the last */
    uint64_t quarantine_ns;        /* until when; 0: not at all */
    uint64_t gone_ns;              /* since when it is not there */
    struct pulse_farm_timer timer; /* forgiveness, or being forgotten */
    struct pulse_farm_timer silence;
};

struct pulse_farm_claim {
    struct pulse_farm_shard_entry *shard;
    struct pulse_farm_worker *worker;
    struct pulse_farm_claim *next, *previous; /* of the worker */
    uint64_t since_ns, lease_ns;              /* from, until */
    uint64_t run_ns;                          /* since when it runs; 0: it waits there */
    uint64_t progress, progress_ns;           /* the last, and when it last grew */
    uint64_t unlisted_ns;                     /* when it was last found missing in a beat */
    uint64_t beat;                            /* the last that listed it */
    float done;
    bool unlisted;
};

struct pulse_farm_needs {
    struct lh_digest id;
    const char *engine, *cpu_class;
    const char *const *tags;
    size_t tag_count;
    const struct lh_digest *plugins;
    size_t plugin_count;
    struct lh_arena arena;
    uint64_t order;
    size_t shards; /* that have them; with none they are forgotten */
    size_t queued; /* of these, in lanes */
    struct pulse_farm_group *group;
    struct pulse_farm_lane *lanes;
    uint64_t unmet_ns; /* since when nobody could run what is queued; 0: somebody can, or nothing is */
    bool stuck;        /* for so long that it is told */
};

/* Needs that the same classes meet share one queue of work. */
struct pulse_farm_group {
    uint64_t *classes; /* a bit for each, farm->class_words */
    uint64_t order;
    size_t needs; /* with none it is forgotten */
    struct pulse_farm_group *next, *previous;
    struct pulse_farm_level *levels; /* by priority, falling */
};

/* What is ready in a group at one priority; with nothing ready it is forgotten. */
struct pulse_farm_level {
    struct pulse_farm_level *next;
    int32_t priority;
    size_t queued;
    uint64_t unserved_ns; /* since when something is ready and nothing was handed out */
    uint64_t clock;       /* virtual time: the share that was served last had so much before */
    uint64_t charge_most; /* of one shard, so far */
    struct pulse_farm_share *shares;
};

/* A tenant's part of a level. Who had the least, in cost by weight, comes next. One with nothing ready is forgotten
   only when its time is not ahead of the level's clock: else who comes with one shard after the other would always be
   new, and first. */
struct pulse_farm_share {
    struct pulse_farm_share *next, *previous;
    struct pulse_farm_level *level;
    struct pulse_farm_tenant *tenant;
    uint64_t time; /* what it was given */
    size_t queued;
    struct pulse_heap lanes;         /* what any worker may take */
    struct pulse_farm_lane *tainted; /* what one worker had better not take */
    bool passed_over;                /* has or had such, so that others may have been served before it */
};

/* Ready shards of one tenant with the same needs, priority and past. */
struct pulse_farm_lane {
    struct pulse_farm_needs *needs;
    struct pulse_farm_tenant *tenant;
    int32_t priority;
    struct pulse_farm_worker *avoid; /* where its shards failed; NULL: nowhere */
    struct pulse_farm_share *share;
    struct pulse_farm_lane *next, *previous;                 /* of the needs */
    struct pulse_farm_lane *next_tainted, *previous_tainted; /* of the share */
    uint32_t place;                                          /* in the share's heap */
    struct pulse_heap shards;
};

enum pulse_farm_output_state { PULSE_FARM_ABSENT = 0, PULSE_FARM_PROMISED, PULSE_FARM_PRESENT };

struct pulse_farm_output {
    struct pulse_farm_tenant *tenant;
    struct lh_digest key, digest;
    uint64_t size;
    struct pulse_farm_shard_entry *maker; /* PROMISED: who has promised it */
    uint64_t shard;                       /* as in its row */
    struct pulse_farm_edge *edges;
    struct pulse_farm_want *wants;
    const void *facts; /* only in the step that made it present */
    size_t facts_size;
    uint64_t mark;   /* of the admission that wanted it */
    uint32_t makers; /* shards that list it among their outputs */
    uint8_t state, kind;
    bool unproven, dirty, loose;
    bool vanished; /* its row goes in this step, before it comes anew */
};

struct pulse_farm_edge {
    struct pulse_farm_shard_entry *shard;
    struct pulse_farm_output *output; /* NULL once the shard is final */
    struct pulse_farm_edge *next, *previous;
};

struct pulse_farm_want {
    struct pulse_farm_job *job;
    struct pulse_farm_output *output;
    struct pulse_farm_want *next, *previous;
};

struct pulse_farm_shard_entry {
    uint64_t id;
    uint64_t urgency; /* the least of those who wait for it: pulse_farm_job.urgency */
    struct pulse_farm_tenant *tenant;
    struct pulse_farm_needs *needs;
    struct pulse_farm_worker *failed_on; /* as in its row */
    struct pulse_farm_worker *avoid;     /* where it failed last, for whatever reason */
    struct pulse_farm_claim *claim;      /* CLAIMED */
    struct pulse_farm_lane *lane;        /* READY and not delayed */
    struct pulse_farm_timer timer;       /* of the lease, or READY and delayed */
    struct pulse_farm_edge *inputs;
    struct pulse_farm_output **outputs;
    uint64_t mark; /* of the last walk that saw it */
    uint32_t settle_place;
    uint32_t input_count, output_count;
    uint32_t place;            /* in its lane */
    uint32_t absent;           /* inputs that are not present */
    uint32_t cost_ms, tail_ms; /* tail: with the longest chain of those that wait for it */
    uint32_t attempt, losses, failures, troubles;
    uint8_t kind, state;
    bool dirty, fresh;
};

/* What a job that is QUEUED (IN_QUEUE) or PLANNING waits for. */
enum pulse_farm_phase {
    PULSE_FARM_NO_PLANNING = 0,
    PULSE_FARM_IN_QUEUE,
    PULSE_FARM_WITH_PLANNER,
    PULSE_FARM_FOR_FACTS
};

struct pulse_farm_job {
    uint64_t id;
    uint64_t urgency; /* priority and age in one number: less is more urgent */
    struct pulse_farm_tenant *tenant;
    int32_t priority;
    enum pulse_job_state state;
    enum pulse_farm_phase phase;
    uint64_t since_ns;              /* its place in the planner's queue, aged */
    struct pulse_farm_want **wants; /* each its own allocation, since outputs point at them */
    uint32_t want_count, want_room;
    uint32_t absent;   /* wants that are not present */
    uint32_t place;    /* in the planner's queue */
    uint32_t replans;  /* rounds of planning because of what had vanished */
    uint64_t total_ms; /* what it waited for when it was admitted */
    uint64_t mark;
    uint32_t stuck_now, stuck_told; /* a sum over needs that nobody meets: now, and as told last */
    const struct pulse_farm_needs *stuck[PULSE_FARM_STUCK]; /* while it is told: the first of them */
    size_t stuck_count;
    const char *error; /* FAILED: in the step's arena */
    bool renewed;      /* the plan that comes next was counted in `replans` */
    bool dirty;
};

struct pulse_farm_list {
    void **items;
    size_t count, capacity;
};

enum pulse_farm_total {
    PULSE_FARM_ASSIGNED = 0,
    PULSE_FARM_COMPLETED,
    PULSE_FARM_FAILURES,
    PULSE_FARM_LOSSES_SEEN,
    PULSE_FARM_REFUSED,
    PULSE_FARM_ALARMS,
    PULSE_FARM_TOTALS,
};

struct pulse_farm {
    struct pulse_farm_options options;
    bool no_memory;
    uint64_t raw_ns; /* the time as it was told last */
    uint64_t now_ns; /* the time that counts */
    bool has_time;
    bool healing;                    /* rows are being loaded: what they change is told by the first step */
    struct pulse_shard_row *loading; /* the row of a shard whose edges are to come */
    uint64_t last_shard, order, mark, beat;
    size_t bytes;
    uint64_t totals[PULSE_FARM_TOTALS];

    struct pulse_table tenants, jobs, shards, outputs, needs, workers, classes, groups, lanes;
    struct pulse_farm_class **class_by_index;
    size_t class_count, class_words; /* slots of class_by_index; words of a set */
    struct pulse_farm_group *group_list;
    struct pulse_heap timers;
    struct pulse_heap settle; /* shards whose waiters may have changed, the highest id first */
    size_t queued, planning;  /* jobs that wait for the planner, that it has */
    size_t states[PULSE_SHARD_CANCELLED + 1];
    size_t tainted;   /* lanes that one worker had better not take from */
    uint64_t tell_ns; /* when it is next looked for shards that nobody can run */
    bool looked;      /* in this step */
    size_t told_jobs; /* jobs that were told of any */

    /* Of the step. */
    struct lh_arena arena;
    struct pulse_farm_list jobs_dirty, shards_dirty, outputs_dirty, outputs_loose;
    struct pulse_farm_list needs_new, specs_new, notes, actions; /* changes and actions, in the arena */
    struct pulse_farm_list drained;                              /* workers that may be */
    struct pulse_farm_list walk, found;                          /* of shards and jobs, while one walks */
    struct pulse_farm_action spare;                              /* written to when there is no memory for another */
};

/* Heap memory that is counted, zeroed; NULL (and `no_memory`) when there is none. */
void *pulse_farm_take(struct pulse_farm *farm, size_t size);
void pulse_farm_give(struct pulse_farm *farm, void *memory, size_t size); /* back; accepts NULL */
/* The same of the step's arena. */
void *pulse_farm_scratch(struct pulse_farm *farm, size_t count, size_t size);
bool pulse_farm_append(struct pulse_farm *farm, struct pulse_farm_list *list, void *item);
bool pulse_farm_push(struct pulse_farm *farm, struct pulse_heap *heap, void *item);

void pulse_farm_take_time(struct pulse_farm *farm, uint64_t now_ns);
void pulse_farm_timer_set(struct pulse_farm *farm, struct pulse_farm_timer *timer, uint64_t due_ns);
void pulse_farm_timer_clear(struct pulse_farm *farm, struct pulse_farm_timer *timer);
extern const struct pulse_heap_order pulse_farm_timer_order;

/* These make what is not there yet; NULL: no memory. */
struct pulse_farm_tenant *pulse_farm_tenant(struct pulse_farm *farm, uint64_t id);
struct pulse_farm_output *pulse_farm_output(struct pulse_farm *farm, struct pulse_farm_tenant *tenant,
                                            const struct lh_digest *key);
/* These do not; NULL: not held. */
struct pulse_farm_tenant *pulse_farm_find_tenant(const struct pulse_farm *farm, uint64_t id);
struct pulse_farm_job *pulse_farm_find_job(const struct pulse_farm *farm, uint64_t id);
struct pulse_farm_shard_entry *pulse_farm_find_shard(const struct pulse_farm *farm, uint64_t id);
struct pulse_farm_output *pulse_farm_find_output(const struct pulse_farm *farm, const struct pulse_farm_tenant *tenant,
                                                 const struct lh_digest *key);
/* New ones with edges and outputs to be linked; NULL: no memory. */
struct pulse_farm_job *pulse_farm_new_job(struct pulse_farm *farm, const struct pulse_job_row *row);
struct pulse_farm_shard_entry *pulse_farm_new_shard(struct pulse_farm *farm, uint64_t id,
                                                    struct pulse_farm_tenant *tenant, struct pulse_farm_needs *needs,
                                                    size_t input_count, size_t output_count);
void pulse_farm_free_job(struct pulse_farm *farm, struct pulse_farm_job *job);
void pulse_farm_free_shard(struct pulse_farm *farm, struct pulse_farm_shard_entry *shard);
void pulse_farm_free_output(struct pulse_farm *farm, struct pulse_farm_output *output);
/* A tenant of whom nothing is held any more is forgotten. */
void pulse_farm_drop_tenant(struct pulse_farm *farm, struct pulse_farm_tenant *tenant);

static inline bool pulse_farm_is_live(const struct pulse_farm_shard_entry *shard)
{
    return shard->state <= PULSE_SHARD_CLAIMED;
}

static inline int32_t pulse_farm_priority(uint64_t urgency)
{
    return PULSE_PRIORITY_MAX - (int32_t)(urgency >> 56);
}

#endif
