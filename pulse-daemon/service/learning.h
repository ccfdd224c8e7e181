/* SPDX-License-Identifier: MIT */
/* What work costs, learned from what attempts say that they took. The workers' thread makes a lesson of a result that
   says something, the planner's takes it in when it has nothing better to do, and what has changed goes into the store
   every few seconds. Estimates: lessons may be lost, and are when there are more than can be taken in. */
#ifndef PULSE_SERVICE_LEARNING_H
#define PULSE_SERVICE_LEARNING_H

#include "proto/envelope.h"
#include "pulse-daemon/service/task.h"
#include "pulse-daemon/shard/cost.h"

#define PULSE_LESSONS_MOST 64 /* that wait; what comes then is not learned from */

struct pulse_lesson {
    struct pulse_mail mail; /* first: a NOTE of the planner's */
    uint64_t tenant, shard;
    double conform, mix, meter, encode; /* nanoseconds */
    size_t insert_count;
    double inserts[]; /* the same, by the graph's inserts */
};

/* NULL: nothing can be learned from it, or memory is out. To be freed by free(). */
struct pulse_lesson *pulse_lesson_new(uint64_t tenant, const Wire__Complete *complete);

/* One thread's. */
struct pulse_learning {
    struct pulse_costs *costs; /* the planner's */
    struct pulse_mail *first, **last;
    size_t count;
    uint64_t saved;   /* lessons that the store knows of */
    uint64_t save_ns; /* when it may be told again */
    bool saving;
};

void pulse_learning_init(struct pulse_learning *learning, struct pulse_costs *costs);
void pulse_learning_fini(struct pulse_learning *learning);
/* Takes it. */
void pulse_learning_add(struct pulse_learning *learning, struct pulse_lesson *lesson);
static inline bool pulse_learning_waits(const struct pulse_learning *learning)
{
    return learning->first != NULL;
}
/* Takes in the oldest, with the shard's graph out of the store. A lesson that makes no sense is left out. The store's
   errors, but for what it does not hold any more: the lesson is lost. */
LH_NODISCARD enum lh_status pulse_learning_step(struct pulse_learning *learning, struct pulse_store *store,
                                                struct lh_error *error);
/* A transaction that writes what has changed, to be asked of the decider and told of by pulse_learning_saved() when it
   has come home; that frees it. NULL: there is nothing to write, it is not yet time (`now`: it is, whatever the time),
   or memory is out. */
struct pulse_task *pulse_learning_save(struct pulse_learning *learning, bool now);
void pulse_learning_saved(struct pulse_learning *learning, struct pulse_task *task);

#endif
