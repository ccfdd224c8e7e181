/* SPDX-License-Identifier: MIT */
/* Collecting changes and actions, and writing rows. */
#include "pulse-daemon/farm/emit.h"

#include <stdio.h>
#include <string.h>

void pulse_farm_job_changed(struct pulse_farm *farm, struct pulse_farm_job *job)
{
    if (!job->dirty) {
        job->dirty = pulse_farm_append(farm, &farm->jobs_dirty, job);
    }
}

void pulse_farm_shard_changed(struct pulse_farm *farm, struct pulse_farm_shard_entry *shard)
{
    if (!shard->dirty) {
        shard->dirty = pulse_farm_append(farm, &farm->shards_dirty, shard);
    }
}

void pulse_farm_output_changed(struct pulse_farm *farm, struct pulse_farm_output *output)
{
    if (!output->dirty) {
        output->dirty = pulse_farm_append(farm, &farm->outputs_dirty, output);
    }
}

/* A zeroed change at the end of that list; NULL: no memory. */
static struct pulse_change *add(struct pulse_farm *farm, struct pulse_farm_list *list, enum pulse_change_kind kind)
{
    struct pulse_change *change = pulse_farm_scratch(farm, 1, sizeof *change);
    if (change == NULL || !pulse_farm_append(farm, list, change)) {
        return NULL;
    }
    change->kind = kind;
    return change;
}

void pulse_farm_emit_needs(struct pulse_farm *farm, const struct pulse_needs_row *needs)
{
    struct pulse_change *change = add(farm, &farm->needs_new, PULSE_CHANGE_NEEDS);
    if (change != NULL) {
        change->needs = *needs;
    }
}

void pulse_farm_emit_spec(struct pulse_farm *farm, uint64_t id, uint64_t tenant, const struct pulse_farm_shard *shard,
                          const char *trace)
{
    struct lh_digest *outputs = pulse_farm_scratch(farm, shard->output_count, sizeof *outputs);
    struct pulse_change *change = outputs == NULL ? NULL : add(farm, &farm->specs_new, PULSE_CHANGE_SPEC);
    if (change == NULL) {
        return;
    }
    for (size_t i = 0; i < shard->output_count; i++) {
        outputs[i] = shard->outputs[i].key;
    }
    change->shard.id = id;
    change->shard.tenant = tenant;
    change->spec = shard->spec;
    change->spec_size = shard->spec_size;
    change->trace = trace;
    change->inputs = shard->inputs;
    change->input_count = shard->input_count;
    change->outputs = outputs;
    change->output_count = shard->output_count;
}

void pulse_farm_emit_want(struct pulse_farm *farm, enum pulse_change_kind kind, const struct pulse_farm_job *job,
                          const struct lh_digest *key)
{
    struct pulse_change *change = add(farm, &farm->notes, kind);
    if (change != NULL) {
        change->job.id = job->id;
        change->job.tenant = job->tenant->id;
        change->output.tenant = job->tenant->id;
        change->output.key = *key;
    }
}

void pulse_farm_emit_event(struct pulse_farm *farm, const struct pulse_farm_job *job, const char *json)
{
    struct pulse_change *change =
        json == NULL ? NULL : add(farm, &farm->notes, job == NULL ? PULSE_CHANGE_ALARM : PULSE_CHANGE_EVENT);
    if (change == NULL) {
        return;
    }
    if (job != NULL) {
        change->job.id = job->id;
        change->job.tenant = job->tenant->id;
    } else {
        farm->totals[PULSE_FARM_ALARMS]++;
    }
    change->event = json;
}

struct pulse_farm_action *pulse_farm_act(struct pulse_farm *farm, enum pulse_farm_action_kind kind)
{
    struct pulse_farm_action *action = pulse_farm_scratch(farm, 1, sizeof *action);
    if (action == NULL || !pulse_farm_append(farm, &farm->actions, action)) {
        action = &farm->spare;
        *action = (struct pulse_farm_action){0};
    }
    action->kind = kind;
    action->text = "";
    return action;
}

struct pulse_farm_action *pulse_farm_act_on(struct pulse_farm *farm, enum pulse_farm_action_kind kind,
                                            const struct pulse_farm_worker *worker, uint64_t shard, uint32_t attempt)
{
    struct pulse_farm_action *action = pulse_farm_act(farm, kind);
    action->worker = lh_arena_strdup(&farm->arena, worker->name);
    farm->no_memory = farm->no_memory || action->worker == NULL;
    action->session = worker->session;
    action->shard = shard;
    action->attempt = attempt;
    return action;
}

/* ---- Rows ---- */

