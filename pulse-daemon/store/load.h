/* SPDX-License-Identifier: MIT */
/* Rows of jobs, shards and outputs as values, and the load for who has a snapshot already. */
#ifndef PULSE_STORE_LOAD_H
#define PULSE_STORE_LOAD_H

#include "pulse-daemon/store/parts.h"

/* From `first` on: tenant, id, priority, state, error. */
void pulse_column_job(struct pulse_columns *columns, size_t first, struct pulse_job_row *job);
/* tenant, id, kind, state, needs, cost_ms, attempt, owner, losses, failures, failed_on. */
void pulse_column_shard(struct pulse_columns *columns, size_t first, struct pulse_shard_row *shard);
/* tenant, key, kind, state, shard, digest, size, facts, unproven. */
void pulse_column_output(struct pulse_columns *columns, size_t first, struct pulse_output_row *output);

/* As pulse_store_load(), between pulse_store_snapshot() and its end. */
LH_NODISCARD enum lh_status pulse_store_load_in_snapshot(struct pulse_store *store, pulse_store_take_change *take,
                                                         void *context, struct lh_error *error);

#endif
