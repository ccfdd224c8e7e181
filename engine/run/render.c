/* SPDX-License-Identifier: MIT */
/* A whole render: open media, conform what needs it, run each range once, finish what waited for a measurement. */
#include "engine/run/render.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/io/conform.h"
#include "engine/run/deliver.h"
#include "engine/run/pass.h"
#include "engine/run/pool.h"
#include "engine/run/schedule.h"

#define SCRATCH_ALIGNMENT 4096u

/* CPU time by kind of task, one for each worker so that nobody shares a cache line's counter. */
struct worker_times {
    _Alignas(64) uint64_t conform_ns;
    uint64_t mix_ns, meter_ns, encode_ns;
};

struct render {
    const struct engine_render_job *job;
    const struct graph *graph;
    struct engine_pool *pool;
    struct engine_media **media;     /* by medium */
    uint64_t *media_offset;          /* by medium: of its conformed samples in the scratch file */
    bool *media_streams;             /* by medium */
    int64_t *reach;                  /* by region, see struct engine_sources */
    bool *meter_in_pass;             /* by deliverable */
    struct engine_delivery *deliveries; /* by deliverable */
    bool *delivery_open;             /* by deliverable: initialised */
    uint64_t scratch_size;
    struct engine_sources sources;
    struct worker_times *times;      /* by worker */
    uint64_t conformed;
    uint32_t block, slots;           /* of the last pass */
    _Atomic uint32_t next;           /* work for engine_pool_run: the next index to take */
    pthread_mutex_t fault_mutex;     /* guards status and error */
    enum lh_status status;
    struct lh_error error;
};

/* Keeps the first failure of parallel work that has no order. */
static void keep_failure(struct render *render, enum lh_status status, const struct lh_error *error)
{
    pthread_mutex_lock(&render->fault_mutex);
    if (render->status == LH_OK) {
        render->status = status;
        render->error = *error;
    }
    pthread_mutex_unlock(&render->fault_mutex);
}

static bool has_failed(struct render *render)
{
    pthread_mutex_lock(&render->fault_mutex);
    bool failed = render->status != LH_OK;
    pthread_mutex_unlock(&render->fault_mutex);
    return failed || atomic_load_explicit(&render->job->progress->cancel, memory_order_relaxed) != 0;
}

static enum lh_status take_failure(struct render *render, struct lh_error *error)
{
    if (render->status != LH_OK) {
        if (error != NULL) {
            *error = render->error;
        }
        return render->status;
    }
    if (atomic_load_explicit(&render->job->progress->cancel, memory_order_relaxed) != 0) {
        return lh_error_set(error, LH_ERR_CANCELLED, NULL, "interrupted");
    }
    return LH_OK;
}

/* ---- media ---- */

static enum lh_status name_medium(const struct graph_media *media, enum lh_status status, struct lh_error *error)
{
    if (status != LH_OK && error != NULL && error->where[0] == '\0') {
        snprintf(error->where, sizeof error->where, "media %s", media->name);
    }
    return status;
}

static enum lh_status check_facts(const struct graph_media *media, const struct engine_media_facts *facts, struct lh_error *error)
{
    bool lossy = facts->access == ENGINE_ACCESS_LINEAR;
    if (facts->rate != media->rate || facts->channels != media->channels || facts->frames != media->frames ||
        (lossy && media->conform == GRAPH_CONFORM_IN_PLACE)) {
        return lh_error_set(error, LH_ERR_IO, NULL, "the file is not what it was when the project was compiled: render again");
    }
    return LH_OK;
}

static enum lh_status open_media(struct render *render, struct lh_error *error)
{
    for (uint32_t m = 0; m < render->graph->media_count; m++) {
        const struct graph_media *media = &render->graph->media[m];
        enum lh_status status = engine_media_open(render->job->media_fds[m], &render->media[m], error);
        if (status == LH_OK) {
            status = check_facts(media, engine_media_get_facts(render->media[m]), error);
        }
        if (status != LH_OK) {
            return name_medium(media, status, error);
        }
        if (media->conform == GRAPH_CONFORM_IN_PLACE) {
            render->media_streams[m] = engine_media_get_facts(render->media[m])->access == ENGINE_ACCESS_STREAM;
            continue;
        }
        render->media_offset[m] = render->scratch_size;
        render->scratch_size += (media->length * media->channels * sizeof(float) + SCRATCH_ALIGNMENT - 1) & ~(uint64_t)(SCRATCH_ALIGNMENT - 1);
        render->conformed++;
    }
    return LH_OK;
}

