/* SPDX-License-Identifier: MIT */
/* What the decider tells the other threads once a batch is committed: copies, each in an arena of its own, made before
   the commit so that nothing can fail behind it. */
#ifndef PULSE_SERVICE_ORDERS_H
#define PULSE_SERVICE_ORDERS_H

#include "common/base/arena.h"
#include "pulse-daemon/farm/farm.h"
#include "pulse-daemon/service/mailbox.h"

/* One event for people, with the number that the store gave it. */
struct pulse_told {
    uint64_t sequence, tenant, job;
    const char *text; /* JSON */
};

struct pulse_orders {
    struct pulse_mail mail; /* first */
    struct lh_arena arena;
    struct pulse_farm_action *actions;
    size_t action_count;
    struct pulse_told *told;
    size_t told_count;
};

/* The actions that `wanted` says yes to; *orders is NULL when there are none. LH_ERR_NO_MEMORY. */
LH_NODISCARD enum lh_status pulse_orders_actions(const struct pulse_farm_outcome *outcome,
                                                 bool (*wanted)(enum pulse_farm_action_kind kind),
                                                 struct pulse_orders **orders);
/* The EVENT changes, numbered from `first_event` on. The same. */
LH_NODISCARD enum lh_status pulse_orders_events(const struct pulse_farm_outcome *outcome, uint64_t first_event,
                                                struct pulse_orders **orders);
/* Of nothing: to the clients, that events may have been committed which nobody was told of. NULL: no memory. */
struct pulse_orders *pulse_orders_new(void);
void pulse_orders_free(struct pulse_orders *orders); /* accepts NULL */

#endif
