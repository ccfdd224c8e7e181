/* SPDX-License-Identifier: MIT */
/* A whole render: open media, conform what needs it, run each range once, finish what waited for a measurement. */
#include "engine/run/render.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/run/state.h"

void engine_state_fail(struct engine_state *state, enum lh_status status, const struct lh_error *error)
{
    pthread_mutex_lock(&state->fault_mutex);
    if (state->status == LH_OK) {
        state->status = status;
        state->error = *error;
    }
    pthread_mutex_unlock(&state->fault_mutex);
}

bool engine_state_is_over(struct engine_state *state)
{
    pthread_mutex_lock(&state->fault_mutex);
    bool failed = state->status != LH_OK;
    pthread_mutex_unlock(&state->fault_mutex);
    return failed || atomic_load_explicit(&state->job->progress->cancel, memory_order_relaxed) != 0;
}

enum lh_status engine_state_result(const struct engine_state *state, struct lh_error *error)
{
    if (state->status != LH_OK) {
        if (error != NULL) {
            *error = state->error;
        }
        return state->status;
    }
    if (atomic_load_explicit(&state->job->progress->cancel, memory_order_relaxed) != 0) {
        return lh_error_set(error, LH_ERR_CANCELLED, NULL, "interrupted");
    }
    return LH_OK;
}

static enum lh_status run_passes(struct engine_state *state, struct lh_error *error)
{
    const struct graph *graph = state->graph;
    for (uint32_t d = 0; d < graph->deliverable_count; d++) {
        bool seen = false;
        for (uint32_t e = 0; e < d && !seen; e++) {
            seen = graph_pass_is_same(graph, &graph->deliverables[e], &graph->deliverables[d]);
        }
        if (!seen) {
            enum lh_status status = engine_pass_run(state, d, error);
            if (status != LH_OK) {
                return status;
            }
        }
    }
    return LH_OK;
}

/* ---- what waited for a measurement ---- */

static void for_deferred(struct engine_state *state,
                         enum lh_status (*step)(struct engine_state *, uint32_t, struct lh_error *))
{
    for (;;) {
        uint32_t d = atomic_fetch_add_explicit(&state->next, 1, memory_order_relaxed);
        if (d >= state->graph->deliverable_count || engine_state_is_over(state)) {
            break;
        }
        if (!state->deliveries[d].deferred) {
            continue;
        }
        struct lh_error error = LH_ERROR_INIT;
        enum lh_status status = step(state, d, &error);
        if (status != LH_OK) {
            if (error.where[0] == '\0') {
                snprintf(error.where, sizeof error.where, "deliverable %s", state->graph->deliverables[d].name);
            }
            engine_state_fail(state, status, &error);
        }
    }
}

static enum lh_status measure_one(struct engine_state *state, uint32_t d, struct lh_error *error)
{
    return engine_delivery_measure(&state->deliveries[d], &state->job->progress->cancel, error);
}

static enum lh_status finish_one(struct engine_state *state, uint32_t d, struct lh_error *error)
{
    uint32_t from = state->graph->deliverables[d].gain_from;
    if (from != GRAPH_NONE) {
        state->deliveries[d].gain_db = state->deliveries[from].gain_db;
    }
    return engine_delivery_finish(&state->deliveries[d], &state->job->progress->done, &state->job->progress->cancel,
                                  error);
}

static void measure_work(void *context, uint32_t worker)
{
    struct engine_state *state = context;
    uint64_t began = state->job->clock();
    for_deferred(state, measure_one);
    state->times[worker].meter_ns += state->job->clock() - began;
}

static void finish_work(void *context, uint32_t worker)
{
    struct engine_state *state = context;
    uint64_t began = state->job->clock();
    for_deferred(state, finish_one);
    state->times[worker].encode_ns += state->job->clock() - began;
}

static enum lh_status finish_deferred(struct engine_state *state, struct lh_error *error)
{
    atomic_store(&state->next, 0);
    engine_pool_run(state->pool, measure_work, state);
    enum lh_status status = engine_state_result(state, error);
    if (status == LH_OK) {
        atomic_store(&state->next, 0);
        engine_pool_run(state->pool, finish_work, state);
        status = engine_state_result(state, error);
    }
    return status;
}

