/* SPDX-License-Identifier: MIT */
/* Sessions, leases and limits. */
#include "pulse-daemon/farm/beat.h"

#include <string.h>

#include "pulse-daemon/farm/crew.h"
#include "pulse-daemon/farm/emit.h"
#include "pulse-daemon/farm/match.h"
#include "pulse-daemon/farm/report.h"
#include "pulse-daemon/farm/task.h"

#define SLOTS_MOST 4096

/* ---- Sessions ---- */

static bool has_ended(const struct pulse_farm_worker *worker, uint64_t session)
{
    for (size_t i = 0; i < PULSE_FARM_ENDED; i++) {
        if (worker->ended[i] == session) {
            return true;
        }
    }
    return false;
}

/* Whether it is the voice of a dead process. A session that another has replaced may be the living one all the same,
   when a message of the dead came last: it is believed once the other has been silent for a lease. */
static bool is_over(const struct pulse_farm_worker *worker, uint64_t session)
{
    return has_ended(worker, session) && worker->session != 0 && !worker->silent;
}

/* Another session takes the worker's place. */
static void replace_session(struct pulse_farm_worker *worker, uint64_t session)
{
    uint64_t kept[PULSE_FARM_ENDED] = {worker->session};
    size_t count = 1;
    for (size_t i = 0; i < PULSE_FARM_ENDED && count < PULSE_FARM_ENDED; i++) {
        if (worker->ended[i] != session) {
            kept[count++] = worker->ended[i];
        }
    }
    memcpy(worker->ended, kept, sizeof kept);
}

static void lose_all(struct pulse_farm *farm, struct pulse_farm_worker *worker, const char *reason)
{
    while (worker->claims != NULL && !farm->no_memory) {
        pulse_farm_task_lost(farm, worker->claims->shard, reason);
    }
}

static void greet(struct pulse_farm *farm, const struct pulse_farm_event *event)
{
    struct pulse_farm_action *action = pulse_farm_act(farm, PULSE_FARM_GREET);
    action->worker = event->worker;
    action->session = event->session;
}

/* The worker if it is in this session; one that is not known, as after a restart, is asked to present itself. */
static struct pulse_farm_worker *present(struct pulse_farm *farm, const struct pulse_farm_event *event)
{
    struct pulse_farm_worker *worker = pulse_farm_find_worker(farm, event->worker);
    if (event->session == 0) {
        return NULL;
    }
    if (worker != NULL && worker->session == event->session) {
        pulse_farm_worker_heard(farm, worker);
        return worker;
    }
    if (worker == NULL || !is_over(worker, event->session)) {
        greet(farm, event);
    }
    return NULL;
}

static bool take_traits(struct pulse_farm *farm, struct pulse_farm_worker *worker,
                        const struct pulse_farm_traits *traits)
{
    struct pulse_farm_class *class = pulse_farm_class_join(farm, traits), *old = worker->class;
    if (class == NULL) {
        return false;
    }
    if (class != old) {
        uint64_t session = worker->session;
        worker->session = 0; /* out of the lists of the old class */
        pulse_farm_worker_refresh(farm, worker);
        worker->session = session;
        worker->class = class;
    }
    if (old != NULL) {
        pulse_farm_class_leave(farm, old);
    }
    return true;
}

void pulse_farm_welcome(struct pulse_farm *farm, const struct pulse_farm_event *event)
{
    struct pulse_farm_worker *worker = pulse_farm_worker(farm, event->worker);
    if (worker == NULL || event->session == 0 || is_over(worker, event->session)) {
        return;
    }
    if (worker->session != event->session && worker->session != 0) {
        replace_session(worker, event->session);
        lose_all(farm, worker, "the worker has started anew");
    }
    if (worker->session != event->session) {
        worker->draining = false;
    }
    if (!take_traits(farm, worker, &event->traits)) {
        return;
    }
    worker->session = event->session;
    worker->slots = event->slots == 0 ? 1 : event->slots > SLOTS_MOST ? SLOTS_MOST : event->slots;
    worker->credits = event->credits > SLOTS_MOST ? SLOTS_MOST : event->credits;
    if (worker->quarantine_ns == 0) {
        pulse_farm_timer_clear(farm, &worker->timer);
    }
    pulse_farm_worker_heard(farm, worker);
    pulse_farm_worker_refresh(farm, worker);
}

void pulse_farm_credits(struct pulse_farm *farm, const struct pulse_farm_event *event)
{
    struct pulse_farm_worker *worker = present(farm, event);
    if (worker != NULL) {
        worker->credits = event->credits > SLOTS_MOST ? SLOTS_MOST : event->credits;
        pulse_farm_worker_refresh(farm, worker);
    }
}

void pulse_farm_gone(struct pulse_farm *farm, const struct pulse_farm_event *event)
{
    struct pulse_farm_worker *worker = pulse_farm_find_worker(farm, event->worker);
    if (worker == NULL || worker->session != event->session) {
        return;
    }
    worker->session = 0;
    worker->gone_ns = farm->now_ns;
    pulse_farm_worker_refresh(farm, worker);
    lose_all(farm, worker, "the worker has ended");
    if (worker->quarantine_ns == 0) {
        pulse_farm_timer_set(farm, &worker->timer, farm->now_ns + farm->options.forget_ns);
    }
}