static enum lh_status conform_one(struct render *render, uint32_t m, struct lh_error *error)
{
    const struct graph_media *media = &render->graph->media[m];
    const struct engine_render_job *job = render->job;
    enum lh_status status = engine_conform(render->media[m], media, render->graph->sample_rate, job->scratch_fd, render->media_offset[m],
                                           &job->progress->done, &job->progress->cancel, error);
    if (status != LH_OK) {
        return name_medium(media, status, error);
    }
    engine_media_close(render->media[m]);
    render->media[m] = NULL;
    return engine_media_open_scratch(job->scratch_fd, render->media_offset[m], media->channels, render->graph->sample_rate, media->length,
                                     &render->media[m]);
}

static void conform_work(void *context, uint32_t worker)
{
    struct render *render = context;
    uint64_t began = render->job->clock();
    for (;;) {
        uint32_t m = atomic_fetch_add_explicit(&render->next, 1, memory_order_relaxed);
        if (m >= render->graph->media_count || has_failed(render)) {
            break;
        }
        if (render->graph->media[m].conform == GRAPH_CONFORM_IN_PLACE) {
            continue;
        }
        struct lh_error error = LH_ERROR_INIT;
        enum lh_status status = conform_one(render, m, &error);
        if (status != LH_OK) {
            keep_failure(render, status, &error);
        }
    }
    render->times[worker].conform_ns += render->job->clock() - began;
}

static enum lh_status conform_media(struct render *render, struct lh_error *error)
{
    if (render->conformed == 0) {
        return LH_OK;
    }
    atomic_store(&render->next, 0);
    engine_pool_run(render->pool, conform_work, render);
    return take_failure(render, error);
}

/* ---- a pass ---- */

struct pass_run {
    struct render *render;
    struct engine_pass pass;
    struct engine_meter **meters; /* by chain; NULL but for METER */
    _Atomic int64_t blocks;       /* how many blocks the pass needs: lowered when every tail has ended */
    _Atomic uint32_t tails;       /* deliverables of the pass whose tail has not ended yet */
    _Atomic uint64_t done_blocks;
};

static enum lh_status meter_block(struct pass_run *run, uint32_t chain, int64_t block)
{
    const struct engine_plan *plan = run->pass.plan;
    const struct graph_deliverable *deliverable = &plan->graph->deliverables[plan->chains[chain].deliverable];
    int64_t stop = deliverable->end + engine_plan_tail(deliverable);
    int64_t from;
    int64_t to;
    engine_pass_frames(&run->pass, block, &from, &to);
    to = to < stop ? to : stop;
    if (from >= to) {
        return LH_OK;
    }
    const float *in = engine_pass_buffer(&run->pass, plan->chain_of_node[plan->chains[chain].node], block);
    return engine_meter_add(run->meters[chain], in, (size_t)(to - from));
}

static enum lh_status deliver_block(struct pass_run *run, uint32_t chain, int64_t block, struct lh_error *error)
{
    const struct engine_plan *plan = run->pass.plan;
    struct engine_delivery *delivery = &run->render->deliveries[plan->chains[chain].deliverable];
    bool was_over = delivery->ended;
    int64_t from;
    int64_t to;
    engine_pass_frames(&run->pass, block, &from, &to);
    const float *in = engine_pass_buffer(&run->pass, plan->chain_of_node[plan->chains[chain].node], block);
    enum lh_status status = engine_delivery_add(delivery, from, to, in, error);
    if (status != LH_OK && error != NULL && error->where[0] == '\0') {
        snprintf(error->where, sizeof error->where, "deliverable %s", delivery->deliverable->name);
    }
    bool over = delivery->ended || (to >= delivery->stop && from < delivery->stop);
    if (over && !was_over && atomic_fetch_sub_explicit(&run->tails, 1, memory_order_acq_rel) == 1) {
        atomic_store_explicit(&run->blocks, block + 1, memory_order_release);
    }
    return status;
}

