/* SPDX-License-Identifier: MIT */
/* Links between jobs, outputs and shards, and what follows from them. */
#include "pulse-daemon/farm/need.h"

#include "pulse-daemon/farm/emit.h"
#include "pulse-daemon/farm/queue.h"
#include "pulse-daemon/farm/task.h"

#define WANTS_FIRST 4

/* ---- Links ---- */

void pulse_farm_output_loosen(struct pulse_farm *farm, struct pulse_farm_output *output)
{
    if (!output->loose && output->edges == NULL && output->wants == NULL && output->makers == 0) {
        output->loose = pulse_farm_append(farm, &farm->outputs_loose, output);
    }
}

static void unsettle_maker(struct pulse_farm *farm, const struct pulse_farm_output *output)
{
    if (output->maker != NULL) {
        pulse_farm_unsettle(farm, output->maker);
    }
}

void pulse_farm_edge_link(struct pulse_farm_shard_entry *shard, size_t input, struct pulse_farm_output *output)
{
    struct pulse_farm_edge *edge = &shard->inputs[input];
    *edge = (struct pulse_farm_edge){.shard = shard, .output = output, .next = output->edges};
    if (edge->next != NULL) {
        edge->next->previous = edge;
    }
    output->edges = edge;
    shard->absent += output->state != PULSE_FARM_PRESENT;
}

void pulse_farm_edges_unlink(struct pulse_farm *farm, struct pulse_farm_shard_entry *shard)
{
    for (size_t i = 0; i < shard->input_count; i++) {
        struct pulse_farm_edge *edge = &shard->inputs[i];
        struct pulse_farm_output *output = edge->output;
        if (output == NULL) {
            continue;
        }
        if (edge->previous != NULL) {
            edge->previous->next = edge->next;
        } else {
            output->edges = edge->next;
        }
        if (edge->next != NULL) {
            edge->next->previous = edge->previous;
        }
        edge->output = NULL;
        unsettle_maker(farm, output);
        pulse_farm_output_loosen(farm, output);
    }
}

bool pulse_farm_want_link(struct pulse_farm *farm, struct pulse_farm_job *job, struct pulse_farm_output *output)
{
    for (const struct pulse_farm_want *want = output->wants; want != NULL; want = want->next) {
        if (want->job == job) {
            return true;
        }
    }
    if (job->want_count == job->want_room) {
        uint32_t room = job->want_room == 0 ? WANTS_FIRST : job->want_room * 2;
        struct pulse_farm_want **wants = pulse_farm_take(farm, room * sizeof *wants);
        if (wants == NULL) {
            return false;
        }
        for (size_t i = 0; i < job->want_count; i++) {
            wants[i] = job->wants[i];
        }
        pulse_farm_give(farm, job->wants, job->want_room * sizeof *wants);
        job->wants = wants;
        job->want_room = room;
    }
    struct pulse_farm_want *want = pulse_farm_take(farm, sizeof *want);
    if (want == NULL) {
        return false;
    }
    *want = (struct pulse_farm_want){.job = job, .output = output, .next = output->wants};
    if (want->next != NULL) {
        want->next->previous = want;
    }
    output->wants = want;
    job->wants[job->want_count++] = want;
    job->absent += output->state != PULSE_FARM_PRESENT;
    unsettle_maker(farm, output);
    return true;
}

void pulse_farm_want_unlink(struct pulse_farm *farm, struct pulse_farm_job *job, size_t index)
{
    struct pulse_farm_want *want = job->wants[index];
    struct pulse_farm_output *output = want->output;
    if (want->previous != NULL) {
        want->previous->next = want->next;
    } else {
        output->wants = want->next;
    }
    if (want->next != NULL) {
        want->next->previous = want->previous;
    }
    job->wants[index] = job->wants[--job->want_count];
    job->absent -= output->state != PULSE_FARM_PRESENT;
    pulse_farm_give(farm, want, sizeof *want);
    unsettle_maker(farm, output);
    pulse_farm_output_loosen(farm, output);
}

void pulse_farm_wants_unlink(struct pulse_farm *farm, struct pulse_farm_job *job)
{
    while (job->want_count > 0) {
        pulse_farm_want_unlink(farm, job, job->want_count - 1);
    }
    pulse_farm_give(farm, job->wants, job->want_room * sizeof(struct pulse_farm_want *));
    job->wants = NULL;
    job->want_room = 0;
}

/* ---- Settling ---- */

static bool settle_before(const void *a, const void *b)
{
    /* Who waits mostly has the higher id, and is to be right before those it waits for look at it. */
    return ((const struct pulse_farm_shard_entry *)a)->id > ((const struct pulse_farm_shard_entry *)b)->id;
}

static uint32_t *settle_place(void *item)
{
    return &((struct pulse_farm_shard_entry *)item)->settle_place;
}

const struct pulse_heap_order pulse_farm_settle_order = {settle_before, settle_place};

