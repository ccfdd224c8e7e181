/* SPDX-License-Identifier: MIT */
/* A store of the farm's rows in memory, for tests of the core: takes changes as a real one does, gives back what a farm
   loads, and watches over what no history may ever show. Every call aborts the test when memory is out. */
#ifndef TESTS_SUPPORT_ROWSTORE_H
#define TESTS_SUPPORT_ROWSTORE_H

#include "common/base/arena.h"
#include "pulse-daemon/farm/farm.h"
#include "pulse-daemon/farm/table.h"

struct rowstore_shard {
    struct pulse_shard_row row;
    struct lh_digest *inputs, *outputs;
    size_t input_count, output_count;
    const void *spec; /* a copy */
    size_t spec_size;
    bool has_edges;
};

struct rowstore_job {
    struct pulse_job_row row;
    struct lh_digest *wants;
    size_t want_count, want_room;
};

struct rowstore_output {
    struct pulse_output_row row;
    bool there;       /* it has a row */
    unsigned makings; /* how often it became present */
};

struct rowstore_list {
    void **items;
    size_t count, capacity;
};

/* Zeroed: empty. */
struct rowstore {
    struct lh_arena arena;
    struct pulse_table jobs_by_id, shards_by_id, outputs_by_key, needs_by_id;
    struct rowstore_list jobs, shards, outputs, needs;
    uint64_t epoch, last_shard;
    size_t events, alarms;
    const char *last_event, *last_alarm;
    char broken[256]; /* the first thing that must never be; "" */
};

void rowstore_fini(struct rowstore *store);
/* All or nothing. False, and nothing is changed, when the store has a later epoch. */
bool rowstore_commit(struct rowstore *store, uint64_t epoch, const struct pulse_change *changes, size_t count);
/* Everything that a farm is to load, then pulse_farm_load_end(). Aborts when a row is refused. Returns how many places
   were healed. */
size_t rowstore_load(const struct rowstore *store, struct pulse_farm *farm, uint64_t now_ns);

const struct rowstore_job *rowstore_job(const struct rowstore *store, uint64_t id);
const struct rowstore_shard *rowstore_shard(const struct rowstore *store, uint64_t id);
/* NULL: it has no row. */
const struct pulse_output_row *rowstore_output(const struct rowstore *store, uint64_t tenant,
                                               const struct lh_digest *key);

#endif