static enum lh_status run_task(void *context, uint32_t worker, uint32_t chain, int64_t block, struct lh_error *error)
{
    struct pass_run *run = context;
    const struct engine_render_job *job = run->render->job;
    struct worker_times *times = &run->render->times[worker];
    uint64_t began = job->clock();
    uint64_t *spent = &times->mix_ns;
    enum lh_status status = LH_OK;
    switch (run->pass.plan->chains[chain].kind) {
    case ENGINE_CHAIN_MIX:
        status = engine_mix_block(&run->pass, worker, chain, block, error);
        break;
    case ENGINE_CHAIN_METER:
        spent = &times->meter_ns;
        status = meter_block(run, chain, block);
        break;
    case ENGINE_CHAIN_DELIVER:
        spent = &times->encode_ns;
        if (atomic_load_explicit(&job->progress->first_block_ns, memory_order_relaxed) == 0) {
            atomic_store_explicit(&job->progress->first_block_ns, began, memory_order_relaxed);
        }
        status = deliver_block(run, chain, block, error);
        if (status == LH_OK && chain + 1 == run->pass.plan->chain_count) {
            int64_t from;
            int64_t to;
            engine_pass_frames(&run->pass, block, &from, &to);
            atomic_fetch_add_explicit(&job->progress->done, (uint64_t)(to - from), memory_order_relaxed);
            atomic_fetch_add_explicit(&job->progress->frames, (uint64_t)(to - from), memory_order_relaxed);
        }
        break;
    }
    *spent += job->clock() - began;
    return status;
}

static void free_scratch(struct engine_scratch *scratch, uint32_t workers)
{
    for (uint32_t w = 0; scratch != NULL && w < workers; w++) {
        free(scratch[w].raw);
        free(scratch[w].region);
        free(scratch[w].value);
        free(scratch[w].mono);
        free(scratch[w].gain);
        free(scratch[w].clips);
        free(scratch[w].sum);
    }
    free(scratch);
}

/* A stride of `channels` samples of `size` bytes, on a cache line. */
static void *stride_buffer(uint32_t channels, size_t size)
{
    return aligned_alloc(64, (size_t)ENGINE_STRIDE_FRAMES * channels * size);
}

static struct engine_scratch *new_scratch(const struct graph *graph, uint32_t workers)
{
    uint32_t channels = 1;
    for (uint32_t n = 0; n < graph->node_count; n++) {
        channels = graph->nodes[n].channels > channels ? graph->nodes[n].channels : channels;
    }
    for (uint32_t m = 0; m < graph->media_count; m++) {
        channels = graph->media[m].channels > channels ? graph->media[m].channels : channels;
    }
    struct engine_scratch *scratch = calloc(workers, sizeof *scratch);
    bool whole = scratch != NULL;
    for (uint32_t w = 0; whole && w < workers; w++) {
        scratch[w].raw = stride_buffer(channels, sizeof(double));
        scratch[w].region = stride_buffer(channels, sizeof(float));
        scratch[w].value = stride_buffer(channels, sizeof(float));
        scratch[w].mono = stride_buffer(1, sizeof(float));
        scratch[w].gain = stride_buffer(channels, sizeof(float));
        scratch[w].clips = stride_buffer(channels, sizeof(int64_t));
        scratch[w].sum = stride_buffer(channels, sizeof(int64_t));
        whole = scratch[w].raw != NULL && scratch[w].region != NULL && scratch[w].value != NULL && scratch[w].mono != NULL &&
                scratch[w].gain != NULL && scratch[w].clips != NULL && scratch[w].sum != NULL;
    }
    if (!whole) {
        free_scratch(scratch, workers);
        return NULL;
    }
    return scratch;
}

