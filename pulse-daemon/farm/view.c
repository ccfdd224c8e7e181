/* SPDX-License-Identifier: MIT */
/* What others may see of the farm. */
#include "pulse-daemon/farm/need.h"
#include "pulse-daemon/farm/state.h"

bool pulse_farm_holds(const struct pulse_farm *farm, uint64_t tenant, const struct lh_digest *key)
{
    return pulse_farm_find_output(farm, pulse_farm_find_tenant(farm, tenant), key) != NULL;
}

bool pulse_farm_job_view(struct pulse_farm *farm, uint64_t id, struct pulse_farm_job_view *view)
{
    const struct pulse_farm_job *job = pulse_farm_find_job(farm, id);
    if (job == NULL) {
        return false;
    }
    *view = (struct pulse_farm_job_view){
        .tenant = job->tenant->id,
        .priority = job->priority,
        .state = job->state,
        .waiting_for_a_worker = job->stuck_told != 0,
    };
    double left = 0;
    pulse_farm_waited(farm, job);
    for (size_t i = 0; i < farm->walk.count; i++) {
        const struct pulse_farm_shard_entry *shard = farm->walk.items[i];
        view->shards++;
        view->ready += shard->state == PULSE_SHARD_READY;
        view->claimed += shard->state == PULSE_SHARD_CLAIMED;
        left += shard->cost_ms * (shard->claim == NULL ? 1 : 1 - (double)shard->claim->done);
    }
    if (job->state == PULSE_JOB_RUNNING && job->total_ms > 0) {
        view->progress = left < (double)job->total_ms ? 1 - left / (double)job->total_ms : 0;
    }
    return true;
}

bool pulse_farm_worker_view(const struct pulse_farm *farm, size_t index, struct pulse_farm_worker_view *view)
{
    const struct pulse_farm_worker *worker = NULL;
    size_t at = 0;
    for (size_t i = 0; i <= index; i++) {
        worker = pulse_table_next(&farm->workers, &at);
        if (worker == NULL) {
            return false;
        }
    }
    *view = (struct pulse_farm_worker_view){
        .name = worker->name,
        .session = worker->session,
        .slots = worker->slots,
        .credits = worker->credits,
        .held = worker->claim_count,
        .silent = worker->silent,
        .draining = worker->draining,
        .quarantined = worker->quarantine_ns != 0,
    };
    return true;
}

void pulse_farm_counts(const struct pulse_farm *farm, struct pulse_farm_counts *counts)
{
    *counts = (struct pulse_farm_counts){
        .jobs = farm->jobs.count,
        .queued = farm->queued,
        .planning = farm->planning,
        .shards = farm->shards.count,
        .waiting = farm->states[PULSE_SHARD_WAITING],
        .ready = farm->states[PULSE_SHARD_READY],
        .claimed = farm->states[PULSE_SHARD_CLAIMED],
        .outputs = farm->outputs.count,
        .needs = farm->needs.count,
        .tenants = farm->tenants.count,
        .workers = farm->workers.count,
        .bytes = farm->bytes,
        .assigned = farm->totals[PULSE_FARM_ASSIGNED],
        .completed = farm->totals[PULSE_FARM_COMPLETED],
        .failed = farm->totals[PULSE_FARM_FAILURES],
        .lost = farm->totals[PULSE_FARM_LOSSES_SEEN],
        .refused = farm->totals[PULSE_FARM_REFUSED],
        .alarms = farm->totals[PULSE_FARM_ALARMS],
    };
    const struct pulse_table *tables[] = {&farm->tenants, &farm->jobs,    &farm->shards, &farm->outputs, &farm->needs,
                                          &farm->workers, &farm->classes, &farm->groups, &farm->lanes};
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        counts->bytes += tables[i]->capacity * sizeof(struct pulse_table_slot);
    }
    counts->bytes += (farm->timers.capacity + farm->settle.capacity) * sizeof(void *);
}
