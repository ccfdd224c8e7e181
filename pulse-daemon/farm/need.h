/* SPDX-License-Identifier: MIT */
/* Who waits for what. Wants and edges are linked and unlinked here, and what follows from it settled: a shard that
   nobody waits for is cancelled, one that others wait for is as urgent as the most urgent of them. */
#ifndef PULSE_FARM_NEED_H
#define PULSE_FARM_NEED_H

#include "pulse-daemon/farm/state.h"

void pulse_farm_edge_link(struct pulse_farm_shard_entry *shard, size_t input, struct pulse_farm_output *output);
/* What the shard's makers have to settle is noted. */
void pulse_farm_edges_unlink(struct pulse_farm *farm, struct pulse_farm_shard_entry *shard);
/* False: no memory. A want that is there already is not linked twice. */
bool pulse_farm_want_link(struct pulse_farm *farm, struct pulse_farm_job *job, struct pulse_farm_output *output);
void pulse_farm_want_unlink(struct pulse_farm *farm, struct pulse_farm_job *job, size_t index);
void pulse_farm_wants_unlink(struct pulse_farm *farm, struct pulse_farm_job *job);
/* Nothing may refer to it any more: looked at when the step ends. */
void pulse_farm_output_loosen(struct pulse_farm *farm, struct pulse_farm_output *output);

/* Whoever waits for this shard may have changed. */
void pulse_farm_unsettle(struct pulse_farm *farm, struct pulse_farm_shard_entry *shard);
/* Makes all that was unsettled right. */
void pulse_farm_settle(struct pulse_farm *farm);
extern const struct pulse_heap_order pulse_farm_settle_order;

/* What settling would give it; PULSE_FARM_URGENCY_NONE: nobody waits for it. */
uint64_t pulse_farm_urgency(const struct pulse_farm_shard_entry *shard);

/* All jobs that wait for any of these shards, each once, into farm->found; `shards` may be farm->walk, which is used
   up. */
void pulse_farm_waiters(struct pulse_farm *farm, struct pulse_farm_shard_entry *const *shards, size_t count);
/* The shards that this job waits for, each once, into farm->walk. */
void pulse_farm_waited(struct pulse_farm *farm, const struct pulse_farm_job *job);

#endif