/* Opens the deliveries and meters of the pass and counts what has to end. */
static enum lh_status open_ends(struct pass_run *run, struct lh_error *error)
{
    struct render *render = run->render;
    const struct engine_plan *plan = run->pass.plan;
    for (uint32_t c = 0; c < plan->chain_count; c++) {
        const struct engine_chain *chain = &plan->chains[c];
        enum lh_status status = LH_OK;
        if (chain->kind == ENGINE_CHAIN_METER) {
            status = engine_meter_new(render->graph->nodes[chain->node].channels, render->graph->sample_rate, &run->meters[c]);
            if (status != LH_OK) {
                return lh_error_no_memory(error);
            }
        } else if (chain->kind == ENGINE_CHAIN_DELIVER) {
            uint32_t d = chain->deliverable;
            uint64_t offset = render->scratch_size;
            render->scratch_size += engine_delivery_spill_bytes(render->graph, d);
            render->delivery_open[d] = true;
            status = engine_delivery_init(&render->deliveries[d], render->graph, d, render->job->output_fds[d], render->job->scratch_fd,
                                          offset, plan->block, render->job->report, error);
            if (status != LH_OK) {
                return status;
            }
            atomic_fetch_add(&run->tails, 1);
        }
    }
    return LH_OK;
}

/* Hands out what the METER chains found and ends the files that were encoded as they came. */
static enum lh_status close_ends(struct pass_run *run, struct lh_error *error)
{
    struct render *render = run->render;
    const struct engine_plan *plan = run->pass.plan;
    for (uint32_t c = 0; c < plan->chain_count; c++) {
        if (plan->chains[c].kind != ENGINE_CHAIN_DELIVER) {
            continue;
        }
        uint32_t d = plan->chains[c].deliverable;
        struct engine_delivery *delivery = &render->deliveries[d];
        if (plan->meter_of[d] != GRAPH_NONE) {
            engine_meter_get(run->meters[plan->meter_of[d]], &delivery->measured);
            delivery->has_loudness = true;
        }
        enum lh_status status = engine_delivery_end_pass(delivery, error);
        if (status != LH_OK) {
            return status;
        }
    }
    return LH_OK;
}

static enum lh_status run_blocks(struct pass_run *run, struct lh_error *error)
{
    struct render *render = run->render;
    const struct engine_plan *plan = run->pass.plan;
    uint32_t workers = engine_pool_threads(render->pool);
    run->pass.buffers = aligned_alloc(64, plan->slot_bytes * plan->slots + 64);
    run->pass.scratch = new_scratch(render->graph, workers);
    run->pass.decoders = calloc((size_t)render->graph->region_count + 1, sizeof *run->pass.decoders);
    run->meters = calloc((size_t)plan->chain_count + 1, sizeof *run->meters);
    enum lh_status status = LH_ERR_NO_MEMORY;
    if (run->pass.buffers != NULL && run->pass.scratch != NULL && run->pass.decoders != NULL && run->meters != NULL) {
        status = open_ends(run, error);
        if (status == LH_OK) {
            struct engine_tasks tasks = {
                .run = run_task, .context = run, .cancel = &render->job->progress->cancel, .done_blocks = &run->done_blocks};
            atomic_store(&run->blocks, plan->block_count);
            status = engine_schedule_run(plan, render->pool, &tasks, &run->blocks, error);
        }
        if (status == LH_OK) {
            status = close_ends(run, error);
        }
        for (uint32_t c = 0; c < plan->chain_count; c++) {
            engine_meter_free(run->meters[c]);
        }
        for (uint32_t r = 0; r < render->graph->region_count; r++) {
            engine_decoder_free(run->pass.decoders[r]);
        }
    } else {
        lh_error_no_memory(error);
    }
    free(run->meters);
    free(run->pass.decoders);
    free_scratch(run->pass.scratch, workers);
    free(run->pass.buffers);
    return status;
}

static enum lh_status run_pass(struct render *render, uint32_t first, struct lh_error *error)
{
    struct engine_plan_options options = {.media_streams = render->media_streams,
                                          .meter_in_pass = render->meter_in_pass,
                                          .threads = engine_pool_threads(render->pool),
                                          .block = render->job->block};
    struct engine_plan *plan;
    enum lh_status status = engine_plan_new(render->graph, first, &options, &plan, error);
    if (status != LH_OK) {
        return status;
    }
    struct pass_run run = {.render = render, .pass = {.sources = &render->sources, .plan = plan}};
    render->block = plan->block;
    render->slots = plan->slots;
    status = run_blocks(&run, error);
    engine_plan_free(plan);
    return status;
}

