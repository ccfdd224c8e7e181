/* SPDX-License-Identifier: MIT */
/* The second half of the check: who holds what, and whether the queue is fair and nobody idle. */
#include "pulse-daemon/farm/check.h"
#include "pulse-daemon/farm/match.h"
#include "pulse-daemon/farm/queue.h"

/* ---- Workers ---- */

static enum lh_status check_worker(const struct pulse_farm *farm, const struct pulse_farm_worker *worker,
                                   size_t *claims, struct lh_error *error)
{
    uint32_t count = 0;
    for (const struct pulse_farm_claim *claim = worker->claims; claim != NULL; claim = claim->next) {
        count++;
        if (claim->worker != worker || claim->shard->claim != claim) {
            return pulse_farm_broken(error, "shard", claim->shard->id, "(8) two workers hold it");
        }
        if (claim->lease_ns > farm->now_ns + farm->options.lease_ns || claim->lease_ns <= farm->now_ns) {
            return pulse_farm_broken(error, "shard", claim->shard->id, "(9) its lease is over, or too long");
        }
    }
    *claims += count;
    if (count != worker->claim_count) {
        return pulse_farm_broken(error, "worker", worker->order, "the count of its claims is wrong");
    }
    bool active = worker->class != NULL && worker->session != 0 && !worker->silent && !worker->draining &&
                  worker->quarantine_ns == 0 && worker->credits > 0;
    bool listed = worker->place != PULSE_HEAP_NONE;
    if (active != worker->active || listed != (active && worker->claim_count < worker->credits)) {
        return pulse_farm_broken(error, "worker", worker->order, "it is not listed as its state says");
    }
    if (worker->draining && worker->claim_count == 0 && worker->session != 0 && !worker->drained_told) {
        return pulse_farm_broken(error, "worker", worker->order, "it has drained and was not told");
    }
    return LH_OK;
}

enum lh_status pulse_farm_check_crew(const struct pulse_farm *farm, struct lh_error *error)
{
    const struct pulse_farm_worker *worker;
    size_t claims = 0;
    for (size_t at = 0; (worker = pulse_table_next(&farm->workers, &at)) != NULL;) {
        enum lh_status status = check_worker(farm, worker, &claims, error);
        if (status != LH_OK) {
            return status;
        }
    }
    if (claims != farm->states[PULSE_SHARD_CLAIMED]) {
        return pulse_farm_broken(error, "claims", claims, "(8) some are nobody's");
    }
    for (size_t i = 0; i < farm->class_count; i++) {
        const struct pulse_farm_class *class = farm->class_by_index[i];
        uint32_t active = 0;
        for (size_t at = 0; class != NULL && (worker = pulse_table_next(&farm->workers, &at)) != NULL;) {
            active += worker->class == class && worker->active;
        }
        if (class != NULL && active != class->active) {
            return pulse_farm_broken(error, "class", i, "the count of its workers is wrong");
        }
    }
    return LH_OK;
}

/* ---- Queue ---- */

static enum lh_status check_share(const struct pulse_farm_level *level, const struct pulse_farm_share *share,
                                  struct lh_error *error)
{
    size_t queued = 0;
    for (size_t i = 0; i < share->lanes.count; i++) {
        const struct pulse_farm_lane *lane = share->lanes.items[i];
        queued += lane->shards.count;
        if (lane->share != share || lane->avoid != NULL || lane->shards.count == 0) {
            return pulse_farm_broken(error, "tenant", share->tenant->id, "a lane is not where it belongs");
        }
    }
    for (const struct pulse_farm_lane *lane = share->tainted; lane != NULL; lane = lane->next_tainted) {
        queued += lane->shards.count;
    }
    if (queued != share->queued) {
        return pulse_farm_broken(error, "tenant", share->tenant->id, "the count of what it has ready is wrong");
    }
    /* Fair: whoever has something ready was given no more than one shard beyond the clock, and, but for what failed and
       must wait for another worker, the clock never passes who waits. */
    if (share->queued > 0 && share->time > level->clock + level->charge_most) {
        return pulse_farm_broken(error, "tenant", share->tenant->id, "(10) it was given too much");
    }
    if (share->queued > 0 && !share->passed_over && share->time < level->clock) {
        return pulse_farm_broken(error, "tenant", share->tenant->id, "(10) others were served before it");
    }
    return LH_OK;
}

