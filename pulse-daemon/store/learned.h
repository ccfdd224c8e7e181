/* SPDX-License-Identifier: MIT */
/* What Pulse has learned and could learn again: costs. Handles, transactions and errors: store.h. */
#ifndef PULSE_STORE_LEARNED_H
#define PULSE_STORE_LEARNED_H

#include "pulse-daemon/store/store.h"

/* One figure of the cost model. */
struct pulse_cost_row {
    const char *name; /* of what: the cost model's own */
    double value;     /* finite */
    double weight;    /* how much was seen; finite */
};
LH_NODISCARD enum lh_status pulse_store_costs_put(struct pulse_store *store, const struct pulse_cost_row *rows,
                                                  size_t count, struct lh_error *error);
typedef enum lh_status pulse_store_take_cost(void *context, const struct pulse_cost_row *row);
LH_NODISCARD enum lh_status pulse_store_costs(struct pulse_store *store, pulse_store_take_cost *take, void *context,
                                              struct lh_error *error);

#endif