static enum lh_status run_passes(struct render *render, struct lh_error *error)
{
    const struct graph *graph = render->graph;
    for (uint32_t d = 0; d < graph->deliverable_count; d++) {
        bool seen = false;
        for (uint32_t e = 0; e < d && !seen; e++) {
            seen = engine_plan_same_pass(&graph->deliverables[e], &graph->deliverables[d]);
        }
        if (!seen) {
            enum lh_status status = run_pass(render, d, error);
            if (status != LH_OK) {
                return status;
            }
        }
    }
    return LH_OK;
}

/* ---- what waited ---- */

static void for_deferred(struct render *render, enum lh_status (*step)(struct render *, uint32_t, struct lh_error *))
{
    for (;;) {
        uint32_t d = atomic_fetch_add_explicit(&render->next, 1, memory_order_relaxed);
        if (d >= render->graph->deliverable_count || has_failed(render)) {
            break;
        }
        if (!render->deliveries[d].deferred) {
            continue;
        }
        struct lh_error error = LH_ERROR_INIT;
        enum lh_status status = step(render, d, &error);
        if (status != LH_OK) {
            if (error.where[0] == '\0') {
                snprintf(error.where, sizeof error.where, "deliverable %s", render->graph->deliverables[d].name);
            }
            keep_failure(render, status, &error);
        }
    }
}

static enum lh_status measure_one(struct render *render, uint32_t d, struct lh_error *error)
{
    return engine_delivery_measure(&render->deliveries[d], error);
}

static enum lh_status finish_one(struct render *render, uint32_t d, struct lh_error *error)
{
    uint32_t from = render->graph->deliverables[d].gain_from;
    if (from != GRAPH_NONE) {
        render->deliveries[d].gain_db = render->deliveries[from].gain_db;
    }
    return engine_delivery_finish(&render->deliveries[d], &render->job->progress->done, &render->job->progress->cancel, error);
}

static void measure_work(void *context, uint32_t worker)
{
    struct render *render = context;
    uint64_t began = render->job->clock();
    for_deferred(render, measure_one);
    render->times[worker].meter_ns += render->job->clock() - began;
}

static void finish_work(void *context, uint32_t worker)
{
    struct render *render = context;
    uint64_t began = render->job->clock();
    for_deferred(render, finish_one);
    render->times[worker].encode_ns += render->job->clock() - began;
}