/* ---- the whole ---- */

static void fill_reach(const struct graph *graph, int64_t *reach)
{
    for (uint32_t n = 0; n < graph->node_count; n++) {
        const struct graph_node *node = &graph->nodes[n];
        int64_t latest = 0;
        for (uint32_t i = 0; node->kind == GRAPH_NODE_CLIPS && i < node->count; i++) {
            const struct graph_region *region = &graph->regions[node->first + i];
            int64_t end = region->start + region->length;
            latest = end > latest ? end : latest;
            reach[node->first + i] = latest;
        }
    }
}

/* Frames that the pass of a deliverable delivers; 0 when an earlier one is of the same pass. */
static uint64_t pass_frames(const struct graph *graph, uint32_t d)
{
    int64_t start = graph->deliverables[d].start, stop = start;
    for (uint32_t e = 0; e < graph->deliverable_count; e++) {
        const struct graph_deliverable *other = &graph->deliverables[e];
        if (!graph_pass_is_same(graph, &graph->deliverables[d], other)) {
            continue;
        }
        if (e < d) {
            return 0;
        }
        int64_t end = other->end + graph_deliverable_tail(other);
        start = other->start < start ? other->start : start;
        stop = end > stop ? end : stop;
    }
    return (uint64_t)(stop - start);
}

/* Units of work for the progress bar: frames conformed, frames of each pass, frames of what is finished afterwards. */
static uint64_t count_work(const struct engine_state *state)
{
    const struct engine_render_job *job = state->job;
    const struct graph *graph = job->graph;
    uint64_t total = 0;
    for (uint32_t m = 0; m < graph->media_count; m++) {
        bool converted = graph->media[m].conform != GRAPH_CONFORM_IN_PLACE && !engine_sources_given(job, m);
        total += converted ? state->media_used[m] : 0;
    }
    for (uint32_t d = 0; d < graph->deliverable_count; d++) {
        const struct graph_deliverable *deliverable = &graph->deliverables[d];
        uint64_t frames = (uint64_t)(deliverable->end - deliverable->start);
        total += pass_frames(graph, d) + (engine_delivery_is_deferred(deliverable) ? frames : 0);
    }
    return total;
}

static enum lh_status prepare(struct engine_state *state, struct lh_error *error)
{
    const struct graph *graph = state->graph;
    size_t media = (size_t)graph->media_count + 1;
    size_t deliverables = (size_t)graph->deliverable_count + 1;
    state->media = calloc(media, sizeof *state->media);
    state->media_offset = calloc(media, sizeof *state->media_offset);
    state->media_used = calloc(media, sizeof *state->media_used);
    state->media_streams = calloc(media, sizeof *state->media_streams);
    state->reach = calloc((size_t)graph->region_count + 1, sizeof *state->reach);
    state->meter_in_pass = calloc(deliverables, sizeof *state->meter_in_pass);
    state->deliveries = calloc(deliverables, sizeof *state->deliveries);
    state->delivery_open = calloc(deliverables, sizeof *state->delivery_open);
    state->inserted = calloc((size_t)graph->insert_count + 1, sizeof *state->inserted);
    state->times = aligned_alloc(_Alignof(struct worker_times), state->job->threads * sizeof *state->times);
    if (state->media == NULL || state->media_offset == NULL || state->media_used == NULL ||
        state->media_streams == NULL || state->reach == NULL || state->meter_in_pass == NULL ||
        state->deliveries == NULL || state->delivery_open == NULL || state->inserted == NULL || state->times == NULL) {
        return lh_error_no_memory(error);
    }
    memset(state->times, 0, state->job->threads * sizeof *state->times);
    fill_reach(graph, state->reach);
    engine_sources_used(state->job, state->media_used);
    for (uint32_t d = 0; d < graph->deliverable_count; d++) {
        state->meter_in_pass[d] =
            engine_delivery_meters_in_pass(&graph->deliverables[d], graph->sample_rate, state->job->report);
    }
    state->sources = (struct engine_sources){.graph = graph,
                                             .kernels = engine_kernels_current(),
                                             .media = state->media,
                                             .stored = state->job->stored_fds,
                                             .reach = state->reach};
    atomic_store_explicit(&state->job->progress->total, count_work(state), memory_order_relaxed);
    return engine_pool_new(state->job->threads, &state->pool, error);
}

