/* SPDX-License-Identifier: MIT */
/* A plan as the core takes it: shards with what their workers have to be, keys, encoded specs. */
#include <stdlib.h>
#include <string.h>

#include "graph/span.h"
#include "pulse-daemon/service/errors.h"
#include "pulse-daemon/service/plan_job.h"
#include "pulse-daemon/service/quota.h"
#include "pulse-daemon/service/tags.h"

#define MS 1000.0
#define LOSSY_BYTES_PER_SECOND 40000 /* of any quality, and more */
#define HEADER_BYTES 4096

/* ---- needs ---- */

static enum lh_status digest_needs(struct pulse_needs_row *needs)
{
    struct lh_writer writer;
    lh_writer_init(&writer);
    lh_writer_text(&writer, "loophole needs");
    lh_writer_text(&writer, needs->engine);
    lh_writer_text(&writer, needs->cpu_class);
    lh_writer_u32(&writer, (uint32_t)needs->tag_count);
    for (size_t i = 0; i < needs->tag_count; i++) {
        lh_writer_text(&writer, needs->tags[i]);
    }
    lh_writer_u32(&writer, (uint32_t)needs->plugin_count);
    for (size_t i = 0; i < needs->plugin_count; i++) {
        lh_writer_bytes(&writer, needs->plugins[i].bytes, sizeof needs->plugins[i].bytes);
    }
    enum lh_status status = lh_writer_status(&writer);
    status = status == LH_OK ? lh_digest_bytes(writer.data, writer.size, &needs->id) : status;
    lh_writer_fini(&writer);
    return status;
}

static struct pulse_needs_row *make_needs(struct lh_arena *arena, const struct pulse_job_plan *plan,
                                          const struct pulse_shard *shard)
{
    struct pulse_needs_row *needs = lh_arena_alloc(arena, sizeof *needs);
    struct lh_digest *plugins = lh_arena_array(arena, shard->plugin_count, sizeof *plugins);
    const char *const *tags;
    size_t tag_count;
    if (needs == NULL || plugins == NULL ||
        !pulse_tags_unite(arena, "", plan->tags, plan->tag_count, &tags, &tag_count)) {
        return NULL;
    }
    if (shard->plugin_count > 0) {
        memcpy(plugins, shard->plugins, shard->plugin_count * sizeof *plugins);
    }
    *needs = (struct pulse_needs_row){
        .engine = lh_arena_strdup(arena, plan->crew.engine),
        .cpu_class = lh_arena_strdup(arena, shard->cpu_class ? plan->crew.cpu_class : ""),
        .tags = tags,
        .tag_count = tag_count,
        .plugins = plugins,
        .plugin_count = shard->plugin_count,
    };
    bool good = needs->engine != NULL && needs->cpu_class != NULL;
    return good && digest_needs(needs) == LH_OK ? needs : NULL;
}

/* ---- shards ---- */

static enum pulse_shard_kind kind_of(enum graph_shard_kind kind)
{
    switch (kind) {
    case GRAPH_SHARD_PROBE:
        return PULSE_SHARD_PROBE;
    case GRAPH_SHARD_CONVERT:
        return PULSE_SHARD_CONVERT;
    case GRAPH_SHARD_RENDER:
        break;
    }
    return PULSE_SHARD_RENDER;
}

static enum pulse_output_kind output_kind_of(enum graph_shard_output_kind kind)
{
    switch (kind) {
    case GRAPH_SHARD_OUT_FILE:
        return PULSE_OUTPUT_FILE;
    case GRAPH_SHARD_OUT_STORED:
        return PULSE_OUTPUT_STORED;
    case GRAPH_SHARD_OUT_SUM:
        return PULSE_OUTPUT_SUM;
    case GRAPH_SHARD_OUT_CONFORMED:
        return PULSE_OUTPUT_CONFORMED;
    case GRAPH_SHARD_OUT_FACTS:
        break;
    }
    return PULSE_OUTPUT_FACTS;
}

/* How many bytes it will have at most, but for tags: what tenants' quotas count before it is there. */
static uint64_t estimate_file(const struct graph *graph, const struct graph_deliverable *deliverable)
{
    uint64_t channels = graph->nodes[deliverable->node].channels;
    double seconds =
        (double)(deliverable->end - deliverable->start + graph_deliverable_tail(deliverable)) / graph->sample_rate;
    double rate = deliverable->bit_depth > 0 ? (double)deliverable->rate * (double)channels * deliverable->bit_depth / 8
                  : deliverable->bitrate_kbps > 0 ? deliverable->bitrate_kbps * 125.0
                                                  : LOSSY_BYTES_PER_SECOND;
    return HEADER_BYTES + (uint64_t)(seconds * rate);
}

