/* SPDX-License-Identifier: MIT */
/* What the parts of a unit share. */
#ifndef ENGINE_RUN_UNIT_IMPL_H
#define ENGINE_RUN_UNIT_IMPL_H

#include "engine/run/unit.h"

/* Says which node and plugin failed, and at which frame unless it is negative. Returns the status. */
enum lh_status engine_unit_fault(const struct graph *graph, uint32_t node, int64_t frame, enum lh_status status,
                                 struct lh_error *error);

#endif