static void release(struct engine_state *state)
{
    engine_pool_free(state->pool);
    for (uint32_t d = 0; state->delivery_open != NULL && d < state->graph->deliverable_count; d++) {
        if (state->delivery_open[d]) {
            engine_delivery_fini(&state->deliveries[d]);
        }
    }
    for (uint32_t m = 0; state->media != NULL && m < state->graph->media_count; m++) {
        engine_media_close(state->media[m]);
    }
    free(state->media);
    free(state->media_offset);
    free(state->media_used);
    free(state->media_streams);
    free(state->reach);
    free(state->meter_in_pass);
    free(state->deliveries);
    free(state->delivery_open);
    free(state->inserted);
    free(state->times);
}

/* What the waiting for a processor leaves of the times, see struct engine_times. */
static void scale(const struct engine_state *state, uint64_t cpu_ns, struct engine_render_result *result)
{
    struct engine_times *times = &result->times;
    double whole = times->conform + times->mix + times->plugins + times->meter + times->encode;
    double factor = (double)cpu_ns * 1e-9 / whole;
    if (state->job->cpu_clock == NULL || whole <= 0 || factor >= 1) {
        return;
    }
    times->conform *= factor;
    times->mix *= factor;
    times->plugins *= factor;
    times->meter *= factor;
    times->encode *= factor;
    for (uint32_t i = 0; i < state->graph->insert_count; i++) {
        result->inserted[i].seconds *= factor;
    }
}

static uint64_t computed(const struct engine_render_job *job)
{
    return job->cpu_clock != NULL ? job->cpu_clock() : 0;
}

static void report(const struct engine_state *state, uint64_t began, struct engine_render_result *result)
{
    for (uint32_t d = 0; d < state->graph->deliverable_count; d++) {
        const struct engine_delivery *delivery = &state->deliveries[d];
        result->delivered[d] = (struct engine_delivered){.file = delivery->encoded,
                                                         .has_loudness = delivery->has_loudness,
                                                         .measured = delivery->measured,
                                                         .reached = delivery->reached,
                                                         .gain_db = delivery->gain_db,
                                                         .tail_frames = delivery->tail_frames};
    }
    for (uint32_t i = 0; i < state->graph->insert_count; i++) {
        result->inserted[i] = state->inserted[i];
    }
    result->times = (struct engine_times){.wall = (double)(state->job->clock() - began) * 1e-9};
    for (uint32_t w = 0; w < state->job->threads; w++) {
        result->times.conform += (double)state->times[w].conform_ns * 1e-9;
        result->times.mix += (double)state->times[w].mix_ns * 1e-9;
        result->times.plugins += (double)state->times[w].plugins_ns * 1e-9;
        result->times.meter += (double)state->times[w].meter_ns * 1e-9;
        result->times.encode += (double)state->times[w].encode_ns * 1e-9;
    }
    result->block = state->block;
    result->blocks_in_flight = state->slots;
    result->conformed_media = state->conformed;
}

enum lh_status engine_render(const struct engine_render_job *job, struct engine_render_result *result,
                             struct lh_error *error)
{
    struct engine_state state = {
        .job = job, .graph = job->graph, .status = LH_OK, .fault_mutex = PTHREAD_MUTEX_INITIALIZER};
    uint64_t began = job->clock();
    engine_kernels_select(job->kernels);
    enum lh_status status = prepare(&state, error);
    uint64_t computed_before = computed(job);
    if (status == LH_OK) {
        status = engine_sources_open(&state, error);
    }
    if (status == LH_OK) {
        status = engine_sources_conform(&state, error);
    }
    if (status == LH_OK) {
        status = run_passes(&state, error);
    }
    if (status == LH_OK) {
        status = finish_deferred(&state, error);
    }
    if (status == LH_OK) {
        report(&state, began, result);
        scale(&state, computed(job) - computed_before, result);
    }
    release(&state);
    return status;
}
