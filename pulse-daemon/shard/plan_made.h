/* SPDX-License-Identifier: MIT */
/* What plans of every kind share. Private to pulse-daemon/shard. */
#ifndef PULSE_SHARD_PLAN_MADE_H
#define PULSE_SHARD_PLAN_MADE_H

#include "pulse-daemon/shard/draft.h"

/* Without shards; NULL when memory is out. */
struct pulse_plan *pulse_plan_empty(void);
/* Fills the plugins of a shard from its graph. LH_ERR_NO_MEMORY. */
LH_NODISCARD enum lh_status pulse_shard_list_plugins(struct lh_arena *arena, struct pulse_shard *shard);
/* What is worth a cut when every shard has its price. */
struct pulse_limits pulse_plan_limits(const struct pulse_costs *costs);
/* The latencies that a plan with these limits would be better for; as pulse_plan_asks(). */
LH_NODISCARD enum lh_status pulse_draft_asks(const struct graph *graph, const struct pulse_plan_options *options,
                                             const struct pulse_limits *limits, struct lh_arena *arena,
                                             struct pulse_latency_ask **asks, size_t *count, struct lh_error *error);

#endif
