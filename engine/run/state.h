/* SPDX-License-Identifier: MIT */
/* A render while it runs: what its stages share. Private to engine/run. */
#ifndef ENGINE_RUN_STATE_H
#define ENGINE_RUN_STATE_H

#include <pthread.h>

#include "engine/run/deliver.h"
#include "engine/run/pass.h"
#include "engine/run/pool.h"
#include "engine/run/render.h"

/* Time by kind of task, one for each worker so that nobody shares a cache line's counter. */
struct worker_times {
    _Alignas(64) uint64_t conform_ns;
    uint64_t mix_ns, plugins_ns, meter_ns, encode_ns;
};

struct engine_state {
    const struct engine_render_job *job;
    const struct graph *graph;
    struct engine_pool *pool;
    struct engine_media **media;        /* by medium */
    uint64_t *media_offset;             /* by medium: of its conformed samples in the scratch file */
    uint64_t *media_used;               /* by medium: its frames up to the last that a region can reach */
    bool *media_streams;                /* by medium */
    int64_t *reach;                     /* by region, see struct engine_sources */
    bool *meter_in_pass;                /* by deliverable */
    struct engine_delivery *deliveries; /* by deliverable */
    bool *delivery_open;                /* by deliverable: initialised */
    uint64_t scratch_size;
    struct engine_sources sources;
    struct worker_times *times;       /* by worker */
    struct engine_inserted *inserted; /* by insert */
    uint64_t conformed;
    uint32_t block, slots;       /* of the last pass */
    _Atomic uint32_t next;       /* work for engine_pool_run: the next index to take */
    pthread_mutex_t fault_mutex; /* guards status and error */
    enum lh_status status;
    struct lh_error error;
};

/* Keeps the first failure of parallel work that has no order. Any worker. */
void engine_state_fail(struct engine_state *state, enum lh_status status, const struct lh_error *error);
/* Somebody failed or cancelled: no use to go on. Any worker. */
bool engine_state_is_over(struct engine_state *state);
/* The kept failure, or cancellation, or LH_OK. After the parallel work. */
enum lh_status engine_state_result(const struct engine_state *state, struct lh_error *error);

/* The medium has been conformed before: it is neither opened nor conformed. */
bool engine_sources_given(const struct engine_render_job *job, uint32_t media);
/* By medium, how many of its frames are to be conformed: all when the caller keeps them, else what is played. */
void engine_sources_used(const struct engine_render_job *job, uint64_t *used);
/* Stage 1: opens every medium and checks it and what is stored against the graph; plans the scratch file's extents. */
LH_NODISCARD enum lh_status engine_sources_open(struct engine_state *state, struct lh_error *error);
/* Stage 2: conforms what cannot be read in place, media in parallel. */
LH_NODISCARD enum lh_status engine_sources_conform(struct engine_state *state, struct lh_error *error);
/* Stage 3: runs the pass that the deliverable `first` belongs to. */
LH_NODISCARD enum lh_status engine_pass_run(struct engine_state *state, uint32_t first, struct lh_error *error);

#endif