void pulse_farm_drain(struct pulse_farm *farm, const struct pulse_farm_event *event)
{
    struct pulse_farm_worker *worker = pulse_farm_find_worker(farm, event->worker);
    if (worker != NULL && (event->session == 0 || event->session == worker->session)) {
        worker->draining = event->flag;
        worker->drained_told = false;
        pulse_farm_worker_refresh(farm, worker);
    }
}

/* ---- Leases ---- */

static void withdraw(struct pulse_farm *farm, const struct pulse_farm_shard_entry *shard, const char *why)
{
    pulse_farm_act_on(farm, PULSE_FARM_WITHDRAW, shard->claim->worker, shard->id, shard->attempt)->text = why;
}

void pulse_farm_lease_due(struct pulse_farm *farm, struct pulse_farm_shard_entry *shard)
{
    if (shard->claim->lease_ns > farm->now_ns) {
        pulse_farm_timer_set(farm, &shard->timer, shard->claim->lease_ns);
        return;
    }
    withdraw(farm, shard, "nothing was heard of it for too long");
    pulse_farm_task_lost(farm, shard, "the worker was silent for too long");
}

static float share_of(const struct pulse_farm_held *held)
{
    return held->done >= 0 && held->done <= 1 ? held->done : 0;
}

void pulse_farm_progress(struct pulse_farm *farm, const struct pulse_farm_event *event)
{
    const struct pulse_farm_worker *worker = pulse_farm_find_worker(farm, event->worker);
    for (size_t i = 0; worker != NULL && worker->session == event->session && i < event->held_count; i++) {
        const struct pulse_farm_held *held = &event->held[i];
        struct pulse_farm_shard_entry *shard = pulse_farm_current(farm, worker->name, held->shard, held->attempt);
        if (shard != NULL) {
            shard->claim->done = share_of(held);
        }
    }
}

/* Renews the claim and looks whether it gets on. */
static void listed(struct pulse_farm *farm, struct pulse_farm_shard_entry *shard, const struct pulse_farm_held *held)
{
    struct pulse_farm_claim *claim = shard->claim;
    claim->lease_ns = farm->now_ns + farm->options.lease_ns;
    claim->beat = farm->beat;
    claim->unlisted = false;
    claim->done = share_of(held);
    if (held->running && claim->run_ns == 0) {
        claim->run_ns = claim->progress_ns = farm->now_ns;
        claim->progress = held->progress;
    }
    if (held->progress > claim->progress || claim->run_ns == 0) {
        claim->progress = held->progress;
        claim->progress_ns = farm->now_ns;
    }
    uint64_t grace = farm->options.lease_ns; /* the worker knows the limits and tells of it with a better report */
    uint64_t hard = pulse_farm_hard_ns(farm, shard) + grace;
    uint64_t since = claim->run_ns == 0 ? claim->since_ns : claim->run_ns;
    const char *report = NULL;
    if (farm->now_ns - since > hard && claim->run_ns == 0) {
        withdraw(farm, shard, "it is past its limit of time");
        pulse_farm_task_lost(farm, shard, "it was not begun for too long");
        return;
    }
    if (farm->now_ns - since > hard) {
        report = "{\"message\":\"it ran for longer than any shard of its cost may\",\"where\":\"\"}";
    } else if (farm->now_ns - claim->progress_ns > farm->options.stall_ns + grace) {
        report = "{\"message\":\"it made no progress for too long\",\"where\":\"\"}";
    }
    if (report != NULL) {
        withdraw(farm, shard, "it is past its limit of time");
        pulse_farm_task_failed(farm, shard, report, false);
    }
}

/* Of the claims that the beat did not list, those that the one before did not list either are given up. */
static void unlisted(struct pulse_farm *farm, struct pulse_farm_worker *worker)
{
    uint64_t apart = farm->options.lease_ns / 6; /* half a beat: copies of one beat are no two */
    size_t count = 0;
    uint64_t *lost = pulse_farm_scratch(farm, worker->claim_count, sizeof *lost);
    for (struct pulse_farm_claim *claim = worker->claims; lost != NULL && claim != NULL; claim = claim->next) {
        if (claim->beat == farm->beat || farm->now_ns - claim->since_ns < apart) {
            continue;
        }
        if (!claim->unlisted) {
            claim->unlisted = true;
            claim->unlisted_ns = farm->now_ns;
        } else if (farm->now_ns - claim->unlisted_ns >= apart) {
            lost[count++] = claim->shard->id;
        }
    }
    for (size_t i = 0; i < count; i++) {
        struct pulse_farm_shard_entry *shard = pulse_farm_find_shard(farm, lost[i]);
        if (shard->claim != NULL && shard->claim->worker == worker) {
            withdraw(farm, shard, "it was not listed in two beats");
            pulse_farm_task_lost(farm, shard, "the worker does not know of it");
        }
    }
}

void pulse_farm_beat(struct pulse_farm *farm, const struct pulse_farm_event *event)
{
    struct pulse_farm_worker *worker = present(farm, event);
    if (worker == NULL) {
        return;
    }
    farm->beat++;
    for (size_t i = 0; i < event->held_count; i++) {
        const struct pulse_farm_held *held = &event->held[i];
        struct pulse_farm_shard_entry *shard = pulse_farm_current(farm, worker->name, held->shard, held->attempt);
        if (shard != NULL) {
            listed(farm, shard, held);
        } else {
            pulse_farm_act_on(farm, PULSE_FARM_WITHDRAW, worker, held->shard, held->attempt)->text =
                "it is not this worker's";
        }
    }
    unlisted(farm, worker);
}
