/* SPDX-License-Identifier: MIT */
/* From the compiled graph to shards: the latencies that decide where it may be cut are looked up, or asked for first.
 */
#include <string.h>

#include "pulse-daemon/service/plan_job.h"

#define LATENCY_BYTES 4

static enum lh_status find_digests(struct pulse_job_plan *plan)
{
    const struct graph *graph = plan->compiled->graph;
    plan->media_digests = lh_arena_array(&plan->arena, graph->media_count, sizeof *plan->media_digests);
    for (uint32_t i = 0; plan->media_digests != NULL && i < graph->media_count; i++) {
        plan->media_digests[i] = plan->media[plan->compiled->media[i]].digest;
    }
    return plan->media_digests != NULL ? LH_OK : LH_ERR_NO_MEMORY;
}

static bool *find_wanted(struct pulse_job_plan *plan)
{
    const struct graph *graph = plan->compiled->graph;
    bool *wanted = lh_arena_array(&plan->arena, graph->deliverable_count, sizeof *wanted);
    for (uint32_t i = 0; wanted != NULL && i < graph->deliverable_count; i++) {
        wanted[i] = plan->compiled->outputs[i].wanted;
    }
    return wanted;
}

struct answers {
    struct pulse_latencies *latencies;
    const struct pulse_latency_ask *asks;
    bool *known;
};

/* What a shard without frames found out stands beside its output (service/workers_results.c). */
static enum lh_status take_answer(void *context, size_t index, const struct pulse_output_row *output)
{
    struct answers *answers = context;
    if (output->state != PULSE_OUTPUT_PRESENT || output->facts_size != LATENCY_BYTES) {
        return LH_OK;
    }
    const uint8_t *bytes = output->facts;
    uint32_t frames = 0;
    for (size_t i = 0; i < LATENCY_BYTES; i++) {
        frames |= (uint32_t)bytes[i] << (8 * i);
    }
    answers->known[index] = true;
    return pulse_latencies_add(answers->latencies, &answers->asks[index].key, frames);
}

/* Those that are known go into `latencies`; `asks` keeps the others. */
static enum lh_status look_up(struct pulse_planner *planner, struct pulse_job_plan *plan,
                              struct pulse_latencies *latencies, struct pulse_latency_ask *asks, size_t *count,
                              struct lh_error *error)
{
    struct lh_digest *keys = lh_arena_array(&plan->arena, *count, sizeof *keys);
    struct answers answers = {.latencies = latencies, .asks = asks};
    answers.known = lh_arena_array(&plan->arena, *count, sizeof *answers.known);
    if (keys == NULL || answers.known == NULL) {
        return lh_error_no_memory(error);
    }
    for (size_t i = 0; i < *count; i++) {
        keys[i] = asks[i].key;
    }
    enum lh_status status =
        pulse_store_outputs(planner->store, plan->tenant, keys, *count, take_answer, &answers, error);
    size_t kept = 0;
    for (size_t i = 0; status == LH_OK && i < *count; i++) {
        if (!answers.known[i]) {
            asks[kept++] = asks[i];
        }
    }
    *count = status == LH_OK ? kept : *count;
    return status;
}

/* Every latency that is wanted is in `latencies`, or *unknown of them are asked for by plan->plan. */
static enum lh_status find_latencies(struct pulse_planner *planner, struct pulse_job_plan *plan,
                                     const struct pulse_plan_options *options, struct pulse_latencies *latencies,
                                     size_t *unknown, struct lh_error *error)
{
    for (;;) {
        struct pulse_latency_ask *asks;
        size_t count, wanted;
        enum lh_status status = pulse_plan_asks(plan->compiled->graph, options, &plan->arena, &asks, &wanted, error);
        *unknown = count = status == LH_OK ? wanted : 0;
        if (status != LH_OK || wanted == 0) {
            return status;
        }
        status = look_up(planner, plan, latencies, asks, &count, error);
        *unknown = count;
        if (status != LH_OK || count == wanted) {
            return status == LH_OK ? pulse_plan_latencies(plan->compiled->graph, asks, count, &plan->plan, error)
                                   : status;
        }
    }
}

enum lh_status pulse_job_plan_cut(struct pulse_planner *planner, struct pulse_job_plan *plan, struct lh_error *error)
{
    struct pulse_latencies *latencies = NULL;
    const bool *wanted = find_wanted(plan);
    if (wanted == NULL || find_digests(plan) != LH_OK || pulse_latencies_new(&latencies) != LH_OK) {
        return lh_error_no_memory(error);
    }
    struct pulse_plan_options options = {
        .context = &plan->context,
        .media = plan->media_digests,
        .costs = planner->costs,
        .latencies = latencies,
        .slots = plan->crew.slots > 0 ? plan->crew.slots : 1,
        .wanted = wanted,
    };
    size_t unknown = 0;
    enum lh_status status = find_latencies(planner, plan, &options, latencies, &unknown, error);
    plan->again = unknown > 0;
    if (status == LH_OK && unknown == 0) {
        status = pulse_plan_new(plan->compiled->graph, &options, &plan->plan, error);
    }
    pulse_latencies_free(latencies);
    return status;
}
