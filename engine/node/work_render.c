/* SPDX-License-Identifier: MIT */
/* CONVERT and RENDER: both are a render; the first leaves its media in the scratch file. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "engine/node/work_parts.h"
#include "engine/run/conformed.h"

#define NS_PER_MS UINT64_C(1000000)

/* Descriptors by the graph's tables. */
struct tables {
    int *media, *conformed, *stored, *outputs;
    bool keeps; /* conformed media are given or wanted */
};

static enum lh_status lay_out(struct engine_job *job, struct tables *tables)
{
    struct lh_arena *arena = &job->attempt->assigned;
    const struct graph *graph = &job->graph;
    tables->media = lh_arena_array(arena, graph->media_count, sizeof(int));
    tables->conformed = lh_arena_array(arena, graph->media_count, sizeof(int));
    tables->stored = lh_arena_array(arena, graph->stored_count, sizeof(int));
    tables->outputs = lh_arena_array(arena, graph->deliverable_count, sizeof(int));
    if (tables->media == NULL || tables->conformed == NULL || tables->stored == NULL || tables->outputs == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    tables->keeps = job->shard.kind == GRAPH_SHARD_CONVERT;
    for (uint32_t i = 0; i < graph->deliverable_count; i++) {
        tables->outputs[i] = -1; /* measured only, unless an output names it */
    }
    for (size_t i = 0; i < job->shard.input_count; i++) {
        const struct graph_shard_input *input = &job->shard.inputs[i];
        if (input->kind == GRAPH_SHARD_STORED) {
            tables->stored[input->index] = job->inputs[i];
            continue;
        }
        bool conformed = input->kind == GRAPH_SHARD_CONFORMED;
        tables->media[input->index] = job->inputs[i]; /* of a conformed one nobody looks at the medium itself */
        tables->conformed[input->index] = conformed ? job->inputs[i] : -1;
        tables->keeps = tables->keeps || conformed;
    }
    for (size_t i = 0; i < job->shard.output_count; i++) {
        if (job->shard.outputs[i].kind != GRAPH_SHARD_OUT_CONFORMED) {
            tables->outputs[job->shard.outputs[i].index] = job->crates[i].fd;
        }
    }
    return LH_OK;
}

static bool on_progress(void *context, const struct engine_progress *progress)
{
    struct engine_job *job = context;
    struct engine_attempt *attempt = job->attempt;
    struct engine_spent *spent = &attempt->outcome.spent;
    uint64_t done = atomic_load_explicit(&progress->done, memory_order_relaxed);
    uint64_t total = atomic_load_explicit(&progress->total, memory_order_relaxed);
    spent->frames = atomic_load_explicit(&progress->frames, memory_order_relaxed);
    spent->first_block_ns = atomic_load_explicit(&progress->first_block_ns, memory_order_relaxed);
    atomic_store_explicit(&attempt->done, done, memory_order_relaxed);
    atomic_store_explicit(&attempt->total, total, memory_order_relaxed);
    return engine_job_goes_on(job);
}

/* What is told of a file is what people read of it; of what only shards read nothing is measured. */
static bool is_reported(const struct engine_job *job)
{
    for (size_t i = 0; i < job->shard.output_count; i++) {
        if (job->shard.outputs[i].kind == GRAPH_SHARD_OUT_FILE) {
            return true;
        }
    }
    return false;
}

/* Bytes of the scratch file before the medium. */
static uint64_t offset_of(const struct graph *graph, uint32_t medium)
{
    uint64_t offset = 0;
    for (uint32_t i = 0; i < medium; i++) {
        offset += engine_conformed_room(&graph->media[i]);
    }
    return offset;
}

static enum lh_status cannot_write(int code, struct lh_error *error)
{
    return lh_error_set(error, code == ENOSPC || code == EDQUOT ? LH_ERR_LIMIT : LH_ERR_IO, NULL,
                        "a converted medium cannot be written: %s", strerror(code));
}

static enum lh_status copy_conformed(struct engine_job *job, size_t output, struct lh_error *error)
{
    uint32_t medium = job->shard.outputs[output].index;
    off_t from = (off_t)offset_of(&job->graph, medium), to = 0;
    uint64_t left = engine_conformed_size(&job->graph.media[medium]);
    while (left > 0) {
        ssize_t copied = copy_file_range(job->scratch, &from, job->crates[output].fd, &to, left, 0);
        if (copied == 0 || (copied < 0 && errno != EINTR)) {
            return cannot_write(copied == 0 ? EIO : errno, error);
        }
        left -= copied > 0 ? (uint64_t)copied : 0;
        if (!engine_job_goes_on(job)) {
            return lh_error_set(error, LH_ERR_CANCELLED, NULL, "cancelled");
        }
    }
    return LH_OK;
}

/* A medium alone is converted right into its output, which then lacks nothing but its end. */
static bool is_in_place(const struct engine_job *job)
{
    return job->shard.kind == GRAPH_SHARD_CONVERT && job->graph.media_count == 1 && job->shard.output_count == 1;
}

static enum lh_status take_conformed(struct engine_job *job, struct lh_error *error)
{
    if (is_in_place(job)) {
        off_t size = (off_t)engine_conformed_size(&job->graph.media[0]);
        return ftruncate(job->crates[0].fd, size) == 0 ? LH_OK : cannot_write(errno, error);
    }
    for (size_t i = 0; i < job->shard.output_count; i++) {
        enum lh_status status =
            job->shard.outputs[i].kind == GRAPH_SHARD_OUT_CONFORMED ? copy_conformed(job, i, error) : LH_OK;
        if (status != LH_OK) {
            return status;
        }
    }
    return LH_OK;
}

static enum lh_status render(struct engine_job *job, const struct tables *tables, struct lh_error *error)
{
    struct engine_attempt *attempt = job->attempt;
    const struct graph *graph = &job->graph;
    const Wire__Limits *limits = attempt->assign->limits;
    struct engine_inserted *inserted = lh_arena_array(&attempt->arena, graph->insert_count, sizeof *inserted);
    job->delivered = lh_arena_array(&attempt->assigned, graph->deliverable_count, sizeof *job->delivered);
    if (inserted == NULL || job->delivered == NULL) {
        return lh_error_no_memory(error);
    }
    struct engine_instance_render question = {
        .graph = graph,
        .media_fds = tables->media,
        .conformed_fds = tables->keeps ? tables->conformed : NULL,
        .stored_fds = tables->stored,
        .output_fds = tables->outputs,
        .scratch_fd = is_in_place(job) ? job->crates[0].fd : job->scratch,
        .threads = limits != NULL && limits->has_threads ? limits->threads : job->tools->settings->threads,
        .report = is_reported(job),
        .on_progress = on_progress,
        .context = job,
        .abrupt = true,
    };
    struct engine_render_result result = {.delivered = job->delivered, .inserted = inserted};
    enum lh_status status = engine_instance_render(job->instance, &question, &result, error);
    if (status == LH_OK) {
        attempt->outcome.inserted = inserted;
        attempt->outcome.inserted_count = graph->insert_count;
        attempt->outcome.spent.times = result.times;
    }
    return status;
}

enum lh_status engine_job_render(struct engine_job *job, struct lh_error *error)
{
    struct tables tables;
    if (lay_out(job, &tables) != LH_OK) {
        return lh_error_no_memory(error);
    }
    enum lh_status status =
        is_in_place(job) ? LH_OK : engine_carrier_scratch(job->tools->carrier, &job->scratch, error);
    status = status == LH_OK ? render(job, &tables, error) : status;
    return status == LH_OK && job->shard.kind == GRAPH_SHARD_CONVERT ? take_conformed(job, error) : status;
}
