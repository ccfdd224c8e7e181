/* SPDX-License-Identifier: MIT */
/* A look over all needs now and then, and only when something is queued that has to wait. */
#include "pulse-daemon/farm/tell.h"

#include <stdlib.h>

#include "pulse-daemon/farm/match.h"
#include "pulse-daemon/farm/need.h"
#include "pulse-daemon/farm/say.h"

/* Whether nobody can run what is queued for these needs, and has not been able to for long enough to say so. */
static bool is_stuck(const struct pulse_farm *farm, struct pulse_farm_needs *needs)
{
    if (needs->queued == 0 || pulse_farm_group_active(farm, needs->group) > 0) {
        needs->unmet_ns = 0;
        return false;
    }
    if (needs->unmet_ns == 0) {
        needs->unmet_ns = farm->now_ns;
    }
    return farm->now_ns - needs->unmet_ns >= farm->options.tell_ns;
}

/* Marks every job that waits for what is queued for these needs. */
static void mark_jobs(struct pulse_farm *farm, const struct pulse_farm_needs *needs)
{
    struct pulse_farm_shard_entry **queued = pulse_farm_scratch(farm, needs->queued, sizeof *queued);
    size_t count = 0;
    for (const struct pulse_farm_lane *lane = needs->lanes; queued != NULL && lane != NULL; lane = lane->next) {
        for (size_t i = 0; i < lane->shards.count; i++) {
            queued[count++] = lane->shards.items[i];
        }
    }
    pulse_farm_waiters(farm, queued, count);
    for (size_t i = 0; i < farm->found.count; i++) {
        struct pulse_farm_job *job = farm->found.items[i];
        job->stuck_now += pulse_hash_bytes(1, &needs->id, sizeof needs->id) | 1;
        if (job->stuck_count < PULSE_FARM_STUCK) {
            job->stuck[job->stuck_count++] = needs;
        }
    }
}

static int compare_jobs(const void *a, const void *b)
{
    uint64_t x = (*(struct pulse_farm_job *const *)a)->id, y = (*(struct pulse_farm_job *const *)b)->id;
    return x < y ? -1 : x > y;
}

/* Tells those for whom something has changed, in the order of their ids. */
static void tell_jobs(struct pulse_farm *farm)
{
    struct pulse_farm_job *job;
    farm->found.count = 0;
    for (size_t at = 0; (job = pulse_table_next(&farm->jobs, &at)) != NULL;) {
        if (job->stuck_now != job->stuck_told && !pulse_job_is_final(job->state)) {
            pulse_farm_append(farm, &farm->found, job);
        }
    }
    if (farm->found.count > 1) {
        qsort(farm->found.items, farm->found.count, sizeof *farm->found.items, compare_jobs);
    }
    for (size_t i = 0; i < farm->found.count; i++) {
        job = farm->found.items[i];
        farm->told_jobs += job->stuck_told == 0;
        farm->told_jobs -= job->stuck_now == 0;
        job->stuck_told = job->stuck_now;
        pulse_farm_say_waiting(farm, job, job->stuck, job->stuck_count);
    }
}

void pulse_farm_tell(struct pulse_farm *farm)
{
    farm->looked = farm->now_ns >= farm->tell_ns;
    if (!farm->looked) {
        return;
    }
    struct pulse_farm_needs *needs;
    struct pulse_farm_job *job;
    size_t stuck = 0;
    for (size_t at = 0; (needs = pulse_table_next(&farm->needs, &at)) != NULL;) {
        needs->stuck = is_stuck(farm, needs);
        stuck += needs->stuck;
    }
    farm->tell_ns = farm->now_ns + farm->options.tell_ns;
    if (stuck == 0 && farm->told_jobs == 0) {
        return;
    }
    for (size_t at = 0; (job = pulse_table_next(&farm->jobs, &at)) != NULL;) {
        job->stuck_now = 0;
        job->stuck_count = 0;
    }
    for (size_t at = 0; (needs = pulse_table_next(&farm->needs, &at)) != NULL;) {
        if (needs->stuck) {
            mark_jobs(farm, needs);
        }
    }
    tell_jobs(farm);
}

uint64_t pulse_farm_tell_due(const struct pulse_farm *farm)
{
    if (farm->states[PULSE_SHARD_READY] == 0 && farm->told_jobs == 0) {
        return UINT64_MAX;
    }
    return farm->tell_ns;
}