static struct pulse_job_row job_row(const struct pulse_farm_job *job)
{
    return (struct pulse_job_row){
        .id = job->id,
        .tenant = job->tenant->id,
        .priority = job->priority,
        .state = job->state,
        .error = job->error == NULL ? "" : job->error,
    };
}

static struct pulse_shard_row shard_row(const struct pulse_farm_shard_entry *shard)
{
    struct pulse_shard_row row = {
        .id = shard->id,
        .tenant = shard->tenant->id,
        .kind = (enum pulse_shard_kind)shard->kind,
        .state = (enum pulse_shard_state)shard->state,
        .needs = shard->needs->id,
        .cost_ms = shard->cost_ms,
        .attempt = shard->attempt,
        .losses = shard->losses,
        .failures = shard->failures,
    };
    if (shard->claim != NULL) {
        snprintf(row.owner, sizeof row.owner, "%s", shard->claim->worker->name);
    }
    if (shard->failed_on != NULL) {
        snprintf(row.failed_on, sizeof row.failed_on, "%s", shard->failed_on->name);
    }
    return row;
}

static void write_absent(const struct pulse_farm_output *output, struct pulse_change *change)
{
    change->kind = PULSE_CHANGE_ABSENT;
    change->output.tenant = output->tenant->id;
    change->output.key = output->key;
}

static void write_output(const struct pulse_farm_output *output, struct pulse_change *change)
{
    write_absent(output, change);
    if (output->state == PULSE_FARM_ABSENT) {
        return;
    }
    change->kind = PULSE_CHANGE_OUTPUT;
    change->output.kind = (enum pulse_output_kind)output->kind;
    change->output.state = output->state == PULSE_FARM_PRESENT ? PULSE_OUTPUT_PRESENT : PULSE_OUTPUT_PROMISED;
    change->output.unproven = output->unproven;
    change->output.shard = output->shard;
    change->output.size = output->size;
    if (output->state == PULSE_FARM_PRESENT) {
        change->output.digest = output->digest;
        change->output.facts = output->facts;
        change->output.facts_size = output->facts_size;
    }
}

/* Whether it came and went within this step, so that nobody need hear of it. */
static bool never_was(const struct pulse_farm_shard_entry *shard)
{
    return shard->fresh && !pulse_farm_is_live(shard) && shard->attempt == 0;
}

static size_t write_all(struct pulse_farm *farm, struct pulse_change *changes)
{
    size_t n = 0;
    for (size_t i = 0; i < farm->needs_new.count; i++) {
        changes[n++] = *(const struct pulse_change *)farm->needs_new.items[i];
    }
    for (size_t i = 0; i < farm->jobs_dirty.count; i++) {
        changes[n].kind = PULSE_CHANGE_JOB;
        changes[n++].job = job_row(farm->jobs_dirty.items[i]);
    }
    for (size_t i = 0; i < farm->shards_dirty.count; i++) {
        if (!never_was(farm->shards_dirty.items[i])) {
            changes[n].kind = PULSE_CHANGE_SHARD;
            changes[n++].shard = shard_row(farm->shards_dirty.items[i]);
        }
    }
    for (size_t i = 0; i < farm->specs_new.count; i++) {
        const struct pulse_change *spec = farm->specs_new.items[i];
        if (!never_was(pulse_farm_find_shard(farm, spec->shard.id))) {
            changes[n++] = *spec;
        }
    }
    for (size_t i = 0; i < farm->outputs_dirty.count; i++) {
        const struct pulse_farm_output *output = farm->outputs_dirty.items[i];
        if (output->vanished && output->state != PULSE_FARM_ABSENT) {
            write_absent(output, &changes[n++]); /* so that no row ever changes from one blob to another */
        }
        write_output(output, &changes[n++]);
    }
    for (size_t i = 0; i < farm->notes.count; i++) {
        changes[n++] = *(const struct pulse_change *)farm->notes.items[i];
    }
    return n;
}

enum lh_status pulse_farm_outcome_make(struct pulse_farm *farm, struct pulse_farm_outcome *outcome)
{
    size_t most = farm->needs_new.count + farm->jobs_dirty.count + farm->shards_dirty.count + farm->specs_new.count +
                  farm->outputs_dirty.count * 2 + farm->notes.count;
    struct pulse_change *changes = pulse_farm_scratch(farm, most, sizeof *changes);
    struct pulse_farm_action *actions = pulse_farm_scratch(farm, farm->actions.count, sizeof *actions);
    if (farm->no_memory) {
        return LH_ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < farm->actions.count; i++) {
        actions[i] = *(const struct pulse_farm_action *)farm->actions.items[i];
    }
    *outcome = (struct pulse_farm_outcome){
        .changes = changes,
        .change_count = write_all(farm, changes),
        .actions = actions,
        .action_count = farm->actions.count,
    };
    return LH_OK;
}
