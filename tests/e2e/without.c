/* SPDX-License-Identifier: MIT */
/* loophole-pulse without one of its protections, for tests that have to notice: the linker puts these functions in the
   place of the real ones (--wrap), and LOOPHOLE_TEST_WITHOUT says which is missing.

       leases     a silent worker keeps its shards for ever
       losses     nobody takes up what was lost
       fencing    a late result passes for that of the current attempt
       commits    that a job was taken is said a second before it is committed */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "pulse-daemon/farm/beat.h"
#include "pulse-daemon/farm/report.h"
#include "pulse-daemon/farm/task.h"
#include "pulse-daemon/store/store.h"

#define LATE_S 1

static bool is_without(const char *what)
{
    const char *without = getenv("LOOPHOLE_TEST_WITHOUT");
    return without != NULL && strcmp(without, what) == 0;
}

/* ---- leases ---- */

void __real_pulse_farm_lease_due(struct pulse_farm *farm, struct pulse_farm_shard_entry *shard);

void __wrap_pulse_farm_lease_due(struct pulse_farm *farm, struct pulse_farm_shard_entry *shard)
{
    if (is_without("leases")) {
        shard->claim->lease_ns = farm->now_ns + farm->options.lease_ns;
    }
    __real_pulse_farm_lease_due(farm, shard);
}

/* ---- losses ---- */

void __real_pulse_farm_task_lost(struct pulse_farm *farm, struct pulse_farm_shard_entry *shard, const char *reason);

/* All claims of a worker have to go with it: those are lost even so. */
void __wrap_pulse_farm_task_lost(struct pulse_farm *farm, struct pulse_farm_shard_entry *shard, const char *reason)
{
    static const char with_worker[] = "the worker has ";
    if (!is_without("losses") || strncmp(reason, with_worker, sizeof with_worker - 1) == 0) {
        __real_pulse_farm_task_lost(farm, shard, reason);
    }
}

void __real_pulse_farm_task_returned(struct pulse_farm *farm, struct pulse_farm_shard_entry *shard);

/* Nor what a worker gives back because it was withdrawn after all. */
void __wrap_pulse_farm_task_returned(struct pulse_farm *farm, struct pulse_farm_shard_entry *shard)
{
    if (!is_without("losses")) {
        __real_pulse_farm_task_returned(farm, shard);
    }
}

/* ---- fencing ---- */

void __real_pulse_farm_report_complete(struct pulse_farm *farm, const struct pulse_farm_event *event);

void __wrap_pulse_farm_report_complete(struct pulse_farm *farm, const struct pulse_farm_event *event)
{
    const struct pulse_farm_shard_entry *shard = pulse_farm_find_shard(farm, event->shard);
    if (!is_without("fencing") || shard == NULL || shard->claim == NULL || shard->attempt == event->attempt) {
        __real_pulse_farm_report_complete(farm, event);
        return;
    }
    struct pulse_farm_event forged = *event;
    forged.worker = shard->claim->worker->name;
    forged.attempt = shard->attempt;
    __real_pulse_farm_report_complete(farm, &forged);
}

/* ---- commits ---- */

enum lh_status __real_pulse_store_apply(struct pulse_store *store, const struct pulse_change *changes, size_t count,
                                        uint64_t *first_event, struct lh_error *error);
enum lh_status __real_pulse_store_begin(struct pulse_store *store, int64_t now_ms, struct lh_error *error);
enum lh_status __real_pulse_store_commit(struct pulse_store *store, struct lh_error *error);

static bool takes_job, postponed; /* the open transaction */

enum lh_status __wrap_pulse_store_apply(struct pulse_store *store, const struct pulse_change *changes, size_t count,
                                        uint64_t *first_event, struct lh_error *error)
{
    for (size_t i = 0; i < count; i++) {
        takes_job = takes_job || (changes[i].kind == PULSE_CHANGE_JOB && changes[i].job.state <= PULSE_JOB_PLANNING);
    }
    return __real_pulse_store_apply(store, changes, count, first_event, error);
}

/* What was put off is done before anything else. */
enum lh_status __wrap_pulse_store_begin(struct pulse_store *store, int64_t now_ms, struct lh_error *error)
{
    enum lh_status status = LH_OK;
    if (postponed) {
        postponed = false;
        nanosleep(&(struct timespec){.tv_sec = LATE_S}, NULL);
        status = __real_pulse_store_commit(store, error);
    }
    takes_job = false;
    return status == LH_OK ? __real_pulse_store_begin(store, now_ms, error) : status;
}

enum lh_status __wrap_pulse_store_commit(struct pulse_store *store, struct lh_error *error)
{
    postponed = is_without("commits") && takes_job;
    return postponed ? LH_OK : __real_pulse_store_commit(store, error);
}