static uint64_t estimate(const struct graph *graph, const struct graph_shard_output *output)
{
    const struct graph_deliverable *deliverable = &graph->deliverables[output->index];
    struct graph_span span;
    switch (output->kind) {
    case GRAPH_SHARD_OUT_FILE:
        return estimate_file(graph, deliverable);
    case GRAPH_SHARD_OUT_STORED:
    case GRAPH_SHARD_OUT_SUM:
        span = graph_span_of(deliverable);
        return (uint64_t)(span.stop - span.begin) * graph->nodes[deliverable->node].channels *
               (output->kind == GRAPH_SHARD_OUT_SUM ? sizeof(int64_t) : sizeof(float));
    case GRAPH_SHARD_OUT_CONFORMED:
        return graph->media[output->index].length * graph->media[output->index].channels * sizeof(float);
    case GRAPH_SHARD_OUT_FACTS:
        break;
    }
    return 0;
}

static bool is_of_deliverable(enum graph_shard_output_kind kind)
{
    return kind == GRAPH_SHARD_OUT_FILE || kind == GRAPH_SHARD_OUT_STORED || kind == GRAPH_SHARD_OUT_SUM;
}

static bool fill_outputs(struct lh_arena *arena, const struct graph_shard *work, struct pulse_farm_shard *shard)
{
    struct pulse_farm_promise *outputs = lh_arena_array(arena, work->output_count, sizeof *outputs);
    size_t deliverables = work->graph != NULL ? work->graph->deliverable_count : 0;
    bool *unproven = lh_arena_array(arena, deliverables, sizeof *unproven);
    if (outputs == NULL || unproven == NULL ||
        (work->graph != NULL && graph_keys_unproven(work->graph, unproven) != LH_OK)) {
        return false;
    }
    for (size_t i = 0; i < work->output_count; i++) {
        outputs[i] = (struct pulse_farm_promise){
            .key = work->outputs[i].key,
            .kind = output_kind_of(work->outputs[i].kind),
            .unproven = is_of_deliverable(work->outputs[i].kind) && unproven[work->outputs[i].index],
            .size = work->graph != NULL ? estimate(work->graph, &work->outputs[i]) : 0,
        };
    }
    shard->outputs = outputs;
    shard->output_count = work->output_count;
    return true;
}

static bool fill_inputs(struct lh_arena *arena, const struct graph_shard *work, struct pulse_farm_shard *shard)
{
    struct lh_digest *inputs = lh_arena_array(arena, work->input_count, sizeof *inputs);
    for (size_t i = 0; inputs != NULL && i < work->input_count; i++) {
        if (work->inputs[i].kind == GRAPH_SHARD_CONFORMED || work->inputs[i].kind == GRAPH_SHARD_STORED) {
            inputs[shard->input_count++] = work->inputs[i].key;
        }
    }
    shard->inputs = inputs;
    return inputs != NULL;
}

static bool fill_spec(struct lh_arena *arena, const struct graph_shard *work, struct pulse_farm_shard *shard)
{
    struct lh_writer writer;
    lh_writer_init(&writer);
    bool good = graph_shard_encode(work, &writer) == LH_OK;
    void *spec = good ? lh_arena_alloc(arena, writer.size) : NULL;
    if (spec != NULL) {
        memcpy(spec, writer.data, writer.size);
    }
    shard->spec = spec;
    shard->spec_size = writer.size;
    lh_writer_fini(&writer);
    return spec != NULL;
}

static bool fill_shard(struct lh_arena *arena, const struct pulse_job_plan *plan, const struct pulse_shard *from,
                       struct pulse_farm_shard *to)
{
    double cost_ms = from->cost_seconds * MS;
    *to = (struct pulse_farm_shard){
        .kind = kind_of(from->work.kind),
        .needs = make_needs(arena, plan, from),
        .cost_ms = cost_ms < 1                ? 1
                   : cost_ms > UINT32_MAX / 2 ? UINT32_MAX / 2
                                              : (uint32_t)cost_ms,
    };
    return to->needs != NULL && fill_inputs(arena, &from->work, to) && fill_outputs(arena, &from->work, to) &&
           fill_spec(arena, &from->work, to);
}

