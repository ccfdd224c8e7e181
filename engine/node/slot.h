/* SPDX-License-Identifier: MIT */
/* A slot: a thread that does one attempt after the other, with an instance for each. */
#ifndef ENGINE_NODE_SLOT_H
#define ENGINE_NODE_SLOT_H

#include "engine/node/attempt.h"
#include "engine/node/stock.h"

struct engine_slot;

/* Called on the slot's thread when an attempt has its outcome: the attempt is the callee's again, and the slot is free.
   `changed`: the node's engine is another one by now. */
typedef void engine_slot_done(void *context, struct engine_slot *slot, struct engine_attempt *attempt, bool changed);

/* `settings` and `depot` must live as long. LH_ERR_NO_MEMORY, LH_ERR_IO. */
LH_NODISCARD enum lh_status engine_slot_new(const struct engine_node_settings *settings, struct engine_depot *depot,
                                            engine_slot_done *done, void *context, struct engine_slot **slot,
                                            struct lh_error *error);
/* Of a free slot; the attempt is the slot's until it is done, and so is the reference to the stock. */
void engine_slot_give(struct engine_slot *slot, struct engine_attempt *attempt, struct engine_stock *stock);
/* Waits for the attempt at work, which is told to stop before, if it is to end soon. Accepts NULL. */
void engine_slot_free(struct engine_slot *slot);

#endif
