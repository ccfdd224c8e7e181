/* SPDX-License-Identifier: MIT */
/* What the other threads ask of the decider: an event for the core, a transaction, a look at what the core knows. A
   task owns all that it refers to, travels to the decider and comes home when it is over, so that who asked goes on. */
#ifndef PULSE_SERVICE_TASK_H
#define PULSE_SERVICE_TASK_H

#include "common/base/arena.h"
#include "pulse-daemon/farm/farm.h"
#include "pulse-daemon/service/mailbox.h"

struct pulse_store;
struct pulse_task;

enum pulse_task_kind {
    PULSE_TASK_EVENT = 0, /* `event` goes into the core; comes home when what it changed is committed */
    PULSE_TASK_WRITE,     /* `write` in a transaction of its own, committed */
    PULSE_TASK_UPKEEP,    /* `upkeep` with store and core at hand and no transaction open: it opens its own */
    PULSE_TASK_LOOK,      /* `look` at what the core knows between two batches */
};

/* Where `write` works. */
struct pulse_writing {
    struct pulse_store *store;
    int64_t now_ms;
    uint64_t next_job; /* the id that an event which submits one gets */
};

/* What `upkeep` has at hand. */
struct pulse_upkeep {
    struct pulse_store *store;
    struct pulse_farm *farm;
    int64_t now_ms;
};

struct pulse_task {
    struct pulse_mail mail; /* first */
    struct lh_arena arena;
    enum pulse_task_kind kind;
    struct pulse_farm_event event;
    /* WRITE: the transaction. EVENT (NULL: nothing): what is to be committed together with the event, run before the
       core gets it: it may change the event, and when it sets `spared` the core does not get it. When it
       fails the task comes home with that, and the batch is begun anew without it: it is run again for the others.
       Nothing is written by it if the whole batch is not committed. */
    enum lh_status (*write)(struct pulse_task *task, const struct pulse_writing *writing, struct lh_error *error);
    bool spared;
    enum lh_status (*upkeep)(struct pulse_task *task, const struct pulse_upkeep *upkeep, struct lh_error *error);
    void (*look)(struct pulse_task *task, struct pulse_farm *farm);
    /* What came of it: EVENT: the core's reply where it gives one, else LH_OK. LH_ERR_UNAVAILABLE: nothing was done,
       the store is out of reach; ask again later. */
    enum lh_status status;
    struct lh_error error;
    uint64_t due_ns;                         /* from then on nobody waits for it, and it is not done; 0: never */
    bool late;                               /* which is why it was not: LH_ERR_UNAVAILABLE */
    uint64_t job;                            /* EVENT: that was submitted */
    struct pulse_mailbox *home;              /* NULL: nobody waits, and the decider frees it */
    void (*resume)(struct pulse_task *task); /* at home: for whoever takes it out of the mailbox */
    void *owner;                             /* of the one who asked */
    void *payload;                           /* what `write` and `look` work with and leave behind; in the arena */
};

/* In an arena of its own; NULL when memory is out. */
struct pulse_task *pulse_task_new(enum pulse_task_kind kind);
void pulse_task_free(struct pulse_task *task); /* accepts NULL */

#endif
