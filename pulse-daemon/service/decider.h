/* SPDX-License-Identifier: MIT */
/* The one thread that decides: it owns the scheduler core and the store's handle for writing. What comes in is gathered
   into a batch, the core takes it, what it changed is committed in one transaction, and only then anybody is told.

       inbox --tasks--> batch --> core --> changes --> store (one transaction)
                                     \--> actions, once that is committed --> workers, planner, who asked

   A plan of more than a few hundred shards is admitted in a batch of its own, one a turn, so that what workers say
   waits for one admission at most, however many plans wait. An admission is not sliced: all that a job waits for is
   promised in one transaction, or nothing. Between plans nobody else's order changes.

   When the store fails, the batch is as if it had never been: those who asked are told to ask again, the core's state
   is dropped and read anew as soon as the store is back. Until then workers may come and go, and nothing is decided. */
#ifndef PULSE_SERVICE_DECIDER_H
#define PULSE_SERVICE_DECIDER_H

#include "common/blobs/blobs.h"
#include "pulse-daemon/service/orders.h"
#include "pulse-daemon/service/task.h"

struct pulse_decider;

#define PULSE_BATCH_MAX 256
#define PULSE_RETRY_MS 500 /* those who ask while the store is out of reach are told to ask again after so long */

struct pulse_decider_options {
    const char *store;  /* URL */
    const char *holder; /* who leads, for people */
    struct pulse_farm_options farm;
    struct lh_blobs *blobs; /* where the bytes of outputs are */
    /* Where orders go: actions to workers (ASSIGN, WITHDRAW, ACKNOWLEDGE, DRAINED) and to the planner (PLAN), events to
       those who talk with clients. */
    struct pulse_mailbox *workers, *planner, *clients;
    /* Another Pulse has taken over, or the store is damaged: this one has to stop. Called once, on the decider's
       thread. */
    void (*on_end)(void *context, enum lh_status status, const struct lh_error *error);
    void *context;
};

/* Opens and migrates the store, takes the lead, reads what is there, starts the thread. */
LH_NODISCARD enum lh_status pulse_decider_new(const struct pulse_decider_options *options,
                                              struct pulse_decider **decider, struct lh_error *error);
/* Decides what is in the inbox, then stops. Accepts NULL. */
void pulse_decider_free(struct pulse_decider *decider);

/* Takes the task, whatever comes of it. When it cannot be taken in (too many wait, the decider has stopped) it goes
   home at once with LH_ERR_UNAVAILABLE. `patient`: it is never too much. */
void pulse_decider_ask(struct pulse_decider *decider, struct pulse_task *task, bool patient);
uint64_t pulse_decider_epoch(const struct pulse_decider *decider);
/* The number of the last event that was committed. Any thread. */
uint64_t pulse_decider_last_event(struct pulse_decider *decider);

/* Any thread. */
struct pulse_decider_figures {
    uint64_t batches, events, changes, failed; /* `failed`: batches that were not committed */
    uint64_t commit_ns, step_ns;               /* summed */
    uint64_t last_event;                       /* number of the last that was committed */
    bool leading;                              /* false: the store is out of reach */
};
void pulse_decider_figures(struct pulse_decider *decider, struct pulse_decider_figures *figures);

#endif
