/* SPDX-License-Identifier: MIT */
/* When all rows are there: fresh leases, and what does not fit together made whole. */
#include "pulse-daemon/farm/crew.h"
#include "pulse-daemon/farm/emit.h"
#include "pulse-daemon/farm/job.h"
#include "pulse-daemon/farm/load.h"
#include "pulse-daemon/farm/match.h"
#include "pulse-daemon/farm/need.h"
#include "pulse-daemon/farm/task.h"

bool pulse_farm_load_owner(struct pulse_farm *farm, struct pulse_farm_shard_entry *shard,
                           const struct pulse_shard_row *row)
{
    farm->states[shard->state]--;
    shard->state = (uint8_t)row->state;
    farm->states[shard->state]++;
    struct pulse_farm_worker *failed_on = row->failed_on[0] == '\0' ? NULL : pulse_farm_worker(farm, row->failed_on);
    pulse_farm_worker_refer(&shard->failed_on, failed_on);
    pulse_farm_worker_refer(&shard->avoid, failed_on);
    if (row->state != PULSE_SHARD_CLAIMED) {
        return !farm->no_memory;
    }
    struct pulse_farm_worker *worker = pulse_farm_worker(farm, row->owner);
    struct pulse_farm_claim *claim = worker == NULL ? NULL : pulse_farm_take(farm, sizeof *claim);
    if (claim == NULL) {
        return false;
    }
    *claim = (struct pulse_farm_claim){.shard = shard, .worker = worker, .next = worker->claims};
    if (claim->next != NULL) {
        claim->next->previous = claim;
    }
    worker->claims = claim;
    worker->claim_count++;
    shard->claim = claim;
    pulse_farm_worker_refresh(farm, worker);
    return !farm->no_memory;
}

/* Rows of needs outlive the shards that had them. */
static void drop_needs(struct pulse_farm *farm)
{
    struct pulse_farm_needs *needs;
    for (size_t at = 0; (needs = pulse_table_next(&farm->needs, &at)) != NULL;) {
        if (needs->shards == 0) {
            pulse_farm_needs_free(farm, needs);
            at--;
        }
    }
}

/* A promise that no live shard keeps is none. */
static size_t break_promises(struct pulse_farm *farm)
{
    size_t broken = 0;
    struct pulse_farm_output *output;
    for (size_t at = 0; (output = pulse_table_next(&farm->outputs, &at)) != NULL;) {
        if (output->state == PULSE_FARM_PROMISED && output->maker == NULL) {
            output->state = PULSE_FARM_ABSENT;
            pulse_farm_output_changed(farm, output);
            broken++;
        }
    }
    return broken;
}

/* Cancels what nobody waits for, and learns how urgent the rest is. Until it is known of each, all are as little urgent
   as can be: who runs may wait for what was planned after it, when its input has vanished meanwhile. */
static size_t drop_unwanted(struct pulse_farm *farm)
{
    struct pulse_farm_shard_entry *shard;
    size_t before = farm->states[PULSE_SHARD_CANCELLED];
    for (size_t at = 0; (shard = pulse_table_next(&farm->shards, &at)) != NULL;) {
        farm->last_shard = shard->id > farm->last_shard ? shard->id : farm->last_shard;
        shard->urgency = PULSE_FARM_URGENCY_NONE - 1;
        pulse_farm_unsettle(farm, shard);
    }
    pulse_farm_settle(farm);
    return farm->states[PULSE_SHARD_CANCELLED] - before;
}

static void renew_lease(struct pulse_farm *farm, struct pulse_farm_shard_entry *shard)
{
    struct pulse_farm_claim *claim = shard->claim;
    claim->since_ns = claim->progress_ns = farm->now_ns;
    claim->lease_ns = farm->now_ns + farm->options.lease_ns;
    shard->timer.kind = PULSE_FARM_TIMER_LEASE;
    pulse_farm_timer_set(farm, &shard->timer, claim->lease_ns);
}

/* What workers said while nobody could listen is still to be read. */
static void listen_anew(struct pulse_farm *farm)
{
    struct pulse_farm_worker *worker;
    for (size_t at = 0; (worker = pulse_table_next(&farm->workers, &at)) != NULL;) {
        if (worker->session != 0 && !worker->silent) {
            pulse_farm_worker_heard(farm, worker);
        }
    }
}

static size_t place_all(struct pulse_farm *farm)
{
    size_t healed = 0;
    struct pulse_farm_shard_entry *shard;
    for (size_t at = 0; (shard = pulse_table_next(&farm->shards, &at)) != NULL;) {
        if (shard->state == PULSE_SHARD_CLAIMED) {
            renew_lease(farm, shard);
        } else if (pulse_farm_is_live(shard)) {
            uint8_t before = shard->state;
            pulse_farm_task_place(farm, shard, 0);
            healed += shard->state != before;
        }
    }
    return healed;
}

static bool waits_well(const struct pulse_farm_job *job)
{
    for (size_t i = 0; i < job->want_count; i++) {
        if (job->wants[i]->output->state == PULSE_FARM_ABSENT) {
            return false;
        }
    }
    return job->absent > 0;
}

static size_t queue_jobs(struct pulse_farm *farm)
{
    size_t healed = 0;
    struct pulse_farm_job *job;
    for (size_t at = 0; (job = pulse_table_next(&farm->jobs, &at)) != NULL;) {
        if (job->state == PULSE_JOB_RUNNING && !waits_well(job)) {
            pulse_farm_job_replan(farm, job);
            healed++;
        } else if (job->state != PULSE_JOB_RUNNING && job->phase == PULSE_FARM_NO_PLANNING) {
            pulse_farm_job_enqueue(farm, job);
        }
        pulse_farm_job_measure(farm, job);
    }
    return healed;
}

enum lh_status pulse_farm_load_end(struct pulse_farm *farm, uint64_t last_shard, uint64_t now_ns, size_t *healed)
{
    size_t count = farm->loading != NULL; /* a last row without edges: its promises are broken */
    pulse_farm_give(farm, farm->loading, sizeof *farm->loading);
    farm->loading = NULL;
    farm->healing = true;
    pulse_farm_take_time(farm, now_ns);
    farm->last_shard = last_shard > farm->last_shard ? last_shard : farm->last_shard;
    drop_needs(farm);
    count += break_promises(farm);
    count += drop_unwanted(farm);
    listen_anew(farm);
    count += place_all(farm);
    count += queue_jobs(farm);
    pulse_farm_settle(farm);
    if (farm->no_memory) {
        return LH_ERR_NO_MEMORY;
    }
    *healed = count;
    return LH_OK;
}
