/* SPDX-License-Identifier: MIT */
/* What must always hold between two steps, looked at from scratch: the numbers are those of docs/farm.md. */
#include "pulse-daemon/farm/check.h"

#include <stdio.h>
#include <stdlib.h>

#include "pulse-daemon/farm/need.h"

#define WHERE_SIZE 64

enum lh_status pulse_farm_broken(struct lh_error *error, const char *kind, uint64_t id, const char *what)
{
    char where[WHERE_SIZE];
    snprintf(where, sizeof where, "%s %llu", kind, (unsigned long long)id);
    return lh_error_set(error, LH_ERR_INTERNAL, where, "%s", what);
}

/* ---- Outputs ---- */

static bool makes(const struct pulse_farm_shard_entry *shard, const struct pulse_farm_output *output)
{
    for (size_t i = 0; i < shard->output_count; i++) {
        if (shard->outputs[i] == output) {
            return true;
        }
    }
    return false;
}

static enum lh_status check_output(const struct pulse_farm *farm, const struct pulse_farm_output *output,
                                   struct lh_error *error)
{
    const struct pulse_farm_shard_entry *maker = output->maker;
    if ((output->state == PULSE_FARM_PROMISED) != (maker != NULL)) {
        return pulse_farm_broken(error, "output of shard", output->shard,
                                 "(3) a promise that nobody made, or a maker without one");
    }
    if (maker != NULL && (!pulse_farm_is_live(maker) || !makes(maker, output) || maker->id != output->shard ||
                          pulse_farm_find_shard(farm, maker->id) != maker)) {
        return pulse_farm_broken(error, "output of shard", output->shard,
                                 "(3) its promise is not kept by a live shard");
    }
    if (output->edges == NULL && output->wants == NULL && output->makers == 0) {
        return pulse_farm_broken(error, "output of shard", output->shard, "(12) it is held for nobody");
    }
    return LH_OK;
}

/* ---- Shards ---- */

static enum lh_status check_inputs(const struct pulse_farm_shard_entry *shard, struct lh_error *error)
{
    uint32_t absent = 0;
    for (size_t i = 0; i < shard->input_count; i++) {
        const struct pulse_farm_output *output = shard->inputs[i].output;
        if (output == NULL) {
            return pulse_farm_broken(error, "shard", shard->id, "it lives, but an input is unlinked");
        }
        absent += output->state != PULSE_FARM_PRESENT;
        if (output->state == PULSE_FARM_ABSENT && shard->state != PULSE_SHARD_CLAIMED) {
            return pulse_farm_broken(error, "shard", shard->id, "(4) it waits for what nobody has promised");
        }
    }
    if (absent != shard->absent) {
        return pulse_farm_broken(error, "shard", shard->id, "the count of its absent inputs is wrong");
    }
    return LH_OK;
}

static enum lh_status check_state(const struct pulse_farm_shard_entry *shard, struct lh_error *error)
{
    bool timed = shard->timer.place != PULSE_HEAP_NONE, claimed = shard->claim != NULL, queued = shard->lane != NULL;
    bool ok = false;
    switch ((enum pulse_shard_state)shard->state) {
    case PULSE_SHARD_WAITING:
        ok = shard->absent > 0 && !timed && !claimed && !queued;
        break;
    case PULSE_SHARD_READY:
        ok = shard->absent == 0 && !claimed && timed != queued;
        break;
    case PULSE_SHARD_CLAIMED:
        ok = claimed && timed && !queued && shard->attempt > 0 && shard->claim->shard == shard;
        break;
    case PULSE_SHARD_DONE:
    case PULSE_SHARD_FAILED:
    case PULSE_SHARD_CANCELLED:
        break;
    }
    return ok ? LH_OK : pulse_farm_broken(error, "shard", shard->id, "(5) it is not where its state says");
}