void pulse_farm_unsettle(struct pulse_farm *farm, struct pulse_farm_shard_entry *shard)
{
    if (shard->settle_place == PULSE_HEAP_NONE && pulse_farm_is_live(shard)) {
        pulse_farm_push(farm, &farm->settle, shard);
    }
}

/* The most urgent of those who wait, and the longest chain of shards that hangs on it. */
static uint64_t look_up(const struct pulse_farm_shard_entry *shard, uint32_t *tail_ms)
{
    uint64_t urgency = PULSE_FARM_URGENCY_NONE;
    uint32_t tail = 0;
    for (size_t i = 0; i < shard->output_count; i++) {
        const struct pulse_farm_output *output = shard->outputs[i];
        if (output == NULL || output->maker != shard) {
            continue;
        }
        for (const struct pulse_farm_want *want = output->wants; want != NULL; want = want->next) {
            urgency = want->job->urgency < urgency ? want->job->urgency : urgency;
        }
        for (const struct pulse_farm_edge *edge = output->edges; edge != NULL; edge = edge->next) {
            urgency = edge->shard->urgency < urgency ? edge->shard->urgency : urgency;
            tail = edge->shard->tail_ms > tail ? edge->shard->tail_ms : tail;
        }
    }
    *tail_ms = tail > UINT32_MAX - shard->cost_ms ? UINT32_MAX : tail + shard->cost_ms;
    return urgency;
}

uint64_t pulse_farm_urgency(const struct pulse_farm_shard_entry *shard)
{
    uint32_t tail = 0;
    return look_up(shard, &tail);
}

static void settle(struct pulse_farm *farm, struct pulse_farm_shard_entry *shard)
{
    uint32_t tail = 0;
    uint64_t urgency = look_up(shard, &tail);
    if (urgency == PULSE_FARM_URGENCY_NONE) {
        pulse_farm_task_cancel(farm, shard, "nobody waits for it any more");
        return;
    }
    if (urgency == shard->urgency && tail == shard->tail_ms) {
        return;
    }
    bool queued = shard->lane != NULL;
    if (queued) {
        pulse_farm_queue_take(farm, shard);
    }
    shard->urgency = urgency;
    shard->tail_ms = tail;
    if (queued) {
        pulse_farm_queue_put(farm, shard);
    }
    for (size_t i = 0; i < shard->input_count; i++) {
        if (shard->inputs[i].output != NULL) {
            unsettle_maker(farm, shard->inputs[i].output);
        }
    }
}

void pulse_farm_settle(struct pulse_farm *farm)
{
    struct pulse_farm_shard_entry *shard;
    while ((shard = pulse_heap_first(&farm->settle)) != NULL) {
        pulse_heap_remove(&farm->settle, shard);
        if (pulse_farm_is_live(shard) && !farm->no_memory) {
            settle(farm, shard);
        }
    }
}

/* ---- Walks ---- */

static void visit_shard(struct pulse_farm *farm, struct pulse_farm_shard_entry *shard)
{
    if (shard != NULL && shard->mark != farm->mark) {
        shard->mark = farm->mark;
        pulse_farm_append(farm, &farm->walk, shard);
    }
}

void pulse_farm_waiters(struct pulse_farm *farm, struct pulse_farm_shard_entry *const *shards, size_t count)
{
    farm->mark++;
    farm->found.count = 0;
    farm->walk.count = 0; /* the first `count` are read before they are written over */
    for (size_t i = 0; i < count; i++) {
        visit_shard(farm, shards[i]);
    }
    for (size_t i = 0; i < farm->walk.count; i++) {
        const struct pulse_farm_shard_entry *shard = farm->walk.items[i];
        for (size_t k = 0; k < shard->output_count; k++) {
            const struct pulse_farm_output *output = shard->outputs[k];
            if (output == NULL || output->maker != shard) {
                continue;
            }
            for (const struct pulse_farm_want *want = output->wants; want != NULL; want = want->next) {
                if (want->job->mark != farm->mark) {
                    want->job->mark = farm->mark;
                    pulse_farm_append(farm, &farm->found, want->job);
                }
            }
            for (const struct pulse_farm_edge *edge = output->edges; edge != NULL; edge = edge->next) {
                visit_shard(farm, edge->shard);
            }
        }
    }
}

void pulse_farm_waited(struct pulse_farm *farm, const struct pulse_farm_job *job)
{
    farm->mark++;
    farm->walk.count = 0;
    for (size_t i = 0; i < job->want_count; i++) {
        visit_shard(farm, job->wants[i]->output->maker);
    }
    for (size_t i = 0; i < farm->walk.count; i++) {
        const struct pulse_farm_shard_entry *shard = farm->walk.items[i];
        for (size_t k = 0; k < shard->input_count; k++) {
            if (shard->inputs[k].output != NULL) {
                visit_shard(farm, shard->inputs[k].output->maker);
            }
        }
    }
}