static enum lh_status check_group(const struct pulse_farm_group *group, size_t *queued, struct lh_error *error)
{
    for (const struct pulse_farm_level *level = group->levels; level != NULL; level = level->next) {
        size_t count = 0;
        for (const struct pulse_farm_share *share = level->shares; share != NULL; share = share->next) {
            enum lh_status status = check_share(level, share, error);
            if (status != LH_OK) {
                return status;
            }
            count += share->queued;
        }
        if (count != level->queued || count == 0) {
            return pulse_farm_broken(error, "priority", (uint64_t)(level->priority - PULSE_PRIORITY_MIN),
                                     "the count of what is ready is wrong");
        }
        *queued += count;
    }
    return LH_OK;
}

/* Whether who wants it, or who needs it and so on, knows that a kind of worker is missing. */
static bool is_told(const struct pulse_farm_shard_entry *shard)
{
    while (shard != NULL) {
        const struct pulse_farm_shard_entry *next = NULL;
        for (size_t i = 0; i < shard->output_count; i++) {
            const struct pulse_farm_output *output = shard->outputs[i];
            for (const struct pulse_farm_want *want = output->maker == shard ? output->wants : NULL; want != NULL;
                 want = want->next) {
                if (want->job->stuck_told == 0) {
                    return false;
                }
            }
            if (output->maker == shard && output->edges != NULL) {
                next = output->edges->shard;
            }
        }
        shard = next;
    }
    return true;
}

/* What nobody can run, for long enough, is said when it is looked for, which was in this step. */
static enum lh_status check_told(const struct pulse_farm *farm, const struct pulse_farm_needs *needs,
                                 struct lh_error *error)
{
    if (needs->queued == 0 || pulse_farm_group_active(farm, needs->group) > 0 || needs->unmet_ns == 0 ||
        farm->now_ns - needs->unmet_ns < farm->options.tell_ns) {
        return LH_OK;
    }
    for (const struct pulse_farm_lane *lane = needs->lanes; lane != NULL; lane = lane->next) {
        for (size_t i = 0; i < lane->shards.count; i++) {
            const struct pulse_farm_shard_entry *shard = lane->shards.items[i];
            if (!is_told(shard)) {
                return pulse_farm_broken(error, "shard", shard->id, "(13) nobody can run it, and nobody was told");
            }
        }
    }
    return LH_OK;
}

static enum lh_status check_all_told(const struct pulse_farm *farm, struct lh_error *error)
{
    const struct pulse_farm_needs *needs;
    enum lh_status status = LH_OK;
    if (farm->tell_ns > farm->now_ns + farm->options.tell_ns) {
        return pulse_farm_broken(error, "time", farm->tell_ns - farm->now_ns, "(13) it is not looked for long enough");
    }
    for (size_t at = 0; farm->looked && status == LH_OK && (needs = pulse_table_next(&farm->needs, &at)) != NULL;) {
        status = check_told(farm, needs, error);
    }
    return status;
}

enum lh_status pulse_farm_check_queue(const struct pulse_farm *farm, struct lh_error *error)
{
    const struct pulse_farm_shard_entry *shard;
    size_t queued = 0, counted = 0;
    for (const struct pulse_farm_group *group = farm->group_list; group != NULL; group = group->next) {
        enum lh_status status = check_group(group, &queued, error);
        if (status != LH_OK) {
            return status;
        }
    }
    for (size_t at = 0; (shard = pulse_table_next(&farm->shards, &at)) != NULL;) {
        counted += shard->lane != NULL;
        if (shard->lane != NULL && (shard->lane->priority != pulse_farm_priority(shard->urgency) ||
                                    shard->lane->needs != shard->needs || shard->lane->avoid != shard->avoid)) {
            return pulse_farm_broken(error, "shard", shard->id, "it is in the wrong lane");
        }
    }
    if (queued != counted) {
        return pulse_farm_broken(error, "queue", queued, "(5) not all that is ready is in it");
    }
    enum lh_status told = check_all_told(farm, error);
    if (told != LH_OK) {
        return told;
    }
    for (size_t i = 0; i < farm->class_count; i++) {
        const struct pulse_farm_class *class = farm->class_by_index[i];
        for (size_t k = 0; class != NULL && k < class->free.count; k++) {
            const struct pulse_farm_worker *worker = class->free.items[k];
            if (pulse_farm_queue_next(farm, worker) != NULL) {
                return pulse_farm_broken(error, "worker", worker->order,
                                         "(11) it has room, but what it could do waits");
            }
        }
    }
    return LH_OK;
}