/* ---- the event ---- */

/* Facts are wanted, all of them; of a plan the files that were asked for. */
static bool fill_wants(struct lh_arena *arena, const struct pulse_job_plan *plan, struct pulse_farm_plan *to)
{
    size_t most = 0;
    for (size_t i = 0; plan->again && i < to->shard_count; i++) {
        most += to->shards[i].output_count;
    }
    most = plan->again ? most : plan->compiled->graph->deliverable_count;
    struct lh_digest *wants = lh_arena_array(arena, most, sizeof *wants);
    if (wants == NULL) {
        return false;
    }
    for (size_t i = 0; plan->again && i < to->shard_count; i++) {
        for (size_t k = 0; k < to->shards[i].output_count; k++) {
            wants[to->want_count++] = to->shards[i].outputs[k].key;
        }
    }
    for (size_t i = 0; !plan->again && i < most; i++) {
        if (plan->compiled->outputs[i].wanted) {
            wants[to->want_count++] = plan->plan->deliverables[i];
        }
    }
    to->wants = wants;
    return true;
}

/* In the transaction that admits the plan: it has to fit into the tenant's quota, and which files the job delivers is
   kept with its request. */
static enum lh_status write_plan(struct pulse_task *task, const struct pulse_writing *writing, struct lh_error *error)
{
    const struct pulse_farm_event *event = &task->event;
    enum lh_status status = pulse_quota_plan(writing->store, event->tenant, &event->plan, &task->arena, error);
    return status == LH_OK && task->payload != NULL
               ? pulse_store_request_options(writing->store, event->tenant, task->job, task->payload, error)
               : status;
}

static bool fill_files(struct pulse_task *task, const struct pulse_job_plan *plan)
{
    struct lh_arena *arena = &task->arena;
    struct pulse_request request = plan->request;
    size_t count = plan->compiled->graph->deliverable_count;
    struct pulse_request_file *files = lh_arena_array(arena, count, sizeof *files);
    if (files == NULL) {
        return false;
    }
    request.files = files;
    request.file_count = 0;
    for (size_t i = 0; i < count; i++) {
        if (plan->compiled->outputs[i].wanted) {
            files[request.file_count++] = (struct pulse_request_file){.name = plan->compiled->outputs[i].file,
                                                                      .key = plan->plan->deliverables[i]};
        }
    }
    struct lh_writer writer;
    lh_writer_init(&writer);
    task->payload =
        pulse_request_write(&request, &writer) == LH_OK ? lh_arena_strdup(arena, (const char *)writer.data) : NULL;
    lh_writer_fini(&writer);
    return task->payload != NULL;
}

static bool fill_plan(struct pulse_task *task, const struct pulse_job_plan *plan)
{
    struct lh_arena *arena = &task->arena;
    struct pulse_farm_plan *to = &task->event.plan;
    struct pulse_farm_shard *shards = lh_arena_array(arena, plan->plan->shard_count, sizeof *shards);
    to->job = plan->job;
    to->again = plan->again;
    to->trace = lh_arena_strdup(arena, plan->record.request.trace);
    to->shards = shards;
    for (size_t i = 0; shards != NULL && i < plan->plan->shard_count; i++) {
        if (!fill_shard(arena, plan, &plan->plan->shards[i], &shards[i])) {
            return false;
        }
        to->shard_count++;
    }
    return shards != NULL && to->trace != NULL && fill_wants(arena, plan, to) &&
           (plan->again || fill_files(task, plan));
}

struct pulse_task *pulse_job_plan_task(const struct pulse_job_plan *plan)
{
    struct pulse_task *task = pulse_task_new(PULSE_TASK_EVENT);
    if (task == NULL) {
        return NULL;
    }
    task->job = plan->job;
    task->event.tenant = plan->tenant;
    bool good;
    if (plan->plan != NULL) {
        task->event.kind = PULSE_FARM_PLANNED;
        task->write = write_plan;
        good = fill_plan(task, plan);
    } else {
        task->event.kind = PULSE_FARM_PLAN_FAILED;
        task->event.job = (struct pulse_job_row){.id = plan->job, .tenant = plan->tenant, .error = ""};
        task->event.text = pulse_faults_json(&task->arena, &plan->faults);
        good = task->event.text != NULL;
    }
    if (!good) {
        pulse_task_free(task);
        return NULL;
    }
    return task;
}
