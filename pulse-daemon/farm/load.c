/* SPDX-License-Identifier: MIT */
/* From rows to memory. Rows are what an earlier program wrote: they are checked, and what does not fit is left out or
   healed. */
#include <stdio.h>
#include <string.h>

#include "pulse-daemon/farm/crew.h"
#include "pulse-daemon/farm/emit.h"
#include "pulse-daemon/farm/job.h"
#include "pulse-daemon/farm/load.h"
#include "pulse-daemon/farm/match.h"
#include "pulse-daemon/farm/need.h"
#include "pulse-daemon/farm/task.h"

#define WHERE_SIZE 96

static enum lh_status refuse(struct lh_error *error, const char *kind, uint64_t id, const char *what)
{
    char where[WHERE_SIZE];
    snprintf(where, sizeof where, "%s %llu", kind, (unsigned long long)id);
    return lh_error_set(error, LH_ERR_FORMAT, where, "%s", what);
}

static enum lh_status load_needs(struct pulse_farm *farm, const struct pulse_needs_row *row, struct lh_error *error)
{
    bool is_new = false;
    if (row->engine == NULL || row->cpu_class == NULL) {
        return refuse(error, "needs", 0, "they do not say which engine");
    }
    return pulse_farm_needs(farm, row, &is_new) != NULL ? LH_OK : LH_ERR_NO_MEMORY;
}

static enum lh_status load_job(struct pulse_farm *farm, const struct pulse_job_row *row, struct lh_error *error)
{
    if (row->id == 0 || row->id >> 56 != 0 || row->tenant == 0 || row->priority < PULSE_PRIORITY_MIN ||
        row->priority > PULSE_PRIORITY_MAX || row->state > PULSE_JOB_RUNNING) {
        return refuse(error, "job", row->id, "its row makes no sense");
    }
    if (pulse_farm_find_job(farm, row->id) != NULL) {
        return refuse(error, "job", row->id, "it is there twice");
    }
    return pulse_farm_new_job(farm, row) != NULL ? LH_OK : LH_ERR_NO_MEMORY;
}

