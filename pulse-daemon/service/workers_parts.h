/* SPDX-License-Identifier: MIT */
/* What the files of the workers' part share. Internal to it; one thread. */
#ifndef PULSE_SERVICE_WORKERS_PARTS_H
#define PULSE_SERVICE_WORKERS_PARTS_H

#include <stdatomic.h>

#include "pulse-daemon/service/line.h"
#include "pulse-daemon/service/sessions.h"
#include "pulse-daemon/service/workers.h"
#include "pulse-daemon/store/store.h"

#define PULSE_SPECS_MAX 64 /* read at once: a question to the store for each would make workers wait */

/* Specs of the orders that are being carried out, by action from `first` on. */
struct pulse_specs {
    struct lh_arena arena;
    size_t first, count;
    struct pulse_spec items[PULSE_SPECS_MAX]; /* data NULL: there is none */
};

struct pulse_workers {
    struct pulse_workers_options options;
    struct wire_link *link;
    char endpoint[WIRE_ENDPOINT_SIZE]; /* on the network */
    struct pulse_sessions sessions;
    struct lh_arena scratch;                    /* of one message */
    struct pulse_store *store;                  /* NULL: not open now */
    struct pulse_mail *pending, **pending_last; /* orders that wait for the store */
    size_t pending_at;                          /* actions of the first that were carried out */
    struct pulse_specs specs;
    uint64_t retry_ns;
    uint64_t complain_ns; /* not before, of malformed messages */
    bool stopping;
    _Atomic bool watched;   /* somebody looks at how far attempts are */
    struct pulse_mail last; /* nothing but what comes home stands behind it */
    pthread_t thread;
    pthread_mutex_t lock; /* of sessions and figures, for those who look */
    struct pulse_workers_figures figures;
};

/* A drain that an operator asks for. */
struct pulse_drain_note {
    struct pulse_mail mail; /* first */
    char name[PULSE_NAME_SIZE];
};

struct pulse_line pulse_workers_line(struct pulse_workers *workers, struct pulse_session *session);
/* An event for the core from this worker; NULL: memory is out. */
struct pulse_task *pulse_workers_event(const struct pulse_session *session, enum pulse_farm_event_kind kind);
/* Tells the core how many assignments the worker may hold, if that has changed. */
void pulse_workers_tell_credits(struct pulse_workers *workers, struct pulse_session *session);

/* hello.c */
void pulse_workers_hello(struct pulse_workers *workers, struct pulse_session *session, const Wire__Envelope *envelope);
void pulse_workers_inventory(struct pulse_workers *workers, struct pulse_session *session,
                             const Wire__Envelope *envelope);
/* Tells the core and the roster of it. */
void pulse_workers_join(struct pulse_workers *workers, struct pulse_session *session);
/* results.c */
void pulse_workers_beat(struct pulse_workers *workers, struct pulse_session *session, const Wire__Beat *beat);
void pulse_workers_progress(struct pulse_workers *workers, struct pulse_session *session,
                            const Wire__Progress *progress);
void pulse_workers_complete(struct pulse_workers *workers, struct pulse_session *session,
                            const Wire__Complete *complete);
void pulse_workers_failed(struct pulse_workers *workers, struct pulse_session *session, const Wire__Failed *failed);
/* orders.c */
void pulse_workers_take_orders(struct pulse_workers *workers, struct pulse_orders *orders); /* takes them */
void pulse_workers_carry_out(struct pulse_workers *workers);                                /* as many as can be now */

#endif
