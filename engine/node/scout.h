/* SPDX-License-Identifier: MIT */
/* Finds out what the node has, at the start and whenever that may have changed, on a thread of its own: looking into
   hundreds of plugins for the first time takes a while, and an instance belongs to the thread that started it. */
#ifndef ENGINE_NODE_SCOUT_H
#define ENGINE_NODE_SCOUT_H

#include "engine/node/settings.h"
#include "engine/node/stock.h"

struct engine_scout;

/* `found` is called on the scout's thread with each stock that differs from the one before; the reference is the
   callee's. `settings` must live as long. LH_ERR_NO_MEMORY, LH_ERR_IO. */
LH_NODISCARD enum lh_status engine_scout_new(const struct engine_node_settings *settings,
                                             void (*found)(void *context, struct engine_stock *stock), void *context,
                                             struct engine_scout **scout, struct lh_error *error);
/* Looks again soon. Any thread. */
void engine_scout_wake(struct engine_scout *scout);
/* Breaks off what it does. Accepts NULL. */
void engine_scout_free(struct engine_scout *scout);

#endif
