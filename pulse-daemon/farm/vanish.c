/* SPDX-License-Identifier: MIT */
/* Outputs that come, and outputs that go again. */
#include "pulse-daemon/farm/emit.h"
#include "pulse-daemon/farm/job.h"
#include "pulse-daemon/farm/need.h"
#include "pulse-daemon/farm/task.h"

void pulse_farm_output_present(struct pulse_farm *farm, struct pulse_farm_output *output,
                               const struct pulse_farm_result *result)
{
    struct pulse_farm_shard_entry *maker = output->maker;
    output->state = PULSE_FARM_PRESENT;
    output->maker = NULL;
    output->digest = result->digest;
    output->size = result->size;
    output->facts = result->facts;
    output->facts_size = result->facts_size;
    pulse_farm_output_changed(farm, output);
    if (maker != NULL) {
        pulse_farm_unsettle(farm, maker);
    }
    for (struct pulse_farm_edge *edge = output->edges; edge != NULL; edge = edge->next) {
        if (--edge->shard->absent == 0 && edge->shard->state == PULSE_SHARD_WAITING) {
            pulse_farm_task_place(farm, edge->shard, 0);
        }
    }
    /* A job that is satisfied unlinks its wants, this one among them. */
    for (struct pulse_farm_want *want = output->wants, *next; want != NULL; want = next) {
        next = want->next;
        if (--want->job->absent == 0) {
            pulse_farm_job_satisfied(farm, want->job);
        }
    }
}

/* Adds to farm->walk, from index 0 on, what cannot go on without those that are there. */
static void spread(struct pulse_farm *farm)
{
    for (size_t i = 0; i < farm->walk.count; i++) {
        const struct pulse_farm_shard_entry *shard = farm->walk.items[i];
        for (size_t k = 0; k < shard->output_count; k++) {
            const struct pulse_farm_output *output = shard->outputs[k];
            if (output == NULL || output->maker != shard) {
                continue;
            }
            for (const struct pulse_farm_edge *edge = output->edges; edge != NULL; edge = edge->next) {
                if (edge->shard->mark != farm->mark && edge->shard->state != PULSE_SHARD_CLAIMED) {
                    edge->shard->mark = farm->mark;
                    pulse_farm_append(farm, &farm->walk, edge->shard);
                }
            }
        }
    }
}

static void add_job(struct pulse_farm *farm, struct pulse_farm_job *job)
{
    if (job->mark != farm->mark) {
        job->mark = farm->mark;
        pulse_farm_append(farm, &farm->found, job);
    }
}

/* What still runs or waits for the shards that are undone will be needed again: a job holds it until it is planned. */
static void hold_inputs(struct pulse_farm *farm, struct pulse_farm_job *job,
                        struct pulse_farm_shard_entry *const *shards, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < shards[i]->input_count; k++) {
            struct pulse_farm_output *output = shards[i]->inputs[k].output;
            if (output->state == PULSE_FARM_PROMISED) {
                pulse_farm_want_link(farm, job, output);
                pulse_farm_emit_want(farm, PULSE_CHANGE_WANT, job, &output->key);
            }
        }
    }
}

void pulse_farm_task_undo(struct pulse_farm *farm, const struct pulse_farm_output *vanished,
                          struct pulse_farm_shard_entry *const *shards, size_t count)
{
    farm->mark++;
    farm->walk.count = 0;
    for (size_t i = 0; i < count; i++) {
        if (shards[i]->mark != farm->mark) {
            shards[i]->mark = farm->mark;
            pulse_farm_append(farm, &farm->walk, shards[i]);
        }
    }
    spread(farm);
    size_t doomed_count = farm->walk.count;
    struct pulse_farm_shard_entry **doomed = pulse_farm_scratch(farm, doomed_count, sizeof *doomed);
    if (doomed == NULL) {
        return;
    }
    for (size_t i = 0; i < doomed_count; i++) {
        doomed[i] = farm->walk.items[i];
    }
    pulse_farm_waiters(farm, doomed, doomed_count);
    for (const struct pulse_farm_want *want = vanished == NULL ? NULL : vanished->wants; want != NULL;
         want = want->next) {
        add_job(farm, want->job);
    }
    size_t job_count = farm->found.count;
    struct pulse_farm_job **jobs = pulse_farm_scratch(farm, job_count, sizeof *jobs);
    if (jobs == NULL) {
        return;
    }
    for (size_t i = 0; i < job_count; i++) {
        jobs[i] = farm->found.items[i];
    }
    if (job_count > 0) {
        hold_inputs(farm, jobs[0], doomed, doomed_count);
    }
    for (size_t i = 0; i < doomed_count; i++) {
        pulse_farm_task_cancel(farm, doomed[i], "an input of it is gone");
    }
    for (size_t i = 0; i < job_count; i++) {
        pulse_farm_job_replan(farm, jobs[i]);
    }
}

void pulse_farm_output_vanished(struct pulse_farm *farm, struct pulse_farm_output *output)
{
    if (output->state != PULSE_FARM_PRESENT) {
        return;
    }
    output->state = PULSE_FARM_ABSENT;
    output->vanished = true;
    pulse_farm_output_changed(farm, output);
    size_t count = 0;
    for (const struct pulse_farm_edge *edge = output->edges; edge != NULL; edge = edge->next) {
        edge->shard->absent++;
        count++;
    }
    for (struct pulse_farm_want *want = output->wants; want != NULL; want = want->next) {
        want->job->absent++;
    }
    struct pulse_farm_shard_entry **stranded = pulse_farm_scratch(farm, count, sizeof *stranded);
    if (stranded == NULL) {
        return;
    }
    count = 0;
    for (const struct pulse_farm_edge *edge = output->edges; edge != NULL; edge = edge->next) {
        if (edge->shard->state != PULSE_SHARD_CLAIMED) {
            stranded[count++] = edge->shard;
        }
    }
    pulse_farm_task_undo(farm, output, stranded, count);
}