static enum lh_status check_shard(const struct pulse_farm *farm, const struct pulse_farm_shard_entry *shard,
                                  struct lh_error *error)
{
    if (!pulse_farm_is_live(shard) || shard->id > farm->last_shard) {
        return pulse_farm_broken(error, "shard", shard->id, "it has ended, or its id was never given");
    }
    if (shard->settle_place != PULSE_HEAP_NONE) {
        return pulse_farm_broken(error, "shard", shard->id, "it was left unsettled");
    }
    uint64_t urgency = pulse_farm_urgency(shard);
    if (urgency == PULSE_FARM_URGENCY_NONE) {
        return pulse_farm_broken(error, "shard", shard->id, "(6) nobody waits for it");
    }
    if (urgency != shard->urgency) {
        return pulse_farm_broken(error, "shard", shard->id, "(7) it is not as urgent as the most urgent who wait");
    }
    enum lh_status status = check_inputs(shard, error);
    return status == LH_OK ? check_state(shard, error) : status;
}

/* ---- Jobs ---- */

static bool place_fits(const struct pulse_farm_job *job)
{
    bool in_heap = job->place != PULSE_HEAP_NONE;
    switch (job->state) {
    case PULSE_JOB_QUEUED:
        return job->phase == PULSE_FARM_IN_QUEUE && in_heap;
    case PULSE_JOB_PLANNING:
        return job->phase == PULSE_FARM_IN_QUEUE
                   ? in_heap
                   : !in_heap && (job->phase == PULSE_FARM_WITH_PLANNER ||
                                  (job->phase == PULSE_FARM_FOR_FACTS && job->absent > 0));
    case PULSE_JOB_RUNNING:
        return job->phase == PULSE_FARM_NO_PLANNING && !in_heap && job->absent > 0;
    case PULSE_JOB_SUCCEEDED:
    case PULSE_JOB_FAILED:
    case PULSE_JOB_CANCELLED:
        break;
    }
    return false;
}

static enum lh_status check_job(const struct pulse_farm_job *job, struct lh_error *error)
{
    uint32_t absent = 0;
    bool waits_for_outputs = job->state == PULSE_JOB_RUNNING || job->phase == PULSE_FARM_FOR_FACTS;
    for (size_t i = 0; i < job->want_count; i++) {
        const struct pulse_farm_output *output = job->wants[i]->output;
        absent += output->state != PULSE_FARM_PRESENT;
        if (waits_for_outputs && output->state == PULSE_FARM_ABSENT) {
            return pulse_farm_broken(error, "job", job->id, "(1) it waits for what nobody has promised");
        }
    }
    if (absent != job->absent) {
        return pulse_farm_broken(error, "job", job->id, "the count of its absent outputs is wrong");
    }
    bool to_be_planned = job->phase == PULSE_FARM_IN_QUEUE || job->phase == PULSE_FARM_WITH_PLANNER;
    if (job->replans > PULSE_FARM_REPLANS || (job->renewed && !to_be_planned)) {
        return pulse_farm_broken(error, "job", job->id, "(14) it goes round too often, or rounds of it do not count");
    }
    return place_fits(job) ? LH_OK : pulse_farm_broken(error, "job", job->id, "(1) nothing is under way for it");
}

/* ---- Chains ---- */

static int compare_shards(const void *a, const void *b)
{
    uint64_t x = (*(struct pulse_farm_shard_entry *const *)a)->id, y = (*(struct pulse_farm_shard_entry *const *)b)->id;
    return x < y ? -1 : x > y;
}

/* Whether what waits hangs, in the end, on something that can run: shards whose inputs are all made are taken away
   until none is left. Returns how many were. `left`: by place in `shards`, which are sorted by id. */
