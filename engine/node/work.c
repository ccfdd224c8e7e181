/* SPDX-License-Identifier: MIT */
/* The steps of an attempt. */
#include "engine/node/work.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "engine/node/work_parts.h"

/* 0: there is none. */
static uint64_t stricter(uint64_t ours, bool has, uint64_t theirs)
{
    bool is_theirs = has && theirs > 0 && (ours == 0 || theirs < ours);
    return is_theirs ? theirs : ours;
}

bool engine_job_goes_on(void *context)
{
    struct engine_job *job = context;
    struct engine_attempt *attempt = job->attempt;
    uint64_t done = atomic_load_explicit(&attempt->done, memory_order_relaxed) +
                    atomic_load_explicit(&attempt->moved, memory_order_relaxed);
    /* Transfers have a patience of their own: that Pulse is away is no fault of the shard's. */
    job->pace.waits = job->phase == ENGINE_PHASE_INPUTS || job->phase == ENGINE_PHASE_SHIP;
    return engine_pace_look(&job->pace, done, lh_clock_monotonic_ns()) == ENGINE_PACE_GOOD &&
           atomic_load_explicit(&attempt->stop, memory_order_relaxed) == ENGINE_STOP_NOT;
}

static void moved(void *context, size_t size)
{
    struct engine_job *job = context;
    atomic_fetch_add_explicit(&job->attempt->moved, size, memory_order_relaxed);
}

static enum lh_status unpack(struct engine_job *job, struct lh_error *error)
{
    struct engine_attempt *attempt = job->attempt;
    const Wire__Assign *assign = attempt->assign;
    enum lh_status status =
        graph_shard_decode(assign->spec.data, assign->spec.len, &attempt->assigned, &job->shard, error);
    if (status != LH_OK) {
        return status;
    }
    if (job->shard.graph != NULL) {
        job->graph = *job->shard.graph;
    }
    if ((unsigned)job->shard.kind != (unsigned)assign->kind) {
        return lh_error_set(error, LH_ERR_FORMAT, NULL, "the assignment and its shard are of different kinds");
    }
    job->inputs = lh_arena_array(&attempt->assigned, job->shard.input_count, sizeof *job->inputs);
    job->crates = lh_arena_array(&attempt->assigned, job->shard.output_count, sizeof *job->crates);
    if (job->inputs == NULL || job->crates == NULL) {
        job->inputs = NULL;
        job->crates = NULL;
        return lh_error_no_memory(error);
    }
    for (size_t i = 0; i < job->shard.input_count; i++) {
        job->inputs[i] = -1;
    }
    for (size_t i = 0; i < job->shard.output_count; i++) {
        job->crates[i] = ENGINE_CRATE_NONE;
    }
    return LH_OK;
}

/* ---- inputs */

static int compare_inputs(const void *a, const void *b)
{
    return memcmp((*(Wire__ShardInput *const *)a)->key.data, (*(Wire__ShardInput *const *)b)->key.data, LH_DIGEST_SIZE);
}

static int compare_key(const void *key, const void *input)
{
    return memcmp(((const struct lh_digest *)key)->bytes, (*(Wire__ShardInput *const *)input)->key.data,
                  LH_DIGEST_SIZE);
}

static enum lh_status open_input(struct engine_job *job, const Wire__Blob *blob, int *fd, struct lh_error *error)
{
    struct lh_digest digest;
    memcpy(digest.bytes, blob->digest.data, sizeof digest.bytes);
    return engine_carrier_open(job->tools->carrier, &job->claim, &digest, blob->size, fd,
                               &job->attempt->outcome.spent.fetched_bytes, error);
}

/* All of them, even if one is missing: Pulse is to know of each. */
static enum lh_status open_inputs(struct engine_job *job, struct lh_error *error)
{
    struct engine_attempt *attempt = job->attempt;
    const Wire__Assign *assign = attempt->assign;
    struct lh_digest *missing = lh_arena_array(&attempt->arena, job->shard.input_count, sizeof *missing);
    if (missing == NULL) {
        return lh_error_no_memory(error);
    }
    if (assign->n_inputs > 0) {
        qsort(assign->inputs, assign->n_inputs, sizeof *assign->inputs, compare_inputs);
    }
    enum lh_status worst = LH_OK;
    size_t count = 0;
    for (size_t i = 0; i < job->shard.input_count; i++) {
        const struct lh_digest *key = &job->shard.inputs[i].key;
        Wire__ShardInput *const *found =
            assign->n_inputs > 0 ? bsearch(key, assign->inputs, assign->n_inputs, sizeof *assign->inputs, compare_key)
                                 : NULL;
        enum lh_status status = found != NULL ? open_input(job, (*found)->blob, &job->inputs[i], error)
                                              : lh_error_set(error, LH_ERR_MISSING, NULL, "it was not assigned");
        if (status == LH_ERR_MISSING) {
            missing[count++] = *key;
            worst = status;
        } else if (status != LH_OK) {
            return status;
        }
    }
    attempt->outcome.missing = missing;
    attempt->outcome.missing_count = count;
    if (worst != LH_OK) {
        char text[LH_DIGEST_TEXT_SIZE];
        lh_digest_text(&missing[0], text);
        lh_error_set(error, worst, text, "%zu of its inputs cannot be had", count);
    }
    return worst;
}

