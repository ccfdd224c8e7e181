/* SPDX-License-Identifier: MIT */
/* What one thread leaves for another: items in the order in which they were put. Any thread puts, one takes. Putting
   allocates nothing, so that it cannot fail for want of memory. */
#ifndef PULSE_SERVICE_MAILBOX_H
#define PULSE_SERVICE_MAILBOX_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"

/* What is put into mailboxes; who takes it out has to know what it is. */
enum pulse_mail_kind {
    PULSE_MAIL_TASK = 0,    /* struct pulse_task: it comes home */
    PULSE_MAIL_ORDERS,      /* struct pulse_orders */
    PULSE_MAIL_NOTE,        /* what the owner of the mailbox says it is */
    PULSE_MAIL_EXAMINATION, /* of the clients' part: store and folder have been looked at */
    PULSE_MAIL_ADOPTION,    /* of the clients' part: a file that was handed over has been looked at */
};

/* The first member of whatever is put. */
struct pulse_mail {
    enum pulse_mail_kind kind;
    struct pulse_mail *next;
};

struct pulse_mailbox {
    pthread_mutex_t lock;
    struct pulse_mail *first, **last;
    size_t count, most;
    bool closed;
    int fd; /* an eventfd: readable while something may be there */
};

/* `most` items are kept; LH_ERR_IO. */
LH_NODISCARD enum lh_status pulse_mailbox_init(struct pulse_mailbox *box, size_t most, struct lh_error *error);
/* Empty by then. */
void pulse_mailbox_fini(struct pulse_mailbox *box);
/* False: it is full or closed, and the item still the caller's. `always`: it is not turned away for being full: for
   what somebody waits for already. */
bool pulse_mailbox_put(struct pulse_mailbox *box, struct pulse_mail *mail, bool always);
/* The oldest, NULL: none. */
struct pulse_mail *pulse_mailbox_take(struct pulse_mailbox *box);
/* Nothing more is put; what is there can still be taken. */
void pulse_mailbox_close(struct pulse_mailbox *box);
bool pulse_mailbox_closed(struct pulse_mailbox *box);
size_t pulse_mailbox_count(struct pulse_mailbox *box);
/* Sleeps until something is there, `fd` (if not -1) is readable, or `timeout_ms` are over (-1: for ever). */
void pulse_mailbox_wait(struct pulse_mailbox *box, int fd, int timeout_ms);

#endif
