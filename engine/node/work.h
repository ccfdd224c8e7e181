/* SPDX-License-Identifier: MIT */
/* Doing an attempt: inputs, an instance, outputs, what is to be told. Whatever happens is an outcome. On a slot's
   thread.

   The outputs are hashed when the instance has ended and was reaped: nothing of what ran in it can change them any
   more. */
#ifndef ENGINE_NODE_WORK_H
#define ENGINE_NODE_WORK_H

#include "engine/node/attempt.h"
#include "engine/node/bench.h"

struct engine_tools {
    const struct engine_node_settings *settings;
    struct engine_depot *depot;
    struct engine_carrier *carrier;
    struct engine_bench *bench;
    const struct engine_stock *stock;
};

/* Fills attempt->outcome. *changed: the node's engine is not what `stock` says any more. */
void engine_work(const struct engine_tools *tools, struct engine_attempt *attempt, bool *changed);

#endif