static enum lh_status open_crates(struct engine_job *job, struct lh_error *error)
{
    for (size_t i = 0; i < job->shard.output_count; i++) {
        enum lh_status status = engine_carrier_crate(job->tools->carrier, &job->crates[i], error);
        if (status != LH_OK) {
            return status;
        }
    }
    return LH_OK;
}

static void close_inputs(struct engine_job *job)
{
    for (size_t i = 0; job->inputs != NULL && i < job->shard.input_count; i++) {
        if (job->inputs[i] >= 0) {
            close(job->inputs[i]);
        }
    }
    if (job->scratch >= 0) {
        close(job->scratch);
    }
}

/* ---- the steps */

/* Ended and reaped: its outputs are what they are. */
static void end_instance(struct engine_job *job)
{
    if (job->instance != NULL) {
        job->was_killed = engine_instance_was_killed(job->instance);
        engine_instance_free(job->instance);
        job->instance = NULL;
    }
}

static enum lh_status prepare(struct engine_job *job, struct lh_error *error)
{
    enum lh_status status = unpack(job, error);
    if (status != LH_OK) {
        return status;
    }
    job->phase = ENGINE_PHASE_PLUGINS;
    status = engine_job_place_plugins(job, error);
    if (status != LH_OK) {
        return status;
    }
    job->phase = ENGINE_PHASE_INPUTS;
    uint64_t begun = lh_clock_monotonic_ns();
    status = open_inputs(job, error);
    job->attempt->outcome.spent.fetch_ns = lh_clock_monotonic_ns() - begun;
    if (status != LH_OK) {
        return status;
    }
    job->phase = ENGINE_PHASE_OUTPUTS;
    return open_crates(job, error);
}

static enum lh_status run(struct engine_job *job, bool *changed, struct lh_error *error)
{
    job->phase = ENGINE_PHASE_START;
    enum lh_status status = engine_bench_take(job->tools->bench, job->tools->stock, job->memory_bytes,
                                              engine_job_goes_on, job, &job->instance, error);
    if (status != LH_OK) {
        *changed = status == LH_ERR_UNSUPPORTED;
        return status;
    }
    job->phase = ENGINE_PHASE_RUN;
    status = job->shard.kind == GRAPH_SHARD_PROBE ? engine_job_probe(job, error) : engine_job_render(job, error);
    end_instance(job);
    return status;
}

static void begin(struct engine_job *job, const struct engine_tools *tools, struct engine_attempt *attempt)
{
    static const Wire__Limits none = WIRE__LIMITS__INIT;
    const Wire__Limits *limits = attempt->assign->limits != NULL ? attempt->assign->limits : &none;
    *job = (struct engine_job){.tools = tools, .attempt = attempt, .scratch = -1};
    job->claim = (struct engine_claim){
        .shard = attempt->shard,
        .attempt = attempt->number,
        .trace = attempt->trace[0] != '\0' ? attempt->trace : NULL,
        .go_on = engine_job_goes_on,
        .moved = moved,
        .context = job,
    };
    uint64_t now = lh_clock_monotonic_ns();
    const struct engine_node_settings *ours = tools->settings;
    engine_pace_init(&job->pace, (uint32_t)stricter(ours->hard_ms, limits->has_hard_ms, limits->hard_ms),
                     (uint32_t)stricter(ours->no_progress_ms, limits->has_no_progress_ms, limits->no_progress_ms), now);
    job->memory_bytes = stricter(ours->memory_bytes, limits->has_memory, limits->memory);
    attempt->outcome.spent.begun_ns = now;
}

void engine_work(const struct engine_tools *tools, struct engine_attempt *attempt, bool *changed)
{
    struct engine_job job;
    struct lh_error error = LH_ERROR_INIT;
    *changed = false;
    begin(&job, tools, attempt);
    atomic_store_explicit(&attempt->running, true, memory_order_relaxed);
    enum lh_status status = LH_ERR_CANCELLED;
    if (engine_job_goes_on(&job)) {
        status = prepare(&job, &error);
    }
    status = status == LH_OK ? run(&job, changed, &error) : status;
    end_instance(&job);
    status = status == LH_OK ? engine_job_pack(&job, &error) : status;
    if (status == LH_OK) {
        attempt->outcome.complete = true;
    } else {
        engine_job_fail(&job, status, &error);
    }
    close_inputs(&job);
    for (size_t i = 0; job.crates != NULL && i < job.shard.output_count; i++) {
        engine_crate_discard(&job.crates[i]); /* those that became outputs are the attempt's now */
    }
    graph_unref(job.shard.graph);
    attempt->outcome.spent.wall_ns = lh_clock_monotonic_ns() - attempt->outcome.spent.begun_ns;
    attempt->assign = NULL;
    lh_arena_fini(&attempt->assigned);
}