static enum lh_status load_output(struct pulse_farm *farm, const struct pulse_output_row *row, struct lh_error *error)
{
    struct pulse_farm_tenant *tenant = row->tenant == 0 ? NULL : pulse_farm_tenant(farm, row->tenant);
    if (tenant == NULL) {
        return row->tenant == 0 ? refuse(error, "output of shard", row->shard, "it is no tenant's") : LH_ERR_NO_MEMORY;
    }
    if (pulse_farm_find_output(farm, tenant, &row->key) != NULL) {
        return refuse(error, "output of shard", row->shard, "it is there twice");
    }
    struct pulse_farm_output *output = pulse_farm_output(farm, tenant, &row->key);
    if (output == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    /* A promise counts once the shard that made it is there. */
    output->state = row->state == PULSE_OUTPUT_PRESENT ? PULSE_FARM_PRESENT : PULSE_FARM_PROMISED;
    output->kind = (uint8_t)row->kind;
    output->unproven = row->unproven;
    output->shard = row->shard;
    output->digest = row->digest;
    output->size = row->size;
    return LH_OK;
}

static enum lh_status load_shard(struct pulse_farm *farm, const struct pulse_shard_row *row, struct lh_error *error)
{
    if (row->id == 0 || row->tenant == 0 || row->state > PULSE_SHARD_CLAIMED ||
        (row->state == PULSE_SHARD_CLAIMED && (!pulse_farm_name_ok(row->owner) || row->attempt == 0)) ||
        (row->failed_on[0] != '\0' && !pulse_farm_name_ok(row->failed_on))) {
        return refuse(error, "shard", row->id, "its row makes no sense");
    }
    if (pulse_farm_find_needs(farm, &row->needs) == NULL) {
        return refuse(error, "shard", row->id, "what it needs is not there");
    }
    if (farm->loading != NULL || pulse_farm_find_shard(farm, row->id) != NULL) {
        return refuse(error, "shard", row->id, "it is there twice, or the one before it has no edges");
    }
    farm->loading = pulse_farm_take(farm, sizeof *farm->loading);
    if (farm->loading == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    *farm->loading = *row;
    return LH_OK;
}

/* The row that waits for its edges. */
static enum lh_status load_edges(struct pulse_farm *farm, const struct pulse_change *row, struct lh_error *error)
{
    if (farm->loading == NULL || farm->loading->id != row->shard.id) {
        return refuse(error, "shard", row->shard.id, "its edges do not follow its row");
    }
    struct pulse_shard_row shard_row = *farm->loading;
    pulse_farm_give(farm, farm->loading, sizeof *farm->loading);
    farm->loading = NULL;
    if (row->output_count == 0 || row->output_count > PULSE_SHARD_EDGES_MAX ||
        row->input_count > PULSE_SHARD_EDGES_MAX) {
        return refuse(error, "shard", row->shard.id, "it makes nothing, or too much");
    }
    struct pulse_farm_tenant *tenant = pulse_farm_tenant(farm, shard_row.tenant);
    struct pulse_farm_needs *needs = pulse_farm_find_needs(farm, &shard_row.needs);
    struct pulse_farm_shard_entry *shard =
        tenant == NULL ? NULL
                       : pulse_farm_new_shard(farm, shard_row.id, tenant, needs, row->input_count, row->output_count);
    if (shard == NULL) {
        return LH_ERR_NO_MEMORY;
    }
    shard->kind = (uint8_t)shard_row.kind;
    shard->cost_ms = shard_row.cost_ms;
    shard->attempt = shard_row.attempt;
    shard->losses = shard_row.losses;
    shard->failures = shard_row.failures;
    for (size_t i = 0; i < row->output_count; i++) {
        shard->outputs[i] = pulse_farm_output(farm, tenant, &row->outputs[i]);
        if (shard->outputs[i] == NULL) {
            return LH_ERR_NO_MEMORY;
        }
        shard->outputs[i]->makers++;
        if (shard->outputs[i]->state == PULSE_FARM_PROMISED && shard->outputs[i]->shard == shard->id) {
            shard->outputs[i]->maker = shard;
        }
    }
    for (size_t i = 0; i < row->input_count; i++) {
        struct pulse_farm_output *input = pulse_farm_output(farm, tenant, &row->inputs[i]);
        if (input == NULL) {
            return LH_ERR_NO_MEMORY;
        }
        pulse_farm_edge_link(shard, i, input);
    }
    return pulse_farm_load_owner(farm, shard, &shard_row) ? LH_OK : LH_ERR_NO_MEMORY;
}

static enum lh_status load_want(struct pulse_farm *farm, const struct pulse_change *row, struct lh_error *error)
{
    struct pulse_farm_job *job = pulse_farm_find_job(farm, row->job.id);
    if (job == NULL || job->tenant->id != row->output.tenant) {
        return refuse(error, "want of job", row->job.id, "there is no such job");
    }
    struct pulse_farm_output *output = pulse_farm_output(farm, job->tenant, &row->output.key);
    return output != NULL && pulse_farm_want_link(farm, job, output) ? LH_OK : LH_ERR_NO_MEMORY;
}

enum lh_status pulse_farm_load(struct pulse_farm *farm, const struct pulse_change *row, struct lh_error *error)
{
    switch (row->kind) {
    case PULSE_CHANGE_NEEDS:
        return load_needs(farm, &row->needs, error);
    case PULSE_CHANGE_JOB:
        return load_job(farm, &row->job, error);
    case PULSE_CHANGE_OUTPUT:
        return load_output(farm, &row->output, error);
    case PULSE_CHANGE_SHARD:
        return load_shard(farm, &row->shard, error);
    case PULSE_CHANGE_SPEC:
        return load_edges(farm, row, error);
    case PULSE_CHANGE_WANT:
        return load_want(farm, row, error);
    case PULSE_CHANGE_UNWANT:
    case PULSE_CHANGE_ABSENT:
    case PULSE_CHANGE_EVENT:
    case PULSE_CHANGE_ALARM:
        break;
    }
    return refuse(error, "row of kind", (uint64_t)row->kind, "it is none that is loaded");
}