static size_t unravel(struct pulse_farm_shard_entry *const *shards, size_t count, uint32_t *left, size_t *stack)
{
    size_t depth = 0, gone = 0;
    for (size_t i = 0; i < count; i++) {
        left[i] = shards[i]->state == PULSE_SHARD_WAITING ? shards[i]->absent : 0;
        if (left[i] == 0) {
            stack[depth++] = i;
        }
    }
    while (depth > 0) {
        const struct pulse_farm_shard_entry *shard = shards[stack[--depth]];
        gone++;
        for (size_t i = 0; i < shard->output_count; i++) {
            const struct pulse_farm_output *output = shard->outputs[i];
            for (const struct pulse_farm_edge *edge = output->maker == shard ? output->edges : NULL; edge != NULL;
                 edge = edge->next) {
                struct pulse_farm_shard_entry *const *found =
                    bsearch(&edge->shard, shards, count, sizeof *shards, compare_shards);
                size_t at = found == NULL ? 0 : (size_t)(found - shards);
                if (found != NULL && left[at] > 0 && --left[at] == 0) {
                    stack[depth++] = at;
                }
            }
        }
    }
    return gone;
}

static enum lh_status check_chains(const struct pulse_farm *farm, struct lh_error *error)
{
    size_t count = farm->shards.count, n = 0;
    struct lh_arena arena;
    lh_arena_init(&arena);
    struct pulse_farm_shard_entry **shards = lh_arena_array(&arena, count, sizeof *shards), *shard;
    uint32_t *left = lh_arena_array(&arena, count, sizeof *left);
    size_t *stack = lh_arena_array(&arena, count, sizeof *stack);
    enum lh_status status = LH_ERR_NO_MEMORY;
    if (shards != NULL && left != NULL && stack != NULL) {
        for (size_t at = 0; (shard = pulse_table_next(&farm->shards, &at)) != NULL;) {
            shards[n++] = shard;
        }
        if (n > 1) {
            qsort(shards, n, sizeof *shards, compare_shards);
        }
        status = unravel(shards, n, left, stack) == n
                     ? LH_OK
                     : pulse_farm_broken(error, "shard", 0, "(2) shards wait for each other in a circle");
    }
    lh_arena_fini(&arena);
    return status;
}

enum lh_status pulse_farm_check(const struct pulse_farm *farm, struct lh_error *error)
{
    const struct pulse_farm_output *output;
    const struct pulse_farm_shard_entry *shard;
    const struct pulse_farm_job *job;
    size_t states[PULSE_SHARD_CANCELLED + 1] = {0}, planning = 0, queued = 0;
    enum lh_status status = LH_OK;
    for (size_t at = 0; status == LH_OK && (output = pulse_table_next(&farm->outputs, &at)) != NULL;) {
        status = check_output(farm, output, error);
    }
    for (size_t at = 0; status == LH_OK && (shard = pulse_table_next(&farm->shards, &at)) != NULL;) {
        status = check_shard(farm, shard, error);
        states[shard->state]++;
    }
    for (size_t at = 0; status == LH_OK && (job = pulse_table_next(&farm->jobs, &at)) != NULL;) {
        status = check_job(job, error);
        planning += job->phase == PULSE_FARM_WITH_PLANNER;
        queued += job->phase == PULSE_FARM_IN_QUEUE;
    }
    for (size_t i = 0; status == LH_OK && i <= PULSE_SHARD_CANCELLED; i++) {
        if (states[i] != farm->states[i]) {
            status = pulse_farm_broken(error, "state", i, "the count of shards in it is wrong");
        }
    }
    if (status == LH_OK && (planning != farm->planning || queued != farm->queued || planning > farm->options.plans)) {
        status = pulse_farm_broken(error, "planner", planning, "it has more than it may, or than is counted");
    }
    if (status == LH_OK && planning == 0 && queued > 0 && farm->shards.count < farm->options.shards_most) {
        status = pulse_farm_broken(error, "planner", 0, "(1) it has nothing to do, but jobs wait for it");
    }
    status = status == LH_OK ? check_chains(farm, error) : status;
    status = status == LH_OK ? pulse_farm_check_crew(farm, error) : status;
    return status == LH_OK ? pulse_farm_check_queue(farm, error) : status;
}