static enum lh_status finish_deferred(struct render *render, struct lh_error *error)
{
    atomic_store(&render->next, 0);
    engine_pool_run(render->pool, measure_work, render);
    enum lh_status status = take_failure(render, error);
    if (status == LH_OK) {
        atomic_store(&render->next, 0);
        engine_pool_run(render->pool, finish_work, render);
        status = take_failure(render, error);
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

/* Units of work for the progress bar: frames conformed, frames of each pass, frames of what is finished afterwards. */
static uint64_t count_work(const struct graph *graph)
{
    uint64_t total = 0;
    for (uint32_t m = 0; m < graph->media_count; m++) {
        total += graph->media[m].conform != GRAPH_CONFORM_IN_PLACE ? graph->media[m].length : 0;
    }
    for (uint32_t d = 0; d < graph->deliverable_count; d++) {
        const struct graph_deliverable *deliverable = &graph->deliverables[d];
        uint64_t frames = (uint64_t)(deliverable->end - deliverable->start);
        uint64_t longest = frames + (uint64_t)engine_plan_tail(deliverable);
        bool seen = false;
        for (uint32_t e = 0; e < d && !seen; e++) {
            seen = engine_plan_same_pass(&graph->deliverables[e], deliverable);
        }
        total += (seen ? 0 : longest) + (engine_delivery_is_deferred(deliverable) ? frames : 0);
    }
    return total;
}

static enum lh_status prepare(struct render *render, struct lh_error *error)
{
    const struct graph *graph = render->graph;
    size_t media = (size_t)graph->media_count + 1;
    size_t deliverables = (size_t)graph->deliverable_count + 1;
    render->media = calloc(media, sizeof *render->media);
    render->media_offset = calloc(media, sizeof *render->media_offset);
    render->media_streams = calloc(media, sizeof *render->media_streams);
    render->reach = calloc((size_t)graph->region_count + 1, sizeof *render->reach);
    render->meter_in_pass = calloc(deliverables, sizeof *render->meter_in_pass);
    render->deliveries = calloc(deliverables, sizeof *render->deliveries);
    render->delivery_open = calloc(deliverables, sizeof *render->delivery_open);
    render->times = aligned_alloc(_Alignof(struct worker_times), render->job->threads * sizeof *render->times);
    if (render->media == NULL || render->media_offset == NULL || render->media_streams == NULL || render->reach == NULL ||
        render->meter_in_pass == NULL || render->deliveries == NULL || render->delivery_open == NULL || render->times == NULL) {
        return lh_error_no_memory(error);
    }
    memset(render->times, 0, render->job->threads * sizeof *render->times);
    fill_reach(graph, render->reach);
    for (uint32_t d = 0; d < graph->deliverable_count; d++) {
        render->meter_in_pass[d] = engine_delivery_meters_in_pass(&graph->deliverables[d], graph->sample_rate, render->job->report);
    }
    const struct engine_kernels *kernels = render->job->kernels != NULL ? render->job->kernels : engine_kernels_best();
    render->sources =
        (struct engine_sources){.graph = graph, .kernels = kernels, .media = render->media, .reach = render->reach};
    atomic_store_explicit(&render->job->progress->total, count_work(graph), memory_order_relaxed);
    return engine_pool_new(render->job->threads, &render->pool, error);
}

static void release(struct render *render)
{
    engine_pool_free(render->pool);
    for (uint32_t d = 0; render->delivery_open != NULL && d < render->graph->deliverable_count; d++) {
        if (render->delivery_open[d]) {
            engine_delivery_fini(&render->deliveries[d]);
        }
    }
    for (uint32_t m = 0; render->media != NULL && m < render->graph->media_count; m++) {
        engine_media_close(render->media[m]);
    }
    free(render->media);
    free(render->media_offset);
    free(render->media_streams);
    free(render->reach);
    free(render->meter_in_pass);
    free(render->deliveries);
    free(render->delivery_open);
    free(render->times);
}

static void report(const struct render *render, uint64_t began, struct engine_render_result *result)
{
    for (uint32_t d = 0; d < render->graph->deliverable_count; d++) {
        const struct engine_delivery *delivery = &render->deliveries[d];
        result->delivered[d] = (struct engine_delivered){.file = delivery->encoded,
                                                         .has_loudness = delivery->has_loudness,
                                                         .measured = delivery->measured,
                                                         .reached = delivery->reached,
                                                         .gain_db = delivery->gain_db,
                                                         .tail_frames = delivery->tail_frames};
    }
    result->times = (struct engine_times){.wall = (double)(render->job->clock() - began) * 1e-9};
    for (uint32_t w = 0; w < render->job->threads; w++) {
        result->times.conform += (double)render->times[w].conform_ns * 1e-9;
        result->times.mix += (double)render->times[w].mix_ns * 1e-9;
        result->times.meter += (double)render->times[w].meter_ns * 1e-9;
        result->times.encode += (double)render->times[w].encode_ns * 1e-9;
    }
    result->block = render->block;
    result->blocks_in_flight = render->slots;
    result->conformed_media = render->conformed;
}

enum lh_status engine_render(const struct engine_render_job *job, struct engine_render_result *result, struct lh_error *error)
{
    struct render render = {.job = job, .graph = job->graph, .status = LH_OK, .fault_mutex = PTHREAD_MUTEX_INITIALIZER};
    uint64_t began = job->clock();
    enum lh_status status = prepare(&render, error);
    if (status == LH_OK) {
        status = open_media(&render, error);
    }
    if (status == LH_OK) {
        status = conform_media(&render, error);
    }
    if (status == LH_OK) {
        status = run_passes(&render, error);
    }
    if (status == LH_OK) {
        status = finish_deferred(&render, error);
    }
    if (status == LH_OK) {
        report(&render, began, result);
    }
    release(&render);
    return status;
}
